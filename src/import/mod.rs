//! Foreign files to rows of the store, with a report of every row that could not be taken.
//!
//! In: GeoJSON, GeoJSON text sequences, CSV and `GeoPackage`, each also gzipped. Out: one transaction of the store
//! and an [`ImportReport`]. A file is read twice: once to learn its columns from all rows, once to take them.
//! Not here: SQL (`store`).

mod cells;
mod checks;
mod convert;
mod csv;
mod delimiter;
mod geojson;
mod geometry;
mod gpkg;
mod infer;
mod input;
mod kind;
mod likeness;
mod own_csv;
mod records;
mod report;
mod run;
mod scanner;
mod take;
mod watch;

pub use input::Format;
pub use report::Audience;
pub use report::ImportReport;
pub use report::MAX_NOTES;
pub use report::RowNote;
pub use run::About;
pub use run::ImportOptions;
pub use run::import;
pub use watch::Pass;
pub use watch::Watch;
pub use watch::unwatched;

use std::path::PathBuf;

use crate::import::report::Fault;
use crate::model::FieldType;
use crate::model::Geometry;
use crate::store::StoreError;

/// Why a whole file was refused. Nothing of it was taken.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be opened or read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Its format is not known.
    #[error(
        "{0}: the format is not known by its ending: name it with --format (geojson, geojsonseq, csv, gpkg)"
    )]
    UnknownFormat(PathBuf),
    /// A collection of the program's, which describes itself.
    #[error(
        "{0} comes with its own description and the policy says who sees it: leave out --title, --attribution, --coverage and --open"
    )]
    OwnDescription(String),
    /// It is not what it says it is.
    #[error("{place}: {message}")]
    Malformed {
        /// File, line or byte.
        place: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// A coordinate system we cannot read.
    #[error(
        "the coordinate system {0} is not known: use WGS 84 (EPSG:4326), British National Grid (EPSG:27700) or Web Mercator (EPSG:3857)"
    )]
    UnknownCrs(String),
    /// More than one layer and none named.
    #[error("the file has several layers, name one with --layer: {}", .0.join(", "))]
    WhichLayer(Vec<String>),
    /// The named layer is not there.
    #[error("the file has no layer {wanted:?}; it has: {}", .layers.join(", "))]
    NoLayer {
        /// The name given.
        wanted: String,
        /// Those there.
        layers: Vec<String>,
    },
    /// An option names a column that is not there.
    #[error("{option} names the column {column:?}, which the file does not have; it has: {}", .columns.join(", "))]
    NoColumn {
        /// The flag.
        option: &'static str,
        /// The name given.
        column: String,
        /// Those there.
        columns: Vec<String>,
    },
    /// The collection id cannot be used.
    #[error(
        "{0:?} cannot be a collection id: use 1 to 200 letters, digits, '-', '_' or '.', starting with a letter or digit"
    )]
    BadCollectionId(String),
    /// The id names something that is computed.
    #[error("{0} is computed from links and cannot be imported: choose another id")]
    Computed(String),
    /// The id is that of a release.
    #[error(
        "{0} is released from the register (`throughline release`) and cannot be imported: choose another id"
    )]
    Released(String),
    /// Too many columns.
    #[error("the file has more than 1,000 columns")]
    TooManyColumns,
    /// `--strict` and a row was rejected.
    #[error("nothing was taken: {} rows were rejected and --strict was given", .0.rejected)]
    Strict(Box<ImportReport>),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A value as its file has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// Text by type.
    Text(String),
    /// A CSV cell: text that may mean something else.
    Word(String),
    /// JSON that is none of these, compact.
    Json(String),
}

/// A row as its file has it.
#[derive(Debug)]
pub(crate) struct RawRow {
    /// Its number, from 1.
    pub number: u64,
    /// Its feature id, and whether that is a whole number.
    pub id: Option<(String, bool)>,
    /// Where it is.
    pub geometry: Option<Geometry>,
    /// Places of columns, and values; columns that are not there are null.
    pub cells: Vec<(usize, Cell)>,
    /// What to warn about.
    pub warnings: Vec<Fault>,
}

/// The next of a file.
#[derive(Debug)]
pub(crate) enum Next {
    /// A row.
    Row(RawRow),
    /// A row that cannot be taken, and why.
    Bad(u64, Fault),
    /// The end.
    End,
}

/// A file being read row by row.
pub(crate) trait Source {
    /// The next row.
    fn next(&mut self) -> Result<Next, ImportError>;
    /// The columns met so far, in the order they were met.
    fn columns(&self) -> &[String];
    /// Whether rows can have a geometry at all.
    fn has_places(&self) -> bool;
    /// What the file itself says of the type of a column; most formats say nothing.
    fn declared(&self, _column: usize) -> Option<FieldType> {
        None
    }
    /// Lines so far that are no rows: separators and nothing between them.
    fn skipped(&self) -> u64 {
        0
    }
}
