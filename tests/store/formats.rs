//! Every format, sound and dirty: a row report or a refusal in bounded time, never half an import.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::Write;
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;
use rusqlite::Connection;
use throughline::access::CollectionView;
use throughline::access::Principal;
use throughline::filter::Bound;
use throughline::import::ImportReport;
use throughline::model::FieldType;
use throughline::model::ValueRef;
use throughline::query::ItemsRequest;
use throughline::query::items;

use crate::fixtures::World;
use crate::fixtures::options;

pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn take(name: &str, content: impl AsRef<[u8]>) -> (World, Result<ImportReport, String>) {
    let world = World::new();
    let report = world.import(name, content, &options("x")).map_err(|error| error.to_string());
    (world, report)
}

fn codes(report: &ImportReport) -> Vec<(u64, &str)> {
    report.rows.iter().map(|note| (note.row, note.fault.code)).collect()
}

/// Refused whole: nothing of it is in the store.
#[track_caller]
fn refused(name: &str, content: impl AsRef<[u8]>, word: &str) {
    let (world, report) = take(name, content);
    let error = report.unwrap_err();
    assert!(error.contains(word), "{word} is not in {error}");
    assert!(world.store.reader().unwrap().collections().unwrap().is_empty());
}

fn with_view(world: &World, check: impl Fn(&CollectionView)) {
    let view = world.gate().view(&Principal::LocalOperator);
    check(view.collection("x").unwrap());
}

fn column(collection: &CollectionView, name: &str) -> Vec<String> {
    let place = collection.schema().position(name).unwrap();
    let rows = items(
        collection,
        &ItemsRequest { filter: Bound::everything().clone(), limit: usize::MAX, after: None },
    )
    .rows;
    let mut out: Vec<String> = rows
        .iter()
        .map(|at| collection.groups()[at.group as usize].value(place, at.row as usize).to_text())
        .collect();
    out.sort();
    out
}

const CSV: &str = "lon,lat,name\n-1,52,Ash\n-1.5,53,Birch\n";

#[test]
fn gzip_of_several_members_and_one_cut_short() {
    let second = gzip(b"-2,51,Cedar\n");
    let (world, report) = take("x.csv.gz", [gzip(CSV.as_bytes()), second].concat());
    assert_eq!(report.unwrap().accepted, 3);
    with_view(&world, |view| assert_eq!(column(view, "name"), ["Ash", "Birch", "Cedar"]));
    let whole = gzip(CSV.repeat(100).as_bytes());
    refused("x.csv.gz", &whole[..whole.len() - 9], "ends early");
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xFF;
    let (_, report) = take("x.csv.gz", &flipped);
    assert!(report.is_err(), "a damaged gzip file is refused whole");
}

#[test]
fn bad_coordinates_are_reported_row_by_row() {
    let csv = "lon,lat,name\nNaN,52,a\n-1,91,b\n-181,52,c\ninf,1,d\n,52,e\n1°,52,f\n,,g\n-1,52,h\n";
    let (world, report) = take("x.csv", csv);
    let report = report.unwrap();
    assert_eq!((report.accepted, report.rejected), (2, 6));
    assert_eq!(
        codes(&report),
        [
            (1, "not-finite"),
            (2, "out-of-range"),
            (3, "out-of-range"),
            (4, "not-finite"),
            (5, "half-a-place"),
            (6, "coordinate")
        ]
    );
    assert!(report.rows.iter().all(|note| !note.fault.fix.is_empty()));
    with_view(&world, |view| {
        assert_eq!(view.groups().iter().map(|group| group.located()).sum::<usize>(), 1);
        assert_eq!(column(view, "name"), ["g", "h"]);
    });
    let json = report.to_json();
    let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(parsed["rows"][4]["code"], "half-a-place");
    let mut csv = Vec::new();
    report.write_csv(&mut csv).unwrap();
    assert_eq!(String::from_utf8(csv).unwrap().lines().count(), 7);
}

#[test]
fn wrong_column_counts_name_their_line() {
    let (_, report) = take("x.csv", "a,b\n1,2\n3\n4,5,6\n7,8\n");
    let report = report.unwrap();
    assert_eq!((report.accepted, codes(&report)), (2, vec![(2, "column-count"), (3, "column-count")]));
    assert!(report.rows[0].fault.message.contains("line 3"));
}

#[test]
fn bom_separators_and_windows_1252() {
    let (world, report) =
        take("x.csv", b"\xEF\xBB\xBFlon;lat;name\n-1;52;\"a;b\"\n-1;52;caf\xE9 \x80\n".as_slice());
    let report = report.unwrap();
    assert_eq!((report.accepted, report.warned), (2, 1));
    assert_eq!(codes(&report), [(2, "windows-1252")]);
    with_view(&world, |view| assert_eq!(column(view, "name"), ["a;b", "café €"]));
    refused("x.csv", b"\xFF\xFEl\0o\0n\0", "UTF-16");
}

#[test]
fn headings_alone_twice_or_missing() {
    let (world, report) = take("x.csv", "lon,lat,name\n");
    assert_eq!(report.unwrap().accepted, 0);
    with_view(&world, |view| assert_eq!((view.rows(), view.bounds()), (0, None)));
    // The first rows decide the types, not the empty file.
    world.import("y.csv", "lon,lat,name\n1,2,7\n", &options("x")).unwrap();
    with_view(&world, |view| assert_eq!(view.schema().fields[0].field_type, FieldType::Integer));
    let (world, report) = take("x.csv", "a,a,\n1,2,3\n");
    assert_eq!(codes(&report.unwrap()), [(1, "heading")]);
    with_view(&world, |view| {
        let names: Vec<&str> = view.schema().fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["a", "a_2", "column_3"]);
    });
    refused("x.csv", "", "empty");
}

#[test]
fn a_quote_that_is_never_closed_does_not_swallow_memory() {
    let mut csv = b"a,b\n1,\"".to_vec();
    csv.extend(std::iter::repeat_n(b'x', 40 << 20));
    let start = Instant::now();
    refused("x.csv", &csv, "quote");
    assert!(start.elapsed().as_secs() < 5);
}

#[test]
fn eastings_and_northings_become_places_and_stay() {
    let (world, report) = take("x.csv", "name,Easting,Northing\nCaister,651409.804,313177.450\n");
    assert_eq!(report.unwrap().accepted, 1);
    with_view(&world, |view| {
        let place = view.groups()[0].geometry(0).unwrap().positions[0];
        // Ordnance Survey's worked example: 52.6580078 N, 1.7160740 E.
        assert!((place.lat - 526_580_078).abs() <= 10 && (place.lon - 17_160_740).abs() <= 10, "{place:?}");
        assert_eq!(column(view, "Easting"), ["651409.804"]);
    });
}

fn feature(geometry: &str) -> String {
    format!(r#"{{"type":"Feature","geometry":{geometry},"properties":{{"a":1}}}}"#)
}

fn collection(features: &[String]) -> String {
    format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","))
}

#[test]
fn each_bad_feature_costs_itself() {
    let features = [
        feature(r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}"#),
        feature(r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[0,0]]]}"#),
        feature(r#"{"type":"Point","coordinates":[NaN,1]}"#),
        feature(r#"{"type":"Point","coordinates":[200,1]}"#),
        feature(r#"{"type":"Point","coordinates":[1]}"#),
        feature(r#"{"type":"GeometryCollection","geometries":[]}"#),
        feature(r#"{"type":"Circle","coordinates":[1,2]}"#),
        r#"{"type":"Feature"}"#.to_owned(),
        "17".to_owned(),
        feature(r#"{"type":"LineString","coordinates":[[0,0]]}"#),
        feature(&format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000))),
        feature("null"),
        feature(r#"{"type":"Point","coordinates":[1,2,3]}"#),
        feature(r#"{"type":"Polygon","coordinates":[]}"#),
    ];
    let (world, report) = take("x.geojson", collection(&features));
    let report = report.unwrap();
    let rejected: Vec<u64> = report.rows.iter().filter(|note| note.rejected).map(|note| note.row).collect();
    assert_eq!(rejected, [1, 2, 3, 4, 5, 6, 7, 9, 10, 11], "{:?}", report.rows);
    assert_eq!(
        &codes(&report)[..6],
        [
            (1, "unclosed-ring"),
            (2, "too-few-positions"),
            (3, "json"),
            (4, "out-of-range"),
            (5, "not-a-feature"),
            (6, "geometry-type"),
        ]
    );
    assert!(codes(&report).contains(&(13, "height-dropped")));
    with_view(&world, |view| {
        assert_eq!(view.rows(), 4);
        assert_eq!(view.groups().iter().map(|group| group.located()).sum::<usize>(), 1);
    });
}

#[test]
fn files_that_are_cut_or_not_json_are_refused_whole() {
    let whole = collection(&[feature("null"), feature("null")]);
    for cut in [whole.len() - 1, whole.len() - 2, whole.len() / 2, 20] {
        refused("x.geojson", &whole[..cut], "incomplete");
    }
    refused("x.geojson", format!("{whole}{whole}"), "end of the file");
    refused("x.geojson", whole.replace("}},{", "}} {"), "comma");
    refused("x.geojson", "[1,2]", "JSON object");
}

#[test]
fn single_features_and_sequences() {
    let (_, report) = take("x.geojson", feature(r#"{"type":"Point","coordinates":[1,2]}"#));
    assert_eq!(report.unwrap().accepted, 1);
    let (_, report) = take("x.json", r#"{"type":"Point","coordinates":[1,2]}"#);
    assert_eq!(report.unwrap().accepted, 1);
    let pretty = "\u{1e}{\n \"type\": \"Feature\",\n \"geometry\": null,\n \"properties\": {}\n}\n";
    let sequence = format!("{pretty}{pretty}\u{1e}{{\"type\":\"Feat\n{pretty}");
    let (_, report) = take("x.geojsonseq", &sequence);
    let report = report.unwrap();
    assert_eq!((report.accepted, codes(&report)), (3, vec![(3, "json")]));
    let lines = format!("{}\n\n{{broken\n{}\n", feature("null"), feature("null"));
    let (_, report) = take("x.geojsonl", &lines);
    let report = report.unwrap();
    assert_eq!((report.accepted, codes(&report)), (2, vec![(2, "json")]));
}

#[test]
fn duplicate_ids_are_named() {
    let one = r#"{"type":"Feature","id":7,"geometry":null,"properties":{}}"#.to_owned();
    let (world, report) = take("x.geojson", collection(&[one.clone(), one]));
    let report = report.unwrap();
    assert_eq!((report.accepted, codes(&report)), (1, vec![(2, "duplicate-id")]));
    with_view(&world, |view| assert!(view.schema().numeric_ids));
    let mut by_column = options("y");
    by_column.id = Some("name".into());
    let report = world.import("y.csv", "name,n\na,1\na,2\n,3\n", &by_column).unwrap();
    assert_eq!(codes(&report), [(2, "duplicate-id"), (3, "no-id")]);
    by_column.id = Some("nome".into());
    let error = world.import("y.csv", "name,n\na,1\n", &by_column).unwrap_err().to_string();
    assert!(error.contains("nome") && error.contains("name"), "{error}");
}

#[test]
fn declared_systems_are_honoured_or_refused_by_name() {
    let grid = r#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[651409.804,313177.45]},"properties":{}}],
        "crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::27700"}}}"#;
    let (world, report) = take("x.geojson", grid);
    assert_eq!(report.unwrap().accepted, 1);
    with_view(&world, |view| {
        assert!((view.groups()[0].geometry(0).unwrap().positions[0].lat - 526_580_078).abs() <= 10);
    });
    refused("x.geojson", grid.replace("27700", "2154"), "2154");
}

#[test]
fn values_come_back_as_they_were() {
    let features = r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","geometry":null,"properties":{"big":9007199254740993,"mixed":1,"nested":{"b":[1,null],"a":"é"},"flag":true,"f":0.1}},
        {"type":"Feature","geometry":null,"properties":{"big":-9223372036854775808,"mixed":"one","nested":null,"flag":false,"f":2}}]}"#;
    let (world, report) = take("x.geojson", features);
    assert_eq!(report.unwrap().accepted, 2);
    with_view(&world, |view| {
        let types: Vec<FieldType> = view.schema().fields.iter().map(|field| field.field_type).collect();
        assert_eq!(
            types,
            [FieldType::Integer, FieldType::Json, FieldType::Json, FieldType::Boolean, FieldType::Number]
        );
        assert_eq!(column(view, "big"), ["-9223372036854775808", "9007199254740993"]);
        assert_eq!(column(view, "mixed"), ["\"one\"", "1"]);
        assert_eq!(column(view, "nested"), ["", r#"{"b":[1,null],"a":"é"}"#]);
    });
}

/// A `GeoPackage` as another program would write it, with a layer in the British National Grid.
fn foreign(path: &std::path::Path, blob: &[u8]) {
    let file = Connection::open(path).unwrap();
    file.execute_batch(
        "CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT, srs_id INTEGER PRIMARY KEY, organization TEXT, organization_coordsys_id INTEGER, definition TEXT, description TEXT);
         INSERT INTO gpkg_spatial_ref_sys VALUES ('x', 99999, 'epsg', 27700, '', ''), ('y', 27700, 'EPSG', 2154, '', '');
         CREATE TABLE gpkg_contents (table_name TEXT PRIMARY KEY, data_type TEXT, identifier TEXT, description TEXT, last_change TEXT, min_x, min_y, max_x, max_y, srs_id INTEGER);
         INSERT INTO gpkg_contents(table_name, data_type, srs_id) VALUES ('one', 'features', 99999), ('two', 'features', 27700);
         CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, geometry_type_name TEXT, srs_id INTEGER, z INTEGER, m INTEGER);
         INSERT INTO gpkg_geometry_columns VALUES ('one', 'Geo', 'POINT', 99999, 0, 0), ('two', 'geom', 'POINT', 27700, 0, 0);
         CREATE TABLE one (pk INTEGER PRIMARY KEY, geo BLOB, \"a \"\"b\" TEXT, ok BOOLEAN, at DATETIME);
         CREATE TABLE two (pk INTEGER PRIMARY KEY, geom BLOB);",
    )
    .unwrap();
    file.execute("INSERT INTO one VALUES (5, ?1, 'x', 1, '2031-03-01T12:00:00.000Z')", [blob]).unwrap();
    file.execute("INSERT INTO one VALUES (9, NULL, NULL, 0, NULL)", []).unwrap();
    file.execute("INSERT INTO one VALUES (11, X'4750', NULL, 0, NULL)", []).unwrap();
}

#[test]
fn geopackages_of_other_programs() {
    let world = World::new();
    let mut blob = b"GP\0\x01\0\0\0\0\x01\x01\0\0\0".to_vec();
    for value in [651_409.804_f64, 313_177.45] {
        blob.extend_from_slice(&value.to_le_bytes());
    }
    let path = world.path("f.gpkg");
    foreign(&path, &blob);
    let error = world.import_file(&path, &options("x")).unwrap_err().to_string();
    assert!(error.contains("one") && error.contains("two"), "{error}");
    let mut layer = options("x");
    layer.layer = Some("two".into());
    assert!(
        world.import_file(&path, &layer).unwrap_err().to_string().contains("2154"),
        "the code decides, not srs_id"
    );
    layer.layer = Some("one".into());
    let report = world.import_file(&path, &layer).unwrap();
    assert_eq!((report.accepted, report.rejected), (2, 1));
    let view = world.gate().view(&Principal::LocalOperator);
    let collection = view.collection("x").unwrap();
    let group = &collection.groups()[0];
    let row = (0..2).find(|row| group.public_id(*row) == Some("5")).unwrap();
    assert!((group.geometry(row).unwrap().positions[0].lat - 526_580_078).abs() <= 10);
    let values: Vec<ValueRef<'_>> = (0..3).map(|field| group.value(field, row)).collect();
    assert_eq!(values[0], ValueRef::Text("x"));
    assert_eq!(values[1], ValueRef::Bool(true));
    assert!(matches!(values[2], ValueRef::Timestamp(_)));
    // The same file gzipped, and one whose header claims ten gigabytes.
    let packed = world.path("g.gpkg.gz");
    std::fs::write(&packed, gzip(&std::fs::read(&path).unwrap())).unwrap();
    assert_eq!(world.import_file(&packed, &layer).unwrap().unchanged, 2);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[28..32].copy_from_slice(&2_600_000_u32.to_be_bytes());
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let start = Instant::now();
    let error = world.import_file(&path, &layer).unwrap_err().to_string();
    assert!(error.contains("damaged"), "{error}");
    assert!(start.elapsed().as_secs() < 5);
}

#[test]
fn built_in_collections_keep_their_schema() {
    let world = World::new();
    let mut stations = options("stations");
    stations.strict = false;
    let csv = "crs,name,lon,lat,colour\nABC,Somewhere,-1,52,red\n,Nowhere,-1,52,blue\n";
    let report = world.import("s.csv", csv, &stations).unwrap();
    assert_eq!(report.accepted, 1);
    assert_eq!(codes(&report), [(1, "unknown-field"), (2, "no-id")]);
    let line = collection(&[r#"{"type":"Feature","geometry":{"type":"LineString","coordinates":[[0,0],[1,1]]},"properties":{"crs":"DEF"}}"#.to_owned()]);
    let report = world.import("s.geojson", line, &stations).unwrap();
    assert_eq!(codes(&report), [(1, "geometry-kind")]);
}

#[test]
fn whatever_is_accepted_is_sound_when_it_is_read_back() {
    let world = World::new();
    let odd = r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","geometry":{"type":"Point","coordinates":[-0.0,0.00000004]},"properties":{"x":-0.0,"i":-9223372036854775808,"t":"2031-03-01T12:00:00Z","s":"\u0000\ud83d\ude00","d":"0000-01-01"}},
        {"type":"Feature","geometry":{"type":"Point","coordinates":[180,90]},"properties":{"x":5e-324,"i":9223372036854775807,"t":"9999-12-31T23:59:59.999999Z","s":"","d":"9999-12-31"}},
        {"type":"Feature","geometry":{"type":"Point","coordinates":[-180,-90]},"properties":{"x":1.7976931348623157e308,"i":0,"t":"0000-01-01T00:00:00Z","s":null,"d":null}}]}"#;
    assert_eq!(world.import("a.geojson", odd, &options("a")).unwrap().accepted, 3);
    let zeros = "v,lon,lat\n-0,0,51\n1.5,0,52\n-0,1,51\n";
    assert_eq!(world.import("b.csv", zeros, &options("b")).unwrap().accepted, 3);
    let times = "t\n2031-03-01T12:00:00Z\n";
    assert_eq!(world.import("c.csv", times, &options("c")).unwrap().accepted, 1);
    let beyond = "t\n0000-01-01T00:00:00+14:00\n9999-12-31T23:59:59-14:00\n2016-12-31T23:59:60Z\n2031-03-01T13:00:00+01:00\n";
    let report = world.import("c.csv", beyond, &options("c")).unwrap();
    assert_eq!(codes(&report), [(1, "wrong-type"), (2, "wrong-type"), (3, "wrong-type")]);
    assert_eq!(report.unchanged, 1, "the same instant written otherwise");
    assert_eq!(world.gate().degraded(), []);
    let view = world.gate().view(&Principal::LocalOperator);
    assert_eq!(
        column(view.collection("b").unwrap(), "v"),
        ["-0", "-0", "1.5"],
        "a code stays as it is written"
    );
}

#[test]
fn codes_of_a_second_file_do_not_become_numbers() {
    let world = World::new();
    world.import("a.csv", "code,n\n12,1.5\n13,2\n", &options("x")).unwrap();
    let report = world.import("b.csv", "code,n\n0012,1.5\n+44,2\n14,007.50\n15,3\n", &options("x")).unwrap();
    assert_eq!(codes(&report), [(1, "wrong-type"), (2, "wrong-type"), (3, "wrong-type")]);
    assert_eq!((report.accepted, report.unchanged), (1, 0));
}

#[test]
fn several_documents_in_one_geojson_file() {
    let (_, report) = take("x.geojson", format!("{}\n{}\n", feature("null"), feature("null")));
    assert_eq!(report.unwrap().accepted, 2);
    refused("x.geojson", format!("{} garbage", feature("null")), "end of the file");
}

#[test]
fn systems_of_single_features_count_too() {
    let grid = r#"{"type":"Feature","crs":{"type":"name","properties":{"name":"EPSG:27700"}},"geometry":{"type":"Point","coordinates":[651409.804,313177.45]},"properties":{}}"#;
    let inner = r#"{"type":"Feature","geometry":{"type":"Point","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::2154"}},"coordinates":[1,2]},"properties":{}}"#;
    let (world, report) = take("x.geojsonl", format!("{grid}\n{inner}\n"));
    let report = report.unwrap();
    assert_eq!(codes(&report), [(2, "unknown-crs")]);
    assert!(report.rows[0].fault.message.contains("2154"));
    with_view(&world, |view| {
        assert!((view.groups()[0].geometry(0).unwrap().positions[0].lat - 526_580_078).abs() <= 10);
    });
}

#[test]
fn large_properties_and_large_numbers_are_said() {
    let fat =
        format!(r#"{{"type":"Feature","geometry":null,"properties":{{"a":"{}"}}}}"#, "x".repeat(2 << 20));
    let big = r#"{"type":"Feature","geometry":null,"properties":{"n":123456789012345678901234567890}}"#;
    let (_, report) = take("x.geojson", collection(&[fat, big.to_owned()]));
    assert_eq!(codes(&report.unwrap()), [(1, "too-large"), (2, "number-rounded")]);
    let huge =
        format!(r#"{{"type":"Feature","geometry":null,"properties":{{"a":[{}0]}}}}"#, "0,".repeat(20 << 20));
    refused("x.geojson", collection(&[huge]), "32 MB");
}

#[test]
fn a_column_called_rowid_survives_a_geopackage() {
    let world = World::new();
    let mut csv = String::from("rowid,name\n");
    for row in 0..2_000 {
        csv.push_str(&format!("{},name {row}\n", row % 5));
    }
    world.import("a.csv", csv, &options("x")).unwrap();
    let view = world.gate().view(&Principal::LocalOperator);
    let collection = view.collection("x").unwrap();
    let all = items(
        collection,
        &ItemsRequest { filter: Bound::everything().clone(), limit: usize::MAX, after: None },
    )
    .rows;
    let path = world.path("out.gpkg");
    throughline::format::write_geopackage(&path, collection, all.into_iter()).unwrap();
    let report = world.import_file(&path, &options("y")).unwrap();
    assert_eq!((report.accepted, report.rejected), (2_000, 0));
}

#[test]
fn a_layer_cannot_take_the_name_of_what_is_computed() {
    let world = World::new();
    let refused = world.import("p.csv", "lon,lat\n-1,52\n", &options("flows")).unwrap_err();
    assert!(refused.to_string().contains("another id"), "{refused}");
    assert_eq!(world.store.reader().unwrap().collections().unwrap().len(), 0);
    assert_eq!(world.import("p.csv", "lon,lat\n-1,52\n", &options("flows-of-2031")).unwrap().accepted, 1);
}

#[test]
fn less_than_nothing_is_refused_by_row() {
    let world = World::new();
    let legs = "line,hub,town,trips_per_week,rail_minutes,active_from,active_to\n\
        a,h,t,0,0,2023-01-01,2023-01-01\nb,h,t,-3,1,2023-01-01,\nc,h,t,1,-1,2023-01-01,\nd,h,t,1,1,2023-12-31,2023-01-01\n\
        e,h,t,,,,2023-01-01\n";
    let mut synthetic = options("legs");
    synthetic.provenance.synthetic = true;
    let report = world.import("legs.csv", legs, &synthetic).unwrap();
    let rejected: Vec<(u64, &str)> =
        report.rows.iter().filter(|note| note.rejected).map(|note| (note.row, note.fault.code)).collect();
    assert_eq!(rejected, [(2, "below-minimum"), (3, "below-minimum"), (4, "ends-before-it-begins")]);
    let said = &report.rows.iter().find(|note| note.row == 2).unwrap().fault.message;
    assert!(said.contains("trips_per_week") && said.contains("-3"), "{said}");
    // A stay in any collection with a time from and to, a user's own among them.
    let stays = [
        ("addresses", "status,first_seen,last_seen\n,2023-01-02,2023-01-01\n,2023-01-01,2023-01-01\n"),
        ("exposures", "starts,ends\n2023-01-01T12:00:00Z,2023-01-01T11:59:59Z\n2023-01-01T12:00:00Z,\n"),
        ("sightings", "starts,ends\n2023-01-01T12:00:00Z,2023-01-01T11:59:59Z\n,2023-01-01T12:00:00Z\n"),
        ("numbers", "active_from,active_to\n2023-01-02,2023-01-01\n2023-01-01,2023-01-02\n"),
        ("lines", "first_seen,closed_on\n2023-01-02,2023-01-01\n2023-01-01,\n"),
        ("x", "start,end\n2023-01-02,2023-01-01T12:00:00Z\n2023-01-01T12:00:00Z,2023-01-01\n"),
    ];
    for (collection, csv) in stays {
        let mut options = options(collection);
        options.provenance.synthetic = collection != "x";
        let report = world.import("stays.csv", csv, &options).unwrap();
        assert_eq!(
            (report.accepted, codes(&report)),
            (1, vec![(1, "ends-before-it-begins")]),
            "{collection}"
        );
    }
    let negative = [
        ("seizures", "cash_pence\n-1\n0\n"),
        ("sightings", "persons\n-1\n1\n"),
        ("exposures", "officer_hours\n-0.5\n0.5\n"),
        ("closures", "arrests\n-1\n1\n"),
    ];
    for (collection, csv) in negative {
        let mut options = options(collection);
        options.provenance.synthetic = true;
        let report = world.import("negative.csv", csv, &options).unwrap();
        assert_eq!((report.accepted, codes(&report)), (1, vec![(1, "below-minimum")]), "{collection}");
    }
    // A user's own numbers may be what they like.
    assert_eq!(world.import("y.csv", "trips_per_week\n-3\n", &options("y")).unwrap().accepted, 1);
}

#[test]
fn legs_from_or_to_nowhere_are_warned_of() {
    let world = World::new();
    let mut synthetic = options("legs");
    synthetic.provenance.synthetic = true;
    let legs = "line,hub,town\na,quay,bay\nb,quay,bey\nc,,bay\nd,nowhere,\n";
    let report = world.import("legs.csv", legs, &synthetic).unwrap();
    assert_eq!((report.accepted, report.warned, report.rows.len()), (4, 4, 4));
    assert!(report.rows[0].fault.message.contains("at this time"), "{:?}", report.rows[0]);
    let place = |id: &str| format!("id,name,lon,lat\n{id},{id},-1,52\n");
    world.import("hubs.csv", place("quay"), &options("hubs")).unwrap();
    world.import("towns.csv", place("bay"), &options("towns")).unwrap();
    let report = world.import("legs.csv", legs, &synthetic).unwrap();
    assert_eq!(codes(&report), [(2, "unknown-end"), (3, "unknown-end"), (4, "unknown-end")]);
    assert_eq!((report.unchanged, report.warned), (4, 3));
    assert!(report.rows[0].fault.message.contains("bey"), "{:?}", report.rows[0]);
    assert!(
        report.rows[2].fault.message.contains("nowhere") && report.rows[2].fault.message.contains("no town")
    );
}
