//! Where and when the rows of a group are: positions of points or packed geometries, first and last instants.

use crate::model::GeometryRef;
use crate::model::GeometryType;
use crate::model::Position;
use crate::model::geometry::Bounds;

/// Positions of points, or packed geometries; for the located rows, which come first.
#[derive(Debug)]
pub enum Places {
    Points { positions: Box<[Position]>, mercator: Box<[[u32; 2]]> },
    Geometries(Geometries),
}

#[derive(Debug)]
pub struct Geometries {
    pub kinds: Box<[GeometryType]>,
    pub bounds: Box<[Bounds]>,
    pub positions: Box<[Position]>,
    pub ring_ends: Box<[u32]>,
    pub part_ends: Box<[u32]>,
    pub row_ends: Box<[u32]>,
}

/// First and last instant of each row; a row without time lasts for ever, so that it meets every interval.
#[derive(Debug)]
pub struct Times {
    pub start: Box<[i64]>,
    /// `None` if every row is an instant.
    pub end: Option<Box<[i64]>>,
}

impl Places {
    /// How many vertices they have.
    pub fn vertices(&self) -> usize {
        match self {
            Self::Points { positions, .. } => positions.len(),
            Self::Geometries(geometries) => geometries.positions.len(),
        }
    }

    /// Bytes they hold.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Points { positions, mercator } => positions.len() * 8 + mercator.len() * 8,
            Self::Geometries(geometries) => {
                geometries.kinds.len() * (1 + size_of::<Bounds>() + 4)
                    + geometries.positions.len() * 8
                    + (geometries.ring_ends.len() + geometries.part_ends.len()) * 4
            }
        }
    }
}

impl Times {
    /// Bytes they hold.
    pub fn bytes(&self) -> usize {
        (self.start.len() + self.end.as_ref().map_or(0, |end| end.len())) * 8
    }
}

impl Geometries {
    /// The geometry of a row.
    pub fn get(&self, row: usize) -> GeometryRef<'_> {
        let ends = |ends: &[u32], place: usize| if place == 0 { 0 } else { ends[place - 1] };
        let (first_part, last_part) = (ends(&self.row_ends, row), self.row_ends[row]);
        let (first_ring, last_ring) =
            (ends(&self.part_ends, first_part as usize), self.part_ends[last_part as usize - 1]);
        let (first_position, last_position) =
            (ends(&self.ring_ends, first_ring as usize), self.ring_ends[last_ring as usize - 1]);
        GeometryRef {
            kind: self.kinds[row],
            positions: &self.positions[first_position as usize..last_position as usize],
            ring_ends: &self.ring_ends[first_ring as usize..last_ring as usize],
            part_ends: &self.part_ends[first_part as usize..last_part as usize],
            first_position,
            first_ring,
        }
    }
}
