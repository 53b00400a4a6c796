//! Properties of tiles, checked by brute force: which features they contain, equal edges of neighbouring tiles, equal
//! borders of neighbouring polygons, sizes, counts, and equal bytes for equal data.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::HashMap;
use std::collections::HashSet;
use std::fmt::Write as _;

use geo::Area;
use geo::BooleanOps;
use geo::Intersects;
use geo::Validation;
use proptest::prelude::*;
use serde_json::json;
use throughline::access::Principal;
use throughline::model::Provenance;
use throughline::model::Sensitivity;
use throughline::tile::FULL_ZOOM;
use throughline::tile::FULL_ZOOM_BYTES;
use throughline::tile::FeatureDropping;
use throughline::tile::LOW_ZOOM_BYTES;
use throughline::tile::Layer;
use throughline::tile::TileCoord;
use throughline::tile::tile;

use crate::at;
use crate::bytes;
use crate::fixtures::Numbers;
use crate::fixtures::World;
use crate::fixtures::options;
use crate::fixtures::test_data;
use crate::mvt;
use crate::mvt::Value;
use crate::place;
use crate::tile_at;
use crate::view;

/// A place on a tile's grid.
type Place = (i64, i64);

/// The square of a tile and its buffer, grown by some cells (shrunk if negative).
fn square(grown: f64) -> geo_types::Polygon<f64> {
    let (low, high) = (-64.0 - grown, 4_160.0 + grown);
    geo_types::Rect::new((low, low), (high, high)).to_polygon()
}

/// A closed star around a centre, so coarse that every zoom draws all of its vertices.
fn star(numbers: &mut Numbers, lon: f64, lat: f64, radius: f64) -> Vec<[f64; 2]> {
    let corners = 3 + (numbers.next() % 6) as usize;
    let turn = numbers.between(0.0, 6.0);
    let mut ring: Vec<[f64; 2]> = (0..corners)
        .map(|corner| {
            let angle = turn + corner as f64 / corners as f64 * std::f64::consts::TAU;
            let out = radius * numbers.between(0.4, 1.0);
            [lon + out * angle.cos(), lat + out * angle.sin() * 0.6]
        })
        .collect();
    ring.push(ring[0]);
    ring
}

fn on_tile(ring: &[[f64; 2]], at: TileCoord) -> geo_types::LineString<f64> {
    ring.iter().map(|[lon, lat]| geo_types::Coord::from(place(*lon, *lat, at))).collect()
}

fn number(feature: &mvt::Feature, name: &str) -> i64 {
    match feature.properties.get(name) {
        Some(Value::Int(value)) => *value,
        other => unreachable!("{name} is {other:?}"),
    }
}

/// Compares points, lines and polygons around a tile with their exact geometry.
fn membership(seed: u64, z: u8) {
    let mut numbers = Numbers(seed);
    let centre = tile_at(-1.5, 52.0, z);
    let width = 360.0 / f64::from(1_u32 << z);
    let (mut features, mut geometries) = (Vec::new(), Vec::new());
    for n in 0..120 {
        let (lon, lat) =
            (-1.5 + numbers.between(-2.0, 2.0) * width, 52.0 + numbers.between(-1.2, 1.2) * width);
        let radius = width * numbers.between(0.05, 1.5);
        let ring = star(&mut numbers, lon, lat, radius);
        let geometry = match n % 3 {
            0 => json!({"type": "Point", "coordinates": ring[0]}),
            1 => json!({"type": "LineString", "coordinates": ring[..ring.len() - 1]}),
            _ => json!({"type": "Polygon", "coordinates": [ring]}),
        };
        features.push(json!({"type": "Feature", "properties": {"n": n}, "geometry": geometry}));
        geometries.push(ring);
    }
    let world = World::new();
    let text = json!({"type": "FeatureCollection", "features": features}).to_string();
    world.import("f.geojson", text, &options("f")).unwrap();
    let view = view(&world);
    let layers = mvt::read(&bytes(&view, &["f"], centre));
    let found: HashSet<i64> =
        layers.iter().flat_map(|layer| &layer.features).map(|f| number(f, "n")).collect();
    for (n, ring) in geometries.iter().enumerate() {
        let line = on_tile(ring, centre);
        // Within two cells of the buffer's edge, 64 cells outside the tile, rounding and generalisation may decide either way.
        let meets = |grown: f64| match n % 3 {
            0 => square(grown).intersects(&geo_types::Point(line.0[0])),
            1 => square(grown).intersects(&geo_types::LineString(line.0[..line.0.len() - 1].to_vec())),
            _ => square(grown).intersects(&geo_types::Polygon::new(line.clone(), vec![])),
        };
        let here = found.contains(&(n as i64));
        assert!(here || !meets(-2.0), "{n} is missing from {centre:?}");
        assert!(!here || meets(2.0), "{n} does not reach {centre:?}");
    }
    // The area that a polygon has in the tile is that of its intersection with the tile's square.
    for feature in layers.iter().flat_map(|layer| &layer.features).filter(|f| f.kind == 3) {
        let ring = on_tile(&geometries[number(feature, "n") as usize], centre);
        let exact = geo_types::Polygon::new(ring.clone(), vec![]).intersection(&square(0.0)).unsigned_area();
        let drawn = feature.parts.iter().map(|part| mvt::area2(part)).sum::<i64>() as f64 / 2.0;
        // The tolerance: one cell along every edge, and the triangles of 32 cells that generalisation removes.
        let slack = ring
            .0
            .windows(2)
            .map(|p| (p[1].x - p[0].x).hypot(p[1].y - p[0].y).min(6_000.0) + 64.0)
            .sum::<f64>();
        assert!((drawn - exact).abs() <= slack, "{drawn} {exact} {slack}");
        assert!(valid(feature), "{feature:?}");
    }
}

#[test]
fn a_polygon_that_meets_a_tile_only_with_a_removed_vertex_is_in_it() {
    // A seed for which the test below failed: the only vertex on the tile is one that zoom 9 does not draw.
    membership(8_423_717_484_725_703_490, 9);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_feature_is_in_a_tile_exactly_if_it_meets_it(seed in 1_u64..u64::MAX, z in 9_u8..13) {
        membership(seed, z);
    }

    #[test]
    fn neighbouring_tiles_agree_on_their_common_edge(seed in 1_u64..u64::MAX, z in 8_u8..14) {
        let mut numbers = Numbers(seed);
        let west = tile_at(-1.5, 52.0, z);
        let east = at(west.z, west.x + 1, west.y);
        let width = 360.0 / f64::from(1_u32 << z);
        let edge = f64::from(east.x) * width - 180.0;
        let mut features = Vec::new();
        for n in 0..40 {
            let lat = 52.0 + numbers.between(-0.3, 0.3) * width;
            let radius = width * numbers.between(0.01, 0.4);
            let ring = star(&mut numbers, edge, lat, radius);
            let geometry = if n % 2 == 0 { json!({"type": "LineString", "coordinates": ring}) } else { json!({"type": "Polygon", "coordinates": [ring]}) };
            features.push(json!({"type": "Feature", "properties": {"n": n}, "geometry": geometry}));
        }
        let world = World::new();
        world.import("f.geojson", json!({"type": "FeatureCollection", "features": features}).to_string(), &options("f")).unwrap();
        let view = view(&world);
        // The places where a feature's pieces cross the edge, each with the slope of the piece and the feature's id.
        let crossings = |at: TileCoord, x: f64| -> HashMap<i64, (u64, Vec<(f64, f64)>)> {
            let layers = mvt::read(&bytes(&view, &["f"], at));
            let features = layers.into_iter().flat_map(|layer| layer.features);
            features.map(|feature| {
                let at = feature.parts.iter().flat_map(|part| part.windows(2)).filter_map(|pair| {
                    let ((ax, ay), (bx, by)) = ((pair[0].0 as f64, pair[0].1 as f64), (pair[1].0 as f64, pair[1].1 as f64));
                    let steep = (by - ay) / (bx - ax);
                    ((ax - x) * (bx - x) < 0.0).then(|| (ay + (x - ax) * steep, steep.abs()))
                }).collect();
                (number(&feature, "n"), (feature.id, at))
            }).collect()
        };
        // x = 4096 in the western tile is x = 0 in the eastern one. Half a cell is added, so that no vertex lies on it.
        let (one, two) = (crossings(west, 4_096.5), crossings(east, 0.5));
        let mut compared = 0;
        for (these, those) in [(&one, &two), (&two, &one)] {
            for (n, (id, places)) in these {
                for (y, steep) in places.iter().filter(|(y, _)| (0.0..4_096.0).contains(y)) {
                    let Some((other, others)) = those.get(n) else {
                        return Err(TestCaseError::fail(format!("{n} ends at the edge, at {y}")));
                    };
                    prop_assert_eq!(id, other);
                    let nearest = others.iter().map(|(other, _)| (other - y).abs()).fold(f64::INFINITY, f64::min);
                    // Each tile rounds each end of a piece by half a cell; a cell along x is `steep` cells along y.
                    prop_assert!(nearest <= 1.5 * (1.0 + steep), "{} at {}, {}: {:?} {:?}", n, y, steep, places, others);
                    compared += 1;
                }
            }
        }
        prop_assert!(compared > 0, "stars around the edge cross it");
    }
}

fn valid(feature: &mvt::Feature) -> bool {
    let mut polygons: Vec<geo_types::Polygon<f64>> = Vec::new();
    for ring in &feature.parts {
        let line: geo_types::LineString<f64> =
            ring.iter().map(|p| geo_types::Coord { x: p.0 as f64, y: p.1 as f64 }).collect();
        match polygons.last_mut() {
            Some(polygon) if mvt::area2(ring) < 0 => polygon.interiors_push(line),
            _ => polygons.push(geo_types::Polygon::new(line, vec![])),
        }
    }
    geo_types::MultiPolygon(polygons).is_valid()
}

/// A square of `count` by `count` polygons with wavy borders; neighbours have the same vertices on a common border.
fn wandering_coverage(numbers: &mut Numbers, count: usize) -> String {
    let node = |i: usize, j: usize| [-2.0 + i as f64 * 0.3, 51.0 + j as f64 * 0.2];
    // The waves are gentle: borders that leave a corner at a small angle would cross when generalised, and be repaired.
    let mut arc = |a: [f64; 2], b: [f64; 2], straight: bool| -> Vec<[f64; 2]> {
        let (steps, waves) = (80, f64::from(1 + (numbers.next() % 4) as u32));
        let height = if straight { 0.0 } else { numbers.between(-0.008, 0.008) };
        (0..=steps)
            .map(|step| {
                let share = f64::from(step) / f64::from(steps);
                let sway = height * (share * waves * std::f64::consts::PI).sin();
                let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
                [a[0] + share * dx - sway * dy.signum(), a[1] + share * dy + sway * dx.signum()]
            })
            .collect()
    };
    let mut across = HashMap::new();
    let mut up = HashMap::new();
    for i in 0..=count {
        for j in 0..=count {
            if i < count {
                across.insert((i, j), arc(node(i, j), node(i + 1, j), j == 0 || j == count));
            }
            if j < count {
                up.insert((i, j), arc(node(i, j), node(i, j + 1), i == 0 || i == count));
            }
        }
    }
    let mut features = Vec::new();
    for i in 0..count {
        for j in 0..count {
            let mut ring = across[&(i, j)].clone();
            ring.extend(&up[&(i + 1, j)][1..]);
            ring.extend(across[&(i, j + 1)].iter().rev().skip(1));
            ring.extend(up[&(i, j)].iter().rev().skip(1));
            features.push(json!({"type": "Feature", "properties": {"n": i * count + j}, "geometry": {"type": "Polygon", "coordinates": [ring]}}));
        }
    }
    json!({"type": "FeatureCollection", "features": features}).to_string()
}

#[test]
fn polygons_of_a_coverage_share_their_borders_at_every_zoom() {
    let world = World::new();
    let text = wandering_coverage(&mut Numbers(11), 6);
    let mut coverage = options("shared");
    coverage.about.coverage = true;
    world.import("a.geojson", &text, &coverage).unwrap();
    let view = view(&world);
    let mut vertices = Vec::new();
    for z in 4..=11 {
        let layers = mvt::read(&bytes(&view, &["shared"], tile_at(-1.1, 51.6, z)));
        let features = &layers[0].features;
        let mut edges: HashMap<(Place, Place), i32> = HashMap::new();
        let mut sum = 0;
        for feature in features {
            for ring in &feature.parts {
                sum += mvt::area2(ring);
                for pair in ring.windows(2) {
                    *edges.entry((pair[0], pair[1])).or_default() += 1;
                }
            }
        }
        // A shared edge occurs in both directions; all other edges lie on the outer frame or on the tile's edge.
        let mut outside = 0;
        for ((a, b), count) in &edges {
            assert_eq!(*count, 1, "an edge twice in the same direction at zoom {z}");
            if !edges.contains_key(&(*b, *a)) {
                outside += a.0 * b.1 - b.0 * a.1;
                assert!(
                    a.0 == b.0 || a.1 == b.1,
                    "a border is not the same on both sides at zoom {z}: {a:?} {b:?}"
                );
            }
        }
        assert_eq!(sum, outside, "the areas fill the frame without gap or overlap at zoom {z}");
        vertices.push(edges.len());
    }
    let most = vertices.iter().max().unwrap();
    assert!(vertices[0] * 4 < *most, "low zooms need fewer vertices: {vertices:?}");
    // Without `coverage` some borders of the same polygons differ, which shows that the test can fail.
    world.import("b.geojson", &text, &options("alone")).unwrap();
    let view = crate::view(&world);
    let alone = mvt::read(&bytes(&view, &["alone"], tile_at(-1.1, 51.6, 7)));
    let edges: HashSet<_> = alone[0]
        .features
        .iter()
        .flat_map(|feature| feature.parts.iter())
        .flat_map(|ring| ring.windows(2).map(|pair| (pair[0], pair[1])).collect::<Vec<_>>())
        .collect();
    assert!(edges.iter().any(|(a, b)| a.0 != b.0 && a.1 != b.1 && !edges.contains(&(*b, *a))));
}

#[test]
fn features_without_a_vertex_on_a_tile_are_in_it_if_they_meet_it() {
    // By hand, from the corners of tile 12/2025/1343: 2.0215 to 1.9336 W, 52.4828 to 52.5363 N.
    let square = |west: f64, south: f64, east: f64, north: f64| {
        json!([[west, south], [east, south], [east, north], [west, north], [west, south]])
    };
    let area = |name: &str, rings: serde_json::Value| json!({"type": "Feature", "properties": {"name": name}, "geometry": {"type": "Polygon", "coordinates": rings}});
    let line = |name: &str, places: serde_json::Value| json!({"type": "Feature", "properties": {"name": name}, "geometry": {"type": "LineString", "coordinates": places}});
    let features = json!({"type": "FeatureCollection", "features": [
        area("cover", json!([square(-3.0, 52.0, -1.0, 53.0)])),
        area("hole", json!([square(-3.0, 52.0, -1.0, 53.0), square(-2.5, 52.2, -1.5, 52.8)])),
        // A horseshoe round the tile: its bounding box contains the tile, but it does not meet it.
        area("shoe", json!([[[-2.5, 52.2], [-1.5, 52.2], [-1.5, 52.8], [-1.8, 52.8], [-1.8, 52.3], [-2.2, 52.3], [-2.2, 52.8], [-2.5, 52.8], [-2.5, 52.2]]])),
        line("there and back", json!([[-2.2, 52.52], [-1.8, 52.52], [-1.8, 52.5], [-2.2, 52.5]])),
        line("corner", json!([[-2.05, 52.5], [-1.98, 52.56]])),
        line("past", json!([[-2.2, 52.55], [-2.2, 52.3], [-1.7, 52.3]])),
    ]});
    let world = World::new();
    world.import("f.geojson", features.to_string(), &options("f")).unwrap();
    let layers = mvt::read(&bytes(&view(&world), &["f"], at(12, 2_025, 1_343)));
    let mut found: Vec<(String, usize, i64)> = layers[0]
        .features
        .iter()
        .map(|feature| {
            let Value::Text(name) = &feature.properties["name"] else { unreachable!("a name") };
            let area =
                if feature.kind == 3 { feature.parts.iter().map(|ring| mvt::area2(ring)).sum() } else { 0 };
            (name.clone(), feature.parts.len(), area / 2)
        })
        .collect();
    found.sort();
    let expected = [("corner", 1, 0), ("cover", 1, 4_224 * 4_224), ("there and back", 2, 0)];
    assert_eq!(found, expected.map(|(name, parts, area)| (name.to_owned(), parts, area)));
}

#[test]
fn real_borders_match_and_all_polygons_are_valid() {
    let Some(forces) = test_data("police_force_areas.geojson.gz") else { return };
    let Some(routes) = test_data("network_rail_routes.geojson.gz") else { return };
    let Some(coast) = test_data("coastline_gb_ie.geojson.gz") else { return };
    let world = World::new();
    let mut coverage = options("forces-2020");
    coverage.about.coverage = true;
    world.import_file(&forces, &coverage).unwrap();
    world.import_file(&routes, &options("routes")).unwrap();
    world.import_file(&coast, &options("coast")).unwrap();
    let view = view(&world);
    for z in 4..=11 {
        for (lon, lat) in [(-1.9, 52.5), (-0.3, 51.4), (-3.0, 53.4), (-6.3, 49.9)] {
            let centre = tile_at(lon, lat, z);
            let tile = bytes(&view, &["forces-2020", "routes", "coast"], centre);
            assert!(tile.len() <= LOW_ZOOM_BYTES);
            let layers = mvt::read(&tile);
            for feature in layers.iter().flat_map(|layer| &layer.features) {
                assert!(valid(feature), "{centre:?} {:?}", feature.properties);
            }
            let Some(forces) = layers.iter().find(|layer| layer.name == "forces-2020") else { continue };
            let sum: i64 = forces.features.iter().flat_map(|f| &f.parts).map(|ring| mvt::area2(ring)).sum();
            let mut union = geo_types::MultiPolygon::<f64>(vec![]);
            let mut border = 0;
            for feature in &forces.features {
                border += feature.parts.iter().map(Vec::len).sum::<usize>();
                for ring in feature.parts.iter().filter(|ring| mvt::area2(ring) > 0) {
                    let line =
                        ring.iter().map(|p| geo_types::Coord { x: p.0 as f64, y: p.1 as f64 }).collect();
                    union = union.union(&geo_types::Polygon::new(line, vec![]));
                }
            }
            // The union fills holes that contain another force (the City of London); overlaps would make the sum larger.
            let overlap = sum as f64 / 2.0 - union.unsigned_area();
            assert!(overlap <= border as f64, "{centre:?}: overlap of {overlap} cells on {border} vertices");
        }
    }
}

/// Points in dense groups and single points, so many that tiles of low zooms would be too large.
fn many_points(rows: usize) -> String {
    let mut numbers = Numbers(7);
    let mut csv = String::from("lon,lat,name,count\n");
    for row in 0..rows {
        let heap = row % 3 == 0;
        let (lon, lat) = if heap { (-1.5, 52.3) } else { (-3.0, 51.0) };
        let reach = if heap { 0.05 } else { 3.0 };
        let (lon, lat) = (lon + numbers.between(0.0, reach), lat + numbers.between(0.0, reach * 0.6));
        writeln!(csv, "{lon:.6},{lat:.6},point number {row},7").unwrap();
    }
    csv
}

#[test]
fn clusters_count_every_row_and_tiles_stay_within_their_size() {
    let world = World::new();
    let csv = many_points(60_000);
    world.import("p.csv", &csv, &options("p")).unwrap();
    let positions: Vec<(f64, f64)> = csv
        .lines()
        .skip(1)
        .map(|line| {
            let mut cells = line.split(',');
            (cells.next().unwrap().parse().unwrap(), cells.next().unwrap().parse().unwrap())
        })
        .collect();
    let view = view(&world);
    let mut clustered = 0;
    for z in 0..=15 {
        let centre = tile_at(-1.48, 52.31, z);
        let tile = bytes(&view, &["p"], centre);
        assert!(tile.len() <= if z < FULL_ZOOM { LOW_ZOOM_BYTES } else { FULL_ZOOM_BYTES }, "zoom {z}");
        let features: Vec<mvt::Feature> =
            mvt::read(&tile).into_iter().flat_map(|layer| layer.features).collect();
        let near = |(lon, lat): &(f64, f64), grown: f64| {
            let (x, y) = place(*lon, *lat, centre);
            (-64.0 - grown..4_160.0 + grown).contains(&x) && (-64.0 - grown..4_160.0 + grown).contains(&y)
        };
        // Positions are rounded to seven decimals, so one very close to the edge may be on either side.
        let most = positions.iter().filter(|p| near(p, 0.01)).count() as i64;
        let least = positions.iter().filter(|p| near(p, -0.01)).count() as i64;
        // The layer has a field `count` with 7 in every row; below zoom 12, `count` is the number of rows in a cluster.
        let is_clustered = z < FULL_ZOOM && features.iter().any(|f| f.properties.contains_key("count"));
        if z >= FULL_ZOOM {
            assert!(features.iter().all(|f| f.properties["count"] == Value::Int(7)), "zoom {z}");
        }
        let sum = if is_clustered {
            clustered += 1;
            features.iter().map(|f| number(f, "count")).sum()
        } else {
            features.len() as i64
        };
        assert!((least..=most).contains(&sum), "zoom {z}: {sum} of {least} to {most}");
    }
    assert!(clustered > 5, "{clustered}");
}

#[test]
fn a_layer_is_clustered_in_all_tiles_of_a_zoom_or_in_none() {
    // A town with many points, and a few points two tiles away.
    let mut csv = many_points(30_000);
    csv.push_str("2.5,51.2,far,7\n2.6,51.3,far too,7\n");
    let world = World::new();
    world.import("p.csv", csv, &options("p")).unwrap();
    let view = view(&world);
    let clustered = |lon: f64, lat: f64, z: u8| {
        let layers = mvt::read(&bytes(&view, &["p"], tile_at(lon, lat, z)));
        let counted = layers[0].features.iter().filter(|f| f.properties.contains_key("count")).count();
        assert!(counted == 0 || counted == layers[0].features.len(), "all or none at zoom {z}");
        counted > 0
    };
    // Up to zoom 11, the town's 10,000 points are on one tile and in the buffers of its neighbours.
    for z in 4..12 {
        assert_eq!(clustered(2.55, 51.25, z), clustered(-1.48, 52.31, z), "zoom {z}");
    }
    assert!(clustered(2.55, 51.25, 4));
}

#[test]
fn from_zoom_12_on_no_row_is_lost_even_if_all_are_at_one_position() {
    // 120,000 points at one position and 200,000 next to each other: with names, neither fits into 2 MB.
    let world = World::new();
    let mut csv = String::from("lon,lat,name\n");
    for row in 0..120_000 {
        writeln!(csv, "-1.5,52.3,a rather long name to carry about {row}").unwrap();
    }
    let centre = tile_at(-1.5, 52.3, 12);
    let mut here = 120_000;
    for row in 0..60_000 {
        let (x, y) = place(-1.52 + f64::from(row % 300) * 1e-4, 52.29 + f64::from(row / 300) * 1e-4, centre);
        here += i64::from((-64.0..4_160.0).contains(&x) && (-64.0..4_160.0).contains(&y));
        writeln!(
            csv,
            "{:.6},{:.6},side {row}",
            -1.52 + f64::from(row % 300) * 1e-4,
            52.29 + f64::from(row / 300) * 1e-4
        )
        .unwrap();
    }
    world.import("p.csv", csv, &options("p")).unwrap();
    let view = view(&world);
    let tile = bytes(&view, &["p"], centre);
    assert!(tile.len() <= FULL_ZOOM_BYTES);
    let layers = mvt::read(&tile);
    assert_eq!(layers[0].features.iter().map(|f| number(f, "count")).sum::<i64>(), here);
    assert!(here > 170_000);
    let alone =
        |f: &mvt::Feature| number(f, "count") == 1 && f.properties["left_out"] == Value::Text("name".into());
    assert!(layers[0].features.iter().all(|f| f.properties.len() == 1 || alone(f)), "properties go first");
    // A few thousand points that do not fit with names fit without them.
    let world = World::new();
    let mut csv = String::from("lon,lat,name\n");
    for row in 0..40_000 {
        writeln!(
            csv,
            "{:.6},{:.6},a rather long name to carry about number {row}",
            -1.52 + f64::from(row % 200) * 1e-4,
            52.29 + f64::from(row / 200) * 1e-4
        )
        .unwrap();
    }
    world.import("p.csv", csv, &options("p")).unwrap();
    let view = crate::view(&world);
    let layers = mvt::read(&bytes(&view, &["p"], tile_at(-1.5, 52.3, 12)));
    assert_eq!(layers[0].features.len(), 40_000);
    let said =
        |f: &mvt::Feature| f.properties.len() == 1 && f.properties["left_out"] == Value::Text("name".into());
    assert!(layers[0].features.iter().all(said));
}

#[test]
fn small_polygons_are_dropped_before_large_ones() {
    let mut numbers = Numbers(5);
    let mut features = Vec::new();
    for n in 0..24_000 {
        let (lon, lat) = (numbers.between(-2.5, 0.0), numbers.between(51.5, 53.0));
        let radius = if n % 100 == 0 { 0.2 } else { 0.012 };
        let ring = star(&mut numbers, lon, lat, radius);
        features.push(json!({"type": "Feature", "properties": {"n": n, "text": format!("area number {n} of many")}, "geometry": {"type": "Polygon", "coordinates": [ring]}}));
    }
    let world = World::new();
    world
        .import(
            "a.geojson",
            json!({"type": "FeatureCollection", "features": features}).to_string(),
            &options("a"),
        )
        .unwrap();
    let view = view(&world);
    let tile = bytes(&view, &["a"], tile_at(-1.2, 52.2, 5));
    assert!(tile.len() <= LOW_ZOOM_BYTES && tile.len() > LOW_ZOOM_BYTES * 9 / 10, "{}", tile.len());
    let layers = mvt::read(&tile);
    let drawn: HashSet<i64> = layers[0].features.iter().map(|f| number(f, "n")).collect();
    assert!(drawn.len() < 24_000 && (0..24_000).step_by(100).all(|n| drawn.contains(&n)), "{}", drawn.len());
    // From zoom 12 on, no polygon is dropped.
    let mut found = HashSet::new();
    for x in 2_015..=2_050 {
        for y in 1_315..=1_370 {
            for layer in mvt::read(&bytes(&view, &["a"], at(12, x, y))) {
                found.extend(layer.features.iter().map(|f| number(f, "n")));
            }
        }
    }
    assert!(found.len() > 23_000, "{}", found.len());
}

#[test]
fn layers_share_a_tile_s_bytes() {
    let world = World::new();
    for id in ["one", "two", "three"] {
        world.import("p.csv", many_points(20_000), &options(id)).unwrap();
    }
    world.import("few.csv", "lon,lat\n-1.5,52.3\n", &options("few")).unwrap();
    let view = view(&world);
    let tile = bytes(&view, &["one", "two", "few", "three"], tile_at(-1.5, 52.3, 5));
    assert!(tile.len() <= LOW_ZOOM_BYTES);
    let layers = mvt::read(&tile);
    assert_eq!(
        layers.iter().map(|layer| layer.name.as_str()).collect::<Vec<_>>(),
        ["one", "two", "few", "three"]
    );
    assert_eq!(layers[2].features.len(), 1);
    assert_eq!(layers[0].features.len(), layers[3].features.len());
}

#[test]
fn equal_rows_give_equal_bytes_for_any_order_of_imports() {
    let csv = many_points(40_000);
    let (head, rows) = csv.split_once('\n').unwrap();
    let lines: Vec<&str> = rows.lines().collect();
    let file = |lines: &[&str]| {
        format!(
            "ref,{head}\n{}\n",
            lines.iter().enumerate().map(|(n, line)| format!("{n},{line}")).collect::<Vec<_>>().join("\n")
        )
    };
    // Rows with public ids have the same internal ids in both worlds.
    let import = |world: &World, text: String| {
        let mut by_ref = options("p");
        by_ref.id = Some("ref".into());
        world.import("p.csv", text, &by_ref).unwrap();
    };
    let (one, two) = (World::new(), World::new());
    let whole = file(&lines);
    import(&one, whole.clone());
    // The same rows in three imports, the last part first.
    let all: Vec<&str> = whole.lines().collect();
    for part in [&all[30_001..], &all[10_001..30_001], &all[1..10_001]] {
        import(&two, format!("{}\n{}\n", all[0], part.join("\n")));
    }
    let (one, two) = (view(&one), view(&two));
    for (lon, lat, z) in [(-1.5, 52.3, 3), (-1.5, 52.3, 7), (-1.48, 52.31, 11), (-1.48, 52.31, 13)] {
        let at = tile_at(lon, lat, z);
        let tile = bytes(&one, &["p"], at);
        assert!(!tile.is_empty());
        assert_eq!(tile, bytes(&two, &["p"], at), "{at:?}");
        assert_eq!(tile, bytes(&one, &["p"], at), "{at:?}");
    }
}

#[test]
fn a_tile_has_only_the_requested_properties() {
    let world = World::new();
    world.import("p.csv", "lon,lat,name,kind\n-1.5,52.3,a,b\n", &options("p")).unwrap();
    let view = view(&world);
    let collection = view.collection("p").unwrap();
    let names = |wanted: &[&str]| -> Vec<String> {
        let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
        let tile = tile(
            &[Layer::whole(collection)],
            tile_at(-1.5, 52.3, 10),
            Some(&wanted),
            FeatureDropping::ToSize,
        );
        mvt::read(&tile)[0].features[0].properties.keys().cloned().collect()
    };
    assert_eq!(names(&["kind"]), ["kind"]);
    assert!(names(&[]).is_empty());
}

#[test]
fn without_feature_dropping_every_row_is_in_the_tile() {
    let mut numbers = Numbers(5);
    let mut features = Vec::new();
    for n in 0..12_000 {
        let (lon, lat) = (numbers.between(-2.0, -1.0), numbers.between(51.5, 52.5));
        let geometry = match n % 3 {
            0 => json!({"type": "Point", "coordinates": [lon, lat]}),
            1 => json!({"type": "LineString", "coordinates": [[lon, lat], [lon + 0.01, lat]]}),
            _ => {
                json!({"type": "Polygon", "coordinates": [[[lon, lat], [lon + 0.01, lat], [lon, lat + 0.01], [lon, lat]]]})
            }
        };
        features.push(json!({"type": "Feature", "properties": {"n": n, "about": format!("{n:060}")}, "geometry": geometry}));
    }
    let world = World::new();
    let text = json!({"type": "FeatureCollection", "features": features}).to_string();
    world.import("f.geojson", text, &options("f")).unwrap();
    let view = view(&world);
    let collection = view.collection("f").unwrap();
    let read =
        |z, dropping| mvt::read(&tile(&[Layer::whole(collection)], tile_at(-1.5, 52.0, z), None, dropping));
    for z in [0, 3] {
        let whole = read(z, FeatureDropping::None);
        let rows: HashSet<i64> = whole[0].features.iter().map(|feature| number(feature, "n")).collect();
        assert_eq!((whole[0].features.len(), rows.len()), (12_000, 12_000), "zoom {z}");
        assert!(read(z, FeatureDropping::ToSize)[0].features.len() < 12_000, "zoom {z}");
    }
}

/// The tile that a caller of the role `public` gets.
fn public_tile(world: &World, layer: &str, at: TileCoord) -> Vec<u8> {
    bytes(&world.gate().view(&Principal::Anonymous), &[layer], at)
}

#[test]
fn hidden_rows_change_no_byte_of_a_tile() {
    let secret = |into: &str| {
        let mut hidden = options(into);
        hidden.provenance = Provenance { sensitivity: Sensitivity::Restricted, ..Provenance::open("local") };
        hidden
    };
    let stations = |prefix: &str, rows: usize, seed: u64| {
        let mut numbers = Numbers(seed);
        (0..rows).fold(String::from("crs,name,lon,lat,country,force\n"), |mut text, row| {
            let (lon, lat) = (numbers.between(-3.0, 0.0), numbers.between(51.0, 53.0));
            writeln!(text, "{prefix}{row},Station {prefix}{row},{lon:.6},{lat:.6},england,f{}", row % 40)
                .unwrap();
            text
        })
    };
    // More rows than a row group holds: hidden rows among them change how rows are partitioned into groups.
    let (open, full) = (World::new(), World::new());
    open.import("s.csv", stations("S", 24_000, 3), &options("stations")).unwrap();
    full.import("h.csv", stations("H", 9_000, 4), &secret("stations")).unwrap();
    full.import("s.csv", stations("S", 24_000, 3), &options("stations")).unwrap();
    // A hidden polygon adds nodes to the borders of its neighbours.
    let forces = wandering_coverage(&mut Numbers(2), 3).replace("{\"n\":", "{\"id\":");
    let mut areas: serde_json::Value = serde_json::from_str(&forces).unwrap();
    for feature in areas["features"].as_array_mut().unwrap() {
        let id = format!("force-{}", feature["properties"]["id"]);
        feature["properties"] = json!({"id": id, "name": id});
    }
    let list = areas["features"].as_array().unwrap().clone();
    let some = |features: &[serde_json::Value]| {
        json!({"type": "FeatureCollection", "features": features}).to_string()
    };
    open.import("f.geojson", some(&list[..5]), &options("forces")).unwrap();
    full.import("f.geojson", some(&list[..5]), &options("forces")).unwrap();
    full.import("g.geojson", some(&list[5..]), &secret("forces")).unwrap();
    let mut read = 0;
    for z in [2, 4, 6, 7, 8, 10, 12] {
        for layer in ["stations", "forces"] {
            let at = tile_at(-1.45, 51.35, z);
            let tile = public_tile(&open, layer, at);
            assert_eq!(tile, public_tile(&full, layer, at), "{layer} {at:?}");
            read += usize::from(!tile.is_empty());
            // The operator's tiles differ, which shows that the comparison can fail.
            assert!(z > 7 || tile != bytes(&view(&full), &[layer], at), "{layer} {at:?}");
        }
    }
    assert_eq!(read, 14);
}

/// A layer of polygons with ids, one ring each.
fn areas(rings: &[Vec<[f64; 2]>]) -> World {
    let features: Vec<_> = rings
        .iter()
        .enumerate()
        .map(|(n, ring)| json!({"type": "Feature", "id": n + 1, "properties": {"n": n}, "geometry": {"type": "Polygon", "coordinates": [ring]}}))
        .collect();
    let world = World::new();
    let text = json!({"type": "FeatureCollection", "features": features}).to_string();
    world.import("a.geojson", text, &options("a")).unwrap();
    world
}

/// The same polygon written differently: its ring begins at another vertex, is reversed, or repeats its first vertex.
fn begun_at(ring: &[[f64; 2]], turn: usize, backwards: bool, doubled: bool) -> Vec<[f64; 2]> {
    let mut open = ring[..ring.len() - 1].to_vec();
    if backwards {
        open.reverse();
    }
    let turn = turn % open.len();
    open.rotate_left(turn);
    if doubled {
        open.insert(0, open[0]);
    }
    open.push(open[0]);
    open
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_ring_gives_the_same_tile_wherever_it_begins(seed in 1_u64..u64::MAX, z in 3_u8..15, turn in 0_usize..9, backwards: bool, doubled: bool) {
        let mut numbers = Numbers(seed);
        let centre = tile_at(-1.5, 52.0, z);
        let width = 360.0 / f64::from(1_u32 << z);
        let rings: Vec<_> = (0..60).map(|n| {
            let (lon, lat) = (-1.5 + numbers.between(-1.0, 1.0) * width, 52.0 + numbers.between(-0.6, 0.6) * width);
            // From much less than a cell to more than the tile. Some rings cross themselves, some are figures of eight.
            let radius = width * 10_f64.powf(numbers.between(-5.0, 0.3));
            let mut ring = star(&mut numbers, lon, lat, radius);
            match n % 5 {
                0 => ring.swap(1, 2),
                1 => {
                    let (dx, dy) = (ring[0][0] - lon, ring[0][1] - lat);
                    ring = vec![[lon - dx, lat - dy], [lon + dx, lat + dy], [lon + dx, lat - dy], [lon - dx, lat + dy], [lon - dx, lat - dy]];
                }
                _ => {}
            }
            ring
        }).collect();
        let others: Vec<_> = rings.iter().enumerate().map(|(n, ring)| begun_at(ring, turn + n, backwards, doubled)).collect();
        let (one, other) = (areas(&rings), areas(&others));
        prop_assert!(bytes(&view(&one), &["a"], centre) == bytes(&view(&other), &["a"], centre), "{:?}", centre);
    }
}

#[test]
fn small_polygons_are_in_every_tile_that_they_meet_at_every_zoom() {
    // 96 houses of about 12 by 15 m, rotated, with rings that begin at each corner.
    let mut numbers = Numbers(21);
    let mut rings = Vec::new();
    for n in 0..96_usize {
        let (lon, lat) = (-1.1 + numbers.between(-0.01, 0.01), 50.8 + numbers.between(-0.005, 0.005));
        let (turn, wide, high) = (numbers.between(0.0, 1.6), 6.0 / 70_400.0, 7.5 / 111_200.0);
        let corner = |x: f64, y: f64| {
            [lon + wide * (x * turn.cos() - y * turn.sin()), lat + high * (x * turn.sin() + y * turn.cos())]
        };
        let ring =
            [corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0), corner(-1.0, -1.0)];
        rings.push(begun_at(&ring, n, n % 3 == 0, n % 7 == 0));
    }
    let view = view(&areas(&rings));
    for z in 0..=17 {
        for (n, ring) in rings.iter().enumerate() {
            let [lon, lat] = ring[1];
            let layers = mvt::read(&bytes(&view, &["a"], tile_at(lon, lat, z)));
            let found = layers[0].features.iter().find(|feature| number(feature, "n") == n as i64);
            let feature = found.unwrap_or_else(|| unreachable!("house {n} is missing at zoom {z}"));
            assert!(feature.parts.iter().map(|part| mvt::area2(part)).sum::<i64>() > 0, "{n} at zoom {z}");
        }
    }
}

#[test]
fn features_beyond_the_mercator_square_are_on_no_tile() {
    let beyond = vec![[-1.0, 85.1], [1.0, 85.1], [1.0, 85.4], [-1.0, 85.4], [-1.0, 85.1]];
    let across = vec![[-1.0, 84.0], [1.0, 84.0], [1.0, 85.4], [-1.0, 85.4], [-1.0, 84.0]];
    let view = view(&areas(&[beyond, across]));
    for z in 0..=6 {
        let layers = mvt::read(&bytes(&view, &["a"], tile_at(0.5, 85.0, z)));
        let found: Vec<i64> = layers[0].features.iter().map(|feature| number(feature, "n")).collect();
        assert_eq!(found, [1], "zoom {z}");
    }
}

#[test]
fn both_halves_of_a_polygon_that_crosses_itself_are_drawn() {
    // Two triangles that touch at their tips, with vertical bases; once equal, once not.
    let even = vec![[-1.0, 50.0], [-0.2, 50.4], [-0.2, 50.0], [-1.0, 50.4], [-1.0, 50.0]];
    let lop = vec![[-1.0, 51.0], [-0.2, 51.4], [-0.2, 50.9], [-1.0, 51.4], [-1.0, 51.0]];
    let view = view(&areas(&[even, lop]));
    for z in 3..=9 {
        let layers = mvt::read(&bytes(&view, &["a"], tile_at(-0.6, 50.2, z)));
        for feature in &layers[0].features {
            assert!(valid(feature), "{feature:?}");
            if z < 7 {
                assert_eq!(feature.parts.len(), 2, "{feature:?} at zoom {z}");
            }
        }
        // From zoom 7 on, the second polygon is beyond the tile.
        assert_eq!(layers[0].features.len(), if z < 7 { 2 } else { 1 }, "zoom {z}");
    }
}

/// A layer around 1.5 W 52.3 N with a text for each feature.
fn layer_with_texts(stories: &[String], geometry: &dyn Fn(usize) -> serde_json::Value) -> World {
    let features: Vec<_> = stories
        .iter()
        .enumerate()
        .map(|(n, story)| json!({"type": "Feature", "properties": {"n": n, "story": story, "kind": "k"}, "geometry": geometry(n)}))
        .collect();
    let world = World::new();
    let text = json!({"type": "FeatureCollection", "features": features}).to_string();
    world.import("t.geojson", text, &options("t")).unwrap();
    world
}

/// For each feature its number and the length of its story in bytes, or the fields that `left_out` names.
fn stories(view: &throughline::access::View, at: TileCoord) -> Vec<(i64, Result<usize, String>)> {
    let tile = bytes(view, &["t"], at);
    assert!(tile.len() <= if at.z < FULL_ZOOM { LOW_ZOOM_BYTES } else { FULL_ZOOM_BYTES }, "{at:?}");
    let features = mvt::read(&tile).into_iter().flat_map(|layer| layer.features);
    let mut out: Vec<(i64, Result<usize, String>)> = features
        .map(|feature| {
            assert_eq!(feature.properties.get("kind"), Some(&Value::Text("k".into())), "{at:?}");
            let story = match (feature.properties.get("story"), feature.properties.get("left_out")) {
                (Some(Value::Text(story)), None) => Ok(story.len()),
                (None, Some(Value::Text(names))) => Err(names.clone()),
                other => unreachable!("{other:?}"),
            };
            (number(&feature, "n"), story)
        })
        .collect();
    out.sort();
    out
}

#[test]
fn texts_are_left_out_before_geometries_at_every_zoom() {
    let place = |n: usize| json!([-1.5 + n as f64 * 1e-6, 52.3]);
    let point = |n: usize| json!({"type": "Point", "coordinates": place(n)});
    let line = |n: usize| json!({"type": "LineString", "coordinates": [place(n), [-1.6, 52.4]]});
    let lost = || Err("story".to_owned());
    // Each text is larger than a tile of low zoom, and three together are larger than any tile; for points and lines.
    let long = |letter: &str| letter.repeat(900_000);
    for geometry in [&point as &dyn Fn(usize) -> serde_json::Value, &line] {
        let view = view(&layer_with_texts(&[long("x"), "-".into(), long("y"), long("z")], geometry));
        for z in 0..=15 {
            // From zoom 12 on, two of the three would fit, but texts of equal length are left out together.
            let expected = [(0, lost()), (1, Ok(1)), (2, lost()), (3, lost())];
            assert_eq!(stories(&view, tile_at(-1.5, 52.3, z)), expected, "zoom {z}");
        }
    }
    // The longest of five texts are left out, as few as possible: below zoom 12, 450,000 bytes fit; from there on, all five.
    let lengths = [300_000, 60, 200_000, 150_000, 100_000];
    let texts: Vec<String> = lengths.iter().map(|length| "y".repeat(*length)).collect();
    let world = layer_with_texts(&texts, &line);
    let view = crate::view(&world);
    for z in 3..=14 {
        let whole = |n: usize| (n as i64, Ok(lengths[n]));
        let expected = if z < FULL_ZOOM {
            vec![(0, lost()), whole(1), whole(2), whole(3), whole(4)]
        } else {
            (0..5).map(whole).collect()
        };
        assert_eq!(stories(&view, tile_at(-1.5, 52.3, z)), expected, "zoom {z}");
    }
    // Equal texts stand in the tile once, for any number of features.
    let texts: Vec<String> =
        (0..50).map(|n| if n == 0 { "z".repeat(600_000) } else { "w".repeat(300_000) }).collect();
    let view = crate::view(&layer_with_texts(&texts, &line));
    let found = stories(&view, tile_at(-1.5, 52.3, 8));
    assert_eq!((found.len(), &found[0].1), (50, &lost()));
    assert!(found[1..].iter().all(|(_, story)| *story == Ok(300_000)));
}

#[test]
fn single_points_of_a_clustered_layer_stay_when_one_has_a_long_text() {
    // A town with many points, and one point far away with a text that is larger than the tile.
    let csv = many_points(30_000);
    let (head, rows) = csv.split_once('\n').unwrap();
    let rows = rows.lines().fold(String::new(), |mut text, row| {
        writeln!(text, "{row},").unwrap();
        text
    });
    let features = |story: usize| -> Vec<(Vec<Vec<Place>>, i64)> {
        let world = World::new();
        let text = format!("{head},story\n{rows}2.5,51.2,far,7,{}\n", "x".repeat(story));
        world.import("p.csv", text, &options("p")).unwrap();
        let layers = mvt::read(&bytes(&view(&world), &["p"], tile_at(2.5, 51.2, 5)));
        let far = |f: &&mvt::Feature| f.properties.get("name") == Some(&Value::Text("far".into()));
        assert_eq!(layers[0].features.iter().find(far).map(|f| number(f, "count")), Some(1));
        let mut out: Vec<_> =
            layers[0].features.iter().map(|f| (f.parts.clone(), number(f, "count"))).collect();
        out.sort();
        out
    };
    assert_eq!(features(600_000), features(1));
}

#[test]
fn whole_number_ids_are_feature_ids_and_not_a_property() {
    let world = World::new();
    let mut by_id = options("p");
    by_id.id = Some("id".into());
    world.import("p.csv", "id,lon,lat,name\n12,-1.5,52.3,a\n7,-1.4,52.3,b\n", &by_id).unwrap();
    let view = view(&world);
    let collection = view.collection("p").unwrap();
    let read = |wanted: Option<&[String]>| -> Vec<(u64, Vec<String>)> {
        let tile = tile(&[Layer::whole(collection)], tile_at(-1.45, 52.3, 7), wanted, FeatureDropping::None);
        let features = mvt::read(&tile).remove(0).features;
        let mut out: Vec<_> =
            features.into_iter().map(|f| (f.id, f.properties.into_keys().collect())).collect();
        out.sort();
        out
    };
    let names = |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    assert_eq!(read(None), [(7, names(&["name"])), (12, names(&["name"]))]);
    // A request that names the field gets it.
    assert_eq!(read(Some(&names(&["id"]))), [(7, names(&["id"])), (12, names(&["id"]))]);
}
