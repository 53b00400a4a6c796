//! Durable truth: one GeoPackage file, one writer thread, versions that are added and never overwritten.
//!
//! In: rows with their schema and provenance. Out: the same rows, each proved by its hash, and the change
//! sequence. The only SQL of the project. Not here: who may see a row (`access`), columns in memory (`snapshot`).

mod append;
mod blob;
mod change;
mod connect;
mod export;
mod foreign;
mod make;
mod names;
mod open;
mod pages;
mod scan;
mod tables;
mod writer;

pub use append::{Appended, Appender};
pub use blob::{Decoded, decode_geometry, encode_geometry};
pub use change::{
    ChangeSummary, StoredCollection, release_key, released, set_reference_date, set_release_key,
    set_released, unchanged_since,
};
pub use connect::in_use;
pub use export::{ExportField, ExportLayer, GeoPackageWriter};
pub use foreign::{ForeignGeoPackage, ForeignLayer, ForeignRow, ForeignValue};
pub use make::{Made, SCHEMA_VERSION, make};
pub use open::{Register, Store, is_store, now_day};
pub use scan::{Reader, Scan, StoredRow};

use std::path::PathBuf;

/// Why the store refused.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no file.
    #[error("there is no store at {0}: make one with `throughline import` or `throughline init`")]
    Missing(PathBuf),
    /// Not a store of ours.
    #[error("{path} is not a Throughline store ({reason}): name another file, or restore a backup")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// There is a file already.
    #[error("{0} is there already: name another file")]
    Exists(PathBuf),
    /// It cannot be written.
    #[error("{path} cannot be written: {reason}; give the right to write, or copy it to a folder of yours")]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// Whether the file or its folder.
        reason: &'static str,
    },
    /// Another program wrote to it while it was read.
    #[error("{0} was changed while it was read: close it in the other program, or copy it, and import again")]
    Changing(PathBuf),
    /// Another process has it for longer than can be waited.
    #[error("{0} is in use: another process is writing to it; try again when that is done")]
    Busy(PathBuf),
    /// Another process changed the collection while it was to be changed here.
    #[error("another process changed {0} meanwhile: try again")]
    FieldsChanged(String),
    /// The layer belongs to another owner.
    #[error("{collection} is a layer of {owner}: choose another id, or name that owner with --owner")]
    OthersLayer {
        /// Its id.
        collection: String,
        /// The owner of its rows.
        owner: String,
    },
    /// Written by a newer version.
    #[error(
        "{path} was written by a newer version (schema {found}, this program knows {known}): run that version"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Schema number in the file.
        found: i64,
        /// Schema number of this program.
        known: i64,
    },
    /// The header or a system table cannot be read.
    #[error("{path} is damaged ({reason}): restore a backup; the file is left as it is")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What cannot be read.
        reason: String,
    },
    /// Synthetic and operational rows must not meet.
    #[error("this store's register is {store} and the rows are {rows}: keep them in separate stores")]
    Mixed {
        /// What the store holds.
        store: &'static str,
        /// What was to be written.
        rows: &'static str,
    },
    /// A linked `SQLite` with the WAL-reset fault.
    #[error("SQLite {0} can lose commits (fixed in 3.51.3): build with the bundled library")]
    OldSqlite(String),
    /// No such collection.
    #[error("the store has no collection {0:?}")]
    NoCollection(String),
    /// A schema in the store is refused.
    #[error("the schema of {collection:?} is refused at {source}")]
    Schema {
        /// The collection.
        collection: String,
        /// What is wrong.
        source: crate::model::schema::SchemaError,
    },
    /// The caller cancelled the write; everything was rolled back.
    #[error("cancelled: nothing was changed")]
    Cancelled,
    /// The caller gave up; everything was rolled back.
    #[error("{0}")]
    Abandoned(String),
    /// The writer thread has stopped.
    #[error("the writer has stopped: the store is read-only until a restart")]
    WriterGone,
    /// The database refused.
    #[error("the store refused: {0}")]
    Sql(#[from] rusqlite::Error),
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}
