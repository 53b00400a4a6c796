//! References: the one rule by which a text names a row of another collection.
//!
//! In: texts of fields with `ref`, and the ids of the rows that there are. Out: the ids of the rows that they name.
//! A text is a row's public id first, and its internal id (a UUID) only if no row has it as public id: exports write
//! the UUID of a row without public id as its id, so that after an import a public id may look like a UUID.
//! Not here: the address of a feature (`query::item`), which is one spelling only.

use std::collections::HashSet;

use crate::model::RowId;

/// A reference text as the two ids that it may mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reference {
    public: RowId,
    internal: Option<RowId>,
}

impl Reference {
    /// Of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self { public: RowId::from_public(text), internal: RowId::parse(text) }
    }

    /// The id of the row with this text as public id.
    #[must_use]
    pub fn public(self) -> RowId {
        self.public
    }

    /// The id that the text spells, if it is a UUID.
    #[must_use]
    pub fn internal(self) -> Option<RowId> {
        self.internal
    }

    /// The row that is named among those that `is_there` knows; `None` if it is not among them.
    pub fn among(self, is_there: impl Fn(RowId) -> bool) -> Option<RowId> {
        let there = |id: RowId| is_there(id).then_some(id);
        first(self.public, || self.internal, there)
    }
}

/// What `find` knows of the row that a text names.
pub fn find<T>(text: &str, find: impl Fn(RowId) -> Option<T>) -> Option<T> {
    first(RowId::from_public(text), || RowId::parse(text), find)
}

/// The rule: the public id first, then the internal one.
fn first<T>(
    public: RowId,
    internal: impl FnOnce() -> Option<RowId>,
    find: impl Fn(RowId) -> Option<T>,
) -> Option<T> {
    find(public).or_else(|| internal().and_then(find))
}

/// For each text, all of them references to one collection, an id that is equal exactly where two texts name one row:
/// the public and the internal id of a row count once, whether or not the row itself is at hand.
#[must_use]
pub fn rows_named<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<RowId> {
    let references: Vec<Reference> = texts.map(Reference::of).collect();
    // The internal id of a row with a public id is made from that, so one spelling tells the other.
    let public: HashSet<RowId> = references.iter().map(|reference| reference.public).collect();
    references
        .iter()
        .map(|reference| reference.internal.filter(|id| public.contains(id)).unwrap_or(reference.public))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_id_comes_first() {
        let uuid = "07070707-0707-4707-8707-070707070707";
        let (internal, public) = (RowId::parse(uuid).unwrap(), RowId::from_public(uuid));
        let reference = Reference::of(uuid);
        assert_eq!(reference.among(|id| id == internal), Some(internal));
        assert_eq!(reference.among(|id| id == public), Some(public));
        assert_eq!(reference.among(|_| true), Some(public));
        assert_eq!(reference.among(|_| false), None);
        assert_eq!(
            Reference::of("red").among(|id| id == RowId::from_public("red")),
            Some(RowId::from_public("red"))
        );
    }

    #[test]
    fn both_ids_of_a_row_are_one_row() {
        let other = "07070707-0707-4707-8707-070707070707";
        let red = RowId::from_public("red").to_string();
        let named = rows_named(["red", other, &red, "blue", other].into_iter());
        assert_eq!(named[0], named[2]);
        assert_eq!(named[1], named[4]);
        let distinct: HashSet<RowId> = named.into_iter().collect();
        assert_eq!(distinct.len(), 3);
    }
}
