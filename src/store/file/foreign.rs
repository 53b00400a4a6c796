//! Reading layers of a `GeoPackage` of unknown origin: read only, in batches, nothing of the file trusted.

use std::path::Path;
use std::path::PathBuf;
use std::time::SystemTime;

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;
use rusqlite::types::ValueRef;

use crate::store::ForeignColumn;
use crate::store::ForeignLayer;
use crate::store::ForeignRow;
use crate::store::ForeignValue;
use crate::store::StoreError;
use crate::store::file::connect::StoreFile;
use crate::store::file::export::FEATURE_ID_NOTE;
use crate::store::file::export::JSON_MIME;
use crate::store::file::export::PUBLIC_NAME_NOTE;
use crate::store::file::names::quote;
use crate::store::file::open::open_foreign;

/// Rows read at once.
const BATCH: i64 = 512;

/// An open file.
#[derive(Debug)]
pub(in crate::store) struct ForeignFile {
    connection: Connection,
    /// Holds the copy that is read, if it is one; it goes after the connection.
    place: StoreFile,
    path: PathBuf,
    state: Option<(u64, SystemTime, bool)>,
}

/// What a file says of a column: which, its other name, a description, the media type of its texts.
type Said = (String, Option<String>, Option<String>, Option<String>);

impl ForeignFile {
    /// Opens a file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(in crate::store) fn open(path: &Path) -> Result<Self, StoreError> {
        let (place, connection) = open_foreign(path)?;
        let state = place.state();
        Ok(Self { connection, place, path: path.to_owned(), state })
    }

    /// Names of the layers, each with whether it is one of features and not of attributes.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub(in crate::store) fn layers(&self) -> Result<Vec<(String, bool)>, StoreError> {
        let mut statement = self.connection.prepare(
            "SELECT table_name, data_type = 'features' FROM gpkg_contents WHERE data_type IN ('features', 'attributes')
             ORDER BY data_type DESC, table_name",
        )?;
        let names = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// Describes a layer; `None` if it is a view, a virtual table or one without row numbers, which are not read.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub(in crate::store) fn layer(&self, table: &str) -> Result<Option<ForeignLayer>, StoreError> {
        let kind: Option<(String, bool)> = self
            .connection
            .query_row(
                "SELECT type, wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1",
                [table],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        // Without row ids there is nothing to page by.
        if !matches!(kind, Some((ref kind, false)) if kind == "table") {
            return Ok(None);
        }
        let described: bool = self.connection.query_row(
            "SELECT count(*) FROM sqlite_master WHERE name = 'gpkg_geometry_columns'",
            [],
            |row| row.get(0),
        )?;
        // What decides is the authority's code; `srs_id` is a number inside the file.
        let found: Option<(String, String, i64)> = if described {
            self.connection
                .query_row(
                    "SELECT g.column_name, s.organization, s.organization_coordsys_id FROM gpkg_geometry_columns g
                     JOIN gpkg_spatial_ref_sys s ON s.srs_id = g.srs_id WHERE g.table_name = ?1",
                    [table],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                )
                .optional()?
        } else {
            None
        };
        let (geometry, system) = match found {
            Some((column, organization, code)) => (Some(column), Some((organization, code))),
            None => (None, None),
        };
        let (mut columns, mut key_column) = (Vec::new(), None);
        let mut statement = self.connection.prepare("SELECT name, type, pk FROM pragma_table_info(?1)")?;
        let mut rows = statement.query([table])?;
        while let Some(row) = rows.next()? {
            let (name, kind, key): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let is_key = key == 1 && kind.eq_ignore_ascii_case("INTEGER");
            let is_geometry = geometry.as_ref().is_some_and(|column| column.eq_ignore_ascii_case(&name));
            if is_key {
                key_column = Some(name);
            } else if !is_geometry {
                columns.push(ForeignColumn {
                    column: name.clone(),
                    name,
                    kind: kind.to_ascii_uppercase(),
                    is_json: false,
                    is_feature_id: false,
                });
            }
        }
        // A column may be called `rowid` and hide the row's own number under that name.
        let hidden = |alias: &str| {
            let names = columns.iter().map(|column| &column.column).chain(&geometry);
            names.into_iter().any(|name| name.eq_ignore_ascii_case(alias))
        };
        let alias = ["rowid", "_rowid_", "oid"].into_iter().find(|alias| !hidden(alias)).map(str::to_owned);
        let Some(key) = key_column.or(alias) else { return Ok(None) };
        drop(rows);
        self.describe(table, &mut columns);
        Ok(Some(ForeignLayer { table: table.to_owned(), key, geometry, system, columns }))
    }

    /// Takes over what the file says of its columns. A table that is not as the standard has it says nothing.
    fn describe(&self, table: &str, columns: &mut [ForeignColumn]) {
        let Ok(mut statement) = self.connection.prepare(
            "SELECT column_name, name, description, mime_type FROM gpkg_data_columns WHERE table_name = ?1",
        ) else {
            return;
        };
        let read =
            statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
        let Ok(said) = read.and_then(Iterator::collect::<Result<Vec<Said>, _>>) else { return };
        for (of, name, note, mime) in said {
            let taken = name.as_ref().is_some_and(|name| columns.iter().any(|column| column.name == *name));
            let Some(column) = columns.iter_mut().find(|column| column.column.eq_ignore_ascii_case(&of))
            else {
                continue;
            };
            column.is_json = mime.as_deref() == Some(JSON_MIME);
            column.is_feature_id = note.as_deref() == Some(FEATURE_ID_NOTE);
            if note.as_deref() == Some(PUBLIC_NAME_NOTE)
                && let Some(name) = name.filter(|_| !taken)
            {
                column.name = name;
            }
        }
    }

    /// The next rows of a layer by key, after `after`; none at the end.
    ///
    /// # Errors
    /// [`StoreError::Database`]; [`StoreError::Damaged`]; [`StoreError::Changing`] if another program began to write the file.
    pub(in crate::store) fn batch(
        &self,
        layer: &ForeignLayer,
        after: i64,
    ) -> Result<Vec<ForeignRow>, StoreError> {
        let names = layer.geometry.iter().chain(layer.columns.iter().map(|column| &column.column));
        let list: String = names.map(|name| format!(", {}", quote(name))).collect();
        let (key, table) = (quote(&layer.key), quote(&layer.table));
        let sql = format!("SELECT {key}{list} FROM {table} WHERE {key} > ?1 ORDER BY {key} LIMIT {BATCH}");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![after])?;
        let mut out: Vec<ForeignRow> = Vec::new();
        while let Some(row) = rows.next()? {
            let key = row.get(0)?;
            // A damaged file may lead back to where the reading has been, for ever.
            if key <= out.last().map_or(after, |last| last.key) {
                let reason = format!("its rows are not in order at {key}");
                return Err(StoreError::Damaged { path: self.path.clone(), reason });
            }
            let first = 1 + usize::from(layer.geometry.is_some());
            let geometry = match (&layer.geometry, row.get_ref(1)) {
                (None, _) | (Some(_), Ok(ValueRef::Null)) => Ok(None),
                (Some(_), Ok(ValueRef::Blob(bytes))) => Ok(Some(bytes.to_vec())),
                (Some(_), _) => Err(()),
            };
            let mut values = Vec::with_capacity(layer.columns.len());
            for place in 0..layer.columns.len() {
                values.push(match row.get_ref(first + place)? {
                    ValueRef::Null => ForeignValue::Null,
                    ValueRef::Integer(value) => ForeignValue::Int(value),
                    ValueRef::Real(value) => ForeignValue::Real(value),
                    ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                        Ok(text) => ForeignValue::Text(text.to_owned()),
                        Err(_) => ForeignValue::BadText,
                    },
                    ValueRef::Blob(_) => ForeignValue::Blob,
                });
            }
            out.push(ForeignRow { key, geometry, values });
        }
        // Read without locks, it may have been half of one state and half of another.
        if self.place.state() != self.state {
            return Err(StoreError::Changing(self.path.clone()));
        }
        Ok(out)
    }
}
