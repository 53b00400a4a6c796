//! Schema files in TOML: the fields, types, units and rules of one collection.
//!
//! In: the text of a `data/schema/*.toml` file or of a stored schema. Out: [`CollectionSchema`].
//! `build.rs` includes this source file and checks `data/schema/` with it: a schema that would be refused at run time
//! does not compile. Not here: how a field is stored (`store`) or held in memory (`snapshot`).

use serde::{Deserialize, Serialize};

/// The longest collection id and the longest field name, in bytes. It bounds table names, parameters and URLs.
pub const MAX_NAME_BYTES: usize = 200;
/// The lifecycles a field may name; `model::lifecycle` has their states and transitions.
pub const LIFECYCLES: [&str; 6] = ["line", "closure", "restriction", "address", "referral", "deployment"];
/// The rules of derived fields: the number of lines that run from a hub, or to a town, on the reference date.
pub const DERIVED: [&str; 2] = ["lines-from", "lines-to"];
/// The rule of a derived geometry: the geometry of all legs that name the row as their line.
pub const DERIVED_GEOMETRY: &str = "legs";
/// The most fields that a collection may have. SQLite allows 2,000 columns, and system columns take twenty.
pub const MAX_FIELDS: usize = 1_000;

/// The schema of one collection: its names, its kind of rows and their fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent property of the collection")]
pub struct CollectionSchema {
    /// The OGC collection id, which paths use.
    pub id: String,
    /// A title for people.
    #[serde(default)]
    pub title: String,
    /// What the rows are, in one or two sentences.
    #[serde(default)]
    pub description: String,
    /// Whether the rows are reference facts, part of the register, a release or a layer that a user imported.
    pub class: CollectionClass,
    /// The kind of geometry the rows have.
    pub geometry: SchemaGeometry,
    /// The field that gives a row its public id, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// Whether rows have the feature ids of the file that they were imported from.
    #[serde(default, skip_serializing_if = "is_false")]
    pub feature_ids: bool,
    /// Whether all feature ids are whole numbers and are written as numbers.
    #[serde(default, skip_serializing_if = "is_false")]
    pub numeric_ids: bool,
    /// The field, or the pair of fields (start, end), that the parameter `datetime` is compared with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub time: Vec<String>,
    /// Whether the polygons share borders that must still match when they are simplified.
    #[serde(default, skip_serializing_if = "is_false")]
    pub coverage: bool,
    /// Whether everyone may see the open rows of a layer. If not, only its owner sees them.
    #[serde(default, skip_serializing_if = "is_false")]
    pub open: bool,
    /// The highest zoom level that the collection is drawn at, for one that must not be looked at closely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_zoom: Option<u8>,
    /// The rule by which the View computes the rows' geometry; such a geometry is never stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived_geometry: Option<String>,
    /// The EPSG code of the original coordinates, if they are stored too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_crs: Option<u32>,
    /// The source that a map of this collection must name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<String>,
    /// The licence of the data, as an SPDX id or a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// The fields, in the order of columns in tables and CSV files.
    #[serde(default, rename = "field", skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldSchema>,
}

/// One field of a collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldSchema {
    /// The public name, exactly as files and answers write it.
    pub name: String,
    /// The type of the values.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// The unit as a UCUM code (`m`, `s`, `/wk`), if the values have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The least value of a number; an import refuses rows with a lower one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// A title for people; the name stands for a missing one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The meaning of the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether filters may use the field.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub queryable: bool,
    /// Whether answers may be sorted by the field.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub sortable: bool,
    /// Who may see the field: `open`, `limited` or `restricted`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<String>,
    /// The rule by which the View computes the field; such a field is never stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived: Option<String>,
    /// The precision of place that the field's value discloses (`P0` to `P4`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reveals: Option<String>,
    /// The collection that the values refer to: they are ids of its rows.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub references: Option<String>,
    /// The lifecycle that the values are states of.
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
    /// A list of texts, as a JSON array.
    List,
    /// A JSON object or array, as it was written.
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
            Self::List => "list",
            Self::Json => "json",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
        }
    }
}

/// The class of a collection: it decides who may see the rows and whether synthetic and real rows may be mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CollectionClass {
    /// Public facts that come with the program: stations, forces, regions.
    Reference,
    /// The register: lines, addresses, sightings. It is synthetic or operational for the life of a store.
    Register,
    /// Released figures about the register, for callers who may not see its rows: cells and counts.
    Release,
    /// A layer that a user imported.
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
    /// More than one kind, or not known yet.
    Any,
}

/// The reason why a schema was refused, and its line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct SchemaError {
    /// The line of the schema text, counted from 1.
    pub line: usize,
    /// What is wrong, and what would be right.
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
    /// [`SchemaError`] with the line, what is wrong there, and what would be right.
    pub fn parse(text: &str) -> Result<Self, SchemaError> {
        let schema: Self = toml::from_str(text).map_err(|error| SchemaError {
            line: error.span().map_or(1, |span| line_of(text, span.start)),
            message: error.message().to_owned(),
        })?;
        schema.check().map_err(|(place, message)| SchemaError { line: place.line_in(text), message })?;
        Ok(schema)
    }

    /// Reads and checks a schema file. Its name must be the collection's id and `.toml`.
    ///
    /// # Errors
    /// A text of the form `file:line: what is wrong`.
    pub fn parse_file(file: &str, text: &str) -> Result<Self, String> {
        let schema =
            Self::parse(text).map_err(|error| format!("{file}:{}: {}", error.line, error.message))?;
        let stem = file.rsplit('/').next().unwrap_or(file);
        if stem != format!("{}.toml", schema.id) {
            return Err(format!("{file}:1: the id is {0:?}, so the file must be named {0}.toml", schema.id));
        }
        Ok(schema)
    }

    /// The schema as TOML that [`Self::parse`] reads back to an equal value.
    ///
    /// # Errors
    /// [`SchemaError`] if a name cannot be written as TOML. A checked schema has no such name.
    pub fn to_toml(&self) -> Result<String, SchemaError> {
        toml::to_string(self).map_err(|error| SchemaError { line: 1, message: error.to_string() })
    }

    /// The index of the field with exactly this name; `None` if there is none.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// The schema for a caller who may see only the fields at these indexes, in this order.
    #[must_use]
    pub fn with_fields(&self, places: &[usize]) -> Self {
        let fields: Vec<FieldSchema> = places.iter().map(|place| self.fields[*place].clone()).collect();
        let there = |name: &String| fields.iter().any(|field| field.name == *name);
        // If the caller may not see one of the two time fields, the rows have no time for that caller.
        let time = if self.time.iter().all(there) { self.time.clone() } else { Vec::new() };
        let identifier = self.identifier.clone().filter(there);
        Self { identifier, time, fields, ..self.clone() }
    }

    /// The schema of what the store holds: without the fields and the geometry that are computed from other rows.
    #[must_use]
    pub fn stored(&self) -> Self {
        let fields = self.fields.iter().filter(|field| field.derived.is_none()).cloned().collect();
        Self { fields, derived_geometry: None, ..self.clone() }
    }

    /// The index of the text field that names a row for people: `name`, `title`, `label` or `brand` (in any case), else
    /// the first that ends in `_name`; `None` if there is none.
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
            return Err((Place::Field(MAX_FIELDS), format!("the schema has more than {MAX_FIELDS} fields")));
        }
        for (index, field) in self.fields.iter().enumerate() {
            if field.name.is_empty() || field.name.len() > MAX_NAME_BYTES {
                return Err((
                    Place::Field(index),
                    format!("a field name must have 1 to {MAX_NAME_BYTES} bytes"),
                ));
            }
            if self.fields[..index].iter().any(|earlier| earlier.name == field.name) {
                return Err((Place::Field(index), format!("two fields have the name {:?}", field.name)));
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
                        "lifecycle {word:?}: the field must have the type text and the lifecycle must be one of {}",
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
                    format!("minimum {minimum}: it must be finite, and the type must be integer or number"),
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
                    "derived fields come last, have the type integer and derived = {rules}: the field {:?} does not",
                    field.name
                );
                return Err((Place::Field(index), message));
            }
        }
        if let Some(rule) = &self.derived_geometry
            && (rule != DERIVED_GEOMETRY || self.geometry != SchemaGeometry::None)
        {
            let message = format!(
                "derived_geometry must be {DERIVED_GEOMETRY:?}, and the collection must have geometry = \"none\""
            );
            return Err((Place::Key("derived_geometry"), message));
        }
        if let Some(name) = &self.identifier
            && self.position(name).is_none()
        {
            return Err((
                Place::Key("identifier"),
                format!("identifier is {name:?}, but there is no such field"),
            ));
        }
        if self.time.len() > 2 {
            return Err((Place::Key("time"), "time must name one field, or two: start and end".to_owned()));
        }
        for name in &self.time {
            if self.position(name).is_none() {
                return Err((Place::Key("time"), format!("time names {name:?}, but there is no such field")));
            }
        }
        Ok(())
    }
}

/// Whether `id` can be used unchanged in a path, a table name and a file name.
#[must_use]
pub fn is_collection_id(id: &str) -> bool {
    let mut bytes = id.bytes();
    id.len() <= MAX_NAME_BYTES
        && bytes.next().is_some_and(|first| first.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// The part of a schema text where a check failed.
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
    fn a_schema_reads_back_from_its_text() {
        let schema = CollectionSchema::parse(GOOD).unwrap();
        assert_eq!(schema.fields[1].unit.as_deref(), Some("/wk"));
        assert_eq!(schema.fields[1].minimum, Some(0.0));
        assert!(schema.fields[0].sortable && !schema.fields[1].sortable);
        assert_eq!(CollectionSchema::parse(&schema.to_toml().unwrap()).unwrap(), schema);
    }

    #[test]
    fn the_label_field_is_found_by_name() {
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
    fn an_error_gives_the_line() {
        for (from, to, line, word) in [
            ("\"number\"", "\"float\"", 12, "float"),
            ("trips per week", "seen", 10, "two fields"),
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
