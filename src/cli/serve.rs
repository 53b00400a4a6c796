//! `throughline serve`: a store over HTTP until it gets a signal to stop.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use anyhow::Context;
use anyhow::bail;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use crate::access::GateError;
use crate::cli::policy;
use crate::cli::say;
use crate::config::Config;
use crate::config::Overrides;
use crate::demo::SEED;
use crate::demo::Settings;
use crate::http::App;
use crate::http::Bound;
use crate::http::LogStyle;
use crate::http::RequestLog;
use crate::http::ServerSettings;
use crate::http::Sockets;
use crate::http::bind;
use crate::http::serve_operator;
use crate::http::stop;
use crate::ops::Cancel;
use crate::ops::OpsError;
use crate::ops::Progress;
use crate::ops::demo;
use crate::ops::open_gate;
use crate::ops::reference;
use crate::ops::release;
use crate::store::Store;
use crate::telemetry;
use crate::telemetry::Log;
use crate::tile::FeatureDropping;

/// How long one wait for changes of the store lasts.
const WATCH_FOR: Duration = Duration::from_millis(100);
/// How often it is read again whether or not a change was noticed: the day may be another one.
const REFRESH_EVERY: Duration = Duration::from_secs(2);
/// How long a store that cannot be read is left alone.
const RETRY: Duration = Duration::from_secs(2);
/// How often it is seen whether a week or a month is over whose figures are due.
const RELEASE_SECONDS: u64 = 3_600;
/// How long a server that others reach waits before it stops taking work, so that balancers see it is not ready.
const DRAIN_SECONDS: u64 = 5;

/// What a demo is, in a sentence.
const DEMO: &str = "Demo: whoever reaches this address may play every role without a password, because all rows of the \
    store are synthetic, reference, released or open; the first other row ends it.";
/// And where it is none.
const NO_DEMO: &str =
    "No demo: the store has rows that not anyone may see (the log says which), so every caller is public.";

/// Serve a store over HTTP; adds the reference facts that it lacks.
#[derive(Debug, clap::Args)]
pub struct ServeArguments {
    /// The store.
    #[arg(default_value = "./var/throughline.gpkg")]
    store: PathBuf,
    /// Address and port.
    #[arg(long, env = "THROUGHLINE_LISTEN", value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Let whoever comes play every role, as long as the store holds nothing but synthetic, reference, released and open rows;
    /// makes the store with the synthetic national set if there is none. Without it every caller is public.
    #[arg(long)]
    demo: bool,
    /// A TOML file of settings.
    #[arg(long, env = "THROUGHLINE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// What links start with, where it is not the address asked for; its host is answered for too. Needed where others than
    /// this machine can connect.
    #[arg(long, env = "THROUGHLINE_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Address and port of metrics and detailed health; a loopback address.
    #[arg(long, env = "THROUGHLINE_METRICS_LISTEN", value_name = "ADDRESS:PORT")]
    metrics_listen: Option<String>,
    /// error, warn, info, debug or trace.
    #[arg(long, env = "THROUGHLINE_LOG", value_name = "LEVEL")]
    log: Option<String>,
}

/// Serves until SIGTERM (orderly) or SIGINT (at once).
pub fn run(arguments: &ServeArguments) -> anyhow::Result<ExitCode> {
    let overrides = Overrides {
        listen: arguments.listen.clone(),
        public_url: arguments.public_url.clone(),
        metrics_listen: arguments.metrics_listen.clone(),
        log: arguments.log.clone(),
    };
    let config = Config::load(arguments.config.as_deref(), overrides)?;
    let log = telemetry::start(&config.log)?;
    let served = serve_store(arguments, &config, &log);
    // By the log's own thread, for a second at most: whoever reads standard error may be asleep.
    if let Err(error) = &served {
        log.say(&format!("throughline: {error:#}"));
    }
    log.finish();
    Ok(if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn serve_store(arguments: &ServeArguments, config: &Config, log: &Log) -> anyhow::Result<()> {
    // A port in use is said before anything is made.
    let sockets = take(&config.listen, "listen")?;
    if !sockets.are_loopback() && config.public_url.is_none() {
        bail!(
            "listen = {:?}: others than this machine can connect there, so say under which address they do: --public-url http://maps.example:8080",
            config.listen
        );
    }
    let for_metrics = config.metrics_listen.as_deref().map(take_private).transpose()?;
    let store = Arc::new(open_store(&arguments.store, arguments.demo, log)?);
    let policy = policy::read(config.policy.as_deref())?;
    let mut gate = open_gate(Arc::clone(&store), policy)?;
    if arguments.demo {
        gate = gate.with_roles_played();
    }
    let unread = config.unread_mb << 20;
    let mut app = App::new(gate, config.public_url.as_deref(), config.cache_mb << 20).with_unread(unread);
    app.dropping = if config.drop_features { FeatureDropping::ToSize } else { FeatureDropping::None };
    app.log_lines_lost = log.lost();
    app.tasks.watch("log", {
        let log = log.clone();
        move || log.runs()
    });
    if tracing::enabled!(target: "request", tracing::Level::INFO) {
        let style = if std::io::stderr().is_terminal() { LogStyle::Text } else { LogStyle::Json };
        app.request_log = Some(RequestLog::start(style, log.clone(), log.lost())?);
    }
    let app = Arc::new(app);
    let settings = ServerSettings {
        max_connections_per_address: config.max_connections_per_address,
        max_connections: config.max_connections,
        workers: config.workers,
        ..ServerSettings::default()
    };
    actix_web::rt::System::new().block_on(async {
        // A release that is under way when the server stops is taken back, and made after the next start.
        let stopping = Cancel::default();
        if config.release && store.why_read_only().is_none() {
            actix_web::rt::spawn(keep_releasing(Arc::clone(&app), Arc::clone(&store), stopping.clone()));
        }
        let served = serve(&app, &store, &settings, sockets, for_metrics, arguments.demo).await;
        stopping.cancel();
        served
    })?;
    store.checkpoint()?;
    Ok(())
}

/// Takes the addresses of a setting.
fn take(listen: &str, setting: &str) -> anyhow::Result<Sockets> {
    Sockets::take(listen).with_context(|| {
        format!("{setting} = {listen:?}: cannot listen there; give another address and port, or port 0 for a free one")
    })
}

/// Takes the addresses of metrics, which must be loopback addresses.
fn take_private(listen: &str) -> anyhow::Result<Sockets> {
    let sockets = take(listen, "metrics_listen")?;
    if !sockets.are_loopback() {
        bail!(
            "metrics_listen = {listen:?}: give a loopback address, like 127.0.0.1:9090: metrics speak of all rows"
        );
    }
    Ok(sockets)
}

/// Opens the store; for a demo, makes it with the synthetic national set if there is none.
fn open_store(path: &Path, demo: bool, log: &Log) -> anyhow::Result<Store> {
    if !path.exists() {
        if !demo {
            bail!(
                "{}: there is no store: `throughline serve --demo` makes one with the synthetic national set, `throughline init` one with the reference facts, `throughline import` one with your file",
                path.display()
            );
        }
        log.say(&format!(
            "{}: made with the synthetic national set, which takes some seconds",
            path.display()
        ));
    }
    let silent = Progress::silent();
    let settings = Settings { seed: SEED, scale: 1.0 };
    let store = if demo { demo::open_or_make(path, settings, &silent)? } else { Store::open(path)? };
    match store.why_read_only() {
        None => reference::add_missing(&store, &silent)?,
        Some(reason) => log.say(&format!("{}: {reason}: it is served as it is", path.display())),
    }
    Ok(store)
}

/// Releases what is due of the register, now and every hour, from the rows that are served. A failure is an error in the
/// log; what was released before stays.
async fn keep_releasing(app: Arc<App>, store: Arc<Store>, stopping: Cancel) {
    let _running = app.tasks.begin("release");
    let mut tick = tokio::time::interval(Duration::from_secs(RELEASE_SECONDS));
    loop {
        tick.tick().await;
        let (store, serving) = (Arc::clone(&store), Arc::clone(&app));
        let progress = Progress::new(|_| {}, stopping.clone());
        let released = actix_web::rt::task::spawn_blocking(move || -> Result<bool, OpsError> {
            if !release::is_due(&store)? {
                return Ok(false);
            }
            Ok(!release::run(&store, &serving.gate, false, &progress)?.collections.is_empty())
        });
        match released.await {
            Ok(Ok(true)) => tracing::info!("what was due of the register is released"),
            Ok(Ok(false)) => {}
            Ok(Err(OpsError::Cancelled)) => tracing::info!("the server stops: nothing is released"),
            Ok(Err(error)) => tracing::error!("nothing is released: {error}"),
            Err(error) => tracing::error!(%error, "releasing failed"),
        }
    }
}

async fn serve(
    app: &Arc<App>,
    store: &Arc<Store>,
    settings: &ServerSettings,
    sockets: Sockets,
    for_metrics: Option<Sockets>,
    demo: bool,
) -> anyhow::Result<()> {
    let drain = Duration::from_secs(if sockets.are_loopback() { 0 } else { DRAIN_SECONDS });
    let metrics = for_metrics.map(|sockets| serve_operator(Arc::clone(app), sockets)).transpose()?;
    let Bound { server, handle, addresses } = bind(Arc::clone(app), settings, sockets)?;
    let lines =
        first_lines(store.path(), &addresses, metrics.as_ref(), demo.then(|| app.gate.are_roles_played()));
    // Nobody may be reading standard output: serving does not wait for it.
    let _ = std::thread::Builder::new()
        .name("first lines".into())
        .spawn(move || lines.iter().for_each(|line| say(line)));
    let metrics = metrics.map(|Bound { server, handle, .. }| {
        let running = app.tasks.begin("metrics listener");
        actix_web::rt::spawn(async move {
            let _running = running;
            if let Err(error) = server.await {
                tracing::error!(%error, "the listener of metrics has stopped");
            }
        });
        handle
    });
    actix_web::rt::spawn(keep_refreshing(Arc::clone(app), Arc::clone(store)));
    let (checking, checked) = (Arc::clone(store), Arc::clone(app));
    let running = app.tasks.begin("check of the file");
    actix_web::rt::task::spawn_blocking(move || {
        match checking.quick_check() {
            Ok(faults) if faults.is_empty() => tracing::info!("the store's file is sound"),
            Ok(faults) => {
                checked.file_damaged.store(true, Ordering::Release);
                tracing::error!(faults = faults.join("; "), "the store's file is damaged: restore a backup");
            }
            Err(error) => tracing::error!(%error, "the store's file cannot be checked"),
        }
        running.finish();
    });
    let (stopping, stopping_handle) = (Arc::clone(app), handle.clone());
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let running = app.tasks.begin("signals");
    actix_web::rt::spawn(async move {
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
        running.finish();
    });
    server.await?;
    if let Some(metrics) = metrics {
        metrics.stop(false).await;
    }
    Ok(())
}

/// What is said where everything listens. `demo` is whether roles are played, if that was asked for.
fn first_lines(
    store: &Path,
    addresses: &[SocketAddr],
    metrics: Option<&Bound>,
    demo: Option<bool>,
) -> Vec<String> {
    let mut lines: Vec<String> = addresses
        .iter()
        .map(|address| format!("Throughline serves {} on http://{address}/", store.display()))
        .collect();
    lines.extend(demo.map(|played| if played { DEMO } else { NO_DEMO }.to_owned()));
    for address in metrics.iter().flat_map(|bound| &bound.addresses) {
        lines.push(format!("Metrics are on http://{address}/metrics"));
    }
    lines
}

/// Serves what this and other processes commit, for as long as the server runs.
async fn keep_refreshing(app: Arc<App>, store: Arc<Store>) {
    let _running = app.tasks.begin("refresh");
    let mut watch = Some(store.watch());
    let mut refreshed_at = Instant::now();
    loop {
        let is_due = refreshed_at.elapsed() >= REFRESH_EVERY;
        let (refreshing, watched) = (Arc::clone(&app), Arc::clone(&store));
        let mut waiting = watch.take().unwrap_or_else(|| store.watch());
        let refreshed = actix_web::rt::task::spawn_blocking(move || {
            // Short, so that a server that stops need not wait for it.
            let waited = waiting.wait(&watched, WATCH_FOR);
            let refreshed = waited.map_err(GateError::from).and_then(|changed| {
                if changed || is_due { refreshing.gate.refresh().map(Some) } else { Ok(None) }
            });
            (waiting, refreshed)
        })
        .await;
        let refreshed = refreshed.map(|(waiting, refreshed)| {
            watch = Some(waiting);
            refreshed
        });
        app.stale.store(!matches!(refreshed, Ok(Ok(_))), Ordering::Release);
        if !matches!(refreshed, Ok(Ok(None))) {
            refreshed_at = Instant::now();
        }
        match refreshed {
            Ok(Ok(Some(true))) => tracing::info!("the store has changed: new data is served"),
            Ok(Ok(None | Some(false))) => continue,
            Ok(Err(error)) => {
                tracing::error!(%error, "the store cannot be read: the last data is served");
            }
            Err(error) => tracing::error!(%error, "refreshing failed: the last data is served"),
        }
        if app.stale.load(Ordering::Acquire) {
            tokio::time::sleep(RETRY).await;
        }
    }
}
