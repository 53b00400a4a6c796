//! Making a store, one process at a time, and bringing an older one up to date.
//!
//! In: a path. Out: a whole store file or none. Not here: opening one that is there (`open`).

use std::fs::File;
use std::fs::TryLockError;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::backup::Progress;
use rusqlite::params;

use crate::store::Register;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::connect::absolute;
use crate::store::connect::beside;
use crate::store::open::APPLICATION_ID;
use crate::store::open::now_micros;

/// `user_version` is the `GeoPackage` version times a hundred (1.3.0) plus the number of migrations applied,
/// so that GIS programs and we read the same field.
pub const VERSION_BASE: i64 = 10_300;
/// How many migrations this program knows.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// Each brings a store from the version of its place to the next, in one transaction.
const MIGRATIONS: &[&str] = &["
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
"];

/// Rows of `gpkg_spatial_ref_sys` that every `GeoPackage` must have.
pub const SPATIAL_REFERENCES: &str = r#"
INSERT INTO gpkg_spatial_ref_sys VALUES
 ('WGS 84 geodetic', 4326, 'EPSG', 4326, 'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]', 'longitude/latitude on the WGS 84 ellipsoid'),
 ('Undefined Cartesian SRS', -1, 'NONE', -1, 'undefined', NULL),
 ('Undefined geographic SRS', 0, 'NONE', 0, 'undefined', NULL);
"#;

/// What became of a wish for a store.
#[derive(Debug)]
pub enum Made<T> {
    /// It was there already, or another process made it meanwhile; nothing was done.
    WasThere(Store),
    /// It was made, and this is what filling it gave.
    New(Store, T),
}

/// Makes a store where there is none and lets `fill` write into it before anyone sees it: other processes find the whole
/// store or none, and one that wants to make it as well waits.
///
/// # Errors
/// Of the file system and of `fill`; nothing is left behind then.
pub fn make<T, E: From<StoreError>>(
    path: &Path,
    register: Register,
    fill: impl FnOnce(&Arc<Store>) -> Result<T, E>,
) -> Result<Made<T>, E> {
    if path.exists() {
        return Ok(Made::WasThere(Store::open(path)?));
    }
    let folder = lock(path)?;
    if path.exists() {
        return Ok(Made::WasThere(Store::open(path)?));
    }
    // Made beside its place and moved there, so that a crash leaves no half a store; what a crash left goes now.
    let draft = Draft(beside(path, ".part"));
    draft.remove();
    create(&draft.0, register)?;
    let store = Arc::new(Store::open(&draft.0)?);
    let filled = fill(&store)?;
    store.checkpoint()?;
    drop(store);
    let io = |source| StoreError::Io { path: path.to_owned(), source };
    File::open(&draft.0).and_then(|file| file.sync_all()).map_err(io)?;
    // A log of an earlier store of that name, which is not there any more, would be taken for this one's.
    remove_beside(path);
    std::fs::rename(&draft.0, path).and_then(|()| folder.sync_all()).map_err(io)?;
    Ok(Made::New(Store::open(path)?, filled))
}

/// A store that is not whole yet; removed unless it was moved to its place.
struct Draft(PathBuf);

impl Draft {
    fn remove(&self) {
        // What is not there need not go.
        let _ = std::fs::remove_file(&self.0);
        remove_beside(&self.0);
    }
}

/// Removes what `SQLite` keeps beside a database that is not there.
fn remove_beside(path: &Path) {
    for ending in ["-wal", "-shm", "-journal"] {
        let _ = std::fs::remove_file(beside(path, ending));
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Waits until no other process makes or migrates a store in the same folder. The lock is on the folder, so that no file
/// is left beside the store; it ends with the returned handle, or with the process.
fn lock(path: &Path) -> Result<File, StoreError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let io = |source| StoreError::Io { path: folder.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(io)?;
    let handle = File::open(folder).map_err(io)?;
    match handle.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            tracing::info!("another process is making a store in {}: waiting for it", folder.display());
            handle.lock().map_err(io)?;
        }
        // Some network file systems have no locks: there the first start is not to be had twice at once.
        Err(TryLockError::Error(error)) => tracing::debug!(%error, "the folder cannot be locked"),
    }
    Ok(handle)
}

fn create(path: &Path, register: Register) -> Result<(), StoreError> {
    let connection = Connection::open(absolute(path)?)?;
    connection
        .execute_batch(&format!("PRAGMA page_size = 8192; PRAGMA application_id = {APPLICATION_ID};"))?;
    migrate(&connection, 0, MIGRATIONS)?;
    connection.execute_batch(SPATIAL_REFERENCES)?;
    let mut epoch = [0_u8; 16];
    getrandom::fill(&mut epoch).map_err(|error| StoreError::Abandoned(error.to_string()))?;
    connection.execute(
        "INSERT INTO throughline_meta VALUES ('epoch', ?1), ('register', ?2)",
        params![format!("{:032x}", u128::from_be_bytes(epoch)), register.as_str()],
    )?;
    // The file remembers it: later connections find it so and don't race to change it.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Brings a store up to date, with a copy of the file as it was beside it. Does nothing if another process did it first.
///
/// # Errors
/// [`StoreError`]; the store is then as it was.
pub fn bring_up_to_date(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    apply(path, connection, MIGRATIONS)
}

fn apply(path: &Path, connection: &Connection, steps: &[&str]) -> Result<(), StoreError> {
    let wanted = steps.len() as i64;
    let applied = || -> Result<i64, StoreError> {
        Ok(connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))? - VERSION_BASE)
    };
    if applied()? >= wanted {
        return Ok(());
    }
    let _lock = lock(path)?;
    let applied = applied()?;
    if applied < wanted {
        copy_before(path, connection, wanted)?;
        migrate(connection, applied, steps)?;
    }
    Ok(())
}

/// Copies the store to `NAME.before-N.gpkg`. A copy that an earlier try left is of the same state and gives way.
fn copy_before(path: &Path, connection: &Connection, wanted: i64) -> Result<(), StoreError> {
    let copy = path.with_extension(format!("before-{wanted}.gpkg"));
    let draft = Draft(beside(&copy, ".part"));
    draft.remove();
    // Page by page through SQLite, so that what is in the write-ahead log is in the copy.
    connection.backup("main", absolute(&draft.0)?, None::<fn(Progress)>)?;
    let io = |source| StoreError::Io { path: copy.clone(), source };
    File::open(&draft.0).and_then(|file| file.sync_all()).map_err(io)?;
    std::fs::rename(&draft.0, &copy).map_err(io)
}

fn migrate(connection: &Connection, applied: i64, steps: &[&str]) -> Result<(), StoreError> {
    for (place, sql) in steps.iter().enumerate().skip(applied.max(0) as usize) {
        let version = place as i64 + 1;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let step = || -> Result<(), rusqlite::Error> {
            connection.execute_batch(sql)?;
            connection.execute(
                "INSERT INTO throughline_migrations VALUES (?1, ?2)",
                params![version, now_micros()],
            )?;
            connection.execute_batch(&format!("PRAGMA user_version = {}", VERSION_BASE + version))
        };
        if let Err(error) = step() {
            let _ = connection.execute_batch("ROLLBACK");
            return Err(error.into());
        }
        connection.execute_batch("COMMIT")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_a_failed_migration_left_stands_in_nobody_s_way() {
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
        let wrong = [MIGRATIONS[0], "CREATE TABLE one (a); CREATE TABLE one (a)"];
        for _ in 0..2 {
            let error = apply(&path, &connection, &wrong).unwrap_err().to_string();
            assert!(error.contains("already exists"), "{error}");
            assert_eq!(version(), VERSION_BASE + 1);
        }
        apply(&path, &connection, &[MIGRATIONS[0], "CREATE TABLE one (a)"]).unwrap();
        assert_eq!(version(), VERSION_BASE + 2);
        connection.execute_batch("SELECT a FROM one").unwrap();
        drop(connection);
        assert_eq!(names(), ["a.before-2.gpkg", "a.gpkg"]);
        let copy = Connection::open(folder.path().join("a.before-2.gpkg")).unwrap();
        copy.execute_batch("SELECT a FROM one").unwrap_err();
    }

    #[test]
    fn a_store_that_cannot_be_filled_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gpkg");
        // What a crash left of an earlier try.
        std::fs::write(folder.path().join("a.gpkg.part"), "half").unwrap();
        let made = make(&path, Register::Synthetic, |_| Err::<(), _>(StoreError::WriterGone));
        assert!(matches!(made, Err(StoreError::WriterGone)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn of_many_who_make_a_store_one_does_and_the_others_open_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("a.gpkg");
        let fill = |_: &Arc<Store>| -> Result<(), StoreError> {
            std::thread::sleep(std::time::Duration::from_millis(50));
            Ok(())
        };
        let new = std::thread::scope(|scope| {
            let all: Vec<_> =
                (0..8).map(|_| scope.spawn(|| make(&path, Register::Synthetic, fill).unwrap())).collect();
            let made = all.into_iter().map(|made| made.join().unwrap());
            made.filter(|made| matches!(made, Made::New(..))).count()
        });
        assert_eq!(new, 1);
        assert_eq!(std::fs::read_dir(folder.path().join("deep")).unwrap().count(), 1);
    }
}
