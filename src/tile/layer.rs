//! One layer of a tile: the rows of a collection that reach the tile, cut to it, with their properties.

use crate::access::CollectionView;
use crate::access::RowGroup;
use crate::model::GeometryKind;
use crate::model::geometry::Bounds;
use crate::query::RowRef;
use crate::tile::encode::Geometry;
use crate::tile::encode::LayerWriter;
use crate::tile::generalise::Detail;
use crate::tile::geometry::on_grid;
use crate::tile::grid::TileCoord;
use crate::tile::ids::TileIds;
use crate::tile::ids::make_unique;
use crate::tile::tags::Tagger;
use crate::tile::thin::FULL_ZOOM;

/// Rows of a collection that may be on a tile, in the order everywhere.
#[derive(Debug)]
pub struct Rows<'a> {
    /// The collection.
    pub collection: &'a CollectionView,
    /// The tile.
    pub at: TileCoord,
    /// Points on the tile, and shapes whose box meets it.
    pub near: Vec<RowRef>,
    /// Row groups that have any of them.
    met: Vec<usize>,
    /// Vertices of the row groups that hold shapes.
    details: Vec<Option<Detail>>,
}

/// A feature ready to be written.
#[derive(Debug)]
pub struct Feature {
    /// Its row, or the first row of a cluster.
    pub at: RowRef,
    /// Its geometry on the tile.
    pub geometry: Geometry,
    /// How many features it stands for, where the layer is clustered.
    pub count: Option<u64>,
}

impl<'a> Rows<'a> {
    /// Those of a tile.
    pub fn of(collection: &'a CollectionView, at: TileCoord) -> Self {
        let (windows, square) = (at.windows(), at.square());
        let groups = collection.groups();
        let (mut rows, mut details) = (Vec::new(), vec![None; groups.len()]);
        let mut met: Vec<usize> = Vec::new();
        for (place, group) in groups.iter().enumerate() {
            if !collection.reaches(place, &windows) {
                continue;
            }
            let first = rows.len();
            let row_at = |row: usize| RowRef { group: place as u32, row: row as u32 };
            match group.mercator() {
                Some(places) => group.pyramid().visit(&windows, &mut |run, _| {
                    for (chunk, places) in places[run.clone()].chunks(64).enumerate() {
                        let first = run.start + chunk * 64;
                        // A bit each, so that there is no branch to guess at the tile's edge.
                        let bit = |(at, place): (usize, &[u32; 2])| u64::from(square.holds(*place)) << at;
                        let mut held: u64 = places.iter().enumerate().map(bit).sum();
                        while held != 0 {
                            rows.push(row_at(first + held.trailing_zeros() as usize));
                            held &= held - 1;
                        }
                    }
                }),
                None => group.pyramid().visit(&windows, &mut |run, inside| {
                    let meets = |window: &Bounds, row| window.intersects(&group.row_bounds(row));
                    let here = |row: &usize| inside || windows.iter().any(|window| meets(window, *row));
                    rows.extend(run.filter(here).map(row_at));
                }),
            }
            if rows.len() > first {
                met.push(place);
                if group.mercator().is_none() {
                    details[place] = Some(Detail::of(collection, place));
                }
            }
        }
        // How rows are parted into groups may depend on rows that are not there to be seen; their order does not.
        let key = |at: &RowRef| groups[at.group as usize].key(at.row as usize);
        let last = |group: usize| groups[group].key(groups[group].len() - 1);
        if met.windows(2).any(|pair| last(pair[0]) > groups[pair[1]].key(0)) {
            rows.sort_unstable_by_key(key);
        }
        Self { collection, at, near: rows, met, details }
    }

    /// The group of a row.
    pub fn group(&self, at: RowRef) -> &'a RowGroup {
        &self.collection.groups()[at.group as usize]
    }

    /// Whether a row is a point or several.
    pub fn is_point(&self, at: RowRef) -> bool {
        let group = self.group(at);
        let shape = || group.shape(at.row as usize);
        group.mercator().is_some() || shape().is_some_and(|shape| shape.kind.broad() == GeometryKind::Point)
    }

    /// A row's geometry on the tile, with the vertices that `zoom` needs.
    pub fn geometry(&self, at: RowRef, zoom: u8) -> Option<Geometry> {
        let (group, row) = (self.group(at), at.row as usize);
        if let Some(place) = point(group, row, self.at) {
            return Some(Geometry { kind: GeometryKind::Point, parts: vec![vec![place]] });
        }
        on_grid(group.shape(row)?, self.details[at.group as usize].as_ref()?, self.at, zoom)
    }
}

/// The place of a row of a group of points; `None` for other groups and beyond the Mercator square.
fn point(group: &RowGroup, row: usize, at: TileCoord) -> Option<(i64, i64)> {
    let [x, y] = *group.mercator()?.get(row)?;
    (y != u32::MAX).then(|| at.place(x, y))
}

/// Properties to carry.
#[derive(Debug, Clone, Copy)]
pub enum Properties<'a> {
    /// All of the layer.
    All,
    /// Those named.
    Named(&'a [String]),
    /// None.
    None,
}

/// Tile ids of so many rows, unique within the layer.
fn unique_ids(rows: &Rows<'_>, count: usize, row_at: impl Fn(usize) -> RowRef) -> Vec<u64> {
    let mut known: Option<(u32, std::sync::Arc<TileIds>)> = None;
    let mut ids = Vec::with_capacity(count);
    for RowRef { group, row } in (0..count).map(&row_at) {
        let of_group = match &known {
            Some((known, ids)) if *known == group => ids,
            _ => &known.insert((group, TileIds::of(&rows.collection.groups()[group as usize]))).1,
        };
        ids.push(of_group.get(row as usize));
    }
    make_unique(&mut ids, |at| rows.group(row_at(at)).id(row_at(at).row as usize));
    ids
}

/// What makes the tags of a layer's features; `clustered` if some stand for several rows.
fn tagger<'a>(rows: &Rows<'a>, properties: Properties<'_>, clustered: bool) -> Tagger<'a> {
    let tagger = |wanted| Tagger::new(rows.collection, wanted, rows.near.len(), &rows.met);
    let tagger = match properties {
        Properties::All => tagger(None),
        Properties::Named(names) => tagger(Some(names)),
        Properties::None => Tagger::new(rows.collection, Some(&[]), 0, &[]),
    };
    if rows.at.z < FULL_ZOOM || clustered { tagger.without_count() } else { tagger }
}

fn finish(layer: Box<LayerWriter>, rows: &Rows<'_>, limit: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    layer.finish(&rows.collection.schema().id, &mut out);
    layer.leave();
    (out.len() <= limit).then_some(out)
}

/// Writes features as a layer of at most `limit` bytes; `None` if they take more.
pub fn write(
    rows: &Rows<'_>,
    features: &[Feature],
    properties: Properties<'_>,
    limit: usize,
) -> Option<Vec<u8>> {
    let ids = unique_ids(rows, features.len(), |at| features[at].at);
    let mut layer = LayerWriter::empty();
    let clustered = features.iter().any(|feature| feature.count.is_some());
    let mut tagger = tagger(rows, properties, clustered);
    let mut tags = Vec::new();
    for (feature, id) in features.iter().zip(ids) {
        tags.clear();
        if feature.count.is_none_or(|count| count == 1) {
            tagger.row(&mut layer, feature.at.group, feature.at.row as usize, &mut tags);
        }
        if let Some(count) = feature.count {
            tagger.count(&mut layer, count, &mut tags);
        }
        layer.feature(id, &tags, &feature.geometry);
        if layer.bytes() > limit {
            return None;
        }
    }
    finish(layer, rows, limit)
}

/// As [`write_all`], for rows that are all points of groups of points.
fn write_points(rows: &Rows<'_>, properties: Properties<'_>, limit: usize) -> Option<Vec<u8>> {
    let ids = unique_ids(rows, rows.near.len(), |at| rows.near[at]);
    let mut layer = LayerWriter::empty();
    let mut tagger = tagger(rows, properties, false);
    let mut tags = Vec::new();
    for (at, id) in rows.near.iter().zip(ids) {
        let row = at.row as usize;
        let Some(place) = point(rows.group(*at), row, rows.at) else { continue };
        tags.clear();
        tagger.row(&mut layer, at.group, row, &mut tags);
        layer.point(id, &tags, place);
        if layer.bytes() > limit {
            return None;
        }
    }
    finish(layer, rows, limit)
}

/// Writes every row as it is, within `limit` bytes, without holding all geometries at once; `None` if they take more.
pub fn write_all(rows: &Rows<'_>, properties: Properties<'_>, zoom: u8, limit: usize) -> Option<Vec<u8>> {
    // A feature has ten bytes at least: more than this cannot fit, and need not be cut first.
    if rows.near.len() > limit / 10 && rows.near.iter().all(|at| rows.is_point(*at)) {
        return None;
    }
    if rows.near.iter().all(|at| rows.group(*at).mercator().is_some()) {
        return write_points(rows, properties, limit);
    }
    // Each is written as soon as it is cut: its room is the next one's.
    let ids = unique_ids(rows, rows.near.len(), |at| rows.near[at]);
    let mut layer = LayerWriter::empty();
    let mut tagger = tagger(rows, properties, false);
    let mut tags = Vec::new();
    for (at, id) in rows.near.iter().zip(ids) {
        let Some(geometry) = rows.geometry(*at, zoom) else { continue };
        tags.clear();
        tagger.row(&mut layer, at.group, at.row as usize, &mut tags);
        layer.feature(id, &tags, &geometry);
        if layer.bytes() > limit {
            return None;
        }
    }
    finish(layer, rows, limit)
}
