//! Two worlds that differ in hidden rows only: every route gives strangers byte-equal answers.
//!
//! The generator makes requests for every route of the router; a route without requests fails the test. Three
//! planted leaks show that the comparison would notice.

#![expect(clippy::unwrap_used, reason = "tests")]

use throughline::http::routes::ROUTES;
use throughline::model::Provenance;
use throughline::model::Sensitivity;

use crate::fixtures::Numbers;
use crate::fixtures::Reply;
use crate::fixtures::Server;
use crate::fixtures::World;
use crate::fixtures::options;
use crate::fixtures::own_layer;
use crate::generator::Subject;
use crate::generator::requests;

/// Ids of rows that the public may not see.
const HIDDEN: [&str; 4] = ["HID", "HIE", "HIF", "HIG"];

/// Open stations in both worlds, near one another so that hidden ones fall among them.
fn open_stations() -> String {
    let mut numbers = Numbers(5);
    let mut csv = String::from("crs,name,lon,lat,country,force\n");
    for number in 0..400 {
        let (lon, lat) = (numbers.between(-2.0, 0.0), numbers.between(51.0, 53.0));
        csv.push_str(&format!("S{number},Station {number},{lon:.5},{lat:.5},england,force-{}\n", number % 7));
    }
    csv
}

/// A world with the open stations and the given hidden ones.
fn world(hidden: &[&str]) -> World {
    let world = World::new();
    // The hidden rows come first in one world, so that order of arrival cannot show either.
    let secret =
        Provenance { sensitivity: Sensitivity::Restricted, synthetic: true, ..Provenance::open("local") };
    let mut restricted = options("stations");
    restricted.provenance = secret.clone();
    if !hidden.is_empty() {
        let mut csv = String::from("crs,name,lon,lat,country,force\n");
        for (place, id) in hidden.iter().enumerate() {
            let lon = -1.0 + place as f64 * 0.01;
            csv.push_str(&format!("{id},Hidden station,{lon},52.0,scotland,secret-force\n"));
        }
        // Far outside the open ones: it would show in extents.
        csv.push_str("FAR,Far away,-7.5,57.9,scotland,secret-force\n,,,,,\n");
        world.import("hidden.csv", csv, &restricted).unwrap();
        let mut layer = own_layer("imported");
        layer.provenance = secret;
        world.import("layer.csv", "lon,lat,name\n-1,52,x\n-1,52,y\n", &layer).unwrap();
        // The register is hidden whole: links, and so the flows that are added up from them.
        let mut register = options("legs");
        register.provenance = Provenance { synthetic: true, ..Provenance::open("local") };
        let line = "{\"type\":\"LineString\",\"coordinates\":[[-1,52],[-1.1,51]]}";
        let leg = format!(
            "{{\"type\":\"Feature\",\"geometry\":{line},\"properties\":{{\"line\":\"x\",\"hub\":\"liverpool\",\"town\":\"portsmouth\",\"trips_per_week\":4.5}}}}"
        );
        world.import("legs.geojson", leg, &register).unwrap();
        // Damage among hidden rows must not show either.
        let file = rusqlite::Connection::open(world.store.path()).unwrap();
        file.execute("UPDATE imported SET name = 'forged' WHERE name = 'y'", []).unwrap();
        file.execute("UPDATE stations SET name = 'forged' WHERE public_id = 'HIG'", []).unwrap();
    }
    world.import("open.csv", open_stations(), &options("stations")).unwrap();
    world
}

const ABOUT: Subject<'_> = Subject {
    collections: &["stations", "imported", "nothing"],
    ids: &["HID", "HIE", "HIF", "HIG", "S1", "S399", "FAR"],
    words: &["Hidden%20station", "hidden", "HID", "Far%20away", "Statoin%207", "Station%201", "secret"],
};

/// How a world answers a stranger.
type Ask<'a> = &'a dyn Fn(&str, &str) -> Reply;

/// The first request that two worlds answer differently.
fn difference(one: Ask<'_>, two: Ask<'_>) -> Option<String> {
    for route in ROUTES {
        let requests = requests(route, &ABOUT);
        assert!(!requests.is_empty());
        for path in requests {
            for method in ["GET", "HEAD", "POST"] {
                let (a, b) = (one(method, &path), two(method, &path));
                if a != b {
                    return Some(format!(
                        "{method} {path}\n{}\n{}",
                        String::from_utf8_lossy(&a.body),
                        String::from_utf8_lossy(&b.body)
                    ));
                }
                assert!(a.status < 500, "{method} {path}: {}", a.status);
            }
        }
    }
    None
}

/// A question of the public, with one `Host` in both worlds: ports differ. In a demo the cookie says so, elsewhere nothing
/// needs to.
fn stranger<'a>(server: &'a Server, accept: &'a str) -> impl Fn(&str, &str) -> Reply + 'a {
    move |method, path| {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nCookie: throughline-role=public\r\nAccept-Encoding: {accept}\r\nConnection: close\r\n\r\n"
        );
        server.send(request.as_bytes())
    }
}

#[test]
fn hidden_rows_change_no_answer() {
    let (bare, full) = (world(&[]), world(&HIDDEN));
    let (one, two) = (bare.serve(), full.serve());
    // The generator knows how ids of tiles are made: some of them are there.
    let features = ROUTES.iter().find(|route| route.operation == "getTileFeature").unwrap();
    let ask = stranger(&one, "identity");
    assert!(requests(features, &ABOUT).iter().any(|path| ask("GET", path).status == 200));
    for accept in ["identity", "gzip"] {
        assert_eq!(difference(&stranger(&one, accept), &stranger(&two, accept)), None);
    }
    let (one, two) = (bare.serve_public(), full.serve_public());
    assert_eq!(difference(&stranger(&one, "identity"), &stranger(&two, "identity")), None);
}

#[test]
fn who_sees_all_sees_what_strangers_do_not() {
    let world = world(&HIDDEN);
    let server = world.serve_all();
    let all = server.get("/ogc/collections/stations/items?limit=1000");
    assert_eq!(all.json()["numberMatched"], 404, "400 open ones, the far one and three sound hidden ones");
    assert!(HIDDEN[..3].iter().all(|id| all.ids().iter().any(|known| known == id)));
    assert_eq!(server.get("/ogc/collections/imported").status, 200);
    let ask = stranger(&server, "identity");
    let open = ask("GET", "/ogc/collections/stations/items?limit=1000");
    assert_eq!(open.json()["numberMatched"], 400);
    assert_eq!(ask("GET", "/ogc/collections/imported").status, 404);
}

#[test]
fn planted_leaks_are_caught() {
    let (bare, full) = (world(&[]), world(&HIDDEN));
    let (one, two) = (bare.serve_all(), full.serve_all());
    let (first, second) = (stranger(&one, "identity"), stranger(&two, "identity"));
    assert_eq!(difference(&first, &second), None, "without a leak there is nothing to find");

    // A live count: numberMatched taken from all rows instead of the view's.
    let counting = |server: &Server, plain: Reply, path: &str| -> Reply {
        if !path.starts_with("/ogc/collections/stations/items")
            || plain.status != 200
            || plain.body.is_empty()
        {
            return plain;
        }
        let mut body = plain.json();
        if body["numberMatched"].is_number() {
            body["numberMatched"] =
                server.get("/ogc/collections/stations/items?limit=1").json()["numberMatched"].clone();
        }
        Reply { body: body.to_string().into_bytes(), ..plain }
    };
    let leak_one = |method: &str, path: &str| counting(&one, first(method, path), path);
    let leak_two = |method: &str, path: &str| counting(&two, second(method, path), path);
    assert!(difference(&leak_one, &leak_two).is_some_and(|found| found.contains("items")));

    // A hidden id answered 403 where an unknown one is 404.
    let forbidding = |server: &Server, plain: Reply, path: &str| -> Reply {
        let exists = plain.status == 404
            && path.contains("/items/")
            && !path.contains('?')
            && server.get(path).status == 200;
        Reply { status: if exists { 403 } else { plain.status }, ..plain }
    };
    let leak_one = |method: &str, path: &str| forbidding(&one, first(method, path), path);
    let leak_two = |method: &str, path: &str| forbidding(&two, second(method, path), path);
    assert!(difference(&leak_one, &leak_two).is_some_and(|found| found.contains("/items/HI")));

    // The store's version in an entity tag.
    let versioned = |world: &World, plain: Reply| -> Reply {
        let sequence = world.store.reader().unwrap().sequence().unwrap();
        let mut leaky = plain;
        for (name, value) in &mut leaky.headers {
            if name == "etag" {
                *value = format!("\"{sequence}-{}", value.trim_start_matches('"'));
            }
        }
        leaky
    };
    let leak_one = |method: &str, path: &str| versioned(&bare, first(method, path));
    let leak_two = |method: &str, path: &str| versioned(&full, second(method, path));
    assert!(difference(&leak_one, &leak_two).is_some());
}
