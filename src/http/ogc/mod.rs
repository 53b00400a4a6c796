//! OGC API - Features - Part 1: Core, under `/ogc`.

pub mod api;
pub mod collections;
pub mod items;
pub mod landing;

use serde_json::Value;
use serde_json::json;

/// A link object.
fn link(href: &str, rel: &str, media_type: &str, title: &str) -> Value {
    json!({"href": href, "rel": rel, "type": media_type, "title": title})
}
