//! Every error as RFC 9457 `application/problem+json`: what was wrong, where, what would be right.

use actix_web::http::header::ALLOW;
use actix_web::http::header::RETRY_AFTER;

use crate::filter::FilterError;
use crate::http::Answer;
use crate::http::cors::METHODS;

/// An error on its way out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Problem {
    /// A parameter that the address does not take.
    #[error("unknown parameter {name:?}; this address takes {allowed}")]
    UnknownParameter {
        /// The name given.
        name: String,
        /// Those it takes.
        allowed: String,
    },
    /// A parameter with a value it cannot have.
    #[error("{name}: {reason}")]
    BadParameter {
        /// The parameter.
        name: &'static str,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// Nothing there, or nothing for this caller: the two are the same.
    #[error("there is nothing at this address")]
    NotFound,
    /// Another method.
    #[error("this address answers GET and HEAD only")]
    MethodNotAllowed,
    /// A body where none is read, larger than any request may have.
    #[error("the request body is larger than {limit} bytes")]
    BodyTooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// A body that came too slowly.
    #[error("the request body came too slowly: send at least 1,000 bytes a second")]
    BodyTooSlow,
    /// A compressed request body.
    #[error("request bodies must not be compressed")]
    EncodedBody,
    /// An address too long.
    #[error("the address is longer than {limit} bytes")]
    AddressTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// Too many connections from one address, or work from all.
    #[error("too many connections: try again in a few seconds")]
    Busy,
    /// Too many bytes of large answers wait for clients to read them.
    #[error("too many large answers are on their way: try again in a few seconds, or ask for less at once")]
    Unread,
    /// A name in `Host` that is not this server's.
    #[error(
        "this server does not answer for that Host: ask for localhost, or for the name of its public_url"
    )]
    Misdirected,
    /// A fault of ours.
    #[error("the server failed; its log has the request id")]
    Internal {
        /// The id in the log.
        request_id: String,
    },
}

impl Problem {
    /// A parameter that cannot have this value.
    pub fn bad(name: &'static str, reason: impl Into<String>) -> Self {
        Self::BadParameter { name, reason: reason.into() }
    }

    /// A parameter whose value the filter room refused.
    #[must_use]
    pub fn filter(name: &'static str, error: &FilterError) -> Self {
        Self::bad(name, error.to_string())
    }

    fn parts(&self) -> (u16, &'static str, &'static str) {
        match self {
            Self::UnknownParameter { .. } => (400, "unknown-parameter", "Unknown parameter"),
            Self::BadParameter { .. } => (400, "bad-parameter", "Bad parameter"),
            Self::NotFound => (404, "not-found", "Not found"),
            Self::MethodNotAllowed => (405, "method-not-allowed", "Method not allowed"),
            Self::BodyTooLarge { .. } => (413, "body-too-large", "Request body too large"),
            Self::BodyTooSlow => (408, "body-too-slow", "Request body too slow"),
            Self::EncodedBody => (415, "encoded-body", "Compressed request body"),
            Self::AddressTooLong { .. } => (414, "address-too-long", "Address too long"),
            Self::Busy | Self::Unread => (503, "busy", "Busy"),
            Self::Misdirected => (421, "misdirected", "Misdirected request"),
            Self::Internal { .. } => (500, "internal", "Internal error"),
        }
    }

    /// The answer.
    #[must_use]
    pub fn answer(&self) -> Answer {
        let (status, kind, title) = self.parts();
        let mut body = serde_json::json!({
            "type": format!("urn:throughline:problem:{kind}"),
            "title": title,
            "status": status,
            "detail": self.to_string(),
        });
        let mut headers = Vec::new();
        match self {
            Self::BadParameter { name, .. } => body["parameter"] = (*name).into(),
            Self::UnknownParameter { name, .. } => body["parameter"] = name.as_str().into(),
            Self::Internal { request_id } => body["request_id"] = request_id.as_str().into(),
            Self::MethodNotAllowed => headers.push((ALLOW, METHODS.into())),
            Self::Busy | Self::Unread => headers.push((RETRY_AFTER, "3".into())),
            Self::NotFound
            | Self::Misdirected
            | Self::BodyTooLarge { .. }
            | Self::BodyTooSlow
            | Self::EncodedBody
            | Self::AddressTooLong { .. } => {}
        }
        Answer { status, headers, ..Answer::ok("application/problem+json", body.to_string()) }
    }
}
