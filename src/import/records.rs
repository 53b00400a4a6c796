//! Records of a CSV text, read with bounded memory. A quote that is not closed spoils its own row only.
//!
//! A cell that begins with a quote may continue on further lines. The lines that such a cell would contain decide whether
//! the quote is a fault. It is a fault, and the lines after the first are read as rows, if
//! - the quote is not closed before the end of the file or within 16 MB;
//! - more than half of the lines are like rows in number and kind of cells: they have as many cells as the heading, with
//!   numbers and times where earlier rows have them (`likeness`);
//! - more than half of the lines have as many cells as the heading, and the record is malformed: text follows the closing
//!   quote, or the number of cells is wrong;
//! - 16 successive lines have as many cells as the heading.
//!
//! If only the number of cells speaks against the quote (more than half of the lines have as many as the heading), the
//! record is read as written and marked as doubtful, so that the report can warn.
//!
//! Not here: the meaning of cells (`csv`).
//!
//! Source: RFC 4180. As in the `csv` crate, a quote inside a cell that does not begin with a quote is text.

use std::io::BufRead;

use csv::ByteRecord;

use crate::import::likeness::Columns;
use crate::import::likeness::Likeness;

/// The most bytes of a record, and the most bytes that are read ahead to find the end of a quote.
const MAX_RECORD_BYTES: usize = 16 << 20;
/// The most bytes of a file that are read ahead without finding the end of a quote, so that the time stays linear in the
/// file's size.
const MAX_VAIN_BYTES: usize = 256 << 20;
/// This many successive lines with the right number of cells are rows.
const ROWS_IN_A_ROW: usize = 16;

/// The next thing in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A record.
    Record {
        /// The first and last line of the record, if its quoted cells may contain rows.
        doubtful: Option<(u64, u64)>,
    },
    /// A row with a quote that is a fault. The lines after its first are read next.
    OpenQuote {
        /// The line of the row.
        line: u64,
        /// The last line of the quoted cell; `None` if the quote is not closed.
        last: Option<u64>,
    },
    /// A line with only separators.
    Separators,
    /// The end of the file.
    End,
}

/// The reason why reading stopped.
#[derive(Debug)]
pub(super) enum RecordFault {
    /// Reading failed.
    Io(std::io::Error),
    /// A line of more than 16 MB.
    TooLong,
    /// The heading line opens a quote that is not closed.
    Heading,
    /// Too many quotes are not closed: the file does not use quotes as CSV does. Holds the line that was reached.
    TooManyQuotes(u64),
}

/// Reads the records of a text.
pub(super) struct Records {
    content: Box<dyn BufRead + Send>,
    delimiter: u8,
    /// Bytes that were read; those from `start` on are not used yet.
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
    /// The number of the line at `start`, from 1.
    line: u64,
    /// Bytes that were read ahead without finding the end of a quote.
    vain: usize,
    columns: Columns,
    scratch: ByteRecord,
    cell: Vec<u8>,
}

/// The ends of a line in the buffer: `text` after its text, `next` after its line break.
#[derive(Debug, Clone, Copy)]
struct TextLine {
    text: usize,
    next: usize,
}

/// The position of a byte in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    CellStart,
    Bare,
    Quoted,
    /// After a quote in a quoted cell: it closes the cell unless a second quote follows.
    Closing,
}

impl Records {
    /// A reader of `content` with cells separated by `delimiter`. The first record is the heading: after it, call
    /// [`Self::has_columns`] or [`Self::is_ours`].
    pub(super) fn new(content: Box<dyn BufRead + Send>, delimiter: u8, first_line: u64) -> Self {
        Self {
            content,
            delimiter,
            buffer: Vec::new(),
            start: 0,
            ended: false,
            line: first_line,
            vain: 0,
            columns: Columns::default(),
            scratch: ByteRecord::new(),
            cell: Vec::new(),
        }
    }

    /// Sets the number of columns in the heading, and the indexes of those that hold coordinates, which are numbers.
    pub(super) fn has_columns(&mut self, count: usize, numbers: &[usize]) {
        self.columns = Columns::new(count, numbers);
    }

    /// Says that our own export wrote the file. It closes all quotes, so cells with lines like rows are read as written.
    pub(super) fn is_ours(&mut self, count: usize) {
        self.columns = Columns::trusted(count);
    }

    /// The number of the line at which the next record begins, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Reads the next record into `record`. Blank lines are ignored.
    pub(super) fn next(&mut self, record: &mut ByteRecord) -> Result<Found, RecordFault> {
        let first = loop {
            let Some(line) = self.line_at(self.start)? else { return Ok(Found::End) };
            if line.text > self.start {
                break line;
            }
            self.take(line, 1);
        };
        let text = &self.buffer[self.start..first.text];
        if is_separators(text, self.delimiter) {
            self.take(first, 1);
            return Ok(Found::Separators);
        }
        if !text.contains(&b'"') {
            bare(text, self.delimiter, record);
            self.take(first, 1);
            self.columns.learn(record);
            return Ok(Found::Record { doubtful: None });
        }
        let mut state = State::CellStart;
        let mut sound = true;
        scan(text, self.delimiter, &mut state, &mut sound);
        if state != State::Quoted {
            split(text, self.delimiter, record, &mut self.cell);
            self.take(first, 1);
            self.columns.learn(record);
            return Ok(Found::Record { doubtful: None });
        }
        self.several_lines(record, first)
    }

    /// Reads a record with a quote that is open at the end of its first line, or finds that the quote is a fault.
    fn several_lines(&mut self, record: &mut ByteRecord, first: TextLine) -> Result<Found, RecordFault> {
        let (mut state, mut sound) = (State::CellStart, true);
        let text = &self.buffer[self.start..first.text];
        scan(text, self.delimiter, &mut state, &mut sound);
        split(text, self.delimiter, &mut self.scratch, &mut self.cell);
        let is_first = self.scratch.len() == 1;
        let (mut lines, mut filled, mut like, mut same, mut in_a_row) = (1_u64, 0_usize, 0, 0, 0);
        let mut last = first;
        let closed = loop {
            // Reading ahead is bounded. A single line that is too long is refused when it is read as a record.
            let next = match self.line_at(last.next) {
                Ok(Some(next)) if next.text - self.start <= MAX_RECORD_BYTES => next,
                Ok(_) | Err(RecordFault::TooLong) => break false,
                Err(fault) => return Err(fault),
            };
            let text = last.next..next.text;
            lines += 1;
            // The line break is part of the cell.
            scan(&self.buffer[text.clone()], self.delimiter, &mut state, &mut sound);
            let piece = &self.buffer[text.clone()];
            if split(piece, self.delimiter, &mut self.scratch, &mut self.cell) == State::Quoted {
                bare(piece, self.delimiter, &mut self.scratch);
            }
            let likeness = self.columns.likeness(&self.scratch);
            // If the quoted cell is the first of its row, the rest of the row after it has as many cells as a row.
            if state == State::Quoted || !sound || !is_first {
                like += usize::from(likeness != Likeness::No);
                same += usize::from(likeness == Likeness::Kind);
                filled += usize::from(!text.is_empty());
            }
            in_a_row = if likeness == Likeness::No { 0 } else { in_a_row + 1 };
            last = next;
            if in_a_row >= ROWS_IN_A_ROW {
                break false;
            }
            if state != State::Quoted {
                break true;
            }
        };
        if self.columns.count() == 0 && !closed {
            return Err(RecordFault::Heading);
        }
        if closed {
            split(&self.buffer[self.start..last.text], self.delimiter, record, &mut self.cell);
            sound &= self.columns.count() == 0 || record.len() == self.columns.count();
        }
        let most = |count: usize| count * 2 > filled;
        let line = self.line;
        // Our own export writes well-formed quotes: the file was edited.
        let unsound = !sound && (most(like) || self.columns.are_trusted());
        if !closed || most(same) || unsound {
            self.vain += last.next - self.start;
            if self.vain > MAX_VAIN_BYTES {
                return Err(RecordFault::TooManyQuotes(line));
            }
            self.take(first, 1);
            return Ok(Found::OpenQuote { line, last: closed.then_some(line + lines - 1) });
        }
        self.take(last, lines);
        self.columns.learn(record);
        // With a single column, every line has as many cells as a row.
        let doubtful = most(like) || (self.columns.count() == 1 && lines > 1);
        Ok(Found::Record { doubtful: doubtful.then_some((line, line + lines - 1)) })
    }

    /// The line that begins at index `from` of the buffer, which is filled as needed; `None` at the end of the text.
    fn line_at(&mut self, from: usize) -> Result<Option<TextLine>, RecordFault> {
        let mut looked = from;
        loop {
            let found = self.buffer[looked..].iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            if let Some(place) = found {
                let text = looked + place;
                if self.buffer[text] == b'\n' {
                    return Ok(Some(TextLine { text, next: text + 1 }));
                }
                // A carriage return alone ends a line too.
                if text + 1 == self.buffer.len() && !self.ended {
                    self.fill()?;
                }
                let pair = self.buffer.get(text + 1) == Some(&b'\n');
                return Ok(Some(TextLine { text, next: text + 1 + usize::from(pair) }));
            }
            looked = self.buffer.len();
            if self.ended {
                return Ok((looked > from).then_some(TextLine { text: looked, next: looked }));
            }
            if looked - from > MAX_RECORD_BYTES {
                return Err(RecordFault::TooLong);
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Result<(), RecordFault> {
        let bytes = self.content.fill_buf().map_err(RecordFault::Io)?;
        self.buffer.extend_from_slice(bytes);
        let count = bytes.len();
        self.ended = count == 0;
        self.content.consume(count);
        Ok(())
    }

    /// Continues after a line; `lines` is the number of lines that were used.
    fn take(&mut self, line: TextLine, lines: u64) {
        self.start = line.next;
        self.line += lines;
        // Used bytes are removed only when they are most of the buffer, so that each byte is moved only a few times.
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        } else if self.start > 1 << 17 && self.start > self.buffer.len() / 2 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
    }
}

/// Whether a line has only separators, and perhaps blanks.
fn is_separators(text: &[u8], delimiter: u8) -> bool {
    text.iter().all(|byte| *byte == delimiter || matches!(byte, b' ' | b'\t')) && text.contains(&delimiter)
}

/// Updates the state over a piece of a record. Sets `sound` to false if text follows a closing quote.
fn scan(text: &[u8], delimiter: u8, state: &mut State, sound: &mut bool) {
    for byte in text {
        *state = match (*state, *byte) {
            (State::Quoted, b'"') => State::Closing,
            (State::Quoted, _) | (State::CellStart | State::Closing, b'"') => State::Quoted,
            (_, byte) if byte == delimiter => State::CellStart,
            (State::Closing, _) => {
                *sound = false;
                State::Bare
            }
            _ => State::Bare,
        };
    }
}

/// Splits a line into cells as if it had no quotes.
fn bare(text: &[u8], delimiter: u8, record: &mut ByteRecord) {
    record.clear();
    for cell in text.split(|byte| *byte == delimiter) {
        record.push_field(cell);
    }
}

/// Splits a record into cells and returns the state at its end. All line breaks in it must stand in quotes.
fn split(text: &[u8], delimiter: u8, record: &mut ByteRecord, cell: &mut Vec<u8>) -> State {
    record.clear();
    cell.clear();
    let mut state = State::CellStart;
    for byte in text {
        state = match (state, *byte) {
            (State::Quoted, b'"') => State::Closing,
            (State::Closing, b'"') => {
                cell.push(b'"');
                State::Quoted
            }
            (State::CellStart, b'"') => State::Quoted,
            (State::CellStart | State::Bare | State::Closing, byte) if byte == delimiter => {
                record.push_field(cell);
                cell.clear();
                State::CellStart
            }
            (state, byte) => {
                cell.push(byte);
                if state == State::Quoted { State::Quoted } else { State::Bare }
            }
        };
    }
    record.push_field(cell);
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One text for each record: its cells joined with `/`, or what was found instead.
    fn read(text: &str, columns: usize, numbers: &[usize]) -> Vec<String> {
        let mut all = Vec::new();
        for size in [1, 3, 64, 1 << 16] {
            let content = std::io::BufReader::with_capacity(size, std::io::Cursor::new(text.to_owned()));
            let mut records = Records::new(Box::new(content), b',', 1);
            records.has_columns(columns, numbers);
            let mut record = ByteRecord::new();
            let mut out = Vec::new();
            loop {
                let cells = |record: &ByteRecord| {
                    let cells: Vec<String> =
                        record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
                    cells.join("/")
                };
                out.push(match records.next(&mut record).unwrap() {
                    Found::End => break,
                    Found::Record { doubtful: None } => cells(&record),
                    Found::Record { doubtful } => format!("{doubtful:?} {}", cells(&record)),
                    Found::OpenQuote { line, last } => format!("open {line} {last:?}"),
                    Found::Separators => "separators".to_owned(),
                });
            }
            all.push(out);
        }
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "the size of the buffer changes the result");
        all.remove(0)
    }

    #[test]
    fn well_formed_records_are_read_as_the_csv_crate_reads_them() {
        for text in [
            "a,b\n1,2\n",
            "\"a\",\"b \"\"c\"\"\"\r\n1,\"x, y\"\r\n\r\n,\"\"\n",
            "6\" pipe,the \"Crown\" inn\n5' 11\",\"said \"\"go\"\", left\"",
            "\"door\" open,x\n\"\",\"\"\n1,\n",
            "name,\"two\nlines\"\r\nx,\"three\r\n\r\nlines\"\n",
            "old,mac\rlines,too\r\"in\rside\",x\r",
            "\"open \"\" ,x\",2\n",
        ] {
            let expected: Vec<String> = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(text.as_bytes())
                .records()
                .map(|record| record.unwrap().iter().collect::<Vec<_>>().join("/"))
                .collect();
            assert_eq!(read(text, 2, &[]), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn records_of_one_line_each_read_back(
            rows in prop::collection::vec(prop::collection::vec("[ab1 ,\"']{0,6}", 3), 1..12)
        ) {
            let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let expected: Vec<String> = rows
                .iter()
                .map(|row| if row.iter().all(|cell| cell.trim().is_empty()) { "separators".to_owned() } else { row.join("/") })
                .collect();
            prop_assert_eq!(read(&text, 3, &[]), expected);
        }

        /// For any bytes, reading ends, and every line is counted.
        #[test]
        fn no_line_is_lost(text in "[ab1,\"\n\r]{0,200}") {
            let mut records = Records::new(Box::new(std::io::Cursor::new(text.clone())), b',', 1);
            records.has_columns(3, &[]);
            let mut record = ByteRecord::new();
            while records.next(&mut record).unwrap() != Found::End {}
            let breaks = text.replace("\r\n", "\n").replace('\r', "\n");
            prop_assert_eq!(records.line(), 1 + breaks.lines().count() as u64);
        }
    }

    #[test]
    fn an_open_quote_spoils_its_own_row_only() {
        let never = "1,5,closed\n2,6,\"door open\n3,7,locked\n4,8,quiet\n";
        assert_eq!(read(never, 3, &[]), ["1/5/closed", "open 2 None", "3/7/locked", "4/8/quiet"]);
        // A later stray quote closes it, but the kinds of cells show that each line is a row.
        let late = "1,5,a\n2,6,\"b\n3,7,c\n4,8,d\n5,9,e\"\n6,9,f\n";
        assert_eq!(read(late, 3, &[]), ["1/5/a", "open 2 Some(5)", "3/7/c", "4/8/d", "5/9/e\"", "6/9/f"]);
        let next = "1,5,a\n2,6,\"b\n3,7,\"c\n4,8,\"d, e\"\n";
        assert_eq!(read(next, 3, &[]), ["1/5/a", "open 2 Some(3)", "open 3 Some(4)", "4/8/d, e"]);
        // In the middle of a row, the number of cells is wrong too.
        let middle = "x,\"y,1\nz,w,2\nv,\"u,3\nt,s,4\n";
        assert_eq!(read(middle, 3, &[]), ["open 1 Some(3)", "z/w/2", "open 3 None", "t/s/4"]);
        // It is found in the first row if columns are known to hold coordinates, which are numbers.
        assert_eq!(read("1,5,\"a\n2,6,b\"\n", 3, &[0, 1]), ["open 1 Some(2)", "2/6/b\""]);
        assert_eq!(read("\"open\nx\ny\n", 1, &[]), ["open 1 None", "x", "y"]);
    }

    #[test]
    fn cells_of_several_lines_are_read_whole() {
        let letters = "1,5,\"Dear sir,\nyes, no, perhaps\n\nYours, A\"\n2,6,\"a\nb\"\n";
        assert_eq!(read(letters, 3, &[]), ["1/5/Dear sir,\nyes, no, perhaps\n\nYours, A", "2/6/a\nb"]);
        // After a first cell of several lines, the rest of the row has as many cells as a row.
        let places = "a,5,6\n\"Main Street\nLeeds\",7,8\n\"x\ny\nz\",9,9\n";
        assert_eq!(read(places, 3, &[1, 2]), ["a/5/6", "Main Street\nLeeds/7/8", "x\ny\nz/9/9"]);
        let address = "7,\"Main Street\n12, third floor\"\n";
        assert_eq!(read(address, 2, &[]), ["Some((1, 2)) 7/Main Street\n12, third floor"]);
    }

    #[test]
    fn a_record_that_may_contain_rows_is_marked_as_doubtful() {
        let words = "a,b,c\nd,e,\"f\ng,h,i\nj,k,l\"\n";
        assert_eq!(read(words, 3, &[]), ["a/b/c", "Some((2, 4)) d/e/f\ng,h,i\nj,k,l"]);
        let many = format!("a,b,\"c\n{}x,y,\"z\"\n", "d,e,f\n".repeat(40));
        let found = read(&many, 3, &[]);
        assert_eq!(
            (found.len(), found[0].as_str()),
            (42, "open 1 None"),
            "sixteen successive lines are rows"
        );
        assert_eq!(
            read("\"a\nb\"\n", 1, &[]),
            ["Some((1, 2)) a\nb"],
            "with one column the number of cells decides nothing"
        );
    }

    #[test]
    fn lines_of_separators_are_found() {
        assert_eq!(
            read("1,2\n,\n , \n\n3,4\n\"\",\n", 2, &[]),
            ["1/2", "separators", "separators", "3/4", "/"]
        );
    }

    #[test]
    fn reading_ahead_is_bounded() {
        // Every row opens a quote, and nothing in the lines shows that they are rows.
        let row = format!("\"{}\n", "x".repeat(200));
        let text = row.repeat(40_000);
        let mut records = Records::new(Box::new(std::io::Cursor::new(text)), b',', 1);
        records.has_columns(2, &[]);
        let mut record = ByteRecord::new();
        let fault = loop {
            match records.next(&mut record) {
                Ok(Found::End) => break None,
                Ok(_) => {}
                Err(fault) => break Some(fault),
            }
        };
        // Every second quote closes the one before, so only a row or two is read ahead each time.
        assert!(fault.is_none() || matches!(fault, Some(RecordFault::TooManyQuotes(_))));
        let text = format!("\"{}\n", "x".repeat(80)) + &format!("{}\n", "y".repeat(80)).repeat(200_000);
        let mut records = Records::new(Box::new(std::io::Cursor::new(text)), b',', 1);
        records.has_columns(2, &[]);
        assert!(matches!(records.next(&mut record), Ok(Found::OpenQuote { line: 1, last: None })));
        assert!(records.buffer.len() <= 17 << 20, "{}", records.buffer.len());
    }
}
