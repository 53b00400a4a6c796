//! The wire format of protocol buffers: varints, field keys, and pieces that are preceded by their length.
//!
//! Source: Protocol Buffers, "Encoding".

/// Bytes of memory beyond the last byte, so that eight bytes can be written at once.
const MARGIN: usize = 16;

/// A protocol buffers message that is written from start to end.
#[derive(Debug, Default)]
pub struct Message {
    /// The bytes that were written, followed by reserved bytes of no meaning.
    bytes: Vec<u8>,
    length: usize,
}

impl Message {
    /// The bytes that were written.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Removes everything that was written; the memory stays reserved.
    pub fn clear(&mut self) {
        self.length = 0;
    }

    /// Bytes of reserved memory.
    pub fn room(&self) -> usize {
        self.bytes.len()
    }

    /// The number of bytes that were written.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Reserves memory for `more` bytes and for the margin.
    #[inline]
    fn make_room(&mut self, more: usize) {
        if self.length + more + MARGIN > self.bytes.len() {
            self.grow(more);
        }
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let least = self.length + more + MARGIN;
        self.bytes.resize(least.max(self.bytes.len() * 2).max(256), 0);
    }

    /// Appends a number.
    #[inline]
    pub fn varint(&mut self, value: u64) {
        self.make_room(0);
        if value >= 1 << 14 {
            return self.long_varint(value);
        }
        // Most numbers take one byte or two. Two are always written; what follows overwrites the second if it is not used.
        let long = usize::from(value >= 0x80);
        let bytes = [value as u8 & 0x7F | (long as u8) << 7, (value >> 7) as u8];
        self.bytes[self.length..self.length + 2].copy_from_slice(&bytes);
        self.length += 1 + long;
    }

    /// Appends a number of three bytes or more. Eight bytes are written at once; what follows overwrites the unused ones.
    #[inline(never)]
    fn long_varint(&mut self, value: u64) {
        let bytes = varint_bytes(value);
        if bytes <= 8 {
            let (text, _) = varint_56(value);
            self.bytes[self.length..self.length + 8].copy_from_slice(&text.to_le_bytes());
        } else {
            let mut rest = value;
            for byte in &mut self.bytes[self.length..self.length + bytes] {
                *byte = rest as u8 | 0x80;
                rest >>= 7;
            }
            self.bytes[self.length + bytes - 1] &= 0x7F;
        }
        self.length += bytes;
    }

    /// Appends the bytes that `write` puts into a buffer of at least `most` bytes; `write` returns their number.
    #[inline]
    pub fn put(&mut self, most: usize, write: impl FnOnce(&mut [u8]) -> usize) {
        self.make_room(most);
        self.length += write(&mut self.bytes[self.length..]);
    }

    /// Appends the key of a field: its number and its wire type.
    #[inline]
    pub fn key(&mut self, field: u64, wire: u64) {
        self.varint(field << 3 | wire);
    }

    /// Appends eight bytes, little-endian.
    #[inline]
    pub fn eight(&mut self, bits: u64) {
        self.make_room(0);
        self.bytes[self.length..self.length + 8].copy_from_slice(&bits.to_le_bytes());
        self.length += 8;
    }

    /// Appends bytes unchanged.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.make_room(bytes.len());
        self.bytes[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }

    /// Appends a field that holds bytes: key, length, bytes.
    pub fn field(&mut self, field: u64, bytes: &[u8]) {
        self.key(field, 2);
        self.varint(bytes.len() as u64);
        self.raw(bytes);
    }

    /// Begins a piece of unknown length. Pass the result to [`Self::close`] at the end of the piece.
    #[inline]
    pub fn open(&mut self) -> usize {
        self.make_room(1);
        self.length += 1;
        self.length
    }

    /// Ends a piece that began at `start`, and writes its length before it. One byte is reserved for the length.
    #[inline]
    pub fn close(&mut self, start: usize) {
        let length = self.length - start;
        if length < 0x80 {
            self.bytes[start - 1] = length as u8;
        } else {
            self.close_long(start, length);
        }
    }

    fn close_long(&mut self, start: usize, length: usize) {
        let more = varint_bytes(length as u64) - 1;
        self.make_room(more);
        let end = self.length;
        self.bytes.copy_within(start..end, start + more);
        // Writing the length overwrites the first bytes of the moved piece, so they are saved and put back.
        self.length = start - 1;
        let kept: [u8; 8] = std::array::from_fn(|at| self.bytes[start + more + at]);
        self.varint(length as u64);
        self.bytes[start + more..start + more + 8].copy_from_slice(&kept);
        self.length = end + more;
    }
}

/// The number of bytes of a varint.
#[inline]
pub fn varint_bytes(value: u64) -> usize {
    // Seven bits a byte: 9 / 64 is close enough to 1 / 7 for at most 64 bits.
    let last = (value | 1).ilog2();
    (last * 9 + 73) as usize / 64
}

/// A number below 2^56 as a varint: its bytes in one integer, the first byte lowest, and the number of bytes.
#[inline]
pub fn varint_56(value: u64) -> (u64, usize) {
    // Seven bits a byte: the bits are split into halves of 28, then of 14, then of 7.
    let halves = value & 0x0FFF_FFFF | (value & 0x00FF_FFFF_F000_0000) << 4;
    let quarters = halves & 0x0000_3FFF_0000_3FFF | (halves & 0x0FFF_C000_0FFF_C000) << 2;
    let sevens = quarters & 0x007F_007F_007F_007F | (quarters & 0x3F80_3F80_3F80_3F80) << 1;
    let bytes = varint_bytes(value);
    (sevens | 0x0080_8080_8080_8080 >> (8 * (8 - bytes)), bytes)
}

/// As [`varint_56`], for a number below 2^28.
#[inline]
pub fn varint_28(value: u64) -> (u64, usize) {
    let halves = value & 0x3FFF | (value & 0x0FFF_C000) << 2;
    let sevens = halves & 0x007F_007F | (halves & 0x3F80_3F80) << 1;
    let bytes = varint_bytes(value);
    (sevens | 0x0080_8080 >> (8 * (4 - bytes)), bytes)
}

/// A signed number with the sign in the lowest bit, so that small absolute values give short varints.
#[inline]
pub fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_documentation_s_own_examples() {
        let message = |write: &dyn Fn(&mut Message)| {
            let mut message = Message::default();
            write(&mut message);
            message.bytes().to_vec()
        };
        assert_eq!(message(&|message| message.varint(150)), [0x96, 0x01]);
        assert_eq!(message(&|message| message.field(2, b"testing")), *b"\x12\x07testing");
        assert_eq!([zigzag(0), zigzag(-1), zigzag(1), zigzag(i64::MIN)], [0, 1, 2, u64::MAX]);
    }

    /// A varint written byte by byte, as the documentation describes it.
    fn push_varint(out: &mut Vec<u8>, mut value: u64) {
        while value >= 0x80 {
            out.push((value & 0x7F) as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }

    proptest! {
        #[test]
        fn a_message_equals_one_that_is_written_byte_by_byte(numbers in proptest::collection::vec((any::<u64>(), 0_u32..64), 0..60), inner in 0_usize..60, long in 0_usize..40_000) {
            let numbers: Vec<u64> = numbers.iter().map(|(number, shift)| number >> shift).collect();
            let (first, rest) = numbers.split_at(inner.min(numbers.len()));
            let (mut message, mut expected) = (Message::default(), Vec::new());
            for number in first {
                message.varint(*number);
                push_varint(&mut expected, *number);
            }
            message.key(4, 2);
            let start = message.open();
            let mut piece = Vec::new();
            for number in rest {
                message.varint(*number);
                let before = piece.len();
                push_varint(&mut piece, *number);
                prop_assert_eq!(varint_bytes(*number), piece.len() - before);
                for (bits, (text, bytes)) in [(28, varint_28(*number % (1 << 28))), (56, varint_56(*number % (1 << 56)))] {
                    let mut expected = Vec::new();
                    push_varint(&mut expected, *number % (1 << bits));
                    prop_assert_eq!(&text.to_le_bytes()[..bytes], &expected[..]);
                }
            }
            if long % 3 == 0 {
                let bytes: Vec<u8> = (0..long).map(|at| at as u8).collect();
                message.raw(&bytes);
                piece.extend_from_slice(&bytes);
            }
            message.close(start);
            push_varint(&mut expected, 4 << 3 | 2);
            push_varint(&mut expected, piece.len() as u64);
            expected.extend_from_slice(&piece);
            prop_assert_eq!(message.bytes(), &expected[..]);
        }
    }
}
