//! `throughline demo`: the synthetic national set, with the table that checks it against published figures.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::progress::with_progress;
use crate::cli::say;
use crate::cli::say_json;
use crate::demo::Check;
use crate::demo::SEED;
use crate::demo::Settings;
use crate::ops::demo;
use crate::ops::demo::DemoReport;

/// Write the synthetic national set into a store, made if there is none, and print its self-check table.
#[derive(Debug, clap::Args)]
pub struct DemoArguments {
    /// The store.
    store: PathBuf,
    /// Another seed gives another country of the same kind.
    #[arg(long, default_value_t = SEED)]
    seed: u64,
    /// How many times as many lines as in the country, 0.1 to 100.
    #[arg(long, default_value_t = 1.0, value_parser = scale)]
    scale: f64,
    /// Also write which records are of one line, and what is wrong with each, as CSV. The store does not know.
    #[arg(long, value_name = "FILE.csv")]
    truth: Option<PathBuf>,
    /// Also write the lines as forces would hand them over, three rows in a hundred malformed, as CSV.
    #[arg(long, value_name = "FILE.csv")]
    returns: Option<PathBuf>,
    /// Print the table as JSON.
    #[arg(long)]
    json: bool,
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if (0.1..=100.0).contains(&scale) => Ok(scale),
        _ => Err("give a number from 0.1 to 100".to_owned()),
    }
}

/// Writes the set. A figure that is missed is no failure: other seeds and scales may miss one.
pub fn run(arguments: &DemoArguments) -> anyhow::Result<ExitCode> {
    let settings = Settings { seed: arguments.seed, scale: arguments.scale };
    let report = with_progress(|progress| demo::run(&arguments.store, settings, progress))?;
    let malformed = match &arguments.returns {
        None => BTreeMap::new(),
        Some(file) => demo::write_returns(file, settings)?,
    };
    if let Some(file) = &arguments.truth {
        demo::write_truth(file, &report.truth, &malformed)?;
    }
    if arguments.json {
        say_json(&report)?;
    } else {
        print(&arguments.store, &report);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(store: &Path, report: &DemoReport) {
    let DemoReport { seed, scale, reference_date, rows, checks, .. } = report;
    let rows: Vec<String> = rows.iter().map(|(id, rows)| format!("{rows} {id}")).collect();
    say(&format!("{}: synthetic national set for {reference_date}", store.display()));
    say(&format!("seed {seed}, scale {scale}: {}", rows.join(", ")));
    let width =
        |cell: fn(&Check) -> &str| checks.iter().map(|check| cell(check).chars().count()).max().unwrap_or(0);
    let (what, target, got) = (width(|c| &c.what), width(|c| &c.target), width(|c| &c.got));
    say(&format!("\n{:what$}  {:target$}  {:>got$}", "self-check", "target", "got"));
    for check in checks {
        let verdict = if check.passes { "pass" } else { "FAIL" };
        say(&format!("{:what$}  {:target$}  {:>got$}  {verdict}", check.what, check.target, check.got));
    }
    let failed = checks.iter().filter(|check| !check.passes).count();
    say(&format!("{} of {} pass; (A) marks an assumption", checks.len() - failed, checks.len()));
}
