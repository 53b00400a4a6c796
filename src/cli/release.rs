//! `throughline release`: cells, counts and figures for those who may not see the register's rows.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use crate::cli::policy;
use crate::cli::progress::with_progress;
use crate::cli::say;
use crate::cli::say_json;
use crate::ops::OpsError;
use crate::ops::open_gate;
use crate::ops::reference;
use crate::ops::release;
use crate::ops::release::ReleasedCollection;
use crate::store::Store;

/// Write what may be released of the register and is not yet: cells of whole weeks, counts of months and years, a figure
/// for each council.
#[derive(Debug, clap::Args)]
pub struct ReleaseArguments {
    /// The store.
    store: PathBuf,
    /// The policy; by default the one that comes with the program.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Forget what was released and release all of it again. A reader who has the old figures can compare the two: for a
    /// store that was released before all of its rows were there.
    #[arg(long)]
    anew: bool,
    /// Print what was released as JSON.
    #[arg(long)]
    json: bool,
}

/// Releases what is due.
pub fn run(arguments: &ReleaseArguments) -> anyhow::Result<ExitCode> {
    let store = Arc::new(Store::open(&arguments.store)?);
    let policy = policy::read(arguments.policy.as_deref())?;
    let report = with_progress(|progress| {
        reference::add_missing(&store, &progress.beyond_cancel())?;
        let gate = open_gate(Arc::clone(&store), policy)?;
        release::run(&store, &gate, arguments.anew, progress)
    });
    store.checkpoint()?;
    let report = report.map_err(|error: OpsError| error)?;
    if arguments.json {
        say_json(&report)?;
        return Ok(ExitCode::SUCCESS);
    }
    if report.collections.is_empty() {
        say("there is nothing to release: the store has no register");
    }
    for ReleasedCollection { collection, through, added, changed, unchanged, retired } in report.collections {
        say(&format!(
            "{collection} through {through}: {added} new, {changed} changed, {unchanged} as before, {retired} taken away"
        ));
    }
    Ok(ExitCode::SUCCESS)
}
