//! Writes the properties of rows of one row group as JSON. The type of each column is looked at once, not for every row.

use std::sync::Arc;

use crate::access::Column;
use crate::access::HeldBytes;
use crate::access::Ints;
use crate::access::Nulls;
use crate::access::RowGroup;
use crate::access::TextColumn;
use crate::format::json::JsonPieces;
use crate::format::json::Slot;
use crate::format::push_json_text;
use crate::model::CollectionSchema;
use crate::model::FieldType;
use crate::model::ValueRef;

/// Writes the properties of rows of one row group.
#[derive(Debug)]
pub struct Properties<'a> {
    ready: Arc<Ready>,
    steps: Box<[Step<'a>]>,
    /// JSON of fields that were added to the collection after the group was built; they are null.
    rest: Vec<u8>,
}

/// Pieces of JSON for the properties of a row group, ready to be copied. They are held with the group's rows.
#[derive(Debug, Default)]
struct Ready {
    /// For each field, where its pieces begin in `slots`.
    fields: Vec<Field>,
    /// For each field first its key, with a comma before it unless it is the first field; the piece is empty if the key is
    /// too long. Then, for a dictionary column with short texts, one piece for each code: key and value.
    slots: Vec<Slot>,
}

#[derive(Debug)]
struct Field {
    /// The index of the key in `slots`.
    key: usize,
    /// Whether pieces with key and value follow, one for each code.
    codes: bool,
    /// The key, if it is too long for a slot; else empty.
    long: Vec<u8>,
}

/// How the values of a field are written.
#[derive(Debug)]
struct Step<'a> {
    kind: Kind<'a>,
    /// `None` if no value of the group is null.
    nulls: Option<&'a Nulls>,
    key: usize,
    /// Whether the key is too long for a slot.
    long: bool,
}

#[derive(Debug)]
enum Kind<'a> {
    /// Codes with ready pieces of key and value.
    Ready(&'a [u8]),
    Text(&'a TextColumn),
    I8(&'a [i8]),
    I16(&'a [i16]),
    I32(&'a [i32]),
    Date16(&'a [i16]),
    Instant(&'a Ints),
    Bool(&'a Ints),
    Thousandths(&'a Ints),
    F32(&'a [f32]),
    F64(&'a [f64]),
    Other(&'a Column),
}

fn key(place: usize, name: &str) -> Vec<u8> {
    let mut text = if place > 0 { vec![b','] } else { Vec::new() };
    push_json_text(&mut text, name);
    text.push(b':');
    text
}

impl HeldBytes for Ready {
    fn held_bytes(&self) -> usize {
        let long: usize = self.fields.iter().map(|field| size_of::<Field>() + field.long.len()).sum();
        self.slots.len() * size_of::<Slot>() + long
    }
}

impl Ready {
    fn of(schema: &CollectionSchema, group: &RowGroup) -> Self {
        let mut ready = Self::default();
        for (place, field) in schema.fields.iter().enumerate() {
            let Some(column) = group.column(place) else { break };
            let text = key(place, &field.name);
            let slot = Slot::new(&text);
            let long = if slot.is_some() { Vec::new() } else { text.clone() };
            let key = ready.slots.len();
            ready.slots.push(slot.unwrap_or_default());
            if let Column::Text(FieldType::Text, TextColumn::Dict8(_, texts), _) = column {
                let value = |code| {
                    let mut piece = text.clone();
                    push_json_text(&mut piece, texts.get(code));
                    Slot::new(&piece)
                };
                let values: Option<Vec<Slot>> = (0..texts.len()).map(value).collect();
                ready.slots.extend(values.unwrap_or_default());
            }
            ready.fields.push(Field { key, codes: ready.slots.len() > key + 1, long });
        }
        ready
    }
}

impl<'a> Properties<'a> {
    /// A writer for rows of `group`. The columns of the group are the first fields of `schema`.
    pub fn new(schema: &CollectionSchema, group: &'a RowGroup) -> Self {
        let ready = group.derive(|group| Ready::of(schema, group));
        let columns = (0..ready.fields.len()).map_while(|field| group.column(field));
        let mut rest = Vec::new();
        for (place, field) in schema.fields.iter().enumerate().skip(ready.fields.len()) {
            rest.extend_from_slice(&key(place, &field.name));
            rest.extend_from_slice(b"null");
        }
        let steps = columns.zip(&ready.fields).map(|(column, field)| Step::new(column, field)).collect();
        Self { ready, steps, rest }
    }

    /// Appends the properties of a row, without the braces around them.
    #[expect(clippy::inline_always, reason = "see `JsonPieces`")]
    #[inline(always)]
    pub fn write(&self, out: &mut JsonPieces<'_>, row: usize) {
        let slots = self.ready.slots.as_slice();
        for step in &self.steps {
            if let Kind::Ready(codes) = step.kind
                && step.nulls.is_none_or(|nulls| !nulls.is_null(row))
            {
                out.slot(&slots[step.key + 1 + usize::from(codes[row])]);
                continue;
            }
            out.slot(&slots[step.key]);
            if step.long {
                out.apart(|out| self.long_key(out, step.key));
            }
            step.write(out, row);
        }
        if !self.rest.is_empty() {
            out.piece(&self.rest);
        }
    }

    #[cold]
    fn long_key(&self, out: &mut JsonPieces<'_>, key: usize) {
        for field in self.ready.fields.iter().filter(|field| field.key == key) {
            out.piece(&field.long);
        }
    }
}

impl<'a> Step<'a> {
    fn new(column: &'a Column, field: &Field) -> Self {
        let (kind, nulls) = match column {
            Column::Text(FieldType::Text, TextColumn::Dict8(codes, _), nulls) if field.codes => {
                (Kind::Ready(codes), Some(nulls))
            }
            Column::Text(FieldType::Text, texts, nulls) => (Kind::Text(texts), Some(nulls)),
            Column::Int(FieldType::Integer, Ints::I8(values), nulls) => (Kind::I8(values), Some(nulls)),
            Column::Int(FieldType::Integer, Ints::I16(values), nulls) => (Kind::I16(values), Some(nulls)),
            Column::Int(FieldType::Integer, Ints::I32(values), nulls) => (Kind::I32(values), Some(nulls)),
            Column::Int(FieldType::Date, Ints::I16(values), nulls) => (Kind::Date16(values), Some(nulls)),
            Column::Int(FieldType::Timestamp, values, nulls) => (Kind::Instant(values), Some(nulls)),
            Column::Int(FieldType::Boolean, values, nulls) => (Kind::Bool(values), Some(nulls)),
            Column::Thousandths(values, nulls) => (Kind::Thousandths(values), Some(nulls)),
            Column::F32(values, nulls) => (Kind::F32(values), Some(nulls)),
            Column::F64(values, nulls) => (Kind::F64(values), Some(nulls)),
            other => (Kind::Other(other), None),
        };
        let nulls = nulls.filter(|nulls| nulls.any());
        Self { kind, nulls, key: field.key, long: !field.long.is_empty() }
    }

    /// Appends the value of a row; its key must have been written.
    #[expect(clippy::inline_always, reason = "see `JsonPieces`")]
    #[inline(always)]
    fn write(&self, out: &mut JsonPieces<'_>, row: usize) {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return out.fixed(b"null");
        }
        match self.kind {
            // The value was written together with its key.
            Kind::Ready(_) => {}
            Kind::Text(texts) => {
                let (texts, place) = texts.place(row);
                out.text(texts, place);
            }
            Kind::I8(values) => out.int(i64::from(values[row])),
            Kind::I16(values) => out.int(i64::from(values[row])),
            Kind::I32(values) => out.int(i64::from(values[row])),
            Kind::Date16(values) => out.date(i32::from(values[row])),
            Kind::Instant(values) => out.instant(values.get(row)),
            Kind::Bool(values) if values.get(row) != 0 => out.fixed(b"true"),
            Kind::Bool(_) => out.fixed(b"false"),
            Kind::Thousandths(values) => out.thousandths(values.get(row) as i32),
            Kind::F32(values) => out.float(f64::from(values[row])),
            Kind::F64(values) => out.float(values[row]),
            Kind::Other(column) => out.apart(|out| push_json_value(out, column.get(row))),
        }
    }
}

/// Appends a value as JSON.
fn push_json_value(out: &mut JsonPieces<'_>, value: ValueRef<'_>) {
    match value {
        ValueRef::Bool(true) => out.fixed(b"true"),
        ValueRef::Bool(false) => out.fixed(b"false"),
        ValueRef::Int(value) => out.int(value),
        // Imports refuse NaN and infinity, which JSON cannot hold.
        ValueRef::Float(value) => out.float(value),
        ValueRef::Null => out.fixed(b"null"),
        ValueRef::Text(text) => out.string(text),
        // The import has checked the text and made it compact.
        ValueRef::Json(json) => out.piece(json.as_bytes()),
        ValueRef::Date(days) => out.date(days),
        ValueRef::Timestamp(micros) => out.instant(micros),
    }
}
