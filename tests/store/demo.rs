//! The synthetic national set: its figures, its rows against schemas and lifecycles, where its addresses stand, and
//! that no number can be read from the store.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;
use std::io::Read;
use std::path::Path;

use geo::Contains;
use geo::Distance;
use geo::Geodesic;
use geo_types::Point;
use proptest::prelude::*;
use throughline::demo;
use throughline::demo::Record;
use throughline::demo::SelfCheck;
use throughline::demo::Settings;
use throughline::model::CollectionSchema;
use throughline::model::FieldType;
use throughline::model::GeometryKind;
use throughline::model::Position;
use throughline::model::Value;
use throughline::model::collections::addresses;
use throughline::model::collections::built_in;
use throughline::model::feature::RowHasher;
use throughline::model::feature::row_hash_sum;
use throughline::model::lifecycle;
use throughline::model::schema::SchemaGeometry;
use throughline::ops::demo::DemoReport;
use throughline::store::Register;
use throughline::store::Store;

use crate::fixtures::World;
use crate::fixtures::options;
use crate::fixtures::test_data;
use crate::fixtures::write_demo;

const NATIONAL: Settings = Settings { seed: demo::SEED, scale: 1.0 };

fn rows(settings: Settings) -> Vec<Record> {
    let mut rows = Vec::new();
    demo::generate(&settings, &|_| false, &mut |record| {
        rows.push(record);
        Ok(())
    })
    .unwrap();
    rows
}

fn schemas() -> HashMap<&'static str, CollectionSchema> {
    demo::COLLECTIONS.into_iter().map(|id| (id, built_in(id).unwrap().unwrap())).collect()
}

/// A committed table as rows of named cells.
fn reference(name: &str) -> Vec<HashMap<String, String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/reference").join(name);
    csv::Reader::from_path(path).unwrap().deserialize().map(|row| row.unwrap()).collect()
}

/// Hash sums of the collections' rows in one text.
fn fingerprint(rows: &[Record]) -> String {
    let schemas = schemas();
    let mut sums: BTreeMap<&str, (u64, u128)> = BTreeMap::new();
    let mut hashers: HashMap<&str, RowHasher> =
        schemas.iter().map(|(id, schema)| (*id, RowHasher::new(schema))).collect();
    for Record { collection, row, provenance, .. } in rows {
        let geometry = row.geometry.as_ref().map(throughline::model::Geometry::as_ref);
        let hasher = hashers.get_mut(collection).unwrap();
        let hash = hasher.hash(provenance, None, geometry, |field| row.values[field].as_ref());
        let (count, sum) = sums.entry(collection).or_default();
        *count += 1;
        *sum = sum.wrapping_add(row_hash_sum(&hash)).wrapping_add(row.id.unwrap().0);
    }
    let text: Vec<String> =
        sums.iter().map(|(id, (count, sum))| format!("{id} {count} {sum:032x}")).collect();
    text.join("\n")
}

#[test]
fn the_national_set_passes_its_self_check_and_is_the_same_everywhere() {
    let rows = rows(NATIONAL);
    let mut check = SelfCheck::new(&NATIONAL);
    for row in &rows {
        check.see(row);
    }
    let table = check.table();
    assert!(table.len() >= 25);
    for line in &table {
        assert!(line.passes, "{line:?}");
    }
    insta::assert_snapshot!("national_set", fingerprint(&rows));
    // The table can fail: without its referrals and closures of 2024 the set misses its floors.
    let mut poorer = SelfCheck::new(&NATIONAL);
    for row in rows.iter().filter(|row| row.collection != "referrals") {
        poorer.see(row);
    }
    assert!(poorer.table().iter().any(|line| !line.passes));
}

#[test]
fn half_and_twice_the_country_pass_too() {
    for scale in [0.5, 2.0] {
        let settings = Settings { seed: demo::SEED, scale };
        let mut check = SelfCheck::new(&settings);
        demo::generate(&settings, &|_| false, &mut |record| {
            check.see(&record);
            Ok(())
        })
        .unwrap();
        let missed: Vec<_> = check.table().into_iter().filter(|line| !line.passes).collect();
        assert!(missed.is_empty(), "{scale}: {missed:?}");
    }
}

/// What of a value does not fit its field.
fn fault(schema: &CollectionSchema, field: usize, value: &Value) -> Option<String> {
    let description = &schema.fields[field];
    let fits = match (value, description.field_type) {
        (Value::Null, _)
        | (Value::Bool(_), FieldType::Boolean)
        | (Value::Int(_), FieldType::Integer)
        | (Value::Timestamp(_), FieldType::Timestamp) => true,
        (Value::Float(number), FieldType::Number) => number.is_finite() && *number >= 0.0,
        (Value::Text(text), FieldType::Text) => match &description.lifecycle {
            Some(name) => lifecycle::states(name).unwrap().contains(&text.as_str()),
            None => !text.is_empty(),
        },
        (Value::Date(day), FieldType::Date) => {
            // A check-back may be due after the present; nothing else is known from the future.
            *day <= demo::PRESENT || description.name == "check_back_due"
        }
        _ => false,
    };
    (!fits).then(|| format!("{} {}: {value:?}", schema.id, description.name))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn every_row_obeys_its_schema_its_lifecycle_and_its_references(seed in any::<u64>(), scale in 0.1..0.4_f64) {
        let rows = rows(Settings { seed, scale });
        let schemas = schemas();
        let mut ids: HashMap<&str, HashSet<String>> = HashMap::new();
        for name in ["hubs", "towns", "forces"] {
            let known = reference(&format!("{name}.csv")).into_iter().map(|row| row["id"].clone());
            ids.insert(name, known.collect());
        }
        ids.insert("stations", reference("stations.csv").into_iter().map(|row| row["crs"].clone()).collect());
        for row in &rows {
            let id = row.row.id.unwrap().to_string();
            prop_assert!(ids.entry(row.collection).or_default().insert(id), "an id comes twice");
        }
        for Record { collection, row, provenance, .. } in &rows {
            let schema = &schemas[collection];
            prop_assert_eq!(row.values.len(), schema.fields.len());
            let kind = row.geometry.as_ref().map(|geometry| geometry.kind().broad());
            prop_assert_eq!(kind, match schema.geometry {
                SchemaGeometry::Point => Some(GeometryKind::Point),
                SchemaGeometry::Line => Some(GeometryKind::Line),
                _ => None,
            });
            for (field, value) in row.values.iter().enumerate() {
                prop_assert_eq!(fault(schema, field, value), None);
                if let (Some(target), Value::Text(id)) = (&schema.fields[field].references, value) {
                    prop_assert!(ids[target.as_str()].contains(id), "{} names {} {}", collection, target, id);
                }
            }
            // A link has a length.
            if let Some(Value::Int(metres)) = schema.position("distance_m").map(|at| &row.values[at]) {
                prop_assert!(*metres > 1_000, "{metres} m");
            }
            // What begins ends later.
            if let [start, end] = schema.time.as_slice() {
                let at = |name: &String| &row.values[schema.position(name).unwrap()];
                match (at(start), at(end)) {
                    (Value::Date(a), Value::Date(b)) => prop_assert!(a <= b, "{collection} {a} {b}"),
                    (Value::Timestamp(a), Value::Timestamp(b)) => prop_assert!(a < b),
                    (Value::Date(_), Value::Null) => {}
                    other => prop_assert!(false, "{collection} {other:?}"),
                }
            }
            let invented = &row.values[schema.position("synthetic").unwrap()];
            prop_assert_eq!(invented, &Value::Bool(true));
            prop_assert!(provenance.synthetic && ids["forces"].contains(&provenance.owner));
            prop_assert_eq!(provenance.marking.as_str(), "OFFICIAL-SENSITIVE");
        }
    }
}

/// A text value by field name.
fn text<'a>(row: &'a Record, schema: &CollectionSchema, name: &str) -> &'a str {
    match &row.row.values[schema.position(name).unwrap()] {
        Value::Text(text) => text,
        other => panic!("{name}: {other:?}"),
    }
}

fn place(row: &Record) -> Position {
    row.row.geometry.as_ref().unwrap().as_ref().positions[0]
}

#[test]
fn invented_addresses_stand_on_the_lattice_on_land_inside_their_town() {
    let schema = built_in(addresses::COLLECTION).unwrap().unwrap();
    let towns: HashMap<String, (Point, f64)> = reference("towns.csv")
        .into_iter()
        .map(|row| {
            let number = |name: &str| row[name].parse::<f64>().unwrap();
            (row["id"].clone(), (Point::new(number("lon"), number("lat")), number("population")))
        })
        .collect();
    let all: Vec<Record> =
        rows(NATIONAL).into_iter().filter(|row| row.collection == addresses::COLLECTION).collect();
    assert!(all.len() > 35_000);
    for row in &all {
        let at = place(row);
        assert!(demo::is_on_lattice(at));
        let (centre, people) = towns[text(row, &schema, "town")];
        let away = Geodesic.distance(centre, Point::new(at.lon_degrees(), at.lat_degrees()));
        // Within the reach, a hundredth more for the ellipsoid; a hamlet may have to step aside from water.
        assert!(away <= demo::reach_km(people) * 1_010.0 + 2_200.0, "{away} m");
        assert!(text(row, &schema, "address").contains(", ZZ99 "));
        assert!(text(row, &schema, "uprn").starts_with("9990"));
    }
    let Some(path) = test_data("coastline_gb_ie.geojson.gz") else { return };
    let mut json = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut json).unwrap();
    let coast: geojson::FeatureCollection = json.parse::<geojson::GeoJson>().unwrap().try_into().unwrap();
    let land: Vec<geo_types::Geometry> =
        coast.features.into_iter().filter_map(|feature| feature.geometry?.try_into().ok()).collect();
    let boxes: Vec<Option<geo_types::Rect>> = land.iter().map(geo::BoundingRect::bounding_rect).collect();
    let sample: Vec<&Record> = all.iter().step_by(37).collect();
    let dry = |at: Position| {
        let point = Point::new(at.lon_degrees(), at.lat_degrees());
        let near = |bounds: &Option<geo_types::Rect>| bounds.is_some_and(|bounds| bounds.contains(&point));
        land.iter().zip(&boxes).any(|(part, bounds)| near(bounds) && part.contains(&point))
    };
    let wet = sample.iter().filter(|row| !dry(place(row))).count();
    assert!(wet * 1_000 <= sample.len(), "{wet} of {} stand in the water", sample.len());
}

#[test]
fn no_invented_address_stands_on_a_loaded_building() {
    let world = World::new();
    // Half of Portsmouth is one building.
    let west = -1.085;
    let block = format!(
        "{{\"type\":\"Polygon\",\"coordinates\":[[[{west},50.7],[-1.0,50.7],[-1.0,50.9],[{west},50.9],[{west},50.7]]]}}"
    );
    let file = format!("{{\"type\":\"Feature\",\"properties\":{{}},\"geometry\":{block}}}");
    world.import("buildings.geojson", file, &options("buildings")).unwrap();
    write_demo(world.store.path(), Settings { seed: 3, scale: 0.2 }).unwrap();
    let view = world.gate().view(&throughline::access::Principal::LocalOperator);
    let collection = view.collection(addresses::COLLECTION).unwrap();
    let mut met = 0;
    for group in collection.groups() {
        for row in 0..group.len() {
            if group.text(collection.place(&addresses::TOWN), row) == Some("portsmouth") {
                let at = group.geometry(row).unwrap().positions[0];
                met += 1;
                assert!(at.lon_degrees() < west, "{at:?}");
            }
        }
    }
    assert!(met > 20, "{met}");
}

#[test]
fn the_store_is_small_and_no_number_stands_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo.gpkg");
    let DemoReport { rows, truth, .. } = write_demo(&path, NATIONAL).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    // Two indexes of each collection, by which a write of a few rows reads few pages, are a tenth of it.
    assert!(bytes.len() < 70_000_000, "{} bytes", bytes.len());
    let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    // The range that Ofcom keeps for drama, as people and machines write it.
    for number in ["7700900", "7700 900", "7700-900", "07700 9", "+447700"] {
        assert!(!has(number), "{number} stands in the store");
    }
    // The search finds what does stand there.
    assert!(has("OFFICIAL-SENSITIVE") && has("Portsmouth") && has("ZZ99"));
    let store = Store::open(&path).unwrap();
    let reader = store.reader().unwrap();
    assert_eq!(reader.reference_date().unwrap().as_deref(), Some("2024-04-30"));
    let numbers = reader.collection("numbers").unwrap().unwrap();
    assert_eq!(numbers.rows, rows["numbers"]);
    assert!(numbers.rows > 10_000);
    drop(reader);
    drop(store);

    // The truth has a row for each record of a line: about three in twenty lines are held more than once.
    assert_eq!(truth.len() as u64, rows["lines"]);
    let doubles = truth.iter().filter(|one| one.record != one.line).count();
    let lives = truth.len() - doubles;
    let held_twice: HashSet<_> =
        truth.iter().filter(|one| one.record != one.line).map(|one| one.line).collect();
    let share = held_twice.len() as f64 / lives as f64;
    assert!((0.12..0.17).contains(&share), "{share}");
    for kind in ["other name", "other days", "other town", "no number", "same number"] {
        assert!(truth.iter().any(|one| one.dirt.contains(&kind)), "{kind}");
    }
    assert!(!has("other town"), "the store does not know the truth");

    // Once is enough.
    let again = write_demo(&path, NATIONAL).unwrap_err();
    assert!(again.to_string().contains("already"), "{again}");
}

#[test]
fn an_operational_store_takes_no_invented_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("real.gpkg");
    drop(Store::create(&path, Register::Operational).unwrap());
    let refused = write_demo(&path, Settings { seed: 1, scale: 0.1 }).unwrap_err();
    assert!(refused.to_string().contains("operational"), "{refused}");
    let store = Store::open(&path).unwrap();
    assert_eq!(store.reader().unwrap().collections().unwrap().len(), 0, "nothing was written");
}

#[test]
fn returns_of_forces_have_three_malformed_rows_in_a_hundred_and_an_import_finds_each() {
    let settings = Settings { seed: demo::SEED, scale: 1.0 };
    let (sheet, truth) = demo::returns(&settings).unwrap();
    let wrong: Vec<(u64, &str)> =
        truth.iter().zip(1..).filter_map(|((_, fault), row)| Some((row, (*fault)?))).collect();
    let share = wrong.len() as f64 / truth.len() as f64;
    assert!((0.02..0.04).contains(&share), "{share}");
    let world = World::new();
    let report = world.import("returns.csv", sheet, &options("returns")).unwrap();
    assert_eq!(
        (report.rejected, report.accepted + report.rejected),
        (wrong.len() as u64, truth.len() as u64)
    );
    let found: Vec<(u64, &str)> =
        report.rows.iter().filter(|note| note.rejected).map(|note| (note.row, note.fault.code)).collect();
    assert_eq!(found, wrong);
}
