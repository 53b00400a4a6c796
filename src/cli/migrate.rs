//! `throughline migrate`: a store brought to this version.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;

use crate::cli::say;
use crate::store::Store;

/// Bring a store to this version; a copy of the file as it was stands beside it if anything is changed.
#[derive(Debug, clap::Args)]
pub struct MigrateArguments {
    /// The store.
    store: PathBuf,
}

/// Migrates the store.
pub fn run(arguments: &MigrateArguments) -> anyhow::Result<ExitCode> {
    let store = Store::open(&arguments.store)?;
    if let Some(reason) = store.why_read_only() {
        bail!("{}: {reason}: give the right to write, and migrate it then", arguments.store.display());
    }
    store.checkpoint()?;
    match store.migrated() {
        [] => say(&format!("{}: it is of this version already", arguments.store.display())),
        done => {
            for what in done {
                say(&format!("{}: {what}", arguments.store.display()));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
