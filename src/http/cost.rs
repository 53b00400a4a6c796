//! What an answer costs: one estimate for every route, in nanoseconds of one core.
//!
//! In: numbers that are at hand at once (rows, fields, vertices, whether an index has been built). Out: a [`Cost`], by
//! which the pipeline answers where the request was read or in the pool. It needs to be right within a factor, no more.

use std::ops::Add;

use crate::access::CollectionView;
use crate::model::crs::Crs;

/// The most that is done where requests are read: others wait so long at most.
const LIGHT_NS: u64 = 200_000;
/// A row is tested against a filter.
const LOOKED_AT_NS: u64 = 10;
/// A vertex is measured by geodesic distance.
const MEASURED_NS: u64 = 1_000;
/// A property is written as JSON.
const FIELD_NS: u64 = 15;
/// A vertex is written as it is held.
const VERTEX_NS: u64 = 25;
/// A vertex is converted to another coordinate system.
const CONVERTED_NS: u64 = 2_000;
/// A vertex is put on a tile.
const TILE_VERTEX_NS: u64 = 40;
/// Compressing takes so many times as long as writing.
const COMPRESSED: u64 = 4;
/// A row enters an index, or a table of ids, that has not been built.
const INDEXED_NS: u64 = 100;
/// A row is hashed for a data version, and each of its fields with it.
const HASHED_NS: u64 = 200;
const HASHED_FIELD_NS: u64 = 40;
/// A row is added to sums, or its name is compared; the table for it may have to be made first.
const SUMMED_NS: u64 = 300;

/// An estimate in nanoseconds of one core. Sums stay at the greatest number there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost(u64);

impl Cost {
    /// No rows are read.
    pub const NONE: Self = Self(0);
    /// As many rows looked at as a light answer can have: counting them further is not worth the time.
    pub const ROWS_ENOUGH: usize = (LIGHT_NS / LOOKED_AT_NS) as usize;
    /// As many vertices on a tile as a light answer can have.
    pub const TILE_VERTICES_ENOUGH: usize = (LIGHT_NS / TILE_VERTEX_NS) as usize;

    /// Rows tested one by one against a filter.
    #[must_use]
    pub fn rows_looked_at(rows: usize) -> Self {
        Self::of(rows as u64, LOOKED_AT_NS)
    }

    /// Vertices that are measured for `nearest`.
    #[must_use]
    pub fn vertices_measured(vertices: usize) -> Self {
        Self::of(vertices as u64, MEASURED_NS)
    }

    /// Rows of a collection written as GeoJSON in a coordinate system.
    #[must_use]
    pub fn rows_written(rows: u64, collection: &CollectionView, crs: Crs) -> Self {
        let vertex = if crs == Crs::Crs84 { VERTEX_NS } else { CONVERTED_NS };
        let fields = collection.schema().fields.len() as u64;
        let row = (fields * FIELD_NS).saturating_add(collection.vertices_a_row() as u64 * vertex);
        Self::of(rows, row)
    }

    /// Rows or vertices put on a tile.
    #[must_use]
    pub fn tile_vertices(vertices: usize) -> Self {
        Self::of(vertices as u64, TILE_VERTEX_NS)
    }

    /// An index over all rows of a collection, or a table of their ids, is built first.
    #[must_use]
    pub fn index_not_built(collection: &CollectionView) -> Self {
        Self::of(collection.rows(), INDEXED_NS)
    }

    /// The data version of a collection: of its rows those whose hash is not known are hashed.
    #[must_use]
    pub fn data_version(collection: &CollectionView) -> Self {
        let fields = collection.schema().fields.len() as u64;
        Self::of(collection.rows_to_hash(), HASHED_NS + fields * HASHED_FIELD_NS)
    }

    /// All rows of a collection added up, or searched by name.
    #[must_use]
    pub fn rows_summed(collection: &CollectionView) -> Self {
        Self::of(collection.rows(), SUMMED_NS)
    }

    /// What was written is compressed too.
    #[must_use]
    pub fn compressed(self) -> Self {
        Self(self.0.saturating_mul(COMPRESSED))
    }

    /// Whether the answer may be made where its request was read.
    #[must_use]
    pub fn is_light(self) -> bool {
        self.0 < LIGHT_NS
    }

    fn of(number: u64, each_ns: u64) -> Self {
        Self(number.saturating_mul(each_ns))
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::iter::Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::NONE, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_add_up_and_never_wrap_round() {
        assert!(Cost::NONE.is_light());
        assert!(Cost::rows_looked_at(Cost::ROWS_ENOUGH - 1).is_light());
        assert!(!Cost::rows_looked_at(Cost::ROWS_ENOUGH).is_light());
        assert!(!Cost::tile_vertices(Cost::TILE_VERTICES_ENOUGH).is_light());
        let half = Cost::rows_looked_at(Cost::ROWS_ENOUGH / 2);
        assert!(half.is_light() && !(half + half).is_light() && !half.compressed().is_light());
        assert_eq!([half, half].into_iter().sum::<Cost>(), half + half);
        let most = Cost(u64::MAX);
        assert_eq!((most + half, most.compressed()), (most, most));
    }
}
