//! Waiting for changes: those of this process are noticed at once, those of others by the data version of a connection
//! that is looked at many times a second. That costs a few system calls and reads no page.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

use rusqlite::Connection;

use crate::store::StoreError;
use crate::store::file::connect::StoreFile;
use crate::store::file::store::FileStore;

/// How long a change of another process may go unnoticed.
const LOOK_EVERY: Duration = Duration::from_millis(15);

/// One who waits.
#[derive(Debug, Default)]
pub(in crate::store) struct FileWatch {
    seen: Option<Seen>,
    commits: u64,
}

#[derive(Debug)]
struct Seen {
    connection: Connection,
    place: Arc<StoreFile>,
    version: i64,
    /// Of a file that is read without locks, which has no data version.
    state: Option<(u64, SystemTime, bool)>,
}

impl FileWatch {
    /// Waits until the store may have changed since the last call, for so long at most; the first call says that it has.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be looked at; the next call then says that it has changed.
    pub(in crate::store) fn wait(
        &mut self,
        store: &FileStore,
        longest: Duration,
    ) -> Result<bool, StoreError> {
        let end = Instant::now() + longest;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if self.look(store)? {
                return Ok(true);
            }
            if left.is_zero() {
                return Ok(false);
            }
            let commits = store.commits(self.commits, LOOK_EVERY.min(left));
            if commits != self.commits {
                self.commits = commits;
                // What this connection would find is that commit.
                self.look(store)?;
                return Ok(true);
            }
        }
    }

    /// Whether something is not as it was at the last look.
    fn look(&mut self, store: &FileStore) -> Result<bool, StoreError> {
        match self.seen.take() {
            Some(seen) if store.is_at(&seen.place)? => {
                let (version, state) = (data_version(&seen.connection)?, seen.place.state());
                let changed = (version, state) != (seen.version, seen.state);
                self.seen = Some(Seen { version, state, ..seen });
                Ok(changed)
            }
            old => {
                // Closed before another one is opened at the same path.
                drop(old);
                self.commits = store.commits(u64::MAX, Duration::ZERO);
                let (connection, place) = store.connection()?;
                let (version, state) = (data_version(&connection)?, place.state());
                self.seen = Some(Seen { connection, place, version, state });
                Ok(true)
            }
        }
    }
}

/// A number that changes with every commit of another connection.
fn data_version(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}
