//! `GeoPackage` layers: the store's reader returns the rows, and this file converts them.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tempfile::NamedTempFile;

use crate::import::CellValue;
use crate::import::ImportError;
use crate::import::Next;
use crate::import::RawRow;
use crate::import::Source;
use crate::import::cells::cell;
use crate::import::geojson::height_dropped;
use crate::import::input;
use crate::import::kind::not_a_geopackage;
use crate::import::report::Fault;
use crate::model::FieldType;
use crate::model::Geometry;
use crate::model::crs::Crs;
use crate::model::schema::MAX_FIELDS;
use crate::model::time;
use crate::store::ForeignGeoPackage;
use crate::store::ForeignLayer;
use crate::store::ForeignRow;
use crate::store::ForeignValue;
use crate::store::StoreError;
use crate::store::decode_geometry;

/// The most bytes of an unpacked `GeoPackage`.
const MAX_UNPACKED: u64 = 32 << 30;

/// A layer of a `GeoPackage` that is read row by row.
pub(crate) struct GpkgSource {
    path: PathBuf,
    file: ForeignGeoPackage,
    _unpacked: Option<NamedTempFile>,
    layer: ForeignLayer,
    crs: Option<Crs>,
    columns: Vec<String>,
    waiting: VecDeque<ForeignRow>,
    after: i64,
    number: u64,
}

impl GpkgSource {
    /// Opens a file and the named layer, or the only layer if none is named.
    pub(crate) fn open(path: &Path, layer: Option<&str>, read: &Arc<AtomicU64>) -> Result<Self, ImportError> {
        let unpacked = unpack(path, read)?;
        look_at(path, unpacked.as_ref().map_or(path, |file| file.path()))?;
        let content = unpacked.as_ref().map_or(path, |file| file.path());
        let file = ForeignGeoPackage::open(content).map_err(|error| named(path, error))?;
        let layers = file.layers().map_err(|error| named(path, error))?;
        let names = || layers.iter().map(|(name, _)| name.clone()).collect();
        let features: Vec<&String> =
            layers.iter().filter(|(_, features)| *features).map(|(name, _)| name).collect();
        let table = match (layer, features.as_slice(), layers.as_slice()) {
            (Some(wanted), _, _) if layers.iter().any(|(name, _)| name == wanted) => wanted.to_owned(),
            (Some(wanted), _, _) => {
                return Err(ImportError::NoLayer { wanted: wanted.to_owned(), layers: names() });
            }
            // Beside the only layer of features there may be tables without geometry, such as styles.
            (None, [only], _) => (*only).clone(),
            (None, [], [(only, _)]) => only.clone(),
            (None, _, _) => return Err(ImportError::WhichLayer(names())),
        };
        let layer = file.layer(&table).map_err(|error| named(path, error))?.ok_or_else(|| {
            ImportError::Malformed {
                place: path.display().to_string(),
                message: format!("the layer {table:?} is not a plain table with row numbers: save it as one"),
            }
        })?;
        let crs = match &layer.system {
            None => None,
            Some((authority, code)) => Some(
                system(authority, *code)
                    .ok_or_else(|| ImportError::UnknownCrs(format!("{authority}:{code}")))?,
            ),
        };
        let fields = layer.columns.iter().filter(|column| !column.is_feature_id);
        let columns: Vec<String> = fields.map(|column| column.name.clone()).collect();
        if columns.len() > MAX_FIELDS {
            return Err(ImportError::TooManyColumns);
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            _unpacked: unpacked,
            layer,
            crs,
            columns,
            waiting: VecDeque::new(),
            after: i64::MIN,
            number: 0,
        })
    }

    fn row(&self, row: ForeignRow) -> Result<RawRow, Fault> {
        let mut warnings = Vec::new();
        let geometry = match row.geometry {
            Ok(bytes) => decode(bytes.as_deref(), self.crs, &mut warnings)?,
            Err(()) => {
                return Err(Fault::new(
                    "geometry",
                    "the geometry is not binary",
                    "write the layer again with a GIS program",
                ));
            }
        };
        let mut cells = Vec::with_capacity(row.values.len());
        // A file of our own export marks the column with the feature ids; in other files the primary key is the id.
        let has_ids = self.layer.columns.iter().any(|column| column.is_feature_id);
        let mut id = (!has_ids).then(|| (row.key.to_string(), true));
        let mut places = 0..;
        for (value, column) in row.values.into_iter().zip(&self.layer.columns) {
            let kind = column.kind.as_str();
            if column.is_feature_id {
                id = feature_id(value);
                continue;
            }
            let Some(place) = places.next() else { break };
            match value {
                ForeignValue::Null => {}
                ForeignValue::Int(value @ (0 | 1)) if kind == "BOOLEAN" => {
                    cells.push((place, CellValue::Bool(value == 1)));
                }
                ForeignValue::Int(value) => cells.push((place, CellValue::Int(value))),
                ForeignValue::Real(value) if value.is_finite() => {
                    cells.push((place, CellValue::Float(value)));
                }
                ForeignValue::Real(_) => {
                    return Err(Fault::new(
                        "not-finite",
                        "a value is NaN or infinite",
                        "give a finite number or null",
                    ));
                }
                // DATETIME texts always have milliseconds; a fraction of zero is removed.
                ForeignValue::Text(text) if kind == "DATETIME" => {
                    let text = time::parse_instant(&text).map_or(text, time::format_instant);
                    cells.push((place, CellValue::Text(text)));
                }
                ForeignValue::Text(text) if column.is_json => {
                    let value = serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text));
                    cells.push((place, cell(value, &mut warnings)?));
                }
                ForeignValue::Text(text) => cells.push((place, CellValue::Text(text))),
                ForeignValue::BadText => {
                    return Err(Fault::new(
                        "encoding",
                        "a text is not UTF-8",
                        "write the layer again as UTF-8",
                    ));
                }
                ForeignValue::Blob => {
                    let fix = "nothing to do: text and numbers were imported";
                    warnings.push(Fault::new("blob", "binary values were left out", fix));
                }
            }
        }
        Ok(RawRow { number: self.number, id, geometry, cells, warnings })
    }
}

/// The feature id that our own export wrote; `None` for a row that was added to the file later.
fn feature_id(value: ForeignValue) -> Option<(String, bool)> {
    match value {
        ForeignValue::Int(id) => Some((id.to_string(), true)),
        ForeignValue::Text(id) if !id.is_empty() => Some((id, false)),
        _ => None,
    }
}

impl Source for GpkgSource {
    fn next(&mut self) -> Result<Next, ImportError> {
        if self.waiting.is_empty() {
            self.waiting =
                self.file.batch(&self.layer, self.after).map_err(|error| named(&self.path, error))?.into();
        }
        let Some(row) = self.waiting.pop_front() else { return Ok(Next::End) };
        self.number += 1;
        self.after = row.key;
        Ok(match self.row(row) {
            Ok(row) => Next::Row(row),
            Err(fault) => Next::Bad(self.number, fault),
        })
    }

    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn has_places(&self) -> bool {
        self.crs.is_some()
    }

    fn declared(&self, column: usize) -> Option<FieldType> {
        // `column` counts fields, and the column of feature ids is not a field.
        let mut fields = self.layer.columns.iter().filter(|column| !column.is_feature_id);
        match fields.nth(column)?.kind.as_str() {
            "DATETIME" => Some(FieldType::Timestamp),
            "DATE" => Some(FieldType::Date),
            _ => None,
        }
    }
}

fn decode(
    bytes: Option<&[u8]>,
    crs: Option<Crs>,
    warnings: &mut Vec<Fault>,
) -> Result<Option<Geometry>, Fault> {
    let (Some(bytes), Some(crs)) = (bytes, crs) else { return Ok(None) };
    let decoded = decode_geometry(bytes, crs)?;
    if decoded.dropped_dimensions {
        warnings.push(height_dropped());
    }
    Ok(decoded.geometry)
}

fn system(authority: &str, code: i64) -> Option<Crs> {
    if authority.eq_ignore_ascii_case("EPSG") {
        return Crs::from_epsg(code);
    }
    (authority.eq_ignore_ascii_case("OGC") && code == 84).then_some(Crs::Crs84)
}

/// Adds the file's path to errors of `SQLite`.
fn named(path: &Path, error: StoreError) -> ImportError {
    match error {
        StoreError::Database(error) => {
            StoreError::Damaged { path: path.to_owned(), reason: error.to_string() }.into()
        }
        StoreError::Foreign { reason, .. } => ImportError::Malformed {
            place: path.display().to_string(),
            message: format!(
                "this is an SQLite file but not a GeoPackage ({reason}): export its tables as CSV or GeoPackage"
            ),
        },
        StoreError::Damaged { reason, .. } => StoreError::Damaged { path: path.to_owned(), reason }.into(),
        other => other.into(),
    }
}

/// Refuses a file that does not begin like a `GeoPackage`, with a sentence that names its kind.
fn look_at(path: &Path, content: &Path) -> Result<(), ImportError> {
    let io = |source| ImportError::Io { path: path.to_owned(), source };
    let mut head = Vec::new();
    File::open(content).map_err(io)?.take(4_096).read_to_end(&mut head).map_err(io)?;
    match not_a_geopackage(&head) {
        Some(message) => Err(ImportError::Malformed { place: path.display().to_string(), message }),
        None => Ok(()),
    }
}

/// Unpacks a gzipped file to a temporary file; `None` if it is not gzipped.
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
        let message = "the file unpacks to more than 32 GB".to_owned();
        return Err(ImportError::Malformed { place: path.display().to_string(), message });
    }
    Ok(Some(file))
}
