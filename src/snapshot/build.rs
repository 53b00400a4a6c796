//! Raw rows into row groups: sorted once, cut, built group by group on all cores.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::CollectionSchema;
use crate::snapshot::Collection;
use crate::snapshot::GROUP_ROWS;
use crate::snapshot::Version;
use crate::snapshot::raw::RawPlace;
use crate::snapshot::raw::RawRows;
use crate::snapshot::row_group::RawRef;
use crate::snapshot::row_group::RowGroup;

/// Geometries with more positions than this stand in row groups of their own, so that they don't make the
/// blocks of small neighbours heavy.
const LARGE_VERTICES: usize = 1_024;
/// A change of owner starts a new row group once the open one has this many rows.
const OWNER_CUT_ROWS: usize = 4_096;

/// Sorts raw rows into row groups.
#[must_use]
pub fn build_collection(
    schema: Arc<CollectionSchema>,
    chunks: &[RawRows],
    version: Version,
    missing: u64,
) -> Collection {
    let mut owners: BTreeMap<&str, u32> = BTreeMap::new();
    for standing in chunks.iter().flat_map(|chunk| &chunk.standings) {
        owners.insert(&standing.provenance.owner, 0);
    }
    for (place, rank) in owners.values_mut().enumerate() {
        *rank = place as u32;
    }
    let ranks: Vec<Vec<u32>> = chunks
        .iter()
        .map(|chunk| {
            chunk.standings.iter().map(|standing| owners[standing.provenance.owner.as_str()]).collect()
        })
        .collect();
    let order = sorted_rows(chunks, &ranks);
    let mut runs: Vec<Vec<RawRef>> = Vec::new();
    let mut last = None;
    for (key, at) in order {
        let (large, owner) = (key >> 127 == 1, (key >> 64) as u32);
        let cut = match (runs.last(), last) {
            (Some(run), Some((was_large, was_owner))) => {
                run.len() == GROUP_ROWS
                    || was_large != large
                    || (was_owner != owner && run.len() >= OWNER_CUT_ROWS)
            }
            _ => true,
        };
        if cut {
            runs.push(Vec::new());
        }
        if let Some(run) = runs.last_mut() {
            run.push(at);
        }
        last = Some((large, owner));
    }
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    let share = runs.len().div_ceil(workers).max(1);
    let schema_ref = &schema;
    let mut groups: Vec<Arc<RowGroup>> = std::thread::scope(|scope| {
        let handles: Vec<_> = runs
            .chunks_mut(share)
            .map(|runs| {
                scope.spawn(move || -> Vec<Arc<RowGroup>> {
                    runs.iter_mut().map(|run| Arc::new(RowGroup::build(schema_ref, chunks, run))).collect()
                })
            })
            .collect();
        // A panic while building is a fault of ours; it goes on to the caller, who has its own guard.
        handles
            .into_iter()
            .flat_map(|handle| handle.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault)))
            .collect()
    });
    groups.sort_by_key(|group| group.key(0));
    Collection { schema, groups, version, missing }
}

/// Every row with its sort key: large geometries last, then the owner's rank, then the Hilbert key. Chunks are
/// sorted at the same time and merged; rows with equal keys are ordered by id.
fn sorted_rows(chunks: &[RawRows], ranks: &[Vec<u32>]) -> Vec<(u128, RawRef)> {
    let id = |at: &RawRef| chunks[usize::from(at.0)].ids[at.1 as usize];
    let before = |a: &(u128, RawRef), b: &(u128, RawRef)| a.0.cmp(&b.0).then_with(|| id(&a.1).cmp(&id(&b.1)));
    let mut parts: Vec<Vec<(u128, RawRef)>> = std::thread::scope(|scope| {
        let handles: Vec<_> = chunks
            .iter()
            .enumerate()
            .map(|(number, chunk)| {
                scope.spawn(move || {
                    let key = |row: usize| {
                        let large = match chunk.places[row] {
                            RawPlace::Shape(shape) => {
                                chunk.shapes[shape as usize].as_ref().positions.len() > LARGE_VERTICES
                            }
                            RawPlace::None | RawPlace::Point(_) => false,
                        };
                        let owner = ranks[number][chunk.standing[row] as usize];
                        u128::from(large) << 127 | u128::from(owner) << 64 | u128::from(chunk.hilberts[row])
                    };
                    let mut rows: Vec<(u128, RawRef)> =
                        (0..chunk.ids.len()).map(|row| (key(row), (number as u8, row as u32))).collect();
                    rows.sort_unstable_by(before);
                    rows
                })
            })
            .collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault)))
            .collect()
    });
    while parts.len() > 1 {
        let (one, two) = (parts.remove(0), parts.remove(0));
        let mut merged = Vec::with_capacity(one.len() + two.len());
        let (mut one, mut two) = (one.into_iter().peekable(), two.into_iter().peekable());
        while let (Some(a), Some(b)) = (one.peek(), two.peek()) {
            let first = if before(a, b).is_le() { &mut one } else { &mut two };
            merged.extend(first.next());
        }
        merged.extend(one);
        merged.extend(two);
        parts.push(merged);
    }
    parts.pop().unwrap_or_default()
}
