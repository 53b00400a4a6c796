//! Import: rows of foreign files into the store, with a report of every row that is refused.
//!
//! In: GeoJSON, GeoJSON text sequences, CSV and `GeoPackage`, each also gzipped. Out: one transaction of the store and
//! an [`ImportReport`]. A file is read twice: first to learn the types of its columns from all rows, then to import the
//! rows. Not here: SQL (`store`).

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

/// The reason why a whole file was refused. The store is not changed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be opened or read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The format is not known.
    #[error(
        "{0}: the file's ending does not name a known format: give --format (geojson, geojsonseq, csv, gpkg)"
    )]
    UnknownFormat(PathBuf),
    /// An option describes a built-in collection, which has its own description.
    #[error(
        "{0} is built in: it has its own description, and the policy says who sees it; leave out --title, --attribution, --coverage and --open"
    )]
    OwnDescription(String),
    /// The content is not in the format that it should be in.
    #[error("{place}: {message}")]
    Malformed {
        /// File, line or byte.
        place: String,
        /// What is wrong and what would be right.
        message: String,
    },
    /// The coordinate reference system is not known.
    #[error(
        "the coordinate system {0} is not known: use WGS 84 (EPSG:4326), British National Grid (EPSG:27700) or Web Mercator (EPSG:3857)"
    )]
    UnknownCrs(String),
    /// The file has several layers and the options name none.
    #[error("the file has several layers: name one with --layer: {}", .0.join(", "))]
    WhichLayer(Vec<String>),
    /// The file does not have the named layer.
    #[error("the file has no layer {wanted:?}; it has: {}", .layers.join(", "))]
    NoLayer {
        /// The name that was given.
        wanted: String,
        /// The names that the file has.
        layers: Vec<String>,
    },
    /// An option names a column that the file does not have.
    #[error("{option} names the column {column:?}, which the file does not have; it has: {}", .columns.join(", "))]
    NoColumn {
        /// The flag.
        option: &'static str,
        /// The name that was given.
        column: String,
        /// The names that the file has.
        columns: Vec<String>,
    },
    /// The text is not a valid collection id.
    #[error(
        "{0:?} cannot be a collection id: use 1 to 200 letters, digits, '-', '_' or '.', starting with a letter or digit"
    )]
    BadCollectionId(String),
    /// The id is that of a computed collection.
    #[error("{0} is computed from legs and cannot be imported: choose another id")]
    Computed(String),
    /// The id is that of a release.
    #[error(
        "{0} is released from the register by `throughline release` and cannot be imported: choose another id"
    )]
    Released(String),
    /// The file has more columns than a collection may have fields.
    #[error("the file has more than 1,000 columns")]
    TooManyColumns,
    /// A row was rejected and `--strict` was given.
    #[error("nothing was imported: {} rows were rejected and --strict was given", .0.rejected)]
    Strict(Box<ImportReport>),
    /// The store failed or refused the rows.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A value as it stands in a file, before it is converted to its field's type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CellValue {
    /// No value.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// A value that the file marks as text.
    Text(String),
    /// A CSV cell: text that may stand for a value of another type.
    Word(String),
    /// Any other JSON value, in compact form.
    Json(String),
}

/// A row as it stands in a file.
#[derive(Debug)]
pub(crate) struct RawRow {
    /// The number of the row, from 1.
    pub number: u64,
    /// The feature id, and whether it is a whole number.
    pub id: Option<(String, bool)>,
    /// The geometry; `None` for a row without one.
    pub geometry: Option<Geometry>,
    /// The values, each with the index of its column; columns that are not in the list are null.
    pub cells: Vec<(usize, CellValue)>,
    /// Warnings about the row.
    pub warnings: Vec<Fault>,
}

/// The next thing in a file.
#[derive(Debug)]
pub(crate) enum Next {
    /// A row.
    Row(RawRow),
    /// A row that cannot be imported: its number and the reason.
    Bad(u64, Fault),
    /// The end of the file.
    End,
}

/// A file that is read row by row.
pub(crate) trait Source {
    /// Reads the next row.
    fn next(&mut self) -> Result<Next, ImportError>;
    /// The names of the columns that were met so far, in that order.
    fn columns(&self) -> &[String];
    /// Whether rows of the file can have a geometry.
    fn has_places(&self) -> bool;
    /// The type that the file declares for a column; most formats declare none.
    fn declared(&self, _column: usize) -> Option<FieldType> {
        None
    }
    /// The number of lines so far that are not rows: they have only separators.
    fn skipped(&self) -> u64 {
        0
    }
}
