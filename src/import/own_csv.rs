//! CSV that our own export wrote, recognised by the start of its heading line. The first column has the feature ids, and
//! endings of headings say how a column is written. `format::csv` writes such files and documents the rules.

use crate::import::CellValue;
use crate::import::cells;
use crate::import::report::Fault;

/// How a column is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// As it looks; an empty cell is null.
    Plain,
    /// As text, whatever it looks like; an empty cell is null.
    Text,
    /// As text; `\N` is null, an empty cell is an empty text, and any other text that starts with a backslash has one more.
    TextOrNull,
    /// As JSON; an empty cell is null.
    Json,
}

/// The meaning of the heading of such a file.
#[derive(Debug)]
pub(super) struct OwnCsv {
    numeric_ids: bool,
    columns: Vec<Written>,
}

/// Columns before the fields: id, longitude, latitude.
pub(super) const LEADING: usize = 3;

const ENDINGS: [(&str, Written); 4] = [
    (" (plain)", Written::Plain),
    (" (text)", Written::Text),
    (" (text, \\N is null)", Written::TextOrNull),
    (" (json)", Written::Json),
];

/// Whether the start of a file is that of our own export.
pub(super) fn starts_as_ours(start: &[u8]) -> bool {
    let end = start.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(start.len());
    let Ok(line) = std::str::from_utf8(&start[..end]) else { return false };
    let mut headings = line.splitn(LEADING + 1, ',');
    let mut is = |names: [&str; 2]| headings.next().is_some_and(|heading| names.contains(&heading));
    is(["feature_id", "feature_id (text)"]) && is(["lon", "feature_lon"]) && is(["lat", "feature_lat"])
}

impl OwnCsv {
    /// Reads the headings; returns their meaning and the names of the fields.
    pub(super) fn of(headings: &[String]) -> (Self, Vec<String>) {
        let mut own = Self {
            numeric_ids: headings.first().is_some_and(|heading| heading == "feature_id"),
            columns: vec![Written::Plain; LEADING.min(headings.len())],
        };
        let mut names = Vec::new();
        for heading in headings.iter().skip(LEADING) {
            let found = ENDINGS.iter().find_map(|(ending, written)| {
                heading.strip_suffix(ending).filter(|name| !name.is_empty()).map(|name| (name, *written))
            });
            let (name, written) = found.unwrap_or((heading, Written::Plain));
            names.push(name.to_owned());
            own.columns.push(written);
        }
        (own, names)
    }

    /// The feature id of a row, and whether it is a whole number; `None` if the cell is empty.
    pub(super) fn id(&self, text: &str) -> Option<(String, bool)> {
        let numeric = self.numeric_ids && text.parse::<i64>().is_ok_and(|number| number.to_string() == text);
        (!text.is_empty()).then(|| (text.to_owned(), numeric))
    }

    /// The value of the cell with index `place`; `None` for null.
    ///
    /// # Errors
    /// [`Fault`] `json` for a cell of a JSON column that is not valid JSON; as [`cells::cell`].
    pub(super) fn cell(
        &self,
        place: usize,
        text: &str,
        warnings: &mut Vec<Fault>,
    ) -> Result<Option<CellValue>, Fault> {
        let written = self.columns.get(place).copied().unwrap_or(Written::Plain);
        if text.is_empty() && written != Written::TextOrNull {
            return Ok(None);
        }
        Ok(match written {
            Written::Plain => Some(CellValue::Word(text.to_owned())),
            Written::TextOrNull if text == "\\N" => None,
            Written::TextOrNull if text.starts_with("\\\\") => Some(CellValue::Text(text[1..].to_owned())),
            Written::Text | Written::TextOrNull => Some(CellValue::Text(text.to_owned())),
            Written::Json => {
                let value = serde_json::from_str(text).map_err(|error| {
                    let fix = "write the cell as JSON (RFC 8259), or leave \"(json)\" out of the heading";
                    Fault::new("json", format!("not valid JSON: {error}"), fix)
                })?;
                Some(cells::cell(value, warnings)?)
            }
        })
    }
}
