//! Features to bytes: GeoJSON, GeoJSON text sequences, CSV, `GeoPackage`.
//!
//! In: rows of a [`crate::access::CollectionView`]. Out: bytes or a file. Nothing is stored as text: every answer
//! is written from the columns. Not here: which rows (`query`), headers and encodings (`http`).

mod csv;
mod digits;
mod envelope;
mod geojson;
mod gpkg;
mod json;
mod properties;

pub use csv::CsvWriter;
pub use envelope::Envelope;
pub use geojson::FeatureWriter;
pub use geojson::push_json_text;
pub use gpkg::write_geopackage;
pub use json::JsonWriter;
