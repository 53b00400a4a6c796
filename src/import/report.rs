//! The report of an import: for each rejected or doubtful row its number, a code, a message and what would be right.

use std::io::Write;

use crate::model::geometry::GeometryFault;

/// A fault of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The code of the fault, for programs; codes do not change.
    pub code: &'static str,
    /// What is wrong, as a text for people.
    pub message: String,
    /// What would be right, as a text for people.
    pub fix: &'static str,
}

impl Fault {
    pub(crate) fn new(code: &'static str, message: impl Into<String>, fix: &'static str) -> Self {
        Self { code, message: message.into(), fix }
    }
}

/// The note about lines that have only separators.
pub(super) fn separators(lines: u64) -> Fault {
    let have = if lines == 1 { "line has" } else { "lines have" };
    Fault::new(
        "separators-only",
        format!("{lines} {have} only separators and were not imported"),
        "nothing to do: such lines have no values",
    )
}

impl From<GeometryFault> for Fault {
    fn from(fault: GeometryFault) -> Self {
        let (code, fix) = match &fault {
            GeometryFault::NotFinite => ("not-finite", "give finite numbers, or no geometry"),
            GeometryFault::OutOfRange { .. } => (
                "out-of-range",
                "give longitude first, then latitude, in degrees of WGS 84; or declare the coordinate system",
            ),
            GeometryFault::UnclosedRing => {
                ("unclosed-ring", "repeat the first position at the end of each ring")
            }
            GeometryFault::TooFew { .. } => {
                ("too-few-positions", "give a line at least 2 positions and a ring at least 4")
            }
            GeometryFault::ShortPosition => {
                ("short-position", "give each position a longitude and a latitude")
            }
            GeometryFault::Unsupported(_) => (
                "geometry-type",
                "give points, lines, polygons or multi-geometries of one kind; split geometry collections into features",
            ),
            GeometryFault::Malformed(_) => ("geometry", "write the geometry again with a GIS program"),
            GeometryFault::TooLarge => ("too-large", "split the geometry"),
        };
        Self { code, message: fault.to_string(), fix }
    }
}

/// One note of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowNote {
    /// The row's number in the file, from 1 and without the heading; 0 for the file as a whole.
    pub row: u64,
    /// Whether the row was rejected; if not, it was imported with a warning.
    pub rejected: bool,
    /// The fault of the row.
    pub fault: Fault,
}

/// The result of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// The path of the file.
    pub file: String,
    /// The id of the collection.
    pub collection: String,
    /// Rows of the file that are in the store now, including those that were there before.
    pub accepted: u64,
    /// Accepted rows with a warning.
    pub warned: u64,
    /// Rows that were not imported.
    pub rejected: u64,
    /// Accepted rows that were in the store already.
    pub unchanged: u64,
    /// Lines with only separators, which are not rows.
    pub skipped: u64,
    /// The column, or start and end columns, that `datetime` is compared with; empty if there are none.
    pub time: Vec<String>,
    /// Who sees the layer; `None` for a built-in collection, for which the policy decides.
    pub audience: Option<Audience>,
    /// Notes about rejected rows and warnings in the order of rows, at most [`MAX_NOTES`].
    pub rows: Vec<RowNote>,
    /// The number of further notes.
    pub omitted: u64,
}

/// Who sees a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// Whether everyone sees the layer; if not, only its owner does.
    pub open: bool,
    /// Whether this import changed it.
    pub changed: bool,
    /// The owner of the layer.
    pub owner: String,
}

impl Audience {
    /// A sentence for the person who imported the layer.
    #[must_use]
    pub fn sentence(&self, collection: &str) -> String {
        let Self { open, changed, owner } = self;
        match (open, changed) {
            (true, false) => {
                format!("{collection} is open (--open): everyone who reaches the server sees it")
            }
            (true, true) => format!(
                "{collection} is open from now on (--open), with all its rows: everyone who reaches the server sees it"
            ),
            (false, false) => format!(
                "only the owner ({owner}) sees {collection}: import it with --open to show it to everyone"
            ),
            (false, true) => format!(
                "{collection} was open; now only the owner ({owner}) sees it, because --open was not given: import it with --open to show it to everyone"
            ),
        }
    }
}

/// The most notes of a report; further ones are only counted.
pub const MAX_NOTES: usize = 100_000;

impl ImportReport {
    pub(crate) fn note(&mut self, note: RowNote) {
        if self.rows.len() < MAX_NOTES {
            self.rows.push(note);
        } else {
            self.omitted += 1;
        }
    }

    /// A sentence about the columns that `datetime` is compared with.
    #[must_use]
    pub fn time_sentence(&self) -> String {
        match self.time.as_slice() {
            [] => "datetime uses no column: name one with --time COLUMN[,COLUMN]".to_owned(),
            columns => format!("datetime uses {}", columns.join(" and ")),
        }
    }

    /// The report as one JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        let rows: Vec<serde_json::Value> = self
            .rows
            .iter()
            .map(|note| {
                serde_json::json!({
                    "row": note.row,
                    "code": note.fault.code,
                    "rejected": note.rejected,
                    "message": note.fault.message,
                    "fix": note.fault.fix,
                })
            })
            .collect();
        serde_json::json!({
            "file": self.file,
            "collection": self.collection,
            "accepted": self.accepted,
            "warned": self.warned,
            "rejected": self.rejected,
            "unchanged": self.unchanged,
            "skipped": self.skipped,
            "time": self.time,
            "open": self.audience.as_ref().map(|audience| audience.open),
            "audience": self.audience.as_ref().map(|audience| audience.sentence(&self.collection)),
            "rows": rows,
            "omitted": self.omitted,
        })
        .to_string()
    }

    /// Writes the notes of the report as CSV with a heading line.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write_csv(&self, output: impl Write) -> Result<(), csv::Error> {
        let mut writer = csv::Writer::from_writer(output);
        writer.write_record(["row", "code", "rejected", "message", "fix"])?;
        for note in &self.rows {
            writer.write_record([
                note.row.to_string().as_str(),
                note.fault.code,
                if note.rejected { "true" } else { "false" },
                note.fault.message.as_str(),
                note.fault.fix,
            ])?;
        }
        writer.flush().map_err(csv::Error::from)
    }
}
