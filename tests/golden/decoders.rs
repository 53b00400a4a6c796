//! Two other decoders, `@mapbox/vector-tile` and GDAL, read our tiles. Both must find the features, geometries and
//! properties that the decoder of these tests finds.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;
use serde_json::json;
use throughline::tile::TileCoord;

use crate::at;
use crate::bytes;
use crate::fixtures::Numbers;
use crate::fixtures::World;
use crate::fixtures::options;
use crate::fixtures::test_data;
use crate::mvt;
use crate::tile_at;
use crate::view;

/// The features that a decoder finds in a tile: layer, id, geometry type, properties, parts; sorted.
type Decoded = Vec<(String, u64, u64, Json, Json)>;

fn ours(tile: &[u8]) -> Decoded {
    let mut out = Decoded::new();
    for layer in mvt::read(tile) {
        for feature in layer.features {
            let properties: serde_json::Map<String, Json> = feature
                .properties
                .into_iter()
                .map(|(name, value)| {
                    let value = match value {
                        mvt::Value::Text(text) => json!(text),
                        mvt::Value::Double(value) => json!(value),
                        mvt::Value::Int(value) => json!(value as f64),
                        mvt::Value::Bool(value) => json!(value),
                    };
                    (name, value)
                })
                .collect();
            out.push((layer.name.clone(), feature.id, feature.kind, properties.into(), json!(feature.parts)));
        }
    }
    sorted(out)
}

fn sorted(mut decoded: Decoded) -> Decoded {
    decoded.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    decoded
}

const SCRIPT: &str = "
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
const require = createRequire(process.argv[2] + '/');
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { VectorTile } = await load('@mapbox/vector-tile');
const pbf = await load('pbf');
const Pbf = pbf.PbfReader ?? pbf.default;
const tile = new VectorTile(new Pbf(readFileSync(process.argv[3])));
const out = [];
for (const [name, layer] of Object.entries(tile.layers)) {
  for (let i = 0; i < layer.length; i++) {
    const f = layer.feature(i);
    const parts = f.loadGeometry().map((part) => part.map((p) => [p.x, p.y]));
    out.push([name, f.id, f.type, f.properties, f.type === 1 ? parts.flat().map((p) => [p]) : parts]);
  }
}
console.log(JSON.stringify(out));
";

fn vector_tile_js(folder: &Path, tile: &[u8]) -> Decoded {
    let (script, file) = (folder.join("decode.mjs"), folder.join("tile.mvt"));
    std::fs::write(&script, SCRIPT).unwrap();
    std::fs::write(&file, tile).unwrap();
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("static");
    let run = Command::new("node").arg(&script).arg(packages).arg(&file).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let decoded: Vec<(String, u64, u64, Json, Json)> = serde_json::from_slice(&run.stdout).unwrap();
    let doubles = |(layer, id, kind, properties, parts): (String, u64, u64, Json, Json)| {
        let members = properties.as_object().unwrap().clone().into_iter();
        let properties: serde_json::Map<String, Json> =
            members.map(|(name, value)| (name, value.as_f64().map_or(value, Json::from))).collect();
        (layer, id, kind, properties.into(), parts)
    };
    sorted(decoded.into_iter().map(doubles).collect())
}

/// For each layer the numbers that GDAL finds: features, positions, and area or length in grid units.
fn gdal(folder: &Path, tile: &[u8]) -> Vec<(String, usize, usize, f64)> {
    let file = folder.join("tile.mvt");
    std::fs::write(&file, tile).unwrap();
    let mut out = Vec::new();
    for layer in mvt::read(tile) {
        // If the file's name has no zoom, GDAL returns the tile's own units with y upwards.
        let geojson = folder.join("gdal.geojson");
        let _ = std::fs::remove_file(&geojson);
        let run = Command::new("ogr2ogr")
            .args([
                "-q",
                "-f",
                "GeoJSON",
                "-lco",
                "COORDINATE_PRECISION=3",
                "-lco",
                "RFC7946=NO",
                "-oo",
                "CLIP=NO",
            ])
            .arg(&geojson)
            .arg(&file)
            .arg(&layer.name)
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let read: Json = serde_json::from_slice(&std::fs::read(&geojson).unwrap()).unwrap();
        let features = read["features"].as_array().unwrap();
        let (mut points, mut size) = (0, 0.0);
        for feature in features {
            measure(&feature["geometry"]["coordinates"], &mut |line: &[(f64, f64)]| {
                points += line.len();
                let area = feature["geometry"]["type"].as_str().unwrap().ends_with("Polygon");
                size += if area { surveyed(line) } else { length(line) };
            });
        }
        out.push((layer.name, features.len(), points, size));
    }
    out
}

fn measure(coordinates: &Json, each: &mut impl FnMut(&[(f64, f64)])) {
    let list = coordinates.as_array().unwrap();
    if list[0].is_number() {
        each(&[(list[0].as_f64().unwrap(), list[1].as_f64().unwrap())]);
    } else if list[0][0].is_number() {
        let pair = |p: &Json| (p[0].as_f64().unwrap(), p[1].as_f64().unwrap());
        each(&list.iter().map(pair).collect::<Vec<_>>());
    } else {
        for inner in list {
            measure(inner, each);
        }
    }
}

fn surveyed(ring: &[(f64, f64)]) -> f64 {
    (ring.windows(2).map(|p| p[0].0 * p[1].1 - p[1].0 * p[0].1).sum::<f64>() / 2.0).abs()
}

fn length(line: &[(f64, f64)]) -> f64 {
    line.windows(2).map(|p| (p[1].0 - p[0].0).hypot(p[1].1 - p[0].1)).sum()
}

fn all_agree(world: &World, layers: &[&str], at: TileCoord) {
    let view = view(world);
    let tile = bytes(&view, layers, at);
    assert!(!tile.is_empty(), "{at:?} has nothing to read");
    let ours = ours(&tile);
    assert_eq!(vector_tile_js(world.folder.path(), &tile), ours, "{at:?}");
    for (layer, features, points, size) in gdal(world.folder.path(), &tile) {
        let own: Vec<_> = ours.iter().filter(|decoded| decoded.0 == layer).collect();
        let (mut own_points, mut own_size) = (0, 0.0);
        for decoded in &own {
            for part in decoded.4.as_array().unwrap() {
                measure(part, &mut |line| {
                    own_points += line.len();
                    own_size += if decoded.2 == 3 { surveyed(line) } else { length(line) };
                });
            }
        }
        assert_eq!((features, points), (own.len(), own_points), "{layer} {at:?}");
        assert!((size - own_size).abs() <= 1e-6 * (1.0 + own_size), "{layer} {at:?}: {size} {own_size}");
    }
}

#[test]
fn all_decoders_agree_on_generated_layers() {
    let world = World::new();
    let mut numbers = Numbers(3);
    let mut csv = String::from("lon,lat,name,weight,open\n");
    for row in 0..500 {
        let (lon, lat) = (numbers.between(-2.0, -1.0), numbers.between(51.0, 52.0));
        csv.push_str(&format!(
            "{lon:.6},{lat:.6},n{},{:.2},{}\n",
            row % 20,
            numbers.between(-5.0, 5.0),
            row % 2 == 0
        ));
    }
    world.import("points.csv", csv, &options("points")).unwrap();
    let mut features = Vec::new();
    for _ in 0..60 {
        let (lon, lat) = (numbers.between(-2.0, -1.0), numbers.between(51.0, 52.0));
        let mut around = |radius: f64, corners: usize| -> Vec<[f64; 2]> {
            let mut ring: Vec<[f64; 2]> = (0..corners)
                .map(|corner| {
                    let turn = corner as f64 / corners as f64 * std::f64::consts::TAU;
                    let out = radius * numbers.between(0.6, 1.0);
                    [lon + out * turn.cos(), lat + out * turn.sin() * 0.6]
                })
                .collect();
            ring.push(ring[0]);
            ring
        };
        let (outer, hole) = (around(0.08, 40), around(0.02, 12));
        features.push(json!({"type": "Feature", "properties": {"k": "area"}, "geometry": {"type": "Polygon", "coordinates": [outer, hole]}}));
        let line = around(0.2, 30);
        features.push(json!({"type": "Feature", "properties": {"k": "line"}, "geometry": {"type": "LineString", "coordinates": line}}));
    }
    let geometries = json!({"type": "FeatureCollection", "features": features}).to_string();
    world.import("geometries.geojson", geometries, &options("geometries")).unwrap();
    for (lon, lat, z) in [(-1.5, 51.5, 5), (-1.5, 51.5, 8), (-1.31, 51.3, 10), (-1.5, 51.5, 13)] {
        all_agree(&world, &["points", "geometries"], tile_at(lon, lat, z));
    }
}

#[test]
fn all_decoders_agree_on_real_layers() {
    let files =
        ["police_force_areas.geojson.gz", "gb_rail_lines.geojson.gz", "network_rail_routes.geojson.gz"]
            .map(test_data);
    let [Some(areas), Some(rail), Some(routes)] = files else { return };
    let world = World::new();
    let mut forces = options("force-areas");
    forces.about.coverage = true;
    world.import_file(&areas, &forces).unwrap();
    world.import_file(&rail, &options("rail")).unwrap();
    world.import_file(&routes, &options("routes")).unwrap();
    for z in [4, 6, 9] {
        all_agree(&world, &["force-areas", "rail", "routes"], tile_at(-1.9, 52.5, z));
    }
    all_agree(&world, &["rail", "routes"], at(12, 2025, 1346));
}
