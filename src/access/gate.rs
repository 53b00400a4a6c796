//! The gate: holds the current snapshot and hands out views of it.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use arc_swap::ArcSwap;

use crate::access::Class;
use crate::access::Policy;
use crate::access::PolicyError;
use crate::access::Principal;
use crate::access::derive::Derivation;
use crate::access::derive::DerivationError;
use crate::access::derive::Derivations;
use crate::access::memos::Memos;
use crate::access::played::Played;
use crate::access::published::Published;
use crate::access::published::day_of;
use crate::access::read::read_store;
use crate::access::read::state_of;
use crate::access::values::Values;
use crate::access::view::View;
use crate::access::view_build::Builder;
use crate::access::view_cache::Clock;
use crate::access::view_cache::ViewCache;
use crate::store::Register;
use crate::store::Store;
use crate::store::StoreError;

/// Views are held up to this many bytes of their own, or the size of the snapshot if that is more.
const LEAST_VIEW_BYTES: usize = 64 << 20;
/// Classes that asked within this time have their views built before a new snapshot is published,
const IN_USE: Duration = Duration::from_secs(60);
/// for at most this long in all: the rest when they ask next.
const MOST_PREPARING: Duration = Duration::from_millis(20);

/// Why data is not served.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The policy is wrong, or has no rules for a collection.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Derivations cannot be computed one after the other.
    #[error(transparent)]
    Derivation(#[from] DerivationError),
}

/// Holds the snapshot; the only way from a principal to rows.
#[derive(Debug)]
pub struct Gate {
    store: Arc<Store>,
    policy: Policy,
    derivations: Derivations,
    current: ArcSwap<Published>,
    refreshing: Mutex<()>,
    memos: Memos,
    values: Arc<Values>,
    cache: Arc<ViewCache>,
    most_view_bytes: Option<usize>,
    played: Played,
}

impl Gate {
    /// Reads the store, under the policy that comes with the program and without derivations.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn open(store: Arc<Store>) -> Result<Self, GateError> {
        Self::under(Policy::built_in()?, store)
    }

    /// Reads the store, without derivations. A collection of its register without rules in the policy is an error.
    ///
    /// # Errors
    /// [`GateError`].
    pub fn under(policy: Policy, store: Arc<Store>) -> Result<Self, GateError> {
        Self::with_derivations(policy, store, &[])
    }

    /// As [`Self::under`], with what is computed for the views of everyone.
    ///
    /// # Errors
    /// [`GateError`]; derivations that read each other in a circle are one.
    pub fn with_derivations(
        policy: Policy,
        store: Arc<Store>,
        derivations: &[Derivation],
    ) -> Result<Self, GateError> {
        let derivations = Derivations::new(derivations)?;
        let (snapshot, state) = read_store(&store, &policy, None)?;
        policy.check(snapshot.collections.values().map(|collection| &*collection.schema))?;
        let memos = Memos::default();
        let clock = Arc::new(Clock::default());
        let values = Arc::new(Values::new(&memos.ledger, &clock));
        let cache = ViewCache::new(&memos.ledger, &clock, &values);
        let gate = Self {
            store,
            policy,
            derivations,
            current: ArcSwap::from_pointee(Published::new(snapshot, 1, state)),
            refreshing: Mutex::default(),
            memos,
            values,
            cache,
            most_view_bytes: None,
            played: Played::default(),
        };
        let published = gate.current.load_full();
        gate.bound_to(&published);
        gate.public(&published);
        Ok(gate)
    }

    /// Reads what has changed in the store since; `false` if nothing has. Requests under way keep their view.
    ///
    /// # Errors
    /// [`GateError`]: the snapshot then stays as it was.
    pub fn refresh(&self) -> Result<bool, GateError> {
        let _one_at_a_time = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.current.load_full();
        let state = state_of(&self.store)?;
        // The picture of a store without a day of its own is drawn anew every day.
        if state == before.state && day_of(&before.snapshot) == before.day {
            return Ok(false);
        }
        let (snapshot, state) =
            read_store(&self.store, &self.policy, Some((&before.snapshot, &before.state)))?;
        self.policy.check(snapshot.collections.values().map(|collection| &*collection.schema))?;
        let next = Published::new(snapshot, before.version + 1, state);
        self.bound_to(&next);
        self.prepare(&next);
        // Before the rows can be seen: whoever takes a view of them finds the demo over when they look afterwards.
        self.played.look_at(&next.snapshot, self.register());
        let (version, good) = (next.version, self.memos.still_good(&next.serials, &next.params()));
        self.current.store(Arc::new(next));
        // What has been built in the meantime is held by its own view.
        self.cache.turn_to(version, &good);
        drop(before);
        self.memos.sweep();
        Ok(true)
    }

    /// Builds the views of classes in use, before their rows can be seen.
    fn prepare(&self, next: &Published) {
        let start = Instant::now();
        let (_, public) = self.public(next);
        for class in self.cache.asked_within(IN_USE) {
            if start.elapsed() >= MOST_PREPARING {
                break;
            }
            self.cache.prepare(&class, next.version, || self.builder(next).build(&class, Some(public)));
        }
    }

    fn bound_to(&self, published: &Published) {
        let bound = self.most_view_bytes.unwrap_or_else(|| LEAST_VIEW_BYTES.max(published.bytes()));
        self.memos.ledger.set_bound(bound);
    }

    /// Lets callers play roles, as long as the store holds nothing but rows that anyone may see: looked at now and at every
    /// refresh. The first other row ends it until the server is started anew; the log says which collection has it.
    #[must_use]
    pub fn with_roles_played(self) -> Self {
        self.played.begin(&self.current.load().snapshot, self.register());
        self
    }

    /// Whether callers play roles. Looked at after a view was taken, it speaks of that view's rows too.
    #[must_use]
    pub fn are_roles_played(&self) -> bool {
        self.played.are()
    }

    /// Holds views up to so many bytes beside the snapshot, counted with everything that is computed for them.
    #[must_use]
    pub fn keeping(mut self, bytes: usize) -> Self {
        self.most_view_bytes = Some(bytes);
        self.memos.ledger.set_bound(bytes);
        self.memos.ledger.settle();
        self
    }

    /// Everything `principal` may see, at the current version. It is built on this thread if it is not at hand; a
    /// caller of the same class waits for the one that builds it.
    #[must_use]
    pub fn view(&self, principal: &Principal) -> Arc<View> {
        let published = self.current.load_full();
        let (view, public) = self.public(&published);
        let class = principal.class();
        if class.is_anonymous() {
            return Arc::clone(view);
        }
        let build = || self.builder(&published).build(&class, Some(public));
        self.cache.get_or_build(&class, published.version, build)
    }

    /// The same, if it is there: nothing is built, and no other caller is waited for.
    #[must_use]
    pub fn view_at_hand(&self, principal: &Principal) -> Option<Arc<View>> {
        let published = self.current.load();
        let class = principal.class();
        if class.is_anonymous() {
            return published.public_at_hand().map(|(view, _)| Arc::clone(view));
        }
        self.cache.at_hand(&class, published.version)
    }

    /// The view of anyone, and the serials of its parts.
    fn public<'a>(&'a self, published: &'a Published) -> &'a (Arc<View>, Arc<HashSet<u64>>) {
        published.public(|| self.builder(published).build(&Class::anonymous(), None))
    }

    fn builder<'a>(&'a self, published: &'a Published) -> Builder<'a> {
        Builder {
            policy: &self.policy,
            published,
            memos: &self.memos,
            values: &self.values,
            derivations: &self.derivations,
        }
    }

    /// How many classes have a view now, besides the public, and the bytes held beside the snapshot.
    #[must_use]
    pub fn views_held(&self) -> (usize, usize) {
        self.cache.size(self.current.load().version)
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
        (collections.len(), rows, published.bytes())
    }

    /// The policy that views are made under.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What the store's register holds.
    #[must_use]
    pub fn register(&self) -> Register {
        self.store.register()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::sync::Barrier;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;

    use crate::access::AccountId;
    use crate::access::Computed;
    use crate::access::DerivationKind;
    use crate::access::fixtures::Wanted;
    use crate::access::fixtures::add;
    use crate::access::fixtures::analyst;
    use crate::access::fixtures::open;
    use crate::access::fixtures::seen;
    use crate::access::fixtures::text;
    use crate::access::fixtures::world;
    use crate::model::CollectionClass;
    use crate::model::Provenance;
    use crate::model::Row;
    use crate::model::Sensitivity;
    use crate::model::Value;
    use crate::model::collections::built_in;
    use crate::model::collections::hubs;
    use crate::model::collections::legs;
    use crate::model::collections::towns;

    #[test]
    fn what_is_computed_is_of_the_visible_links() {
        let (_folder, store) = world(3);
        let gate = open(&store);
        let operator = gate.view(&Principal::LocalOperator);
        for id in ["hubs", "towns"] {
            assert_eq!(seen(&operator, id, "active_lines"), [("3".to_owned(), 1)]);
        }
        assert_eq!(seen(&operator, "lines", "brand"), vec![("X".to_owned(), 2); 3], "both legs of each line");
        let one = gate.view(&analyst(1));
        assert_eq!(seen(&one, "hubs", "active_lines"), [("1".to_owned(), 1)]);
        assert_eq!(seen(&one, "lines", "brand"), [("X".to_owned(), 2)]);
        assert!(one.collection("lines").unwrap().bounds().is_some());
        // A caller without legs does not learn how many there are.
        let anyone = gate.view(&Principal::Anonymous);
        assert_eq!(anyone.collection("hubs").unwrap().schema().position("active_lines"), None);
        assert!(anyone.collection("lines").is_none());
        // On a day when the second legs were still there no number of lines changes; on a day before all legs there are none.
        let hash = |view: &View| view.collection("hubs").unwrap().data_version().to_owned();
        let before = hash(&operator);
        store.write(|transaction| transaction.set_reference_date("2020-01-01")).unwrap();
        add(&store, towns::COLLECTION, Vec::new());
        assert!(gate.refresh().unwrap());
        let operator = gate.view(&Principal::LocalOperator);
        assert_eq!(seen(&operator, "hubs", "active_lines"), [("0".to_owned(), 1)]);
        assert_ne!(hash(&operator), before);
    }

    /// What is imported while a demo runs ends it before anyone sees the rows; that they go does not bring it back.
    #[test]
    fn other_rows_end_a_demo_for_good() {
        let layer = |store: &Store, open: bool, provenance: Provenance| {
            store
                .write(move |transaction| {
                    let mut schema = built_in("stations").unwrap().unwrap().stored();
                    (schema.id, schema.class) = ("mine".to_owned(), CollectionClass::Layer);
                    schema.open = open;
                    let values = vec![Value::Null; schema.fields.len()];
                    let mut appender = transaction.appender(schema, provenance)?;
                    appender.append(&Row { id: None, public_id: None, geometry: None, values })?;
                    appender.finish("test")?;
                    Ok(())
                })
                .unwrap();
        };
        let (_folder, store) = world(2);
        assert!(!open(&store).are_roles_played(), "only if asked for");
        let gate = open(&store).with_roles_played();
        assert!(gate.are_roles_played(), "its register is synthetic, its facts are open");
        layer(&store, true, Provenance::open("local"));
        assert!(gate.refresh().unwrap() && gate.are_roles_played(), "an open layer is everyone's");
        layer(
            &store,
            true,
            Provenance { synthetic: true, sensitivity: Sensitivity::Limited, ..Provenance::open("local") },
        );
        assert!(gate.refresh().unwrap() && gate.are_roles_played(), "synthetic rows are no secret");
        layer(&store, false, Provenance::open("local"));
        assert!(gate.are_roles_played(), "not read yet");
        assert!(gate.refresh().unwrap() && !gate.are_roles_played());
        store.write(|transaction| transaction.set_reference_date("2024-05-01")).unwrap();
        gate.refresh().unwrap();
        assert!(!gate.are_roles_played());
        let again = open(&store).with_roles_played();
        assert!(!again.are_roles_played(), "nor is there one in a server started anew over such rows");
        let folder = tempfile::tempdir().unwrap();
        let real = Store::create(&folder.path().join("s.gpkg"), Register::Operational).unwrap();
        assert!(!open(&Arc::new(real)).with_roles_played().are_roles_played());
    }

    #[test]
    fn parts_are_shared_and_carried_over() {
        let (_folder, store) = world(4);
        let gate = open(&store);
        let serial = |who: &Principal, id: &str| gate.view(who).collection(id).unwrap().serial();
        let nation = Principal::parse("national-analyst").unwrap();
        for id in ["legs", "lines"] {
            assert_eq!(serial(&Principal::LocalOperator, id), serial(&nation, id), "{id}: one part for both");
            assert_ne!(serial(&nation, id), serial(&analyst(1), id));
        }
        let before: Vec<u64> = ["legs", "hubs", "lines"].iter().map(|id| serial(&analyst(1), id)).collect();
        let town = (vec![("id", text("new"))], vec![(1.0, 52.0)], "new".to_owned(), "reference".to_owned());
        add(&store, towns::COLLECTION, vec![town]);
        assert!(gate.refresh().unwrap());
        let after: Vec<u64> = ["legs", "hubs", "lines"].iter().map(|id| serial(&analyst(1), id)).collect();
        assert_eq!(before, after, "nothing of them has changed");
        assert_eq!(seen(&gate.view(&analyst(1)), "towns", "active_lines").len(), 2);
    }

    /// Everything that is computed when it is first wanted.
    fn wanted(view: &View) {
        for part in view.collections() {
            let _ = (part.index(), part.find(crate::model::RowId(7)));
            part.derive(|part| Wanted(part.rows() as usize));
            part.groups().iter().for_each(|group| drop(group.derive(|group| Wanted(group.len()))));
        }
        assert!(view.resolve("legs", "line").is_some());
    }

    #[test]
    fn a_thousand_classes_stay_within_their_bytes_and_answer_as_before() {
        let classes = 1_000;
        let (_folder, store) = world(classes);
        let free = open(&store);
        let public = free.views_held().1;
        let mut versions = Vec::new();
        for number in 0..classes {
            let view = free.view(&analyst(number));
            wanted(&view);
            versions.push(view.collection("legs").unwrap().data_version().to_owned());
        }
        let (held, bytes) = free.views_held();
        assert_eq!(held, classes);
        // A tenth of what they take together.
        let most = bytes / 10;
        let gate = open(&store).keeping(most);
        let mut greatest = 0;
        for (number, version) in versions.iter().enumerate() {
            let view = gate.view(&analyst(number));
            wanted(&view);
            assert_eq!(view.collection("legs").unwrap().data_version(), *version);
            let (held, bytes) = gate.views_held();
            assert!(bytes <= most && held < classes, "{held} views, {bytes} bytes of {most}");
            greatest = greatest.max(bytes);
        }
        assert!(greatest > most / 2, "the room is used: {greatest} of {most}");
        // The one that is asked again and again stays.
        let hot = gate.view(&analyst(7));
        for number in 100..200 {
            let other = gate.view(&analyst(number));
            assert!(!Arc::ptr_eq(&hot, &other));
            assert!(Arc::ptr_eq(&hot, &gate.view(&analyst(7))));
        }
        // With the views everything goes that was computed for them, but for the public's.
        drop(hot);
        let gate = gate.keeping(0);
        let last = gate.view(&analyst(1)).collections().map(|part| part.bytes()).sum::<usize>();
        let left = gate.views_held();
        assert!(left.0 <= 1 && left.1 < public + 10 * last.max(10_000), "{left:?}");
    }

    #[test]
    fn a_class_is_built_once_and_a_view_at_hand_is_never_built() {
        static BUILT: AtomicUsize = AtomicUsize::new(0);
        let slow = Derivation {
            name: "lines-from",
            kind: DerivationKind::Columns,
            of: hubs::COLLECTION,
            reads: &[legs::COLLECTION],
            make: |inputs, _| {
                inputs.part(legs::COLLECTION)?;
                BUILT.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(30));
                Some(Computed::Columns(HashMap::new(), Value::Int(5)))
            },
        };
        let (_folder, store) = world(3);
        let gate = Gate::with_derivations(Policy::built_in().unwrap(), store, &[slow]).unwrap();
        assert!(gate.view_at_hand(&Principal::Anonymous).is_some(), "anyone's is built with the snapshot");
        let who = analyst(1);
        assert!(gate.view_at_hand(&who).is_none());
        assert_eq!((BUILT.load(Ordering::SeqCst), gate.views_held().0), (0, 0));
        let barrier = Barrier::new(8);
        let views: Vec<Arc<View>> = std::thread::scope(|scope| {
            let ask = |account: String| {
                let (gate, barrier) = (&gate, &barrier);
                move || {
                    barrier.wait();
                    gate.view(&analyst(1).acting_as(AccountId::new(&account)))
                }
            };
            let all: Vec<_> = (0..8).map(|number| scope.spawn(ask(number.to_string()))).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(BUILT.load(Ordering::SeqCst), 1);
        assert!(views.iter().all(|view| Arc::ptr_eq(view, &views[0])), "accounts are no part of a class");
        assert!(gate.view_at_hand(&who).is_some_and(|view| Arc::ptr_eq(&view, &views[0])));
        assert_eq!(seen(&views[0], "hubs", "active_lines"), [("5".to_owned(), 1)]);
        // Whoever sees the same rows of both collections shares it.
        drop((
            gate.view(&Principal::parse("national-analyst").unwrap()),
            gate.view(&Principal::LocalOperator),
        ));
        assert_eq!(BUILT.load(Ordering::SeqCst), 2, "both see all hubs and all legs");
    }

    #[test]
    fn classes_in_use_have_their_new_view_before_it_is_published() {
        let (_folder, store) = world(3);
        let gate = open(&store);
        let (in_use, other) = (analyst(1), analyst(2));
        let before = gate.view(&in_use);
        let town = (vec![("id", text("new"))], vec![(1.0, 52.0)], "new".to_owned(), "reference".to_owned());
        add(&store, towns::COLLECTION, vec![town]);
        assert!(gate.refresh().unwrap());
        let after = gate.view_at_hand(&in_use).unwrap();
        assert!(!Arc::ptr_eq(&before, &after));
        assert_eq!((seen(&before, "towns", "id").len(), seen(&after, "towns", "id").len()), (1, 2));
        assert!(gate.view_at_hand(&other).is_none(), "no view is built for who never asked");
        assert_eq!(seen(&gate.view_at_hand(&Principal::Anonymous).unwrap(), "towns", "id").len(), 2);
    }
}
