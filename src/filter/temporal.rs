//! The fifteen temporal predicates, on intervals whose ends are as coarse as they are written.
//!
//! Source: OGC 21-065r2 (CQL2), table 8; Allen, "Maintaining knowledge about temporal intervals" (1983).

use std::cmp::Ordering;

use crate::filter::TemporalOperator;
use crate::filter::value::compare_moments;

/// An interval: its start and its end, each with its first and last microsecond, which are equal for an instant and
/// those of the day for a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    pub start: (i64, i64),
    pub end: (i64, i64),
}

impl TemporalOperator {
    /// Whether it holds of two intervals.
    #[must_use]
    pub fn holds(self, one: Ends, other: Ends) -> bool {
        let (starts, ends) = (compare_moments(one.start, other.start), compare_moments(one.end, other.end));
        // The start of one against the end of the other.
        let start_end = compare_moments(one.start, other.end);
        let end_start = compare_moments(one.end, other.start);
        match self {
            Self::After => start_end == Ordering::Greater,
            Self::Before => end_start == Ordering::Less,
            Self::Contains => starts.is_lt() && ends.is_gt(),
            Self::Disjoint => start_end.is_gt() || end_start.is_lt(),
            Self::During => starts.is_gt() && ends.is_lt(),
            Self::Equals => starts.is_eq() && ends.is_eq(),
            Self::FinishedBy => starts.is_lt() && ends.is_eq(),
            Self::Finishes => starts.is_gt() && ends.is_eq(),
            Self::Intersects => start_end.is_le() && end_start.is_ge(),
            Self::Meets => end_start.is_eq(),
            Self::MetBy => start_end.is_eq(),
            Self::OverlappedBy => starts.is_gt() && start_end.is_lt() && ends.is_gt(),
            Self::Overlaps => starts.is_lt() && end_start.is_gt() && ends.is_lt(),
            Self::StartedBy => starts.is_eq() && ends.is_gt(),
            Self::Starts => starts.is_eq() && ends.is_lt(),
        }
    }
}
