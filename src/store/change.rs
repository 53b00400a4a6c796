//! Collections as a store holds them, and what one transaction did to one.

use crate::model::RowId;
use crate::model::schema::CollectionSchema;

/// A collection as the store holds it.
#[derive(Debug, Clone)]
pub struct StoredCollection {
    /// Its schema.
    pub schema: CollectionSchema,
    /// The table of its rows.
    pub(super) table: String,
    /// The table's column of each field of the schema.
    pub(super) columns: Vec<String>,
    /// The change that last touched it.
    pub sequence: i64,
    /// How many current rows it has.
    pub rows: u64,
    /// The order-free sum of their hashes.
    pub hash_sum: u128,
}

/// What one transaction did to one collection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChangeSummary {
    /// Rows that were not there before.
    pub added: u64,
    /// Rows that were there with other content; the old version stays in the store.
    pub changed: u64,
    /// Rows that were there already.
    pub unchanged: u64,
    /// Rows that were there and are no more; their versions stay in the store.
    pub retired: u64,
}

/// The rows of a collection that some changes touched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Ids of all of them, sorted, each once: added, changed and retired ones.
    pub ids: Vec<RowId>,
    /// First and last row number of each run of versions that were added. What of them is current, [`Reader::scan`] gives;
    /// a touched row that is not among those is there no more.
    ///
    /// [`Reader::scan`]: crate::store::Reader::scan
    pub spans: Vec<(i64, i64)>,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is new.
    Added,
    /// It has a known id and other content: a new version.
    Changed,
    /// It was there already.
    Unchanged,
    /// Its id came earlier in this import: refused.
    DuplicateId,
    /// Its id belongs to a row of another owner: refused.
    OtherOwner,
}
