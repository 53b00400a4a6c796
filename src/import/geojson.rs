//! GeoJSON: feature collections of any size, single features and text sequences. A bad feature rejects only its own row.
//!
//! Source: RFC 7946, RFC 8142; the `crs` member of the 2008 specification.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use geojson::feature::Id;

use crate::import::ImportError;
use crate::import::Next;
use crate::import::RawRow;
use crate::import::Source;
use crate::import::cells::cell;
use crate::import::geometry::from_geojson;
use crate::import::input;
use crate::import::kind::Wanted;
use crate::import::report::Fault;
use crate::import::scanner::ScanFault;
use crate::import::scanner::Scanner;
use crate::model::crs::Crs;
use crate::model::schema::MAX_FIELDS;
use crate::model::schema::MAX_NAME_BYTES;

type Content = Scanner<Box<dyn BufRead + Send>>;

/// How the features are laid out in a file.
enum Layout {
    /// In the `features` array; `true` once the first feature was read.
    Collection(bool),
    /// Each document is a feature or a geometry; `true` once the first document was read.
    Documents(bool),
    /// Each after a record separator (RFC 8142).
    Separated,
    /// One on each line.
    Lines,
    /// All features were read.
    Done,
}

/// A GeoJSON file that is read feature by feature.
pub(crate) struct GeoJsonSource {
    path: PathBuf,
    content: Content,
    layout: Layout,
    crs: Crs,
    columns: Vec<String>,
    places: HashMap<String, usize>,
    number: u64,
    buffer: Vec<u8>,
}

impl GeoJsonSource {
    /// Opens a file; `lines` says that it is a text sequence.
    pub(crate) fn open(path: &Path, lines: bool, read: &Arc<AtomicU64>) -> Result<Self, ImportError> {
        let mut source = Self {
            path: path.to_owned(),
            content: Scanner::new(input::open_text(path, Wanted::Json, read)?),
            layout: Layout::Lines,
            crs: Crs::Crs84,
            columns: Vec::new(),
            places: HashMap::new(),
            number: 0,
            buffer: Vec::new(),
        };
        if source.peek()? == Some(0x1E) {
            source.layout = Layout::Separated;
            // Anything before the first separator is not a record.
            let mut nothing = Vec::new();
            source.content.until(0x1E, &mut nothing).map_err(|fault| source.fault(fault))?;
        } else if !lines {
            source.crs = declared_crs(path)?;
            source.layout = source.find_features(read)?;
        }
        Ok(source)
    }

    fn peek(&mut self) -> Result<Option<u8>, ImportError> {
        self.content.peek().map_err(|fault| self.fault(fault))
    }

    /// Moves to the first feature.
    fn find_features(&mut self, read: &Arc<AtomicU64>) -> Result<Layout, ImportError> {
        let found = walk_to_features(&mut self.content, &mut |_, _| {}).map_err(|fault| self.fault(fault))?;
        if found {
            return Ok(Layout::Collection(false));
        }
        self.content = Scanner::new(input::open(&self.path, read)?);
        Ok(Layout::Documents(false))
    }

    fn fault(&self, fault: ScanFault) -> ImportError {
        let message = match fault {
            ScanFault::Io(error) => return input::read_fault(&self.path, &error),
            ScanFault::Early => format!("the JSON is incomplete: it ends after feature {}", self.number),
            ScanFault::Expected(what, found) => {
                format!("expected {what} after feature {}, found {:?}", self.number, char::from(found))
            }
            ScanFault::TooLarge => format!("feature {} has more than 32 MB", self.number + 1),
        };
        ImportError::Malformed {
            place: format!("{} at byte {}", self.path.display(), self.content.offset()),
            message,
        }
    }

    /// Reads the text of the next feature into `buffer`; `false` at the end.
    fn cut(&mut self) -> Result<bool, ImportError> {
        let Self { content, buffer, layout, .. } = self;
        let result = match layout {
            Layout::Done => Ok(false),
            Layout::Documents(started) => next_document(content, started, buffer),
            Layout::Collection(started) => next_member(content, started, buffer),
            Layout::Separated => next_filled(content, 0x1E, buffer),
            Layout::Lines => next_filled(content, b'\n', buffer),
        };
        match result {
            Ok(true) => Ok(true),
            Ok(false) => {
                if matches!(self.layout, Layout::Collection(_)) {
                    self.finish_document()?;
                }
                self.layout = Layout::Done;
                Ok(false)
            }
            Err(fault) => Err(self.fault(fault)),
        }
    }

    /// Checks that the rest of the document after the features is JSON: a file that ends there is incomplete.
    fn finish_document(&mut self) -> Result<(), ImportError> {
        let mut rest = || -> Result<(), ScanFault> {
            let mut text = Vec::new();
            while self.content.take(b',')? {
                self.content.value(&mut text)?;
                self.content.expect(b':', "a colon")?;
                self.content.value(&mut text)?;
            }
            self.content.expect(b'}', "a closing brace")
        };
        let walked = rest();
        walked.map_err(|fault| self.fault(fault))?;
        match self.peek()? {
            None => Ok(()),
            Some(found) => Err(self.fault(ScanFault::Expected("the end of the file", found))),
        }
    }

    fn row(&mut self) -> Result<Result<RawRow, Fault>, ImportError> {
        let feature: geojson::Feature = match parse_feature(&self.buffer) {
            Ok(feature) => feature,
            Err(fault) => return Ok(Err(self.place_fault(fault))),
        };
        let id = feature.id.map(|id| match id {
            Id::String(text) => (text, false),
            // A number beyond 63 bits becomes a text, because other formats have no such integers.
            Id::Number(number) => (number.to_string(), number.is_i64()),
        });
        let mut warnings = Vec::new();
        let own = feature.foreign_members.as_ref().and_then(|members| members.get("crs"));
        let inner =
            feature.geometry.as_ref().and_then(|geometry| geometry.foreign_members.as_ref()?.get("crs"));
        let crs = match own.or(inner).filter(|member| !member.is_null()).map(named_crs).transpose() {
            Ok(crs) => crs.unwrap_or(self.crs),
            Err(error) => {
                let fix = "name a known system, or leave the member out for WGS 84 longitude and latitude";
                return Ok(Err(Fault::new("unknown-crs", error.to_string(), fix)));
            }
        };
        let geometry = match feature
            .geometry
            .map(|geometry| from_geojson(&geometry.value, crs, &mut warnings))
            .transpose()
        {
            Ok(geometry) => geometry.flatten(),
            Err(fault) => return Ok(Err(fault.into())),
        };
        let mut cells = Vec::new();
        for (name, value) in feature.properties.unwrap_or_default() {
            if name.len() > MAX_NAME_BYTES || name.is_empty() || name.contains(char::is_control) {
                let message =
                    "a property was left out: its name is empty, too long or has control characters";
                warnings.push(Fault::new("name", message, "give the property a name of 1 to 200 bytes"));
                continue;
            }
            let place = if let Some(place) = self.places.get(&name) {
                *place
            } else {
                if self.columns.len() >= MAX_FIELDS {
                    return Err(ImportError::TooManyColumns);
                }
                self.columns.push(name.clone());
                self.places.insert(name, self.columns.len() - 1);
                self.columns.len() - 1
            };
            match cell(value, &mut warnings) {
                Ok(cell) => cells.push((place, cell)),
                Err(fault) => return Ok(Err(fault)),
            }
        }
        Ok(Ok(RawRow { number: self.number, id, geometry, cells, warnings }))
    }

    fn place_fault(&self, mut fault: Fault) -> Fault {
        fault.message = format!("feature {}: {}", self.number, fault.message);
        fault
    }
}

impl Source for GeoJsonSource {
    fn next(&mut self) -> Result<Next, ImportError> {
        if !self.cut()? {
            return Ok(Next::End);
        }
        self.number += 1;
        Ok(match self.row()? {
            Ok(row) => Next::Row(row),
            Err(fault) => Next::Bad(self.number, fault),
        })
    }

    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn has_places(&self) -> bool {
        true
    }
}

fn next_member(content: &mut Content, started: &mut bool, buffer: &mut Vec<u8>) -> Result<bool, ScanFault> {
    if content.take(b']')? {
        return Ok(false);
    }
    if *started {
        content.expect(b',', "a comma or the end of the features")?;
    }
    *started = true;
    content.value(buffer)?;
    Ok(true)
}

fn next_document(content: &mut Content, started: &mut bool, buffer: &mut Vec<u8>) -> Result<bool, ScanFault> {
    match content.peek()? {
        None if *started => return Ok(false),
        None => return Err(ScanFault::Early),
        Some(b'{') => {}
        Some(other) => return Err(ScanFault::Expected("another feature or the end of the file", other)),
    }
    *started = true;
    content.value(buffer)?;
    Ok(true)
}

fn next_filled(content: &mut Content, end: u8, buffer: &mut Vec<u8>) -> Result<bool, ScanFault> {
    while content.until(end, buffer)? {
        if !buffer.trim_ascii().is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Moves to the start of the `features` array and calls `each` with the name and text of other members; `false` if there
/// is no such array.
fn walk_to_features(content: &mut Content, each: &mut impl FnMut(&[u8], &[u8])) -> Result<bool, ScanFault> {
    content.expect(b'{', "a JSON object")?;
    if content.take(b'}')? {
        return Ok(false);
    }
    let (mut key, mut value) = (Vec::new(), Vec::new());
    loop {
        content.value(&mut key)?;
        content.expect(b':', "a colon")?;
        if key == b"\"features\"" && content.take(b'[')? {
            return Ok(true);
        }
        content.value(&mut value)?;
        each(&key, &value);
        if !content.take(b',')? {
            content.expect(b'}', "a comma or a closing brace")?;
            return Ok(false);
        }
    }
}

/// The system that the document's `crs` member names; the member may stand before or after the features.
fn declared_crs(path: &Path) -> Result<Crs, ImportError> {
    let read = Arc::new(AtomicU64::new(0));
    let mut content = Scanner::new(input::open(path, &read)?);
    let mut named = None;
    let mut look = |key: &[u8], value: &[u8]| {
        if key == b"\"crs\"" {
            named = serde_json::from_slice::<serde_json::Value>(value).ok();
        }
    };
    let mut walk = || -> Result<(), ScanFault> {
        if !walk_to_features(&mut content, &mut look)? {
            return Ok(());
        }
        let (mut key, mut value, mut started) = (Vec::new(), Vec::new(), false);
        while next_member(&mut content, &mut started, &mut value)? {}
        while content.take(b',')? {
            content.value(&mut key)?;
            content.expect(b':', "a colon")?;
            content.value(&mut value)?;
            look(&key, &value);
        }
        Ok(())
    };
    // The pass that imports the rows reports a fault, with its position.
    let _ = walk();
    match named {
        None | Some(serde_json::Value::Null) => Ok(Crs::Crs84),
        Some(member) => named_crs(&member),
    }
}

/// The system that a `crs` member names (GeoJSON 2008).
fn named_crs(member: &serde_json::Value) -> Result<Crs, ImportError> {
    let name =
        member.pointer("/properties/name").and_then(serde_json::Value::as_str).unwrap_or("without a name");
    crs_by_name(name).ok_or_else(|| ImportError::UnknownCrs(name.to_owned()))
}

fn crs_by_name(name: &str) -> Option<Crs> {
    let upper = name.to_ascii_uppercase();
    if upper.ends_with("CRS84") {
        return Some(Crs::Crs84);
    }
    let code = upper.rsplit([':', '/']).next()?.parse().ok()?;
    if upper.contains("EPSG") { Crs::from_epsg(code) } else { None }
}

fn parse_feature(text: &[u8]) -> Result<geojson::Feature, Fault> {
    let value: serde_json::Value = serde_json::from_slice(text).map_err(|error| {
        let fix = "write the feature as JSON (RFC 8259): no NaN, no Infinity, at most 128 levels deep";
        Fault::new("json", format!("not valid JSON: {error}"), fix)
    })?;
    let kind = value.get("type").and_then(serde_json::Value::as_str).unwrap_or("").to_owned();
    let not_a_feature = |message: String| {
        Fault::new("not-a-feature", message, "give features with type, geometry and properties (RFC 7946)")
    };
    match kind.as_str() {
        "Feature" => serde_json::from_value(value).map_err(|error| not_a_feature(error.to_string())),
        "Point" | "MultiPoint" | "LineString" | "MultiLineString" | "Polygon" | "MultiPolygon"
        | "GeometryCollection" => {
            let geometry = serde_json::from_value(value).map_err(|error| not_a_feature(error.to_string()))?;
            Ok(geojson::Feature { geometry: Some(geometry), ..Default::default() })
        }
        "" => Err(not_a_feature("the type is missing".to_owned())),
        other => Err(not_a_feature(format!("the type {other:?} is not Feature or a geometry type"))),
    }
}

/// The warning that heights or measures were left out.
pub(crate) fn height_dropped() -> Fault {
    Fault::new(
        "height-dropped",
        "heights or measures (Z, M) were left out",
        "nothing to do: longitude and latitude were imported",
    )
}
