//! One request, from what decides its answer to the answer: caller, view, parameters, handler, tag and encoding.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT_ENCODING;
use actix_web::http::header::ALLOW;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::http::header::COOKIE;
use actix_web::http::header::HOST;
use actix_web::http::header::HeaderValue;
use actix_web::http::header::IF_NONE_MATCH;
use actix_web::http::header::ORIGIN;
use actix_web::web;

use crate::access::Principal;
use crate::access::View;
use crate::http::Answer;
use crate::http::App;
use crate::http::Call;
use crate::http::Weight;
use crate::http::caller::Who;
use crate::http::cors;
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
    /// `Host`, if there is one.
    host: Option<&'a HeaderValue>,
    accept_encoding: Option<&'a HeaderValue>,
    if_none_match: Option<&'a HeaderValue>,
    origin: Option<&'a HeaderValue>,
    cookie: Option<&'a HeaderValue>,
    cookies: usize,
}

impl<'a> Asked<'a> {
    /// Of a request.
    pub fn from(request: &'a HttpRequest) -> Self {
        let mut asked = Self {
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
        if !app.gate.are_roles_played() {
            return Who::anyone();
        }
        // What cannot be read plays nobody.
        let readable = |value: &'a HeaderValue| value.to_str().ok().filter(|_| self.cookies == 1);
        Who::in_demo(self.cookie.map(|value| readable(value).unwrap_or("throughline-role=")))
    }

    /// Whether a page asks, possibly one of another origin.
    pub fn is_from_page(&self) -> bool {
        self.origin.is_some()
    }
}

/// The answer to a request: the same for the same view, whatever else happens. Heavy ones are made in the pool.
pub async fn dispatch(app: &Arc<App>, route: Option<(usize, PathValues)>, asked: Asked<'_>) -> Answer {
    let mut facts = Facts { who: asked.who(app), is_about_people: false, is_for_anyone: true };
    let view = match &route {
        Some((place, _)) if reads_rows(&ROUTES[*place], asked.method) => view_for(app, &mut facts.who).await,
        _ => Ok(Arc::default()),
    };
    let answer = match view.and_then(|view| guarded(|| prepare(app, &mut facts, route, &asked, view))) {
        Err(problem) => problem.answer(),
        Ok(Prepared::Done(answer)) => answer,
        Ok(Prepared::Heavy(route, call)) => heavy(app, route, call).await,
    };
    let keeping = match &facts.who.principal {
        _ if facts.is_about_people => Keeping::Nobody,
        Principal::Anonymous => Keeping::Anyone,
        Principal::LocalOperator | Principal::Signed(_) => Keeping::Caller,
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
    if asked.is_from_page() && facts.is_for_anyone {
        cors::allow(&mut answer);
        if asked.method == "OPTIONS" {
            cors::allow_beforehand(&mut answer);
        }
    }
    cors::vary(&mut answer, facts.who.in_demo);
    answer
}

/// Whether an answer is made of a view.
fn reads_rows(route: &Route, method: &str) -> bool {
    route.rows != RowsOf::None && matches!(method, "GET" | "HEAD")
}

/// The view of whoever asks.
async fn view_for(app: &Arc<App>, who: &mut Who) -> Result<Arc<View>, Problem> {
    let view = view_of(app, &who.principal).await?;
    if who.in_demo && !app.gate.are_roles_played() {
        // The demo ended between the two: these rows may be some that not anyone may see.
        *who = Who::anyone();
        return view_of(app, &who.principal).await;
    }
    Ok(view)
}

/// A view that is at hand, or else built in the pool: never on a thread that reads requests.
async fn view_of(app: &Arc<App>, principal: &Principal) -> Result<Arc<View>, Problem> {
    if let Some(view) = app.gate.view_at_hand(principal) {
        return Ok(view);
    }
    let Ok(_permit) = app.building.acquire().await else { return Err(internal("the pool is closed")) };
    // Another request of the class may have had it built.
    if let Some(view) = app.gate.view_at_hand(principal) {
        return Ok(view);
    }
    let (app, principal) = (Arc::clone(app), principal.clone());
    let built = web::block(move || {
        step_aside();
        guarded(|| Ok(app.gate.view(&principal)))
    });
    built.await.unwrap_or_else(|_| Err(internal("the pool is gone")))
}

/// A heavy answer, made in the pool: at once, when fewer than the most are being made.
async fn heavy(app: &Arc<App>, route: &'static Route, call: Call) -> Answer {
    let Ok(_permit) = app.heavy.acquire().await else { return internal("the pool is closed").answer() };
    if app.unread.is_full() {
        return Problem::Unread.answer();
    }
    let made = web::block(move || {
        step_aside();
        work(route, &call)
    });
    made.await.unwrap_or_else(|_| internal("the pool is gone").answer())
}

/// What is found out about an answer on the way to it.
struct Facts {
    who: Who,
    /// Whether it has rows about people, or speaks of them.
    is_about_people: bool,
    /// Whether anyone would get it.
    is_for_anyone: bool,
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
    facts: &mut Facts,
    route: Option<(usize, PathValues)>,
    asked: &Asked<'_>,
    view: Arc<View>,
) -> Result<Prepared, Problem> {
    let (place, path) = route.ok_or(Problem::NotFound)?;
    let route = &ROUTES[place];
    match asked.method {
        "GET" | "HEAD" => {}
        "OPTIONS" => {
            let mut answer = Answer::empty(204);
            answer.headers.push((ALLOW, cors::METHODS.into()));
            return Ok(Prepared::Done(answer));
        }
        _ => return Err(Problem::MethodNotAllowed),
    }
    let params = Params::parse(asked.query, route.params)?;
    let base = app
        .public_url
        .get()
        .map_or_else(|| ["http://", asked.host().unwrap_or("localhost")].concat(), str::to_owned);
    let call = Call {
        app: Arc::clone(app),
        principal: facts.who.principal.clone(),
        in_demo: facts.who.in_demo,
        view,
        path,
        params,
        query: asked.query.to_owned(),
        base,
        accept_encoding: text(asked.accept_encoding).unwrap_or("").to_owned(),
    };
    facts.is_about_people = is_about_people(route, &call);
    // Only a page needs to know.
    facts.is_for_anyone = asked.is_from_page() && cors::is_for_anyone(route, &call);
    Ok(match (route.weight)(&call) {
        Weight::Answered(answer) => Prepared::Done(answer),
        Weight::Light => Prepared::Done((route.handler)(&call)?),
        Weight::Heavy => Prepared::Heavy(route, call),
    })
}

/// Whether the answer holds rows of a collection that is about people, or speaks of them.
fn is_about_people(route: &Route, call: &Call) -> bool {
    let about = |id: &str| call.view.collection(id).is_some_and(|collection| collection.is_about_people());
    let names = match route.rows {
        RowsOf::None | RowsOf::Caller => return false,
        RowsOf::All => return call.view.collections().any(|collection| collection.is_about_people()),
        RowsOf::Collection => call.path_value("collectionId"),
        RowsOf::Layers => call.path_value("layers"),
        RowsOf::Named(ids) => return ids.iter().any(|id| about(id)),
    };
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
