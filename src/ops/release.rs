//! What may be released of the register: cells, counts and figures for those who may not see its rows.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use serde::Serialize;

use crate::access::Gate;
use crate::access::Principal;
use crate::model::CollectionClass;
use crate::model::Provenance;
use crate::model::Sensitivity;
use crate::model::collections::areas;
use crate::model::collections::built_in;
use crate::model::collections::national_totals;
use crate::model::time::format_date;
use crate::model::time::parse_date;
use crate::ops::CHUNK_ROWS;
use crate::ops::OpsError;
use crate::ops::Progress;
use crate::release::Before;
use crate::release::Order;
use crate::release::Released;
use crate::release::due;
use crate::release::make;
use crate::store::ChangeSummary;
use crate::store::Register;
use crate::store::ReleaseState;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::now_day;

/// Who holds released rows.
const OWNER: &str = "release";

/// What a release changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReleaseReport {
    /// The collections that were released; none if the store has no register.
    pub collections: Vec<ReleasedCollection>,
}

/// What became of one released collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleasedCollection {
    /// The collection.
    pub collection: String,
    /// The last day that it tells of, as `YYYY-MM-DD`.
    pub through: String,
    /// Rows that are new.
    pub added: u64,
    /// Rows that were there with other values.
    pub changed: u64,
    /// Rows that were there.
    pub unchanged: u64,
    /// Rows that were there and are taken away.
    pub retired: u64,
}

fn read(kept: &[ReleaseState]) -> Result<HashMap<String, Before>, OpsError> {
    let unreadable = |what: String, wanted| OpsError::UnreadableState { what, wanted };
    let one = |ReleaseState { collection, through: day, state: units }: &ReleaseState| {
        let through = parse_date(day)
            .ok_or_else(|| unreadable(format!("{collection} released through {day:?}"), "day"))?;
        let units = if units.is_empty() { Ok(Vec::new()) } else { serde_json::from_str(units) };
        let units = units
            .map_err(|error| unreadable(format!("{collection} released by {error}"), "list of units"))?;
        Ok((collection.clone(), Before { through, units }))
    };
    kept.iter().map(one).collect()
}

/// The store's own day, if it has one, and that or today, as days since 1970-01-01.
fn day(store: &Store) -> Result<(bool, i32), OpsError> {
    let Some(day) = store.reader()?.reference_date()? else { return Ok((false, now_day())) };
    let what = || OpsError::UnreadableState { what: format!("the reference date {day:?}"), wanted: "day" };
    Ok((true, parse_date(&day).ok_or_else(what)?))
}

/// Whether a week or a month of the register is over that was not released yet. A store is released the first time by
/// hand, when all of its rows are there, or if it is the finished picture of a day.
///
/// # Errors
/// If the store cannot be read.
pub fn is_due(store: &Store) -> Result<bool, OpsError> {
    let before = read(&store.reader()?.releases()?)?;
    let (finished, today) = day(store)?;
    if before.is_empty() && !finished {
        return Ok(false);
    }
    let there = store.reader()?.collections()?;
    let full = |id: &str| {
        there.iter().any(|stored| stored.schema.id == id && stored.schema.class == CollectionClass::Register)
    };
    Ok(due(today).into_iter().any(|(of, release, through)| {
        full(of) && before.get(release).is_none_or(|before| before.through < through)
    }))
}

/// Looks whether a user's layer has the id of a release.
///
/// # Errors
/// [`OpsError::NameOfRelease`], or if the store cannot be read.
pub fn check_names(store: &Store) -> Result<(), OpsError> {
    for stored in store.reader()?.collections()? {
        let built = built_in(&stored.schema.id).ok().flatten();
        let taken = built.is_some_and(|built| {
            built.class == CollectionClass::Release && stored.schema.class != CollectionClass::Release
        });
        if taken {
            return Err(OpsError::NameOfRelease(stored.schema.id));
        }
    }
    Ok(())
}

/// Releases what is over on the store's reference date, or today, and was not released yet; a second release on the same
/// day changes nothing. `gate` is a gate of this store: it is refreshed first, and its rows are the ones that are counted,
/// so that no second picture of the store is read. `anew` forgets what was released and releases all of it again.
/// Steps: `read`, `count` and `write`, the last in rows.
///
/// # Errors
/// [`OpsError`] if the store cannot be read or written, is damaged, lacks the areas that figures are for, has a layer with
/// the id of a release, was released through a later day, was released by another process meanwhile, if the gate's policy
/// does not say who may see a release, or of being cancelled: nothing is released then.
pub fn run(store: &Store, gate: &Gate, anew: bool, progress: &Progress) -> Result<ReleaseReport, OpsError> {
    check_names(store)?;
    let kept = store.reader()?.releases()?;
    let before = if anew { HashMap::new() } else { read(&kept)? };
    let (_, today) = day(store)?;
    for (_, release, through) in due(today) {
        if let Some(before) = before.get(release).filter(|before| before.through > through) {
            return Err(OpsError::ReleasedLater {
                release: release.to_owned(),
                through: format_date(before.through),
                today: format_date(today),
            });
        }
    }
    progress.report("read", 0, Some(1), "reading what has changed in the store")?;
    gate.refresh()?;
    if let Some((collection, rows)) = gate.degraded().into_iter().next() {
        return Err(OpsError::Degraded { collection, rows });
    }
    let view = gate.view(&Principal::LocalOperator);
    let areas = view.collection(areas::COLLECTION);
    if areas.is_none_or(|areas| areas.schema().class != CollectionClass::Reference || areas.rows() == 0) {
        return Err(OpsError::NoAreas(areas::COLLECTION));
    }
    progress.report("count", 0, Some(1), "counting the register")?;
    let synthetic = store.register() == Register::Synthetic;
    let key = store.write(|transaction| transaction.release_key())?;
    let order = Order { today, key, before: &before, synthetic };
    let all = make(&view, &order).map_err(OpsError::Schema)?;
    drop(view);
    // Nothing is released without a rule that says who may see it.
    gate.policy().check(all.iter().map(|one| &one.schema))?;
    progress.report("count", 1, Some(1), "counting the register")?;
    let outcome: Arc<Mutex<ReleaseReport>> = Arc::default();
    let (slot, progress) = (Arc::clone(&outcome), progress.clone());
    store.write(move |transaction| {
        if transaction.releases()? != kept {
            return Err(StoreError::Abandoned(
                "another process has released meanwhile: try again".to_owned(),
            ));
        }
        let total = Some(all.iter().map(|one| one.rows.len() as u64).sum());
        let mut done = 0;
        for Released { schema, rows, units, through } in all {
            let collection = schema.id.clone();
            let message = format!("writing {collection}");
            let public = collection == national_totals::COLLECTION;
            let provenance = Provenance {
                marking: if public { "OFFICIAL" } else { "OFFICIAL-SENSITIVE" }.to_owned(),
                sensitivity: if public { Sensitivity::Open } else { Sensitivity::Limited },
                synthetic,
                ..Provenance::open(OWNER)
            };
            let mut appender = transaction.appender(schema, provenance)?;
            for chunk in rows.chunks(CHUNK_ROWS) {
                progress.report("write", done, total, &message)?;
                for row in chunk {
                    appender.append(row)?;
                }
                done += chunk.len() as u64;
            }
            appender.retire_others()?;
            let ChangeSummary { added, changed, unchanged, retired } = appender.finish("release")?;
            let through = format_date(through);
            let state =
                serde_json::to_string(&units).map_err(|error| StoreError::Abandoned(error.to_string()))?;
            let release = ReleaseState { collection: collection.clone(), through: through.clone(), state };
            transaction.set_released(&release)?;
            let written = ReleasedCollection { collection, through, added, changed, unchanged, retired };
            slot.lock().unwrap_or_else(PoisonError::into_inner).collections.push(written);
        }
        Ok(progress.report("write", done, total, "writing")?)
    })?;
    let mut written = outcome.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut written))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    use serde_json::json;

    use crate::access::Policy;
    use crate::import::About;
    use crate::import::ImportOptions;
    use crate::ops::import;
    use crate::ops::open_gate;
    use crate::ops::progress::tests::cancel_at_every_step;

    fn take(store: &Store, folder: &Path, into: &str, text: &str, provenance: Provenance) {
        let file = folder.join(format!("{into}.geojson"));
        std::fs::write(&file, text).unwrap();
        let options = ImportOptions {
            into: into.to_owned(),
            format: None,
            layer: None,
            id: None,
            time: Vec::new(),
            about: About::default(),
            provenance,
            dry_run: false,
            strict: true,
        };
        import::into_store(store, &file, &options, &Progress::silent()).unwrap();
    }

    /// A store with one council, and so many homes that are taken over there.
    fn store(homes: usize) -> (tempfile::TempDir, Arc<Store>, Gate) {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::create(&folder.path().join("s.gpkg"), Register::Synthetic).unwrap());
        let ring = [[-2.0, 50.0], [-1.0, 50.0], [-1.0, 52.0], [-2.0, 52.0], [-2.0, 50.0]];
        let area = json!({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {
            "code": "E06000044", "name": "Portsea", "county": "Shire", "force": "kent", "region": "south-east"}});
        take(&store, folder.path(), "areas", &area.to_string(), Provenance::open("reference"));
        let home = |number: usize| {
            json!({"type": "Feature", "id": format!("home-{number}"),
                "geometry": {"type": "Point", "coordinates": [-1.0875 + number as f64 * 0.0001, 50.7982]},
                "properties": {"kind": "flat", "status": "confirmed", "force": "kent",
                    "first_seen": format!("2023-{:02}-04", 4 + number % 9), "last_seen": "2024-03-01"}})
        };
        let homes =
            json!({"type": "FeatureCollection", "features": (0..homes).map(home).collect::<Vec<_>>()});
        let restricted =
            Provenance { sensitivity: Sensitivity::Restricted, synthetic: true, ..Provenance::open("kent") };
        take(&store, folder.path(), "addresses", &homes.to_string(), restricted);
        store
            .write(|transaction| {
                transaction.set_reference_date("2024-04-30")?;
                transaction.set_release_key([7; 32])
            })
            .unwrap();
        let gate = open_gate(Arc::clone(&store), Policy::built_in().unwrap()).unwrap();
        (folder, store, gate)
    }

    fn ids(store: &Store) -> Vec<String> {
        let known = store.reader().unwrap().collections().unwrap();
        known.into_iter().map(|stored| stored.schema.id).collect()
    }

    #[test]
    fn a_cancelled_release_releases_nothing() {
        let ((_folder, store, gate), events, report) = cancel_at_every_step(
            || store(12),
            |(_, store, gate), progress| run(store, gate, false, progress),
            |(_, store, gate), event| {
                assert_eq!(ids(store), ["addresses", "areas"], "{event:?}");
                assert!(store.reader().unwrap().releases().unwrap().is_empty(), "{event:?}");
                assert!(is_due(store).unwrap(), "{event:?}");
                gate.refresh().unwrap();
                assert!(gate.view(&Principal::LocalOperator).collection("address-cells").is_none());
            },
        );
        let mut steps: Vec<&str> = events.iter().map(|event| event.step).collect();
        steps.dedup();
        assert_eq!(steps, ["read", "count", "write"]);
        let released: Vec<&str> = report.collections.iter().map(|one| one.collection.as_str()).collect();
        assert_eq!(released, ["address-counts", "council-figures", "national-totals", "address-cells"]);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(
            json["collections"][3],
            json!({"collection": "address-cells", "through": "2024-04-28", "added": 12, "changed": 0,
                "unchanged": 0, "retired": 0})
        );
        assert!(!is_due(&store).unwrap());
        // The gate shows it as soon as it is refreshed; once more changes nothing.
        assert!(gate.refresh().unwrap());
        let view = gate.view(&Principal::LocalOperator);
        assert_eq!(view.collection("address-cells").unwrap().rows(), 12);
        let again = run(&store, &gate, false, &Progress::silent()).unwrap();
        assert!(again.collections.iter().all(|one| (one.added, one.changed, one.retired) == (0, 0, 0)));
    }

    #[test]
    fn rows_that_came_after_the_gate_was_opened_are_counted() {
        let (folder, store, gate) = store(1);
        let more = json!({"type": "Feature", "id": "late",
            "geometry": {"type": "Point", "coordinates": [-1.0875, 50.7982]},
            "properties": {"kind": "flat", "status": "confirmed", "first_seen": "2023-05-04"}});
        let late =
            Provenance { sensitivity: Sensitivity::Restricted, synthetic: true, ..Provenance::open("kent") };
        take(&store, folder.path(), "addresses", &more.to_string(), late);
        let report = run(&store, &gate, false, &Progress::silent()).unwrap();
        let cells = report.collections.iter().find(|one| one.collection == "address-cells").unwrap();
        assert_eq!(cells.added, 2);
    }

    #[test]
    fn what_stands_in_the_way_of_a_release_is_named() {
        let (_folder, store, gate) = store(12);
        let refused = || run(&store, &gate, false, &Progress::silent()).unwrap_err();
        run(&store, &gate, false, &Progress::silent()).unwrap();
        store.write(|transaction| transaction.set_reference_date("2024-01-07")).unwrap();
        assert!(matches!(refused(), OpsError::ReleasedLater { through, .. } if through == "2024-03-31"));
        store.write(|transaction| transaction.set_reference_date("soon")).unwrap();
        assert!(refused().to_string().contains("\"soon\", which is no day"), "{}", refused());
        let folder = tempfile::tempdir().unwrap();
        let empty = Arc::new(Store::create(&folder.path().join("e.gpkg"), Register::Synthetic).unwrap());
        let gate = open_gate(Arc::clone(&empty), Policy::built_in().unwrap()).unwrap();
        let refused = run(&empty, &gate, false, &Progress::silent()).unwrap_err();
        assert!(matches!(refused, OpsError::NoAreas("areas")), "{refused}");
        assert!(!is_due(&empty).unwrap());
    }
}
