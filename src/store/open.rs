//! Making, checking and opening the store file; migrations by `user_version`.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use rusqlite::Connection;
use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::params;

use crate::store::StoreError;
use crate::store::scan::Reader;
use crate::store::scan::is_damage;
use crate::store::writer::Writer;

/// The `application_id` of a `GeoPackage`: the letters `GPKG`.
const APPLICATION_ID: i64 = 0x4750_4B47;
/// `user_version` is the `GeoPackage` version times a hundred (1.3.0) plus the number of migrations applied,
/// so that GIS programs and we read the same field.
const VERSION_BASE: i64 = 10_300;
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
    register: Register,
    epoch: String,
    writer: Mutex<Option<Writer>>,
}

impl Store {
    /// Opens a store, applying migrations it lacks (a copy of the file is made first).
    ///
    /// # Errors
    /// [`StoreError`] that says what to do; nothing is changed then.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        check_library()?;
        check_header(path)?;
        let connection = connect(path)?;
        let damaged = |error: &rusqlite::Error| StoreError::Damaged {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let application: i64 = connection
            .query_row("PRAGMA application_id", [], |row| row.get(0))
            .map_err(|error| damaged(&error))?;
        let version: i64 = connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .map_err(|error| damaged(&error))?;
        let ours: bool = connection
            .query_row("SELECT count(*) FROM sqlite_master WHERE name = 'throughline_meta'", [], |row| {
                row.get(0)
            })
            .map_err(|error| damaged(&error))?;
        if application != APPLICATION_ID || !ours {
            let reason = if application == APPLICATION_ID {
                "a GeoPackage of another program: import its layers instead"
            } else {
                "an SQLite database of another program"
            };
            return Err(StoreError::Foreign { path: path.to_owned(), reason: reason.to_owned() });
        }
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
            let copy = path.with_extension(format!("before-{SCHEMA_VERSION}.gpkg"));
            connection.execute("VACUUM INTO ?1", params![copy.to_string_lossy()])?;
            migrate(&connection, applied)?;
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
        Ok(Self { path: path.to_owned(), register, epoch, writer: Mutex::new(None) })
    }

    /// Makes a store where there is none.
    ///
    /// # Errors
    /// [`StoreError`]; the half-made file is removed.
    pub fn create(path: &Path, register: Register) -> Result<Self, StoreError> {
        check_library()?;
        let io = |source| StoreError::Io { path: path.to_owned(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        // Built beside its place and renamed, so that a crash leaves no half a store.
        let draft = path.with_extension("gpkg-new");
        let _ = std::fs::remove_file(&draft);
        let made = || -> Result<(), StoreError> {
            let connection = Connection::open(&draft)?;
            connection.execute_batch(&format!(
                "PRAGMA page_size = 8192; PRAGMA application_id = {APPLICATION_ID};"
            ))?;
            migrate(&connection, 0)?;
            connection.execute_batch(SPATIAL_REFERENCES)?;
            let mut epoch = [0_u8; 16];
            getrandom::fill(&mut epoch).map_err(|error| StoreError::Abandoned(error.to_string()))?;
            connection.execute(
                "INSERT INTO throughline_meta VALUES ('epoch', ?1), ('register', ?2)",
                params![format!("{:032x}", u128::from_be_bytes(epoch)), register.as_str()],
            )?;
            connection.close().map_err(|(_, error)| error)?;
            File::open(&draft).and_then(|file| file.sync_all()).map_err(io)?;
            std::fs::rename(&draft, path).map_err(io)
        };
        if let Err(error) = made() {
            let _ = std::fs::remove_file(&draft);
            return Err(error);
        }
        Self::open(path)
    }

    /// Opens the store, or makes a synthetic one where there is none.
    ///
    /// # Errors
    /// As [`Self::open`] and [`Self::create`].
    pub fn open_or_create(path: &Path) -> Result<Self, StoreError> {
        if path.exists() { Self::open(path) } else { Self::create(path, Register::Synthetic) }
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
    /// [`StoreError::Sql`].
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::new(connect(&self.path)?)
    }

    /// Runs `work` on the writer thread inside a transaction, with whatever else is waiting, and returns after
    /// the commit is on the disk.
    ///
    /// # Errors
    /// Of `work`, which is then rolled back alone; of the commit, which takes everything back.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let sender = {
            let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            if writer.is_none() {
                *writer = Some(Writer::start(connect(&self.path)?));
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
        let connection = connect(&self.path)?;
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

    /// Moves the write-ahead log into the file, so that the file alone is the store.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        drop(self.writer.lock().unwrap_or_else(PoisonError::into_inner).take());
        connect(&self.path)?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
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

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(
        path,
        // A connection stays on one thread at a time, which Rust checks: SQLite's own mutexes would cost a fifth
        // of reading a snapshot.
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(std::time::Duration::from_secs(30))?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;",
    )?;
    Ok(connection)
}

fn migrate(connection: &Connection, applied: i64) -> Result<(), StoreError> {
    for (place, sql) in MIGRATIONS.iter().enumerate().skip(applied.max(0) as usize) {
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

/// Opens a `GeoPackage` of unknown origin: read only, no triggers, views or extensions trusted, sizes limited.
///
/// # Errors
/// [`StoreError`] if it is no database or not a `GeoPackage`.
pub fn open_foreign(path: &Path) -> Result<Connection, StoreError> {
    check_header(path)?;
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
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
    Ok(connection)
}
