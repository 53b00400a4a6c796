//! A pass over a file as it is seen from outside: how far it is, and whether it is to go on.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::import::ImportError;
use crate::store::StoreError;

/// Rows between two looks.
const ROWS: u64 = 1_024;

/// A pass over the file that is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// The first: all rows are read, for the columns and types of the file.
    Survey,
    /// The second: rows are taken into the store.
    Take,
}

/// Is called at the start and the end of each pass and every 1,024 rows between, with the bytes of the file that the pass has
/// read so far. [`ControlFlow::Break`] ends the import with [`StoreError::Cancelled`], and the store stays as it was.
pub type Watch = dyn Fn(Pass, u64) -> ControlFlow<()> + Send + Sync;

/// A watch that lets every import go on.
#[must_use]
pub fn unwatched() -> Arc<Watch> {
    Arc::new(|_, _| ControlFlow::Continue(()))
}

/// One pass, watched.
pub(super) struct Watched {
    watch: Arc<Watch>,
    pass: Pass,
    rows: u64,
    /// Bytes that the pass has read; whatever reads the file adds to it.
    pub read: Arc<AtomicU64>,
}

impl Watched {
    /// Begins a pass.
    ///
    /// # Errors
    /// [`StoreError::Cancelled`], as of the others.
    pub fn begin(watch: &Arc<Watch>, pass: Pass) -> Result<Self, ImportError> {
        let new = Self { watch: Arc::clone(watch), pass, rows: 0, read: Arc::default() };
        new.look().map(|()| new)
    }

    /// Counts a row.
    pub fn row(&mut self) -> Result<(), ImportError> {
        self.rows += 1;
        if self.rows.is_multiple_of(ROWS) { self.look() } else { Ok(()) }
    }

    /// Ends the pass.
    pub fn end(self) -> Result<(), ImportError> {
        self.look()
    }

    fn look(&self) -> Result<(), ImportError> {
        match (self.watch)(self.pass, self.read.load(Ordering::Relaxed)) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(StoreError::Cancelled.into()),
        }
    }
}
