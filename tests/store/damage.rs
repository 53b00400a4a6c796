//! Damaged, foreign and newer files: refused with what to do, or quarantined and said.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;

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
    assert!(matches!(Store::open(&path), Err(StoreError::Damaged { .. } | StoreError::Sql(_))));
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
    let ready = server.get("/readyz");
    assert_eq!(ready.status, 200);
    assert_eq!(ready.json()["degraded"], true);
    assert_eq!(ready.json()["collections"][0]["rows_missing"], 2);
    let stranger = server.ask("GET", "/readyz", &[("X-Forwarded-For", "10.0.0.1")]).json();
    assert_eq!(
        stranger,
        serde_json::json!({"status": "ready"}),
        "damage tells strangers of collections they cannot see"
    );
}

#[test]
fn a_zeroed_page_costs_its_rows_and_no_others() {
    let world = filled(3_000);
    let path = world.store.path().to_owned();
    let page = 8_192;
    let content = fs::read(&path).unwrap();
    // A page in the middle of the rows: it holds some of their names.
    let pages: Vec<usize> = (2..content.len() / page)
        .filter(|number| content[number * page..][..page].windows(11).any(|bytes| bytes == b"name of row"))
        .collect();
    let target = pages[pages.len() / 2];
    let lost =
        content[target * page..][..page].windows(11).filter(|bytes| bytes == b"name of row").count() as u64;
    let mut damaged = content.clone();
    damaged[target * page..(target + 1) * page].fill(0);
    fs::write(&path, &damaged).unwrap();
    let gate = world.gate();
    let rows = gate.view(&Principal::LocalOperator).collection("d").unwrap().rows();
    assert_eq!(rows, 3_000 - lost, "rows of sound pages are all there");
    assert_eq!(gate.degraded(), [("d".to_owned(), lost)]);
    assert!(!world.store.quick_check().unwrap().is_empty());
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
