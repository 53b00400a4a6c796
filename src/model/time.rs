//! Instants, days and intervals, in microseconds since 1970-01-01T00:00:00Z.
//!
//! In: RFC 3339 text. Out: `i64` microseconds or [`Interval`]. Years 0000 to 9999.
//! Not here: the current time (`store` and `http` read the clock).

use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime};

use crate::model::calendar;

/// Microseconds in a day.
pub const DAY_MICROS: i64 = 86_400_000_000;

/// 0000-01-01T00:00:00Z and the last microsecond of 9999: RFC 3339 can write these years only.
const FIRST_MICROS: i64 = -62_167_219_200_000_000;
const LAST_MICROS: i64 = 253_402_300_799_999_999;

/// An interval of instants in microseconds since 1970-01-01T00:00:00Z, both ends included. An open end is the least or
/// greatest `i64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Interval {
    /// First instant.
    pub start: i64,
    /// Last instant.
    pub end: i64,
}

impl Interval {
    /// Whether this interval and the one from `start` to `end` share an instant.
    #[must_use]
    pub fn intersects(&self, start: i64, end: i64) -> bool {
        self.start <= end && start <= self.end
    }
}

/// The reason why a `datetime` value was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeFault {
    /// Not an RFC 3339 date-time or date.
    #[error(
        "{0:?} is neither an RFC 3339 date-time (2031-03-01T12:00:00Z or +01:00) nor a date (2031-03-01)"
    )]
    Unreadable(String),
    /// More than one slash.
    #[error("an interval must have one slash: start/end")]
    TooManyParts,
    /// Ends before it starts.
    #[error("the interval ends before it starts")]
    Reversed,
    /// Both ends open.
    #[error("an interval must have a start or an end")]
    NoEnds,
}

/// The interval of an OGC `datetime` value: an instant, a day, or `start/end`, where `..` or nothing is an open end.
///
/// # Errors
/// [`TimeFault`], one variant for each way in which the text can be wrong.
///
/// Source: OGC API - Features - Part 1, clause 7.15.4; RFC 3339.
pub fn parse_interval(text: &str) -> Result<Interval, TimeFault> {
    let mut parts = text.split('/');
    let (first, second) = (parts.next().unwrap_or(""), parts.next());
    if parts.next().is_some() {
        return Err(TimeFault::TooManyParts);
    }
    let Some(second) = second else {
        return parse_moment(first).ok_or_else(|| TimeFault::Unreadable(first.to_owned()));
    };
    let end = |part: &str| match part {
        "" | ".." => Ok(None),
        _ => parse_moment(part).map(Some).ok_or_else(|| TimeFault::Unreadable(part.to_owned())),
    };
    let (start, end) = (end(first)?, end(second)?);
    let interval = match (start, end) {
        (None, None) => return Err(TimeFault::NoEnds),
        (start, end) => Interval {
            start: start.map_or(i64::MIN, |moment| moment.start),
            end: end.map_or(i64::MAX, |moment| moment.end),
        },
    };
    if interval.end < interval.start { Err(TimeFault::Reversed) } else { Ok(interval) }
}

/// The interval of an RFC 3339 instant (start = end) or of a whole UTC day; `None` for other text.
#[must_use]
pub fn parse_moment(text: &str) -> Option<Interval> {
    if let Some(day) = parse_date(text) {
        let start = i64::from(day) * DAY_MICROS;
        return Some(Interval { start, end: start + DAY_MICROS - 1 });
    }
    parse_instant(text).map(|at| Interval { start: at, end: at })
}

/// The interval of a text in a layer's time column: an instant, a day, or a month `2031-03`; `None` for other text.
#[must_use]
pub fn parse_column_moment(text: &str) -> Option<Interval> {
    parse_moment(text).or_else(|| parse_month(text))
}

/// As [`parse_column_moment`], for a JSON string: a column of mixed types holds its text as JSON.
#[must_use]
pub fn parse_json_moment(json: &str) -> Option<Interval> {
    parse_column_moment(json.strip_prefix('"')?.strip_suffix('"')?)
}

/// Reads an RFC 3339 date-time with an offset, in microseconds since 1970-01-01T00:00:00Z. `T` and `Z` may be lower
/// case. `None` for other text, for leap seconds, and for instants outside the UTC years 0000 to 9999.
#[must_use]
pub fn parse_instant(text: &str) -> Option<i64> {
    if text.len() < 20 || text.len() > 40 || !text.is_ascii() {
        return None;
    }
    let upper;
    let text = if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        upper = text.to_ascii_uppercase();
        &upper
    } else {
        text
    };
    if text.as_bytes()[10] != b'T' {
        return None;
    }
    // A leap second has no number of its own: it would be read as another instant.
    if &text[17..19] == "60" {
        return None;
    }
    let instant = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let micros = i64::try_from(instant.unix_timestamp_nanos().div_euclid(1_000)).ok()?;
    // The offset may move the instant out of the years that can be written.
    (FIRST_MICROS..=LAST_MICROS).contains(&micros).then_some(micros)
}

/// Reads a date, `2031-03-01`, in days since 1970-01-01; `None` for other text.
#[must_use]
pub fn parse_date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(&bytes[..4])?, digits(&bytes[5..7])?, digits(&bytes[8..])?);
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()?;
    Some(date.to_julian_day() - UNIX_JULIAN_DAY)
}

/// The interval of a UTC month, `2031-03`; `None` for other text.
#[must_use]
pub fn parse_month(text: &str) -> Option<Interval> {
    if text.len() != 7 || !text.is_ascii() {
        return None;
    }
    let first = parse_date(&format!("{text}-01"))?;
    let date = Date::from_julian_day(first + UNIX_JULIAN_DAY).ok()?;
    let days = i64::from(date.month().length(date.year()));
    let start = i64::from(first) * DAY_MICROS;
    Some(Interval { start, end: start + days * DAY_MICROS - 1 })
}

/// The month of a day. `days` counts from 1970-01-01; the result counts months from January of the year 0. `None`
/// outside the years -9999 to 9999.
#[must_use]
pub fn month_of(days: i32) -> Option<i32> {
    let date = Date::from_julian_day(days.checked_add(UNIX_JULIAN_DAY)?).ok()?;
    Some(date.year() * 12 + i32::from(u8::from(date.month())) - 1)
}

/// The first day of a month, in days since 1970-01-01. `month` counts from January of the year 0, as in [`month_of`];
/// `None` outside the years -9999 to 9999.
#[must_use]
pub fn first_day_of(month: i32) -> Option<i32> {
    let name = Month::try_from(month.rem_euclid(12) as u8 + 1).ok()?;
    let date = Date::from_calendar_date(month.div_euclid(12), name, 1).ok()?;
    Some(date.to_julian_day() - UNIX_JULIAN_DAY)
}

/// The Monday on or before a day; both count days from 1970-01-01.
#[must_use]
pub fn monday_of(days: i32) -> i32 {
    // The first of January 1970 was a Thursday.
    days - (days + 3).rem_euclid(7)
}

/// 1970-01-01 as a Julian day number.
const UNIX_JULIAN_DAY: i32 = 2_440_588;

fn digits(bytes: &[u8]) -> Option<i32> {
    bytes.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i32::from(byte - b'0')))
}

/// The text of a date, `2031-03-01`. `days` counts from 1970-01-01; the text is empty outside the calendar.
#[must_use]
pub fn format_date(days: i32) -> String {
    text_of(|out| push_date(out, days))
}

/// The text of an instant, `2031-03-01T12:00:00Z`, with a fraction only if it has one. `micros` counts from
/// 1970-01-01T00:00:00Z; the text is empty outside the calendar.
#[must_use]
pub fn format_instant(micros: i64) -> String {
    text_of(|out| push_instant(out, micros))
}

fn text_of(push: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::with_capacity(27);
    push(&mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Appends the text of [`format_date`].
pub fn push_date(out: &mut Vec<u8>, days: i32) {
    if let Some(text) = calendar::date_text(days).or_else(|| date_text(days)) {
        out.extend_from_slice(&text);
    } else if let Some(date) =
        days.checked_add(UNIX_JULIAN_DAY).and_then(|day| Date::from_julian_day(day).ok())
    {
        let text = format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day());
        out.extend_from_slice(text.as_bytes());
    }
}

/// The text of a date. `days` counts from 1970-01-01; `None` before March of the year 0 and after 9999.
///
/// Source: Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`: years begin in March, eras have
/// 400 years.
fn date_text(days: i32) -> Option<[u8; 10]> {
    if !(MARCH_0..=DAYS_9999).contains(&days) {
        return None;
    }
    let shifted = (days - MARCH_0) as u32;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u32::from(month <= 2);
    let mut text = *b"0000-00-00";
    for (place, number) in [(0, year / 100), (2, year % 100), (5, month), (8, day)] {
        put_two(&mut text[place..], number);
    }
    Some(text)
}

/// 0000-03-01 and 9999-12-31 in days since 1970-01-01.
const MARCH_0: i32 = -719_468;
const DAYS_9999: i32 = 2_932_896;

/// Appends the text of [`format_instant`].
pub fn push_instant(out: &mut Vec<u8>, micros: i64) {
    const MICROS: i64 = 1_000_000;
    if let Some(text) = calendar::instant_text(micros) {
        return out.extend_from_slice(&text);
    }
    let start = out.len();
    let days = micros.div_euclid(DAY_MICROS);
    push_date(out, i32::try_from(days).unwrap_or(i32::MAX));
    if out.len() == start {
        return;
    }
    let rest = micros.rem_euclid(DAY_MICROS);
    let seconds = (rest / MICROS) as u32;
    out.extend_from_slice(b"T00:00:00");
    let time = out.len() - 9;
    for (place, number) in [(1, seconds / 3600), (4, seconds / 60 % 60), (7, seconds % 60)] {
        put_two(&mut out[time + place..], number);
    }
    let fraction = rest % MICROS;
    if fraction != 0 {
        out.extend_from_slice(format!(".{fraction:06}").trim_end_matches('0').as_bytes());
    }
    out.push(b'Z');
}

fn put_two(out: &mut [u8], number: u32) {
    out[0] = b'0' + (number / 10) as u8;
    out[1] = b'0' + (number % 10) as u8;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_and_weeks() {
        let day = |text| parse_date(text).unwrap();
        for (text, month) in
            [("2024-04-30", 2024 * 12 + 3), ("1969-12-31", 1969 * 12 + 11), ("2000-02-29", 24_001)]
        {
            assert_eq!(month_of(day(text)), Some(month), "{text}");
        }
        assert_eq!(first_day_of(2024 * 12 + 3), Some(day("2024-04-01")));
        assert_eq!(month_of(i32::MAX), None);
        // 29 April 2024 was a Monday.
        for text in ["2024-04-29", "2024-04-30", "2024-05-05"] {
            assert_eq!(monday_of(day(text)), day("2024-04-29"), "{text}");
        }
        assert_eq!(monday_of(day("1969-12-31")), day("1969-12-29"));
    }
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_date_is_written_as_the_calendar_library_writes_it(days in -4_000_000_i32..4_000_000) {
            let date = Date::from_julian_day(days + UNIX_JULIAN_DAY).ok();
            let expected = date.map(|date| format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day()));
            prop_assert_eq!(format_date(days), expected.unwrap_or_default());
        }
    }

    proptest! {
        #[test]
        fn an_instant_is_written_as_the_calendar_library_writes_it(seconds in FIRST_MICROS / 1_000_000..=LAST_MICROS / 1_000_000, common: bool, micros in 0_i64..1_000_000) {
            let seconds = if common { seconds / 40 } else { seconds };
            let expected = OffsetDateTime::from_unix_timestamp(seconds).unwrap().format(&Rfc3339).unwrap();
            prop_assert_eq!(format_instant(seconds * 1_000_000), expected.clone());
            let fraction = format!(".{micros:06}");
            let expected = expected.replace('Z', fraction.trim_end_matches('0').trim_end_matches('.')) + "Z";
            prop_assert_eq!(format_instant(seconds * 1_000_000 + micros), expected);
        }
    }

    fn at(text: &str) -> i64 {
        parse_instant(text).unwrap()
    }

    #[test]
    fn offsets_cases_and_fractions() {
        // 2031-03-01 is 22,339 days after 1970-01-01 (61 years = 22,280 days with 15 leap days, + 59).
        assert_eq!(at("2031-03-01T12:00:00Z"), (22_339 * 86_400 + 43_200) * 1_000_000);
        assert_eq!(at("2031-03-01T13:00:00+01:00"), at("2031-03-01t12:00:00z"));
        assert_eq!(at("2031-03-01T12:00:00.5Z") - at("2031-03-01T12:00:00Z"), 500_000);
        for bad in [
            "2031-03-01T12:00:00",
            "2031-03-01T12:00:00+0100",
            "2031-03-01 12:00:00Z",
            "2031-02-30T00:00:00Z",
            "0000-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            "2016-12-31T23:59:60Z",
        ] {
            assert!(parse_instant(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn intervals() {
        let year = parse_interval("0000-01-01T00:00:00Z/9999-12-31T00:00:00Z").unwrap();
        assert!(year.start < 0 && year.end > at("2031-03-01T12:00:00Z"));
        assert_eq!(
            parse_interval("../2031-03-01").unwrap(),
            Interval { start: i64::MIN, end: at("2031-03-02T00:00:00Z") - 1 }
        );
        assert_eq!(parse_interval("2031-03-01T00:00:00Z/").unwrap().end, i64::MAX);
        for (bad, fault) in [
            ("../..", TimeFault::NoEnds),
            ("/", TimeFault::NoEnds),
            ("2031-01-02/2031-01-01", TimeFault::Reversed),
            ("2031-01-01/2031-01-02/2031-01-03", TimeFault::TooManyParts),
            ("yesterday", TimeFault::Unreadable("yesterday".into())),
            ("", TimeFault::Unreadable(String::new())),
        ] {
            assert_eq!(parse_interval(bad), Err(fault));
        }
    }

    #[test]
    fn texts_read_back_and_write_the_same() {
        for text in [
            "2031-03-01T12:00:00Z",
            "1969-12-31T23:59:59.25Z",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999Z",
        ] {
            assert_eq!(format_instant(at(text)), text);
        }
        for text in ["1970-01-01", "2031-03-01", "0000-02-29", "9999-12-31"] {
            assert_eq!(format_date(parse_date(text).unwrap()), text);
        }
        assert_eq!(parse_date("2031-02-29"), None);
        let month = parse_month("2020-02").unwrap();
        assert_eq!((month.end + 1 - month.start) / DAY_MICROS, 29);
        assert!(parse_month("2020-13").is_none() && parse_month("2020-1").is_none());
    }
}
