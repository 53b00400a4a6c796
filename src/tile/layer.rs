//! One layer of a tile: the rows of a collection that reach the tile, cut to it, with their properties.

use std::collections::HashSet;

use crate::access::CollectionView;
use crate::access::RowGroup;
use crate::model::GeometryKind;
use crate::model::ShapeRef;
use crate::model::ValueRef;
use crate::model::time;
use crate::tile::clip::Place;
use crate::tile::clip::area2;
use crate::tile::clip::clip_line;
use crate::tile::clip::clip_ring;
use crate::tile::encode::LayerWriter;
use crate::tile::encode::TileValue;
use crate::tile::grid::BUFFER;
use crate::tile::grid::TILE_EXTENT;
use crate::tile::grid::TileCoord;

/// The most features of one layer in one tile; the first in the order everywhere are kept.
pub const MAX_LAYER_FEATURES: usize = 20_000;

/// The tile of several collections, a layer each; empty where nothing reaches it.
#[must_use]
pub fn tile<'a>(collections: impl Iterator<Item = &'a CollectionView>, at: TileCoord) -> Vec<u8> {
    let mut out = Vec::new();
    for collection in collections {
        layer(collection, at).finish(&collection.schema().id, &mut out);
    }
    out
}

fn layer(collection: &CollectionView, at: TileCoord) -> LayerWriter {
    let mut writer = LayerWriter::default();
    let mut used = HashSet::new();
    let windows = at.windows();
    for group in collection.groups() {
        let mut rows = Vec::new();
        group.pyramid().visit(&windows, &mut |run, _| rows.extend(run));
        for row in rows {
            if writer.len() == MAX_LAYER_FEATURES {
                return writer;
            }
            if let Some((kind, parts)) = parts(group, row, at) {
                writer.feature(
                    feature_id(group, row, &mut used),
                    &tags(collection, group, row),
                    kind,
                    &parts,
                );
            }
        }
    }
    writer
}

/// 53 bits of the id's hash; of two that collide the later one takes the next free value.
fn feature_id(group: &RowGroup, row: usize, used: &mut HashSet<u64>) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(&group.id(row).0.to_be_bytes()).as_bytes()[..8]);
    let mut id = u64::from_le_bytes(first) & ((1 << 53) - 1);
    while !used.insert(id) {
        id = (id + 1) & ((1 << 53) - 1);
    }
    id
}

fn parts(group: &RowGroup, row: usize, at: TileCoord) -> Option<(GeometryKind, Vec<Vec<Place>>)> {
    let near = -BUFFER..TILE_EXTENT + BUFFER;
    if let Some(mercator) = group.mercator() {
        let [x, y] = mercator[row];
        if y == u32::MAX {
            return None;
        }
        let place = at.place(x, y);
        return (near.contains(&place.0) && near.contains(&place.1))
            .then(|| (GeometryKind::Point, vec![vec![place]]));
    }
    let shape = group.shape(row)?;
    let kind = shape.kind.broad();
    let parts = match kind {
        GeometryKind::Point => shape
            .positions
            .iter()
            .filter(|position| crate::model::crs::mercator_grid(**position).is_some())
            .map(|position| vec![at.place_of(*position)])
            .filter(|part| near.contains(&part[0].0) && near.contains(&part[0].1))
            .collect(),
        GeometryKind::Line => shape.rings().flat_map(|line| clip_line(&places(line, at))).collect(),
        GeometryKind::Area => areas(shape, at),
    };
    (!parts.is_empty()).then_some((kind, parts))
}

fn places(positions: &[crate::model::Position], at: TileCoord) -> Vec<Place> {
    let mut places: Vec<Place> = positions.iter().map(|position| at.place_of(*position)).collect();
    places.dedup();
    places
}

fn areas(shape: ShapeRef<'_>, at: TileCoord) -> Vec<Vec<Place>> {
    let mut out = Vec::new();
    for part in shape.parts() {
        for (place, ring) in part.rings().enumerate() {
            let Some(mut clipped) = clip_ring(&places(ring, at)) else {
                if place == 0 {
                    break;
                }
                continue;
            };
            // The outer ring has a positive area where y grows downwards, its holes a negative one.
            if (area2(&clipped) > 0) != (place == 0) {
                clipped.reverse();
            }
            out.push(clipped);
        }
    }
    out
}

fn tags<'a>(collection: &'a CollectionView, group: &'a RowGroup, row: usize) -> Vec<(&'a str, TileValue)> {
    let fields = collection.schema().fields.iter().enumerate();
    fields
        .filter_map(|(place, field)| {
            let value = match group.value(place, row) {
                ValueRef::Null => return None,
                ValueRef::Bool(value) => TileValue::Bool(value),
                ValueRef::Int(value) => TileValue::Int(value),
                ValueRef::Float(value) => TileValue::Double(value.to_bits()),
                ValueRef::Text(text) => TileValue::Text(text.to_owned()),
                ValueRef::Date(days) => TileValue::Text(time::format_date(days)),
                ValueRef::Timestamp(micros) => TileValue::Text(time::format_instant(micros)),
                ValueRef::Json(json) => scalar(json)?,
            };
            Some((field.name.as_str(), value))
        })
        .collect()
}

/// A JSON text or number; nested values have no place in a tile.
fn scalar(json: &str) -> Option<TileValue> {
    match serde_json::from_str(json).ok()? {
        serde_json::Value::Bool(value) => Some(TileValue::Bool(value)),
        serde_json::Value::String(text) => Some(TileValue::Text(text)),
        serde_json::Value::Number(number) => number
            .as_i64()
            .map(TileValue::Int)
            .or_else(|| number.as_f64().map(|value| TileValue::Double(value.to_bits()))),
        serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => None,
    }
}
