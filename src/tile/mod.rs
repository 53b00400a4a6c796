//! Vector tiles: a view and a tile address to bytes.
//!
//! In: [`crate::access::CollectionView`] and [`TileCoord`]. Out: Mapbox Vector Tile 2.1. Pure. Not here: caches and
//! encodings (`http`). Not yet here: generalisation by zoom and the size rules of low zooms.

mod clip;
mod encode;
mod grid;
mod layer;

pub use grid::MAX_ZOOM;
pub use grid::TileCoord;
pub use layer::MAX_LAYER_FEATURES;
pub use layer::tile;
