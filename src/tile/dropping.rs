//! Feature dropping and clustering: what a tile leaves out so that it stays within its size.
//!
//! At every zoom, texts are left out before geometries. If a layer is too large, its longest texts are left out first,
//! as few as possible, but never a text of at most [`SHORT_TEXT`] bytes: names, codes and numbers stay. The property
//! `left_out` names the fields that a feature lost; the feature as an item has all of them.
//!
//! Below zoom 12 a tile has at most 500,000 bytes. If a layer is still too large, its smallest lines and polygons are
//! dropped, and points near each other are drawn as one cluster point that has their number in `count`. If one tile of
//! a zoom would have more than [`MOST_POINTS`] points, the layer is clustered in every tile of that zoom.
//!
//! From zoom 12 on a tile has at most 2,000,000 bytes and no feature is dropped. Above that, all properties are left
//! out, then vertices, and points on the same grid cells become one; what still does not fit is drawn as cluster
//! points.
//!
//! The layers of a tile share its bytes equally; a layer that needs less than its part leaves the rest to the others.

use hashbrown::HashMap;

use crate::access::CollectionView;
use crate::filter::Bound;
use crate::model::GeometryKind;
use crate::query::RowRef;
use crate::query::count;
use crate::tile::density::Density;
use crate::tile::encode::Geometry;
use crate::tile::grid::TileCoord;
use crate::tile::layer::Feature;
use crate::tile::layer::Properties;
use crate::tile::layer::Rows;
use crate::tile::layer::Written;
use crate::tile::layer::write;
use crate::tile::layer::write_all;

/// The first zoom at which no feature is dropped.
pub const FULL_ZOOM: u8 = 12;
/// The most bytes of a tile below [`FULL_ZOOM`].
pub const LOW_ZOOM_BYTES: usize = 500_000;
/// The most bytes of a tile from [`FULL_ZOOM`] on.
pub const FULL_ZOOM_BYTES: usize = 2_000_000;
/// If one tile of a zoom would have more points than this, the layer is clustered at that zoom.
pub const MOST_POINTS: u32 = 8_000;
/// The most bytes of a text that counts as short, such as the name of a place or a street.
pub const SHORT_TEXT: usize = 64;
/// The side of the smallest cluster square in grid cells, as a power of two: 16 pixels on a tile of 512 pixels.
const CLUSTER_BITS: u32 = 7;
/// At this side a whole tile and its buffer fall into one square.
const WHOLE_BITS: u32 = 13;

/// Whether features may be dropped from a tile that would be too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeatureDropping {
    /// Texts and features are left out until the tile has its size: [`LOW_ZOOM_BYTES`] or [`FULL_ZOOM_BYTES`].
    ToSize,
    /// Nothing is left out: every feature is in every tile that it reaches, whatever the tile's size.
    None,
}

/// A layer of a tile: a collection, and which of its rows.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    /// The collection.
    pub collection: &'a CollectionView,
    /// The rows that match this, which is bound to the collection.
    pub filter: &'a Bound,
}

impl<'a> Layer<'a> {
    /// All rows of a collection.
    #[must_use]
    pub fn whole(collection: &'a CollectionView) -> Self {
        Self { collection, filter: Bound::everything() }
    }

    fn rows(&self, at: TileCoord) -> Rows<'a> {
        Rows::of(self.collection, self.filter, at)
    }

    /// Whether its points are clustered at a zoom. Few rows are not, wherever they stand, in any tile.
    #[must_use]
    pub fn is_clustered(&self, zoom: u8) -> bool {
        is_clustered(self.collection, zoom)
            && (self.filter.is_everything() || count(self.collection, self.filter) > u64::from(MOST_POINTS))
    }
}

/// The bytes of a tile (Mapbox Vector Tile 2.1) with one layer for each collection; empty if no feature reaches it.
///
/// `properties` names the properties to write; `None` means all.
#[must_use]
pub fn tile(
    layers: &[Layer<'_>],
    at: TileCoord,
    properties: Option<&[String]>,
    dropping: FeatureDropping,
) -> Vec<u8> {
    if dropping == FeatureDropping::None {
        let properties = Properties::new(properties);
        let layer = |layer: &Layer<'_>| write_all(&layer.rows(at), properties, at.z, usize::MAX);
        return joined(layers.iter().filter_map(layer).map(|written| written.bytes));
    }
    let budget = if at.z < FULL_ZOOM { LOW_ZOOM_BYTES } else { FULL_ZOOM_BYTES };
    within(layers, at, properties, budget)
}

fn within(layers: &[Layer<'_>], at: TileCoord, properties: Option<&[String]>, budget: usize) -> Vec<u8> {
    let properties = Properties::new(properties);
    let rows: Vec<Rows<'_>> = layers.iter().map(|layer| layer.rows(at)).collect();
    let clustered: Vec<bool> = layers.iter().map(|layer| layer.is_clustered(at.z)).collect();
    let write = |(rows, is_clustered): (&Rows<'_>, &bool)| {
        if *is_clustered {
            Some(drop_least(rows, properties, budget))
        } else {
            write_all(rows, properties, at.z, budget).map(|written| written.bytes)
        }
    };
    let mut written: Vec<Option<Vec<u8>>> = rows.iter().zip(&clustered).map(write).collect();
    let sizes: Vec<usize> = written.iter().map(|layer| layer.as_ref().map_or(usize::MAX, Vec::len)).collect();
    let limit = budget_share(&sizes, budget);
    for ((layer, rows), is_clustered) in written.iter_mut().zip(&rows).zip(clustered) {
        if layer.as_ref().is_none_or(|layer| layer.len() > limit) {
            let whole = |properties: Properties<'_>| write_all(rows, properties, at.z, limit);
            let shortened = if is_clustered { None } else { shortened(properties, limit, whole) };
            *layer = Some(shortened.unwrap_or_else(|| {
                if at.z < FULL_ZOOM {
                    drop_least(rows, properties, limit)
                } else {
                    squeeze(rows, properties, limit)
                }
            }));
        }
    }
    joined(written.into_iter().flatten())
}

/// The layers as one tile, in the given order.
fn joined(mut layers: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut tile = layers.next().unwrap_or_default();
    layers.for_each(|layer| tile.extend_from_slice(&layer));
    tile
}

/// Whether the points of a collection are clustered at a zoom. All tiles of the zoom have the same answer.
#[must_use]
pub fn is_clustered(collection: &CollectionView, zoom: u8) -> bool {
    zoom < FULL_ZOOM && Density::of(collection).fullest(zoom) > MOST_POINTS
}

/// The most bytes that each layer may have so that all fit the budget: layers below it leave their rest to the others.
fn budget_share(sizes: &[usize], budget: usize) -> usize {
    let mut sorted = sizes.to_vec();
    sorted.sort_unstable();
    let mut left = budget;
    for (place, size) in sorted.iter().enumerate() {
        let part = left / (sorted.len() - place);
        if *size > part {
            return part;
        }
        left -= size;
    }
    budget
}

/// The layer in at most `limit` bytes, without its longest texts, as few of them as possible; `None` if it is larger
/// even without any text above [`SHORT_TEXT`].
fn shortened(
    properties: Properties<'_>,
    limit: usize,
    write: impl Fn(Properties<'_>) -> Option<Written>,
) -> Option<Vec<u8>> {
    let short = write(properties.up_to(SHORT_TEXT))?;
    // The remaining bytes are used for the shortest of the long texts.
    let longest = short.left.longest_that_fit(limit - short.bytes.len());
    let more = if longest > 0 { write(properties.up_to(longest)) } else { None };
    Some(more.unwrap_or(short).bytes)
}

/// The layer with all texts if it fits into `limit` bytes, else as [`shortened`].
fn fitted(
    properties: Properties<'_>,
    limit: usize,
    write: impl Fn(Properties<'_>) -> Option<Written>,
) -> Option<Vec<u8>> {
    write(properties).map(|written| written.bytes).or_else(|| shortened(properties, limit, write))
}

/// The layer in at most `limit` bytes with its largest lines and polygons and with all points, clustered as little as
/// possible.
fn drop_least(rows: &Rows<'_>, properties: Properties<'_>, limit: usize) -> Vec<u8> {
    let (points, geometries): (Vec<RowRef>, Vec<RowRef>) =
        rows.near.iter().partition(|at| rows.is_point(**at));
    let part = if points.is_empty() { limit } else { limit / 2 };
    let most = |properties: Properties<'_>| {
        greatest(rows, geometries.clone(), rows.at.z, |geometries| {
            write(rows, geometries, properties, part).is_some()
        })
    };
    let mut drawn = most(properties.up_to(SHORT_TEXT));
    if drawn.is_empty() && !geometries.is_empty() {
        drawn = most(properties.left_out());
    }
    together(rows, drawn, &points, properties, limit)
}

/// The largest geometries, as many as `fits` allows. The size is that of the whole feature and not of its part on the
/// tile, so that neighbouring tiles draw the same features.
fn greatest(
    rows: &Rows<'_>,
    mut geometries: Vec<RowRef>,
    zoom: u8,
    fits: impl Fn(&[Feature]) -> bool,
) -> Vec<Feature> {
    let size = |at: &RowRef| {
        let bounds = rows.group(*at).row_bounds(at.row as usize);
        (i64::from(bounds.east) - i64::from(bounds.west))
            + (i64::from(bounds.north) - i64::from(bounds.south))
    };
    geometries.sort_by_cached_key(|at| std::cmp::Reverse(size(at)));
    let mut features: Vec<Feature> = Vec::new();
    let mut clipped = 0;
    // The number is doubled until the features no longer fit; then bisection finds the exact number.
    let mut step = 64;
    let mut fitting = 0;
    loop {
        while features.len() < fitting + step && clipped < geometries.len() {
            let at = geometries[clipped];
            clipped += 1;
            features.extend(rows.geometry(at, zoom).map(|geometry| Feature { at, geometry, count: None }));
        }
        if !fits(&features) {
            break;
        }
        fitting = features.len();
        if clipped == geometries.len() {
            return features;
        }
        step *= 2;
    }
    let (mut low, mut high) = (fitting, features.len());
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        if fits(&features[..middle]) {
            low = middle;
        } else {
            high = middle;
        }
    }
    features.truncate(low);
    features
}

/// The layer with these geometries and with the points, clustered in the smallest squares that fit into `limit` bytes.
fn together(
    rows: &Rows<'_>,
    mut geometries: Vec<Feature>,
    points: &[RowRef],
    properties: Properties<'_>,
    limit: usize,
) -> Vec<u8> {
    let geometry_count = geometries.len();
    // A thousand fields of short texts may be more than a tile holds: then all properties are left out too.
    for properties in [properties, properties.left_out()] {
        for bits in CLUSTER_BITS..=WHOLE_BITS {
            geometries.truncate(geometry_count);
            geometries.extend(clusters(rows, points, bits));
            if let Some(layer) =
                fitted(properties, limit, |properties| write(rows, &geometries, properties, limit))
            {
                return layer;
            }
        }
    }
    // Not even one cluster fits: there are so many layers that each has less than a hundred bytes.
    Vec::new()
}

/// The layer from zoom 12 on: every feature, in at most `limit` bytes.
fn squeeze(rows: &Rows<'_>, properties: Properties<'_>, limit: usize) -> Vec<u8> {
    let none = properties.left_out();
    if let Some(layer) = write_all(rows, none, rows.at.z, limit) {
        return layer.bytes;
    }
    let (points, geometries): (Vec<RowRef>, Vec<RowRef>) =
        rows.near.iter().partition(|at| rows.is_point(**at));
    for step in 0..=u32::from(rows.at.z).min(8) {
        let zoom = rows.at.z - step as u8;
        let mut features: Vec<Feature> = geometries
            .iter()
            .filter_map(|at| Some(Feature { at: *at, geometry: rows.geometry(*at, zoom)?, count: None }))
            .collect();
        features.extend(clusters(rows, &points, step));
        if let Some(layer) = write(rows, &features, none, limit) {
            return layer.bytes;
        }
    }
    let zoom = rows.at.z.saturating_sub(8);
    let largest =
        greatest(rows, geometries.clone(), zoom, |features| write(rows, features, none, limit / 2).is_some());
    let drawn: hashbrown::HashSet<RowRef> = largest.iter().map(|feature| feature.at).collect();
    let mut rest = points;
    rest.extend(geometries.into_iter().filter(|at| !drawn.contains(at)));
    together(rows, largest, &rest, none, limit)
}

/// Clusters of rows: rows are in one cluster if their first places on the tile fall into the same square of 2^bits grid
/// cells. The cluster's point is the mean of those places; `count` is the number of rows.
fn clusters(rows: &Rows<'_>, members: &[RowRef], bits: u32) -> Vec<Feature> {
    struct Cluster {
        first: RowRef,
        x: i64,
        y: i64,
        count: i64,
    }
    let mut places: HashMap<(i64, i64), usize> = HashMap::new();
    let mut out: Vec<Cluster> = Vec::new();
    for at in members {
        let Some((x, y)) = first_place(rows, *at) else { continue };
        let cluster = *places.entry((x >> bits, y >> bits)).or_insert_with(|| {
            out.push(Cluster { first: *at, x: 0, y: 0, count: 0 });
            out.len() - 1
        });
        let cluster = &mut out[cluster];
        cluster.x += x;
        cluster.y += y;
        cluster.count += 1;
    }
    out.into_iter()
        .map(|cluster| {
            let place = (cluster.x.div_euclid(cluster.count), cluster.y.div_euclid(cluster.count));
            Feature {
                at: cluster.first,
                geometry: Geometry { kind: GeometryKind::Point, parts: vec![vec![place]] },
                count: Some(cluster.count as u64),
            }
        })
        .collect()
}

fn first_place(rows: &Rows<'_>, at: RowRef) -> Option<(i64, i64)> {
    let geometry = rows.geometry(at, 0).or_else(|| rows.geometry(at, rows.at.z))?;
    geometry.parts.first()?.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_layers_leave_bytes_to_large_ones() {
        assert_eq!(budget_share(&[10, 20, 30], 100), 100);
        assert_eq!(budget_share(&[10, usize::MAX], 100), 90);
        assert_eq!(budget_share(&[10, 60, 70], 100), 45);
        assert_eq!(budget_share(&[usize::MAX; 4], 100), 25);
    }
}
