//! Ordnance Survey grid references: two letters for a 100 km square, then an even number of digits.
//!
//! Source: Ordnance Survey, a guide to coordinate systems in Great Britain, section 7.

/// The letters of the 5 by 5 squares, row by row from the north-west. I is not used.
const LETTERS: &[u8; 25] = b"ABCDEFGHJKLMNOPQRSTUVWXYZ";

/// A square of the British National Grid (EPSG:27700).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GridReference {
    /// Easting of the south-west corner in metres.
    easting: u32,
    /// Northing of the south-west corner in metres.
    northing: u32,
    /// Digits of the easting, and of the northing, in the text: 0 to 5.
    digits: u32,
}

impl GridReference {
    /// Reads `TQ 299 804`, `TQ299804`, `su6400` or `NN`. Spaces may stand anywhere; letters may have either case.
    /// `None` if the text is not a grid reference or lies outside Great Britain's squares.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain: Vec<u8> = text
            .bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .map(|byte| byte.to_ascii_uppercase())
            .collect();
        if plain.len() < 2 || plain.len() > 12 || plain.len() % 2 == 1 {
            return None;
        }
        let place = |letter: u8| LETTERS.iter().position(|known| *known == letter).map(|place| place as i32);
        let (first, second) = (place(plain[0])?, place(plain[1])?);
        // The first letter names a 500 km square. The south-west corner of S is the grid's origin.
        let east_km = (first % 5 - 2) * 500 + second % 5 * 100;
        let north_km = (3 - first / 5) * 500 + (4 - second / 5) * 100;
        // Great Britain lies within 0 to 700 km east and 0 to 1,300 km north.
        if !(0..700).contains(&east_km) || !(0..1_300).contains(&north_km) {
            return None;
        }
        let digits = (plain.len() as u32 - 2) / 2;
        let number = |part: &[u8]| -> Option<u32> {
            part.iter()
                .try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
        };
        let (east, north) = plain[2..].split_at(digits as usize);
        let unit = 10_u32.pow(5 - digits);
        Some(Self {
            easting: east_km as u32 * 1_000 + number(east)? * unit,
            northing: north_km as u32 * 1_000 + number(north)? * unit,
            digits,
        })
    }

    /// The 1 km square with this south-west corner, easting and northing in kilometres; `None` outside Great Britain's
    /// squares.
    #[must_use]
    pub fn of_kilometre(east: i32, north: i32) -> Option<Self> {
        let inside = (0..700).contains(&east) && (0..1_300).contains(&north);
        inside.then(|| Self { easting: east as u32 * 1_000, northing: north as u32 * 1_000, digits: 2 })
    }

    /// Side of the square in metres.
    #[must_use]
    pub fn size_m(self) -> u32 {
        10_u32.pow(5 - self.digits)
    }

    /// Easting and northing of the square's centre in metres.
    #[must_use]
    pub fn centre(self) -> (f64, f64) {
        let half = f64::from(self.size_m()) / 2.0;
        (f64::from(self.easting) + half, f64::from(self.northing) + half)
    }
}

impl std::fmt::Display for GridReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (east, north) = (self.easting / 100_000, self.northing / 100_000);
        let first = (3 - north / 5) * 5 + east / 5 + 2;
        let second = (4 - north % 5) * 5 + east % 5;
        write!(f, "{}{}", char::from(LETTERS[first as usize]), char::from(LETTERS[second as usize]))?;
        if self.digits > 0 {
            let (unit, width) = (self.size_m(), self.digits as usize);
            let (east, north) = (self.easting % 100_000 / unit, self.northing % 100_000 / unit);
            write!(f, " {east:0width$} {north:0width$}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn published_references() {
        // Ordnance Survey's own example, Framingham Pigot: TG 51409 13177 is 651409 E, 313177 N; Ben Nevis NN 166 712.
        let caister = GridReference::parse("TG 51409 13177").unwrap();
        assert_eq!((caister.easting, caister.northing, caister.size_m()), (651_409, 313_177, 1));
        let nevis = GridReference::parse("nn166712").unwrap();
        assert_eq!((nevis.easting, nevis.northing, nevis.size_m()), (216_600, 771_200, 100));
        assert_eq!(nevis.to_string(), "NN 166 712");
        assert_eq!(GridReference::parse("SV").unwrap().centre(), (50_000.0, 50_000.0));
        assert_eq!(GridReference::parse("HP").unwrap().northing, 1_200_000);
    }

    #[test]
    fn text_that_is_no_reference_gives_none() {
        for text in [
            "",
            "T",
            "TQ 1",
            "TQ 123 45",
            "IA 12 34",
            "AA 12 34",
            "Bath",
            "TQ 1234567 1234567",
            "TQ ab cd",
            "\u{e9}\u{e9}",
        ] {
            assert!(GridReference::parse(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_reference_reads_back_from_its_text(east in 0_u32..700_000, north in 0_u32..1_300_000, digits in 0_u32..=5) {
            let unit = 10_u32.pow(5 - digits);
            let one = GridReference { easting: east / unit * unit, northing: north / unit * unit, digits };
            prop_assert_eq!(GridReference::parse(&one.to_string()), Some(one));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,20}") {
            let _ = GridReference::parse(&text);
        }
    }
}
