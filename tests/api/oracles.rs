//! Answers against brute force over random rows: antimeridian, poles, duplicates, empty and odd-sized collections.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use geo::Distance;
use geo::Geodesic;
use geo_types::Point;

use crate::fixtures::Numbers;
use crate::fixtures::Server;
use crate::fixtures::World;
use crate::fixtures::options;

/// Points all over the earth, many of them at its awkward places, with ids 0, 1, 2 ...
fn points(count: usize, seed: u64) -> Vec<(f64, f64)> {
    let mut numbers = Numbers(seed);
    let round = |value: f64| (value * 1e5).round() / 1e5;
    let mut points: Vec<(f64, f64)> = (0..count)
        .map(|number| match number % 6 {
            0 => (180.0 - numbers.between(0.0, 2.0), numbers.between(-60.0, 60.0)),
            1 => (-180.0 + numbers.between(0.0, 2.0), numbers.between(-60.0, 60.0)),
            2 => (numbers.between(-180.0, 180.0), 90.0 - numbers.between(0.0, 3.0)),
            3 => (numbers.between(-180.0, 180.0), -90.0 + numbers.between(0.0, 3.0)),
            4 => (numbers.between(-6.0, 2.0), numbers.between(50.0, 58.0)),
            _ => (numbers.between(-180.0, 180.0), numbers.between(-90.0, 90.0)),
        })
        .map(|(lon, lat)| (round(lon), round(lat)))
        .collect();
    // Every tenth stands where the one before it stands.
    for number in (10..count).step_by(10) {
        points[number] = points[number - 1];
    }
    points
}

fn world(points: &[(f64, f64)]) -> World {
    let world = World::new();
    let mut csv = String::from("id,lon,lat\n");
    for (number, (lon, lat)) in points.iter().enumerate() {
        csv.push_str(&format!("p{number},{lon},{lat}\n"));
    }
    let mut by_id = options("p");
    by_id.id = Some("id".into());
    assert_eq!(world.import("p.csv", csv, &by_id).unwrap().accepted, points.len() as u64);
    world
}

/// All ids of a question, page by page, with the pages' own counts checked.
fn paged(server: &Server, question: &str, limit: usize) -> Vec<String> {
    paged_of(server, "p", question, limit)
}

fn paged_of(server: &Server, collection: &str, question: &str, limit: usize) -> Vec<String> {
    let mut path = Some(format!("/ogc/collections/{collection}/items?limit={limit}{question}"));
    let (mut ids, mut matched) = (Vec::new(), None);
    while let Some(now) = path {
        let reply = server.get(&now);
        assert_eq!(reply.status, 200, "{now}: {}", String::from_utf8_lossy(&reply.body));
        let page = reply.ids();
        assert_eq!(reply.json()["numberReturned"], page.len());
        let count = reply.json()["numberMatched"].as_u64().unwrap();
        assert_eq!(*matched.get_or_insert(count), count);
        ids.extend(page);
        path = reply.next();
    }
    assert_eq!(matched, Some(ids.len() as u64));
    let unique: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "every feature once");
    ids
}

fn expected(points: &[(f64, f64)], keep: impl Fn(f64, f64) -> bool) -> BTreeSet<String> {
    points
        .iter()
        .enumerate()
        .filter(|(_, (lon, lat))| keep(*lon, *lat))
        .map(|(number, _)| format!("p{number}"))
        .collect()
}

#[test]
fn boxes_circles_and_neighbours_equal_brute_force() {
    let points = points(3_000, 17);
    let world = world(&points);
    let server = world.serve();
    let mut numbers = Numbers(23);
    for round in 0..60 {
        let (lon, lat) = match round % 4 {
            0 => (numbers.between(-6.0, 2.0), numbers.between(50.0, 58.0)),
            1 => (numbers.between(178.0, 180.0), numbers.between(-60.0, 60.0)),
            2 => (numbers.between(-180.0, 180.0), numbers.between(87.0, 90.0)),
            _ => (numbers.between(-180.0, 180.0), numbers.between(-90.0, 90.0)),
        };
        let (wide, high) = (numbers.between(0.0, 40.0), numbers.between(0.0, 30.0));
        let (mut east, north) = (lon + wide, (lat + high).min(90.0));
        let crosses = east > 180.0;
        if crosses {
            east -= 360.0;
        }
        let got: BTreeSet<String> =
            paged(&server, &format!("&bbox={lon},{lat},{east},{north}"), 700).into_iter().collect();
        let inside = |x: f64| if crosses { x >= lon || x <= east } else { lon <= x && x <= east };
        assert_eq!(
            got,
            expected(&points, |x, y| inside(x) && lat <= y && y <= north),
            "{lon},{lat},{east},{north}"
        );

        let metres = numbers.between(0.0, if round % 2 == 0 { 300_000.0 } else { 9_000_000.0 });
        let distance = |x: f64, y: f64| Geodesic.distance(Point::new(lon, lat), Point::new(x, y));
        let got: BTreeSet<String> =
            paged(&server, &format!("&within={lon},{lat},{metres}"), 1_000).into_iter().collect();
        assert_eq!(got, expected(&points, |x, y| distance(x, y) <= metres), "{lon},{lat},{metres}");

        let reply = server.get(&format!("/ogc/collections/p/items?nearest={lon},{lat}&limit=40"));
        let mut distances: Vec<f64> = points.iter().map(|(x, y)| distance(*x, *y)).collect();
        distances.sort_by(f64::total_cmp);
        let body = reply.json();
        let found = body["features"].as_array().unwrap();
        assert_eq!(found.len(), 40);
        for (feature, expected) in found.iter().zip(&distances) {
            let metres = feature["properties"]["distance_m"].as_f64().unwrap();
            assert!((metres - expected).abs() < 0.002, "{metres} {expected}");
        }
    }
}

#[test]
fn questions_can_be_joined() {
    let points = points(2_000, 31);
    let world = world(&points);
    let server = world.serve();
    let distance = |x: f64, y: f64| Geodesic.distance(Point::new(-2.0, 54.0), Point::new(x, y));
    let both = expected(&points, |x, y| {
        (-4.0..=0.0).contains(&x) && (52.0..=56.0).contains(&y) && distance(x, y) <= 150_000.0
    });
    let got: BTreeSet<String> =
        paged(&server, "&bbox=-4,52,0,56&within=-2,54,150000", 7).into_iter().collect();
    assert!(both.len() > 20);
    assert_eq!(got, both);
    let nearest = server.get("/ogc/collections/p/items?nearest=-2,54&bbox=-4,52,0,56&limit=10000").ids();
    let boxed = expected(&points, |x, y| (-4.0..=0.0).contains(&x) && (52.0..=56.0).contains(&y));
    assert_eq!(nearest.into_iter().collect::<BTreeSet<_>>(), boxed);
}

#[test]
fn a_box_without_area_finds_what_stands_there() {
    let points = points(100, 3);
    let world = world(&points);
    let server = world.serve();
    let (lon, lat) = points[9];
    let got: BTreeSet<String> =
        paged(&server, &format!("&bbox={lon},{lat},{lon},{lat}"), 10).into_iter().collect();
    assert_eq!(got, expected(&points, |x, y| (x, y) == (lon, lat)));
    assert!(got.len() >= 2, "it and its duplicate");
    assert_eq!(server.get("/ogc/collections/p/items?bbox=500,0,600,1").json()["numberMatched"], 0);
}

#[test]
fn empty_one_row_and_one_more_than_a_row_group() {
    for count in [0, 1, 63, 64, 65, 16_384, 16_385] {
        let points = points(count, 41);
        let world = world(&points);
        let server = world.serve();
        let ids = paged(&server, "", if count > 1_000 { 4_999 } else { 10 });
        assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), expected(&points, |_, _| true));
        let nearest = server.get("/ogc/collections/p/items?nearest=0,0&limit=3").ids();
        assert_eq!(nearest.len(), count.min(3));
        let north: BTreeSet<String> = paged(&server, "&bbox=-180,0,180,90", 10_000).into_iter().collect();
        assert_eq!(north, expected(&points, |_, lat| lat >= 0.0));
        if count > 0 {
            let last = server.get(&format!("/ogc/collections/p/items/p{}", count - 1));
            assert_eq!(last.json()["geometry"]["coordinates"][0], points[count - 1].0);
        }
    }
}

#[test]
fn the_order_is_the_same_for_every_page_size_and_every_run() {
    let points = points(500, 53);
    let (one, two) = (world(&points), world(&points));
    let (first, second) = (one.serve(), two.serve());
    let whole = paged(&first, "", 10_000);
    for limit in [1, 7, 64, 499, 500] {
        assert_eq!(paged(&second, "", limit), whole);
    }
    let boxed = paged(&first, "&bbox=-180,-90,0,90", 13);
    let order: Vec<&String> = whole.iter().filter(|id| boxed.contains(id)).collect();
    assert_eq!(boxed.iter().collect::<Vec<_>>(), order, "a filter takes rows away and moves none");
}

#[test]
fn owners_do_not_show_in_the_order() {
    let points = points(300, 61);
    let world = World::new();
    for owner in ["a", "b", "c"] {
        let mut csv = String::from("crs,name,lon,lat\n");
        for (number, (lon, lat)) in points
            .iter()
            .enumerate()
            .filter(|(number, _)| number % 3 == usize::from(owner.as_bytes()[0] - b'a'))
        {
            csv.push_str(&format!("p{number},x,{lon},{lat}\n"));
        }
        let mut by_owner = options("stations");
        by_owner.provenance.owner = owner.into();
        world.import("p.csv", csv, &by_owner).unwrap();
    }
    let server = world.serve();
    assert_eq!(paged_of(&server, "stations", "", 17), paged(&self::world(&points).serve(), "", 300));
}

/// What a layer's fields and types are is told by all of its rows: one owner's would show in another's.
#[test]
fn a_layer_is_its_owner_s() {
    let world = World::new();
    world.import("a.csv", "lon,lat,n\n-1,52,1\n", &options("p")).unwrap();
    let mut other = options("p");
    other.provenance.owner = "kent".into();
    let refused = world.import("b.csv", "lon,lat,n,secret\n-1,52,x,y\n", &other).unwrap_err().to_string();
    assert!(refused.contains("p is a layer of local") && refused.contains("another"), "{refused}");
    assert!(!world.serve().get("/ogc/collections/p/queryables").json().to_string().contains("secret"));
    world.import("c.csv", "lon,lat,n\n-1,53,2\n", &options("p")).unwrap();
}

#[test]
fn rows_are_found_by_their_files_ids_or_their_own() {
    let world = World::new();
    let text = r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","id":"a/b c%é+","geometry":null,"properties":{}},{"type":"Feature","geometry":null,"properties":{"n":1}}]}"#;
    world.import("p.geojson", text, &options("p")).unwrap();
    let server = world.serve();
    let ids = server.get("/ogc/collections/p/items").ids();
    assert_eq!(ids.len(), 2);
    for id in &ids {
        let item =
            server.get(&format!("/ogc/collections/p/items/{}", throughline::http::percent::encode(id)));
        assert_eq!(item.status, 200, "{id}");
        assert_eq!(item.json()["id"], *id);
        let own = item.json()["links"][0]["href"].as_str().unwrap().to_owned();
        assert_eq!(server.get(&own[own.find("/ogc").unwrap()..]).body, item.body, "links are encoded once");
    }
    let uuid = ids.iter().find(|id| id.len() == 36).unwrap();
    assert_eq!(server.get(&format!("/ogc/collections/p/items/{}", uuid.to_uppercase())).status, 404);
}
