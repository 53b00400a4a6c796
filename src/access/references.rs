//! References between collections, as one view has them.
//!
//! A field with `ref` names rows of another collection by the rule of `model::reference`. In a view it names only rows
//! that the view holds: what names another row, or none, is null there, so that a hidden row answers as one that never
//! existed. Whoever is entitled to all rows of the other collection has nothing of it hidden: for them a text that
//! names no row stays as it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::access::entitlement::Entitlement;
use crate::access::entitlement::RowRule;
use crate::access::view::CollectionView;
use crate::model::CollectionSchema;
use crate::model::RowId;
use crate::model::ValueRef;
use crate::model::reference;
use crate::snapshot::Collection;
use crate::snapshot::Column;
use crate::snapshot::HeldBytes;
use crate::snapshot::IdIndex;
use crate::snapshot::Nulls;
use crate::snapshot::RowGroup;
use crate::snapshot::TextColumn;
use crate::snapshot::Texts;

/// A row of a collection's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowRef {
    /// Place of its group.
    pub group: u32,
    /// Place in the group.
    pub row: u32,
}

/// For each row of a part the row of another part that a field of it names.
#[derive(Debug, Default)]
pub struct Resolved {
    /// By group and row.
    groups: Vec<Box<[Option<RowRef>]>>,
}

impl Resolved {
    /// The row that a row names; `None` if it names none that there is.
    #[must_use]
    pub fn get(&self, group: usize, row: usize) -> Option<RowRef> {
        *self.groups.get(group)?.get(row)?
    }

    /// Those of a row group, by row.
    #[must_use]
    pub fn of_group(&self, group: usize) -> &[Option<RowRef>] {
        self.groups.get(group).map_or(&[], |rows| rows)
    }
}

impl HeldBytes for Resolved {
    fn held_bytes(&self) -> usize {
        let rows: usize = self.groups.iter().map(|rows| rows.len()).sum();
        rows * size_of::<Option<RowRef>>() + self.groups.len() * size_of::<Box<[u8]>>()
    }
}

/// For each row of `part` the row of `target` that its field `name` names.
pub(super) fn resolve(part: &CollectionView, name: &str, target: &CollectionView) -> Resolved {
    let place = part.schema().position(name);
    let find = |text: &str| target.named(text).map(|(group, row)| RowRef { group, row });
    let of_group = |group: &Arc<RowGroup>| {
        let Some((texts, nulls)) = place.and_then(|place| text_column(group, place)) else {
            return vec![None; group.len()].into_boxed_slice();
        };
        // Each text is looked up once.
        let mut known: Vec<Option<Option<RowRef>>> = vec![None; dictionary(texts).len()];
        let mut row_of = |row: usize| {
            let (all, index) = texts.place(row);
            *known[index].get_or_insert_with(|| find(all.get(index)))
        };
        (0..group.len()).map(|row| if nulls.is_null(row) { None } else { row_of(row) }).collect()
    };
    Resolved { groups: part.groups().iter().map(of_group).collect() }
}

fn text_column(group: &RowGroup, place: usize) -> Option<(&TextColumn, &Nulls)> {
    match group.column(place)? {
        Column::Text(_, texts, nulls) => Some((texts, nulls)),
        _ => None,
    }
}

fn dictionary(texts: &TextColumn) -> &Texts {
    match texts {
        TextColumn::Dict8(_, texts) | TextColumn::Dict16(_, texts) | TextColumn::Plain(texts) => texts,
    }
}

/// The rows of other collections that one class of principals may see, for references to them.
pub(super) struct Targets<'a> {
    of: BTreeMap<&'a str, Target<'a>>,
}

/// A collection of the snapshot, with its table of ids where it is large.
pub(super) type Rows<'a> = (&'a Collection, Option<&'a IdIndex>);

enum Target<'a> {
    /// Nothing of it is hidden.
    Whole,
    /// Nothing of it is there.
    Nothing,
    /// Some rows are.
    Some(&'a Collection, Option<&'a IdIndex>, &'a Entitlement),
}

impl<'a> Targets<'a> {
    /// Of the collections that fields of `schemas` name: `look` has each of them with its ids and what the class is
    /// entitled to; without a collection there are no rows.
    pub fn of(
        ids: impl Iterator<Item = &'a str>,
        look: impl Fn(&'a str) -> (Option<Rows<'a>>, Option<&'a Entitlement>),
    ) -> Self {
        let target = |id: &'a str| {
            let (rows, entitlement) = look(id);
            let target = match (rows, entitlement) {
                (_, Some(Entitlement { rows: RowRule::All, .. })) => Target::Whole,
                (Some((collection, ids)), Some(entitlement)) if entitlement.rows != RowRule::Nothing => {
                    Target::Some(collection, ids, entitlement)
                }
                _ => Target::Nothing,
            };
            (id, target)
        };
        Self { of: ids.map(target).collect() }
    }

    fn has(&self, id: &str, text: &str) -> bool {
        match self.of.get(id) {
            Some(Target::Whole) => true,
            Some(Target::Nothing) | None => false,
            Some(Target::Some(collection, ids, entitlement)) => {
                let visible = |row: RowId| {
                    let (group, row) = match ids {
                        Some(ids) => ids.find(&collection.groups, row)?,
                        None => collection
                            .groups
                            .iter()
                            .zip(0..)
                            .find_map(|(group, place)| group.find(row).map(|row| (place, row as u32)))?,
                    };
                    entitlement.admits(collection.groups[group as usize].rights(row as usize)).then_some(())
                };
                reference::find(text, visible).is_some()
            }
        }
    }

    /// The references of a group that are null for the class; `admits` says which of its rows count.
    pub fn hidden(
        &self,
        group: &RowGroup,
        schema: &CollectionSchema,
        fields: &[usize],
        admits: Option<&dyn Fn(usize) -> bool>,
    ) -> Hidden {
        let mut hidden = Hidden::default();
        for place in fields {
            let Some(id) = &schema.fields[*place].references else { continue };
            if matches!(self.of.get(id.as_str()), Some(Target::Whole)) {
                continue;
            }
            let Some((column, nulls)) = text_column(group, *place) else { continue };
            let texts = dictionary(column);
            let mut names_none = vec![false; texts.len()];
            let mut looked = vec![false; texts.len()];
            for row in 0..group.len() {
                if nulls.is_null(row) || admits.is_some_and(|admits| !admits(row)) {
                    continue;
                }
                let (_, index) = column.place(row);
                if !looked[index] {
                    looked[index] = true;
                    names_none[index] = !self.has(id, texts.get(index));
                }
            }
            if names_none.contains(&true) {
                hidden.0.push((*place, names_none.into()));
            }
        }
        hidden
    }
}

/// Texts of a row group's reference fields that name no row that is there: by field, flags by place of the text.
#[derive(Debug, Default)]
pub(super) struct Hidden(Vec<(usize, Box<[bool]>)>);

impl Hidden {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Equal where the same texts are hidden, 0 for none.
    pub fn digest(&self) -> u128 {
        if self.is_empty() {
            return 0;
        }
        let mut hasher = blake3::Hasher::new();
        for (place, flags) in &self.0 {
            hasher.update(&place.to_le_bytes());
            for (index, _) in flags.iter().enumerate().filter(|(_, flag)| **flag) {
                hasher.update(&(index as u32).to_le_bytes());
            }
            hasher.update(&u32::MAX.to_le_bytes());
        }
        let mut first = [0; 16];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        u128::from_le_bytes(first)
    }

    /// Whether the value of a field of a row is one of them.
    pub fn has(&self, group: &RowGroup, place: usize, row: usize) -> bool {
        let Some((_, flags)) = self.0.iter().find(|(known, _)| *known == place) else { return false };
        text_column(group, place)
            .is_some_and(|(texts, nulls)| !nulls.is_null(row) && flags[texts.place(row).1])
    }

    /// The value of a field of a row in the copy.
    pub fn value<'a>(&self, group: &'a RowGroup, place: usize, row: usize) -> ValueRef<'a> {
        if self.has(group, place, row) { ValueRef::Null } else { group.value(place, row) }
    }
}
