//! The server over real sockets.

#[path = "../fixtures/mod.rs"]
mod fixtures;

mod limits;
mod oracles;
mod protocol;
mod twins;
