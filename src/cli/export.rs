//! `throughline export`: a collection to a file.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use crate::access::Principal;
use crate::cli::policy;
use crate::cli::progress::with_progress;
use crate::cli::say;
use crate::cli::say_json;
use crate::model::time::Interval;
use crate::model::time::parse_interval;
use crate::ops::export;
use crate::ops::export::Target;
use crate::ops::open_gate;
use crate::query::Bbox;
use crate::query::Filter;
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
    #[arg(long, allow_hyphen_values = true, value_name = "W,S,E,N", value_parser = bbox)]
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

/// A box of four numbers, or of six with heights, which are not looked at.
fn bbox(text: &str) -> Result<Bbox, String> {
    let wanted = "give four numbers: west,south,east,north in degrees";
    let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
    match numbers.as_deref() {
        Some([west, south, east, north] | [west, south, _, east, north, _]) => {
            Bbox::new(*west, *south, *east, *north).map_err(|error| error.to_string())
        }
        _ => Err(wanted.to_owned()),
    }
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
        export::run(&view, &arguments.collection, filter(arguments), &target, progress)
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

fn filter(arguments: &ExportArguments) -> Filter {
    let mut members = Vec::new();
    members.extend(arguments.bbox.clone().map(Filter::Bbox));
    members.extend(arguments.datetime.map(Filter::During));
    Filter::All(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_four_or_six_numbers_with_north_above_south() {
        assert_eq!(bbox("-1, 50,2,51").unwrap(), Bbox::new(-1.0, 50.0, 2.0, 51.0).unwrap());
        assert_eq!(bbox("-1,50,0,2,51,9").unwrap(), bbox("-1,50,2,51").unwrap());
        for wrong in ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,3,4,5,6,7", "1,2,3,NaN", "1,5,3,4"] {
            bbox(wrong).unwrap_err();
        }
    }
}
