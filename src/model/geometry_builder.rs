//! Building checked geometries from longitudes and latitudes.
//!
//! In: positions in degrees (CRS84), ring by ring and part by part. Out: a [`Geometry`], or the [`GeometryFault`] that was
//! found. Not here: whether a polygon crosses itself (`validity`).

use crate::model::geometry::Geometry;
use crate::model::geometry::GeometryKind;
use crate::model::geometry::GeometryType;
use crate::model::geometry::Position;

/// What is wrong with a geometry.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GeometryFault {
    /// NaN or infinity.
    #[error("a coordinate is not a finite number")]
    NotFinite,
    /// A longitude outside -180 to 180 or a latitude outside -90 to 90.
    #[error("longitude {lon} or latitude {lat} is outside -180 to 180 or -90 to 90")]
    OutOfRange {
        /// Longitude found.
        lon: f64,
        /// Latitude found.
        lat: f64,
    },
    /// The first and last position of a ring differ.
    #[error("a polygon ring is not closed: its last position must repeat its first")]
    UnclosedRing,
    /// Too few positions.
    #[error("a {what} has {found} positions and needs at least {least}")]
    TooFew {
        /// `line` or `ring`.
        what: &'static str,
        /// How many it has.
        found: usize,
        /// How many it needs.
        least: usize,
    },
    /// A position with fewer than two numbers.
    #[error("a position has fewer than two numbers")]
    ShortPosition,
    /// A geometry type that is not held.
    #[error("the geometry type {0} is not supported")]
    Unsupported(String),
    /// The bytes or JSON members are not a geometry.
    #[error("the geometry cannot be read: {0}")]
    Malformed(String),
    /// More vertices than a row may have.
    #[error("the geometry has more than {MAX_VERTICES} positions")]
    TooLarge,
}

/// The most positions one geometry may have.
pub const MAX_VERTICES: usize = 4_000_000;

/// Collects positions, rings and parts into a checked [`Geometry`].
#[derive(Debug)]
pub struct GeometryBuilder {
    geometry: Geometry,
}

impl GeometryBuilder {
    /// An empty geometry of the given type.
    #[must_use]
    pub fn new(kind: GeometryType) -> Self {
        Self {
            geometry: Geometry { kind, positions: Vec::new(), ring_ends: Vec::new(), part_ends: Vec::new() },
        }
    }

    /// Adds a position in degrees to the open ring.
    ///
    /// # Errors
    /// [`GeometryFault`] if the position is not finite or out of range, or if the geometry has [`MAX_VERTICES`] already.
    pub fn position(&mut self, lon: f64, lat: f64) -> Result<(), GeometryFault> {
        if self.geometry.positions.len() >= MAX_VERTICES {
            return Err(GeometryFault::TooLarge);
        }
        self.geometry.positions.push(Position::from_degrees(lon, lat)?);
        Ok(())
    }

    /// Ends the open ring, line or point.
    ///
    /// # Errors
    /// [`GeometryFault::TooFew`] or [`GeometryFault::UnclosedRing`].
    pub fn end_ring(&mut self) -> Result<(), GeometryFault> {
        let start = self.geometry.ring_ends.last().copied().unwrap_or(0) as usize;
        let ring = &self.geometry.positions[start..];
        let (what, least) = match self.geometry.kind.broad() {
            GeometryKind::Point => ("point", 1),
            GeometryKind::Line => ("line", 2),
            GeometryKind::Polygon => ("ring", 4),
        };
        if ring.len() < least {
            return Err(GeometryFault::TooFew { what, found: ring.len(), least });
        }
        if least == 4 && ring.first() != ring.last() {
            return Err(GeometryFault::UnclosedRing);
        }
        self.geometry.ring_ends.push(self.geometry.positions.len() as u32);
        Ok(())
    }

    /// Ends the open part. A part without rings (an empty member of a file) is left out.
    pub fn end_part(&mut self) {
        let rings = self.geometry.ring_ends.len() as u32;
        if self.geometry.part_ends.last().copied().unwrap_or(0) < rings {
            self.geometry.part_ends.push(rings);
        }
    }

    /// The finished geometry; `None` if it has no position.
    #[must_use]
    pub fn finish(self) -> Option<Geometry> {
        (!self.geometry.positions.is_empty()).then_some(self.geometry)
    }
}
