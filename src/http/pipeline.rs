//! One request, from what decides its answer to the answer: route, caller, body, view, parameters, work, tag and encoding.
//!
//! Nothing that takes long is done on the threads that read requests: a view that is not at hand is built in the pool, and
//! work that is not light runs there.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::sync::LazyLock;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::ALLOW;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web;

use crate::access::Principal;
use crate::access::View;
use crate::http::App;
use crate::http::Ctx;
use crate::http::body;
use crate::http::body::Accepts;
use crate::http::body::RequestBody;
use crate::http::caller::Who;
use crate::http::cors;
use crate::http::encode::Accepted;
use crate::http::encode::CachePolicy;
use crate::http::encode::Conditions;
use crate::http::encode::finish;
use crate::http::guard;
use crate::http::params::Names;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::problem::internal;
use crate::http::request::RequestHead;
use crate::http::response::Response;
use crate::http::router::Found;
use crate::http::routes::Route;

/// How much the pool's threads give way to the others: at 10 they have a tenth of the time where both want it.
#[cfg(target_os = "linux")]
const POOL_NICE: i32 = 10;

/// An answer, ready to be sent.
#[derive(Debug)]
pub struct Answered {
    /// The answer.
    pub response: Response,
    /// The place of its route, if its path met one.
    pub place: Option<usize>,
    /// Whether the connection ends with it: a body that was not read would be taken for the next request.
    pub close: bool,
}

/// What is found out about an answer on the way to it.
struct Facts {
    who: Who,
    /// Whether it has rows about people, or speaks of them.
    is_about_people: bool,
    /// Whether anyone would get it.
    is_for_anyone: bool,
}

/// The answer to a request: the same for the same view, whatever else happens.
pub async fn answer(app: &Arc<App>, request: &HttpRequest, payload: &mut Payload, over: bool) -> Answered {
    let head = RequestHead::from(request);
    let limits = guard::check_head(request.uri(), request.headers(), over)
        .and_then(|()| guard::check_host(request.uri(), request.headers(), &app.public_url));
    if let Err(problem) = limits {
        return refused(&problem, None, &head);
    }
    let found = app.router.find(request.match_info().as_str(), app.public_url.path());
    let place = found.as_ref().and_then(|found| app.router.place(found, head.method));
    let met = place.or_else(|| found.as_ref().and_then(Found::first));
    let route = place.map(|place| &app.router.routes()[place]);
    let accepts = route.map_or(Accepts::None, |route| route.body);
    let who = head.who(app);
    let checked = match route {
        // The right to write is settled before a body is read.
        Some(route) if !(route.may)(&who.principal) => Err(Problem::Forbidden),
        _ => body::check(accepts, request.headers()),
    };
    let body = match checked {
        Ok(()) => body::read(accepts, payload).await,
        Err(problem) => Err(problem),
    };
    let body = match body {
        Ok(body) => body,
        Err(problem) => return refused(&problem, met, &head),
    };
    let mut facts = Facts { who, is_about_people: false, is_for_anyone: true };
    let response = match respond(app, &mut facts, found, route, &head, body).await {
        Ok(response) => response,
        Err(problem) => problem.response(),
    };
    Answered { response: complete(response, &head, &facts), place: met, close: false }
}

/// A refusal before the body was read whole.
fn refused(problem: &Problem, place: Option<usize>, head: &RequestHead<'_>) -> Answered {
    let mut response = finish(problem.response(), &Conditions::default());
    if head.is_from_page() {
        cors::allow(&mut response);
    }
    Answered { response, place, close: true }
}

/// Tag, encoding, and who may keep and read the answer.
fn complete(response: Response, head: &RequestHead<'_>, facts: &Facts) -> Response {
    let policy = match &facts.who.principal {
        _ if facts.is_about_people => CachePolicy::NoStore,
        Principal::Anonymous => CachePolicy::Shared,
        Principal::LocalOperator | Principal::Signed(_) => CachePolicy::Private,
    };
    let mut response = if matches!(head.method, "GET" | "HEAD") {
        let conditions = Conditions {
            accepted: Accepted::parse(head.accept_encoding()),
            if_none_match: head.if_none_match(),
            policy,
        };
        finish(response, &conditions)
    } else {
        // Answers of another method have no tag and are stored nowhere.
        let mut response = response;
        response.headers.push((CACHE_CONTROL, "no-store".into()));
        response
    };
    if head.is_from_page() && facts.is_for_anyone {
        cors::allow(&mut response);
        if head.method == "OPTIONS" {
            cors::allow_beforehand(&mut response);
        }
    }
    cors::vary(&mut response, facts.who.in_demo);
    response
}

async fn respond(
    app: &Arc<App>,
    facts: &mut Facts,
    found: Option<Found<'_>>,
    route: Option<&'static Route>,
    head: &RequestHead<'_>,
    body: RequestBody,
) -> Result<Response, Problem> {
    let found = found.ok_or(Problem::NotFound)?;
    let Some(route) = route else {
        let allowed = app.router.allowed(&found);
        if head.method != "OPTIONS" {
            return Err(Problem::MethodNotAllowed { allowed });
        }
        let mut response = Response::empty(204);
        response.headers.push((ALLOW, allowed));
        return Ok(response);
    };
    let view = take_view(app, facts, route, &found, head).await?;
    let ctx = guarded(|| context(app, facts, route, found, head, body, view))?;
    let work = guarded(|| (route.plan)(&ctx))?;
    if let Some(response) = work.cached(&app.cache) {
        return Ok(response);
    }
    if work.cost().is_light() {
        return guarded(|| work.run(&app.cache));
    }
    let Ok(_permit) = app.heavy.acquire().await else { return Err(internal("the pool is closed")) };
    if app.unread.is_full() {
        return Err(Problem::Unread);
    }
    let pool = Arc::clone(app);
    block(move || guarded(|| work.run(&pool.cache))).await?
}

/// The caller's view, and what it says about the answer. A route that reads no rows gets an empty one.
async fn take_view(
    app: &Arc<App>,
    facts: &mut Facts,
    route: &Route,
    found: &Found<'_>,
    head: &RequestHead<'_>,
) -> Result<Arc<View>, Problem> {
    static EMPTY: LazyLock<Arc<View>> = LazyLock::new(Arc::default);
    if !route.reads.needs_view() {
        return Ok(Arc::clone(&EMPTY));
    }
    let mut view = view_of(app, &facts.who.principal).await?;
    if facts.who.in_demo && !app.gate.are_roles_played() {
        // The demo ended between the two: these rows may be some that not anyone may see.
        facts.who = Who::anyone();
        if !(route.may)(&facts.who.principal) {
            return Err(Problem::Forbidden);
        }
        view = view_of(app, &facts.who.principal).await?;
    }
    facts.is_about_people = route.reads.is_about_people(&view, &found.values);
    // Only a page needs to know.
    if head.is_from_page() && facts.who.principal != Principal::Anonymous {
        let public = view_of(app, &Principal::Anonymous).await?;
        facts.is_for_anyone = route.reads.is_for_anyone(&view, &public, &found.values);
    }
    Ok(view)
}

/// A view that is at hand, or that is built in the pool meanwhile.
async fn view_of(app: &Arc<App>, principal: &Principal) -> Result<Arc<View>, Problem> {
    if let Some(view) = app.gate.view_at_hand(principal) {
        return Ok(view);
    }
    let Ok(_permit) = app.views.acquire().await else { return Err(internal("the pool is closed")) };
    let (pool, principal) = (Arc::clone(app), principal.clone());
    block(move || guarded(|| Ok(pool.gate.view(&principal)))).await?
}

/// What the route plans by.
fn context(
    app: &Arc<App>,
    facts: &Facts,
    route: &Route,
    found: Found<'_>,
    head: &RequestHead<'_>,
    body: RequestBody,
    view: Arc<View>,
) -> Result<Arc<Ctx>, Problem> {
    let names = Names {
        ours: route.params,
        of: route.takes_properties.then_some((route.reads, &*view, &found.values)),
    };
    let params = Params::parse(head.query, &names)?;
    let base = app
        .public_url
        .get()
        .map_or_else(|| ["http://", head.host().unwrap_or("localhost")].concat(), str::to_owned);
    Ok(Arc::new(Ctx {
        app: Arc::clone(app),
        principal: facts.who.principal.clone(),
        in_demo: facts.who.in_demo,
        view,
        path: found.values,
        params,
        body,
        base,
        query: head.query.to_owned(),
        accepted: Accepted::parse(head.accept_encoding()),
    }))
}

/// Runs work in the pool: at once, when fewer than the most are running.
pub async fn in_pool<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let Ok(_permit) = app.heavy.acquire().await else { return Err(internal("the pool is closed")) };
    block(work).await
}

/// Runs work on a thread of the pool.
async fn block<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    let done = web::block(move || {
        step_aside();
        work()
    });
    done.await.map_err(|error| internal(&format!("the pool has ended: {error}")))
}

/// Lets those who read requests and answer light ones go first: a thread of the pool takes what time is left.
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

fn guarded<T>(make: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
    catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|_| Err(internal("a handler panicked")))
}
