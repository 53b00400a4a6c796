//! The table of values of a tile layer. Each value stands in it once and is found by its text or by a number.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;
use hashbrown::HashTable;

use crate::tile::bytes::Message;
use crate::tile::bytes::varint_bytes;
use crate::tile::bytes::zigzag;

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

/// Collects the values of one layer. The hash tables hold only indexes into lists, so that they stay small.
#[derive(Debug, Default)]
pub struct Values {
    /// The table in the tile's format.
    table: Message,
    count: u32,
    /// The texts of the table in the order in which they were added, and their indexes in this list by hash.
    texts: Vec<Text>,
    text_places: HashTable<u32>,
    /// Values that are found by a number, in the same way.
    codes: Vec<Code>,
    code_places: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

/// A text of the table: its hash, its first byte in the table, its length in bytes, and the index of the value.
#[derive(Debug, Clone, Copy)]
struct Text {
    hash: u64,
    start: u32,
    length: u32,
    index: u32,
}

/// A number that stands for a value of the table, and the index of the value.
#[derive(Debug, Clone, Copy)]
struct Code {
    bits: u64,
    kind: Kind,
    index: u32,
}

/// The meaning of a number that stands for a value of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Bits of a double.
    Double,
    /// A whole number.
    Int,
    /// A truth value.
    Bool,
    /// A date as days since 1970-01-01; the value in the table is its text.
    Date,
    /// An instant as microseconds since 1970-01-01T00:00:00Z; the value in the table is its text.
    Instant,
}

impl Values {
    /// Removes all values; the memory stays reserved.
    pub fn clear(&mut self) {
        self.table.clear();
        self.count = 0;
        self.texts.clear();
        self.text_places.clear();
        self.codes.clear();
        self.code_places.clear();
    }

    /// Bytes of reserved memory.
    pub fn room(&self) -> usize {
        self.table.room()
            + self.texts.capacity() * size_of::<Text>()
            + self.codes.capacity() * size_of::<Code>()
            + (self.text_places.capacity() + self.code_places.capacity()) * size_of::<u32>()
    }

    /// The table in the tile's format.
    pub fn table(&self) -> &Message {
        &self.table
    }

    /// The index of a value in the layer's table; adds it if it is new.
    pub fn value(&mut self, value: TileValue<'_>) -> u32 {
        match value {
            TileValue::Text(text) => self.text(text),
            TileValue::Double(number) => self.coded(Kind::Double, number.to_bits(), |_| value),
            TileValue::Int(number) => self.coded(Kind::Int, number.cast_unsigned(), |_| value),
            TileValue::Bool(truth) => self.coded(Kind::Bool, u64::from(truth), |_| value),
        }
    }

    /// The index of the value that a number stands for; adds `value(bits)` if the number is new. The text of a date or an
    /// instant is not compared with other texts: an equal text would stand in the table a second time.
    #[inline]
    pub fn coded<'v>(&mut self, kind: Kind, bits: u64, value: impl FnOnce(u64) -> TileValue<'v>) -> u32 {
        let Self { codes, code_places, hasher, .. } = self;
        let hash = |kind: Kind, bits: u64| hasher.hash_one(bits ^ (kind as u64) << 56);
        let hash_at = |at: &u32| hash(codes[*at as usize].kind, codes[*at as usize].bits);
        let same = |at: &u32| (codes[*at as usize].kind, codes[*at as usize].bits) == (kind, bits);
        let own = hash(kind, bits);
        if let Some(at) = code_places.find(own, same) {
            return codes[*at as usize].index;
        }
        code_places.insert_unique(own, codes.len() as u32, hash_at);
        let index = self.push(value(bits));
        self.codes.push(Code { bits, kind, index });
        index
    }

    fn text(&mut self, text: &str) -> u32 {
        let Self { table, texts, text_places, hasher, .. } = self;
        let hash = hasher.hash_one(text);
        let bytes_of = |known: &Text| &table.bytes()[known.start as usize..][..known.length as usize];
        let same = |known: &Text| known.hash == hash && bytes_of(known) == text.as_bytes();
        if let Some(at) = text_places.find(hash, |at| same(&texts[*at as usize])) {
            return texts[*at as usize].index;
        }
        text_places.insert_unique(hash, texts.len() as u32, |at| texts[*at as usize].hash);
        let index = self.push(TileValue::Text(text));
        let start = self.table.len() - text.len();
        self.texts.push(Text { hash, start: start as u32, length: text.len() as u32, index });
        index
    }

    /// Appends a value to the table and returns its index.
    fn push(&mut self, value: TileValue<'_>) -> u32 {
        let table = &mut self.table;
        let mut number = |field: u8, bits: u64| {
            table.raw(&[4 << 3 | 2, 1 + varint_bytes(bits) as u8, field << 3]);
            table.varint(bits);
        };
        match value {
            TileValue::Int(value) if value >= 0 => number(5, value.unsigned_abs()),
            TileValue::Int(value) => number(6, zigzag(value)),
            TileValue::Bool(value) => number(7, u64::from(value)),
            // A float has half the bytes; it is used where it is equal to the double.
            TileValue::Double(value) if f64::from(value as f32).to_bits() == value.to_bits() => {
                table.raw(&[4 << 3 | 2, 5, 2 << 3 | 5]);
                table.raw(&(value as f32).to_le_bytes());
            }
            TileValue::Double(value) => {
                table.raw(&[4 << 3 | 2, 9, 3 << 3 | 1]);
                table.eight(value.to_bits());
            }
            TileValue::Text(text) => {
                table.key(4, 2);
                table.varint((1 + varint_bytes(text.len() as u64) + text.len()) as u64);
                table.field(1, text.as_bytes());
            }
        }
        self.count += 1;
        self.count - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_of_one_kind_have_one_index() {
        let mut values = Values::default();
        let one = values.value(TileValue::Int(1));
        let truth = values.value(TileValue::Bool(true));
        let text = values.value(TileValue::Text("1"));
        assert_eq!(values.value(TileValue::Int(1)), one);
        assert_eq!(values.value(TileValue::Text("1")), text);
        assert_eq!([one, truth, text, values.value(TileValue::Double(1.0))], [0, 1, 2, 3]);
        assert_eq!(values.value(TileValue::Int(-1)), 4);
    }

    #[test]
    fn a_double_that_is_a_float_is_written_as_one() {
        let bytes = |value: f64| {
            let mut values = Values::default();
            values.value(TileValue::Double(value));
            values.table().bytes().to_vec()
        };
        // 31.5 is 0x41FC0000 by IEEE 754; 0.1 is not equal to any float.
        assert_eq!(bytes(31.5), [0x22, 5, 0x15, 0, 0, 0xFC, 0x41]);
        assert_eq!(bytes(0.1)[..3], [0x22, 9, 0x19]);
        assert_eq!(bytes(0.1)[3..], 0.1_f64.to_le_bytes());
        assert_eq!((bytes(-0.0)[6], bytes(1e300).len(), bytes(f64::from(f32::MAX)).len()), (0x80, 11, 7));
    }

    #[test]
    fn three_thousand_values_keep_their_indexes() {
        let mut values = Values::default();
        let value = |values: &mut Values, number: i64| match number % 3 {
            0 => values.value(TileValue::Int(number)),
            1 => values.value(TileValue::Text(&format!("text {number}"))),
            _ => values.coded(Kind::Date, number.cast_unsigned(), |_| TileValue::Text("a day")),
        };
        let first: Vec<u32> = (0..3_000).map(|number| value(&mut values, number)).collect();
        let again: Vec<u32> = (0..3_000).map(|number| value(&mut values, number)).collect();
        assert_eq!(first, again);
        let distinct: std::collections::HashSet<u32> = first.iter().copied().collect();
        assert_eq!(distinct.len(), 3_000);
        values.clear();
        assert_eq!((value(&mut values, 2_999), value(&mut values, 0), values.table().len()), (0, 1, 9 + 4));
    }
}
