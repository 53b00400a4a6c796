//! What of a request's head decides its answer.

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT_ENCODING;
use actix_web::http::header::COOKIE;
use actix_web::http::header::HOST;
use actix_web::http::header::HeaderValue;
use actix_web::http::header::IF_NONE_MATCH;
use actix_web::http::header::ORIGIN;

use crate::http::App;
use crate::http::caller::Who;

/// Method, query and the few headers that count.
#[derive(Debug)]
pub struct RequestHead<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The query as it came.
    pub query: &'a str,
    host: Option<&'a HeaderValue>,
    accept_encoding: Option<&'a HeaderValue>,
    if_none_match: Option<&'a HeaderValue>,
    origin: Option<&'a HeaderValue>,
    cookie: Option<&'a HeaderValue>,
    cookies: usize,
}

impl<'a> From<&'a HttpRequest> for RequestHead<'a> {
    fn from(request: &'a HttpRequest) -> Self {
        let mut head = Self {
            method: request.method().as_str(),
            query: request.query_string(),
            host: None,
            accept_encoding: None,
            if_none_match: None,
            origin: None,
            cookie: None,
            cookies: 0,
        };
        // One walk over the few headers there are; of equal names the first counts.
        for (name, value) in request.headers() {
            let wanted = if *name == HOST {
                &mut head.host
            } else if *name == ACCEPT_ENCODING {
                &mut head.accept_encoding
            } else if *name == IF_NONE_MATCH {
                &mut head.if_none_match
            } else if *name == ORIGIN {
                &mut head.origin
            } else if *name == COOKIE {
                head.cookies += 1;
                &mut head.cookie
            } else {
                continue;
            };
            *wanted = wanted.or(Some(value));
        }
        head
    }
}

impl<'a> RequestHead<'a> {
    /// The `Host`, if it can be read and stand in a link.
    pub fn host(&self) -> Option<&'a str> {
        text(self.host).filter(|host| is_plain_host(host))
    }

    /// `Accept-Encoding`, empty if there is none that can be read.
    pub fn accept_encoding(&self) -> &'a str {
        text(self.accept_encoding).unwrap_or("")
    }

    /// `If-None-Match`.
    pub fn if_none_match(&self) -> Option<&'a str> {
        text(self.if_none_match)
    }

    /// Whether a page asks, possibly one of another origin.
    pub fn is_from_page(&self) -> bool {
        self.origin.is_some()
    }

    /// The caller.
    pub fn who(&self, app: &App) -> Who {
        if !app.gate.are_roles_played() {
            return Who::anyone();
        }
        // A cookie that cannot be read plays no role.
        let readable = |value: &'a HeaderValue| value.to_str().ok().filter(|_| self.cookies == 1);
        Who::in_demo(self.cookie.map(|value| readable(value).unwrap_or("throughline-role=")))
    }
}

/// The text of a header, if it can be read.
fn text(value: Option<&HeaderValue>) -> Option<&str> {
    value?.to_str().ok()
}

/// Host names go into links: letters, digits and the marks of addresses only.
fn is_plain_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 255
        && host.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')
        })
}
