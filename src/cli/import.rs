//! `throughline import`: a file into a collection.

use std::fs::File;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use anyhow::bail;
use clap::builder::PathBufValueParser;
use clap::builder::TypedValueParser;

use crate::access::LOCAL_OWNER;
use crate::cli::progress::with_progress;
use crate::cli::say;
use crate::cli::say_error;
use crate::import::About;
use crate::import::Format;
use crate::import::ImportOptions;
use crate::import::ImportReport;
use crate::model::Provenance;
use crate::model::Sensitivity;
use crate::ops::OpsError;
use crate::ops::import;

/// Import a file into a collection; makes the store if there is none.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command")]
pub struct ImportArguments {
    /// The store.
    store: PathBuf,
    /// GeoJSON, GeoJSON text sequence, CSV or GeoPackage, each also gzipped.
    file: PathBuf,
    /// The collection; made with the columns of the file if it is not there.
    #[arg(long, value_name = "COLLECTION")]
    into: String,
    /// The format, where the ending does not say: geojson, geojsonseq, csv or gpkg.
    #[arg(long, value_parser = format)]
    format: Option<Format>,
    /// The layer of a GeoPackage with several.
    #[arg(long, value_name = "NAME")]
    layer: Option<String>,
    /// The CSV column whose values are the rows' ids.
    #[arg(long, value_name = "COLUMN")]
    id: Option<String>,
    /// The column that says when, or start and end separated by a comma.
    #[arg(long, value_name = "COLUMN[,COLUMN]", value_delimiter = ',', num_args = 1)]
    time: Vec<String>,
    /// What the layer is called on maps and lists.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Who to name beside a map of the layer.
    #[arg(long, value_name = "TEXT")]
    attribution: Option<String>,
    /// The layer's areas share borders: simplify both sides of a border alike.
    #[arg(long)]
    coverage: bool,
    /// The layer is everyone's; without it the layer is seen by its owner only.
    #[arg(long)]
    open: bool,
    /// The force or agency that owns the rows.
    #[arg(long, default_value = LOCAL_OWNER)]
    owner: String,
    /// The protective marking of the rows.
    #[arg(long, default_value = "OFFICIAL")]
    marking: String,
    /// Handling conditions of the rows.
    #[arg(long, default_value = "")]
    handling: String,
    /// How sensitive the rows are: open, limited or restricted. In a layer that is everyone's (--open) others than its
    /// owner see the open ones only; in a reference collection too.
    #[arg(long, default_value = "open", value_parser = sensitivity)]
    sensitivity: Sensitivity,
    /// The rows are invented.
    #[arg(long)]
    synthetic: bool,
    /// Report what would happen and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Take nothing if a single row is rejected.
    #[arg(long)]
    strict: bool,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    /// Write the report to a file ending in .csv or .json.
    #[arg(long, value_name = "FILE", value_parser = PathBufValueParser::new().try_map(report_file))]
    report: Option<PathBuf>,
}

fn format(word: &str) -> Result<Format, String> {
    Format::parse(word).ok_or_else(|| "give geojson, geojsonseq, csv or gpkg".to_owned())
}

fn sensitivity(word: &str) -> Result<Sensitivity, String> {
    Sensitivity::parse(word).ok_or_else(|| "give open, limited or restricted".to_owned())
}

fn report_file(path: PathBuf) -> Result<PathBuf, String> {
    if has_ending(&path, "csv") || has_ending(&path, "json") {
        Ok(path)
    } else {
        Err("give a file ending in .csv or .json".to_owned())
    }
}

/// Whether a file's name ends like that, in capitals or not; the rest of the name need not be text.
fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
}

/// Rows of a report that are printed for people.
const SHOWN_NOTES: usize = 20;

/// Imports the file.
pub fn run(arguments: &ImportArguments) -> anyhow::Result<ExitCode> {
    if arguments.time.len() > 2 {
        bail!("--time takes one column, or a start and an end");
    }
    let options = ImportOptions {
        into: arguments.into.clone(),
        format: arguments.format,
        layer: arguments.layer.clone(),
        id: arguments.id.clone(),
        time: arguments.time.clone(),
        about: About {
            title: arguments.title.clone(),
            attribution: arguments.attribution.clone(),
            coverage: arguments.coverage,
            open: arguments.open,
        },
        provenance: Provenance {
            owner: arguments.owner.clone(),
            marking: arguments.marking.clone(),
            handling: arguments.handling.clone(),
            sensitivity: arguments.sensitivity,
            synthetic: arguments.synthetic,
        },
        dry_run: arguments.dry_run,
        strict: arguments.strict,
    };
    if let Some(report) = arguments.report.as_deref().filter(|report| same_file(report, &arguments.file)) {
        bail!("--report {}: that is the file to import; name another", report.display());
    }
    // A report that cannot be written is found before anything is taken.
    let report_file = arguments.report.as_deref().map(ReportFile::open).transpose()?;
    let done = with_progress(|progress| import::run(&arguments.store, &arguments.file, &options, progress));
    let (report, strict) = match done {
        Ok(report) => (report, None),
        Err(OpsError::Strict(report)) => {
            let message = OpsError::Strict(report.clone()).to_string();
            (*report, Some(message))
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(file) = report_file {
        file.write(&report)?;
    }
    if arguments.json {
        say(&report.to_json());
    } else {
        print(&report, arguments.dry_run);
    }
    match strict {
        None => Ok(ExitCode::SUCCESS),
        Some(message) => {
            say_error(&format!("throughline: {message}"));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Whether two paths lead to one file that is there.
fn same_file(one: &Path, other: &Path) -> bool {
    one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

/// The file of a report: as it was, or not there, if the import comes to nothing.
struct ReportFile<'p> {
    path: &'p Path,
    file: File,
    /// Whether it is there for this report only and nothing was written yet.
    is_new: bool,
}

impl<'p> ReportFile<'p> {
    fn open(path: &'p Path) -> anyhow::Result<Self> {
        let is_new = !path.exists();
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        Ok(Self { path, file: file.with_context(|| path.display().to_string())?, is_new })
    }

    fn write(mut self, report: &ImportReport) -> anyhow::Result<()> {
        self.is_new = false;
        let mut write = || -> anyhow::Result<()> {
            self.file.set_len(0)?;
            if has_ending(self.path, "json") {
                self.file.write_all(report.to_json().as_bytes())?;
            } else {
                report.write_csv(&self.file)?;
            }
            Ok(())
        };
        write().with_context(|| self.path.display().to_string())
    }
}

impl Drop for ReportFile<'_> {
    fn drop(&mut self) {
        if self.is_new {
            // Nothing is lost if it stays: it is empty.
            let _ = std::fs::remove_file(self.path);
        }
    }
}

fn print(report: &ImportReport, dry_run: bool) {
    for note in report.rows.iter().take(SHOWN_NOTES) {
        let verdict = if note.rejected { "rejected" } else { "warning" };
        let place = if note.row == 0 { "the file".to_owned() } else { format!("row {}", note.row) };
        say_error(&format!(
            "{place}: {verdict}: {} ({}): {}",
            note.fault.message, note.fault.code, note.fault.fix
        ));
    }
    if report.rows.len() > SHOWN_NOTES {
        say_error(&format!(
            "... and {} more: write them all with --report FILE.csv",
            report.rows.len() - SHOWN_NOTES
        ));
    }
    let new = report.accepted - report.unchanged;
    let what = if dry_run { "would be taken" } else { "taken" };
    say(&report.time_sentence());
    if let Some(audience) = &report.audience {
        say(&audience.sentence(&report.collection));
    }
    say(&format!(
        "{}: {} rows {what} ({new} new or changed, {} there already), {} with warnings, {} rejected",
        report.collection, report.accepted, report.unchanged, report.warned, report.rejected
    ));
}
