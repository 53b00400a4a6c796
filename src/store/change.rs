//! The change sequence: every transaction raises it and leaves each touched collection's row count and hash sum.

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;

use crate::model::schema::CollectionSchema;
use crate::store::StoreError;

/// A collection as the store holds it.
#[derive(Debug, Clone)]
pub struct StoredCollection {
    /// Its schema.
    pub schema: CollectionSchema,
    /// The table of its rows.
    pub table: String,
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
    /// Rows that were there with other content; the old version is kept.
    pub changed: u64,
    /// Rows that were there already.
    pub unchanged: u64,
    /// Rows that were there and are no more; their versions are kept.
    pub retired: u64,
}

/// Says for which day the store's picture is drawn (`2024-04-30`). The caller commits.
///
/// # Errors
/// [`StoreError::Sql`].
pub fn set_reference_date(connection: &Connection, day: &str) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO throughline_meta VALUES ('as_at', ?1) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
        params![day],
    )?;
    Ok(())
}

/// Says through which day (`2024-03-31`) a collection was released, and what the next release must know of it. The caller
/// commits.
///
/// # Errors
/// [`StoreError::Sql`].
pub fn set_released(
    connection: &Connection,
    collection: &str,
    day: &str,
    state: &str,
) -> Result<(), StoreError> {
    for (key, value) in [("released", day), ("units", state)] {
        connection.execute(
            "INSERT INTO throughline_meta VALUES (?1 || ':' || ?2, ?3) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
            params![key, collection, value],
        )?;
    }
    Ok(())
}

/// Collections that were released, the day (`2024-03-31`) that each was released through, and what was kept of it for the
/// next release.
///
/// # Errors
/// [`StoreError::Sql`].
pub fn released(connection: &Connection) -> Result<Vec<(String, String, String)>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT substr(r.key, 10), r.value, coalesce(u.value, '') FROM throughline_meta r
         LEFT JOIN throughline_meta u ON u.key = 'units:' || substr(r.key, 10)
         WHERE r.key LIKE 'released:%' ORDER BY r.key",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The key that ids of released rows are made with: drawn the first time that it is asked for. The caller commits.
///
/// # Errors
/// [`StoreError`].
pub fn release_key(connection: &Connection) -> Result<[u8; 32], StoreError> {
    let known: Option<String> = connection
        .query_row("SELECT value FROM throughline_meta WHERE key = 'release_key'", [], |row| row.get(0))
        .optional()?;
    let read = known.and_then(|text| blake3::Hash::from_hex(text).ok());
    if let Some(key) = read {
        return Ok(*key.as_bytes());
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| StoreError::Abandoned(error.to_string()))?;
    set_release_key(connection, key)?;
    Ok(key)
}

/// Sets that key: for sets that must come out alike. The caller commits.
///
/// # Errors
/// [`StoreError::Sql`].
pub fn set_release_key(connection: &Connection, key: [u8; 32]) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO throughline_meta VALUES ('release_key', ?1) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
        params![blake3::Hash::from_bytes(key).to_hex().as_str()],
    )?;
    Ok(())
}

/// All collections, by id.
pub fn collections(connection: &Connection) -> Result<Vec<StoredCollection>, StoreError> {
    let mut statement = connection
        .prepare("SELECT id, table_name, schema, sequence, row_count, hash_sum FROM throughline_collections ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let text: String = row.get(2)?;
        let schema = CollectionSchema::parse(&text)
            .map_err(|source| StoreError::Schema { collection: id.clone(), source })?;
        let sum: [u8; 16] = row.get(5)?;
        out.push(StoredCollection {
            schema,
            table: row.get(1)?,
            sequence: row.get(3)?,
            rows: row.get::<_, i64>(4)?.unsigned_abs(),
            hash_sum: u128::from_be_bytes(sum),
        });
    }
    Ok(out)
}

/// One collection, if the store has it.
pub fn collection(connection: &Connection, id: &str) -> Result<Option<StoredCollection>, StoreError> {
    Ok(collections(connection)?.into_iter().find(|stored| stored.schema.id == id))
}

/// That no other process changed a collection since its sequence was `before`, `None` for one that was not there.
///
/// # Errors
/// [`StoreError::FieldsChanged`] if one did; of the database.
pub fn unchanged_since(connection: &Connection, id: &str, before: Option<i64>) -> Result<(), StoreError> {
    let now = connection
        .query_row("SELECT sequence FROM throughline_collections WHERE id = ?1", params![id], |row| {
            row.get(0)
        })
        .optional()?;
    if now == before { Ok(()) } else { Err(StoreError::FieldsChanged(id.to_owned())) }
}

/// Writes the change and the collection's new state; gives back the new sequence.
pub fn record(
    connection: &Connection,
    stored: &mut StoredCollection,
    summary: &ChangeSummary,
    source: &str,
    at_micros: i64,
) -> Result<i64, StoreError> {
    let last: Option<i64> = connection
        .query_row("SELECT max(sequence) FROM throughline_changes", [], |row| row.get(0))
        .optional()?
        .flatten();
    let sequence = last.unwrap_or(0) + 1;
    stored.sequence = sequence;
    let schema = stored
        .schema
        .to_toml()
        .map_err(|source| StoreError::Schema { collection: stored.schema.id.clone(), source })?;
    connection.execute(
        "INSERT INTO throughline_changes(sequence, at_micros, collection, added, changed, row_count, hash_sum, source)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            sequence,
            at_micros,
            stored.schema.id,
            summary.added as i64,
            (summary.changed + summary.retired) as i64,
            stored.rows as i64,
            stored.hash_sum.to_be_bytes(),
            source
        ],
    )?;
    connection.execute(
        "INSERT INTO throughline_collections(id, table_name, schema, sequence, row_count, hash_sum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT(id) DO UPDATE SET schema = excluded.schema, sequence = excluded.sequence,
             row_count = excluded.row_count, hash_sum = excluded.hash_sum",
        params![
            stored.schema.id,
            stored.table,
            schema,
            sequence,
            stored.rows as i64,
            stored.hash_sum.to_be_bytes()
        ],
    )?;
    Ok(sequence)
}
