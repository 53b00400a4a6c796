//! One layer of a tile: the rows of a collection that reach the tile, clipped to it, with their properties.

use crate::access::BLOCK_ROWS;
use crate::access::CollectionView;
use crate::access::RowGroup;
use crate::filter::Bound;
use crate::model::GeometryKind;
use crate::model::geometry::Bounds;
use crate::query::RowRef;
use crate::tile::dropping::FULL_ZOOM;
use crate::tile::encode::Geometry;
use crate::tile::encode::LayerWriter;
use crate::tile::generalise::Detail;
use crate::tile::geometry::on_grid;
use crate::tile::grid::TileCoord;
use crate::tile::ids::TileIds;
use crate::tile::left_out::LeftOut;
use crate::tile::tags::Tagger;

/// The rows of a collection that may be on a tile and match a filter, in canonical order.
#[derive(Debug)]
pub struct Rows<'a> {
    /// The collection.
    pub collection: &'a CollectionView,
    /// The tile.
    pub at: TileCoord,
    /// The rows: points on the tile, and other geometries if their bounding box meets the tile.
    pub near: Vec<RowRef>,
    /// Indexes of the row groups that contain any of these rows.
    met: Vec<usize>,
    /// The vertices of each row group in `met` that is not a group of points.
    details: Vec<Option<Detail>>,
}

/// A feature that is ready to be written.
#[derive(Debug)]
pub struct Feature {
    /// The row of the feature, or the first row of a cluster.
    pub at: RowRef,
    /// The geometry on the tile.
    pub geometry: Geometry,
    /// The number of rows that the feature stands for, if it is a cluster.
    pub count: Option<u64>,
}

impl<'a> Rows<'a> {
    /// Finds the rows of a tile that match `filter`, which is bound to the collection.
    pub fn of(collection: &'a CollectionView, filter: &Bound, at: TileCoord) -> Self {
        let (windows, square) = (at.windows(), at.square());
        let groups = collection.groups();
        let (mut rows, mut details) = (Vec::new(), vec![None; groups.len()]);
        let mut met: Vec<usize> = Vec::new();
        for (place, group) in groups.iter().enumerate() {
            if !collection.reaches(place, &windows) {
                continue;
            }
            let first = rows.len();
            let masks = (!filter.is_everything()).then(|| filter.masks(collection, place));
            let row_at = |row: usize| RowRef { group: place as u32, row: row as u32 };
            match group.mercator() {
                Some(places) => group.pyramid().visit(&windows, &mut |run, _| {
                    for (chunk, places) in places[run.clone()].chunks(BLOCK_ROWS).enumerate() {
                        let first = run.start + chunk * BLOCK_ROWS;
                        // One bit for each row: without branches, the tile's edge costs no wrong branch predictions.
                        let bit = |(at, place): (usize, &[u32; 2])| u64::from(square.holds(*place)) << at;
                        let mut held: u64 = places.iter().enumerate().map(bit).sum();
                        if let Some(masks) = &masks {
                            held = masks.mask_of(first / BLOCK_ROWS, held).yes;
                        }
                        while held != 0 {
                            rows.push(row_at(first + held.trailing_zeros() as usize));
                            held &= held - 1;
                        }
                    }
                }),
                None => group.pyramid().visit(&windows, &mut |run, inside| {
                    let meets = |window: &Bounds, row| window.intersects(&group.row_bounds(row));
                    let here = |row: &usize| inside || windows.iter().any(|window| meets(window, *row));
                    let Some(masks) = &masks else { return rows.extend(run.filter(here).map(row_at)) };
                    for start in run.clone().step_by(BLOCK_ROWS) {
                        let block = start..(start + BLOCK_ROWS).min(run.end);
                        let near = block.filter(here).fold(0, |bits, row| bits | 1 << (row % BLOCK_ROWS));
                        let held = masks.mask_of(start / BLOCK_ROWS, near).yes;
                        let is_held = |row: &usize| held >> (row % BLOCK_ROWS) & 1 == 1;
                        rows.extend((start..run.end.min(start + BLOCK_ROWS)).filter(is_held).map(row_at));
                    }
                }),
            }
            if rows.len() > first {
                met.push(place);
                if group.mercator().is_none() {
                    details[place] = Some(Detail::of(collection, place));
                }
            }
        }
        // How rows are partitioned into groups may depend on rows that the caller may not see. The order must not depend
        // on it, so rows of groups that overlap are sorted.
        let key = |at: &RowRef| groups[at.group as usize].key(at.row as usize);
        let last = |group: usize| groups[group].key(groups[group].len() - 1);
        if met.windows(2).any(|pair| last(pair[0]) > groups[pair[1]].key(0)) {
            rows.sort_unstable_by_key(key);
        }
        Self { collection, at, near: rows, met, details }
    }

    /// The row group of a row.
    pub fn group(&self, at: RowRef) -> &'a RowGroup {
        &self.collection.groups()[at.group as usize]
    }

    /// Whether a row's geometry is a point or a multi-point.
    pub fn is_point(&self, at: RowRef) -> bool {
        let group = self.group(at);
        let geometry = || group.geometry(at.row as usize);
        group.mercator().is_some()
            || geometry().is_some_and(|geometry| geometry.kind.broad() == GeometryKind::Point)
    }

    /// The geometry of a row on the tile, with the vertices that `zoom` draws; `None` if the row does not meet the tile.
    pub fn geometry(&self, at: RowRef, zoom: u8) -> Option<Geometry> {
        let (group, row) = (self.group(at), at.row as usize);
        if let Some(place) = point(group, row, self.at) {
            return Some(Geometry { kind: GeometryKind::Point, parts: vec![vec![place]] });
        }
        on_grid(group.geometry(row)?, self.details[at.group as usize].as_ref()?, self.at, zoom)
    }
}

/// The place on the tile of a row in a group of points; `None` for other groups and beyond the Mercator square.
fn point(group: &RowGroup, row: usize, at: TileCoord) -> Option<(i64, i64)> {
    let [x, y] = *group.mercator()?.get(row)?;
    (y != u32::MAX).then(|| at.place(x, y))
}

/// The properties to write.
#[derive(Debug, Clone, Copy)]
pub struct Properties<'a> {
    /// Names of the properties to write; `None` for all of the layer.
    wanted: Option<&'a [String]>,
    /// The most bytes of a text that is written; 0 leaves out all properties.
    longest: usize,
}

impl<'a> Properties<'a> {
    /// The properties with these names; `None` for all.
    pub fn new(wanted: Option<&'a [String]>) -> Self {
        Self { wanted, longest: usize::MAX }
    }

    /// The same properties without texts of more than `longest` bytes.
    pub fn up_to(self, longest: usize) -> Self {
        Self { longest: self.longest.min(longest.max(1)), ..self }
    }

    /// No properties.
    pub fn left_out(self) -> Self {
        Self { longest: 0, ..self }
    }
}

/// A finished layer of a tile.
#[derive(Debug)]
pub struct Written {
    /// The bytes of the layer.
    pub bytes: Vec<u8>,
    /// The texts that were left out.
    pub left: LeftOut,
}

/// The tagger of a layer's features. `clustered` says that some of them are clusters.
fn tagger<'a>(rows: &Rows<'a>, ids: &TileIds, properties: Properties<'_>, clustered: bool) -> Tagger<'a> {
    let Properties { wanted, longest } = properties;
    let mut tagger = Tagger::new(rows.collection, wanted, rows.near.len(), &rows.met);
    // A field that repeats the feature ids is written only if the request names it.
    if wanted.is_none() {
        tagger.retain(|field| !ids.is_copy(field));
    }
    let tagger = if rows.at.z < FULL_ZOOM || clustered { tagger.without_count() } else { tagger };
    if longest < usize::MAX { tagger.leaving_out(longest) } else { tagger }
}

fn finish(layer: Box<LayerWriter>, tagger: Tagger<'_>, rows: &Rows<'_>, limit: usize) -> Option<Written> {
    let mut bytes = Vec::new();
    layer.finish(&rows.collection.schema().id, &mut bytes);
    layer.leave();
    (bytes.len() <= limit).then(|| Written { bytes, left: tagger.into_left_out() })
}

/// Writes features as a layer of at most `limit` bytes; `None` if they take more.
pub fn write(
    rows: &Rows<'_>,
    features: &[Feature],
    properties: Properties<'_>,
    limit: usize,
) -> Option<Written> {
    let ids = TileIds::of(rows.collection);
    let mut layer = LayerWriter::empty();
    let clustered = features.iter().any(|feature| feature.count.is_some());
    let mut tagger = tagger(rows, &ids, properties, clustered);
    let mut tags = Vec::new();
    for feature in features {
        tags.clear();
        if feature.count.is_none_or(|count| count == 1) {
            tagger.row(&mut layer, feature.at.group, feature.at.row as usize, &mut tags);
        }
        if let Some(count) = feature.count {
            tagger.count(&mut layer, count, &mut tags);
        }
        layer.feature(ids.get(feature.at), &tags, &feature.geometry);
        if layer.bytes() > limit {
            return None;
        }
    }
    finish(layer, tagger, rows, limit)
}

/// As [`write_all`], for rows that are all in groups of points.
fn write_points(rows: &Rows<'_>, properties: Properties<'_>, limit: usize) -> Option<Written> {
    let ids = TileIds::of(rows.collection);
    let mut layer = LayerWriter::empty();
    let mut tagger = tagger(rows, &ids, properties, false);
    let mut tags = Vec::new();
    for at in &rows.near {
        let row = at.row as usize;
        let Some(place) = point(rows.group(*at), row, rows.at) else { continue };
        tags.clear();
        tagger.row(&mut layer, at.group, row, &mut tags);
        layer.point(ids.get(*at), &tags, place);
        if layer.bytes() > limit {
            return None;
        }
    }
    finish(layer, tagger, rows, limit)
}

/// Writes every row as a feature of its own, as a layer of at most `limit` bytes; `None` if they take more. Only one
/// geometry is in memory at a time.
pub fn write_all(rows: &Rows<'_>, properties: Properties<'_>, zoom: u8, limit: usize) -> Option<Written> {
    // A feature has at least ten bytes: more than this cannot fit.
    if rows.near.len() > limit / 10 && rows.near.iter().all(|at| rows.is_point(*at)) {
        return None;
    }
    if rows.near.iter().all(|at| rows.group(*at).mercator().is_some()) {
        return write_points(rows, properties, limit);
    }
    // Each geometry is written as soon as it is clipped, so that its memory is used again for the next one.
    let ids = TileIds::of(rows.collection);
    let mut layer = LayerWriter::empty();
    let mut tagger = tagger(rows, &ids, properties, false);
    let mut tags = Vec::new();
    for at in &rows.near {
        let Some(geometry) = rows.geometry(*at, zoom) else { continue };
        tags.clear();
        tagger.row(&mut layer, at.group, at.row as usize, &mut tags);
        layer.feature(ids.get(*at), &tags, &geometry);
        if layer.bytes() > limit {
            return None;
        }
    }
    finish(layer, tagger, rows, limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::testing;
    use crate::filter::Comparison;
    use crate::filter::Expr;
    use crate::filter::Scalar;
    use crate::model::CollectionSchema;
    use crate::model::Geometry;
    use crate::model::GeometryType;
    use crate::model::Row;
    use crate::model::Value;
    use crate::model::ValueRef;
    use crate::model::geometry::GeometryBuilder;

    /// A point, or a short line, near the middle of the tile 1/0/0's south-east.
    fn place(number: i64, is_line: bool) -> Geometry {
        let kind = if is_line { GeometryType::LineString } else { GeometryType::Point };
        let mut builder = GeometryBuilder::new(kind);
        let lon = -60.0 + number as f64 / 10.0;
        builder.position(lon, 40.0).unwrap();
        if is_line {
            builder.position(lon + 0.05, 41.0).unwrap();
        }
        builder.end_ring().unwrap();
        builder.end_part();
        builder.finish().unwrap()
    }

    #[test]
    fn a_layer_has_the_rows_of_its_tile_that_match() {
        let schema = "id='x'\nclass='layer'\ngeometry='any'\n[[field]]\nname='n'\ntype='integer'\n";
        let schema = CollectionSchema::parse(schema).unwrap();
        for lines in [false, true] {
            let row = |number: i64| Row {
                id: None,
                public_id: None,
                geometry: Some(place(number, lines)),
                values: vec![Value::Int(number)],
            };
            let view = testing::view(vec![(schema.clone(), vec![(0..200).map(row).collect()])]);
            let collection = view.collection("x").unwrap();
            let limit = Scalar::Literal(Value::Int(70));
            let few = Expr::Compare(Comparison::Less, Scalar::Property("n".to_owned()), limit);
            let at = TileCoord::new(1, 0, 0).unwrap();
            for (filter, count) in
                [(few.bind(&view, collection).unwrap(), 70), (Bound::everything().clone(), 200)]
            {
                let rows = Rows::of(collection, &filter, at);
                let number = |at: &RowRef| match rows.group(*at).value(0, at.row as usize) {
                    ValueRef::Int(number) => number,
                    other => unreachable!("{other:?}"),
                };
                let mut numbers: Vec<i64> = rows.near.iter().map(number).collect();
                numbers.sort_unstable();
                assert_eq!(numbers, (0..count).collect::<Vec<i64>>(), "lines: {lines}");
            }
        }
    }
}
