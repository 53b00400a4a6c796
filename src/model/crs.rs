//! The coordinate reference systems that this program knows, and conversions between them.
//!
//! In: CRS84 longitude and latitude, or British National Grid metres. Out: the other of the two, and integers of the
//! Web Mercator grid. x comes first in both systems, as their authorities define it (CRS84, `EPSG:27700`).
//! Not here: reprojecting whole answers (`format`).

use crate::model::geometry::Position;
use crate::model::geometry::UNITS_PER_DEGREE;
use crate::model::helmert;

/// A coordinate reference system that positions can be read from or written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Crs {
    /// WGS 84, longitude then latitude.
    Crs84,
    /// OSGB36 / British National Grid, easting then northing in metres.
    BritishNationalGrid,
    /// WGS 84 / Pseudo-Mercator in metres (read only).
    WebMercator,
}

impl Crs {
    /// The OGC URI of the system.
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::Crs84 => "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
            Self::BritishNationalGrid => "http://www.opengis.net/def/crs/EPSG/0/27700",
            Self::WebMercator => "http://www.opengis.net/def/crs/EPSG/0/3857",
        }
    }

    /// The system with this OGC URI; `None` unless answers can be written in it (CRS84, British National Grid).
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        [Self::Crs84, Self::BritishNationalGrid].into_iter().find(|crs| crs.uri() == uri)
    }

    /// The system of an EPSG code in a file; `None` if it is not known. 4326 is read as longitude first, as GeoJSON and
    /// GeoPackage write it.
    #[must_use]
    pub fn from_epsg(code: i64) -> Option<Self> {
        match code {
            4326 | 4258 => Some(Self::Crs84),
            27700 => Some(Self::BritishNationalGrid),
            3857 | 900_913 => Some(Self::WebMercator),
            _ => None,
        }
    }

    /// Converts `x`, `y` of this system to WGS 84 longitude and latitude in degrees; `None` outside the system's area.
    #[must_use]
    pub fn to_lon_lat(self, x: f64, y: f64) -> Option<(f64, f64)> {
        match self {
            Self::Crs84 => Some((x, y)),
            Self::BritishNationalGrid => grid_to_lon_lat(x, y),
            Self::WebMercator => {
                let lon = (x / EARTH_RADIUS_M).to_degrees();
                let lat = (libm::atan(libm::sinh(y / EARTH_RADIUS_M))).to_degrees();
                (lon.is_finite() && lat.is_finite()).then_some((lon, lat))
            }
        }
    }
}

/// The equatorial radius of WGS 84 in metres, which Web Mercator uses for its sphere.
const EARTH_RADIUS_M: f64 = 6_378_137.0;

/// British National Grid easting and northing in metres of a WGS 84 position.
///
/// Inside the OSTN15 area the result is OSTN15's, to the millimetre; outside it comes from a Helmert shift, which is
/// about 3.5 m off near the area and more with distance. `None` outside longitude -30 to 30 or latitude 35 to 75.
///
/// Source: Ordnance Survey, transformations and OSGM15 user guide, through `lonlat_bng`.
#[must_use]
pub fn lon_lat_to_grid(lon: f64, lat: f64) -> Option<(f64, f64)> {
    if let Ok(grid) = lonlat_bng::convert_osgb36(lon, lat) {
        return Some(grid);
    }
    if !(-30.0..=30.0).contains(&lon) || !(35.0..=75.0).contains(&lat) {
        return None;
    }
    Some(helmert::to_grid(lon, lat)).filter(|(e, n)| e.is_finite() && n.is_finite())
}

/// WGS 84 longitude and latitude in degrees of a British National Grid position in metres.
///
/// The accuracy is that of [`lon_lat_to_grid`]. `None` for NaN or infinity, and for an easting or northing below
/// -2,000 km or above 3,000 km.
#[must_use]
pub fn grid_to_lon_lat(easting: f64, northing: f64) -> Option<(f64, f64)> {
    if !easting.is_finite() || !northing.is_finite() {
        return None;
    }
    if let Ok(position) = lonlat_bng::convert_osgb36_to_ll(easting, northing) {
        return Some(position);
    }
    if !(-2_000_000.0..=3_000_000.0).contains(&easting) || !(-2_000_000.0..=3_000_000.0).contains(&northing) {
        return None;
    }
    Some(helmert::to_lon_lat(easting, northing)).filter(|(lon, lat)| lon.is_finite() && lat.is_finite())
}

/// The highest latitude of the Web Mercator square, in degrees.
pub const MERCATOR_LIMIT_DEG: f64 = 85.051_128_779_806_59;

/// The Web Mercator cell of a position, on a grid of 2^32 by 2^32 cells: x grows to the east and y to the south.
///
/// `None` beyond 85.0511 degrees north or south, where there are no tiles. `libm` gives the same bits on every machine,
/// so equal data give equal tiles.
#[must_use]
pub fn mercator_grid(position: Position) -> Option<(u32, u32)> {
    let lat = f64::from(position.lat) / f64::from(UNITS_PER_DEGREE);
    if lat.abs() > MERCATOR_LIMIT_DEG {
        return None;
    }
    // 360 degrees = 3.6e9 units of longitude stretch over 2^32 cells.
    let x = ((i128::from(position.lon) + 1_800_000_000) << 32) / 3_600_000_000;
    let y = 0.5
        - libm::log(libm::tan(std::f64::consts::FRAC_PI_4 + lat.to_radians() / 2.0)) / std::f64::consts::TAU;
    let y = (y * 4_294_967_296.0).clamp(0.0, 4_294_967_295.0);
    Some((x.clamp(0, 4_294_967_295) as u32, y as u32))
}

/// As [`mercator_grid`], but a latitude beyond the square is moved to its edge: for vertices of lines and polygons.
#[must_use]
pub fn mercator_grid_clamped(position: Position) -> [u32; 2] {
    let limit = (MERCATOR_LIMIT_DEG * 1e7) as i32;
    let position = Position { lon: position.lon, lat: position.lat.clamp(-limit, limit) };
    mercator_grid(position).map_or([0, 0], |(x, y)| [x, y])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grid_positions_match_the_published_test_points() {
        // OSTN15 test data (Ordnance Survey): TP01 on St Mary's, Scilly, and the guide's worked example at Caister, ETRS89 -> OSGB36.
        for (lat, lon, easting, northing) in [
            (49.922_263_937_3, -6.299_777_520_14, 91_492.146, 11_318.804),
            (52.658_007_833_5, 1.716_073_973_0, 651_409.804, 313_177.450),
        ] {
            let (e, n) = lon_lat_to_grid(lon, lat).unwrap();
            assert!((e - easting).abs() < 0.11 && (n - northing).abs() < 0.11, "{e} {n}");
            let (back_lon, back_lat) = grid_to_lon_lat(e, n).unwrap();
            assert!((back_lon - lon).abs() < 1e-6 && (back_lat - lat).abs() < 1e-6);
        }
        assert!(lon_lat_to_grid(151.2, -33.9).is_none());
    }

    #[test]
    fn mercator_corners() {
        assert_eq!(mercator_grid(Position { lon: -1_800_000_000, lat: 0 }), Some((0, 1 << 31)));
        assert_eq!(mercator_grid(Position { lon: 1_800_000_000, lat: 0 }).unwrap().0, u32::MAX);
        assert_eq!(mercator_grid(Position { lon: 0, lat: 0 }), Some((1 << 31, 1 << 31)));
        assert_eq!(mercator_grid(Position { lon: 0, lat: 851_000_000 }), None);
        assert!(mercator_grid(Position { lon: 0, lat: 850_511_287 }).unwrap().1 < 100);
    }
}
