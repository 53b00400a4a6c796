//! Mapbox Vector Tile 2.1 bytes.
//!
//! Source: Mapbox vector tile specification 2.1; protocol buffers' wire format.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;
use hashbrown::HashTable;

use crate::model::GeometryKind;
use crate::tile::clip::Place;
use crate::tile::grid::TILE_EXTENT;

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
    /// Encoded values one after the other, and where each ends.
    values: Vec<u8>,
    value_ends: Vec<u32>,
    table: HashTable<(u64, u32)>,
    hasher: DefaultHashBuilder,
    features: Vec<u8>,
    count: usize,
    body: Vec<u8>,
    commands: Vec<u8>,
}

impl LayerWriter {
    /// Bytes of the finished layer but for its name and head, a little less than it will have.
    pub fn bytes(&self) -> usize {
        // Each value has a head of two bytes and more.
        self.features.len() + self.keys.len() + self.values.len() + 2 * self.value_ends.len()
    }

    /// A new key of the layer; each is given once.
    pub fn key(&mut self, name: &str) -> u32 {
        push_bytes(&mut self.keys, 3, name.as_bytes());
        self.key_count += 1;
        self.key_count - 1
    }

    /// The index of a value in the layer's table.
    pub fn value(&mut self, value: TileValue<'_>) -> u32 {
        let start = self.values.len();
        push_value(&mut self.values, value);
        let encoded = &self.values[start..];
        let hash = self.hasher.hash_one(encoded);
        let (values, ends) = (&self.values, &self.value_ends);
        let at = |code: u32| {
            let from = if code == 0 { 0 } else { ends[code as usize - 1] };
            &values[from as usize..ends[code as usize] as usize]
        };
        let known = self.table.find(hash, |(known, code)| *known == hash && at(*code) == encoded);
        if let Some((_, code)) = known {
            let code = *code;
            self.values.truncate(start);
            return code;
        }
        let code = self.value_ends.len() as u32;
        self.value_ends.push(self.values.len() as u32);
        self.table.insert_unique(hash, (hash, code), |(hash, _)| *hash);
        code
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
        let (x, y) = (zigzag(x), zigzag(y));
        let tag_bytes: usize = tags
            .iter()
            .map(|(key, value)| varint_bytes(u64::from(*key)) + varint_bytes(u64::from(*value)))
            .sum();
        let body = &mut self.body;
        body.clear();
        push_key(body, 1, 0);
        push_varint(body, id);
        if !tags.is_empty() {
            push_key(body, 2, 2);
            push_varint(body, tag_bytes as u64);
            for (key, value) in tags {
                push_varint(body, u64::from(*key));
                push_varint(body, u64::from(*value));
            }
        }
        // A point; its geometry moves to one place.
        push_key(body, 3, 0);
        push_varint(body, 1);
        push_key(body, 4, 2);
        push_varint(body, (1 + varint_bytes(x) + varint_bytes(y)) as u64);
        push_varint(body, 1 | 1 << 3);
        push_varint(body, x);
        push_varint(body, y);
        push_bytes(&mut self.features, 2, body);
        self.count += 1;
    }

    /// Appends the finished layer to a tile, unless it is empty.
    pub fn finish(&self, name: &str, tile: &mut Vec<u8>) {
        if self.count == 0 {
            return;
        }
        let mut body = Vec::with_capacity(self.features.len() + self.keys.len() + self.values.len() * 2);
        push_key(&mut body, 15, 0);
        push_varint(&mut body, 2);
        push_bytes(&mut body, 1, name.as_bytes());
        body.extend_from_slice(&self.features);
        body.extend_from_slice(&self.keys);
        let mut start = 0;
        for end in &self.value_ends {
            push_bytes(&mut body, 4, &self.values[start..*end as usize]);
            start = *end as usize;
        }
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

fn push_value(out: &mut Vec<u8>, value: TileValue<'_>) {
    match value {
        TileValue::Text(text) => push_bytes(out, 1, text.as_bytes()),
        TileValue::Double(value) => {
            push_key(out, 3, 1);
            out.extend_from_slice(&value.to_le_bytes());
        }
        TileValue::Int(value) if value >= 0 => {
            push_key(out, 5, 0);
            push_varint(out, value.unsigned_abs());
        }
        TileValue::Int(value) => {
            push_key(out, 6, 0);
            push_varint(out, zigzag(value));
        }
        TileValue::Bool(value) => {
            push_key(out, 7, 0);
            push_varint(out, u64::from(value));
        }
    }
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

fn varint_bytes(value: u64) -> usize {
    // Seven bits a byte.
    (u64::BITS - (value | 1).leading_zeros()).div_ceil(7) as usize
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7F) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn push_key(out: &mut Vec<u8>, field: u64, wire: u64) {
    push_varint(out, field << 3 | wire);
}

fn push_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    push_key(out, field, 2);
    push_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
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
