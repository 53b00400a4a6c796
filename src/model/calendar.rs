//! Text of dates and instants from 1901 to 2099, read from tables that are computed at compile time.
//!
//! `time` calls these first and computes other years itself.

use crate::model::time::DAY_MICROS;

/// The text of a date, `2031-03-01`. `days` counts from 1970-01-01; `None` outside 1901 to 2099.
#[inline]
#[must_use]
pub fn date_text(days: i32) -> Option<[u8; 10]> {
    if !(DAY_1901..=DAY_2099).contains(&days) {
        return None;
    }
    // From 1901 to 2099 every fourth year is a leap year.
    let since = (days - DAY_1901) as usize;
    let (cycle, rest) = (since / 1_461, since % 1_461);
    let year = (rest / 365).min(3);
    let day = rest - 365 * year;
    let mut text = *b"0000-00-00";
    text[..4].copy_from_slice(&YEARS[4 * cycle + year]);
    text[4..].copy_from_slice(&DAYS[usize::from(year == 3)][day]);
    Some(text)
}

/// The text of an instant, `2031-03-01T12:00:00Z`. `micros` counts from 1970-01-01T00:00:00Z; `None` outside 1901 to
/// 2099 or if it has a fraction of a second.
#[inline]
#[must_use]
pub fn instant_text(micros: i64) -> Option<[u8; 20]> {
    let (days, of_day) = (micros.div_euclid(DAY_MICROS), micros.rem_euclid(DAY_MICROS));
    if of_day % 1_000_000 != 0 {
        return None;
    }
    let mut text = *b"0000-00-00T00:00:00Z";
    text[..10].copy_from_slice(&date_text(i32::try_from(days).ok()?)?);
    let seconds = (of_day / 1_000_000) as usize;
    for (place, number) in [(11, seconds / 3_600), (14, seconds / 60 % 60), (17, seconds % 60)] {
        text[place..place + 2].copy_from_slice(&two(number));
    }
    Some(text)
}

/// 1901-01-01 and 2099-12-31 in days since 1970-01-01.
const DAY_1901: i32 = -25_202;
const DAY_2099: i32 = 47_481;

/// The text of each year from 1901 on.
static YEARS: [[u8; 4]; 200] = {
    let mut years = [[0; 4]; 200];
    let mut place = 0;
    while place < years.len() {
        let [tens, ones] = two(place + 1);
        years[place] = if place < 99 { [b'1', b'9', tens, ones] } else { [b'2', b'0', tens, ones] };
        place += 1;
    }
    years
};

/// The month and day, as `-01-31`, of each day of a common year (first table) and of a leap year (second).
static DAYS: [[[u8; 6]; 366]; 2] = {
    let mut days = [[[0; 6]; 366]; 2];
    let mut leap = 0;
    while leap < 2 {
        let lengths = [31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let (mut month, mut day, mut place) = (0, 0, 0);
        while place < 365 + leap {
            let ([m, n], [d, e]) = (two(month + 1), two(day + 1));
            days[leap][place] = [b'-', m, n, b'-', d, e];
            (day, place) = (day + 1, place + 1);
            if day == lengths[month] {
                (month, day) = (month + 1, 0);
            }
        }
        leap += 1;
    }
    days
};

/// The last two decimal digits of a number, as ASCII.
const fn two(value: usize) -> [u8; 2] {
    [b'0' + (value / 10 % 10) as u8, b'0' + (value % 10) as u8]
}
