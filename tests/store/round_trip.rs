//! What our export writes our import reads back whole: ids, references, values, geometry and times, in every format, plain
//! and gzipped. Written and read by the program itself; compared as GeoJSON.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use serde_json::json;
use throughline::access::Principal;
use throughline::demo;
use throughline::demo::Settings;
use throughline::import::ImportOptions;
use throughline::model::CollectionClass;
use throughline::model::RowId;

use crate::fixtures::World;
use crate::fixtures::options;
use crate::fixtures::write_demo;

const FORMATS: [&str; 4] = ["geojson", "geojsonl", "csv", "gpkg"];

/// Exports a collection into a file of the world's folder; `None` if the format does not take it.
fn export(world: &World, collection: &str, ending: &str) -> Option<PathBuf> {
    let file = world.path(&format!("out-{collection}.{ending}"));
    let done = Command::new(env!("CARGO_BIN_EXE_throughline"))
        .args(["export", "--force"])
        .args([world.store.path().as_os_str(), collection.as_ref(), file.as_os_str()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    if ending == "csv" && said.contains("CSV holds single points only") {
        return None;
    }
    assert!(done.status.success(), "{collection} {ending}: {said}");
    Some(file)
}

/// Every feature by its id, without what is computed for the day that the store's picture is drawn for.
fn features(world: &World, collection: &str) -> BTreeMap<String, Value> {
    let file = export(world, collection, "geojson").unwrap();
    let text: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let features = text["features"].as_array().unwrap().iter().map(|feature| {
        let mut feature = feature.clone();
        feature["properties"].as_object_mut().unwrap().remove("active_lines");
        (feature["id"].to_string(), feature)
    });
    features.collect()
}

fn gzipped(file: &PathBuf) -> PathBuf {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&std::fs::read(file).unwrap()).unwrap();
    let packed = PathBuf::from(format!("{}.gz", file.display()));
    std::fs::write(&packed, encoder.finish().unwrap()).unwrap();
    packed
}

/// Imports what is exported into a store of its own, and compares.
#[track_caller]
fn comes_back(from: &World, collection: &str, ending: &str, packed: bool) {
    let Some(file) = export(from, collection, ending) else { return };
    let file = if packed { gzipped(&file) } else { file };
    let into = World::new();
    let report = into.import_file(&file, &options(collection)).unwrap();
    assert_eq!((report.rejected, &report.rows), (0, &Vec::new()), "{collection} {ending}");
    let (before, after) = (features(from, collection), features(&into, collection));
    for (id, feature) in &before {
        assert_eq!(after.get(id), Some(feature), "{collection} {ending} {id}");
    }
    assert_eq!(before.len(), after.len());
}

fn layer(features: &[(Value, Value, Value)]) -> String {
    let features: Vec<Value> = features
        .iter()
        .map(|(id, geometry, properties)| {
            let mut feature = json!({"type": "Feature", "geometry": geometry, "properties": properties});
            if !id.is_null() {
                feature["id"] = id.clone();
            }
            feature
        })
        .collect();
    json!({"type": "FeatureCollection", "features": features}).to_string()
}

fn point(lon: f64, lat: f64) -> Value {
    json!({"type": "Point", "coordinates": [lon, lat]})
}

/// Properties that other programs lose, each in two rows.
fn odd(second: bool) -> Value {
    let of = |first: Value, other: Value| if second { other } else { first };
    json!({
        "id": of(json!("K9"), json!("K10")),
        "fid": of(json!(77), json!(77)),
        "geom": of(json!("brick"), Value::Null),
        "feature_id": of(json!("mine"), json!("yours")),
        "lon": of(json!("left"), json!("right")),
        "Lat": of(json!(3), json!(4)),
        "name": of(json!("Zoë \"the Quay\", 1"), json!("line one\nline two\r\nthree")),
        "Name": of(json!("'; DROP TABLE x; --"), json!("\u{1f600} ß")),
        "ref (text)": of(json!(1), json!(2)),
        "a (json)": of(json!("plain"), json!("[1]")),
        " spaced ": of(json!("  kept  "), json!("\t")),
        "a name of more than fifty letters that nobody would ever choose": of(json!(true), json!(false)),
        "digits": of(json!("12"), json!("13")),
        "zeros": of(json!("0012"), json!("13")),
        "days as text": of(json!("2031-03-01"), Value::Null),
        "empty": of(json!(""), Value::Null),
        "backslash": of(json!("\\N"), json!("")),
        "truth": of(json!("true"), json!("false")),
        "json": of(json!({"b": [1, null, 2.5], "a": "é"}), Value::Null),
        "mixed": of(json!(1), json!("one")),
        "nested text": of(json!("{\"a\":1}"), json!("{\"a\":2}")),
        "large": of(json!(9_007_199_254_740_993_i64), json!(i64::MIN)),
        "small": of(json!(1.5e-7), json!(-0.1)),
        "day": of(json!("2031-03-01"), json!("0001-01-01")),
        "at": of(json!("2031-03-01T12:00:00.123456Z"), json!("1969-12-31T23:59:59Z")),
        "none": Value::Null,
        ";;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;": of(json!(1), json!(2)),
    })
}

#[test]
fn odd_layers_come_back_whole_in_every_format() {
    let uuid = "07070707-0707-4707-8707-070707070707";
    let ids: [(&str, [Value; 3]); 6] = [
        ("texts", [json!("a"), json!("ß \"b\", c"), json!("c d")]),
        ("numbers", [json!(7), json!(-1), json!(9_007_199_254_740_993_i64)]),
        ("digits", [json!("7"), json!("8"), json!("9")]),
        ("uuids", [json!(uuid), json!(uuid.replace('7', "8")), json!(uuid.to_uppercase().replace('0', "A"))]),
        ("without", [Value::Null, Value::Null, Value::Null]),
        ("some", [json!(7), Value::Null, json!(8)]),
    ];
    let square = json!({"type": "Polygon", "coordinates": [
        [[0.0, 51.0], [1.0, 51.0], [1.0, 52.0], [0.0, 52.0], [0.0, 51.0]],
        [[0.2, 51.2], [0.2, 51.4], [0.4, 51.4], [0.2, 51.2]]
    ]});
    let line = json!({"type": "LineString", "coordinates": [[-1.0, 51.0], [-1.25, 52.125]]});
    let places: [(&str, [Value; 3]); 3] = [
        ("points", [point(-1.234_567_8, 52.1), Value::Null, point(0.0, 50.0)]),
        ("geometries", [square, line, Value::Null]),
        ("nowhere", [Value::Null, Value::Null, Value::Null]),
    ];
    for (of, geometries) in &places {
        for (kind, ids) in &ids {
            let world = World::new();
            let rows: Vec<(Value, Value, Value)> =
                (0..3).map(|row| (ids[row].clone(), geometries[row].clone(), odd(row % 2 == 1))).collect();
            world.import("x.geojson", layer(&rows), &options("x")).unwrap();
            let there = features(&world, "x");
            assert_eq!(there.len(), 3, "{of} {kind}");
            for feature in there.values() {
                let properties = &feature["properties"];
                assert!(*properties == odd(false) || *properties == odd(true), "{properties}");
            }
            for ending in FORMATS {
                comes_back(&world, "x", ending, ending.len() % 2 == 0);
            }
        }
    }
    let world = World::new();
    let csv = "id,fid,lon,lat,code,feature_id\n1,5,-1,52,007,a\n2,5,,,008,b\n";
    world.import("x.csv", csv, &options("x")).unwrap();
    for feature in features(&world, "x").values() {
        assert!(feature["properties"]["id"].is_i64() && feature["properties"]["fid"] == 5, "{feature}");
    }
    for ending in FORMATS {
        comes_back(&world, "x", ending, true);
    }
}

#[test]
fn a_row_that_a_gis_program_added_to_an_export_has_no_id() {
    let world = World::new();
    let rows = [(json!("a"), point(-1.0, 52.0), json!({"name": "one"}))];
    world.import("x.geojson", layer(&rows), &options("x")).unwrap();
    let file = export(&world, "x", "gpkg").unwrap();
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.execute_batch("INSERT INTO x(fid, name) VALUES (99, 'two')").unwrap_or_else(|_| {
        // The triggers of the R-tree want functions that only GIS programs have.
        connection
            .execute_batch("DROP TRIGGER rtree_x_geom_insert; INSERT INTO x(fid, name) VALUES (99, 'two')")
            .unwrap();
    });
    drop(connection);
    let into = World::new();
    assert_eq!(into.import_file(&file, &options("x")).unwrap().accepted, 2);
    let ids: Vec<String> = features(&into, "x").into_keys().collect();
    assert!(ids.contains(&"\"a\"".to_owned()) && ids.iter().all(|id| id != "99"), "{ids:?}");
}

fn register(collection: &str, synthetic: bool) -> ImportOptions {
    let mut options = options(collection);
    options.provenance.synthetic = synthetic;
    options
}

#[test]
fn the_built_in_collections_come_back_whole_in_every_format() {
    let from = World::new();
    write_demo(from.store.path(), Settings { seed: demo::SEED, scale: 0.03 }).unwrap();
    let schemas: Vec<(String, CollectionClass)> = {
        let view = from.gate().view(&Principal::LocalOperator);
        let schemas = view.collections().map(|collection| collection.schema());
        schemas.map(|schema| (schema.id.clone(), schema.class)).collect()
    };
    let lines_drawn =
        |world: &World| features(world, "lines").values().filter(|line| !line["geometry"].is_null()).count();
    let day = "/api/flows?limit=10000&datetime=2024-04-30&level=";
    let flows = |world: &World, level: &str| {
        let mut answer = world.serve().get(&format!("{day}{level}")).json();
        // The marking is what whoever imports says it is.
        for own in ["data_version", "reference_date", "marking"] {
            answer[own] = Value::Null;
        }
        answer
    };
    let levels = ["place", "area", "force", "region"].map(|level| (level, flows(&from, level)));
    let all: Vec<(&String, BTreeMap<String, Value>)> = schemas
        .iter()
        .filter(|(_, class)| *class != CollectionClass::Release)
        .map(|(id, _)| (id, features(&from, id)))
        .collect();
    let (drawn, before) = (lines_drawn(&from), &levels[0].1);
    assert!(drawn > 100 && before["totals"]["legs"].as_u64().unwrap() > 20, "{drawn} {}", before["totals"]);
    for ending in FORMATS {
        let into = World::new();
        let mut whole = true;
        for (id, class) in schemas.iter().filter(|(_, class)| *class != CollectionClass::Release) {
            let of_format = export(&from, id, ending);
            whole &= of_format.is_some();
            let file = of_format.unwrap_or_else(|| export(&from, id, "geojsonl").unwrap());
            let synthetic = *class == CollectionClass::Register;
            let report = into.import_file(&file, &register(id, synthetic)).unwrap();
            assert_eq!(report.rejected, 0, "{id} {ending}: {:?}", report.rows.first());
            // Legs come before towns: only that they say so is expected.
            assert!(
                report.rows.iter().all(|note| note.fault.code == "unknown-end"),
                "{id} {:?}",
                report.rows
            );
        }
        assert_eq!(whole, ending != "csv");
        for (id, before) in &all {
            let after = features(&into, id);
            assert_eq!(before.len(), after.len(), "{id} {ending}");
            for (key, feature) in before {
                assert_eq!(after.get(key), Some(feature), "{id} {ending}");
            }
        }
        assert_eq!(lines_drawn(&into), drawn, "{ending}");
        for (level, before) in &levels {
            assert_eq!(flows(&into, level), *before, "{ending} {level}");
        }
    }
}

/// A register of one hub, one town, two lines and legs that name them by any of their ids.
fn two_lines(line_ids: [&str; 2], legs: &[(&str, &str, &str)]) -> World {
    let world = World::new();
    let place = |id: &str, lon: f64| {
        layer(&[(
            Value::Null,
            point(lon, 52.0),
            json!({"id": id, "name": id.to_uppercase(), "force": "kent"}),
        )])
    };
    world.import("hubs.geojson", place("quay", -1.0), &options("hubs")).unwrap();
    world.import("towns.geojson", place("bay", 0.0), &options("towns")).unwrap();
    let lines: Vec<(Value, Value, Value)> = line_ids
        .iter()
        .map(|id| (json!(id), Value::Null, json!({"brand": "x", "status": "active"})))
        .collect();
    world.import("lines.geojson", layer(&lines), &register("lines", true)).unwrap();
    let path = json!({"type": "LineString", "coordinates": [[-1.0, 52.0], [0.0, 52.0]]});
    let legs: Vec<(Value, Value, Value)> = legs
        .iter()
        .map(|(line, hub, town)| {
            let properties = json!({"line": line, "hub": hub, "town": town, "importing_force": "kent",
                "trips_per_week": 1, "active_from": "2020-01-01"});
            (Value::Null, path.clone(), properties)
        })
        .collect();
    let report = world.import("legs.geojson", layer(&legs), &register("legs", true)).unwrap();
    assert_eq!((report.rejected, report.warned), (0, 0), "{:?}", report.rows);
    world
}

#[test]
fn a_line_counts_once_whichever_of_its_ids_names_it() {
    let uuid = "07070707-0707-4707-8707-070707070707";
    let internal = |public: &str| RowId::from_public(public).to_string();
    let (of_red, of_uuid, of_quay, of_bay) =
        (internal("red"), internal(uuid), internal("quay"), internal("bay"));
    let legs = [
        ("red", "quay", "bay"),
        (of_red.as_str(), "quay", of_bay.as_str()),
        (uuid, of_quay.as_str(), "bay"),
        (of_uuid.as_str(), of_quay.as_str(), of_bay.as_str()),
    ];
    let world = two_lines(["red", uuid], &legs);
    let server = world.serve();
    for level in ["place", "area", "force", "region"] {
        let answer = server.get(&format!("/api/flows?level={level}")).json();
        let totals = json!({"flows": 1, "legs": 4, "lines": 2, "trips_per_week": 4.0});
        assert_eq!((&answer["totals"], &answer["legs_without_ends"]), (&totals, &json!(0)), "{level}");
    }
    for end in [format!("from=hubs:{of_quay}"), format!("to=towns:{of_bay}"), "from=hubs:quay".to_owned()] {
        assert_eq!(server.get(&format!("/api/flows?{end}")).json()["totals"]["legs"], 4, "{end}");
    }
    for (collection, id) in [("hubs", "quay"), ("towns", "bay")] {
        let feature = server.get(&format!("/ogc/collections/{collection}/items/{id}")).json();
        assert_eq!(feature["properties"]["active_lines"], 2, "{collection}");
    }
    for line in features(&world, "lines").values() {
        assert_eq!(line["geometry"]["coordinates"].as_array().unwrap().len(), 2, "{line}");
    }
    // The force that a leg leads to is party to the line, whichever way the leg names it.
    let kent = world.gate().view(&Principal::parse("force-analyst:kent").unwrap().with_reason());
    assert_eq!(kent.collection("lines").unwrap().rows(), 2);
}

#[test]
fn a_uuid_is_a_public_id_first() {
    // A line without public id, exported and imported again into the same store: its UUID is a public id there now.
    let world = World::new();
    let line = layer(&[(Value::Null, Value::Null, json!({"brand": "x"}))]);
    world.import("lines.geojson", line, &register("lines", true)).unwrap();
    let id = features(&world, "lines").into_keys().next().unwrap().replace('"', "");
    let copy = layer(&[(json!(id), Value::Null, json!({"brand": "copy"}))]);
    world.import("copy.geojson", copy, &register("lines", true)).unwrap();
    let path = json!({"type": "LineString", "coordinates": [[-1.0, 52.0], [0.0, 52.0]]});
    let leg = json!({"line": id, "importing_force": "kent"});
    world.import("legs.geojson", layer(&[(Value::Null, path, leg)]), &register("legs", true)).unwrap();
    let drawn = |principal: &Principal| {
        let view = world.gate().view(principal);
        let lines = view.collection("lines").unwrap();
        let groups = lines.groups().iter();
        let rows = groups.flat_map(|group| (0..group.len()).map(move |row| (group, row)));
        rows.map(|(group, row)| (group.public_id(row).is_some(), group.geometry(row).is_some()))
            .collect::<Vec<_>>()
    };
    let mut all = drawn(&Principal::LocalOperator);
    all.sort_unstable();
    assert_eq!(all, [(false, false), (true, true)]);
    let kent = Principal::parse("force-analyst:kent").unwrap().with_reason();
    assert_eq!(drawn(&kent), [(true, true)], "only the line that the leg names concerns the force");
}
