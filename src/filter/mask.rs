//! Masks of 64 rows: a bit a row, in three-valued logic (Kleene).

/// True, false or unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trit {
    /// True.
    True,
    /// False.
    False,
    /// Unknown: a null took part.
    Unknown,
}

impl From<bool> for Trit {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

impl From<Option<bool>> for Trit {
    fn from(value: Option<bool>) -> Self {
        value.map_or(Self::Unknown, Self::from)
    }
}

impl std::ops::Not for Trit {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}

/// What is so of each of 64 rows: the lowest bit is the block's first row. No bit is set in both words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mask {
    /// Rows of which it is true.
    pub yes: u64,
    /// Rows of which it is unknown.
    pub unknown: u64,
}

impl Mask {
    /// The same for every row.
    #[inline]
    #[must_use]
    pub fn all(trit: Trit) -> Self {
        match trit {
            Trit::True => Self { yes: u64::MAX, unknown: 0 },
            Trit::False => Self { yes: 0, unknown: 0 },
            Trit::Unknown => Self { yes: 0, unknown: u64::MAX },
        }
    }

    /// Only of some rows; false of the others.
    #[inline]
    #[must_use]
    pub fn of(self, rows: u64) -> Self {
        Self { yes: self.yes & rows, unknown: self.unknown & rows }
    }

    /// Rows of which it is not false.
    #[inline]
    #[must_use]
    pub fn possible(self) -> u64 {
        self.yes | self.unknown
    }

    /// Of these rows what `trit` says, of the others what it was.
    #[inline]
    #[must_use]
    pub fn with(self, rows: u64, trit: Trit) -> Self {
        let (rest, there) = (self.of(!rows), Self::all(trit).of(rows));
        Self { yes: rest.yes | there.yes, unknown: rest.unknown | there.unknown }
    }

    /// Sets a row.
    #[inline]
    pub fn set(&mut self, row: u32, trit: Trit) {
        match trit {
            Trit::True => self.yes |= 1 << row,
            Trit::Unknown => self.unknown |= 1 << row,
            Trit::False => {}
        }
    }

    /// Both.
    #[inline]
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let yes = self.yes & other.yes;
        Self { yes, unknown: self.possible() & other.possible() & !yes }
    }

    /// Either.
    #[inline]
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let yes = self.yes | other.yes;
        Self { yes, unknown: (self.unknown | other.unknown) & !yes }
    }
}

impl std::ops::Not for Mask {
    type Output = Self;

    #[inline]
    fn not(self) -> Self {
        Self { yes: !self.possible(), unknown: self.unknown }
    }
}

/// One bit for each of 64 flags, which are 0 or 1: eight at a time by a multiplication that moves each to its place.
#[inline]
#[must_use]
pub fn pack(flags: &[u8; 64]) -> u64 {
    let mut bits = 0;
    for (place, eight) in flags.as_chunks::<8>().0.iter().enumerate() {
        let moved = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits |= moved << (place * 8);
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRITS: [Trit; 3] = [Trit::False, Trit::Unknown, Trit::True];

    fn rank(mask: Mask) -> usize {
        TRITS.iter().position(|trit| Mask::all(*trit) == mask).unwrap()
    }

    #[test]
    fn and_is_the_least_or_the_greatest_and_not_turns_round() {
        for (a, one) in TRITS.map(Mask::all).into_iter().enumerate() {
            assert_eq!(rank(!one), 2 - a);
            for (b, other) in TRITS.map(Mask::all).into_iter().enumerate() {
                assert_eq!(rank(one.and(other)), a.min(b));
                assert_eq!(rank(one.or(other)), a.max(b));
            }
        }
    }

    proptest! {
        #[test]
        fn flags_are_packed_one_bit_each(bits: u64) {
            let flags = std::array::from_fn(|at| (bits >> at & 1) as u8);
            prop_assert_eq!(pack(&flags), bits);
        }
    }
}
