//! Distances on the earth: exact ones on the ellipsoid, cheap ones on the sphere that bound them.
//!
//! Positions are WGS 84 longitude and latitude in degrees, distances metres.

use geo::Distance;
use geo::Geodesic;
use geo::Haversine;
use geo_types::Point;

use crate::filter::FilterError;
use crate::model::GeometryKind;
use crate::model::GeometryRef;
use crate::model::Position;
use crate::model::geometry::Bounds;

/// Mean radius R1 of GRS 80 in metres.
pub const RADIUS_M: f64 = 6_371_008.8;
/// A geodesic is at least this fraction of the great circle on the mean sphere (the ellipsoid is flattened by 1/298).
pub const ELLIPSOID_LEAST: f64 = 0.993;
/// And at most this one.
pub const ELLIPSOID_MOST: f64 = 1.006;

/// Refuses positions off the earth.
///
/// # Errors
/// [`FilterError::NotFinite`] or [`FilterError::OffTheEarth`].
pub fn check_position(lon: f64, lat: f64) -> Result<(), FilterError> {
    if !lon.is_finite() || !lat.is_finite() {
        return Err(FilterError::NotFinite);
    }
    if lon.abs() > 180.0 || lat.abs() > 90.0 {
        return Err(FilterError::OffTheEarth);
    }
    Ok(())
}

/// Geodesic distance in metres: Karney 2013, through `geo`; of places up to 16 km apart by the chord between them.
#[must_use]
pub fn distance_m(lon: f64, lat: f64, to_lon: f64, to_lat: f64) -> f64 {
    if (to_lon - lon).abs() <= SHORT && (to_lat - lat).abs() <= SHORT {
        return short_m(lon, lat, to_lon, to_lat);
    }
    Geodesic.distance(Point::new(lon, lat), Point::new(to_lon, to_lat))
}

/// Up to this many degrees apart, places are near enough for [`short_m`].
const SHORT: f64 = 0.1;
/// Semi-major axis of WGS 84 in metres, and the square of its first eccentricity.
const SEMI_MAJOR_M: f64 = 6_378_137.0;
const ECCENTRICITY_2: f64 = 0.006_694_379_990_141_316;

/// Distance in metres of places near each other: the straight line between them, bent to the curvature of the
/// ellipsoid along it (Euler), right to a thousandth of a millimetre in a tenth of the time.
fn short_m(lon: f64, lat: f64, to_lon: f64, to_lat: f64) -> f64 {
    let (lat, to_lat, turn) = (lat.to_radians(), to_lat.to_radians(), (to_lon - lon).to_radians());
    let (sin, cos) = lat.sin_cos();
    let (to_sin, to_cos) = to_lat.sin_cos();
    let (turn_sin, turn_cos) = turn.sin_cos();
    // Radius of curvature in the prime vertical, then the places in space, the first on the meridian 0.
    let normal = |sin: f64| SEMI_MAJOR_M / (1.0 - ECCENTRICITY_2 * sin * sin).sqrt();
    let (from_normal, to_normal) = (normal(sin), normal(to_sin));
    let x = to_normal * to_cos * turn_cos - from_normal * cos;
    let y = to_normal * to_cos * turn_sin;
    let z = (to_normal * to_sin - from_normal * sin) * (1.0 - ECCENTRICITY_2);
    let chord2 = x * x + y * y + z * z;
    if chord2 == 0.0 {
        return 0.0;
    }
    let middle = 1.0 - ECCENTRICITY_2 * f64::midpoint(sin * sin, to_sin * to_sin);
    let prime = SEMI_MAJOR_M / middle.sqrt();
    let meridional = prime * (1.0 - ECCENTRICITY_2) / middle;
    let north = meridional * (to_lat - lat);
    let cos2 = (north * north / chord2).min(1.0);
    let curvature = cos2 / meridional + (1.0 - cos2) / prime;
    // Arc over chord: x + x^3 / 24 + ..., the next term is below a nanometre here.
    chord2.sqrt() * (1.0 + chord2 * curvature * curvature / 24.0)
}

/// Great-circle distance on the mean sphere in metres.
#[must_use]
pub fn haversine_m(lon: f64, lat: f64, to_lon: f64, to_lat: f64) -> f64 {
    let metres = Haversine.distance(Point::new(lon, lat), Point::new(to_lon, to_lat));
    // At the antipode rounding may leave a sine above 1, which has no angle.
    if metres.is_nan() { std::f64::consts::PI * RADIUS_M } else { metres }
}

/// Windows that hold every position within `metres`.
pub fn circle_windows(lon: f64, lat: f64, metres: f64) -> Vec<Bounds> {
    let angle = metres / ELLIPSOID_LEAST / RADIUS_M;
    let margin_deg = 1e-6;
    let reach = angle.to_degrees() + margin_deg;
    let (south, north) = ((lat - reach).max(-90.0), (lat + reach).min(90.0));
    let units = |west: f64, east: f64| Bounds {
        west: (west * 1e7).floor().max(-1.8e9) as i32,
        south: (south * 1e7).floor() as i32,
        east: (east * 1e7).ceil().min(1.8e9) as i32,
        north: (north * 1e7).ceil() as i32,
    };
    let sine = angle.sin() / lat.to_radians().cos();
    if lat + reach >= 90.0 || lat - reach <= -90.0 || angle >= std::f64::consts::FRAC_PI_2 || sine >= 1.0 {
        return vec![units(-180.0, 180.0)];
    }
    let span = sine.asin().to_degrees() + margin_deg;
    let (west, east) = (lon - span, lon + span);
    let mut windows = vec![units(west, east)];
    if west <= -180.0 {
        windows.push(units(west + 360.0, 180.0));
    }
    if east >= 180.0 {
        windows.push(units(-180.0, east - 360.0));
    }
    windows
}

/// Geodesic distance from a position to a geometry, 0 inside an area.
///
/// Edges are straight in longitude and latitude. Candidates are found in a local plane, the nearest place on them by
/// golden section over geodesic distances: right to the millimetre where an edge has one nearest place.
#[must_use]
pub fn geometry_distance_m(lon: f64, lat: f64, geometry: GeometryRef<'_>) -> f64 {
    if geometry.kind.broad() == GeometryKind::Point {
        return geometry
            .positions
            .iter()
            .map(|position| distance_m(lon, lat, position.lon_degrees(), position.lat_degrees()))
            .fold(f64::INFINITY, f64::min);
    }
    if geometry.kind.broad() == GeometryKind::Polygon
        && Position::from_degrees(lon, lat).is_ok_and(|position| geometry.contains(position))
    {
        return 0.0;
    }
    let edges = || geometry.rings().flat_map(|ring| ring.windows(2));
    let estimate = |edge: &[Position]| {
        let (x, y) = edge_place(lon, edge, nearest_fraction(lon, lat, edge));
        haversine_m(lon, lat, x, y)
    };
    let least = edges().map(estimate).fold(f64::INFINITY, f64::min);
    // The plane errs with the square of the distance: 3e-5 of it at 100 km. Edges that may still win are searched.
    let slack = (1e-14 * least * least).clamp(1e-9, 0.05);
    let cut = least * (ELLIPSOID_MOST / ELLIPSOID_LEAST) * (1.0 + slack);
    let mut best = f64::INFINITY;
    for edge in edges().filter(|edge| estimate(edge) <= cut) {
        let at = |fraction: f64| {
            let (x, y) = edge_place(lon, edge, fraction);
            distance_m(lon, lat, x, y)
        };
        let first = at(nearest_fraction(lon, lat, edge));
        if first * (1.0 - slack) <= best {
            best = best.min(first).min(least_on_edge(at));
        }
    }
    best
}

/// The least of a function with one valley on 0 to 1, by golden section.
fn least_on_edge(f: impl Fn(f64) -> f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let (mut low, mut high) = (0.0, 1.0);
    let (mut a, mut b) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
    let (mut fa, mut fb) = (f(a), f(b));
    for _ in 0..40 {
        if fa <= fb {
            (high, b, fb) = (b, a, fa);
            a = high - GOLDEN * (high - low);
            fa = f(a);
        } else {
            (low, a, fa) = (a, b, fb);
            b = low + GOLDEN * (high - low);
            fb = f(b);
        }
    }
    fa.min(fb).min(f(0.0)).min(f(1.0))
}

/// The place at a fraction of an edge, its longitude on the position's side of the antimeridian.
fn edge_place(lon: f64, edge: &[Position], fraction: f64) -> (f64, f64) {
    let near = |x: f64| {
        if x - lon > 180.0 {
            x - 360.0
        } else if x - lon < -180.0 {
            x + 360.0
        } else {
            x
        }
    };
    let (a, b) = (edge[0], edge[1]);
    let (dx, dy) = (b.lon_degrees() - a.lon_degrees(), b.lat_degrees() - a.lat_degrees());
    (near(a.lon_degrees()) + fraction * dx, a.lat_degrees() + fraction * dy)
}

/// How far along an edge its nearest place is, in a plane scaled at the latitude of that place.
fn nearest_fraction(lon: f64, lat: f64, edge: &[Position]) -> f64 {
    let (ax, ay) = edge_place(lon, edge, 0.0);
    let (bx, by) = edge_place(lon, edge, 1.0);
    let (dx, dy) = (bx - ax, by - ay);
    let mut fraction = 0.5;
    for _ in 0..4 {
        // A degree of longitude shrinks with latitude: measure it between the position and its nearest place.
        let shrink = f64::midpoint(ay + fraction * dy, lat).to_radians().cos();
        let (sx, px) = (dx * shrink, (lon - ax) * shrink);
        let length2 = sx * sx + dy * dy;
        if length2 == 0.0 {
            return 0.0;
        }
        fraction = ((px * sx + (lat - ay) * dy) / length2).clamp(0.0, 1.0);
    }
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::GeometryType;
    use crate::model::geometry::GeometryBuilder;
    use proptest::prelude::*;

    #[test]
    fn a_published_distance() {
        // GeographicLib's own example: `echo 40.6 -73.8 51.6 -0.5 | GeodSolve -i` (New York to London).
        let metres = distance_m(-73.8, 40.6, -0.5, 51.6);
        assert!((metres - 5_551_759.400).abs() < 0.001, "{metres}");
    }

    proptest! {
        #[test]
        fn short_distances_are_geodesics(lon in -180.0_f64..180.0, lat in -90.0_f64..90.0, step in (-1.0_f64..1.0, -1.0_f64..1.0), nearer in 0..6) {
            let scale = SHORT / 10_f64.powi(nearer);
            let (to_lon, to_lat) = (lon + step.0 * scale, (lat + step.1 * scale).clamp(-90.0, 90.0));
            let karney = Geodesic.distance(Point::new(lon, lat), Point::new(to_lon, to_lat));
            let short = distance_m(lon, lat, to_lon, to_lat);
            prop_assert!((karney - short).abs() < 1e-6, "{karney} {short}");
        }

        #[test]
        fn the_sphere_bounds_the_ellipsoid(lon in -180.0..180.0, lat in -90.0..90.0, to_lon in -180.0..180.0, to_lat in -90.0..90.0) {
            let (sphere, ellipsoid) = (haversine_m(lon, lat, to_lon, to_lat), distance_m(lon, lat, to_lon, to_lat));
            prop_assert!(sphere * ELLIPSOID_LEAST <= ellipsoid && ellipsoid <= sphere * ELLIPSOID_MOST, "{sphere} {ellipsoid}");
        }

        #[test]
        fn windows_hold_their_circle(lon in -180.0..180.0, lat in -90.0..90.0, metres in 0.0..5e6, to_lon in -180.0..180.0, to_lat in -90.0..90.0) {
            if distance_m(lon, lat, to_lon, to_lat) <= metres {
                let place = Position::from_degrees(to_lon, to_lat).unwrap();
                prop_assert!(circle_windows(lon, lat, metres).iter().any(|window| window.holds(place)));
            }
        }

        #[test]
        fn a_line_is_as_near_as_its_nearest_sample(
            lon in -8.0..2.0, lat in 50.0..60.0, from in (-8.0..2.0, 50.0..60.0), step in (-0.5..0.5, -0.5..0.5),
        ) {
            let mut line = GeometryBuilder::new(GeometryType::LineString);
            line.position(from.0, from.1).unwrap();
            line.position(from.0 + step.0, from.1 + step.1).unwrap();
            line.end_ring().unwrap();
            line.end_part();
            let line = line.finish().unwrap();
            let got = geometry_distance_m(lon, lat, line.as_ref());
            let (a, b) = (line.as_ref().positions[0], line.as_ref().positions[1]);
            let sampled = (0..=2_000).map(|i| {
                let fraction = f64::from(i) / 2_000.0;
                distance_m(lon, lat, a.lon_degrees() + fraction * (b.lon_degrees() - a.lon_degrees()), a.lat_degrees() + fraction * (b.lat_degrees() - a.lat_degrees()))
            }).fold(f64::INFINITY, f64::min);
            // Samples lie up to 25 m from the true nearest place, so they can only be a little farther.
            prop_assert!(got <= sampled + 1e-3 + sampled * 1e-5, "{got} {sampled}");
            prop_assert!(got >= sampled - 30.0, "{got} {sampled}");
        }
    }
}
