//! The command line: one file per command.

mod check;
mod demo;
mod export;
mod import;
mod init;
mod migrate;
mod policy;
mod progress;
mod release;
mod serve;

use std::process::ExitCode;

use clap::Parser;
use clap::Subcommand;

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
    /// Bring a store to this version.
    Migrate(migrate::MigrateArguments),
    /// Say what the policy means for a role.
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
        Command::Migrate(arguments) => migrate::run(&arguments),
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

/// Writes a report to standard output as one line of JSON.
fn say_json(report: &impl serde::Serialize) -> anyhow::Result<()> {
    say(&serde_json::to_string(report)?);
    Ok(())
}

/// Writes a line to standard error.
fn say_error(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    fn refused(arguments: &[&str]) -> clap::Error {
        Arguments::try_parse_from(std::iter::once("throughline").chain(arguments.iter().copied()))
            .unwrap_err()
    }

    #[test]
    fn every_command_has_help_and_refuses_a_flag_that_it_lacks() {
        let program = Arguments::command();
        program.clone().debug_assert();
        let names: Vec<&str> = program.get_subcommands().map(clap::Command::get_name).collect();
        assert_eq!(
            names,
            ["serve", "import", "export", "init", "demo", "check", "migrate", "policy", "release"]
        );
        for name in names {
            let help = refused(&[name, "--help"]);
            assert_eq!((help.kind(), help.exit_code()), (ErrorKind::DisplayHelp, 0), "{name}");
            assert!(help.to_string().contains(&format!("Usage: throughline {name}")), "{help}");
            assert_eq!(refused(&[name, "--colour"]).exit_code(), 2, "{name}");
        }
        assert_eq!(refused(&[]).exit_code(), 2);
        assert_eq!(refused(&["paint"]).exit_code(), 2);
    }

    #[test]
    fn a_value_of_the_wrong_type_is_wrong_usage_that_says_what_is_right() {
        for (arguments, right) in [
            (&["export", "s.gpkg", "p", "p.csv", "--bbox", "1,2,3"][..], "west,south,east,north"),
            (&["export", "s.gpkg", "p", "p.csv", "--bbox", "-1,5,1,3"], "bbox"),
            (&["export", "s.gpkg", "p", "p.csv", "--datetime", "soon"], "datetime"),
            (&["export", "s.gpkg", "p", "p.csv", "--with-reason"], "--role"),
            (&["export", "s.gpkg", "p"], "<FILE>"),
            (&["import", "s.gpkg", "p.csv"], "--into"),
            (&["import", "s.gpkg", "p.csv", "--into", "p", "--format", "shp"], "geojsonseq"),
            (&["import", "s.gpkg", "p.csv", "--into", "p", "--sensitivity", "x"], "restricted"),
            (&["import", "s.gpkg", "p.csv", "--into", "p", "--report", "r.txt"], ".csv or .json"),
            (&["demo", "s.gpkg", "--scale", "0"], "0.1 to 100"),
            (&["demo", "s.gpkg", "--seed", "x"], "--seed"),
            (&["policy", "explain", "--role", "admin"], "--collection"),
        ] {
            let refused = refused(arguments);
            assert_eq!(refused.exit_code(), 2, "{arguments:?}");
            assert!(refused.to_string().contains(right), "{arguments:?}: {refused}");
        }
    }
}
