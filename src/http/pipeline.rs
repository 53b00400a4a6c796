//! One request, from what decides its answer to the answer: caller, view, parameters, handler, tag and encoding.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT_ENCODING;
use actix_web::http::header::ACCESS_CONTROL_ALLOW_METHODS;
use actix_web::http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use actix_web::http::header::ACCESS_CONTROL_EXPOSE_HEADERS;
use actix_web::http::header::ALLOW;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::http::header::COOKIE;
use actix_web::http::header::HOST;
use actix_web::http::header::HeaderValue;
use actix_web::http::header::IF_NONE_MATCH;
use actix_web::http::header::ORIGIN;
use actix_web::http::header::VARY;
use actix_web::web;

use crate::access::Principal;
use crate::http::Answer;
use crate::http::App;
use crate::http::Call;
use crate::http::Weight;
use crate::http::caller::Caller;
use crate::http::caller::Who;
use crate::http::caller::allowed_origin;
use crate::http::caller::is_proxy_header;
use crate::http::encode::Conditions;
use crate::http::encode::Keeping;
use crate::http::encode::finish;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::router::PathValues;
use crate::http::routes::ROUTES;
use crate::http::routes::Route;
use crate::http::routes::RowsOf;

/// How much the pool's threads give way to the others: at 10 they have a tenth of the time where both want it.
#[cfg(target_os = "linux")]
const POOL_NICE: i32 = 10;

/// What of a request decides its answer.
#[derive(Debug)]
pub struct Asked<'a> {
    method: &'a str,
    query: &'a str,
    /// The other end.
    peer: Option<std::net::IpAddr>,
    /// `Host`, if there is one.
    host: Option<&'a HeaderValue>,
    accept_encoding: Option<&'a HeaderValue>,
    if_none_match: Option<&'a HeaderValue>,
    origin: Option<&'a HeaderValue>,
    cookie: Option<&'a HeaderValue>,
    cookies: usize,
    /// Whether somebody else may be asking through a proxy on this machine.
    proxied: bool,
}

impl<'a> Asked<'a> {
    /// Of a request.
    pub fn from(request: &'a HttpRequest) -> Self {
        let mut asked = Self {
            method: request.method().as_str(),
            query: request.query_string(),
            peer: request.peer_addr().map(|peer| peer.ip()),
            host: None,
            accept_encoding: None,
            if_none_match: None,
            origin: None,
            cookie: None,
            cookies: 0,
            proxied: false,
        };
        // One walk over the few headers there are; of equal names the first counts.
        for (name, value) in request.headers() {
            let wanted = if *name == HOST {
                &mut asked.host
            } else if *name == ACCEPT_ENCODING {
                &mut asked.accept_encoding
            } else if *name == IF_NONE_MATCH {
                &mut asked.if_none_match
            } else if *name == ORIGIN {
                &mut asked.origin
            } else if *name == COOKIE {
                asked.cookies += 1;
                &mut asked.cookie
            } else {
                asked.proxied |= is_proxy_header(name.as_str());
                continue;
            };
            *wanted = wanted.or(Some(value));
        }
        asked
    }

    /// The `Host`, if it can be read.
    fn host(&self) -> Option<&'a str> {
        text(self.host).filter(|host| is_plain_host(host))
    }

    fn who(&self, app: &App) -> Who {
        let name = self.host().map(|host| {
            host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(host, |(name, _)| name)
        });
        // A Host we cannot read names nobody's machine.
        let host = self.host.and(name.or(Some("?")));
        // What cannot be read plays nobody.
        let readable = |value: &'a HeaderValue| value.to_str().ok().filter(|_| self.cookies == 1);
        let cookie = self.cookie.map(|value| readable(value).unwrap_or("throughline-role="));
        let caller = Caller { peer: self.peer, host, proxied: self.proxied, cookie };
        app.listener.who(&caller, app.gate.register())
    }
}

/// The answer to a request: the same for the same view, whatever else happens. Heavy ones are made in the pool.
pub async fn dispatch(app: &Arc<App>, route: Option<(usize, PathValues)>, asked: Asked<'_>) -> Answer {
    let who = asked.who(app);
    let mut keeping = if who.principal == Principal::Anonymous { Keeping::Anyone } else { Keeping::Caller };
    let answer = match guarded(|| prepare(app, &who, route, &asked, &mut keeping)) {
        Err(problem) => problem.answer(),
        Ok(Prepared::Done(answer)) => answer,
        Ok(Prepared::Heavy(route, call)) => match web::block(move || {
            step_aside();
            work(route, &call)
        })
        .await
        {
            Ok(answer) => answer,
            Err(_) => internal("the pool is gone").answer(),
        },
    };
    let mut answer = if matches!(asked.method, "GET" | "HEAD") {
        let conditions = Conditions {
            accept_encoding: text(asked.accept_encoding),
            if_none_match: text(asked.if_none_match),
            keeping,
        };
        finish(answer, &conditions)
    } else {
        // Nothing of another method is tagged or kept.
        let mut answer = answer;
        answer.headers.push((CACHE_CONTROL, "no-store".into()));
        answer
    };
    if let Some(origin) = allowed_origin(&who.principal, text(asked.origin)) {
        answer.headers.push((ACCESS_CONTROL_ALLOW_ORIGIN, origin.into()));
        answer.headers.push((ACCESS_CONTROL_EXPOSE_HEADERS, "etag, content-crs".into()));
    }
    if who.at_the_machine {
        // At this machine an answer also depends on who is played, and on which page may read it.
        match answer.headers.iter_mut().find(|(name, _)| *name == VARY) {
            // There is one thing it varies by so far.
            Some((_, vary)) => *vary = "accept-encoding, origin, cookie".into(),
            None => answer.headers.push((VARY, "origin, cookie".into())),
        }
    }
    answer
}

/// The text of a header, if it can be read.
fn text(value: Option<&HeaderValue>) -> Option<&str> {
    value?.to_str().ok()
}

enum Prepared {
    /// Answered.
    Done(Answer),
    /// To be answered in the pool.
    Heavy(&'static Route, Call),
}

fn prepare(
    app: &Arc<App>,
    who: &Who,
    route: Option<(usize, PathValues)>,
    asked: &Asked<'_>,
    keeping: &mut Keeping,
) -> Result<Prepared, Problem> {
    let (place, path) = route.ok_or(Problem::NotFound)?;
    let route = &ROUTES[place];
    match asked.method {
        "GET" | "HEAD" => {}
        "OPTIONS" => {
            let mut answer = Answer::empty(204);
            for name in [ALLOW, ACCESS_CONTROL_ALLOW_METHODS] {
                answer.headers.push((name, "GET, HEAD, OPTIONS".into()));
            }
            return Ok(Prepared::Done(answer));
        }
        _ => return Err(Problem::MethodNotAllowed),
    }
    let params = Params::parse(asked.query, route.params)?;
    let base = app.public_url.as_deref().map_or_else(
        || ["http://", asked.host().unwrap_or("localhost")].concat(),
        |url| url.trim_end_matches('/').to_owned(),
    );
    let call = Call {
        app: Arc::clone(app),
        principal: who.principal.clone(),
        at_the_machine: who.at_the_machine,
        view: app.gate.view(&who.principal),
        path,
        params,
        query: asked.query.to_owned(),
        base,
        accept_encoding: text(asked.accept_encoding).unwrap_or("").to_owned(),
    };
    if is_about_people(route, &call) {
        *keeping = Keeping::Nobody;
    }
    Ok(match (route.weight)(&call) {
        Weight::Answered(answer) => Prepared::Done(answer),
        Weight::Light => Prepared::Done((route.handler)(&call)?),
        Weight::Heavy => Prepared::Heavy(route, call),
    })
}

/// Whether the answer holds rows of a collection that is about people, or speaks of them.
fn is_about_people(route: &Route, call: &Call) -> bool {
    let names = match route.rows {
        RowsOf::None => return false,
        RowsOf::All => return call.view.collections().any(|collection| collection.is_about_people()),
        RowsOf::Collection => call.path_value("collectionId"),
        RowsOf::Layers => call.path_value("layers"),
    };
    let about = |name| call.view.collection(name).is_some_and(|collection| collection.is_about_people());
    names.split(',').any(about)
}

/// Lets whoever reads requests and answers light ones go first: a thread of the pool takes what time is left.
fn step_aside() {
    thread_local! {
        static DONE: Cell<bool> = const { Cell::new(false) };
    }
    if !DONE.replace(true) {
        // Linux has a priority for each thread; where it cannot be lowered, turns are taken as before.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), POOL_NICE);
    }
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
