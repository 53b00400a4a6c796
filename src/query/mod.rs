//! Questions about a view: pages of features, one feature, the nearest ones.
//!
//! In: a [`crate::access::CollectionView`] and a request with a [`crate::filter::Bound`]. Out: references to its rows.
//! Pure: no clock, no lock, no I/O. Not here: which rows match (`filter`), parameters as text (`http`), writing features
//! (`format`).

mod nearest;
mod page;
mod search;

pub use nearest::Neighbour;
pub use nearest::nearest;
pub use page::Cursor;
pub use page::ItemsRequest;
pub use page::Page;
pub use page::RowRef;
pub use page::count;
pub use page::item;
pub use page::items;
pub use page::public_id;
pub use search::SearchHit;
pub use search::search;

/// The most features in one page.
pub const MAX_LIMIT: usize = 10_000;
/// Features in a page when nothing is asked.
pub const DEFAULT_LIMIT: usize = 10;
