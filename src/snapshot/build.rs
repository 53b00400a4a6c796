//! Reading a store into row groups: scanned in parts, sorted once, built group by group.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::CollectionSchema;
use crate::snapshot::Collection;
use crate::snapshot::GROUP_ROWS;
use crate::snapshot::Snapshot;
use crate::snapshot::raw::RawPlace;
use crate::snapshot::raw::RawRows;
use crate::snapshot::row_group::RawRef;
use crate::snapshot::row_group::RowGroup;
use crate::store::Reader;
use crate::store::Scan;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::StoredCollection;

/// Geometries with more positions than this stand in row groups of their own, so that they don't make the
/// blocks of small neighbours heavy.
const LARGE_VERTICES: usize = 1_024;
/// A change of owner starts a new row group once the open one has this many rows.
const OWNER_CUT_ROWS: usize = 4_096;
/// Tables with fewer rows than this are read by one thread.
const PARALLEL_ROWS: u64 = 50_000;

/// Reads the whole store; collections of `before` that have not changed since are taken as they are.
///
/// # Errors
/// [`StoreError`] for anything but damaged rows.
pub fn build(store: &Store, before: Option<&Snapshot>) -> Result<Snapshot, StoreError> {
    let reader = store.reader()?;
    let mut collections = BTreeMap::new();
    for stored in reader.collections()? {
        let known = before.and_then(|before| before.collections.get(&stored.schema.id));
        let collection = match known {
            Some(known) if known.sequence == stored.sequence => Arc::clone(known),
            _ => Arc::new(read_collection(store, &reader, &stored)?),
        };
        collections.insert(stored.schema.id.clone(), collection);
    }
    Ok(Snapshot { collections })
}

fn read_collection(store: &Store, reader: &Reader, stored: &StoredCollection) -> Result<Collection, StoreError> {
    let last = reader.last_fid(stored)?;
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8) as i64;
    let workers = if stored.rows < PARALLEL_ROWS { 1 } else { workers };
    let part = |reader: &Reader, first: i64, last: i64| -> Result<(RawRows, Scan), StoreError> {
        let mut raw = RawRows::new(&stored.schema);
        let scan = reader.scan(stored, first, last, &mut |row| {
            raw.push(row.id, row.public_id, row.provenance, row.geometry.map(crate::model::Shape::as_ref), row.values, row.share);
        })?;
        Ok((raw, scan))
    };
    let step = last / workers + 1;
    let parts = std::thread::scope(|scope| -> Result<Vec<(RawRows, Scan)>, StoreError> {
        let mut handles = Vec::new();
        for worker in 1..workers {
            let part = &part;
            handles.push(scope.spawn(move || {
                let reader = store.reader()?;
                // Another reader may see a later state; then the parts don't belong together.
                let same = reader.collection(&stored.schema.id)?.is_some_and(|now| now.sequence == stored.sequence);
                if same { part(&reader, worker * step + 1, ((worker + 1) * step).min(last)).map(Some) } else { Ok(None) }
            }));
        }
        let mut parts = vec![part(reader, i64::MIN + 1, if workers == 1 { i64::MAX - 1 } else { step })?];
        for (handle, worker) in handles.into_iter().zip(1..) {
            let found = handle.join().map_err(|_| StoreError::Abandoned("a reading thread failed".to_owned()))??;
            parts.push(match found {
                Some(found) => found,
                None => part(reader, worker * step + 1, ((worker + 1) * step).min(last))?,
            });
        }
        Ok(parts)
    })?;
    let (chunks, scans): (Vec<RawRows>, Vec<Scan>) = parts.into_iter().unzip();
    let scan = scans.into_iter().fold(Scan::default(), Scan::plus);
    let mut missing = stored.rows.saturating_sub(scan.rows).max(scan.damaged);
    if missing == 0 && scan.hash_sum != stored.hash_sum {
        // As many rows as there should be, but not the same ones.
        missing = 1;
    }
    if missing > 0 {
        tracing::error!(collection.id = %stored.schema.id, rows = missing, "rows are damaged or missing and are left out");
    }
    Ok(build_collection(Arc::new(stored.schema.clone()), &chunks, stored.sequence, missing))
}

/// Sorts raw rows into row groups.
#[must_use]
pub fn build_collection(schema: Arc<CollectionSchema>, chunks: &[RawRows], sequence: i64, missing: u64) -> Collection {
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
    let mut order: Vec<((bool, u32, u64), RawRef)> = Vec::with_capacity(chunks.iter().map(|chunk| chunk.ids.len()).sum());
    for (number, chunk) in chunks.iter().enumerate() {
        for row in 0..chunk.ids.len() {
            let large = match chunk.places[row] {
                RawPlace::Shape(shape) => chunk.shapes[shape as usize].as_ref().positions.len() > LARGE_VERTICES,
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
                run.len() == GROUP_ROWS || was_large != large || (was_owner != owner && run.len() >= OWNER_CUT_ROWS)
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
        handles.into_iter().flat_map(|handle| handle.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault))).collect()
    });
    groups.sort_by_key(|group| group.key(0));
    Collection { schema, groups, sequence, missing }
}
