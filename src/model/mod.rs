//! Types that all other rooms share: schemas, values, geometry, coordinates, time.
//!
//! In: text and numbers. Out: checked values of these types. Not here: I/O, async, locks.

mod bounds;
pub mod calendar;
pub mod collections;
pub mod crs;
pub mod feature;
pub mod geometry;
mod geometry_builder;
pub mod grid_reference;
mod helmert;
pub mod hilbert;
pub mod lifecycle;
pub mod reference;
mod row_rights;
pub mod schema;
pub mod time;
pub mod validity;

pub use feature::{Handling, Provenance, Row, RowId, Sensitivity, Value, ValueRef};
pub use geometry::{Geometry, GeometryKind, GeometryRef, GeometryType, Position};
pub use row_rights::RowRights;
pub use schema::{CollectionClass, CollectionSchema, FieldSchema, FieldType};
