//! Ids of tile features: one table for each layer, for tiles and for finding a feature by its tile id.
//!
//! If all public ids of a layer are whole numbers below 2^53, which a JavaScript number can hold, they are the tile ids,
//! and a field that only repeats them is not written as a property. In other layers the tile id is 28 bits of the hash
//! of the row's id; if several rows have equal bits, the first by row id has them and each later row takes the next free
//! value. The table depends only on rows of the view. [`ids_version`] is part of the key of a cached tile, because rows
//! beyond the tile can change the table.

use std::sync::Arc;

use hashbrown::HashSet;

use crate::access::CollectionView;
use crate::access::HeldBytes;
use crate::access::RowGroup;
use crate::model::FieldType;
use crate::model::RowId;
use crate::model::ValueRef;
use crate::query::RowRef;

/// Bits of a hashed id: its varint has at most four bytes.
const BITS: u32 = 28;
/// Bits of a hashed id in a layer with so many rows that they would use half of the 28-bit values.
const MANY_BITS: u32 = 32;
/// From this number on, not every whole number is a double.
const TOO_GREAT: u64 = 1 << 53;
/// The table of so few rows is computed in no time.
const FEW: u64 = 1_000;
/// Names, in lower case, that files use for the field of feature ids.
const ID_NAMES: [&str; 5] = ["id", "fid", "gid", "ogc_fid", "objectid"];

/// The tile ids of a layer's rows.
#[derive(Debug)]
pub struct TileIds {
    groups: Box<[GroupIds]>,
    /// Indexes in the schema of the fields that repeat the ids.
    copies: Vec<usize>,
    version: u64,
}

/// The tile ids of a row group.
#[derive(Debug)]
enum GroupIds {
    Numbers(Arc<Numbers>),
    /// Hashes, and the mask of the bits that are used.
    Hashes(Arc<Hashes>, u32),
    /// Hashes, where some rows have another free value.
    Resolved(Box<[u32]>),
}

/// The public ids of a row group, if all are whole numbers, and the fields that repeat them.
#[derive(Debug)]
struct Numbers {
    ids: Option<Box<[u64]>>,
    copies: Vec<usize>,
}

/// 32 bits of the hash of each row's id.
#[derive(Debug)]
struct Hashes(Box<[u32]>);

impl HeldBytes for TileIds {
    fn held_bytes(&self) -> usize {
        let own = |ids: &GroupIds| match ids {
            // Counted with their row group.
            GroupIds::Numbers(_) | GroupIds::Hashes(..) => 0,
            GroupIds::Resolved(ids) => ids.len() * 4,
        };
        self.groups.iter().map(|ids| size_of::<GroupIds>() + own(ids)).sum()
    }
}

impl HeldBytes for Numbers {
    fn held_bytes(&self) -> usize {
        self.ids.as_ref().map_or(0, |ids| ids.len() * 8) + self.copies.len() * 8
    }
}

impl HeldBytes for Hashes {
    fn held_bytes(&self) -> usize {
        self.0.len() * 4
    }
}

impl TileIds {
    /// The tile ids of a collection, computed when first needed and held with its rows.
    pub fn of(collection: &CollectionView) -> Arc<Self> {
        let bits = if collection.rows() <= 1 << (BITS - 1) { BITS } else { MANY_BITS };
        collection.derive(|collection| Self::make(collection, bits))
    }

    fn make(collection: &CollectionView, bits: u32) -> Self {
        let fields = &collection.schema().fields;
        if let Some(numbers) = numbers(collection) {
            let mut copies: Vec<usize> = (0..fields.len()).collect();
            copies.retain(|place| numbers.iter().all(|group| group.copies.contains(place)));
            let names: Vec<&str> = copies.iter().map(|place| fields[*place].name.as_str()).collect();
            let version = version(&["numbers", &names.join("\n")].join("\n").into_bytes());
            let groups = numbers.into_iter().map(GroupIds::Numbers).collect();
            return Self { groups, copies, version };
        }
        let groups = collection.groups();
        let hashes: Vec<Arc<Hashes>> = groups.iter().map(|group| group.derive(Hashes::of)).collect();
        let mask = u32::MAX >> (u32::BITS - bits);
        let own: Vec<u32> = hashes.iter().flat_map(|group| group.0.iter().map(|hash| hash & mask)).collect();
        let ends: Vec<usize> = groups
            .iter()
            .scan(0, |end, group| {
                *end += group.len();
                Some(*end)
            })
            .collect();
        let place = |at: usize| {
            let group = ends.partition_point(|end| *end <= at);
            (group, at + groups[group].len() - ends[group])
        };
        let row_id = |at: usize| groups[place(at).0].id(place(at).1);
        let mut said = format!("hashes {bits}").into_bytes();
        let mut ids: Box<[GroupIds]> =
            hashes.iter().map(|group| GroupIds::Hashes(Arc::clone(group), mask)).collect();
        for (at, id) in resolve(&own, row_id, bits) {
            said.extend_from_slice(&row_id(at).0.to_le_bytes());
            said.extend_from_slice(&id.to_le_bytes());
            let (group, row) = place(at);
            if let GroupIds::Hashes(hashes, _) = &ids[group] {
                ids[group] = GroupIds::Resolved(hashes.0.iter().map(|hash| hash & mask).collect());
            }
            if let GroupIds::Resolved(resolved) = &mut ids[group] {
                resolved[row] = id;
            }
        }
        Self { groups: ids, copies: Vec::new(), version: version(&said) }
    }

    /// The tile id of a row.
    #[inline]
    pub fn get(&self, at: RowRef) -> u64 {
        let row = at.row as usize;
        match &self.groups[at.group as usize] {
            GroupIds::Numbers(numbers) => numbers.ids.as_ref().map_or(0, |ids| ids[row]),
            GroupIds::Hashes(hashes, mask) => u64::from(hashes.0[row] & mask),
            GroupIds::Resolved(ids) => u64::from(ids[row]),
        }
    }

    /// Whether a field, by its index in the schema, only repeats the ids.
    pub fn is_copy(&self, field: usize) -> bool {
        self.copies.contains(&field)
    }

    fn find(&self, id: u64) -> Option<RowRef> {
        let narrow = u32::try_from(id).ok();
        self.groups.iter().zip(0..).find_map(|(ids, group)| {
            let row = match ids {
                GroupIds::Numbers(numbers) => numbers.ids.as_ref()?.iter().position(|known| *known == id),
                GroupIds::Hashes(hashes, mask) => {
                    hashes.0.iter().position(|hash| Some(hash & mask) == narrow)
                }
                GroupIds::Resolved(ids) => ids.iter().position(|known| Some(*known) == narrow),
            };
            row.map(|row| RowRef { group, row: row as u32 })
        })
    }
}

/// The numbers of every row group, if all public ids of the collection are whole numbers.
fn numbers(collection: &CollectionView) -> Option<Vec<Arc<Numbers>>> {
    let schema = collection.schema();
    // What is computed here is held with the row group; every view of that group has the same fields.
    let may_copy: Vec<usize> = (0..schema.fields.len())
        .filter(|place| {
            let field = &schema.fields[*place];
            let is_named = ID_NAMES.contains(&field.name.to_ascii_lowercase().as_str());
            field.field_type == FieldType::Integer
                && (is_named || schema.identifier.as_ref() == Some(&field.name))
        })
        .collect();
    let of = |group: &Arc<RowGroup>| {
        let numbers = group.derive(|group| Numbers::of(group, &may_copy));
        numbers.ids.is_some().then_some(numbers)
    };
    // The fields of an empty layer repeat nothing.
    if collection.groups().is_empty() { None } else { collection.groups().iter().map(of).collect() }
}

impl Numbers {
    fn of(group: &RowGroup, may_copy: &[usize]) -> Self {
        let ids: Option<Box<[u64]>> = (0..group.len()).map(|row| whole(group.public_id(row)?)).collect();
        let Some(ids) = ids else { return Self { ids: None, copies: Vec::new() } };
        let mut copies = may_copy.to_vec();
        let repeats = |field: usize, row: usize, id: u64| matches!(group.value(field, row), ValueRef::Int(value) if u64::try_from(value) == Ok(id));
        copies.retain(|field| ids.iter().enumerate().all(|(row, id)| repeats(*field, row, *id)));
        Self { ids: Some(ids), copies }
    }
}

/// Reads a whole number below 2^53. Only its shortest decimal text is accepted, so that two texts never give one number.
fn whole(text: &str) -> Option<u64> {
    let is_plain =
        text == "0" || (text.starts_with(|first: char| matches!(first, '1'..='9')) && text.len() <= 16);
    let number = if is_plain { text.parse().ok()? } else { return None };
    (number < TOO_GREAT).then_some(number)
}

impl Hashes {
    fn of(group: &RowGroup) -> Self {
        Self((0..group.len()).map(|row| hashed(group.id(row))).collect())
    }
}

fn hashed(id: RowId) -> u32 {
    let mut first = [0; 4];
    first.copy_from_slice(&blake3::hash(&id.0.to_be_bytes()).as_bytes()[..4]);
    u32::from_le_bytes(first)
}

fn version(said: &[u8]) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(said).as_bytes()[..8]);
    u64::from_le_bytes(first)
}

/// Makes ids of `bits` bits unique: returns the index and the new id of each row that gets another id.
///
/// Of rows with equal ids the first by row id keeps it. The later ones, in the order of their row ids, take the next
/// free value; 0 follows the greatest. There must be at most 2^`bits` rows.
fn resolve(own: &[u32], row_id: impl Fn(usize) -> RowId, bits: u32) -> Vec<(usize, u32)> {
    let mut sorted = own.to_vec();
    sorted.sort_unstable();
    let mut shared: Vec<u32> =
        sorted.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    shared.dedup();
    if shared.is_empty() {
        return Vec::new();
    }
    // Few ids are shared: a small table by the low 16 bits rules out most of the others.
    let mut may_be_shared = vec![false; 1 << 16];
    let low = |id: u32| usize::from(id as u16);
    for id in &shared {
        may_be_shared[low(*id)] = true;
    }
    let mut rows: Vec<(RowId, usize)> = own
        .iter()
        .enumerate()
        .filter(|(_, id)| may_be_shared[low(**id)] && shared.binary_search(id).is_ok())
        .map(|(at, _)| (row_id(at), at))
        .collect();
    rows.sort_unstable();
    let (mut kept, mut taken) = (HashSet::new(), HashSet::new());
    let mut moved = Vec::new();
    for (_, at) in rows {
        if kept.insert(own[at]) {
            continue;
        }
        let mut id = own[at];
        loop {
            id = id.wrapping_add(1) & u32::MAX >> (u32::BITS - bits);
            if sorted.binary_search(&id).is_err() && taken.insert(id) {
                break;
            }
        }
        moved.push((at, id));
    }
    moved
}

/// The row with this tile id; `None` if there is none.
#[must_use]
pub fn find(collection: &CollectionView, id: u64) -> Option<RowRef> {
    TileIds::of(collection).find(id)
}

/// A number that changes whenever rows beyond a tile change the ids or the properties in it.
#[must_use]
pub fn ids_version(collection: &CollectionView) -> u64 {
    TileIds::of(collection).version
}

/// Whether the tile ids of a collection are computed already, or the collection is so small that this takes no time.
#[must_use]
pub fn are_ids_known(collection: &CollectionView) -> bool {
    collection.rows() <= FEW || collection.has_derived::<TileIds>()
}

/// Whether tiles leave out a field, by its index in the schema, because it only repeats the features' ids.
#[must_use]
pub fn is_id_field(collection: &CollectionView, field: usize) -> bool {
    TileIds::of(collection).is_copy(field)
}

#[cfg(test)]
#[path = "../../tests/fixtures/mvt.rs"]
mod mvt;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::collections::BTreeSet;

    use crate::access::Gate;
    use crate::access::Principal;
    use crate::import::About;
    use crate::import::ImportOptions;
    use crate::import::import;
    use crate::import::unwatched;
    use crate::model::Provenance;
    use crate::store::Store;
    use crate::tile::FeatureDropping;
    use crate::tile::TileCoord;
    use crate::tile::tile;

    /// The collection `p` of a store with the rows of a CSV file.
    fn collection(csv: &str, id: Option<&str>) -> Arc<CollectionView> {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open_or_create(&folder.path().join("s.gpkg")).unwrap());
        let file = folder.path().join("p.csv");
        std::fs::write(&file, csv).unwrap();
        let options = ImportOptions {
            into: "p".into(),
            format: None,
            layer: None,
            id: id.map(str::to_owned),
            time: Vec::new(),
            about: About::default(),
            provenance: Provenance::open("local"),
            dry_run: false,
            strict: true,
        };
        import(&store, &file, &options, &unwatched()).unwrap();
        let view = Gate::open(store).unwrap().view(&Principal::LocalOperator);
        Arc::clone(view.collection("p").unwrap())
    }

    #[test]
    fn the_later_of_two_rows_with_one_hash_takes_the_next_free_value() {
        let rows = [RowId(30), RowId(10), RowId(20), RowId(40), RowId(50)];
        // The row with id 10 keeps 7; the row with id 40 has 8; those with ids 20 and 30 take 9 and 10.
        assert_eq!(resolve(&[7, 7, 7, 8, 255], |at| rows[at], 8), [(2, 9), (0, 10)]);
        // 0 follows the greatest value.
        assert_eq!(resolve(&[255, 255], |at| rows[at], 8), [(0, 0)]);
        assert!(resolve(&[3, 1, 2], |at| rows[at], 8).is_empty());
    }

    #[test]
    fn ids_of_eight_bits_are_unique_and_do_not_depend_on_the_order_of_rows() {
        let mut numbers = 1_u64;
        for count in [2, 100, 255, 256] {
            for _ in 0..50 {
                let rows: Vec<(RowId, u32)> = (0..count)
                    .map(|at| {
                        numbers = numbers
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1_442_695_040_888_963_407);
                        (RowId(u128::from(numbers >> 8) << 16 | at), (numbers >> 56) as u32)
                    })
                    .collect();
                let ids = |rows: &[(RowId, u32)]| -> BTreeMap<RowId, u32> {
                    let own: Vec<u32> = rows.iter().map(|(_, own)| *own).collect();
                    let mut ids = own.clone();
                    for (at, id) in resolve(&own, |at| rows[at].0, 8) {
                        ids[at] = id;
                    }
                    rows.iter().map(|(row, _)| *row).zip(ids).collect()
                };
                let one = ids(&rows);
                assert_eq!(one.values().collect::<BTreeSet<_>>().len(), rows.len());
                let mut other = rows.clone();
                other.reverse();
                assert_eq!(one, ids(&other));
                other.sort_unstable();
                assert_eq!(one, ids(&other));
            }
        }
    }

    #[test]
    fn tiles_and_the_look_up_use_the_same_ids() {
        // Eight bits for up to 256 rows: most rows get another id than their hash.
        for count in [40_u32, 200, 256] {
            let rows: String = (0..count)
                .map(|n| {
                    format!("{n},{},{}\n", -1.9 + f64::from(n * 37 % 256) * 0.01, 51.0 + f64::from(n) * 0.004)
                })
                .collect();
            let collection = collection(&format!("n,lon,lat\n{rows}"), None);
            let table = collection.derive(|collection| TileIds::make(collection, 8));
            assert!(table.groups.iter().any(|group| matches!(group, GroupIds::Resolved(_))));
            let mut found: BTreeMap<u64, i64> = BTreeMap::new();
            for z in 0..=10 {
                // All tiles of the zoom that a row may be on.
                let across = |fraction: f64| (fraction * f64::from(1_u32 << z)) as u32;
                let (west, east) = (across((180.0 - 2.0) / 360.0), across((180.0 + 1.0) / 360.0));
                let (north, south) = (across(0.325), across(0.345));
                let mut seen = BTreeSet::new();
                for (x, y) in (west..=east).flat_map(|x| (north..=south).map(move |y| (x, y))) {
                    let bytes = tile(
                        &[crate::tile::Layer::whole(&collection)],
                        TileCoord { z, x, y },
                        None,
                        FeatureDropping::ToSize,
                    );
                    for feature in mvt::read(&bytes).into_iter().flat_map(|layer| layer.features) {
                        let mvt::Value::Int(n) = feature.properties["n"] else { unreachable!("a number") };
                        assert_eq!(*found.entry(feature.id).or_insert(n), n, "one id, one row");
                        let at = find(&collection, feature.id).unwrap();
                        assert_eq!((table.get(at), n), (feature.id, value(&collection, at)));
                        seen.insert(n);
                    }
                }
                assert_eq!(seen.len(), count as usize, "zoom {z}");
            }
            assert_eq!(found.len(), count as usize);
            assert!(found.keys().all(|id| *id < 256));
            assert_eq!((0..300).filter(|id| find(&collection, *id).is_some()).count(), count as usize);
        }
    }

    fn value(collection: &CollectionView, at: RowRef) -> i64 {
        let place = collection.schema().position("n").unwrap();
        match collection.groups()[at.group as usize].value(place, at.row as usize) {
            ValueRef::Int(value) => value,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn public_ids_that_are_whole_numbers_are_the_tile_ids() {
        let plain =
            collection("id,lon,lat,n\n0,-1,52,1\n7,-1.1,52,7\n9007199254740991,-1.2,52,2\n", Some("id"));
        let find = |id: u64| find(&plain, id).map(|at| value(&plain, at));
        assert_eq!(
            (find(0), find(7), find(9_007_199_254_740_991), find(8)),
            (Some(1), Some(7), Some(2), None)
        );
        let place = |name: &str| plain.schema().position(name).unwrap();
        assert!(is_id_field(&plain, place("id")) && !is_id_field(&plain, place("n")));
        // If one public id is not such a number, none is a tile id.
        for other in ["9007199254740992", "07", "x", "-1", "1.5"] {
            let mixed = collection(&format!("id,lon,lat,n\n7,-1.1,52,7\n{other},-1,52,1\n"), Some("id"));
            assert_eq!(super::find(&mixed, 7), None, "{other}");
            assert!(!is_id_field(&mixed, mixed.schema().position("id").unwrap()));
        }
        assert_eq!((whole("0"), whole("00"), whole(""), whole("+1")), (Some(0), None, None, None));
    }

    #[test]
    fn a_field_that_differs_from_the_id_in_a_row_is_a_property() {
        let other = collection("key,id,lon,lat\n1,1,-1,52\n2,3,-1.1,52\n", Some("key"));
        assert!(!is_id_field(&other, other.schema().position("id").unwrap()));
        // A field with another name may be equal by chance, so it stays a property.
        let floors = collection("key,floors,lon,lat\n1,1,-1,52\n", Some("key"));
        assert!(!is_id_field(&floors, floors.schema().position("floors").unwrap()));
    }

    #[test]
    fn the_version_changes_when_far_rows_change_ids_or_properties() {
        let version = |csv: &str, id: Option<&str>| ids_version(&collection(csv, id));
        let one = version("id,lon,lat\n1,-1,52\n", Some("id"));
        assert_eq!(one, version("id,lon,lat\n2,-1,52\n3,5,52\n", Some("id")));
        assert_ne!(one, version("id,lon,lat\n1,-1,52\nx,5,52\n", Some("id")));
        assert_ne!(one, version("key,id,lon,lat\n1,1,-1,52\n2,3,5,52\n", Some("key")));
        let rows =
            |count: u32| (0..count).fold("n,lon,lat\n".to_owned(), |text, n| format!("{text}{n},-1,52\n"));
        let narrow = |count: u32| TileIds::make(&collection(&rows(count), None), 8).version;
        assert_ne!(narrow(100), narrow(101));
    }
}
