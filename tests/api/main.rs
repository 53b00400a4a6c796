//! The server over real sockets.

#[path = "../fixtures/mod.rs"]
mod fixtures;
#[path = "../fixtures/mvt.rs"]
mod mvt;

mod bodies;
mod callers;
mod files;
mod flows;
mod generator;
mod help;
mod kept;
mod limits;
mod non_interference;
mod openapi;
mod oracles;
mod process;
mod protocol;
mod proxy;
mod releases;
mod roles;
mod seeds;
mod tiles;
