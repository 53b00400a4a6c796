//! A view: one immutable version of everything that one principal may see.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::access::Entitlement;
use crate::model::CollectionSchema;
use crate::model::RowId;
use crate::model::collections::Field;
use crate::model::geometry::Bounds;
use crate::model::reference;
use crate::snapshot::BlockIndex;
use crate::snapshot::Collection;
use crate::snapshot::IdIndex;
use crate::snapshot::Memo;
use crate::snapshot::RowGroup;

/// All that one principal may see, at one version.
#[derive(Debug, Default)]
pub struct View {
    collections: BTreeMap<String, Arc<CollectionView>>,
    reference_date: Option<String>,
    class: u64,
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
    index: OnceLock<BlockIndex>,
    ids: OnceLock<Option<IdIndex>>,
    marking: String,
    synthetic: bool,
    about_people: bool,
    for_everyone: bool,
    rows: u64,
    vertices: usize,
    bounds: Bounds,
    version: OnceLock<String>,
    memo: Memo,
    /// The part that this one is made of, where something is computed for it.
    base: Option<Arc<Self>>,
}

impl View {
    pub(super) fn new(
        collections: BTreeMap<String, Arc<CollectionView>>,
        reference_date: Option<String>,
    ) -> Self {
        Self { collections, reference_date, class: 0 }
    }

    pub(super) fn of_class(self, class: u64) -> Self {
        Self { class, ..self }
    }

    /// A number of the class of callers who have this view: equal for all who have the same entitlements to the same
    /// collections, and from one version of the rows to the next.
    #[must_use]
    pub fn class(&self) -> u64 {
        self.class
    }

    /// The day for which the store's picture is drawn (`2024-04-30`), where it is not today: the present of a
    /// synthetic set. It says nothing of any row.
    #[must_use]
    pub fn reference_date(&self) -> Option<&str> {
        self.reference_date.as_deref()
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
}

/// Protective markings from the lowest to the highest.
const MARKINGS: [&str; 4] = ["OFFICIAL", "OFFICIAL-SENSITIVE", "SECRET", "TOP SECRET"];

impl View {
    /// The highest protective marking among the rows, `OFFICIAL` if there are none. A word that is no marking of the
    /// government's scheme stands above all: who invented it meant something.
    #[must_use]
    pub fn marking(&self) -> &str {
        highest(self.collections().map(|collection| collection.marking()))
    }

    /// The highest among the rows of these collections, `OFFICIAL` if none of them is there.
    #[must_use]
    pub fn marking_among(&self, ids: &[&str]) -> &str {
        highest(ids.iter().filter_map(|id| self.collection(id)).map(|collection| collection.marking()))
    }
}

fn highest<'a>(markings: impl Iterator<Item = &'a str>) -> &'a str {
    let rank = |word: &str| MARKINGS.iter().position(|known| *known == word).unwrap_or(MARKINGS.len());
    markings.max_by_key(|word| (rank(word), *word)).unwrap_or(MARKINGS[0])
}

static NEXT_SERIAL: AtomicU64 = AtomicU64::new(1);

impl CollectionView {
    /// The rows of `collection` that `entitlement` admits, with the fields it shows, which are those of `schema`; `copy` gives
    /// a group's part where that is not all of it.
    pub(super) fn new(
        collection: &Collection,
        schema: &Arc<CollectionSchema>,
        entitlement: &Entitlement,
        about_people: bool,
        mut copy: impl FnMut(&Arc<RowGroup>) -> Option<Arc<RowGroup>>,
    ) -> Self {
        let whole = Arc::ptr_eq(schema, &collection.schema);
        let mut groups = Vec::with_capacity(collection.groups.len());
        for group in &collection.groups {
            let admitted = group.row_rights().iter().filter(|rights| entitlement.admits(rights)).count();
            if whole && admitted == group.row_rights().len() {
                groups.push(Arc::clone(group));
            } else if admitted > 0 {
                groups.extend(copy(group));
            }
        }
        groups.sort_by_key(|group| group.key(0));
        let mut bounds = Bounds::EMPTY;
        for group in &groups {
            bounds.merge(&group.bounds());
        }
        let provenances = || groups.iter().flat_map(|group| group.row_rights()).map(|row| &row.provenance);
        Self {
            serial: NEXT_SERIAL.fetch_add(1, Ordering::Relaxed),
            schema: Arc::clone(schema),
            index: OnceLock::new(),
            ids: OnceLock::new(),
            marking: highest(provenances().map(|provenance| provenance.marking.as_str())).to_owned(),
            synthetic: provenances().any(|provenance| provenance.synthetic),
            about_people,
            for_everyone: false,
            rows: groups.iter().map(|group| group.len() as u64).sum(),
            reach: groups.iter().map(|group| (group.bounds(), group.located() < group.len())).collect(),
            vertices: groups.iter().map(|group| group.vertices()).sum(),
            version: OnceLock::new(),
            bounds,
            groups,
            memo: Memo::default(),
            base: None,
        }
    }

    /// It was made of `base` with what was computed from rows of another part: it is marked as high as those, and as
    /// invented.
    pub(super) fn made_of(mut self, base: &Arc<Self>, other: &Self) -> Self {
        self.marking = highest([self.marking.as_str(), other.marking.as_str()].into_iter()).to_owned();
        self.synthetic |= other.synthetic;
        self.for_everyone = base.for_everyone && other.for_everyone;
        self.base = Some(Arc::clone(base));
        self
    }

    /// All of it may be seen by everyone.
    pub(super) fn for_everyone(self, for_everyone: bool) -> Self {
        Self { for_everyone, ..self }
    }

    /// Every row group that it holds in memory, also those of what it was made of.
    pub(super) fn held_groups(&self) -> impl Iterator<Item = &Arc<RowGroup>> {
        self.groups.iter().chain(self.base.iter().flat_map(|base| &base.groups))
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
        self.reach.get(group).is_some_and(|(bounds, placeless)| {
            *placeless || windows.iter().any(|window| window.intersects(bounds))
        })
    }

    /// Something computed from these rows alone, made when it is first wanted. Views that see the same rows of the
    /// collection share it, and it goes when one of them changes.
    pub fn derive<T: Any + Send + Sync>(&self, make: impl FnOnce(&Self) -> T) -> Arc<T> {
        self.memo.get_or_make(|| make(self))
    }

    /// Whether that has been made.
    #[must_use]
    pub fn has_derived<T: Any + Send + Sync>(&self) -> bool {
        self.memo.has::<T>()
    }

    /// The highest protective marking among its rows.
    #[must_use]
    pub fn marking(&self) -> &str {
        &self.marking
    }

    /// Whether it is about people.
    #[must_use]
    pub fn is_about_people(&self) -> bool {
        self.about_people
    }

    /// Whether everyone may see all of its rows and fields: then it is no secret what was looked at in it.
    #[must_use]
    pub fn is_for_everyone(&self) -> bool {
        self.for_everyone
    }

    /// Whether any of its rows is invented.
    #[must_use]
    pub fn is_synthetic(&self) -> bool {
        self.synthetic
    }

    /// The row of an id: place of its group and its place there.
    #[must_use]
    pub fn find(&self, id: RowId) -> Option<(u32, u32)> {
        let index = self.is_indexed_by_id().then(|| self.ids.get_or_init(|| IdIndex::new(&self.groups)));
        if let Some(Some(index)) = index {
            return index.find(&self.groups, id);
        }
        let mut groups = self.groups.iter().zip(0..);
        groups.find_map(|(rows, group)| rows.find(id).map(|row| (group, row as u32)))
    }

    /// The row that a text names: place of its group and its place there.
    #[must_use]
    pub fn named(&self, text: &str) -> Option<(u32, u32)> {
        reference::find(text, |id| self.find(id))
    }

    /// Whether the next [`Self::find`] is quick: the table of a large collection is made when it is first wanted.
    #[must_use]
    pub fn finds_at_once(&self) -> bool {
        !self.is_indexed_by_id() || self.ids.get().is_some()
    }

    /// A few groups are looked through one by one.
    fn is_indexed_by_id(&self) -> bool {
        self.groups.len() > 2
    }

    /// The R-tree over all blocks, made when it is first wanted.
    #[must_use]
    pub fn index(&self) -> &BlockIndex {
        self.index.get_or_init(|| BlockIndex::new(&self.groups))
    }

    /// Whether the R-tree has been made.
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
