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
        assert_eq!(get.headers, head.headers, "{path}");
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
        "/ogc//",
        "/metrics",
    ] {
        server.get(path).is_problem(404, "nothing at this address");
        assert_eq!(server.ask("HEAD", path, &[]).status, 404);
    }
}

#[test]
fn a_slash_at_the_end_changes_nothing() {
    let world = world();
    let server = world.serve();
    for path in [
        "/ogc",
        "/ogc/conformance",
        "/ogc/api",
        "/ogc/collections",
        "/ogc/collections/p",
        "/ogc/collections/p/queryables",
        "/ogc/collections/p/items",
        "/tiles/p.json",
        "/tiles/p/5/15/10.mvt",
        "/api/session",
        "/readyz",
    ] {
        let (plain, slash) = (server.get(path), server.get(&format!("{path}/")));
        assert_eq!((plain.status, &plain), (200, &slash), "{path}");
        assert_eq!(server.get(&format!("{path}//")).status, 404, "{path}");
    }
    let page = server.get("/ogc/collections/p/items/?limit=3").json();
    assert_eq!(
        page["links"][0]["href"],
        format!("http://{}/ogc/collections/p/items?limit=3", server.address)
    );
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
        assert_eq!(packed.header("vary"), Some("accept-encoding, origin, cookie"));
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
    let before = gate.view(&throughline::access::Principal::LocalOperator);
    world.import("q.csv", "lon,lat,name,seen\n0,51,new,2031-01-01\n", &options("p")).unwrap();
    assert!(gate.refresh().unwrap());
    let after = gate.view(&throughline::access::Principal::LocalOperator);
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

#[test]
fn columns_named_like_ours_come_back_and_steer_nothing() {
    let names = [
        "fid",
        "id",
        "owner",
        "handling",
        "sensitivity",
        "synthetic",
        "valid_from",
        "recorded_at",
        "superseded_at",
        "source_ref",
        "row_hash",
        "geom",
        "rowid",
        "geometry",
        "marking",
        "bbox",
        "limit",
        "crs",
        "Owner",
        "a \"b\".c",
        "select",
    ];
    let properties: Vec<String> = names
        .iter()
        .map(|name| format!("{}:{}", serde_json::json!(name), serde_json::json!(format!("mine {name}"))))
        .collect();
    let text = format!(
        r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","geometry":{{"type":"Point","coordinates":[-1,52]}},"properties":{{{},"fid_2":77,"tags":["a",{{"b":1}}]}}}}]}}"#,
        properties.join(",")
    );
    let world = World::new();
    world.import("p.geojson", text, &options("p")).unwrap();
    let server = world.serve();
    let body = server.get("/ogc/collections/p/items").json();
    for name in names {
        assert_eq!(body["features"][0]["properties"][name], format!("mine {name}"), "{name}");
    }
    assert_eq!(body["features"][0]["properties"]["fid_2"], 77);
    assert_eq!(body["features"][0]["properties"]["tags"], serde_json::json!(["a", {"b": 1}]));
    let queryables = server.get("/ogc/collections/p/queryables").json();
    assert!(names.iter().all(|name| queryables["properties"][name].is_object()));
    // Nested values are left out of tiles; the feature is not.
    let tile = server.get("/tiles/p/5/15/10.mvt");
    assert!(tile.body.windows(10).any(|bytes| bytes == b"mine owner"));
    assert!(!tile.body.windows(4).any(|bytes| bytes == b"tags"));
}

#[test]
fn a_layer_without_rows_answers_everywhere_and_invents_nothing() {
    let world = World::new();
    world.import("a.geojson", r#"{"type":"FeatureCollection","features":[]}"#, &options("a")).unwrap();
    world.import("b.csv", "lon,lat,name\n", &options("b")).unwrap();
    let server = world.serve();
    for id in ["a", "b"] {
        assert!(server.get(&format!("/ogc/collections/{id}")).json().get("extent").is_none());
        for query in ["", "?bbox=-10,40,10,60", "?nearest=0,50", "?within=0,50,1000", "?datetime=2031-01-01"]
        {
            let items = server.get(&format!("/ogc/collections/{id}/items{query}"));
            assert_eq!(items.json()["numberMatched"], 0, "{query}");
            assert_eq!((items.ids().len(), items.next()), (0, None));
        }
        assert_eq!(server.get(&format!("/ogc/collections/{id}/queryables")).status, 200);
        assert_eq!(server.get(&format!("/ogc/collections/{id}/items/1")).status, 404);
        assert_eq!(server.get(&format!("/tiles/{id}/0/0/0.mvt")).status, 204);
        let tilejson = server.get(&format!("/tiles/{id}.json")).json();
        assert!(tilejson.get("bounds").is_none());
        assert!(tilejson["vector_layers"][0].get("feature_id").is_none(), "{tilejson}");
    }
}

#[test]
fn rows_without_geometry_are_null_in_every_system() {
    let world = world();
    let server = world.serve();
    let grid = "crs=http%3A%2F%2Fwww.opengis.net%2Fdef%2Fcrs%2FEPSG%2F0%2F27700";
    let reply = server.get(&format!("/ogc/collections/p/items?limit=300&{grid}"));
    assert_eq!(reply.header("content-crs"), Some("<http://www.opengis.net/def/crs/EPSG/0/27700>"));
    let body = reply.json();
    let features = body["features"].as_array().unwrap();
    assert_eq!(features.len(), 201);
    assert_eq!(features.iter().filter(|feature| feature["geometry"].is_null()).count(), 1);
    for feature in features.iter().filter(|feature| !feature["geometry"].is_null()) {
        // 52 N between 1 and 3 W lies near northing 230 km, east of the false origin.
        let northing = feature["geometry"]["coordinates"][1].as_f64().unwrap();
        assert!((225_000.0..235_000.0).contains(&northing), "{northing}");
    }
}

/// Values of every kind a column can have, texts and keys longer than what is kept ready, geometries longer than what is
/// gathered: a page has them all as they came, by another reader of JSON.
#[test]
fn a_page_has_every_value_as_it_came() {
    let long_key = format!("a key of more than sixty-three bytes {}", "k".repeat(40));
    let rows: Vec<serde_json::Value> = (0..300_i64)
        .map(|n| {
            let line: Vec<[f64; 2]> =
                (0..=if n == 7 { 4_000 } else { 1 }).map(|at| [f64::from(at - 3_000) / 1e3, 51.5]).collect();
            let nothing = n % 5 == 0;
            let or_null = |value: serde_json::Value| if nothing { serde_json::Value::Null } else { value };
            serde_json::json!({
                "type": "Feature",
                "id": format!("row-{n:03}"),
                "geometry": { "type": "LineString", "coordinates": line },
                "properties": {
                    "few": or_null(["one", "a \"second\"", "third\n"][n as usize % 3].into()),
                    "own": format!("a text of its own, number {n}"),
                    "quoted": if n == 3 { "\\ and \"".repeat(2_000) } else { format!("{n}") },
                    "small": n - 150,
                    "middle": or_null((n * 100).into()),
                    "large": n * 1_000_003 - 7,
                    "huge": (n - 100) << 45,
                    "part": or_null((n as f64 / 8.0).into()),
                    "thousandth": (n - 20) as f64 / 1e3,
                    "fine": or_null((n as f64).sqrt().into()),
                    "yes": n % 2 == 0,
                    "day": format!("{}-01-02", 1800 + n),
                    "at": or_null(format!("2024-05-06T07:08:{:02}Z", n % 60).into()),
                    &long_key: n,
                },
            })
        })
        .collect();
    let world = World::new();
    let file = serde_json::json!({ "type": "FeatureCollection", "features": rows });
    world.import("kinds.geojson", file.to_string(), &options("kinds")).unwrap();
    let server = world.serve();
    let mut found = server.get("/ogc/collections/kinds/items?limit=1000").json();
    let found = found["features"].as_array_mut().unwrap();
    assert_eq!(found.len(), rows.len());
    found.sort_by_key(|feature| feature["id"].to_string());
    for (got, expected) in found.iter().zip(&rows) {
        // Whole numbers may be written without decimals.
        let numbers = |feature: &serde_json::Value| -> Vec<[f64; 2]> {
            serde_json::from_value(feature["geometry"]["coordinates"].clone()).unwrap()
        };
        assert!(got["id"] == expected["id"] && numbers(got) == numbers(expected), "{}", got["id"]);
        for (key, value) in expected["properties"].as_object().unwrap() {
            let got = &got["properties"][key];
            assert!(
                got == value || value.as_f64().is_some_and(|value| got.as_f64() == Some(value)),
                "{key}: {got} {value}"
            );
        }
        assert_eq!(got["properties"].as_object().map(serde_json::Map::len), Some(14));
    }
}

#[test]
fn properties_are_parameters_by_their_names() {
    let world = World::new();
    let rows = "lon,lat,force,n,part,yes,day,at,limit,a b,tags\n\
        -1,52,kent,7,1.5,true,2031-03-01,2031-03-01T12:00:00Z,x,one,\"[1,{}]\"\n\
        -1,52,kent,8,2.5,false,2031-03-02,2031-03-02T12:00:00Z,y,two,\"[2]\"\n\
        -1,52,essex,7,2.5,true,2031-03-03,2031-03-03T00:00:00Z,z,,\n\
        ,,essex,,,,,,,one,\n";
    world.import("p.csv", rows, &options("p")).unwrap();
    let server = world.serve();
    let ask = |query: &str| server.get(&format!("/ogc/collections/p/items?{query}"));
    for (query, matched) in [
        ("force=kent", 2),
        ("force=Kent", 0),
        ("force=kent&n=7", 1),
        ("n=7", 2),
        ("part=2.5", 2),
        ("part=2.50", 2),
        ("yes=true", 2),
        ("day=2031-03-02", 1),
        ("at=2031-03-02", 1),
        ("at=2031-03-03T01:00:00%2B01:00", 1),
        ("a%20b=one", 2),
        ("a+b=one&bbox=-2,51,0,53", 2),
        ("a+b=two&within=-1,52,10", 1),
        ("force=essex&datetime=2031-03-03", 2),
    ] {
        let page = ask(query).json();
        assert_eq!(page["numberMatched"], matched, "{query}");
        assert_eq!(page["features"].as_array().unwrap().len(), matched, "{query}");
    }
    // The same question goes on from page to page.
    let first = ask("force=kent&limit=1");
    let next = first.next().unwrap();
    assert!(next.contains("force=kent"), "{next}");
    assert_eq!((server.get(&next).ids().len(), server.get(&next).next()), (1, None));
    assert!(ask("a+b=one&limit=1").next().unwrap().contains("a%20b=one"));
    // A parameter of ours wins over the property of its name.
    assert_eq!(ask("limit=2").ids().len(), 2);
    ask("limit=x").is_problem(400, "whole number");
    for (query, name, word) in [
        ("n=many", "n", "whole number"),
        ("n=7.5", "n", "whole number"),
        ("part=inf", "part", "number like"),
        ("yes=1", "yes", "true or false"),
        ("day=yesterday", "day", "2031-03-01"),
        ("force=kent&force=essex", "force", "twice"),
        ("force=%FF", "force", "UTF-8"),
        ("Force=kent", "Force", "datetime, limit, next, nearest, within, crs, force, n, part"),
    ] {
        let refused = ask(query);
        refused.is_problem(400, word);
        assert_eq!(refused.json()["parameter"], name, "{query}");
    }
    // Where there is no collection there is no parameter to speak of.
    server.get("/ogc/collections/none/items?force=kent").is_problem(404, "nothing");
}

#[test]
fn addresses_that_read_no_rows_build_no_view() {
    let world = world();
    let server = world.serve();
    let before = server.app.gate.views_held().0;
    for path in
        ["/", "/ogc", "/ogc/conformance", "/ogc/api", "/assets/none.js", "/healthz", "/readyz", "/nothing"]
    {
        server.get(path);
    }
    for path in ["/ogc/collections/p/items", "/api/search", "/tiles/p.json"] {
        server.ask("OPTIONS", path, &[]);
        server.ask("DELETE", path, &[]);
    }
    assert_eq!(server.app.gate.views_held().0, before);
    assert_eq!(server.get("/ogc/collections/p/items").status, 200);
    assert!(server.app.gate.views_held().0 > before, "this one does");
}
