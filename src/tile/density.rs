//! The number of points in the fullest tile of each zoom. It decides at which zooms a whole layer is clustered.
//!
//! The decision is not taken for each tile: else one tile could show clusters and its neighbour single points.

use hashbrown::HashMap;

use crate::access::CollectionView;
use crate::access::HeldBytes;
use crate::access::RowGroup;
use crate::model::GeometryKind;
use crate::model::crs::mercator_grid;
use crate::tile::dropping::FULL_ZOOM;
use crate::tile::dropping::MOST_POINTS;

/// The highest zoom that may be clustered.
const DEEPEST: u32 = FULL_ZOOM as u32 - 1;

/// Points in the fullest tile, by zoom.
#[derive(Debug)]
pub struct Density([u32; FULL_ZOOM as usize]);

/// The points of a row group in each tile of the highest zoom that may be clustered.
#[derive(Debug)]
struct Counts(Vec<((u32, u32), u32)>);

impl HeldBytes for Density {
    fn held_bytes(&self) -> usize {
        size_of::<Self>()
    }
}

impl Density {
    /// The density of a collection, computed when first needed and held with its rows.
    pub fn of(collection: &CollectionView) -> std::sync::Arc<Self> {
        collection.derive(|collection| {
            let mut tiles: HashMap<(u32, u32), u32> = HashMap::new();
            for group in collection.groups() {
                for (tile, count) in &group.derive(counts).0 {
                    *tiles.entry(*tile).or_default() += count;
                }
            }
            let mut fullest = [0; FULL_ZOOM as usize];
            for most in fullest.iter_mut().rev() {
                *most = tiles.values().copied().max().unwrap_or(0);
                let mut above = HashMap::with_capacity(tiles.len() / 2);
                for ((x, y), count) in tiles {
                    *above.entry((x / 2, y / 2)).or_default() += count;
                }
                tiles = above;
            }
            Self(fullest)
        })
    }

    /// Whether the density is computed already, or the collection is so small that this takes no time.
    pub fn is_at_hand(collection: &CollectionView) -> bool {
        collection.rows() <= u64::from(MOST_POINTS) || collection.has_derived::<Self>()
    }

    /// The number of points in the fullest tile of a zoom; 0 from zoom 12 on, where nothing is clustered.
    pub fn fullest(&self, zoom: u8) -> u32 {
        self.0.get(usize::from(zoom)).copied().unwrap_or(0)
    }
}

impl HeldBytes for Counts {
    fn held_bytes(&self) -> usize {
        self.0.len() * size_of::<((u32, u32), u32)>()
    }
}

fn counts(group: &RowGroup) -> Counts {
    let mut tiles: HashMap<(u32, u32), u32> = HashMap::new();
    let mut count =
        |x: u32, y: u32| *tiles.entry((x >> (32 - DEEPEST), y >> (32 - DEEPEST))).or_default() += 1;
    if let Some(places) = group.mercator() {
        places.iter().filter(|[_, y]| *y != u32::MAX).for_each(|[x, y]| count(*x, *y));
    } else {
        let geometries = (0..group.located()).filter_map(|row| group.geometry(row));
        for geometry in geometries.filter(|geometry| geometry.kind.broad() == GeometryKind::Point) {
            if let Some((x, y)) = geometry.positions.first().and_then(|position| mercator_grid(*position)) {
                count(x, y);
            }
        }
    }
    Counts(tiles.into_iter().collect())
}
