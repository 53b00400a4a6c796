//! HTTP: parse, one question to a view, answer.
//!
//! In: requests. Out: JSON, tiles, problems. The only room that knows actix. Every address is in
//! [`routes::ROUTES`], which feeds the router, the OpenAPI document and the twin-world test alike.
//! Not here: what the answers say (`query`, `tile`, `format`), who may see what (`access`).

mod caller;
mod encode;
mod guard;
mod health;
mod metrics;
mod ogc;
pub mod params;
pub mod problem;
pub mod routes;
mod server;
mod tiles;

pub use caller::Listener;
pub use server::Asked;
pub use server::Bound;
pub use server::ServerSettings;
pub use server::bind;
pub use server::is_loopback;
pub use server::respond;
pub use server::stop;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::access::Gate;
use crate::access::Principal;
use crate::access::View;
use crate::http::metrics::Metrics;
use crate::http::params::Params;

/// Everything the handlers share.
#[derive(Debug)]
pub struct App {
    /// The way to rows.
    pub gate: Gate,
    /// The address links start with, where it is not the caller's `Host`.
    pub public_url: Option<String>,
    /// Who may be the local operator.
    pub listener: Listener,
    /// Whether the server takes work; cleared at shutdown.
    pub ready: AtomicBool,
    /// Whether the check of the store's file found damage.
    pub file_damaged: AtomicBool,
    /// Counters.
    pub metrics: Metrics,
}

impl App {
    /// Shared state for a gate.
    #[must_use]
    pub fn new(gate: Gate, public_url: Option<String>, listener: Listener) -> Self {
        Self {
            gate,
            public_url,
            listener,
            ready: AtomicBool::new(true),
            file_damaged: AtomicBool::new(false),
            metrics: Metrics::default(),
        }
    }
}

/// One request, as a handler sees it: the view is taken once and is all it may look at.
#[derive(Debug)]
pub struct Call<'a> {
    /// Shared state.
    pub app: &'a App,
    /// Who asks.
    pub principal: Principal,
    /// All that they may see.
    pub view: Arc<View>,
    /// Path parameters, decoded once.
    pub path: &'a [(String, String)],
    /// Query parameters, checked against those the route takes.
    pub params: Params,
    /// Scheme and host for links.
    pub base: &'a str,
}

impl Call<'_> {
    /// A path parameter.
    #[must_use]
    pub fn path_value(&self, name: &str) -> &str {
        self.path.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// An answer before negotiation.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Media type.
    pub content_type: &'static str,
    /// The identity body.
    pub body: Vec<u8>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

impl Answer {
    /// 200 with a body.
    #[must_use]
    pub fn ok(content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status: 200, content_type, body, headers: Vec::new() }
    }

    /// 200 with JSON.
    #[must_use]
    pub fn json(value: &serde_json::Value) -> Self {
        Self::ok("application/json", value.to_string().into_bytes())
    }
}
