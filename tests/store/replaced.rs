//! Another file takes the store's place, and changes of any process are noticed.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use throughline::access::Gate;
use throughline::access::GateError;
use throughline::access::Principal;
use throughline::store::Register;
use throughline::store::Store;
use throughline::store::StoreError;

use crate::fixtures::World;
use crate::fixtures::options;

fn points(rows: usize) -> String {
    let feature = |row: usize| {
        format!(
            r#"{{"type":"Feature","id":{row},"geometry":{{"type":"Point","coordinates":[-1,52]}},"properties":{{"n":{rows}}}}}"#
        )
    };
    let features: Vec<String> = (0..rows).map(feature).collect();
    format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","))
}

/// A store with one layer, written once.
fn world(rows: usize) -> World {
    let world = World::new();
    world.import("p.geojson", points(rows), &options("p")).unwrap();
    world
}

fn rows(gate: &Gate) -> u64 {
    gate.view(&Principal::LocalOperator).collection("p").map_or(0, |part| part.rows())
}

/// Puts a file where a store is, as whoever restores a backup does.
fn put(file: &Path, place: &Path) {
    let beside = place.with_extension("new");
    std::fs::copy(file, &beside).unwrap();
    std::fs::rename(beside, place).unwrap();
}

#[test]
fn a_store_that_takes_the_place_of_another_is_read_whole_and_then_written() {
    let (one, other) = (world(2), world(5));
    let gate = one.gate();
    assert_eq!(rows(&gate), 2);
    assert!(!gate.refresh().unwrap());
    other.store.checkpoint().unwrap();
    // Both were changed as often: the sequence alone would say that nothing has happened.
    let sequence = |store: &Store| store.reader().unwrap().sequence().unwrap();
    assert_eq!(sequence(&one.store), sequence(&other.store));
    let log = format!("{}-wal", one.store.path().display());
    assert!(std::fs::metadata(&log).unwrap().len() > 0, "changes of the old store wait in its log");
    put(other.store.path(), one.store.path());
    assert!(gate.refresh().unwrap());
    assert_eq!(rows(&gate), 5);
    assert!(gate.degraded().is_empty());
    assert!(Path::new(&format!("{log}.replaced")).exists(), "the old log is set aside");
    // The writer has a connection to the new file.
    let report = one.import("q.geojson", points(6), &options("p")).unwrap();
    assert_eq!((report.accepted, report.unchanged), (6, 0));
    assert!(gate.refresh().unwrap());
    assert_eq!(rows(&gate), 6);
    one.store.checkpoint().unwrap();
    assert_eq!(Store::open(one.store.path()).unwrap().quick_check().unwrap(), [] as [String; 0]);
    assert_eq!(rows(&Gate::open(Arc::new(Store::open(one.store.path()).unwrap())).unwrap()), 6);
}

#[test]
fn what_cannot_follow_a_store_in_its_place_leaves_the_last_data() {
    let (one, other) = (world(2), world(5));
    let gate = one.gate();
    one.store.checkpoint().unwrap();
    other.store.checkpoint().unwrap();
    let operational = other.path("operational.gpkg");
    Store::create(&operational, Register::Operational).unwrap().checkpoint().unwrap();
    put(&operational, one.store.path());
    let refused = gate.refresh();
    assert!(
        matches!(refused, Err(GateError::Store(StoreError::OtherRegister { was: "synthetic", .. }))),
        "{refused:?}"
    );
    assert!(matches!(
        one.store.write(|transaction| transaction.set_reference_date("2024-01-01")),
        Err(StoreError::OtherRegister { .. })
    ));
    assert_eq!(rows(&gate), 2);
    let damaged = other.path("damaged.gpkg");
    std::fs::write(&damaged, "SQLite format 3\0 and no more").unwrap();
    put(&damaged, one.store.path());
    assert!(gate.refresh().is_err());
    assert_eq!(rows(&gate), 2);
    std::fs::remove_file(one.store.path()).unwrap();
    assert!(gate.refresh().is_err());
    assert_eq!(rows(&gate), 2);
    put(other.store.path(), one.store.path());
    assert!(gate.refresh().unwrap());
    assert_eq!(rows(&gate), 5);
}

#[test]
fn a_change_of_any_connection_is_noticed_and_nothing_else_is() {
    let one = world(2);
    let mut watch = one.store.watch();
    let long = Duration::from_secs(20);
    assert!(watch.wait(&one.store, long).unwrap(), "the first look");
    assert!(!watch.wait(&one.store, Duration::from_millis(60)).unwrap(), "nothing has happened");
    let noticed = |watch: &mut throughline::store::Watch, change: &(dyn Fn() + Sync)| {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(50));
                change();
            });
            let start = Instant::now();
            assert!(watch.wait(&one.store, long).unwrap());
            assert!(start.elapsed() < long / 2, "noticed after {:?}", start.elapsed());
        });
        // What was noticed is noticed once.
        assert!(!watch.wait(&one.store, Duration::from_millis(60)).unwrap());
    };
    // The same day again would be no change.
    let date = |store: &Store, day: &'static str| {
        store.write(move |transaction| transaction.set_reference_date(day)).unwrap();
    };
    noticed(&mut watch, &|| date(&one.store, "2024-01-01"));
    let other = Store::open(one.store.path()).unwrap();
    noticed(&mut watch, &|| date(&other, "2024-01-02"));
    let third = world(3);
    third.store.checkpoint().unwrap();
    noticed(&mut watch, &|| put(third.store.path(), one.store.path()));
}
