//! Every address the server answers. The router, the OpenAPI document and the non-interference test are made from it.

use std::sync::Arc;

use crate::access::Principal;
use crate::http::Accepts;
use crate::http::Ctx;
use crate::http::Reads;
use crate::http::Work;
use crate::http::flows;
use crate::http::health;
use crate::http::ogc;
use crate::http::params::Param;
use crate::http::problem::Problem;
use crate::http::search;
use crate::http::session;
use crate::http::site;
use crate::http::tiles;

/// A method that routes have. HEAD is answered as GET, OPTIONS by the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Makes something.
    Post,
    /// Puts something in its place.
    Put,
    /// Changes a part of something.
    Patch,
    /// Removes something.
    Delete,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete];

    /// The word in requests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// The method of a word in capitals.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == word)
    }
}

/// One method of one address.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path with its parameters in braces.
    pub path: &'static str,
    /// The operation's name in the OpenAPI document.
    pub operation: &'static str,
    /// What it answers, in a few words.
    pub summary: &'static str,
    /// Query parameters it takes; others are refused.
    pub params: &'static [Param],
    /// Those of them that must be given.
    pub required: &'static [Param],
    /// Whether names of queryable properties of the collections it reads are parameters too.
    pub takes_properties: bool,
    /// Media type of the answer.
    pub media_type: &'static str,
    /// The name of the schema of a JSON answer.
    pub schema: Option<&'static str>,
    /// The body it reads.
    pub body: Accepts,
    /// Whether a caller may do it at all: settled before a body is read.
    pub may: fn(&Principal) -> bool,
    /// Collections that an answer is made of.
    pub reads: Reads,
    /// Parses the request and says what is to be done for the answer.
    pub plan: fn(&Arc<Ctx>) -> Result<Work, Problem>,
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

/// Whoever asks.
fn anyone(_principal: &Principal) -> bool {
    true
}

impl Route {
    /// A route that reads no rows and takes no parameters.
    #[must_use]
    pub const fn get(
        path: &'static str,
        operation: &'static str,
        summary: &'static str,
        media_type: &'static str,
        plan: fn(&Arc<Ctx>) -> Result<Work, Problem>,
    ) -> Self {
        Self {
            method: Method::Get,
            path,
            operation,
            summary,
            params: &[],
            required: &[],
            takes_properties: false,
            media_type,
            schema: None,
            body: Accepts::None,
            may: anyone,
            reads: Reads::Nothing,
            plan,
        }
    }

    /// The same, with the schema of its answers.
    #[must_use]
    pub const fn answering(self, schema: &'static str) -> Self {
        Self { schema: Some(schema), ..self }
    }
}

/// All of them.
pub const ROUTES: &[Route] = &[
    Route::get("/", "getMap", "The map application", "text/html", site::page),
    Route::get(
        "/assets/{file}",
        "getAsset",
        "A file of the map application",
        "application/octet-stream",
        site::asset,
    ),
    Route::get("/help", "getGuides", "The list of guides", "text/html", site::help),
    Route::get(
        "/help/{guide}",
        "getGuide",
        "The guide for one kind of user: analyst, planner or gis-officer",
        "text/html",
        site::guide,
    ),
    Route::get("/ogc", "getLandingPage", "Landing page", JSON, ogc::landing::landing).answering("landing"),
    Route::get("/ogc/conformance", "getConformance", "Conformance classes", JSON, ogc::landing::conformance).answering("conformance"),
    Route::get("/ogc/api", "getApi", "This document", OPENAPI, ogc::api::openapi).answering("openapi"),
    Route {
        reads: Reads::All,
        ..Route::get("/ogc/collections", "getCollections", "Collections", JSON, ogc::collections::collections).answering("collections")
    },
    Route {
        reads: Reads::Collection,
        ..Route::get(
            "/ogc/collections/{collectionId}",
            "getCollection",
            "One collection",
            JSON,
            ogc::collections::collection,
        ).answering("collection")
    },
    Route {
        reads: Reads::Collection,
        ..Route::get(
            "/ogc/collections/{collectionId}/queryables",
            "getQueryables",
            "Fields of a collection that filters may use",
            SCHEMA,
            ogc::collections::queryables,
        ).answering("queryables")
    },
    Route {
        params: ITEMS,
        takes_properties: true,
        reads: Reads::Collection,
        ..Route::get("/ogc/collections/{collectionId}/items", "getItems", "Features of a collection", GEOJSON, ogc::items::items).answering("items")
    },
    Route {
        params: &[Param::Crs],
        reads: Reads::Collection,
        ..Route::get("/ogc/collections/{collectionId}/items/{featureId}", "getItem", "One feature", GEOJSON, ogc::items::item).answering("feature")
    },
    Route {
        params: &[Param::Properties, Param::Datetime],
        takes_properties: true,
        reads: Reads::Layers,
        ..Route::get("/tiles/{layers}.json", "getTileJson", "TileJSON of one or several layers", JSON, tiles::tilejson).answering("tileJson")
    },
    Route {
        params: &[Param::Properties, Param::Datetime],
        takes_properties: true,
        reads: Reads::Layers,
        ..Route::get("/tiles/{layers}/{z}/{x}/{y}.mvt", "getTile", "Vector tile of one or several layers", MVT, tiles::tile)
    },
    Route {
        reads: Reads::Layers,
        ..Route::get("/tiles/{layers}/features/{tileId}.json", "getTileFeature", "The feature of a layer that has an id in its tiles", GEOJSON, tiles::feature).answering("feature")
    },
    Route {
        params: FLOWS,
        reads: Reads::Named(&flows::READS),
        ..Route::get("/api/flows", "getFlows", "Legs of lines added up from origin to destination, the strongest first; legs_without_ends counts those whose hub or town is not known", JSON, flows::flows).answering("flows")
    },
    Route {
        params: &[Param::Q, Param::Limit],
        required: &[Param::Q],
        reads: Reads::All,
        ..Route::get("/api/search", "search", "Named features and grid references, best first", JSON, search::search).answering("search")
    },
    Route {
        reads: Reads::Caller,
        ..Route::get(
            "/api/session",
            "getSession",
            "Who asks, what the register holds, the marking of what they see",
            JSON,
            session::session,
        ).answering("session")
    },
    Route::get("/healthz", "getHealth", "Whether the process lives", JSON, health::healthz).answering("health"),
    Route::get(
        "/readyz",
        "getReady",
        "Whether it takes work, and everything beside it runs",
        JSON,
        health::readyz,
    ).answering("readiness"),
];
