//! What is released of the register: who sees it, that no difference of figures tells of a few, that every council has a
//! figure, and that an address that moves within its cell changes nothing for those who may not see it.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use serde_json::json;
use throughline::access::Policy;
use throughline::demo;
use throughline::demo::Settings;
use throughline::model::geometry::Position;
use throughline::ops::Progress;
use throughline::ops::release::is_due;
use throughline::ops::release::run;
use throughline::release::DwellingGrid;
use throughline::release::MEASURES;
use throughline::store::Store;

use crate::fixtures::Reply;
use crate::fixtures::Server;
use crate::fixtures::World;
use crate::fixtures::all_seeing;
use crate::fixtures::options;
use crate::fixtures::release;
use crate::fixtures::write_demo;
use crate::generator::Subject;
use crate::roles::asking;
use crate::roles::held;
use crate::roles::leak;
use crate::roles::two_hundred;

const PARTNER: &str = "partner:E06000044";
const KENT: &str = "force-analyst:kent";
const ESSEX: &str = "force-analyst:essex";
const NATION: &str = "national-analyst";
const BTP: &str = "btp-planner";

/// Square areas about a hundred kilometres wide: two councils, one force each.
fn facts(world: &World) {
    let square = |lon: f64| {
        let ring = [[lon, 50.0], [lon + 1.0, 50.0], [lon + 1.0, 52.0], [lon, 52.0], [lon, 50.0]];
        json!({ "type": "Polygon", "coordinates": [ring] })
    };
    let collection =
        |features: Vec<Value>| json!({ "type": "FeatureCollection", "features": features }).to_string();
    let forces = [("kent", "south-east", -2.0), ("essex", "eastern", -1.0), ("btp", "", 2.0)].map(
        |(id, region, lon)| {
            json!({ "type": "Feature", "geometry": square(lon),
            "properties": { "id": id, "name": id.to_uppercase(), "region": region, "territorial": true } })
        },
    );
    world.import("forces.geojson", collection(forces.into()), &options("forces")).unwrap();
    let councils = [
        ("E06000044", "Portsea", "kent", "south-east", -2.0),
        ("E07000001", "Eastwich", "essex", "eastern", -1.0),
    ];
    let areas = councils.map(|(code, name, force, region, lon)| {
        json!({ "type": "Feature", "geometry": square(lon), "properties": {
            "code": code, "name": name, "county": "Shire", "force": force, "region": region } })
    });
    world.import("areas.geojson", collection(areas.into()), &options("areas")).unwrap();
    let towns = "id,name,lon,lat,county,force,region\nportsea,Portsea,-1.09,50.8,Shire,kent,south-east\neastwich,Eastwich,-0.99,50.81,Shire,essex,eastern\n";
    world.import("towns.csv", towns, &options("towns")).unwrap();
}

/// Homes that are taken over: so many in a town of a force, each at a place of its own.
fn homes(world: &World, town: &str, force: &str, places: &[(f64, f64)]) {
    let homes: Vec<Value> = places
        .iter()
        .enumerate()
        .map(|(number, (lon, lat))| {
            json!({ "type": "Feature", "id": format!("{town}-{number}"),
                "geometry": { "type": "Point", "coordinates": [lon, lat] },
                "properties": { "address": format!("{number} {town} Street"), "kind": "flat", "status": "confirmed",
                    "town": town, "force": force, "visits": number, "vulnerability": "X",
                    "first_seen": format!("2023-{:02}-04", 4 + number % 9), "last_seen": "2024-03-01" } })
        })
        .collect();
    held(world, "addresses", force, &homes);
}

fn released(world: &World) {
    world
        .store
        .write(|transaction| {
            transaction.set_reference_date("2024-04-30")?;
            transaction.set_release_key([7; 32])
        })
        .unwrap();
    release(&world.store, &Policy::built_in().unwrap(), false).unwrap();
}

type LonLat = (f64, f64);

/// Places in the middle of Portsmouth, and for each another one in the same cell.
fn in_one_cell(many: usize) -> (Vec<LonLat>, Vec<LonLat>) {
    let floor = DwellingGrid::built_in();
    let cell = |(lon, lat): (f64, f64)| floor.cell(Position::from_degrees(lon, lat).unwrap());
    let places: Vec<(f64, f64)> =
        (0..many).map(|number| (-1.0875 + number as f64 * 0.0001, 50.7982)).collect();
    let moved: Vec<(f64, f64)> = places.iter().map(|(lon, lat)| (lon - 0.0008, lat + 0.0031)).collect();
    for (at, to) in places.iter().zip(&moved) {
        assert!(cell(*at).is_some() && cell(*at) == cell(*to) && at != to);
    }
    (places, moved)
}

fn world(here: &[(f64, f64)]) -> World {
    let world = World::new();
    homes(&world, "portsea", "kent", here);
    facts(&world);
    released(&world);
    world
}

const ABOUT: Subject<'_> = Subject {
    collections: &[
        "address-cells",
        "address-counts",
        "council-figures",
        "national-totals",
        "line-cells",
        "addresses",
        "areas",
        "towns",
    ],
    ids: &["portsea-0", "portsea-3", "E06000044:addresses", "council:E06000044:year:2023-04-01", "E06000044"],
    words: &["Portsea", "Street", "Shire", "SU%2064"],
};

fn items(server: &Server, who: &str, collection: &str) -> Option<Vec<Value>> {
    let path = format!("/ogc/collections/{collection}/items?limit=10000");
    let reply: Reply = asking(server, who)(&[path]).remove(0);
    (reply.status == 200).then(|| reply.json()["features"].as_array().unwrap().clone())
}

#[test]
fn an_address_that_moves_within_its_cell_changes_no_uncleared_answer() {
    let (here, there) = in_one_cell(12);
    let (one, two) = (world(&here), world(&there));
    let (one, two) = (one.serve(), two.serve());
    for (place, who) in
        ["public", PARTNER, KENT, ESSEX, NATION, BTP, "admin", "auditor", "regional-analyst:south-east"]
            .iter()
            .enumerate()
    {
        let paths = two_hundred(place as u64 + 40, &ABOUT);
        assert_eq!(leak(&asking(&one, who), &asking(&two, who), &paths), None, "{who}");
    }
    // Who may see homes sees that they moved.
    let who = "force-analyst:kent with a reason";
    assert_ne!(items(&one, who, "addresses"), items(&two, who, "addresses"));
}

#[test]
fn twelve_are_as_many_as_eleven_for_those_who_see_counts() {
    let (here, _) = in_one_cell(12);
    let (one, two) = (world(&here[..11]), world(&here));
    let (one, two) = (one.serve(), two.serve());
    for (place, who) in ["public", PARTNER, KENT, ESSEX, BTP, "regional-analyst:eastern"].iter().enumerate() {
        // The planner sees cells, in which there is one more.
        let expected = *who == BTP;
        let paths = two_hundred(place as u64 + 60, &ABOUT);
        assert_eq!(leak(&asking(&one, who), &asking(&two, who), &paths).is_some(), expected, "{who}");
    }
    assert_eq!(items(&one, BTP, "address-counts"), items(&two, BTP, "address-counts"));
    assert!(!items(&one, BTP, "address-counts").unwrap().is_empty());
}

#[test]
fn each_role_sees_what_is_released_for_it() {
    let (here, _) = in_one_cell(22);
    let server = world(&here);
    let server = server.serve();
    let sees = |who: &str| -> Vec<&str> {
        ABOUT.collections[..4].iter().copied().filter(|id| items(&server, who, id).is_some()).collect()
    };
    assert_eq!(sees("public"), ["national-totals"]);
    assert_eq!(sees(PARTNER), ["council-figures", "national-totals"]);
    for other in ["partner:E99999999", "partner:release"] {
        assert_eq!(sees(other), ["national-totals"], "another's councils have no figures for them");
    }
    assert_eq!(sees(NATION), ["address-cells", "address-counts", "national-totals"]);
    assert_eq!(sees(BTP), ["address-cells", "address-counts", "national-totals"]);
    assert_eq!(sees(KENT), ["address-counts", "national-totals"]);
    assert_eq!(sees("admin"), [""; 0]);
    // Kent's own figures are none of what is released to Kent; Essex gets them.
    let areas = |who: &str| -> Vec<String> {
        let rows = items(&server, who, "address-counts").unwrap();
        let mut areas: Vec<String> =
            rows.iter().map(|row| row["properties"]["area"].as_str().unwrap().to_owned()).collect();
        areas.sort();
        areas.dedup();
        areas
    };
    assert!(!areas(KENT).contains(&"E06000044".to_owned()) && areas(ESSEX).contains(&"E06000044".to_owned()));
    // By hand: 22 homes first seen on the fourth of months from April to December, at most three of them in one month: one
    // unit of the council's year, shown as 20.
    let own = items(&server, PARTNER, "council-figures").unwrap();
    assert_eq!(own.len(), 1, "there is a register of addresses only");
    let addresses = &own[0];
    assert_eq!(addresses["properties"]["measure"], "addresses");
    let [level, period, starts, count] =
        ["level", "period", "starts", "count"].map(|name| addresses["properties"][name].clone());
    assert_eq!(
        (level, period, starts, count),
        (json!("council"), json!("year"), json!("2023-04-01"), json!(20))
    );
    // A cell has no more than a week, and nothing of the record.
    let cells = items(&server, NATION, "address-cells").unwrap();
    assert_eq!(cells.len(), 22);
    for cell in &cells {
        let seen = cell["properties"]["first_seen"].as_str().unwrap();
        let day = throughline::model::time::parse_date(seen).unwrap();
        assert_eq!(day, throughline::model::time::monday_of(day));
        assert_eq!(cell["geometry"]["type"], "Polygon");
        let fields: Vec<&str> = cell["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            fields,
            ["cell_name", "cell_km", "status", "first_seen", "last_seen", "area", "force", "synthetic"]
        );
        assert!(!cell["id"].as_str().unwrap().contains("portsea"));
    }
}

#[test]
fn nothing_is_released_that_nobody_said_who_may_see() {
    let (here, _) = in_one_cell(12);
    let world = World::new();
    homes(&world, "portsea", "kent", &here);
    facts(&world);
    let policy =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/data/policy/default.toml")).unwrap();
    let (before, rest) = policy.split_once("[collections.address-cells]").unwrap();
    let without = format!("{before}{}", &rest[rest.find("\n[").unwrap() + 1..]);
    assert!(!is_due(&world.store).unwrap(), "the first time is by hand");
    let refused = release(&world.store, &Policy::parse(&without).unwrap(), false).unwrap_err().to_string();
    assert!(refused.contains("address-cells") && refused.contains("no rules"), "{refused}");
    let ids = || -> Vec<String> {
        let known = world.store.reader().unwrap().collections().unwrap();
        known.into_iter().map(|stored| stored.schema.id).collect()
    };
    assert_eq!(ids(), ["addresses", "areas", "forces", "towns"], "nothing was written");
    // Who has a layer of that name is told, and keeps it.
    world.import("mine.csv", "lon,lat,name\n-1,52,x\n", &options("address-gone")).unwrap();
    let refused =
        world.import("a.csv", "lon,lat\n-1,52\n", &options("address-cells")).unwrap_err().to_string();
    assert!(refused.contains("released from the register"), "{refused}");
    released(&world);
    assert!(!is_due(&world.store).unwrap(), "once is enough");
    assert_eq!(
        ids(),
        [
            "address-cells",
            "address-counts",
            "address-gone",
            "addresses",
            "areas",
            "council-figures",
            "forces",
            "national-totals",
            "towns"
        ],
        "what there is no register of is not released"
    );
}

#[test]
fn a_server_serves_what_is_released_while_it_runs() {
    let (here, _) = in_one_cell(12);
    let world = World::new();
    homes(&world, "portsea", "kent", &here);
    facts(&world);
    let server = world.serve();
    assert_eq!(items(&server, NATION, "address-cells"), None);
    released(&world);
    assert!(server.app.gate.refresh().unwrap());
    assert_eq!(items(&server, NATION, "address-cells").unwrap().len(), 12);
    // An address that goes is a cell that goes, with the next week's release; a figure stays as it was.
    let counts = items(&server, NATION, "address-counts");
    let cells = || items(&server, NATION, "address-cells").unwrap().len();
    // A row that is damaged is not counted as if it had never been.
    let forge = |town: &str| {
        let file = rusqlite::Connection::open(world.store.path()).unwrap();
        file.execute("UPDATE addresses SET town = ?1 WHERE public_id = 'portsea-3'", [town]).unwrap();
    };
    forge("nowhere");
    let refused = release(&world.store, &Policy::built_in().unwrap(), false).unwrap_err().to_string();
    assert!(refused.contains("damaged"), "{refused}");
    // A server releases the rows that it has in memory and reads them no second time: it would find the damage.
    let report = run(&world.store, &server.app.gate, false, &Progress::silent()).unwrap();
    assert!(report.collections.iter().any(|one| one.unchanged > 0));
    assert!(report.collections.iter().all(|one| one.added + one.changed + one.retired == 0));
    forge("portsea");
    homes(&world, "eastwich", "essex", &here[..1]);
    release(&world.store, &Policy::built_in().unwrap(), false).unwrap();
    assert!(server.app.gate.refresh().unwrap());
    assert_eq!(cells(), 12, "once a week");
    let on = |day: &'static str| {
        world.store.write(move |transaction| transaction.set_reference_date(day)).unwrap();
    };
    on("2024-05-07");
    release(&world.store, &Policy::built_in().unwrap(), false).unwrap();
    assert!(server.app.gate.refresh().unwrap());
    assert_eq!(cells(), 13);
    // One of them is a home that Essex holds: its cell is said to be where its middle is, whoever holds the home.
    for cell in items(&server, NATION, "address-cells").unwrap() {
        let of = [&cell["properties"]["area"], &cell["properties"]["force"]];
        assert_eq!(of, ["E06000044", "kent"], "{cell}");
    }
    assert_eq!(items(&server, NATION, "address-counts"), counts);
    on("2024-01-07");
    let refused = release(&world.store, &Policy::built_in().unwrap(), false).unwrap_err().to_string();
    assert!(refused.contains("2024-03-31") && refused.contains("2024-01-07"), "{refused}");
}

#[test]
fn what_comes_late_is_released_anew_only_by_hand() {
    let (here, _) = in_one_cell(20);
    let world = World::new();
    homes(&world, "portsea", "kent", &here[..2]);
    let policy = Policy::built_in().unwrap();
    let refused = release(&world.store, &policy, false).unwrap_err().to_string();
    assert!(refused.contains("no council areas"), "{refused}");
    facts(&world);
    released(&world);
    homes(&world, "portsea", "kent", &here);
    let count = || -> Option<i64> {
        let server = world.serve();
        let rows = items(&server, NATION, "address-counts").unwrap_or_default();
        let year = rows.iter().find(|row| row["properties"]["level"] == "council")?;
        year["properties"]["count"].as_i64()
    };
    release(&world.store, &policy, false).unwrap();
    assert_eq!(count(), None, "its year was released without it");
    release(&world.store, &policy, true).unwrap();
    assert_eq!(count(), Some(20));
}

/// A released figure of the national demo.
struct Figure {
    within: Vec<(String, String)>,
    starts: String,
    ends: String,
    count: i64,
}

/// Areas of each council, from the areas themselves: what lies in what.
fn figures_by_council(server: &Server) -> HashMap<String, Vec<(String, String)>> {
    let mut larger = HashMap::new();
    for area in items(server, "public", "areas").unwrap() {
        let word = |name: &str| area["properties"][name].as_str().map(str::to_owned);
        let (code, county, force) = (word("code").unwrap(), word("county").unwrap(), word("force").unwrap());
        let mut chain = vec![
            ("council".to_owned(), code.clone()),
            ("county".to_owned(), format!("{force}:{county}")),
            ("force".to_owned(), force),
        ];
        chain.extend(word("region").map(|region| ("region".to_owned(), region)));
        chain.push(("nation".to_owned(), "UK".to_owned()));
        larger.insert(code, chain);
    }
    larger
}

/// For every measure of the national demo and every pair of released areas and times, one in the other, the difference is
/// nothing or at least ten; and every council has a figure for every measure.
#[test]
fn the_national_set_is_released_safely() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo.gpkg");
    write_demo(&path, Settings { seed: demo::SEED, scale: 1.0 }).unwrap();
    let store = Arc::new(Store::open(&path).unwrap());
    let again = release(&store, &Policy::built_in().unwrap(), false).unwrap();
    for one in &again.collections {
        assert_eq!((one.added, one.changed, one.retired), (0, 0, 0), "{}", one.collection);
    }
    let server = Server::start_under(&store, all_seeing());
    let councils = figures_by_council(&server);
    assert_eq!(councils.len(), 361);
    let mut chains: Vec<Vec<(String, String)>> = Vec::new();
    for chain in councils.values() {
        chains.extend((0..chain.len()).map(|from| chain[from..].to_vec()));
    }
    chains.sort();
    chains.dedup();
    let mut compared = 0;
    let mut by_area: HashMap<&str, Vec<Figure>> = HashMap::new();
    for (_, counts, _) in MEASURES {
        let figures: Vec<Figure> = items(&server, NATION, counts)
            .unwrap()
            .iter()
            .map(|row| {
                let word = |name: &str| row["properties"][name].as_str().unwrap().to_owned();
                let own = (word("level"), word("area"));
                let within = chains.iter().find(|chain| chain[0] == own).cloned().unwrap_or(vec![own]);
                let count = row["properties"]["count"].as_i64().unwrap();
                assert!(count >= 10 && count % 5 == 0, "{counts}: {count}");
                Figure { within, starts: word("starts"), ends: word("ends"), count }
            })
            .collect();
        assert!(figures.len() > 50, "{counts}: {}", figures.len());
        for whole in &figures {
            // What is left when all parts of one kind are taken away tells of ten and more too.
            let mut parts: HashMap<(&str, usize), i64> = HashMap::new();
            for part in &figures {
                let lies = part.within.contains(&whole.within[0])
                    && whole.starts <= part.starts
                    && part.ends <= whole.ends;
                if lies {
                    let rest = whole.count - part.count;
                    assert!(rest == 0 || rest >= 10, "{counts}: {:?} {:?}", part.within[0], whole.within[0]);
                    let days = part.starts.len() + usize::from(part.starts[..7] == part.ends[..7]);
                    let years =
                        part.ends[..4].parse::<usize>().unwrap() - part.starts[..4].parse::<usize>().unwrap();
                    *parts.entry((part.within[0].0.as_str(), days * 10 + years)).or_default() += part.count;
                    compared += 1;
                }
            }
            for (kind, sum) in parts {
                let rest = whole.count - sum;
                assert!(
                    rest == 0 || rest >= 10,
                    "{counts}: {:?} without its {kind:?}: {rest}",
                    whole.within[0]
                );
            }
        }
        by_area.insert(counts, figures);
    }
    assert!(compared > 20_000, "{compared}");
    let mut figures: HashMap<(String, String), usize> = HashMap::new();
    for row in items(&server, NATION, "council-figures").unwrap() {
        let word = |name: &str| row["properties"][name].as_str().unwrap_or_default().to_owned();
        assert!(["council", "county", "force", "region", "nation"].contains(&word("level").as_str()));
        assert!(["year", "three years"].contains(&word("period").as_str()));
        // It is a figure of the counts, of an area that the council lies in, and there is none of a smaller one.
        let (counts, chain) = (
            MEASURES.iter().find(|(measure, ..)| *measure == word("measure")).unwrap().1,
            &councils[&word("council")],
        );
        let of = |level: &str| {
            let own = chain.iter().find(|(known, _)| known == level)?;
            let same = |figure: &&Figure| {
                figure.within[0] == *own && figure.starts == word("starts") && figure.ends == word("ends")
            };
            by_area[counts].iter().find(same).map(|figure| figure.count)
        };
        assert!(!word("area_name").is_empty() && row["properties"]["count"].as_i64() == of(&word("level")));
        let smaller = chain.iter().take_while(|(level, _)| *level != word("level"));
        assert!(smaller.into_iter().all(|(level, _)| of(level).is_none()), "{row}");
        *figures.entry((word("council"), word("measure"))).or_default() += 1;
    }
    for council in councils.keys() {
        for (measure, _, _) in MEASURES {
            assert_eq!(figures.get(&(council.clone(), measure.to_owned())), Some(&1), "{council} {measure}");
        }
    }
}
