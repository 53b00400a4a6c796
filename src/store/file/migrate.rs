//! Bringing a store up to date: its own tables by numbered steps, its built-in collections by the program's schemas.
//!
//! In: a store of any earlier version. Out: the same rows under this version's tables, and a copy of the file as it was
//! beside it. A store that can only be read is not changed: [`stand_in`] gives its readers what it lacks.

use std::fs::File;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::Progress;
use rusqlite::params;

use crate::model::CollectionSchema;
use crate::model::collections::built_in;
use crate::model::schema::SchemaError;
use crate::store::StoreError;
use crate::store::StoredCollection;
use crate::store::file::change;
use crate::store::file::connect::absolute;
use crate::store::file::connect::beside;
use crate::store::file::make::Draft;
use crate::store::file::make::lock;
use crate::store::file::names;
use crate::store::file::tables;
use crate::store::now_micros;

/// `user_version` is the `GeoPackage` version times a hundred (1.3.0) plus the number of migrations applied,
/// so that GIS programs and we read the same field.
pub(in crate::store) const VERSION_BASE: i64 = 10_300;
/// How many migrations this program knows.
pub(in crate::store) const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// One step from a version to the next, in one transaction: statements, and what they cannot say.
struct Step {
    sql: &'static str,
    then: fn(&Connection) -> Result<(), StoreError>,
}

/// Each brings a store from the version of its place to the next.
const MIGRATIONS: &[Step] = &[
    Step { sql: FIRST_TABLES, then: |_| Ok(()) },
    Step {
        sql: "",
        then: |connection| {
            connection.execute_batch(KEPT_TABLES)?;
            fill_kept(connection)?;
            connection.execute_batch(KEPT_MOVED)?;
            for stored in change::collections(connection)? {
                tables::create_indexes(connection, &stored.table)?;
            }
            Ok(())
        },
    },
];

const FIRST_TABLES: &str = "
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
    organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
    description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
    min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
    CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
    srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
    CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name), CONSTRAINT uk_gc_table_name UNIQUE (table_name),
    CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
    CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE throughline_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE throughline_migrations (version INTEGER PRIMARY KEY, at_micros INTEGER NOT NULL);
CREATE TABLE throughline_collections (id TEXT PRIMARY KEY, table_name TEXT NOT NULL UNIQUE, schema TEXT NOT NULL,
    sequence INTEGER NOT NULL, row_count INTEGER NOT NULL, hash_sum BLOB NOT NULL);
CREATE TABLE throughline_changes (sequence INTEGER PRIMARY KEY, at_micros INTEGER NOT NULL, collection TEXT NOT NULL,
    added INTEGER NOT NULL, changed INTEGER NOT NULL, row_count INTEGER NOT NULL, hash_sum BLOB NOT NULL,
    source TEXT NOT NULL);
";

/// What a store holds besides rows, each in a table of its own, the column of each field, and which rows were retired.
const KEPT_TABLES: &str = "
CREATE TABLE throughline_releases (collection TEXT PRIMARY KEY, through TEXT NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE throughline_reference_date (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), day TEXT NOT NULL);
CREATE TABLE throughline_keys (name TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE throughline_columns (collection TEXT NOT NULL, field TEXT NOT NULL, column_name TEXT NOT NULL,
    PRIMARY KEY (collection, field), UNIQUE (collection, column_name)) WITHOUT ROWID;
CREATE TABLE throughline_retired (collection TEXT NOT NULL, sequence INTEGER NOT NULL, id BLOB NOT NULL,
    PRIMARY KEY (collection, sequence, id)) WITHOUT ROWID;
";

/// Fills those tables from the keys of an older store.
const KEPT_FROM_KEYS: &str = "
INSERT INTO throughline_releases
    SELECT substr(r.key, 10), r.value, coalesce(u.value, '') FROM throughline_meta r
    LEFT JOIN throughline_meta u ON u.key = 'units:' || substr(r.key, 10) WHERE substr(r.key, 1, 9) = 'released:';
INSERT INTO throughline_reference_date SELECT 1, value FROM throughline_meta WHERE key = 'as_at';
INSERT INTO throughline_keys
    SELECT 'release', unhex(value) FROM throughline_meta WHERE key = 'release_key' AND length(unhex(value)) = 32;
";

/// What the tables hold goes from the keys; changes say from now on which row numbers they added.
const KEPT_MOVED: &str = "
DELETE FROM throughline_meta WHERE key IN ('as_at', 'release_key') OR substr(key, 1, 9) = 'released:' OR substr(key, 1, 6) = 'units:';
ALTER TABLE throughline_changes ADD COLUMN first_fid INTEGER;
ALTER TABLE throughline_changes ADD COLUMN last_fid INTEGER;
ALTER TABLE throughline_changes ADD COLUMN retired INTEGER;
";

/// Fills the tables of [`KEPT_TABLES`]. Older stores named columns by the order of the fields.
fn fill_kept(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch(KEPT_FROM_KEYS)?;
    let mut statement = connection.prepare("SELECT id, schema FROM throughline_collections")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, text): (String, String) = (row.get(0)?, row.get(1)?);
        let schema = CollectionSchema::parse(&text)
            .map_err(|source| StoreError::Schema { collection: id.clone(), source })?;
        for (field, column) in schema.fields.iter().zip(names::columns(&schema)) {
            tables::record_column(connection, &id, &field.name, &column)?;
        }
    }
    Ok(())
}

/// Gives a connection to an older store that can only be read what it lacks, as temporary tables that are the
/// connection's alone. Whether it is such a store.
pub(in crate::store) fn stand_in(connection: &Connection) -> Result<bool, StoreError> {
    if version(connection)? >= SCHEMA_VERSION {
        return Ok(false);
    }
    connection.execute_batch(&KEPT_TABLES.replace("CREATE TABLE", "CREATE TEMP TABLE"))?;
    fill_kept(connection)?;
    Ok(true)
}

/// How many migrations a store has.
pub(in crate::store) fn version(connection: &Connection) -> Result<i64, rusqlite::Error> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(version - VERSION_BASE)
}

/// Brings a store up to date, with a copy of the file as it was beside it. Does nothing if another process did it first.
///
/// # Errors
/// [`StoreError`]; the store is then as it was.
pub(in crate::store) fn bring_up_to_date(
    path: &Path,
    connection: &Connection,
) -> Result<Vec<String>, StoreError> {
    let before = version(connection)?;
    apply(path, connection, MIGRATIONS)?;
    let done = format!("its tables are brought from schema {before} to {SCHEMA_VERSION}");
    let mut changed = Vec::from_iter((before < SCHEMA_VERSION).then_some(done));
    changed.extend(update_built_in(path, connection, built_in)?);
    for what in &changed {
        tracing::info!(store = %path.display(), "the store is brought to this version: {what}");
    }
    Ok(changed)
}

/// Makes the first tables of a new store.
pub(in crate::store) fn first(connection: &Connection) -> Result<(), StoreError> {
    migrate(connection, 0, MIGRATIONS)
}

/// Commits the open transaction, or takes it back after an error.
fn finish(connection: &Connection, done: Result<(), StoreError>) -> Result<(), StoreError> {
    if done.is_ok() {
        connection.execute_batch("COMMIT")?;
    } else {
        // The error says more than one of taking back could.
        let _ = connection.execute_batch("ROLLBACK");
    }
    done
}

/// Gives built-in collections of a store the fields that this program knows and the store does not, wherever in the
/// schema they stand, and the program's words for all of them. A copy of the file as it was stands beside it if a table
/// was changed. What was changed, one sentence each.
///
/// A collection with a field that this program does not know was written by a newer one: it stays as it is.
///
/// # Errors
/// [`StoreError`]; the store is then as it was.
pub(in crate::store) fn update_built_in(
    path: &Path,
    connection: &Connection,
    known: impl Fn(&str) -> Result<Option<CollectionSchema>, SchemaError>,
) -> Result<Vec<String>, StoreError> {
    let wanted = || -> Result<Vec<(StoredCollection, CollectionSchema)>, StoreError> {
        let mut wanted = Vec::new();
        for stored in change::collections(connection)? {
            let found = known(&stored.schema.id)
                .map_err(|source| StoreError::Schema { collection: stored.schema.id.clone(), source })?;
            if let Some(schema) = found.and_then(|built| updated(&stored.schema, &built)) {
                wanted.push((stored, schema));
            }
        }
        Ok(wanted)
    };
    if wanted()?.is_empty() {
        return Ok(Vec::new());
    }
    let _lock = lock(path)?;
    // Another process may have done it meanwhile.
    let wanted = wanted()?;
    let widened = |(stored, schema): &(StoredCollection, CollectionSchema)| {
        schema.fields.len() > stored.schema.fields.len()
    };
    if wanted.iter().any(widened) {
        let last: i64 = connection.query_row(
            "SELECT coalesce(max(sequence), 0) FROM throughline_changes",
            [],
            |row| row.get(0),
        )?;
        copy_before(path, connection, &format!("fields-{last}"))?;
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let mut changed = Vec::new();
    let take = || -> Result<(), StoreError> {
        for (stored, schema) in wanted {
            let has = |name: &str| stored.schema.position(name).is_some();
            let names = schema.fields.iter().map(|field| &*field.name).filter(|name| !has(name));
            let names: Vec<&str> = names.collect();
            changed.push(if names.is_empty() {
                format!("{} has this version's descriptions", schema.id)
            } else {
                format!("{} has the new fields {}", schema.id, names.join(", "))
            });
            let stored = tables::widen(connection, stored.clone(), schema)?;
            connection.execute(
                "UPDATE throughline_collections SET schema = ?2 WHERE id = ?1",
                params![stored.schema.id, change::schema_text(&stored.schema)?],
            )?;
        }
        Ok(())
    };
    finish(connection, take())?;
    Ok(changed)
}

/// The schema that a stored collection gets from the program's of that name; `None` if it has it already, or if it is
/// a layer of that name, or of a newer program.
fn updated(stored: &CollectionSchema, built: &CollectionSchema) -> Option<CollectionSchema> {
    let built = built.stored();
    if built.class != stored.class {
        return None;
    }
    let known =
        |name: &str, of| built.position(name).is_some_and(|place| built.fields[place].field_type == of);
    if let Some(field) = stored.fields.iter().find(|field| !known(&field.name, field.field_type)) {
        tracing::warn!(collection.id = %stored.id, field = %field.name, "the collection was written by a newer version");
        return None;
    }
    // What the last import said of the layer as a whole stays.
    let wanted = CollectionSchema {
        title: built.title,
        description: built.description,
        fields: built.fields,
        time: built.time,
        ..stored.clone()
    };
    (wanted != *stored).then_some(wanted)
}

fn apply(path: &Path, connection: &Connection, steps: &[Step]) -> Result<(), StoreError> {
    let wanted = steps.len() as i64;
    if version(connection)? >= wanted {
        return Ok(());
    }
    let _lock = lock(path)?;
    let applied = version(connection)?;
    if applied < wanted {
        copy_before(path, connection, &wanted.to_string())?;
        migrate(connection, applied, steps)?;
    }
    Ok(())
}

/// Copies the store to `NAME.before-WANTED.gpkg`. A copy that an earlier try left is of the same state and gives way.
fn copy_before(path: &Path, connection: &Connection, wanted: &str) -> Result<(), StoreError> {
    let copy = path.with_extension(format!("before-{wanted}.gpkg"));
    let draft = Draft(beside(&copy, ".part"));
    draft.remove();
    // Page by page through SQLite, so that what is in the write-ahead log is in the copy.
    connection.backup("main", absolute(&draft.0)?, None::<fn(Progress)>)?;
    let io = |source| StoreError::Io { path: copy.clone(), source };
    File::open(&draft.0).and_then(|file| file.sync_all()).map_err(io)?;
    std::fs::rename(&draft.0, &copy).map_err(io)
}

fn migrate(connection: &Connection, applied: i64, steps: &[Step]) -> Result<(), StoreError> {
    for (place, step) in steps.iter().enumerate().skip(applied.max(0) as usize) {
        let version = place as i64 + 1;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let take = || -> Result<(), StoreError> {
            connection.execute_batch(step.sql)?;
            (step.then)(connection)?;
            connection.execute(
                "INSERT INTO throughline_migrations VALUES (?1, ?2)",
                params![version, now_micros()],
            )?;
            Ok(connection.execute_batch(&format!("PRAGMA user_version = {}", VERSION_BASE + version))?)
        };
        finish(connection, take())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Register;
    use crate::store::Store;

    #[test]
    fn a_copy_that_a_failed_migration_left_gives_way_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gpkg");
        let names = || {
            let mut names: Vec<_> =
                std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        drop(Store::create(&path, Register::Synthetic).unwrap());
        let connection = Connection::open(&path).unwrap();
        let version = || connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap();
        let steps = |sql| {
            let same = |step: &Step| Step { sql: step.sql, then: step.then };
            MIGRATIONS.iter().map(same).chain([Step { sql, then: |_| Ok(()) }]).collect::<Vec<_>>()
        };
        let wrong = steps("CREATE TABLE one (a); CREATE TABLE one (a)");
        for _ in 0..2 {
            let error = apply(&path, &connection, &wrong).unwrap_err().to_string();
            assert!(error.contains("already exists"), "{error}");
            assert_eq!(version(), VERSION_BASE + SCHEMA_VERSION);
        }
        apply(&path, &connection, &steps("CREATE TABLE one (a)")).unwrap();
        assert_eq!(version(), VERSION_BASE + SCHEMA_VERSION + 1);
        connection.execute_batch("SELECT a FROM one").unwrap();
        drop(connection);
        assert_eq!(names(), ["a.before-3.gpkg", "a.gpkg"]);
        let copy = Connection::open(folder.path().join("a.before-3.gpkg")).unwrap();
        copy.execute_batch("SELECT a FROM one").unwrap_err();
    }
}
