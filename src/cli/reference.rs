//! The reference facts that come with the program.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::Context;
use serde::Deserialize;
use serde_json::json;

use crate::import::About;
use crate::import::Format;
use crate::import::ImportOptions;
use crate::import::import;
use crate::model::Provenance;
use crate::model::collections::corridors;
use crate::store::Store;

/// Collection, format and text; sources and licences are in `data/README.md`.
const REFERENCE: [(&str, Format, &str); 7] = [
    ("regions", Format::GeoJson, include_str!("../../data/reference/regions.geojson")),
    ("forces", Format::GeoJson, include_str!("../../data/reference/forces.geojson")),
    ("areas", Format::GeoJson, include_str!("../../data/reference/areas.geojson")),
    ("stations", Format::Csv, STATIONS),
    ("places", Format::Csv, include_str!("../../data/reference/places.csv")),
    ("towns", Format::Csv, include_str!("../../data/reference/towns.csv")),
    ("hubs", Format::Csv, include_str!("../../data/reference/hubs.csv")),
];

const STATIONS: &str = include_str!("../../data/reference/stations.csv");
const CORRIDORS: &str = include_str!("../../data/reference/corridors.csv");

/// Imports those reference collections that the store lacks: one made by an import, or by an earlier version, gets
/// what the map is labelled with. A layer that somebody has given such a name is left alone.
///
/// # Errors
/// If a file or the store is refused.
pub fn add_missing_reference(store: &Store) -> anyhow::Result<()> {
    let known = store.reader()?.collections()?;
    import_some(store, |id| known.iter().all(|stored| stored.schema.id != id))
}

/// Imports the reference facts; rows that are there already stay as they are.
///
/// # Errors
/// If a file or the store is refused.
pub fn import_reference(store: &Store) -> anyhow::Result<()> {
    import_some(store, |_| true)
}

fn import_some(store: &Store, wanted: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("a temporary folder")?;
    let mut all: Vec<(&str, Format, Cow<'_, str>)> =
        REFERENCE.into_iter().map(|(id, format, text)| (id, format, text.into())).collect();
    all.push((
        corridors::COLLECTION,
        Format::GeoJson,
        corridors_as_geojson().context("data/reference/corridors.csv")?.into(),
    ));
    for (collection, format, text) in all.into_iter().filter(|(id, ..)| wanted(id)) {
        let file = folder.path().join(collection);
        std::fs::write(&file, text.as_bytes()).with_context(|| file.display().to_string())?;
        let options = ImportOptions {
            into: collection.to_owned(),
            format: Some(format),
            layer: None,
            id: None,
            time: Vec::new(),
            about: About::default(),
            provenance: Provenance::open("reference"),
            dry_run: false,
            strict: true,
        };
        import(store, &file, &options, &Arc::new(AtomicU64::new(0)))
            .with_context(|| format!("the reference facts of {collection}"))?;
    }
    Ok(())
}

/// The committed corridors, a station a row, as one line each through its stations.
fn corridors_as_geojson() -> anyhow::Result<String> {
    let mut places = HashMap::new();
    for record in csv::Reader::from_reader(STATIONS.as_bytes()).deserialize() {
        let station: StationRow = record?;
        places.insert(station.crs, [station.lon, station.lat]);
    }
    let stops: Vec<CorridorRow> =
        csv::Reader::from_reader(CORRIDORS.as_bytes()).deserialize().collect::<Result<_, _>>()?;
    let mut features = Vec::new();
    for corridor in stops.chunk_by(|a, b| a.id == b.id) {
        let (Some(first), Some(last)) = (corridor.first(), corridor.last()) else { continue };
        let codes: Vec<&str> = corridor.iter().map(|stop| stop.crs.as_str()).collect();
        let line: Option<Vec<[f64; 2]>> = codes.iter().map(|code| places.get(*code).copied()).collect();
        let line = line.with_context(|| format!("{} has a station that is not listed", first.id))?;
        let each = |value: fn(&CorridorRow) -> i64| corridor.iter().map(value).collect::<Vec<_>>();
        features.push(json!({
            "type": "Feature",
            "id": first.id,
            "geometry": {"type": "LineString", "coordinates": line},
            "properties": {
                "id": first.id,
                "name": first.name,
                "stations": codes,
                "chainages_m": each(|stop| stop.chainage_m),
                "running_times_s": each(|stop| stop.running_time_s),
                "length_m": last.chainage_m,
                "running_time_s": last.running_time_s,
                "marker": first.marker,
            },
        }));
    }
    Ok(json!({"type": "FeatureCollection", "features": features}).to_string())
}

#[derive(Deserialize)]
struct StationRow {
    crs: String,
    lon: f64,
    lat: f64,
}

#[derive(Deserialize)]
struct CorridorRow {
    id: String,
    name: String,
    crs: String,
    chainage_m: i64,
    running_time_s: i64,
    marker: String,
}
