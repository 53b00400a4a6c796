//! Releases: what those learn of the register who may not see its rows. Cells of the national grid with enough dwellings,
//! counts that no difference undoes, a figure for every council.
//!
//! In: the operator's [`crate::access::View`], what was released before, the day. Out: rows, which the command line
//! writes to the store, where they are collections like any other and the policy says who sees them. Pure.

mod cells;
mod counted;
mod floor;
mod ladder;
mod periods;
mod places;
mod rows;

pub use floor::Cell;
pub use floor::Floor;
pub use ladder::Figure;
pub use ladder::LEAST;
pub use ladder::Level;
pub use ladder::Unit;
pub use ladder::Within;
pub use ladder::figures;
pub use ladder::units;
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
