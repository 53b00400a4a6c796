//! Each role in two worlds that differ only in rows it may not see: every route gives it byte-equal answers; and whoever
//! may see the rows sees a difference.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write;

use serde_json::json;
use throughline::access::Principal;
use throughline::http::routes::ROUTES;
use throughline::import::ImportOptions;
use throughline::model::Provenance;
use throughline::model::RowId;
use throughline::model::Sensitivity;

use crate::fixtures::Numbers;
use crate::fixtures::Reply;
use crate::fixtures::Server;
use crate::fixtures::World;
use crate::fixtures::open_layer;
use crate::fixtures::options;
use crate::fixtures::own_layer;
use crate::generator::Subject;
use crate::generator::requests;

/// A set of rows of the register, and who may see them by table 3.2 of the specification.
struct Rows {
    /// Rows of these collections have ids that begin with it.
    name: &'static str,
    add: fn(&World, &str),
    seen_by: &'static [&'static str],
}

const KENT: &str = "force-analyst:kent";
const KENT_REASON: &str = "force-analyst:kent with a reason";
const ESSEX: &str = "force-analyst:essex";
const SOUTH_EAST: &str = "regional-analyst:south-east";
const SOUTH_EAST_REASON: &str = "regional-analyst:south-east with a reason";
const NATION: &str = "national-analyst";
const NATION_REASON: &str = "national-analyst with a reason";
const BTP: &str = "btp-planner";
const BTP_REASON: &str = "btp-planner with a reason";

const PLAYED: &[&str] = &[
    "public",
    "partner:E06000044",
    KENT,
    KENT_REASON,
    ESSEX,
    SOUTH_EAST,
    SOUTH_EAST_REASON,
    NATION,
    NATION_REASON,
    BTP,
    BTP_REASON,
    "admin",
    "auditor",
];

const SETS: &[Rows] = &[
    Rows {
        name: "rail-to-kent",
        add: |world, name| line(world, name, "essex", "kent", "rail"),
        seen_by: &[
            KENT,
            KENT_REASON,
            ESSEX,
            SOUTH_EAST,
            SOUTH_EAST_REASON,
            NATION,
            NATION_REASON,
            BTP,
            BTP_REASON,
        ],
    },
    Rows {
        name: "road-to-kent",
        add: |world, name| line(world, name, "essex", "kent", "road"),
        seen_by: &[KENT, KENT_REASON, ESSEX, SOUTH_EAST, SOUTH_EAST_REASON, NATION, NATION_REASON],
    },
    Rows {
        name: "road-in-essex",
        add: |world, name| line(world, name, "essex", "essex", "road"),
        seen_by: &[ESSEX, NATION, NATION_REASON],
    },
    // One more leg of lines that are there without it.
    Rows {
        name: "leg-to-essex",
        add: further_legs,
        seen_by: &[KENT, KENT_REASON, ESSEX, SOUTH_EAST, SOUTH_EAST_REASON, NATION, NATION_REASON],
    },
    Rows {
        name: "home-in-kent",
        add: |world, name| home(world, name, "kent"),
        seen_by: &[KENT_REASON, SOUTH_EAST_REASON],
    },
    Rows { name: "home-in-essex", add: |world, name| home(world, name, "essex"), seen_by: &[] },
    Rows {
        name: "seen-on-the-railway",
        add: |world, name| sighting(world, name, "btp"),
        seen_by: &[NATION_REASON, BTP, BTP_REASON],
    },
    Rows {
        name: "seen-in-kent",
        add: |world, name| sighting(world, name, "kent"),
        seen_by: &[KENT, KENT_REASON, SOUTH_EAST, SOUTH_EAST_REASON, NATION_REASON],
    },
    Rows {
        name: "number-of-kent",
        add: number,
        seen_by: &[KENT, KENT_REASON, SOUTH_EAST, SOUTH_EAST_REASON, NATION, NATION_REASON],
    },
];

/// Options of restricted rows that a force holds.
fn of_owner(into: &str, owner: &str) -> ImportOptions {
    let provenance = Provenance {
        sensitivity: Sensitivity::Restricted,
        marking: "OFFICIAL-SENSITIVE".to_owned(),
        synthetic: true,
        ..Provenance::open(owner)
    };
    ImportOptions { provenance, ..options(into) }
}

pub fn held(world: &World, into: &str, owner: &str, features: &[serde_json::Value]) {
    let about = of_owner(into, owner);
    let file = json!({ "type": "FeatureCollection", "features": features });
    let report = world.import(&format!("{into}-{owner}.geojson"), file.to_string(), &about).unwrap();
    assert_eq!(report.accepted, features.len() as u64, "{into}: {:?}", report.rows);
}

/// A few rows of a set, near one another and near those that are always there.
fn each(name: &str, make: impl Fn(usize, String, f64) -> serde_json::Value) -> Vec<serde_json::Value> {
    (0..4).map(|number| make(number, format!("{name}-{number}"), -1.0 + number as f64 * 0.003)).collect()
}

fn line(world: &World, name: &str, exporting: &str, importing: &str, mode: &str) {
    branded(world, name, &format!("Brand {name}"), exporting, importing, mode);
}

fn branded(world: &World, name: &str, brand: &str, exporting: &str, importing: &str, mode: &str) {
    let lines = each(name, |number, id, _| {
        json!({ "type": "Feature", "id": id, "geometry": null, "properties": {
            "brand": brand, "status": "active", "hub": "liverpool",
            "exporting_force": exporting, "first_seen": "2024-01-02", "confidence": number as f64 / 7.0,
        }})
    });
    held(world, "lines", exporting, &lines);
    let legs = each(name, |number, id, lon| {
        // One of them goes far away: it would show in extents.
        let end = if name == "road-in-essex" { [-7.5, 57.9] } else { [lon + 0.5, 51.3] };
        // A line is named by its id here or by the one that it came with.
        let line = if number == 0 { RowId::from_public(&id).to_string() } else { id.clone() };
        json!({ "type": "Feature", "id": format!("{id}-leg"),
            "geometry": { "type": "LineString", "coordinates": [[lon, 52.0], end] },
            "properties": { "line": line, "hub": "liverpool", "town": "portsmouth", "exporting_force": exporting,
                "importing_force": importing, "mode": mode, "trips_per_week": 1.5 + number as f64,
                "active_from": "2024-01-02" } })
    });
    held(world, "legs", exporting, &legs);
}

/// By road to Essex, of the lines of Kent that are in every world.
fn further_legs(world: &World, name: &str) {
    let legs = each(name, |number, id, lon| {
        json!({ "type": "Feature", "id": format!("{id}-leg"),
            "geometry": { "type": "LineString", "coordinates": [[lon, 52.0], [lon + 0.4, 51.6]] },
            "properties": { "line": format!("always-{number}"), "hub": "liverpool", "town": "portsmouth",
                "exporting_force": "kent", "importing_force": "essex", "mode": "road", "trips_per_week": 0.5,
                "active_from": "2024-01-02" } })
    });
    held(world, "legs", "kent", &legs);
}

fn home(world: &World, name: &str, force: &str) {
    let homes = each(name, |number, id, lon| {
        json!({ "type": "Feature", "id": id, "geometry": { "type": "Point", "coordinates": [lon, 52.0] },
            "properties": { "address": format!("{number} {name} Street"), "kind": "flat", "status": "confirmed",
                "force": force, "vulnerability": "X", "visits": number, "first_seen": "2024-03-04" } })
    });
    held(world, "addresses", force, &homes);
}

fn sighting(world: &World, name: &str, force: &str) {
    let seen = each(name, |number, id, lon| {
        json!({ "type": "Feature", "id": id, "geometry": { "type": "Point", "coordinates": [lon, 51.9] },
            "properties": { "kind": "report", "starts": "2024-03-04T10:00:00Z", "ends": "2024-03-04T11:00:00Z",
                "force": force, "persons": number, "age_band": "12-17" } })
    });
    held(world, "sightings", force, &seen);
}

fn number(world: &World, name: &str) {
    let numbers = each(name, |number, id, _| {
        json!({ "type": "Feature", "id": id, "geometry": null, "properties": {
            "token": format!("token-{name}-{number}"), "last_digits": format!("{number:03}"), "network": "N" } })
    });
    held(world, "numbers", "kent", &numbers);
}

/// Rows that are always there: reference facts, and rows of the register for each of those who see any.
fn world(sets: &[&Rows]) -> World {
    let world = World::new();
    // Those that may be hidden come first, so that order of arrival cannot show either.
    for set in sets {
        (set.add)(&world, set.name);
    }
    let forces: Vec<serde_json::Value> = [("kent", "south-east"), ("essex", "eastern"), ("btp", "")]
        .iter()
        .zip([0.0, 1.0, 2.0])
        .map(|((id, region), lon)| {
            let ring = [[lon, 50.0], [lon + 1.0, 50.0], [lon + 1.0, 51.0], [lon, 51.0], [lon, 50.0]];
            json!({ "type": "Feature", "id": id, "geometry": { "type": "Polygon", "coordinates": [ring] },
                "properties": { "id": id, "name": id.to_uppercase(), "region": region, "territorial": true } })
        })
        .collect();
    let file = json!({ "type": "FeatureCollection", "features": forces });
    world.import("forces.geojson", file.to_string(), &options("forces")).unwrap();
    let hub = "id,name,lon,lat,force,region,area\nliverpool,Liverpool,-2.98,53.41,merseyside,north-west,Merseyside\n";
    world.import("hubs.csv", hub, &options("hubs")).unwrap();
    let town =
        "id,name,lon,lat,county,force,region\nportsmouth,Portsmouth,-1.09,50.8,Hampshire,kent,south-east\n";
    world.import("towns.csv", town, &options("towns")).unwrap();
    for owner in ["kent", "essex", "btp"] {
        sighting_of_all(&world, owner);
    }
    line(&world, "always", "kent", "kent", "rail");
    line(&world, "always-essex", "essex", "essex", "rail");
    world
}

/// As [`world`], with several row groups of each collection of the register.
fn crowded(sets: &[&Rows]) -> World {
    let world = world(sets);
    for owner in ["btp", "essex", "kent"] {
        crowd(&world, owner);
    }
    world
}

/// So many rows of one owner end a row group when the next owner's begin (`snapshot::build`).
const OWNER_ROWS: usize = 4_096;

/// Rows of each collection of the register: enough that those of the next owner stand in another row group. They lie
/// around the rows that are hidden from some, and name one another.
fn crowd(world: &World, owner: &str) {
    let mut numbers = Numbers(owner.len() as u64 + 5);
    let mut places = || {
        let (lon, lat) = (numbers.between(-2.0, 0.0), numbers.between(51.0, 53.0));
        ((lon * 1e4).round() / 1e4, (lat * 1e4).round() / 1e4)
    };
    let rows = if owner == "kent" { 64 } else { OWNER_ROWS };
    let mut tables = [
        ("lines", "ref,brand,status,hub,exporting_force,first_seen\n".to_owned()),
        ("addresses", "ref,lon,lat,kind,status,force,visits,first_seen\n".to_owned()),
        ("sightings", "ref,lon,lat,kind,starts,ends,force,persons,age_band\n".to_owned()),
        ("numbers", "ref,token,last_digits,network\n".to_owned()),
    ];
    let mut legs = String::new();
    for row in 0..rows {
        let (lon, lat) = places();
        let id = format!("crowd-{owner}-{row}");
        let texts = [
            format!("{id},Crowd {row},active,liverpool,{owner},2024-01-{:02}\n", row % 28 + 1),
            format!("{id},{lon},{lat},flat,confirmed,{owner},{},2024-02-{:02}\n", row % 9, row % 28 + 1),
            format!(
                "{id},{lon},{lat},report,2024-02-03T10:00:00Z,2024-02-03T11:00:00Z,{owner},{},18-24\n",
                row % 5
            ),
            format!("{id},token-{id},{:03},N\n", row % 1_000),
        ];
        for ((_, table), text) in tables.iter_mut().zip(texts) {
            table.push_str(&text);
        }
        let leg = json!({ "type": "Feature", "id": format!("{id}-leg"),
            "geometry": { "type": "LineString", "coordinates": [[lon, lat], [lon + 0.2, lat - 0.1]] },
            "properties": { "line": id, "hub": "liverpool", "town": "portsmouth", "exporting_force": owner,
                "importing_force": owner, "mode": "road", "trips_per_week": 1.0 + (row % 7) as f64,
                "active_from": "2024-01-02" } });
        legs.push_str(&format!("{leg}\n"));
    }
    for (into, table) in tables {
        let mut about = of_owner(into, owner);
        about.id = Some("ref".into());
        let report = world.import(&format!("crowd-{into}-{owner}.csv"), table, &about).unwrap();
        assert_eq!(report.accepted, rows as u64, "{into}: {:?}", report.rows);
    }
    let report =
        world.import(&format!("crowd-legs-{owner}.geojsonl"), legs, &of_owner("legs", owner)).unwrap();
    assert_eq!(report.accepted, rows as u64, "{:?}", report.rows);
}

/// Lines that visible sightings name: which of them are there, and are seen, differs from world to world.
const NAMED: [&str; 4] = ["road-in-essex-0", "road-to-kent-1", "always-0", "none"];

/// Sightings over a wide area, among which hidden ones fall.
fn sighting_of_all(world: &World, owner: &str) {
    let mut numbers = Numbers(owner.len() as u64 + 11);
    let rows: Vec<serde_json::Value> = (0..120)
        .map(|number| {
            let (lon, lat) = (numbers.between(-2.0, 0.0), numbers.between(51.0, 53.0));
            json!({ "type": "Feature", "id": format!("always-{owner}-{number}"),
                "geometry": { "type": "Point", "coordinates": [(lon * 1e5).round() / 1e5, (lat * 1e5).round() / 1e5] },
                "properties": { "kind": "report", "starts": "2024-02-03T10:00:00Z", "ends": "2024-02-03T11:00:00Z",
                    "line": NAMED[number % NAMED.len()], "force": owner, "persons": number % 5, "age_band": "18-24" } })
        })
        .collect();
    held(world, "sightings", owner, &rows);
}

const ABOUT: Subject<'_> = Subject {
    collections: &["sightings", "legs", "lines", "addresses", "numbers", "hubs", "towns", "nothing"],
    ids: &[
        "rail-to-kent-0",
        "rail-to-kent-0-leg",
        "road-in-essex-1",
        "home-in-kent-2",
        "home-in-essex-2",
        "seen-on-the-railway-3",
        "seen-in-kent-3",
        "number-of-kent-0",
        "always-kent-1",
    ],
    words: &["Brand", "road-in-essex", "home", "Street", "kent", "liverpool", "report"],
};

/// The header lines by which a role is played.
fn played(who: &str) -> String {
    let (role, reason) =
        who.strip_suffix(" with a reason").map_or((who, ""), |role| (role, "; throughline-reason=a%20child"));
    format!("Cookie: throughline-role={role}{reason}\r\n")
}

/// Two hundred requests from the whole inventory of routes.
pub fn two_hundred(seed: u64, about: &Subject<'_>) -> Vec<String> {
    let mut numbers = Numbers(seed);
    let mut all: Vec<Vec<String>> = ROUTES.iter().map(|route| requests(route, about)).collect();
    assert!(all.iter().all(|requests| !requests.is_empty()));
    (0..200)
        .map(|turn| {
            // Every route has its turn.
            let place = turn % all.len();
            let of_route = &mut all[place];
            let pick = numbers.next() as usize % of_route.len();
            of_route[pick].clone()
        })
        .collect()
}

/// Answers of a world to one role.
pub type Ask<'a> = &'a dyn Fn(&[String]) -> Vec<Reply>;

/// A role's questions to a server.
pub fn asking<'a>(server: &'a Server, who: &str) -> impl Fn(&[String]) -> Vec<Reply> + 'a {
    let headers = played(who);
    move |paths| {
        let mut replies = server.batch_with(paths, &headers);
        // Which answer over a shared connection says that it is the last is a matter of timing.
        for reply in &mut replies {
            reply.headers.retain(|(name, _)| name != "connection");
        }
        replies
    }
}

/// The smallest request that two worlds answer differently: parameters are taken away as long as it is.
pub fn leak(one: Ask<'_>, two: Ask<'_>, paths: &[String]) -> Option<String> {
    let (ours, theirs) = (one(paths), two(paths));
    let found = ours.iter().zip(&theirs).position(|(a, b)| a != b)?;
    let ask = |ask: Ask<'_>, path: &str| -> Reply { ask(&[path.to_owned()]).remove(0) };
    let differs = |path: &str| ask(one, path) != ask(two, path);
    let mut path = paths[found].clone();
    while let Some((bare, query)) = path.clone().split_once('?') {
        let params: Vec<&str> = query.split('&').collect();
        let without = |gone: usize| {
            let rest: Vec<&str> =
                params.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, one)| *one).collect();
            if rest.is_empty() { bare.to_owned() } else { format!("{bare}?{}", rest.join("&")) }
        };
        match (0..params.len()).map(without).find(|smaller| differs(smaller)) {
            Some(smaller) => path = smaller,
            None => break,
        }
    }
    // What differs once and not again is a fault too, and is shown as it was.
    let again = [ask(one, &path), ask(two, &path)];
    let shown = if again[0] == again[1] { [ours[found].clone(), theirs[found].clone()] } else { again };
    let mut text = path;
    for reply in shown {
        let body = String::from_utf8_lossy(&reply.body);
        let _ = write!(text, "\n{} {:?} {body:.1500}", reply.status, reply.headers);
    }
    Some(text)
}

/// Every request that the generator has for any route, and every tile of every collection that a row of the worlds can
/// be on, at every zoom up to 7.
fn everything(about: &Subject<'_>) -> Vec<String> {
    let mut all: Vec<String> = ROUTES.iter().flat_map(|route| requests(route, about)).collect();
    for collection in about.collections {
        for z in 0..=7_u32 {
            // From 8 degrees west to 3 east, and from 50 to 58 degrees north.
            let columns = |lon: f64| ((lon + 180.0) / 360.0 * f64::from(1_u32 << z)) as u32;
            let row = |lat: f64| {
                let mercator = lat.to_radians().tan().asinh() / std::f64::consts::PI;
                ((1.0 - mercator) / 2.0 * f64::from(1_u32 << z)) as u32
            };
            for x in columns(-8.0)..=columns(3.0) {
                all.extend((row(58.0)..=row(50.0)).map(|y| format!("/tiles/{collection}/{z}/{x}/{y}.mvt")));
            }
        }
    }
    all
}

#[test]
fn hidden_rows_change_no_answer_for_any_role() {
    let paths = everything(&ABOUT);
    for who in PLAYED {
        let (seen, hidden): (Vec<&Rows>, Vec<&Rows>) = SETS.iter().partition(|set| set.seen_by.contains(who));
        assert!(!hidden.is_empty() || *who == NATION_REASON);
        let bare = crowded(&seen);
        let full = crowded(&hidden.into_iter().chain(seen).collect::<Vec<_>>());
        let (one, two) = (bare.serve(), full.serve());
        let found = leak(&asking(&one, who), &asking(&two, who), &paths);
        assert_eq!(found, None, "{who}");
    }
}

#[test]
fn worlds_have_several_row_groups_a_collection() {
    let world = crowded(&[]);
    let gate = world.gate();
    let view = gate.view(&Principal::LocalOperator);
    for collection in ["sightings", "legs", "lines", "addresses", "numbers"] {
        let groups = view.collection(collection).unwrap().groups();
        assert!(groups.len() > 1, "{collection}");
        let of = |owner: &str| {
            groups
                .iter()
                .filter(|group| group.row_rights().iter().any(|one| one.provenance.owner == owner))
                .count()
        };
        assert!(of("kent") >= 1 && of("essex") >= 1, "{collection}");
    }
}

#[test]
fn a_hidden_field_changes_no_answer() {
    let named = |brand: &str| {
        let world = crowded(&[]);
        branded(&world, "rail-named", brand, "essex", "kent", "rail");
        world
    };
    let (bare, full) = (named("Aardvark"), named("Zebra line of the north"));
    let (one, two) = (bare.serve(), full.serve());
    for (place, who) in [BTP, BTP_REASON, "public", "partner:E06000044"].iter().enumerate() {
        let found = leak(&asking(&one, who), &asking(&two, who), &two_hundred(place as u64 + 80, &ABOUT));
        assert_eq!(found, None, "{who}");
    }
    let found = leak(&asking(&one, KENT), &asking(&two, KENT), &two_hundred(80, &ABOUT));
    assert!(found.is_some(), "who sees names sees the difference");
}

#[test]
fn active_lines_are_those_that_each_may_see() {
    let all = world(&SETS.iter().collect::<Vec<_>>());
    let server = all.serve();
    let active = |who: &str, path: &str| {
        let reply = asking(&server, who)(&[path.to_owned()]).remove(0);
        reply.json()["properties"]["active_lines"].clone()
    };
    // By hand: four lines of every set that has a leg between Liverpool and Portsmouth which they see. Essex sees those
    // of Kent by their further legs, Kent and the nation count them once.
    for (who, expected) in [
        (KENT, json!(12)),
        (ESSEX, json!(20)),
        (NATION, json!(20)),
        (BTP, json!(12)),
        ("public", json!(null)),
    ] {
        for path in ["/ogc/collections/hubs/items/liverpool", "/ogc/collections/towns/items/portsmouth"] {
            assert_eq!(active(who, path), expected, "{who} {path}");
        }
    }
    // A line is drawn along its visible links.
    let line = |who: &str| {
        let path = "/ogc/collections/lines/items/rail-to-kent-1".to_owned();
        asking(&server, who)(&[path]).remove(0).json()["geometry"].clone()
    };
    assert_eq!(line(KENT), line(NATION));
    assert_eq!(
        line(KENT),
        json!({ "type": "MultiLineString", "coordinates": [[[-0.997, 52], [-0.497, 51.3]]] })
    );
}

#[test]
fn whoever_may_see_rows_sees_a_difference() {
    let bare = world(&[]);
    let one = bare.serve();
    for set in SETS {
        let full = world(&[set]);
        let two = full.serve();
        for who in PLAYED {
            let paths: Vec<String> = ABOUT
                .collections
                .iter()
                .map(|id| format!("/ogc/collections/{id}/items?limit=1000"))
                .collect();
            let differ = asking(&one, who)(&paths) != asking(&two, who)(&paths);
            assert_eq!(differ, set.seen_by.contains(who), "{who}: {}", set.name);
        }
    }
}

/// A stronger role never sees fewer rows of a collection than a weaker one.
#[test]
fn stronger_roles_see_no_less() {
    let all = world(&SETS.iter().collect::<Vec<_>>());
    let server = all.serve();
    let ids = |who: &str, collection: &str| -> Vec<String> {
        let path = format!("/ogc/collections/{collection}/items?limit=1000");
        let reply = server.batch_with(&[path], &played(who)).remove(0);
        if reply.status == 404 { Vec::new() } else { reply.ids() }
    };
    for (weaker, stronger) in [
        ("public", "partner:E06000044"),
        ("partner:E06000044", KENT),
        (KENT, KENT_REASON),
        (KENT, SOUTH_EAST),
        (KENT_REASON, SOUTH_EAST_REASON),
        (NATION, NATION_REASON),
        (BTP, BTP_REASON),
        ("public", "admin"),
    ] {
        for collection in ABOUT.collections {
            let (less, more) = (ids(weaker, collection), ids(stronger, collection));
            assert!(less.iter().all(|id| more.contains(id)), "{weaker} > {stronger}: {collection}");
        }
    }
    for collection in ["lines", "legs"] {
        let (region, nation) = (ids(SOUTH_EAST, collection), ids(NATION, collection));
        assert!(!region.is_empty() && region.iter().all(|id| nation.contains(id)));
    }
}

#[test]
fn hidden_fields_are_nowhere() {
    let all = world(&SETS.iter().collect::<Vec<_>>());
    let server = all.serve();
    let ask = |path: &str, who: &str| server.batch_with(&[path.to_owned()], &played(who)).remove(0);
    let text = |reply: &Reply| String::from_utf8_lossy(&reply.body).into_owned();
    for path in [
        "/ogc/collections/lines/items?limit=1000",
        "/ogc/collections/lines/queryables",
        "/ogc/collections/lines/items/rail-to-kent-0",
    ] {
        assert!(!text(&ask(path, BTP)).contains("brand"), "{path}");
        assert!(text(&ask(path, NATION)).contains("brand"), "{path}");
    }
    let found = |who: &str| ask("/api/search?q=Brand", who).json()["results"].as_array().map(Vec::len);
    assert_eq!((found(BTP), found(NATION).is_some_and(|found| found > 0)), (Some(0), true));
    assert!(!text(&ask("/ogc/collections/lines/queryables", BTP)).contains("brand"));
    assert!(text(&ask("/ogc/collections/lines/items?limit=1000", BTP)).contains("\"hub\""));
    for id in ["rail-to-kent-0", "rail-to-kent-1"] {
        let path = format!("/ogc/collections/lines/items/{id}");
        assert_eq!(
            [BTP, KENT, ESSEX].map(|who| ask(&path, who).status),
            [200; 3],
            "who is party to a link knows its line"
        );
    }
    assert_eq!(ask("/ogc/collections/lines/items/road-in-essex-1", KENT).status, 404);
    // The address of a tile names no value of a row about people.
    for path in ["/tiles/sightings/8/127/84.mvt?kind=report", "/tiles/sightings.json?kind=report"] {
        ask(path, KENT).is_problem(400, "about people");
    }
    assert_ne!(ask("/tiles/sightings/8/127/84.mvt?datetime=2024-02-03", KENT).status, 400);
    // Each sees the flows of the legs that are theirs: four of every set, by hand.
    let legs = |who: &str| ask("/api/flows?datetime=2024-02-01", who).json()["totals"]["legs"].clone();
    assert_eq!([KENT, ESSEX, NATION, BTP].map(legs), [16, 20, 24, 12].map(serde_json::Value::from));
    assert_eq!(ask("/api/flows", "public").status, 404);
    // Answers about people are kept by nobody, others by the caller alone.
    let kept = |path: &str, who: &str| ask(path, who).header("cache-control").map(str::to_owned);
    assert_eq!(kept("/ogc/collections/sightings/items", KENT).as_deref(), Some("no-store"));
    assert_eq!(kept("/tiles/sightings/8/127/84.mvt", KENT).as_deref(), Some("no-store"));
    for spoken_of in
        ["/ogc/collections", "/ogc/collections/sightings", "/tiles/sightings.json", "/api/search?q=x"]
    {
        assert_eq!(kept(spoken_of, KENT).as_deref(), Some("no-store"), "{spoken_of}");
    }
    assert_eq!(kept("/ogc/collections", "public").as_deref(), Some("no-cache"));
    assert_eq!(kept("/ogc/collections/legs/items", KENT).as_deref(), Some("private, no-cache"));
    assert_eq!(kept("/ogc/collections/forces/items", "public").as_deref(), Some("no-cache"));
}

#[test]
fn a_hidden_line_is_not_named() {
    let all = world(&SETS.iter().collect::<Vec<_>>());
    let server = all.serve();
    let lines = |who: &str| -> Vec<String> {
        let path = "/ogc/collections/sightings/items?limit=1000".to_owned();
        let reply = server.batch_with(&[path], &played(who)).remove(0);
        let mut lines: Vec<String> = reply.json()["features"]
            .as_array()
            .unwrap()
            .iter()
            .map(|feature| feature["properties"]["line"].as_str().unwrap_or("null").to_owned())
            .collect();
        lines.sort();
        lines.dedup();
        lines
    };
    assert_eq!(lines(KENT), ["always-0", "null", "road-to-kent-1"]);
    // Essex sees the lines of Kent that have a further leg to Essex.
    assert_eq!(lines(ESSEX), ["always-0", "null", "road-in-essex-0", "road-to-kent-1"]);
    assert_eq!(lines(BTP), ["always-0", "null"]);
    // Nothing of lines is hidden from them; a text that names no line stays as it is.
    assert_eq!(lines(NATION_REASON), ["always-0", "none", "null", "road-in-essex-0", "road-to-kent-1"]);
}

#[test]
fn what_is_computed_from_rows_about_people_is_kept_by_nobody() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/policy/default.toml");
    let text = std::fs::read_to_string(path).unwrap();
    let people = text.replace("[collections.legs]\n", "[collections.legs]\nabout_people = true\n");
    assert_ne!(people, text);
    let world = world(&[]);
    let server = Server::start_under(&world.store, throughline::access::Policy::parse(&people).unwrap());
    let kept = |path: &str, who: &str| {
        let reply = server.batch_with(&[path.to_owned()], &played(who)).remove(0);
        assert_eq!(reply.status, 200, "{path} {who}");
        reply.header("cache-control").unwrap().to_owned()
    };
    for id in ["hubs", "towns", "lines"] {
        for path in [format!("/ogc/collections/{id}/items"), format!("/ogc/collections/{id}")] {
            assert_eq!(kept(&path, KENT), "no-store", "{path}");
        }
    }
    assert_eq!(kept("/api/flows", KENT), "no-store");
    assert_eq!(kept("/ogc/collections/forces/items", KENT), "private, no-cache");
    assert_eq!(kept("/ogc/collections/hubs/items", "public"), "no-cache", "they have no legs");
}

#[test]
fn the_session_says_who_is_played_and_what_a_reason_would_show() {
    let server = world(&[]);
    let server = server.serve();
    let session = |who: &str| server.batch_with(&["/api/session".to_owned()], &played(who)).remove(0).json();
    let kent = session(KENT);
    assert_eq!((&kent["role"], &kent["own"]), (&"force-analyst".into(), &json!(["kent"])));
    let wanted = |said: &serde_json::Value| -> Vec<String> {
        let all = said["reason_wanted_for"].as_array().unwrap();
        all.iter().map(|one| format!("{} {}", one["id"], one["title"]).replace('"', "")).collect()
    };
    assert_eq!(wanted(&kent), ["addresses Cuckooed addresses"]);
    assert_eq!(wanted(&session(KENT_REASON)), [""; 0]);
    assert_eq!(wanted(&session(NATION)), ["exposures Patrols", "sightings Stops and reports"]);
    assert_eq!(kent["roles"].as_array().map(Vec::len), Some(8));
    assert_eq!(session("chief")["role"], "public", "a role that there is not is anyone's");
    // What cannot be read as one plays nobody.
    let twice = "Cookie: theme=dark\r\nCookie: throughline-role=force-analyst:kent\r\n";
    assert_eq!(server.batch_with(&["/api/session".to_owned()], twice).remove(0).json()["role"], "public");
    assert_eq!(session("local-operator")["role"], "public", "the operator is the command line");
}

#[test]
fn what_is_imported_without_an_owner_is_the_national_analyst_s() {
    let world = World::new();
    world.import("a.csv", "lon,lat,name\n-1,52,x\n", &own_layer("mine")).unwrap();
    world.import("b.csv", "lon,lat,name\n", &own_layer("empty")).unwrap();
    let mut theirs = own_layer("theirs");
    theirs.provenance.owner = "kent".into();
    world.import("c.csv", "lon,lat,name\n-1,52,y\n", &theirs).unwrap();
    world.import("d.csv", "lon,lat,name\n-1,52,z\n", &options("everyones")).unwrap();
    let server = world.serve();
    let sees = |headers: &str| -> Vec<u16> {
        let paths = ["mine", "empty", "theirs", "everyones"].map(|id| format!("/ogc/collections/{id}"));
        server.batch_with(&paths, headers).iter().map(|reply| reply.status).collect()
    };
    assert_eq!(
        sees("Cookie: theme=dark\r\n"),
        [200, 200, 404, 200],
        "who plays nobody is the national analyst"
    );
    assert_eq!(sees(&played(NATION)), [200, 200, 404, 200]);
    assert_eq!(sees(&played(KENT)), [404, 404, 200, 200]);
    assert_eq!(sees(&played("public")), [404, 404, 404, 200]);
}

#[test]
fn a_layer_is_everyone_s_once_its_owner_says_so() {
    let world = World::new();
    let csv = "lon,lat,name\n-1,52,x\n-1,53,y\n";
    world.import("own.csv", csv, &own_layer("own")).unwrap();
    world.import("open.csv", csv, &open_layer("open")).unwrap();
    world.import("empty.csv", "lon,lat,name\n", &open_layer("empty")).unwrap();
    // Not every row of an open layer need be.
    let mut secret = open_layer("open");
    secret.provenance.sensitivity = Sensitivity::Limited;
    // Else the demo would be over, in which roles are played here.
    secret.provenance.synthetic = true;
    world.import("secret.csv", "lon,lat,name\n-1,54,z\n", &secret).unwrap();
    let server = world.serve();
    let sees = |who: &str| -> Vec<Option<u64>> {
        let paths = ["own", "open", "empty"].map(|id| format!("/ogc/collections/{id}/items"));
        let replies = server.batch_with(&paths, &played(who));
        replies
            .iter()
            .map(|reply| (reply.status == 200).then(|| reply.json()["numberMatched"].as_u64().unwrap()))
            .collect()
    };
    for who in ["public", "partner:E06000044", KENT, SOUTH_EAST, BTP, "admin"] {
        assert_eq!(sees(who), [None, Some(2), Some(0)], "{who}");
    }
    assert_eq!(sees(NATION), [Some(2), Some(3), Some(0)], "who imported it sees all of it");
    assert_eq!(sees("auditor"), [None; 3]);
    // The same file again with the flag opens the layer, without it closes it; no row is there twice.
    let mut opened = own_layer("own");
    opened.about.open = true;
    let report = world.import("own.csv", csv, &opened).unwrap();
    assert_eq!((report.accepted, report.unchanged), (2, 2));
    server.app.gate.refresh().unwrap();
    assert_eq!(sees("public"), [Some(2), Some(2), Some(0)]);
    world.import("own.csv", csv, &own_layer("own")).unwrap();
    server.app.gate.refresh().unwrap();
    assert_eq!(sees("public"), [None, Some(2), Some(0)]);
    assert_eq!(sees(NATION), [Some(2), Some(3), Some(0)]);
}

/// A fault as somebody might build it: what the role should get, and what the operator gets of the same address, to what
/// the role gets instead.
type Fault = fn(&World, &str, Reply, &Reply) -> Reply;

/// A body with something put in its place.
fn with(plain: Reply, change: impl FnOnce(&mut serde_json::Value)) -> Reply {
    let mut body = plain.json();
    change(&mut body);
    Reply { body: body.to_string().into_bytes(), ..plain }
}

/// Features of all rows, cut to what the role may see afterwards.
fn cut_after(plain: Reply, all: &Reply) -> Reply {
    let visible = plain.ids();
    let mut features = all.json()["features"].as_array().unwrap().clone();
    features.retain(|feature| visible.iter().any(|id| feature["id"] == **id));
    with(plain, |body| body["features"] = features.into())
}

fn is_page(path: &str, plain: &Reply) -> bool {
    path.contains("/items")
        && !path.contains("/items/")
        && plain.status == 200
        && plain.json()["features"].is_array()
}

const FAULTS: &[(&str, Fault)] = &[
    ("a live count", |_, path, plain, all| {
        if !is_page(path, &plain) {
            return plain;
        }
        with(plain, |body| body["numberMatched"] = all.json()["numberMatched"].clone())
    }),
    ("the nearest before they are cut", |_, path, plain, all| {
        if is_page(path, &plain) && path.contains("nearest=") { cut_after(plain, all) } else { plain }
    }),
    ("pages of all rows, cut afterwards", |_, path, plain, all| {
        if is_page(path, &plain) && path.contains("limit=") { cut_after(plain, all) } else { plain }
    }),
    ("the store's version in an entity tag", |world, _, mut plain, _| {
        let sequence = world.store.reader().unwrap().sequence().unwrap();
        for (_, value) in plain.headers.iter_mut().filter(|(name, _)| name == "etag") {
            value.push_str(&sequence.to_string());
        }
        plain
    }),
    ("403 where an unknown id is 404", |_, _, plain, all| {
        let status = if plain.status == 404 && all.status == 200 { 403 } else { plain.status };
        Reply { status, ..plain }
    }),
    ("ids that count", |world, path, plain, _| {
        if !is_page(path, &plain) {
            return plain;
        }
        let rows: u64 =
            world.store.reader().unwrap().collections().unwrap().iter().map(|stored| stored.rows).sum();
        with(plain, |body| {
            for (place, feature) in body["features"].as_array_mut().unwrap().iter_mut().enumerate() {
                feature["properties"]["number"] = (rows + place as u64).into();
            }
        })
    }),
    ("an extent of all rows", |_, path, plain, all| {
        let of_collection =
            path.starts_with("/ogc/collections/") && !path.contains("/items") && plain.status == 200;
        if !of_collection || plain.json()["extent"].is_null() {
            return plain;
        }
        with(plain, |body| body["extent"] = all.json()["extent"].clone())
    }),
    ("tiles that drop where all rows are densest", |_, path, plain, all| {
        let crowded = path.contains(".mvt") && all.body.len() > plain.body.len();
        if crowded { Reply { body: Vec::new(), ..plain } } else { plain }
    }),
    ("order by insertion, in the next link", |world, path, plain, _| {
        if !is_page(path, &plain) {
            return plain;
        }
        let Some(last) = plain.ids().last().cloned() else { return plain };
        let table = path.split('/').nth(3).unwrap().to_owned();
        let file = rusqlite::Connection::open(world.store.path()).unwrap();
        let place: Option<i64> = file
            .query_row(&format!("SELECT fid FROM {table} WHERE public_id = ?1"), [last], |row| row.get(0))
            .ok();
        with(plain, |body| body["links"] = json!([{ "rel": "next", "href": format!("?after={place:?}") }]))
    }),
    ("words completed from all rows", |_, path, plain, all| {
        let searched = path.starts_with("/api/search") && plain.status == 200;
        if !searched {
            return plain;
        }
        let more = all.json()["results"].as_array().map_or(0, Vec::len);
        with(plain, |body| body["more"] = (more > body["results"].as_array().map_or(0, Vec::len)).into())
    }),
];

#[test]
fn planted_leaks_are_caught_for_a_role() {
    let (seen, hidden): (Vec<&Rows>, Vec<&Rows>) = SETS.iter().partition(|set| set.seen_by.contains(&KENT));
    let bare = world(&seen);
    let full = world(&hidden.into_iter().chain(seen).collect::<Vec<_>>());
    let (one, two) = (bare.serve(), full.serve());
    // What a faulty server would take from: all rows.
    let all_of = |world: &World| world.serve_all();
    let (all_one, all_two) = (all_of(&bare), all_of(&full));
    for (name, fault) in FAULTS {
        let faulty = |world: &World, server: &Server, all: &Server, paths: &[String]| -> Vec<Reply> {
            let plain = asking(server, KENT)(paths);
            let all = asking(all, NATION)(paths);
            let three = paths.iter().zip(plain.into_iter().zip(&all));
            three.map(|(path, (plain, all))| fault(world, path, plain, all)).collect()
        };
        let caught = (0..20).find_map(|turn| {
            let paths = two_hundred(turn + 100, &ABOUT);
            leak(
                &|paths| faulty(&bare, &one, &all_one, paths),
                &|paths| faulty(&full, &two, &all_two, paths),
                &paths,
            )
        });
        assert!(caught.is_some(), "{name} is not noticed");
    }
}
