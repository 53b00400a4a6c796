//! What may be done inside one transaction of the writer.

use rusqlite::Connection;

use crate::model::Provenance;
use crate::model::schema::CollectionSchema;
use crate::store::ReleaseState;
use crate::store::StoreError;
use crate::store::file::append::FileAppender;
use crate::store::file::change;
use crate::store::file::kept;

/// The writer's connection while a transaction is open on it.
#[derive(Debug)]
pub(in crate::store) struct FileTransaction<'t> {
    connection: &'t Connection,
}

impl<'t> FileTransaction<'t> {
    pub(in crate::store) fn new(connection: &'t Connection) -> Self {
        Self { connection }
    }

    pub(in crate::store) fn appender(
        &self,
        schema: CollectionSchema,
        provenance: Provenance,
    ) -> Result<FileAppender<'t>, StoreError> {
        FileAppender::begin(self.connection, schema, provenance)
    }

    pub(in crate::store) fn unchanged_since(&self, id: &str, before: Option<i64>) -> Result<(), StoreError> {
        change::unchanged_since(self.connection, id, before)
    }

    pub(in crate::store) fn set_reference_date(&self, day: &str) -> Result<(), StoreError> {
        kept::set_reference_date(self.connection, day)
    }

    pub(in crate::store) fn releases(&self) -> Result<Vec<ReleaseState>, StoreError> {
        kept::releases(self.connection)
    }

    pub(in crate::store) fn set_released(&self, release: &ReleaseState) -> Result<(), StoreError> {
        kept::set_released(self.connection, release)
    }

    pub(in crate::store) fn release_key(&self) -> Result<[u8; 32], StoreError> {
        kept::release_key(self.connection)
    }

    pub(in crate::store) fn set_release_key(&self, key: [u8; 32]) -> Result<(), StoreError> {
        kept::set_release_key(self.connection, key)
    }
}
