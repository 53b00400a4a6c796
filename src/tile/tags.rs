//! Properties of tile features: columns to keys and values of the layer's tables.
//!
//! A dictionary column becomes part of the value table as it is: a text is looked at once for each row group, its
//! rows copy an index. Numbers of few different values
//! are found by their place.

use crate::access::CollectionView;
use crate::access::Column;
use crate::access::Ints;
use crate::access::Nulls;
use crate::access::RowGroup;
use crate::access::TextColumn;
use crate::model::ValueRef;
use crate::model::time;
use crate::tile::encode::Kind;
use crate::tile::encode::LayerWriter;
use crate::tile::encode::TileValue;

/// Not looked at yet.
const UNKNOWN: u32 = u32::MAX;
/// Nothing that a tile can hold.
const NOTHING: u32 = u32::MAX - 1;

/// The most different numbers that a table has one place each for, and how many rows make that worth while.
const MOST_SPAN: usize = 8_192;
const MANY: usize = 500;

/// Makes the tags of features of one layer.
pub struct Tagger<'a> {
    collection: &'a CollectionView,
    /// Fields to carry.
    fields: Vec<Field>,
    /// How their values are found, for each row group that was met.
    groups: Vec<Option<Box<[Step<'a>]>>>,
    /// Whether there are so many rows that tables of numbers are worth their making.
    many: bool,
    /// Where dates and instants are written out.
    text: Vec<u8>,
    count: Option<u32>,
}

struct Field {
    /// Place in the schema.
    place: usize,
    /// Index of the key, once used.
    key: Option<u32>,
}

/// How a field's values of a row group are found.
struct Step<'a> {
    kind: Source<'a>,
    /// `None` if no value of the group is null.
    nulls: Option<&'a Nulls>,
}

enum Source<'a> {
    /// Every value is null.
    Nothing,
    /// Codes of a dictionary with the indices of its texts, as far as they were met.
    Codes8(&'a [u8], &'a Column, Vec<u32>),
    /// As above.
    Codes16(&'a [u16], &'a Column, Vec<u32>),
    /// Whole numbers of few different values from the least one on, with the indices of those that were met.
    Near(&'a Ints, i64, &'a Column, Vec<u32>),
    /// Any other column.
    Other(&'a Column),
}

/// Which whole numbers a row group's fields hold: those of numbers, dates and instants, and the thousandths of doubles.
/// This only says how an index is found: how rows are parted into groups depends on rows that are not there to be
/// seen, so what is written may not.
#[derive(Debug)]
struct Spans(Box<[Option<Span>]>);

#[derive(Debug, Clone, Copy)]
struct Span {
    least: i64,
    /// How many there are from it to the greatest.
    numbers: usize,
}

impl Spans {
    fn of(group: &RowGroup, fields: usize) -> std::sync::Arc<Self> {
        group.derive(|group| Self((0..fields).map(|field| Span::of(group, field)).collect()))
    }
}

impl Span {
    fn of(group: &RowGroup, field: usize) -> Option<Self> {
        let (Column::Int(_, values, nulls) | Column::Thousandths(values, nulls)) = group.column(field)?
        else {
            return None;
        };
        let there = (0..group.len()).filter(|row| !nulls.is_null(*row)).map(|row| values.get(row));
        let (least, greatest) =
            there.fold((i64::MAX, i64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        let span = usize::try_from(greatest.checked_sub(least)?).ok()?;
        (span < MOST_SPAN).then_some(Self { least, numbers: span + 1 })
    }
}

impl<'a> Step<'a> {
    fn new(column: Option<&'a Column>, span: Option<Span>) -> Self {
        let Some(column) = column else { return Self { kind: Source::Nothing, nulls: None } };
        let (kind, nulls) = match column {
            Column::Null => (Source::Nothing, None),
            Column::Text(_, TextColumn::Dict8(codes, texts), nulls) => {
                (Source::Codes8(codes, column, vec![UNKNOWN; texts.len()]), Some(nulls))
            }
            Column::Text(_, TextColumn::Dict16(codes, texts), nulls) => {
                (Source::Codes16(codes, column, vec![UNKNOWN; texts.len()]), Some(nulls))
            }
            Column::Int(_, values, nulls) | Column::Thousandths(values, nulls)
                if let Some(Span { least, numbers }) = span =>
            {
                (Source::Near(values, least, column, vec![UNKNOWN; numbers]), Some(nulls))
            }
            // These say of each value whether it is null.
            other => (Source::Other(other), None),
        };
        Self { kind, nulls: nulls.filter(|nulls| nulls.any()) }
    }

    /// The index of a row's value.
    #[inline]
    fn value(&mut self, layer: &mut LayerWriter, written: &mut Vec<u8>, row: usize) -> u32 {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return NOTHING;
        }
        let (code, column, known) = match &mut self.kind {
            Source::Nothing => return NOTHING,
            Source::Other(column) => return single(layer, written, column.get(row)),
            Source::Near(values, first, column, known) => {
                let place = (values.get(row) - *first) as usize;
                if known[place] == UNKNOWN {
                    known[place] = single(layer, written, column.get(row));
                }
                return known[place];
            }
            Source::Codes8(codes, column, known) => (usize::from(codes[row]), column, known),
            Source::Codes16(codes, column, known) => (usize::from(codes[row]), column, known),
        };
        if known[code] == UNKNOWN {
            known[code] = text(layer, column.get(row));
        }
        known[code]
    }
}

impl<'a> Tagger<'a> {
    /// For the fields that `wanted` names, or all, of about so many rows.
    pub fn new(collection: &'a CollectionView, wanted: Option<&[String]>, rows: usize) -> Self {
        let all = collection.schema().fields.iter().enumerate();
        let fields = all
            .filter(|(_, field)| wanted.is_none_or(|wanted| wanted.contains(&field.name)))
            .map(|(place, _)| Field { place, key: None })
            .collect();
        let groups = collection.groups().iter().map(|_| None).collect();
        Self { collection, fields, groups, many: rows >= MANY, text: Vec::new(), count: None }
    }

    /// Leaves out a field of the layer's own called `count`: where tiles may be clustered that name says how many
    /// features one stands for, and means nothing else.
    pub fn without_count(mut self) -> Self {
        let fields = &self.collection.schema().fields;
        self.fields.retain(|field| fields[field.place].name != COUNT);
        self
    }

    /// Tags of a row.
    pub fn row(&mut self, layer: &mut LayerWriter, group: u32, row: usize, out: &mut Vec<(u32, u32)>) {
        let Self { collection, fields, groups, many, text, .. } = self;
        let steps = groups[group as usize].get_or_insert_with(|| {
            let rows = &collection.groups()[group as usize];
            let spans = many.then(|| Spans::of(rows, collection.schema().fields.len()));
            let step = |field: &Field| {
                let span = spans.as_ref().and_then(|spans| *spans.0.get(field.place)?);
                Step::new(rows.column(field.place), span)
            };
            fields.iter().map(step).collect()
        });
        for (field, step) in fields.iter_mut().zip(steps) {
            let value = step.value(layer, text, row);
            if value == NOTHING {
                continue;
            }
            let name = || &collection.schema().fields[field.place].name;
            let key = *field.key.get_or_insert_with(|| layer.key(name()));
            out.push((key, value));
        }
    }

    /// The tag that says how many features a cluster stands for.
    pub fn count(&mut self, layer: &mut LayerWriter, count: u64, out: &mut Vec<(u32, u32)>) {
        let key = *self.count.get_or_insert_with(|| layer.key(COUNT));
        let value = layer.value(TileValue::Int(count as i64));
        out.push((key, value));
    }
}

/// The index of a value that is in no dictionary.
fn single(layer: &mut LayerWriter, out: &mut Vec<u8>, value: ValueRef<'_>) -> u32 {
    match value {
        ValueRef::Null => NOTHING,
        ValueRef::Text(_) | ValueRef::Json(_) => text(layer, value),
        ValueRef::Float(value) => layer.value(TileValue::Double(value)),
        ValueRef::Bool(value) => layer.value(TileValue::Bool(value)),
        ValueRef::Int(value) => layer.value(TileValue::Int(value)),
        ValueRef::Date(days) => {
            written(layer, out, Kind::Date, i64::from(days), |out| time::push_date(out, days))
        }
        ValueRef::Timestamp(micros) => {
            written(layer, out, Kind::Instant, micros, |out| time::push_instant(out, micros))
        }
    }
}

/// The index of a text that is written out only where its number is new.
fn written(
    layer: &mut LayerWriter,
    out: &mut Vec<u8>,
    kind: Kind,
    number: i64,
    write: impl FnOnce(&mut Vec<u8>),
) -> u32 {
    out.clear();
    layer.coded(kind, number.cast_unsigned(), |_| {
        write(out);
        TileValue::Text(std::str::from_utf8(out).unwrap_or_default())
    })
}

/// The property that says how many features a cluster stands for.
pub const COUNT: &str = "count";

/// The index of a text, or of a JSON text, number or truth value; nested values have no place in a tile.
fn text(layer: &mut LayerWriter, value: ValueRef<'_>) -> u32 {
    let json = match value {
        ValueRef::Text(text) => return layer.value(TileValue::Text(text)),
        ValueRef::Json(json) => json,
        _ => return NOTHING,
    };
    match serde_json::from_str(json) {
        Ok(serde_json::Value::Bool(value)) => layer.value(TileValue::Bool(value)),
        Ok(serde_json::Value::String(text)) => layer.value(TileValue::Text(&text)),
        Ok(serde_json::Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(value), _) => layer.value(TileValue::Int(value)),
            (None, Some(value)) => layer.value(TileValue::Double(value)),
            (None, None) => NOTHING,
        },
        _ => NOTHING,
    }
}
