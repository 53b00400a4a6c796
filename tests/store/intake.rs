//! What is no table, what a quote may swallow, one odd time: nothing is lost without a word.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use rusqlite::Connection;
use throughline::access::CollectionView;
use throughline::access::Principal;
use throughline::filter::Expr;
use throughline::import::ImportReport;
use throughline::model::FieldType;
use throughline::model::time::parse_interval;
use throughline::query::ItemsRequest;
use throughline::query::items;

use crate::fixtures::World;
use crate::fixtures::options;
use crate::formats::gzip;

fn take(name: &str, content: impl AsRef<[u8]>) -> (World, Result<ImportReport, String>) {
    let world = World::new();
    let report = world.import(name, content, &options("x")).map_err(|error| error.to_string());
    (world, report)
}

fn codes(report: &ImportReport) -> Vec<(u64, &str)> {
    report.rows.iter().map(|note| (note.row, note.fault.code)).collect()
}

fn json(report: &ImportReport) -> serde_json::Value {
    serde_json::from_str(&report.to_json()).unwrap()
}

fn with_view<T>(world: &World, look: impl Fn(&CollectionView) -> T) -> T {
    look(world.gate().view(&Principal::LocalOperator).collection("x").unwrap())
}

/// The values of a column, sorted, of the rows that meet a filter.
fn column_of(world: &World, name: &str, expr: &Expr) -> Vec<String> {
    let view = world.gate().view(&Principal::LocalOperator);
    let collection = view.collection("x").unwrap();
    let place = collection.schema().position(name).unwrap();
    let filter = expr.bind(&view, collection).unwrap();
    let rows = items(collection, &ItemsRequest { filter, limit: usize::MAX, after: None }).rows;
    let mut out: Vec<String> = rows
        .iter()
        .map(|at| collection.groups()[at.group as usize].value(place, at.row as usize).to_text())
        .collect();
    out.sort();
    out
}

fn column(world: &World, name: &str) -> Vec<String> {
    column_of(world, name, &Expr::everything())
}

fn during(world: &World, name: &str, interval: &str) -> Vec<String> {
    column_of(world, name, &Expr::datetime(parse_interval(interval).unwrap()))
}

/// Refused whole, and the sentence says what the file is or what would be right.
#[track_caller]
fn refused(name: &str, content: impl AsRef<[u8]>, word: &str) {
    let (world, report) = take(name, content);
    let error = report.unwrap_err();
    assert!(error.contains(word) && error.contains(name), "{word} is not in {error}");
    assert!(world.store.reader().unwrap().collections().unwrap().is_empty());
}

#[test]
fn an_open_quote_costs_its_row_and_no_other() {
    let (world, report) = take(
        "open.csv",
        "id,lon,lat,note\n1,-1.5,53.4,closed\n2,-1.6,53.5,\"door open\n3,-1.7,53.6,locked\n4,-1.8,53.7,quiet\n",
    );
    let report = report.unwrap();
    assert_eq!((report.accepted, report.rejected, codes(&report)), (3, 1, vec![(2, "open-quote")]));
    assert!(report.rows[0].fault.message.contains("line 3"), "{:?}", report.rows);
    assert_eq!(column(&world, "note"), ["closed", "locked", "quiet"]);
    // Closed six rows later by another stray quote.
    let mut csv = String::from("id,lon,lat,note\n");
    for number in 1..=12 {
        let note = match number {
            3 => "\"6 inch",
            9 => "8 inch\"",
            _ => "plain",
        };
        csv.push_str(&format!("{number},-1.{number},53,{note}\n"));
    }
    let (world, report) = take("late.csv", csv);
    let report = report.unwrap();
    assert_eq!((report.accepted, codes(&report)), (11, vec![(3, "open-quote")]));
    assert_eq!(column(&world, "id").len(), 11);
    let (_, report) =
        take("tabs.tsv", "id\tlon\tlat\tname\n1\t-1\t53\t\"Est\n2\t-1\t53\tQuay, North\n3\t-1\t53\tOr\n");
    assert_eq!(codes(&report.unwrap()), [(1, "open-quote")]);
}

#[test]
fn quotes_that_are_right_stay_as_they_are() {
    let (world, report) = take(
        "shut.csv",
        "id,lon,lat,note\n1,-1.5,53.4,6\" pipe\n2,-1.6,53.5,the \"Crown\" inn\n3,-1.7,53.6,\"said \"\"go\"\", left\"\n4,-1.8,53.7,\"two\r\n\r\nlines, and a third\"\r\n",
    );
    let report = report.unwrap();
    assert_eq!((report.accepted, report.rejected, report.warned), (4, 0, 0), "{:?}", report.rows);
    assert_eq!(
        column(&world, "note"),
        ["6\" pipe", "said \"go\", left", "the \"Crown\" inn", "two\r\n\r\nlines, and a third"]
    );
}

#[test]
fn a_cell_that_may_have_taken_in_rows_is_taken_and_warned_of() {
    let (world, report) = take("words.csv", "a,b\nx,y\nz,\"one, two\nthree, four\"\n");
    let report = report.unwrap();
    assert_eq!((report.accepted, report.warned, codes(&report)), (2, 1, vec![(2, "quoted-lines")]));
    assert_eq!(column(&world, "b"), ["one, two\nthree, four", "y"]);
    // The same file again finds the same rows.
    let again = world.import_file(&world.path("words.csv"), &options("x")).unwrap();
    assert_eq!((again.accepted, again.unchanged), (2, 2));
}

#[test]
fn what_is_no_table_is_refused_by_what_it_is() {
    let page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>Sign in</title></head>\n</html>\n";
    refused("page.csv", page, "web page");
    refused("book.csv", b"PK\x03\x04\x14\0\0\0\x08\0[Content_Types].xml", "Excel workbook");
    refused("book.csv.gz", gzip(b"PK\x03\x04\x14\0\0\0\x08\0xl/workbook.xml"), "Excel workbook");
    refused("old.csv", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0\0", "Excel");
    refused("x.csv", "{\"type\":\"FeatureCollection\",\"features\":[]}", "--format geojson");
    refused("x.csv", "<?xml version=\"1.0\"?><kml/>", "KML");
    refused("x.csv.gz", gzip(&gzip(b"a,b\n1,2\n")), "twice");
    refused("x.csv", b"a,b\n1,\0\0\0\n", "binary");
    refused("x.csv", b"%PDF-1.7\n%\xE2\xE3", "PDF");
    refused("x.geojson", "lon,lat,name\n1,2,x\n", "--format csv");
    refused("x.geojsonl", "lon,lat,name\n1,2,x\n", "--format csv");
    refused("x.geojson", page, "web page");
    refused("x.geojson", "{\"type\":\"Topology\",\"arcs\":[],\"objects\":{}}", "TopoJSON");
    refused("x.gpkg", "lon,lat,name\n1,2,x\n", "--format csv");
    refused("x.gpkg", page, "web page");
    refused("x.gpkg.gz", gzip(b"lon,lat\n"), "--format csv");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plain.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1);").unwrap();
    let bytes = std::fs::read(&path).unwrap();
    refused("x.csv", &bytes, "SQLite");
    refused("x.gpkg", &bytes, "not a GeoPackage");
}

#[test]
fn tables_of_every_kind_are_read() {
    for (name, text, rows) in [
        ("one.csv", "brand\nAlfie\nMax & Co\n", 2),
        ("bar.txt", "lon|lat|name\n-1|52|x, y\n-1|53|z\n", 2),
        ("said.csv", "sep=;\r\nlon;lat;name\r\n-1;52;\"a;b\"\r\n", 1),
        ("said.csv", "\u{feff}sep=|\nlon,lat|name\n5|x\n", 1),
        ("angle.csv", "<DATE>,<OPEN>\n2031-03-01,5\n", 1),
        ("head.csv", "lon,lat,name\n", 0),
    ] {
        let (_, report) = take(name, text);
        let report = report.unwrap();
        assert_eq!((report.accepted, report.rejected), (rows, 0), "{text}");
    }
    refused("x.csv", "sep=ab\na,b\n", "separator");
    let (world, report) = take("gaps.csv", ",,\nlon,lat,name\n-1,52,x\n,,\n\n , ,\n-1,53,y\n,,\n");
    let report = report.unwrap();
    assert_eq!((report.accepted, report.rejected, codes(&report)), (2, 0, vec![(0, "separators-only")]));
    assert_eq!(json(&report)["skipped"], 4);
    assert_eq!(column(&world, "name"), ["x", "y"]);
    let (_, report) = take("zero.csv", format!("a,b\n{}5,\0\n", "1,2\n".repeat(20_000)));
    assert_eq!(codes(&report.unwrap()), [(20_001, "zero-byte")]);
}

/// A `GeoPackage` whose column `seen` is declared as `kind`.
fn visits(path: &Path, kind: &str, rows: &[(&str, Option<&str>)]) {
    let file = Connection::open(path).unwrap();
    file.execute_batch(&format!(
        "CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT, srs_id INTEGER PRIMARY KEY, organization TEXT, organization_coordsys_id INTEGER, definition TEXT, description TEXT);
         CREATE TABLE gpkg_contents (table_name TEXT PRIMARY KEY, data_type TEXT, identifier TEXT, description TEXT, last_change TEXT, min_x, min_y, max_x, max_y, srs_id INTEGER);
         INSERT INTO gpkg_contents(table_name, data_type) VALUES ('visits', 'attributes');
         CREATE TABLE visits (fid INTEGER PRIMARY KEY, name TEXT, seen {kind});"
    ))
    .unwrap();
    for (name, seen) in rows {
        file.execute("INSERT INTO visits(name, seen) VALUES (?1, ?2)", (name, seen)).unwrap();
    }
}

const LATER: &str = "2024-04-02T00:00:00Z/..";

#[test]
fn one_clock_without_a_zone_does_not_turn_the_time_filter_off() {
    let world = World::new();
    let path = world.path("visits.gpkg");
    let rows = [
        ("first", Some("2024-03-31T00:30:00.000Z")),
        ("offset", Some("2024-03-31T01:30:00+01:00")),
        ("naive", Some("2024-03-31T12:00:00")),
        ("none", None),
        ("later", Some("2024-04-02T09:00:00Z")),
    ];
    visits(&path, "DATETIME", &rows);
    let report = world.import_file(&path, &options("x")).unwrap();
    assert_eq!((report.accepted, report.rejected, report.warned), (5, 0, 1));
    assert_eq!(codes(&report), [(3, "odd-time")]);
    assert!(report.rows[0].fault.message.contains("2024-03-31T12:00:00"), "the report keeps the value");
    assert_eq!(json(&report)["time"], serde_json::json!(["seen"]));
    with_view(&world, |view| assert_eq!(view.schema().fields[1].field_type, FieldType::Timestamp));
    // Who has no time is in every answer.
    assert_eq!(during(&world, "name", LATER), ["later", "naive", "none"]);
    assert_eq!(during(&world, "name", "2024-03-31"), ["first", "naive", "none", "offset"]);
    let again = world.import_file(&path, &options("x")).unwrap();
    assert_eq!((again.unchanged, again.rejected, codes(&again)), (5, 0, vec![(3, "odd-time")]));
}

#[test]
fn an_odd_value_among_times_is_kept_and_warned_of() {
    let mut csv = String::from("name,when\n");
    for number in 1..=9 {
        csv.push_str(&format!("n{number},2024-04-0{number}T10:00:00Z\n"));
    }
    csv.push_str("odd,last Tuesday\n");
    let (world, report) = take("x.csv", &csv);
    let report = report.unwrap();
    assert_eq!((report.accepted, codes(&report)), (10, vec![(10, "odd-time")]));
    assert_eq!(json(&report)["time"], serde_json::json!(["when"]));
    assert_eq!(during(&world, "name", "2024-04-09/.."), ["n9", "odd"]);
    assert!(column(&world, "when").contains(&"last Tuesday".to_owned()), "nothing is lost");
    // A layer whose column was settled as times keeps it, and its row.
    let world = World::new();
    world.import("a.csv", "name,when\na,2024-04-01T10:00:00Z\n", &options("x")).unwrap();
    let odd = "name,when\nb,2024-04-02T10:00:00Z\nc,2024-04-03T10:00:00Z\nd,soon\n";
    let report = world.import("b.csv", odd, &options("x")).unwrap();
    assert_eq!((report.accepted, codes(&report)), (3, vec![(3, "odd-time")]));
    assert_eq!(json(&report)["time"], serde_json::json!(["when"]));
    assert_eq!(during(&world, "name", LATER), ["b", "c", "d"]);
    // A column of something else is refused row by row as before.
    let report = world.import("c.csv", "name,when\ne,red\nf,blue\n", &options("x")).unwrap();
    assert_eq!(codes(&report), [(1, "wrong-type"), (2, "wrong-type")]);
    // A number among GeoJSON's texts is an odd value too.
    let feature = |name: &str, seen: &str| {
        format!(r#"{{"type":"Feature","geometry":null,"properties":{{"name":"{name}","seen":{seen}}}}}"#)
    };
    let lines =
        [feature("a", "\"2024-04-01\""), feature("b", "\"2024-04-05T10:00:00+01:00\""), feature("c", "0")];
    let (world, report) = take("x.geojsonl", lines.join("\n"));
    let report = report.unwrap();
    assert_eq!((report.accepted, codes(&report)), (3, vec![(3, "odd-time")]));
    assert_eq!(during(&world, "name", LATER), ["b", "c"]);
}

#[test]
fn the_report_says_which_columns_answer_datetime() {
    for (csv, time) in [
        ("start,end\n2024-01-01,2024-01-02\n", serde_json::json!(["start", "end"])),
        ("code,n\n2024-01,5\n", serde_json::json!([])),
        ("a,b\n2024-01-01,2024-01-02\n", serde_json::json!([])),
        ("note\nMet on 2024-01-01\n", serde_json::json!([])),
    ] {
        let (_, report) = take("x.csv", csv);
        let report = report.unwrap();
        assert_eq!(json(&report)["time"], time, "{csv}");
    }
}
