//! Releases: figures about the register for callers who may not see its rows. They are cells of the British National Grid
//! with enough dwellings, counts that disclose nothing about few records, and a figure for every council.
//!
//! In: the operator's [`crate::access::View`], the earlier releases, the day. Out: rows of collections; the caller writes
//! them to the store, and the policy says who sees them. Pure. Not here: writing (`store`), when releases are run.

mod cells;
mod counted;
mod dwelling_grid;
mod hierarchy;
mod periods;
mod places;
mod rows;

pub use dwelling_grid::DwellingGrid;
pub use dwelling_grid::GridCell;
pub use hierarchy::AreaLevel;
pub use hierarchy::AreasByLevel;
pub use hierarchy::Figure;
pub use hierarchy::LEAST;
pub use hierarchy::Unit;
pub use hierarchy::figures;
pub use hierarchy::units;
pub use periods::Month;
pub use periods::Period;
pub use periods::Window;
pub use places::Areas;
pub use places::ReleaseArea;
pub use rows::Before;
pub use rows::MEASURES;
pub use rows::NamedUnit;
pub use rows::Order;
pub use rows::Released;
pub use rows::due;
pub use rows::make;
