//! Reading the store into a snapshot: large collections in parts, on all cores; damaged rows are left out and counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::snapshot::Collection;
use crate::snapshot::RawRows;
use crate::snapshot::Snapshot;
use crate::snapshot::build_collection;
use crate::store::Reader;
use crate::store::Scan;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::StoredCollection;

/// Tables with fewer rows than this are read by one thread.
const PARALLEL_ROWS: u64 = 50_000;

/// Reads the whole store; collections of `before` that have not changed since are taken as they are.
///
/// # Errors
/// [`StoreError`] for anything but damaged rows.
pub fn read_store(store: &Store, before: Option<&Snapshot>) -> Result<Snapshot, StoreError> {
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
    Ok(Snapshot { collections, as_at: reader.as_at()? })
}

fn read_collection(
    store: &Store,
    reader: &Reader,
    stored: &StoredCollection,
) -> Result<Collection, StoreError> {
    let last = reader.last_fid(stored)?;
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8) as i64;
    let workers = if stored.rows < PARALLEL_ROWS { 1 } else { workers };
    let part = |reader: &Reader, first: i64, last: i64| -> Result<(RawRows, Scan), StoreError> {
        let mut raw = RawRows::new(&stored.schema);
        raw.reserve(stored.rows / workers.unsigned_abs());
        let scan = reader.scan(stored, first, last, &mut |row| {
            raw.push(row.id, row.public_id, row.provenance, row.geometry, row.values, row.share);
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
                let same =
                    reader.collection(&stored.schema.id)?.is_some_and(|now| now.sequence == stored.sequence);
                if same {
                    part(&reader, worker * step + 1, ((worker + 1) * step).min(last)).map(Some)
                } else {
                    Ok(None)
                }
            }));
        }
        let mut parts = vec![part(reader, i64::MIN + 1, if workers == 1 { i64::MAX - 1 } else { step })?];
        for (handle, worker) in handles.into_iter().zip(1..) {
            let found = handle.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault))?;
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
