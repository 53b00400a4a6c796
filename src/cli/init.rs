//! `throughline init`: an empty store with the reference facts.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::progress::with_progress;
use crate::cli::say;
use crate::ops::reference;
use crate::store::Register;

/// Make a store with the reference facts only.
#[derive(Debug, clap::Args)]
pub struct InitArguments {
    /// The file to make.
    store: PathBuf,
    /// The register will hold real rows and no synthetic ones, for the life of the store.
    #[arg(long)]
    operational: bool,
}

/// Makes the store.
pub fn run(arguments: &InitArguments) -> anyhow::Result<ExitCode> {
    let register = if arguments.operational { Register::Operational } else { Register::Synthetic };
    let report = with_progress(|progress| reference::init(&arguments.store, register, progress))?;
    say(&format!("{}: a store with the reference facts, {}", report.store, report.register));
    Ok(ExitCode::SUCCESS)
}
