//! Damaged, foreign and newer files: refused with what to do, or quarantined and said.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::HashSet;
use std::fs;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use std::time::Instant;

use rusqlite::Connection;
use throughline::access::Principal;
use throughline::store::Store;
use throughline::store::StoreError;

use crate::fixtures::World;
use crate::fixtures::options;

fn filled(rows: usize) -> World {
    let world = World::new();
    let mut csv = String::from("lon,lat,name\n");
    for row in 0..rows {
        csv.push_str(&format!("{},{},name of row {row}\n", -1.0 - row as f64 * 1e-4, 52.0));
    }
    world.import("d.csv", csv, &options("d")).unwrap();
    world.store.checkpoint().unwrap();
    world
}

#[test]
fn files_that_are_no_store_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.gpkg");
    assert!(matches!(Store::open(&path), Err(StoreError::Missing(_))));
    for content in [&b""[..], b"hello", b"SQLite format 4\0 and more than a header's worth of bytes"] {
        fs::write(&path, content).unwrap();
        assert!(matches!(Store::open(&path), Err(StoreError::Foreign { .. })));
        assert_eq!(fs::read(&path).unwrap(), content);
    }
    fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE t(x)").unwrap();
    let error = Store::open(&path).unwrap_err().to_string();
    assert!(error.contains("another program"), "{error}");
}

#[test]
fn a_newer_store_is_refused() {
    let world = filled(1);
    let path = world.store.path().to_owned();
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 10399").unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
    assert!(error.to_string().contains("run that version"));
}

#[test]
fn a_header_or_schema_that_cannot_be_read_is_refused() {
    let world = filled(1);
    let path = world.store.path().to_owned();
    let connection = Connection::open(&path).unwrap();
    connection.execute("UPDATE throughline_collections SET schema = 'id = '", []).unwrap();
    drop(connection);
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Schema { .. }), "{error}");
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(100)).unwrap();
    file.write_all(&[0xFF; 2_000]).unwrap();
    drop(file);
    assert!(matches!(Store::open(&path), Err(StoreError::Damaged { .. } | StoreError::Database(_))));
}

#[test]
fn a_changed_value_is_quarantined_and_said() {
    let world = filled(500);
    let path = world.store.path().to_owned();
    let connection = Connection::open(&path).unwrap();
    connection.execute("UPDATE d SET name = 'forged' WHERE fid = 77", []).unwrap();
    connection.execute("DELETE FROM d WHERE fid = 78", []).unwrap();
    drop(connection);
    let gate = world.gate();
    assert_eq!(gate.degraded(), [("d".to_owned(), 2)], "one forged, one gone");
    assert_eq!(gate.view(&Principal::LocalOperator).collection("d").unwrap().rows(), 498);
    let server = world.serve();
    let ready = server.ask_operator("/readyz");
    assert_eq!(ready.status, 200);
    assert_eq!(ready.json()["degraded"], true);
    assert_eq!(ready.json()["collections"][0]["rows_missing"], 2);
    let stranger = server.get("/readyz").json();
    assert_eq!(
        stranger,
        serde_json::json!({"status": "ready"}),
        "damage tells strangers of collections they cannot see"
    );
}

/// The pages of a table: number, kind, and how many cells it has.
fn pages(path: &Path, table: &str) -> Vec<(usize, String, u64)> {
    let connection = Connection::open(path).unwrap();
    let sql = "SELECT pageno, pagetype, ncell FROM dbstat WHERE name = ?1 ORDER BY pageno";
    let mut statement = connection.prepare(sql).unwrap();
    let number = |row: &rusqlite::Row<'_>, at: usize| row.get(at).map(i64::unsigned_abs);
    let rows = statement
        .query_map([table], |row| Ok((number(row, 0)? as usize, row.get(1)?, number(row, 2)?)))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

/// Zeroes each of these pages in turn and says how many rows of `id` are then there, of how many.
fn zeroed(world: &World, id: &str, all: u64, wanted: impl Fn(&str, usize) -> bool) {
    let path = world.store.path().to_owned();
    let content = fs::read(&path).unwrap();
    let pages = pages(&path, id);
    let kinds: HashSet<&str> = pages.iter().map(|(_, kind, _)| kind.as_str()).collect();
    assert!(kinds.contains("internal") && kinds.contains("leaf"), "{kinds:?}");
    for (place, (number, kind, cells)) in pages.iter().enumerate() {
        if !wanted(kind, place) {
            continue;
        }
        // An inner page has no rows of its own; one of overflow has a piece of one row.
        let lost = match kind.as_str() {
            "leaf" => *cells,
            "overflow" => 1,
            _ => 0,
        };
        let mut damaged = content.clone();
        damaged[(number - 1) * PAGE..number * PAGE].fill(0);
        fs::write(&path, &damaged).unwrap();
        let start = Instant::now();
        let gate = world.gate();
        let view = gate.view(&Principal::LocalOperator);
        assert_eq!(view.collection(id).unwrap().rows(), all - lost, "page {number}, {kind}");
        let expected = if lost == 0 { Vec::new() } else { vec![(id.to_owned(), lost)] };
        assert_eq!(gate.degraded(), expected, "page {number}, {kind}");
        assert!(start.elapsed() < Duration::from_secs(20), "page {number}, {kind}");
        // The last piece of a long row says nothing of the file's structure: its row's hash alone tells.
        assert!(kind == "overflow" || !world.store.quick_check().unwrap().is_empty());
    }
    fs::write(&path, &content).unwrap();
}

const PAGE: usize = 8_192;

#[test]
fn a_zeroed_page_costs_its_rows_and_no_others_whichever_it_is() {
    let world = World::new();
    let rows = |first: usize| {
        let mut csv = String::from("lon,lat,name\n");
        for row in first..first + 2_600 {
            // Some rows are longer than a page.
            let long = if row % 500 == 7 { "x".repeat(20_000 + row) } else { String::new() };
            csv.push_str(&format!("{},{},name of row {row}{long}\n", -1.0 - row as f64 * 1e-5, 52.0));
        }
        csv
    };
    // Another collection with the same columns: its rows must not be taken for those that are looked for.
    world.import("d.csv", rows(0), &options("d")).unwrap();
    world.import("e.csv", rows(10_000), &options("e")).unwrap();
    world.import("d.csv", rows(2_600), &options("d")).unwrap();
    world.store.checkpoint().unwrap();
    zeroed(&world, "d", 5_200, |_, _| true);
    let gate = world.gate();
    assert!(gate.degraded().is_empty());
    assert_eq!(gate.view(&Principal::LocalOperator).collection("e").unwrap().rows(), 2_600);
}

#[test]
fn a_flipped_byte_anywhere_costs_rows_of_its_page_at_most() {
    let world = filled(400);
    let path = world.store.path().to_owned();
    let content = fs::read(&path).unwrap();
    let whole = world.gate().view(&Principal::LocalOperator);
    let whole = whole.collection("d").unwrap().data_version();
    let pages = pages(&path, "d");
    let inner = pages.iter().find(|(_, kind, _)| kind == "internal").unwrap();
    let leaf = pages.iter().filter(|(_, kind, _)| kind == "leaf").nth(1).unwrap();
    for (number, kind, cells) in [inner, leaf] {
        // Row numbers, lengths, places of cells, the page's own header: every kind of byte is among them.
        for at in ((number - 1) * PAGE..number * PAGE).filter(|at| content[*at] != 0).step_by(5) {
            let mut damaged = content.clone();
            damaged[at] ^= 1 << (at % 8);
            fs::write(&path, &damaged).unwrap();
            let gate = world.gate();
            let view = gate.view(&Principal::LocalOperator);
            let d = view.collection("d").unwrap();
            let lost = if kind == "leaf" { *cells } else { 0 };
            let place = at % PAGE;
            assert!((400 - lost..=400).contains(&d.rows()), "{kind} byte {place}: {} rows", d.rows());
            if gate.degraded().is_empty() {
                assert_eq!((d.rows(), d.data_version()), (400, whole), "{kind} byte {place}");
            }
        }
    }
}

#[test]
fn damage_beside_changes_that_wait_in_the_log_brings_no_old_version_back() {
    let world = World::new();
    let rows = |name: &str, numbers: std::ops::Range<usize>| {
        let feature = |row: usize| {
            format!(
                r#"{{"type":"Feature","id":{row},"geometry":{{"type":"Point","coordinates":[-1.{row:04},52]}},"properties":{{"name":"{name} row {row}."}}}}"#
            )
        };
        let features: Vec<String> = numbers.map(feature).collect();
        format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","))
    };
    world.import("d.geojson", rows("old", 0..900), &options("d")).unwrap();
    world.store.checkpoint().unwrap();
    let path = world.store.path().to_owned();
    // Another process reads: what changes now stays in the log.
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN").unwrap();
    other.query_row("SELECT count(*) FROM d", [], |_| Ok(())).unwrap();
    world.import("d.geojson", rows("new", 600..900), &options("d")).unwrap();
    assert!(fs::metadata(format!("{}-wal", path.display())).unwrap().len() > 50_000);
    // A page of rows that have not changed.
    let mut content = fs::read(&path).unwrap();
    let has = |page: &[u8], text: &[u8]| page.windows(text.len()).any(|bytes| bytes == text);
    let page =
        (1..content.len() / PAGE).find(|page| has(&content[page * PAGE..][..PAGE], b"old row 300.")).unwrap();
    content[page * PAGE..(page + 1) * PAGE].fill(0);
    fs::write(&path, &content).unwrap();
    let gate = world.gate();
    let view = gate.view(&Principal::LocalOperator);
    let d = view.collection("d").unwrap();
    assert!((800..900).contains(&d.rows()), "{} rows", d.rows());
    assert_eq!(gate.degraded(), [("d".to_owned(), 900 - d.rows())]);
    let name = d.schema().position("name").unwrap();
    let names =
        d.groups().iter().flat_map(|group| (0..group.len()).map(|row| group.value(name, row).to_text()));
    assert_eq!(names.filter(|name| name.starts_with("new")).count(), 300);
    drop(other);
}

#[test]
fn inner_pages_of_a_deep_table_cost_no_row() {
    let world = World::new();
    let mut csv = String::from("lon,lat,name\n");
    for row in 0..2_600 {
        csv.push_str(&format!("{},52,{row}{}\n", -1.0 - f64::from(row) * 1e-5, "y".repeat(5_000)));
    }
    world.import("d.csv", csv, &options("d")).unwrap();
    world.store.checkpoint().unwrap();
    let inner = pages(world.store.path(), "d").iter().filter(|(_, kind, _)| kind == "internal").count();
    assert!(inner > 2, "the tree has one inner page: the test shows nothing");
    zeroed(&world, "d", 2_600, |kind, place| kind == "internal" || place % 500 == 1);
}

#[test]
fn a_table_larger_than_one_reader_takes_loses_no_other_rows_either() {
    // Read in parts by several threads.
    let world = filled(60_000);
    zeroed(&world, "d", 60_000, |kind, place| kind == "internal" || place % 300 == 1);
}

#[test]
fn flipped_bytes_never_pass_for_right() {
    let world = filled(400);
    let path = world.store.path().to_owned();
    let content = fs::read(&path).unwrap();
    let whole = world.gate().view(&Principal::LocalOperator);
    let whole = whole.collection("d").unwrap().data_version();
    let places: Vec<usize> =
        content.windows(8).enumerate().filter(|(_, bytes)| bytes == b"name of ").map(|(at, _)| at).collect();
    let mut seen = 0;
    for at in places.iter().step_by(23) {
        let mut damaged = content.clone();
        damaged[*at] ^= 0x20;
        fs::write(&path, &damaged).unwrap();
        let gate = world.gate();
        let view = gate.view(&Principal::LocalOperator);
        // A byte in the free room of a page means nothing; any other is noticed.
        let noticed = !gate.degraded().is_empty();
        seen += u32::from(noticed);
        assert_eq!(view.collection("d").unwrap().data_version() != whole, noticed);
    }
    assert!(seen > 5, "{seen}");
}
