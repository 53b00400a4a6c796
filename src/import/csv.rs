//! CSV with a heading line, separated by comma, semicolon, tab or bar, with positions in columns of longitude and latitude
//! or easting and northing.

use std::io::BufRead;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use csv::ByteRecord;
use encoding_rs::WINDOWS_1252;

use crate::import::CellValue;
use crate::import::ImportError;
use crate::import::Next;
use crate::import::RawRow;
use crate::import::Source;
use crate::import::delimiter::declared_delimiter;
use crate::import::delimiter::sniff_delimiter;
use crate::import::input;
use crate::import::kind::Wanted;
use crate::import::own_csv;
use crate::import::own_csv::OwnCsv;
use crate::import::records::Found;
use crate::import::records::RecordFault;
use crate::import::records::Records;
use crate::import::report::Fault;
use crate::model::Geometry;
use crate::model::Position;
use crate::model::crs::Crs;
use crate::model::schema::MAX_FIELDS;
use crate::model::schema::MAX_NAME_BYTES;

/// Names, in lower case, of columns that hold coordinates.
const LONGITUDES: [&str; 5] = ["lon", "longitude", "lng", "long", "lon_wgs84"];
const LATITUDES: [&str; 3] = ["lat", "latitude", "lat_wgs84"];
const EASTINGS: [&str; 2] = ["easting", "eastings"];
const NORTHINGS: [&str; 2] = ["northing", "northings"];

/// A CSV file that is read row by row.
pub(crate) struct CsvSource {
    path: PathBuf,
    records: Records,
    record: ByteRecord,
    columns: Vec<String>,
    /// The column of each cell of a record; `None` for a cell that holds a longitude or latitude.
    targets: Vec<Option<usize>>,
    place: Option<PlaceColumns>,
    id: Option<usize>,
    /// The meaning of the heading, if our own export wrote the file.
    own: Option<OwnCsv>,
    headings_warning: Option<Fault>,
    number: u64,
    /// The first line of the record, from 1.
    line: u64,
    skipped: u64,
}

struct PlaceColumns {
    x: usize,
    y: usize,
    crs: Crs,
}

impl CsvSource {
    /// Opens a file; `id` names the column with the feature ids.
    pub(crate) fn open(path: &Path, id: Option<&str>, read: &Arc<AtomicU64>) -> Result<Self, ImportError> {
        let mut content = input::open_text(path, Wanted::Table, read)?;
        let start = content.fill_buf().map_err(|error| input::read_fault(path, &error))?;
        let malformed =
            |message: String| ImportError::Malformed { place: path.display().to_string(), message };
        let ours = own_csv::starts_as_ours(start);
        let declared = if ours { Some((b',', 0)) } else { declared_delimiter(start).map_err(malformed)? };
        let delimiter = declared.map_or_else(|| sniff_delimiter(start), |(delimiter, _)| delimiter);
        let line_read = declared.is_some_and(|(_, bytes)| bytes > 0);
        content.consume(declared.map_or(0, |(_, bytes)| bytes));
        let mut records = Records::new(content, delimiter, 1 + u64::from(line_read));
        let mut record = ByteRecord::new();
        let mut skipped = 0;
        loop {
            match records.next(&mut record).map_err(|fault| record_fault(path, fault))? {
                Found::Record { .. } => break,
                // A line with only separators names no columns, so it is not the heading.
                Found::Separators => skipped += 1,
                Found::OpenQuote { .. } => return Err(record_fault(path, RecordFault::Heading)),
                Found::End => {
                    return Err(malformed(
                        "the file is empty: the first line must name the columns".to_owned(),
                    ));
                }
            }
        }
        let leading = if ours { own_csv::LEADING } else { 0 };
        if record.len() > MAX_FIELDS + leading {
            return Err(ImportError::TooManyColumns);
        }
        if ours {
            let headings: Vec<String> = record.iter().map(|cell| decode(cell).0.into_owned()).collect();
            let id = id.map(|name| find_id(&headings, name)).transpose()?;
            let (own, columns) = OwnCsv::of(&headings);
            let mut targets = vec![None; own_csv::LEADING];
            targets.extend((0..columns.len()).map(Some));
            records.is_ours(headings.len());
            return Ok(Self {
                path: path.to_owned(),
                records,
                record,
                columns,
                targets,
                place: Some(PlaceColumns { x: 1, y: 2, crs: Crs::Crs84 }),
                id,
                own: Some(own),
                headings_warning: None,
                number: 0,
                line: 0,
                skipped,
            });
        }
        let (headings, headings_warning) = headings(&record);
        let place = find_place(&headings);
        let numbers: Vec<usize> = place.iter().flat_map(|place| [place.x, place.y]).collect();
        records.has_columns(headings.len(), &numbers);
        let (mut columns, mut targets) = (Vec::new(), Vec::new());
        for (at, heading) in headings.iter().enumerate() {
            // Longitude and latitude become the geometry only; easting and northing become fields too.
            let is_place = place
                .as_ref()
                .is_some_and(|place| place.crs == Crs::Crs84 && (place.x == at || place.y == at));
            targets.push((!is_place).then_some(columns.len()));
            if !is_place {
                columns.push(heading.clone());
            }
        }
        let id = id.map(|name| find_id(&headings, name)).transpose()?;
        Ok(Self {
            path: path.to_owned(),
            records,
            record,
            columns,
            targets,
            place,
            id,
            own: None,
            headings_warning,
            number: 0,
            line: 0,
            skipped,
        })
    }

    fn row(&mut self) -> Result<RawRow, Fault> {
        if self.record.len() != self.targets.len() {
            let message = format!(
                "line {} has {} columns, the heading has {}",
                self.line,
                self.record.len(),
                self.targets.len()
            );
            return Err(Fault::new(
                "column-count",
                message,
                "give every line as many columns as the heading; put text with separators in quotes",
            ));
        }
        if self.record.as_slice().contains(&0) {
            let message = format!("line {} has zero bytes, which are not allowed in text", self.line);
            return Err(Fault::new("zero-byte", message, "copy the file again, or write it again as text"));
        }
        let mut warnings = Vec::new();
        warnings.extend(self.headings_warning.take());
        let mut text = |place: usize| {
            let (text, decoded) = decode(self.record.get(place).unwrap_or_default());
            if decoded && warnings.is_empty() {
                warnings.push(windows_1252());
            }
            text
        };
        let geometry = match &self.place {
            None => None,
            Some(place) => {
                position(text(place.x).trim(), text(place.y).trim(), place.crs)?.map(Geometry::point)
            }
        };
        let mut cells = Vec::with_capacity(self.columns.len());
        let mut notes = Vec::new();
        for (place, target) in self.targets.iter().enumerate() {
            if let Some(target) = target {
                let text = text(place);
                if let Some(own) = &self.own {
                    cells.extend(own.cell(place, &text, &mut notes)?.map(|cell| (*target, cell)));
                } else if !text.is_empty() {
                    cells.push((*target, CellValue::Word(text.into_owned())));
                }
            }
        }
        let id = match self.id {
            None => self.own.as_ref().and_then(|own| own.id(&text(0))),
            Some(place) => {
                let id = text(place);
                if id.is_empty() {
                    return Err(Fault::new("no-id", "the id is empty", "give every row an id of its own"));
                }
                let numeric = id.parse::<i64>().is_ok_and(|number| number.to_string() == id);
                Some((id.into_owned(), numeric))
            }
        };
        warnings.append(&mut notes);
        Ok(RawRow { number: self.number, id, geometry, cells, warnings })
    }
}

/// The index of the column that `--id` names.
fn find_id(headings: &[String], name: &str) -> Result<usize, ImportError> {
    headings.iter().position(|heading| heading == name).ok_or_else(|| ImportError::NoColumn {
        option: "--id",
        column: name.to_owned(),
        columns: headings.to_vec(),
    })
}

impl Source for CsvSource {
    fn next(&mut self) -> Result<Next, ImportError> {
        loop {
            self.line = self.records.line();
            let found =
                self.records.next(&mut self.record).map_err(|fault| record_fault(&self.path, fault))?;
            let doubtful = match found {
                Found::End => return Ok(Next::End),
                Found::Separators => {
                    self.skipped += 1;
                    continue;
                }
                Found::OpenQuote { line, last } => {
                    self.number += 1;
                    return Ok(Next::Bad(self.number, open_quote(line, last)));
                }
                Found::Record { doubtful } => doubtful,
            };
            self.number += 1;
            return Ok(match self.row() {
                Ok(mut row) => {
                    row.warnings.extend(doubtful.map(quoted_lines));
                    Next::Row(row)
                }
                Err(fault) => Next::Bad(self.number, fault),
            });
        }
    }

    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn has_places(&self) -> bool {
        self.place.is_some()
    }

    fn skipped(&self) -> u64 {
        self.skipped
    }
}

/// The names of the columns, made unique, and a warning if a name was changed or was not UTF-8.
fn headings(record: &ByteRecord) -> (Vec<String>, Option<Fault>) {
    let mut warning = None;
    let mut headings: Vec<String> = Vec::new();
    for (place, cell) in record.iter().enumerate() {
        let (text, decoded) = decode(cell);
        let mut name: String =
            text.trim().chars().filter(|c| !c.is_control()).take(MAX_NAME_BYTES / 4).collect();
        if decoded {
            warning = Some(windows_1252());
        }
        if name.is_empty() {
            name = format!("column_{}", place + 1);
        }
        let base = name.clone();
        let mut number = 2;
        while headings.contains(&name) {
            name = format!("{base}_{number}");
            let fix = "give every column a name of its own";
            warning = Some(Fault::new(
                "heading",
                format!("two columns have the heading {base:?}; one was renamed to {name:?}"),
                fix,
            ));
            number += 1;
        }
        headings.push(name);
    }
    (headings, warning)
}

fn open_quote(line: u64, last: Option<u64>) -> Fault {
    let message = match last {
        None => format!("line {line}: a cell opens a quote that is not closed before the next rows begin"),
        Some(last) => format!(
            "line {line}: a cell opens a quote that is closed in line {last}, but the lines between are rows; they were read as rows"
        ),
    };
    Fault::new("open-quote", message, "close the quote; write a quote inside a quoted cell twice")
}

fn quoted_lines((first, last): (u64, u64)) -> Fault {
    Fault::new(
        "quoted-lines",
        format!("a quoted cell goes from line {first} to line {last}, and these lines could be rows"),
        "nothing to do if the cell has line breaks; if not, close the quote in its line",
    )
}

fn record_fault(path: &Path, fault: RecordFault) -> ImportError {
    let message = match fault {
        RecordFault::Io(error) => return input::read_fault(path, &error),
        RecordFault::TooLong => {
            "a record has more than 16 MB: a quote is not closed, or the file is not CSV".to_owned()
        }
        RecordFault::Heading => "the heading opens a quote that is not closed: close it".to_owned(),
        RecordFault::TooManyQuotes(line) => format!(
            "too many cells up to line {line} open a quote that is not closed: write a quote inside a cell twice, or use another character"
        ),
    };
    ImportError::Malformed { place: path.display().to_string(), message }
}

/// The text of a cell, and whether it is Windows-1252. A cell that is not UTF-8 is read as Windows-1252, which some
/// spreadsheets write.
fn decode(cell: &[u8]) -> (std::borrow::Cow<'_, str>, bool) {
    match std::str::from_utf8(cell) {
        Ok(text) => (text.into(), false),
        Err(_) => (WINDOWS_1252.decode_without_bom_handling(cell).0, true),
    }
}

fn windows_1252() -> Fault {
    Fault::new("windows-1252", "the text is not UTF-8 and was read as Windows-1252", "save the file as UTF-8")
}

fn find_place(headings: &[String]) -> Option<PlaceColumns> {
    let find =
        |names: &[&str]| headings.iter().position(|heading| names.contains(&heading.to_lowercase().as_str()));
    if let (Some(x), Some(y)) = (find(&LONGITUDES), find(&LATITUDES)) {
        return Some(PlaceColumns { x, y, crs: Crs::Crs84 });
    }
    let (x, y) = (find(&EASTINGS)?, find(&NORTHINGS)?);
    Some(PlaceColumns { x, y, crs: Crs::BritishNationalGrid })
}

/// The position that two cells give; `None` if both are blank.
fn position(x: &str, y: &str, crs: Crs) -> Result<Option<Position>, Fault> {
    if x.is_empty() && y.is_empty() {
        return Ok(None);
    }
    if x.is_empty() || y.is_empty() {
        return Err(Fault::new(
            "half-a-place",
            "one of the two coordinates is blank",
            "give both coordinates, or neither for a row without geometry",
        ));
    }
    let number = |text: &str| {
        text.parse::<f64>().map_err(|error| {
            let shown: String = text.chars().take(40).collect();
            Fault::new(
                "coordinate",
                format!("{shown:?} is not a coordinate ({error})"),
                "give decimal numbers with a decimal point",
            )
        })
    };
    let (x, y) = (number(x)?, number(y)?);
    if !x.is_finite() || !y.is_finite() {
        return Err(crate::model::geometry::GeometryFault::NotFinite.into());
    }
    let (lon, lat) = crs.to_lon_lat(x, y).ok_or_else(|| {
        Fault::new(
            "out-of-range",
            format!("easting {x}, northing {y} is outside the British National Grid"),
            "give metres of the British National Grid (EPSG:27700)",
        )
    })?;
    Position::from_degrees(lon, lat).map(Some).map_err(Fault::from)
}
