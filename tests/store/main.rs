//! The store and everything that reads files into it.

#[path = "../fixtures/mod.rs"]
mod fixtures;

mod damage;
mod demo;
mod facts;
mod formats;
mod intake;
mod old;
mod real_data;
mod reference;
mod replaced;
mod round_trip;
mod versions;
