//! Public data: everything imports, counts agree with GDAL, answers agree with brute force over the file.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use geo::Distance;
use geo::Geodesic;
use geo::Intersects;
use geo_types::Geometry;
use geo_types::Point;
use geo_types::Rect;
use throughline::access::CollectionView;
use throughline::access::Principal;
use throughline::access::View;
use throughline::filter::Bbox;
use throughline::filter::Bound;
use throughline::filter::Circle;
use throughline::filter::Expr;
use throughline::format::write_geopackage;
use throughline::query::ItemsRequest;
use throughline::query::RowRef;
use throughline::query::count;
use throughline::query::items;
use throughline::query::nearest;

use crate::fixtures::Numbers;
use crate::fixtures::World;
use crate::fixtures::options;
use crate::fixtures::test_data;

fn load(name: &str, rows: u64) -> Option<(World, Arc<View>)> {
    let file = test_data(name)?;
    let world = World::new();
    let report = world.import_file(&file, &options("x")).unwrap();
    assert_eq!((report.accepted, report.rejected), (rows, 0), "{:?}", report.rows);
    let view = world.gate().view(&Principal::LocalOperator);
    assert_eq!(view.collection("x").unwrap().rows(), rows);
    Some((world, view))
}

fn all(collection: &CollectionView) -> Vec<RowRef> {
    items(collection, &ItemsRequest { filter: Bound::everything().clone(), limit: usize::MAX, after: None })
        .rows
}

/// How many rows of the layer match.
fn counted(view: &View, expr: &Expr) -> u64 {
    let collection = view.collection("x").unwrap();
    count(collection, &expr.bind(view, collection).unwrap())
}

/// Points of the file itself, read without our importer.
fn points_of(path: &Path, lon: usize, lat: usize) -> Vec<(f64, f64)> {
    let content = flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap());
    csv::Reader::from_reader(content)
        .records()
        .map(|record| record.unwrap())
        .map(|record| (record[lon].parse().unwrap(), record[lat].parse().unwrap()))
        .collect()
}

#[test]
fn stations_answer_like_brute_force_over_the_file() {
    let Some((_world, view)) = load("gb_rail_stations.csv.gz", 2_606) else { return };
    let collection = view.collection("x").unwrap();
    let points = points_of(&test_data("gb_rail_stations.csv.gz").unwrap(), 3, 2);
    let mut numbers = Numbers(7);
    for _ in 0..200 {
        let (west, south) = (numbers.between(-7.0, 1.0), numbers.between(50.0, 58.0));
        let (east, north) = (west + numbers.between(0.0, 3.0), south + numbers.between(0.0, 3.0));
        let expected =
            points.iter().filter(|(x, y)| west <= *x && *x <= east && south <= *y && *y <= north).count();
        assert_eq!(
            counted(&view, &Expr::bbox(Bbox::new(west, south, east, north).unwrap())),
            expected as u64
        );
        let metres = numbers.between(0.0, 200_000.0);
        let mut distances: Vec<f64> = points
            .iter()
            .map(|(x, y)| Geodesic.distance(Point::new(west, south), Point::new(*x, *y)))
            .collect();
        let expected = distances.iter().filter(|distance| **distance <= metres).count();
        assert_eq!(counted(&view, &Expr::Within(Circle::new(west, south, metres).unwrap())), expected as u64);
        distances.sort_by(f64::total_cmp);
        let found = nearest(collection, west, south, 25, Bound::everything()).unwrap();
        for (neighbour, expected) in found.iter().zip(&distances) {
            assert!((neighbour.distance_m - expected).abs() < 1e-3);
        }
        assert_eq!(found.len(), 25);
    }
}

/// The geometries of a GeoJSON file, through `geo` and not through our reader.
fn geometries_of(path: &Path) -> Vec<Geometry> {
    let content = flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap());
    let collection: geojson::FeatureCollection = serde_json::from_reader(content).unwrap();
    collection
        .features
        .into_iter()
        .map(|feature| Geometry::try_from(feature.geometry.unwrap()).unwrap())
        .collect()
}

fn boxes_agree(name: &str, rows: u64, boxes: usize) {
    let Some((_world, view)) = load(name, rows) else { return };
    let geometries = geometries_of(&test_data(name).unwrap());
    assert_eq!(geometries.len() as u64, rows);
    let mut numbers = Numbers(11);
    for number in 0..boxes {
        let (west, south) = (numbers.between(-8.0, 1.0), numbers.between(50.0, 58.0));
        let size = if number % 2 == 0 { 0.05 } else { 1.0 };
        let (east, north) = (west + numbers.between(0.0, size), south + numbers.between(0.0, size));
        let window = Rect::new((west, south), (east, north));
        let expected = geometries.iter().filter(|geometry| geometry.intersects(&window)).count();
        let got = counted(&view, &Expr::bbox(Bbox::new(west, south, east, north).unwrap()));
        assert_eq!(got, expected as u64, "{west},{south},{east},{north}");
    }
}

#[test]
fn rail_lines_meet_boxes_as_in_geo() {
    boxes_agree("gb_rail_lines.geojson.gz", 1_125, 60);
}

#[test]
fn force_areas_meet_boxes_as_in_geo() {
    boxes_agree("police_force_areas.geojson.gz", 45, 100);
}

#[test]
fn the_coastline_with_its_ring_of_49_153_vertices() {
    boxes_agree("coastline_gb_ie_gshhg_full.geojson.gz", 2_841, 30);
    let Some((_world, view)) = load("coastline_gb_ie_gshhg_full.geojson.gz", 2_841) else { return };
    let collection = view.collection("x").unwrap();
    let longest = all(collection)
        .iter()
        .filter_map(|at| collection.groups()[at.group as usize].geometry(at.row as usize))
        .map(|geometry| geometry.positions.len())
        .max();
    // 49,153 vertices and the first one again.
    assert!(longest.is_some_and(|longest| (49_153..=49_154).contains(&longest)), "{longest:?}");
    // Charing Cross is on land, the middle of the Channel is not.
    let area =
        |lon: f64, lat: f64| nearest(collection, lon, lat, 1, Bound::everything()).unwrap()[0].distance_m;
    assert!(area(-0.125, 51.508) == 0.0);
    let channel = area(-0.5, 50.3);
    assert!((20_000.0..80_000.0).contains(&channel), "{channel}");
}

#[test]
fn the_three_invalid_route_areas_are_reported() {
    let Some(file) = test_data("network_rail_routes.geojson.gz") else { return };
    let world = World::new();
    let report = world.import_file(&file, &options("x")).unwrap();
    assert_eq!((report.accepted, report.rejected, report.warned), (16, 0, 3));
    let view = world.gate().view(&Principal::LocalOperator);
    let collection = view.collection("x").unwrap();
    let codes: Vec<&str> = report.rows.iter().map(|note| note.fault.code).collect();
    assert_eq!(codes, ["self-crossing"; 3]);
    // GEOS finds the same three (Wessex, Scotland, Anglia) at the same places.
    for place in ["-0.16351, 51.4679", "-3.4537, 56.40781", "0.79088, 51.5327"] {
        assert!(
            report.rows.iter().any(|note| note.fault.message.contains(place)),
            "{place}: {:?}",
            report.rows
        );
    }
    assert_eq!(collection.rows(), 16);
}

#[test]
fn gdal_reads_our_export_and_counts_the_same() {
    for (name, rows) in
        [("gb_rail_lines.geojson.gz", 1_125), ("policeuk_2019-01-hampshire-street.csv.gz", 12_774)]
    {
        let Some((world, view)) = load(name, rows) else { return };
        let collection = view.collection("x").unwrap();
        let path = world.path("export.gpkg");
        assert_eq!(write_geopackage(&path, collection, all(collection).into_iter()).unwrap(), rows);
        let ogrinfo = |arguments: &[&str]| {
            let output = Command::new("ogrinfo").args(arguments).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        let file = path.to_str().unwrap();
        let summary = ogrinfo(&["-ro", "-so", file, "x"]);
        assert!(summary.contains(&format!("Feature Count: {rows}\n")), "{summary}");
        // GDAL says so only if it knows and trusts the R-tree.
        let rtree = ogrinfo(&["-ro", file, "-sql", "SELECT HasSpatialIndex('x', 'geom')"]);
        assert!(rtree.contains("HasSpatialIndex (Integer) = 1"), "{rtree}");
        let (west, south, east, north) = (-1.2, 50.7, -0.9, 50.9);
        let filtered = ogrinfo(&[
            "-ro",
            "-so",
            "-spat",
            &west.to_string(),
            &south.to_string(),
            &east.to_string(),
            &north.to_string(),
            file,
            "x",
        ]);
        let bbox = Expr::And(vec![
            Expr::bbox(Bbox::new(west, south, east, north).unwrap()),
            Expr::Within(Circle::new(-1.0, 50.8, 1e6).unwrap()),
        ]);
        let ours = counted(&view, &bbox);
        assert!(ours > 0 && filtered.contains(&format!("Feature Count: {ours}\n")), "{ours}: {filtered}");
    }
}

#[test]
fn gdal_counts_the_files_like_us() {
    for (name, rows) in [
        ("gb_rail_lines.geojson.gz", 1_125),
        ("police_force_areas.geojson.gz", 45),
        ("coastline_gb_ie_gshhg_full.geojson.gz", 2_841),
        ("network_rail_routes.geojson.gz", 16),
        ("gb_rail_stations.csv.gz", 2_606),
    ] {
        let Some(file) = test_data(name) else { return };
        let plain = tempfile::tempdir().unwrap().keep().join(name.trim_end_matches(".gz"));
        let mut content = flate2::read::MultiGzDecoder::new(std::fs::File::open(&file).unwrap());
        std::io::copy(&mut content, &mut std::fs::File::create(&plain).unwrap()).unwrap();
        let output = Command::new("ogrinfo").args(["-ro", "-so", "-al"]).arg(&plain).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let counted = text.split("Feature Count: ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
        let (_world, view) = load(name, rows).unwrap();
        assert_eq!(counted, view.collection("x").unwrap().rows().to_string(), "{name}");
        std::fs::remove_dir_all(plain.parent().unwrap()).unwrap();
    }
}

#[test]
fn one_point_seven_million_crime_points() {
    let Some((world, view)) = load("policeuk_all_points_2018-10_2019-02_compact.csv.gz", 1_729_861) else {
        return;
    };
    let collection = view.collection("x").unwrap();
    let bytes = collection.bytes() as u64 / collection.rows();
    assert!(bytes <= 150, "{bytes} bytes a row");
    let points = points_of(&test_data("policeuk_all_points_2018-10_2019-02_compact.csv.gz").unwrap(), 3, 4);
    let mut numbers = Numbers(3);
    for _ in 0..20 {
        let (west, south) = (numbers.between(-4.0, 0.0), numbers.between(50.5, 54.0));
        let (east, north) = (west + numbers.between(0.0, 1.0), south + numbers.between(0.0, 1.0));
        let expected =
            points.iter().filter(|(x, y)| west <= *x && *x <= east && south <= *y && *y <= north).count();
        assert_eq!(
            counted(&view, &Expr::bbox(Bbox::new(west, south, east, north).unwrap())),
            expected as u64
        );
        let mut distances: Vec<f64> = points
            .iter()
            .filter(|(x, y)| (x - west).abs() < 1.0 && (y - south).abs() < 0.7)
            .map(|(x, y)| Geodesic.distance(Point::new(west, south), Point::new(*x, *y)))
            .collect();
        distances.sort_by(f64::total_cmp);
        let found = nearest(collection, west, south, 10, Bound::everything()).unwrap();
        for (neighbour, expected) in found.iter().zip(&distances) {
            assert!((neighbour.distance_m - expected).abs() < 1e-3);
        }
    }
    // The months answer `datetime`: five of them, and their counts add up.
    let months = ["2018-10", "2018-11", "2018-12", "2019-01", "2019-02"].map(|month| {
        let start = throughline::model::time::parse_month(month).unwrap();
        counted(&view, &Expr::datetime(start))
    });
    assert_eq!(months.iter().sum::<u64>(), 1_729_861);
    assert!(months.iter().all(|month| *month > 200_000), "{months:?}");
    drop(world);
}
