//! A collection after a change: only the row groups that hold touched rows are built anew, from their own columns and the
//! rows that are new; all others are the same groups.
//!
//! What holds of groups that are built at once (`build`) holds of these: rows of large geometries stand apart, a change of
//! owner starts a group once the open one is big enough, numbers of rows and bytes are bounded, rows stand in canonical
//! order. Which rows share a group is not the same as if the collection had been read whole; no answer depends on it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::CollectionSchema;
use crate::model::RowId;
use crate::model::RowRights;
use crate::model::ValueRef;
use crate::model::feature::RowHasher;
use crate::snapshot::Collection;
use crate::snapshot::GROUP_ROWS;
use crate::snapshot::Version;
use crate::snapshot::build::MAX_TEXT_BYTES;
use crate::snapshot::build::OWNER_CUT_ROWS;
use crate::snapshot::build::build_runs;
use crate::snapshot::build::cut;
use crate::snapshot::build::sort_key;
use crate::snapshot::raw::RawRows;
use crate::snapshot::row_group::RawRef;
use crate::snapshot::row_group::RowGroup;

/// Numbers of rows that row groups are held to.
struct Limits {
    /// The most in one.
    most: usize,
    /// One that shrinks below this many is joined with another of its kind.
    small: usize,
    /// The most of two that are joined.
    joined: usize,
    /// A change of owner starts a new one from this many on.
    owner_cut: usize,
}

const LIMITS: Limits =
    Limits { most: GROUP_ROWS, small: GROUP_ROWS / 8, joined: GROUP_ROWS / 2, owner_cut: OWNER_CUT_ROWS };

/// What becomes of a collection.
pub struct Change<'a> {
    /// Ids of rows that are not as they were, sorted: those that are added, changed or retired.
    pub touched: &'a [RowId],
    /// Those of them that are there now, with their shares of the hash sum.
    pub rows: &'a RawRows,
    /// The rights of a group's rows, all of them, if those of any differ from what they were.
    pub rights: &'a mut dyn FnMut(&RowGroup) -> Option<Vec<Arc<RowRights>>>,
    /// The version that the collection then has.
    pub version: Version,
}

/// One group of the result: what it is made of.
#[derive(Default)]
struct Bucket {
    /// Groups whose rows it takes over, by their places.
    from: Vec<usize>,
    /// Rows of the change.
    added: Vec<u32>,
}

/// What a group of before brings.
struct Brought {
    /// Places of the rows that are not taken over.
    without: BTreeSet<usize>,
    rights: Option<Vec<Arc<RowRights>>>,
}

/// The collection after a change, which must be of the same schema.
#[must_use]
pub fn rebuild_collection(before: &Collection, change: Change<'_>) -> Collection {
    rebuild_within(&LIMITS, before, change)
}

fn rebuild_within(limits: &Limits, before: &Collection, change: Change<'_>) -> Collection {
    let Change { touched, rows, rights, version } = change;
    let brought: Vec<Brought> = before
        .groups
        .iter()
        .map(|group| Brought { without: rows_of(group, touched), rights: rights(group) })
        .collect();
    let left = |place: usize| before.groups[place].len() - brought[place].without.len();
    // By the place of the group, or behind all of those for rows that fit none.
    let mut buckets: BTreeMap<usize, Bucket> = BTreeMap::new();
    for (place, of) in brought.iter().enumerate() {
        if !of.without.is_empty() || of.rights.is_some() {
            buckets.insert(place, Bucket { from: vec![place], added: Vec::new() });
        }
    }
    let kinds = Kinds::of(&before.groups, limits);
    for row in 0..rows.ids.len() {
        let owner = &*rows.row_rights[rows.rights[row] as usize].provenance.owner;
        let key = (rows.hilberts[row], rows.ids[row]);
        let place = kinds.place(rows.is_large(row), owner, key, before.groups.len());
        let bucket = buckets.entry(place).or_insert_with(|| Bucket {
            from: if place < before.groups.len() { vec![place] } else { Vec::new() },
            added: Vec::new(),
        });
        bucket.added.push(row as u32);
    }
    join_small(limits, &mut buckets, &kinds, &left);
    let replaced: BTreeSet<usize> = buckets.values().flat_map(|bucket| bucket.from.iter().copied()).collect();
    let kept = before.groups.iter().enumerate().filter(|(place, _)| !replaced.contains(place));
    let mut groups: Vec<Arc<RowGroup>> = kept.map(|(_, group)| Arc::clone(group)).collect();
    groups.extend(build_buckets(limits, before, &brought, buckets.values(), rows).into_iter().map(Arc::new));
    groups.sort_by_key(|group| group.key(0));
    Collection { schema: Arc::clone(&before.schema), groups, version, missing: 0 }
}

/// Places of a group's rows whose ids are among some, which are sorted.
fn rows_of(group: &RowGroup, ids: &[RowId]) -> BTreeSet<usize> {
    if ids.len() < group.len() / 8 {
        ids.iter().filter_map(|id| group.find(*id)).collect()
    } else {
        (0..group.len()).filter(|row| ids.binary_search(&group.id(*row)).is_ok()).collect()
    }
}

/// The key of a group's first row, and the group's place.
type FirstKey = ((u64, RowId), usize);

/// Groups by what may stand in one: large geometries or others, rows of an owner.
struct Kinds<'a> {
    /// First key and place of each group, by that key.
    groups: BTreeMap<(bool, &'a str), Vec<FirstKey>>,
    /// Place of the smallest group of each class, if it is small enough to take rows of a further owner.
    open: BTreeMap<bool, usize>,
    /// The class and the owners of each group, by place.
    owners: Vec<(bool, BTreeSet<&'a str>)>,
}

impl<'a> Kinds<'a> {
    fn of(all: &'a [Arc<RowGroup>], limits: &Limits) -> Self {
        let mut kinds = Self { groups: BTreeMap::new(), open: BTreeMap::new(), owners: Vec::new() };
        for (place, group) in all.iter().enumerate() {
            let large = group.is_large();
            let owners: BTreeSet<&str> =
                group.row_rights().iter().map(|rights| &*rights.provenance.owner).collect();
            for owner in &owners {
                kinds.groups.entry((large, owner)).or_default().push((group.key(0), place));
            }
            let smaller = |known: &usize| group.len() < all[*known].len();
            if group.len() < limits.owner_cut && kinds.open.get(&large).is_none_or(smaller) {
                kinds.open.insert(large, place);
            }
            kinds.owners.push((large, owners));
        }
        for groups in kinds.groups.values_mut() {
            groups.sort_unstable();
        }
        kinds
    }

    /// The group that a row belongs to: of its owner's the last that begins before it, or the first of all; where its
    /// owner has none, a small one; where there is none either, a new one behind `count`.
    fn place(&self, large: bool, owner: &str, key: (u64, RowId), count: usize) -> usize {
        if let Some(groups) = self.groups.get(&(large, owner)) {
            let after = groups.partition_point(|(first, _)| *first <= key);
            return groups[after.saturating_sub(1)].1;
        }
        self.open.get(&large).copied().unwrap_or(count + usize::from(large))
    }
}

/// Joins groups that have become small with another of the same kind, so that many retired rows leave no crowd of them.
fn join_small(
    limits: &Limits,
    buckets: &mut BTreeMap<usize, Bucket>,
    kinds: &Kinds<'_>,
    left: &dyn Fn(usize) -> usize,
) {
    let size =
        |bucket: &Bucket| bucket.from.iter().map(|place| left(*place)).sum::<usize>() + bucket.added.len();
    let small: Vec<usize> = buckets
        .iter()
        .filter(|(place, bucket)| **place < kinds.owners.len() && (1..limits.small).contains(&size(bucket)))
        .map(|(place, _)| *place)
        .collect();
    for place in small {
        let Some(bucket) = buckets.get(&place) else { continue };
        let rows = size(bucket);
        let partner = (0..kinds.owners.len())
            .filter(|other| *other != place && kinds.owners[*other] == kinds.owners[place])
            .filter(|other| {
                !buckets.values().any(|bucket| bucket.from.len() > 1 && bucket.from.contains(other))
            })
            .map(|other| (buckets.get(&other).map_or_else(|| left(other), &size), other))
            .filter(|(size, _)| size + rows <= limits.joined)
            .min();
        let Some((_, partner)) = partner else { continue };
        let joined = buckets.remove(&partner).unwrap_or(Bucket { from: vec![partner], added: Vec::new() });
        if let Some(bucket) = buckets.get_mut(&place) {
            bucket.from.extend(joined.from);
            bucket.added.extend(joined.added);
        }
    }
}

/// Builds the groups of all buckets: one each, several where there are too many rows, none where no row is left.
fn build_buckets<'b>(
    limits: &Limits,
    before: &Collection,
    brought: &[Brought],
    buckets: impl Iterator<Item = &'b Bucket>,
    added: &RawRows,
) -> Vec<RowGroup> {
    let schema: &CollectionSchema = &before.schema;
    let mut kept = RawRows::new(schema);
    let mut members: Vec<(Vec<RawRef>, Option<u128>)> = Vec::new();
    let mut hasher = RowHasher::new(schema);
    for bucket in buckets {
        let mut rows: Vec<RawRef> = Vec::new();
        // The sum of a group that stays one is known without the hashes of the rows that stay.
        let mut sum = (bucket.from.len() == 1).then_some(0_u128);
        for place in &bucket.from {
            let (group, of) = (&before.groups[*place], &brought[*place]);
            sum = sum.map(|sum| sum.wrapping_add(group.hash_sum(schema)));
            for row in &of.without {
                sum = sum.map(|sum| sum.wrapping_sub(group.share(&mut hasher, *row)));
            }
            copy_rows(group, of, schema, &mut kept, &mut rows);
        }
        for row in &bucket.added {
            sum = sum.map(|sum| sum.wrapping_add(added.shares[*row as usize]));
            rows.push((1, *row));
        }
        members.push((rows, sum));
    }
    let chunks = [&kept, added];
    let owner = |at: &RawRef| {
        let chunk = chunks[usize::from(at.0)];
        &*chunk.row_rights[chunk.rights[at.1 as usize] as usize].provenance.owner
    };
    let (mut runs, mut sums) = (Vec::new(), Vec::new());
    for (rows, sum) in members {
        let owners: BTreeSet<&str> = rows.iter().map(owner).collect();
        let ranks: BTreeMap<&str, u32> = owners.into_iter().zip(0..).collect();
        // Parts of one size: a full group and a row would be full again with the next one.
        let most = rows.len().div_ceil(rows.len().div_ceil(limits.most).max(1)).max(1);
        let mut order: Vec<(u128, RawRef)> = rows
            .into_iter()
            .map(|at| (sort_key(chunks[usize::from(at.0)], ranks[owner(&at)], at.1 as usize), at))
            .collect();
        let id = |at: &RawRef| chunks[usize::from(at.0)].ids[at.1 as usize];
        order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| id(&a.1).cmp(&id(&b.1))));
        let of_bucket = cut(order, &chunks, MAX_TEXT_BYTES, most, limits.owner_cut);
        let known = sum.filter(|_| of_bucket.len() == 1);
        sums.extend(of_bucket.iter().map(|_| known));
        runs.extend(of_bucket);
    }
    let built = build_runs(schema, &chunks, &mut runs);
    let summed = |(group, sum): (RowGroup, Option<u128>)| match sum {
        Some(sum) => group.with_hash_sum(sum),
        None => group,
    };
    built.into_iter().zip(sums).map(summed).collect()
}

/// Copies the rows of a group that stay, with their rights as they are now.
fn copy_rows(
    group: &RowGroup,
    of: &Brought,
    schema: &CollectionSchema,
    kept: &mut RawRows,
    rows: &mut Vec<RawRef>,
) {
    let mut without = of.without.iter().peekable();
    let mut values: Vec<ValueRef<'_>> = Vec::with_capacity(schema.fields.len());
    for row in 0..group.len() {
        if without.next_if(|next| **next == row).is_some() {
            continue;
        }
        values.clear();
        values.extend((0..schema.fields.len()).map(|field| group.value(field, row)));
        let rights = match &of.rights {
            Some(rights) => &rights[row],
            None => &group.row_rights()[group.rights_code(row)],
        };
        rows.push((0, kept.ids.len() as u32));
        kept.push(group.id(row), group.public_id(row), rights, group.geometry(row), &values, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::GeometryType;
    use crate::model::Provenance;
    use crate::model::geometry::Geometry;
    use crate::model::geometry::GeometryBuilder;
    use crate::snapshot::build_collection;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Small ones, so that few rows split and join.
    const SMALL: Limits = Limits { most: 24, small: 4, joined: 16, owner_cut: 8 };

    /// A row as it should be: owner, place (none, a point, a line of 1,100 vertices), number and text.
    #[derive(Debug, Clone, PartialEq)]
    struct Wanted {
        owner: u8,
        place: u8,
        at: (i16, i16),
        number: Option<i64>,
        text: String,
    }

    impl Wanted {
        fn geometry(&self) -> Option<Geometry> {
            let (lon, lat) = (f64::from(self.at.0) / 200.0, f64::from(self.at.1) / 400.0);
            let kind = match self.place {
                0 => return None,
                1 | 2 => GeometryType::Point,
                _ => GeometryType::LineString,
            };
            let mut geometry = GeometryBuilder::new(kind);
            for vertex in 0..if kind == GeometryType::Point { 1 } else { 1_100 } {
                geometry.position(lon, lat + f64::from(vertex) / 1e5).unwrap();
            }
            let _ = geometry.end_ring();
            geometry.end_part();
            geometry.finish()
        }
    }

    fn schema() -> CollectionSchema {
        let text = "id='x'\nclass='layer'\ngeometry='any'\n[[field]]\nname='number'\ntype='integer'\n[[field]]\nname='text'\ntype='text'\n";
        CollectionSchema::parse(text).unwrap()
    }

    fn raw<'a>(rows: impl Iterator<Item = (&'a u128, &'a Wanted)>) -> RawRows {
        let schema = schema();
        let mut raw = RawRows::new(&schema);
        let mut hasher = RowHasher::new(&schema);
        for (id, row) in rows {
            let rights =
                RowRights::new(Provenance::open(&format!("owner {}", row.owner)), std::iter::empty());
            let geometry = row.geometry();
            let geometry = geometry.as_ref().map(Geometry::as_ref);
            let values =
                [row.number.map_or(ValueRef::Null, ValueRef::Int), ValueRef::Text(row.text.as_str())];
            let public = (id % 2 == 0).then(|| id.to_string());
            let hash = hasher.hash(&rights.provenance, public.as_deref(), geometry, |field| values[field]);
            let share = crate::model::feature::row_hash_sum(&hash);
            raw.push(RowId(*id), public.as_deref(), &Arc::new(rights), geometry, &values, Some(share));
        }
        raw
    }

    const VERSION: Version = Version { sequence: 1, parties: None };

    /// Every row with all that can be seen of it, by id; and the hash sum.
    fn content(collection: &Collection) -> (BTreeMap<u128, String>, u128) {
        let mut rows = BTreeMap::new();
        let mut sum = 0_u128;
        for group in &collection.groups {
            sum = sum.wrapping_add(group.hash_sum(&collection.schema));
            for row in 0..group.len() {
                // Where in its group the vertices stand is not of the row.
                let geometry = group.geometry(row).map(|geometry| {
                    let at = geometry.positions;
                    (geometry.kind, at.len(), at.first().copied(), at.last().copied())
                });
                let text = format!(
                    "{:?} {:?} {geometry:?} {:?} {:?} {:?}",
                    group.public_id(row),
                    group.rights(row),
                    group.value(0, row),
                    group.value(1, row),
                    group.key(row),
                );
                assert_eq!(rows.insert(group.id(row).0, text), None, "a row stands twice");
                assert_eq!(group.find(group.id(row)), Some(row));
            }
        }
        (rows, sum)
    }

    fn row() -> impl Strategy<Value = Wanted> {
        let number = proptest::option::of(-5_i64..500);
        // Large geometries are slow to make and rare.
        let place = prop_oneof![1 => Just(0_u8), 12 => Just(1), 12 => Just(2), 1 => Just(3)];
        (0_u8..3, place, (any::<i16>(), any::<i16>()), number, "[a-c]{0,3}").prop_map(
            |(owner, place, at, number, text)| Wanted {
                owner,
                place,
                at: (at.0 / 4, at.1 / 4),
                number,
                text,
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// Against a collection that is built whole of the same rows.
        #[test]
        fn after_any_changes_it_is_what_would_be_built_of_all_rows(
            first in proptest::collection::vec(row(), 0..60),
            steps in proptest::collection::vec(
                (
                    proptest::collection::vec(row(), 0..30),
                    proptest::collection::vec((any::<prop::sample::Index>(), row()), 0..6),
                    proptest::collection::vec(any::<prop::sample::Index>(), 0..25),
                ),
                1..7,
            ),
        ) {
            let mut rows: BTreeMap<u128, Wanted> = (0..).zip(first).collect();
            let mut next = 1_000_u128;
            let mut collection = build_collection(Arc::new(schema()), &[raw(rows.iter())], VERSION, 0);
            for (added, changed, removed) in steps {
                let mut touched: BTreeSet<u128> = BTreeSet::new();
                let ids: Vec<u128> = rows.keys().copied().collect();
                for at in removed.iter().filter(|_| !ids.is_empty()) {
                    let id = ids[at.index(ids.len())];
                    rows.remove(&id);
                    touched.insert(id);
                }
                for (at, row) in changed.into_iter().filter(|_| !ids.is_empty()) {
                    let id = ids[at.index(ids.len())];
                    rows.insert(id, row);
                    touched.insert(id);
                }
                for row in added {
                    rows.insert(next, row);
                    touched.insert(next);
                    next += 1;
                }
                let current = raw(rows.iter().filter(|(id, _)| touched.contains(id)));
                let ids: Vec<RowId> = touched.iter().map(|id| RowId(*id)).collect();
                let rights: &mut dyn FnMut(&RowGroup) -> Option<Vec<Arc<RowRights>>> = &mut |_| None;
                let change = Change { touched: &ids, rows: &current, rights, version: VERSION };
                collection = rebuild_within(&SMALL, &collection, change);
                let whole = build_collection(Arc::new(schema()), &[raw(rows.iter())], VERSION, 0);
                prop_assert_eq!(content(&collection), content(&whole));
                for group in &collection.groups {
                    prop_assert!(!group.is_empty());
                    let large = |row: usize| group.geometry(row).is_some_and(|line| line.positions.len() > 1_024);
                    prop_assert!((0..group.len()).all(|row| large(row) == large(0)), "large ones stand apart");
                    prop_assert!((1..group.len()).all(|row| group.key(row - 1) < group.key(row)));
                    // Groups that no change has met since they were built at once may be larger.
                    let ids: BTreeSet<u128> = (0..group.len()).map(|row| group.id(row).0).collect();
                    if !ids.is_disjoint(&touched) {
                        prop_assert!(group.len() <= SMALL.most);
                        let owners: BTreeSet<&str> = group.row_rights().iter().map(|of| &*of.provenance.owner).collect();
                        let last = owners.last().unwrap();
                        let before = (0..group.len()).filter(|row| group.provenance(*row).owner != **last).count();
                        prop_assert!(before < SMALL.owner_cut, "a change of owner starts a group");
                    }
                }
            }
        }
    }

    #[test]
    fn groups_without_a_touched_row_are_the_same_groups() {
        let row = |at: i16, owner| Wanted { owner, place: 1, at: (at, 0), number: None, text: "a".into() };
        let rows: BTreeMap<u128, Wanted> =
            (0..100_u8).map(|n| (u128::from(n), row(i16::from(n) * 90, 0))).collect();
        let whole = build_collection(Arc::new(schema()), &[raw(rows.iter())], VERSION, 0);
        let touch = |before: &Collection, rows: &BTreeMap<u128, Wanted>, ids: &[u128]| {
            let current = raw(rows.iter().filter(|(id, _)| ids.contains(id)));
            let mut ids: Vec<RowId> = ids.iter().map(|id| RowId(*id)).collect();
            ids.sort_unstable();
            let rights: &mut dyn FnMut(&RowGroup) -> Option<Vec<Arc<RowRights>>> = &mut |_| None;
            rebuild_within(&SMALL, before, Change { touched: &ids, rows: &current, rights, version: VERSION })
        };
        let serials =
            |of: &Collection| of.groups.iter().map(|group| group.serial()).collect::<BTreeSet<u64>>();
        // Five groups of twenty rows.
        let split = touch(&whole, &rows, &[7]);
        assert_eq!(split.groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [20; 5]);
        let mut changed = rows.clone();
        changed.insert(50, Wanted { number: Some(9), ..rows[&50].clone() });
        let one = touch(&split, &changed, &[50]);
        assert_eq!(serials(&split).intersection(&serials(&one)).count(), 4, "one group is another");
        let same = touch(&one, &changed, &[]);
        assert_eq!(serials(&one), serials(&same));
        // A row that moves far away leaves one group and comes to another.
        let (from, to) = (one.groups[0].id(3).0, one.groups[4].id(3).0);
        changed.insert(from, rows[&to].clone());
        assert_eq!(serials(&one).intersection(&serials(&touch(&one, &changed, &[from]))).count(), 3);
        // A group that goes leaves the others; one that gets small is joined.
        let ids = |group: usize, leave: usize| -> Vec<u128> {
            let group = &split.groups[group];
            (leave..group.len()).map(|row| group.id(row).0).collect()
        };
        let mut fewer = rows.clone();
        fewer.retain(|id, _| !ids(1, 0).contains(id));
        let without = touch(&split, &fewer, &ids(1, 0));
        assert_eq!((without.groups.len(), serials(&split).intersection(&serials(&without)).count()), (4, 4));
        let mut small = split;
        for group in [0, 1] {
            let gone: Vec<u128> = (5..20).map(|row| small.groups[group].id(row).0).collect();
            small = touch(&small, &BTreeMap::new(), &gone);
        }
        assert_eq!(small.groups.len(), 5);
        let gone: Vec<u128> = (2..5).map(|row| small.groups[0].id(row).0).collect();
        assert_eq!(touch(&small, &BTreeMap::new(), &gone).groups.len(), 4, "two rows joined five");
    }
}
