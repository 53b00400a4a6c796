//! Reading the store into a snapshot: large collections in parts, on all cores; damaged rows are left out and counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::access::Policy;
use crate::access::policy::PartyRule;
use crate::access::rights::PartiesOf;
use crate::access::rights::RightsBuilder;
use crate::access::rights::other_of;
use crate::access::rights::parties_of;
use crate::snapshot::Change;
use crate::snapshot::Collection;
use crate::snapshot::RawRows;
use crate::snapshot::RowGroup;
use crate::snapshot::Version;
use crate::snapshot::build_collection;
use crate::snapshot::rebuild_collection;
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

/// What of a store its snapshots are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoreState {
    /// The store's identity.
    pub(super) epoch: String,
    /// The last change of all.
    pub(super) sequence: i64,
}

/// The state that a store is in now.
///
/// # Errors
/// [`StoreError`].
pub(super) fn state_of(store: &Store) -> Result<StoreState, StoreError> {
    let reader = store.reader()?;
    Ok(StoreState { epoch: reader.epoch().to_owned(), sequence: reader.sequence()? })
}

/// Reads the store. Collections of `before` that have not changed since are taken as they are, and of others only what
/// has changed is read, if `before` is of the same store.
///
/// # Errors
/// [`StoreError`] for anything but damaged rows.
pub(super) fn read_store(
    store: &Store,
    policy: &Policy,
    before: Option<(&Snapshot, &StoreState)>,
) -> Result<(Snapshot, StoreState), StoreError> {
    let reader = store.reader()?;
    let state = StoreState { epoch: reader.epoch().to_owned(), sequence: reader.sequence()? };
    let before = before.filter(|(_, of)| of.epoch == state.epoch).map(|(snapshot, _)| snapshot);
    let mut collections: BTreeMap<String, Arc<Collection>> = BTreeMap::new();
    let mut all = reader.sequences()?;
    // What says which forces the rows of others concern comes before those.
    all.sort_by_key(|(id, _)| other_of(policy.parties(id)).is_some());
    for (id, sequence) in all {
        let rules = policy.parties(&id);
        let other = other_of(rules).and_then(|(other, by)| Some((collections.get(other)?, by)));
        let version = Version { sequence, parties: other.map(|(other, _)| other.version.sequence) };
        let known = before.and_then(|before| before.collections.get(&id));
        if let Some(known) = known.filter(|known| known.version == version) {
            collections.insert(id, Arc::clone(known));
            continue;
        }
        let Some(stored) = reader.collection(&id)? else { continue };
        let mut others = other.map(|(other, by)| parties_of(other, by)).unwrap_or_default();
        let changed = match known {
            Some(known) => {
                read_changes(&reader, &stored, known, version, rules, &mut others, other.is_some())?
            }
            None => None,
        };
        let collection = if let Some(collection) = changed {
            collection
        } else {
            let mut others = other.map(|(other, by)| parties_of(other, by)).unwrap_or_default();
            let read = |others: &PartiesOf| {
                let rights = || RightsBuilder::new(rules, &stored.schema, others);
                read_collection(store, &reader, &stored, version, &rights)
            };
            let mut collection = read(&others)?;
            let ids = collection.groups.iter().flat_map(|group| (0..group.len()).map(|row| group.id(row)));
            // A UUID named a row by its internal id, and is the public id of another one.
            if others.settle(ids) {
                collection = read(&others)?;
            }
            collection
        };
        collections.insert(id, Arc::new(collection));
    }
    Ok((Snapshot { collections, reference_date: reader.reference_date()? }, state))
}

/// More touched rows than this, or than a share of the collection's if that is more, are read with all the others.
const MOST_TOUCHED: u64 = 4_096;
const TOUCHED_SHARE: u64 = 16;

/// The collection after the changes since `known`, of which only the touched rows are read; `None` if it must be read
/// whole: the store cannot say which they are, there are too many, its schema is another, or the result would not be what
/// the store says that it has.
fn read_changes(
    reader: &Reader,
    stored: &StoredCollection,
    known: &Collection,
    version: Version,
    rules: &[PartyRule],
    others: &mut PartiesOf,
    has_others: bool,
) -> Result<Option<Collection>, StoreError> {
    if known.missing > 0 || *known.schema != stored.schema {
        return Ok(None);
    }
    let most = MOST_TOUCHED.max(stored.rows / TOUCHED_SHARE);
    let Some(touched) = reader.changes_since(stored, known.version.sequence, most)? else { return Ok(None) };
    let read = |others: &PartiesOf| -> Result<RawRows, StoreError> {
        let mut raw = RawRows::new(&stored.schema);
        let mut rights = RightsBuilder::new(rules, &stored.schema, others);
        for (first, last) in &touched.spans {
            reader.scan(stored, *first, *last, &mut |row| {
                let rights = rights.of(row.provenance, row.id, row.values);
                raw.push(row.id, row.public_id, &rights, row.geometry, row.values, Some(row.share));
            })?;
        }
        Ok(raw)
    };
    let mut raw = read(others)?;
    if has_others {
        let stay = known.groups.iter().flat_map(|group| (0..group.len()).map(|row| group.id(row)));
        let stay = stay.filter(|id| touched.ids.binary_search(id).is_err());
        if others.settle(stay.chain(raw.ids.iter().copied())) {
            raw = read(others)?;
        }
    }
    // What another collection says of these rows may be something else now, also of rows that have not changed.
    let mut builder = RightsBuilder::new(rules, &stored.schema, others);
    let mut again = |group: &RowGroup| has_others.then(|| builder.of_group(group)).flatten();
    let change = Change { touched: &touched.ids, rows: &raw, rights: &mut again, version };
    let collection = rebuild_collection(known, change);
    let rows: u64 = collection.groups.iter().map(|group| group.len() as u64).sum();
    let sums = collection.groups.iter().map(|group| group.hash_sum(&collection.schema));
    if (rows, sums.fold(0, u128::wrapping_add)) == (stored.rows, stored.hash_sum) {
        return Ok(Some(collection));
    }
    tracing::warn!(collection.id = %stored.schema.id, "changed rows are not what the store says: it is read whole");
    Ok(None)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Provenance;
    use crate::model::Row;
    use crate::model::RowId;
    use crate::model::Value;
    use crate::model::collections::built_in;
    use proptest::prelude::*;

    /// Rows of a collection by their public ids, each with some named texts.
    type Rows = BTreeMap<String, Vec<(&'static str, String)>>;

    /// Brings a collection of the store to just these rows.
    fn write(store: &Store, id: &'static str, rows: &Rows) {
        let rows = rows.clone();
        store
            .write(move |transaction| {
                let schema = built_in(id).unwrap().unwrap().stored();
                let provenance = Provenance { synthetic: true, ..Provenance::open("met") };
                let mut appender = transaction.appender(schema.clone(), provenance)?;
                for (public_id, named) in rows {
                    let mut values = vec![Value::Null; schema.fields.len()];
                    for (name, text) in named {
                        values[schema.position(name).unwrap()] = Value::Text(text);
                    }
                    appender.append(&Row { id: None, public_id: Some(public_id), geometry: None, values })?;
                }
                appender.retire_others()?;
                appender.finish("test").map(|_| ())
            })
            .unwrap();
    }

    /// Every row with its rights, values and place in the order, by id; and the hash sum.
    fn content(collection: &Collection) -> (BTreeMap<RowId, String>, u128) {
        let (mut rows, mut sum) = (BTreeMap::new(), 0_u128);
        for group in &collection.groups {
            sum = sum.wrapping_add(group.hash_sum(&collection.schema));
            for row in 0..group.len() {
                let values: Vec<String> = (0..collection.schema.fields.len())
                    .map(|field| group.value(field, row).to_text())
                    .collect();
                let text = format!("{:?} {:?} {values:?}", group.key(row), group.rights(row));
                assert_eq!(rows.insert(group.id(row), text), None);
            }
        }
        (rows, sum)
    }

    /// The names of lines: public ids, and a UUID that is both the internal id of the first line and the public id of
    /// another one, while that is there.
    fn line_id(number: usize) -> String {
        match number {
            5 => RowId::from_public("line 0").to_string(),
            number => format!("line {number}"),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10))]
        /// What is read of a change gives what is read of everything: rows, rights, order and hash sum, for lines whose
        /// rights come from their legs.
        #[test]
        fn reading_what_changed_gives_what_reading_all_gives(
            steps in proptest::collection::vec(
                (
                    proptest::collection::btree_map(0_usize..6, 0_usize..3, 0..6),
                    proptest::collection::btree_map(0_usize..8, (0_usize..6, 0_usize..4), 0..8),
                ),
                1..5,
            ),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open_or_create(&folder.path().join("s.gpkg")).unwrap();
            let policy = Policy::built_in().unwrap();
            write(&store, "lines", &Rows::new());
            write(&store, "legs", &Rows::new());
            let (mut before, mut state) = read_store(&store, &policy, None).unwrap();
            for (lines, legs) in steps {
                let lines = lines.iter().map(|(number, brand)| {
                    (line_id(*number), vec![("brand", format!("brand {brand}")), ("exporting_force", "met".to_owned())])
                });
                let legs = legs.iter().map(|(number, (line, force))| {
                    let named = vec![("line", line_id(*line)), ("importing_force", format!("force {force}"))];
                    (format!("leg {number}"), named)
                });
                write(&store, "lines", &lines.collect());
                write(&store, "legs", &legs.collect());
                let (after, now) = read_store(&store, &policy, Some((&before, &state))).unwrap();
                let (whole, _) = read_store(&store, &policy, None).unwrap();
                for id in ["lines", "legs"] {
                    prop_assert_eq!(content(&after.collections[id]), content(&whole.collections[id]), "{}", id);
                }
                // It was read as a change, and not as a whole.
                let reader = store.reader().unwrap();
                for id in ["lines", "legs"] {
                    let stored = reader.collection(id).unwrap().unwrap();
                    let rules = policy.parties(id);
                    let other = other_of(rules).map(|(other, by)| (&after.collections[other], by));
                    let mut others = other.map(|(other, by)| parties_of(other, by)).unwrap_or_default();
                    let version = after.collections[id].version;
                    let known = &before.collections[id];
                    let read =
                        read_changes(&reader, &stored, known, version, rules, &mut others, other.is_some());
                    prop_assert_eq!(content(&read.unwrap().unwrap()), content(&whole.collections[id]));
                }
                (before, state) = (after, now);
            }
        }
    }
}
