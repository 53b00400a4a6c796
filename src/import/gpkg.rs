//! `GeoPackage` layers of any origin: read only, nothing of the file trusted.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;
use rusqlite::types::ValueRef;
use tempfile::NamedTempFile;

use crate::import::Cell;
use crate::import::ImportError;
use crate::import::Next;
use crate::import::RawRow;
use crate::import::Source;
use crate::import::geojson::height_dropped;
use crate::import::input;
use crate::import::report::Fault;
use crate::model::crs::Crs;
use crate::model::schema::MAX_FIELDS;
use crate::model::time;
use crate::store::StoreError;
use crate::store::decode_geometry;
use crate::store::open_foreign;
use crate::store::quote;

/// Rows read at once.
const BATCH: i64 = 512;
/// The most bytes a gzipped `GeoPackage` may unpack to.
const MAX_UNPACKED: u64 = 32 << 30;

/// A layer of a `GeoPackage`.
pub(crate) struct GpkgSource {
    path: PathBuf,
    connection: Connection,
    _unpacked: Option<NamedTempFile>,
    table: String,
    geometry: Option<(String, Crs)>,
    columns: Vec<String>,
    declared: Vec<Declared>,
    after: i64,
    waiting: VecDeque<Next>,
    number: u64,
}

/// Types whose text or numbers mean something that `SQLite` doesn't know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Declared {
    Boolean,
    DateTime,
    Other,
}

impl GpkgSource {
    /// Opens a file and the named layer, or its only one.
    pub(crate) fn open(path: &Path, layer: Option<&str>, read: &Arc<AtomicU64>) -> Result<Self, ImportError> {
        let unpacked = unpack(path, read)?;
        let file = unpacked.as_ref().map_or(path, |file| file.path());
        let connection = open_foreign(file)?;
        let fault = |error: rusqlite::Error| sql_fault(path, &error);
        let table = choose_layer(&connection, layer).map_err(fault)??;
        let is_table: Option<String> = connection
            .query_row("SELECT type FROM sqlite_master WHERE name = ?1 AND type = 'table' AND sql NOT LIKE '%VIRTUAL%'", [&table], |row| row.get(0))
            .optional()
            .map_err(fault)?;
        if is_table.is_none() {
            let message = format!("the layer {table:?} is no plain table: save it as one");
            return Err(ImportError::Malformed { place: path.display().to_string(), message });
        }
        let geometry = geometry_column(&connection, &table).map_err(fault)??;
        let (mut columns, mut declared) = (Vec::new(), Vec::new());
        {
            let mut statement =
                connection.prepare("SELECT name, type, pk FROM pragma_table_info(?1)").map_err(fault)?;
            let mut rows = statement.query([&table]).map_err(fault)?;
            while let Some(row) = rows.next().map_err(fault)? {
                let (name, kind, key): (String, String, i64) =
                    (row.get(0).map_err(fault)?, row.get(1).map_err(fault)?, row.get(2).map_err(fault)?);
                let is_key = key == 1 && kind.eq_ignore_ascii_case("INTEGER");
                if is_key || geometry.as_ref().is_some_and(|(column, _)| column.eq_ignore_ascii_case(&name)) {
                    continue;
                }
                declared.push(match kind.to_ascii_uppercase().as_str() {
                    "BOOLEAN" => Declared::Boolean,
                    "DATETIME" => Declared::DateTime,
                    _ => Declared::Other,
                });
                columns.push(name);
            }
        }
        if columns.len() > MAX_FIELDS {
            return Err(ImportError::TooManyColumns);
        }
        Ok(Self {
            path: path.to_owned(),
            connection,
            _unpacked: unpacked,
            table,
            geometry,
            columns,
            declared,
            after: i64::MIN,
            waiting: VecDeque::new(),
            number: 0,
        })
    }

    fn fill(&mut self) -> Result<(), rusqlite::Error> {
        let mut list = String::from("rowid");
        if let Some((column, _)) = &self.geometry {
            list.push_str(&format!(", {}", quote(column)));
        }
        for column in &self.columns {
            list.push_str(&format!(", {}", quote(column)));
        }
        let sql = format!("SELECT {list} FROM {} WHERE rowid > ?1 ORDER BY rowid LIMIT {BATCH}", quote(&self.table));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![self.after])?;
        while let Some(row) = rows.next()? {
            self.number += 1;
            self.after = row.get(0)?;
            let next = match take_row(row, self.number, self.after, self.geometry.as_ref(), &self.declared)? {
                Ok(row) => Next::Row(row),
                Err(fault) => Next::Bad(self.number, fault),
            };
            self.waiting.push_back(next);
        }
        Ok(())
    }
}

impl Source for GpkgSource {
    fn next(&mut self) -> Result<Next, ImportError> {
        if self.waiting.is_empty() {
            self.fill().map_err(|error| sql_fault(&self.path, &error))?;
        }
        Ok(self.waiting.pop_front().unwrap_or(Next::End))
    }

    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn has_places(&self) -> bool {
        self.geometry.is_some()
    }
}

fn take_row(
    row: &rusqlite::Row<'_>,
    number: u64,
    id: i64,
    geometry: Option<&(String, Crs)>,
    declared: &[Declared],
) -> Result<Result<RawRow, Fault>, rusqlite::Error> {
    let mut warnings = Vec::new();
    let mut first = 1;
    let mut shape = None;
    if let Some((_, crs)) = geometry {
        first = 2;
        match row.get_ref(1)? {
            ValueRef::Null => {}
            ValueRef::Blob(bytes) => match decode_geometry(bytes, *crs) {
                Ok(decoded) => {
                    if decoded.dropped_dimensions {
                        warnings.push(height_dropped());
                    }
                    shape = decoded.shape;
                }
                Err(fault) => return Ok(Err(fault.into())),
            },
            ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Text(_) => {
                return Ok(Err(Fault::new("geometry", "the geometry is no blob", "write the layer again with a GIS program")));
            }
        }
    }
    let mut cells = Vec::with_capacity(declared.len());
    for (place, kind) in declared.iter().enumerate() {
        let cell = match row.get_ref(first + place)? {
            ValueRef::Null => continue,
            ValueRef::Integer(value) if *kind == Declared::Boolean && matches!(value, 0 | 1) => Cell::Bool(value == 1),
            ValueRef::Integer(value) => Cell::Int(value),
            ValueRef::Real(value) if value.is_finite() => Cell::Float(value),
            ValueRef::Real(_) => {
                let fix = "give a finite number or null";
                return Ok(Err(Fault::new("not-finite", "a value is NaN or infinite", fix)));
            }
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                // DATETIME texts have milliseconds whether they mean something or not.
                Ok(text) if *kind == Declared::DateTime => {
                    Cell::Text(time::parse_instant(text).map_or_else(|| text.to_owned(), time::format_instant))
                }
                Ok(text) => Cell::Text(text.to_owned()),
                Err(_) => return Ok(Err(Fault::new("encoding", "a text is not UTF-8", "write the layer again as UTF-8"))),
            },
            ValueRef::Blob(_) => {
                if warnings.is_empty() {
                    warnings.push(Fault::new("blob", "a binary value was left out", "nothing to do: text and numbers are kept"));
                }
                continue;
            }
        };
        cells.push((place, cell));
    }
    Ok(Ok(RawRow { number, id: Some((id.to_string(), true)), geometry: shape, cells, warnings }))
}

fn sql_fault(path: &Path, error: &rusqlite::Error) -> ImportError {
    StoreError::Damaged { path: path.to_owned(), reason: error.to_string() }.into()
}

/// Unpacks a gzipped file beside other temporary files; `None` if it is not gzipped.
fn unpack(path: &Path, read: &Arc<AtomicU64>) -> Result<Option<NamedTempFile>, ImportError> {
    let io = |source| ImportError::Io { path: path.to_owned(), source };
    let mut magic = [0_u8; 2];
    let packed = File::open(path).map_err(io)?.read_exact(&mut magic).is_ok() && magic == [0x1F, 0x8B];
    if !packed {
        return Ok(None);
    }
    let mut content = input::open(path, read)?.take(MAX_UNPACKED);
    let mut file = NamedTempFile::new().map_err(io)?;
    std::io::copy(&mut content, &mut file).map_err(|error| input::read_fault(path, &error))?;
    if content.limit() == 0 {
        let message = "it unpacks to more than 32 GB".to_owned();
        return Err(ImportError::Malformed { place: path.display().to_string(), message });
    }
    Ok(Some(file))
}

fn choose_layer(connection: &Connection, layer: Option<&str>) -> Result<Result<String, ImportError>, rusqlite::Error> {
    let mut statement = connection
        .prepare("SELECT table_name FROM gpkg_contents WHERE data_type IN ('features', 'attributes') ORDER BY data_type DESC, table_name")?;
    let layers: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(match layer {
        Some(wanted) if layers.iter().any(|name| name == wanted) => Ok(wanted.to_owned()),
        Some(wanted) => Err(ImportError::NoLayer { wanted: wanted.to_owned(), layers }),
        None if layers.len() == 1 => Ok(layers.into_iter().next().unwrap_or_default()),
        None => Err(ImportError::WhichLayer(layers)),
    })
}

/// The geometry column of a table and its system; `None` for a table of attributes.
#[expect(clippy::type_complexity, reason = "two kinds of failure: of the database, and of what it says")]
fn geometry_column(
    connection: &Connection,
    table: &str,
) -> Result<Result<Option<(String, Crs)>, ImportError>, rusqlite::Error> {
    let has: bool = connection.query_row(
        "SELECT count(*) FROM sqlite_master WHERE name = 'gpkg_geometry_columns'",
        [],
        |row| row.get(0),
    )?;
    if !has {
        return Ok(Ok(None));
    }
    // What decides is the authority's code; `srs_id` is a number inside the file.
    let found: Option<(String, String, i64)> = connection
        .query_row(
            "SELECT g.column_name, s.organization, s.organization_coordsys_id FROM gpkg_geometry_columns g
             JOIN gpkg_spatial_ref_sys s ON s.srs_id = g.srs_id WHERE g.table_name = ?1",
            [table],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?;
    Ok(match found {
        None => Ok(None),
        Some((column, organization, code)) => {
            let crs = if organization.eq_ignore_ascii_case("EPSG") { Crs::from_epsg(code) } else { None };
            let crs = crs.or((organization.eq_ignore_ascii_case("OGC") && code == 84).then_some(Crs::Crs84));
            crs.map(|crs| Some((column, crs))).ok_or_else(|| ImportError::UnknownCrs(format!("{organization}:{code}")))
        }
    })
}
