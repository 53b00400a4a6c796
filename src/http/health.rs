//! Liveness and readiness.

use std::sync::atomic::Ordering;

use actix_web::http::header::RETRY_AFTER;
use serde_json::Value;
use serde_json::json;

use crate::http::Answer;
use crate::http::App;
use crate::http::Call;
use crate::http::problem::Problem;

/// `GET /healthz`: the process answers.
///
/// # Errors
/// None.
pub fn healthz(_call: &Call) -> Result<Answer, Problem> {
    Ok(alive())
}

/// `GET /readyz`: 200 while the server takes work and everything beside it runs; 503 once it is stopping, or a
/// background task has ended. Which rows are damaged is said on the listener of `metrics_listen` alone: here it would
/// tell of collections that the caller cannot see.
///
/// # Errors
/// None.
pub fn readyz(call: &Call) -> Result<Answer, Problem> {
    Ok(ready_answer(&readiness(&call.app)))
}

/// That the process answers.
pub fn alive() -> Answer {
    Answer::json(&json!({"status": "ok"}))
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
pub fn ready_answer(body: &Value) -> Answer {
    let mut answer = Answer::json(body);
    if body["status"] != "ready" {
        answer.status = 503;
        answer.headers.push((RETRY_AFTER, "5".into()));
    }
    answer
}
