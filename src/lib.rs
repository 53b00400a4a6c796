//! Throughline: map, tile and spatial query server for county-lines work.

pub mod access;
pub mod cli;
pub mod config;
pub mod format;
pub mod http;
pub mod import;
pub mod model;
pub mod query;
pub mod snapshot;
pub mod store;
pub mod telemetry;
pub mod tile;
