//! Columns: narrow integers, floats, dictionary or plain text, with null bits.

use crate::model::ValueRef;
use crate::model::schema::FieldType;

/// One bit a row, set where the value is null.
#[derive(Debug, Clone, Default)]
pub struct Nulls(Option<Box<[u64]>>);

impl Nulls {
    /// From one flag a row.
    pub fn new(flags: impl ExactSizeIterator<Item = bool>) -> Self {
        let mut words = vec![0_u64; flags.len().div_ceil(64)];
        let mut any = false;
        for (row, null) in flags.enumerate() {
            if null {
                words[row / 64] |= 1 << (row % 64);
                any = true;
            }
        }
        Self(any.then(|| words.into_boxed_slice()))
    }

    /// Whether any value is null.
    #[must_use]
    pub fn any(&self) -> bool {
        self.0.is_some()
    }

    /// Whether the row's value is null.
    #[inline]
    #[must_use]
    pub fn is_null(&self, row: usize) -> bool {
        self.0.as_ref().is_some_and(|words| words[row / 64] >> (row % 64) & 1 == 1)
    }

    /// One bit for each of 64 rows, the lowest for row `64 * block`; set where the value is null.
    #[inline]
    #[must_use]
    pub fn word(&self, block: usize) -> u64 {
        self.0.as_ref().and_then(|words| words.get(block)).copied().unwrap_or(0)
    }

    fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |words| words.len() * 8)
    }
}

/// Whole numbers in the narrowest width that holds them all.
#[derive(Debug, Clone)]
pub enum Ints {
    /// 8 bits.
    I8(Box<[i8]>),
    /// 16 bits.
    I16(Box<[i16]>),
    /// 32 bits.
    I32(Box<[i32]>),
    /// 64 bits.
    I64(Box<[i64]>),
}

impl Ints {
    fn new(values: &[i64]) -> Self {
        let (low, high) = values
            .iter()
            .fold((0, 0), |(low, high), value| (value.min(&low).to_owned(), value.max(&high).to_owned()));
        let fits = |least: i64, most: i64| low >= least && high <= most;
        if fits(i64::from(i8::MIN), i64::from(i8::MAX)) {
            Self::I8(values.iter().map(|value| *value as i8).collect())
        } else if fits(i64::from(i16::MIN), i64::from(i16::MAX)) {
            Self::I16(values.iter().map(|value| *value as i16).collect())
        } else if fits(i64::from(i32::MIN), i64::from(i32::MAX)) {
            Self::I32(values.iter().map(|value| *value as i32).collect())
        } else {
            Self::I64(values.into())
        }
    }

    /// The value of a row.
    #[inline]
    #[must_use]
    pub fn get(&self, row: usize) -> i64 {
        match self {
            Self::I8(values) => i64::from(values[row]),
            Self::I16(values) => i64::from(values[row]),
            Self::I32(values) => i64::from(values[row]),
            Self::I64(values) => values[row],
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::I8(values) => values.len(),
            Self::I16(values) => values.len() * 2,
            Self::I32(values) => values.len() * 4,
            Self::I64(values) => values.len() * 8,
        }
    }
}

/// Text: codes into a dictionary, or every value in full.
#[derive(Debug, Clone)]
pub enum TextColumn {
    /// Up to 256 different values.
    Dict8(Box<[u8]>, Texts),
    /// Up to 65,536 different values, where that saves room.
    Dict16(Box<[u16]>, Texts),
    /// One text a row.
    Plain(Texts),
}

/// Texts one after the other.
#[derive(Debug, Clone)]
pub struct Texts {
    ends: Box<[u32]>,
    text: Box<str>,
    plain: bool,
}

impl Texts {
    /// The most bytes that [`Self::short`] gives.
    pub const MARGIN: usize = 48;

    /// Packs texts, of less than 4 GiB in all: row groups are cut so (`build`).
    pub fn new<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let (mut ends, mut text) = (Vec::new(), String::new());
        for one in texts {
            text.push_str(one);
            ends.push(text.len() as u32);
        }
        let plain = !text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\');
        Self { ends: ends.into(), text: text.into(), plain }
    }

    /// The text of an index.
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.text[start..self.ends[index] as usize]
    }

    /// Whether no text has a control character, a quotation mark or a backslash: what JSON strings cannot hold as it is.
    #[inline]
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// The text of an index with some bytes behind it, and its length, if it is short and there are such bytes: a copy
    /// of a fixed number of bytes is a few instructions, one of any number a call.
    #[inline]
    #[must_use]
    pub fn short(&self, index: usize) -> Option<(&[u8; Self::MARGIN], usize)> {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        let length = self.ends[index] as usize - start;
        let bytes = self.text.as_bytes().get(start..start + Self::MARGIN)?;
        (length <= Self::MARGIN).then_some((bytes.try_into().ok()?, length))
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn bytes(&self) -> usize {
        self.ends.len() * 4 + self.text.len()
    }
}

impl TextColumn {
    /// From codes into `texts` (`u32::MAX` for null): the texts that the rows use and no others, in the order of
    /// their first use.
    #[must_use]
    pub fn new(codes: &[u32], texts: &[&str]) -> Self {
        if texts.len() <= 256 {
            return Self::Dict8(
                codes.iter().map(|code| *code as u8).collect(),
                Texts::new(texts.iter().copied()),
            );
        }
        let text = |code: u32| if code == u32::MAX { "" } else { texts[code as usize] };
        let bytes = |texts: &mut dyn Iterator<Item = &str>| texts.map(|text| text.len() + 4).sum::<usize>();
        let dictionary = bytes(&mut texts.iter().copied()) + codes.len() * 2;
        if texts.len() <= 65_536 && dictionary < bytes(&mut codes.iter().map(|code| text(*code))) {
            return Self::Dict16(
                codes.iter().map(|code| *code as u16).collect(),
                Texts::new(texts.iter().copied()),
            );
        }
        Self::Plain(Texts::new(codes.iter().map(|code| text(*code))))
    }

    /// The text of a row that is not null.
    #[inline]
    #[must_use]
    pub fn get(&self, row: usize) -> &str {
        let (texts, index) = self.place(row);
        texts.get(index)
    }

    /// The texts, and the index of a row that is not null among them.
    #[inline]
    #[must_use]
    pub fn place(&self, row: usize) -> (&Texts, usize) {
        match self {
            Self::Dict8(codes, texts) => (texts, usize::from(codes[row])),
            Self::Dict16(codes, texts) => (texts, usize::from(codes[row])),
            Self::Plain(texts) => (texts, row),
        }
    }

    /// Bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Dict8(codes, texts) => codes.len() + texts.bytes(),
            Self::Dict16(codes, texts) => codes.len() * 2 + texts.bytes(),
            Self::Plain(texts) => texts.bytes(),
        }
    }
}

/// A number as a whole number of thousandths of at most 32 bits, if it is one to the bit.
fn thousandths(value: f64) -> Option<i64> {
    let whole = (value * 1e3).round() as i32;
    (f64::from(whole) / 1e3).to_bits().eq(&value.to_bits()).then_some(i64::from(whole))
}

/// The values of one field of a row group.
#[derive(Debug, Clone)]
pub enum Column {
    /// Every value is null.
    Null,
    /// Booleans, integers, dates and timestamps.
    Int(FieldType, Ints, Nulls),
    /// Numbers that are whole numbers of thousandths, as those.
    Thousandths(Ints, Nulls),
    /// Numbers that survive as 32-bit floats.
    F32(Box<[f32]>, Nulls),
    /// Numbers.
    F64(Box<[f64]>, Nulls),
    /// Text, lists and JSON.
    Text(FieldType, TextColumn, Nulls),
}

impl Column {
    /// From whole numbers, `None` for null.
    pub fn ints(field_type: FieldType, values: &[Option<i64>]) -> Self {
        if values.iter().all(Option::is_none) {
            return Self::Null;
        }
        let nulls = Nulls::new(values.iter().map(Option::is_none));
        let filled: Vec<i64> = values.iter().map(|value| value.unwrap_or(0)).collect();
        Self::Int(field_type, Ints::new(&filled), nulls)
    }

    /// From numbers, `None` for null.
    pub fn floats(values: &[Option<f64>]) -> Self {
        if values.iter().all(Option::is_none) {
            return Self::Null;
        }
        let nulls = Nulls::new(values.iter().map(Option::is_none));
        let thousandths: Option<Vec<i64>> =
            values.iter().map(|value| thousandths(value.unwrap_or(0.0))).collect();
        if let Some(thousandths) = thousandths {
            return Self::Thousandths(Ints::new(&thousandths), nulls);
        }
        if values.iter().flatten().all(|value| f64::from(*value as f32).to_bits() == value.to_bits()) {
            return Self::F32(values.iter().map(|value| value.unwrap_or(0.0) as f32).collect(), nulls);
        }
        Self::F64(values.iter().map(|value| value.unwrap_or(0.0)).collect(), nulls)
    }

    /// From codes as in [`TextColumn::new`].
    #[must_use]
    pub fn texts(field_type: FieldType, codes: &[u32], texts: &[&str]) -> Self {
        if codes.iter().all(|code| *code == u32::MAX) {
            return Self::Null;
        }
        let nulls = Nulls::new(codes.iter().map(|code| *code == u32::MAX));
        Self::Text(field_type, TextColumn::new(codes, texts), nulls)
    }

    /// The value of a row.
    #[inline]
    #[must_use]
    pub fn get(&self, row: usize) -> ValueRef<'_> {
        match self {
            Self::Int(field_type, values, nulls) if !nulls.is_null(row) => {
                let value = values.get(row);
                match field_type {
                    FieldType::Boolean => ValueRef::Bool(value != 0),
                    FieldType::Date => ValueRef::Date(value as i32),
                    FieldType::Timestamp => ValueRef::Timestamp(value),
                    FieldType::Integer
                    | FieldType::Number
                    | FieldType::Text
                    | FieldType::List
                    | FieldType::Json => ValueRef::Int(value),
                }
            }
            Self::Thousandths(values, nulls) if !nulls.is_null(row) => {
                ValueRef::Float(values.get(row) as f64 / 1e3)
            }
            Self::F32(values, nulls) if !nulls.is_null(row) => ValueRef::Float(f64::from(values[row])),
            Self::F64(values, nulls) if !nulls.is_null(row) => ValueRef::Float(values[row]),
            Self::Text(field_type, values, nulls) if !nulls.is_null(row) => match field_type {
                FieldType::Json | FieldType::List => ValueRef::Json(values.get(row)),
                _ => ValueRef::Text(values.get(row)),
            },
            Self::Null
            | Self::Int(..)
            | Self::Thousandths(..)
            | Self::F32(..)
            | Self::F64(..)
            | Self::Text(..) => ValueRef::Null,
        }
    }

    /// Bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Null => 0,
            Self::Int(_, values, nulls) | Self::Thousandths(values, nulls) => values.bytes() + nulls.bytes(),
            Self::F32(values, nulls) => values.len() * 4 + nulls.bytes(),
            Self::F64(values, nulls) => values.len() * 8 + nulls.bytes(),
            Self::Text(_, values, nulls) => values.bytes() + nulls.bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn integers_survive(values in proptest::collection::vec(proptest::option::of(any::<i64>()), 0..200), shift in 0_u32..63) {
            let values: Vec<Option<i64>> = values.iter().map(|value| value.map(|value| value >> shift)).collect();
            let column = Column::ints(FieldType::Integer, &values);
            for (row, value) in values.iter().enumerate() {
                prop_assert_eq!(column.get(row), value.map_or(ValueRef::Null, ValueRef::Int));
            }
        }

        #[test]
        fn numbers_survive_to_the_bit(values in proptest::collection::vec(proptest::option::of(-1e6_f64..1e6), 0..200), step in 0_usize..4) {
            let values: Vec<Option<f64>> = values.iter().map(|value| value.map(|value| match step {
                0 => value,
                1 => f64::from(value as f32),
                2 => value.round() / 1e3,
                _ => value.round(),
            })).collect();
            let column = Column::floats(&values);
            for (row, value) in values.iter().enumerate() {
                prop_assert_eq!(column.get(row), value.map_or(ValueRef::Null, ValueRef::Float));
            }
        }

        #[test]
        fn texts_survive(numbers in proptest::collection::vec(0_u32..700, 0..2000), null_every in 2_usize..9) {
            let mut texts: Vec<String> = Vec::new();
            let codes: Vec<u32> = numbers.iter().enumerate().map(|(row, number)| {
                if row % null_every == 0 {
                    return u32::MAX;
                }
                let text = "ab".repeat(*number as usize % 40) + &number.to_string();
                let known = texts.iter().position(|known| *known == text);
                known.unwrap_or_else(|| { texts.push(text); texts.len() - 1 }) as u32
            }).collect();
            let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
            let column = Column::texts(FieldType::Text, &codes, &borrowed);
            for (row, code) in codes.iter().enumerate() {
                let expected = if *code == u32::MAX { ValueRef::Null } else { ValueRef::Text(borrowed[*code as usize]) };
                prop_assert_eq!(column.get(row), expected);
            }
        }
    }
}
