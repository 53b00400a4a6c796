//! The listener of the operator (`metrics_listen`): metrics, and health with its details.
//!
//! What they say is about all rows, so nothing of it is on the public listener.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::header::ALLOW;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::http::header::HOST;
use actix_web::web;
use serde_json::json;

use crate::http::App;
use crate::http::body;
use crate::http::body::Accepts;
use crate::http::cors;
use crate::http::encode::Conditions;
use crate::http::encode::finish;
use crate::http::guard;
use crate::http::health;
use crate::http::host::is_number_or_loopback;
use crate::http::problem::Problem;
use crate::http::response::Response;
use crate::http::server::to_response;

/// One request to this listener.
pub async fn serve(app: Arc<App>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let mut payload = payload.into_inner();
    let checked = match check(&request) {
        Ok(()) => body::drain(&mut payload).await,
        refused => refused,
    };
    let refused = checked.is_err();
    let response = match checked.and_then(|()| respond(&app, &request)) {
        Ok(response) => response,
        Err(problem) => problem.response(),
    };
    to_response(&app, finish(response, &Conditions::default()), None, request.method(), refused)
}

fn check(request: &HttpRequest) -> Result<(), Problem> {
    guard::check_head(request.uri(), request.headers(), false)?;
    body::check(Accepts::None, request.headers())?;
    // Whoever scrapes names an address; a page that lets its own name resolve to this one cannot read what is said here.
    let named = request.headers().get(HOST).is_none_or(|host| host.to_str().is_ok_and(is_number_or_loopback));
    if named { Ok(()) } else { Err(Problem::Misdirected) }
}

fn respond(app: &App, request: &HttpRequest) -> Result<Response, Problem> {
    let make: fn(&App) -> Response = match request.path() {
        "/metrics" => metrics,
        "/readyz" => readyz,
        "/healthz" => |_| health::alive(),
        _ => return Err(Problem::NotFound),
    };
    match request.method().as_str() {
        "GET" | "HEAD" => Ok(make(app)),
        "OPTIONS" => {
            let mut response = Response::empty(204);
            response.headers.push((ALLOW, cors::READING.into()));
            Ok(response)
        }
        _ => Err(Problem::MethodNotAllowed { allowed: cors::READING.into() }),
    }
}

/// As the public one, with what is damaged, where, and whether the rows are the newest.
fn readyz(app: &App) -> Response {
    let rows = app.gate.degraded();
    let file = app.file_damaged.load(Ordering::Acquire);
    let stale = app.stale.load(Ordering::Acquire);
    let mut body = health::readiness(app);
    body["degraded"] = (file || stale || !rows.is_empty()).into();
    body["file_damaged"] = file.into();
    body["stale"] = stale.into();
    body["collections"] = rows
        .iter()
        .map(|(id, rows)| json!({"collection": id, "rows_missing": rows}))
        .collect::<Vec<_>>()
        .into();
    health::ready_answer(&body)
}

/// Metrics in the Prometheus text format.
fn metrics(app: &App) -> Response {
    let (collections, rows, bytes) = app.gate.size();
    let mut text = app.metrics.to_text();
    let (answers, answer_bytes) = app.cache.size();
    for (name, kind, help, value) in [
        ("throughline_collections", "gauge", "Collections in memory.", collections as u64),
        ("throughline_rows", "gauge", "Rows in memory.", rows),
        ("throughline_snapshot_bytes", "gauge", "Bytes of all row groups in memory.", bytes as u64),
        ("throughline_cached_answers", "gauge", "Finished answers in the cache.", answers),
        ("throughline_cached_bytes", "gauge", "Bytes of finished answers in the cache.", answer_bytes),
        (
            "throughline_unread_bytes",
            "gauge",
            "Bytes of large answers that clients have not taken yet.",
            app.unread.bytes(),
        ),
        (
            "throughline_degraded_collections",
            "gauge",
            "Collections with damaged rows.",
            app.gate.degraded().len() as u64,
        ),
        (
            "throughline_stopped_tasks",
            "gauge",
            "Background tasks that have ended before they were stopped.",
            app.stopped_tasks().len() as u64,
        ),
        (
            "throughline_log_lines_lost_total",
            "counter",
            "Log lines that could not be written.",
            app.log_lines_lost.load(Ordering::Relaxed),
        ),
    ] {
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"));
    }
    let mut response = Response::ok("text/plain; version=0.0.4; charset=utf-8", text);
    response.headers.push((CACHE_CONTROL, "no-store".into()));
    response
}
