//! Tables of rows: made for a collection, widened when it gets fields.

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use rusqlite::params;

use crate::model::schema::CollectionClass;
use crate::model::schema::CollectionSchema;
use crate::model::schema::FieldSchema;
use crate::model::schema::SchemaGeometry;
use crate::store::StoreError;
use crate::store::change;
use crate::store::change::StoredCollection;
use crate::store::names;
use crate::store::names::quote;
use crate::store::names::sql_type;

/// A layer has one owner. Looked at inside the transaction, so that two imports at once cannot both be the first.
pub fn refuse_other_owner(
    connection: &Connection,
    stored: &StoredCollection,
    owner: &str,
) -> Result<(), StoreError> {
    if stored.schema.class != CollectionClass::Layer || stored.rows == 0 {
        return Ok(());
    }
    let sql = format!(
        "SELECT owner FROM {} WHERE superseded_at IS NULL AND owner <> ?1 LIMIT 1",
        quote(&stored.table)
    );
    match connection.query_row(&sql, params![owner], |row| row.get(0)).optional()? {
        Some(owner) => Err(StoreError::OthersLayer { collection: stored.schema.id.clone(), owner }),
        None => Ok(()),
    }
}

/// The table of a collection as `schema` wants it: made, or given the columns that it lacks.
///
/// # Errors
/// [`StoreError::FieldsChanged`] if it has rows and other fields; of the database.
pub fn prepare_table(
    connection: &Connection,
    schema: CollectionSchema,
) -> Result<StoredCollection, StoreError> {
    if let Some(mut stored) = change::collection(connection, &schema.id)? {
        let versions: i64 =
            connection
                .query_row(&format!("SELECT count(*) FROM {}", quote(&stored.table)), [], |row| row.get(0))?;
        if versions > 0 {
            let known = stored.schema.fields.len();
            let before = names::columns(&stored.schema);
            let before_fields = std::mem::take(&mut stored.schema.fields);
            stored.schema = schema;
            let after = names::columns(&stored.schema);
            let same = |(old, new): (&FieldSchema, &FieldSchema)| {
                old.name == new.name && old.field_type == new.field_type
            };
            let kept = before_fields.iter().zip(&stored.schema.fields).all(same);
            if after.len() < known || after[..known] != before[..] || !kept {
                return Err(StoreError::FieldsChanged(stored.schema.id));
            }
            for (field, column) in stored.schema.fields.iter().zip(&after).skip(known) {
                connection.execute_batch(&format!(
                    "ALTER TABLE {} ADD COLUMN {} {}",
                    quote(&stored.table),
                    quote(column),
                    sql_type(field.field_type)
                ))?;
            }
            return Ok(stored);
        }
        // No row was ever there: the table is made anew.
        connection.execute_batch(&format!("DROP TABLE {}", quote(&stored.table)))?;
        stored.schema = schema;
        create_rows_table(connection, &stored)?;
        return Ok(stored);
    }
    let taken: Vec<String> =
        change::collections(connection)?.into_iter().map(|stored| stored.table).collect();
    let table = names::table(&schema.id, &taken);
    let stored = StoredCollection { schema, table, sequence: 0, rows: 0, hash_sum: 0 };
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

fn create_rows_table(connection: &Connection, stored: &StoredCollection) -> Result<(), StoreError> {
    let fields: String = stored
        .schema
        .fields
        .iter()
        .zip(names::columns(&stored.schema))
        .map(|(field, column)| format!(", {} {}", quote(&column), sql_type(field.field_type)))
        .collect();
    connection.execute_batch(&format!(
        "CREATE TABLE {} (fid INTEGER PRIMARY KEY, geom GEOMETRY, id BLOB NOT NULL, public_id TEXT, owner TEXT NOT NULL,
             marking TEXT NOT NULL, handling TEXT NOT NULL, sensitivity INTEGER NOT NULL, synthetic BOOLEAN NOT NULL,
             valid_from INTEGER, valid_to INTEGER, recorded_at INTEGER NOT NULL, superseded_at INTEGER, source_ref TEXT,
             row_hash BLOB NOT NULL{fields})",
        quote(&stored.table)
    ))?;
    Ok(())
}
