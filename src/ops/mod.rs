//! Whole operations: import, export, release, the synthetic set, a new store, the check of a store.
//!
//! In: a store or a path, typed options and a [`Progress`]. Out: a report that serialises to JSON, or an [`OpsError`]. The
//! command line and the server are the two callers: nothing here prints, reads flags or ends the process. An operation
//! that is cancelled leaves what it found: its transaction is rolled back and its unfinished file is removed.
//! Not here: SQL (`store`), what rows become (`import`, `format`, `release`), the bar on a terminal (`cli`).

pub mod check;
pub mod demo;
mod error;
pub mod export;
mod gate;
pub mod import;
mod progress;
pub mod reference;
pub mod release;

pub use error::OpsError;
pub use gate::open_gate;
pub use progress::Cancel;
pub use progress::Cancelled;
pub use progress::Event;
pub use progress::Progress;

/// An operation looks whether it was cancelled at least once in so many rows.
const CHUNK_ROWS: usize = 1_024;
