//! One request, from what decides its answer to the answer: caller, view, parameters, handler, tag and encoding.

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT_ENCODING;
use actix_web::http::header::HOST;
use actix_web::http::header::HeaderMap;
use actix_web::http::header::HeaderName;
use actix_web::http::header::IF_NONE_MATCH;
use actix_web::http::header::ORIGIN;
use actix_web::web;

use crate::access::Principal;
use crate::http::Answer;
use crate::http::App;
use crate::http::Call;
use crate::http::Weight;
use crate::http::caller::Caller;
use crate::http::caller::allowed_origin;
use crate::http::encode::Conditions;
use crate::http::encode::finish;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::router::PathValues;
use crate::http::routes::ROUTES;
use crate::http::routes::Route;

/// What of a request decides its answer.
#[derive(Debug)]
pub struct Asked<'a> {
    method: &'a str,
    query: &'a str,
    /// The other end.
    peer: Option<std::net::IpAddr>,
    headers: &'a HeaderMap,
}

impl<'a> Asked<'a> {
    /// Of a request.
    pub fn from(request: &'a HttpRequest) -> Self {
        Self {
            method: request.method().as_str(),
            query: request.query_string(),
            peer: request.peer_addr().map(|peer| peer.ip()),
            headers: request.headers(),
        }
    }

    /// The text of a header, if it can be read.
    fn header(&self, name: HeaderName) -> Option<&'a str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The `Host`, if it can be read.
    fn host(&self) -> Option<&'a str> {
        self.header(HOST).filter(|host| is_plain_host(host))
    }

    fn principal(&self, app: &App) -> Principal {
        let name = self.host().map(|host| {
            host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(host, |(name, _)| name)
        });
        let has_header = |name: &str| self.headers.contains_key(name);
        // A Host we cannot read names nobody's machine.
        let host = if self.headers.contains_key(HOST) { name.or(Some("?")) } else { None };
        let caller = Caller { peer: self.peer, host, has_header: &has_header };
        app.listener.principal(&caller, app.gate.register())
    }
}

/// The answer to a request: the same for the same view, whatever else happens. Heavy ones are made in the pool.
pub async fn dispatch(app: &Arc<App>, route: Option<(usize, PathValues)>, asked: Asked<'_>) -> Answer {
    let principal = asked.principal(app);
    let answer = match guarded(|| prepare(app, principal, route, &asked)) {
        Err(problem) => problem.answer(),
        Ok(Prepared::Done(answer)) => answer,
        Ok(Prepared::Heavy(route, call)) => match web::block(move || work(route, &call)).await {
            Ok(answer) => answer,
            Err(_) => internal("the pool is gone").answer(),
        },
    };
    let mut answer = if matches!(asked.method, "GET" | "HEAD") {
        let conditions = Conditions {
            accept_encoding: asked.header(ACCEPT_ENCODING),
            if_none_match: asked.header(IF_NONE_MATCH),
        };
        finish(answer, &conditions)
    } else {
        // Nothing of another method is tagged or kept.
        let mut answer = answer;
        answer.headers.push(("cache-control", "no-store".into()));
        answer
    };
    if let Some(origin) = allowed_origin(principal, asked.header(ORIGIN)) {
        answer.headers.push(("access-control-allow-origin", origin.into()));
        answer.headers.push(("access-control-expose-headers", "etag, content-crs".into()));
    }
    if principal == Principal::LocalOperator {
        match answer.headers.iter_mut().find(|(name, _)| *name == "vary") {
            Some((_, vary)) => vary.to_mut().push_str(", origin"),
            None => answer.headers.push(("vary", "origin".into())),
        }
    }
    answer
}

enum Prepared {
    /// Answered.
    Done(Answer),
    /// To be answered in the pool.
    Heavy(&'static Route, Call),
}

fn prepare(
    app: &Arc<App>,
    principal: Principal,
    route: Option<(usize, PathValues)>,
    asked: &Asked<'_>,
) -> Result<Prepared, Problem> {
    let (place, path) = route.ok_or(Problem::NotFound)?;
    let route = &ROUTES[place];
    match asked.method {
        "GET" | "HEAD" => {}
        "OPTIONS" => {
            let mut answer = Answer::empty(204);
            for name in ["allow", "access-control-allow-methods"] {
                answer.headers.push((name, "GET, HEAD, OPTIONS".into()));
            }
            return Ok(Prepared::Done(answer));
        }
        _ => return Err(Problem::MethodNotAllowed),
    }
    let params = Params::parse(asked.query, route.params)?;
    let base = app.public_url.as_deref().map_or_else(
        || format!("http://{}", asked.host().unwrap_or("localhost")),
        |url| url.trim_end_matches('/').to_owned(),
    );
    let call = Call {
        app: Arc::clone(app),
        principal,
        view: app.gate.view(principal),
        path,
        params,
        query: asked.query.to_owned(),
        base,
        accept_encoding: asked.header(ACCEPT_ENCODING).unwrap_or("").to_owned(),
    };
    Ok(match (route.weight)(&call) {
        Weight::Answered(answer) => Prepared::Done(answer),
        Weight::Light => Prepared::Done((route.handler)(&call)?),
        Weight::Heavy => Prepared::Heavy(route, call),
    })
}

fn work(route: &Route, call: &Call) -> Answer {
    guarded(|| (route.handler)(call)).unwrap_or_else(|problem| problem.answer())
}

fn guarded<T>(make: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
    catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|_| Err(internal("a handler panicked")))
}

/// Host names go into links: letters, digits and the marks of addresses only.
fn is_plain_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 255
        && host.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']')
        })
}

fn internal(what: &str) -> Problem {
    let mut bytes = [0_u8; 8];
    // Without randomness the id is zero; the log line still has the time.
    let _ = getrandom::fill(&mut bytes);
    let request_id = format!("{:016x}", u64::from_be_bytes(bytes));
    tracing::error!(request_id, "{what}");
    Problem::Internal { request_id }
}
