//! CSV: the feature id, the longitude and latitude of points, then the fields under their public names.
//!
//! UTF-8, separated by commas, with a heading line, quoted as in RFC 4180. CSV has no columns for lines and polygons, so
//! the caller refuses them. The import recognises such a file by its first three headings, `feature_id`, `lon` and `lat`
//! (`feature_lon` and `feature_lat` if a field has that name), and reads all values back. An empty cell is null. The
//! endings of headings say how a column is written:
//! - `NAME (text)`: text of a layer that would be read as numbers, times or truth values;
//! - `NAME (text, \N is null)`: text of which some is empty; here null is `\N`, and a text that begins with a backslash
//!   has one more;
//! - `NAME (json)`: JSON;
//! - `NAME (plain)`: a column like all others, with a name that itself ends like one of these.

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

/// Endings of headings that say how a column is written.
const TEXT: &str = " (text)";
const TEXT_OR_NULL: &str = " (text, \\N is null)";
const JSON: &str = " (json)";
const PLAIN: &str = " (plain)";

/// Writes rows of one collection as CSV.
pub struct CsvWriter<'a, W: Write> {
    writer: Writer<W>,
    collection: &'a CollectionView,
    /// The ending of each field's heading.
    endings: Vec<&'static str>,
}

impl<'a, W: Write> CsvWriter<'a, W> {
    /// Writes the heading line. `rows` must be all rows that will be written: their values decide the endings of headings.
    ///
    /// # Errors
    /// If writing to the output fails.
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
    /// If writing to the output fails.
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

    /// Writes the last bytes to the output.
    ///
    /// # Errors
    /// If writing to the output fails.
    pub fn finish(mut self) -> std::io::Result<()> {
        self.writer.flush()
    }
}

/// The ending of a field's heading. Text fields of built-in collections never need `(text)`: the import knows their type.
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

/// Whether an import would read the text as another type.
fn looks_otherwise(text: &str) -> bool {
    matches!(text, "true" | "false")
        || text.parse::<i64>().is_ok_and(|number| number.to_string() == text)
        || text.parse::<f64>().is_ok_and(|number| number.is_finite() && format_number(number + 0.0) == text)
        || time::parse_date(text).is_some()
        || time::parse_instant(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use proptest::prelude::*;
    use serde_json::json;

    use crate::access::Gate;
    use crate::access::Principal;
    use crate::access::View;
    use crate::import::About;
    use crate::import::ImportOptions;
    use crate::import::import;
    use crate::import::unwatched;
    use crate::model::Provenance;
    use crate::store::Store;

    /// All that the operator sees of a layer of these features.
    fn view(features: &[serde_json::Value]) -> Arc<View> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p.geojson");
        std::fs::write(&file, json!({"type": "FeatureCollection", "features": features}).to_string())
            .unwrap();
        let store = Arc::new(Store::open_or_create(&folder.path().join("s.gpkg")).unwrap());
        let options = ImportOptions {
            into: "p".into(),
            format: None,
            layer: None,
            id: None,
            time: Vec::new(),
            about: About::default(),
            provenance: Provenance::open("local"),
            dry_run: false,
            strict: true,
        };
        import(&store, &file, &options, &unwatched()).unwrap();
        Gate::open(store).unwrap().view(&Principal::LocalOperator)
    }

    fn feature(id: &str, place: Option<[f64; 2]>, properties: &serde_json::Value) -> serde_json::Value {
        let geometry = place.map(|place| json!({"type": "Point", "coordinates": place}));
        json!({"type": "Feature", "id": id, "geometry": geometry, "properties": properties})
    }

    /// The table as the `csv` crate reads it: the heading, and the rows by their id.
    fn table(view: &View) -> (Vec<String>, Vec<Vec<String>>) {
        let collection = view.collection("p").unwrap();
        let groups = collection.groups().iter().zip(0..);
        let rows: Vec<RowRef> = groups
            .flat_map(|(group, number)| (0..group.len() as u32).map(move |row| RowRef { group: number, row }))
            .collect();
        let mut out = Vec::new();
        let mut writer = CsvWriter::new(&mut out, collection, &rows).unwrap();
        for at in &rows {
            writer.row(*at).unwrap();
        }
        writer.finish().unwrap();
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(false).from_reader(out.as_slice());
        let mut lines: Vec<Vec<String>> =
            reader.records().map(|line| line.unwrap().iter().map(str::to_owned).collect()).collect();
        let heading = lines.remove(0);
        lines.sort();
        (heading, lines)
    }

    #[test]
    fn headings_say_which_texts_are_not_what_they_look_like() {
        let view = view(&[
            feature(
                "a",
                Some([-1.5, 52.0]),
                &json!({
                "lat": 7, "code": "007", "number": "12", "note": "", "tags": ["x"], "free (text)": "f", "day": "2031-03-01"}),
            ),
            feature(
                "b",
                None,
                &json!({
                "lat": null, "code": "x", "number": "13", "note": "\\N", "tags": null, "free (text)": "g", "day": null}),
            ),
        ]);
        let (heading, rows) = table(&view);
        assert_eq!(
            heading,
            [
                "feature_id (text)",
                "lon",
                "feature_lat",
                "lat",
                "code",
                "number (text)",
                "note (text, \\N is null)",
                "tags (json)",
                "free (text) (plain)",
                "day"
            ]
        );
        assert_eq!(rows[0], ["a", "-1.5", "52", "7", "007", "12", "", "[\"x\"]", "f", "2031-03-01"]);
        // Null and the text that stands for it are two things.
        assert_eq!(rows[1], ["b", "", "", "", "x", "13", "\\\\N", "", "g", ""]);
    }

    /// Texts with everything that quoting is for, and those that the marks of null are made of.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![Just(String::new()), "\\\\{1,2}N?", "[ -~\r\n\t\"',;é]{0,12}"]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn any_text_comes_back_from_another_reader(
            texts in proptest::collection::vec(proptest::option::of(text()), 1..20)
        ) {
            let features: Vec<_> = texts
                .iter()
                .enumerate()
                .map(|(number, text)| feature(&format!("{number:02}"), None, &json!({"always": "x y", "t": text})))
                .collect();
            let (heading, rows) = table(&view(&features));
            let at = heading.iter().position(|name| name == "t" || name.starts_with("t ("));
            // A column of nulls only has no type of its own.
            let Some(at) = at else { return Ok(()) };
            let marked = heading[at].ends_with(TEXT_OR_NULL);
            prop_assert_eq!(marked, texts.iter().flatten().any(String::is_empty));
            for (row, text) in rows.iter().zip(&texts) {
                let cell = &row[at];
                let back = match (marked, cell.as_str()) {
                    (true, "\\N") | (false, "") => None,
                    (true, cell) => Some(cell.strip_prefix('\\').unwrap_or(cell).to_owned()),
                    (false, cell) => Some(cell.to_owned()),
                };
                prop_assert_eq!(&back, text);
            }
        }
    }
}
