//! Ids of tile features: 53 bits, as many as a double of JavaScript holds.

use hashbrown::HashMap;
use hashbrown::HashSet;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::access::CollectionView;
use crate::access::RowGroup;
use crate::model::RowId;
use crate::query::RowRef;

const MASK: u64 = (1 << 53) - 1;

/// The tile ids of a row group's rows, made when first wanted.
#[derive(Debug)]
pub struct TileIds(Box<[u64]>);

impl TileIds {
    /// Of every row of a group.
    pub fn of(group: &RowGroup) -> std::sync::Arc<Self> {
        group.derive(|group| Self((0..group.len()).map(|row| tile_id(group.id(row))).collect()))
    }

    /// Of a row.
    pub fn get(&self, row: usize) -> u64 {
        self.0[row]
    }
}

/// 53 bits of the hash of a row's id.
fn tile_id(id: RowId) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(&id.0.to_be_bytes()).as_bytes()[..8]);
    u64::from_le_bytes(first) & MASK
}

/// The row whose tile id this is. Of rows whose ids collide (one chance in nine thousand million million for two) the
/// first by id is found.
#[must_use]
pub fn find(collection: &CollectionView, id: u64) -> Option<RowRef> {
    let mut found: Option<(RowId, RowRef)> = None;
    for (place, group) in collection.groups().iter().enumerate() {
        let ids = TileIds::of(group);
        for (row, _) in ids.0.iter().enumerate().filter(|(_, known)| **known == id) {
            let candidate = (group.id(row), RowRef { group: place as u32, row: row as u32 });
            found = Some(found.map_or(candidate, |best| best.min(candidate)));
        }
    }
    found.map(|(_, at)| at)
}

/// Makes ids unique within a layer: of two that are equal the one of the later row id takes the next free value.
pub fn make_unique(ids: &mut [u64], row_id: impl Fn(usize) -> RowId) {
    // They are bits of a hash: no other is needed.
    let hash = |id: &u64| id << 11 | id >> 42;
    let mut seen = HashTable::with_capacity(ids.len());
    let new = |id: &u64| {
        let entry = seen.entry(hash(id), |known| known == id, hash);
        match entry {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(*id);
                true
            }
        }
    };
    if ids.iter().all(new) {
        return;
    }
    let mut order: Vec<usize> = (0..ids.len()).collect();
    order.sort_unstable_by_key(|at| row_id(*at));
    let mut count: HashMap<u64, usize> = HashMap::new();
    for id in ids.iter() {
        *count.entry(*id).or_default() += 1;
    }
    // Ids that are nobody else's stay; those of the others go round them.
    let mut used: HashSet<u64> = HashSet::new();
    let mut late = Vec::new();
    for at in order {
        if !used.insert(ids[at]) {
            late.push(at);
        }
    }
    for at in late {
        let mut id = ids[at];
        while !used.insert(id) {
            id = (id + 1) & MASK;
        }
        ids[at] = id;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_of_two_takes_the_next_free_value() {
        let rows = [RowId(30), RowId(10), RowId(20), RowId(40), RowId(50)];
        let mut ids = [7, 7, 7, 8, MASK];
        make_unique(&mut ids, |at| rows[at]);
        // Row 10 keeps 7; 8 is row 40's; rows 20 and 30 take 9 and 10.
        assert_eq!(ids, [10, 7, 9, 8, MASK]);
        let mut ids = [MASK, MASK];
        make_unique(&mut ids, |at| rows[at]);
        assert_eq!(ids, [0, MASK]);
    }

    #[test]
    fn ids_fit_a_double() {
        for number in 0..1_000 {
            let id = tile_id(RowId(number));
            assert!(id <= MASK && (id as f64) as u64 == id);
        }
        assert_ne!(tile_id(RowId(1)), tile_id(RowId(2)));
    }
}
