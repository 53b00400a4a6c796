//! Rows of a collection: their values, their provenance, and the hash that proves them whole.
//!
//! In: typed values and a geometry. Out: [`Row`] and its canonical hash. Not here: where rows are kept (`store`).

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
    /// The borrowed form.
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
    /// The value as plain text, as a CSV cell has it; empty for null.
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

/// The shortest decimal text of a finite number that reads back to the same double; an exponent only below 1e-5 and
/// from 1e16 on.
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

/// Longer than the text of any number: sign, 17 digits, point and an exponent, or up to five zeros, come to 24.
const NUMBER_TEXT: usize = 32;

/// The text of [`format_number`], and how much of it counts.
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
    /// The id of a row whose file gives it a public one: the same on every machine.
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

    /// The id written as `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, `None` if the text is not one.
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
            // Lower case only: one row has one spelling.
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

/// How widely a row may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sensitivity {
    /// Anyone.
    Open,
    /// People with an account.
    Limited,
    /// People with a reason.
    Restricted,
}

impl Sensitivity {
    /// The word in files and flags.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Limited => "limited",
            Self::Restricted => "restricted",
        }
    }

    /// The sensitivity of a word, `None` for an unknown one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Open, Self::Limited, Self::Restricted].into_iter().find(|level| level.as_str() == word)
    }
}

/// A handling condition as its free code; empty for none.
pub type Handling = String;

/// Where a row comes from and how it may be handled: the same for all rows of one import.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Provenance {
    /// The force or agency that owns the row.
    pub owner: String,
    /// The protective marking, `OFFICIAL` by default.
    pub marking: String,
    /// Handling conditions.
    pub handling: Handling,
    /// How widely it may be shown.
    pub sensitivity: Sensitivity,
    /// Whether the row is invented.
    pub synthetic: bool,
}

impl Provenance {
    /// Public facts: nobody's secret, not invented.
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

/// One row on its way from a file to the store.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The id it has already; a random one is made for a row that has none and no feature id either.
    pub id: Option<RowId>,
    /// The feature id its file gave it.
    pub public_id: Option<String>,
    /// Where it is; `None` for a row without a place.
    pub geometry: Option<Geometry>,
    /// One value for each field of the schema.
    pub values: Vec<Value>,
}

/// Takes row hashes of one collection, reusing its buffers.
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
                // A name stands in the hash by eight bytes of its own: rows stay short, names stay told apart.
                let mut tag = [0; 8];
                tag.copy_from_slice(&blake3::hash(field.name.as_bytes()).as_bytes()[..8]);
                tag
            })
            .collect();
        Self { order, names, buffer: Vec::new() }
    }

    /// The hash over the provenance, the public id, the geometry and every non-null field in the order of names,
    /// so that a new field leaves old hashes alone. `value(i)` gives the value of the schema's field `i`.
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

/// What a row hash adds to an order-free sum: its first sixteen bytes.
#[must_use]
pub fn hash_share(hash: &[u8; 32]) -> u128 {
    u128::from_le_bytes(first_16(hash))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::schema::FieldSchema;

    #[test]
    fn ids_survive_writing() {
        let id = RowId::from_random([7; 16]);
        assert_eq!(id.to_string(), "07070707-0707-4707-8707-070707070707");
        assert_eq!(RowId::parse(&id.to_string()), Some(id));
        assert_eq!(
            RowId::parse(&id.to_string().to_uppercase()),
            Some(id),
            "digits only, so case cannot show"
        );
        assert_eq!(RowId::parse("07070707-0707-4707-8707-07070707070G"), None);
        assert_eq!(RowId::parse("0707070700707-4707-8707-070707070707"), None);
    }

    #[test]
    fn a_new_null_field_leaves_the_hash_alone_and_a_value_does_not() {
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
    fn numbers_are_short() {
        assert_eq!(format_number(0.1), "0.1");
        assert_eq!(format_number(-0.0), "-0");
        assert_eq!(format_number(1e300), "1e300");
        assert_eq!(format_number(1_234_567.25), "1234567.25");
    }
}
