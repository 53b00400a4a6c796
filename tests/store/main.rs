//! The store and everything that reads files into it.

#[path = "../fixtures/mod.rs"]
mod fixtures;

mod damage;
mod formats;
mod real_data;
mod reference;
mod versions;
