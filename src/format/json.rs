//! Writes JSON text in small pieces into a buffer that stays in the CPU's first cache; full buffers are copied to the
//! output.
//!
//! A function call to copy a few bytes costs more than the copy. So pieces of up to 63 bytes are copied by a fixed number
//! of instructions. A row has about thirty pieces, each written where the one before ended. [`JsonPieces`] is small enough
//! to stay in registers as long as its address is passed only to inlined functions. For that reason it cannot grow its
//! buffer: if a row does not fit, the row is written again into a larger buffer.

use crate::access::Texts;
use crate::format::digits;
use crate::format::push_json_text;
use crate::model::Position;
use crate::model::calendar;
use crate::model::feature::number_text;
use crate::model::time;

/// The size of the buffer in bytes.
const ROOM: usize = 4_096;
/// The most bytes of a piece in a [`Slot`].
const SLOT: usize = 63;

/// A short piece of JSON, ready to be copied; it has the size of a cache line.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub struct Slot {
    bytes: [u8; SLOT],
    length: u8,
}

impl Slot {
    /// A slot with this piece; `None` if it has more than 63 bytes.
    #[must_use]
    pub fn new(piece: &[u8]) -> Option<Self> {
        let mut bytes = [0; SLOT];
        bytes.get_mut(..piece.len())?.copy_from_slice(piece);
        Some(Self { bytes, length: piece.len() as u8 })
    }

    /// Whether the piece is empty.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

impl Default for Slot {
    fn default() -> Self {
        Self { bytes: [0; SLOT], length: 0 }
    }
}

/// Appends JSON to a byte vector. The bytes arrive there at the latest by [`Self::flush`] or when the writer is dropped.
#[derive(Debug)]
pub struct JsonWriter<'a> {
    out: &'a mut Vec<u8>,
    room: Vec<u8>,
    at: usize,
    /// The most bytes of one call of [`Self::write`] so far.
    longest: usize,
}

impl<'a> JsonWriter<'a> {
    /// A writer that appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self::with_room(out, ROOM)
    }

    /// A writer with a buffer of `room` bytes, for a known small output; the buffer grows if needed.
    pub fn with_room(out: &'a mut Vec<u8>, room: usize) -> Self {
        Self { out, room: vec![0; room], at: 0, longest: 0 }
    }

    /// Copies the buffer to the output and returns the output.
    pub fn flush(&mut self) -> &mut Vec<u8> {
        self.out.extend_from_slice(&self.room[..self.at]);
        self.at = 0;
        self.out
    }

    /// Bytes of the buffer and of what has been gathered for it.
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.out.len() + self.at
    }

    /// Appends what `write` writes. `write` is called again if its output did not fit into the buffer.
    #[inline]
    pub fn write(&mut self, write: impl Fn(&mut JsonPieces<'_>)) {
        if self.room.len() - self.at < self.longest {
            self.flush();
        }
        loop {
            let mut pieces = JsonPieces { rest: &mut self.room[self.at..] };
            write(&mut pieces);
            let rest = pieces.rest.len();
            if rest > 0 {
                self.longest = self.longest.max(self.room.len() - rest - self.at);
                self.at = self.room.len() - rest;
                return;
            }
            if self.at > 0 {
                self.flush();
            } else {
                self.room.resize(self.room.len() * 2, 0);
            }
        }
    }
}

impl Drop for JsonWriter<'_> {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Writes pieces one after another into a buffer of fixed size.
#[derive(Debug)]
pub struct JsonPieces<'a> {
    /// The rest of the buffer; empty once a piece did not fit.
    rest: &'a mut [u8],
}

#[expect(clippy::inline_always, reason = "a call would move the registers' content to memory")]
impl JsonPieces<'_> {
    /// Appends the first `length` bytes of an array. The whole array is copied, which takes fewer instructions.
    #[inline(always)]
    fn first<const LENGTH: usize>(&mut self, bytes: &[u8; LENGTH], length: usize) {
        let rest = std::mem::take(&mut self.rest);
        if let Some(room) = rest.first_chunk_mut() {
            *room = *bytes;
            self.rest = rest.get_mut(length..).unwrap_or_default();
        }
    }

    /// Appends a piece of constant length.
    #[inline(always)]
    pub fn fixed<const LENGTH: usize>(&mut self, piece: &[u8; LENGTH]) {
        self.first(piece, LENGTH);
    }

    /// Appends the piece of a slot.
    #[inline(always)]
    pub fn slot(&mut self, slot: &Slot) {
        self.first(&slot.bytes, usize::from(slot.length));
    }

    /// Appends a piece.
    #[inline(always)]
    pub fn piece(&mut self, piece: &[u8]) {
        if let Some((room, rest)) = std::mem::take(&mut self.rest).split_at_mut_checked(piece.len()) {
            room.copy_from_slice(piece);
            self.rest = rest;
        }
    }

    /// Appends what `write` writes; `write` may pass its argument to functions that are not inlined.
    #[inline(always)]
    pub fn apart<R>(&mut self, write: impl FnOnce(&mut Self) -> R) -> R {
        let mut inner = Self { rest: std::mem::take(&mut self.rest) };
        let result = write(&mut inner);
        self.rest = inner.rest;
        result
    }

    /// Appends what `write` writes, or only `null` if it returns `None`.
    #[inline(always)]
    pub fn whole_or_null(&mut self, write: impl FnOnce(&mut JsonPieces<'_>) -> Option<()>) {
        let before = std::mem::take(&mut self.rest);
        let room = before.len();
        let mut inner = JsonPieces { rest: &mut *before };
        if write(&mut inner).is_some() {
            let written = room - inner.rest.len();
            self.rest = before.get_mut(written..).unwrap_or_default();
        } else {
            self.rest = before;
            self.fixed(b"null");
        }
    }

    /// Appends a text without quotes and escapes.
    #[inline(always)]
    pub fn raw_text(&mut self, texts: &Texts, place: usize) {
        match texts.short(place) {
            Some((bytes, length)) => self.first(bytes, length),
            None => self.piece(texts.get(place).as_bytes()),
        }
    }

    /// Appends a text as a JSON string.
    #[inline(always)]
    pub fn text(&mut self, texts: &Texts, place: usize) {
        if texts.is_plain() {
            self.fixed(b"\"");
            self.raw_text(texts, place);
            self.fixed(b"\"");
        } else {
            self.string(texts.get(place));
        }
    }

    /// Appends a text as a JSON string.
    #[inline(always)]
    pub fn string(&mut self, text: &str) {
        let mut string = Vec::new();
        push_json_text(&mut string, text);
        self.piece(&string);
    }

    /// Appends a whole number.
    #[inline(always)]
    pub fn int(&mut self, value: i64) {
        match u32::try_from(value) {
            Ok(small) if small < 100_000_000 => {
                let (text, length) = digits::whole(small);
                self.first(&text, length);
            }
            _ => self.piece(itoa::Buffer::new().format(value).as_bytes()),
        }
    }

    /// Appends a number; `null` for NaN and infinity, which JSON cannot hold.
    #[inline(always)]
    pub fn float(&mut self, value: f64) {
        // Many numbers have at most three decimals: a multiplication finds them, and they are written as whole numbers.
        let thousandths = (value * 1e3 + 0.5_f64.copysign(value)) as i32;
        if thousandths.unsigned_abs() < digits::THOUSANDTHS
            && (f64::from(thousandths) / 1e3).to_bits() == value.to_bits()
        {
            self.thousandths(thousandths);
        } else if value.is_finite() {
            let (text, length) = number_text(value);
            self.first(&text, length);
        } else {
            self.fixed(b"null");
        }
    }

    /// Appends `value` / 1,000.
    #[inline(always)]
    pub fn thousandths(&mut self, value: i32) {
        let magnitude = value.unsigned_abs();
        if magnitude >= digits::THOUSANDTHS {
            let (text, length) = number_text(f64::from(value) / 1e3);
            return self.first(&text, length);
        }
        if value < 0 {
            self.fixed(b"-");
        }
        let (text, length) = digits::thousandths(magnitude);
        self.first(&text, length);
    }

    /// Appends a date as a JSON string; `days` counts from 1970-01-01.
    #[inline(always)]
    pub fn date(&mut self, days: i32) {
        if let Some(date) = calendar::date_text(days) {
            let mut text = *b"\"0000-00-00\"";
            text[1..11].copy_from_slice(&date);
            self.fixed(&text);
        } else {
            self.piece(format!("\"{}\"", time::format_date(days)).as_bytes());
        }
    }

    /// Appends an instant as a JSON string; `micros` counts from 1970-01-01T00:00:00Z.
    #[inline(always)]
    pub fn instant(&mut self, micros: i64) {
        if let Some(instant) = calendar::instant_text(micros) {
            let mut text = *b"\"0000-00-00T00:00:00Z\"";
            text[1..21].copy_from_slice(&instant);
            return self.fixed(&text);
        }
        let mut text = vec![b'"'];
        time::push_instant(&mut text, micros);
        text.push(b'"');
        self.piece(&text);
    }

    /// Appends longitude and latitude in degrees, with a comma between them.
    #[inline(always)]
    pub fn lon_lat(&mut self, position: Position) {
        self.degrees(position.lon);
        self.fixed(b",");
        self.degrees(position.lat);
    }

    /// Appends an angle in degrees as the shortest decimal text; `units` are units of 1e-7 degree.
    #[inline(always)]
    fn degrees(&mut self, units: i32) {
        for (text, length) in digits::degrees(units) {
            self.first(&text, length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl Fn(&mut JsonPieces<'_>)) -> String {
        let mut out = Vec::new();
        JsonWriter::new(&mut out).write(write);
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn whole_numbers_are_written_as_the_standard_library_writes_them(value: i64, shift in 0_u32..63) {
            let value = value >> shift;
            prop_assert_eq!(written(|json| json.int(value)), value.to_string());
        }

        #[test]
        fn degrees_read_back(units in -1_800_000_000_i32..=1_800_000_000, coarse in 0_u32..8) {
            let step = 10_i32.pow(coarse);
            let units = units / step * step;
            let text = written(|json| json.degrees(units));
            let degrees: f64 = text.parse().unwrap();
            prop_assert_eq!((degrees * 1e7).round() as i32, units);
            prop_assert!(!text.contains('.') || !text.ends_with('0'), "{}", text);
        }

        #[test]
        fn dates_are_written_as_format_date_writes_them(days in -60_000_i32..60_000) {
            prop_assert_eq!(written(|json| json.date(days)), format!("\"{}\"", time::format_date(days)));
        }

        #[test]
        fn numbers_read_back_to_the_bit(value in proptest::num::f64::NORMAL | proptest::num::f64::ZERO | proptest::num::f64::SUBNORMAL) {
            let text = written(|json| json.float(value));
            prop_assert_eq!(serde_json::from_str::<f64>(&text).unwrap().to_bits(), value.to_bits());
        }

        #[test]
        fn numbers_with_few_decimals_have_their_shortest_text(units in -2_000_000_000_i64..2_000_000_000, decimals in 0_i32..6) {
            let value = units as f64 / 10_f64.powi(decimals);
            prop_assert_eq!(written(|json| json.float(value)), crate::model::feature::format_number(value));
        }

        #[test]
        fn pieces_arrive_whole_and_in_order(pieces in proptest::collection::vec("[a-z\"\\\\\n]{0,90}", 0..200), long in "[a-z]{0,5000}") {
            let texts = Texts::new(pieces.iter().map(String::as_str));
            let mut expected = Vec::new();
            for piece in &pieces {
                push_json_text(&mut expected, piece);
                expected.extend_from_slice(piece.as_bytes());
                expected.extend_from_slice(b"x1");
            }
            expected.extend_from_slice(long.as_bytes());
            let got = written(|json| {
                for place in 0..pieces.len() {
                    json.text(&texts, place);
                    json.raw_text(&texts, place);
                    json.fixed(b"x");
                    json.int(1);
                }
                json.piece(long.as_bytes());
            });
            prop_assert_eq!(got.into_bytes(), expected);
        }

        #[test]
        fn calls_of_write_append_in_their_order(pieces in proptest::collection::vec("[a-z]{0,600}", 0..60), long in "[a-z]{0,30000}") {
            let mut out = b"before ".to_vec();
            let mut writer = JsonWriter::new(&mut out);
            for piece in pieces.iter().chain([&long]).chain(&pieces) {
                writer.write(|json| {
                    json.fixed(b"-");
                    json.piece(piece.as_bytes());
                    // The piece is written and then replaced by null.
                    json.whole_or_null(|json| {
                        json.piece(piece.as_bytes());
                        None
                    });
                });
            }
            drop(writer);
            let expected: String = pieces.iter().chain([&long]).chain(&pieces).map(|piece| format!("-{piece}null")).collect();
            prop_assert_eq!(String::from_utf8(out).unwrap(), format!("before {expected}"));
        }
    }
}
