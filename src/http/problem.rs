//! Every error as RFC 9457 `application/problem+json`: what was wrong, where, what would be right.

use std::borrow::Cow;

use actix_web::http::header::ALLOW;
use actix_web::http::header::RETRY_AFTER;

use crate::filter::FilterError;
use crate::http::response::Response;

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
        /// The parameter, as it was given.
        name: Cow<'static, str>,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// Nothing there, or nothing for this caller: the two are the same.
    #[error("there is nothing at this address")]
    NotFound,
    /// Another method.
    #[error("this address answers {allowed} only")]
    MethodNotAllowed {
        /// The methods of the path.
        allowed: Cow<'static, str>,
    },
    /// The caller has no right to write here.
    #[error("your role may not do this")]
    Forbidden,
    /// A body that is not what the address takes.
    #[error("request body: {reason}")]
    BadBody {
        /// What is wrong and what would be right.
        reason: String,
    },
    /// A body of another media type than JSON.
    #[error("the request body is {given:?}: send application/json")]
    NotJson {
        /// The media type given.
        given: String,
    },
    /// A body whose end did not come.
    #[error("the request body broke off before its end")]
    BodyBroken,
    /// A body larger than the address reads, or takes and drops.
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
    pub fn bad(name: impl Into<Cow<'static, str>>, reason: impl Into<String>) -> Self {
        Self::BadParameter { name: name.into(), reason: reason.into() }
    }

    /// A parameter that the query room refused.
    #[must_use]
    pub fn filter(name: &'static str, error: &FilterError) -> Self {
        Self::bad(name, error.to_string())
    }

    fn parts(&self) -> (u16, &'static str, &'static str) {
        match self {
            Self::UnknownParameter { .. } => (400, "unknown-parameter", "Unknown parameter"),
            Self::BadParameter { .. } => (400, "bad-parameter", "Bad parameter"),
            Self::NotFound => (404, "not-found", "Not found"),
            Self::Forbidden => (403, "forbidden", "Forbidden"),
            Self::BadBody { .. } => (400, "bad-body", "Bad request body"),
            Self::BodyBroken => (400, "body-broken", "Request body broken off"),
            Self::NotJson { .. } => (415, "not-json", "Request body is not JSON"),
            Self::MethodNotAllowed { .. } => (405, "method-not-allowed", "Method not allowed"),
            Self::BodyTooLarge { .. } => (413, "body-too-large", "Request body too large"),
            Self::BodyTooSlow => (408, "body-too-slow", "Request body too slow"),
            Self::EncodedBody => (415, "encoded-body", "Compressed request body"),
            Self::AddressTooLong { .. } => (414, "address-too-long", "Address too long"),
            Self::Busy | Self::Unread => (503, "busy", "Busy"),
            Self::Misdirected => (421, "misdirected", "Misdirected request"),
            Self::Internal { .. } => (500, "internal", "Internal error"),
        }
    }

    /// The response that says so.
    #[must_use]
    pub fn response(&self) -> Response {
        let (status, kind, title) = self.parts();
        let mut body = serde_json::json!({
            "type": format!("urn:throughline:problem:{kind}"),
            "title": title,
            "status": status,
            "detail": self.to_string(),
        });
        let mut headers = Vec::new();
        match self {
            Self::BadParameter { name, .. } => body["parameter"] = name.as_ref().into(),
            Self::UnknownParameter { name, .. } => body["parameter"] = name.as_str().into(),
            Self::Internal { request_id } => body["request_id"] = request_id.as_str().into(),
            Self::MethodNotAllowed { allowed } => headers.push((ALLOW, allowed.clone())),
            Self::Busy | Self::Unread => headers.push((RETRY_AFTER, "3".into())),
            Self::NotFound
            | Self::Forbidden
            | Self::BadBody { .. }
            | Self::NotJson { .. }
            | Self::BodyBroken
            | Self::Misdirected
            | Self::BodyTooLarge { .. }
            | Self::BodyTooSlow
            | Self::EncodedBody
            | Self::AddressTooLong { .. } => {}
        }
        Response { status, headers, ..Response::ok("application/problem+json", body.to_string()) }
    }
}

/// A fault of ours: the log says what it is, the answer only under which id.
pub fn internal(what: &str) -> Problem {
    let mut bytes = [0_u8; 8];
    // Without randomness the id is zero; the log line still has the time.
    let _ = getrandom::fill(&mut bytes);
    let request_id = format!("{:016x}", u64::from_be_bytes(bytes));
    tracing::error!(request_id, "{what}");
    Problem::Internal { request_id }
}
