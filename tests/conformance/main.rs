//! One test for each requirement of OGC API - Features - Part 1: Core 1.0.1 that a server can be seen to keep.
//!
//! Classes that are not kept yet: HTML, Part 2 (CRS; the `crs` parameter is there, `bbox-crs` is not), Part 3.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../fixtures/mod.rs"]
mod fixtures;

use fixtures::Server;
use fixtures::World;
use fixtures::options;
use serde_json::Value;

fn world() -> (World, Server) {
    let world = World::new();
    let features: Vec<String> = (0..25)
        .map(|number| {
            let at = format!("2031-03-{:02}T12:00:00Z", number + 1);
            let lon = -1.0 - f64::from(number) / 10.0;
            format!(r#"{{"type":"Feature","id":"f{number}","geometry":{{"type":"Point","coordinates":[{lon},52]}},"properties":{{"at":"{at}","n":{number}}}}}"#)
        })
        .chain([r#"{"type":"Feature","id":"nowhere","geometry":null,"properties":{"at":null,"n":null}}"#.to_owned()])
        .collect();
    let text = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","));
    world.import("p.geojson", text, &options("points")).unwrap();
    let server = world.serve();
    (world, server)
}

fn link<'a>(body: &'a Value, rel: &str) -> Option<&'a str> {
    body["links"].as_array()?.iter().find(|link| link["rel"] == rel)?["href"].as_str()
}

fn path(href: &str) -> &str {
    &href[href.find("/ogc").unwrap()..]
}

#[test]
fn req_core_root_op_and_success() {
    let (_world, server) = world();
    let body = server.get("/ogc").json();
    for rel in ["service-desc", "conformance", "data"] {
        assert_eq!(server.get(path(link(&body, rel).unwrap())).status, 200, "{rel}");
    }
}

#[test]
fn req_core_api_definition_op_and_success() {
    let (_world, server) = world();
    let landing = server.get("/ogc").json();
    let reply = server.get(path(link(&landing, "service-desc").unwrap()));
    assert_eq!(reply.header("content-type"), Some("application/vnd.oai.openapi+json;version=3.0"));
}

#[test]
fn req_oas30_oas_definition_and_impl() {
    let (_world, server) = world();
    let api = server.get("/ogc/api").json();
    assert!(api["openapi"].as_str().unwrap().starts_with("3.0."));
    let paths = api["paths"].as_object().unwrap();
    let mut operations: Vec<&str> = Vec::new();
    for (path, item) in paths {
        let get = &item["get"];
        operations.push(get["operationId"].as_str().unwrap());
        assert!(get["responses"]["200"].is_object());
        // Every name in braces is declared, and nothing else is in the path.
        let declared: Vec<&str> = get["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let named: Vec<&str> = path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
        assert_eq!(declared, named, "{path}");
    }
    let all = operations.len();
    operations.sort_unstable();
    operations.dedup();
    assert_eq!(operations.len(), all, "operation ids are unique");
    let items = &paths["/ogc/collections/{collectionId}/items"]["get"]["parameters"];
    let limit = items.as_array().unwrap().iter().find(|parameter| parameter["name"] == "limit").unwrap();
    assert_eq!(limit["schema"]["maximum"], 10_000);
}

#[test]
fn req_core_conformance_op_and_success() {
    let (_world, server) = world();
    let body = server.get("/ogc/conformance").json();
    let classes = body["conformsTo"].as_array().unwrap();
    for class in ["core", "geojson", "oas30"] {
        assert!(
            classes
                .contains(&format!("http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/{class}").into())
        );
    }
}

#[test]
fn req_core_query_param_unknown_and_invalid() {
    let (_world, server) = world();
    server.get("/ogc/collections/points/items?unknown=1").is_problem(400, "unknown");
    server.get("/ogc/collections/points/items?limit=x").is_problem(400, "limit");
}

#[test]
fn req_core_crs84() {
    let (_world, server) = world();
    let reply = server.get("/ogc/collections/points/items?limit=1");
    assert_eq!(reply.header("content-crs"), Some("<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"));
    let coordinates = &reply.json()["features"][0]["geometry"]["coordinates"];
    assert!(coordinates[0].as_f64().unwrap() < 0.0 && coordinates[1] == 52, "longitude first");
}

#[test]
fn req_core_fc_md_op_links_items_extent() {
    let (_world, server) = world();
    let body = server.get("/ogc/collections").json();
    assert!(link(&body, "self").is_some());
    let collection = &body["collections"][0];
    assert_eq!(collection["id"], "points");
    assert_eq!(server.get(path(link(collection, "items").unwrap())).status, 200);
    assert_eq!(collection["extent"]["spatial"]["bbox"][0], serde_json::json!([-3.4, 52.0, -1.0, 52.0]));
    assert_eq!(collection["extent"]["temporal"]["interval"][0][0], "2031-03-01T12:00:00Z");
}

#[test]
fn req_core_sfc_md_op_and_success() {
    let (_world, server) = world();
    let list = server.get("/ogc/collections").json();
    assert_eq!(server.get("/ogc/collections/points").json(), list["collections"][0]);
    server.get("/ogc/collections/none").is_problem(404, "nothing");
}

#[test]
fn req_core_fc_op_response_and_geojson_content() {
    let (_world, server) = world();
    let reply = server.get("/ogc/collections/points/items");
    assert_eq!(reply.header("content-type"), Some("application/geo+json"));
    let collection: geojson::FeatureCollection = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(collection.features.len(), 10, "the default limit");
}

#[test]
fn req_core_fc_limit_definition_and_response_1() {
    let (_world, server) = world();
    assert_eq!(server.get("/ogc/collections/points/items?limit=3").ids().len(), 3);
    assert_eq!(server.get("/ogc/collections/points/items?limit=10000").ids().len(), 26);
    assert_eq!(
        server.get("/ogc/collections/points/items?limit=10001").ids().len(),
        26,
        "lowered, not refused"
    );
}

#[test]
fn req_core_fc_bbox_definition_and_response() {
    let (_world, server) = world();
    let ids = server.get("/ogc/collections/points/items?bbox=-1.25,51,-1,53&limit=100").ids();
    let mut sorted = ids.clone();
    sorted.sort();
    assert_eq!(sorted, ["f0", "f1", "f2", "nowhere"], "features without geometry match");
    let six = server.get("/ogc/collections/points/items?bbox=-1.25,51,0,-1,53,9&limit=100").ids();
    assert_eq!(six, ids);
}

#[test]
fn req_core_fc_time_definition_and_response() {
    let (_world, server) = world();
    let ask = |datetime: &str| {
        let mut ids =
            server.get(&format!("/ogc/collections/points/items?limit=100&datetime={datetime}")).ids();
        ids.sort();
        ids
    };
    assert_eq!(ask("2031-03-03T12:00:00Z"), ["f2", "nowhere"], "features without time match");
    assert_eq!(ask("2031-03-24T12:00:00Z/.."), ["f23", "f24", "nowhere"]);
    assert_eq!(ask("../2031-03-02T12:00:00Z"), ["f0", "f1", "nowhere"]);
    assert_eq!(ask("2031-03-03T00:00:00Z/2031-03-05T00:00:00Z"), ["f2", "f3", "nowhere"]);
}

#[test]
fn req_core_fc_links_and_rel_type() {
    let (_world, server) = world();
    let body = server.get("/ogc/collections/points/items?limit=10").json();
    for rel in ["self", "next"] {
        assert!(link(&body, rel).is_some(), "{rel}");
    }
    assert!(
        body["links"]
            .as_array()
            .unwrap()
            .iter()
            .all(|link| link["rel"].is_string() && link["type"].is_string())
    );
    let last = server.get("/ogc/collections/points/items?limit=100").json();
    assert!(link(&last, "next").is_none());
}

#[test]
fn req_core_fc_number_matched_and_returned() {
    let (_world, server) = world();
    let body = server.get("/ogc/collections/points/items?limit=4&bbox=-2,51,-1,53").json();
    assert_eq!((body["numberMatched"].as_u64(), body["numberReturned"].as_u64()), (Some(12), Some(4)));
    assert_eq!(body["features"].as_array().unwrap().len(), 4);
}

#[test]
fn req_core_f_op_success_and_links() {
    let (_world, server) = world();
    let reply = server.get("/ogc/collections/points/items/f7");
    assert_eq!(reply.header("content-type"), Some("application/geo+json"));
    let body = reply.json();
    assert_eq!(
        (&body["type"], &body["id"], &body["properties"]["n"]),
        (&"Feature".into(), &"f7".into(), &7.into())
    );
    assert!(link(&body, "self").is_some() && link(&body, "collection").is_some());
    server.get("/ogc/collections/points/items/none").is_problem(404, "nothing");
}

/// Table 3 of the standard: each status that this server can give, at every path of the OGC API.
#[test]
fn req_core_http_status_codes() {
    let (_world, server) = world();
    let resources = [
        "/ogc",
        "/ogc/api",
        "/ogc/conformance",
        "/ogc/collections",
        "/ogc/collections/points",
        "/ogc/collections/points/queryables",
        "/ogc/collections/points/items",
        "/ogc/collections/points/items/f7",
    ];
    for path in resources {
        let found = server.get(path);
        assert_eq!(found.status, 200, "{path}");
        let tag = found.header("etag").unwrap();
        assert_eq!(server.ask("GET", path, &[("If-None-Match", tag)]).status, 304, "{path}");
        server.get(&format!("{path}?unknown=1")).is_problem(400, "unknown");
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            server.ask(method, path, &[]).is_problem(405, "GET");
        }
    }
    for path in ["limit=0", "bbox=1,2,3", "datetime=yesterday", "crs=EPSG%3A9999"] {
        let name = path.split('=').next().unwrap();
        server.get(&format!("/ogc/collections/points/items?{path}")).is_problem(400, name);
    }
    for path in [
        "/ogc/none",
        "/ogc/collections/none",
        "/ogc/collections/none/queryables",
        "/ogc/collections/none/items",
        "/ogc/collections/none/items/f7",
        "/ogc/collections/points/items/none",
    ] {
        server.get(path).is_problem(404, "nothing");
    }
}
