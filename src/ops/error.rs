//! Why an operation failed.

use std::path::PathBuf;

use crate::access::GateError;
use crate::access::PolicyError;
use crate::demo::DemoError;
use crate::filter::FilterError;
use crate::import::ImportError;
use crate::import::ImportReport;
use crate::model::schema::SchemaError;
use crate::ops::Cancelled;
use crate::store::StoreError;

/// Why an operation failed. Unless a variant says otherwise, the store and all files are then as they were.
#[derive(Debug, thiserror::Error)]
pub enum OpsError {
    /// The filter does not fit the collection.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// The caller cancelled it.
    #[error("cancelled: nothing was changed")]
    Cancelled,
    /// The store refused.
    #[error(transparent)]
    Store(StoreError),
    /// The store cannot be shown.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The policy is wrong, or has no rule for a collection.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A file was not imported.
    #[error("{path}: {error}")]
    Import {
        /// The file.
        path: PathBuf,
        /// Why.
        error: ImportError,
    },
    /// A file was to be imported whole, and rows of it were rejected. The report counts no row as accepted.
    #[error("nothing was taken: {} rows were rejected and --strict was given", .0.rejected)]
    Strict(Box<ImportReport>),
    /// The file system refused.
    #[error("{path}: {error}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// A file that was to be made is there.
    #[error("{0} is there already: give --force to write over it")]
    FileExists(PathBuf),
    /// A file that was to be written over is a store.
    #[error("{0} is a store: name another file")]
    FileIsStore(PathBuf),
    /// A file that was to be written over is open in another program.
    #[error(
        "{path} is open in another program ({beside} is beside it): close it there, or name another file"
    )]
    FileInUse {
        /// The file.
        path: PathBuf,
        /// What the other program has beside it.
        beside: PathBuf,
    },
    /// No format has the ending of a file that was to be written.
    #[error("{path}: no format has the ending {ending:?}: use .geojson, .geojsonl, .csv or .gpkg")]
    UnknownEnding {
        /// The file.
        path: PathBuf,
        /// Its ending, in small letters.
        ending: String,
    },
    /// The caller's view has no such collection.
    #[error("there is no collection {id:?}; there are: {}", .known.join(", "))]
    NoCollection {
        /// The id given.
        id: String,
        /// Those there.
        known: Vec<String>,
    },
    /// A table cannot hold the collection's geometries.
    #[error("CSV holds single points only: use .geojson, .geojsonl or .gpkg")]
    NotInTable,
    /// The committed reference facts of a collection cannot be used.
    #[error("the reference facts of {collection}: {fault}")]
    Reference {
        /// The collection.
        collection: String,
        /// What is wrong.
        fault: String,
    },
    /// Invented rows were to go into an operational store.
    #[error("{0} is an operational store: invented rows belong in another")]
    Operational(PathBuf),
    /// Invented rows were to go into a store that has a register.
    #[error("{path} has rows in {collection} already: name another store, or one that has none")]
    HasRegister {
        /// The store.
        path: PathBuf,
        /// The first collection of the set that has rows.
        collection: String,
    },
    /// The synthetic set cannot be generated.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// A user's layer has the id of a release.
    #[error("the layer {0:?} has the name of a release: export it, and import it under another")]
    NameOfRelease(String),
    /// What the store keeps of releases, or its reference date, cannot be read.
    #[error("the store has {what}, which is no {wanted}: restore a backup")]
    UnreadableState {
        /// What was found, and where.
        what: String,
        /// What should be there.
        wanted: &'static str,
    },
    /// A release is later than the day it would be made for now.
    #[error(
        "{release} was released through {through}, and today is {today}: set the clock or the store's day right"
    )]
    ReleasedLater {
        /// The released collection.
        release: String,
        /// The last day that it tells of.
        through: String,
        /// The store's reference date, or the machine's day.
        today: String,
    },
    /// Rows that would be counted are damaged.
    #[error(
        "{collection} lacks {rows} damaged rows, which would be counted as if they had never been: restore them first"
    )]
    Degraded {
        /// The collection.
        collection: String,
        /// How many.
        rows: u64,
    },
    /// There are no council areas to release figures for.
    #[error("there are no council areas to release figures for: a layer of yours may have the id {0:?}")]
    NoAreas(&'static str),
    /// A schema of a release is refused, which the build has ruled out.
    #[error("a schema of a release: {0}")]
    Schema(SchemaError),
}

impl From<StoreError> for OpsError {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Cancelled) { Self::Cancelled } else { Self::Store(error) }
    }
}

impl From<Cancelled> for OpsError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// A transaction that is cancelled is rolled back like any other that is refused.
impl From<Cancelled> for StoreError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}
