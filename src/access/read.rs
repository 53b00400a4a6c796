//! Reading the store into a snapshot: large collections in parts, on all cores; damaged rows are left out and counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::access::Policy;
use crate::access::rights::PartiesOf;
use crate::access::rights::RightsBuilder;
use crate::access::rights::other_of;
use crate::access::rights::parties_of;
use crate::snapshot::Collection;
use crate::snapshot::RawRows;
use crate::snapshot::Version;
use crate::snapshot::build_collection;
use crate::store::Reader;
use crate::store::Scan;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::StoredCollection;

/// Tables with fewer rows than this are read by one thread.
const PARALLEL_ROWS: u64 = 50_000;

/// One version of everything. It has no name outside this room: who wants rows gets a view.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    /// Collections by id.
    pub(super) collections: BTreeMap<String, Arc<Collection>>,
    /// The day for which the picture is drawn, where it is not today.
    pub(super) reference_date: Option<String>,
}

/// Reads the whole store; collections of `before` that have not changed since are taken as they are.
///
/// # Errors
/// [`StoreError`] for anything but damaged rows.
pub(super) fn read_store(
    store: &Store,
    policy: &Policy,
    before: Option<&Snapshot>,
) -> Result<Snapshot, StoreError> {
    let reader = store.reader()?;
    let mut collections: BTreeMap<String, Arc<Collection>> = BTreeMap::new();
    let mut all = reader.collections()?;
    // What says which forces the rows of others concern comes before those.
    all.sort_by_key(|stored| other_of(policy.parties(&stored.schema.id)).is_some());
    for stored in all {
        let id = &stored.schema.id;
        let rules = policy.parties(id);
        let other = other_of(rules).and_then(|(other, by)| Some((collections.get(other)?, by)));
        let version =
            Version { sequence: stored.sequence, parties: other.map(|(other, _)| other.version.sequence) };
        let known = before.and_then(|before| before.collections.get(id));
        let collection = match known {
            Some(known) if known.version == version => Arc::clone(known),
            _ => {
                let mut others = other.map(|(other, by)| parties_of(other, by)).unwrap_or_default();
                let read = |others: &PartiesOf| {
                    let row_rights = || RightsBuilder::new(rules, &stored.schema, others);
                    read_collection(store, &reader, &stored, version, &row_rights)
                };
                let mut collection = read(&others)?;
                let ids =
                    collection.groups.iter().flat_map(|group| (0..group.len()).map(|row| group.id(row)));
                // A UUID named a row by its internal id, and is the public id of another one.
                if others.settle(ids) {
                    collection = read(&others)?;
                }
                Arc::new(collection)
            }
        };
        collections.insert(id.clone(), collection);
    }
    Ok(Snapshot { collections, reference_date: reader.reference_date()? })
}

fn read_collection<'a>(
    store: &Store,
    reader: &Reader,
    stored: &StoredCollection,
    version: Version,
    row_rights: &(impl Fn() -> RightsBuilder<'a> + Sync),
) -> Result<Collection, StoreError> {
    let last = reader.last_fid(stored)?;
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8) as i64;
    let workers = if stored.rows < PARALLEL_ROWS { 1 } else { workers };
    let part = |reader: &Reader, (first, last): (i64, i64)| -> Result<(RawRows, Scan), StoreError> {
        let mut raw = RawRows::new(&stored.schema);
        raw.reserve(stored.rows / workers.unsigned_abs());
        let mut row_rights = row_rights();
        let scan = reader.scan(stored, first, last, &mut |row| {
            let rights = row_rights.of(row.provenance, row.id, row.values);
            raw.push(row.id, row.public_id, &rights, row.geometry, row.values, Some(row.share));
        })?;
        Ok((raw, scan))
    };
    let step = last / workers + 1;
    // The first and the last part are open: a damaged table may have more rows than it can say.
    let span = |worker: i64| {
        let first = if worker == 0 { i64::MIN } else { worker * step + 1 };
        (first, if worker + 1 == workers { i64::MAX } else { (worker + 1) * step })
    };
    let parts = std::thread::scope(|scope| -> Result<Vec<(RawRows, Scan)>, StoreError> {
        let mut handles = Vec::new();
        for worker in 1..workers {
            let (part, span) = (&part, &span);
            handles.push(scope.spawn(move || {
                let reader = store.reader()?;
                // Another reader may see a later state; then the parts don't belong together.
                let same =
                    reader.collection(&stored.schema.id)?.is_some_and(|now| now.sequence == stored.sequence);
                if same { part(&reader, span(worker)).map(Some) } else { Ok(None) }
            }));
        }
        let mut parts = vec![part(reader, span(0))?];
        for (handle, worker) in handles.into_iter().zip(1..) {
            let found = handle.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault))?;
            parts.push(match found {
                Some(found) => found,
                None => part(reader, span(worker))?,
            });
        }
        Ok(parts)
    })?;
    let (mut chunks, scans): (Vec<RawRows>, Vec<Scan>) = parts.into_iter().unzip();
    let mut scan = scans.into_iter().fold(Scan::default(), Scan::plus);
    if (scan.rows, scan.hash_sum) != (stored.rows, stored.hash_sum) {
        let (raw, found) = by_pages(reader, stored, &mut row_rights())?;
        if found.rows > scan.rows {
            (chunks, scan) = (vec![raw], found);
        }
    }
    let mut missing = stored.rows.saturating_sub(scan.rows).max(scan.damaged);
    if missing == 0 && scan.hash_sum != stored.hash_sum {
        // As many rows as there should be, but not the same ones.
        missing = 1;
    }
    if missing > 0 {
        tracing::error!(collection.id = %stored.schema.id, rows = missing, "rows are damaged or missing and are left out");
    }
    Ok(build_collection(Arc::new(stored.schema.clone()), &chunks, version, missing))
}

/// The rows of a damaged collection, page by page.
fn by_pages(
    reader: &Reader,
    stored: &StoredCollection,
    row_rights: &mut RightsBuilder<'_>,
) -> Result<(RawRows, Scan), StoreError> {
    let mut raw = RawRows::new(&stored.schema);
    let scan = reader.scan_pages(stored, &mut |row| {
        let rights = row_rights.of(row.provenance, row.id, row.values);
        raw.push(row.id, row.public_id, &rights, row.geometry, row.values, Some(row.share));
    })?;
    Ok((raw, scan))
}
