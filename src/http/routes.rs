//! Every address the server answers. The router, the OpenAPI document and the twin-world test are made from it.

use crate::http::Answer;
use crate::http::Call;
use crate::http::health;
use crate::http::ogc;
use crate::http::params::Param;
use crate::http::problem::Problem;
use crate::http::tiles;

/// One address.
#[derive(Debug)]
pub struct Route {
    /// The path with its parameters in braces.
    pub path: &'static str,
    /// The operation's name in the OpenAPI document.
    pub operation: &'static str,
    /// What it answers, in a few words.
    pub summary: &'static str,
    /// Query parameters it takes; others are refused.
    pub params: &'static [Param],
    /// Media type of the answer.
    pub media_type: &'static str,
    /// Whether answering may take longer than a fifth of a millisecond, so that it goes to the pool.
    pub heavy: bool,
    /// Answers.
    pub handler: fn(&Call<'_>) -> Result<Answer, Problem>,
}

const ITEMS: &[Param] =
    &[Param::Bbox, Param::Datetime, Param::Limit, Param::Next, Param::Nearest, Param::Within, Param::Crs];

/// The media type of JSON.
const JSON: &str = "application/json";
/// The media type of GeoJSON.
pub const GEOJSON: &str = "application/geo+json";
/// The media type of Mapbox vector tiles.
pub const MVT: &str = "application/vnd.mapbox-vector-tile";
/// The media type of an OpenAPI 3.0 document in JSON.
pub const OPENAPI: &str = "application/vnd.oai.openapi+json;version=3.0";
/// The media type of a JSON Schema.
pub const SCHEMA: &str = "application/schema+json";

const fn light(
    path: &'static str,
    operation: &'static str,
    summary: &'static str,
    media_type: &'static str,
    handler: fn(&Call<'_>) -> Result<Answer, Problem>,
) -> Route {
    Route { path, operation, summary, params: &[], media_type, heavy: false, handler }
}

/// All of them.
pub const ROUTES: &[Route] = &[
    light("/", "getHome", "Where to go", "text/html", ogc::landing::home),
    light("/ogc", "getLandingPage", "Landing page", JSON, ogc::landing::landing),
    light("/ogc/conformance", "getConformance", "Conformance classes", JSON, ogc::landing::conformance),
    light("/ogc/api", "getApi", "This document", OPENAPI, ogc::api::openapi),
    light("/ogc/collections", "getCollections", "Collections", JSON, ogc::collections::collections),
    light(
        "/ogc/collections/{collectionId}",
        "getCollection",
        "One collection",
        JSON,
        ogc::collections::collection,
    ),
    light(
        "/ogc/collections/{collectionId}/queryables",
        "getQueryables",
        "Fields of a collection that filters may use",
        SCHEMA,
        ogc::collections::queryables,
    ),
    Route {
        path: "/ogc/collections/{collectionId}/items",
        operation: "getItems",
        summary: "Features of a collection",
        params: ITEMS,
        media_type: GEOJSON,
        heavy: true,
        handler: ogc::items::items,
    },
    Route {
        path: "/ogc/collections/{collectionId}/items/{featureId}",
        operation: "getItem",
        summary: "One feature",
        params: &[Param::Crs],
        media_type: GEOJSON,
        heavy: false,
        handler: ogc::items::item,
    },
    light("/tiles/{layers}.json", "getTileJson", "TileJSON of one or several layers", JSON, tiles::tilejson),
    Route {
        path: "/tiles/{layers}/{z}/{x}/{y}.mvt",
        operation: "getTile",
        summary: "Vector tile of one or several layers",
        params: &[],
        media_type: MVT,
        heavy: true,
        handler: tiles::tile,
    },
    light("/healthz", "getHealth", "Whether the process lives", JSON, health::healthz),
    light("/readyz", "getReady", "Whether it takes work, and whether data is damaged", JSON, health::readyz),
    light(
        "/metrics",
        "getMetrics",
        "Prometheus metrics, for the local operator",
        "text/plain",
        health::metrics,
    ),
];
