//! The server over real sockets.

#[path = "../fixtures/mod.rs"]
mod fixtures;

mod limits;
mod oracles;
mod process;
mod protocol;
mod twins;
