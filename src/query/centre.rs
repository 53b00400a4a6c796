//! Distances from one position to many, without sines and cosines of each.
//!
//! A *share* is the haversine of an angle at the earth's centre, sin^2(angle / 2): 0 at the position, 1 at its
//! antipode, and growing with distance between. Comparing shares needs no root and no inverse sine.

use crate::model::Position;
use crate::model::geometry::Bounds;
use crate::query::spatial::ELLIPSOID_LEAST;
use crate::query::spatial::ELLIPSOID_MOST;
use crate::query::spatial::RADIUS_M;

/// Radians of one unit of 1e-7 degree.
const UNIT: f64 = std::f64::consts::PI / 180.0 / 1e7;
/// Up to this many radians (5.7 degrees) a few terms of the series are right to 1e-10.
const NEAR: f64 = 0.1;
/// Shares are compared with this much room for rounding.
const ROUNDING: f64 = 1e-9;

/// A position that distances are measured from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Centre {
    lon: f64,
    lat: f64,
    sin_lat: f64,
    cos_lat: f64,
}

impl Centre {
    /// Of a WGS 84 position in degrees.
    #[must_use]
    pub fn new(lon: f64, lat: f64) -> Self {
        let (lon, lat) = (lon.to_radians(), lat.to_radians());
        Self { lon, lat, sin_lat: lat.sin(), cos_lat: lat.cos() }
    }

    /// The share of a position.
    #[must_use]
    pub fn share(&self, position: Position) -> f64 {
        let lat = f64::from(position.lat) * UNIT - self.lat;
        let lon = f64::from(position.lon) * UNIT - self.lon;
        haversine(lat) + self.cos_lat * self.cos_at(lat) * haversine(lon)
    }

    /// A share that nothing in the box is below.
    #[must_use]
    pub fn least_share(&self, bounds: &Bounds) -> f64 {
        let radians = |units: i32| f64::from(units) * UNIT;
        let (south, north) = (radians(bounds.south) - self.lat, radians(bounds.north) - self.lat);
        let (west, east) = (radians(bounds.west) - self.lon, radians(bounds.east) - self.lon);
        let lat = south.max(-north).max(0.0);
        let lon = if west <= 0.0 && east >= 0.0 { 0.0 } else { turn(west).min(turn(east)) };
        // The cosine of the latitude is least at one of the edges.
        let cos = self.cos_at(south).min(self.cos_at(north)).max(0.0);
        (haversine(lat) + self.cos_lat * cos * haversine(lon)) * (1.0 - ROUNDING)
    }

    /// The cosine of the latitude this many radians north of the position.
    fn cos_at(&self, north: f64) -> f64 {
        if north.abs() > NEAR {
            return (self.lat + north).cos();
        }
        let square = north * north;
        let cos = 1.0 - square / 2.0 * (1.0 - square / 12.0 * (1.0 - square / 30.0));
        self.cos_lat * cos - self.sin_lat * sine(north)
    }

    /// Distance on the mean sphere in metres.
    #[must_use]
    pub fn metres(share: f64) -> f64 {
        2.0 * RADIUS_M * share.clamp(0.0, 1.0).sqrt().asin()
    }

    /// A share up to which every place is within a geodesic distance.
    #[must_use]
    pub fn share_surely_within(metres: f64) -> f64 {
        share_of(metres / ELLIPSOID_MOST) * (1.0 - ROUNDING)
    }

    /// A share beyond which no place is within a geodesic distance.
    #[must_use]
    pub fn share_surely_beyond(metres: f64) -> f64 {
        share_of(metres / ELLIPSOID_LEAST) * (1.0 + ROUNDING)
    }
}

fn share_of(metres: f64) -> f64 {
    (metres / (2.0 * RADIUS_M)).min(std::f64::consts::FRAC_PI_2).sin().powi(2)
}

/// The haversine of an angle in radians.
fn haversine(angle: f64) -> f64 {
    let half = angle / 2.0;
    let sine = if half.abs() <= NEAR { sine(half) } else { half.sin() };
    sine * sine
}

/// The sine of a small angle: the terms left out come to less than 1e-10 of it.
fn sine(angle: f64) -> f64 {
    let square = angle * angle;
    angle * (1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0)))
}

/// The way between two meridians in radians, the shorter way round.
fn turn(angle: f64) -> f64 {
    let turned = angle.abs() % std::f64::consts::TAU;
    turned.min(std::f64::consts::TAU - turned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::spatial::distance_m;
    use crate::query::spatial::haversine_m;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn shares_are_the_haversine_formula(lon in -180.0_f64..180.0, lat in -90.0_f64..90.0, far: bool, to in (-180.0_f64..180.0, -90.0_f64..90.0)) {
            let step = if far { 1.0 } else { 0.03 };
            let (to_lon, to_lat) = ((lon + to.0 * step).clamp(-180.0, 180.0), (lat + to.1 * step).clamp(-90.0, 90.0));
            let position = Position::from_degrees(to_lon, to_lat).unwrap();
            let expected = haversine_m(lon, lat, position.lon_degrees(), position.lat_degrees());
            let got = Centre::metres(Centre::new(lon, lat).share(position));
            // Near the antipode the formula itself loses half its digits.
            prop_assert!((got - expected).abs() <= 1e-6 + expected * if expected > 1.9e7 { 1e-6 } else { 1e-9 }, "{got} {expected}");
        }

        #[test]
        fn no_place_in_a_box_has_a_smaller_share(
            lon in -180.0_f64..180.0, lat in -90.0_f64..90.0, west in -180.0_f64..180.0, south in -90.0_f64..90.0,
            width in 0.0_f64..360.0, height in 0.0_f64..180.0, small: bool, at in (0.0_f64..=1.0, 0.0_f64..=1.0),
        ) {
            let size = if small { 0.01 } else { 1.0 };
            let (east, north) = ((west + width * size).min(180.0), (south + height * size).min(90.0));
            let units = |degrees: f64| (degrees * 1e7) as i32;
            let bounds = Bounds { west: units(west), south: units(south), east: units(east), north: units(north) };
            let between = |low: i32, high: i32, at: f64| low + ((f64::from(high) - f64::from(low)) * at) as i32;
            let inside = Position { lon: between(bounds.west, bounds.east, at.0), lat: between(bounds.south, bounds.north, at.1) };
            let centre = Centre::new(lon, lat);
            prop_assert!(centre.least_share(&bounds) <= centre.share(inside) + 1e-18);
        }

        #[test]
        fn the_sphere_is_sure_only_where_the_ellipsoid_agrees(lon in -180.0_f64..180.0, lat in -90.0_f64..90.0, to in (-180.0_f64..180.0, -90.0_f64..90.0), metres in 0.0_f64..2.1e7) {
            let position = Position::from_degrees(to.0, to.1).unwrap();
            let share = Centre::new(lon, lat).share(position);
            let distance = distance_m(lon, lat, position.lon_degrees(), position.lat_degrees());
            if share <= Centre::share_surely_within(metres) {
                prop_assert!(distance <= metres, "{distance} {metres}");
            }
            if share > Centre::share_surely_beyond(metres) {
                prop_assert!(distance > metres, "{distance} {metres}");
            }
        }
    }
}
