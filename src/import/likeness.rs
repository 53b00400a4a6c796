//! Whether a line of a table looks like its rows: as many cells, and of the kinds that its columns have had so far.
//!
//! In: records. Out: a judgement of one more. Not here: what is done with it (`records`).

use csv::ByteRecord;

use crate::model::time;

/// Rows from which the kinds of the columns are learned.
const LEARNED_ROWS: u64 = 10_000;

/// What is known of the columns of a table; none before its heading was read.
#[derive(Debug, Default)]
pub(super) struct Columns {
    kinds: Vec<Column>,
    learned: u64,
    /// Whether quotes are closed where they should be, so that nothing has to be judged by its looks.
    trusted: bool,
}

/// What the values of a column have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    /// Nothing seen yet.
    New,
    /// Always this kind.
    Always(Kind),
    /// Anything.
    Mixed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Time,
    Word,
}

/// How a line looks beside the rows so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// Not like a row.
    No,
    /// It has as many cells.
    Count,
    /// And numbers and times where the rows have them.
    Kind,
}

impl Columns {
    /// So many columns, some of which hold coordinates and so numbers.
    pub(super) fn new(count: usize, numbers: &[usize]) -> Self {
        let mut kinds = vec![Column::New; count];
        for place in numbers {
            kinds[*place] = Column::Always(Kind::Number);
        }
        Self { kinds, learned: 0, trusted: false }
    }

    /// So many columns of a file whose quotes are sound: no line within one is taken for a row.
    pub(super) fn trusted(count: usize) -> Self {
        Self { kinds: vec![Column::Mixed; count], learned: LEARNED_ROWS, trusted: true }
    }

    /// Whether they are of a file whose quotes are sound.
    pub(super) fn are_trusted(&self) -> bool {
        self.trusted
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.kinds.len()
    }

    /// Learns from a row.
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

    /// How a line would look as a row. In a single column every line has as many cells as a row: there only the kind
    /// tells.
    pub(super) fn likeness(&self, record: &ByteRecord) -> Likeness {
        if self.trusted || record.len() != self.kinds.len() {
            return Likeness::No;
        }
        let weak = if record.len() > 1 { Likeness::Count } else { Likeness::No };
        let mut told = 0;
        for (column, cell) in self.kinds.iter().zip(record) {
            if let (Column::Always(known @ (Kind::Number | Kind::Time)), Some(kind)) = (column, kind(cell)) {
                if *known != kind {
                    return weak;
                }
                told += 1;
            }
        }
        // One number may stand at the beginning of a line of text ("12, third floor").
        let sure = told >= 2 || told == record.len() || (told == 1 && record.len() >= 4);
        if sure { Likeness::Kind } else { weak }
    }
}

/// The kind of a cell, `None` if it is empty.
fn kind(cell: &[u8]) -> Option<Kind> {
    match std::str::from_utf8(cell).ok().map(str::trim) {
        Some("") => None,
        Some(text) if text.parse::<f64>().is_ok_and(f64::is_finite) => Some(Kind::Number),
        Some(text) if time::parse_column_moment(text).is_some() => Some(Kind::Time),
        _ => Some(Kind::Word),
    }
}
