//! Mapbox Vector Tile 2.1 bytes.
//!
//! Source: Mapbox vector tile specification 2.1; protocol buffers' wire format.

use std::collections::HashMap;

use crate::model::GeometryKind;
use crate::tile::clip::Place;

/// A value of a layer's table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TileValue {
    /// Text.
    Text(String),
    /// A double, by its bits.
    Double(u64),
    /// A whole number.
    Int(i64),
    /// A truth value.
    Bool(bool),
}

/// Collects the features of one layer.
#[derive(Debug, Default)]
pub struct LayerWriter {
    keys: Vec<String>,
    key_places: HashMap<String, u32>,
    values: Vec<TileValue>,
    value_places: HashMap<TileValue, u32>,
    features: Vec<u8>,
    count: usize,
}

impl LayerWriter {
    /// How many features it has.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Adds a feature: points, lines, or rings (an outer one before its holes, wound as the tile wants them).
    pub fn feature(&mut self, id: u64, tags: &[(&str, TileValue)], kind: GeometryKind, parts: &[Vec<Place>]) {
        let mut body = Vec::new();
        push_key(&mut body, 1, 0);
        push_varint(&mut body, id);
        let mut packed = Vec::new();
        for (key, value) in tags {
            let key = if let Some(place) = self.key_places.get(*key) {
                *place
            } else {
                self.keys.push((*key).to_owned());
                self.key_places.insert((*key).to_owned(), self.keys.len() as u32 - 1);
                self.keys.len() as u32 - 1
            };
            let values = &mut self.values;
            let value = *self.value_places.entry(value.clone()).or_insert_with(|| {
                values.push(value.clone());
                values.len() as u32 - 1
            });
            push_varint(&mut packed, u64::from(key));
            push_varint(&mut packed, u64::from(value));
        }
        push_bytes(&mut body, 2, &packed);
        push_key(&mut body, 3, 0);
        push_varint(
            &mut body,
            match kind {
                GeometryKind::Point => 1,
                GeometryKind::Line => 2,
                GeometryKind::Area => 3,
            },
        );
        push_bytes(&mut body, 4, &commands(kind, parts));
        push_bytes(&mut self.features, 2, &body);
        self.count += 1;
    }

    /// Appends the finished layer to a tile, unless it is empty.
    pub fn finish(self, name: &str, tile: &mut Vec<u8>) {
        if self.count == 0 {
            return;
        }
        let mut body = Vec::new();
        push_key(&mut body, 15, 0);
        push_varint(&mut body, 2);
        push_bytes(&mut body, 1, name.as_bytes());
        body.extend_from_slice(&self.features);
        for key in &self.keys {
            push_bytes(&mut body, 3, key.as_bytes());
        }
        for value in &self.values {
            let mut bytes = Vec::new();
            match value {
                TileValue::Text(text) => push_bytes(&mut bytes, 1, text.as_bytes()),
                TileValue::Double(bits) => {
                    push_key(&mut bytes, 3, 1);
                    bytes.extend_from_slice(&bits.to_le_bytes());
                }
                TileValue::Int(value) if *value >= 0 => {
                    push_key(&mut bytes, 5, 0);
                    push_varint(&mut bytes, value.unsigned_abs());
                }
                TileValue::Int(value) => {
                    push_key(&mut bytes, 6, 0);
                    push_varint(&mut bytes, zigzag(*value));
                }
                TileValue::Bool(value) => {
                    push_key(&mut bytes, 7, 0);
                    push_varint(&mut bytes, u64::from(*value));
                }
            }
            push_bytes(&mut body, 4, &bytes);
        }
        push_key(&mut body, 5, 0);
        push_varint(&mut body, 4_096);
        push_bytes(tile, 3, &body);
    }
}

fn commands(kind: GeometryKind, parts: &[Vec<Place>]) -> Vec<u8> {
    const MOVE: u64 = 1;
    const LINE: u64 = 2;
    const CLOSE: u64 = 7;
    let mut out = Vec::new();
    let mut at: Place = (0, 0);
    let mut step = |out: &mut Vec<u8>, to: Place| {
        push_varint(out, zigzag(to.0 - at.0));
        push_varint(out, zigzag(to.1 - at.1));
        at = to;
    };
    if kind == GeometryKind::Point {
        push_varint(&mut out, MOVE | (parts.len() as u64) << 3);
        for place in parts.iter().filter_map(|part| part.first()) {
            step(&mut out, *place);
        }
        return out;
    }
    for part in parts {
        let ring = kind == GeometryKind::Area;
        // A ring's last place is drawn by closing it.
        let places = if ring { &part[..part.len() - 1] } else { &part[..] };
        push_varint(&mut out, MOVE | 1 << 3);
        step(&mut out, places[0]);
        push_varint(&mut out, LINE | (places.len() as u64 - 1) << 3);
        for place in &places[1..] {
            step(&mut out, *place);
        }
        if ring {
            push_varint(&mut out, CLOSE | 1 << 3);
        }
    }
    out
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

    #[test]
    fn the_specification_s_own_examples() {
        // Vector tile specification 2.1, section 4.3.5: point (25, 17); line (2,2) (2,10) (10,10); polygon (3,6) (8,12) (20,34).
        assert_eq!(commands(GeometryKind::Point, &[vec![(25, 17)]]), [9, 50, 34]);
        assert_eq!(commands(GeometryKind::Point, &[vec![(5, 7)], vec![(3, 2)]]), [17, 10, 14, 3, 9]);
        assert_eq!(
            commands(GeometryKind::Line, &[vec![(2, 2), (2, 10), (10, 10)]]),
            [9, 4, 4, 18, 0, 16, 16, 0]
        );
        assert_eq!(
            commands(GeometryKind::Area, &[vec![(3, 6), (8, 12), (20, 34), (3, 6)]]),
            [9, 6, 12, 18, 10, 12, 24, 44, 15]
        );
    }
}
