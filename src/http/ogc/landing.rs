//! The landing page and the conformance declaration.

use serde_json::json;

use crate::http::Answer;
use crate::http::Call;
use crate::http::ogc::link;
use crate::http::problem::Problem;
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

/// `GET /`: a page for people, until the map application takes its place.
///
/// # Errors
/// None.
pub fn home(_call: &Call<'_>) -> Result<Answer, Problem> {
    let page = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Throughline</title>\
        <meta name=\"viewport\" content=\"width=device-width\">\
        <style>body{font:1.05rem/1.6 Georgia,serif;max-width:38rem;margin:4rem auto;padding:0 1.2rem;color:#1d2a35;background:#faf8f3}\
        @media(prefers-color-scheme:dark){body{color:#e6e2d8;background:#14191e}a{color:#9cc3e0}}</style>\
        <h1>Throughline</h1><p>Map, tile and spatial query server for county-lines work.</p>\
        <ul><li><a href=\"/ogc\">OGC API landing page</a></li><li><a href=\"/ogc/collections\">Collections</a></li>\
        <li><a href=\"/ogc/api\">OpenAPI document</a></li></ul></html>";
    Ok(Answer::ok("text/html; charset=utf-8", page.as_bytes().to_vec()))
}

/// `GET /ogc` (OGC API - Features - Part 1, clause 7.2).
///
/// # Errors
/// None.
pub fn landing(call: &Call<'_>) -> Result<Answer, Problem> {
    let base = call.base;
    Ok(Answer::json(&json!({
        "title": "Throughline",
        "description": "Exporting hubs, destination towns, rail and the lines between them: synthetic data and open reference facts.",
        "links": [
            link(&format!("{base}/ogc"), "self", "application/json", "This document"),
            link(&format!("{base}/ogc/api"), "service-desc", OPENAPI, "OpenAPI 3.0 document"),
            link(&format!("{base}/ogc/conformance"), "conformance", "application/json", "Conformance classes"),
            link(&format!("{base}/ogc/collections"), "data", "application/json", "Collections"),
        ],
    })))
}

/// `GET /ogc/conformance` (clause 7.4).
///
/// # Errors
/// None.
pub fn conformance(_call: &Call<'_>) -> Result<Answer, Problem> {
    Ok(Answer::json(&json!({"conformsTo": CONFORMANCE})))
}
