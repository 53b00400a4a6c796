//! One snapshot as it is published: with what is known of it for every view.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::OnceLock;

use crate::access::Regions;
use crate::access::derive::Params;
use crate::access::read::Snapshot;
use crate::access::read::StoreState;
use crate::access::references::Rows;
use crate::access::view::View;
use crate::model::CollectionClass;
use crate::model::collections::forces;
use crate::model::time::parse_date;
use crate::snapshot::IdIndex;
use crate::store::now_day;

/// A snapshot, and the public's view of it.
#[derive(Debug)]
pub(super) struct Published {
    pub snapshot: Snapshot,
    /// Counts the snapshots of this process.
    pub version: u64,
    /// The state of the store that it was read at.
    pub state: StoreState,
    /// The day of the picture, as days since 1970-01-01.
    pub day: i32,
    /// Which forces make up a region.
    pub regions: Regions,
    /// Serials of its row groups.
    pub serials: HashSet<u64>,
    /// Where the rows of large collections are, by their ids.
    ids: BTreeMap<String, OnceLock<Option<IdIndex>>>,
    /// What anyone sees, and the serials of its parts; held as long as the snapshot is.
    public: OnceLock<(Arc<View>, Arc<HashSet<u64>>)>,
}

impl Published {
    pub fn new(snapshot: Snapshot, version: u64, state: StoreState) -> Self {
        let groups = snapshot.collections.values().flat_map(|collection| &collection.groups);
        Self {
            version,
            state,
            day: day_of(&snapshot),
            regions: regions(&snapshot),
            serials: groups.map(|group| group.serial()).collect(),
            ids: snapshot.collections.keys().map(|id| (id.clone(), OnceLock::new())).collect(),
            public: OnceLock::new(),
            snapshot,
        }
    }

    /// The view of anyone and the serials of its parts, built by the first caller.
    pub fn public(&self, build: impl FnOnce() -> View) -> &(Arc<View>, Arc<HashSet<u64>>) {
        self.public.get_or_init(|| {
            let view = build();
            let serials = view.collections().map(|part| part.serial()).collect();
            (Arc::new(view), Arc::new(serials))
        })
    }

    /// That view, if it is there.
    pub fn public_at_hand(&self) -> Option<&(Arc<View>, Arc<HashSet<u64>>)> {
        self.public.get()
    }

    /// What derivations of fields and geometries depend on besides rows.
    pub fn params(&self) -> Params {
        Params::of_day(self.day)
    }

    /// A collection with its table of ids: few row groups are looked through one by one.
    pub fn rows(&self, id: &str) -> Option<Rows<'_>> {
        let collection = self.snapshot.collections.get(id)?;
        let index = || self.ids.get(id)?.get_or_init(|| IdIndex::new(&collection.groups)).as_ref();
        Some((collection, if collection.groups.len() > 2 { index() } else { None }))
    }

    /// Bytes of all its row groups.
    pub fn bytes(&self) -> usize {
        let groups = self.snapshot.collections.values().flat_map(|collection| &collection.groups);
        groups.map(|group| group.bytes()).sum()
    }
}

/// The day that a snapshot's picture is drawn for.
pub(super) fn day_of(snapshot: &Snapshot) -> i32 {
    snapshot.reference_date.as_deref().and_then(parse_date).unwrap_or_else(now_day)
}

/// The policing regions, by the reference facts.
fn regions(snapshot: &Snapshot) -> Regions {
    let Some(collection) = snapshot.collections.get(forces::COLLECTION) else { return Regions::default() };
    let rows = collection.groups.iter().flat_map(|group| (0..group.len()).map(move |row| (group, row)));
    let (id, region) =
        (collection.schema.position(forces::ID.name()), collection.schema.position(forces::REGION.name()));
    // An imported layer of that name is no fact.
    let facts = rows.filter(|_| collection.schema.class == CollectionClass::Reference);
    Regions::new(facts.filter_map(|(group, row)| Some((group.text(id, row)?, group.text(region, row)?))))
}
