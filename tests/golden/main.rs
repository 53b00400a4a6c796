//! Tests of tiles: golden files as text, comparison with two other decoders, and properties checked by brute force.

#[path = "../fixtures/mod.rs"]
mod fixtures;
#[path = "../fixtures/mvt.rs"]
mod mvt;

mod decoders;
mod promises;
mod text;

use std::sync::Arc;

use throughline::access::Principal;
use throughline::access::View;
use throughline::tile::FeatureDropping;
use throughline::tile::Layer;
use throughline::tile::TileCoord;
use throughline::tile::tile;

use fixtures::World;

/// The view of the local operator, who sees everything in the store.
fn view(world: &World) -> Arc<View> {
    world.gate().view(&Principal::LocalOperator)
}

/// The tile of some layers.
fn bytes(view: &View, layers: &[&str], at: TileCoord) -> Vec<u8> {
    let layers: Vec<_> = layers
        .iter()
        .map(|id| view.collection(id).map(|collection| Layer::whole(collection)))
        .collect::<Option<_>>()
        .unwrap_or_default();
    tile(&layers, at, None, FeatureDropping::ToSize)
}

/// The address of a tile.
fn at(z: u8, x: u32, y: u32) -> TileCoord {
    TileCoord { z, x, y }
}

/// The tile of a longitude and latitude in degrees, by the formula of the OpenStreetMap wiki (slippy map tilenames).
fn tile_at(lon: f64, lat: f64, z: u8) -> TileCoord {
    let tiles = f64::from(1_u32 << z);
    let y = (1.0 - lat.to_radians().tan().asinh() / std::f64::consts::PI) / 2.0 * tiles;
    at(z, ((lon + 180.0) / 360.0 * tiles) as u32, y as u32)
}

/// The place on a tile's grid of a longitude and latitude in degrees, computed with doubles.
fn place(lon: f64, lat: f64, at: TileCoord) -> (f64, f64) {
    let tiles = f64::from(1_u32 << at.z);
    let x = (lon + 180.0) / 360.0 * tiles - f64::from(at.x);
    let y = (1.0 - lat.to_radians().tan().asinh() / std::f64::consts::PI) / 2.0 * tiles - f64::from(at.y);
    (x * 4_096.0, y * 4_096.0)
}
