//! The landing page and the conformance declaration.

use std::sync::Arc;

use serde_json::json;

use crate::http::Cost;
use crate::http::Ctx;
use crate::http::Work;
use crate::http::ogc::link;
use crate::http::problem::Problem;
use crate::http::response::Response;
use crate::http::routes::OPENAPI;

/// Conformance classes that the server keeps whole.
pub const CONFORMANCE: &[&str] = &[
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/landing-page",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
];

/// `GET /ogc` (OGC API - Features - Part 1, clause 7.2).
///
/// # Errors
/// None.
pub fn landing(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    let ctx = Arc::clone(ctx);
    Ok(Work::new(Cost::NONE, move || Ok(Response::json(&describe(&ctx.base)))))
}

fn describe(base: &str) -> serde_json::Value {
    json!({
        "title": "Throughline",
        "description": "Exporting hubs, destination towns, rail and the lines between them: synthetic data and open reference facts.",
        "links": [
            link(&format!("{base}/ogc"), "self", "application/json", "This document"),
            link(&format!("{base}/ogc/api"), "service-desc", OPENAPI, "OpenAPI 3.0 document"),
            link(&format!("{base}/ogc/conformance"), "conformance", "application/json", "Conformance classes"),
            link(&format!("{base}/ogc/collections"), "data", "application/json", "Collections"),
        ],
    })
}

/// `GET /ogc/conformance` (clause 7.4).
///
/// # Errors
/// None.
pub fn conformance(_ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    Ok(Work::new(Cost::NONE, || Ok(Response::json(&json!({"conformsTo": CONFORMANCE})))))
}
