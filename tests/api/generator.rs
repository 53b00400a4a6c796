//! Requests for every route of the router, for whichever world they are asked of: a route without requests, or a
//! parameter without values, fails the tests that ask them.

use throughline::http::params::Param;
use throughline::http::routes::Route;
use throughline::model::RowId;

use crate::fixtures::Numbers;

/// What requests are about: collections that are there and that are not, ids of rows that are seen and that are hidden,
/// words to search for. Rows stand about 1 W 52 N, and far away at 7.5 W 57.9 N.
pub struct Subject<'a> {
    pub collections: &'a [&'a str],
    pub ids: &'a [&'a str],
    pub words: &'a [&'a str],
}

/// Properties as parameters: values that rows have and that they have not, and words that a field cannot have.
const PROPERTIES: [&str; 6] = [
    "name=Hidden%20station",
    "force=secret-force",
    "country=scotland",
    "trips_per_week=4.5",
    "hub=liverpool",
    "importing_force=kent&trips_per_week=many",
];

/// Requests for a route: its path parameters and query parameters filled in, singly and together.
pub fn requests(route: &Route, about: &Subject<'_>) -> Vec<String> {
    let mut paths = match route.path {
        "/ogc/collections/{collectionId}"
        | "/ogc/collections/{collectionId}/queryables"
        | "/ogc/collections/{collectionId}/items" => {
            about.collections.iter().map(|id| route.path.replace("{collectionId}", id)).collect()
        }
        "/ogc/collections/{collectionId}/items/{featureId}" => {
            let unknown = ["none", "00000000-0000-4000-8000-000000000000"];
            let each = |collection: &&str| {
                let ids = about.ids.iter().chain(&unknown);
                let path = format!("/ogc/collections/{collection}/items");
                ids.map(move |id| format!("{path}/{id}")).collect::<Vec<_>>()
            };
            about.collections.iter().flat_map(each).collect()
        }
        "/tiles/{layers}.json" => {
            let together = about.collections[..2].join(",");
            let layers = about.collections.iter().copied().chain([together.as_str()]);
            layers.map(|id| format!("/tiles/{id}.json")).collect()
        }
        "/tiles/{layers}/{z}/{x}/{y}.mvt" => {
            let mut paths = Vec::new();
            for layer in about.collections {
                // Around 1 W 52 N, where the hidden rows are, and around the far one.
                for tile in
                    ["0/0/0", "5/15/10", "8/127/84", "8/127/85", "10/509/339", "12/2036/1356", "8/122/77"]
                {
                    paths.push(format!("/tiles/{layer}/{tile}.mvt"));
                }
            }
            paths
        }
        "/tiles/{layers}/features/{tileId}.json" => {
            let mut ids: Vec<String> = ["0", "9007199254740991", "x"].map(str::to_owned).to_vec();
            // Ids of hidden and open rows, reckoned here from the rule.
            for id in about.ids {
                let row = RowId::from_public(id);
                let hash = blake3::hash(&row.0.to_be_bytes());
                let low =
                    hash.as_bytes()[..4].iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
                ids.push((low & ((1 << 28) - 1)).to_string());
            }
            let together = about.collections[..2].join(",");
            let layers = about.collections.iter().copied().chain([together.as_str()]);
            let each = |layers: &str| -> Vec<String> {
                ids.iter().map(|id| format!("/tiles/{layers}/features/{id}.json")).collect()
            };
            layers.flat_map(each).collect()
        }
        "/api/search" => about
            .words
            .iter()
            .chain(&["x", "TQ%20123%20456"])
            .map(|words| format!("/api/search?q={words}&limit=20"))
            .chain(["/api/search".to_owned()])
            .collect(),
        "/help/{guide}" => {
            ["analyst", "gis-officer", "none", "..%2Findex"].map(|name| format!("/help/{name}")).into()
        }
        "/assets/{file}" => vec!["/assets/none.js".to_owned(), "/assets/..%2Findex.html".to_owned()],
        plain => {
            assert!(!plain.contains('{'), "the generator has no line for {plain}");
            vec![plain.to_owned()]
        }
    };
    let mut numbers = Numbers(9);
    let bare = paths.clone();
    for path in &bare {
        if path.contains('?') {
            continue;
        }
        for _ in 0..6 {
            let mut query = Vec::new();
            for param in route.params {
                if numbers.next().is_multiple_of(2) {
                    query.push(format!("{}={}", param.name(), value(*param, about, &mut numbers)));
                }
            }
            paths.push(format!("{path}?{}", query.join("&")));
        }
        for param in route.params {
            paths.push(format!("{path}?{}={}", param.name(), value(*param, about, &mut numbers)));
        }
        if route.takes_properties {
            let other = about.words[numbers.next() as usize % about.words.len()];
            for query in PROPERTIES {
                paths.push(format!("{path}?{query}"));
                paths.push(format!("{path}?limit=3&{query}&name={other}"));
            }
        }
        paths.push(format!("{path}?unknown=1"));
    }
    paths
}

fn value(param: Param, about: &Subject<'_>, numbers: &mut Numbers) -> String {
    let (lon, lat) = (numbers.between(-2.0, 0.0), numbers.between(51.0, 53.0));
    match param {
        Param::Bbox => format!("{lon},{lat},{},{}", lon + 1.0, lat + 1.0),
        Param::Datetime => "2020-01-01/2030-01-01".to_owned(),
        Param::Limit => (1 + numbers.next() % 500).to_string(),
        Param::Next => format!("{:016x}{:032x}", numbers.next(), u128::from(numbers.next()) << 64),
        Param::Nearest => format!("{lon},{lat}"),
        Param::Within => format!("-1.0,52.0,{}", numbers.between(0.0, 300_000.0)),
        Param::Properties => {
            let some = ["", "name", "force,name", "country,nothing", "brand", "hub", "line,mode", "kind"];
            some[numbers.next() as usize % some.len()].to_owned()
        }
        Param::Level => {
            ["auto", "place", "area", "force", "region", "county"][numbers.next() as usize % 6].to_owned()
        }
        Param::Zoom => (numbers.next() % 26).to_string(),
        Param::From => ["hubs:liverpool", "forces:secret-force", "regions:london", "hubs:hidden"]
            [numbers.next() as usize % 4]
            .to_owned(),
        Param::To => ["towns:portsmouth", "forces:secret-force", "regions:london", "towns:hidden"]
            [numbers.next() as usize % 4]
            .to_owned(),
        Param::Q => about.words[numbers.next() as usize % about.words.len()].to_owned(),
        Param::Crs => "http%3A%2F%2Fwww.opengis.net%2Fdef%2Fcrs%2FEPSG%2F0%2F27700".to_owned(),
    }
}
