//! The k rows nearest to a position, by geodesic distance.

use std::collections::BinaryHeap;

use crate::access::CollectionView;
use crate::model::RowId;
use crate::query::Filter;
use crate::query::QueryError;
use crate::query::RowRef;
use crate::query::spatial;

/// A row and how far it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// The row.
    pub at: RowRef,
    /// Geodesic distance in metres; 0 inside an area.
    pub distance_m: f64,
}

#[derive(Debug, PartialEq)]
struct Candidate {
    distance_m: f64,
    key: (u64, RowId),
    at: RowRef,
}

impl Eq for Candidate {}
impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.distance_m.total_cmp(&other.distance_m).then(self.key.cmp(&other.key))
    }
}

/// The `limit` located rows nearest to a WGS 84 position in degrees that match `filter`, nearest first; of equally
/// near ones the first in the order everywhere.
///
/// # Errors
/// [`QueryError::NotFinite`] or [`QueryError::OffTheEarth`].
pub fn nearest(
    collection: &CollectionView,
    lon: f64,
    lat: f64,
    limit: usize,
    filter: &Filter,
) -> Result<Vec<Neighbour>, QueryError> {
    spatial::check_position(lon, lat)?;
    let mut best: BinaryHeap<Candidate> = BinaryHeap::new();
    if limit == 0 {
        return Ok(Vec::new());
    }
    let everything = filter.is_everything();
    for (bound, block) in collection.index().best_first(|bounds| spatial::least_distance_m(lon, lat, bounds))
    {
        if best.len() == limit && best.peek().is_some_and(|worst| bound > worst.distance_m) {
            break;
        }
        let group = &collection.groups()[block.group as usize];
        for row in group.block_rows(block.block as usize) {
            let worst = if best.len() == limit { best.peek().map(|worst| worst.distance_m) } else { None };
            if worst.is_some_and(|worst| spatial::least_distance_m(lon, lat, &group.row_bounds(row)) > worst)
            {
                continue;
            }
            if !everything && !filter.matches(group, row) {
                continue;
            }
            let Some(shape) = group.shape(row) else { continue };
            let candidate = Candidate {
                distance_m: spatial::shape_distance_m(lon, lat, shape),
                key: group.key(row),
                at: RowRef { group: block.group, row: row as u32 },
            };
            if best.len() < limit {
                best.push(candidate);
            } else if best.peek().is_some_and(|worst| candidate < *worst) {
                best.pop();
                best.push(candidate);
            }
        }
    }
    let ordered = best.into_sorted_vec().into_iter();
    Ok(ordered.map(|candidate| Neighbour { at: candidate.at, distance_m: candidate.distance_m }).collect())
}
