//! The store as one `GeoPackage` file, written and read through `SQLite`. No name of this module is known outside
//! `store`: its types stand behind those of `store::interface` and `store::geopackage`.

mod append;
mod change;
mod connect;
mod export;
mod foreign;
mod kept;
mod make;
mod migrate;
mod names;
mod open;
mod pages;
mod scan;
mod store;
mod tables;
mod transaction;
mod watch;
mod writer;

pub(in crate::store) use append::FileAppender;
pub(in crate::store) use connect::in_use;
pub(in crate::store) use export::FileWriter;
pub(in crate::store) use foreign::ForeignFile;
pub(in crate::store) use make::make;
pub(in crate::store) use open::is_store;
pub(in crate::store) use scan::FileReader;
pub(in crate::store) use store::FileStore;
pub(in crate::store) use transaction::FileTransaction;
pub(in crate::store) use watch::FileWatch;

use crate::store::DatabaseError;
use crate::store::StoreError;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(DatabaseError::new(&error))
    }
}
