//! Loops over 64 values of a column: what a bound expression becomes for one row group.
//!
//! A comparison with constants is made in the column's own width. A test that reads one field held in a dictionary, of
//! the row or at the end of references from it, is made once for each text of the dictionary. Other tests go row by
//! row, and only over rows that are not decided yet.

use crate::access::BLOCK_ROWS;
use crate::access::Column;
use crate::access::Ints;
use crate::access::Nulls;
use crate::access::RowGroup;
use crate::access::TextColumn;
use crate::access::Texts;
use crate::filter::Circle;
use crate::filter::compare::Range;
use crate::filter::eval::At;
use crate::filter::mask::Mask;
use crate::filter::mask::Trit;
use crate::filter::mask::pack;
use crate::filter::node::Leaf;
use crate::filter::node::Test;
use crate::filter::relation::Relation;
use crate::model::Position;
use crate::model::Value;
use crate::model::ValueRef;
use crate::model::geometry::Bounds;
use crate::model::schema::FieldType;

/// The values of a column, and which of them match.
#[derive(Debug)]
pub struct Scan<'a> {
    values: Values<'a>,
    nulls: Option<&'a Nulls>,
    of_null: Trit,
}

/// Values and the closed range of those that match, its length in the width of the values.
#[derive(Debug)]
enum Values<'a> {
    Same(Trit),
    I8(&'a [i8], i8, u8, bool),
    I16(&'a [i16], i16, u16, bool),
    I32(&'a [i32], i32, u32, bool),
    I64(&'a [i64], i64, u64, bool),
    F32(&'a [f32], f64, f64, bool),
    F64(&'a [f64], f64, f64, bool),
    U8(&'a [u8], u8, u8, bool),
    U16(&'a [u16], u16, u16, bool),
    /// What is so of each code: bit 0 is true, bit 1 unknown.
    Codes8(&'a [u8], Box<[u8; 256]>),
    Codes16(&'a [u16], Box<[u8]>),
}

/// Bits of a table entry.
const YES: u8 = 1;
const UNKNOWN: u8 = 2;

impl<'a> Scan<'a> {
    /// The scan for a test, if it can be made one.
    pub fn of(leaf: &'a Leaf, group: &'a RowGroup) -> Option<Self> {
        let [field] = leaf.fields.as_slice() else { return None };
        if leaf.reads_place {
            return None;
        }
        let at = |value| At { group, row: 0, instead: Some((*field, value)) };
        let of_null = leaf.test.of(&at(ValueRef::Null), None);
        let scan = |values, nulls| Some(Self { values, nulls: Some(nulls), of_null });
        match group.column(*field) {
            None | Some(Column::Null) => Some(Self { values: Values::Same(of_null), nulls: None, of_null }),
            Some(Column::Text(kind, TextColumn::Dict8(codes, texts), nulls)) => {
                let table = table(&leaf.test, texts, *kind, &at);
                scan(codes8(codes, &table), nulls)
            }
            Some(Column::Text(kind, TextColumn::Dict16(codes, texts), nulls)) => {
                let table = table(&leaf.test, texts, *kind, &at);
                scan(codes16(codes, table), nulls)
            }
            Some(Column::Text(_, TextColumn::Plain(_), nulls)) => scan(only_nulls(leaf, *field)?, nulls),
            Some(Column::Int(kind, values, nulls)) => match range(&leaf.test, *field) {
                Some(range) => scan(ints(values, range.whole(*kind)?, range.is_outside()), nulls),
                None => scan(only_nulls(leaf, *field)?, nulls),
            },
            Some(Column::Thousandths(values, nulls)) => match range(&leaf.test, *field) {
                Some(range) => scan(ints(values, range.thousandths()?, range.is_outside()), nulls),
                None => scan(only_nulls(leaf, *field)?, nulls),
            },
            Some(Column::F32(values, nulls)) => match range(&leaf.test, *field) {
                Some(range) => {
                    let (low, high) = range.doubles()?;
                    scan(Values::F32(values, low, high, range.is_outside()), nulls)
                }
                None => scan(only_nulls(leaf, *field)?, nulls),
            },
            Some(Column::F64(values, nulls)) => match range(&leaf.test, *field) {
                Some(range) => {
                    let (low, high) = range.doubles()?;
                    scan(Values::F64(values, low, high, range.is_outside()), nulls)
                }
                None => scan(only_nulls(leaf, *field)?, nulls),
            },
        }
    }

    /// What is so of every row, if it is the same.
    pub fn constant(&self) -> Option<Trit> {
        let any_null = self.nulls.is_some_and(Nulls::any);
        match self.values {
            Values::Same(trit) if !any_null || trit == self.of_null => Some(trit),
            _ => None,
        }
    }

    /// What is so of the rows of a block.
    #[inline]
    pub fn mask(&self, block: usize) -> Mask {
        let mask = match &self.values {
            Values::Same(trit) => Mask::all(*trit),
            Values::I8(values, low, span, outside) => {
                known(values, block, *outside, |value| value.wrapping_sub(*low).cast_unsigned() <= *span)
            }
            Values::I16(values, low, span, outside) => {
                known(values, block, *outside, |value| value.wrapping_sub(*low).cast_unsigned() <= *span)
            }
            Values::I32(values, low, span, outside) => {
                known(values, block, *outside, |value| value.wrapping_sub(*low).cast_unsigned() <= *span)
            }
            Values::I64(values, low, span, outside) => {
                known(values, block, *outside, |value| value.wrapping_sub(*low).cast_unsigned() <= *span)
            }
            Values::U8(values, low, span, outside) => {
                known(values, block, *outside, |value| value.wrapping_sub(*low) <= *span)
            }
            Values::U16(values, low, span, outside) => {
                known(values, block, *outside, |value| value.wrapping_sub(*low) <= *span)
            }
            Values::F32(values, low, high, outside) => known(values, block, *outside, |value| {
                let value = f64::from(value);
                *low <= value && value <= *high
            }),
            Values::F64(values, low, high, outside) => {
                known(values, block, *outside, |value| *low <= value && value <= *high)
            }
            Values::Codes8(codes, table) => looked_up(codes, block, |code| table[usize::from(code)]),
            Values::Codes16(codes, table) => {
                looked_up(codes, block, |code| table.get(usize::from(code)).copied().unwrap_or(0))
            }
        };
        match self.nulls {
            Some(nulls) if nulls.any() => mask.with(nulls.word(block), self.of_null),
            _ => mask,
        }
    }
}

/// The values of a block.
#[inline]
pub fn rows_of<T>(values: &[T], block: usize) -> &[T] {
    let start = (block * BLOCK_ROWS).min(values.len());
    &values[start..(start + BLOCK_ROWS).min(values.len())]
}

#[inline]
fn known<T: Copy>(values: &[T], block: usize, is_outside: bool, is_in: impl Fn(T) -> bool) -> Mask {
    let bits = bits_of(rows_of(values, block), is_in);
    Mask { yes: if is_outside { !bits } else { bits }, unknown: 0 }
}

/// One bit for each value. A whole block has a loop of its own, of a length that the compiler knows.
#[inline]
pub fn bits_of<T: Copy>(values: &[T], is_in: impl Fn(T) -> bool) -> u64 {
    let mut flags = [0; BLOCK_ROWS];
    if let Ok(block) = <&[T; BLOCK_ROWS]>::try_from(values) {
        for (flag, value) in flags.iter_mut().zip(block) {
            *flag = u8::from(is_in(*value));
        }
    } else {
        for (flag, value) in flags.iter_mut().zip(values) {
            *flag = u8::from(is_in(*value));
        }
    }
    pack(&flags)
}

#[inline]
fn looked_up<T: Copy>(codes: &[T], block: usize, entry: impl Fn(T) -> u8) -> Mask {
    let mut entries = [0; BLOCK_ROWS];
    for (slot, code) in entries.iter_mut().zip(rows_of(codes, block)) {
        *slot = entry(*code);
    }
    Mask { yes: pack(&entries.map(|entry| entry & YES)), unknown: pack(&entries.map(|entry| entry >> 1)) }
}

/// What a test says of each text of a dictionary.
fn table<'a>(
    test: &Test,
    texts: &'a Texts,
    kind: FieldType,
    at: &impl Fn(ValueRef<'a>) -> At<'a>,
) -> Box<[u8]> {
    // The commonest test needs nothing but the bytes: texts are in the order of code points, which is that of bytes.
    if let Test::Compare(comparison, value, constant) = test
        && value.own_field().is_some()
        && kind == FieldType::Text
        && let Some(Value::Text(constant)) = constant.constant()
    {
        let holds = |index| comparison.holds(texts.get(index).as_bytes().cmp(constant.as_bytes()));
        return (0..texts.len()).map(|index| if holds(index) { YES } else { 0 }).collect();
    }
    let relation = match test {
        Test::Spatial(operator, one, other) => Some(Relation::new(*operator, one, other)),
        _ => None,
    };
    let entry = |index: usize| {
        let text = texts.get(index);
        let value = match kind {
            FieldType::Json | FieldType::List => ValueRef::Json(text),
            _ => ValueRef::Text(text),
        };
        match test.of(&at(value), relation.as_ref()) {
            Trit::True => YES,
            Trit::Unknown => UNKNOWN,
            Trit::False => 0,
        }
    };
    (0..texts.len()).map(entry).collect()
}

/// The run of codes that are true, if none is unknown and they follow each other; and whether it is rather those that
/// are not.
fn run(table: &[u8]) -> Option<(usize, usize, bool)> {
    if table.contains(&UNKNOWN) {
        return None;
    }
    for (wanted, is_outside) in [(YES, false), (0, true)] {
        let Some(first) = table.iter().position(|entry| *entry == wanted) else { continue };
        let length = table[first..].iter().take_while(|entry| **entry == wanted).count();
        if !table[first + length..].contains(&wanted) {
            return Some((first, length, is_outside));
        }
    }
    None
}

/// What all entries say, if they say the same.
fn same(table: &[u8]) -> Option<Trit> {
    let first = *table.first()?;
    let is_same = table.iter().all(|entry| *entry == first);
    is_same.then_some(match first {
        YES => Trit::True,
        UNKNOWN => Trit::Unknown,
        _ => Trit::False,
    })
}

fn codes8<'a>(codes: &'a [u8], table: &[u8]) -> Values<'a> {
    if let Some(trit) = same(table) {
        return Values::Same(trit);
    }
    if let Some((first, length, is_outside)) = run(table) {
        return Values::U8(codes, first as u8, (length - 1) as u8, is_outside);
    }
    let mut all = Box::new([0; 256]);
    all[..table.len()].copy_from_slice(table);
    Values::Codes8(codes, all)
}

fn codes16(codes: &[u16], table: Box<[u8]>) -> Values<'_> {
    if let Some(trit) = same(&table) {
        return Values::Same(trit);
    }
    if let Some((first, length, is_outside)) = run(&table) {
        return Values::U16(codes, first as u16, (length - 1) as u16, is_outside);
    }
    Values::Codes16(codes, table)
}

/// The range of a comparison of the field itself with constants.
fn range(test: &Test, field: usize) -> Option<Range<'_>> {
    match test {
        Test::Compare(comparison, value, constant) if value.own_field() == Some(field) => {
            Some(Range::of(*comparison, constant.constant()?))
        }
        Test::Between(value, low, high) if value.own_field() == Some(field) => {
            Some(Range::between(low.constant()?, high.constant()?))
        }
        _ => None,
    }
}

/// A test for null alone says the same of every value.
fn only_nulls(leaf: &Leaf, field: usize) -> Option<Values<'static>> {
    match &leaf.test {
        Test::IsNull(operand) if operand.own_field() == Some(field) => Some(Values::Same(Trit::False)),
        _ => None,
    }
}

fn ints(values: &Ints, (low, high): (i64, i64), is_outside: bool) -> Values<'_> {
    // Values of a narrow column lie between the limits of its width.
    let clamped = |least: i64, most: i64| (low.max(least), high.min(most));
    let none = Values::Same(is_outside.into());
    match values {
        Ints::I8(values) => {
            let (low, high) = clamped(i64::from(i8::MIN), i64::from(i8::MAX));
            if low > high { none } else { Values::I8(values, low as i8, (high - low) as u8, is_outside) }
        }
        Ints::I16(values) => {
            let (low, high) = clamped(i64::from(i16::MIN), i64::from(i16::MAX));
            if low > high { none } else { Values::I16(values, low as i16, (high - low) as u16, is_outside) }
        }
        Ints::I32(values) => {
            let (low, high) = clamped(i64::from(i32::MIN), i64::from(i32::MAX));
            if low > high { none } else { Values::I32(values, low as i32, (high - low) as u32, is_outside) }
        }
        Ints::I64(values) => {
            let span = high.wrapping_sub(low).cast_unsigned();
            if low > high { none } else { Values::I64(values, low, span, is_outside) }
        }
    }
}

/// A test that is made row by row.
#[derive(Debug)]
pub struct Each<'a> {
    test: &'a Test,
    group: &'a RowGroup,
    relation: Option<Relation<'a>>,
}

impl<'a> Each<'a> {
    /// Of a test.
    pub fn new(test: &'a Test, group: &'a RowGroup) -> Self {
        let relation = match test {
            Test::Spatial(operator, one, other) => Some(Relation::new(*operator, one, other)),
            _ => None,
        };
        Self { test, group, relation }
    }

    /// What is so of some rows of a block.
    pub fn mask(&self, block: usize, rows: u64) -> Mask {
        row_by_row(self.group, block, rows, |row| {
            self.test.of(&At { group: self.group, row, instead: None }, self.relation.as_ref())
        })
    }
}

/// What is so of some rows of a block, looked at one after the other.
#[inline]
pub fn row_by_row(group: &RowGroup, block: usize, rows: u64, of: impl Fn(usize) -> Trit) -> Mask {
    let mut mask = Mask::default();
    let mut rest = rows & rows_in(group.len(), block);
    while rest != 0 {
        let bit = rest.trailing_zeros();
        mask.set(bit, of(block * BLOCK_ROWS + bit as usize));
        rest &= rest - 1;
    }
    mask
}

/// The bits of a block's first rows that are below a number of rows.
#[inline]
pub fn rows_in(rows: usize, block: usize) -> u64 {
    match rows.saturating_sub(block * BLOCK_ROWS) {
        0 => 0,
        there if there >= BLOCK_ROWS => u64::MAX,
        there => (1 << there) - 1,
    }
}

/// Positions of a block that lie in any of the windows.
#[inline]
pub fn in_windows(positions: &[Position], windows: &[Bounds], block: usize) -> u64 {
    // One comparison an axis: what lies before the edge wraps round to a great number.
    let span = |low: i32, high: i32| high.wrapping_sub(low).cast_unsigned();
    let positions = rows_of(positions, block);
    windows.iter().fold(0, |bits, window| {
        let (wide, high) = (span(window.west, window.east), span(window.south, window.north));
        bits | bits_of(positions, |position: Position| {
            span(window.west, position.lon) <= wide && span(window.south, position.lat) <= high
        })
    })
}

/// Rows of a block that lie in a circle; unknown of those without geometry.
pub fn in_circle(circle: &Circle, group: &RowGroup, block: usize, rows: u64) -> Mask {
    row_by_row(group, block, rows, |row| match group.positions() {
        Some(positions) => positions.get(row).map(|position| circle.holds(*position)).into(),
        None => group.geometry(row).map(|geometry| circle.meets(&group.row_bounds(row), geometry)).into(),
    })
}
