//! What pages of other origins may read (Fetch, CORS protocol): answers that anyone would get. What only a role sees may be
//! read by pages of the same origin alone, which need no header for it.

use std::borrow::Cow;

use actix_web::http::header::ACCESS_CONTROL_ALLOW_HEADERS;
use actix_web::http::header::ACCESS_CONTROL_ALLOW_METHODS;
use actix_web::http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use actix_web::http::header::ACCESS_CONTROL_EXPOSE_HEADERS;
use actix_web::http::header::ACCESS_CONTROL_MAX_AGE;
use actix_web::http::header::ALLOW;
use actix_web::http::header::VARY;

use crate::http::response::Response;

/// Headers that pages may add to their requests. They decide nothing but form and caching of an answer.
const ALLOWED_HEADERS: &str = "accept, accept-language, cache-control, content-language, content-type, if-match, \
    if-modified-since, if-none-match, if-unmodified-since, pragma, range, x-requested-with";
/// Headers of answers that pages may read beside those that they always may.
const EXPOSED_HEADERS: &str = "etag, content-crs, retry-after";
/// Methods of a path that only reads.
pub const READING: &str = "GET, HEAD, OPTIONS";
/// A browser may remember for a day what it may ask.
const MAX_AGE_SECONDS: &str = "86400";

/// Lets pages of any origin read the response.
pub fn allow(response: &mut Response) {
    response.headers.push((ACCESS_CONTROL_ALLOW_ORIGIN, "*".into()));
    response.headers.push((ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS.into()));
}

/// Says to a page that asks beforehand what it may send.
pub fn allow_beforehand(response: &mut Response) {
    let allowed = response.headers.iter().find(|(name, _)| *name == ALLOW);
    let methods = allowed.map_or(Cow::Borrowed(READING), |(_, methods)| methods.clone());
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_METHODS, methods),
        (ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS.into()),
        (ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS.into()),
    ] {
        response.headers.push((name, value));
    }
}

/// Says what the answer depends on besides its address: the origin that asks, and in a demo the role that is played.
pub fn vary(response: &mut Response, in_demo: bool) {
    let (encoded, plain) = if in_demo {
        ("accept-encoding, origin, cookie", "origin, cookie")
    } else {
        ("accept-encoding, origin", "origin")
    };
    match response.headers.iter_mut().find(|(name, _)| *name == VARY) {
        // There is one thing it varies by so far.
        Some((_, vary)) => *vary = encoded.into(),
        None => response.headers.push((VARY, plain.into())),
    }
}
