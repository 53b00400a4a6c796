//! The `throughline` program: see `throughline::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    throughline::cli::run()
}
