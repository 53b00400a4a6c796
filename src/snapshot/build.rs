//! Raw rows into row groups: sorted once, cut, built group by group on all cores.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::CollectionSchema;
use crate::snapshot::Collection;
use crate::snapshot::GROUP_ROWS;
use crate::snapshot::Version;
use crate::snapshot::raw::RawRows;
use crate::snapshot::row_group::RawRef;
use crate::snapshot::row_group::RowGroup;

/// Geometries with more positions than this stand in row groups of their own, so that they don't make the
/// blocks of small neighbours heavy.
pub(super) const LARGE_VERTICES: usize = 1_024;
/// A change of owner starts a new row group once the open one has this many rows.
pub(super) const OWNER_CUT_ROWS: usize = 4_096;
/// The most bytes of texts in a row group, but for its last row: places of texts are counted in 32 bits.
pub(super) const MAX_TEXT_BYTES: u64 = 1 << 30;

/// Sorts raw rows into row groups.
#[must_use]
pub fn build_collection(
    schema: Arc<CollectionSchema>,
    chunks: &[RawRows],
    version: Version,
    missing: u64,
) -> Collection {
    let chunks: Vec<&RawRows> = chunks.iter().collect();
    let ranks = owner_ranks(&chunks);
    let mut runs = cut(sorted_rows(&chunks, &ranks), &chunks, MAX_TEXT_BYTES, GROUP_ROWS, OWNER_CUT_ROWS);
    let built = build_runs(&schema, &chunks, &mut runs);
    let mut groups: Vec<Arc<RowGroup>> = built.into_iter().map(Arc::new).collect();
    groups.sort_by_key(|group| group.key(0));
    Collection { schema, groups, version, missing }
}

/// A row group of each run, in their order, built on all cores.
pub(super) fn build_runs(
    schema: &CollectionSchema,
    chunks: &[&RawRows],
    runs: &mut [Vec<RawRef>],
) -> Vec<RowGroup> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    let build = |run: &mut Vec<RawRef>| RowGroup::build(schema, chunks, run);
    if runs.len() < 2 || workers == 1 {
        return runs.iter_mut().map(build).collect();
    }
    let share = runs.len().div_ceil(workers).max(1);
    std::thread::scope(|scope| {
        let handles: Vec<_> = runs
            .chunks_mut(share)
            .map(|runs| scope.spawn(move || -> Vec<RowGroup> { runs.iter_mut().map(build).collect() }))
            .collect();
        // A panic while building is a fault of ours; it goes on to the caller, who has its own guard.
        handles
            .into_iter()
            .flat_map(|handle| handle.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault)))
            .collect()
    })
}

/// Sorts raw rows into row groups, on this thread alone.
#[must_use]
pub fn build_groups(schema: &CollectionSchema, rows: &RawRows) -> Vec<RowGroup> {
    let chunks = [rows];
    let ranks = owner_ranks(&chunks);
    let order = sorted_chunk(0, rows, &ranks[0]);
    let mut runs = cut(order, &chunks, MAX_TEXT_BYTES, GROUP_ROWS, OWNER_CUT_ROWS);
    runs.iter_mut().map(|run| RowGroup::build(schema, &chunks, run)).collect()
}

/// The rank of the owner of each of a chunk's rights, in the order of the owners' names.
fn owner_ranks(chunks: &[&RawRows]) -> Vec<Vec<u32>> {
    let mut owners: BTreeMap<&str, u32> = BTreeMap::new();
    for rights in chunks.iter().flat_map(|chunk| &chunk.row_rights) {
        owners.insert(&rights.provenance.owner, 0);
    }
    for (place, rank) in owners.values_mut().enumerate() {
        *rank = place as u32;
    }
    chunks
        .iter()
        .map(|chunk| chunk.row_rights.iter().map(|rights| owners[rights.provenance.owner.as_str()]).collect())
        .collect()
}

/// Cuts sorted rows into runs of a row group each: by number of rows, by owner, by size of geometries, and so that the
/// texts of a run are no more than `most_text` bytes and a row's.
pub(super) fn cut(
    order: Vec<(u128, RawRef)>,
    chunks: &[&RawRows],
    most_text: u64,
    most_rows: usize,
    owner_cut: usize,
) -> Vec<Vec<RawRef>> {
    let longest: u64 = chunks.iter().map(|chunk| chunk.longest_texts()).max().unwrap_or(0);
    // Texts are mostly so short that no group can have too many.
    let looks = longest.saturating_mul(GROUP_ROWS as u64) > most_text;
    let mut runs: Vec<Vec<RawRef>> = Vec::new();
    let (mut last, mut text) = (None, 0_u64);
    for (key, at) in order {
        let (large, owner) = (key >> 127 == 1, (key >> 64) as u32);
        let row_text = if looks { chunks[usize::from(at.0)].text_bytes(at.1 as usize) } else { 0 };
        let cut = match (runs.last(), last) {
            (Some(run), Some((was_large, was_owner))) => {
                run.len() == most_rows
                    || was_large != large
                    || (was_owner != owner && run.len() >= owner_cut)
                    || text + row_text > most_text
            }
            _ => true,
        };
        if cut {
            runs.push(Vec::new());
            text = 0;
        }
        if let Some(run) = runs.last_mut() {
            run.push(at);
        }
        text += row_text;
        last = Some((large, owner));
    }
    runs
}

/// What a row of a chunk is sorted by: whether its geometry is large, the rank of its owner, the Hilbert key.
pub(super) fn sort_key(chunk: &RawRows, owner: u32, row: usize) -> u128 {
    u128::from(chunk.is_large(row)) << 127 | u128::from(owner) << 64 | u128::from(chunk.hilberts[row])
}

/// Every row with its sort key: large geometries last, then the owner's rank, then the Hilbert key. Chunks are
/// sorted at the same time and merged; rows with equal keys are ordered by id.
fn sorted_rows(chunks: &[&RawRows], ranks: &[Vec<u32>]) -> Vec<(u128, RawRef)> {
    let id = |at: &RawRef| chunks[usize::from(at.0)].ids[at.1 as usize];
    let before = |a: &(u128, RawRef), b: &(u128, RawRef)| a.0.cmp(&b.0).then_with(|| id(&a.1).cmp(&id(&b.1)));
    let mut parts: Vec<Vec<(u128, RawRef)>> = std::thread::scope(|scope| {
        let handles: Vec<_> = chunks
            .iter()
            .enumerate()
            .map(|(number, chunk)| scope.spawn(move || sorted_chunk(number as u8, chunk, &ranks[number])))
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

/// The rows of one chunk with their sort keys, in order.
fn sorted_chunk(number: u8, chunk: &RawRows, ranks: &[u32]) -> Vec<(u128, RawRef)> {
    let key = |row: usize| sort_key(chunk, ranks[chunk.rights[row] as usize], row);
    let mut rows: Vec<(u128, RawRef)> =
        (0..chunk.ids.len()).map(|row| (key(row), (number, row as u32))).collect();
    let id = |at: &(u128, RawRef)| chunk.ids[at.1.1 as usize];
    rows.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| id(a).cmp(&id(b))));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Provenance;
    use crate::model::RowId;
    use crate::model::RowRights;
    use crate::model::ValueRef;
    use proptest::prelude::*;

    proptest! {
        /// With a bound of 1,000 bytes in place of a gigabyte.
        #[test]
        fn texts_of_a_row_group_stay_within_their_bound(lengths in proptest::collection::vec(0_usize..700, 1..60)) {
            let text = "id='x'\nclass='layer'\ngeometry='none'\n[[field]]\nname='a'\ntype='text'\n";
            let schema = CollectionSchema::parse(text).unwrap();
            let mut raw = RawRows::new(&schema);
            let rights = Arc::new(RowRights::new(Provenance::open("us"), std::iter::empty()));
            for (row, length) in lengths.iter().enumerate() {
                let text = "é".repeat(length / 2);
                raw.push(RowId(row as u128), Some("id"), &rights, None, &[ValueRef::Text(&text)], None);
            }
            let order = (0..lengths.len()).map(|row| (0, (0, row as u32))).collect();
            let chunks = [&raw];
            let runs = cut(order, &chunks, 1_000, GROUP_ROWS, OWNER_CUT_ROWS);
            let bytes = |row: &RawRef| lengths[row.1 as usize] / 2 * 2 + "id".len();
            for (run, next) in runs.iter().zip(runs.iter().skip(1)) {
                prop_assert!(run.iter().map(bytes).sum::<usize>() + bytes(&next[0]) > 1_000, "cut too early");
            }
            prop_assert!(runs.iter().all(|run| run.iter().map(bytes).sum::<usize>() <= 1_000));
            let rows: Vec<u32> = runs.iter().flatten().map(|row| row.1).collect();
            prop_assert!(rows.into_iter().eq(0..lengths.len() as u32));
        }
    }
}
