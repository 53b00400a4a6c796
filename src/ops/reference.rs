//! The reference facts that come with the program, and the store that holds nothing else.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Display;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;
use serde_json::json;

use crate::import::About;
use crate::import::Format;
use crate::import::ImportError;
use crate::import::ImportOptions;
use crate::import::Watch;
use crate::import::import;
use crate::model::Provenance;
use crate::model::collections::corridors;
use crate::ops::OpsError;
use crate::ops::Progress;
use crate::store::Made;
use crate::store::Register;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::make;

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

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InitReport {
    /// The store.
    pub store: String,
    /// What its register will hold, for the life of the store: `synthetic` or `operational`.
    pub register: &'static str,
}

/// Makes a store with the reference facts only. Step: `reference`, in collections.
///
/// # Errors
/// [`StoreError::Exists`] if there is one; of the file system; of being cancelled. No store is left behind.
pub fn init(path: &Path, register: Register, progress: &Progress) -> Result<InitReport, OpsError> {
    match make(path, register, |store| import_all(store, progress))? {
        Made::New(..) => Ok(InitReport { store: path.display().to_string(), register: register.as_str() }),
        Made::WasThere(_) => Err(StoreError::Exists(path.to_owned()).into()),
    }
}

/// Imports those reference collections that the store lacks: one made by an import, or by an earlier version, gets
/// what the map is labelled with. A user's layer that has such an id stays as it is.
///
/// # Errors
/// If a file or the store is refused, or of being cancelled. A collection comes whole or not at all; those that came before
/// stay.
pub fn add_missing(store: &Store, progress: &Progress) -> Result<(), OpsError> {
    let known = store.reader()?.collections()?;
    import_some(store, progress, |id| known.iter().all(|stored| stored.schema.id != id))
}

/// Imports the reference facts; rows that are there already stay as they are.
///
/// # Errors
/// As [`add_missing`].
pub fn import_all(store: &Store, progress: &Progress) -> Result<(), OpsError> {
    import_some(store, progress, |_| true)
}

fn import_some(store: &Store, progress: &Progress, wanted: impl Fn(&str) -> bool) -> Result<(), OpsError> {
    let io = |error| OpsError::Io { path: std::env::temp_dir(), error };
    let corridors = || corridors_as_geojson().map(Cow::from);
    let mut all: Vec<(&str, Format, Cow<'_, str>)> = REFERENCE
        .into_iter()
        .filter(|(id, ..)| wanted(id))
        .map(|(id, format, text)| (id, format, text.into()))
        .collect();
    if wanted(corridors::COLLECTION) {
        all.push((corridors::COLLECTION, Format::GeoJson, corridors()?));
    }
    let total = Some(all.len() as u64);
    let folder = tempfile::tempdir().map_err(io)?;
    for (done, (collection, format, text)) in all.into_iter().enumerate() {
        let message = format!("adding the reference facts of {collection}");
        progress.report("reference", done as u64, total, &message)?;
        let file = folder.path().join(collection);
        std::fs::write(&file, text.as_bytes()).map_err(io)?;
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
        let (each, message) = (progress.clone(), message.clone());
        let watch: Arc<Watch> =
            Arc::new(move |_, _| match each.report("reference", done as u64, total, &message) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            });
        import(store, &file, &options, &watch).map_err(|error| match error {
            ImportError::Store(StoreError::Cancelled) => OpsError::Cancelled,
            error => refused(collection, error),
        })?;
    }
    Ok(())
}

fn refused(collection: &str, fault: impl Display) -> OpsError {
    OpsError::Reference { collection: collection.to_owned(), fault: fault.to_string() }
}

/// The committed corridors, a station a row, as one line each through its stations.
fn corridors_as_geojson() -> Result<String, OpsError> {
    let fault = |fault: csv::Error| refused(corridors::COLLECTION, fault);
    let mut places = HashMap::new();
    for record in csv::Reader::from_reader(STATIONS.as_bytes()).deserialize() {
        let station: StationRow = record.map_err(fault)?;
        places.insert(station.crs, [station.lon, station.lat]);
    }
    let stops: Vec<CorridorRow> = csv::Reader::from_reader(CORRIDORS.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .map_err(fault)?;
    let mut features = Vec::new();
    for corridor in stops.chunk_by(|a, b| a.id == b.id) {
        let (Some(first), Some(last)) = (corridor.first(), corridor.last()) else { continue };
        let codes: Vec<&str> = corridor.iter().map(|stop| stop.crs.as_str()).collect();
        let line: Option<Vec<[f64; 2]>> = codes.iter().map(|code| places.get(*code).copied()).collect();
        let Some(line) = line else {
            let fault = format!("{} has a station that is not listed", first.id);
            return Err(refused(corridors::COLLECTION, fault));
        };
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
