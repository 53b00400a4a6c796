//! `throughline check`: whether a store's file and all its rows are sound.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::progress::with_progress;
use crate::cli::say;
use crate::cli::say_json;
use crate::ops::check;

/// Check that a store's file and every row in it are sound.
#[derive(Debug, clap::Args)]
pub struct CheckArguments {
    /// The store.
    store: PathBuf,
    /// Print what was found as JSON.
    #[arg(long)]
    json: bool,
}

/// Checks the store; exit code 1 if anything was found.
pub fn run(arguments: &CheckArguments) -> anyhow::Result<ExitCode> {
    let report = with_progress(|progress| check::run(&arguments.store, progress))?;
    if arguments.json {
        say_json(&report)?;
    } else {
        for fault in &report.file {
            say(&format!("file: {fault}"));
        }
        for damaged in &report.damaged {
            say(&format!("{}: {} rows are damaged or missing", damaged.collection, damaged.rows));
        }
        if report.is_sound() {
            say(&format!("sound: {} collections, {} rows", report.collections, report.rows));
        } else {
            say("restore a backup, or export the sound rows");
        }
    }
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
