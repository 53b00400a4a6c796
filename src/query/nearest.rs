//! The k rows nearest to a position, by geodesic distance.

use std::collections::BinaryHeap;

use crate::access::BLOCK_ROWS;
use crate::access::CollectionView;
use crate::filter::Bound;
use crate::filter::Centre;
use crate::filter::FilterError;
use crate::filter::GroupMasks;
use crate::filter::check_position;
use crate::filter::distance_m;
use crate::filter::geometry_distance_m;
use crate::filter::haversine_of;
use crate::model::RowId;
use crate::query::RowRef;

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
/// near ones the first in canonical order.
///
/// # Errors
/// [`FilterError::NotFinite`] or [`FilterError::OffTheEarth`].
pub fn nearest(
    collection: &CollectionView,
    lon: f64,
    lat: f64,
    limit: usize,
    filter: &Bound,
) -> Result<Vec<Neighbour>, FilterError> {
    check_position(lon, lat)?;
    if limit == 0 {
        return Ok(Vec::new());
    }
    let everything = filter.is_everything();
    let centre = Centre::new(lon, lat);
    let mut found = Nearest {
        limit,
        least: BinaryHeap::with_capacity(limit.min(ROOM)),
        cut: f64::INFINITY,
        candidates: Vec::with_capacity(ROOM),
    };
    let mut haversines = [0.0; BLOCK_ROWS];
    // Each group's masks, once a block of it is near enough.
    let mut masks: Vec<Option<GroupMasks<'_>>> = Vec::new();
    masks.resize_with(if everything { 0 } else { collection.groups().len() }, || None);
    collection.index().best_first(
        |bounds| centre.least_haversine_within(bounds),
        |block| {
            let group = &collection.groups()[block.group as usize];
            let rows = group.block_rows(block.block as usize);
            let place = block.group as usize;
            let bits = if everything {
                u64::MAX
            } else {
                let masks = masks[place].get_or_insert_with(|| filter.masks(collection, place));
                masks.mask(block.block as usize).yes
            };
            let matches = |row: usize| bits >> (row % BLOCK_ROWS) & 1 == 1;
            if let Some(positions) = group.positions() {
                let bounds = &group.pyramid().blocks()[block.block as usize];
                centre.haversines(bounds, &positions[rows.clone()], &mut haversines);
                for (row, haversine) in rows.zip(haversines) {
                    if haversine <= found.cut && matches(row) {
                        found.add(RowRef { group: block.group, row: row as u32 }, haversine, None);
                    }
                }
            } else {
                for row in rows {
                    if centre.least_haversine(&group.row_bounds(row)) <= found.cut
                        && matches(row)
                        && let Some(geometry) = group.geometry(row)
                    {
                        let distance_m = geometry_distance_m(lon, lat, geometry);
                        let at = RowRef { group: block.group, row: row as u32 };
                        found.add(at, haversine_of(distance_m), Some(distance_m));
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
                    distance_m(lon, lat, to.lon_degrees(), to.lat_degrees())
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

/// Rows that may be among the nearest, each with its haversine on the sphere: only those that the sphere cannot tell apart
/// are measured on the ellipsoid.
struct Nearest {
    limit: usize,
    /// The least haversines, as many as are wanted, as bits: those of numbers from 0 on are in order.
    least: BinaryHeap<u64>,
    /// The haversine beyond which nothing can be among the nearest.
    cut: f64,
    /// Share, and the distance where it is known.
    candidates: Vec<(RowRef, f64, Option<f64>)>,
}

impl Nearest {
    fn add(&mut self, at: RowRef, haversine: f64, exact: Option<f64>) {
        self.candidates.push((at, haversine, exact));
        if self.least.len() < self.limit {
            self.least.push(haversine.to_bits());
        } else if let Some(mut worst) = self.least.peek_mut()
            && haversine < f64::from_bits(*worst)
        {
            *worst = haversine.to_bits();
        }
        if self.least.len() == self.limit
            && let Some(worst) = self.least.peek()
        {
            self.cut = Centre::haversine_surely_farther(f64::from_bits(*worst));
        }
    }

    /// What the sphere leaves.
    fn rest(self) -> impl Iterator<Item = (RowRef, Option<f64>)> {
        let near = self.candidates.into_iter().filter(move |(_, haversine, _)| *haversine <= self.cut);
        near.map(|(at, _, exact)| (at, exact))
    }
}
