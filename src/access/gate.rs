//! The gate: holds the current snapshot and hands out views of it.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use arc_swap::ArcSwap;

use crate::access::Outcome;
use crate::access::Policy;
use crate::access::PolicyError;
use crate::access::Principal;
use crate::access::Regions;
use crate::access::outcome::Rows;
use crate::access::read::read_store;
use crate::access::view::CollectionView;
use crate::access::view::View;
use crate::model::CollectionClass;
use crate::model::collections::forces;
use crate::snapshot::Collection;
use crate::snapshot::RowGroup;
use crate::snapshot::Snapshot;
use crate::store::Register;
use crate::store::Store;
use crate::store::StoreError;

/// Copies of partly visible row groups are kept up to this many bytes, or the size of the snapshot if that is more.
const LEAST_COPY_BYTES: usize = 64 << 20;

/// The views of so many principals are remembered by who asks.
const MOST_PRINCIPALS: usize = 4_096;

/// Why data is not served.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The policy is wrong, or has no line for a collection.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// A collection's part of a view, with the collection it was made of.
type Part = (Arc<Collection>, Arc<CollectionView>);
/// Parts by collection and outcome.
type Parts = HashMap<(String, Outcome), Part>;

/// Holds the snapshot; the only way from a principal to rows.
#[derive(Debug)]
pub struct Gate {
    store: Arc<Store>,
    policy: Policy,
    current: ArcSwap<Published>,
    copies: Mutex<Copies>,
    refreshing: Mutex<()>,
}

/// One snapshot and the views made of it so far.
#[derive(Debug)]
struct Published {
    snapshot: Snapshot,
    sequence: i64,
    regions: Regions,
    views: Mutex<HashMap<Vec<Outcome>, Arc<View>>>,
    /// The same views by who asked: what a further request of theirs looks up.
    of_principals: Mutex<HashMap<Principal, Arc<View>>>,
    /// Every part of those views, for the next snapshot to take over where nothing changed.
    parts: Mutex<Parts>,
}

/// A copy, `None` if it has no rows, and when it was last used.
type Copied = (Copy, u64);
type Copy = Option<Arc<RowGroup>>;

/// Admitted parts of row groups, by group and outcome; least recently used ones go first.
#[derive(Debug, Default)]
struct Copies {
    kept: HashMap<(u64, Outcome), Copied>,
    bytes: usize,
    clock: u64,
}

impl Gate {
    /// Reads the store, under the policy that comes with the program.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn open(store: Arc<Store>) -> Result<Self, GateError> {
        Self::under(Policy::built_in()?, store)
    }

    /// Reads the store. A collection of its register that the policy has no line for stops it.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn under(policy: Policy, store: Arc<Store>) -> Result<Self, GateError> {
        let sequence = store.reader()?.sequence()?;
        let snapshot = read_store(&store, &policy, None)?;
        policy.check(snapshot.collections.values().map(|collection| &*collection.schema))?;
        Ok(Self {
            store,
            policy,
            current: ArcSwap::from_pointee(Published::new(snapshot, sequence, HashMap::new())),
            copies: Mutex::default(),
            refreshing: Mutex::default(),
        })
    }

    /// Reads what has changed in the store since; `false` if nothing has. Requests under way keep their view.
    ///
    /// # Errors
    /// [`GateError`]: the snapshot then stays as it was.
    pub fn refresh(&self) -> Result<bool, GateError> {
        let _one_at_a_time = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.current.load_full();
        let sequence = self.store.reader()?.sequence()?;
        if sequence == before.sequence {
            return Ok(false);
        }
        let snapshot = read_store(&self.store, &self.policy, Some(&before.snapshot))?;
        self.policy.check(snapshot.collections.values().map(|collection| &*collection.schema))?;
        let parts = before.parts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.current.store(Arc::new(Published::new(snapshot, sequence, parts)));
        Ok(true)
    }

    /// Everything `principal` may see, at the current version.
    #[must_use]
    pub fn view(&self, principal: &Principal) -> Arc<View> {
        let published = self.current.load();
        let known = |published: &Published| {
            published.of_principals.lock().unwrap_or_else(PoisonError::into_inner).get(principal).cloned()
        };
        if let Some(view) = known(&published) {
            return view;
        }
        let view = self.view_of_class(&published, principal);
        let mut views = published.of_principals.lock().unwrap_or_else(PoisonError::into_inner);
        if views.len() >= MOST_PRINCIPALS {
            // Whoever is still here is found again by what they see.
            views.clear();
        }
        views.insert(principal.clone(), Arc::clone(&view));
        view
    }

    /// The view that `principal` shares with all who have the same outcome on every collection.
    fn view_of_class(&self, published: &Published, principal: &Principal) -> Arc<View> {
        let outcomes: Vec<Outcome> = published
            .snapshot
            .collections
            .values()
            .map(|collection| self.policy.outcome(principal, &collection.schema, &published.regions))
            .collect();
        if let Some(view) = published.views.lock().unwrap_or_else(PoisonError::into_inner).get(&outcomes) {
            return Arc::clone(view);
        }
        let mut collections = BTreeMap::new();
        for ((id, collection), outcome) in published.snapshot.collections.iter().zip(&outcomes) {
            if *outcome == Outcome::nothing() {
                continue;
            }
            let part = self.part(published, id, collection, outcome);
            // Where nothing of a collection is theirs, it is not there: that it exists may be another's secret.
            if part.rows() > 0 || outcome.rows == Rows::All {
                collections.insert(id.clone(), part);
            }
        }
        let view = Arc::new(View::new(collections, published.snapshot.as_at.clone()));
        published.views.lock().unwrap_or_else(PoisonError::into_inner).insert(outcomes, Arc::clone(&view));
        view
    }

    fn part(
        &self,
        published: &Published,
        id: &str,
        collection: &Arc<Collection>,
        outcome: &Outcome,
    ) -> Arc<CollectionView> {
        let key = (id.to_owned(), outcome.clone());
        if let Some((of, part)) = published.parts.lock().unwrap_or_else(PoisonError::into_inner).get(&key)
            && Arc::ptr_eq(of, collection)
        {
            return Arc::clone(part);
        }
        let limit = LEAST_COPY_BYTES.max(published.snapshot_bytes());
        let shown = outcome.fields.of(&collection.schema);
        let schema = match &shown {
            None => Arc::clone(&collection.schema),
            Some(places) => Arc::new(collection.schema.with_fields(places)),
        };
        let places = shown.unwrap_or_else(|| (0..collection.schema.fields.len()).collect());
        let part = Arc::new(CollectionView::new(
            collection,
            &schema,
            outcome,
            self.policy.is_about_people(id),
            |group| {
                let mut copies = self.copies.lock().unwrap_or_else(PoisonError::into_inner);
                copies.get(group, outcome, limit, || {
                    group.filtered(&schema, &places, |row| outcome.admits(row)).map(Arc::new)
                })
            },
        ));
        let mut parts = published.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.insert(key, (Arc::clone(collection), Arc::clone(&part)));
        part
    }

    /// Collections of the policy that would be there for `principal` if they gave a reason: whether the store has rows of
    /// them is not looked at.
    #[must_use]
    pub fn wanting_reason(&self, principal: &Principal) -> Vec<&str> {
        self.policy.wanting_reason(principal)
    }

    /// Collections with damaged or missing rows, and how many.
    #[must_use]
    pub fn degraded(&self) -> Vec<(String, u64)> {
        let published = self.current.load();
        let all = published.snapshot.collections.iter();
        all.filter(|(_, collection)| collection.missing > 0)
            .map(|(id, collection)| (id.clone(), collection.missing))
            .collect()
    }

    /// Collections, rows and bytes of the whole snapshot, for the operator's metrics.
    #[must_use]
    pub fn size(&self) -> (usize, u64, usize) {
        let published = self.current.load();
        let collections = &published.snapshot.collections;
        let rows = collections
            .values()
            .flat_map(|collection| &collection.groups)
            .map(|group| group.len() as u64)
            .sum();
        (collections.len(), rows, published.snapshot_bytes())
    }

    /// What the store's register holds.
    #[must_use]
    pub fn register(&self) -> Register {
        self.store.register()
    }
}

impl Published {
    fn new(snapshot: Snapshot, sequence: i64, mut parts: Parts) -> Self {
        parts.retain(|(id, _), (of, _)| {
            snapshot.collections.get(id).is_some_and(|collection| Arc::ptr_eq(collection, of))
        });
        Self {
            regions: regions(&snapshot),
            snapshot,
            sequence,
            views: Mutex::default(),
            of_principals: Mutex::default(),
            parts: Mutex::new(parts),
        }
    }

    fn snapshot_bytes(&self) -> usize {
        self.snapshot
            .collections
            .values()
            .flat_map(|collection| &collection.groups)
            .map(|group| group.bytes())
            .sum()
    }
}

impl Copies {
    fn get(
        &mut self,
        group: &Arc<RowGroup>,
        outcome: &Outcome,
        limit: usize,
        make: impl FnOnce() -> Copy,
    ) -> Copy {
        self.clock += 1;
        let key = (group.serial(), outcome.clone());
        if let Some((copy, used)) = self.kept.get_mut(&key) {
            *used = self.clock;
            return copy.clone();
        }
        let copy = make();
        self.bytes += copy.as_ref().map_or(0, |copy| copy.bytes());
        self.kept.insert(key, (copy.clone(), self.clock));
        while self.bytes > limit && self.kept.len() > 1 {
            let Some(oldest) =
                self.kept.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone())
            else {
                break;
            };
            if let Some((Some(gone), _)) = self.kept.remove(&oldest) {
                self.bytes -= gone.bytes();
            }
        }
        copy
    }
}

/// The policing regions, by the reference facts.
fn regions(snapshot: &Snapshot) -> Regions {
    let Some(collection) = snapshot.collections.get("forces") else { return Regions::default() };
    let rows = collection.groups.iter().flat_map(|group| (0..group.len()).map(move |row| (group, row)));
    // An imported layer of that name is no fact.
    let facts = rows.filter(|_| collection.schema.class == CollectionClass::Reference);
    Regions::new(
        facts.filter_map(|(group, row)| {
            Some((group.text(&forces::ID, row)?, group.text(&forces::REGION, row)?))
        }),
    )
}
