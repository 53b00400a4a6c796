//! Tiles, TileJSON, features by tile id, search, session and the page, over sockets.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;

use crate::fixtures::Numbers;
use crate::fixtures::Server;
use crate::fixtures::World;
use crate::fixtures::options;
use crate::fixtures::own_layer;
use crate::mvt;

use throughline::model::RowId;

const HUTS: &str = "id,name,kind,lon,lat\n1,Top hut,open,-3.05,54.45\n2,Low hut,shut,-3.06,54.44\n";

fn world() -> World {
    let world = World::new();
    let mut huts = options("huts");
    huts.id = Some("id".into());
    huts.about.title = Some("Mountain huts".into());
    huts.about.attribution = Some("The hut club".into());
    world.import("huts.csv", HUTS, &huts).unwrap();
    let mut numbers = Numbers(12);
    let mut csv = String::from("lon,lat,name\n");
    for row in 0..30_000 {
        let (lon, lat) = (numbers.between(-5.0, 1.0), numbers.between(50.5, 55.0));
        writeln!(csv, "{lon:.5},{lat:.5},point number {row}").unwrap();
    }
    world.import("many.csv", csv, &options("many")).unwrap();
    world
}

#[test]
fn empty_and_impossible_tiles() {
    let server = world().serve_with_world();
    let empty = server.get("/tiles/huts/5/31/16.mvt");
    assert_eq!((empty.status, empty.body.len()), (204, 0));
    assert!(empty.header("etag").is_some());
    for path in [
        "/tiles/huts/5/32/16.mvt",
        "/tiles/huts/5/15/32.mvt",
        "/tiles/huts/5/-1/10.mvt",
        "/tiles/huts/5/15.5/10.mvt",
        "/tiles/huts/25/0/0.mvt",
        "/tiles/huts/64/0/0.mvt",
        "/tiles/huts/4294967296/0/0.mvt",
        "/tiles/huts/20/99999999999999999999/1.mvt",
        "/tiles/huts/5/015/10.mvt",
        "/tiles/nothing/5/15/10.mvt",
        "/tiles/huts,nothing/5/15/10.mvt",
        "/tiles/huts,huts/5/15/10.mvt",
        "/tiles/huts/5/15/10.pbf",
        "/tiles/huts/features/x.json",
        "/tiles/huts/features/-1.json",
        "/tiles/huts/features/99999999999999999999.json",
        "/tiles/nothing/features/1.json",
    ] {
        server.get(path).is_problem(404, "nothing at this address");
    }
}

#[test]
fn tiles_are_kept_with_their_encodings_and_dropped_with_their_rows() {
    let world = world();
    let server = world.serve();
    let path = "/tiles/many/8/126/84.mvt";
    let ask = |encoding: &str| server.ask("GET", path, &[("Accept-Encoding", encoding)]);
    let (plain, gzip, again) = (ask("identity"), ask("gzip"), ask("gzip"));
    assert_eq!(plain.header("content-type"), Some("application/vnd.mapbox-vector-tile"));
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(ask("gzip;q=0, identity").body, plain.body);
    assert_eq!((gzip.header("content-encoding"), &gzip), (Some("gzip"), &again));
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&gzip.body[..]), &mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
    // What a slow line waits for: hardly more bytes than the usual level has, which takes longer to pack.
    let mut usual = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut usual, &plain.body).unwrap();
    let usual = usual.finish().unwrap().len();
    assert!(gzip.body.len() * 100 <= usual * 105, "{} {usual}", gzip.body.len());
    assert_ne!(plain.header("etag"), gzip.header("etag"));
    let tag = gzip.header("etag").unwrap();
    let known = server.ask("GET", path, &[("Accept-Encoding", "gzip"), ("If-None-Match", tag)]);
    assert_eq!((known.status, known.body.len()), (304, 0));
    let metrics = String::from_utf8(server.ask_operator("/metrics").body).unwrap();
    let kept =
        metrics.lines().find(|line| line.starts_with("throughline_cached_answers ")).unwrap().to_owned();
    assert!(!kept.ends_with(" 0"), "{kept}");
    // A row more: a new server over the same store has another tile, a far tile is the same.
    let far = server.get("/tiles/huts/9/251/163.mvt");
    world.import("more.csv", "lon,lat,name\n-2.0,52.0,one more\n", &options("many")).unwrap();
    let other = world.serve();
    assert_ne!(other.get(path).header("etag"), plain.header("etag"));
    assert_eq!(other.get("/tiles/huts/9/251/163.mvt").header("etag"), far.header("etag"));
}

#[test]
fn properties_are_chosen_by_name() {
    let server = world().serve_with_world();
    let names = |query: &str| -> Vec<String> {
        let reply = server.get(&format!("/tiles/huts/9/251/163.mvt{query}"));
        assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        mvt::read(&reply.body)[0].features[0].properties.keys().cloned().collect()
    };
    // The id is a whole number, and so the feature's own.
    assert_eq!(names(""), ["kind", "name"]);
    assert_eq!(names("?properties=id,name"), ["id", "name"]);
    assert_eq!(names("?properties=name"), ["name"]);
    assert_eq!(names("?properties=name,kind"), ["kind", "name"]);
    assert!(names("?properties=").is_empty());
    let wrong = server.get("/tiles/huts/9/251/163.mvt?properties=name,colour");
    wrong.is_problem(400, "colour");
    assert!(wrong.json()["detail"].as_str().unwrap().contains("kind"), "it says what there is");
    server.get("/tiles/huts/9/251/163.mvt?limit=3").is_problem(400, "properties");
    let tilejson = server.get("/tiles/huts.json?properties=name").json();
    assert!(tilejson["tiles"][0].as_str().unwrap().ends_with("{z}/{x}/{y}.mvt?properties=name"));
    let fields: Vec<&String> = tilejson["vector_layers"][0]["fields"].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["name", "count", "left_out"]);
    let whole = &server.get("/tiles/huts.json").json()["vector_layers"][0];
    assert_eq!((whole["fields"].get("id"), &whole["feature_id"]), (None, &"id".into()));
}

#[test]
fn tiles_take_time_and_properties_as_their_items_do() {
    let world = World::new();
    let csv = "lon,lat,n,kind,kind&x=b,seen,x\n-1.5,52.3,1,hut,p,2031-03-01,a\n-1.5,52.3,2,inn,q,2031-03-02,b\n-1.5,52.3,3,hut,r,2031-04-01,b\n";
    world.import("p.csv", csv, &options("p")).unwrap();
    let server = world.serve();
    let rows = |query: &str| -> Vec<String> {
        let reply = server.get(&format!("/tiles/p/9/253/168.mvt{query}"));
        let layers = mvt::read(&reply.body);
        let features = layers.iter().flat_map(|layer| &layer.features);
        let mut rows: Vec<String> =
            features.map(|feature| format!("{:?}", feature.properties.get("n"))).collect();
        rows.sort();
        rows
    };
    let items = |query: &str| server.get(&format!("/ogc/collections/p/items{query}")).ids().len();
    assert_eq!(rows("").len(), 3);
    for (query, found) in [
        ("?kind=hut", 2),
        ("?kind=hut&datetime=2031-03-01/2031-03-31", 1),
        ("?datetime=2031-03-01/2031-03-31", 2),
        ("?x=b&kind=inn", 1),
        ("?kind=none", 0),
    ] {
        assert_eq!((rows(query).len(), items(query)), (found, found), "{query}");
        // Once more, from the cache.
        assert_eq!(rows(query).len(), found, "{query}");
    }
    assert_eq!(rows("?kind=inn"), rows("?n=2"));
    // A property may be called as a filter is written: the two are two tiles.
    let size = |query: &str| {
        mvt::read(&server.get(&format!("/tiles/p/9/253/168.mvt{query}")).body)[0].features.len()
    };
    assert_eq!((size("?properties=kind&x=b"), size("?properties=kind%26x%3Db")), (2, 3));
    server.get("/tiles/p/9/253/168.mvt?datetime=soon").is_problem(400, "soon");
    server.get("/tiles/p/9/253/168.mvt?n=many").is_problem(400, "whole number");
    server.get("/tiles/p.json?n=many").is_problem(400, "whole number");
    let json = server.get("/tiles/p.json?kind=hut").json();
    assert!(json["tiles"][0].as_str().unwrap().ends_with(".mvt?kind=hut"), "{json}");
}

#[test]
fn tilejson_says_what_there_is() {
    let server = world().serve_with_world();
    let one = server.get("/tiles/huts.json").json();
    assert_eq!((&one["tilejson"], &one["attribution"]), (&"3.0.0".into(), &"The hut club".into()));
    assert_eq!(one["bounds"], serde_json::json!([-3.06, 54.44, -3.05, 54.45]));
    let address = one["tiles"][0].as_str().unwrap();
    assert!(
        address.starts_with("http://127.0.0.1:") && address.ends_with("/tiles/huts/{z}/{x}/{y}.mvt"),
        "{address}"
    );
    let both = server.get("/tiles/huts,many.json").json();
    let ids: Vec<_> = both["vector_layers"].as_array().unwrap().iter().map(|layer| &layer["id"]).collect();
    assert_eq!(ids, ["huts", "many"]);
    let tile = server.get("/tiles/huts,many/6/31/20.mvt").body;
    let names: Vec<_> = mvt::read(&tile).into_iter().map(|layer| layer.name).collect();
    assert_eq!(names, ["huts", "many"]);
}

#[test]
fn a_feature_of_a_tile_is_found_by_its_tile_id() {
    let server = world().serve_with_world();
    for feature in &mvt::read(&server.get("/tiles/huts/9/251/163.mvt").body)[0].features {
        let found = server.get(&format!("/tiles/huts/features/{}.json", feature.id));
        assert_eq!(found.header("content-type"), Some("application/geo+json"));
        let found = found.json();
        let mvt::Value::Text(name) = &feature.properties["name"] else { unreachable!("a name") };
        assert_eq!(found["properties"]["name"], *name);
        let href = found["links"][0]["href"].as_str().unwrap();
        assert_eq!(found["links"][0]["rel"], "canonical");
        assert_eq!(server.get(&href[href.find("/ogc").unwrap()..]).json()["properties"], found["properties"]);
    }
    server.get("/tiles/huts/features/12345.json").is_problem(404, "nothing");
    // Ids of the file are the ids in tiles.
    assert_eq!(server.get("/tiles/huts/features/2.json").json()["properties"]["name"], "Low hut");
}

#[test]
fn a_row_far_away_that_takes_an_id_changes_the_kept_tile() {
    // Two names with the same 28 bits: one chance in 2^28 for two, and some for one pair of 60,000.
    let mut seen = std::collections::HashMap::new();
    let bits = |name: &str| {
        let hash = blake3::hash(&RowId::from_public(name).0.to_be_bytes());
        u32::from_le_bytes(hash.as_bytes()[..4].try_into().unwrap()) & 0x0FFF_FFFF
    };
    let (one, two) = (0..)
        .map(|n| format!("h{n}"))
        .find_map(|name| Some((seen.insert(bits(&name), name.clone())?, name)))
        .unwrap();
    let id = u64::from(bits(&one));
    let (first, later) =
        if RowId::from_public(&one) < RowId::from_public(&two) { (one, two) } else { (two, one) };
    let world = World::new();
    let mut by_id = options("p");
    by_id.id = Some("key".into());
    world.import("p.csv", format!("key,lon,lat\n{later},-1.5,52.3\n"), &by_id).unwrap();
    let server = world.serve();
    let (near, far) = ("/tiles/p/9/253/168.mvt", "/tiles/p/9/260/168.mvt");
    let ids = |path: &str| -> Vec<u64> {
        mvt::read(&server.get(path).body)
            .iter()
            .flat_map(|layer| &layer.features)
            .map(|feature| feature.id)
            .collect()
    };
    let key_of =
        |id: u64| server.get(&format!("/tiles/p/features/{id}.json")).json()["properties"]["key"].clone();
    assert_eq!((ids(near), ids(far), key_of(id)), (vec![id], vec![], later.as_str().into()));
    world.import("q.csv", format!("key,lon,lat\n{first},3.2,52.3\n"), &by_id).unwrap();
    assert!(server.app.gate.refresh().unwrap());
    let next = (id + 1) & 0x0FFF_FFFF;
    assert_eq!((ids(near), ids(far)), (vec![next], vec![id]));
    assert_eq!((key_of(id), key_of(next)), (first.as_str().into(), later.as_str().into()));
}

#[test]
fn search_finds_names_codes_and_grid_references() {
    let world = World::new();
    let stations = "crs,name,lon,lat,country,force\nPMH,Portsmouth Harbour,-1.108,50.797,england,hampshire\nPMS,Portsmouth & Southsea,-1.091,50.798,england,hampshire\nWAT,Waterloo,-0.113,51.503,england,metropolitan\nNWM,New Mills Central,-2.005,53.365,england,derbyshire\nPPP,Ty\u{302}-du,-3.0,51.6,wales,gwent\n";
    world.import("s.csv", stations, &options("stations")).unwrap();
    world
        .import(
            "t.csv",
            "lon,lat,name,population\n-1.09,50.8,Portsmouth,208100\n-2.0,53.7,Portsmouth,1200\n",
            &options("towns-of-mine"),
        )
        .unwrap();
    let server = world.serve();
    let labels = |q: &str| -> Vec<String> {
        let found = server.get(&format!("/api/search?q={q}")).json();
        let text = |one: &serde_json::Value| one["label"].as_str().unwrap().to_owned();
        found["results"].as_array().unwrap().iter().map(text).collect()
    };
    // Exact names first, the larger one before the smaller, then beginnings, then words.
    assert_eq!(
        labels("portsmouth"),
        ["Portsmouth", "Portsmouth", "Portsmouth Harbour", "Portsmouth & Southsea"]
    );
    let first = server.get("/api/search?q=portsmouth&limit=1").json();
    assert_eq!((&first["results"][0]["lat"], first["results"].as_array().unwrap().len()), (&50.8.into(), 1));
    assert_eq!(labels("pms"), ["Portsmouth & Southsea"]);
    assert_eq!(labels("southsea"), ["Portsmouth & Southsea"]);
    assert_eq!(labels("portsmouth%20and%20south"), ["Portsmouth & Southsea"]);
    assert_eq!(labels("portsmuoth%20harbour"), ["Portsmouth Harbour"]);
    assert_eq!(labels("watrloo"), ["Waterloo"]);
    assert_eq!(labels("ty-du"), ["Ty\u{302}-du"]);
    world
        .import("w.csv", "lon,lat,name,population\n-1.0,50.9,Waterlooville,64350\n", &options("more"))
        .unwrap();
    let later = world.serve();
    let found = later.get("/api/search?q=waterloo").json();
    assert_eq!(
        (&found["results"][0]["label"], &found["results"][1]["label"]),
        (&"Waterloo".into(), &"Waterlooville".into())
    );
    assert!(labels("zzzz").is_empty());
    let grid = server.get("/api/search?q=TQ%20299%20804").json();
    let square = &grid["results"][0];
    assert_eq!((&square["kind"], &square["label"]), (&"grid-reference".into(), &"TQ 299 804".into()));
    // Charing Cross, 51.508 N 0.128 W, lies in that square.
    assert!(
        (square["lon"].as_f64().unwrap() + 0.128).abs() < 0.002
            && (square["lat"].as_f64().unwrap() - 51.508).abs() < 0.002
    );
    server.get("/api/search").is_problem(400, "q=Portsmouth");
    server.get(&format!("/api/search?q={}", "x".repeat(101))).is_problem(400, "100");
    server.get("/api/search?q=a&limit=0").is_problem(400, "limit");
    server.get("/api/search?query=a").is_problem(400, "query");
}

#[test]
fn pages_of_other_origins_may_read_what_anyone_gets() {
    let world = world();
    world.import("n.csv", "lon,lat,name\n-1,52,x\n", &own_layer("notes")).unwrap();
    let server = world.serve();
    let allowed = |path: &str, cookie: Option<&str>| {
        let mut headers = vec![("Origin", "https://elsewhere.example")];
        headers.extend(cookie.map(|cookie| ("Cookie", cookie)));
        let reply = server.ask("GET", path, &headers);
        assert!(reply.header("vary").unwrap().contains("origin"), "{path}");
        reply.header("access-control-allow-origin").map(str::to_owned)
    };
    let any = Some("*".to_owned());
    for (path, status) in [
        ("/ogc/collections/huts/items", 200),
        ("/ogc/collections/huts/items?limit=x", 400),
        ("/ogc/collections/none/items", 404),
        ("/nothing", 404),
        ("/tiles/huts/9/251/163.mvt", 200),
        ("/tiles/huts/5/32/16.mvt", 404),
        ("/tiles/huts,many.json", 200),
        ("/ogc", 200),
        ("/ogc/conformance", 200),
        ("/readyz", 200),
    ] {
        assert_eq!(server.get(path).status, status, "{path}");
        assert_eq!(allowed(path, None), any, "{path}");
    }
    // What the national analyst alone gets, and what speaks of it, pages of another origin cannot read.
    for path in [
        "/ogc/collections/notes",
        "/ogc/collections/notes/items?limit=x",
        "/ogc/collections/notes/items/none",
        "/ogc/collections",
        "/tiles/notes.json",
        "/tiles/huts,notes.json",
        "/tiles/huts,notes/0/0/0.mvt",
        "/api/search?q=x",
        "/api/session",
    ] {
        assert_eq!(allowed(path, None), None, "{path}");
        let public = Some("throughline-role=public");
        assert_eq!(allowed(path, public), any, "{path}");
    }
    let long = format!("/ogc?x={}", "x".repeat(9_000));
    assert_eq!(server.ask("GET", &long, &[("Origin", "https://elsewhere.example")]).status, 414);
    assert_eq!(
        server
            .ask("GET", &long, &[("Origin", "https://elsewhere.example")])
            .header("access-control-allow-origin"),
        Some("*")
    );
    assert_eq!(server.get("/ogc").header("access-control-allow-origin"), None, "no page asked");
}

#[test]
fn pages_are_told_beforehand_which_headers_they_may_send() {
    let server = world().serve_with_world();
    for path in
        ["/tiles/huts/9/251/163.mvt", "/tiles/huts.json", "/ogc/collections/huts/items", "/api/session"]
    {
        let reply = server.ask(
            "OPTIONS",
            path,
            &[
                ("Origin", "http://localhost:3000"),
                ("Access-Control-Request-Method", "GET"),
                ("Access-Control-Request-Headers", "if-none-match, x-requested-with"),
            ],
        );
        assert_eq!((reply.status, reply.header("access-control-allow-origin")), (204, Some("*")), "{path}");
        assert_eq!(reply.header("access-control-allow-methods"), Some("GET, HEAD, OPTIONS"));
        let allowed: Vec<&str> = reply.header("access-control-allow-headers").unwrap().split(", ").collect();
        for name in ["accept", "content-type", "if-none-match", "range", "x-requested-with"] {
            assert!(allowed.contains(&name), "{name}: {allowed:?}");
        }
        assert!(!allowed.contains(&"cookie") && !allowed.contains(&"authorization"));
        assert_eq!(reply.header("access-control-max-age"), Some("86400"));
    }
}

#[test]
fn the_page_loads_nothing_from_elsewhere() {
    let server = world().serve_with_world();
    let page = server.get("/");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    let html = String::from_utf8(page.body).unwrap();
    assert!(html.contains("Throughline") && !html.contains("style=\""), "{html}");
    for name in html.split("./assets/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        for (accept, encoding) in [("identity", None), ("gzip", Some("gzip")), ("gzip, br, zstd", Some("br"))]
        {
            let file = server.ask("GET", &format!("/assets/{name}"), &[("Accept-Encoding", accept)]);
            assert_eq!(file.status, 200, "{name}");
            assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"));
            if !name.contains(".woff") && file.body.len() > 1_000 {
                assert_eq!(file.header("content-encoding"), encoding, "{name}");
            }
        }
    }
    server.get("/assets/none.js").is_problem(404, "nothing");
    server.get("/assets/..%2Findex.html").is_problem(404, "nothing");
}

#[test]
fn session_says_who_asks_and_how_it_is_marked() {
    let world = world();
    let mut secret = own_layer("notes");
    secret.provenance.marking = "OFFICIAL-SENSITIVE".into();
    secret.provenance.sensitivity = throughline::model::Sensitivity::Restricted;
    world.import("n.csv", "lon,lat,name\n-1,52,x\n", &secret).unwrap();
    let server = world.serve();
    let mine = server.get("/api/session").json();
    assert_eq!(mine["marking"], "OFFICIAL-SENSITIVE · SYNTHETIC DATA");
    assert_eq!((&mine["role"], &mine["synthetic"]), (&"national-analyst".into(), &true.into()));
    let theirs = server.ask("GET", "/api/session", &[("Cookie", "throughline-role=public")]).json();
    assert_eq!(
        (&theirs["marking"], &theirs["role"]),
        (&"OFFICIAL · SYNTHETIC DATA".into(), &"public".into())
    );
}

#[test]
fn ten_thousand_random_addresses_and_no_fault_of_ours() {
    let server = world().serve_with_world();
    let mut numbers = Numbers(99);
    let mut kinds = Numbers(98);
    let mut pick = |list: &[&str]| list[(numbers.next() % list.len() as u64) as usize].to_owned();
    let mut paths = Vec::new();
    for _ in 0..10_000 {
        let layers = pick(&[
            "huts",
            "many",
            "huts,many",
            "stations",
            "",
            ",",
            "huts,",
            "%00",
            "%2e%2e",
            "h%C3%BCts",
            "*",
        ]);
        let z = pick(&["0", "1", "5", "9", "12", "17", "24", "25", "-1", "x", "1e3", "00", "4294967296"]);
        let x = pick(&[
            "0",
            "1",
            "15",
            "31",
            "251",
            "2012",
            "65536",
            "16777215",
            "-0",
            "+1",
            "1.0",
            "",
            "99999999999999999999",
        ]);
        let y = pick(&["0", "1", "10", "20", "163", "1300", "65536", "16777215", "%31", "٣", "NaN"]);
        let y = if y.is_ascii() { y } else { "%D9%A3".to_owned() };
        let query = pick(&[
            "",
            "?",
            "?properties=",
            "?properties=name",
            "?properties=name,,",
            "?properties=%FF",
            "?properties=name&properties=name",
            "?properties=kind,nothing",
            "?q=%F0%9F%9A%82",
            "?q=TQ%201%202",
            "?q=%00",
            "?q=&limit=5",
            "?limit=4294967296&q=hut",
            "?%",
            "?&&&=",
            "?a=b",
        ]);
        // Half of them are at a tile that may be there.
        let good = [
            ["0", "0", "0"],
            ["5", "15", "10"],
            ["9", "251", "163"],
            ["12", "2012", "1307"],
            ["8", "126", "84"],
        ];
        let [z, x, y] = match kinds.next() % 10 {
            at @ 0..5 => good[at as usize].map(str::to_owned),
            _ => [z, x, y],
        };
        let path = match kinds.next() % 8 {
            0 => format!("/tiles/{layers}.json{query}"),
            1 => format!("/api/search{query}"),
            2 => format!("/tiles/{layers}/features/{z}.json{query}"),
            3 => format!("/assets/{layers}{query}"),
            4 => format!("/tiles/{layers}/{z}/{x}/{y}.pbf{query}"),
            _ => format!("/tiles/{layers}/{z}/{x}/{y}.mvt{query}"),
        };
        paths.push(path);
    }
    let replies = server.batch(&paths);
    let mut tiles = 0;
    for (path, reply) in paths.iter().zip(&replies) {
        assert!(reply.status < 500, "{path}: {}", reply.status);
        match reply.status {
            200 if path.contains(".mvt") => {
                tiles += 1;
                mvt::read(&reply.body);
            }
            200 | 204 => {}
            _ => assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{path}"),
        }
    }
    assert!(tiles > 50, "{tiles} of them are tiles");
}

/// A world with its server, so that the store lives as long.
struct WithWorld {
    server: Server,
    _world: World,
}

impl std::ops::Deref for WithWorld {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl World {
    fn serve_with_world(self) -> WithWorld {
        WithWorld { server: self.serve(), _world: self }
    }
}
