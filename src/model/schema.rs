//! Schema files: one collection's fields, types, units and rules, in TOML.
//!
//! In: the text of a `data/schema/*.toml` file or of a stored schema. Out: [`CollectionSchema`].
//! `build.rs` reads this very file, so that a schema that would be refused at run time does not compile.
//! Not here: how a field is stored (`store`) or held in memory (`snapshot`).

use serde::{Deserialize, Serialize};

/// The longest collection id and field name, in bytes: bounds every table, parameter and URL made from them.
pub const MAX_NAME_BYTES: usize = 200;
/// The lifecycles a field may name; `model::lifecycle` has their states and transitions.
pub const LIFECYCLES: [&str; 6] = ["line", "closure", "restriction", "address", "referral", "deployment"];
/// Rules of derived fields: how many lines run from a hub, or to a town, on the day of the picture.
pub const DERIVED: [&str; 2] = ["lines-from", "lines-to"];
/// The rule of a derived geometry: the legs that name a row as their line.
pub const DERIVED_GEOMETRY: &str = "legs";
/// The most fields one collection may have (SQLite's column limit is 2,000; system columns take twenty).
pub const MAX_FIELDS: usize = 1_000;

/// One collection: what it is called, what its rows are, which fields they have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of the collection")]
pub struct CollectionSchema {
    /// The OGC collection id, used in paths.
    pub id: String,
    /// A human-readable title.
    #[serde(default)]
    pub title: String,
    /// What the rows are, in one or two sentences.
    #[serde(default)]
    pub description: String,
    /// Reference facts, the register, or a layer a user brought.
    pub class: CollectionClass,
    /// The kind of geometry the rows have.
    pub geometry: SchemaGeometry,
    /// The field whose value is a row's id outside, if a field has that part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// Whether rows carry the feature ids of the file they came from.
    #[serde(default, skip_serializing_if = "is_false")]
    pub feature_ids: bool,
    /// Whether every feature id is a whole number and is written as one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub numeric_ids: bool,
    /// The field or the pair (start, end) that answers `datetime`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub time: Vec<String>,
    /// Whether the areas share borders that must stay shared when simplified.
    #[serde(default, skip_serializing_if = "is_false")]
    pub coverage: bool,
    /// Whether a layer is everyone's: its open rows are then shown to whoever asks. Else it is its owner's.
    #[serde(default, skip_serializing_if = "is_false")]
    pub open: bool,
    /// The deepest zoom at which the collection may be looked at, where its places are not to be told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_zoom: Option<u8>,
    /// The rule by which the View makes the rows' geometry; such a geometry is never stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived_geometry: Option<String>,
    /// EPSG code of the original coordinates, where they are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_crs: Option<u32>,
    /// Who to name beside a map of this collection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<String>,
    /// The licence of the data, as an SPDX id or a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// The fields, in the order of every table and CSV heading.
    #[serde(default, rename = "field", skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldSchema>,
}

/// One field of a collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldSchema {
    /// The public name, exactly as it appears in files and answers.
    pub name: String,
    /// The type of every value.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// The unit as a UCUM code (`m`, `s`, `/wk`), if the value has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The least value that makes sense, of a number: rows with less are refused at import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// A human-readable title; the name where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What the value means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether filters may use it.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub queryable: bool,
    /// Whether answers may be sorted by it.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub sortable: bool,
    /// Who may see the field: `open`, `limited` or `restricted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<String>,
    /// The rule by which the View computes it; such a field is never stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<String>,
    /// The precision at which the field gives a place away (`P0` to `P4`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reveals: Option<String>,
    /// The collection whose ids the values are.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub references: Option<String>,
    /// The lifecycle whose states the values are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<String>,
}

/// The type of a field's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// `true` or `false`.
    Boolean,
    /// A whole number of 64 bits.
    Integer,
    /// A finite IEEE 754 double.
    Number,
    /// UTF-8 text.
    Text,
    /// A JSON object or array, kept as written.
    Json,
    /// A calendar day, `2031-03-01`.
    Date,
    /// An instant, `2031-03-01T12:00:00Z`, to the microsecond.
    Timestamp,
}

impl FieldType {
    /// The word used in schema files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Text => "text",
            Self::Json => "json",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
        }
    }
}

/// What part a collection plays: decides who may see it and whether it may be mixed with real data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CollectionClass {
    /// Public facts that come with the product: stations, forces, regions.
    Reference,
    /// The register: lines, addresses, sightings. Synthetic or operational for the life of a store.
    Register,
    /// What is released of the register for those who may not see its rows: cells, counts, figures.
    Release,
    /// A layer a user imported.
    Layer,
}

/// The kind of geometry a collection's rows have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SchemaGeometry {
    /// Rows have no geometry.
    None,
    /// Points and multi-points.
    Point,
    /// Lines and multi-lines.
    Line,
    /// Polygons and multi-polygons; schemas of older stores say `area`.
    #[serde(alias = "area")]
    Polygon,
    /// More than one of them, or not known yet.
    Any,
}

/// Why a schema was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct SchemaError {
    /// One-based line in the schema text.
    pub line: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

impl CollectionSchema {
    /// An empty schema for a layer of the given id.
    #[must_use]
    pub fn layer(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            title: id.to_owned(),
            description: String::new(),
            class: CollectionClass::Layer,
            geometry: SchemaGeometry::Any,
            identifier: None,
            feature_ids: false,
            numeric_ids: false,
            time: Vec::new(),
            coverage: false,
            open: false,
            max_zoom: None,
            derived_geometry: None,
            storage_crs: None,
            attribution: None,
            licence: None,
            fields: Vec::new(),
        }
    }

    /// Reads and checks a schema.
    ///
    /// # Errors
    /// [`SchemaError`] with the line and what would be right.
    pub fn parse(text: &str) -> Result<Self, SchemaError> {
        let schema: Self = toml::from_str(text).map_err(|error| SchemaError {
            line: error.span().map_or(1, |span| line_of(text, span.start)),
            message: error.message().to_owned(),
        })?;
        schema.check().map_err(|(place, message)| SchemaError { line: place.line_in(text), message })?;
        Ok(schema)
    }

    /// Reads and checks a schema file; a fault is told as `file:line: what is wrong`.
    ///
    /// # Errors
    /// That text.
    pub fn parse_file(file: &str, text: &str) -> Result<Self, String> {
        let schema =
            Self::parse(text).map_err(|error| format!("{file}:{}: {}", error.line, error.message))?;
        let stem = file.rsplit('/').next().unwrap_or(file);
        if stem != format!("{}.toml", schema.id) {
            return Err(format!("{file}:1: the file must be named after its id, {}.toml", schema.id));
        }
        Ok(schema)
    }

    /// The schema as TOML that [`Self::parse`] reads back to an equal value.
    ///
    /// # Errors
    /// [`SchemaError`] if a name cannot be written, which no checked schema does.
    pub fn to_toml(&self) -> Result<String, SchemaError> {
        toml::to_string(self).map_err(|error| SchemaError { line: 1, message: error.to_string() })
    }

    /// The index of a field by its exact name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// The same collection with only the fields at some places, as somebody sees it who may not see the others.
    #[must_use]
    pub fn with_fields(&self, places: &[usize]) -> Self {
        let fields: Vec<FieldSchema> = places.iter().map(|place| self.fields[*place].clone()).collect();
        let there = |name: &String| fields.iter().any(|field| field.name == *name);
        // A time that is half hidden is no time.
        let time = if self.time.iter().all(there) { self.time.clone() } else { Vec::new() };
        let identifier = self.identifier.clone().filter(there);
        Self { identifier, time, fields, ..self.clone() }
    }

    /// The same collection without what is computed from other rows: as the store has it.
    #[must_use]
    pub fn stored(&self) -> Self {
        let fields = self.fields.iter().filter(|field| field.derived.is_none()).cloned().collect();
        Self { fields, derived_geometry: None, ..self.clone() }
    }

    /// The text field that names a row for people: `name`, `title`, `label` or `brand`, else the first that ends in `_name`.
    #[must_use]
    pub fn label_field(&self) -> Option<usize> {
        let text = |field: &FieldSchema| field.field_type == FieldType::Text;
        let called = |wanted: &str| {
            self.fields.iter().position(|field| text(field) && field.name.eq_ignore_ascii_case(wanted))
        };
        ["name", "title", "label", "brand"].into_iter().find_map(called).or_else(|| {
            self.fields
                .iter()
                .position(|field| text(field) && field.name.to_ascii_lowercase().ends_with("_name"))
        })
    }

    fn check(&self) -> Result<(), (Place, String)> {
        if !is_collection_id(&self.id) {
            return Err((
                Place::Key("id"),
                format!(
                    "the id {:?} must be 1 to {MAX_NAME_BYTES} letters, digits, '-', '_' or '.', starting with a letter or digit",
                    self.id
                ),
            ));
        }
        if self.fields.len() > MAX_FIELDS {
            return Err((Place::Field(MAX_FIELDS), format!("more than {MAX_FIELDS} fields")));
        }
        for (index, field) in self.fields.iter().enumerate() {
            if field.name.is_empty() || field.name.len() > MAX_NAME_BYTES {
                return Err((Place::Field(index), format!("a field name has 1 to {MAX_NAME_BYTES} bytes")));
            }
            if self.fields[..index].iter().any(|earlier| earlier.name == field.name) {
                return Err((Place::Field(index), format!("the field {:?} is there twice", field.name)));
            }
            if let Some(word) = &field.sensitivity
                && !matches!(word.as_str(), "open" | "limited" | "restricted")
            {
                return Err((
                    Place::Field(index),
                    format!("sensitivity {word:?} must be open, limited or restricted"),
                ));
            }
            if let Some(word) = &field.lifecycle
                && (field.field_type != FieldType::Text || !LIFECYCLES.contains(&word.as_str()))
            {
                return Err((
                    Place::Field(index),
                    format!(
                        "lifecycle {word:?} must stand on a text field and be one of {}",
                        LIFECYCLES.join(", ")
                    ),
                ));
            }
            if let Some(minimum) = field.minimum
                && !(minimum.is_finite()
                    && matches!(field.field_type, FieldType::Integer | FieldType::Number))
            {
                return Err((
                    Place::Field(index),
                    format!("minimum {minimum} must be a finite number and stand on an integer or a number"),
                ));
            }
            if let Some(word) = &field.reveals
                && !matches!(word.as_str(), "P0" | "P1" | "P2" | "P3" | "P4")
            {
                return Err((Place::Field(index), format!("reveals {word:?} must be P0, P1, P2, P3 or P4")));
            }
        }
        let first = self.fields.iter().position(|field| field.derived.is_some()).unwrap_or(self.fields.len());
        for (index, field) in self.fields.iter().enumerate().skip(first) {
            let known = field.derived.as_deref().is_some_and(|rule| DERIVED.contains(&rule));
            if !known || field.field_type != FieldType::Integer {
                let rules = DERIVED.join(" or ");
                let message = format!(
                    "fields from the first derived one on are integers and have derived = {rules}: {:?} is not so",
                    field.name
                );
                return Err((Place::Field(index), message));
            }
        }
        if let Some(rule) = &self.derived_geometry
            && (rule != DERIVED_GEOMETRY || self.geometry != SchemaGeometry::None)
        {
            let message = format!(
                "derived_geometry must be {DERIVED_GEOMETRY:?}, of a collection with geometry = \"none\""
            );
            return Err((Place::Key("derived_geometry"), message));
        }
        if let Some(name) = &self.identifier
            && self.position(name).is_none()
        {
            return Err((Place::Key("identifier"), format!("identifier names {name:?}, which is no field")));
        }
        if self.time.len() > 2 {
            return Err((Place::Key("time"), "time names one field, or a start and an end".to_owned()));
        }
        for name in &self.time {
            if self.position(name).is_none() {
                return Err((Place::Key("time"), format!("time names {name:?}, which is no field")));
            }
        }
        Ok(())
    }
}

/// Whether `id` can stand in a path, a table name and a file name as it is.
#[must_use]
pub fn is_collection_id(id: &str) -> bool {
    let mut bytes = id.bytes();
    id.len() <= MAX_NAME_BYTES
        && bytes.next().is_some_and(|first| first.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// Where in a schema text a check failed.
enum Place {
    Key(&'static str),
    Field(usize),
}

impl Place {
    fn line_in(&self, text: &str) -> usize {
        let mut lines = text.lines().enumerate();
        let found = match self {
            Self::Key(key) => lines.find(|(_, line)| {
                line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
            }),
            Self::Field(index) => {
                lines.filter(|(_, line)| line.trim_start().starts_with("[[field]]")).nth(*index)
            }
        };
        found.map_or(1, |(index, _)| index + 1)
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count() + 1
}

fn yes() -> bool {
    true
}

// serde's `skip_serializing_if` passes a reference.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde calls")]
fn is_true(value: &bool) -> bool {
    *value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde calls")]
fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "id = \"hubs\"\nclass = \"register\"\ngeometry = \"point\"\ntime = [\"seen\"]\n\n[[field]]\nname = \"seen\"\ntype = \"date\"\n\n[[field]]\nname = \"trips per week\"\ntype = \"number\"\nunit = \"/wk\"\nminimum = 0\nsortable = false\n";

    #[test]
    fn a_schema_survives_writing_and_reading() {
        let schema = CollectionSchema::parse(GOOD).unwrap();
        assert_eq!(schema.fields[1].unit.as_deref(), Some("/wk"));
        assert_eq!(schema.fields[1].minimum, Some(0.0));
        assert!(schema.fields[0].sortable && !schema.fields[1].sortable);
        assert_eq!(CollectionSchema::parse(&schema.to_toml().unwrap()).unwrap(), schema);
    }

    #[test]
    fn rows_are_named_by_the_field_that_says_so() {
        let mut schema = CollectionSchema::parse(GOOD).unwrap();
        assert_eq!(schema.label_field(), None);
        for (name, field_type) in
            [("station_name", FieldType::Text), ("title", FieldType::Integer), ("Name", FieldType::Text)]
        {
            let field = FieldSchema { name: name.to_owned(), field_type, ..schema.fields[0].clone() };
            schema.fields.push(field);
        }
        assert_eq!(schema.label_field(), Some(4));
        schema.fields.pop();
        assert_eq!(schema.label_field(), Some(2));
    }

    #[test]
    fn faults_name_their_line() {
        for (from, to, line, word) in [
            ("\"number\"", "\"float\"", 12, "float"),
            ("trips per week", "seen", 10, "twice"),
            ("[\"seen\"]", "[\"when\"]", 4, "when"),
            ("\"hubs\"", "\"a/b\"", 1, "a/b"),
            ("unit =", "units =", 13, "units"),
            ("type = \"date\"", "type = \"date\"\nminimum = 0", 6, "minimum"),
        ] {
            let error = CollectionSchema::parse(&GOOD.replace(from, to)).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.message.contains(word), "{error}");
        }
    }
}
