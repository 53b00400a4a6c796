//! Vector tiles: the bytes of a tile from a view and a tile address.
//!
//! In: [`crate::access::CollectionView`] and [`TileCoord`]. Out: Mapbox Vector Tile 2.1. Pure. A feature passes through
//! `generalise` (finds the vertices that each zoom needs, once), `reach` (decides whether it meets the tile), `clip` and
//! `geometry` (clip it in sixteenths of a grid cell and snap it), `repair` (only if edges cross), `ids`, `tags` and
//! `encode`; `dropping` holds the tile within its size. Not here: caches and content encodings (`http`).

mod bytes;
mod clip;
mod density;
mod dropping;
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
mod values;

use crate::access::CollectionView;

pub use dropping::FULL_ZOOM;
pub use dropping::FULL_ZOOM_BYTES;
pub use dropping::FeatureDropping;
pub use dropping::LOW_ZOOM_BYTES;
pub use dropping::Layer;
pub use dropping::is_clustered;
pub use dropping::tile;
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

/// Serial numbers of the row groups that a tile depends on: if they are equal, the tile is equal. A tile of a coverage
/// depends on all of its groups, because polygons in different groups share vertices.
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

/// Whether the number of points in the fullest tiles is computed already, or the collection is so small that this takes
/// no time.
#[must_use]
pub fn is_density_known(collection: &CollectionView) -> bool {
    density::Density::is_at_hand(collection)
}

/// An estimate of the rows and vertices to look at for a tile. Counting stops once it is above `enough`.
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
