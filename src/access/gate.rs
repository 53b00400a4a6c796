//! The gate: holds the current snapshot and hands out views of it.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::Weak;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use arc_swap::ArcSwap;

use crate::access::Entitlement;
use crate::access::LOCAL_OWNER;
use crate::access::Policy;
use crate::access::PolicyError;
use crate::access::Principal;
use crate::access::Regions;
use crate::access::derived::OF_LEGS;
use crate::access::derived::with_legs;
use crate::access::entitlement::RowRule;
use crate::access::kept::Kept;
use crate::access::played::Played;
use crate::access::read::Snapshot;
use crate::access::read::read_store;
use crate::access::view::CollectionView;
use crate::access::view::View;
use crate::model::CollectionClass;
use crate::model::collections::forces;
use crate::model::collections::legs;
use crate::model::time::parse_date;
use crate::snapshot::Collection;
use crate::snapshot::RowGroup;
use crate::store::Register;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::now_day;

/// Views are kept up to this many bytes of rows of their own, or the size of the snapshot if that is more.
const LEAST_VIEW_BYTES: usize = 64 << 20;

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
type Part = (Arc<Collection>, Weak<CollectionView>);
/// Parts by collection and entitlement, as long as a view has them.
type Parts = HashMap<(String, Entitlement), Part>;
/// Parts with what is computed of legs, by the serials of the part and of that of the legs.
type Derived = HashMap<(u64, u64), Weak<CollectionView>>;

/// Holds the snapshot; the only way from a principal to rows.
#[derive(Debug)]
pub struct Gate {
    store: Arc<Store>,
    policy: Policy,
    current: ArcSwap<Published>,
    refreshing: Mutex<()>,
    most_view_bytes: Option<usize>,
    played: Played,
}

/// One snapshot and the views made of it so far.
#[derive(Debug)]
struct Published {
    snapshot: Snapshot,
    sequence: i64,
    /// The day of the picture, as days since 1970-01-01.
    day: i32,
    regions: Regions,
    /// Serials of its row groups.
    serials: HashSet<u64>,
    views: Mutex<Kept>,
    /// Every part of those views, for others and for the next snapshot to take over where nothing changed.
    parts: Mutex<Parts>,
    derived: Mutex<Derived>,
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
        let day = day_of(&snapshot);
        policy.check(snapshot.collections.values().map(|collection| &*collection.schema))?;
        Ok(Self {
            store,
            policy,
            current: ArcSwap::from_pointee(Published::new(snapshot, sequence, day)),
            refreshing: Mutex::default(),
            most_view_bytes: None,
            played: Played::default(),
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
        // The picture of a store without a day of its own is drawn anew every day.
        if sequence == before.sequence && day_of(&before.snapshot) == before.day {
            return Ok(false);
        }
        let snapshot = read_store(&self.store, &self.policy, Some(&before.snapshot))?;
        self.policy.check(snapshot.collections.values().map(|collection| &*collection.schema))?;
        let day = day_of(&snapshot);
        let next = Published::new(snapshot, sequence, day);
        next.take_over(&before);
        // Before the rows can be seen: whoever takes a view of them finds the demo over when they look afterwards.
        self.played.look_at(&next.snapshot, self.register());
        self.current.store(Arc::new(next));
        Ok(true)
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

    /// The view of `principal`, if it has been built: nothing is built for this.
    #[must_use]
    pub fn view_at_hand(&self, principal: &Principal) -> Option<Arc<View>> {
        self.current.load().views().of(principal)
    }

    /// Keeps views up to so many bytes of rows that the snapshot has not itself.
    #[must_use]
    pub fn keeping(mut self, bytes: usize) -> Self {
        self.most_view_bytes = Some(bytes);
        self
    }

    /// Everything `principal` may see, at the current version.
    #[must_use]
    pub fn view(&self, principal: &Principal) -> Arc<View> {
        let published = self.current.load();
        if let Some(view) = published.views().of(principal) {
            return view;
        }
        let entitlements: Vec<Entitlement> = published
            .snapshot
            .collections
            .values()
            .map(|collection| self.policy.entitlement(principal, &collection.schema, &published.regions))
            .collect();
        let known = published.views().of_class(&entitlements);
        let view = known.unwrap_or_else(|| Arc::new(self.made(&published, &entitlements)));
        let most = self.most_view_bytes.unwrap_or(LEAST_VIEW_BYTES.max(published.snapshot_bytes()));
        published.views().keep(principal, entitlements, &view, most, |group| published.has(group));
        view
    }

    /// The view of all who have these entitlements.
    fn made(&self, published: &Published, entitlements: &[Entitlement]) -> View {
        let wanted: Vec<(&String, &Arc<Collection>, &Entitlement)> = published
            .snapshot
            .collections
            .iter()
            .zip(entitlements)
            .filter(|(_, entitlement)| **entitlement != Entitlement::nothing())
            .map(|((id, collection), entitlement)| (id, collection, entitlement))
            .collect();
        // Copies of rows are made on all cores.
        let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8);
        let next = AtomicUsize::new(0);
        let take = || -> Vec<(&String, Arc<CollectionView>)> {
            let turns = std::iter::from_fn(|| wanted.get(next.fetch_add(1, Ordering::Relaxed)));
            // Where nothing of a collection is theirs, it is not there: that it exists may be another's secret. One without
            // any row is nobody's but of whoever looks after the machine, unless it is everyone's.
            let there = |collection: &Collection, entitlement: &Entitlement, part: &CollectionView| {
                let local = matches!(&entitlement.rows, RowRule::Owner(owner) if owner == LOCAL_OWNER);
                let theirs = local || collection.schema.open;
                part.rows() > 0
                    || entitlement.rows == RowRule::All
                    || (theirs && collection.groups.is_empty())
            };
            turns
                .filter_map(|(id, collection, entitlement)| {
                    let part = self.part(published, id, collection, entitlement);
                    there(collection, entitlement, &part).then_some((*id, part))
                })
                .collect()
        };
        let mut collections = BTreeMap::new();
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..workers).map(|_| scope.spawn(take)).collect();
            collections.extend(take().into_iter().map(|(id, part)| (id.clone(), part)));
            for other in others {
                let parts = other.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault));
                collections.extend(parts.into_iter().map(|(id, part)| (id.clone(), part)));
            }
        });
        if let Some(legs) = collections.get(legs::COLLECTION).cloned() {
            for id in OF_LEGS {
                if let Some(part) = collections.get_mut(id)
                    && let Some(derived) = published.with_legs(part, &legs)
                {
                    *part = derived;
                }
            }
        }
        let mut class = DefaultHasher::new();
        entitlements.hash(&mut class);
        View::new(collections, published.snapshot.reference_date.clone()).of_class(class.finish())
    }

    fn part(
        &self,
        published: &Published,
        id: &str,
        collection: &Arc<Collection>,
        entitlement: &Entitlement,
    ) -> Arc<CollectionView> {
        let key = (id.to_owned(), entitlement.clone());
        if let Some((of, part)) = published.parts.lock().unwrap_or_else(PoisonError::into_inner).get(&key)
            && Arc::ptr_eq(of, collection)
            && let Some(part) = part.upgrade()
        {
            return part;
        }
        let shown = entitlement.fields.of(&collection.schema);
        let schema = match &shown {
            None => Arc::clone(&collection.schema),
            Some(places) => Arc::new(collection.schema.with_fields(places)),
        };
        let places = shown.unwrap_or_else(|| (0..collection.schema.fields.len()).collect());
        let part =
            CollectionView::new(collection, &schema, entitlement, self.policy.is_about_people(id), |group| {
                group.filtered(&schema, &places, |row| entitlement.admits(row)).map(Arc::new)
            });
        let public = self.policy.entitlement(&Principal::Anonymous, &collection.schema, &published.regions);
        let all_fields = public.fields.of(&collection.schema).is_none();
        let is_public = all_fields
            && part.groups().iter().flat_map(|group| group.row_rights()).all(|row| public.admits(row));
        let part = Arc::new(part.for_everyone(is_public));
        let mut parts = published.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.retain(|_, (_, part)| part.strong_count() > 0);
        parts.insert(key, (Arc::clone(collection), Arc::downgrade(&part)));
        part
    }

    /// How many views are kept, and bytes of their rows that the snapshot has not itself.
    #[must_use]
    pub fn kept(&self) -> (usize, usize) {
        self.current.load().views().size()
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
    fn new(snapshot: Snapshot, sequence: i64, day: i32) -> Self {
        Self {
            regions: regions(&snapshot),
            serials: snapshot
                .collections
                .values()
                .flat_map(|collection| &collection.groups)
                .map(|group| group.serial())
                .collect(),
            snapshot,
            sequence,
            day,
            views: Mutex::default(),
            parts: Mutex::default(),
            derived: Mutex::default(),
        }
    }

    /// Takes over the parts that nothing has changed in.
    fn take_over(&self, before: &Self) {
        let old = before.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |id: &String, of: &Arc<Collection>| {
            self.snapshot.collections.get(id).is_some_and(|collection| Arc::ptr_eq(collection, of))
        };
        let still: Parts = old
            .iter()
            .filter(|((id, _), (of, part))| same(id, of) && part.strong_count() > 0)
            .map(|(key, part)| (key.clone(), part.clone()))
            .collect();
        let mut good: HashSet<u64> =
            still.values().filter_map(|(_, part)| part.upgrade()).map(|part| part.serial()).collect();
        let mut derived = before.derived.lock().unwrap_or_else(PoisonError::into_inner).clone();
        derived
            .retain(|(part, legs), _| self.day == before.day && good.contains(part) && good.contains(legs));
        good.extend(derived.values().filter_map(Weak::upgrade).map(|part| part.serial()));
        // Their views go with the version before: somebody must hold them until the next ones are made.
        self.views().carry(before.views().parts(|part| good.contains(&part.serial())));
        *self.parts.lock().unwrap_or_else(PoisonError::into_inner) = still;
        *self.derived.lock().unwrap_or_else(PoisonError::into_inner) = derived;
    }

    fn views(&self) -> MutexGuard<'_, Kept> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the snapshot has a row group itself.
    fn has(&self, group: &Arc<RowGroup>) -> bool {
        self.serials.contains(&group.serial())
    }

    /// A part with what is computed of legs.
    fn with_legs(&self, part: &Arc<CollectionView>, legs: &CollectionView) -> Option<Arc<CollectionView>> {
        let key = (part.serial(), legs.serial());
        let lock = || self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&key).and_then(Weak::upgrade) {
            return Some(known);
        }
        let made = Arc::new(with_legs(part, legs, self.day)?);
        let mut derived = lock();
        derived.retain(|_, part| part.strong_count() > 0);
        derived.insert(key, Arc::downgrade(&made));
        Some(made)
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

/// The day that a snapshot's picture is drawn for.
fn day_of(snapshot: &Snapshot) -> i32 {
    snapshot.reference_date.as_deref().and_then(parse_date).unwrap_or_else(now_day)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Provenance;
    use crate::model::Row;
    use crate::model::Sensitivity;
    use crate::model::Value;
    use crate::model::collections::built_in;
    use crate::model::collections::hubs;
    use crate::model::collections::legs;
    use crate::model::collections::lines;
    use crate::model::collections::towns;
    use crate::store::Appender;
    use crate::store::set_reference_date;

    fn force(number: usize) -> String {
        format!("force-{number}")
    }

    /// Named fields, a point or a line, the public id, the owner.
    type Made = (Vec<(&'static str, Value)>, Vec<(f64, f64)>, String, String);

    fn add(store: &Store, id: &'static str, rows: Vec<Made>) {
        store
            .write(move |connection| {
                let schema = built_in(id).unwrap().unwrap().stored();
                let mut appender = Appender::begin(
                    connection,
                    schema.clone(),
                    Provenance {
                        synthetic: schema.class == CollectionClass::Register,
                        ..Provenance::open("reference")
                    },
                )?;
                for (named, path, public_id, owner) in rows {
                    let mut values = vec![Value::Null; schema.fields.len()];
                    for (name, value) in named {
                        values[schema.position(name).unwrap()] = value;
                    }
                    let kind = if path.len() == 1 {
                        crate::model::GeometryType::Point
                    } else {
                        crate::model::GeometryType::LineString
                    };
                    let mut geometry = crate::model::geometry::GeometryBuilder::new(kind);
                    for (lon, lat) in path {
                        geometry.position(lon, lat).unwrap();
                    }
                    let _ = geometry.end_ring();
                    geometry.end_part();
                    let row =
                        Row { id: None, public_id: Some(public_id), geometry: geometry.finish(), values };
                    let provenance = Provenance {
                        synthetic: schema.class == CollectionClass::Register,
                        ..Provenance::open(&owner)
                    };
                    appender.append_as(&row, &provenance)?;
                }
                appender.finish("test")?;
                Ok(())
            })
            .unwrap();
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    /// A line of each force with two legs, one of them over on the day of the picture; all from one hub to one town.
    fn world(forces: usize) -> (tempfile::TempDir, Arc<Store>) {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open_or_create(&folder.path().join("s.gpkg")).unwrap());
        let place = |id: &'static str| {
            vec![(
                vec![("id", text(id)), ("name", text(id))],
                vec![(0.0, 52.0)],
                id.to_owned(),
                "reference".to_owned(),
            )]
        };
        add(&store, hubs::COLLECTION, place("hub"));
        add(&store, towns::COLLECTION, place("town"));
        let line =
            |number: usize| (vec![("brand", text("X"))], Vec::new(), format!("line-{number}"), force(number));
        add(&store, lines::COLLECTION, (0..forces).map(line).collect());
        let leg = |number: usize, over: bool| {
            let mut named = vec![
                ("line", text(&format!("line-{number}"))),
                ("hub", text("hub")),
                ("town", text("town")),
                ("active_from", Value::Date(19_000)),
            ];
            if over {
                named.push(("active_to", Value::Date(19_100)));
            }
            let to = (1.0 + number as f64 / 1_000.0, 51.0);
            (named, vec![(0.0, 52.0), to], format!("leg-{number}-{over}"), force(number))
        };
        let legs = (0..forces).flat_map(|number| [leg(number, false), leg(number, true)]);
        add(&store, legs::COLLECTION, legs.collect());
        // 30 April 2024 is day 19,843.
        store.write(|connection| set_reference_date(connection, "2024-04-30")).unwrap();
        (folder, store)
    }

    fn analyst(number: usize) -> Principal {
        Principal::parse(&format!("force-analyst:{}", force(number))).unwrap()
    }

    /// Values of a collection's field, and how many parts each geometry has.
    fn seen(view: &View, id: &str, field: &str) -> Vec<(String, usize)> {
        let Some(part) = view.collection(id) else { return Vec::new() };
        let place = part.schema().position(field);
        let mut seen = Vec::new();
        for group in part.groups() {
            for row in 0..group.len() {
                let value = place.map_or_else(String::new, |place| group.value(place, row).to_text());
                seen.push((value, group.geometry(row).map_or(0, |geometry| geometry.parts().count())));
            }
        }
        seen
    }

    #[test]
    fn what_is_computed_is_of_the_visible_links() {
        let (_folder, store) = world(3);
        let gate = Gate::open(Arc::clone(&store)).unwrap();
        let operator = gate.view(&Principal::LocalOperator);
        for id in ["hubs", "towns"] {
            assert_eq!(seen(&operator, id, "active_lines"), [("3".to_owned(), 1)]);
        }
        assert_eq!(seen(&operator, "lines", "brand"), vec![("X".to_owned(), 2); 3], "both legs of each line");
        let one = gate.view(&analyst(1));
        assert_eq!(seen(&one, "hubs", "active_lines"), [("1".to_owned(), 1)]);
        assert_eq!(seen(&one, "lines", "brand"), [("X".to_owned(), 2)]);
        assert!(one.collection("lines").unwrap().bounds().is_some());
        // Who sees no legs is told nothing of how many there are.
        let anyone = gate.view(&Principal::Anonymous);
        assert_eq!(anyone.collection("hubs").unwrap().schema().position("active_lines"), None);
        assert!(anyone.collection("lines").is_none());
        // On a day when the second legs were still there they change no number of lines, and a day before all nobody's.
        let hash = |view: &View| view.collection("hubs").unwrap().data_version().to_owned();
        let before = hash(&operator);
        store.write(|connection| set_reference_date(connection, "2020-01-01")).unwrap();
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
                .write(move |connection| {
                    let mut schema = built_in("stations").unwrap().unwrap().stored();
                    (schema.id, schema.class) = ("mine".to_owned(), CollectionClass::Layer);
                    schema.open = open;
                    let values = vec![Value::Null; schema.fields.len()];
                    let mut appender = Appender::begin(connection, schema, provenance)?;
                    appender.append(&Row { id: None, public_id: None, geometry: None, values })?;
                    appender.finish("test")?;
                    Ok(())
                })
                .unwrap();
        };
        let (_folder, store) = world(2);
        assert!(!Gate::open(Arc::clone(&store)).unwrap().are_roles_played(), "only if asked for");
        let gate = Gate::open(Arc::clone(&store)).unwrap().with_roles_played();
        assert!(gate.are_roles_played(), "its register is synthetic, its facts are open");
        layer(&store, true, Provenance::open("local"));
        assert!(gate.refresh().unwrap() && gate.are_roles_played(), "an open layer is everyone's");
        layer(
            &store,
            true,
            Provenance { synthetic: true, sensitivity: Sensitivity::Limited, ..Provenance::open("local") },
        );
        assert!(gate.refresh().unwrap() && gate.are_roles_played(), "synthetic rows are nobody's secret");
        layer(&store, false, Provenance::open("local"));
        assert!(gate.are_roles_played(), "not read yet");
        assert!(gate.refresh().unwrap() && !gate.are_roles_played());
        store.write(|connection| set_reference_date(connection, "2024-05-01")).unwrap();
        gate.refresh().unwrap();
        assert!(!gate.are_roles_played());
        let again = Gate::open(store).unwrap().with_roles_played();
        assert!(!again.are_roles_played(), "nor is there one in a server started anew over such rows");
        let folder = tempfile::tempdir().unwrap();
        let real = Store::create(&folder.path().join("s.gpkg"), Register::Operational).unwrap();
        assert!(!Gate::open(Arc::new(real)).unwrap().with_roles_played().are_roles_played());
    }

    #[test]
    fn parts_are_shared_and_carried_over() {
        let (_folder, store) = world(4);
        let gate = Gate::open(Arc::clone(&store)).unwrap();
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

    #[test]
    fn five_hundred_classes_stay_within_their_bytes_and_answer_as_before() {
        let classes = 500;
        let (_folder, store) = world(classes);
        let free = Gate::open(Arc::clone(&store)).unwrap();
        let first: Vec<String> = (0..classes)
            .map(|number| free.view(&analyst(number)).collection("legs").unwrap().data_version().to_owned())
            .collect();
        let (kept, bytes) = free.kept();
        assert_eq!(kept, classes);
        // A tenth of what they take together.
        let most = bytes / 10;
        let gate = Gate::open(store).unwrap().keeping(most);
        for round in 0..2 {
            for (number, version) in first.iter().enumerate() {
                let view = gate.view(&analyst(number));
                assert_eq!(view.collection("legs").unwrap().data_version(), *version, "round {round}");
                let (kept, bytes) = gate.kept();
                assert!(bytes <= most && kept < classes, "{kept} views, {bytes} bytes");
            }
        }
        // The one that is asked again and again stays.
        let hot = gate.view(&analyst(7));
        for number in 100..200 {
            let other = gate.view(&analyst(number));
            assert!(!Arc::ptr_eq(&hot, &other) || number == 7);
            assert!(Arc::ptr_eq(&hot, &gate.view(&analyst(7))));
        }
    }
}
