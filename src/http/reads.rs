//! Which collections an answer is made of: it decides who may keep the answer, and which pages may read it.

use std::sync::Arc;

use crate::access::CollectionView;
use crate::access::View;
use crate::http::router::PathValues;

/// The collections that a route reads: rows of them are in its answers, or what is said of them (how many there are, where,
/// when).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// None: no view is taken.
    Nothing,
    /// None, but the answer speaks of the caller.
    Caller,
    /// All collections.
    All,
    /// The collection that the path names.
    Collection,
    /// The layers that the path names.
    Layers,
    /// These collections.
    Named(&'static [&'static str]),
}

impl Reads {
    /// Whether a view is needed.
    #[must_use]
    pub fn needs_view(self) -> bool {
        self != Self::Nothing
    }

    /// Ids of the collections, as an address names them; `None` for all.
    fn ids(self, path: &PathValues) -> Option<Vec<&str>> {
        let value = |name: &str| path.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value);
        match self {
            Self::Nothing | Self::Caller => Some(Vec::new()),
            Self::All => None,
            Self::Collection => Some(vec![value("collectionId")]),
            Self::Layers => Some(value("layers").split(',').collect()),
            Self::Named(ids) => Some(ids.to_vec()),
        }
    }

    /// Those of the collections that are in a view.
    #[must_use]
    pub fn collections<'a>(self, view: &'a View, path: &PathValues) -> Vec<&'a Arc<CollectionView>> {
        match self.ids(path) {
            None => view.collections().collect(),
            Some(ids) => ids.into_iter().filter_map(|id| view.collection(id)).collect(),
        }
    }

    /// Whether any of them is about people.
    #[must_use]
    pub fn is_about_people(self, view: &View, path: &PathValues) -> bool {
        match self {
            // Addresses of one collection or layer are by far the most: no list is made for them.
            Self::Nothing | Self::Caller => false,
            _ => self.collections(view, path).iter().any(|collection| collection.is_about_people()),
        }
    }

    /// Whether anyone would get this answer: the caller and the public see the same rows and fields of each collection.
    #[must_use]
    pub fn is_for_anyone(self, view: &View, public: &View, path: &PathValues) -> bool {
        if self == Self::Caller {
            return false;
        }
        match self.ids(path) {
            Some(ids) => ids.into_iter().all(|id| is_alike(view, public, id)),
            None => view
                .collections()
                .chain(public.collections())
                .all(|collection| is_alike(view, public, &collection.schema().id)),
        }
    }
}

/// Whether two views have the same rows and fields of a collection, or both none.
fn is_alike(one: &View, two: &View, id: &str) -> bool {
    let same = |one: &CollectionView, two: &CollectionView| {
        let groups = one.groups().iter().zip(two.groups());
        one.groups().len() == two.groups().len()
            && one.schema().fields.len() == two.schema().fields.len()
            && groups.into_iter().all(|(one, two)| Arc::ptr_eq(one, two))
    };
    match (one.collection(id), two.collection(id)) {
        (None, None) => true,
        (Some(one), Some(two)) => one.serial() == two.serial() || same(one, two),
        _ => false,
    }
}
