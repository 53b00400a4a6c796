//! Properties of tile features: columns to keys and values of the layer's tables.
//!
//! A dictionary column becomes part of the value table as it is: a text is looked at once for each row group, its
//! rows copy an index.

use crate::access::CollectionView;
use crate::access::Column;
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

/// Makes the tags of features of one layer.
pub struct Tagger<'a> {
    collection: &'a CollectionView,
    /// Places of the fields to carry, and their keys once used.
    fields: Vec<(usize, Option<u32>)>,
    /// Value indices by code, for each row group and field of the schema.
    dictionaries: Vec<Vec<Vec<u32>>>,
    /// Where dates and instants are written out.
    text: Vec<u8>,
    count: Option<u32>,
}

impl<'a> Tagger<'a> {
    /// For the fields that `wanted` names, or all.
    pub fn new(collection: &'a CollectionView, wanted: Option<&[String]>) -> Self {
        let all = collection.schema().fields.iter().enumerate();
        let fields = all
            .filter(|(_, field)| wanted.is_none_or(|wanted| wanted.contains(&field.name)))
            .map(|(place, _)| (place, None))
            .collect();
        let dictionaries = vec![Vec::new(); collection.groups().len()];
        Self { collection, fields, dictionaries, text: Vec::new(), count: None }
    }

    /// Leaves out a field of the layer's own called `count`: where tiles may be clustered that name says how many
    /// features one stands for, and means nothing else.
    pub fn without_count(mut self) -> Self {
        let fields = &self.collection.schema().fields;
        self.fields.retain(|(place, _)| fields[*place].name != COUNT);
        self
    }

    /// Tags of a row.
    pub fn row(&mut self, layer: &mut LayerWriter, group: u32, row: usize, out: &mut Vec<(u32, u32)>) {
        let rows = &self.collection.groups()[group as usize];
        for at in 0..self.fields.len() {
            let (field, key) = self.fields[at];
            let value = self.value(layer, rows, group, field, row);
            if value == NOTHING {
                continue;
            }
            let key = key.unwrap_or_else(|| layer.key(&self.collection.schema().fields[field].name));
            self.fields[at].1 = Some(key);
            out.push((key, value));
        }
    }

    /// The tag that says how many features a cluster stands for.
    pub fn count(&mut self, layer: &mut LayerWriter, count: u64, out: &mut Vec<(u32, u32)>) {
        let key = *self.count.get_or_insert_with(|| layer.key(COUNT));
        let value = layer.value(TileValue::Int(count as i64));
        out.push((key, value));
    }

    fn value(
        &mut self,
        layer: &mut LayerWriter,
        rows: &RowGroup,
        group: u32,
        field: usize,
        row: usize,
    ) -> u32 {
        let (code, texts) = match rows.column(field) {
            None | Some(Column::Null) => return NOTHING,
            Some(Column::Text(_, _, nulls)) if nulls.is_null(row) => return NOTHING,
            Some(Column::Text(_, TextColumn::Dict8(codes, texts), _)) => (usize::from(codes[row]), texts),
            Some(Column::Text(_, TextColumn::Dict16(codes, texts), _)) => (usize::from(codes[row]), texts),
            Some(_) => return self.single(layer, rows.value(field, row)),
        };
        let of_group = &mut self.dictionaries[group as usize];
        if of_group.is_empty() {
            of_group.resize(self.collection.schema().fields.len(), Vec::new());
        }
        let dictionary = &mut of_group[field];
        if dictionary.is_empty() {
            dictionary.resize(texts.len(), UNKNOWN);
        }
        if dictionary[code] == UNKNOWN {
            dictionary[code] = text(layer, rows.value(field, row));
        }
        dictionary[code]
    }

    /// The index of a text that is written out only where its number is new.
    fn written(
        &mut self,
        layer: &mut LayerWriter,
        kind: Kind,
        number: i64,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> u32 {
        self.text.clear();
        let text = &mut self.text;
        layer.coded(kind, number.cast_unsigned(), |_| {
            write(text);
            TileValue::Text(std::str::from_utf8(text).unwrap_or_default())
        })
    }

    fn single(&mut self, layer: &mut LayerWriter, value: ValueRef<'_>) -> u32 {
        match value {
            ValueRef::Null => NOTHING,
            ValueRef::Text(_) | ValueRef::Json(_) => text(layer, value),
            ValueRef::Float(value) => layer.value(TileValue::Double(value)),
            ValueRef::Bool(value) => layer.value(TileValue::Bool(value)),
            ValueRef::Int(value) => layer.value(TileValue::Int(value)),
            ValueRef::Date(days) => {
                self.written(layer, Kind::Date, i64::from(days), |out| time::push_date(out, days))
            }
            ValueRef::Timestamp(micros) => {
                self.written(layer, Kind::Instant, micros, |out| time::push_instant(out, micros))
            }
        }
    }
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
