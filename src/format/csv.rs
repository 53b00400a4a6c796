//! CSV: the id, longitude and latitude of points, then the fields under their public names.
//!
//! UTF-8, comma, a heading line, RFC 4180 quoting. Lines and areas have no columns of their own and are refused by
//! the caller. The import knows such a file by its first three headings, `feature_id`, `lon` and `lat`, and reads it back
//! whole: the first column is the features' ids, nothing is null, and a heading says where a column of a user's layer is
//! not what it looks like: `NAME (text)` for text that could be numbers or times, `NAME (text, \N is null)` where some
//! text is empty (then null is `\N` and a backslash in front has one more), `NAME (json)` for JSON. Other columns are
//! written as they would be read back; `NAME (plain)` if the name itself ends like one of these.

use std::io::Write;

use csv::Writer;

use crate::access::CollectionView;
use crate::model::CollectionClass;
use crate::model::FieldSchema;
use crate::model::FieldType;
use crate::model::GeometryType;
use crate::model::ValueRef;
use crate::model::feature::format_number;
use crate::model::time;
use crate::query::RowRef;
use crate::query::public_id;

/// Endings of headings that mean something.
const TEXT: &str = " (text)";
const TEXT_OR_NULL: &str = " (text, \\N is null)";
const JSON: &str = " (json)";
const PLAIN: &str = " (plain)";

/// Writes rows of one collection.
pub struct CsvWriter<'a, W: Write> {
    writer: Writer<W>,
    collection: &'a CollectionView,
    /// The ending of each field's heading.
    endings: Vec<&'static str>,
}

impl<'a, W: Write> CsvWriter<'a, W> {
    /// Writes the heading; `rows` are those that will follow.
    ///
    /// # Errors
    /// Of the output.
    pub fn new(output: W, collection: &'a CollectionView, rows: &[RowRef]) -> Result<Self, csv::Error> {
        let mut writer = Writer::from_writer(output);
        let schema = collection.schema();
        let taken = |name: &str| schema.fields.iter().any(|field| field.name.eq_ignore_ascii_case(name));
        let free = |name: &str| if taken(name) { format!("feature_{name}") } else { name.to_owned() };
        let endings: Vec<&str> = schema
            .fields
            .iter()
            .zip(0..)
            .map(|(field, place)| ending(collection, rows, field, place))
            .collect();
        let ids = if schema.numeric_ids { "" } else { TEXT };
        let mut heading = vec![format!("feature_id{ids}"), free("lon"), free("lat")];
        heading.extend(
            schema.fields.iter().zip(&endings).map(|(field, ending)| format!("{}{ending}", field.name)),
        );
        writer.write_record(&heading)?;
        Ok(Self { writer, collection, endings })
    }

    /// Writes a row.
    ///
    /// # Errors
    /// Of the output.
    pub fn row(&mut self, at: RowRef) -> Result<(), csv::Error> {
        let group = &self.collection.groups()[at.group as usize];
        let row = at.row as usize;
        self.writer.write_field(public_id(self.collection, at))?;
        let place = group
            .geometry(row)
            .filter(|geometry| geometry.kind == GeometryType::Point)
            .map(|geometry| geometry.positions[0]);
        self.writer.write_field(place.map_or_else(String::new, |place| place.lon_degrees().to_string()))?;
        self.writer.write_field(place.map_or_else(String::new, |place| place.lat_degrees().to_string()))?;
        for (field, ending) in self.endings.iter().enumerate() {
            let value = group.value(field, row);
            let text = match value {
                ValueRef::Null if *ending == TEXT_OR_NULL => "\\N".to_owned(),
                ValueRef::Text(text) if *ending == TEXT_OR_NULL && text.starts_with('\\') => {
                    format!("\\{text}")
                }
                _ => value.to_text(),
            };
            self.writer.write_field(text)?;
        }
        self.writer.write_record(None::<&[u8]>)
    }

    /// Hands the last bytes on.
    ///
    /// # Errors
    /// Of the output.
    pub fn finish(mut self) -> std::io::Result<()> {
        self.writer.flush()
    }
}

/// How the heading of a field ends. The types of a collection that comes with the program are known without.
fn ending(collection: &CollectionView, rows: &[RowRef], field: &FieldSchema, place: usize) -> &'static str {
    let texts = || {
        rows.iter().filter_map(|at| {
            match collection.groups()[at.group as usize].value(place, at.row as usize) {
                ValueRef::Text(text) => Some(text),
                _ => None,
            }
        })
    };
    let unclear = [TEXT, TEXT_OR_NULL, JSON, PLAIN].iter().any(|ending| field.name.ends_with(ending));
    let plain = if unclear { PLAIN } else { "" };
    match field.field_type {
        FieldType::List if collection.schema().class != CollectionClass::Layer => plain,
        FieldType::Json | FieldType::List => JSON,
        FieldType::Text if texts().any(str::is_empty) => TEXT_OR_NULL,
        FieldType::Text if collection.schema().class == CollectionClass::Layer => {
            let mut texts = texts().peekable();
            if texts.peek().is_some() && texts.all(looks_otherwise) { TEXT } else { plain }
        }
        _ => plain,
    }
}

/// Whether a text alone would be read as something else.
fn looks_otherwise(text: &str) -> bool {
    matches!(text, "true" | "false")
        || text.parse::<i64>().is_ok_and(|number| number.to_string() == text)
        || text.parse::<f64>().is_ok_and(|number| number.is_finite() && format_number(number + 0.0) == text)
        || time::parse_date(text).is_some()
        || time::parse_instant(text).is_some()
}
