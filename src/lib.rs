//! Throughline: map, tile and spatial query server for county-lines work.

pub mod access;
pub mod format;
pub mod import;
pub mod model;
pub mod query;
pub mod snapshot;
pub mod store;
