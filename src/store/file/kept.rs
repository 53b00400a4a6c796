//! What a store holds besides rows, each in a table of its own: the day its picture is drawn for, how far it was released,
//! keys.

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;

use crate::store::ReleaseState;
use crate::store::StoreError;

/// The name of the key that ids of released rows are made with.
const RELEASE_KEY: &str = "release";

/// The day for which the store's picture is drawn (`2024-04-30`), `None` if that is today.
pub(in crate::store) fn reference_date(connection: &Connection) -> Result<Option<String>, StoreError> {
    let day = connection
        .query_row("SELECT day FROM throughline_reference_date", [], |row| row.get(0))
        .optional()?;
    Ok(day)
}

/// Sets that day. The caller commits.
pub(in crate::store) fn set_reference_date(connection: &Connection, day: &str) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO throughline_reference_date VALUES (1, ?1) ON CONFLICT(only_one) DO UPDATE SET day = excluded.day",
        params![day],
    )?;
    Ok(())
}

/// How far each collection was released, by collection.
pub(in crate::store) fn releases(connection: &Connection) -> Result<Vec<ReleaseState>, StoreError> {
    let mut statement = connection
        .prepare("SELECT collection, through, state FROM throughline_releases ORDER BY collection")?;
    let rows = statement.query_map([], |row| {
        Ok(ReleaseState { collection: row.get(0)?, through: row.get(1)?, state: row.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Says how far a collection was released. The caller commits.
pub(in crate::store) fn set_released(
    connection: &Connection,
    release: &ReleaseState,
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO throughline_releases(collection, through, state) VALUES (?1, ?2, ?3)
         ON CONFLICT(collection) DO UPDATE SET through = excluded.through, state = excluded.state",
        params![release.collection, release.through, release.state],
    )?;
    Ok(())
}

/// The key that ids of released rows are made with: drawn the first time that it is read. The caller commits.
pub(in crate::store) fn release_key(connection: &Connection) -> Result<[u8; 32], StoreError> {
    let known = connection
        .query_row("SELECT key FROM throughline_keys WHERE name = ?1", [RELEASE_KEY], |row| row.get(0))
        .optional()?;
    if let Some(key) = known {
        return Ok(key);
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| StoreError::Abandoned(error.to_string()))?;
    set_release_key(connection, key)?;
    Ok(key)
}

/// Sets that key. The caller commits.
pub(in crate::store) fn set_release_key(connection: &Connection, key: [u8; 32]) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO throughline_keys VALUES (?1, ?2) ON CONFLICT(name) DO UPDATE SET key = excluded.key",
        params![RELEASE_KEY, key],
    )?;
    Ok(())
}
