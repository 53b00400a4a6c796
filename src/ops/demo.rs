//! The synthetic national set, with the table that checks it against published figures.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use serde::Serialize;

use crate::access::Policy;
use crate::demo;
use crate::demo::Buildings;
use crate::demo::Check;
use crate::demo::Record;
use crate::demo::SelfCheck;
use crate::demo::Settings;
use crate::demo::Truth;
use crate::model::Provenance;
use crate::model::RowId;
use crate::model::Sensitivity;
use crate::model::collections::built_in;
use crate::model::time::format_date;
use crate::ops::CHUNK_ROWS;
use crate::ops::OpsError;
use crate::ops::Progress;
use crate::ops::open_gate;
use crate::ops::reference;
use crate::ops::release;
use crate::store::Made;
use crate::store::Register;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::make;

/// A user's layer whose id begins with this holds footprints that no invented address may stand on.
const BUILDINGS: &str = "building";

/// What was written.
#[derive(Debug, Clone, Serialize)]
pub struct DemoReport {
    /// The seed.
    pub seed: u64,
    /// How many times as many lines as in the country.
    pub scale: f64,
    /// The present of the set, as `YYYY-MM-DD`.
    pub reference_date: String,
    /// Always: no row is real.
    pub synthetic: bool,
    /// Rows of each collection.
    pub rows: BTreeMap<&'static str, u64>,
    /// The set against published figures. They hold for the set as it is published; other seeds and scales may miss one.
    pub checks: Vec<Check>,
    /// What is true of each record of a line, which the store does not know.
    #[serde(skip)]
    pub truth: Vec<Truth>,
}

/// Writes the set, the reference facts that the store lacks and what may be released of the set. Where there is no store, one
/// is made of it whole or not at all. Steps: `generate` in rows, `reference`, then those of [`release::run`].
///
/// # Errors
/// [`OpsError::Operational`], [`OpsError::HasRegister`], or of the store. A store that was there is then as it was, unless
/// the set is in it already and the fault is of what follows: then `release` does the rest. [`OpsError::Cancelled`] always
/// leaves it as it was: from the commit of the set on, the operation runs to its end.
pub fn run(path: &Path, settings: Settings, progress: &Progress) -> Result<DemoReport, OpsError> {
    match make(path, Register::Synthetic, |store| fill(store, settings, progress, progress))? {
        Made::New(_, report) => Ok(report),
        Made::WasThere(store) => {
            let store = Arc::new(store);
            let report = fill(&store, settings, progress, &progress.beyond_cancel())?;
            store.checkpoint()?;
            Ok(report)
        }
    }
}

/// The store with the set: made whole if there is none, and else opened as it is.
///
/// # Errors
/// As [`run()`], and of opening it.
pub fn open_or_make(path: &Path, settings: Settings, progress: &Progress) -> Result<Store, OpsError> {
    match make(path, Register::Synthetic, |store| fill(store, settings, progress, progress))? {
        Made::New(store, _) | Made::WasThere(store) => Ok(store),
    }
}

/// Writes the set in one transaction, then what follows from it.
fn fill(
    store: &Arc<Store>,
    settings: Settings,
    progress: &Progress,
    after_commit: &Progress,
) -> Result<DemoReport, OpsError> {
    check(store)?;
    let report = write_set(store, settings, progress)?;
    reference::add_missing(store, after_commit)?;
    let gate = open_gate(Arc::clone(store), Policy::built_in()?)?;
    release::run(store, &gate, false, after_commit)?;
    Ok(report)
}

/// Whether the set may go into a store.
fn check(store: &Store) -> Result<(), OpsError> {
    if store.register() == Register::Operational {
        return Err(OpsError::Operational(store.path().to_owned()));
    }
    let known = store.reader()?.collections()?;
    let full = known
        .into_iter()
        .find(|stored| stored.rows > 0 && demo::COLLECTIONS.contains(&stored.schema.id.as_str()));
    if let Some(full) = full {
        return Err(OpsError::HasRegister { path: store.path().to_owned(), collection: full.schema.id });
    }
    release::check_names(store)
}

/// The figures, and the truth behind the records of lines.
type Written = (SelfCheck, Vec<Truth>);

fn write_set(store: &Store, settings: Settings, progress: &Progress) -> Result<DemoReport, OpsError> {
    let buildings = buildings(store)?;
    let outcome: Arc<Mutex<Option<Written>>> = Arc::default();
    let (slot, progress) = (Arc::clone(&outcome), progress.clone());
    store.write(move |transaction| {
        let mut check = SelfCheck::new(&settings);
        let mut appenders = HashMap::new();
        for id in demo::COLLECTIONS {
            let schema = built_in(id)
                .map_err(|source| StoreError::Schema { collection: id.to_owned(), source })?
                .ok_or_else(|| StoreError::NoCollection(id.to_owned()))?;
            let provenance = Provenance {
                synthetic: true,
                sensitivity: Sensitivity::Restricted,
                ..Provenance::open("demo")
            };
            appenders.insert(id, transaction.appender(schema.stored(), provenance)?);
        }
        let message = "making the synthetic national set";
        let (mut done, mut refused) = (0, None);
        let mut append = |record: &Record| -> Result<(), StoreError> {
            if done % CHUNK_ROWS as u64 == 0 {
                progress.report("generate", done, None, message)?;
            }
            done += 1;
            check.see(record);
            let appender = appenders
                .get_mut(record.collection)
                .ok_or_else(|| StoreError::NoCollection(record.collection.to_owned()))?;
            appender.append_as(&record.row, &record.provenance).map(|_| ())
        };
        let taken = |at| buildings.stand_on(at);
        let truth = demo::generate(&settings, &taken, &mut |record| {
            append(&record).map_err(|error| {
                let words = error.to_string();
                refused = Some(error);
                words
            })
        });
        if let Some(error) = refused {
            return Err(error);
        }
        let truth = truth.map_err(|error| StoreError::Abandoned(error.to_string()))?;
        for appender in demo::COLLECTIONS.iter().filter_map(|id| appenders.remove(id)) {
            appender.finish("demo")?;
        }
        transaction.set_reference_date(&format_date(demo::PRESENT))?;
        transaction.set_release_key(demo::release_key(&settings))?;
        progress.report("generate", done, Some(done), message)?;
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some((check, truth));
        Ok(())
    })?;
    let written = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
    let (check, truth) = written.ok_or(StoreError::WriterGone)?;
    Ok(DemoReport {
        seed: settings.seed,
        scale: settings.scale,
        reference_date: format_date(demo::PRESENT),
        synthetic: true,
        rows: check.rows().clone(),
        checks: check.table(),
        truth,
    })
}

fn buildings(store: &Store) -> Result<Buildings, OpsError> {
    let mut buildings = Buildings::default();
    let reader = store.reader()?;
    for stored in reader.collections()? {
        if stored.schema.id.to_ascii_lowercase().starts_with(BUILDINGS) {
            reader.scan(&stored, i64::MIN, i64::MAX, &mut |row| {
                if let Some(geometry) = row.geometry {
                    buildings.add(geometry.to_geometry());
                }
            })?;
        }
    }
    Ok(buildings)
}

/// Writes the lines as forces would hand them over, three rows in a hundred malformed, as CSV. Gives back the records with a
/// malformed row, each with the code that an import reports for it.
///
/// # Errors
/// [`OpsError::Demo`] and [`OpsError::Io`].
pub fn write_returns(file: &Path, settings: Settings) -> Result<BTreeMap<RowId, &'static str>, OpsError> {
    let (sheet, rows) = demo::returns(&settings)?;
    write(file, &sheet)?;
    Ok(rows.into_iter().filter_map(|(record, fault)| Some((record, fault?))).collect())
}

/// Writes which line each record is of, what is wrong with it, and with its row of the returns, as CSV.
///
/// # Errors
/// [`OpsError::Io`].
pub fn write_truth(
    file: &Path,
    truth: &[Truth],
    malformed: &BTreeMap<RowId, &'static str>,
) -> Result<(), OpsError> {
    let mut text = String::from("record,line,dirt,malformed_return\n");
    for Truth { record, line, dirt } in truth {
        let fault = malformed.get(record).copied().unwrap_or_default();
        text.push_str(&format!("{record},{line},{},{fault}\n", dirt.join(";")));
    }
    write(file, text.as_bytes())
}

fn write(file: &Path, text: &[u8]) -> Result<(), OpsError> {
    std::fs::write(file, text).map_err(|error| OpsError::Io { path: file.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::progress::tests::cancelled_at;

    const SMALL: Settings = Settings { seed: 7, scale: 0.05 };

    #[test]
    fn a_cancelled_set_leaves_no_store() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.gpkg");
        let (progress, events) = cancelled_at(None);
        let report = run(&path, SMALL, &progress).unwrap();
        let steps: Vec<&str> = events.lock().unwrap().iter().map(|event| event.step).collect();
        let mut known = steps.clone();
        known.dedup();
        assert_eq!(known, ["generate", "reference", "read", "count", "write"]);
        // At the first event of each step: the steps themselves are tried event by event where they are defined.
        for step in known {
            let other = tempfile::tempdir().unwrap();
            let first = steps.iter().position(|one| *one == step);
            let refused = run(&other.path().join("s.gpkg"), SMALL, &cancelled_at(first).0).err();
            assert!(matches!(refused, Some(OpsError::Cancelled)), "{step}: {refused:?}");
            assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 0, "{step}");
        }
        let json = serde_json::to_value(&report).unwrap();
        let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["seed", "scale", "reference_date", "synthetic", "rows", "checks"]);
        assert_eq!(report.truth.len() as u64, report.rows["lines"]);
        let store = Store::open(&path).unwrap();
        assert!(!release::is_due(&store).unwrap());
        let again = run(store.path(), SMALL, &Progress::silent()).unwrap_err();
        assert!(matches!(again, OpsError::HasRegister { collection, .. } if collection == "addresses"));
    }

    #[test]
    fn a_store_that_is_there_stays_as_it_was_or_gets_all_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.gpkg");
        drop(Store::create(&path, Register::Synthetic).unwrap());
        let ids = || -> Vec<String> {
            let known = Store::open(&path).unwrap().reader().unwrap().collections().unwrap();
            known.into_iter().map(|stored| stored.schema.id).collect()
        };
        // The third event is in the middle of the transaction.
        let refused = run(&path, SMALL, &cancelled_at(Some(2)).0).unwrap_err();
        assert!(matches!(refused, OpsError::Cancelled), "{refused}");
        assert!(ids().is_empty());
        // Cancelled when the set is committed: what follows from it comes too.
        let cancel = crate::ops::Cancel::default();
        let flag = cancel.clone();
        let late = Progress::new(
            move |event| {
                if event.step == "reference" {
                    flag.cancel();
                }
            },
            cancel,
        );
        run(&path, SMALL, &late).unwrap();
        assert!(ids().contains(&"stations".to_owned()) && ids().contains(&"address-cells".to_owned()));
        let real = folder.path().join("real.gpkg");
        drop(Store::create(&real, Register::Operational).unwrap());
        assert!(matches!(run(&real, SMALL, &Progress::silent()).unwrap_err(), OpsError::Operational(_)));
    }

    #[test]
    fn truth_and_returns_are_of_the_same_records() {
        let folder = tempfile::tempdir().unwrap();
        let (returns, truth) = (folder.path().join("r.csv"), folder.path().join("t.csv"));
        let malformed = write_returns(&returns, SMALL).unwrap();
        let (record, fault) = malformed.iter().next().unwrap();
        let one = Truth { record: *record, line: *record, dirt: vec!["other name", "other days"] };
        write_truth(&truth, &[one], &malformed).unwrap();
        assert_eq!(
            std::fs::read_to_string(&truth).unwrap(),
            format!("record,line,dirt,malformed_return\n{record},{record},other name;other days,{fault}\n")
        );
        assert!(std::fs::read_to_string(&returns).unwrap().lines().count() > malformed.len());
    }
}
