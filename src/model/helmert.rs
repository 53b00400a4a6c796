//! British National Grid outside the OSTN15 area: seven-parameter Helmert shift and transverse Mercator.
//!
//! Accuracy about 3.5 m near Great Britain, worse with distance; inside the OSTN15 area `crs` does not use it.
//! Source: Ordnance Survey, "A guide to coordinate systems in Great Britain", sections 6.2 and annexes B and C.

/// Semi-axes of an ellipsoid in metres.
#[derive(Clone, Copy)]
struct Ellipsoid {
    a: f64,
    b: f64,
}

const WGS84: Ellipsoid = Ellipsoid { a: 6_378_137.0, b: 6_356_752.314_245 };
const AIRY_1830: Ellipsoid = Ellipsoid { a: 6_377_563.396, b: 6_356_256.909 };

/// Scale on the central meridian, true origin and false origin of the National Grid.
const SCALE: f64 = 0.999_601_271_7;
const ORIGIN_LAT_DEG: f64 = 49.0;
const ORIGIN_LON_DEG: f64 = -2.0;
const FALSE_EASTING_M: f64 = 400_000.0;
const FALSE_NORTHING_M: f64 = -100_000.0;

/// WGS 84 to OSGB36: shifts in metres, scale as a ratio, rotations in radians.
const SHIFT_M: [f64; 3] = [-446.448, 125.157, -542.060];
const SHIFT_SCALE: f64 = 20.489_4e-6;
const ROTATION_ARC_S: [f64; 3] = [-0.150_2, -0.247_0, -0.842_1];

impl Ellipsoid {
    fn e2(self) -> f64 {
        1.0 - (self.b * self.b) / (self.a * self.a)
    }

    fn to_cartesian(self, lon: f64, lat: f64) -> [f64; 3] {
        let nu = self.a / (1.0 - self.e2() * lat.sin().powi(2)).sqrt();
        [nu * lat.cos() * lon.cos(), nu * lat.cos() * lon.sin(), (1.0 - self.e2()) * nu * lat.sin()]
    }

    fn to_lon_lat(self, [x, y, z]: [f64; 3]) -> (f64, f64) {
        let p = x.hypot(y);
        let mut lat = z.atan2(p * (1.0 - self.e2()));
        for _ in 0..8 {
            let nu = self.a / (1.0 - self.e2() * lat.sin().powi(2)).sqrt();
            lat = (z + self.e2() * nu * lat.sin()).atan2(p);
        }
        (y.atan2(x), lat)
    }
}

fn shift([x, y, z]: [f64; 3], direction: f64) -> [f64; 3] {
    let [rx, ry, rz] = ROTATION_ARC_S.map(|seconds| direction * (seconds / 3_600.0).to_radians());
    let [tx, ty, tz] = SHIFT_M.map(|metres| direction * metres);
    let s = 1.0 + direction * SHIFT_SCALE;
    [tx + s * x - rz * y + ry * z, ty + rz * x + s * y - rx * z, tz - ry * x + rx * y + s * z]
}

/// Length of the meridian arc from the true origin to `lat` (radians), in metres.
fn meridian_m(lat: f64) -> f64 {
    let Ellipsoid { a, b } = AIRY_1830;
    let n = (a - b) / (a + b);
    let (n2, n3) = (n * n, n * n * n);
    let (less, more) = (lat - ORIGIN_LAT_DEG.to_radians(), lat + ORIGIN_LAT_DEG.to_radians());
    b * SCALE
        * ((1.0 + n + 1.25 * (n2 + n3)) * less - (3.0 * (n + n2) + 2.625 * n3) * less.sin() * more.cos()
            + 1.875 * (n2 + n3) * (2.0 * less).sin() * (2.0 * more).cos()
            - 35.0 / 24.0 * n3 * (3.0 * less).sin() * (3.0 * more).cos())
}

/// Radii of curvature (transverse and meridional, scaled) and their ratio less one.
fn radii(lat: f64) -> (f64, f64, f64) {
    let e2 = AIRY_1830.e2();
    let root = 1.0 - e2 * lat.sin().powi(2);
    let nu = AIRY_1830.a * SCALE / root.sqrt();
    let rho = AIRY_1830.a * SCALE * (1.0 - e2) / root.powf(1.5);
    (nu, rho, nu / rho - 1.0)
}

/// Easting and northing in metres of a WGS 84 position in degrees.
pub fn to_grid(lon: f64, lat: f64) -> (f64, f64) {
    let (lon, lat) = AIRY_1830.to_lon_lat(shift(WGS84.to_cartesian(lon.to_radians(), lat.to_radians()), 1.0));
    let (nu, rho, eta2) = radii(lat);
    let (sin, cos, tan2) = (lat.sin(), lat.cos(), lat.tan().powi(2));
    let d = lon - ORIGIN_LON_DEG.to_radians();
    let northing = meridian_m(lat)
        + FALSE_NORTHING_M
        + nu / 2.0 * sin * cos * d.powi(2)
        + nu / 24.0 * sin * cos.powi(3) * (5.0 - tan2 + 9.0 * eta2) * d.powi(4)
        + nu / 720.0 * sin * cos.powi(5) * (61.0 - 58.0 * tan2 + tan2 * tan2) * d.powi(6);
    let easting = FALSE_EASTING_M
        + nu * cos * d
        + nu / 6.0 * cos.powi(3) * (nu / rho - tan2) * d.powi(3)
        + nu / 120.0
            * cos.powi(5)
            * (5.0 - 18.0 * tan2 + tan2 * tan2 + 14.0 * eta2 - 58.0 * tan2 * eta2)
            * d.powi(5);
    (easting, northing)
}

/// WGS 84 longitude and latitude in degrees of a grid position in metres.
pub fn to_lon_lat(easting: f64, northing: f64) -> (f64, f64) {
    let mut lat = ORIGIN_LAT_DEG.to_radians();
    for _ in 0..12 {
        let rest = northing - FALSE_NORTHING_M - meridian_m(lat);
        lat += rest / (AIRY_1830.a * SCALE);
    }
    let (nu, rho, eta2) = radii(lat);
    let (tan, tan2, sec) = (lat.tan(), lat.tan().powi(2), 1.0 / lat.cos());
    let d = easting - FALSE_EASTING_M;
    let foot = lat;
    let lat = foot - tan / (2.0 * rho * nu) * d.powi(2)
        + tan / (24.0 * rho * nu.powi(3)) * (5.0 + 3.0 * tan2 + eta2 - 9.0 * tan2 * eta2) * d.powi(4)
        - tan / (720.0 * rho * nu.powi(5)) * (61.0 + 90.0 * tan2 + 45.0 * tan2 * tan2) * d.powi(6);
    let lon = ORIGIN_LON_DEG.to_radians() + sec / nu * d
        - sec / (6.0 * nu.powi(3)) * (nu / rho + 2.0 * tan2) * d.powi(3)
        + sec / (120.0 * nu.powi(5)) * (5.0 + 28.0 * tan2 + 24.0 * tan2 * tan2) * d.powi(5)
        - sec / (5_040.0 * nu.powi(7))
            * (61.0 + 662.0 * tan2 + 1_320.0 * tan2.powi(2) + 720.0 * tan2.powi(3))
            * d.powi(7);
    let (lon, lat) = WGS84.to_lon_lat(shift(AIRY_1830.to_cartesian(lon, lat), -1.0));
    (lon.to_degrees(), lat.to_degrees())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_metres_of_the_published_point() {
        // OSTN15 test point TP21, mid-England's east coast: Helmert is good to a few metres there.
        let (e, n) = to_grid(1.716_073_973_0, 52.658_007_833_5);
        assert!((e - 651_409.804).abs() < 4.0 && (n - 313_177.450).abs() < 4.0, "{e} {n}");
        let (lon, lat) = to_lon_lat(e, n);
        assert!((lon - 1.716_073_973_0).abs() < 2e-6 && (lat - 52.658_007_833_5).abs() < 2e-6, "{lon} {lat}");
    }
}
