//! Why the store refused, in words that say what to do.

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
    /// Another store stands in the place of the one that was opened, and its register is of the other kind.
    #[error(
        "{path} was replaced by a store whose register is {now} and not {was}: put the old one back, or start again"
    )]
    OtherRegister {
        /// The file.
        path: PathBuf,
        /// What the register was.
        was: &'static str,
        /// What it is now.
        now: &'static str,
    },
    /// Another file took the store's place while it was written.
    #[error("{0} was replaced while it was written: what was written is in the old file; write it again")]
    Replaced(PathBuf),
    /// A linked `SQLite` with the WAL-reset fault.
    #[error("SQLite {0} can lose commits (fixed in 3.51.3): build with the bundled library")]
    OldSqlite(String),
    /// No such collection.
    #[error("the store has no collection {0:?}")]
    NoCollection(String),
    /// The store does not say where the values of a field are.
    #[error("the store names no column for the field {field:?} of {collection:?}: restore a backup")]
    NoColumn {
        /// The collection.
        collection: String,
        /// Its field.
        field: String,
    },
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
    Database(#[from] DatabaseError),
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// What the database said, as a sentence. Which database it is, and the types of its driver, stay inside the store.
#[derive(Debug, thiserror::Error)]
#[error("{sentence}")]
pub struct DatabaseError {
    sentence: String,
}

impl DatabaseError {
    /// With what the driver said.
    pub(super) fn new(driver: &dyn std::error::Error) -> Self {
        Self { sentence: driver.to_string() }
    }
}
