//! `throughline init`: an empty store with the reference facts.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;

use crate::cli::import_reference;
use crate::cli::say;
use crate::store::Register;
use crate::store::Store;

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
    if arguments.store.exists() {
        bail!("{} is there already: name another file", arguments.store.display());
    }
    let register = if arguments.operational { Register::Operational } else { Register::Synthetic };
    let store = Store::create(&arguments.store, register)?;
    import_reference(&store)?;
    store.checkpoint()?;
    say(&format!("{}: a store with the reference facts, {}", arguments.store.display(), register.as_str()));
    Ok(ExitCode::SUCCESS)
}
