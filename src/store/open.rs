//! Opening the store file: first whether it is one, without a trace on a file that is not; then to read, or to write as well.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use rusqlite::Connection;
use rusqlite::ErrorCode;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::params;

use crate::store::StoreError;
use crate::store::connect::Place;
use crate::store::connect::why_read_only;
use crate::store::make::Made;
use crate::store::make::SCHEMA_VERSION;
use crate::store::make::VERSION_BASE;
use crate::store::make::bring_up_to_date;
use crate::store::make::make;
use crate::store::scan::Reader;
use crate::store::scan::is_damage;
use crate::store::writer::Writer;

/// The `application_id` of a `GeoPackage`: the letters `GPKG`.
pub const APPLICATION_ID: i64 = 0x4750_4B47;
/// How long a writer waits for another process that is writing, an import of millions of rows for instance.
const WRITER_WAITS: Duration = Duration::from_secs(300);

/// What a store's register holds, for the life of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Register {
    /// Invented rows only.
    Synthetic,
    /// Real rows only.
    Operational,
}

impl Register {
    /// The word in the store and in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Synthetic => "synthetic",
            Self::Operational => "operational",
        }
    }
}

/// An open store.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    place: Arc<Place>,
    register: Register,
    epoch: String,
    writer: Mutex<Option<Writer>>,
}

impl Store {
    /// Opens a store, applying migrations it lacks (a copy of the file is made first). One that cannot be written, the
    /// file or its folder, is opened to be read; see [`Self::why_read_only`].
    ///
    /// # Errors
    /// [`StoreError`] that says what to do; nothing is changed then.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        check_library()?;
        check_header(path)?;
        check_ours(path)?;
        let place = match Place::live(path)? {
            Some(place) => place,
            None => Place::to_read(path)?,
        };
        let connection = connect(&place).map_err(|error| opening(path, &error))?;
        let damaged = |error: &rusqlite::Error| damaged(path, error);
        let version: i64 = connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(|error| damaged(&error))?;
        let applied = version - VERSION_BASE;
        if applied > SCHEMA_VERSION {
            return Err(StoreError::Newer { path: path.to_owned(), found: applied, known: SCHEMA_VERSION });
        }
        if applied < 1 {
            return Err(StoreError::Damaged {
                path: path.to_owned(),
                reason: format!("schema number {applied}"),
            });
        }
        if applied < SCHEMA_VERSION {
            if let Some(reason) = why_read_only(path).filter(|_| !place.is_live()) {
                return Err(StoreError::ReadOnly { path: path.to_owned(), reason });
            }
            bring_up_to_date(path, &connection)?;
        }
        let meta = |key: &str| -> Result<String, StoreError> {
            connection
                .query_row("SELECT value FROM throughline_meta WHERE key = ?1", params![key], |row| {
                    row.get(0)
                })
                .map_err(|error| damaged(&error))
        };
        let register = match meta("register")?.as_str() {
            "synthetic" => Register::Synthetic,
            "operational" => Register::Operational,
            other => {
                let reason = format!("register is {other:?}");
                return Err(StoreError::Damaged { path: path.to_owned(), reason });
            }
        };
        let epoch = meta("epoch")?;
        // A schema that cannot be read is found now and not at the first request.
        crate::store::change::collections(&connection)?;
        drop(connection);
        Ok(Self { path: path.to_owned(), place: Arc::new(place), register, epoch, writer: Mutex::new(None) })
    }

    /// Makes an empty store where there is none.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if there is one; nothing is left behind after another error.
    pub fn create(path: &Path, register: Register) -> Result<Self, StoreError> {
        match make(path, register, |_| Ok::<(), StoreError>(()))? {
            Made::New(store, ()) => Ok(store),
            Made::WasThere(_) => Err(StoreError::Exists(path.to_owned())),
        }
    }

    /// Opens the store, or makes a synthetic one where there is none. Several processes may do so at once.
    ///
    /// # Errors
    /// As [`Self::open`] and [`make`].
    pub fn open_or_create(path: &Path) -> Result<Self, StoreError> {
        match make(path, Register::Synthetic, |_| Ok::<(), StoreError>(()))? {
            Made::New(store, ()) | Made::WasThere(store) => Ok(store),
        }
    }

    /// Why the store can only be read, in words; `None` if it can be written.
    #[must_use]
    pub fn why_read_only(&self) -> Option<&'static str> {
        if self.place.is_live() {
            None
        } else {
            why_read_only(&self.path).or(Some("it was opened to be read"))
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the register holds.
    #[must_use]
    pub fn register(&self) -> Register {
        self.register
    }

    /// The store's identity: another epoch means that sequences cannot be compared.
    #[must_use]
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// A reader that sees one state of the store until it is dropped.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reader(&self) -> Result<Reader, StoreError> {
        let place = Place::renewed(&self.place)?;
        Reader::new(connect(&place)?, place)
    }

    /// Runs `work` on the writer thread inside a transaction, with whatever else is waiting, and returns after
    /// the commit is on the disk.
    ///
    /// # Errors
    /// Of `work`, which is then rolled back alone; of the commit, which takes everything back; [`StoreError::ReadOnly`].
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if let Some(reason) = self.why_read_only() {
            return Err(StoreError::ReadOnly { path: self.path.clone(), reason });
        }
        let sender = {
            let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            if writer.is_none() {
                *writer = Some(Writer::start(connect_to_write(&self.place)?));
            }
            writer.as_ref().map(Writer::sender)
        };
        sender.ok_or(StoreError::WriterGone)?.run(work)
    }

    /// `SQLite`'s quick check of the whole file: the faults found, none if it is sound.
    ///
    /// # Errors
    /// [`StoreError::Sql`] if the check cannot run.
    pub fn quick_check(&self) -> Result<Vec<String>, StoreError> {
        let connection = connect(&self.place)?;
        let mut lines = Vec::new();
        let mut check = || -> Result<(), rusqlite::Error> {
            let mut statement = connection.prepare("PRAGMA quick_check(20)")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                lines.push(row.get(0)?);
            }
            Ok(())
        };
        match check() {
            // Some damage stops the check itself.
            Err(error) if is_damage(&error) => lines.push(error.to_string()),
            Err(error) => return Err(error.into()),
            Ok(()) => {}
        }
        lines.retain(|line| line != "ok");
        Ok(lines)
    }

    /// Moves the write-ahead log into the file, so that the file alone is the store, unless another process reads or
    /// writes it just now.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        drop(self.writer.lock().unwrap_or_else(PoisonError::into_inner).take());
        if self.place.is_live() {
            connect(&self.place)?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        Ok(())
    }
}

/// Microseconds since 1970 by the machine's clock.
pub fn now_micros() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Today by the machine's clock, as days since 1970-01-01.
#[must_use]
pub fn now_day() -> i32 {
    i32::try_from(now_micros() / crate::model::time::DAY_MICROS).unwrap_or(i32::MAX)
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
pub fn is_store(path: &Path) -> bool {
    // One that cannot be looked into may be: it is left alone.
    let refused = check_header(path).and_then(|()| check_ours(path)).err();
    !matches!(refused, Some(StoreError::Missing(_) | StoreError::Foreign { .. }))
}

/// Whether a file that starts like a database is a store of ours, found out without a trace on one that is not. Its
/// tables are in the file itself from its making on, whatever waits in a log beside it.
fn check_ours(path: &Path) -> Result<(), StoreError> {
    let look = |place: &Place| -> Result<(i64, bool), rusqlite::Error> {
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
    let found = match look(&Place::as_it_stands(path)?) {
        Ok(found) => Ok(found),
        Err(_) => look(&Place::to_read(path)?),
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

fn connect(place: &Place) -> Result<Connection, rusqlite::Error> {
    let connection = place.connect()?;
    connection.execute_batch(
        "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
         PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;",
    )?;
    Ok(connection)
}

fn connect_to_write(place: &Place) -> Result<Connection, rusqlite::Error> {
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
pub fn open_foreign(path: &Path) -> Result<(Place, Connection), StoreError> {
    check_header(path)?;
    let place = Place::to_read(path)?;
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
