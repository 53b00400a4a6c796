//! Properties of tile features: from columns to keys and values of the layer's tables.
//!
//! Each text of a dictionary column is looked up once for each row group; its rows then copy an index. Whole numbers in
//! a small range have a table of indexes. If a tile would be too large, long texts are left out, and the property
//! `left_out` names their fields.

use crate::access::CollectionView;
use crate::access::Column;
use crate::access::HeldBytes;
use crate::access::Ints;
use crate::access::Nulls;
use crate::access::RowGroup;
use crate::access::TextColumn;
use crate::model::ValueRef;
use crate::model::time;
use crate::tile::encode::LayerWriter;
use crate::tile::left_out::LEFT_OUT;
use crate::tile::left_out::LeftOut;
use crate::tile::values::Kind;
use crate::tile::values::TileValue;
use crate::tile::values::Values;

/// The index is not known yet.
const UNKNOWN: u32 = u32::MAX;
/// The value is null or cannot stand in a tile.
const NOTHING: u32 = u32::MAX - 1;
/// The text is too long for this tile. All indexes are less than this.
const TOO_LONG: u32 = u32::MAX - 2;

/// From [`MANY`] rows on, a field of whole numbers may have a table with one place for each number of its range. The
/// range may have [`MOST_SPAN`] numbers, or [`PLACES_A_ROW`] for each row.
const MANY: usize = 500;
const MOST_SPAN: usize = 8_192;
const PLACES_A_ROW: usize = 4;

/// Writes the tags of the features of one layer.
pub struct Tagger<'a> {
    collection: &'a CollectionView,
    /// The fields to write.
    fields: Vec<Field>,
    /// How the values of the fields are found, for each row group that was met.
    groups: Vec<Option<Box<[Step<'a>]>>>,
    /// A buffer for the text of dates and instants.
    text: Vec<u8>,
    /// The index of the key [`COUNT`], once it is used.
    count: Option<u32>,
    /// The most bytes of a text that is written.
    longest: usize,
    /// The texts that are left out.
    left: LeftOut,
}

struct Field {
    /// The index of the field in the schema.
    place: usize,
    /// The index of the key, once it is used.
    key: Option<u32>,
    /// The table of whole numbers, if the field has one.
    near: Option<Near>,
}

/// Indexes of values by whole number: `known[n - least]` is that of the number n.
struct Near {
    least: i64,
    known: Vec<u32>,
}

/// How the values of a field are found in a row group.
struct Step<'a> {
    kind: Source<'a>,
    /// `None` if no value of the group is null.
    nulls: Option<&'a Nulls>,
}

enum Source<'a> {
    /// Every value is null.
    Nothing,
    /// Codes of a dictionary, the column, and the index of each text of the dictionary that was met.
    Codes8(&'a [u8], &'a Column, Vec<u32>),
    /// As [`Self::Codes8`].
    Codes16(&'a [u16], &'a Column, Vec<u32>),
    /// Whole numbers with a table of indexes.
    Near(&'a Ints, &'a Column),
    /// Any other column.
    Other(&'a Column),
}

/// The range of whole numbers in each field of a row group: of numbers, dates and instants, and of doubles in
/// thousandths.
///
/// It only decides how an index is found, never what is written: how rows are partitioned into groups may depend on
/// rows that the caller may not see.
#[derive(Debug)]
struct Spans(Box<[Option<Span>]>);

#[derive(Debug, Clone, Copy)]
struct Span {
    least: i64,
    greatest: i64,
}

impl HeldBytes for Spans {
    fn held_bytes(&self) -> usize {
        self.0.len() * size_of::<Option<Span>>()
    }
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
        let span = |span: Option<Self>, value: i64| {
            Some(Self { least: value, greatest: value }.merged(span.as_ref()))
        };
        there.fold(None, span)
    }

    fn merged(self, other: Option<&Self>) -> Self {
        let Some(other) = other else { return self };
        Self { least: self.least.min(other.least), greatest: self.greatest.max(other.greatest) }
    }
}

impl Near {
    /// The table for the numbers that row groups have in a field; `None` if their range has more than `most` numbers.
    fn of(spans: &[std::sync::Arc<Spans>], field: usize, most: usize) -> Option<Self> {
        let known = spans.iter().filter_map(|spans| spans.0.get(field)?.as_ref());
        let Span { least, greatest } =
            known.fold(None, |all, span: &Span| Some(span.merged(all.as_ref())))?;
        let places = usize::try_from(greatest.checked_sub(least)?).ok()?.checked_add(1)?;
        (places <= most).then(|| Self { least, known: vec![UNKNOWN; places] })
    }
}

impl<'a> Step<'a> {
    fn new(column: Option<&'a Column>, near: bool) -> Self {
        let Some(column) = column else { return Self { kind: Source::Nothing, nulls: None } };
        let (kind, nulls) = match column {
            Column::Null => (Source::Nothing, None),
            Column::Text(_, TextColumn::Dict8(codes, texts), nulls) => {
                (Source::Codes8(codes, column, vec![UNKNOWN; texts.len()]), Some(nulls))
            }
            Column::Text(_, TextColumn::Dict16(codes, texts), nulls) => {
                (Source::Codes16(codes, column, vec![UNKNOWN; texts.len()]), Some(nulls))
            }
            Column::Int(_, values, nulls) | Column::Thousandths(values, nulls) if near => {
                (Source::Near(values, column), Some(nulls))
            }
            // These columns return null values themselves.
            other => (Source::Other(other), None),
        };
        Self { kind, nulls: nulls.filter(|nulls| nulls.any()) }
    }

    /// The index of a row's value, or [`NOTHING`] or [`TOO_LONG`].
    #[inline]
    fn value(
        &mut self,
        near: Option<&mut Near>,
        table: &mut Values,
        written: &mut Vec<u8>,
        longest: usize,
        row: usize,
    ) -> u32 {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            return NOTHING;
        }
        let (code, column, known) = match &mut self.kind {
            Source::Nothing => return NOTHING,
            Source::Other(column) => return single(table, written, longest, column.get(row)),
            Source::Near(values, column) => {
                let known = near.and_then(|near| {
                    let place = usize::try_from(values.get(row).checked_sub(near.least)?).ok()?;
                    near.known.get_mut(place)
                });
                let Some(known) = known else { return single(table, written, longest, column.get(row)) };
                if *known == UNKNOWN {
                    *known = single(table, written, longest, column.get(row));
                }
                return *known;
            }
            Source::Codes8(codes, column, known) => (usize::from(codes[row]), column, known),
            Source::Codes16(codes, column, known) => (usize::from(codes[row]), column, known),
        };
        if known[code] == UNKNOWN {
            known[code] = text(table, longest, column.get(row));
        }
        known[code]
    }
}

impl<'a> Tagger<'a> {
    /// A tagger for the fields that `wanted` names, or for all if that is `None`.
    ///
    /// `rows` is the number of rows to expect and `met` the row groups that they are in; rows of others may follow.
    pub fn new(
        collection: &'a CollectionView,
        wanted: Option<&[String]>,
        rows: usize,
        met: &[usize],
    ) -> Self {
        let all = &collection.schema().fields;
        let met = if rows < MANY { &[] } else { met };
        let spans: Vec<_> =
            met.iter().map(|group| Spans::of(&collection.groups()[*group], all.len())).collect();
        let most = MOST_SPAN.max(rows * PLACES_A_ROW);
        let fields = all.iter().enumerate();
        let fields = fields
            .filter(|(_, field)| wanted.is_none_or(|wanted| wanted.contains(&field.name)))
            .map(|(place, _)| Field { place, key: None, near: Near::of(&spans, place, most) })
            .collect();
        let groups = collection.groups().iter().map(|_| None).collect();
        let (text, left) = (Vec::new(), LeftOut::default());
        Self { collection, fields, groups, text, count: None, longest: usize::MAX, left }
    }

    /// Removes the fields that `keep` does not accept, by their index in the schema.
    pub fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        self.fields.retain(|field| keep(field.place));
    }

    /// Leaves out texts of more than `longest` bytes, or all properties if that is 0, and names them in [`LEFT_OUT`] of each
    /// feature. A field of the layer with the name `left_out` is not written then.
    pub fn leaving_out(mut self, longest: usize) -> Self {
        let fields = &self.collection.schema().fields;
        self.fields.retain(|field| fields[field.place].name != LEFT_OUT);
        self.longest = longest;
        if longest == 0 {
            self.left = LeftOut::all(self.fields.drain(..).map(|field| fields[field.place].name.as_str()));
        }
        self
    }

    /// The texts that were left out.
    pub fn into_left_out(self) -> LeftOut {
        self.left
    }

    /// Leaves out a field of the layer with the name `count`: at zooms that may be clustered, `count` is only the number of
    /// features that a cluster stands for.
    pub fn without_count(mut self) -> Self {
        let fields = &self.collection.schema().fields;
        self.fields.retain(|field| fields[field.place].name != COUNT);
        self
    }

    /// Appends the tags of a row to `out`.
    pub fn row(&mut self, layer: &mut LayerWriter, group: u32, row: usize, out: &mut Vec<(u32, u32)>) {
        let Self { collection, fields, groups, text, longest, left, .. } = self;
        let steps = groups[group as usize].get_or_insert_with(|| {
            let rows = &collection.groups()[group as usize];
            fields.iter().map(|field| Step::new(rows.column(field.place), field.near.is_some())).collect()
        });
        for (field, step) in fields.iter_mut().zip(steps) {
            let value = step.value(field.near.as_mut(), layer.values(), text, *longest, row);
            if value >= TOO_LONG {
                if value == TOO_LONG {
                    left.push(field.place);
                }
                continue;
            }
            let name = || &collection.schema().fields[field.place].name;
            let key = *field.key.get_or_insert_with(|| layer.key(name()));
            out.push((key, value));
        }
        if *longest < usize::MAX {
            let rows = &collection.groups()[group as usize];
            out.extend(left.say(layer, &collection.schema().fields, |place| rows.value(place, row)));
        }
    }

    /// Appends the tag with the number of features that a cluster stands for.
    pub fn count(&mut self, layer: &mut LayerWriter, count: u64, out: &mut Vec<(u32, u32)>) {
        let key = *self.count.get_or_insert_with(|| layer.key(COUNT));
        let value = layer.values().value(TileValue::Int(count as i64));
        out.push((key, value));
    }
}

/// The index of a value that is in no dictionary and no table.
fn single(values: &mut Values, out: &mut Vec<u8>, longest: usize, value: ValueRef<'_>) -> u32 {
    match value {
        ValueRef::Null => NOTHING,
        ValueRef::Text(_) | ValueRef::Json(_) => text(values, longest, value),
        ValueRef::Float(value) => values.value(TileValue::Double(value)),
        ValueRef::Bool(value) => values.value(TileValue::Bool(value)),
        ValueRef::Int(value) => values.value(TileValue::Int(value)),
        ValueRef::Date(days) => {
            written(values, out, Kind::Date, i64::from(days), |out| time::push_date(out, days))
        }
        ValueRef::Timestamp(micros) => {
            written(values, out, Kind::Instant, micros, |out| time::push_instant(out, micros))
        }
    }
}

/// The index of the text of a date or an instant; `write` is called only if the number is new.
fn written(
    values: &mut Values,
    out: &mut Vec<u8>,
    kind: Kind,
    number: i64,
    write: impl FnOnce(&mut Vec<u8>),
) -> u32 {
    out.clear();
    values.coded(kind, number.cast_unsigned(), |_| {
        write(out);
        TileValue::Text(std::str::from_utf8(out).unwrap_or_default())
    })
}

/// The property with the number of features that a cluster stands for.
pub const COUNT: &str = "count";

/// The index of a text, or of a JSON text, number or truth value; [`NOTHING`] for JSON objects and arrays, which tiles
/// cannot hold.
fn text(values: &mut Values, longest: usize, value: ValueRef<'_>) -> u32 {
    let json = match value {
        ValueRef::Text(text) if text.len() > longest => return TOO_LONG,
        ValueRef::Text(text) => return values.value(TileValue::Text(text)),
        ValueRef::Json(json) => json,
        _ => return NOTHING,
    };
    match serde_json::from_str(json) {
        Ok(serde_json::Value::Bool(value)) => values.value(TileValue::Bool(value)),
        // The quotation marks count, so that the length here is the length that `left_out` measures.
        Ok(serde_json::Value::String(_)) if json.len() > longest => TOO_LONG,
        Ok(serde_json::Value::String(text)) => values.value(TileValue::Text(&text)),
        Ok(serde_json::Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(value), _) => values.value(TileValue::Int(value)),
            (None, Some(value)) => values.value(TileValue::Double(value)),
            (None, None) => NOTHING,
        },
        _ => NOTHING,
    }
}
