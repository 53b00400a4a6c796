//! The bytes of Mapbox Vector Tiles, version 2.1.
//!
//! Source: Mapbox vector tile specification 2.1; the wire format of protocol buffers.

use std::cell::Cell;

use crate::model::GeometryKind;
use crate::tile::bytes::Message;
use crate::tile::bytes::varint_28;
use crate::tile::bytes::varint_56;
use crate::tile::bytes::zigzag;
use crate::tile::clip::Place;
use crate::tile::grid::TILE_EXTENT;
use crate::tile::values::Values;

/// The most bytes of memory that a finished layer leaves to the next one.
const MOST_LEFT: usize = 4 << 20;

thread_local! {
    static SPARE: Cell<Option<Box<LayerWriter>>> = const { Cell::new(None) };
}

/// Geometry commands of the specification, section 4.3.1: `MoveTo`, `LineTo`, `ClosePath`.
const MOVE: u64 = 1;
const LINE: u64 = 2;
const CLOSE: u64 = 7;

/// Collects the features of one layer.
#[derive(Debug, Default)]
pub struct LayerWriter {
    keys: Message,
    key_count: u32,
    values: Values,
    features: Message,
    count: usize,
}

impl LayerWriter {
    /// An empty layer, in the memory of an earlier layer of this thread: fresh memory pages cost more than the writing.
    #[must_use]
    pub fn empty() -> Box<Self> {
        let Some(mut layer) = SPARE.take() else { return Box::default() };
        layer.keys.clear();
        layer.values.clear();
        layer.features.clear();
        (layer.key_count, layer.count) = (0, 0);
        layer
    }

    /// Leaves the memory to the next layer of this thread, unless it is larger than most tiles need.
    pub fn leave(self: Box<Self>) {
        let room = self.features.room() + self.values.room() + self.keys.room();
        if room <= MOST_LEFT {
            SPARE.set(Some(self));
        }
    }

    /// The size in bytes of the finished layer, without its name and header.
    pub fn bytes(&self) -> usize {
        self.features.len() + self.keys.len() + self.values.table().len()
    }

    /// Adds a key to the layer and returns its index. The caller adds each key once.
    pub fn key(&mut self, name: &str) -> u32 {
        self.keys.field(3, name.as_bytes());
        self.key_count += 1;
        self.key_count - 1
    }

    /// The layer's table of values.
    pub fn values(&mut self) -> &mut Values {
        &mut self.values
    }

    /// Adds a feature. `tags` are pairs of a key index and a value index.
    pub fn feature(&mut self, id: u64, tags: &[(u32, u32)], geometry: &Geometry) {
        let kind = match geometry.kind {
            GeometryKind::Point => 1,
            GeometryKind::Line => 2,
            GeometryKind::Polygon => 3,
        };
        self.add(id, tags, kind, |features| push_commands(features, geometry));
    }

    /// Adds a feature with one point.
    #[inline]
    pub fn point(&mut self, id: u64, tags: &[(u32, u32)], (x, y): Place) {
        let place = [zigzag(x), zigzag(y)];
        let short = |value: u64| value < 1 << 28;
        let few =
            tags.len() <= FEW && tags.iter().all(|(key, value)| *key < 0x80 && short(u64::from(*value)));
        if few && id < 1 << 56 && place.into_iter().all(short) {
            self.features.put(SHORT_POINT, |room| short_point(room, id, tags, place));
            self.count += 1;
            return;
        }
        self.add(id, tags, 1, |features| {
            features.varint(MOVE | 1 << 3);
            features.varint(place[0]);
            features.varint(place[1]);
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
        let pieces = [&head, &self.features, &self.keys, self.values.table(), &tail];
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

/// The most tags of a point that [`short_point`] writes, and the most bytes it takes. They are so small that each length
/// in the message has one byte.
const FEW: usize = 12;
const SHORT_POINT: usize = 104;
const _: () = assert!(2 + 9 + 2 + FEW * 5 + 2 + 3 + 8 < 0x80);

/// Writes a feature with one point and few tags, and returns the number of bytes. Keys must be below 2^7, values and
/// places below 2^28. The bytes are those of [`LayerWriter::feature`], written faster.
#[inline]
fn short_point(room: &mut [u8], id: u64, tags: &[(u32, u32)], [x, y]: [u64; 2]) -> usize {
    let mut put = |at: usize, (text, bytes): (u64, usize)| {
        room[at..at + 8].copy_from_slice(&text.to_le_bytes());
        at + bytes
    };
    // The lengths of the feature and of its tags are written at the end.
    let mut at = put(0, (0x08_00_12, 3));
    at = put(at, varint_56(id));
    let pairs = at + 2;
    if !tags.is_empty() {
        at = put(at, (0x12, 2));
        for (key, value) in tags {
            let (text, bytes) = varint_28(u64::from(*value));
            at = put(at, (u64::from(*key) | text << 8, bytes + 1));
        }
    }
    let end = at;
    let ((x, x_bytes), (y, y_bytes)) = (varint_28(x), varint_28(y));
    let length = 1 + x_bytes + y_bytes;
    at = put(at, (0x22_01_18 | (length as u64) << 24 | (MOVE | 1 << 3) << 32, 5));
    at = put(at, (x, x_bytes));
    at = put(at, (y, y_bytes));
    room[1] = (at - 2) as u8;
    if !tags.is_empty() {
        room[pairs - 1] = (end - pairs) as u8;
    }
    at
}

/// The geometry of a feature on the tile grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Geometry {
    /// Points, lines or polygons.
    pub kind: GeometryKind,
    /// Points with one place each; lines; or open rings, where an outer ring (positive area) stands before its holes
    /// (negative area).
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
        if geometry.kind == GeometryKind::Polygon {
            // ClosePath draws the ring's last edge.
            out.varint(CLOSE | 1 << 3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
            commands(GeometryKind::Polygon, vec![vec![(3, 6), (8, 12), (20, 34)]]),
            [9, 6, 12, 18, 10, 12, 24, 44, 15]
        );
        let squares = vec![
            vec![(0, 0), (10, 0), (10, 10), (0, 10)],
            vec![(11, 11), (20, 11), (20, 20), (11, 20)],
            vec![(13, 13), (13, 17), (17, 17), (17, 13)],
        ];
        assert_eq!(
            commands(GeometryKind::Polygon, squares),
            [
                9, 0, 0, 26, 20, 0, 0, 20, 19, 0, 15, 9, 22, 2, 26, 18, 0, 0, 18, 17, 0, 15, 9, 4, 13, 26, 0,
                8, 8, 0, 0, 7, 15
            ]
        );
    }

    proptest! {
        #[test]
        fn a_short_point_has_the_bytes_of_any_other_feature(id: u64, id_shift in 0_u32..64, tags in proptest::collection::vec((0_u32..200, any::<u32>(), 0_u32..32), 0..16), x in -40_000_i64..40_000, y in any::<i32>(), y_shift in 0_u32..32) {
            let (id, y) = (id >> id_shift, i64::from(y >> y_shift));
            let tags: Vec<(u32, u32)> = tags.iter().map(|(key, value, shift)| (*key, value >> shift)).collect();
            let (mut one, mut other) = (LayerWriter::default(), LayerWriter::default());
            for _ in 0..2 {
                one.point(id, &tags, (x, y));
                other.feature(id, &tags, &Geometry { kind: GeometryKind::Point, parts: vec![vec![(x, y)]] });
            }
            prop_assert_eq!(one.features.bytes(), other.features.bytes());
            prop_assert_eq!(one.count, other.count);
        }
    }
}
