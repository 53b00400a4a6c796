//! Reading every current row of a collection, each proved by its hash; damaged rows are set aside and counted.
//!
//! `SQLite` reads up to the first page that it cannot read. Where rows are missing the whole table is read again page by
//! page (`pages`), so that a broken page costs the rows that stand on it and no others.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::ErrorCode;
use rusqlite::backup::Progress;
use rusqlite::params;
use rusqlite::types::ValueRef as SqlValue;
use tempfile::NamedTempFile;

use crate::model::GeometryRef;
use crate::model::Provenance;
use crate::model::RowId;
use crate::model::Sensitivity;
use crate::model::ValueRef;
use crate::model::crs::Crs;
use crate::model::feature::RowHasher;
use crate::model::feature::row_hash_sum;
use crate::model::schema::FieldType;
use crate::model::time;
use crate::store::ReleaseState;
use crate::store::Scan;
use crate::store::StoreError;
use crate::store::StoredCollection;
use crate::store::StoredRow;
use crate::store::Touched;
use crate::store::blob::decode_geometry;
use crate::store::blob::decode_point;
use crate::store::file::change;
use crate::store::file::connect::StoreFile;
use crate::store::file::kept;
use crate::store::file::migrate;
use crate::store::file::names;
use crate::store::file::names::quote;
use crate::store::file::pages::Pages;
use crate::store::file::tables::table_columns;

/// One state of the store; readers don't wait for the writer.
#[derive(Debug)]
pub(in crate::store) struct FileReader {
    connection: Connection,
    /// Holds the copy that is read, if it is one; it goes after the connection.
    place: Arc<StoreFile>,
    epoch: String,
    /// Whether the store is of an older version and can only be read.
    older: bool,
    /// A copy of the file with its log, once pages of it were wanted.
    copy: OnceCell<NamedTempFile>,
}

impl FileReader {
    pub(in crate::store) fn new(connection: Connection, place: Arc<StoreFile>) -> Result<Self, StoreError> {
        let older = migrate::stand_in(&connection)?;
        connection.execute_batch("BEGIN")?;
        // A deferred transaction starts at its first read: now.
        let epoch =
            connection
                .query_row("SELECT value FROM throughline_meta WHERE key = 'epoch'", [], |row| row.get(0))?;
        Ok(Self { connection, place, epoch, older, copy: OnceCell::new() })
    }

    /// The identity of what the file holds.
    pub(in crate::store) fn epoch(&self) -> &str {
        &self.epoch
    }

    /// All collections, by id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(in crate::store) fn collections(&self) -> Result<Vec<StoredCollection>, StoreError> {
        change::collections(&self.connection)
    }

    /// Every collection's id and last change, by id.
    pub(in crate::store) fn sequences(&self) -> Result<Vec<(String, i64)>, StoreError> {
        change::sequences(&self.connection)
    }

    /// The rows of a collection that changes after `sequence` touched; see [`change::changes_since`].
    pub(in crate::store) fn changes_since(
        &self,
        stored: &StoredCollection,
        sequence: i64,
        most: u64,
    ) -> Result<Option<Touched>, StoreError> {
        if self.older { Ok(None) } else { change::changes_since(&self.connection, stored, sequence, most) }
    }

    /// One collection.
    ///
    /// # Errors
    /// [`StoreError`], not if there is none.
    pub(in crate::store) fn collection(&self, id: &str) -> Result<Option<StoredCollection>, StoreError> {
        change::collection(&self.connection, id)
    }

    /// The last change of all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(in crate::store) fn sequence(&self) -> Result<i64, StoreError> {
        Ok(self.connection.query_row(
            "SELECT coalesce(max(sequence), 0) FROM throughline_changes",
            [],
            |row| row.get(0),
        )?)
    }

    /// The day for which the store's picture is drawn, where it is not today: the present of a synthetic set.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(in crate::store) fn reference_date(&self) -> Result<Option<String>, StoreError> {
        kept::reference_date(&self.connection)
    }

    /// How far each collection was released.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(in crate::store) fn releases(&self) -> Result<Vec<ReleaseState>, StoreError> {
        kept::releases(&self.connection)
    }

    /// About the greatest row number of a collection's table, by which it can be read in parts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(in crate::store) fn last_fid(&self, stored: &StoredCollection) -> Result<i64, StoreError> {
        let sql = format!("SELECT coalesce(max(fid), 0) FROM {}", quote(&stored.table));
        Ok(self.connection.query_row(&sql, [], |row| row.get(0)).or_else(|error| {
            if is_damage(&error) {
                Ok(i64::try_from(stored.rows).unwrap_or(i64::MAX).saturating_mul(4))
            } else {
                Err(error)
            }
        })?)
    }

    /// Gives every sound current row with `first <= fid <= last` to `each`, up to the first page that cannot be read:
    /// whoever finds rows missing goes on with [`Self::scan_pages`].
    ///
    /// # Errors
    /// [`StoreError`] for anything but damage.
    pub(in crate::store) fn scan(
        &self,
        stored: &StoredCollection,
        first: i64,
        last: i64,
        each: &mut dyn FnMut(&StoredRow<'_>),
    ) -> Result<Scan, StoreError> {
        let columns: String = stored.columns.iter().map(|column| format!(", {}", quote(column))).collect();
        let system = names::SYSTEM_OF_SCAN.join(", ");
        let sql = format!(
            "SELECT {system}{columns}
             FROM {} WHERE fid BETWEEN ?1 AND ?2 AND superseded_at IS NULL ORDER BY fid",
            quote(&stored.table)
        );
        let mut job = Job {
            stored,
            hasher: RowHasher::new(&stored.schema),
            provenances: Vec::new(),
            scan: Scan::default(),
        };
        match job.read(&self.connection, &sql, (first, last), each) {
            Err(error) if is_damage(&error) => {
                tracing::error!(collection.id = %stored.schema.id, %error, "the table is damaged");
            }
            done => done?,
        }
        Ok(job.scan)
    }

    /// Gives every sound current row of a damaged collection to `each`, read page by page.
    ///
    /// # Errors
    /// [`StoreError`] for anything but damage, which is counted and passed over.
    pub(in crate::store) fn scan_pages(
        &self,
        stored: &StoredCollection,
        each: &mut dyn FnMut(&StoredRow<'_>),
    ) -> Result<Scan, StoreError> {
        let mut job = Job {
            stored,
            hasher: RowHasher::new(&stored.schema),
            provenances: Vec::new(),
            scan: Scan::default(),
        };
        let mut trees: Vec<(String, u32)> = vec![(String::new(), 1)];
        let mut statement =
            self.connection.prepare("SELECT name, rootpage FROM sqlite_master WHERE rootpage > 0")?;
        let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        trees.extend(found.collect::<Result<Vec<_>, _>>()?);
        let Some(root) = trees.iter().find(|(name, _)| *name == stored.table).map(|(_, root)| *root) else {
            return Ok(job.scan);
        };
        let columns = table_columns(&self.connection, &stored.table)?;
        let wanted: Vec<Option<usize>> = names::SYSTEM_OF_SCAN
            .iter()
            .map(|name| (*name).to_owned())
            .chain(stored.columns.iter().cloned())
            .map(|name| columns.iter().position(|column| *column == name))
            .collect();
        let superseded = columns.iter().position(|column| column == "superseded_at");
        let trees: Vec<u32> = trees.iter().map(|(_, root)| *root).collect();
        // A row that was moved may stand on two pages, and a page that nothing leads to may show it as it was before it
        // was superseded. A row number may be damaged; the id and the hash are what tells.
        let (mut current, mut old) = (HashSet::new(), HashSet::new());
        self.pages()?.rows(root, &trees, &mut |led_to, fid, values| {
            // A column that came later is not in older rows.
            let value = |at: Option<usize>| values.get(at?).copied().or(Some(SqlValue::Null));
            let column = |at: usize| value(*wanted.get(at)?);
            let bytes = |at: usize| column(at).and_then(|value| value.as_blob().ok()).map(<[u8]>::to_vec);
            let (id, hash) = (bytes(ID), bytes(ROW_HASH));
            if !matches!(value(superseded), Some(SqlValue::Null)) {
                old.insert((fid, id, hash));
                return;
            }
            if !led_to && old.contains(&(fid, id.clone(), hash)) || current.contains(&id) {
                return;
            }
            if job.take(column, each).is_none() {
                job.scan.damaged += 1;
            } else {
                current.insert(id);
            }
        });
        Ok(job.scan)
    }

    /// The pages of the state that this reader sees, the log included: a copy of the file, made once.
    fn pages(&self) -> Result<Pages, StoreError> {
        let io = |source| StoreError::Io { path: self.place.file().to_owned(), source };
        if let Some(copy) = self.copy.get() {
            return Pages::open(copy.path()).map_err(io);
        }
        let copy = NamedTempFile::new().map_err(io)?;
        match self.connection.backup("main", copy.path(), None::<fn(Progress)>) {
            Ok(()) => Pages::open(self.copy.get_or_init(|| copy).path()).map_err(io),
            // A disk that cannot be read everywhere: page by page it can, without what waits in the log.
            Err(error) => {
                tracing::error!(%error, "the file cannot be copied: it is read as it stands");
                Pages::open(self.place.file()).map_err(io)
            }
        }
    }
}

/// Columns before the fields in the scan's SELECT.
const SYSTEM: usize = names::SYSTEM_OF_SCAN.len();
/// Places of two of them.
const ID: usize = 1;
const ROW_HASH: usize = 9;

struct Job<'a> {
    stored: &'a StoredCollection,
    hasher: RowHasher,
    provenances: Vec<Arc<Provenance>>,
    scan: Scan,
}

impl Job<'_> {
    /// Reads the rows of a span through `SQLite`.
    fn read(
        &mut self,
        connection: &Connection,
        sql: &str,
        (first, last): (i64, i64),
        each: &mut dyn FnMut(&StoredRow<'_>),
    ) -> Result<(), rusqlite::Error> {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![first, last])?;
        while let Some(row) = rows.next()? {
            if self.take(|at| row.get_ref(at).ok(), each).is_none() {
                self.scan.damaged += 1;
            }
        }
        Ok(())
    }

    /// Reads and proves a row, given by its columns in the order of the SELECT; `None` if it is damaged.
    fn take<'r>(
        &mut self,
        column: impl Fn(usize) -> Option<SqlValue<'r>>,
        each: &mut dyn FnMut(&StoredRow<'_>),
    ) -> Option<()> {
        let id = u128::from_be_bytes(column(ID)?.as_blob().ok()?.try_into().ok()?);
        let public_id = column(2)?.as_str_or_null().ok()?;
        let provenance = self.provenance(&column)?;
        // Points, by far the most rows, are read without a copy.
        let (point, geometry);
        let geometry = match column(8)? {
            SqlValue::Null => None,
            SqlValue::Blob(bytes) => Some(if let Some(position) = decode_point(bytes) {
                point = position;
                GeometryRef::point(&point)
            } else {
                geometry = decode_geometry(bytes, Crs::Crs84).ok()?.geometry?;
                geometry.as_ref()
            }),
            _ => return None,
        };
        let hash: &[u8; 32] = column(ROW_HASH)?.as_blob().ok()?.try_into().ok()?;
        let fields = &self.stored.schema.fields;
        let mut values = Vec::with_capacity(fields.len());
        for (index, field) in fields.iter().enumerate() {
            values.push(field_value(column(SYSTEM + index)?, field.field_type)?);
        }
        if self.hasher.hash(&provenance, public_id, geometry, |index| values[index]) != *hash {
            return None;
        }
        let share = row_hash_sum(hash);
        self.scan.rows += 1;
        self.scan.hash_sum = self.scan.hash_sum.wrapping_add(share);
        each(&StoredRow {
            id: RowId(id),
            public_id,
            provenance: &provenance,
            geometry,
            values: &values,
            share,
        });
        Some(())
    }

    fn provenance<'r>(&mut self, column: &impl Fn(usize) -> Option<SqlValue<'r>>) -> Option<Arc<Provenance>> {
        let text = |index: usize| column(index).and_then(|value| value.as_str().ok());
        let (owner, marking, handling) = (text(3)?, text(4)?, text(5)?);
        let sensitivity = match column(6)?.as_i64().ok()? {
            0 => Sensitivity::Open,
            1 => Sensitivity::Limited,
            2 => Sensitivity::Restricted,
            _ => return None,
        };
        let synthetic = column(7)?.as_i64().ok()? != 0;
        let same = |known: &&Arc<Provenance>| {
            known.owner == owner
                && known.marking == marking
                && known.handling == handling
                && known.sensitivity == sensitivity
                && known.synthetic == synthetic
        };
        // Neighbouring rows mostly share it, so the last one found is tried first.
        if let Some(known) = self.provenances.iter().rev().find(same) {
            return Some(Arc::clone(known));
        }
        let fresh = Arc::new(Provenance {
            owner: owner.to_owned(),
            marking: marking.to_owned(),
            handling: handling.to_owned(),
            sensitivity,
            synthetic,
        });
        self.provenances.push(Arc::clone(&fresh));
        Some(fresh)
    }
}

fn field_value(value: SqlValue<'_>, field_type: FieldType) -> Option<ValueRef<'_>> {
    Some(match (value, field_type) {
        (SqlValue::Null, _) => ValueRef::Null,
        (SqlValue::Integer(value @ (0 | 1)), FieldType::Boolean) => ValueRef::Bool(value == 1),
        (SqlValue::Integer(value), FieldType::Integer) => ValueRef::Int(value),
        (SqlValue::Real(value), FieldType::Number) => ValueRef::Float(value),
        (SqlValue::Integer(value), FieldType::Number) => ValueRef::Float(value as f64),
        (SqlValue::Text(bytes), _) => {
            let text = std::str::from_utf8(bytes).ok()?;
            match field_type {
                FieldType::Text => ValueRef::Text(text),
                FieldType::Json | FieldType::List => ValueRef::Json(text),
                FieldType::Date => ValueRef::Date(time::parse_date(text)?),
                FieldType::Timestamp => ValueRef::Timestamp(time::parse_instant(text)?),
                FieldType::Boolean | FieldType::Integer | FieldType::Number => return None,
            }
        }
        _ => return None,
    })
}

/// Whether an error means that the file is damaged, and not that something was asked wrongly.
pub(in crate::store) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::SystemIoFailure)
    )
}
