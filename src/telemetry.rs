//! Logs: to standard error, as text on a terminal and as JSON lines elsewhere.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging at a level (`error`, `warn`, `info`, `debug`, `trace`, or `tracing` directives).
///
/// # Errors
/// If the level cannot be read.
pub fn start(level: &str) -> anyhow::Result<()> {
    // The server library's own start and stop notes are ours already.
    let filter = EnvFilter::try_new(format!("actix_server=warn,{level}")).map_err(|error| {
        anyhow::anyhow!("log level {level:?}: {error}; use error, warn, info, debug or trace")
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process, as tests do, is no fault.
    let _ = if std::io::stderr().is_terminal() { builder.try_init() } else { builder.json().try_init() };
    Ok(())
}
