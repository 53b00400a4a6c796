//! Periods for which figures are released: months, years from April, and blocks of three such years. Windows of one
//! period do not overlap, so that no two figures differ by a few days.

use crate::model::time::first_day_of;
use crate::model::time::month_of;

/// A month, counted from January of the year 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month(pub i32);

/// April 2021: years begin in April, and blocks of three years in April 2021, 2024, ...
const ANCHOR: i32 = 2021 * 12 + 3;

/// The length of a figure's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Period {
    /// A calendar month.
    Month,
    /// A year from April to March.
    Year,
    /// Three such years.
    ThreeYears,
}

/// One window of time of a period's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Window {
    /// The length.
    pub period: Period,
    /// The first month.
    pub first: Month,
}

impl Month {
    /// The month of a day, given in days since 1970-01-01; `None` outside the calendar.
    #[must_use]
    pub fn of(day: i32) -> Option<Self> {
        month_of(day).map(Self)
    }

    /// The last month that is over on a day, given in days since 1970-01-01; `None` outside the calendar.
    #[must_use]
    pub fn over_on(day: i32) -> Option<Self> {
        Self::of(day).map(|Self(month)| Self(month - 1))
    }
}

impl Period {
    /// All periods, from the shortest to the longest.
    pub const ALL: [Self; 3] = [Self::Month, Self::Year, Self::ThreeYears];

    /// The number of months.
    #[must_use]
    pub fn months(self) -> i32 {
        match self {
            Self::Month => 1,
            Self::Year => 12,
            Self::ThreeYears => 36,
        }
    }

    /// The word that released rows use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Year => "year",
            Self::ThreeYears => "three years",
        }
    }

    /// The window of this period that a month lies in.
    #[must_use]
    pub fn window(self, Month(month): Month) -> Window {
        let since = month - ANCHOR;
        Window { period: self, first: Month(ANCHOR + since - since.rem_euclid(self.months())) }
    }

    /// The latest window of this period that is over at the end of a month.
    #[must_use]
    pub fn latest(self, through: Month) -> Window {
        self.window(Month(through.0 + 1 - self.months()))
    }
}

impl Window {
    /// The last month.
    #[must_use]
    pub fn last(self) -> Month {
        Month(self.first.0 + self.period.months() - 1)
    }

    /// Whether another window lies in this one.
    #[must_use]
    pub fn holds(self, other: Self) -> bool {
        self.first <= other.first && other.last() <= self.last()
    }

    /// The first and the last day, in days since 1970-01-01; `None` outside the calendar.
    #[must_use]
    pub fn days(self) -> Option<(i32, i32)> {
        Some((first_day_of(self.first.0)?, first_day_of(self.last().0 + 1)? - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::format_date;
    use crate::model::time::parse_date;

    fn days(window: Window) -> (String, String) {
        let (first, last) = window.days().unwrap();
        (format_date(first), format_date(last))
    }

    #[test]
    fn windows_follow_one_another_without_overlap() {
        let month = Month::of(parse_date("2024-02-10").unwrap()).unwrap();
        for (period, first, last) in [
            (Period::Month, "2024-02-01", "2024-02-29"),
            (Period::Year, "2023-04-01", "2024-03-31"),
            (Period::ThreeYears, "2021-04-01", "2024-03-31"),
        ] {
            let window = period.window(month);
            assert_eq!(days(window), (first.to_owned(), last.to_owned()));
            for held in Period::ALL.into_iter().filter(|shorter| *shorter <= period) {
                assert!(window.holds(held.window(month)));
            }
            let next = period.window(Month(window.last().0 + 1));
            assert!(next.first.0 == window.last().0 + 1 && !window.holds(next));
        }
    }

    #[test]
    fn the_latest_window_is_over() {
        let through = Month::over_on(parse_date("2024-04-30").unwrap()).unwrap();
        assert_eq!(days(Period::Month.latest(through)).1, "2024-03-31");
        assert_eq!(days(Period::Year.latest(through)).1, "2024-03-31");
        assert_eq!(days(Period::Year.latest(Month(through.0 - 1))).1, "2023-03-31");
        assert_eq!(days(Period::ThreeYears.latest(Month(through.0 + 35))).1, "2024-03-31");
        assert_eq!(days(Period::ThreeYears.latest(Month(through.0 + 36))).1, "2027-03-31");
    }
}
