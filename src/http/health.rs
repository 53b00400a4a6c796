//! Liveness and readiness.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix_web::http::header::RETRY_AFTER;
use serde_json::Value;
use serde_json::json;

use crate::http::App;
use crate::http::Cost;
use crate::http::Ctx;
use crate::http::Work;
use crate::http::problem::Problem;
use crate::http::response::Response;

/// `GET /healthz`: the process answers.
///
/// # Errors
/// None.
pub fn healthz(_ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    Ok(Work::new(Cost::NONE, || Ok(alive())))
}

/// `GET /readyz`: 200 while the server takes work and everything beside it runs; 503 once it is stopping, or a
/// background task has ended. Which rows are damaged is said on the listener of `metrics_listen` alone: here it would
/// tell of collections that the caller cannot see.
///
/// # Errors
/// None.
pub fn readyz(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    let app = Arc::clone(&ctx.app);
    Ok(Work::new(Cost::NONE, move || Ok(ready_answer(&readiness(&app)))))
}

/// That the process answers.
pub fn alive() -> Response {
    Response::json(&json!({"status": "ok"}))
}

/// `ready`, `stopping`, or `broken` with the background tasks that have ended.
pub fn readiness(app: &App) -> Value {
    if !app.ready.load(Ordering::Acquire) {
        return json!({"status": "stopping"});
    }
    let stopped = app.stopped_tasks();
    if stopped.is_empty() {
        json!({"status": "ready"})
    } else {
        json!({"status": "broken", "stopped": stopped})
    }
}

/// The answer that says so: 503 unless it is ready.
pub fn ready_answer(body: &Value) -> Response {
    let mut response = Response::json(body);
    if body["status"] != "ready" {
        response.status = 503;
        response.headers.push((RETRY_AFTER, "5".into()));
    }
    response
}
