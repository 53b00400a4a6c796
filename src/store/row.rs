//! A row as a reader gives it, and what a reading found.

use std::sync::Arc;

use crate::model::GeometryRef;
use crate::model::Provenance;
use crate::model::RowId;
use crate::model::ValueRef;

/// A sound row, borrowed while the scan stands on it.
#[derive(Debug)]
pub struct StoredRow<'a> {
    /// Its id.
    pub id: RowId,
    /// The feature id its file gave it.
    pub public_id: Option<&'a str>,
    /// Owner, marking, handling; shared by all rows that have the same.
    pub provenance: &'a Arc<Provenance>,
    /// Where it is.
    pub geometry: Option<GeometryRef<'a>>,
    /// One value for each field.
    pub values: &'a [ValueRef<'a>],
    /// Its share of the collection's hash sum.
    pub share: u128,
}

/// What a scan found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scan {
    /// Rows that were sound.
    pub rows: u64,
    /// Their hash sum.
    pub hash_sum: u128,
    /// Rows whose content does not match their hash, or that cannot be read as rows.
    pub damaged: u64,
}

impl Scan {
    /// Joins the findings of two parts of one collection.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            hash_sum: self.hash_sum.wrapping_add(other.hash_sum),
            damaged: self.damaged + other.damaged,
        }
    }
}
