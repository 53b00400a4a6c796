//! `throughline check`: whether a store's file and all its rows are sound.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use crate::access::Policy;
use crate::cli::open_gate;
use crate::cli::say;
use crate::store::Store;

/// Check that a store's file and every row in it are sound.
#[derive(Debug, clap::Args)]
pub struct CheckArguments {
    /// The store.
    store: PathBuf,
}

/// Checks the file's structure, then every row against its hash and every collection against its count and sum.
pub fn run(arguments: &CheckArguments) -> anyhow::Result<ExitCode> {
    let store = Arc::new(Store::open(&arguments.store)?);
    let faults = store.quick_check()?;
    for fault in &faults {
        say(&format!("file: {fault}"));
    }
    let gate = open_gate(Arc::clone(&store), Policy::built_in()?)?;
    let degraded = gate.degraded();
    for (collection, rows) in &degraded {
        say(&format!("{collection}: {rows} rows are damaged or missing"));
    }
    if faults.is_empty() && degraded.is_empty() {
        let (collections, rows, _) = gate.size();
        say(&format!("sound: {collections} collections, {rows} rows"));
        return Ok(ExitCode::SUCCESS);
    }
    say("restore a backup, or export the sound rows");
    Ok(ExitCode::FAILURE)
}
