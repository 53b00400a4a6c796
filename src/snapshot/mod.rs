//! The immutable copy in memory: row groups of columns, with their indexes.
//!
//! In: rows. Out: [`Snapshot`], which only `access` may hold. Not here: who sees which rows (`access`).

mod build;
mod columns;
mod gather;
mod ids;
mod index;
mod ledger;
mod memo;
mod places;
mod raw;
mod rebuild;
mod row_group;

pub use build::build_collection;
pub use build::build_groups;
pub use columns::Column;
pub use columns::Ints;
pub use columns::Nulls;
pub use columns::TextColumn;
pub use columns::Texts;
pub use ids::IdIndex;
pub use index::BlockIndex;
pub use index::BlockRef;
pub use ledger::Charge;
pub use ledger::HeldBytes;
pub use ledger::Ledger;
pub use memo::Memo;
pub use raw::RawRows;
pub use rebuild::Change;
pub use rebuild::rebuild_collection;
pub use row_group::RowGroup;

use std::sync::Arc;

use crate::model::CollectionSchema;

/// The most rows in a row group.
pub const GROUP_ROWS: usize = 16_384;
/// Rows in a block.
pub const BLOCK_ROWS: usize = 64;

/// One collection in memory.
#[derive(Debug)]
pub struct Collection {
    /// Its schema.
    pub schema: Arc<CollectionSchema>,
    /// Its rows.
    pub groups: Vec<Arc<RowGroup>>,
    /// The change of the store it was read at.
    pub version: Version,
    /// Rows the store has and this does not, because they are damaged or gone; 0 if it is whole.
    pub missing: u64,
}

/// What of the store a collection was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// The collection's last change.
    pub sequence: i64,
    /// The last change of the collection that says which forces its rows concern, if another one does.
    pub parties: Option<i64>,
}
