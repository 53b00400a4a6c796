//! Methods, negotiation, entity tags, readiness, tiles, links.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::Read;

use throughline::http::routes::ROUTES;

use crate::fixtures::World;
use crate::fixtures::options;

fn world() -> World {
    let world = World::new();
    let mut csv = String::from("lon,lat,name,seen\n");
    for number in 0..200 {
        csv.push_str(&format!(
            "{},{},name {number},2031-03-{:02}\n",
            -1.0 - f64::from(number) * 0.01,
            52.0,
            number % 28 + 1
        ));
    }
    csv.push_str(",,no place,\n");
    world.import("p.csv", csv, &options("p")).unwrap();
    world
}

#[test]
fn every_get_has_its_head_and_other_methods_are_405() {
    let world = world();
    let server = world.serve();
    for route in ROUTES {
        let path = route
            .path
            .replace("{collectionId}", "p")
            .replace("{featureId}", "none")
            .replace("{layers}", "p")
            .replace("/{z}/{x}/{y}", "/8/127/84");
        let (get, head) = (server.get(&path), server.ask("HEAD", &path, &[]));
        assert_eq!(get.status, head.status, "{path}");
        // Metrics count the request itself.
        if route.path != "/metrics" {
            assert_eq!(get.headers, head.headers, "{path}");
        }
        assert!(head.body.is_empty());
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let refused = server.ask(method, &path, &[]);
            refused.is_problem(405, "GET");
            assert_eq!(refused.header("allow"), Some("GET, HEAD, OPTIONS"));
        }
        let options = server.ask("OPTIONS", &path, &[]);
        assert_eq!((options.status, options.header("allow")), (204, Some("GET, HEAD, OPTIONS")));
    }
}

#[test]
fn nothing_there_is_a_problem_too() {
    let world = world();
    let server = world.serve();
    for path in [
        "/nothing",
        "/ogc/nothing",
        "/ogc/collections/q",
        "/ogc/collections/q/items",
        "/ogc/collections/p/items/x",
        "/ogc/",
    ] {
        server.get(path).is_problem(404, "nothing at this address");
        assert_eq!(server.ask("HEAD", path, &[]).status, 404);
    }
}

#[test]
fn encodings_only_when_asked_and_each_with_its_tag() {
    let world = world();
    let server = world.serve();
    let path = "/ogc/collections/p/items?limit=200";
    let plain = server.get(path);
    assert_eq!(plain.header("content-encoding"), None);
    let mut tags = vec![plain.header("etag").unwrap().to_owned()];
    for name in ["gzip", "zstd"] {
        let packed = server.ask("GET", path, &[("Accept-Encoding", name)]);
        assert_eq!(packed.header("content-encoding"), Some(name));
        assert_eq!(packed.header("vary"), Some("accept-encoding"));
        assert!(packed.body.len() < plain.body.len() / 3);
        let mut body = Vec::new();
        match name {
            "gzip" => drop(flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut body).unwrap()),
            _ => body = zstd::decode_all(&packed.body[..]).unwrap(),
        }
        assert_eq!(body, plain.body);
        assert_eq!(server.ask("GET", path, &[("Accept-Encoding", name)]).body, packed.body);
        tags.push(packed.header("etag").unwrap().to_owned());
        let again =
            server.ask("GET", path, &[("Accept-Encoding", name), ("If-None-Match", tags.last().unwrap())]);
        assert_eq!((again.status, again.body.len()), (304, 0));
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 3);
    assert!(!tags[0].starts_with("W/"));
    assert_eq!(server.ask("GET", path, &[("If-None-Match", "\"other\"")]).status, 200);
    let again = server.ask("HEAD", path, &[("If-None-Match", plain.header("etag").unwrap())]);
    assert_eq!(again.status, 304);
}

#[test]
fn a_second_import_is_served_within_a_refresh_and_changes_the_tag() {
    let world = world();
    let gate = world.gate();
    assert!(!gate.refresh().unwrap());
    let before = gate.view(throughline::access::Principal::LocalOperator);
    world.import("q.csv", "lon,lat,name,seen\n0,51,new,2031-01-01\n", &options("p")).unwrap();
    assert!(gate.refresh().unwrap());
    let after = gate.view(throughline::access::Principal::LocalOperator);
    assert_eq!((before.collection("p").unwrap().rows(), after.collection("p").unwrap().rows()), (201, 202));
    assert_ne!(before.collection("p").unwrap().data_version(), after.collection("p").unwrap().data_version());
}

#[test]
fn tiles_hold_what_lies_on_them() {
    let world = world();
    let server = world.serve();
    let tile = server.get("/tiles/p/5/15/10.mvt");
    assert_eq!((tile.status, tile.header("content-type")), (200, Some("application/vnd.mapbox-vector-tile")));
    assert!(tile.body.windows(7).any(|bytes| bytes == b"name 17"));
    assert!(!tile.body.windows(8).any(|bytes| bytes == b"no place"));
    assert_eq!(server.get("/tiles/p/5/0/0.mvt").status, 204);
    for path in [
        "/tiles/p/25/0/0.mvt",
        "/tiles/p/1/2/0.mvt",
        "/tiles/p/1/-1/0.mvt",
        "/tiles/p/a/0/0.mvt",
        "/tiles/p/01/0/0.mvt",
        "/tiles/q/0/0/0.mvt",
        "/tiles/p,p/0/0/0.mvt",
    ] {
        server.get(path).is_problem(404, "nothing");
    }
    let json = server.get("/tiles/p.json").json();
    assert_eq!(json["tilejson"], "3.0.0");
    assert_eq!(json["bounds"], serde_json::json!([-2.99, 52.0, -1.0, 52.0]));
}

#[test]
fn times_of_a_collection_show_in_its_extent() {
    let world = world();
    let server = world.serve();
    let body = server.get("/ogc/collections/p").json();
    let interval = &body["extent"]["temporal"]["interval"][0];
    assert_eq!(interval, &serde_json::json!(["2031-03-01T00:00:00Z", "2031-03-28T23:59:59.999999Z"]));
    let day = server.get("/ogc/collections/p/items?datetime=2031-03-02&limit=100").json();
    // 200 rows over 28 days: days 1 to 4 have eight; and the row without time.
    assert_eq!(day["numberMatched"], 9);
}

#[test]
fn links_follow_the_address_asked_for() {
    let world = world();
    let server = world.serve();
    let reply = server.send(b"GET /ogc HTTP/1.1\r\nHost: localhost:99\r\nConnection: close\r\n\r\n");
    assert_eq!(reply.json()["links"][0]["href"], "http://localhost:99/ogc");
    let strange = server.send(b"GET /ogc HTTP/1.1\r\nHost: a\"b<c>\r\nConnection: close\r\n\r\n");
    assert!(strange.status == 400 || !String::from_utf8_lossy(&strange.body).contains("<c>"));
}
