//! The one filter tree: a box, an interval, a circle, or all of several.

use std::cmp::Ordering;
use std::ops::Range;

use crate::access::RowGroup;
use crate::model::Position;
use crate::model::ValueRef;
use crate::model::geometry::Bounds;
use crate::model::time::DAY_MICROS;
use crate::model::time::Interval;
use crate::query::QueryError;
use crate::query::centre::Centre;
use crate::query::spatial;

/// Which rows a question is about.
#[derive(Debug, Clone)]
pub enum Filter {
    /// Rows that share a position with the box, and rows without geometry (OGC Features, 7.15.3).
    Bbox(Bbox),
    /// Rows whose time meets the interval, and rows without time (OGC Features, 7.15.4).
    During(Interval),
    /// Rows within a distance; rows without geometry are not.
    Within(Circle),
    /// Rows with a value of a field, by its place in the schema.
    Property(usize, Wanted),
    /// Rows that every member matches; all rows if there is none.
    All(Vec<Filter>),
}

/// The value that a field is to have; rows without a value never have it.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// This text.
    Text(String),
    /// This truth value.
    Bool(bool),
    /// This number.
    Number(f64),
    /// This whole number.
    Int(i64),
    /// A day or an instant in this interval, as microseconds since 1970-01-01T00:00:00Z.
    Time(Interval),
}

impl Wanted {
    fn is(&self, value: ValueRef<'_>) -> bool {
        match (self, value) {
            (Self::Text(wanted), ValueRef::Text(text)) => wanted == text,
            (Self::Bool(wanted), ValueRef::Bool(value)) => *wanted == value,
            (Self::Number(wanted), ValueRef::Float(value)) => {
                wanted.partial_cmp(&value).is_some_and(Ordering::is_eq)
            }
            (Self::Int(wanted), ValueRef::Int(value)) => *wanted == value,
            (Self::Time(wanted), ValueRef::Date(day)) => {
                let start = i64::from(day) * DAY_MICROS;
                wanted.intersects(start, start + DAY_MICROS - 1)
            }
            (Self::Time(wanted), ValueRef::Timestamp(at)) => wanted.intersects(at, at),
            _ => false,
        }
    }
}

/// A box in longitude and latitude; two windows if it crosses the antimeridian, none if it lies off the earth.
#[derive(Debug, Clone, PartialEq)]
pub struct Bbox {
    windows: Vec<Bounds>,
}

/// A circle on the ellipsoid.
#[derive(Debug, Clone, PartialEq)]
pub struct Circle {
    /// Longitude of the centre in degrees.
    pub lon: f64,
    /// Latitude of the centre in degrees.
    pub lat: f64,
    /// Geodesic radius in metres.
    pub metres: f64,
    windows: Vec<Bounds>,
    centre: Centre,
    /// Shares on the sphere up to which a place is surely within, and beyond which it surely is not.
    sure: (f64, f64),
}

const FULL_LON: f64 = 180.0;
const FULL_LAT: f64 = 90.0;

impl Bbox {
    /// A closed box in degrees; `west > east` crosses the antimeridian. Parts off the earth are cut away.
    ///
    /// # Errors
    /// [`QueryError::NotFinite`] or [`QueryError::UpsideDown`].
    pub fn new(west: f64, south: f64, east: f64, north: f64) -> Result<Self, QueryError> {
        if ![west, south, east, north].iter().all(|edge| edge.is_finite()) {
            return Err(QueryError::NotFinite);
        }
        if south > north {
            return Err(QueryError::UpsideDown);
        }
        let spans = if west > east { vec![(west, FULL_LON), (-FULL_LON, east)] } else { vec![(west, east)] };
        Ok(Self {
            windows: spans.into_iter().filter_map(|(west, east)| window(west, south, east, north)).collect(),
        })
    }

    /// The windows it is made of.
    #[must_use]
    pub fn windows(&self) -> &[Bounds] {
        &self.windows
    }

    fn matches(&self, group: &RowGroup, row: usize) -> bool {
        if let Some(positions) = group.positions() {
            let held = |position: &Position| self.windows.iter().any(|window| window.holds(*position));
            return positions.get(row).is_none_or(held);
        }
        let Some(geometry) = group.geometry(row) else { return true };
        let bounds = group.row_bounds(row);
        self.windows.iter().any(|window| {
            window.contains(&bounds) || (window.intersects(&bounds) && geometry.intersects_bounds(window))
        })
    }
}

/// The window of a box in degrees, edges rounded inwards to whole units; `None` if nothing is left.
fn window(west: f64, south: f64, east: f64, north: f64) -> Option<Bounds> {
    if west > FULL_LON || east < -FULL_LON || south > FULL_LAT || north < -FULL_LAT {
        return None;
    }
    let bounds = Bounds {
        west: least_unit(west.max(-FULL_LON)),
        south: least_unit(south.max(-FULL_LAT)),
        east: greatest_unit(east.min(FULL_LON)),
        north: greatest_unit(north.min(FULL_LAT)),
    };
    (!bounds.is_empty()).then_some(bounds)
}

/// The least unit of 1e-7 degree not below an edge. An edge written with seven decimals is that unit itself,
/// though its double may lie a hair beside.
fn least_unit(degrees: f64) -> i32 {
    let units = degrees * 1e7;
    if (units - units.round()).abs() < 1e-3 { units.round() as i32 } else { units.ceil() as i32 }
}

fn greatest_unit(degrees: f64) -> i32 {
    let units = degrees * 1e7;
    if (units - units.round()).abs() < 1e-3 { units.round() as i32 } else { units.floor() as i32 }
}

impl Circle {
    /// A circle around a position in degrees.
    ///
    /// # Errors
    /// [`QueryError::NotFinite`], [`QueryError::OffTheEarth`] or [`QueryError::BadDistance`].
    pub fn new(lon: f64, lat: f64, metres: f64) -> Result<Self, QueryError> {
        spatial::check_position(lon, lat)?;
        if !metres.is_finite() || metres < 0.0 {
            return Err(QueryError::BadDistance);
        }
        let sure = (Centre::share_surely_within(metres), Centre::share_surely_beyond(metres));
        let windows = spatial::circle_windows(lon, lat, metres);
        Ok(Self { lon, lat, metres, windows, centre: Centre::new(lon, lat), sure })
    }

    fn matches(&self, group: &RowGroup, row: usize) -> bool {
        if let Some(positions) = group.positions() {
            return positions.get(row).is_some_and(|position| self.holds(*position));
        }
        group.geometry(row).is_some_and(|geometry| {
            self.centre.least_share(&group.row_bounds(row)) <= self.sure.1
                && spatial::geometry_distance_m(self.lon, self.lat, geometry) <= self.metres
        })
    }

    fn holds(&self, position: Position) -> bool {
        // The sphere decides all but a thin ring.
        let share = self.centre.share(position);
        share <= self.sure.0
            || share <= self.sure.1
                && spatial::distance_m(self.lon, self.lat, position.lon_degrees(), position.lat_degrees())
                    <= self.metres
    }
}

impl Filter {
    /// Whether a row matches.
    #[must_use]
    pub fn matches(&self, group: &RowGroup, row: usize) -> bool {
        match self {
            Self::Bbox(bbox) => bbox.matches(group, row),
            Self::During(interval) => {
                let (start, end) = group.time(row);
                interval.intersects(start, end)
            }
            Self::Within(circle) => circle.matches(group, row),
            Self::Property(field, wanted) => wanted.is(group.value(*field, row)),
            Self::All(members) => members.iter().all(|member| member.matches(group, row)),
        }
    }

    /// How many of a run of rows match.
    #[must_use]
    pub fn count(&self, group: &RowGroup, rows: Range<usize>) -> usize {
        let (Some(positions), true) = (group.positions(), self.is_window_only()) else {
            return rows.filter(|row| self.matches(group, *row)).count();
        };
        // Points and windows alone: two comparisons an edge, no more. Rows without geometry match every box.
        let located = rows.start.min(positions.len())..rows.end.min(positions.len());
        let windows = self.windows().unwrap_or_default();
        let elsewhere = rows.len() - located.len();
        // One comparison an axis: what lies before the edge wraps round to a great number.
        let span = |low: i32, high: i32| high.wrapping_sub(low).cast_unsigned();
        let inside = |window: &Bounds, position: &Position| {
            span(window.west, position.lon) <= span(window.west, window.east)
                && span(window.south, position.lat) <= span(window.south, window.north)
        };
        let positions = &positions[located];
        let held: usize = if let [window] = windows {
            positions.iter().map(|position| usize::from(inside(window, position))).sum()
        } else {
            let any = |position: &&Position| windows.iter().any(|window| inside(window, position));
            positions.iter().filter(any).count()
        };
        elsewhere + held
    }

    /// Windows outside which no located row matches; `None` if there is no such limit.
    #[must_use]
    pub fn windows(&self) -> Option<&[Bounds]> {
        match self {
            Self::Bbox(bbox) => Some(&bbox.windows),
            Self::Within(circle) => Some(&circle.windows),
            Self::During(_) | Self::Property(..) => None,
            // The circle is the tighter one where both are given, and it leaves out rows without geometry.
            Self::All(members) => members
                .iter()
                .find(|member| matches!(member, Self::Within(_)))
                .or_else(|| members.iter().find(|member| member.windows().is_some()))
                .and_then(Self::windows),
        }
    }

    /// Whether lying wholly inside one of [`Self::windows`] is enough to match.
    #[must_use]
    pub fn is_window_only(&self) -> bool {
        match self {
            Self::Bbox(_) => true,
            Self::During(_) | Self::Within(_) | Self::Property(..) => false,
            Self::All(members) => members.len() == 1 && members[0].is_window_only(),
        }
    }

    /// Whether every row matches.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        matches!(self, Self::All(members) if members.iter().all(Self::is_everything))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_become_windows() {
        let two = Bbox::new(170.0, -10.0, -170.0, 10.0).unwrap();
        assert_eq!(two.windows().len(), 2);
        assert_eq!((two.windows()[0].west, two.windows()[0].east), (1_700_000_000, 1_800_000_000));
        assert_eq!(Bbox::new(200.0, 0.0, 210.0, 1.0).unwrap().windows(), []);
        assert_eq!(Bbox::new(0.0, 5.0, 1.0, 4.0), Err(QueryError::UpsideDown));
        assert_eq!(Bbox::new(f64::NAN, 0.0, 1.0, 1.0), Err(QueryError::NotFinite));
        let point = Bbox::new(-1.093, 50.797, -1.093, 50.797).unwrap();
        assert_eq!(
            point.windows()[0],
            Bounds { west: -10_930_000, south: 507_970_000, east: -10_930_000, north: 507_970_000 }
        );
        // Between two units nothing lies.
        assert_eq!(Bbox::new(0.000_000_02, 0.0, 0.000_000_08, 1.0).unwrap().windows(), []);
    }
}
