//! Throughline: map, tile and spatial query server for county-lines work.
//!
//! One process holds collections in memory, cut to what each caller may see, and answers spatial questions about
//! them. Data flows downwards through the rooms below and never up; `tests/architecture.rs` checks it.
//!
//! ```text
//! main cli        check demo export import init policy reference release serve   flags -> config -> wiring; a file per command
//! config telemetry                                             settings, logs
//! model           bounds calendar collections crs feature geometry grid_reference helmert hilbert lifecycle reference row_rights schema time validity   the field's words as types
//! demo            buildings check destinations dirt draft events facts land lattice lines lives outcomes random records returns steer   the synthetic national set
//! import          cells checks convert csv delimiter geojson geometry gpkg infer input kind likeness own_csv records report run scanner take   foreign file -> rows + report
//! store           append blob change connect export foreign make names open pages scan tables writer durable truth; the only SQL
//! snapshot        build columns gather ids index memo places raw row_group     immutable row groups in memory, with their indexes
//! access          derived entitlement explain gate kept played policy policy_rule principal read rights view              who asks; makes the View
//! release         cells counted dwelling_grid hierarchy periods places rows   what those learn who may not see rows: cells, counts, figures
//! query           centre filter nearest page search spatial            View + request -> rows
//! format          csv digits envelope geojson gpkg json properties           rows -> bytes
//! tile            bytes clip density encode faces generalise geometry grid ids layer left_out reach repair tags thin values   View + tile address -> bytes
//! flow            ends od                                      legs -> origin-destination sums
//! http            app body cache caller cors cost ctx encode events flows guard health host log metrics operator params percent pipeline problem question reads request response router routes schemas search server session site slices stream tasks tiles unread work   the only actix
//! http ogc        api collections items landing                OGC API - Features
//! ```
//!
//! Rooms that later work fills: `rail`, `plan`, `analyse`.

pub mod access;
pub mod cli;
pub mod config;
pub mod demo;
pub mod flow;
pub mod format;
pub mod http;
pub mod import;
pub mod model;
pub mod query;
pub mod release;
mod snapshot;
pub mod store;
pub mod telemetry;
pub mod tile;
