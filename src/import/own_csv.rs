//! CSV as our own export writes it, known by the start of its heading line: the first column is the features' ids, and
//! headings say which columns are not what they look like. `format::csv` writes it and says the rules.

use crate::import::Cell;
use crate::import::cells;
use crate::import::report::Fault;

/// How a column is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// As it looks; nothing is null.
    Plain,
    /// As text, whatever it looks like; nothing is null.
    Text,
    /// As text; `\N` is null and nothing an empty text, other texts that start with a backslash have one more.
    TextOrNull,
    /// As JSON; nothing is null.
    Json,
}

/// The heading of such a file.
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

/// Whether a file starts as one of ours.
pub(super) fn starts_as_ours(start: &[u8]) -> bool {
    let end = start.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(start.len());
    let Ok(line) = std::str::from_utf8(&start[..end]) else { return false };
    let mut headings = line.splitn(LEADING + 1, ',');
    let mut is = |names: [&str; 2]| headings.next().is_some_and(|heading| names.contains(&heading));
    is(["feature_id", "feature_id (text)"]) && is(["lon", "feature_lon"]) && is(["lat", "feature_lat"])
}

impl OwnCsv {
    /// Reads a heading, and gives the fields' names.
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

    /// The id of a row, and whether it is a whole number.
    pub(super) fn id(&self, text: &str) -> Option<(String, bool)> {
        let numeric = self.numeric_ids && text.parse::<i64>().is_ok_and(|number| number.to_string() == text);
        (!text.is_empty()).then(|| (text.to_owned(), numeric))
    }

    /// The value of a cell, `None` for null.
    ///
    /// # Errors
    /// [`Fault`] for a cell of a JSON column that is no JSON.
    pub(super) fn cell(
        &self,
        place: usize,
        text: &str,
        warnings: &mut Vec<Fault>,
    ) -> Result<Option<Cell>, Fault> {
        let written = self.columns.get(place).copied().unwrap_or(Written::Plain);
        if text.is_empty() && written != Written::TextOrNull {
            return Ok(None);
        }
        Ok(match written {
            Written::Plain => Some(Cell::Word(text.to_owned())),
            Written::TextOrNull if text == "\\N" => None,
            Written::TextOrNull if text.starts_with("\\\\") => Some(Cell::Text(text[1..].to_owned())),
            Written::Text | Written::TextOrNull => Some(Cell::Text(text.to_owned())),
            Written::Json => {
                let value = serde_json::from_str(text).map_err(|error| {
                    let fix = "write the cell as JSON (RFC 8259), or leave \"(json)\" out of the heading";
                    Fault::new("json", format!("no sound JSON: {error}"), fix)
                })?;
                Some(cells::cell(value, warnings)?)
            }
        })
    }
}
