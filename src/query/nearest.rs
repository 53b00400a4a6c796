//! The k rows nearest to a position, by geodesic distance.

use std::collections::BinaryHeap;

use crate::access::BLOCK_ROWS;
use crate::access::CollectionView;
use crate::model::RowId;
use crate::query::Filter;
use crate::query::QueryError;
use crate::query::RowRef;
use crate::query::centre;
use crate::query::centre::Centre;
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

/// Room for as many candidates is made at once.
const ROOM: usize = 128;

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
    let mut found = Found {
        limit,
        nearest: BinaryHeap::with_capacity(limit.min(ROOM)),
        cut: f64::INFINITY,
        candidates: Vec::with_capacity(ROOM),
    };
    let mut shares = [0.0; BLOCK_ROWS];
    collection.index().best_first(
        |bounds| centre.least_share_within(bounds),
        |block| {
            let group = &collection.groups()[block.group as usize];
            let rows = group.block_rows(block.block as usize);
            let matches = |row| everything || filter.matches(group, row);
            if let Some(positions) = group.positions() {
                let bounds = &group.pyramid().blocks()[block.block as usize];
                centre.shares(bounds, &positions[rows.clone()], &mut shares);
                for (row, share) in rows.zip(shares) {
                    if share <= found.cut && matches(row) {
                        found.add(RowRef { group: block.group, row: row as u32 }, share, None);
                    }
                }
            } else {
                for row in rows {
                    if centre.least_share(&group.row_bounds(row)) <= found.cut
                        && matches(row)
                        && let Some(geometry) = group.geometry(row)
                    {
                        let distance_m = spatial::geometry_distance_m(lon, lat, geometry);
                        let at = RowRef { group: block.group, row: row as u32 };
                        found.add(at, centre::share_of(distance_m), Some(distance_m));
                    }
                }
            }
            found.cut
        },
    );
    let mut ordered: Vec<Candidate> = found
        .rest()
        .map(|(at, exact)| {
            let group = &collection.groups()[at.group as usize];
            let row = at.row as usize;
            let distance_m = exact.unwrap_or_else(|| match group.positions() {
                Some(positions) => {
                    let to = positions[row];
                    spatial::distance_m(lon, lat, to.lon_degrees(), to.lat_degrees())
                }
                None => f64::INFINITY,
            });
            Candidate { distance_m, key: group.key(row), at }
        })
        .collect();
    ordered.sort_unstable();
    ordered.truncate(limit);
    Ok(ordered.into_iter().map(|Candidate { at, distance_m, .. }| Neighbour { at, distance_m }).collect())
}

/// Rows that may be among the nearest, each with its share on the sphere: only those that the sphere cannot tell apart
/// are measured on the ellipsoid.
struct Found {
    limit: usize,
    /// The least shares, as many as are wanted, as bits: those of numbers from 0 on are in order.
    nearest: BinaryHeap<u64>,
    /// The share beyond which nothing can be among the nearest.
    cut: f64,
    /// Share, and the distance where it is known.
    candidates: Vec<(RowRef, f64, Option<f64>)>,
}

impl Found {
    fn add(&mut self, at: RowRef, share: f64, exact: Option<f64>) {
        self.candidates.push((at, share, exact));
        if self.nearest.len() < self.limit {
            self.nearest.push(share.to_bits());
        } else if let Some(mut worst) = self.nearest.peek_mut()
            && share < f64::from_bits(*worst)
        {
            *worst = share.to_bits();
        }
        if self.nearest.len() == self.limit
            && let Some(worst) = self.nearest.peek()
        {
            self.cut = Centre::share_surely_farther(f64::from_bits(*worst));
        }
    }

    /// What the sphere leaves.
    fn rest(self) -> impl Iterator<Item = (RowRef, Option<f64>)> {
        let near = self.candidates.into_iter().filter(move |(_, share, _)| *share <= self.cut);
        near.map(|(at, _, exact)| (at, exact))
    }
}
