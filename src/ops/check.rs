//! Whether a store's file and every row in it are sound.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use crate::access::Policy;
use crate::ops::OpsError;
use crate::ops::Progress;
use crate::ops::open_gate;
use crate::store::Store;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// Faults of the file's structure, in the words of the database: at most 20.
    pub file: Vec<String>,
    /// Collections that lack rows, or have rows that do not match their hash.
    pub damaged: Vec<DamagedCollection>,
    /// How many collections there are.
    pub collections: usize,
    /// How many sound rows they have.
    pub rows: u64,
}

/// A collection with damaged or missing rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DamagedCollection {
    /// The collection.
    pub collection: String,
    /// How many rows are damaged or missing.
    pub rows: u64,
}

impl CheckReport {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.file.is_empty() && self.damaged.is_empty()
    }
}

/// Checks the file's structure, then every row against its hash and every collection against its count and sum. Steps:
/// `file` and `rows`; each is one piece of work. Nothing is changed.
///
/// # Errors
/// [`OpsError`] if it cannot be opened at all, or of being cancelled.
pub fn run(path: &Path, progress: &Progress) -> Result<CheckReport, OpsError> {
    let store = Arc::new(Store::open(path)?);
    progress.report("file", 0, Some(1), "checking the file's structure")?;
    let file = store.quick_check()?;
    progress.report("rows", 0, Some(1), "checking every row")?;
    let gate = open_gate(store, Policy::built_in()?)?;
    let damaged = gate.degraded().into_iter();
    let damaged = damaged.map(|(collection, rows)| DamagedCollection { collection, rows }).collect();
    let (collections, rows, _) = gate.size();
    progress.report("rows", 1, Some(1), "checking every row")?;
    Ok(CheckReport { file, damaged, collections, rows })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::progress::tests::cancel_at_every_step;
    use crate::ops::reference;
    use crate::store::Register;

    #[test]
    fn a_sound_store_is_sound_and_damage_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.gpkg");
        drop(Store::create(&path, Register::Synthetic).unwrap());
        let bytes = std::fs::read(&path).unwrap();
        let ((), events, report) =
            cancel_at_every_step(|| (), |(), progress| run(&path, progress), |(), _| ());
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(
            (report.is_sound(), json.as_str()),
            (true, r#"{"file":[],"damaged":[],"collections":0,"rows":0}"#)
        );
        let steps: Vec<&str> = events.iter().map(|event| event.step).collect();
        assert_eq!(steps, ["file", "rows", "rows"]);
        assert!(std::fs::read(&path).unwrap() == bytes, "a check changes nothing");
        let missing = run(&folder.path().join("none.gpkg"), &Progress::silent()).unwrap_err();
        assert!(missing.to_string().contains("there is no store"), "{missing}");
        let damaged =
            CheckReport { damaged: vec![DamagedCollection { collection: "p".into(), rows: 2 }], ..report };
        assert!(!damaged.is_sound());
    }

    #[test]
    fn a_store_of_reference_facts_is_made_whole_or_not_at_all() {
        let folder = || tempfile::tempdir().unwrap();
        let (whole, events, report) = cancel_at_every_step(
            folder,
            |folder, progress| {
                reference::init(&folder.path().join("s.gpkg"), Register::Operational, progress)
            },
            |folder, event| {
                assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{event:?}");
            },
        );
        let path = whole.path().join("s.gpkg");
        assert_eq!((report.store, report.register), (path.display().to_string(), "operational"));
        assert_eq!((events[0].step, events[0].total), ("reference", Some(8)));
        assert_eq!(run(&path, &Progress::silent()).unwrap().collections, 8);
        let again = reference::init(&path, Register::Synthetic, &Progress::silent()).unwrap_err();
        assert!(again.to_string().contains("is there already"), "{again}");
    }
}
