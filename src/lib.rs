//! Throughline: map, tile and spatial query server for county-lines work.
//!
//! One process holds collections in memory, cut to what each caller may see, and answers spatial questions about
//! them. Data flows downwards through the rooms below and never up; `tests/architecture.rs` checks it.
//!
//! ```text
//! main cli        check demo export import init migrate policy progress release serve   flags -> ops or http; a file per command
//! config telemetry                                             settings, logs
//! model           bounds calendar collections crs feature geometry geometry_builder grid_reference helmert hilbert lifecycle reference row_rights schema time validity   the field's words as types
//! demo            buildings check destinations dirt draft events facts land lattice lines lives outcomes random records returns steer   the synthetic national set
//! import          cells checks convert csv delimiter geojson geometry gpkg infer input kind likeness own_csv records report run scanner take watch   foreign file -> rows + report
//! store           blob change error geopackage interface meta row   durable truth, as the rest of the program sees it
//! store file      append change connect export foreign kept make migrate names open pages scan store tables transaction watch writer   one GeoPackage file; the only SQL
//! snapshot        build columns gather ids index ledger memo places raw rebuild row_group     immutable row groups in memory, with their indexes
//! access          derive entitlement explain fixtures gate memos played policy policy_rule principal published read references rights testing values view view_build view_cache   who asks; builds the View
//! release         cells counted dwelling_grid hierarchy periods places rows   what those learn who may not see rows: cells, counts, figures
//! filter          bind bound centre compare distance error eval expr group kernel literal mask naive node operands parameters place relation resolve temporal tests text value windows   one typed expression -> bound to a collection -> bit masks over 64 rows
//! query           nearest page search                          View + request -> rows
//! format          csv digits envelope geojson gpkg json properties           rows -> bytes
//! tile            bytes clip density dropping encode faces generalise geometry grid ids layer left_out reach repair tags values   View + tile address -> bytes
//! flow            active_lines ends od                         legs -> origin-destination sums; active lines and paths of lines
//! ops             check demo error export gate import progress reference release   whole operations with progress and cancel, called by cli and http
//! http            app body cache caller cors cost ctx encode events flows guard health host log metrics operator params percent pipeline problem question reads request response router routes schemas search server session site slices stream tasks tiles unread work   the only actix
//! http ogc        api collections items landing                OGC API - Features
//! ```
//!
//! Rooms that later work fills: `rail`, `plan`, `analyse`.

pub mod access;
pub mod cli;
pub mod config;
pub mod demo;
pub mod filter;
pub mod flow;
pub mod format;
pub mod http;
pub mod import;
pub mod model;
pub mod ops;
pub mod query;
pub mod release;
mod snapshot;
pub mod store;
pub mod telemetry;
pub mod tile;
