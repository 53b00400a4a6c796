//! Protocol buffers' wire format: varints, keys, and pieces with their length before them.
//!
//! Source: Protocol Buffers, "Encoding".

/// The most a [`Line`] holds.
const ROOM: usize = 1_024;

/// A short message put together on the stack: a few bytes at a time cost least there.
#[derive(Debug)]
pub struct Line {
    bytes: [u8; ROOM],
    at: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self { bytes: [0; ROOM], at: 0 }
    }
}

impl Line {
    /// Begins anew.
    #[inline]
    pub fn clear(&mut self) {
        self.at = 0;
    }

    /// What was written.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.at]
    }

    /// Appends a number. Eight bytes are written at once; what they hold beyond the number is written over.
    #[inline]
    pub fn varint(&mut self, value: u64) {
        if value < 0x80 {
            self.bytes[self.at] = value as u8;
            self.at += 1;
            return;
        }
        let bytes = varint_bytes(value);
        if bytes > 8 {
            let mut rest = value;
            for place in 0..bytes {
                self.bytes[self.at + place] = rest as u8 & 0x7F | if place + 1 < bytes { 0x80 } else { 0 };
                rest >>= 7;
            }
        } else {
            // Seven bits a byte: first apart into halves of 28 bits, then of 14, then of 7.
            let halves = value & 0x0FFF_FFFF | (value & 0x00FF_FFFF_F000_0000) << 4;
            let quarters = halves & 0x0000_3FFF_0000_3FFF | (halves & 0x0FFF_C000_0FFF_C000) << 2;
            let sevens = quarters & 0x007F_007F_007F_007F | (quarters & 0x3F80_3F80_3F80_3F80) << 1;
            let more = 0x0080_8080_8080_8080 >> (8 * (8 - bytes));
            self.bytes[self.at..self.at + 8].copy_from_slice(&(sevens | more).to_le_bytes());
        }
        self.at += bytes;
    }

    /// Appends the key of a field.
    #[inline]
    pub fn key(&mut self, field: u64, wire: u64) {
        self.varint(field << 3 | wire);
    }

    /// Appends eight bytes, the lowest first.
    #[inline]
    pub fn eight(&mut self, bits: u64) {
        self.bytes[self.at..self.at + 8].copy_from_slice(&bits.to_le_bytes());
        self.at += 8;
    }

    /// Begins a piece whose length is not known yet.
    #[inline]
    pub fn open(&mut self) -> usize {
        self.at += 1;
        self.at
    }

    /// Ends the piece that [`Self::open`] began.
    #[inline]
    pub fn close(&mut self, start: usize) {
        let length = self.at - start;
        if length < 0x80 {
            self.bytes[start - 1] = length as u8;
            return;
        }
        // Two bytes: a line is not long enough for three.
        self.bytes.copy_within(start..self.at, start + 1);
        self.bytes[start - 1] = length as u8 | 0x80;
        self.bytes[start] = (length >> 7) as u8;
        self.at += 1;
    }
}

/// How many bytes a number takes.
#[inline]
pub fn varint_bytes(value: u64) -> usize {
    // Seven bits a byte.
    (u64::BITS - (value | 1).leading_zeros()).div_ceil(7) as usize
}

/// A number with its sign in the lowest bit.
#[inline]
pub fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Appends a number.
#[inline]
pub fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7F) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends the key of a field.
pub fn push_key(out: &mut Vec<u8>, field: u64, wire: u64) {
    push_varint(out, field << 3 | wire);
}

/// Appends a field of bytes.
pub fn push_bytes(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    push_key(out, field, 2);
    push_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_documentation_s_own_examples() {
        let line = |write: &dyn Fn(&mut Line)| {
            let mut line = Line::default();
            write(&mut line);
            line.bytes().to_vec()
        };
        assert_eq!(line(&|line| line.varint(150)), [0x96, 0x01]);
        assert_eq!(line(&|line| line.key(2, 2)), [0x12]);
        assert_eq!([zigzag(0), zigzag(-1), zigzag(1), zigzag(i64::MIN)], [0, 1, 2, u64::MAX]);
    }

    proptest! {
        #[test]
        fn a_line_is_what_a_byte_at_a_time_gives(numbers in proptest::collection::vec((any::<u64>(), 0_u32..64), 0..40), inner in 0_usize..40) {
            let numbers: Vec<u64> = numbers.iter().map(|(number, shift)| number >> shift).collect();
            let (first, rest) = numbers.split_at(inner.min(numbers.len()));
            let mut line = Line::default();
            let mut expected = Vec::new();
            for number in first {
                line.varint(*number);
                push_varint(&mut expected, *number);
            }
            line.key(4, 2);
            let start = line.open();
            let mut piece = Vec::new();
            for number in rest {
                line.varint(*number);
                push_varint(&mut piece, *number);
                prop_assert_eq!(varint_bytes(*number), { let mut one = Vec::new(); push_varint(&mut one, *number); one.len() });
            }
            line.close(start);
            push_bytes(&mut expected, 4, &piece);
            prop_assert_eq!(line.bytes(), &expected[..]);
        }
    }
}
