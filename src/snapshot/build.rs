//! Raw rows into row groups: sorted once, cut, built group by group on all cores.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::CollectionSchema;
use crate::snapshot::Collection;
use crate::snapshot::GROUP_ROWS;
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
    sequence: i64,
    missing: u64,
) -> Collection {
    let mut owners: BTreeMap<&str, u32> = BTreeMap::new();
    for provenance in chunks.iter().flat_map(|chunk| &chunk.provenances) {
        owners.insert(&provenance.owner, 0);
    }
    for (place, rank) in owners.values_mut().enumerate() {
        *rank = place as u32;
    }
    let ranks: Vec<Vec<u32>> = chunks
        .iter()
        .map(|chunk| chunk.provenances.iter().map(|provenance| owners[provenance.owner.as_str()]).collect())
        .collect();
    let mut order: Vec<((bool, u32, u64), RawRef)> =
        Vec::with_capacity(chunks.iter().map(|chunk| chunk.ids.len()).sum());
    for (number, chunk) in chunks.iter().enumerate() {
        for row in 0..chunk.ids.len() {
            let large = match chunk.places[row] {
                RawPlace::Shape(shape) => {
                    chunk.shapes[shape as usize].as_ref().positions.len() > LARGE_VERTICES
                }
                RawPlace::None | RawPlace::Point(_) => false,
            };
            let owner = ranks[number][usize::from(chunk.provenance[row])];
            order.push(((large, owner, chunk.hilberts[row]), (number as u8, row as u32)));
        }
    }
    // Rows with equal keys are ordered by id inside their group, and between groups when they are merged.
    order.sort_unstable_by_key(|(key, at)| (*key, chunks[usize::from(at.0)].ids[at.1 as usize]));
    let mut runs: Vec<Vec<RawRef>> = Vec::new();
    let mut last = None;
    for ((large, owner, _), at) in order {
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
    Collection { schema, groups, sequence, missing }
}
