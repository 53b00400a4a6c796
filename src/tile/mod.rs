//! Vector tiles: a view and a tile address to bytes.
//!
//! In: [`crate::access::CollectionView`] and [`TileCoord`]. Out: Mapbox Vector Tile 2.1. Pure. A feature goes through
//! `generalise` (which vertices a zoom needs, once), `reach` (whether it meets the tile), `clip` and `geometry` (cut in
//! sixteenths of a grid cell, snapped), `repair` (only if edges cross), `ids`, `tags` and `encode`; `thin` keeps the
//! tile within its size. Not here: caches and encodings (`http`).

mod bytes;
mod clip;
mod density;
mod encode;
mod faces;
mod generalise;
mod geometry;
mod grid;
mod ids;
mod layer;
mod left_out;
mod reach;
mod repair;
mod tags;
mod thin;
mod values;

use crate::access::CollectionView;

pub use grid::BUFFER;
pub use grid::MAX_ZOOM;
pub use grid::TILE_EXTENT;
pub use grid::TileCoord;
pub use ids::are_ids_known;
pub use ids::find;
pub use ids::ids_version;
pub use ids::is_id_field;
pub use left_out::LEFT_OUT;
pub use tags::COUNT;
pub use thin::FULL_ZOOM;
pub use thin::FULL_ZOOM_BYTES;
pub use thin::LOW_ZOOM_BYTES;
pub use thin::Layer;
pub use thin::Thinning;
pub use thin::is_clustered;
pub use thin::tile;

/// Serial numbers of the row groups that a tile is made of: equal numbers, equal tile. The vertices of a coverage
/// depend on every group of it.
#[must_use]
pub fn groups(collection: &CollectionView, at: TileCoord) -> Vec<u64> {
    let windows = at.windows();
    let near = |bounds| windows.iter().any(|window| window.intersects(&bounds));
    let groups = collection.groups().iter();
    groups
        .filter(|group| collection.schema().coverage || near(group.bounds()))
        .map(|group| group.serial())
        .collect()
}

/// Whether it is known how full the tiles of a collection are, or reckoned in no time.
#[must_use]
pub fn is_density_known(collection: &CollectionView) -> bool {
    density::Density::is_at_hand(collection)
}

/// About how many rows and vertices have to be looked at for a tile; counting stops above `enough`.
#[must_use]
pub fn work(collection: &CollectionView, at: TileCoord, enough: usize) -> usize {
    let windows = at.windows();
    let mut sum = 0;
    for (place, group) in collection.groups().iter().enumerate() {
        if !collection.reaches(place, &windows) {
            continue;
        }
        let vertices = if group.mercator().is_some() { 1 } else { group.vertices_a_row() };
        group.pyramid().visit(&windows, &mut |run, _| sum += run.len() * vertices);
        if sum > enough {
            break;
        }
    }
    sum
}
