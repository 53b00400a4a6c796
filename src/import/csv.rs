//! CSV with a heading line: comma, semicolon or tab; places in lon/lat or easting/northing columns.

use std::io::BufRead;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use csv::ByteRecord;
use encoding_rs::WINDOWS_1252;

use crate::import::Cell;
use crate::import::ImportError;
use crate::import::Next;
use crate::import::RawRow;
use crate::import::Source;
use crate::import::input;
use crate::import::own_csv;
use crate::import::own_csv::OwnCsv;
use crate::import::report::Fault;
use crate::model::Position;
use crate::model::Shape;
use crate::model::crs::Crs;
use crate::model::schema::MAX_FIELDS;
use crate::model::schema::MAX_NAME_BYTES;

/// The most bytes one record may have: a quote that is never closed must not swallow memory.
const MAX_RECORD_BYTES: u64 = 16 << 20;

/// Names of columns that hold a place, in lower case.
const LONGITUDES: [&str; 5] = ["lon", "longitude", "lng", "long", "lon_wgs84"];
const LATITUDES: [&str; 3] = ["lat", "latitude", "lat_wgs84"];
const EASTINGS: [&str; 2] = ["easting", "eastings"];
const NORTHINGS: [&str; 2] = ["northing", "northings"];

/// A CSV file.
pub(crate) struct CsvSource {
    path: PathBuf,
    reader: csv::Reader<Watched>,
    since_record: Arc<AtomicU64>,
    record: ByteRecord,
    columns: Vec<String>,
    /// For each cell of a record, its column; `None` where the cell is half of a place.
    targets: Vec<Option<usize>>,
    place: Option<PlaceColumns>,
    id: Option<usize>,
    /// What its heading says, if our own export wrote the file.
    own: Option<OwnCsv>,
    headings_warning: Option<Fault>,
    number: u64,
}

struct PlaceColumns {
    x: usize,
    y: usize,
    crs: Crs,
}

/// Counts bytes since the last whole record and refuses to go on for ever.
struct Watched {
    content: Box<dyn BufRead + Send>,
    since_record: Arc<AtomicU64>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.content.read(buffer)?;
        if self.since_record.fetch_add(count as u64, Ordering::Relaxed) > MAX_RECORD_BYTES {
            return Err(std::io::Error::other(
                "a record of more than 16 MB: a quote is not closed, or this is no CSV",
            ));
        }
        Ok(count)
    }
}

impl CsvSource {
    /// Opens a file; `id` names the column whose cells are feature ids.
    pub(crate) fn open(path: &Path, id: Option<&str>, read: &Arc<AtomicU64>) -> Result<Self, ImportError> {
        let mut content = input::open(path, read)?;
        let start = content.fill_buf().map_err(|error| input::read_fault(path, &error))?;
        let ours = own_csv::starts_as_ours(start);
        let delimiter = if ours { b',' } else { sniff_delimiter(start) };
        let since_record = Arc::new(AtomicU64::new(0));
        let watched = Watched { content, since_record: Arc::clone(&since_record) };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(watched);
        let mut record = ByteRecord::new();
        if !reader.read_byte_record(&mut record).map_err(|error| csv_fault(path, error))? {
            let message = "the file is empty: the first line must name the columns".to_owned();
            return Err(ImportError::Malformed { place: path.display().to_string(), message });
        }
        let leading = if ours { own_csv::LEADING } else { 0 };
        if record.len() > MAX_FIELDS + leading {
            return Err(ImportError::TooManyColumns);
        }
        let mut headings_warning = None;
        if ours {
            let headings: Vec<String> = record.iter().map(|cell| decode(cell).0.into_owned()).collect();
            let id = id.map(|name| find_id(&headings, name)).transpose()?;
            let (own, columns) = OwnCsv::of(&headings);
            let mut targets = vec![None; own_csv::LEADING];
            targets.extend((0..columns.len()).map(Some));
            let (path, own) = (path.to_owned(), Some(own));
            let place = Some(PlaceColumns { x: 1, y: 2, crs: Crs::Crs84 });
            let number = 0;
            since_record.store(0, Ordering::Relaxed);
            return Ok(Self {
                path,
                reader,
                since_record,
                record,
                columns,
                targets,
                place,
                id,
                own,
                headings_warning,
                number,
            });
        }
        let mut headings: Vec<String> = Vec::new();
        for (place, cell) in record.iter().enumerate() {
            let (text, decoded) = decode(cell);
            let mut name: String =
                text.trim().chars().filter(|c| !c.is_control()).take(MAX_NAME_BYTES / 4).collect();
            if decoded {
                headings_warning = Some(windows_1252());
            }
            if name.is_empty() {
                name = format!("column_{}", place + 1);
            }
            let base = name.clone();
            let mut number = 2;
            while headings.contains(&name) {
                name = format!("{base}_{number}");
                let fix = "give every column a name of its own";
                headings_warning = Some(Fault::new(
                    "heading",
                    format!("the heading {base:?} is there twice, one is now {name:?}"),
                    fix,
                ));
                number += 1;
            }
            headings.push(name);
        }
        let place = find_place(&headings);
        let (mut columns, mut targets) = (Vec::new(), Vec::new());
        for (at, heading) in headings.iter().enumerate() {
            // Longitude and latitude become the geometry; grid figures are also kept as they are.
            let is_place = place
                .as_ref()
                .is_some_and(|place| place.crs == Crs::Crs84 && (place.x == at || place.y == at));
            targets.push((!is_place).then_some(columns.len()));
            if !is_place {
                columns.push(heading.clone());
            }
        }
        let id = id.map(|name| find_id(&headings, name)).transpose()?;
        since_record.store(0, Ordering::Relaxed);
        Ok(Self {
            path: path.to_owned(),
            reader,
            since_record,
            record,
            columns,
            targets,
            place,
            id,
            own: None,
            headings_warning,
            number: 0,
        })
    }

    fn row(&mut self) -> Result<RawRow, Fault> {
        if self.record.len() != self.targets.len() {
            let line = self.record.position().map_or(0, csv::Position::line);
            let message = format!(
                "line {line} has {} columns, the heading has {}",
                self.record.len(),
                self.targets.len()
            );
            return Err(Fault::new(
                "column-count",
                message,
                "give every line as many columns; put text with commas in quotes",
            ));
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
            Some(place) => position(text(place.x).trim(), text(place.y).trim(), place.crs)?.map(Shape::point),
        };
        let mut cells = Vec::with_capacity(self.columns.len());
        let mut notes = Vec::new();
        for (place, target) in self.targets.iter().enumerate() {
            if let Some(target) = target {
                let text = text(place);
                if let Some(own) = &self.own {
                    cells.extend(own.cell(place, &text, &mut notes)?.map(|cell| (*target, cell)));
                } else if !text.is_empty() {
                    cells.push((*target, Cell::Word(text.into_owned())));
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

/// The place of the column that `--id` names.
fn find_id(headings: &[String], name: &str) -> Result<usize, ImportError> {
    headings.iter().position(|heading| heading == name).ok_or_else(|| ImportError::NoColumn {
        option: "--id",
        column: name.to_owned(),
        columns: headings.to_vec(),
    })
}

impl Source for CsvSource {
    fn next(&mut self) -> Result<Next, ImportError> {
        self.since_record.store(0, Ordering::Relaxed);
        if !self.reader.read_byte_record(&mut self.record).map_err(|error| csv_fault(&self.path, error))? {
            return Ok(Next::End);
        }
        self.number += 1;
        Ok(match self.row() {
            Ok(row) => Next::Row(row),
            Err(fault) => Next::Bad(self.number, fault),
        })
    }

    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn has_places(&self) -> bool {
        self.place.is_some()
    }
}

fn csv_fault(path: &Path, error: csv::Error) -> ImportError {
    let place = path.display().to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::Other => {
            ImportError::Malformed { place, message: error.to_string() }
        }
        csv::ErrorKind::Io(error) => input::read_fault(path, &error),
        other => ImportError::Malformed { place, message: format!("{other:?}") },
    }
}

/// The separator that the heading line has most of, outside quotes.
fn sniff_delimiter(start: &[u8]) -> u8 {
    let (mut quoted, mut counts) = (false, [0_usize; 3]);
    for byte in start {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            b',' if !quoted => counts[0] += 1,
            b';' if !quoted => counts[1] += 1,
            b'\t' if !quoted => counts[2] += 1,
            _ => {}
        }
    }
    let most = counts.iter().max().copied().unwrap_or(0);
    [b',', b';', b'\t']
        .into_iter()
        .zip(counts)
        .find(|(_, count)| *count == most)
        .map_or(b',', |(byte, _)| byte)
}

/// A cell as text: UTF-8, or else Windows-1252, which spreadsheets still write; and whether it was that.
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

/// The position of two cells; `None` if both are blank.
fn position(x: &str, y: &str, crs: Crs) -> Result<Option<Position>, Fault> {
    if x.is_empty() && y.is_empty() {
        return Ok(None);
    }
    if x.is_empty() || y.is_empty() {
        return Err(Fault::new(
            "half-a-place",
            "one of the two coordinates is blank",
            "give both, or neither for a row without place",
        ));
    }
    let number = |text: &str| {
        text.parse::<f64>().map_err(|error| {
            let shown: String = text.chars().take(40).collect();
            Fault::new(
                "coordinate",
                format!("{shown:?} is no coordinate ({error})"),
                "give decimal numbers with a point",
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
            "give metres of EPSG:27700",
        )
    })?;
    Position::from_degrees(lon, lat).map(Some).map_err(Fault::from)
}
