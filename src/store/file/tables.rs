//! Tables of rows: made for a collection, widened when it gets fields, indexed so that one write reads a few pages.

use std::collections::HashMap;

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;

use crate::model::schema::CollectionClass;
use crate::model::schema::CollectionSchema;
use crate::model::schema::SchemaGeometry;
use crate::store::StoreError;
use crate::store::StoredCollection;
use crate::store::file::change;
use crate::store::file::names;
use crate::store::file::names::quote;
use crate::store::file::names::sql_type;

/// A layer has one owner. Looked at inside the transaction, so that two imports at once cannot both be the first. Every
/// import looks, so that any one current row says who it is.
pub(in crate::store) fn refuse_other_owner(
    connection: &Connection,
    stored: &StoredCollection,
    owner: &str,
) -> Result<(), StoreError> {
    if stored.schema.class != CollectionClass::Layer || stored.rows == 0 {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(&owner_sql(&stored.table))?;
    match statement.query_row([], |row| row.get::<_, String>(0)).optional()? {
        Some(found) if found != owner => {
            Err(StoreError::OthersLayer { collection: stored.schema.id.clone(), owner: found })
        }
        _ => Ok(()),
    }
}

/// The table of a collection as `schema` wants it: made, or given the columns that it lacks.
///
/// # Errors
/// [`StoreError::FieldsChanged`] if it has rows and lacks a field that they have; of the database.
pub(in crate::store) fn prepare_table(
    connection: &Connection,
    schema: CollectionSchema,
) -> Result<StoredCollection, StoreError> {
    if let Some(mut stored) = change::collection(connection, &schema.id)? {
        if last_fid(connection, &stored.table)? > 0 {
            return widen(connection, stored, schema);
        }
        // No row was ever there: the table takes the new form whole.
        connection.execute_batch(&format!("DROP TABLE {}", quote(&stored.table)))?;
        connection.execute("DELETE FROM throughline_columns WHERE collection = ?1", [&schema.id])?;
        stored.columns = names::columns(&schema);
        stored.schema = schema;
        create_rows_table(connection, &stored)?;
        return Ok(stored);
    }
    let mut statement = connection.prepare("SELECT table_name FROM throughline_collections")?;
    let taken: Vec<String> =
        statement.query_map([], |row| row.get(0))?.collect::<Result<_, rusqlite::Error>>()?;
    let table = names::table(&schema.id, &taken);
    let columns = names::columns(&schema);
    let stored = StoredCollection { schema, table, columns, sequence: 0, rows: 0, hash_sum: 0 };
    create_rows_table(connection, &stored)?;
    let located = stored.schema.geometry != SchemaGeometry::None;
    connection.execute(
        "INSERT INTO gpkg_contents(table_name, data_type, identifier, description, srs_id) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            stored.table,
            if located { "features" } else { "attributes" },
            stored.schema.id,
            stored.schema.description,
            located.then_some(4326)
        ],
    )?;
    if located {
        connection.execute(
            "INSERT INTO gpkg_geometry_columns VALUES (?1, 'geom', 'GEOMETRY', 4326, 0, 0)",
            params![stored.table],
        )?;
    }
    Ok(stored)
}

/// Gives the table of a collection with rows the columns that `schema` has besides its own; fields are known by their
/// names, wherever they stand.
///
/// # Errors
/// [`StoreError::FieldsChanged`] if `schema` lacks a field of the rows or has it with another type.
pub(in crate::store) fn widen(
    connection: &Connection,
    stored: StoredCollection,
    schema: CollectionSchema,
) -> Result<StoredCollection, StoreError> {
    if !stored.schema.fields.iter().all(|field| {
        schema.position(&field.name).is_some_and(|place| schema.fields[place].field_type == field.field_type)
    }) {
        return Err(StoreError::FieldsChanged(schema.id));
    }
    let known: HashMap<&str, &String> =
        stored.schema.fields.iter().map(|field| &*field.name).zip(&stored.columns).collect();
    let mut taken = names::taken();
    taken.extend(table_columns(connection, &stored.table)?.into_iter().map(|name| name.to_ascii_lowercase()));
    let mut columns = Vec::with_capacity(schema.fields.len());
    for field in &schema.fields {
        if let Some(column) = known.get(&*field.name) {
            columns.push((*column).clone());
            continue;
        }
        let column = names::free_name(&field.name, &mut taken);
        connection.execute_batch(&format!(
            "ALTER TABLE {} ADD COLUMN {} {}",
            quote(&stored.table),
            quote(&column),
            sql_type(field.field_type)
        ))?;
        record_column(connection, &schema.id, &field.name, &column)?;
        columns.push(column);
    }
    Ok(StoredCollection { schema, columns, ..stored })
}

/// Remembers which column has the values of a field.
pub(in crate::store) fn record_column(
    connection: &Connection,
    collection: &str,
    field: &str,
    column: &str,
) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached(
            "INSERT INTO throughline_columns(collection, field, column_name) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![collection, field, column])?;
    Ok(())
}

/// Names of a table's columns, in their order in its records.
pub(in crate::store) fn table_columns(
    connection: &Connection,
    table: &str,
) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1) ORDER BY cid")?;
    let names = statement.query_map([table], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// The greatest row number of a table, 0 if it never had a row: rows are added and never removed.
pub(in crate::store) fn last_fid(connection: &Connection, table: &str) -> Result<i64, rusqlite::Error> {
    connection.prepare_cached(&last_fid_sql(table))?.query_row([], |row| row.get(0))
}

pub(in crate::store) fn last_fid_sql(table: &str) -> String {
    format!("SELECT coalesce(max(fid), 0) FROM {}", quote(table))
}

/// The owner of any one current row. By the index of current rows: a scan would first pass every old version.
pub(in crate::store) fn owner_sql(table: &str) -> String {
    format!(
        "SELECT owner FROM {} INDEXED BY {} WHERE superseded_at IS NULL LIMIT 1",
        quote(table),
        quote(&names::id_index(table))
    )
}

/// Makes the indexes by which a write finds the current rows that it is about: by id, and by hash those without a
/// public id. A table without rows is filled first and indexed afterwards, which is several times faster.
pub(in crate::store) fn create_indexes(connection: &Connection, table: &str) -> Result<(), rusqlite::Error> {
    connection.execute_batch(&format!(
        "CREATE INDEX IF NOT EXISTS {} ON {table} (id) WHERE superseded_at IS NULL;
         CREATE INDEX IF NOT EXISTS {} ON {table} (substr(row_hash, 1, 8)) WHERE superseded_at IS NULL AND public_id IS NULL",
        quote(&names::id_index(table)),
        quote(&names::hash_index(table)),
        table = quote(table),
    ))
}

/// A current row by its id.
pub(in crate::store) fn by_id_sql(table: &str) -> String {
    let table = quote(table);
    format!(
        "SELECT fid, row_hash, owner, public_id IS NOT NULL FROM {table} WHERE id = ?1 AND superseded_at IS NULL"
    )
}

/// How many current rows without public id have a hash.
pub(in crate::store) fn by_hash_sql(table: &str) -> String {
    format!(
        "SELECT count(*) FROM {} WHERE substr(row_hash, 1, 8) = ?1 AND row_hash = ?2
             AND superseded_at IS NULL AND public_id IS NULL",
        quote(table)
    )
}

/// Makes a row an old version.
pub(in crate::store) fn supersede_sql(table: &str) -> String {
    format!("UPDATE {} SET superseded_at = ?1 WHERE fid = ?2", quote(table))
}

fn create_rows_table(connection: &Connection, stored: &StoredCollection) -> Result<(), StoreError> {
    let fields: String = stored
        .schema
        .fields
        .iter()
        .zip(&stored.columns)
        .map(|(field, column)| format!(", {} {}", quote(column), sql_type(field.field_type)))
        .collect();
    connection.execute_batch(&format!(
        "CREATE TABLE {} (fid INTEGER PRIMARY KEY, geom GEOMETRY, id BLOB NOT NULL, public_id TEXT, owner TEXT NOT NULL,
             marking TEXT NOT NULL, handling TEXT NOT NULL, sensitivity INTEGER NOT NULL, synthetic BOOLEAN NOT NULL,
             valid_from INTEGER, valid_to INTEGER, recorded_at INTEGER NOT NULL, superseded_at INTEGER, source_ref TEXT,
             row_hash BLOB NOT NULL{fields})",
        quote(&stored.table)
    ))?;
    for (field, column) in stored.schema.fields.iter().zip(&stored.columns) {
        record_column(connection, &stored.schema.id, &field.name, column)?;
    }
    Ok(())
}
