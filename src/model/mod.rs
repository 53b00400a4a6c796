//! The field's words as types: schemas, values, geometry, coordinates, time.
//!
//! In: nothing but text and numbers. Out: types every other room shares. Not here: I/O, async, locks.

mod bounds;
pub mod calendar;
pub mod collections;
pub mod crs;
pub mod feature;
pub mod geometry;
pub mod grid_reference;
mod helmert;
pub mod hilbert;
pub mod lifecycle;
pub mod reference;
pub mod schema;
mod standing;
pub mod time;
pub mod validity;

pub use feature::{Handling, Provenance, Row, RowId, Sensitivity, Value, ValueRef};
pub use geometry::{GeometryKind, Position, Shape, ShapeKind, ShapeRef};
pub use schema::{CollectionClass, CollectionSchema, FieldSchema, FieldType};
pub use standing::Standing;
