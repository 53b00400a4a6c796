//! How a database file is opened: by its path and never as a URI, and for reading without a trace.
//!
//! In: the path of a user. Out: a connection. A file that is only read keeps its bytes and its folder the same files, on
//! media that cannot be written too; where another program has it open, or was killed while it had, `SQLite`'s own shared
//! memory (`-shm`) beside it is used. Not here: what the file holds (`open`, `foreign`).

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;

use rusqlite::Connection;
use rusqlite::ErrorCode;
use rusqlite::OpenFlags;
use rustix::fs::Access;
use tempfile::TempDir;

use crate::store::StoreError;

/// How long a reader waits for another process that has the file locked.
const READER_WAITS: Duration = Duration::from_secs(30);

/// How the file can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Read and written, by this process and by others.
    Live,
    /// Read, under `SQLite`'s locks.
    Locked,
    /// Read without locks: no other process has it open, as far as the files beside it show.
    Still,
}

/// A database file and the way in which it is opened.
#[derive(Debug)]
pub(in crate::store) struct StoreFile {
    path: PathBuf,
    mode: Mode,
    /// [`Self::state`] as it was then.
    opened: Option<(u64, SystemTime, bool)>,
    /// Holds the copy that is read instead, where the file itself cannot be read without writing.
    copy: Option<TempDir>,
}

impl StoreFile {
    fn of(path: PathBuf, mode: Mode) -> Self {
        let new = Self { path, mode, opened: None, copy: None };
        Self { opened: new.state(), ..new }
    }

    /// A store of ours, to be read and written; `None` if the file or its folder cannot be written.
    pub(in crate::store) fn live(path: &Path) -> Result<Option<Self>, StoreError> {
        let path = absolute(path)?;
        Ok(why_read_only(&path).is_none().then_some(Self::of(path, Mode::Live)))
    }

    /// A file that is only read.
    ///
    /// # Errors
    /// [`StoreError::Io`] if it cannot be read, or no copy can be made where one is needed.
    pub(in crate::store) fn to_read(path: &Path) -> Result<Self, StoreError> {
        let path = absolute(path)?;
        let has =
            |path: &Path, ending: &str| beside(path, ending).metadata().is_ok_and(|file| file.len() > 0);
        if is_write_ahead(&path)? {
            match (has(&path, "-wal"), has(&path, "-shm")) {
                // Whoever has it open has both.
                (false, false) => return Ok(Self::of(path, Mode::Still)),
                (true, false) => return Self::copied(&path, "-wal"),
                (_, true) => {}
            }
        }
        let place = Self::of(path, Mode::Locked);
        // What was left in the middle of a change must be put right before it can be read: in a copy.
        let read = place.connect().and_then(|connection| {
            connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0))
        });
        match read.err().and_then(|error| error.sqlite_error_code()) {
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
                let journal = if has(&place.path, "-journal") { "-journal" } else { "-wal" };
                Self::copied(&place.path, journal)
            }
            // The caller finds any other fault when it reads on.
            _ => Ok(place),
        }
    }

    /// The file as it stands on the disk, whatever waits beside it to be put in.
    pub(in crate::store) fn as_it_stands(path: &Path) -> Result<Self, StoreError> {
        Ok(Self::of(absolute(path)?, Mode::Still))
    }

    fn copied(path: &Path, journal: &str) -> Result<Self, StoreError> {
        let io = |source| StoreError::Io { path: path.to_owned(), source };
        let folder = tempfile::tempdir().map_err(io)?;
        let copy = folder.path().join("copy.gpkg");
        std::fs::copy(path, &copy).map_err(io)?;
        let beside_copy = beside(&copy, journal);
        if beside(path, journal).exists() {
            std::fs::copy(beside(path, journal), &beside_copy).map_err(io)?;
        }
        for file in [&copy, &beside_copy].into_iter().filter(|file| file.exists()) {
            let mut rights = std::fs::metadata(file).map_err(io)?.permissions();
            std::os::unix::fs::PermissionsExt::set_mode(&mut rights, 0o600);
            std::fs::set_permissions(file, rights).map_err(io)?;
        }
        Ok(Self { copy: Some(folder), ..Self::of(copy, Mode::Live) })
    }

    /// The place anew, for a file that is only read and that others may have begun to write meanwhile.
    ///
    /// # Errors
    /// As [`Self::to_read`].
    pub(in crate::store) fn renewed(this: &Arc<Self>) -> Result<Arc<Self>, StoreError> {
        // Looked at from outside first: a file that is opened and closed here loses the locks that this process has on it.
        if this.state() == this.opened {
            Ok(Arc::clone(this))
        } else {
            Self::to_read(&this.path).map(Arc::new)
        }
    }

    /// What tells whether a file that is read without locks was changed meanwhile; `None` where locks are held.
    pub(in crate::store) fn state(&self) -> Option<(u64, SystemTime, bool)> {
        let file = self.path.metadata().ok().filter(|_| self.mode == Mode::Still)?;
        Some((file.len(), file.modified().ok()?, beside(&self.path, "-wal").exists()))
    }

    /// Where the bytes are that are read.
    pub(in crate::store) fn file(&self) -> &Path {
        &self.path
    }

    /// Whether the user's own file is open to be written.
    pub(in crate::store) fn is_live(&self) -> bool {
        self.mode == Mode::Live && self.copy.is_none()
    }

    /// A connection. It stays on one thread at a time, which Rust checks: `SQLite`'s own mutexes would cost a fifth of
    /// reading a snapshot.
    pub(in crate::store) fn connect(&self) -> Result<Connection, rusqlite::Error> {
        let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match self.mode {
            Mode::Live => Connection::open_with_flags(&self.path, flags | OpenFlags::SQLITE_OPEN_READ_WRITE)?,
            Mode::Locked => {
                Connection::open_with_flags(&self.path, flags | OpenFlags::SQLITE_OPEN_READ_ONLY)?
            }
            Mode::Still => Connection::open_with_flags(
                still_uri(&self.path),
                flags | OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
            )?,
        };
        connection.busy_timeout(READER_WAITS)?;
        Ok(connection)
    }
}

/// The path from the root, links followed as `SQLite` follows them: what belongs to a database lies beside the file
/// itself. It begins with `/`, so that `SQLite` never reads it as a URI.
///
/// # Errors
/// [`StoreError::Io`].
pub(in crate::store) fn absolute(path: &Path) -> Result<PathBuf, StoreError> {
    let found = if path.exists() { path.canonicalize() } else { std::path::absolute(path) };
    found.map_err(|source| StoreError::Io { path: path.to_owned(), source })
}

/// The file of that name with something behind it.
pub(in crate::store) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// What a program keeps beside a database that it has open, or left there; `None` if there is nothing.
#[must_use]
pub(in crate::store) fn in_use(path: &Path) -> Option<PathBuf> {
    let path = absolute(path).ok()?;
    let left = |ending: &str| Some(beside(&path, ending)).filter(|file| file.exists());
    ["-wal", "-journal"].into_iter().find_map(left)
}

/// Why a file cannot be written, in words; `None` if it can.
pub(in crate::store) fn why_read_only(path: &Path) -> Option<&'static str> {
    let can = |path: &Path| rustix::fs::access(path, Access::WRITE_OK).is_ok();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !can(path) {
        Some("the file is read-only")
    } else if !can(folder) {
        Some("its folder is read-only")
    } else {
        None
    }
}

/// Whether the file says that its changes go to a write-ahead log: bytes 18 and 19 of its header.
fn is_write_ahead(path: &Path) -> Result<bool, StoreError> {
    let io = |source| StoreError::Io { path: path.to_owned(), source };
    let mut header = [0_u8; 20];
    File::open(path).and_then(|mut file| file.read_exact(&mut header)).map_err(io)?;
    Ok(header[18] == 2 || header[19] == 2)
}

/// The URI of a file that no process writes. Every byte that could mean something in a URI is written as a number.
fn still_uri(path: &Path) -> String {
    let mut uri = "file://".to_owned();
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_' | b'~') {
            uri.push(char::from(*byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri.push_str("?immutable=1");
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of two rows; `wal` says how its changes are kept.
    fn file(path: &Path, wal: bool) {
        let connection = Connection::open(path).unwrap();
        let mode = if wal { "WAL" } else { "DELETE" };
        connection.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |_| Ok(())).unwrap();
        connection.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)").unwrap();
    }

    fn files(folder: &Path) -> Vec<(OsString, Vec<u8>)> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let mut files: Vec<_> =
            entries.map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap())).collect();
        files.sort();
        files
    }

    fn rows(place: &StoreFile) -> i64 {
        let connection = place.connect().unwrap();
        connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn reading_changes_nothing_whatever_the_file_is_called_and_however_it_was_left() {
        for name in ["a.gpkg", "file:b.gpkg", "c?mode=rwc.gpkg", "d%20#e.gpkg", "-f.gpkg", "é ü.gpkg"] {
            for wal in [false, true] {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join(name);
                file(&folder.path().join("made"), wal);
                std::fs::rename(folder.path().join("made"), &path).unwrap();
                let before = files(folder.path());
                assert_eq!(rows(&StoreFile::to_read(&path).unwrap()), 2, "{name} {wal}");
                assert_eq!(files(folder.path()), before, "{name} {wal}");
            }
        }
    }

    #[test]
    fn a_file_that_another_program_begins_to_write_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        file(&path, true);
        let place = Arc::new(StoreFile::to_read(&path).unwrap());
        let before = place.state();
        assert!(before.is_some());
        let writer = Connection::open(&path).unwrap();
        writer.execute_batch("INSERT INTO t VALUES (3)").unwrap();
        assert_ne!(place.state(), before);
        // Who opens it anew reads what is there now.
        assert_eq!(rows(&StoreFile::renewed(&place).unwrap()), 3);
        drop(writer);
        assert_eq!(rows(&StoreFile::renewed(&place).unwrap()), 3);
    }

    #[test]
    fn what_a_killed_process_left_is_read_in_a_copy() {
        let folder = tempfile::tempdir().unwrap();
        let (path, kept) = (folder.path().join("a"), folder.path().join("kept"));
        // A log with a row that the file lacks, as it stands while another process has the file open.
        file(&path, true);
        let writer = Connection::open(&path).unwrap();
        writer.execute_batch("INSERT INTO t VALUES (3)").unwrap();
        std::fs::create_dir(&kept).unwrap();
        for ending in ["", "-wal"] {
            std::fs::copy(beside(&path, ending), beside(&kept.join("a"), ending)).unwrap();
        }
        let before = files(&kept);
        let place = StoreFile::to_read(&kept.join("a")).unwrap();
        assert_eq!(rows(&place), 3);
        assert!(!place.is_live());
        assert_eq!(files(&kept), before);
        // And while that process goes on, beside it.
        assert_eq!(rows(&StoreFile::to_read(&path).unwrap()), 3);
        drop(writer);
    }

    #[test]
    fn a_journal_of_a_killed_process_is_applied_in_a_copy() {
        let folder = tempfile::tempdir().unwrap();
        let (path, kept) = (folder.path().join("a"), folder.path().join("kept"));
        file(&path, false);
        let writer = Connection::open(&path).unwrap();
        // A cache of one page writes half a change to the file before it is committed.
        writer.execute_batch("PRAGMA cache_size = 1; BEGIN").unwrap();
        for _ in 0..20_000 {
            writer.execute("INSERT INTO t VALUES (randomblob(50))", []).unwrap();
        }
        std::fs::create_dir(&kept).unwrap();
        for ending in ["", "-journal"] {
            std::fs::copy(beside(&path, ending), beside(&kept.join("a"), ending)).unwrap();
        }
        let before = files(&kept);
        assert_eq!(rows(&StoreFile::to_read(&kept.join("a")).unwrap()), 2, "the change was never committed");
        assert_eq!(files(&kept), before);
    }
}
