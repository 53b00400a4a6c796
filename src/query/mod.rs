//! Questions about a view: pages of features, one feature, the nearest ones.
//!
//! In: a [`crate::access::CollectionView`] and a request. Out: references to its rows. Pure: no clock, no lock,
//! no I/O. Not here: parameters as text (`http`), writing features (`format`).

mod centre;
mod filter;
mod nearest;
mod page;
mod search;
mod spatial;

pub use filter::Bbox;
pub use filter::Circle;
pub use filter::Filter;
pub use filter::Wanted;
pub use nearest::Neighbour;
pub use nearest::nearest;
pub use page::Cursor;
pub use page::ItemsRequest;
pub use page::Page;
pub use page::RowRef;
pub use page::count;
pub use page::item;
pub use page::items;
pub use page::looked_at;
pub use page::public_id;
pub use search::Found;
pub use search::search;
pub use spatial::distance_m;

/// The most features in one page.
pub const MAX_LIMIT: usize = 10_000;
/// Features in a page when nothing is asked.
pub const DEFAULT_LIMIT: usize = 10;

/// Why a question was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QueryError {
    /// NaN or infinity.
    #[error("coordinates must be finite numbers")]
    NotFinite,
    /// South above north.
    #[error("the box's second latitude is below its first: give west,south,east,north")]
    UpsideDown,
    /// A position off the earth.
    #[error("longitude must be -180 to 180 and latitude -90 to 90")]
    OffTheEarth,
    /// A distance that is negative or no number.
    #[error("the distance in metres must be 0 or more")]
    BadDistance,
}
