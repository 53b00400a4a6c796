//! Bounding boxes in longitude and latitude (CRS84), in units of 1e-7 degree.

use crate::model::Position;

/// A bounding box in units of 1e-7 degree (CRS84), edges included. `west <= east` and `south <= north` unless it is
/// empty; a box does not cross the antimeridian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Least longitude.
    pub west: i32,
    /// Least latitude.
    pub south: i32,
    /// Greatest longitude.
    pub east: i32,
    /// Greatest latitude.
    pub north: i32,
}

impl Bounds {
    /// The empty box: adding a position or a box to it gives exactly that position or box.
    pub const EMPTY: Self = Self { west: i32::MAX, south: i32::MAX, east: i32::MIN, north: i32::MIN };

    /// Whether the box holds no position.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.west > self.east || self.south > self.north
    }

    /// Grows the box to hold a position.
    pub fn add(&mut self, position: Position) {
        self.west = self.west.min(position.lon);
        self.east = self.east.max(position.lon);
        self.south = self.south.min(position.lat);
        self.north = self.north.max(position.lat);
    }

    /// Grows the box to hold another one.
    pub fn merge(&mut self, other: &Self) {
        self.west = self.west.min(other.west);
        self.east = self.east.max(other.east);
        self.south = self.south.min(other.south);
        self.north = self.north.max(other.north);
    }

    /// Whether the two boxes share a position; a shared edge or corner counts.
    #[must_use]
    pub fn intersects(&self, other: &Self) -> bool {
        self.west <= other.east
            && other.west <= self.east
            && self.south <= other.north
            && other.south <= self.north
    }

    /// Whether the other box lies wholly in this one; shared edges count as inside.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.west <= other.west
            && other.east <= self.east
            && self.south <= other.south
            && other.north <= self.north
    }

    /// Whether the position lies in the box or on its edge.
    #[must_use]
    pub fn holds(&self, position: Position) -> bool {
        self.west <= position.lon
            && position.lon <= self.east
            && self.south <= position.lat
            && position.lat <= self.north
    }

    /// The centre, rounded down to whole units.
    #[must_use]
    pub fn centre(&self) -> Position {
        let middle = |low: i32, high: i32| ((i64::from(low) + i64::from(high)) >> 1) as i32;
        Position { lon: middle(self.west, self.east), lat: middle(self.south, self.north) }
    }
}
