//! A tile within its size: what goes first when there is too much.
//!
//! At every zoom text goes before geometry: of a layer that takes too much the longest texts are left out first, as
//! many as must go, down to those of more than [`SHORT_TEXT`] bytes; `left_out` names the fields that a feature lost,
//! and the feature as an item has them whole. Names, codes and numbers are short and stay.
//!
//! Below zoom 12 a tile has at most 500,000 bytes: of a layer that still takes too much the smallest lines and areas
//! are dropped, and points near one another become one with their number in `count`; so they do in every tile of a
//! zoom at which one tile would have more than [`MOST_POINTS`] of them. From zoom 12 on nothing is dropped: above
//! 2,000,000 bytes all properties go, then vertices, then points that fall on one another become one; what still does
//! not fit stands as points with `count`. Layers that share a tile share its bytes: a layer that needs less than its
//! part leaves the rest to the others.

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

/// The first zoom at which nothing is dropped.
pub const FULL_ZOOM: u8 = 12;
/// The most bytes of a tile below it.
pub const LOW_ZOOM_BYTES: usize = 500_000;
/// And from it on.
pub const FULL_ZOOM_BYTES: usize = 2_000_000;
/// More points than this in one tile of a zoom, and the layer is clustered at that zoom.
pub const MOST_POINTS: u32 = 8_000;
/// Texts of at most so many bytes are not long: the name of a place or a street is one of them.
pub const SHORT_TEXT: usize = 64;
/// The side of a cluster's square at first, in grid cells as a power of two: 16 pixels on a tile of 512.
const CLUSTER_BITS: u32 = 7;
/// A whole tile and its buffer are one cluster at this size.
const WHOLE_BITS: u32 = 13;

/// What happens where a tile would be too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinning {
    /// It is kept within its size.
    ToSize,
    /// Nothing: every feature is in every tile that it reaches, however large that gets.
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
    fn is_clustered(&self, zoom: u8) -> bool {
        is_clustered(self.collection, zoom)
            && (self.filter.is_everything() || count(self.collection, self.filter) > u64::from(MOST_POINTS))
    }
}

/// The tile of several layers; empty where nothing reaches it.
#[must_use]
pub fn tile(
    layers: &[Layer<'_>],
    at: TileCoord,
    properties: Option<&[String]>,
    thinning: Thinning,
) -> Vec<u8> {
    if thinning == Thinning::None {
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
    let limit = share(&sizes, budget);
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

/// One layer after the other.
fn joined(mut layers: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut tile = layers.next().unwrap_or_default();
    layers.for_each(|layer| tile.extend_from_slice(&layer));
    tile
}

/// Whether the points of a collection are clustered at a zoom, whatever a single tile has.
#[must_use]
pub fn is_clustered(collection: &CollectionView, zoom: u8) -> bool {
    zoom < FULL_ZOOM && Density::of(collection).fullest(zoom) > MOST_POINTS
}

/// The greatest size such that layers cut to it fit the budget together.
fn share(sizes: &[usize], budget: usize) -> usize {
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

/// What `write` makes in `limit` bytes without the longest texts, as few as must go; `None` if it takes more without
/// any long text.
fn shortened(
    properties: Properties<'_>,
    limit: usize,
    write: impl Fn(Properties<'_>) -> Option<Written>,
) -> Option<Vec<u8>> {
    let short = write(properties.up_to(SHORT_TEXT))?;
    // What is left of the room goes to the shortest of them.
    let longest = short.left.longest_that_fit(limit - short.bytes.len());
    let more = if longest > 0 { write(properties.up_to(longest)) } else { None };
    Some(more.unwrap_or(short).bytes)
}

/// As [`shortened`], or with all texts if they fit.
fn fitted(
    properties: Properties<'_>,
    limit: usize,
    write: impl Fn(Properties<'_>) -> Option<Written>,
) -> Option<Vec<u8>> {
    write(properties).map(|written| written.bytes).or_else(|| shortened(properties, limit, write))
}

/// Within `limit`: the greatest lines and areas, and all points, clustered as far as they must be.
fn drop_least(rows: &Rows<'_>, properties: Properties<'_>, limit: usize) -> Vec<u8> {
    let (points, geometries): (Vec<RowRef>, Vec<RowRef>) =
        rows.near.iter().partition(|at| rows.is_point(**at));
    let part = if points.is_empty() { limit } else { limit / 2 };
    let most = |properties: Properties<'_>| {
        greatest(rows, geometries.clone(), rows.at.z, |geometries| {
            write(rows, geometries, properties, part).is_some()
        })
    };
    let mut kept = most(properties.up_to(SHORT_TEXT));
    if kept.is_empty() && !geometries.is_empty() {
        kept = most(properties.left_out());
    }
    together(rows, kept, &points, properties, limit)
}

/// The longest run of the greatest geometries that `fits`; a size is a feature's own, so that neighbouring tiles agree.
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
    let mut kept: Vec<Feature> = Vec::new();
    let mut cut = 0;
    // Doubling until it is too much, then halving to the exact number.
    let mut step = 64;
    let mut fitting = 0;
    loop {
        while kept.len() < fitting + step && cut < geometries.len() {
            let at = geometries[cut];
            cut += 1;
            kept.extend(rows.geometry(at, zoom).map(|geometry| Feature { at, geometry, count: None }));
        }
        if !fits(&kept) {
            break;
        }
        fitting = kept.len();
        if cut == geometries.len() {
            return kept;
        }
        step *= 2;
    }
    let (mut low, mut high) = (fitting, kept.len());
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        if fits(&kept[..middle]) {
            low = middle;
        } else {
            high = middle;
        }
    }
    kept.truncate(low);
    kept
}

/// Geometries, and points clustered in the smallest squares that fit the limit.
fn together(
    rows: &Rows<'_>,
    mut geometries: Vec<Feature>,
    points: &[RowRef],
    properties: Properties<'_>,
    limit: usize,
) -> Vec<u8> {
    let kept = geometries.len();
    // A thousand fields of short texts may be more than a tile holds: then they go, as long texts did.
    for properties in [properties, properties.left_out()] {
        for bits in CLUSTER_BITS..=WHOLE_BITS {
            geometries.truncate(kept);
            geometries.extend(clusters(rows, points, bits));
            if let Some(layer) =
                fitted(properties, limit, |properties| write(rows, &geometries, properties, limit))
            {
                return layer;
            }
        }
    }
    // Not even one cluster fits beside the geometries, or alone: a layer of many has less than a hundred bytes then.
    Vec::new()
}

/// From zoom 12 on: every feature in `limit` bytes.
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
    let kept = greatest(rows, geometries.clone(), zoom, |kept| write(rows, kept, none, limit / 2).is_some());
    let drawn: hashbrown::HashSet<RowRef> = kept.iter().map(|feature| feature.at).collect();
    let mut rest = points;
    rest.extend(geometries.into_iter().filter(|at| !drawn.contains(at)));
    together(rows, kept, &rest, none, limit)
}

/// One point for all rows whose first place on the tile falls in the same square of 2^bits cells, at the middle of
/// those places, with their number; a row alone stays where it is.
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
    fn small_layers_leave_their_part_to_large_ones() {
        assert_eq!(share(&[10, 20, 30], 100), 100);
        assert_eq!(share(&[10, usize::MAX], 100), 90);
        assert_eq!(share(&[10, 60, 70], 100), 45);
        assert_eq!(share(&[usize::MAX; 4], 100), 25);
    }
}
