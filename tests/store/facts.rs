//! Each published fact against public data: towns, hubs, stations, corridors, forces, links from London.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use geo::BoundingRect;
use geo::Distance;
use geo::Euclidean;
use geo::Geodesic;
use geo::Intersects;
use geo_types::Geometry;
use geo_types::Line;
use geo_types::Point;
use geo_types::Polygon;
use geo_types::Rect;
use throughline::model::crs::grid_to_lon_lat;

use crate::fixtures::test_data;

type Row = HashMap<String, String>;

fn rows_of(content: impl Read) -> Vec<Row> {
    csv::Reader::from_reader(content).deserialize().map(|row| row.unwrap()).collect()
}

fn unzipped(path: &Path) -> impl Read + use<> {
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap())
}

fn reference_file(name: &str) -> std::fs::File {
    std::fs::File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/reference").join(name)).unwrap()
}

fn reference(name: &str) -> Vec<Row> {
    rows_of(reference_file(name))
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap()
}

fn position(row: &Row) -> Point {
    Point::new(number(row, "lon"), number(row, "lat"))
}

/// A row of a file with unique values in `column`, by that value.
fn keyed(rows: Vec<Row>, column: &str) -> BTreeMap<String, Row> {
    let count = rows.len();
    let keyed: BTreeMap<String, Row> = rows.into_iter().map(|row| (row[column].clone(), row)).collect();
    assert_eq!(keyed.len(), count, "{column} is unique");
    keyed
}

#[test]
fn forces_stand_in_one_region_each() {
    let forces = keyed(reference("forces.csv"), "id");
    let regions = keyed(reference("regions.csv"), "id");
    assert_eq!((forces.len(), regions.len()), (46, 10));
    let mut members: BTreeMap<&str, usize> = BTreeMap::new();
    let mut without = Vec::new();
    for (id, force) in &forces {
        assert_eq!(force["edition"], "2026-11");
        match force["region"].as_str() {
            "" => without.push(id.as_str()),
            region => *members.entry(region).or_insert(0) += 1,
        }
    }
    assert_eq!(without, ["btp", "northern-ireland", "scotland"]);
    assert_eq!(forces.values().filter(|force| force["territorial"] == "false").count(), 1);
    assert_eq!(members.values().sum::<usize>(), 43, "the territorial forces of England and Wales");
    assert!(members.keys().all(|region| regions.contains_key(*region)));
    for (id, region) in &regions {
        assert_eq!(region["edition"], "2026-11");
        assert_eq!(region["forces"], members[id.as_str()].to_string(), "{id}");
    }
}

#[test]
fn towns_are_of_every_force() {
    let forces = keyed(reference("forces.csv"), "id");
    let towns = keyed(reference("towns.csv"), "id");
    assert_eq!(towns.len(), 395, "at least 220 are promised");
    let mut seen = BTreeSet::new();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for (id, town) in &towns {
        assert!(number(town, "population") >= 1.0, "{id}");
        assert!(!town["name"].is_empty() && !town["county"].is_empty(), "{id}");
        assert!(!town["population_source"].is_empty(), "{id}");
        assert_eq!(town["region"], forces[&town["force"]]["region"], "{id}");
        seen.insert(town["force"].as_str());
        *kinds.entry(&town["kind"]).or_insert(0) += 1;
    }
    let kinds: Vec<(&str, usize)> = kinds.into_iter().collect();
    assert_eq!(kinds, [("coastal", 101), ("market", 195), ("rural", 12), ("urban", 87)]);
    // The City has no town of its own, the Transport Police no area.
    let without: Vec<&str> = forces.keys().map(String::as_str).filter(|id| !seen.contains(id)).collect();
    assert_eq!(without, ["btp", "city-of-london"]);
    let london: Vec<&Row> = towns.values().filter(|town| town["force"] == "metropolitan").collect();
    assert_eq!(london.len(), 14);
    assert!(london.iter().all(|town| town["county"] == "Greater London" && town["region"] == "london"));
}

#[test]
fn hubs_are_every_district_of_the_exporting_forces() {
    let forces = keyed(reference("forces.csv"), "id");
    let hubs = keyed(reference("hubs.csv"), "id");
    let exporters = [
        // 33 districts of London less the City (E09000001), which has its own force.
        ("metropolitan", "London", "E090000", 2..=33),
        ("greater-manchester", "Greater Manchester", "E080000", 1..=10),
        ("merseyside", "Merseyside", "E080000", 11..=15),
        ("west-midlands", "West Midlands", "E080000", 25..=31),
    ];
    let mut primary = 0;
    for (force, area, prefix, numbers) in exporters {
        let expected: BTreeSet<String> = numbers.map(|number| format!("{prefix}{number:02}")).collect();
        let found: Vec<&Row> = hubs.values().filter(|hub| hub["force"] == force).collect();
        assert_eq!(found.iter().map(|hub| hub["district"].clone()).collect::<BTreeSet<_>>(), expected);
        assert!(found.iter().all(|hub| hub["role"] == "primary" && hub["area"] == area));
        primary += found.len();
    }
    assert_eq!((primary, hubs.len()), (32 + 10 + 5 + 7, 70));
    for (id, hub) in &hubs {
        assert!(number(hub, "population") > 100_000.0, "{id}");
        assert_eq!(hub["region"], forces[&hub["force"]]["region"], "{id}");
        assert!(hub["role"] == "primary" || hub["role"] == "secondary" && hub["area"] == hub["name"], "{id}");
    }
}

#[test]
fn stations_off_the_regulators_list_are_the_known_six() {
    let stations = keyed(reference("stations.csv"), "crs");
    // West of Greenwich; a common source has it at 0.048 east.
    assert!((-0.06..-0.04).contains(&number(&stations["SQE"], "lon")), "{:?}", stations["SQE"]);
    let Some(file) = test_data("orr_station_usage_2015_16.csv.gz") else { return };
    let (mut found, mut off, mut gone) = (0, Vec::new(), Vec::new());
    for known in rows_of(unzipped(&file)) {
        let code = known["crs"].clone();
        let Some(station) = stations.get(&code) else {
            gone.push(code);
            continue;
        };
        let (lon, lat) = grid_to_lon_lat(number(&known, "easting"), number(&known, "northing")).unwrap();
        let metres = Geodesic.distance(Point::new(lon, lat), position(station));
        found += 1;
        off.extend((metres > 300.0).then_some((code, metres.round())));
    }
    off.sort_by(|a, b| a.0.cmp(&b.0));
    gone.sort();
    assert_eq!((found, found - off.len()), (2_552, 2_546), "{off:?}");
    let codes: Vec<&str> = off.iter().map(|(code, _)| code.as_str()).collect();
    // Moved since: Hairmyres, Rochester. The regulator's reference is off: New Cross, Shawfair. Large: Heathrow
    // Terminal 5 (312 m), Pye Corner (321 m).
    assert_eq!(codes, ["HMY", "HWV", "NWX", "PYE", "RTR", "SFI"], "{off:?}");
    assert_eq!(gone, ["AGR", "IBM", "LHR", "RBS", "SMC"], "closed or renumbered");
}

/// A name without case, blanks and marks.
fn plain(name: &str) -> String {
    name.to_lowercase().replace("saint ", "st ").chars().filter(|letter| letter.is_alphanumeric()).collect()
}

#[test]
fn towns_stand_where_the_index_of_place_names_has_them() {
    let Some(file) = test_data("ons_index_of_place_names_gb_2022.csv.gz") else { return };
    let settlements = ["LOC", "BUA", "BUASD", "PAR", "CA", "UA", "NMD", "MD", "COM"];
    let mut index: HashMap<String, Vec<Point>> = HashMap::new();
    for entry in rows_of(unzipped(&file)) {
        if settlements.contains(&entry["description_code"].as_str()) {
            index.entry(plain(&entry["name"])).or_default().push(position(&entry));
        }
    }
    let (mut near, mut off, mut absent) = (0, Vec::new(), Vec::new());
    for (id, town) in keyed(reference("towns.csv"), "id") {
        if town["force"] == "northern-ireland" {
            continue;
        }
        let here = position(&town);
        let metres = index
            .get(&plain(&town["name"]))
            .and_then(|entries| entries.iter().map(|at| Geodesic.distance(here, *at)).min_by(f64::total_cmp));
        match metres {
            None => absent.push(id),
            Some(metres) if metres > 2_000.0 => off.push((id, (metres / 100.0).round() / 10.0)),
            Some(_) => near += 1,
        }
    }
    // The index knows these as Kingston upon Hull, Abingdon-on-Thames and Letchworth.
    assert_eq!(absent, ["abingdon", "hull", "letchworth-garden-city"]);
    let off: Vec<(&str, f64)> = off.iter().map(|(id, km)| (id.as_str(), *km)).collect();
    // Kilometres. Brighton and Newtown: only namesakes. Bootle: GeoNames' position is coarse. The rest: the index
    // gives the middle of a district or of the built-up area.
    let expected = [
        ("birkenhead", 2.8),
        ("bolton", 2.6),
        ("bootle", 2.5),
        ("brighton", 344.4),
        ("bury", 2.4),
        ("dudley", 2.0),
        ("newtown", 30.1),
        ("oxford", 2.3),
        ("poole", 2.9),
    ];
    assert_eq!(off, expected);
    assert_eq!(near, 380, "of 392 in Great Britain; every one of the 14 in London");
}

#[test]
fn stations_of_towns_and_hubs_are_the_nearest() {
    let stations = keyed(reference("stations.csv"), "crs");
    let minutes_of = |metres: f64| metres * 1.3 / 80.0;
    let mut none = Vec::new();
    for place in reference("towns.csv").into_iter().chain(reference("hubs.csv")) {
        let id = place["id"].clone();
        let here = position(&place);
        // Geodesic distance, where the file has a sphere: within 1 % of one another.
        let mut near: BTreeMap<&str, f64> = stations
            .iter()
            .map(|(code, station)| (code, position(station)))
            .filter(|(_, at)| (at.x() - here.x()).abs() < 0.8 && (at.y() - here.y()).abs() < 0.4)
            .map(|(code, at)| (code.as_str(), Geodesic.distance(here, at)))
            .collect();
        let (mut count, mut last) = (0, 0.0);
        for entry in place["stations"].split_whitespace() {
            let (code, minutes) = entry.split_once(':').unwrap();
            let metres = near.remove(code).unwrap();
            let minutes: f64 = minutes.parse().unwrap();
            assert!(minutes >= minutes_of(metres * 0.99), "{id} {entry}: {metres}");
            assert!(minutes < minutes_of(metres * 1.01) + 1.0, "{id} {entry}: {metres}");
            assert!(metres >= last * 0.99, "{id}: nearest first");
            (count, last) = (count + 1, metres);
        }
        let next = near.values().copied().min_by(f64::total_cmp).unwrap_or(f64::INFINITY);
        assert!(count <= 3 && last <= next * 1.01, "{id}: {last} {next}");
        match count {
            0 => {
                assert!(next > 40_000.0 * 0.99, "{id}: {next}");
                none.push(id);
            }
            1 if last > 6_000.0 * 0.99 => assert!(last < 40_000.0 * 1.01, "{id}: {last}"),
            _ => {
                let all = count == 3 || next > 6_000.0 * 0.99;
                assert!(all && last < 6_000.0 * 1.01, "{id}: {last} {next}");
            }
        }
    }
    none.sort();
    // Two north of Aberdeen; Northern Ireland has none in the list.
    assert_eq!(none, ["ballymena", "coleraine", "fraserburgh", "peterhead", "portrush"]);
}

/// Track in squares of 0.02 degrees: more than a kilometre each way in Great Britain.
fn square(at: Point) -> (i32, i32) {
    ((at.x() * 50.0).floor() as i32, (at.y() * 50.0).floor() as i32)
}

fn metres_to_segment(here: Point, segment: Line) -> f64 {
    let latitude = here.y().to_radians();
    let (x, y) = (111_320.0 * latitude.cos(), 111_133.0 - 560.0 * (2.0 * latitude).cos());
    let local = |at: Point| Point::new((at.x() - here.x()) * x, (at.y() - here.y()) * y);
    let (start, end) = (local(segment.start_point()), local(segment.end_point()));
    Euclidean.distance(&Point::new(0.0, 0.0), &Line::new(start, end))
}

fn squares_of_track(path: &Path) -> HashMap<(i32, i32), Vec<Line>> {
    let collection: geojson::FeatureCollection = serde_json::from_reader(unzipped(path)).unwrap();
    let mut squares: HashMap<(i32, i32), Vec<Line>> = HashMap::new();
    for feature in collection.features {
        let Geometry::LineString(line) = Geometry::try_from(feature.geometry.unwrap()).unwrap() else {
            unreachable!("track is lines");
        };
        for segment in line.lines() {
            let ends = segment.bounding_rect();
            let (low, high) = (square(ends.min().into()), square(ends.max().into()));
            for column in low.0..=high.0 {
                for row in low.1..=high.1 {
                    squares.entry((column, row)).or_default().push(segment);
                }
            }
        }
    }
    squares
}

#[test]
fn corridors_run_along_the_track_at_the_speed_of_trains() {
    let stations = keyed(reference("stations.csv"), "crs");
    let mut corridors: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in reference("corridors.csv") {
        // Sequences and times are by hand: all assumed.
        assert_eq!(row["marker"], "A");
        corridors.entry(row["id"].clone()).or_default().push(row);
    }
    assert_eq!(corridors.len(), 145, "at least 60 are promised");
    let (mut slowest, mut fastest, mut vertices) = (f64::INFINITY, 0.0_f64, BTreeSet::new());
    for (id, rows) in &corridors {
        assert!(rows.len() >= 2, "{id}");
        for (place, row) in rows.iter().enumerate() {
            assert_eq!(row["seq"], (place + 1).to_string(), "{id}");
            assert!(stations.contains_key(&row["crs"]), "{id}: {}", row["crs"]);
            vertices.insert(row["crs"].as_str());
        }
        for section in rows.windows(2) {
            let by = |column: &str| number(&section[1], column) - number(&section[0], column);
            let (metres, seconds) = (by("chainage_m"), by("running_time_s"));
            assert!(metres > 0.0 && seconds > 0.0, "{id} {}", section[1]["crs"]);
            let speed = 3.6 * metres / seconds;
            assert!((30.0..=200.0).contains(&speed), "{id} {}: {speed} km/h", section[1]["crs"]);
            (slowest, fastest) = (slowest.min(speed), fastest.max(speed));
        }
    }
    assert_eq!((slowest.round(), fastest.round()), (35.0, 172.0));
    let Some(file) = test_data("gb_rail_lines.geojson.gz") else { return };
    let squares = squares_of_track(&file);
    for code in vertices {
        let here = position(&stations[code]);
        let (column, row) = square(here);
        let metres = (column - 1..=column + 1)
            .flat_map(|column| (row - 1..=row + 1).map(move |row| (column, row)))
            .filter_map(|at| squares.get(&at))
            .flatten()
            .map(|segment| metres_to_segment(here, *segment))
            .min_by(f64::total_cmp);
        assert!(metres.is_some_and(|metres| metres <= 1_000.0), "{code}: {metres:?}");
    }
}

#[test]
fn links_from_london_are_the_published_ones() {
    let forces = keyed(reference("forces.csv"), "id");
    let links = reference("london-links.csv");
    assert!(links.windows(2).all(|pair| pair[0]["force"] < pair[1]["force"]), "sorted, no force twice");
    for (year, all, top) in [("lines_2019", 3_227.0, 1_701.0), ("lines_2020", 2_729.0, 1_370.0)] {
        let mut lines: Vec<f64> = links.iter().map(|row| number(row, year)).collect();
        lines.sort_by(|a, b| b.total_cmp(a));
        assert_eq!((lines.iter().sum::<f64>(), lines[..5].iter().sum::<f64>()), (all, top));
        // The five forces with most lines have a little over half.
        assert!((0.50..=0.55).contains(&(top / all)), "{year}");
    }
    let Some(file) = test_data("london_links_by_force.csv") else { return };
    let mut published = rows_of(std::fs::File::open(file).unwrap());
    assert_eq!((published.len(), links.len()), (37, 37));
    for row in &mut published {
        let name = row["force"].clone();
        let id = name.to_lowercase().replace(' ', "-");
        let word = name.split(' ').next().unwrap();
        assert!(forces[&id]["name"].starts_with(word), "{name}");
        row.insert("force".to_owned(), id);
    }
    published.sort_by(|a, b| a["force"].cmp(&b["force"]));
    assert_eq!(published, links);
}

/// Polygons with the names of their areas and their boxes.
struct Areas(Vec<(String, Rect, Polygon)>);

impl Areas {
    fn read(content: impl Read, name: impl Fn(&geojson::Feature) -> String) -> Self {
        let collection: geojson::FeatureCollection = serde_json::from_reader(content).unwrap();
        let mut areas = Vec::new();
        for mut feature in collection.features {
            let name = name(&feature);
            let Some(geometry) = feature.geometry.take() else { continue };
            let polygons = match Geometry::try_from(geometry).unwrap() {
                Geometry::Polygon(polygon) => vec![polygon],
                Geometry::MultiPolygon(polygons) => polygons.0,
                _ => unreachable!("areas are polygons"),
            };
            for polygon in polygons {
                areas.push((name.clone(), polygon.bounding_rect().unwrap(), polygon));
            }
        }
        Self(areas)
    }

    fn at(&self, here: Point) -> Option<&str> {
        let holds = |(_, window, polygon): &&(String, Rect, Polygon)| {
            window.intersects(&here) && polygon.intersects(&here)
        };
        self.0.iter().find(holds).map(|(name, _, _)| name.as_str())
    }
}

#[test]
fn force_areas_hold_the_crimes_of_their_force_and_agree_with_the_official_ones() {
    let Some(points) = test_data("policeuk_all_points_2018-10_2019-02_compact.csv.gz") else { return };
    let Some(official) = test_data("police_force_areas_ew_2016_detailed.geojson.gz") else { return };
    let code: BTreeMap<String, String> =
        reference("forces.csv").into_iter().map(|row| (row["code"].clone(), row["id"].clone())).collect();
    let ours = Areas::read(reference_file("forces.geojson"), |feature| {
        feature.property("id").unwrap().as_str().unwrap().to_owned()
    });
    let theirs = Areas::read(unzipped(&official), |feature| {
        code[feature.property("code").unwrap().as_str().unwrap()].clone()
    });
    let mut reader = csv::Reader::from_reader(unzipped(&points));
    let headings: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(headings, ["month", "force", "type", "lon", "lat"]);
    let mut record = csv::ByteRecord::new();
    let (mut rows, mut sample, mut own, mut both, mut same) = (0, 0, 0, 0, 0);
    while reader.read_byte_record(&mut record).unwrap() {
        rows += 1;
        let text = |column: usize| std::str::from_utf8(&record[column]).unwrap();
        if (rows - 1) % 50 != 0 || text(1) == "btp" {
            continue;
        }
        let here = Point::new(text(3).parse().unwrap(), text(4).parse().unwrap());
        let (mine, official) = (ours.at(here), theirs.at(here));
        sample += 1;
        own += i32::from(mine == Some(text(1)));
        both += i32::from(mine.is_some() && official.is_some());
        same += i32::from(mine.is_some() && mine == official);
    }
    assert_eq!((rows, sample), (1_729_861, 34_105));
    // No official area here holds Northern Ireland (1,210 points); 76 more lie outside either, on piers and coasts.
    assert_eq!(sample - both, 1_286);
    // 32,788 of 32,819 (99.91 %), and 33,948 of 34,105 (99.54 %).
    assert!(f64::from(same) >= f64::from(both) * 0.995, "{same} of {both} agree with the official area");
    assert!(f64::from(own) >= f64::from(sample) * 0.995, "{own} of {sample} are in the area of their force");
}
