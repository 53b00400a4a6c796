//! Every address the server answers. The router, the OpenAPI document and the twin-world test are made from it.

use crate::http::Answer;
use crate::http::Call;
use crate::http::Weight;
use crate::http::flows;
use crate::http::health;
use crate::http::ogc;
use crate::http::params::Param;
use crate::http::problem::Problem;
use crate::http::search;
use crate::http::session;
use crate::http::site;
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
    /// Whose rows are in an answer, or spoken of.
    pub rows: RowsOf,
    /// How much work an answer is, told in microseconds at most.
    pub weight: fn(&Call) -> Weight,
    /// Answers.
    pub handler: fn(&Call) -> Result<Answer, Problem>,
}

/// Whose rows are in an answer, or what is said of them: how many there are, where, when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsOf {
    /// None.
    None,
    /// Those of every collection.
    All,
    /// Those of the collection that the path names.
    Collection,
    /// Those of the layers that the path names.
    Layers,
    /// Those of these collections.
    Named(&'static [&'static str]),
    /// None, but it speaks of the caller.
    Caller,
}

impl Route {
    /// Names of the path's parameters, as they come.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0))
    }
}

const ITEMS: &[Param] =
    &[Param::Bbox, Param::Datetime, Param::Limit, Param::Next, Param::Nearest, Param::Within, Param::Crs];

const FLOWS: &[Param] = &[Param::Level, Param::Zoom, Param::Datetime, Param::From, Param::To, Param::Limit];

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

fn always_light(_call: &Call) -> Weight {
    Weight::Light
}

fn always_heavy(_call: &Call) -> Weight {
    Weight::Heavy
}

const fn light(
    path: &'static str,
    operation: &'static str,
    summary: &'static str,
    media_type: &'static str,
    handler: fn(&Call) -> Result<Answer, Problem>,
) -> Route {
    Route {
        path,
        operation,
        summary,
        params: &[],
        media_type,
        rows: RowsOf::None,
        weight: always_light,
        handler,
    }
}

/// All of them.
pub const ROUTES: &[Route] = &[
    light("/", "getMap", "The map application", "text/html", site::page),
    light(
        "/assets/{file}",
        "getAsset",
        "A file of the map application",
        "application/octet-stream",
        site::asset,
    ),
    light("/help", "getGuides", "The list of guides", "text/html", site::help),
    light(
        "/help/{guide}",
        "getGuide",
        "The guide for one kind of user: analyst, planner or gis-officer",
        "text/html",
        site::guide,
    ),
    light("/ogc", "getLandingPage", "Landing page", JSON, ogc::landing::landing),
    light("/ogc/conformance", "getConformance", "Conformance classes", JSON, ogc::landing::conformance),
    light("/ogc/api", "getApi", "This document", OPENAPI, ogc::api::openapi),
    Route {
        rows: RowsOf::All,
        ..light("/ogc/collections", "getCollections", "Collections", JSON, ogc::collections::collections)
    },
    Route {
        rows: RowsOf::Collection,
        ..light(
            "/ogc/collections/{collectionId}",
            "getCollection",
            "One collection",
            JSON,
            ogc::collections::collection,
        )
    },
    Route {
        rows: RowsOf::Collection,
        ..light(
            "/ogc/collections/{collectionId}/queryables",
            "getQueryables",
            "Fields of a collection that filters may use",
            SCHEMA,
            ogc::collections::queryables,
        )
    },
    Route {
        path: "/ogc/collections/{collectionId}/items",
        operation: "getItems",
        summary: "Features of a collection",
        params: ITEMS,
        media_type: GEOJSON,
        rows: RowsOf::Collection,
        weight: ogc::items::items_weight,
        handler: ogc::items::items,
    },
    Route {
        path: "/ogc/collections/{collectionId}/items/{featureId}",
        operation: "getItem",
        summary: "One feature",
        params: &[Param::Crs],
        media_type: GEOJSON,
        rows: RowsOf::Collection,
        weight: ogc::items::item_weight,
        handler: ogc::items::item,
    },
    Route {
        path: "/tiles/{layers}.json",
        operation: "getTileJson",
        summary: "TileJSON of one or several layers",
        params: &[Param::Properties],
        media_type: JSON,
        rows: RowsOf::Layers,
        weight: tiles::ids_weight,
        handler: tiles::tilejson,
    },
    Route {
        path: "/tiles/{layers}/{z}/{x}/{y}.mvt",
        operation: "getTile",
        summary: "Vector tile of one or several layers",
        params: &[Param::Properties],
        media_type: MVT,
        rows: RowsOf::Layers,
        weight: tiles::tile_weight,
        handler: tiles::tile,
    },
    Route {
        path: "/tiles/{layers}/features/{tileId}.json",
        operation: "getTileFeature",
        summary: "The feature of a layer that has an id in its tiles",
        params: &[],
        media_type: GEOJSON,
        rows: RowsOf::Layers,
        weight: tiles::ids_weight,
        handler: tiles::feature,
    },
    Route {
        path: "/api/flows",
        operation: "getFlows",
        summary: "Links of lines added up from origin to destination, the strongest first; legs_without_ends counts those whose hub or town is not known",
        params: FLOWS,
        media_type: JSON,
        rows: RowsOf::Named(&flows::READS),
        weight: always_heavy,
        handler: flows::flows,
    },
    Route {
        path: "/api/search",
        operation: "search",
        summary: "Named features and grid references, best first",
        params: &[Param::Q, Param::Limit],
        media_type: JSON,
        rows: RowsOf::All,
        weight: always_heavy,
        handler: search::search,
    },
    Route {
        rows: RowsOf::Caller,
        ..light(
            "/api/session",
            "getSession",
            "Who asks, what the register holds, the marking of what they see",
            JSON,
            session::session,
        )
    },
    light("/healthz", "getHealth", "Whether the process lives", JSON, health::healthz),
    light(
        "/readyz",
        "getReady",
        "Whether it takes work, and everything beside it runs",
        JSON,
        health::readyz,
    ),
];
