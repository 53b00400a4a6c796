//! Rows of many row groups by their id.

use std::sync::Arc;

use hashbrown::HashTable;

use crate::model::RowId;
use crate::snapshot::RowGroup;

/// A row's place in its group takes this many bits: a group has at most 16,384 rows.
const ROW_BITS: u32 = 14;

/// A hash table of places, which leaves the ids where they are: five to ten bytes a row.
#[derive(Debug)]
pub struct IdIndex {
    places: HashTable<u32>,
}

impl IdIndex {
    /// Over all rows of the groups; `None` for more groups than places can name (four thousand million rows).
    #[must_use]
    pub fn new(groups: &[Arc<RowGroup>]) -> Option<Self> {
        if groups.len() > 1 << (u32::BITS - ROW_BITS) {
            return None;
        }
        let rows = groups.iter().map(|group| group.len()).sum();
        let mut places = HashTable::with_capacity(rows);
        for (place, group) in groups.iter().enumerate() {
            for row in 0..group.len() {
                let packed = (place as u32) << ROW_BITS | row as u32;
                places.insert_unique(hash(group.id(row)), packed, |packed| hash(id_at(groups, *packed)));
            }
        }
        Some(Self { places })
    }

    /// Bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.places.allocation_size()
    }

    /// Place of the group and of the row in it.
    #[must_use]
    pub fn find(&self, groups: &[Arc<RowGroup>], id: RowId) -> Option<(u32, u32)> {
        let packed = *self.places.find(hash(id), |packed| id_at(groups, *packed) == id)?;
        Some(unpack(packed))
    }
}

fn unpack(packed: u32) -> (u32, u32) {
    (packed >> ROW_BITS, packed & ((1 << ROW_BITS) - 1))
}

fn id_at(groups: &[Arc<RowGroup>], packed: u32) -> RowId {
    let (group, row) = unpack(packed);
    groups[group as usize].id(row as usize)
}

/// Ids are random or hashes; a few bits of a UUID are not, so both halves count.
fn hash(id: RowId) -> u64 {
    ((id.0 >> 64) as u64).rotate_left(32) ^ id.0 as u64
}
