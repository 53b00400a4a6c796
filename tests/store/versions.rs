//! Versions, idempotency, group commit, registers, refusals.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::Barrier;

use rusqlite::Connection;
use throughline::model::CollectionClass;
use throughline::model::CollectionSchema;
use throughline::model::Provenance;
use throughline::model::Row;
use throughline::store::ChangeSummary;
use throughline::store::Register;
use throughline::store::Store;
use throughline::store::StoreError;

use crate::fixtures::World;
use crate::fixtures::options;

const POINTS: &str = r#"{"type":"FeatureCollection","features":[
{"type":"Feature","id":"a","geometry":{"type":"Point","coordinates":[-1,52]},"properties":{"n":1}},
{"type":"Feature","id":"b","geometry":{"type":"Point","coordinates":[-2,53]},"properties":{"n":2}}]}"#;

fn state(world: &World, id: &str) -> (i64, u64, u128) {
    let stored = world.store.reader().unwrap().collection(id).unwrap().unwrap();
    (stored.sequence, stored.rows, stored.hash_sum)
}

#[test]
fn the_same_file_twice_changes_nothing() {
    let world = World::new();
    let first = world.import("p.geojson", POINTS, &options("p")).unwrap();
    assert_eq!((first.accepted, first.unchanged), (2, 0));
    let (_, rows, sum) = state(&world, "p");
    let again = world.import("p.geojson", POINTS, &options("p")).unwrap();
    assert_eq!((again.accepted, again.unchanged), (2, 2));
    assert_eq!((state(&world, "p").1, state(&world, "p").2), (rows, sum));
    // Rows without ids are told apart by their number: three equal lines are three rows, then and later.
    let csv = "lon,lat,kind\n-1,52,x\n-1,52,x\n-1,52,x\n,,x\n";
    for unchanged in [0, 4] {
        let report = world.import("c.csv", csv, &options("c")).unwrap();
        assert_eq!((report.accepted, report.unchanged), (4, unchanged));
        assert_eq!(state(&world, "c").1, 4);
    }
    let more = world.import("c.csv", format!("{csv}-1,52,x\n"), &options("c")).unwrap();
    assert_eq!((more.accepted, more.unchanged), (5, 4));
}

#[test]
fn a_change_adds_a_version_and_keeps_the_old_one() {
    let world = World::new();
    world.import("p.geojson", POINTS, &options("p")).unwrap();
    let (_, _, before) = state(&world, "p");
    world.import("p.geojson", POINTS.replace("\"n\":2", "\"n\":3"), &options("p")).unwrap();
    assert_eq!(state(&world, "p").1, 2);
    assert_ne!(state(&world, "p").2, before);
    world.store.checkpoint().unwrap();
    let file = Connection::open(world.store.path()).unwrap();
    let versions: Vec<(i64, bool)> = file
        .prepare("SELECT n, superseded_at IS NULL FROM p WHERE public_id = 'b' ORDER BY fid")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(versions, [(2, false), (3, true)]);
    let one_id: i64 = file
        .query_row("SELECT count(DISTINCT id) FROM p WHERE public_id = 'b'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(one_id, 1);
    // Back to the first content: the sum is order-free and does not know the way it came.
    drop(file);
    world.import("p.geojson", POINTS, &options("p")).unwrap();
    assert_eq!(state(&world, "p").2, before);
}

#[test]
fn a_strict_import_takes_all_or_nothing() {
    let world = World::new();
    let mut strict = options("p");
    strict.strict = true;
    let bad = POINTS.replace("[-2,53]", "[-2,99]");
    assert!(world.import("p.geojson", &bad, &strict).is_err());
    assert!(world.store.reader().unwrap().collection("p").unwrap().is_none());
    let mut dry = options("p");
    dry.dry_run = true;
    let report = world.import("p.geojson", &bad, &dry).unwrap();
    assert_eq!((report.accepted, report.rejected), (1, 1));
    assert!(world.store.reader().unwrap().collection("p").unwrap().is_none(), "a dry run leaves nothing");
    assert_eq!(world.import("p.geojson", &bad, &options("p")).unwrap().accepted, 1);
}

#[test]
fn waiting_writes_share_a_commit_and_a_failing_one_costs_itself() {
    let world = World::new();
    let threads = 16;
    let barrier = Arc::new(Barrier::new(threads));
    let results: Vec<Result<ChangeSummary, StoreError>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|number| {
                let (store, barrier) = (Arc::clone(&world.store), Arc::clone(&barrier));
                scope.spawn(move || {
                    barrier.wait();
                    store.write(move |transaction| {
                        let mut appender = transaction.appender(
                            CollectionSchema::layer(&format!("c{number}")),
                            Provenance::open("local"),
                        )?;
                        appender.append(&Row {
                            id: None,
                            public_id: Some("x".into()),
                            geometry: None,
                            values: Vec::new(),
                        })?;
                        let summary = appender.finish("test")?;
                        if number == 7 { Err(StoreError::Abandoned("seven".into())) } else { Ok(summary) }
                    })
                })
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), threads - 1);
    let reader = world.store.reader().unwrap();
    assert_eq!(reader.collections().unwrap().len(), threads - 1);
    assert!(reader.collection("c7").unwrap().is_none());
    assert_eq!(reader.sequence().unwrap(), threads as i64 - 1, "every piece of work raised the sequence");
}

#[test]
fn a_panic_while_writing_is_an_error_and_the_writer_goes_on() {
    let world = World::new();
    let failed = world.store.write(|_| -> Result<(), StoreError> { panic!("a fault of ours") });
    assert!(matches!(failed, Err(StoreError::Abandoned(_))));
    world.import("p.geojson", POINTS, &options("p")).unwrap();
}

#[test]
fn synthetic_and_operational_rows_never_meet() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let operational = Store::create(&folder.path().join("o.gpkg"), Register::Operational).unwrap();
    let attempt = |store: &Store, class: CollectionClass, synthetic: bool| {
        let id = format!("{class:?}");
        store.write(move |transaction| {
            let mut schema = CollectionSchema::layer(&id);
            schema.class = class;
            let provenance = Provenance { synthetic, ..Provenance::open("btp") };
            transaction.appender(schema, provenance).map(|_| ())
        })
    };
    let register = CollectionClass::Register;
    assert!(attempt(&world.store, register, true).is_ok());
    assert!(matches!(attempt(&world.store, register, false), Err(StoreError::Mixed { .. })));
    assert!(attempt(&operational, register, false).is_ok());
    assert!(matches!(attempt(&operational, register, true), Err(StoreError::Mixed { .. })));
    assert!(attempt(&operational, CollectionClass::Layer, true).is_ok(), "a user's own layers are exempt");
    drop(operational);
    let again = Store::open(&folder.path().join("o.gpkg")).unwrap();
    assert_eq!(again.register(), Register::Operational);
}

#[test]
fn columns_that_come_later_are_added_and_old_hashes_stand() {
    let world = World::new();
    world.import("p.geojson", POINTS, &options("p")).unwrap();
    let more = r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","id":"c","geometry":null,"properties":{"n":3,"Owner":"us"}}]}"#;
    world.import("q.geojson", more, &options("p")).unwrap();
    let gate = world.gate();
    assert!(gate.degraded().is_empty(), "a new null field leaves old hashes alone");
    let view = gate.view(&throughline::access::Principal::LocalOperator);
    assert_eq!(view.collection("p").unwrap().rows(), 3);
}
