//! Throughline: map, tile and spatial query server for county-lines work.

pub mod model;
pub mod snapshot;
pub mod store;
