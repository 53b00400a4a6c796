//! `throughline serve`: a store over HTTP until it is told to stop.

use std::io::IsTerminal;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use crate::access::Gate;
use crate::access::Policy;
use crate::cli::add_missing_reference;
use crate::cli::is_due;
use crate::cli::open_or_make_demo;
use crate::cli::policy;
use crate::cli::release;
use crate::cli::say;
use crate::cli::say_error;
use crate::config::Config;
use crate::config::Overrides;
use crate::demo::SEED;
use crate::demo::Settings;
use crate::http::App;
use crate::http::Bound;
use crate::http::Listener;
use crate::http::LogStyle;
use crate::http::RequestLog;
use crate::http::ServerSettings;
use crate::http::bind;
use crate::http::is_loopback;
use crate::http::stop;
use crate::store::Store;
use crate::telemetry;
use crate::tile::Thinning;

/// How often the store is asked for changes that another process committed.
const REFRESH_SECONDS: u64 = 2;
/// How often it is seen whether a week or a month is over whose figures are due.
const RELEASE_SECONDS: u64 = 3_600;
/// How long a server that others reach waits before it stops taking work, so that balancers see it is not ready.
const DRAIN_SECONDS: u64 = 5;

/// Serve a store over HTTP; makes it with the synthetic national set if there is none, and adds the reference facts that
/// it lacks.
#[derive(Debug, clap::Args)]
pub struct ServeArguments {
    /// The store.
    #[arg(default_value = "./var/throughline.gpkg")]
    store: PathBuf,
    /// Address and port.
    #[arg(long, env = "THROUGHLINE_LISTEN", value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// A TOML file of settings.
    #[arg(long, env = "THROUGHLINE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// What links start with, where it is not the address asked for.
    #[arg(long, env = "THROUGHLINE_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// error, warn, info, debug or trace.
    #[arg(long, env = "THROUGHLINE_LOG", value_name = "LEVEL")]
    log: Option<String>,
}

/// Serves until SIGTERM (orderly) or SIGINT (at once).
pub fn run(arguments: &ServeArguments) -> anyhow::Result<ExitCode> {
    let overrides = Overrides {
        listen: arguments.listen.clone(),
        public_url: arguments.public_url.clone(),
        log: arguments.log.clone(),
    };
    let config = Config::load(arguments.config.as_deref(), overrides)?;
    telemetry::start(&config.log)?;
    let store = Arc::new(open_store(&arguments.store)?);
    let loopback_only =
        is_loopback(&config.listen).with_context(|| format!("listen = {:?}", config.listen))?;
    let policy = policy::read(config.policy.as_deref())?;
    let gate = Gate::under(policy.clone(), Arc::clone(&store))?;
    let listener = Listener { loopback_only, public_host: config.public_host() };
    let mut app = App::new(gate, config.public_url.clone(), listener, config.cache_mb << 20);
    app.thinning = if config.thin_tiles { Thinning::ToSize } else { Thinning::None };
    if tracing::enabled!(target: "request", tracing::Level::INFO) {
        let style = if std::io::stderr().is_terminal() { LogStyle::Text } else { LogStyle::Json };
        app.request_log = Some(RequestLog::start(style, std::io::stderr())?);
    }
    let app = Arc::new(app);
    let settings = ServerSettings {
        listen: config.listen.clone(),
        max_connections_per_address: config.max_connections_per_address,
        max_connections: config.max_connections,
        workers: config.workers,
        ..ServerSettings::default()
    };
    actix_web::rt::System::new().block_on(async {
        if config.release && store.why_read_only().is_none() {
            actix_web::rt::spawn(keep_releasing(Arc::clone(&store), policy));
        }
        serve(&app, &store, &settings, loopback_only).await
    })?;
    store.checkpoint()?;
    Ok(ExitCode::SUCCESS)
}

/// Opens the store, or makes it with the national demo.
fn open_store(path: &Path) -> anyhow::Result<Store> {
    if !path.exists() {
        say_error(&format!(
            "{}: made with the synthetic national set, which takes some seconds",
            path.display()
        ));
    }
    let store = open_or_make_demo(path, Settings { seed: SEED, scale: 1.0 })?;
    match store.why_read_only() {
        None => add_missing_reference(&store)?,
        Some(reason) => say_error(&format!("{}: {reason}: it is served as it is", path.display())),
    }
    Ok(store)
}

/// Releases what is due of the register, now and every hour. Those who look after the store see it go wrong in the log;
/// what was released before stays.
async fn keep_releasing(store: Arc<Store>, policy: Policy) {
    let mut tick = tokio::time::interval(Duration::from_secs(RELEASE_SECONDS));
    loop {
        tick.tick().await;
        let (store, policy) = (Arc::clone(&store), policy.clone());
        let released = actix_web::rt::task::spawn_blocking(move || -> anyhow::Result<bool> {
            Ok(is_due(&store)? && !release(&store, &policy, false)?.is_empty())
        });
        match released.await {
            Ok(Ok(true)) => tracing::info!("what was due of the register is released"),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => tracing::error!("nothing is released: {error:#}"),
            Err(error) => tracing::error!(%error, "releasing failed"),
        }
    }
}

async fn serve(
    app: &Arc<App>,
    store: &Arc<Store>,
    settings: &ServerSettings,
    loopback_only: bool,
) -> anyhow::Result<()> {
    let Bound { server, handle, addresses } =
        bind(Arc::clone(app), settings).with_context(|| format!("cannot listen on {}", settings.listen))?;
    for address in addresses {
        say(&format!("Throughline serves {} on http://{address}/", store.path().display()));
    }
    let refreshing = Arc::clone(app);
    actix_web::rt::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_secs(REFRESH_SECONDS));
        loop {
            tick.tick().await;
            let app = Arc::clone(&refreshing);
            match actix_web::rt::task::spawn_blocking(move || app.gate.refresh()).await {
                Ok(Ok(true)) => tracing::info!("the store has changed: new data is served"),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => {
                    tracing::error!(%error, "the store cannot be read: the last data is served");
                }
                Err(error) => tracing::error!(%error, "refreshing failed"),
            }
        }
    });
    let (checking, checked) = (Arc::clone(store), Arc::clone(app));
    actix_web::rt::task::spawn_blocking(move || match checking.quick_check() {
        Ok(faults) if faults.is_empty() => tracing::info!("the store's file is sound"),
        Ok(faults) => {
            checked.file_damaged.store(true, Ordering::Release);
            tracing::error!(faults = faults.join("; "), "the store's file is damaged: restore a backup");
        }
        Err(error) => tracing::error!(%error, "the store's file cannot be checked"),
    });
    let (stopping, stopping_handle) = (Arc::clone(app), handle.clone());
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    actix_web::rt::spawn(async move {
        let drain = Duration::from_secs(if loopback_only { 0 } else { DRAIN_SECONDS });
        tokio::select! {
            _ = terminate.recv() => {
                tracing::info!("stopping: requests under way are finished");
                tokio::select! {
                    () = stop(&stopping, &stopping_handle, drain) => {}
                    _ = terminate.recv() => stopping_handle.stop(false).await,
                }
            }
            _ = interrupt.recv() => stopping_handle.stop(false).await,
        }
    });
    server.await?;
    Ok(())
}
