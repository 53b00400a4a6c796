//! The k rows nearest to a position, by geodesic distance.

use std::collections::BinaryHeap;

use crate::access::CollectionView;
use crate::model::RowId;
use crate::query::Filter;
use crate::query::QueryError;
use crate::query::RowRef;
use crate::query::centre::Centre;
use crate::query::spatial;
use crate::query::spatial::ELLIPSOID_LEAST;
use crate::query::spatial::ELLIPSOID_MOST;

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
    if limit == 0 {
        return Ok(Vec::new());
    }
    let everything = filter.is_everything();
    let centre = Centre::new(lon, lat);
    let mut found = Found { limit, most: BinaryHeap::new(), cut: f64::INFINITY, candidates: Vec::new() };
    for (share, block) in collection.index().best_first(|bounds| centre.least_share(bounds)) {
        if share > found.cut {
            break;
        }
        let group = &collection.groups()[block.group as usize];
        for row in group.block_rows(block.block as usize) {
            let at = RowRef { group: block.group, row: row as u32 };
            let matches = || everything || filter.matches(group, row);
            if let Some(positions) = group.positions() {
                let share = centre.share(positions[row]);
                if share <= found.cut && matches() {
                    let sphere = Centre::metres(share);
                    found.add(at, sphere * ELLIPSOID_LEAST, sphere * ELLIPSOID_MOST);
                }
            } else if centre.least_share(&group.row_bounds(row)) <= found.cut
                && matches()
                && let Some(shape) = group.shape(row)
            {
                let distance_m = spatial::shape_distance_m(lon, lat, shape);
                found.add(at, distance_m, distance_m);
            }
        }
    }
    let mut ordered: Vec<Candidate> = found
        .rest()
        .map(|(at, exact)| {
            let group = &collection.groups()[at.group as usize];
            let row = at.row as usize;
            let distance_m = exact.unwrap_or_else(|| match group.shape(row) {
                Some(shape) => spatial::shape_distance_m(lon, lat, shape),
                None => f64::INFINITY,
            });
            Candidate { distance_m, key: group.key(row), at }
        })
        .collect();
    ordered.sort_unstable();
    ordered.truncate(limit);
    Ok(ordered.into_iter().map(|Candidate { at, distance_m, .. }| Neighbour { at, distance_m }).collect())
}

/// Rows that may be among the nearest, each with the least and the most its distance can be: only those that the
/// bounds leave are measured on the ellipsoid.
struct Found {
    limit: usize,
    /// The least of the greatest distances, as many as are wanted, as bits: those of numbers from 0 on are in order.
    most: BinaryHeap<u64>,
    /// The share beyond which nothing can be among the nearest.
    cut: f64,
    candidates: Vec<(RowRef, f64, f64)>,
}

impl Found {
    fn add(&mut self, at: RowRef, least_m: f64, most_m: f64) {
        self.candidates.push((at, least_m, most_m));
        if self.most.len() == self.limit {
            if self.worst_m() <= most_m {
                return;
            }
            self.most.pop();
        }
        self.most.push(most_m.to_bits());
        self.cut = Centre::share_surely_beyond(self.worst_m());
    }

    /// The distance within which there are as many as are wanted; no limit as long as there are fewer.
    fn worst_m(&self) -> f64 {
        let full = self.most.len() == self.limit;
        self.most.peek().filter(|_| full).map_or(f64::INFINITY, |worst| f64::from_bits(*worst))
    }

    /// What the bounds leave, with the distance where it is known.
    fn rest(self) -> impl Iterator<Item = (RowRef, Option<f64>)> {
        let worst = self.worst_m();
        let near = self.candidates.into_iter().filter(move |(_, least, _)| *least <= worst);
        near.map(|(at, least, most)| (at, (most <= least).then_some(least)))
    }
}
