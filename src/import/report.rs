//! What became of each row: number, reason code, message, what would be right.

use std::io::Write;

use crate::model::geometry::GeometryFault;

/// Something wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// A stable word for programs.
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: String,
    /// What would be right.
    pub fix: &'static str,
}

impl Fault {
    pub(crate) fn new(code: &'static str, message: impl Into<String>, fix: &'static str) -> Self {
        Self { code, message: message.into(), fix }
    }
}

/// What is to be said of lines that have separators only.
pub(super) fn separators(lines: u64) -> Fault {
    let are =
        if lines == 1 { "line has separators only and is" } else { "lines have separators only and are" };
    Fault::new("separators-only", format!("{lines} {are} no row"), "nothing to do: no value was in them")
}

impl From<GeometryFault> for Fault {
    fn from(fault: GeometryFault) -> Self {
        let (code, fix) = match &fault {
            GeometryFault::NotFinite => ("not-finite", "give finite numbers, or no geometry at all"),
            GeometryFault::OutOfRange { .. } => (
                "out-of-range",
                "give longitude first, then latitude, in degrees of WGS 84; or declare the coordinate system",
            ),
            GeometryFault::UnclosedRing => {
                ("unclosed-ring", "repeat the first position at the end of each ring")
            }
            GeometryFault::TooFew { .. } => {
                ("too-few-positions", "give a line 2 positions and a ring 4 or more")
            }
            GeometryFault::ShortPosition => {
                ("short-position", "give each position a longitude and a latitude")
            }
            GeometryFault::Unsupported(_) => (
                "geometry-type",
                "give points, lines, polygons or multi-geometries of one kind; split collections into features",
            ),
            GeometryFault::Malformed(_) => ("geometry", "write the geometry again with a GIS program"),
            GeometryFault::TooLarge => ("too-large", "split the geometry"),
        };
        Self { code, message: fault.to_string(), fix }
    }
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowNote {
    /// The row's number in its file, from 1; headings don't count. 0 for the file as a whole.
    pub row: u64,
    /// Whether the row was left out; else it was taken with a warning.
    pub rejected: bool,
    /// What is wrong.
    pub fault: Fault,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// The file.
    pub file: String,
    /// The collection.
    pub collection: String,
    /// Rows of the file that the store now has, those it had before among them.
    pub accepted: u64,
    /// Accepted rows with a warning.
    pub warned: u64,
    /// Rows left out.
    pub rejected: u64,
    /// Accepted rows that the store had already.
    pub unchanged: u64,
    /// Lines of separators only, which are no rows.
    pub skipped: u64,
    /// The column, or start and end, that answers `datetime`; empty if none does.
    pub time: Vec<String>,
    /// Who sees the layer; `None` for a collection of the program's, of which the policy says it.
    pub audience: Option<Audience>,
    /// Rejected rows and warnings, in row order: the first [`MAX_NOTES`] of them.
    pub rows: Vec<RowNote>,
    /// How many more there were.
    pub omitted: u64,
}

/// Who sees a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// Whether it is everyone's.
    pub open: bool,
    /// Whether that is not what it was before this import.
    pub changed: bool,
    /// Who owns it.
    pub owner: String,
}

impl Audience {
    /// What that means, in a sentence for whoever imported it.
    #[must_use]
    pub fn sentence(&self, collection: &str) -> String {
        let Self { open, changed, owner } = self;
        match (open, changed) {
            (true, false) => {
                format!("{collection} is everyone's (--open): whoever reaches the server sees it")
            }
            (true, true) => format!(
                "{collection} is everyone's from now on (--open), with all its rows: whoever reaches the server sees it"
            ),
            (false, false) => format!(
                "{collection} is its owner's ({owner}) and nobody else sees it: import it with --open to make it everyone's"
            ),
            (false, true) => format!(
                "{collection} was everyone's and is its owner's ({owner}) again, because --open was not given: import it with --open to make it everyone's"
            ),
        }
    }
}

/// The most lines of a report; more are counted.
pub const MAX_NOTES: usize = 100_000;

impl ImportReport {
    pub(crate) fn note(&mut self, note: RowNote) {
        if self.rows.len() < MAX_NOTES {
            self.rows.push(note);
        } else {
            self.omitted += 1;
        }
    }

    /// What answers `datetime`, in a sentence.
    #[must_use]
    pub fn time_sentence(&self) -> String {
        match self.time.as_slice() {
            [] => "no column answers datetime: --time COLUMN[,COLUMN] names one".to_owned(),
            columns => format!("datetime is answered by {}", columns.join(" and ")),
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

    /// The lines of the report as CSV with a heading.
    ///
    /// # Errors
    /// Of the output.
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
