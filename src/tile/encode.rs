//! Mapbox Vector Tile 2.1 bytes.
//!
//! Source: Mapbox vector tile specification 2.1; protocol buffers' wire format.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;
use hashbrown::HashTable;

use crate::model::GeometryKind;
use crate::tile::bytes::Line;
use crate::tile::bytes::push_bytes;
use crate::tile::bytes::push_key;
use crate::tile::bytes::push_varint;
use crate::tile::bytes::varint_bytes;
use crate::tile::bytes::zigzag;
use crate::tile::clip::Place;
use crate::tile::grid::TILE_EXTENT;

/// Room is made beforehand for at most so many features.
const MOST_ROOM: usize = 65_536;
/// A feature of more tags does not fit a [`Line`].
const MOST_TAGS: usize = 40;

/// A value of a layer's table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TileValue<'a> {
    /// Text.
    Text(&'a str),
    /// A double.
    Double(f64),
    /// A whole number.
    Int(i64),
    /// A truth value.
    Bool(bool),
}

/// Collects the features of one layer.
#[derive(Debug, Default)]
pub struct LayerWriter {
    keys: Vec<u8>,
    key_count: u32,
    /// The table of values as it is written.
    values: Vec<u8>,
    value_count: u32,
    /// Texts of the table: hash, where the text begins among the values, its length, and its index.
    texts: HashTable<(u64, u32, u32, u32)>,
    /// Everything else there is a code for: kind, bits and index.
    numbers: HashTable<(Kind, u64, u32)>,
    hasher: DefaultHashBuilder,
    features: Vec<u8>,
    count: usize,
    line: Line,
    body: Vec<u8>,
    commands: Vec<u8>,
}

/// What a number is that stands for a value of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Bits of a double.
    Double,
    /// A whole number.
    Int,
    /// A truth value.
    Bool,
    /// A date as days since 1970, whose value is a text.
    Date,
    /// An instant as microseconds since 1970, whose value is a text.
    Instant,
}

impl LayerWriter {
    /// For about so many features.
    pub fn with_room(features: usize) -> Self {
        let mut layer = Self::default();
        layer.features.reserve(features.min(MOST_ROOM) * 48);
        layer.values.reserve(features.min(MOST_ROOM) * 8);
        layer.numbers.reserve(features.min(MOST_ROOM), |_| 0);
        layer.texts.reserve(features.min(MOST_ROOM), |_| 0);
        layer
    }

    /// Bytes of the finished layer but for its name and head.
    pub fn bytes(&self) -> usize {
        self.features.len() + self.keys.len() + self.values.len()
    }

    /// A new key of the layer; each is given once.
    pub fn key(&mut self, name: &str) -> u32 {
        push_bytes(&mut self.keys, 3, name.as_bytes());
        self.key_count += 1;
        self.key_count - 1
    }

    /// The index of a value in the layer's table.
    pub fn value(&mut self, value: TileValue<'_>) -> u32 {
        match value {
            TileValue::Text(text) => self.text(text),
            TileValue::Double(number) => self.coded(Kind::Double, number.to_bits(), |_| value),
            TileValue::Int(number) => self.coded(Kind::Int, number.cast_unsigned(), |_| value),
            TileValue::Bool(truth) => self.coded(Kind::Bool, u64::from(truth), |_| value),
        }
    }

    /// The index of the value that a number stands for; `value` says which, if it is not known yet.
    #[inline]
    pub fn coded<'v>(&mut self, kind: Kind, bits: u64, value: impl FnOnce(u64) -> TileValue<'v>) -> u32 {
        let hash = self.hasher.hash_one(bits ^ (kind as u64) << 56);
        if let Some((.., index)) = self.numbers.find(hash, |known| (known.0, known.1) == (kind, bits)) {
            return *index;
        }
        let index = match (kind, value(bits)) {
            (Kind::Date | Kind::Instant, TileValue::Text(text)) => self.text(text),
            (_, value) => self.push(value),
        };
        let hasher = &self.hasher;
        let rehash = |known: &(Kind, u64, u32)| hasher.hash_one(known.1 ^ (known.0 as u64) << 56);
        self.numbers.insert_unique(hash, (kind, bits, index), rehash);
        index
    }

    fn text(&mut self, text: &str) -> u32 {
        let hash = self.hasher.hash_one(text);
        let values = &self.values;
        let at = |start: u32, length: u32| &values[start as usize..][..length as usize];
        let same = |known: &(u64, u32, u32, u32)| known.0 == hash && at(known.1, known.2) == text.as_bytes();
        if let Some((.., index)) = self.texts.find(hash, same) {
            return *index;
        }
        let index = self.push(TileValue::Text(text));
        let start = self.values.len() - text.len();
        let known = (hash, start as u32, text.len() as u32, index);
        self.texts.insert_unique(hash, known, |known| known.0);
        index
    }

    /// Appends to the table.
    fn push(&mut self, value: TileValue<'_>) -> u32 {
        let Self { line, values, .. } = self;
        line.clear();
        line.key(4, 2);
        if let TileValue::Text(text) = value {
            let head = 1 + varint_bytes(text.len() as u64);
            line.varint((head + text.len()) as u64);
            line.key(1, 2);
            line.varint(text.len() as u64);
            values.extend_from_slice(line.bytes());
            values.extend_from_slice(text.as_bytes());
        } else {
            let start = line.open();
            match value {
                TileValue::Text(_) => {}
                TileValue::Double(number) => {
                    line.key(3, 1);
                    line.eight(number.to_bits());
                }
                TileValue::Int(number) if number >= 0 => {
                    line.key(5, 0);
                    line.varint(number.unsigned_abs());
                }
                TileValue::Int(number) => {
                    line.key(6, 0);
                    line.varint(zigzag(number));
                }
                TileValue::Bool(truth) => {
                    line.key(7, 0);
                    line.varint(u64::from(truth));
                }
            }
            line.close(start);
            values.extend_from_slice(line.bytes());
        }
        self.value_count += 1;
        self.value_count - 1
    }

    /// Adds a feature: tags as pairs of key and value indices, then its geometry, as [`Geometry`] has it.
    pub fn feature(&mut self, id: u64, tags: &[(u32, u32)], geometry: &Geometry) {
        let Self { features, body, commands, .. } = self;
        body.clear();
        push_key(body, 1, 0);
        push_varint(body, id);
        if !tags.is_empty() {
            commands.clear();
            for (key, value) in tags {
                push_varint(commands, u64::from(*key));
                push_varint(commands, u64::from(*value));
            }
            push_bytes(body, 2, commands);
        }
        push_key(body, 3, 0);
        push_varint(
            body,
            match geometry.kind {
                GeometryKind::Point => 1,
                GeometryKind::Line => 2,
                GeometryKind::Area => 3,
            },
        );
        commands.clear();
        push_commands(commands, geometry);
        push_bytes(body, 4, commands);
        push_bytes(features, 2, body);
        self.count += 1;
    }

    /// Adds a feature of one point: what [`Self::feature`] would write, without gathering it first.
    pub fn point(&mut self, id: u64, tags: &[(u32, u32)], (x, y): Place) {
        if tags.len() > MOST_TAGS {
            let geometry = Geometry { kind: GeometryKind::Point, parts: vec![vec![(x, y)]] };
            return self.feature(id, tags, &geometry);
        }
        let Self { line, features, .. } = self;
        line.clear();
        line.key(2, 2);
        let head = line.open();
        line.key(1, 0);
        line.varint(id);
        if !tags.is_empty() {
            line.key(2, 2);
            let pairs = line.open();
            for (key, value) in tags {
                line.varint(u64::from(*key));
                line.varint(u64::from(*value));
            }
            line.close(pairs);
        }
        // A point; its geometry moves to one place.
        line.key(3, 0);
        line.varint(1);
        line.key(4, 2);
        let commands = line.open();
        line.varint(1 | 1 << 3);
        line.varint(zigzag(x));
        line.varint(zigzag(y));
        line.close(commands);
        line.close(head);
        features.extend_from_slice(line.bytes());
        self.count += 1;
    }

    /// Appends the finished layer to a tile, unless it is empty.
    pub fn finish(&self, name: &str, tile: &mut Vec<u8>) {
        if self.count == 0 {
            return;
        }
        let mut body = Vec::with_capacity(self.features.len() + self.keys.len() + self.values.len() + 64);
        push_key(&mut body, 15, 0);
        push_varint(&mut body, 2);
        push_bytes(&mut body, 1, name.as_bytes());
        body.extend_from_slice(&self.features);
        body.extend_from_slice(&self.keys);
        body.extend_from_slice(&self.values);
        push_key(&mut body, 5, 0);
        push_varint(&mut body, TILE_EXTENT as u64);
        push_bytes(tile, 3, &body);
    }
}

/// A feature's geometry on the tile grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Geometry {
    /// Points, lines or areas.
    pub kind: GeometryKind,
    /// Points of one place each; lines; open rings, an outer one (positive area) before its holes (negative).
    pub parts: Vec<Vec<Place>>,
}

fn push_commands(out: &mut Vec<u8>, geometry: &Geometry) {
    const MOVE: u64 = 1;
    const LINE: u64 = 2;
    const CLOSE: u64 = 7;
    let mut at: Place = (0, 0);
    let mut step = |out: &mut Vec<u8>, to: Place| {
        push_varint(out, zigzag(to.0 - at.0));
        push_varint(out, zigzag(to.1 - at.1));
        at = to;
    };
    if geometry.kind == GeometryKind::Point {
        push_varint(out, MOVE | (geometry.parts.len() as u64) << 3);
        for place in geometry.parts.iter().flatten() {
            step(out, *place);
        }
        return;
    }
    for part in &geometry.parts {
        let [first, rest @ ..] = part.as_slice() else { continue };
        push_varint(out, MOVE | 1 << 3);
        step(out, *first);
        push_varint(out, LINE | (rest.len() as u64) << 3);
        for place in rest {
            step(out, *place);
        }
        if geometry.kind == GeometryKind::Area {
            // Closing draws the ring's last edge.
            push_varint(out, CLOSE | 1 << 3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(kind: GeometryKind, parts: Vec<Vec<Place>>) -> Vec<u8> {
        let mut out = Vec::new();
        push_commands(&mut out, &Geometry { kind, parts });
        out
    }

    #[test]
    fn the_specification_s_own_examples() {
        // Vector tile specification 2.1, section 4.3.5.
        assert_eq!(commands(GeometryKind::Point, vec![vec![(25, 17)]]), [9, 50, 34]);
        assert_eq!(commands(GeometryKind::Point, vec![vec![(5, 7)], vec![(3, 2)]]), [17, 10, 14, 3, 9]);
        assert_eq!(
            commands(GeometryKind::Line, vec![vec![(2, 2), (2, 10), (10, 10)]]),
            [9, 4, 4, 18, 0, 16, 16, 0]
        );
        assert_eq!(
            commands(GeometryKind::Area, vec![vec![(3, 6), (8, 12), (20, 34)]]),
            [9, 6, 12, 18, 10, 12, 24, 44, 15]
        );
        let squares = vec![
            vec![(0, 0), (10, 0), (10, 10), (0, 10)],
            vec![(11, 11), (20, 11), (20, 20), (11, 20)],
            vec![(13, 13), (13, 17), (17, 17), (17, 13)],
        ];
        assert_eq!(
            commands(GeometryKind::Area, squares),
            [
                9, 0, 0, 26, 20, 0, 0, 20, 19, 0, 15, 9, 22, 2, 26, 18, 0, 0, 18, 17, 0, 15, 9, 4, 13, 26, 0,
                8, 8, 0, 0, 7, 15
            ]
        );
    }

    #[test]
    fn equal_values_stand_once_and_kinds_are_told_apart() {
        let mut layer = LayerWriter::default();
        let one = layer.value(TileValue::Int(1));
        let truth = layer.value(TileValue::Bool(true));
        let text = layer.value(TileValue::Text("1"));
        assert_eq!(layer.value(TileValue::Int(1)), one);
        assert_eq!(layer.value(TileValue::Text("1")), text);
        assert_eq!([one, truth, text, layer.value(TileValue::Double(1.0))], [0, 1, 2, 3]);
        assert_eq!(layer.value(TileValue::Int(-1)), 4);
    }
}
