//! Liveness, readiness and metrics.

use std::sync::atomic::Ordering;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::http::header::RETRY_AFTER;
use serde_json::json;

use crate::access::Principal;
use crate::http::Answer;
use crate::http::Call;
use crate::http::problem::Problem;

/// `GET /healthz`: the process answers.
///
/// # Errors
/// None.
pub fn healthz(_call: &Call) -> Result<Answer, Problem> {
    Ok(Answer::json(&json!({"status": "ok"})))
}

/// `GET /readyz`: 200 while the server takes work, 503 once it is stopping. The local operator also learns whether
/// the file or rows are damaged, and where; to anyone else that would tell of collections they cannot see.
///
/// # Errors
/// None.
pub fn readyz(call: &Call) -> Result<Answer, Problem> {
    let ready = call.app.ready.load(Ordering::Acquire);
    let mut body = json!({"status": if ready { "ready" } else { "stopping" }});
    if call.principal == Principal::LocalOperator {
        let rows = call.app.gate.degraded();
        let file = call.app.file_damaged.load(Ordering::Acquire);
        body["degraded"] = (file || !rows.is_empty()).into();
        body["file_damaged"] = file.into();
        body["collections"] = rows
            .iter()
            .map(|(id, rows)| json!({"collection": id, "rows_missing": rows}))
            .collect::<Vec<_>>()
            .into();
    }
    let mut answer = Answer::json(&body);
    if !ready {
        answer.status = 503;
        answer.headers.push((RETRY_AFTER, "5".into()));
    }
    Ok(answer)
}

/// `GET /metrics` in the Prometheus text format; for anyone but the local operator there is nothing there.
///
/// # Errors
/// [`Problem::NotFound`].
pub fn metrics(call: &Call) -> Result<Answer, Problem> {
    if call.principal != Principal::LocalOperator {
        return Err(Problem::NotFound);
    }
    let (collections, rows, bytes) = call.app.gate.size();
    let mut text = call.app.metrics.to_text();
    let (kept, kept_bytes) = call.app.cache.size();
    for (name, help, value) in [
        ("throughline_collections", "Collections in memory.", collections as u64),
        ("throughline_rows", "Rows in memory.", rows),
        ("throughline_snapshot_bytes", "Bytes of all row groups in memory.", bytes as u64),
        ("throughline_cached_answers", "Finished answers that are kept.", kept),
        ("throughline_cached_bytes", "Bytes of finished answers that are kept.", kept_bytes),
        (
            "throughline_degraded_collections",
            "Collections with damaged rows.",
            call.app.gate.degraded().len() as u64,
        ),
    ] {
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n"));
    }
    let mut answer = Answer::ok("text/plain; version=0.0.4; charset=utf-8", text);
    answer.headers.push((CACHE_CONTROL, "no-store".into()));
    Ok(answer)
}
