//! Flows against brute force over the items of the same server, and what marks invented rows on every way out.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use throughline::demo::SEED;
use throughline::demo::Settings;

use crate::fixtures::Server;
use crate::fixtures::World;
use crate::fixtures::options;
use crate::fixtures::write_demo;

struct Demo {
    world: World,
    server: Server,
}

/// The national set, made once.
fn demo() -> &'static Demo {
    static DEMO: OnceLock<Demo> = OnceLock::new();
    DEMO.get_or_init(|| {
        let world = World::new();
        write_demo(world.store.path(), Settings { seed: SEED, scale: 1.0 }).unwrap();
        let server = world.serve();
        Demo { world, server }
    })
}

/// Every feature of a collection.
fn features(collection: &str, question: &str) -> Vec<Value> {
    let mut path = Some(format!("/ogc/collections/{collection}/items?limit=10000{question}"));
    let mut out = Vec::new();
    while let Some(now) = path {
        let reply = demo().server.get(&now);
        assert_eq!(reply.status, 200, "{now}");
        out.extend(reply.json()["features"].as_array().unwrap().iter().cloned());
        path = reply.next();
    }
    out
}

fn word(feature: &Value, name: &str) -> String {
    feature["properties"][name].as_str().unwrap_or_default().to_owned()
}

/// What an end of a link is called.
type Name<'a> = &'a dyn Fn(&Value) -> String;

/// Lines by pair of ends, from the items of the links that ran on a day.
fn by_hand(
    day: &str,
    origin: &dyn Fn(&Value) -> String,
    destination: &dyn Fn(&Value) -> String,
) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut pairs: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for leg in features("legs", &format!("&datetime={day}")) {
        pairs.entry((origin(&leg), destination(&leg))).or_default().insert(word(&leg, "line"));
    }
    pairs
}

/// The same from an answer.
fn answered(answer: &Value) -> BTreeMap<(String, String), u64> {
    let place =
        |index: &Value| answer["places"][index.as_u64().unwrap() as usize]["id"].as_str().unwrap().to_owned();
    let flows = answer["flows"].as_array().unwrap().iter();
    flows
        .map(|flow| ((place(&flow["origin"]), place(&flow["destination"])), flow["lines"].as_u64().unwrap()))
        .collect()
}

#[test]
fn flows_are_what_adding_up_the_links_gives() {
    let hubs: BTreeMap<String, Value> =
        features("hubs", "").into_iter().map(|hub| (word(&hub, "id"), hub)).collect();
    let area = |leg: &Value| {
        let hub = &hubs[&word(leg, "hub")];
        if word(hub, "area") == word(hub, "name") { word(hub, "id") } else { word(hub, "force") }
    };
    let town = |leg: &Value| word(leg, "town");
    for day in ["2024-04-30", "2021-06-18"] {
        let ways: [(&str, Name, Name); 3] = [
            ("place", &|leg| word(leg, "hub"), &town),
            ("area", &area, &town),
            ("force", &|leg| word(leg, "exporting_force"), &|leg| word(leg, "importing_force")),
        ];
        for (level, origin, destination) in ways {
            let expected: BTreeMap<(String, String), u64> = by_hand(day, origin, destination)
                .into_iter()
                .map(|(pair, lines)| (pair, lines.len() as u64))
                .collect();
            let answer =
                demo().server.get(&format!("/api/flows?level={level}&datetime={day}&limit=10000")).json();
            assert_eq!(answered(&answer), expected, "{level} {day}");
            assert_eq!(answer["totals"], answer["shown"]);
            let counts: Vec<u64> = answer["flows"]
                .as_array()
                .unwrap()
                .iter()
                .map(|flow| flow["lines"].as_u64().unwrap())
                .collect();
            assert!(counts.is_sorted_by(|a, b| a >= b), "the strongest come first");
        }
    }
}

#[test]
fn portsmouth_is_fed_by_twenty_lines_and_northamptonshire_by_thirty_eight() {
    let answer =
        |question: &str| demo().server.get(&format!("/api/flows?datetime=2024-04-30{question}")).json();
    assert_eq!(answer("&to=towns:portsmouth")["totals"]["lines"], 20);
    assert_eq!(answer("&to=forces:northamptonshire")["totals"]["lines"], 38);
    // By area or hub by hub: the same lines.
    assert_eq!(answer("&to=towns:portsmouth&level=place")["totals"]["lines"], 20);
    let all = answer("&limit=10000&level=place");
    let from_london = answer("&limit=10000&level=place&from=regions:london");
    let london: u64 = from_london["flows"].as_array().unwrap().len() as u64;
    assert!(london > 50 && london < all["flows"].as_array().unwrap().len() as u64);
    for place in from_london["places"].as_array().unwrap() {
        assert!(place["kind"] == "destination" || place["region"] == "london");
    }
    // A list cut short still tells the whole.
    let few = answer("&limit=5");
    assert_eq!(few["flows"].as_array().unwrap().len(), 5);
    assert_eq!(few["totals"], answer("&limit=10000")["totals"]);
    assert!(few["shown"]["lines"].as_u64() < few["totals"]["lines"].as_u64());
}

#[test]
fn wrong_questions_are_told_what_would_be_right() {
    let ask = |question: &str| demo().server.get(&format!("/api/flows?{question}"));
    ask("level=county").is_problem(400, "force");
    ask("level=place&zoom=5").is_problem(400, "level=auto");
    ask("zoom=25").is_problem(400, "0 to 24");
    ask("zoom=-1").is_problem(400, "0 to 24");
    ask("from=liverpool").is_problem(400, "collection:id");
    ask("from=towns:portsmouth").is_problem(400, "hubs:liverpool");
    ask("to=towns:nowhere").is_problem(400, "towns:portsmouth");
    // A force without a hub is there, and sends nothing out.
    assert_eq!(ask("from=forces:norfolk").json()["totals"]["flows"], 0);
    ask("from=forces:nowhere").is_problem(400, "forces");
    ask("datetime=yesterday").is_problem(400, "datetime");
    ask("limit=0").is_problem(400, "limit");
    ask("colour=red").is_problem(400, "colour");
    assert_eq!(ask("zoom=7").json()["levels"]["origin"], "area");
    assert_eq!(ask("zoom=8").json()["levels"]["origin"], "place");
    // Without links there are no flows: nothing says whether there might be.
    let bare = World::new();
    assert_eq!(bare.serve().get("/api/flows").status, 404);
}

#[test]
fn invented_rows_say_so_on_every_way_out() {
    let server = demo().world.serve_all();
    let session = server.get("/api/session").json();
    assert_eq!(session["marking"], "OFFICIAL-SENSITIVE · SYNTHETIC DATA");
    assert_eq!(session["reference_date"], "2024-04-30");
    let tiles = server.get("/tiles/addresses.json").json();
    assert_eq!((&tiles["synthetic"], &tiles["maxzoom"]), (&Value::Bool(true), &Value::from(13)));
    assert!(tiles["description"].as_str().unwrap().contains("SYNTHETIC"));
    assert_eq!(server.get("/tiles/stations.json").json()["synthetic"], Value::Null);
    // Near Portsmouth there are addresses; closer than zoom 13 there is no tile, alone or with others.
    assert_eq!(server.get("/tiles/addresses/13/4071/2748.mvt").status, 200);
    for path in ["/tiles/addresses/14/8142/5496.mvt", "/tiles/stations,addresses/14/8142/5496.mvt"] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    assert!(server.get("/tiles/stations/14/8142/5496.mvt").status < 300);
    let listed = server.get("/ogc/collections/addresses").json();
    assert_eq!((&listed["synthetic"], &listed["maxZoom"]), (&Value::Bool(true), &Value::from(13)));
    let page = server.get("/ogc/collections/lines/items?limit=3");
    assert_eq!(page.header("content-disposition"), Some("inline; filename=\"lines-SYNTHETIC.geojson\""));
    assert_eq!(page.json()["synthetic"], true);
    assert!(page.json()["features"][0]["properties"]["synthetic"] == true);
    assert_eq!(server.get("/ogc/collections/stations/items").header("content-disposition"), None);

    let folder = demo().world.folder.path();
    let export = |file: &str| {
        let done = Command::new(env!("CARGO_BIN_EXE_throughline"))
            .args(["export", demo().world.store.path().to_str().unwrap(), "lines", file])
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        (String::from_utf8(done.stdout).unwrap(), std::fs::read(folder.join(file)).unwrap())
    };
    let (said, geojson) = export("lines.geojson");
    assert!(said.contains("lines-SYNTHETIC"), "{said}");
    let geojson: Value = serde_json::from_slice(&geojson).unwrap();
    assert_eq!(
        (&geojson["synthetic"], geojson["marking"].as_str()),
        (&Value::Bool(true), Some("OFFICIAL-SENSITIVE"))
    );
    let (said, csv) = export("lines-synthetic.csv");
    assert!(!said.contains("They are invented"), "{said}");
    let csv = String::from_utf8(csv).unwrap();
    assert!(
        csv.lines().next().unwrap().contains("synthetic")
            && csv.lines().skip(1).all(|line| line.ends_with("true"))
    );
    let (_, gpkg) = export("lines-synthetic.gpkg");
    assert!(gpkg.windows(9).any(|window| window == b"SYNTHETIC"));
}

/// Hubs, towns and legs of our own; two hubs and a town have no force, one hub has no name.
fn of_our_own() -> World {
    let world = World::new();
    let hubs = "id,name,lon,lat,force,region,area,population\n\
        north,North End,-0.1,51.55,met,london,London,100000\nsouth,South End,-0.1,51.45,met,london,London,\n\
        quay,,-2.98,53.41,mersey,north-west,,\nplain,Plain,-1.15,52.95,,,,50000\nbare,Bare,-1.2,52.9,,,Bareland,50000\n";
    let towns = "id,name,lon,lat,force,region\nbay,Bay,-1.09,50.8,hampshire,south-east\nhill,Hill,-3.2,51.6,,\nflat,Flat,,,met,london\n";
    world.import("hubs.csv", hubs, &options("hubs")).unwrap();
    world.import("towns.csv", towns, &options("towns")).unwrap();
    let forces = "id,name,region\nmet,Metropolitan,london\nmersey,Merseyside,north-west\nhampshire,Hampshire,south-east\n";
    world.import("forces.csv", forces, &options("forces")).unwrap();
    let regions = "id,name\nlondon,London\nnorth-west,North West\nsouth-east,South East\n";
    world.import("regions.csv", regions, &options("regions")).unwrap();
    let legs = "line,hub,town,trips_per_week,rail_minutes,active_from,active_to\n\
        a,north,bay,2,90,2023-01-01,\nb,north,bay,0.5,,2023-01-01,\nc,north,bay,1,,2023-01-01,\nd,south,bay,,70,2023-01-01,\n\
        e,quay,hill,,,2023-01-01,\n,plain,hill,1,10,2023-01-01,\nf,bare,hill,0,0,2023-01-01,\n\
        g,north,nowhere,1,1,2023-01-01,\nh,nowhere,bay,1,1,2023-01-01,\ni,,bay,1,1,2023-01-01,\nj,quay,flat,1,1,2023-01-01,2023-01-31\n";
    let mut synthetic = options("legs");
    synthetic.provenance.synthetic = true;
    assert_eq!(world.import("legs.csv", legs, &synthetic).unwrap().rejected, 0);
    world
}

#[test]
fn what_is_not_known_is_not_nothing() {
    let server = of_our_own().serve();
    let ask = |question: &str| server.get(&format!("/api/flows?{question}")).json();
    for level in ["place", "area", "force", "region"] {
        let answer = ask(&format!("level={level}"));
        // Seven legs with both ends, of six lines; journeys of five are known: 2 + 0.5 + 1 + 1 + 0.
        let totals = serde_json::json!({"flows": answer["flows"].as_array().unwrap().len(), "legs": 7, "lines": 6, "trips_per_week": 4.5});
        assert_eq!((&answer["totals"], &answer["shown"]), (&totals, &totals), "{level}");
        assert_eq!(
            (&answer["legs_without_ends"], &answer["n_records"]),
            (&Value::from(4), &Value::from(7)),
            "{level}"
        );
        for place in answer["places"].as_array().unwrap() {
            assert!(!place["label"].as_str().unwrap().is_empty() && place["id"] != "", "{place}");
        }
    }
    let of = |answer: &Value, label: &str| {
        let named = |end: &Value| answer["places"][end.as_u64().unwrap() as usize]["label"] == label;
        answer["flows"].as_array().unwrap().iter().find(|flow| named(&flow["origin"])).unwrap().clone()
    };
    let places = ask("level=place");
    // Of three legs one knows its minutes: 90 and not 0.
    assert_eq!(of(&places, "North End")["minutes"], 90);
    assert_eq!(
        (&of(&places, "South End")["minutes"], &of(&places, "South End")["trips_per_week"]),
        (&Value::from(70), &Value::Null)
    );
    // The hub without a name, whose leg knows neither; a leg without a line is a leg and no line.
    let quay = of(&places, "not known");
    assert_eq!(
        (&quay["minutes"], &quay["trips_per_week"], &quay["lines"]),
        (&Value::Null, &Value::Null, &Value::from(1))
    );
    assert_eq!(
        (&of(&places, "Plain")["lines"], &of(&places, "Plain")["legs"]),
        (&Value::from(0), &Value::from(1))
    );
    // Nought is a value.
    assert_eq!(
        (&of(&places, "Bare")["minutes"], &of(&places, "Bare")["trips_per_week"]),
        (&Value::from(0), &Value::from(0.0))
    );
    let forces = ask("level=force");
    let unknown: Vec<&Value> =
        forces["places"].as_array().unwrap().iter().filter(|place| place["label"] == "not known").collect();
    assert!(unknown.len() == 2 && unknown.iter().all(|place| place["id"].is_null()), "{unknown:?}");
    // Where no population is known for one, the middle is that of the places alone.
    let london = ask("level=area");
    let london =
        london["places"].as_array().unwrap().iter().find(|place| place["label"] == "London").unwrap();
    assert_eq!(london["lat"], 51.5);
    // What is asked of one end counts the legs that have this one and lack the other.
    for (question, legs, without) in [
        ("from=hubs:north", 3, 1),
        ("to=towns:bay", 4, 2),
        ("from=hubs:north&to=towns:bay", 3, 0),
        ("from=hubs:quay&datetime=2023-02-01/..", 1, 0),
        ("datetime=2023-02-01/..", 7, 3),
    ] {
        let answer = ask(question);
        assert_eq!(
            (&answer["totals"]["legs"], &answer["legs_without_ends"]),
            (&Value::from(legs), &Value::from(without)),
            "{question}"
        );
    }
    let none = ask("from=hubs:bare&datetime=1990-01-01");
    assert_eq!(none["totals"], serde_json::json!({"flows": 0, "legs": 0, "lines": 0, "trips_per_week": 0.0}));
}
