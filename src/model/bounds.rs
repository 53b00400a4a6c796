//! Boxes of positions.

use crate::model::Position;

/// A box of positions, closed on all sides: west <= east and south <= north.
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
    /// Holds nothing; growing it by anything gives that thing's box.
    pub const EMPTY: Self = Self { west: i32::MAX, south: i32::MAX, east: i32::MIN, north: i32::MIN };

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.west > self.east || self.south > self.north
    }

    /// Grows to hold a position.
    pub fn add(&mut self, position: Position) {
        self.west = self.west.min(position.lon);
        self.east = self.east.max(position.lon);
        self.south = self.south.min(position.lat);
        self.north = self.north.max(position.lat);
    }

    /// Grows to hold another box.
    pub fn merge(&mut self, other: &Self) {
        self.west = self.west.min(other.west);
        self.east = self.east.max(other.east);
        self.south = self.south.min(other.south);
        self.north = self.north.max(other.north);
    }

    /// Whether the two share a position.
    #[must_use]
    pub fn intersects(&self, other: &Self) -> bool {
        self.west <= other.east
            && other.west <= self.east
            && self.south <= other.north
            && other.south <= self.north
    }

    /// Whether the other lies wholly in this one.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        self.west <= other.west
            && other.east <= self.east
            && self.south <= other.south
            && other.north <= self.north
    }

    /// Whether the position lies in it or on its edge.
    #[must_use]
    pub fn holds(&self, position: Position) -> bool {
        self.west <= position.lon
            && position.lon <= self.east
            && self.south <= position.lat
            && position.lat <= self.north
    }

    /// The middle, rounded down.
    #[must_use]
    pub fn centre(&self) -> Position {
        let middle = |low: i32, high: i32| ((i64::from(low) + i64::from(high)) >> 1) as i32;
        Position { lon: middle(self.west, self.east), lat: middle(self.south, self.north) }
    }
}
