//! What views share: copies of row groups, parts of collections, parts with something computed for them.
//!
//! Each is found again by what it is a function of, as long as some view holds it. Equal work is done once: callers
//! that want the same at the same time wait for the one that builds it.
//! Not here: which views are held, and for how long (`view_cache`).

use std::collections::HashMap;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::Weak;

use crate::access::Entitlement;
use crate::access::derive::Params;
use crate::access::view::CollectionView;
use crate::model::CollectionSchema;
use crate::snapshot::Ledger;
use crate::snapshot::RowGroup;

/// What a copy of a row group is a function of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct CopyKey {
    /// Serial of the snapshot's row group.
    pub source: u64,
    /// Which of its rows and fields the copy has.
    pub entitlement: Entitlement,
    /// Which of its references are null in the copy (`references::Hidden::digest`).
    pub hidden: u128,
}

/// What a collection's part of a view is a function of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct PartKey {
    /// The collection.
    pub id: String,
    /// Places of the fields shown, `None` for all.
    pub fields: Option<Vec<usize>>,
    /// Serials of the row groups.
    pub groups: Vec<u64>,
}

/// What a part with something computed for it is a function of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct DerivedKey {
    /// The derivation.
    pub name: &'static str,
    /// Its parameters.
    pub params: Params,
    /// Serial of the part it is computed for, then of those it reads; 0 for one that is not there.
    pub serials: Vec<u64>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Memos {
    /// Where what is built is counted.
    pub ledger: Arc<Ledger>,
    copies: Shelf<CopyKey, RowGroup>,
    parts: Mutex<HashMap<PartKey, Weak<CollectionView>>>,
    derived: Shelf<DerivedKey, CollectionView>,
}

/// Things by key as long as a view holds them; each is built by one caller.
#[derive(Debug)]
struct Shelf<K, T>(Mutex<HashMap<K, Arc<Mutex<Weak<T>>>>>);

impl<K, T> Default for Shelf<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, T> Shelf<K, T> {
    fn get_or_build(&self, key: K, build: impl FnOnce() -> Option<T>) -> Option<Arc<T>> {
        let place = Arc::clone(lock(&self.0).entry(key).or_default());
        // Held while building: who wants the same waits for it.
        let mut known = lock(&place);
        if let Some(known) = known.upgrade() {
            return Some(known);
        }
        let built = Arc::new(build()?);
        *known = Arc::downgrade(&built);
        Some(built)
    }

    /// Forgets what no view holds and no caller builds.
    fn sweep(&self) {
        let held =
            |place: &Arc<Mutex<Weak<T>>>| Arc::strong_count(place) > 1 || lock(place).strong_count() > 0;
        lock(&self.0).retain(|_, place| held(place));
    }

    /// What is held, with its key.
    fn held<R>(&self, mut each: impl FnMut(&K, &Arc<T>) -> Option<R>) -> Vec<R> {
        let places = lock(&self.0);
        // One that is being built now is of no view yet.
        let known = |place: &Arc<Mutex<Weak<T>>>| place.try_lock().ok().and_then(|known| known.upgrade());
        places.iter().filter_map(|(key, place)| each(key, &known(place)?)).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What of the memos is still good in another snapshot.
#[derive(Debug, Default)]
pub(super) struct StillGood {
    /// Serials of parts.
    pub parts: HashSet<u64>,
    /// Serials of copies of row groups.
    pub copies: HashSet<u64>,
}

impl Memos {
    /// A copy of a row group; `None` if it has no rows.
    pub fn copy(&self, key: CopyKey, build: impl FnOnce() -> Option<RowGroup>) -> Option<Arc<RowGroup>> {
        self.copies.get_or_build(key, || Some(build()?.charged_to(&self.ledger)))
    }

    /// The part of these row groups, with the fields of `schema`.
    pub fn part(
        &self,
        key: PartKey,
        schema: &Arc<CollectionSchema>,
        build: impl FnOnce() -> CollectionView,
    ) -> Arc<CollectionView> {
        let mut parts = lock(&self.parts);
        if let Some(part) = parts.get(&key).and_then(Weak::upgrade)
            // A title may change without any row.
            && part.schema() == &**schema
        {
            return part;
        }
        // A part is a list of its row groups: nothing that takes long.
        let part = Arc::new(build());
        parts.insert(key, Arc::downgrade(&part));
        part
    }

    /// A part with something computed for it; `None` if nothing is.
    pub fn derived(
        &self,
        key: DerivedKey,
        build: impl FnOnce() -> Option<CollectionView>,
    ) -> Option<Arc<CollectionView>> {
        self.derived.get_or_build(key, build)
    }

    /// Forgets what no view holds.
    pub fn sweep(&self) {
        self.copies.sweep();
        self.derived.sweep();
        lock(&self.parts).retain(|_, part| part.strong_count() > 0);
    }

    /// What is still good where the snapshot has the row groups with these serials, and derivations these parameters.
    pub fn still_good(&self, groups: &HashSet<u64>, params: &Params) -> StillGood {
        let copy = |key: &CopyKey, copy: &Arc<RowGroup>| groups.contains(&key.source).then(|| copy.serial());
        let copies: HashSet<u64> = self.copies.held(copy).into_iter().collect();
        let mut parts: HashSet<u64> = {
            let known = |group: &u64| groups.contains(group) || copies.contains(group);
            let parts = lock(&self.parts);
            let good = parts.iter().filter(|(key, _)| key.groups.iter().all(known));
            good.filter_map(|(_, part)| Some(part.upgrade()?.serial())).collect()
        };
        // What is computed from something computed comes later in the order of serials.
        let mut derived = self
            .derived
            .held(|key, part| (key.params == *params).then(|| (part.serial(), key.serials.clone())));
        derived.sort_unstable();
        for (serial, read) in derived {
            if read.iter().all(|read| *read == 0 || parts.contains(read)) {
                parts.insert(serial);
            }
        }
        StillGood { parts, copies }
    }
}
