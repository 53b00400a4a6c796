//! Rows of a collection: values, provenance, and the hash that shows whether a row is undamaged.
//!
//! In: typed values and a geometry. Out: [`Row`] and its canonical hash. Not here: storing rows (`store`).

use crate::model::geometry::Geometry;
use crate::model::geometry::GeometryRef;
use crate::model::schema::CollectionSchema;
use crate::model::time;

/// A value of a field, owned.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// Text.
    Text(String),
    /// A JSON object or array in compact form.
    Json(String),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
}

/// A value of a field, borrowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'a> {
    /// No value.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// Text.
    Text(&'a str),
    /// A JSON object or array in compact form.
    Json(&'a str),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
}

impl Value {
    /// The same value, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Bool(value) => ValueRef::Bool(*value),
            Self::Int(value) => ValueRef::Int(*value),
            Self::Float(value) => ValueRef::Float(*value),
            Self::Text(value) => ValueRef::Text(value),
            Self::Json(value) => ValueRef::Json(value),
            Self::Date(value) => ValueRef::Date(*value),
            Self::Timestamp(value) => ValueRef::Timestamp(*value),
        }
    }
}

impl ValueRef<'_> {
    /// The value as the text of a CSV cell; empty for null.
    #[must_use]
    pub fn to_text(self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => format_number(value),
            Self::Text(value) | Self::Json(value) => value.to_owned(),
            Self::Date(days) => time::format_date(days),
            Self::Timestamp(micros) => time::format_instant(micros),
        }
    }
}

/// The shortest decimal text that reads back to the same double. `value` must be finite. The text has an exponent only
/// if the absolute value is below 1e-5, or 1e16 and above.
#[must_use]
pub fn format_number(value: f64) -> String {
    let mut out = Vec::new();
    push_number(&mut out, value);
    String::from_utf8(out).unwrap_or_default()
}

/// Appends the text of [`format_number`].
pub fn push_number(out: &mut Vec<u8>, value: f64) {
    let (text, length) = number_text(value);
    out.extend_from_slice(&text[..length]);
}

/// Bytes for the text of any number. The longest has 24: sign, 17 digits, point, and an exponent or up to five zeros.
const NUMBER_TEXT: usize = 32;

/// The bytes of [`format_number`] and their length: `(bytes, length)`, where `bytes[..length]` is the text.
#[must_use]
pub fn number_text(value: f64) -> ([u8; NUMBER_TEXT], usize) {
    let mut bytes = [0; NUMBER_TEXT];
    let mut put = |text: &str| {
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        text.len()
    };
    let length = if value != 0.0 && (value.abs() >= 1e16 || value.abs() < 1e-5) {
        put(&format!("{value:e}"))
    } else {
        let mut buffer = zmij::Buffer::new();
        let text = buffer.format_finite(value);
        put(text.strip_suffix(".0").unwrap_or(text))
    };
    (bytes, length)
}

/// The random 128-bit id of a row, shown as a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowId(pub u128);

impl RowId {
    /// The id of a row that has a public id: a hash of that, so it is the same on every machine.
    #[must_use]
    pub fn from_public(public: &str) -> Self {
        let hash = blake3::hash(public.as_bytes());
        Self(u128::from_be_bytes(first_16(hash.as_bytes())))
    }

    /// A UUID of version 4 from sixteen random bytes.
    #[must_use]
    pub fn from_random(mut bytes: [u8; 16]) -> Self {
        bytes[6] = (bytes[6] & 0x0F) | 0x40;
        bytes[8] = (bytes[8] & 0x3F) | 0x80;
        Self(u128::from_be_bytes(bytes))
    }

    /// Reads `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` in lower-case hexadecimal; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 36 || [8, 13, 18, 23].iter().any(|place| bytes[*place] != b'-') {
            return None;
        }
        let mut value = 0_u128;
        for (place, byte) in bytes.iter().enumerate() {
            if [8, 13, 18, 23].contains(&place) {
                continue;
            }
            // Only lower case is read, so that a row has one spelling.
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return None,
            };
            value = (value << 4) | u128::from(digit);
        }
        Some(Self(value))
    }
}

impl std::fmt::Display for RowId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hex = format!("{:032x}", self.0);
        write!(f, "{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

fn first_16(bytes: &[u8; 32]) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&bytes[..16]);
    out
}

/// Who may see a row. Later variants are more sensitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sensitivity {
    /// Everyone.
    Open,
    /// People with an account.
    Limited,
    /// People with a reason.
    Restricted,
}

impl Sensitivity {
    /// The word that files and flags use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Limited => "limited",
            Self::Restricted => "restricted",
        }
    }

    /// The sensitivity with this word; `None` if there is none.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Limited, Self::Restricted].into_iter().find(|level| level.as_str() == word)
    }
}

/// A handling condition, as a code in free text; empty if there is none.
pub type Handling = String;

/// The source of a row and how it may be handled: the same for all rows of one import.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Provenance {
    /// The force or agency that owns the row.
    pub owner: String,
    /// The protective marking, `OFFICIAL` by default.
    pub marking: String,
    /// Handling conditions.
    pub handling: Handling,
    /// Who may see the row.
    pub sensitivity: Sensitivity,
    /// Whether the row is generated, not real.
    pub synthetic: bool,
}

impl Provenance {
    /// The provenance of public facts: `OFFICIAL`, open, real.
    #[must_use]
    pub fn open(owner: &str) -> Self {
        Self {
            owner: owner.to_owned(),
            marking: "OFFICIAL".to_owned(),
            handling: String::new(),
            sensitivity: Sensitivity::Open,
            synthetic: false,
        }
    }
}

/// One row that is read from a file and not yet stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The id, if the row has one already. The store gives a random id to a row that has neither this nor `public_id`.
    pub id: Option<RowId>,
    /// The feature id in the file.
    pub public_id: Option<String>,
    /// The geometry; `None` for a row without geometry.
    pub geometry: Option<Geometry>,
    /// One value for each field of the schema, in the same order.
    pub values: Vec<Value>,
}

/// Computes the row hashes of one collection and reuses its buffers.
#[derive(Debug)]
pub struct RowHasher {
    order: Vec<usize>,
    names: Vec<[u8; 8]>,
    buffer: Vec<u8>,
}

impl RowHasher {
    /// A hasher for rows of a schema.
    #[must_use]
    pub fn new(schema: &CollectionSchema) -> Self {
        let mut order: Vec<usize> = (0..schema.fields.len()).collect();
        order.sort_by(|a, b| schema.fields[*a].name.cmp(&schema.fields[*b].name));
        let names = schema
            .fields
            .iter()
            .map(|field| {
                // Eight bytes of the name's own hash stand for the name: short, and different for each name.
                let mut tag = [0; 8];
                tag.copy_from_slice(&blake3::hash(field.name.as_bytes()).as_bytes()[..8]);
                tag
            })
            .collect();
        Self { order, names, buffer: Vec::new() }
    }

    /// The blake3 hash over the provenance, the public id, the geometry and all non-null fields in the order of their
    /// names. A field that is added to the schema and is null in a row does not change the row's hash.
    /// `value(i)` gives the value of the schema's field `i`.
    pub fn hash<'a>(
        &mut self,
        provenance: &Provenance,
        public_id: Option<&str>,
        geometry: Option<GeometryRef<'_>>,
        value: impl Fn(usize) -> ValueRef<'a>,
    ) -> [u8; 32] {
        let Self { order, names, buffer } = self;
        buffer.clear();
        for text in [&provenance.owner, &provenance.marking, &provenance.handling] {
            push_text(buffer, text);
        }
        buffer.push(provenance.sensitivity as u8);
        buffer.push(u8::from(provenance.synthetic));
        match public_id {
            Some(id) => {
                buffer.push(1);
                push_text(buffer, id);
            }
            None => buffer.push(0),
        }
        match geometry {
            Some(geometry) => geometry.canonical(buffer),
            None => buffer.push(0),
        }
        for index in order.iter() {
            let value = value(*index);
            if matches!(value, ValueRef::Null) {
                continue;
            }
            buffer.extend_from_slice(&names[*index]);
            match value {
                ValueRef::Null => {}
                ValueRef::Bool(value) => buffer.extend_from_slice(&[1, u8::from(value)]),
                ValueRef::Int(value) => push_tagged(buffer, 2, &value.to_le_bytes()),
                ValueRef::Float(value) => push_tagged(buffer, 3, &value.to_bits().to_le_bytes()),
                ValueRef::Text(value) => {
                    buffer.push(4);
                    push_text(buffer, value);
                }
                ValueRef::Json(value) => {
                    buffer.push(5);
                    push_text(buffer, value);
                }
                ValueRef::Date(value) => push_tagged(buffer, 6, &value.to_le_bytes()),
                ValueRef::Timestamp(value) => push_tagged(buffer, 7, &value.to_le_bytes()),
            }
        }
        *blake3::hash(buffer).as_bytes()
    }
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn push_tagged(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    out.extend_from_slice(bytes);
}

/// The number that a row hash adds to a sum of row hashes: its first sixteen bytes, little-endian. The sum wraps and
/// does not depend on the order of rows.
#[must_use]
pub fn row_hash_sum(hash: &[u8; 32]) -> u128 {
    u128::from_le_bytes(first_16(hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::schema::FieldSchema;

    #[test]
    fn an_id_reads_back_from_its_text() {
        let id = RowId::from_random([7; 16]);
        assert_eq!(id.to_string(), "07070707-0707-4707-8707-070707070707");
        assert_eq!(RowId::parse(&id.to_string()), Some(id));
        assert_eq!(
            RowId::parse(&id.to_string().to_uppercase()),
            Some(id),
            "it has no letters, so upper case changes nothing"
        );
        assert_eq!(RowId::parse("07070707-0707-4707-8707-07070707070G"), None);
        assert_eq!(RowId::parse("0707070700707-4707-8707-070707070707"), None);
    }

    #[test]
    fn a_new_field_changes_the_hash_only_where_it_has_a_value() {
        let mut schema = CollectionSchema::layer("x");
        let field = |name: &str| -> FieldSchema {
            CollectionSchema::parse(&format!(
                "id='x'\nclass='layer'\ngeometry='any'\n[[field]]\nname='{name}'\ntype='text'\n"
            ))
            .unwrap()
            .fields
            .remove(0)
        };
        schema.fields.push(field("b"));
        let owner = Provenance::open("us");
        let before = RowHasher::new(&schema).hash(&owner, None, None, |_| ValueRef::Text("v"));
        schema.fields.push(field("a"));
        let value = |index: usize| if index == 0 { ValueRef::Text("v") } else { ValueRef::Null };
        assert_eq!(RowHasher::new(&schema).hash(&owner, None, None, value), before);
        assert_ne!(RowHasher::new(&schema).hash(&owner, None, None, |_| ValueRef::Text("v")), before);
        assert_ne!(RowHasher::new(&schema).hash(&Provenance::open("them"), None, None, value), before);
    }

    #[test]
    fn a_number_is_written_as_its_shortest_text() {
        assert_eq!(format_number(0.1), "0.1");
        assert_eq!(format_number(-0.0), "-0");
        assert_eq!(format_number(1e300), "1e300");
        assert_eq!(format_number(1_234_567.25), "1234567.25");
    }
}
