//! Releases: what those learn of the register who may not see its rows. Cells of the national grid with enough dwellings,
//! counts that no difference undoes, a figure for every council.
//!
//! In: the operator's [`crate::access::View`], what was released before, the day. Out: rows, which the command line
//! writes to the store, where they are collections like any other and the policy says who sees them. Pure.

mod cells;
mod counted;
mod dwelling_grid;
mod hierarchy;
mod periods;
mod places;
mod rows;

pub use dwelling_grid::DwellingGrid;
pub use dwelling_grid::GridCell;
pub use hierarchy::Figure;
pub use hierarchy::LEAST;
pub use hierarchy::Level;
pub use hierarchy::Unit;
pub use hierarchy::Within;
pub use hierarchy::figures;
pub use hierarchy::units;
pub use periods::Month;
pub use periods::Period;
pub use periods::Window;
pub use places::Area;
pub use places::Areas;
pub use rows::Before;
pub use rows::MEASURES;
pub use rows::NamedUnit;
pub use rows::Order;
pub use rows::Released;
pub use rows::due;
pub use rows::make;
