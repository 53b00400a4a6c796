//! A collection of a view to a file.

use std::fs::File;
use std::io::BufWriter;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use serde::Serialize;
use tempfile::NamedTempFile;

use crate::access::CollectionView;
use crate::access::View;
use crate::filter::Expr;
use crate::format::CsvWriter;
use crate::format::FeatureWriter;
use crate::format::JsonWriter;
use crate::format::push_json_text;
use crate::format::write_geopackage;
use crate::model::GeometryType;
use crate::model::crs::Crs;
use crate::ops::CHUNK_ROWS;
use crate::ops::Cancelled;
use crate::ops::OpsError;
use crate::ops::Progress;
use crate::query::ItemsRequest;
use crate::query::RowRef;
use crate::query::items;
use crate::store::in_use;
use crate::store::is_store;

/// The one step of an export, in rows.
const STEP: &str = "write";

/// A format that is written, each by the endings of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    GeoJson,
    GeoJsonLines,
    Csv,
    GeoPackage,
}

/// A file that an export may write: its name tells the format, and writing it harms nothing that is there.
#[derive(Debug)]
pub struct Target {
    /// As it was named.
    file: PathBuf,
    /// From the root.
    whole: PathBuf,
    format: Format,
}

impl Target {
    /// Looks at the file, before anything is read: its ending in capitals or not, what is there of that name, and whether
    /// another program has it open. `overwrite` allows a file that is there, but never a store.
    ///
    /// # Errors
    /// [`OpsError`] that says which file would do.
    pub fn new(file: &Path, overwrite: bool) -> Result<Self, OpsError> {
        // The rest of a name need not be text.
        let ending = file.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let format = match ending.as_str() {
            "geojson" | "json" => Format::GeoJson,
            "geojsonl" | "geojsonseq" | "ndjson" => Format::GeoJsonLines,
            "csv" => Format::Csv,
            "gpkg" => Format::GeoPackage,
            _ => return Err(OpsError::UnknownEnding { path: file.to_owned(), ending }),
        };
        if file.exists() && !overwrite {
            return Err(OpsError::FileExists(file.to_owned()));
        }
        let whole = std::path::absolute(file).map_err(io(file))?;
        if is_store(&whole) {
            return Err(OpsError::FileIsStore(file.to_owned()));
        }
        if let Some(beside) = in_use(&whole) {
            return Err(OpsError::FileInUse { path: file.to_owned(), beside });
        }
        Ok(Self { file: file.to_owned(), whole, format })
    }
}

/// What an export did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportReport {
    /// The file.
    pub file: String,
    /// The collection.
    pub collection: String,
    /// How many features the file has.
    pub features: u64,
    /// Whether any of the collection's rows is invented.
    pub synthetic: bool,
}

/// Writes the rows of a collection that match a filter, in canonical order and WGS 84 degrees, to a file beside its place
/// and moves it there when it is whole. Step: `write`, in rows.
///
/// # Errors
/// [`OpsError::NoCollection`], [`OpsError::NotInTable`], [`OpsError::Cancelled`], or of the file system: what was at the
/// file's place is then as it was.
pub fn run(
    view: &View,
    collection: &str,
    filter: &Expr,
    target: &Target,
    progress: &Progress,
) -> Result<ExportReport, OpsError> {
    let Some(collection) = view.collection(collection) else {
        let known = view.collections().map(|collection| collection.schema().id.clone()).collect();
        return Err(OpsError::NoCollection { id: collection.to_owned(), known });
    };
    let filter = filter.bind(view, collection)?;
    let rows = items(collection, &ItemsRequest { filter, limit: usize::MAX, after: None }).rows;
    // Lines that were put together from other rows are left out of a table; those rows have them.
    let put_together = collection.schema().derived_geometry.is_some();
    if target.format == Format::Csv && !put_together && !rows.iter().all(|at| is_point(collection, *at)) {
        return Err(OpsError::NotInTable);
    }
    let folder = target.whole.parent().unwrap_or(Path::new("/"));
    let draft = NamedTempFile::new_in(folder).map_err(io(folder))?;
    let message = format!("writing {}", collection.schema().id);
    let work = Work { collection, rows: &rows, progress, message };
    work.begin(0)?;
    let fault = io(&target.file);
    match target.format {
        Format::GeoJson => work.features(draft.as_file(), true)?.map_err(fault)?,
        Format::GeoJsonLines => work.features(draft.as_file(), false)?.map_err(fault)?,
        Format::Csv => work.table(draft.as_file())?.map_err(fault)?,
        Format::GeoPackage => work.geopackage(draft.path())?,
    }
    work.begin(rows.len())?;
    draft.persist(&target.file).map_err(|error| io(&target.file)(error.error))?;
    Ok(ExportReport {
        file: target.file.display().to_string(),
        collection: collection.schema().id.clone(),
        features: rows.len() as u64,
        synthetic: collection.is_synthetic(),
    })
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> OpsError {
    let path = path.to_owned();
    move |error| OpsError::Io { path: path.clone(), error }
}

fn is_point(collection: &CollectionView, at: RowRef) -> bool {
    let geometry = collection.groups()[at.group as usize].geometry(at.row as usize);
    geometry.is_none_or(|geometry| geometry.kind == GeometryType::Point)
}

/// What is to be written.
struct Work<'a> {
    collection: &'a CollectionView,
    rows: &'a [RowRef],
    progress: &'a Progress,
    message: String,
}

/// Cancelled, or else what the file system said.
type Written = Result<std::io::Result<()>, Cancelled>;

impl Work<'_> {
    /// Tells that so many rows are written, at the start of each chunk.
    fn begin(&self, done: usize) -> Result<(), Cancelled> {
        self.progress.report(STEP, done as u64, Some(self.rows.len() as u64), &self.message)
    }

    fn features(&self, file: &File, as_collection: bool) -> Written {
        let mut writer = FeatureWriter::new(self.collection, Crs::Crs84);
        let mut out = BufWriter::with_capacity(1 << 18, file);
        let mut text = Vec::new();
        if as_collection {
            text.extend_from_slice(b"{\"type\":\"FeatureCollection\",");
            if self.collection.is_synthetic() {
                text.extend_from_slice(b"\"synthetic\":true,\"marking\":");
                push_json_text(&mut text, self.collection.marking());
                text.push(b',');
            }
            text.extend_from_slice(b"\"features\":[\n");
        }
        let between: &[u8] = if as_collection { b",\n" } else { b"\n" };
        for (number, at) in self.rows.iter().enumerate() {
            if number > 0 {
                text.extend_from_slice(between);
                if number % CHUNK_ROWS == 0 {
                    self.begin(number)?;
                }
            }
            writer.feature(&mut JsonWriter::new(&mut text), *at, None);
            if let Err(error) = out.write_all(&text) {
                return Ok(Err(error));
            }
            text.clear();
        }
        text.extend_from_slice(if as_collection { b"\n]}\n" } else { b"\n" });
        Ok(out.write_all(&text).and_then(|()| out.flush()))
    }

    fn table(&self, file: &File) -> Written {
        let mut writer = match CsvWriter::new(BufWriter::new(file), self.collection, self.rows) {
            Ok(writer) => writer,
            Err(error) => return Ok(Err(error.into())),
        };
        for (number, at) in self.rows.iter().enumerate() {
            if number > 0 && number % CHUNK_ROWS == 0 {
                self.begin(number)?;
            }
            if let Err(error) = writer.row(*at) {
                return Ok(Err(error.into()));
            }
        }
        Ok(writer.finish())
    }

    fn geopackage(&self, path: &Path) -> Result<(), OpsError> {
        let mut cancelled = None;
        let rows = self.rows.iter().enumerate().map_while(|(number, at)| {
            if number > 0 && number % CHUNK_ROWS == 0 {
                cancelled = self.begin(number).err();
            }
            cancelled.is_none().then_some(*at)
        });
        // A file that was cut short is whole for the writer; it is not moved to its place.
        let written = write_geopackage(path, self.collection, rows);
        cancelled.map_or(Ok(()), |cancelled| Err(OpsError::from(cancelled)))?;
        written.map(|_| ()).map_err(OpsError::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::access::Policy;
    use crate::access::Principal;
    use crate::filter::Bbox;
    use crate::import::About;
    use crate::import::ImportOptions;
    use crate::model::Provenance;
    use crate::model::time::parse_interval;
    use crate::ops::import;
    use crate::ops::open_gate;
    use crate::ops::progress::tests::cancel_at_every_step;
    use crate::store::Store;

    fn layer(into: &str) -> ImportOptions {
        ImportOptions {
            into: into.to_owned(),
            format: None,
            layer: None,
            id: None,
            time: Vec::new(),
            about: About::default(),
            provenance: Provenance { synthetic: into == "invented", ..Provenance::open("local") },
            dry_run: false,
            strict: true,
        }
    }

    /// A folder with a store of these tables, and all that its operator sees.
    fn store(tables: &[(&str, &str, String)]) -> (tempfile::TempDir, Arc<View>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.gpkg");
        for (into, name, text) in tables {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            import::run(&path, &file, &layer(into), &Progress::silent()).unwrap();
            std::fs::remove_file(&file).unwrap();
        }
        let store = Arc::new(Store::open(&path).unwrap());
        let gate = open_gate(store, Policy::built_in().unwrap()).unwrap();
        let view = gate.view(&Principal::LocalOperator);
        (folder, view)
    }

    /// So many points, from 1 degree west on, one a day.
    fn points(rows: usize) -> String {
        let row = |row: usize| format!("{},52,2031-01-{:02}\n", -1.0 + row as f64 / 1e4, row % 28 + 1);
        format!("lon,lat,seen\n{}", (0..rows).map(row).collect::<String>())
    }

    fn everything() -> Expr {
        Expr::And(Vec::new())
    }

    fn names(folder: &tempfile::TempDir) -> Vec<String> {
        let entries = std::fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| !name.starts_with("s.gpkg"));
        names.sort();
        names
    }

    #[test]
    fn a_cancelled_export_leaves_what_was_there() {
        for name in ["p.geojson", "p.geojsonl", "p.csv", "p.gpkg"] {
            let set_up = || {
                let (folder, view) = store(&[("p", "p.csv", points(2_100))]);
                let file = folder.path().join(name);
                std::fs::write(&file, "as it was").unwrap();
                (folder, view, file)
            };
            let ((folder, _, file), events, report) = cancel_at_every_step(
                set_up,
                |(_, view, file), progress| {
                    run(view, "p", &everything(), &Target::new(file, true)?, progress)
                },
                |(folder, _, file), event| {
                    assert_eq!(std::fs::read(file).unwrap(), b"as it was", "{event:?}");
                    assert_eq!(names(folder), [name], "{event:?}");
                },
            );
            let done: Vec<u64> = events.iter().map(|event| event.done).collect();
            assert_eq!(done, [0, 1_024, 2_048, 2_100], "{name}");
            assert_eq!((report.features, names(&folder)), (2_100, vec![name.to_owned()]));
            assert!(std::fs::metadata(&file).unwrap().len() > 10_000);
        }
    }

    #[test]
    fn a_report_says_what_was_written() {
        let (folder, view) = store(&[("invented", "p.csv", points(10))]);
        let file = folder.path().join("x.GEOJSON");
        let target = Target::new(&file, false).unwrap();
        // Rows 0, 1 and 2 are in the box; of the days 2 to 4 only the second and the third are.
        let filter = Expr::And(vec![
            Expr::bbox(Bbox::new(-1.0, 51.0, -0.9998, 53.0).unwrap()),
            Expr::datetime(parse_interval("2031-01-02T00:00:00Z/2031-01-04T00:00:00Z").unwrap()),
        ]);
        let report = run(&view, "invented", &filter, &target, &Progress::silent()).unwrap();
        let json = serde_json::to_string(&report).unwrap();
        let path = file.display().to_string();
        assert_eq!(
            json,
            format!(r#"{{"file":"{path}","collection":"invented","features":2,"synthetic":true}}"#)
        );
        let text: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!((&text["synthetic"], text["features"].as_array().unwrap().len()), (&true.into(), 2));
    }

    #[test]
    fn what_cannot_be_written_is_refused_before_a_file_is_made() {
        let line = r#"{"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":[[0,50],[1,51]]}}"#;
        let (folder, view) = store(&[("l", "l.geojson", line.to_owned())]);
        let at = |name: &str| folder.path().join(name);
        let target = |name: &str, overwrite| Target::new(&at(name), overwrite).map(|_| ()).unwrap_err();
        assert!(matches!(target("x.shp", false), OpsError::UnknownEnding { ending, .. } if ending == "shp"));
        assert!(matches!(target("s.gpkg", false), OpsError::FileExists(_)));
        assert!(matches!(target("s.gpkg", true), OpsError::FileIsStore(_)));
        std::fs::write(at("other.gpkg-journal"), "").unwrap();
        let OpsError::FileInUse { beside, .. } = target("other.gpkg", true) else { panic!() };
        assert_eq!(beside.file_name().unwrap(), "other.gpkg-journal");
        let export = |collection: &str, name: &str| {
            run(
                &view,
                collection,
                &everything(),
                &Target::new(&at(name), false).unwrap(),
                &Progress::silent(),
            )
        };
        assert!(matches!(export("l", "l.csv").unwrap_err(), OpsError::NotInTable));
        assert_eq!(
            export("none", "l.csv").unwrap_err().to_string(),
            "there is no collection \"none\"; there are: l"
        );
        assert_eq!(names(&folder), ["other.gpkg-journal"]);
        export("l", "l.geojson").unwrap();
    }
}
