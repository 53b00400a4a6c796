//! Nanoseconds of writing a tile: a point with eight properties, a vertex of a line, a vertex of an area that is cut,
//! snapped and repaired. The best of some rounds, on one thread.
//!
//! `cargo bench --bench encode`.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a measuring program")]

use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

use throughline::access::Principal;
use throughline::tile::FeatureDropping;
use throughline::tile::Layer;
use throughline::tile::TileCoord;
use throughline::tile::tile;

#[path = "../fixtures/mvt.rs"]
mod mvt;
#[expect(dead_code, reason = "only the points are wanted")]
mod points;

/// Tile 6/31/20 is a quarter of Great Britain.
const AT: (u8, u32, u32) = (6, 31, 20);

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.gpkg");
    points::generate(&path, 100_000);
    let eight: Vec<String> =
        ["kind", "force", "code", "weight", "visits", "open", "seen", "street"].map(str::to_owned).to_vec();
    let (features, bytes, ns) = measure(&path, "points", Some(&eight));
    println!("{:>24} {:>9} {:>9} {:>9}", "", "number", "bytes", "ns each");
    println!("{:>24} {features:>9} {bytes:>9} {:>9.0}", "point, 8 properties", ns / features as f64);

    // Lines and areas lie inside the tile: what it holds is what was made.
    let (lines, line_vertices) = (2_000, 60);
    let path = folder.path().join("lines.gpkg");
    geometries(&path, "bench-lines", lines, |number| line(number, line_vertices));
    let (_, bytes, ns) = measure(&path, "bench-lines", Some(&[]));
    let vertices = lines * line_vertices;
    println!("{:>24} {vertices:>9} {bytes:>9} {:>9.0}", "vertex of a line", ns / vertices as f64);

    let (areas, area_vertices) = (2_000, 60);
    let path = folder.path().join("areas.gpkg");
    geometries(&path, "bench-areas", areas, |number| area(number, area_vertices));
    let (_, bytes, ns) = measure(&path, "bench-areas", Some(&[]));
    let vertices = areas * area_vertices;
    println!("{:>24} {vertices:>9} {bytes:>9} {:>9.0}", "vertex of an area", ns / vertices as f64);
}

/// Features, bytes, and the least nanoseconds of the whole tile.
fn measure(path: &Path, collection: &str, properties: Option<&[String]>) -> (usize, usize, f64) {
    let gate = points::open(path);
    let view = gate.view(&Principal::LocalOperator);
    let collection = view.collection(collection).unwrap();
    let at = TileCoord::new(AT.0, AT.1, AT.2).unwrap();
    let make = || tile(&[Layer::whole(collection)], at, properties, FeatureDropping::None);
    let bytes = make();
    let features = count_features(&bytes);
    let best = (0..20)
        .map(|_| {
            let start = Instant::now();
            let made = make();
            let ns = start.elapsed().as_nanos() as f64;
            assert_eq!(made.len(), bytes.len());
            ns
        })
        .fold(f64::INFINITY, f64::min);
    (features, bytes.len(), best)
}

/// Features of a tile of one layer, by another decoder than ours.
fn count_features(bytes: &[u8]) -> usize {
    mvt::read(bytes).iter().map(|layer| layer.features.len()).sum()
}

fn geometries(path: &Path, into: &str, count: usize, ring: impl Fn(usize) -> (&'static str, String)) {
    let mut text = String::new();
    for number in 0..count {
        let (kind, coordinates) = ring(number);
        writeln!(
            text,
            "{{\"type\":\"Feature\",\"properties\":{{\"n\":{number}}},\"geometry\":{{\"type\":\"{kind}\",\"coordinates\":{coordinates}}}}}"
        )
        .unwrap();
    }
    let file = path.with_extension("geojsonl");
    std::fs::write(&file, text).unwrap();
    points::import_file(path, &file, into);
}

/// A place of the tile for each number, filled evenly.
fn place(number: usize) -> (f64, f64) {
    let share = |step: f64| (number as f64 * step).fract();
    (-4.6 + 3.6 * share(0.618_034), 53.0 + 1.8 * share(0.414_214))
}

/// A line that wanders some fifteen grid cells from vertex to vertex, so that none falls away.
fn line(number: usize, vertices: usize) -> (&'static str, String) {
    let (lon, lat) = place(number);
    let at = |vertex: usize| {
        let turn = vertex as f64 * 0.7 + number as f64;
        (lon + vertex as f64 * 0.004 + 0.01 * turn.sin(), lat + 0.02 * (turn * 1.3).cos())
    };
    let places: Vec<String> =
        (0..vertices).map(|vertex| format!("[{:.6},{:.6}]", at(vertex).0, at(vertex).1)).collect();
    ("LineString", format!("[{}]", places.join(",")))
}

/// A jagged star of some hundred grid cells.
fn area(number: usize, vertices: usize) -> (&'static str, String) {
    let (lon, lat) = place(number);
    let mut places: Vec<String> = (0..vertices)
        .map(|vertex| {
            let angle = vertex as f64 / vertices as f64 * std::f64::consts::TAU;
            let radius = 0.1 * (1.0 + 0.3 * ((vertex * 7_919 + number) % 13) as f64 / 13.0);
            format!("[{:.6},{:.6}]", lon + radius * 1.6 * angle.cos(), lat + radius * angle.sin())
        })
        .collect();
    places.push(places[0].clone());
    ("Polygon", format!("[[{}]]", places.join(",")))
}
