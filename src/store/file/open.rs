//! Opening the store file: first whether it is one, without a trace on a file that is not; then to read, or to write as well.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::ErrorCode;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::params;

use crate::store::Register;
use crate::store::StoreError;
use crate::store::file::change;
use crate::store::file::connect::StoreFile;
use crate::store::file::connect::why_read_only;
use crate::store::file::migrate;
use crate::store::file::migrate::SCHEMA_VERSION;

/// The `application_id` of a `GeoPackage`: the letters `GPKG`.
pub(in crate::store) const APPLICATION_ID: i64 = 0x4750_4B47;
/// How long a writer waits for another process that is writing, an import of millions of rows for instance.
const WRITER_WAITS: Duration = Duration::from_secs(300);

/// A store file as it was found.
#[derive(Debug)]
pub(in crate::store) struct Opened {
    pub(in crate::store) place: Arc<StoreFile>,
    pub(in crate::store) register: Register,
    /// The identity of what the file holds: another epoch means that sequences cannot be compared.
    pub(in crate::store) epoch: String,
    /// What was changed to bring it to this version, a sentence each.
    pub(in crate::store) migrated: Vec<String>,
}

/// Opens a store file, applying migrations it lacks (a copy of the file is made first). One that cannot be written, the
/// file or its folder, is opened to be read.
///
/// # Errors
/// [`StoreError`] that says what to do; nothing is changed then.
pub(in crate::store) fn open(path: &Path) -> Result<Opened, StoreError> {
    check_library()?;
    check_header(path)?;
    check_ours(path)?;
    let place = match StoreFile::live(path)? {
        Some(place) => place,
        None => StoreFile::to_read(path)?,
    };
    let connection = connect(&place).map_err(|error| opening(path, &error))?;
    let damaged = |error: &rusqlite::Error| damaged(path, error);
    let applied = migrate::version(&connection).map_err(|error| damaged(&error))?;
    if applied > SCHEMA_VERSION {
        return Err(StoreError::Newer { path: path.to_owned(), found: applied, known: SCHEMA_VERSION });
    }
    if applied < 1 {
        let reason = format!("schema number {applied}");
        return Err(StoreError::Damaged { path: path.to_owned(), reason });
    }
    let meta = |key: &str| -> Result<String, StoreError> {
        connection
            .query_row("SELECT value FROM throughline_meta WHERE key = ?1", params![key], |row| row.get(0))
            .map_err(|error| damaged(&error))
    };
    let word = meta("register")?;
    let Some(register) = Register::parse(&word) else {
        let reason = format!("register is {word:?}");
        return Err(StoreError::Damaged { path: path.to_owned(), reason });
    };
    let epoch = meta("epoch")?;
    let migrated = if place.is_live() {
        migrate::bring_up_to_date(path, &connection)?
    } else {
        migrate::stand_in(&connection)?;
        Vec::new()
    };
    // A schema that cannot be read is found now and not at the first request.
    change::collections(&connection)?;
    drop(connection);
    Ok(Opened { place: Arc::new(place), register, epoch, migrated })
}

fn check_library() -> Result<(), StoreError> {
    if rusqlite::version_number() < 3_051_003 {
        return Err(StoreError::OldSqlite(rusqlite::version().to_owned()));
    }
    Ok(())
}

fn check_header(path: &Path) -> Result<(), StoreError> {
    let io = |source| StoreError::Io { path: path.to_owned(), source };
    if !path.exists() {
        return Err(StoreError::Missing(path.to_owned()));
    }
    let mut header = [0_u8; 16];
    let foreign = |reason: &str| StoreError::Foreign { path: path.to_owned(), reason: reason.to_owned() };
    let mut file = File::open(path).map_err(io)?;
    match file.read_exact(&mut header) {
        Ok(()) if &header == b"SQLite format 3\0" => Ok(()),
        Ok(()) => Err(foreign("the file does not start like an SQLite database")),
        Err(_) if path.is_dir() => Err(foreign("it is a folder")),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(foreign("the file is too short"))
        }
        Err(error) => Err(io(error)),
    }
}

/// Whether a file is a store of ours, sound or not, of this version or a newer one; nothing of it is changed.
#[must_use]
pub(in crate::store) fn is_store(path: &Path) -> bool {
    // One that cannot be looked into may be: it is left alone.
    let refused = check_header(path).and_then(|()| check_ours(path)).err();
    !matches!(refused, Some(StoreError::Missing(_) | StoreError::Foreign { .. }))
}

/// Whether a file that starts like a database is a store of ours, found out without a trace on one that is not. Its
/// tables are in the file itself from its making on, whatever waits in a log beside it.
fn check_ours(path: &Path) -> Result<(), StoreError> {
    let look = |place: &StoreFile| -> Result<(i64, bool), rusqlite::Error> {
        let connection = place.connect()?;
        let application = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
        let ours = connection.query_row(
            "SELECT count(*) FROM sqlite_master WHERE name = 'throughline_meta'",
            [],
            |row| row.get(0),
        )?;
        Ok((application, ours))
    };
    // Another process may just be moving its log into the file: then its locks are waited for.
    let found = match look(&StoreFile::as_it_stands(path)?) {
        Ok(found) => Ok(found),
        Err(_) => look(&StoreFile::to_read(path)?),
    };
    let (application, ours) = found.map_err(|error| opening(path, &error))?;
    if application == APPLICATION_ID && ours {
        return Ok(());
    }
    let reason = if application == APPLICATION_ID {
        "a GeoPackage of another program: import its layers instead"
    } else {
        "an SQLite database of another program"
    };
    Err(StoreError::Foreign { path: path.to_owned(), reason: reason.to_owned() })
}

/// What a failure to open a file means to its owner.
fn opening(path: &Path, error: &rusqlite::Error) -> StoreError {
    match (error.sqlite_error_code(), why_read_only(path)) {
        (Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen), Some(reason)) => {
            StoreError::ReadOnly { path: path.to_owned(), reason }
        }
        (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), _) => StoreError::Busy(path.to_owned()),
        _ => damaged(path, error),
    }
}

fn damaged(path: &Path, error: &rusqlite::Error) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), reason: error.to_string() }
}

pub(in crate::store) fn connect(place: &StoreFile) -> Result<Connection, rusqlite::Error> {
    let connection = place.connect()?;
    connection.execute_batch(
        "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
         PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;",
    )?;
    Ok(connection)
}

pub(in crate::store) fn connect_to_write(place: &StoreFile) -> Result<Connection, rusqlite::Error> {
    let connection = connect(place)?;
    connection.busy_timeout(WRITER_WAITS)?;
    // Stores are made so; one that came back from another program's copy may not be.
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    Ok(connection)
}

/// Opens a `GeoPackage` of unknown origin: read only, no triggers, views or extensions trusted, sizes limited.
///
/// # Errors
/// [`StoreError`] if it is no database or not a `GeoPackage`.
pub(in crate::store) fn open_foreign(path: &Path) -> Result<(StoreFile, Connection), StoreError> {
    check_header(path)?;
    let place = StoreFile::to_read(path)?;
    let connection = place.connect()?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, 256 << 20)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, 1 << 20)?;
    connection.execute_batch("PRAGMA cell_size_check = ON;")?;
    let described: i64 = connection
        .query_row(
            "SELECT count(*) FROM sqlite_master WHERE name IN ('gpkg_contents', 'gpkg_spatial_ref_sys')",
            [],
            |row| row.get(0),
        )
        .map_err(|error| StoreError::Damaged { path: path.to_owned(), reason: error.to_string() })?;
    if described != 2 {
        let reason = "it has no gpkg_contents and gpkg_spatial_ref_sys tables".to_owned();
        return Err(StoreError::Foreign { path: path.to_owned(), reason });
    }
    Ok((place, connection))
}
