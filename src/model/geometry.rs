//! Simple feature geometry in whole units of 1e-7 degree.
//!
//! In: longitude and latitude in degrees (CRS84). Out: [`Geometry`] (owned) and [`GeometryRef`] (borrowed). All types
//! have one layout: positions, grouped into rings (or lines), grouped into parts. Integers make equality, hashing and
//! containment exact; 1e-7 degree is at most 11 mm on the ground.
//! Not here: clipping and simplifying (`tile`), distances (`query`).

pub use crate::model::bounds::Bounds;
pub use crate::model::geometry_builder::GeometryBuilder;
pub use crate::model::geometry_builder::GeometryFault;
pub use crate::model::geometry_builder::MAX_VERTICES;

/// Units in one degree.
pub const UNITS_PER_DEGREE: i32 = 10_000_000;

/// A position: longitude and latitude in units of 1e-7 degree (CRS84).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// Longitude, -1,800,000,000 to 1,800,000,000.
    pub lon: i32,
    /// Latitude, -900,000,000 to 900,000,000.
    pub lat: i32,
}

impl Position {
    /// The position nearest to a longitude and latitude in degrees.
    ///
    /// # Errors
    /// [`GeometryFault::NotFinite`] for NaN or infinity, [`GeometryFault::OutOfRange`] outside -180 to 180 or -90 to 90.
    pub fn from_degrees(lon: f64, lat: f64) -> Result<Self, GeometryFault> {
        if !lon.is_finite() || !lat.is_finite() {
            return Err(GeometryFault::NotFinite);
        }
        if !(-180.0..=180.0).contains(&lon) || !(-90.0..=90.0).contains(&lat) {
            return Err(GeometryFault::OutOfRange { lon, lat });
        }
        let units = f64::from(UNITS_PER_DEGREE);
        Ok(Self { lon: (lon * units).round() as i32, lat: (lat * units).round() as i32 })
    }

    /// Longitude in degrees: the double nearest to the decimal value.
    #[must_use]
    pub fn lon_degrees(self) -> f64 {
        f64::from(self.lon) / f64::from(UNITS_PER_DEGREE)
    }

    /// Latitude in degrees: the double nearest to the decimal value.
    #[must_use]
    pub fn lat_degrees(self) -> f64 {
        f64::from(self.lat) / f64::from(UNITS_PER_DEGREE)
    }
}

/// The kind of a geometry: its type without the difference between single and multi.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GeometryKind {
    /// Points and multi-points.
    Point,
    /// Lines and multi-lines.
    Line,
    /// Polygons and multi-polygons.
    Polygon,
}

/// The simple feature type of a geometry; the number is its WKB code in two dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum GeometryType {
    /// One position.
    Point = 1,
    /// One line.
    LineString = 2,
    /// One polygon: an outer ring, then holes.
    Polygon = 3,
    /// Several points.
    MultiPoint = 4,
    /// Several lines.
    MultiLineString = 5,
    /// Several polygons.
    MultiPolygon = 6,
}

impl GeometryType {
    /// The type with this two-dimensional WKB code, 1 to 6; `None` for any other code.
    #[must_use]
    pub fn from_code(code: u32) -> Option<Self> {
        Some(match code {
            1 => Self::Point,
            2 => Self::LineString,
            3 => Self::Polygon,
            4 => Self::MultiPoint,
            5 => Self::MultiLineString,
            6 => Self::MultiPolygon,
            _ => return None,
        })
    }

    /// The GeoJSON name of the type.
    #[must_use]
    pub fn geojson_name(self) -> &'static str {
        match self {
            Self::Point => "Point",
            Self::LineString => "LineString",
            Self::Polygon => "Polygon",
            Self::MultiPoint => "MultiPoint",
            Self::MultiLineString => "MultiLineString",
            Self::MultiPolygon => "MultiPolygon",
        }
    }

    /// The kind of this type.
    #[must_use]
    pub fn broad(self) -> GeometryKind {
        match self {
            Self::Point | Self::MultiPoint => GeometryKind::Point,
            Self::LineString | Self::MultiLineString => GeometryKind::Line,
            Self::Polygon | Self::MultiPolygon => GeometryKind::Polygon,
        }
    }
}

/// A geometry: positions grouped into rings, and rings grouped into parts.
///
/// A part is a polygon, a line or a point. A ring is a ring of a polygon, or the whole line or point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Geometry {
    pub(super) kind: GeometryType,
    pub(super) positions: Vec<Position>,
    pub(super) ring_ends: Vec<u32>,
    pub(super) part_ends: Vec<u32>,
}

/// A borrowed geometry; see [`Geometry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeometryRef<'a> {
    /// The simple feature type.
    pub kind: GeometryType,
    /// All positions, ring after ring.
    pub positions: &'a [Position],
    /// The end of each ring: its index in `positions`, plus `first_position`.
    pub ring_ends: &'a [u32],
    /// The end of each part: its index in `ring_ends`, plus `first_ring`.
    pub part_ends: &'a [u32],
    /// The number to subtract from each of `ring_ends`.
    pub first_position: u32,
    /// The number to subtract from each of `part_ends`.
    pub first_ring: u32,
}

impl Geometry {
    /// A point.
    #[must_use]
    pub fn point(position: Position) -> Self {
        Self { kind: GeometryType::Point, positions: vec![position], ring_ends: vec![1], part_ends: vec![1] }
    }

    /// The same geometry, borrowed.
    #[must_use]
    pub fn as_ref(&self) -> GeometryRef<'_> {
        GeometryRef {
            kind: self.kind,
            positions: &self.positions,
            ring_ends: &self.ring_ends,
            part_ends: &self.part_ends,
            first_position: 0,
            first_ring: 0,
        }
    }

    /// The simple feature type.
    #[must_use]
    pub fn kind(&self) -> GeometryType {
        self.kind
    }
}

impl<'a> GeometryRef<'a> {
    /// A point, without a copy.
    #[must_use]
    pub fn point(position: &'a Position) -> Self {
        Self {
            kind: GeometryType::Point,
            positions: std::slice::from_ref(position),
            ring_ends: &[1],
            part_ends: &[1],
            first_position: 0,
            first_ring: 0,
        }
    }

    /// The rings (lines, points) in order, each a slice of positions.
    pub fn rings(self) -> impl Iterator<Item = &'a [Position]> + Clone {
        let mut start = 0;
        self.ring_ends.iter().map(move |end| {
            let end = (end - self.first_position) as usize;
            let ring = &self.positions[start..end];
            start = end;
            ring
        })
    }

    /// The parts in order, each with its rings.
    pub fn parts(self) -> impl Iterator<Item = GeometryRef<'a>> + Clone {
        let (mut ring, mut position) = (0, 0);
        self.part_ends.iter().map(move |end| {
            let end_ring = (end - self.first_ring) as usize;
            let end_position = (self.ring_ends[end_ring - 1] - self.first_position) as usize;
            let part = GeometryRef {
                kind: self.kind,
                positions: &self.positions[position..end_position],
                ring_ends: &self.ring_ends[ring..end_ring],
                part_ends: &[],
                first_position: self.first_position + position as u32,
                first_ring: self.first_ring + ring as u32,
            };
            (ring, position) = (end_ring, end_position);
            part
        })
    }

    /// An owned copy.
    #[must_use]
    pub fn to_geometry(self) -> Geometry {
        Geometry {
            kind: self.kind,
            positions: self.positions.to_vec(),
            ring_ends: self.ring_ends.iter().map(|end| end - self.first_position).collect(),
            part_ends: self.part_ends.iter().map(|end| end - self.first_ring).collect(),
        }
    }

    /// The smallest box that holds all positions.
    #[must_use]
    pub fn bounds(self) -> Bounds {
        let mut bounds = Bounds::EMPTY;
        for position in self.positions {
            bounds.add(*position);
        }
        bounds
    }

    /// Appends the canonical bytes from which row hashes are computed.
    pub fn canonical(self, out: &mut Vec<u8>) {
        out.push(self.kind as u8);
        out.extend_from_slice(&(self.part_ends.len() as u32).to_le_bytes());
        for end in self.part_ends {
            out.extend_from_slice(&(end - self.first_ring).to_le_bytes());
        }
        for end in self.ring_ends {
            out.extend_from_slice(&(end - self.first_position).to_le_bytes());
        }
        for position in self.positions {
            out.extend_from_slice(&position.lon.to_le_bytes());
            out.extend_from_slice(&position.lat.to_le_bytes());
        }
    }

    /// Whether the geometry shares a position with the box. The test is exact; edges are straight in longitude and
    /// latitude.
    #[must_use]
    pub fn intersects_bounds(self, bounds: &Bounds) -> bool {
        match self.kind.broad() {
            GeometryKind::Point => self.positions.iter().any(|position| bounds.holds(*position)),
            GeometryKind::Line => {
                self.rings().any(|line| line.windows(2).any(|pair| segment_meets(pair[0], pair[1], bounds)))
            }
            GeometryKind::Polygon => {
                if self
                    .rings()
                    .any(|ring| ring.windows(2).any(|pair| segment_meets(pair[0], pair[1], bounds)))
                {
                    return true;
                }
                // No edge touches the box, so it lies wholly inside or wholly outside each polygon.
                let corner = Position { lon: bounds.west, lat: bounds.south };
                self.contains(corner)
            }
        }
    }

    /// Whether the position is inside the polygon: even-odd over the rings of each part. A position exactly on an edge may
    /// count either way.
    #[must_use]
    pub fn contains(self, position: Position) -> bool {
        self.parts().any(|part| {
            let mut inside = false;
            for ring in part.rings() {
                for pair in ring.windows(2) {
                    let (a, b) = (pair[0], pair[1]);
                    if (a.lat > position.lat) != (b.lat > position.lat) {
                        let side = turn(a, b, position);
                        if (side > 0) == (b.lat > a.lat) && side != 0 {
                            inside = !inside;
                        }
                    }
                }
            }
            inside
        })
    }
}

/// The side of the line from `a` to `b` on which `p` lies: positive for left, negative for right, 0 for on the line.
#[must_use]
pub fn turn(a: Position, b: Position, p: Position) -> i128 {
    let (ax, ay) = (i128::from(a.lon), i128::from(a.lat));
    (i128::from(b.lon) - ax) * (i128::from(p.lat) - ay) - (i128::from(b.lat) - ay) * (i128::from(p.lon) - ax)
}

fn segment_meets(a: Position, b: Position, bounds: &Bounds) -> bool {
    if bounds.holds(a) || bounds.holds(b) {
        return true;
    }
    if a.lon.max(b.lon) < bounds.west
        || a.lon.min(b.lon) > bounds.east
        || a.lat.max(b.lat) < bounds.south
        || a.lat.min(b.lat) > bounds.north
    {
        return false;
    }
    let corners = [
        turn(a, b, Position { lon: bounds.west, lat: bounds.south }),
        turn(a, b, Position { lon: bounds.east, lat: bounds.south }),
        turn(a, b, Position { lon: bounds.east, lat: bounds.north }),
        turn(a, b, Position { lon: bounds.west, lat: bounds.north }),
    ];
    !(corners.iter().all(|side| *side > 0) || corners.iter().all(|side| *side < 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ring(geometry: &mut GeometryBuilder, corners: &[(f64, f64)]) {
        for (lon, lat) in corners {
            geometry.position(*lon, *lat).unwrap();
        }
        geometry.end_ring().unwrap();
    }

    fn square_with_hole() -> Geometry {
        let mut geometry = GeometryBuilder::new(GeometryType::Polygon);
        ring(&mut geometry, &[(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0), (0.0, 0.0)]);
        ring(&mut geometry, &[(4.0, 4.0), (4.0, 6.0), (6.0, 6.0), (6.0, 4.0), (4.0, 4.0)]);
        geometry.end_part();
        geometry.finish().unwrap()
    }

    fn bounds(west: f64, south: f64, east: f64, north: f64) -> Bounds {
        let (a, b) =
            (Position::from_degrees(west, south).unwrap(), Position::from_degrees(east, north).unwrap());
        Bounds { west: a.lon, south: a.lat, east: b.lon, north: b.lat }
    }

    #[test]
    fn a_box_in_a_hole_does_not_meet_the_polygon() {
        let geometry = square_with_hole();
        assert!(!geometry.as_ref().intersects_bounds(&bounds(4.5, 4.5, 5.5, 5.5)));
        assert!(geometry.as_ref().intersects_bounds(&bounds(4.5, 4.5, 6.0, 5.5)));
        assert!(geometry.as_ref().intersects_bounds(&bounds(1.0, 1.0, 1.5, 1.5)));
        assert!(!geometry.as_ref().intersects_bounds(&bounds(10.1, 0.0, 11.0, 1.0)));
        assert!(geometry.as_ref().intersects_bounds(&bounds(10.0, 10.0, 11.0, 11.0)), "a corner is shared");
    }

    #[test]
    fn a_line_that_passes_a_corner_of_the_box_is_outside() {
        let mut line = GeometryBuilder::new(GeometryType::LineString);
        ring(&mut line, &[(0.0, 2.0), (2.0, 0.0)]);
        line.end_part();
        let line = line.finish().unwrap();
        assert!(!line.as_ref().intersects_bounds(&bounds(0.0, 0.0, 0.9, 0.9)));
        assert!(line.as_ref().intersects_bounds(&bounds(0.0, 0.0, 1.0, 1.0)));
    }

    #[test]
    fn each_fault_has_its_own_error() {
        let mut open = GeometryBuilder::new(GeometryType::Polygon);
        for (lon, lat) in [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)] {
            open.position(lon, lat).unwrap();
        }
        assert_eq!(open.end_ring(), Err(GeometryFault::UnclosedRing));
        assert_eq!(Position::from_degrees(f64::NAN, 0.0), Err(GeometryFault::NotFinite));
        assert!(matches!(Position::from_degrees(180.1, 0.0), Err(GeometryFault::OutOfRange { .. })));
        assert!(Position::from_degrees(180.0, -90.0).is_ok());
    }

    proptest! {
        #[test]
        fn a_position_reads_back_from_its_degrees(lon in -1_800_000_000_i32..=1_800_000_000, lat in -900_000_000_i32..=900_000_000) {
            let position = Position { lon, lat };
            prop_assert_eq!(Position::from_degrees(position.lon_degrees(), position.lat_degrees()).unwrap(), position);
        }
    }
}
