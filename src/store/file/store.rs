//! A store file that is open: its readers, its one writer, and what happens when another file takes its place.
//!
//! A restored backup is moved to where the store was while a server goes on. The file is known by device and number, what
//! it holds by its epoch: when one of them is another, the file is opened anew and the writer gets a connection to it.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use crate::store::Register;
use crate::store::StoreError;
use crate::store::file::connect::StoreFile;
use crate::store::file::connect::absolute;
use crate::store::file::connect::beside;
use crate::store::file::connect::why_read_only;
use crate::store::file::open::Opened;
use crate::store::file::open::connect;
use crate::store::file::open::connect_to_write;
use crate::store::file::open::open;
use crate::store::file::scan::FileReader;
use crate::store::file::scan::is_damage;
use crate::store::file::transaction::FileTransaction;
use crate::store::file::writer::Writer;

/// Device and number of a file.
type Identity = (u64, u64);

/// An open store file.
#[derive(Debug)]
pub(in crate::store) struct FileStore {
    path: PathBuf,
    register: Register,
    migrated: Vec<String>,
    current: Mutex<Current>,
    commits: Mutex<u64>,
    committed: Condvar,
}

/// The file that is at the path now.
#[derive(Debug)]
struct Current {
    opened: Arc<Opened>,
    file: Option<Identity>,
    /// What `SQLite` keeps beside it: the write-ahead log and its index.
    beside: [Option<Identity>; 2],
    writer: Option<Writer>,
}

/// Endings of what `SQLite` keeps beside a file.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

fn identity(path: &Path) -> Option<Identity> {
    path.metadata().ok().map(|file| (file.dev(), file.ino()))
}

impl FileStore {
    /// Opens a store; see [`open`].
    ///
    /// # Errors
    /// [`StoreError`] that says what to do; nothing is changed then.
    pub(in crate::store) fn open(path: &Path) -> Result<Self, StoreError> {
        let mut opened = open(path)?;
        let migrated = std::mem::take(&mut opened.migrated);
        Ok(Self {
            path: path.to_owned(),
            register: opened.register,
            migrated,
            current: Mutex::new(Current {
                opened: Arc::new(opened),
                file: identity(path),
                beside: [None; 2],
                writer: None,
            }),
            commits: Mutex::new(0),
            committed: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file at the path, opened anew if it is another one than before. A file that is away for a moment is none.
    fn current(&self) -> Result<MutexGuard<'_, Current>, StoreError> {
        let mut current = self.lock();
        let now = identity(&self.path);
        if now.is_some() && now != current.file {
            self.renew(&mut current)?;
        } else {
            let place = absolute(&self.path)?;
            current.beside = BESIDE.map(|ending| identity(&beside(&place, ending)));
        }
        Ok(current)
    }

    /// Opens what is at the path now in place of what was opened before.
    fn renew(&self, current: &mut Current) -> Result<(), StoreError> {
        let file = identity(&self.path);
        // Its connection is to the old file. What waits is finished there.
        drop(current.writer.take());
        if file != current.file {
            self.move_old_log(current.beside)?;
        }
        let opened = open(&self.path)?;
        if opened.register != self.register {
            return Err(StoreError::OtherRegister {
                path: self.path.clone(),
                was: self.register.as_str(),
                now: opened.register.as_str(),
            });
        }
        tracing::warn!(store = %self.path.display(), "another store stands in the place of the one that was opened: it is read whole");
        *current = Current { opened: Arc::new(opened), file, beside: [None; 2], writer: None };
        Ok(())
    }

    /// Takes away the log of the old file where it still lies beside the new one: `SQLite` would take it for the new
    /// one's. A log that is not empty is left under another name.
    fn move_old_log(&self, old: [Option<Identity>; 2]) -> Result<(), StoreError> {
        let place = absolute(&self.path)?;
        for (ending, old) in BESIDE.into_iter().zip(old) {
            let path = beside(&place, ending);
            if old.is_none() || identity(&path) != old {
                continue;
            }
            let full = ending == "-wal" && path.metadata().is_ok_and(|file| file.len() > 0);
            let done = if full {
                std::fs::rename(&path, beside(&place, "-wal.replaced"))
            } else {
                std::fs::remove_file(&path)
            };
            done.map_err(|source| StoreError::Io { path: path.clone(), source })?;
        }
        Ok(())
    }

    /// Why the store can only be read, in words; `None` if it can be written.
    pub(in crate::store) fn why_read_only(&self) -> Option<&'static str> {
        if self.lock().opened.place.is_live() {
            None
        } else {
            why_read_only(&self.path).or(Some("it was opened to be read"))
        }
    }

    /// What opening it changed.
    pub(in crate::store) fn migrated(&self) -> &[String] {
        &self.migrated
    }

    /// The file.
    pub(in crate::store) fn path(&self) -> &Path {
        &self.path
    }

    /// What the register holds.
    pub(in crate::store) fn register(&self) -> Register {
        self.register
    }

    /// A reader that sees one state of the store until it is dropped.
    ///
    /// # Errors
    /// [`StoreError`]; [`StoreError::OtherRegister`] if another store stands in its place that cannot follow it.
    pub(in crate::store) fn reader(&self) -> Result<FileReader, StoreError> {
        let opened = Arc::clone(&self.current()?.opened);
        let reader = Self::reader_at(&opened.place)?;
        if reader.epoch() == opened.epoch {
            return Ok(reader);
        }
        // The same file with other content: it was written over.
        drop(reader);
        let mut current = self.lock();
        if current.opened.epoch == opened.epoch {
            self.renew(&mut current)?;
        }
        let place = Arc::clone(&current.opened.place);
        drop(current);
        Self::reader_at(&place)
    }

    fn reader_at(place: &Arc<StoreFile>) -> Result<FileReader, StoreError> {
        let place = StoreFile::renewed(place)?;
        FileReader::new(connect(&place)?, place)
    }

    /// A connection for one who waits for changes, and the place that it is to.
    pub(in crate::store) fn connection(&self) -> Result<(rusqlite::Connection, Arc<StoreFile>), StoreError> {
        let place = Arc::clone(&self.current()?.opened.place);
        Ok((connect(&place)?, place))
    }

    /// Whether a place is still where the store is.
    pub(in crate::store) fn is_at(&self, place: &Arc<StoreFile>) -> Result<bool, StoreError> {
        Ok(Arc::ptr_eq(&self.current()?.opened.place, place))
    }

    /// How many pieces of work this process has committed. Waits for the next one after `known`, for so long at most.
    pub(in crate::store) fn commits(&self, known: u64, longest: Duration) -> u64 {
        let commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.committed.wait_timeout_while(commits, longest, |commits| *commits == known);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Runs `work` on the writer thread inside a transaction, with whatever else is waiting, and returns after
    /// the commit is on the disk.
    ///
    /// # Errors
    /// Of `work`, which is then rolled back alone; of the commit, which takes everything back; [`StoreError::ReadOnly`];
    /// [`StoreError::Replaced`] if another file took the store's place meanwhile.
    pub(in crate::store) fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(FileTransaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, file) = {
            let mut current = self.current()?;
            if !current.opened.place.is_live() {
                let reason = why_read_only(&self.path).unwrap_or("it was opened to be read");
                return Err(StoreError::ReadOnly { path: self.path.clone(), reason });
            }
            if current.writer.is_none() {
                current.writer = Some(Writer::start(connect_to_write(&current.opened.place)?));
            }
            (current.writer.as_ref().map(Writer::sender), current.file)
        };
        let done =
            sender.ok_or(StoreError::WriterGone)?.run(|connection| work(FileTransaction::new(connection)))?;
        if identity(&self.path) != file {
            return Err(StoreError::Replaced(self.path.clone()));
        }
        *self.commits.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.committed.notify_all();
        Ok(done)
    }

    /// `SQLite`'s quick check of the whole file: the faults found, none if it is sound.
    ///
    /// # Errors
    /// [`StoreError::Database`] if the check cannot run.
    pub(in crate::store) fn quick_check(&self) -> Result<Vec<String>, StoreError> {
        let (connection, _place) = self.connection()?;
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
    /// [`StoreError::Database`].
    pub(in crate::store) fn checkpoint(&self) -> Result<(), StoreError> {
        let (writer, opened, file) = {
            let mut current = self.lock();
            (current.writer.take(), Arc::clone(&current.opened), current.file)
        };
        // Without the lock: what waits is finished first, and readers need not wait for that.
        drop(writer);
        if opened.place.is_live() && identity(&self.path) == file {
            connect(&opened.place)?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        Ok(())
    }
}
