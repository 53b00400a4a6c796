//! What all requests share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;

use tokio::sync::Semaphore;

use crate::access::Gate;
use crate::http::RequestLog;
use crate::http::Tasks;
use crate::http::cache::Cache;
use crate::http::host::PublicUrl;
use crate::http::metrics::Metrics;
use crate::http::router::Router;
use crate::http::routes::ROUTES;
use crate::http::routes::Route;
use crate::http::unread::Unread;
use crate::tile::FeatureDropping;

/// Everything the routes share.
#[derive(Debug)]
pub struct App {
    /// The way to rows.
    pub gate: Gate,
    /// What links start with, where it is not the caller's `Host`.
    pub public_url: PublicUrl,
    /// Whether the server takes work; cleared at shutdown.
    pub ready: AtomicBool,
    /// Whether the check of the store's file found damage.
    pub file_damaged: AtomicBool,
    /// Whether the store could not be read when it was last looked at, so that older rows are served.
    pub stale: AtomicBool,
    /// Work that goes on beside answering.
    pub tasks: Tasks,
    /// Log lines that could not be written.
    pub log_lines_lost: Arc<AtomicU64>,
    /// Counters.
    pub metrics: Metrics,
    /// Where a line of each answer goes, if they are wanted.
    pub request_log: Option<RequestLog>,
    /// Whether features may be dropped from tiles that would be too large.
    pub dropping: FeatureDropping,
    /// Large answers that clients have not taken yet.
    pub unread: Arc<Unread>,
    /// The addresses that are answered.
    pub(super) router: Router,
    /// Finished answers.
    pub(super) cache: Cache,
    /// A heavy answer is made with one of these: bodies that are not counted yet are as few.
    pub(super) heavy: Semaphore,
    /// A view is built with one of these.
    pub(super) views: Semaphore,
}

/// At most so many heavy answers are made at once, or two a core if that is more.
const LEAST_HEAVY: usize = 8;
/// Bytes of large answers that clients have not taken yet, unless set otherwise.
const UNREAD_BYTES: u64 = 256 << 20;

impl App {
    /// Shared state for a gate, with room for `cache_bytes` of finished answers; 0 keeps none.
    #[must_use]
    pub fn new(gate: Gate, public_url: Option<&str>, cache_bytes: u64) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            gate,
            public_url: public_url.map(PublicUrl::new).unwrap_or_default(),
            ready: AtomicBool::new(true),
            file_damaged: AtomicBool::new(false),
            stale: AtomicBool::new(false),
            tasks: Tasks::default(),
            log_lines_lost: Arc::default(),
            metrics: Metrics::new(ROUTES),
            request_log: None,
            dropping: FeatureDropping::ToSize,
            unread: Unread::new(UNREAD_BYTES),
            router: Router::new(ROUTES),
            cache: Cache::new(cache_bytes),
            heavy: Semaphore::new(LEAST_HEAVY.max(2 * cores)),
            views: Semaphore::new(cores),
        }
    }

    /// Background tasks that have ended before they were stopped.
    #[must_use]
    pub fn stopped_tasks(&self) -> Vec<&'static str> {
        let mut stopped = self.tasks.stopped();
        if self.request_log.as_ref().is_some_and(|log| !log.runs()) {
            stopped.push("request log");
        }
        stopped
    }

    /// Bounds the bytes of large answers that clients have not taken yet.
    #[must_use]
    pub fn with_unread(mut self, bytes: u64) -> Self {
        self.unread = Unread::new(bytes);
        self
    }

    /// Answers these addresses instead of [`ROUTES`].
    #[must_use]
    pub fn with_routes(mut self, routes: &'static [Route]) -> Self {
        self.metrics = Metrics::new(routes);
        self.router = Router::new(routes);
        self
    }
}
