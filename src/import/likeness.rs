//! Compares a line of a table with the rows so far: the number of its cells, and their kinds.
//!
//! In: records. Out: how like a row another record is. Not here: what follows from that (`records`).

use csv::ByteRecord;

use crate::model::time;

/// The number of rows from which the kinds of the columns are learned.
const LEARNED_ROWS: u64 = 10_000;

/// The columns of a table with the kinds of their values; empty before the heading was read.
#[derive(Debug, Default)]
pub(super) struct Columns {
    kinds: Vec<Column>,
    learned: u64,
    /// Whether all quotes of the file are closed, so that no line has to be compared.
    trusted: bool,
}

/// The kind of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    /// No value so far.
    New,
    /// All values so far are of this kind.
    Always(Kind),
    /// Values of several kinds.
    Mixed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Time,
    Word,
}

/// How like the rows so far a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// It is not like a row.
    No,
    /// It has as many cells as a row.
    Count,
    /// It also has numbers and times where the rows have them.
    Kind,
}

impl Columns {
    /// `count` columns; those with the indexes `numbers` hold coordinates, which are numbers.
    pub(super) fn new(count: usize, numbers: &[usize]) -> Self {
        let mut kinds = vec![Column::New; count];
        for place in numbers {
            kinds[*place] = Column::Always(Kind::Number);
        }
        Self { kinds, learned: 0, trusted: false }
    }

    /// `count` columns of a file in which all quotes are closed: no line in a quoted cell is taken for a row.
    pub(super) fn trusted(count: usize) -> Self {
        Self { kinds: vec![Column::Mixed; count], learned: LEARNED_ROWS, trusted: true }
    }

    /// Whether the columns are of a file in which all quotes are closed.
    pub(super) fn are_trusted(&self) -> bool {
        self.trusted
    }

    /// The number of columns.
    pub(super) fn count(&self) -> usize {
        self.kinds.len()
    }

    /// Learns the kinds of the columns from a row.
    pub(super) fn learn(&mut self, record: &ByteRecord) {
        if record.len() != self.kinds.len() || self.learned >= LEARNED_ROWS {
            return;
        }
        self.learned += 1;
        for (column, cell) in self.kinds.iter_mut().zip(record) {
            let Some(kind) = kind(cell) else { continue };
            *column = match *column {
                Column::New => Column::Always(kind),
                Column::Always(known) if known == kind => continue,
                Column::Always(_) | Column::Mixed => Column::Mixed,
            };
        }
    }

    /// How like a row a record is. With a single column every line has as many cells as a row, so only the kind counts.
    pub(super) fn likeness(&self, record: &ByteRecord) -> Likeness {
        if self.trusted || record.len() != self.kinds.len() {
            return Likeness::No;
        }
        let weak = if record.len() > 1 { Likeness::Count } else { Likeness::No };
        let mut agreeing = 0;
        for (column, cell) in self.kinds.iter().zip(record) {
            if let (Column::Always(known @ (Kind::Number | Kind::Time)), Some(kind)) = (column, kind(cell)) {
                if *known != kind {
                    return weak;
                }
                agreeing += 1;
            }
        }
        // A single number is not enough: a line of text may begin with one ("12, third floor").
        let sure = agreeing >= 2 || agreeing == record.len() || (agreeing == 1 && record.len() >= 4);
        if sure { Likeness::Kind } else { weak }
    }
}

/// The kind of a cell; `None` if it is empty.
fn kind(cell: &[u8]) -> Option<Kind> {
    match std::str::from_utf8(cell).ok().map(str::trim) {
        Some("") => None,
        Some(text) if text.parse::<f64>().is_ok_and(f64::is_finite) => Some(Kind::Number),
        Some(text) if time::parse_column_moment(text).is_some() => Some(Kind::Time),
        _ => Some(Kind::Word),
    }
}
