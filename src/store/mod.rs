//! Durable truth: one GeoPackage file, one writer thread, versions that are added and never overwritten.
//!
//! In: rows with their schema and provenance. Out: the same rows, each proved by its hash, and the change
//! sequence. The only SQL of the project. Not here: who may see a row (`access`), columns in memory (`snapshot`).
//!
//! Work inside a write has a [`Transaction`]:
//!
//! ```
//! use throughline::store::{Store, StoreError};
//! fn redate(store: &Store) -> Result<(), StoreError> {
//!     store.write(|transaction| transaction.set_reference_date("2024-04-30"))
//! }
//! ```
//!
//! and no way to the database below it, whatever it is called and whether its type is named or not. None of these
//! compiles:
//!
//! ```compile_fail,E0308
//! use throughline::store::{Store, StoreError};
//! fn redate(store: &Store) -> Result<(), StoreError> {
//!     store.write(|connection: &rusqlite::Connection| Ok(()))
//! }
//! ```
//!
//! ```compile_fail,E0599
//! use throughline::store::{Store, StoreError};
//! fn redate(store: &Store) -> Result<(), StoreError> {
//!     store.write(|transaction| transaction.execute("DELETE FROM throughline_meta", []).map(|_| ()))
//! }
//! ```
//!
//! ```compile_fail,E0616
//! use throughline::store::Store;
//! fn inside(store: &Store) {
//!     let inner = &store.0;
//! }
//! ```
//!
//! ```compile_fail,E0603
//! use throughline::store::file::FileStore;
//! ```
//!
//! An error says what the database said, and is none of its types:
//!
//! ```compile_fail,E0308
//! use throughline::store::StoreError;
//! fn code(error: StoreError) -> Option<rusqlite::ErrorCode> {
//!     match error {
//!         StoreError::Database(rusqlite::Error::SqliteFailure(code, _)) => Some(code.code),
//!         _ => None,
//!     }
//! }
//! ```

mod blob;
mod change;
mod error;
mod file;
mod geopackage;
mod interface;
mod meta;
mod row;

pub use blob::Decoded;
pub use blob::decode_geometry;
pub use blob::encode_geometry;
pub use change::Appended;
pub use change::ChangeSummary;
pub use change::StoredCollection;
pub use change::Touched;
pub use error::DatabaseError;
pub use error::StoreError;
pub use geopackage::ExportField;
pub use geopackage::ExportLayer;
pub use geopackage::ForeignColumn;
pub use geopackage::ForeignGeoPackage;
pub use geopackage::ForeignLayer;
pub use geopackage::ForeignRow;
pub use geopackage::ForeignValue;
pub use geopackage::GeoPackageWriter;
pub use geopackage::in_use;
pub use interface::Appender;
pub use interface::Made;
pub use interface::Reader;
pub use interface::Store;
pub use interface::Transaction;
pub use interface::Watch;
pub use interface::is_store;
pub use interface::make;
pub use meta::Register;
pub use meta::ReleaseState;
pub use row::Scan;
pub use row::StoredRow;

use std::time::SystemTime;
use std::time::UNIX_EPOCH;

/// Microseconds since 1970 by the machine's clock.
fn now_micros() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Today by the machine's clock, as days since 1970-01-01.
#[must_use]
pub fn now_day() -> i32 {
    i32::try_from(now_micros() / crate::model::time::DAY_MICROS).unwrap_or(i32::MAX)
}
