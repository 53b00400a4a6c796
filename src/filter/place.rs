//! Boxes and circles: the windows they are looked for in, and what lies in them.

use crate::filter::Centre;
use crate::filter::FilterError;
use crate::filter::distance;
use crate::model::GeometryRef;
use crate::model::Position;
use crate::model::geometry::Bounds;

/// A box in longitude and latitude; two windows if it crosses the antimeridian, none if it lies off the earth.
#[derive(Debug, Clone, PartialEq)]
pub struct Bbox {
    windows: Vec<Bounds>,
}

/// A circle on the ellipsoid.
#[derive(Debug, Clone, PartialEq)]
pub struct Circle {
    lon: f64,
    lat: f64,
    metres: f64,
    windows: Vec<Bounds>,
    centre: Centre,
    /// Haversines up to which a position is surely within, and beyond which it surely is not.
    sure: (f64, f64),
}

const FULL_LON: f64 = 180.0;
const FULL_LAT: f64 = 90.0;

impl Bbox {
    /// A closed box in degrees; `west > east` crosses the antimeridian. Parts off the earth are left out.
    ///
    /// # Errors
    /// [`FilterError::NotFinite`] or [`FilterError::SouthAboveNorth`].
    pub fn new(west: f64, south: f64, east: f64, north: f64) -> Result<Self, FilterError> {
        if ![west, south, east, north].iter().all(|edge| edge.is_finite()) {
            return Err(FilterError::NotFinite);
        }
        if south > north {
            return Err(FilterError::SouthAboveNorth { south, north });
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

    /// Whether a geometry with this box around it shares a position with it.
    #[must_use]
    pub fn meets(&self, bounds: &Bounds, geometry: GeometryRef<'_>) -> bool {
        self.windows.iter().any(|window| {
            window.contains(bounds) || (window.intersects(bounds) && geometry.intersects_bounds(window))
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
    /// A circle around a position in degrees, with a geodesic radius in metres.
    ///
    /// # Errors
    /// [`FilterError::NotFinite`], [`FilterError::OffTheEarth`] or [`FilterError::BadDistance`].
    pub fn new(lon: f64, lat: f64, metres: f64) -> Result<Self, FilterError> {
        distance::check_position(lon, lat)?;
        if !metres.is_finite() || metres < 0.0 {
            return Err(FilterError::BadDistance);
        }
        let sure = (Centre::haversine_surely_within(metres), Centre::haversine_surely_beyond(metres));
        let windows = distance::circle_windows(lon, lat, metres);
        Ok(Self { lon, lat, metres, windows, centre: Centre::new(lon, lat), sure })
    }

    /// Longitude and latitude of the centre in degrees, and the radius in metres.
    #[must_use]
    pub fn parts(&self) -> (f64, f64, f64) {
        (self.lon, self.lat, self.metres)
    }

    /// Windows that hold it.
    #[must_use]
    pub fn windows(&self) -> &[Bounds] {
        &self.windows
    }

    /// Whether a geometry with this box around it comes as near.
    #[must_use]
    pub fn meets(&self, bounds: &Bounds, geometry: GeometryRef<'_>) -> bool {
        self.centre.least_haversine(bounds) <= self.sure.1
            && distance::geometry_distance_m(self.lon, self.lat, geometry) <= self.metres
    }

    /// Whether a position lies in it.
    #[must_use]
    #[inline]
    pub fn holds(&self, position: Position) -> bool {
        // The sphere decides all but a thin ring.
        let haversine = self.centre.haversine(position);
        haversine <= self.sure.0
            || haversine <= self.sure.1
                && distance::distance_m(self.lon, self.lat, position.lon_degrees(), position.lat_degrees())
                    <= self.metres
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
        let upside_down = Bbox::new(0.0, 5.0, 1.0, 4.0).unwrap_err();
        assert_eq!(upside_down, FilterError::SouthAboveNorth { south: 5.0, north: 4.0 });
        assert_eq!(upside_down.to_string(), "south (5) is above north (4); give west,south,east,north");
        assert_eq!(Bbox::new(f64::NAN, 0.0, 1.0, 1.0), Err(FilterError::NotFinite));
        let point = Bbox::new(-1.093, 50.797, -1.093, 50.797).unwrap();
        assert_eq!(
            point.windows()[0],
            Bounds { west: -10_930_000, south: 507_970_000, east: -10_930_000, north: 507_970_000 }
        );
        // Between two units nothing lies.
        assert_eq!(Bbox::new(0.000_000_02, 0.0, 0.000_000_08, 1.0).unwrap().windows(), []);
    }
}
