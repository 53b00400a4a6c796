//! A view: one immutable version of everything that one class of principals may see.

use std::any::Any;
use std::collections::BTreeMap;
use std::collections::HashSet;
use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::access::Class;
use crate::access::derive::Derived;
use crate::access::derive::Inputs;
use crate::access::derive::Params;
use crate::access::derive::ValueDerivation;
use crate::access::published::Published;
use crate::access::references::Resolved;
use crate::access::references::resolve;
use crate::access::values::ValueKey;
use crate::access::values::Values;
use crate::model::CollectionSchema;
use crate::model::RowId;
use crate::model::collections::Field;
use crate::model::geometry::Bounds;
use crate::model::reference;
use crate::snapshot::BlockIndex;
use crate::snapshot::Charge;
use crate::snapshot::HeldBytes;
use crate::snapshot::IdIndex;
use crate::snapshot::Ledger;
use crate::snapshot::Memo;
use crate::snapshot::RowGroup;

/// All that one class of principals may see, at one version.
#[derive(Debug, Default)]
pub struct View {
    collections: BTreeMap<String, Arc<CollectionView>>,
    reference_date: Option<String>,
    params: Params,
    class: Option<Class>,
    values: Arc<Values>,
    /// Serials of the parts that anyone sees; `None` in the view of anyone.
    public: Option<Arc<HashSet<u64>>>,
    /// For the list itself; parts are counted by themselves.
    _charge: Option<Charge>,
}

/// The rows of one collection that the view holds.
#[derive(Debug)]
pub struct CollectionView {
    serial: u64,
    schema: Arc<CollectionSchema>,
    groups: Vec<Arc<RowGroup>>,
    /// Box of each group's located rows, and whether it has others: one small list, so that a question passes over the
    /// groups it does not meet without touching them.
    reach: Vec<(Bounds, bool)>,
    index: OnceLock<(BlockIndex, Charge)>,
    ids: OnceLock<(Option<IdIndex>, Charge)>,
    facts: Facts,
    rows: u64,
    vertices: usize,
    bounds: Bounds,
    version: OnceLock<String>,
    memo: Memo,
    ledger: Arc<Ledger>,
    _charge: Charge,
    /// The part that this one is computed from, where something is computed for it.
    base: Option<Arc<Self>>,
}

/// What rows make of an answer that is computed from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    /// The highest protective marking.
    pub marking: String,
    /// Whether any of them is synthetic.
    pub synthetic: bool,
    /// Whether they are about people.
    pub about_people: bool,
}

impl View {
    pub(super) fn new(
        collections: BTreeMap<String, Arc<CollectionView>>,
        published: &Published,
        class: &Class,
        values: &Arc<Values>,
        public: Option<&Arc<HashSet<u64>>>,
    ) -> Self {
        let names: usize =
            collections.keys().map(|id| id.len() + size_of::<(String, Arc<CollectionView>)>()).sum();
        Self {
            _charge: Some(values.ledger().charge(size_of::<Self>() + names)),
            collections,
            reference_date: published.snapshot.reference_date.clone(),
            params: published.params(),
            class: Some(class.clone()),
            values: Arc::clone(values),
            public: public.map(Arc::clone),
        }
    }

    /// A view of these parts alone.
    #[cfg(test)]
    pub(super) fn of_parts(collections: BTreeMap<String, Arc<CollectionView>>) -> Self {
        Self { collections, ..Self::default() }
    }

    /// The day for which the store's picture is drawn (`2024-04-30`), where it is not today: the present of a
    /// synthetic set. It says nothing of any row.
    #[must_use]
    pub fn reference_date(&self) -> Option<&str> {
        self.reference_date.as_deref()
    }

    /// What derivations depend on besides rows: the day of the picture.
    #[must_use]
    pub fn params(&self) -> Params {
        self.params.clone()
    }

    /// A collection by its id.
    #[must_use]
    pub fn collection(&self, id: &str) -> Option<&Arc<CollectionView>> {
        self.collections.get(id)
    }

    /// All collections, by id.
    pub fn collections(&self) -> impl Iterator<Item = &Arc<CollectionView>> {
        self.collections.values()
    }

    /// The highest protective marking among the rows, `OFFICIAL` if there are none. A word that is no marking of the
    /// government's scheme stands above all: who invented it meant something.
    #[must_use]
    pub fn marking(&self) -> &str {
        highest(self.collections().map(|collection| collection.marking()))
    }
}

impl View {
    /// The highest among the rows of these collections, `OFFICIAL` if none of them is there.
    #[must_use]
    pub fn marking_among(&self, ids: &[&str]) -> &str {
        highest(ids.iter().filter_map(|id| self.collection(id)).map(|collection| collection.marking()))
    }

    /// A number of the class of callers who have this view: the same from one version of the rows to the next.
    #[must_use]
    pub fn class(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.class.hash(&mut hasher);
        hasher.finish()
    }

    /// Whether anyone sees the same rows and fields of a collection: then it is no secret what was looked at in it. One
    /// that is not there has no secrets.
    #[must_use]
    pub fn is_public(&self, id: &str) -> bool {
        let Some(public) = &self.public else { return true };
        self.collection(id).is_none_or(|part| public.contains(&part.serial()))
    }

    /// A value computed from the rows that this view holds, by the calling thread if it is not there: other callers
    /// wait only for a computation under way. Views that have the same rows share it, but for one whose parameters come
    /// from a caller: that is shared only if everyone sees what it is computed from.
    #[must_use]
    pub fn derive<T: Any + Send + Sync + HeldBytes>(
        &self,
        derivation: &ValueDerivation<T>,
        params: &Params,
    ) -> Arc<Derived<T>> {
        let inputs = Inputs::new(None, derivation.reads, &self.collections);
        let is_shared =
            params.caller_words().is_none() || derivation.reads.iter().all(|id| self.is_public(id));
        let key = ValueKey {
            name: derivation.name,
            field: String::new(),
            params: params.clone(),
            serials: inputs.serials(),
            class: if is_shared { None } else { self.class.clone() },
        };
        self.values.get_or_make(key, || Derived::new((derivation.make)(&inputs, params), inputs.facts()))
    }

    /// For each row of a collection the row that its field `name` names in the collection that the schema says; `None`
    /// where one of the two, the field or its `ref` is not there. Rows that are not in this view are not named.
    #[must_use]
    pub fn resolve(&self, id: &str, name: &str) -> Option<Arc<Resolved>> {
        let part = self.collection(id)?;
        let field = &part.schema().fields[part.schema().position(name)?];
        let target = self.collection(field.references.as_deref()?)?;
        let key = ValueKey {
            name: "rows named",
            field: name.to_owned(),
            params: Params::default(),
            serials: vec![part.serial(), target.serial()],
            class: None,
        };
        Some(self.values.get_or_make(key, || resolve(part, name, target)))
    }
}

/// Protective markings from the lowest to the highest.
const MARKINGS: [&str; 4] = ["OFFICIAL", "OFFICIAL-SENSITIVE", "SECRET", "TOP SECRET"];

fn highest<'a>(markings: impl Iterator<Item = &'a str>) -> &'a str {
    let rank = |word: &str| MARKINGS.iter().position(|known| *known == word).unwrap_or(MARKINGS.len());
    markings.max_by_key(|word| (rank(word), *word)).unwrap_or(MARKINGS[0])
}

static NEXT_SERIAL: AtomicU64 = AtomicU64::new(1);

impl Facts {
    pub(super) fn of_all(parts: &[&CollectionView]) -> Self {
        Self {
            marking: highest(parts.iter().map(|part| part.marking())).to_owned(),
            synthetic: parts.iter().any(|part| part.is_synthetic()),
            about_people: parts.iter().any(|part| part.is_about_people()),
        }
    }
}

impl CollectionView {
    /// The rows of these groups, with the fields of `schema`.
    pub(super) fn new(
        schema: Arc<CollectionSchema>,
        mut groups: Vec<Arc<RowGroup>>,
        about_people: bool,
        ledger: &Arc<Ledger>,
    ) -> Self {
        groups.sort_by_key(|group| group.key(0));
        let mut bounds = Bounds::EMPTY;
        for group in &groups {
            bounds.merge(&group.bounds());
        }
        let provenances = || groups.iter().flat_map(|group| group.row_rights()).map(|row| &row.provenance);
        let own = size_of::<Self>() + groups.len() * size_of::<(Arc<RowGroup>, Bounds, bool)>();
        Self {
            serial: NEXT_SERIAL.fetch_add(1, Ordering::Relaxed),
            schema,
            index: OnceLock::new(),
            ids: OnceLock::new(),
            facts: Facts {
                marking: highest(provenances().map(|provenance| provenance.marking.as_str())).to_owned(),
                synthetic: provenances().any(|provenance| provenance.synthetic),
                about_people,
            },
            rows: groups.iter().map(|group| group.len() as u64).sum(),
            reach: groups.iter().map(|group| (group.bounds(), group.located() < group.len())).collect(),
            vertices: groups.iter().map(|group| group.vertices()).sum(),
            version: OnceLock::new(),
            bounds,
            groups,
            memo: Memo::charged_to(ledger),
            _charge: ledger.charge(own),
            ledger: Arc::clone(ledger),
            base: None,
        }
    }

    /// It is computed from `base` and other rows: what those make of it.
    pub(super) fn computed_from(self, base: &Arc<Self>, facts: Facts) -> Self {
        Self { facts, base: Some(Arc::clone(base)), ..self }
    }

    /// The part that it is computed from.
    pub(super) fn base(&self) -> Option<&Arc<Self>> {
        self.base.as_ref()
    }

    /// A number that no other version of a collection has, and no other part of this one: equal numbers, equal answers.
    #[must_use]
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &CollectionSchema {
        &self.schema
    }

    /// The place of a built-in field among those that may be seen; it is not that of its handle where others are hidden.
    #[must_use]
    pub fn place<T: ?Sized>(&self, field: &Field<T>) -> Option<usize> {
        self.schema.position(field.name())
    }

    /// The row groups, by their first row.
    #[must_use]
    pub fn groups(&self) -> &[Arc<RowGroup>] {
        &self.groups
    }

    /// Whether a group may have rows that meet one of the windows, or rows without geometry.
    #[must_use]
    pub fn reaches(&self, group: usize, windows: &[Bounds]) -> bool {
        self.reach.get(group).is_some_and(|(bounds, without_geometry)| {
            *without_geometry || windows.iter().any(|window| window.intersects(bounds))
        })
    }

    /// Something computed from these rows alone, when it is first wanted. Views that see the same rows of the collection
    /// share it, and it goes when one of them changes.
    pub fn derive<T: Any + Send + Sync + HeldBytes>(&self, make: impl FnOnce(&Self) -> T) -> Arc<T> {
        self.memo.get_or_make(|| make(self))
    }

    /// Whether that has been computed.
    #[must_use]
    pub fn has_derived<T: Any + Send + Sync>(&self) -> bool {
        self.memo.has::<T>()
    }

    /// The highest protective marking among its rows.
    #[must_use]
    pub fn marking(&self) -> &str {
        &self.facts.marking
    }

    /// Whether it is about people.
    #[must_use]
    pub fn is_about_people(&self) -> bool {
        self.facts.about_people
    }

    /// Whether any of its rows is invented.
    #[must_use]
    pub fn is_synthetic(&self) -> bool {
        self.facts.synthetic
    }

    /// The row of an id: place of its group and its place there.
    #[must_use]
    pub fn find(&self, id: RowId) -> Option<(u32, u32)> {
        if self.is_indexed_by_id() {
            let mut is_new = false;
            let (index, _) = self.ids.get_or_init(|| {
                is_new = true;
                let index = IdIndex::new(&self.groups);
                let charge = self.ledger.charge(index.as_ref().map_or(0, IdIndex::bytes));
                (index, charge)
            });
            if is_new {
                self.ledger.settle();
            }
            if let Some(index) = index {
                return index.find(&self.groups, id);
            }
        }
        let mut groups = self.groups.iter().zip(0..);
        groups.find_map(|(rows, group)| rows.find(id).map(|row| (group, row as u32)))
    }

    /// The row that a text names: place of its group and its place there.
    #[must_use]
    pub fn named(&self, text: &str) -> Option<(u32, u32)> {
        reference::find(text, |id| self.find(id))
    }

    /// Whether the next [`Self::find`] is quick: the table of a large collection is built when it is first wanted.
    #[must_use]
    pub fn finds_at_once(&self) -> bool {
        !self.is_indexed_by_id() || self.ids.get().is_some()
    }

    /// A few groups are looked through one by one.
    fn is_indexed_by_id(&self) -> bool {
        self.groups.len() > 2
    }

    /// The R-tree over all blocks, built when it is first wanted.
    #[must_use]
    pub fn index(&self) -> &BlockIndex {
        let mut is_new = false;
        let (index, _) = self.index.get_or_init(|| {
            is_new = true;
            let index = BlockIndex::new(&self.groups);
            let charge = self.ledger.charge(index.bytes());
            (index, charge)
        });
        if is_new {
            self.ledger.settle();
        }
        index
    }

    /// Whether the R-tree has been built.
    #[must_use]
    pub fn is_indexed(&self) -> bool {
        self.index.get().is_some()
    }

    /// How many rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// How many vertices a row's geometry has on average, rounded up.
    #[must_use]
    pub fn vertices_a_row(&self) -> usize {
        self.vertices.div_ceil(usize::try_from(self.rows).unwrap_or(usize::MAX).max(1))
    }

    /// The box of all located rows, `None` if there are none.
    #[must_use]
    pub fn bounds(&self) -> Option<Bounds> {
        (!self.bounds.is_empty()).then_some(self.bounds)
    }

    /// A version that is equal where the visible rows are equal, on any machine: their hash sum, hashed.
    #[must_use]
    pub fn data_version(&self) -> &str {
        self.version.get_or_init(|| {
            let sums = self.groups.iter().map(|group| group.hash_sum(&self.schema));
            let mut input = self.rows.to_le_bytes().to_vec();
            input.extend_from_slice(&sums.fold(0, u128::wrapping_add).to_le_bytes());
            blake3::hash(&input).to_hex()[..16].to_owned()
        })
    }

    /// How many rows have to be hashed before [`Self::data_version`] is at hand.
    #[must_use]
    pub fn rows_to_hash(&self) -> u64 {
        if self.version.get().is_some() {
            return 0;
        }
        let unknown = self.groups.iter().filter(|group| !group.knows_hash_sum());
        unknown.map(|group| group.len() as u64).sum()
    }

    /// Bytes of its rows in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.groups.iter().map(|group| group.bytes()).sum()
    }
}
