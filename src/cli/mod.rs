//! The command line: one file per command.

mod check;
mod demo;
mod export;
mod import;
mod init;
mod policy;
mod reference;
mod release;
mod serve;

pub use demo::open_or_make as open_or_make_demo;
pub use demo::write as write_demo;
pub use reference::add_missing_reference;
pub use reference::import_reference;
pub use release::check_names;
pub use release::is_due;
pub use release::release;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use clap::Subcommand;

use crate::access::Gate;
use crate::access::GateError;
use crate::access::Policy;
use crate::store::Store;

/// Map, tile and spatial query server for county-lines work.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a store over HTTP.
    Serve(serve::ServeArguments),
    /// Import a file into a collection; makes the store if there is none.
    Import(Box<import::ImportArguments>),
    /// Write a collection to a file, in the format its ending names.
    Export(export::ExportArguments),
    /// Make a store with the reference facts only.
    Init(init::InitArguments),
    /// Write the synthetic national set into a store and print its self-check table.
    Demo(demo::DemoArguments),
    /// Check that a store's file and every row in it are sound.
    Check(check::CheckArguments),
    /// Say what the policy means for somebody.
    Policy(policy::PolicyArguments),
    /// Write what may be released of the register: cells, counts, figures for councils.
    Release(release::ReleaseArguments),
}

/// Runs the command the process was started with. Exit codes: 0 done, 1 failed, 2 wrong usage.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Policy(arguments) => policy::run(&arguments),
        Command::Release(arguments) => release::run(&arguments),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            say_error(&format!("throughline: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes a line to standard output; a reader that has gone away is no fault.
fn say(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Writes a line to standard error.
fn say_error(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Opens a gate to a store with everything that is computed for views: the one place that names it.
///
/// # Errors
/// [`GateError`].
pub fn open_gate(store: Arc<Store>, policy: Policy) -> Result<Gate, GateError> {
    Gate::with_derivations(policy, store, &crate::flow::DERIVATIONS)
}
