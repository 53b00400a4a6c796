//! `throughline export`: a collection to a file.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use crate::access::Principal;
use crate::cli::policy;
use crate::cli::progress::with_progress;
use crate::cli::say;
use crate::cli::say_json;
use crate::filter::Bbox;
use crate::filter::Expr;
use crate::model::time::Interval;
use crate::model::time::parse_interval;
use crate::ops::export;
use crate::ops::export::Target;
use crate::ops::open_gate;
use crate::store::Store;

/// The word that names of files with invented rows carry.
const SYNTHETIC: &str = "SYNTHETIC";

/// Write a collection to a file, in the format its ending names.
#[derive(Debug, clap::Args)]
pub struct ExportArguments {
    /// The store.
    store: PathBuf,
    /// The collection.
    collection: String,
    /// The file: .geojson, .geojsonl, .csv (points and rows without geometry) or .gpkg.
    file: PathBuf,
    /// Only features that share a position with west,south,east,north in degrees.
    #[arg(long, allow_hyphen_values = true, value_name = "W,S,E,N")]
    bbox: Option<Bbox>,
    /// Only features whose time meets an instant or interval, as in the `datetime` parameter.
    #[arg(long, value_name = "TIME", value_parser = parse_interval)]
    datetime: Option<Interval>,
    /// As this role would get it, with what is its own, like force-analyst:kent or national-analyst.
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// As if the role had given a reason.
    #[arg(long, requires = "role")]
    with_reason: bool,
    /// The policy; by default the one that comes with the program.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Write over a file that is there.
    #[arg(long)]
    force: bool,
    /// Print what was written as JSON.
    #[arg(long)]
    json: bool,
}

/// Writes the file.
pub fn run(arguments: &ExportArguments) -> anyhow::Result<ExitCode> {
    let target = Target::new(&arguments.file, arguments.force)?;
    let store = Arc::new(Store::open(&arguments.store)?);
    let gate = open_gate(store, policy::read(arguments.policy.as_deref())?)?;
    // Whoever can read the store's file can read all of it; the view is still the only way to rows.
    let principal = match &arguments.role {
        None => Principal::LocalOperator,
        Some(role) => Principal::parse(role)?,
    };
    let view = gate.view(&if arguments.with_reason { principal.with_reason() } else { principal });
    let report = with_progress(|progress| {
        export::run(&view, &arguments.collection, &filter(arguments), &target, progress)
    })?;
    if arguments.json {
        say_json(&report)?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("{}: {} features", report.file, report.features));
    let name = arguments.file.file_name().map(|name| name.to_string_lossy().to_ascii_uppercase());
    if report.synthetic && !name.is_some_and(|name| name.contains(SYNTHETIC)) {
        say(&format!("They are invented: let the name say so, as in {}-{SYNTHETIC}", report.collection));
    }
    Ok(ExitCode::SUCCESS)
}

fn filter(arguments: &ExportArguments) -> Expr {
    let bbox = arguments.bbox.clone().map(Expr::bbox);
    Expr::And(bbox.into_iter().chain(arguments.datetime.map(Expr::datetime)).collect())
}
