//! A file into a collection.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use crate::import::ImportError;
use crate::import::ImportOptions;
use crate::import::ImportReport;
use crate::import::Pass;
use crate::import::Watch;
use crate::import::import;
use crate::ops::OpsError;
use crate::ops::Progress;
use crate::store::Made;
use crate::store::Register;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::make;

/// Imports a file into a collection of the store at `path`. Where there is none, a synthetic one comes to be together with
/// the first rows: a file that is refused makes no store, and neither does a dry run. Steps: `survey` and `take`, in bytes
/// of the file.
///
/// # Errors
/// [`OpsError::Strict`] with a report that counts nothing as accepted, [`OpsError::Import`], [`OpsError::Cancelled`]: the
/// store is then as it was, or not there.
pub fn run(
    path: &Path,
    file: &Path,
    options: &ImportOptions,
    progress: &Progress,
) -> Result<ImportReport, OpsError> {
    let scratch = tempfile::tempdir().map_err(|error| OpsError::Io { path: std::env::temp_dir(), error })?;
    let draft = scratch.path().join("dry-run.gpkg");
    let path = if options.dry_run && !path.exists() { &draft } else { path };
    let watch = watch(file, progress);
    let fill = |store: &Arc<Store>| import(store, file, options, &watch);
    let done = match make(path, Register::Synthetic, fill) {
        Ok(Made::New(store, report)) => Ok((store, report)),
        Ok(Made::WasThere(store)) => import(&store, file, options, &watch).map(|report| (store, report)),
        Err(error) => Err(error),
    };
    let (store, report) = done.map_err(|error| refused(file, error))?;
    store.checkpoint()?;
    Ok(report)
}

/// Imports a file into a collection of an open store, as [`run`] does.
///
/// # Errors
/// As [`run`].
pub fn into_store(
    store: &Store,
    file: &Path,
    options: &ImportOptions,
    progress: &Progress,
) -> Result<ImportReport, OpsError> {
    import(store, file, options, &watch(file, progress)).map_err(|error| refused(file, error))
}

/// Hands what the import says of itself on as events.
fn watch(file: &Path, progress: &Progress) -> Arc<Watch> {
    let total = std::fs::metadata(file).ok().map(|metadata| metadata.len());
    // Its name alone: where it lies may be the server's own affair.
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let progress = progress.clone();
    Arc::new(move |pass, bytes| {
        let (step, message) = match pass {
            Pass::Survey => ("survey", format!("reading {name}")),
            Pass::Take => ("take", format!("taking the rows of {name}")),
        };
        // A packed file is read in larger pieces than its end.
        let done = total.map_or(bytes, |total| bytes.min(total));
        match progress.report(step, done, total, &message) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })
}

fn refused(file: &Path, error: ImportError) -> OpsError {
    match error {
        ImportError::Store(StoreError::Cancelled) => OpsError::Cancelled,
        // Nothing was taken, however many rows were sound.
        ImportError::Strict(report) => {
            OpsError::Strict(Box::new(ImportReport { accepted: 0, unchanged: 0, warned: 0, ..*report }))
        }
        error => OpsError::Import { path: file.to_owned(), error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    use crate::import::About;
    use crate::model::Provenance;
    use crate::ops::progress::tests::cancel_at_every_step;

    fn options(into: &str) -> ImportOptions {
        ImportOptions {
            into: into.to_owned(),
            format: None,
            layer: None,
            id: None,
            time: Vec::new(),
            about: About::default(),
            provenance: Provenance::open("local"),
            dry_run: false,
            strict: false,
        }
    }

    /// A folder with a table of so many rows.
    fn table(rows: usize) -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (store, file) = (folder.path().join("s.gpkg"), folder.path().join("p.csv"));
        let rows: String = (0..rows).map(|row| format!("-1.{row:04},52,name {row}\n")).collect();
        std::fs::write(&file, format!("lon,lat,name\n{rows}")).unwrap();
        (folder, store, file)
    }

    fn names(folder: &tempfile::TempDir) -> Vec<String> {
        let entries = std::fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_cancelled_first_import_leaves_no_store() {
        let (_, events, report) = cancel_at_every_step(
            || table(3_000),
            |(_, store, file), progress| run(store, file, &options("p"), progress),
            |(folder, ..), event| assert_eq!(names(folder), ["p.csv"], "{event:?}"),
        );
        assert_eq!(report.accepted, 3_000);
        // Each pass has an event at its start, one for each whole chunk and one at its end.
        let steps: Vec<&str> = events.iter().map(|event| event.step).collect();
        assert_eq!(steps, ["survey", "survey", "survey", "survey", "take", "take", "take", "take"]);
        assert!(
            events.iter().all(|event| event.total == events[0].total && event.done <= event.total.unwrap())
        );
        assert_eq!((events[3].done, events[4].done), (events[3].total.unwrap(), 0));
    }

    #[test]
    fn a_cancelled_import_leaves_a_store_as_it_was() {
        let sums = |store: &Path| {
            let collections = Store::open(store).unwrap().reader().unwrap().collections().unwrap();
            let one = |stored: &crate::store::StoredCollection| {
                (stored.schema.id.clone(), stored.rows, stored.hash_sum, stored.sequence)
            };
            collections.iter().map(one).collect::<Vec<_>>()
        };
        let set_up = || {
            let (folder, store, file) = table(1_500);
            let first = folder.path().join("first.csv");
            std::fs::write(&first, "lon,lat,name\n1,52,first\n").unwrap();
            run(&store, &first, &options("p"), &Progress::silent()).unwrap();
            let before = sums(&store);
            (folder, store, file, before)
        };
        let ((_folder, store, _, before), _, report) = cancel_at_every_step(
            set_up,
            |(_, store, file, _), progress| run(store, file, &options("p"), progress),
            |(_, store, _, before), event| assert_eq!(&sums(store), before, "{event:?}"),
        );
        assert_eq!(report.accepted, 1_500);
        assert_ne!(sums(&store), before);
    }

    #[test]
    fn a_dry_run_makes_no_store_and_says_what_would_come() {
        let (folder, store, file) = table(3);
        let dry = ImportOptions { dry_run: true, ..options("p") };
        assert_eq!(run(&store, &file, &dry, &Progress::silent()).unwrap().accepted, 3);
        assert_eq!(names(&folder), ["p.csv"]);
    }

    #[test]
    fn a_strict_import_reports_what_it_rejected_and_takes_nothing() {
        let (folder, store, file) = table(3);
        std::fs::write(&file, "lon,lat,name\n-1,52,a\n999,52,b\n").unwrap();
        let strict = ImportOptions { strict: true, ..options("p") };
        let refused = run(&store, &file, &strict, &Progress::silent()).unwrap_err();
        assert_eq!(refused.to_string(), "nothing was taken: 1 rows were rejected and --strict was given");
        let OpsError::Strict(report) = refused else { panic!("{refused}") };
        assert_eq!((report.accepted, report.rejected, report.rows[0].row), (0, 1, 2));
        assert_eq!(names(&folder), ["p.csv"]);
        let missing = run(&store, &folder.path().join("none.csv"), &strict, &Progress::silent()).unwrap_err();
        assert!(missing.to_string().contains("none.csv: "), "{missing}");
    }
}
