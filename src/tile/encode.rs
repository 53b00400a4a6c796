//! Mapbox Vector Tile 2.1 bytes.
//!
//! Source: Mapbox vector tile specification 2.1; protocol buffers' wire format.

use std::cell::Cell;
use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;
use hashbrown::HashTable;

use crate::model::GeometryKind;
use crate::tile::bytes::Message;
use crate::tile::bytes::zigzag;
use crate::tile::clip::Place;
use crate::tile::grid::TILE_EXTENT;

/// The most bytes that are left for the next layer.
const MOST_LEFT: usize = 4 << 20;

thread_local! {
    static SPARE: Cell<Option<Box<LayerWriter>>> = const { Cell::new(None) };
}

/// Commands of geometries.
const MOVE: u64 = 1;
const LINE: u64 = 2;
const CLOSE: u64 = 7;

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
    keys: Message,
    key_count: u32,
    /// The table of values as it is written.
    values: Message,
    value_count: u32,
    /// Texts of the table: hash, where the text begins among the values, its length, and its index.
    texts: HashTable<(u64, u32, u32, u32)>,
    /// Everything else there is a code for: kind, bits and index.
    numbers: HashTable<(Kind, u64, u32)>,
    hasher: DefaultHashBuilder,
    features: Message,
    count: usize,
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
    /// An empty one, in the room that an earlier one of this thread left: fresh pages cost more than what is written.
    #[must_use]
    pub fn empty() -> Box<Self> {
        let Some(mut layer) = SPARE.take() else { return Box::default() };
        for message in [&mut layer.keys, &mut layer.values, &mut layer.features] {
            message.clear();
        }
        layer.texts.clear();
        layer.numbers.clear();
        (layer.key_count, layer.value_count, layer.count) = (0, 0, 0);
        layer
    }

    /// Leaves its room to the next one, unless it is more than most tiles need.
    pub fn leave(self: Box<Self>) {
        let tables = self.texts.capacity() * size_of::<(u64, u32, u32, u32)>()
            + self.numbers.capacity() * size_of::<(Kind, u64, u32)>();
        let room = tables + self.features.room() + self.values.room() + self.keys.room();
        if room <= MOST_LEFT {
            SPARE.set(Some(self));
        }
    }

    /// Bytes of the finished layer but for its name and head.
    pub fn bytes(&self) -> usize {
        self.features.len() + self.keys.len() + self.values.len()
    }

    /// A new key of the layer; each is given once.
    pub fn key(&mut self, name: &str) -> u32 {
        self.keys.field(3, name.as_bytes());
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
        let at = |start: u32, length: u32| &values.bytes()[start as usize..][..length as usize];
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
        let values = &mut self.values;
        values.key(4, 2);
        let start = values.open();
        match value {
            TileValue::Text(text) => values.field(1, text.as_bytes()),
            TileValue::Double(number) => {
                values.key(3, 1);
                values.eight(number.to_bits());
            }
            TileValue::Int(number) if number >= 0 => {
                values.key(5, 0);
                values.varint(number.unsigned_abs());
            }
            TileValue::Int(number) => {
                values.key(6, 0);
                values.varint(zigzag(number));
            }
            TileValue::Bool(truth) => {
                values.key(7, 0);
                values.varint(u64::from(truth));
            }
        }
        values.close(start);
        self.value_count += 1;
        self.value_count - 1
    }

    /// Adds a feature: tags as pairs of key and value indices, then its geometry, as [`Geometry`] has it.
    pub fn feature(&mut self, id: u64, tags: &[(u32, u32)], geometry: &Geometry) {
        let kind = match geometry.kind {
            GeometryKind::Point => 1,
            GeometryKind::Line => 2,
            GeometryKind::Area => 3,
        };
        self.add(id, tags, kind, |features| push_commands(features, geometry));
    }

    /// Adds a feature of one point.
    #[inline]
    pub fn point(&mut self, id: u64, tags: &[(u32, u32)], (x, y): Place) {
        self.add(id, tags, 1, |features| {
            features.varint(MOVE | 1 << 3);
            features.varint(zigzag(x));
            features.varint(zigzag(y));
        });
    }

    #[inline]
    fn add(&mut self, id: u64, tags: &[(u32, u32)], kind: u64, commands: impl FnOnce(&mut Message)) {
        let features = &mut self.features;
        features.key(2, 2);
        let feature = features.open();
        features.key(1, 0);
        features.varint(id);
        if !tags.is_empty() {
            features.key(2, 2);
            let pairs = features.open();
            for (key, value) in tags {
                features.varint(u64::from(*key));
                features.varint(u64::from(*value));
            }
            features.close(pairs);
        }
        features.key(3, 0);
        features.varint(kind);
        features.key(4, 2);
        let start = features.open();
        commands(features);
        features.close(start);
        features.close(feature);
        self.count += 1;
    }

    /// Appends the finished layer to a tile, unless it is empty.
    pub fn finish(&self, name: &str, tile: &mut Vec<u8>) {
        if self.count == 0 {
            return;
        }
        let (mut head, mut tail) = (Message::default(), Message::default());
        head.key(15, 0);
        head.varint(2);
        head.field(1, name.as_bytes());
        tail.key(5, 0);
        tail.varint(TILE_EXTENT as u64);
        let pieces = [&head, &self.features, &self.keys, &self.values, &tail];
        let mut start = Message::default();
        start.key(3, 2);
        start.varint(pieces.iter().map(|piece| piece.len() as u64).sum());
        tile.reserve(start.len() + pieces.iter().map(|piece| piece.len()).sum::<usize>());
        tile.extend_from_slice(start.bytes());
        for piece in pieces {
            tile.extend_from_slice(piece.bytes());
        }
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

fn push_commands(out: &mut Message, geometry: &Geometry) {
    let mut at: Place = (0, 0);
    let mut step = |out: &mut Message, to: Place| {
        out.varint(zigzag(to.0 - at.0));
        out.varint(zigzag(to.1 - at.1));
        at = to;
    };
    if geometry.kind == GeometryKind::Point {
        out.varint(MOVE | (geometry.parts.len() as u64) << 3);
        for place in geometry.parts.iter().flatten() {
            step(out, *place);
        }
        return;
    }
    for part in &geometry.parts {
        let [first, rest @ ..] = part.as_slice() else { continue };
        out.varint(MOVE | 1 << 3);
        step(out, *first);
        out.varint(LINE | (rest.len() as u64) << 3);
        for place in rest {
            step(out, *place);
        }
        if geometry.kind == GeometryKind::Area {
            // Closing draws the ring's last edge.
            out.varint(CLOSE | 1 << 3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(kind: GeometryKind, parts: Vec<Vec<Place>>) -> Vec<u8> {
        let mut out = Message::default();
        push_commands(&mut out, &Geometry { kind, parts });
        out.bytes().to_vec()
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
