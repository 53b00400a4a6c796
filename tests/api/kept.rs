//! Answers that are kept: the same as those that are made, gone with the rows, and never another caller's.

use throughline::access::Principal;
use throughline::model::Provenance;
use throughline::model::Sensitivity;
use throughline::query;

use crate::fixtures::World;
use crate::fixtures::options;

const PAGE: &str = "/ogc/collections/p/items?bbox=-2,50,2,54&limit=50";

#[test]
fn a_kept_page_is_the_page_and_goes_when_a_row_comes() {
    let world = World::new();
    let rows: String = (0..40).map(|n| format!("{},51.{n:02},row {n}\n", f64::from(n) / 100.0)).collect();
    world.import("p.csv", format!("lon,lat,name\n{rows}"), &options("p")).unwrap();
    let server = world.serve();
    let (made, kept) = (server.get(PAGE), server.get(PAGE));
    assert_eq!((made.status, made.ids().len()), (200, 40));
    assert_eq!(made, kept);
    // Another encoding, another question and a question for nothing are answers of their own.
    let gzip = server.ask("GET", PAGE, &[("Accept-Encoding", "gzip")]);
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    assert_eq!(gzip, server.ask("GET", PAGE, &[("Accept-Encoding", "gzip")]));
    assert_eq!(server.get(PAGE), made);
    assert_eq!(server.get(&PAGE.replace("limit=50", "limit=7")).ids().len(), 7);
    let tag = made.header("etag").unwrap();
    assert_eq!(server.ask("GET", PAGE, &[("If-None-Match", tag)]).status, 304);

    world.import("q.csv", "lon,lat,name\n1,52,new\n", &options("p")).unwrap();
    assert!(server.app.gate.refresh().unwrap());
    let after = server.get(PAGE);
    assert_eq!(after.ids().len(), 41);
    assert_ne!(after.header("etag"), Some(tag));
    assert_eq!(server.ask("GET", PAGE, &[("If-None-Match", tag)]).status, 200);
}

#[test]
fn callers_who_see_different_rows_share_no_kept_answer() {
    let world = World::new();
    let station = |code: &str, lon: f64| {
        format!("crs,name,lon,lat,country,force\n{code},Station {code},{lon},52,england,f\n")
    };
    let mut hidden = options("stations");
    hidden.provenance =
        Provenance { sensitivity: Sensitivity::Restricted, synthetic: true, ..Provenance::open("local") };
    world.import("open.csv", station("AAA", -1.0), &options("stations")).unwrap();
    world.import("hidden.csv", station("BBB", -1.1), &hidden).unwrap();
    let server = world.serve_all();
    let stranger = |path: &str| server.ask("GET", path, &[("Cookie", "throughline-role=public")]);
    for path in [
        "/ogc/collections/stations/items",
        "/ogc/collections/stations/items?bbox=-2,51,0,53",
        "/ogc/collections/stations/items?nearest=-1.1,52",
        "/tiles/stations/6/31/21.mvt",
    ] {
        let names =
            |body: &[u8]| ["AAA", "BBB"].map(|code| body.windows(3).any(|three| three == code.as_bytes()));
        // Each first once, so that a shared answer would be kept by the other.
        for _ in 0..2 {
            assert_eq!(names(&server.get(path).body), [true, true], "{path}");
            assert_eq!(names(&stranger(path).body), [true, false], "{path}");
        }
    }
    // And the other way round.
    let path = "/ogc/collections/stations/items?limit=9";
    assert_eq!(stranger(path).ids().len(), 1);
    assert_eq!(server.get(path).ids().len(), 2);
}

#[test]
fn every_row_of_a_large_collection_is_found_by_its_id() {
    // More rows than two row groups hold: their ids are looked up in one table.
    const ROWS: usize = 40_000;
    let world = World::new();
    let rows: String = (0..ROWS).map(|n| format!("p{n},{},{}\n", n % 180, n / 180 % 80)).collect();
    let mut by_id = options("p");
    by_id.id = Some("id".into());
    world.import("p.csv", format!("id,lon,lat\n{rows}"), &by_id).unwrap();
    let gate = world.gate();
    let view = gate.view(&Principal::LocalOperator);
    let collection = view.collection("p").unwrap();
    assert_eq!(collection.rows(), ROWS as u64);
    assert!(collection.groups().len() > 2 && !collection.finds_at_once());
    let mut found = std::collections::BTreeSet::new();
    for n in 0..ROWS {
        let id = format!("p{n}");
        let at = query::item(collection, &id).unwrap();
        assert_eq!(query::public_id(collection, at), id);
        found.insert((at.group, at.row));
    }
    assert_eq!(found.len(), ROWS);
    assert!(collection.finds_at_once());
    assert_eq!(query::item(collection, "p40000"), None);
    // A row with a public id is known by that one alone.
    let inner = collection.groups()[0].id(0).to_string();
    assert_eq!(query::item(collection, &inner), None);
}

#[test]
fn only_rows_that_everyone_may_see_are_kept_for_all_classes_together() {
    let world = World::new();
    world.import("a.csv", "lon,lat,name\n-1,52,x\n", &options("everyones")).unwrap();
    let mut register = options("legs");
    register.provenance = Provenance { synthetic: true, ..Provenance::open("kent") };
    let leg = r#"{"type":"Feature","geometry":{"type":"LineString","coordinates":[[-1,52],[-1.1,51]]},"properties":{"line":"x","hub":"liverpool","town":"portsmouth","exporting_force":"kent","importing_force":"kent","mode":"road"}}"#;
    world.import("legs.geojson", leg, &register).unwrap();
    let server = world.serve();
    let kept = || server.metric("throughline_cached_answers");
    // Both roles see the same rows of each; who is not of Kent must not learn from the time it takes what Kent looked at.
    for (path, entries) in [("/tiles/everyones/5/15/10.mvt", 1), ("/tiles/legs/5/15/10.mvt", 2)] {
        let before = kept();
        for role in ["national-analyst", "force-analyst:kent", "national-analyst"] {
            let cookie = format!("throughline-role={role}");
            assert_eq!(server.ask("GET", path, &[("Cookie", &cookie)]).status, 200, "{path}");
        }
        assert_eq!(kept() - before, entries, "{path}");
    }
}
