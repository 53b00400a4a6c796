//! Spatial predicates by DE-9IM.
//!
//! The matrix is that of `geo`'s `Relate` over degrees in doubles, edges straight in longitude and latitude. Boxes
//! that intersect are decided with whole numbers instead (`Bbox`), as `bbox` promises.

use std::cell::OnceCell;

use geo::Intersects;
use geo::PreparedGeometry;
use geo::Relate;
use geo::coordinate_position::CoordPos;
use geo::coordinate_position::CoordinatePosition;
use geo::relate::IntersectionMatrix;

use crate::filter::Bbox;
use crate::filter::SpatialOperator;
use crate::filter::eval::At;
use crate::filter::node::Place;
use crate::model::Geometry;
use crate::model::GeometryKind;
use crate::model::GeometryRef;
use crate::model::GeometryType;
use crate::model::Position;
use crate::model::geometry::Bounds;

/// A constant geometry.
#[derive(Debug)]
pub struct Constant {
    /// In degrees.
    geometry: geo::Geometry<f64>,
    /// Boxes that hold it; none if it is empty.
    windows: Vec<Bounds>,
    is_polygon: bool,
}

impl Constant {
    /// Of a geometry.
    pub fn of(geometry: &Geometry) -> Self {
        let geometry = geometry.as_ref();
        Self {
            geometry: in_degrees(geometry),
            windows: vec![geometry.bounds()],
            is_polygon: geometry.kind.broad() == GeometryKind::Polygon,
        }
    }

    /// Of a box; a box without width or height is a line or a point.
    pub fn of_bbox(bbox: &Bbox) -> Self {
        let windows = bbox.windows().to_vec();
        let corner = |lon: i32, lat: i32| coordinate(Position { lon, lat });
        let mut parts: Vec<geo::Geometry<f64>> = windows
            .iter()
            .map(|window| {
                let (low, high) = (corner(window.west, window.south), corner(window.east, window.north));
                match (window.west == window.east, window.south == window.north) {
                    (true, true) => geo::Point::from(low).into(),
                    (false, false) => geo::Rect::new(low, high).to_polygon().into(),
                    _ => geo::LineString::new(vec![low, high]).into(),
                }
            })
            .collect();
        let polygons: Vec<geo::Polygon<f64>> =
            parts.iter().cloned().filter_map(|part| part.try_into().ok()).collect();
        let is_polygon = polygons.len() == parts.len();
        let geometry = if parts.len() == 1 {
            parts.remove(0)
        } else if is_polygon {
            geo::MultiPolygon::new(polygons).into()
        } else {
            geo::Geometry::GeometryCollection(geo::GeometryCollection::new_from(parts))
        };
        Self { geometry, windows, is_polygon }
    }

    /// Boxes that hold it.
    pub fn windows(&self) -> &[Bounds] {
        &self.windows
    }

    fn meets(&self, bounds: &Bounds) -> bool {
        self.windows.iter().any(|window| window.intersects(bounds))
    }
}

/// A spatial predicate with what is prepared for it, where rows are looked at one after the other.
pub struct Relation<'a> {
    operator: SpatialOperator,
    one: &'a Place,
    other: &'a Place,
    /// The constant's edges in a tree, made when the first row comes near.
    prepared: OnceCell<PreparedGeometry<'a, &'a geo::Geometry<f64>>>,
}

impl std::fmt::Debug for Relation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relation").field("operator", &self.operator).finish_non_exhaustive()
    }
}

impl<'a> Relation<'a> {
    /// Of two geometries. A constant stands second (`bind` turns them round).
    pub fn new(operator: SpatialOperator, one: &'a Place, other: &'a Place) -> Self {
        Self { operator, one, other, prepared: OnceCell::new() }
    }

    /// Whether it holds; `None` if a geometry is null.
    pub fn holds(&self, at: &At<'_>) -> Option<bool> {
        if let (Place::Constant(one), Place::Constant(other)) = (self.one, self.other) {
            return Some(self.operator.of(&one.geometry.relate(&other.geometry)));
        }
        let one = self.one.geometry(at)?;
        match self.other {
            Place::Constant(constant) => Some(self.holds_of(one, constant)),
            other => {
                let other = other.geometry(at)?;
                if !one.bounds().intersects(&other.bounds()) {
                    return Some(self.operator == SpatialOperator::Disjoint);
                }
                Some(self.operator.of(&in_degrees(one).relate(&in_degrees(other))))
            }
        }
    }

    fn holds_of(&self, geometry: GeometryRef<'_>, constant: &'a Constant) -> bool {
        if !constant.meets(&geometry.bounds()) {
            return self.operator == SpatialOperator::Disjoint;
        }
        if geometry.kind == GeometryType::Point && constant.is_polygon {
            let position = constant.geometry.coordinate_position(&coordinate(geometry.positions[0]));
            return match self.operator {
                SpatialOperator::Intersects => position != CoordPos::Outside,
                SpatialOperator::Disjoint => position == CoordPos::Outside,
                SpatialOperator::Within => position == CoordPos::Inside,
                SpatialOperator::Touches => position == CoordPos::OnBoundary,
                // A point is no polygon and holds none; both overlap and crossing need more than a point.
                SpatialOperator::Equals
                | SpatialOperator::Contains
                | SpatialOperator::Overlaps
                | SpatialOperator::Crosses => false,
            };
        }
        let geometry = in_degrees(geometry);
        if self.operator == SpatialOperator::Intersects && !constant.is_polygon {
            return constant.geometry.intersects(&geometry);
        }
        let prepared = self.prepared.get_or_init(|| PreparedGeometry::from(&constant.geometry));
        self.operator.of(&geometry.relate(prepared))
    }
}

impl SpatialOperator {
    /// Whether it holds of two geometries with this matrix.
    fn of(self, matrix: &IntersectionMatrix) -> bool {
        match self {
            Self::Intersects => matrix.is_intersects(),
            Self::Equals => matrix.is_equal_topo(),
            Self::Disjoint => matrix.is_disjoint(),
            Self::Touches => matrix.is_touches(),
            Self::Within => matrix.is_within(),
            Self::Overlaps => matrix.is_overlaps(),
            Self::Crosses => matrix.is_crosses(),
            Self::Contains => matrix.is_contains(),
        }
    }

    /// The operator that says the same with the operands the other way round.
    #[must_use]
    pub fn flipped(self) -> Self {
        match self {
            Self::Within => Self::Contains,
            Self::Contains => Self::Within,
            Self::Intersects
            | Self::Equals
            | Self::Disjoint
            | Self::Touches
            | Self::Overlaps
            | Self::Crosses => self,
        }
    }
}

fn coordinate(position: Position) -> geo::Coord<f64> {
    geo::Coord { x: position.lon_degrees(), y: position.lat_degrees() }
}

/// A geometry in degrees.
pub fn in_degrees(geometry: GeometryRef<'_>) -> geo::Geometry<f64> {
    let line = |ring: &[Position]| -> geo::LineString<f64> { ring.iter().copied().map(coordinate).collect() };
    let polygon = |part: GeometryRef<'_>| {
        let mut rings = part.rings().map(line);
        let exterior = rings.next().unwrap_or_else(|| geo::LineString::new(Vec::new()));
        geo::Polygon::new(exterior, rings.collect())
    };
    let points = || geometry.positions.iter().copied().map(coordinate).map(geo::Point::from);
    match geometry.kind {
        GeometryType::Point => geo::Point::from(coordinate(geometry.positions[0])).into(),
        GeometryType::MultiPoint => geo::MultiPoint::new(points().collect()).into(),
        GeometryType::LineString => line(geometry.positions).into(),
        GeometryType::MultiLineString => {
            geo::MultiLineString::new(geometry.rings().map(line).collect()).into()
        }
        GeometryType::Polygon => polygon(geometry).into(),
        GeometryType::MultiPolygon => geo::MultiPolygon::new(geometry.parts().map(polygon).collect()).into(),
    }
}
