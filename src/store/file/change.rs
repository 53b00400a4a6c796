//! The change sequence: every transaction raises it and leaves each touched collection's row count and hash sum, and
//! which rows were added and retired, so that a reader can take over the rest.

use std::collections::HashMap;

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::params;

use crate::model::RowId;
use crate::model::schema::CollectionSchema;
use crate::store::ChangeSummary;
use crate::store::StoreError;
use crate::store::StoredCollection;
use crate::store::Touched;
use crate::store::file::names::quote;

/// The collections' states without their columns.
const COLLECTIONS: &str =
    "SELECT id, table_name, schema, sequence, row_count, hash_sum FROM throughline_collections";

/// Runs `read` on one state of the store, also where no transaction is open: columns and schemas must be of one state.
fn on_one_state<T>(
    connection: &Connection,
    read: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let alone = connection.is_autocommit();
    if alone {
        connection.execute_batch("BEGIN")?;
    }
    let found = read();
    if alone {
        // Nothing was written, so that there is nothing to lose.
        let _ = connection.execute_batch("ROLLBACK");
    }
    found
}

/// All collections, by id.
pub(in crate::store) fn collections(connection: &Connection) -> Result<Vec<StoredCollection>, StoreError> {
    on_one_state(connection, || read_collections(connection))
}

fn read_collections(connection: &Connection) -> Result<Vec<StoredCollection>, StoreError> {
    let mut columns: HashMap<String, HashMap<String, String>> = HashMap::new();
    let mut statement =
        connection.prepare_cached("SELECT collection, field, column_name FROM throughline_columns")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        columns.entry(row.get(0)?).or_default().insert(row.get(1)?, row.get(2)?);
    }
    let mut statement = connection.prepare_cached(&format!("{COLLECTIONS} ORDER BY id"))?;
    let mut rows = statement.query([])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        out.push(stored(row, columns.remove(&id).unwrap_or_default())?);
    }
    Ok(out)
}

/// One collection, if the store has it.
pub(in crate::store) fn collection(
    connection: &Connection,
    id: &str,
) -> Result<Option<StoredCollection>, StoreError> {
    on_one_state(connection, || read_collection(connection, id))
}

fn read_collection(connection: &Connection, id: &str) -> Result<Option<StoredCollection>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT field, column_name FROM throughline_columns WHERE collection = ?1")?;
    let columns = statement.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let columns: HashMap<String, String> = columns.collect::<Result<_, _>>()?;
    let mut statement = connection.prepare_cached(&format!("{COLLECTIONS} WHERE id = ?1"))?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(|row| stored(row, columns)).transpose()
}

/// Every collection's id and last change, by id: what says which ones a reader must look at again.
pub(in crate::store) fn sequences(connection: &Connection) -> Result<Vec<(String, i64)>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id, sequence FROM throughline_collections ORDER BY id")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A row of [`COLLECTIONS`], with the columns of its fields by their names.
fn stored(row: &Row<'_>, mut columns: HashMap<String, String>) -> Result<StoredCollection, StoreError> {
    let id: String = row.get(0)?;
    let text: String = row.get(2)?;
    let schema = CollectionSchema::parse(&text)
        .map_err(|source| StoreError::Schema { collection: id.clone(), source })?;
    let column = |name: &str| {
        columns
            .remove(name)
            .ok_or_else(|| StoreError::NoColumn { collection: id.clone(), field: name.to_owned() })
    };
    let columns = schema.fields.iter().map(|field| &*field.name).map(column).collect::<Result<_, _>>()?;
    let sum: [u8; 16] = row.get(5)?;
    Ok(StoredCollection {
        schema,
        table: row.get(1)?,
        columns,
        sequence: row.get(3)?,
        rows: row.get::<_, i64>(4)?.unsigned_abs(),
        hash_sum: u128::from_be_bytes(sum),
    })
}

/// That no other process changed a collection since its sequence was `before`, `None` for one that was not there.
///
/// # Errors
/// [`StoreError::FieldsChanged`] if one did; of the database.
pub(in crate::store) fn unchanged_since(
    connection: &Connection,
    id: &str,
    before: Option<i64>,
) -> Result<(), StoreError> {
    let now = connection
        .query_row("SELECT sequence FROM throughline_collections WHERE id = ?1", params![id], |row| {
            row.get(0)
        })
        .optional()?;
    if now == before { Ok(()) } else { Err(StoreError::FieldsChanged(id.to_owned())) }
}

/// Which rows one change touched.
#[derive(Debug, Default)]
pub(in crate::store) struct Rows {
    /// First and last row number of the versions that were added, which follow each other; `None` if there are none.
    pub(in crate::store) added: Option<(i64, i64)>,
    /// Ids of the rows that were retired.
    pub(in crate::store) retired: Vec<u128>,
}

/// Writes the change and the collection's new state; gives back the new sequence.
pub(in crate::store) fn record(
    connection: &Connection,
    stored: &mut StoredCollection,
    summary: &ChangeSummary,
    rows: &Rows,
    source: &str,
    at_micros: i64,
) -> Result<i64, StoreError> {
    let last: i64 =
        connection
            .query_row("SELECT coalesce(max(sequence), 0) FROM throughline_changes", [], |row| row.get(0))?;
    let sequence = last + 1;
    stored.sequence = sequence;
    let schema = schema_text(&stored.schema)?;
    // No row is written as a span that ends before it begins: nothing known of a change is something else.
    let (first, last) = rows.added.unwrap_or((0, -1));
    connection.execute(
        "INSERT INTO throughline_changes(sequence, at_micros, collection, added, changed, row_count, hash_sum, source,
             first_fid, last_fid, retired)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            sequence,
            at_micros,
            stored.schema.id,
            summary.added as i64,
            (summary.changed + summary.retired) as i64,
            stored.rows as i64,
            stored.hash_sum.to_be_bytes(),
            source,
            first,
            last,
            rows.retired.len() as i64
        ],
    )?;
    let mut retire =
        connection.prepare_cached("INSERT OR IGNORE INTO throughline_retired VALUES (?1, ?2, ?3)")?;
    for id in &rows.retired {
        retire.execute(params![stored.schema.id, sequence, id.to_be_bytes()])?;
    }
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

/// A schema as the store keeps it.
pub(in crate::store) fn schema_text(schema: &CollectionSchema) -> Result<String, StoreError> {
    schema.to_toml().map_err(|source| StoreError::Schema { collection: schema.id.clone(), source })
}

/// The rows of a collection that changes after `sequence` touched: found by the row numbers that each change added, which
/// are a span of the table, and by the list of retired ids. `None` if a change does not say (it is older than these
/// columns), if `sequence` is not one of this store's past, or if more than `most` versions were added or retired.
pub(in crate::store) fn changes_since(
    connection: &Connection,
    stored: &StoredCollection,
    sequence: i64,
    most: u64,
) -> Result<Option<Touched>, StoreError> {
    if sequence > stored.sequence {
        return Ok(None);
    }
    let mut touched = Touched::default();
    let mut count = 0;
    let mut statement = connection.prepare_cached(
        "SELECT first_fid, last_fid, retired FROM throughline_changes WHERE sequence > ?1 AND collection = ?2
         ORDER BY sequence",
    )?;
    let mut rows = statement.query(params![sequence, stored.schema.id])?;
    while let Some(row) = rows.next()? {
        let (Some(first), Some(last), Some(retired)) =
            (row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, Option<i64>>(2)?)
        else {
            return Ok(None);
        };
        let added = if last < first { 0 } else { last.abs_diff(first) + 1 };
        count += added + retired.unsigned_abs();
        if count > most {
            return Ok(None);
        }
        touched.spans.extend((added > 0).then_some((first, last)));
    }
    let sql = format!("SELECT id FROM {} WHERE fid BETWEEN ?1 AND ?2", quote(&stored.table));
    let mut statement = connection.prepare_cached(&sql)?;
    let id = |row: &Row<'_>| Ok(RowId(u128::from_be_bytes(row.get(0)?)));
    for (first, last) in &touched.spans {
        for found in statement.query_map(params![first, last], id)? {
            touched.ids.push(found?);
        }
    }
    let mut statement = connection
        .prepare_cached("SELECT id FROM throughline_retired WHERE collection = ?1 AND sequence > ?2")?;
    for found in statement.query_map(params![stored.schema.id, sequence], id)? {
        touched.ids.push(found?);
    }
    touched.ids.sort_unstable();
    touched.ids.dedup();
    Ok(Some(touched))
}
