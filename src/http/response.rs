//! An answer on its way out, before it is tagged and encoded.

use std::borrow::Cow;

use actix_web::http::header::HeaderName;
use actix_web::web::Bytes;

use crate::http::encode::Packed;
use crate::http::events::Events;
use crate::http::stream::Chunks;

/// Most answers have at most so many headers.
const HEADERS: usize = 8;

/// Headers with their values, which are ours or checked.
pub type Headers = Vec<(HeaderName, Cow<'static, str>)>;

/// An answer before negotiation.
#[derive(Debug)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Media type; empty if there is no body.
    pub content_type: &'static str,
    /// Further headers.
    pub headers: Headers,
    /// The body.
    pub(super) body: Body,
}

/// The body of an answer.
#[derive(Debug)]
pub enum Body {
    /// All of it, as it is.
    Bytes(Bytes),
    /// All of it, with its entity tag and in the encoding to send.
    Packed(Packed),
    /// A chunk at a time: it has no entity tag.
    Stream(Chunks),
    /// Server-sent events.
    Events(Events),
}

impl Response {
    /// 200 with a body.
    #[must_use]
    pub fn ok(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self::of(content_type, Body::Bytes(body.into()))
    }

    /// A status without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, content_type: "", body: Body::Bytes(Bytes::new()), headers: Vec::new() }
    }

    /// 200 with JSON.
    #[must_use]
    pub fn json(value: &serde_json::Value) -> Self {
        Self::ok("application/json", value.to_string())
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// 200 with a body that is made a chunk at a time, as the client takes it.
    #[must_use]
    pub fn stream(content_type: &'static str, chunks: Chunks) -> Self {
        Self::of(content_type, Body::Stream(chunks))
    }

    /// 200 with events as they happen.
    #[must_use]
    pub fn events(events: Events) -> Self {
        Self::of("text/event-stream", Body::Events(events))
    }

    /// 200 with a body that is encoded already.
    #[must_use]
    pub(super) fn packed(content_type: &'static str, packed: Packed) -> Self {
        Self::of(content_type, Body::Packed(packed))
    }

    fn of(content_type: &'static str, body: Body) -> Self {
        Self { status: 200, content_type, body, headers: Vec::with_capacity(HEADERS) }
    }
}

impl Body {
    /// Bytes that are in memory, where all of the body is.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Packed(packed) => packed.body.len(),
            Self::Stream(_) | Self::Events(_) => 0,
        }
    }
}
