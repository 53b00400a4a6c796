//! Distances from one position to many, without sines and cosines of each.
//!
//! A *haversine* here is that of an angle at the earth's centre, sin^2(angle / 2): 0 at the position, 1 at its
//! antipode, and growing with distance between. Comparing haversines needs no root and no inverse sine.

use crate::filter::distance::ELLIPSOID_LEAST;
use crate::filter::distance::ELLIPSOID_MOST;
use crate::filter::distance::RADIUS_M;
use crate::model::Position;
use crate::model::geometry::Bounds;

/// Radians of one unit of 1e-7 degree.
const UNIT: f64 = std::f64::consts::PI / 180.0 / 1e7;
/// Up to this many radians (11 degrees) a few terms of the series of half of it are right to 1e-13.
const NEAR: f64 = 0.2;
/// Haversines are compared with this much room for rounding.
const ROUNDING: f64 = 1e-9;
/// And with this: half the last place of an angle, squared, and then some. A tenth of a micrometre.
const LEAST: f64 = 1e-28;

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

    /// The haversine of a position.
    #[inline]
    #[must_use]
    pub fn haversine(&self, position: Position) -> f64 {
        let (lon, lat) = self.away(position);
        if lon.abs() <= NEAR && lat.abs() <= NEAR {
            return self.near_haversine(lon, lat);
        }
        of_angle(lat) + self.cos_lat * (self.lat + lat).cos() * of_angle(lon)
    }

    /// The haversines of positions in a box, as many as there is room for. Where all are near, two at a time.
    #[inline]
    pub fn haversines(&self, bounds: &Bounds, positions: &[Position], haversines: &mut [f64]) {
        let corner = |lon, lat| self.away(Position { lon, lat });
        let ((west, south), (east, north)) =
            (corner(bounds.west, bounds.south), corner(bounds.east, bounds.north));
        if [west, south, east, north].iter().all(|edge| edge.abs() <= NEAR) {
            for (haversine, position) in haversines.iter_mut().zip(positions) {
                let (lon, lat) = self.away(*position);
                *haversine = self.near_haversine(lon, lat);
            }
        } else {
            for (haversine, position) in haversines.iter_mut().zip(positions) {
                *haversine = self.haversine(*position);
            }
        }
    }

    /// How far east and north a position is, in radians.
    #[inline]
    fn away(&self, position: Position) -> (f64, f64) {
        (f64::from(position.lon) * UNIT - self.lon, f64::from(position.lat) * UNIT - self.lat)
    }

    /// The haversine of a place up to [`NEAR`] east and north.
    #[inline]
    fn near_haversine(&self, lon: f64, lat: f64) -> f64 {
        let (sine_lat, sine_lon) = (sine(lat / 2.0), sine(lon / 2.0));
        let (hav_lat, hav_lon) = (sine_lat * sine_lat, sine_lon * sine_lon);
        // The cosine of the place's latitude, by the sum of angles; sine and cosine of the step by its half.
        let sine_step = 2.0 * sine_lat * (1.0 - hav_lat).sqrt();
        let cos = self.cos_lat * (1.0 - 2.0 * hav_lat) - self.sin_lat * sine_step;
        hav_lat + self.cos_lat * cos * hav_lon
    }

    /// A haversine that nothing in the box is below.
    #[inline]
    #[must_use]
    pub fn least_haversine(&self, bounds: &Bounds) -> f64 {
        self.least_haversine_within([bounds.west, bounds.south, bounds.east, bounds.north].map(f64::from))
    }

    /// A haversine that nothing in a box is below: west, south, east and north in units of 1e-7 degree.
    #[inline]
    #[must_use]
    pub fn least_haversine_within(&self, bounds: [f64; 4]) -> f64 {
        let [west, south, east, north] = bounds.map(|units| units * UNIT);
        let (to_west, to_east) = (west - self.lon, self.lon - east);
        let lat = (south - self.lat).max(self.lat - north).max(0.0);
        let lon = to_west.max(to_east).max(0.0);
        // Where nothing is far and the other way round is not nearer, terms that are surely too small are nearly right.
        let least = if lat <= NEAR && lon <= NEAR && to_west.min(to_east) >= -std::f64::consts::PI {
            if lon > 0.0 {
                low_haversine(lat) + self.cos_lat * self.low_cos(south, north) * low_haversine(lon)
            } else {
                low_haversine(lat)
            }
        } else {
            self.least_far(to_west, to_east, south, north)
        };
        least * (1.0 - ROUNDING)
    }

    #[inline(never)]
    fn least_far(&self, to_west: f64, to_east: f64, south: f64, north: f64) -> f64 {
        let lat = (south - self.lat).max(self.lat - north).max(0.0);
        let lon = if to_west <= 0.0 && to_east <= 0.0 { 0.0 } else { turn(to_west).min(turn(to_east)) };
        of_angle(lat) + self.cos_lat * farther_from_equator(south, north).cos().max(0.0) * of_angle(lon)
    }

    /// At most the least cosine of these latitudes, and at least 0; nearly that cosine where they are near. The cosine
    /// of a step is at least 1 - d^2 / 2, its sine is at most d and at least d - d^3 / 6.
    #[inline]
    fn low_cos(&self, south: f64, north: f64) -> f64 {
        let step = farther_from_equator(south, north) - self.lat;
        let (square, turned) = (step * step, self.sin_lat * step);
        let sine = if turned >= 0.0 { turned } else { turned * (1.0 - square / 6.0) };
        (self.cos_lat * (1.0 - square / 2.0) - sine).max(0.0)
    }

    /// A haversine beyond which every place is farther than any of this haversine.
    ///
    /// The sphere gives both only to within the flattening; the sine of `k` angles is at most `k` sines.
    #[must_use]
    pub fn haversine_surely_farther(haversine: f64) -> f64 {
        let k = ELLIPSOID_MOST / ELLIPSOID_LEAST;
        haversine * k * k * (1.0 + ROUNDING) + LEAST
    }

    /// A haversine up to which every place is within a geodesic distance.
    #[must_use]
    pub fn haversine_surely_within(metres: f64) -> f64 {
        haversine_of(metres / ELLIPSOID_MOST) * (1.0 - ROUNDING)
    }

    /// A haversine beyond which no place is within a geodesic distance.
    #[must_use]
    pub fn haversine_surely_beyond(metres: f64) -> f64 {
        haversine_of(metres / ELLIPSOID_LEAST) * (1.0 + ROUNDING) + LEAST
    }
}

/// The haversine of a distance on the mean sphere.
#[must_use]
pub fn haversine_of(metres: f64) -> f64 {
    (metres / (2.0 * RADIUS_M)).min(std::f64::consts::FRAC_PI_2).sin().powi(2)
}

/// The haversine of an angle in radians.
#[inline]
fn of_angle(angle: f64) -> f64 {
    let sine = if angle.abs() <= NEAR { sine(angle / 2.0) } else { (angle / 2.0).sin() };
    sine * sine
}

/// Of two latitudes the one whose cosine is less.
#[inline]
fn farther_from_equator(south: f64, north: f64) -> f64 {
    if south + north >= 0.0 { north } else { south }
}

/// At most the haversine of an angle.
#[inline]
fn low_haversine(angle: f64) -> f64 {
    let square = angle * angle;
    square / 4.0 * (1.0 - square / 12.0)
}

/// The sine of a small angle: the terms left out come to less than 1e-13 of it.
#[inline]
fn sine(angle: f64) -> f64 {
    let square = angle * angle;
    angle * (1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0)))
}

/// The way between two meridians in radians, the shorter way round.
#[inline]
fn turn(angle: f64) -> f64 {
    let turned = angle.abs();
    if turned <= std::f64::consts::PI {
        return turned;
    }
    let turned = turned % std::f64::consts::TAU;
    turned.min(std::f64::consts::TAU - turned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::distance::distance_m;
    use crate::filter::distance::haversine_m;
    use proptest::prelude::*;

    /// Distance on the mean sphere in metres.
    fn metres(haversine: f64) -> f64 {
        2.0 * RADIUS_M * haversine.clamp(0.0, 1.0).sqrt().asin()
    }

    proptest! {
        #[test]
        fn many_haversines_are_each_haversine(lon in -180.0_f64..180.0, lat in -90.0_f64..90.0, step in 0.01_f64..40.0, to in proptest::collection::vec((-1.0_f64..1.0, -1.0_f64..1.0), 1..64)) {
            let place = |to: &(f64, f64)| Position::from_degrees((lon + to.0 * step).clamp(-180.0, 180.0), (lat + to.1 * step).clamp(-90.0, 90.0)).unwrap();
            let positions: Vec<Position> = to.iter().map(place).collect();
            let mut bounds = Bounds::EMPTY;
            for position in &positions {
                bounds.merge(&Bounds { west: position.lon, south: position.lat, east: position.lon, north: position.lat });
            }
            let centre = Centre::new(lon, lat);
            let mut haversines = [0.0; 64];
            centre.haversines(&bounds, &positions, &mut haversines);
            for (position, haversine) in positions.iter().zip(haversines) {
                prop_assert_eq!(centre.haversine(*position).to_bits(), haversine.to_bits());
            }
        }

        #[test]
        fn a_place_is_within_nothing_of_itself(lon in -1_800_000_000_i32..=1_800_000_000, lat in -900_000_000_i32..=900_000_000) {
            let place = Position { lon, lat };
            let haversine = Centre::new(place.lon_degrees(), place.lat_degrees()).haversine(place);
            prop_assert!(haversine <= Centre::haversine_surely_beyond(0.0) && haversine <= Centre::haversine_surely_farther(0.0), "{}", haversine);
        }

        #[test]
        fn what_is_surely_farther_is_farther(lon in -180.0_f64..180.0, lat in -90.0_f64..90.0, to in (-180.0_f64..180.0, -90.0_f64..90.0), other in (-180.0_f64..180.0, -90.0_f64..90.0)) {
            let centre = Centre::new(lon, lat);
            let [one, two] = [to, other].map(|(lon, lat)| Position::from_degrees(lon, lat).unwrap());
            if centre.haversine(two) > Centre::haversine_surely_farther(centre.haversine(one)) {
                let metres = |to: Position| distance_m(lon, lat, to.lon_degrees(), to.lat_degrees());
                prop_assert!(metres(two) > metres(one));
            }
        }

        #[test]
        fn haversines_are_those_of_the_formula(lon in -180.0_f64..180.0, lat in -90.0_f64..90.0, far: bool, to in (-180.0_f64..180.0, -90.0_f64..90.0)) {
            let step = if far { 1.0 } else { 0.03 };
            let (to_lon, to_lat) = ((lon + to.0 * step).clamp(-180.0, 180.0), (lat + to.1 * step).clamp(-90.0, 90.0));
            let position = Position::from_degrees(to_lon, to_lat).unwrap();
            let expected = haversine_m(lon, lat, position.lon_degrees(), position.lat_degrees());
            let got = metres(Centre::new(lon, lat).haversine(position));
            // Near the antipode the formula itself loses half its digits.
            prop_assert!((got - expected).abs() <= 1e-6 + expected * if expected > 1.9e7 { 1e-6 } else { 1e-9 }, "{got} {expected}");
        }

        #[test]
        fn no_position_in_a_box_has_a_smaller_haversine(
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
            prop_assert!(centre.least_haversine(&bounds) <= centre.haversine(inside) + 1e-18);
        }

        #[test]
        fn the_sphere_is_sure_only_where_the_ellipsoid_agrees(lon in -180.0_f64..180.0, lat in -90.0_f64..90.0, to in (-180.0_f64..180.0, -90.0_f64..90.0), metres in 0.0_f64..2.1e7) {
            let position = Position::from_degrees(to.0, to.1).unwrap();
            let haversine = Centre::new(lon, lat).haversine(position);
            let distance = distance_m(lon, lat, position.lon_degrees(), position.lat_degrees());
            if haversine <= Centre::haversine_surely_within(metres) {
                prop_assert!(distance <= metres, "{distance} {metres}");
            }
            if haversine > Centre::haversine_surely_beyond(metres) {
                prop_assert!(distance > metres, "{distance} {metres}");
            }
        }
    }
}
