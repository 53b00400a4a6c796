//! HTTP: parse, one question to a view, answer.
//!
//! In: requests. Out: JSON, tiles, problems. The only room that knows actix. Every address is in
//! [`routes::ROUTES`], which feeds the router, the OpenAPI document and the twin-world test alike.
//! Not here: what the answers say (`query`, `tile`, `format`), who may see what (`access`).

mod body;
mod cache;
mod caller;
mod cors;
mod encode;
mod flows;
mod guard;
mod health;
mod host;
mod log;
mod metrics;
mod ogc;
mod operator;
pub mod params;
pub mod percent;
mod pipeline;
pub mod problem;
mod router;
pub mod routes;
mod search;
mod server;
mod session;
mod site;
mod tasks;
mod tiles;
mod unread;

pub use log::LogStyle;
pub use log::RequestLog;
pub use server::Bound;
pub use server::ServerSettings;
pub use server::Sockets;
pub use server::bind;
pub use server::serve_operator;
pub use server::stop;
pub use tasks::Running;
pub use tasks::Tasks;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;

use actix_web::http::header::HeaderName;
use actix_web::web::Bytes;
use tokio::sync::Semaphore;

use crate::access::Gate;
use crate::access::Principal;
use crate::access::View;
use crate::http::cache::Cache;
use crate::http::encode::Encoding;
use crate::http::encode::Packed;
use crate::http::host::PublicUrl;
use crate::http::metrics::Metrics;
use crate::http::params::Params;
use crate::http::router::PathValues;
use crate::http::unread::Unread;
use crate::tile::FeatureDropping;

/// Everything the handlers share.
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
    /// Finished answers.
    cache: Cache,
    /// A heavy answer is made with one of these: bodies that are not counted yet are as few.
    heavy: Semaphore,
    /// A view is built with one of these, of which there are as many as cores.
    building: Semaphore,
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
            metrics: Metrics::default(),
            request_log: None,
            dropping: FeatureDropping::ToSize,
            unread: Unread::new(UNREAD_BYTES),
            cache: Cache::new(cache_bytes),
            heavy: Semaphore::new(LEAST_HEAVY.max(2 * cores)),
            building: Semaphore::new(cores),
        }
    }

    /// Background tasks that have ended without having been told to.
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
}

/// One request, as a handler sees it: the view is taken once and is all it may look at.
#[derive(Debug)]
pub struct Call {
    /// Shared state.
    pub app: Arc<App>,
    /// Who asks.
    pub principal: Principal,
    /// Whether roles are played here.
    pub in_demo: bool,
    /// All that they may see.
    pub view: Arc<View>,
    /// Path parameters, decoded once.
    pub path: PathValues,
    /// Query parameters, checked against those the route takes.
    pub params: Params,
    /// The query as it came.
    query: String,
    /// Scheme and host for links.
    pub base: String,
    /// `Accept-Encoding`.
    accept_encoding: String,
}

impl Call {
    /// A path parameter.
    #[must_use]
    pub fn path_value(&self, name: &str) -> &str {
        self.path.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// The best of `ours` that the caller accepts.
    fn encoding(&self, ours: &[Encoding]) -> Encoding {
        encode::choose(&self.accept_encoding, ours)
    }
}

/// How much work an answer is.
#[derive(Debug)]
pub enum Weight {
    /// None: the answer was kept.
    Answered(Answer),
    /// Less than a fifth of a millisecond: answered where it was read.
    Light,
    /// More: goes to the pool, so that it holds up nobody.
    Heavy,
}

/// Most answers have at most so many headers.
const HEADERS: usize = 8;

/// An answer before negotiation.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Media type.
    pub content_type: &'static str,
    /// The identity body.
    pub body: Bytes,
    /// The body in the encoding to send, where it is kept; `body` is then not looked at.
    packed: Option<Packed>,
    /// Further headers.
    pub headers: Vec<(HeaderName, Cow<'static, str>)>,
}

impl Answer {
    /// 200 with a body.
    #[must_use]
    pub fn ok(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            status: 200,
            content_type,
            body: body.into(),
            packed: None,
            headers: Vec::with_capacity(HEADERS),
        }
    }

    /// A status without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, content_type: "", body: Bytes::new(), packed: None, headers: Vec::new() }
    }

    /// 200 with JSON.
    #[must_use]
    pub fn json(value: &serde_json::Value) -> Self {
        Self::ok("application/json", value.to_string())
    }

    /// 200 with a body that is encoded already.
    #[must_use]
    fn packed(content_type: &'static str, packed: Packed) -> Self {
        Self { packed: Some(packed), ..Self::ok(content_type, Bytes::new()) }
    }
}
