//! Writes features as GeoJSON, GeoJSON text sequences, CSV or `GeoPackage`.
//!
//! In: rows of a [`crate::access::CollectionView`]. Out: bytes or a file. Text is written from the columns; no feature is
//! stored as text. Not here: the choice of rows (`query`), headers and content encodings (`http`).

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
