//! The OpenAPI 3.0 document, made from the routes themselves.

use std::sync::Arc;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::http::Accepts;
use crate::http::Cost;
use crate::http::Ctx;
use crate::http::Work;
use crate::http::cache::Key;
use crate::http::problem::Problem;
use crate::http::response::Response;
use crate::http::routes::MVT;
use crate::http::routes::OPENAPI;
use crate::http::routes::Route;
use crate::http::schemas;

/// `GET /ogc/api`.
///
/// # Errors
/// None.
pub fn openapi(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    let routes = ctx.app.router.routes();
    // It is a few kilobytes a route, and the same for all who ask under one address.
    let cost = Cost::rows_looked_at(1_000 * routes.len());
    let key = Key {
        address: [&ctx.base, "/ogc/api"].concat(),
        groups: Vec::new(),
        class: 0,
        encoding: ctx.encoding(),
    };
    let ctx = Arc::clone(ctx);
    Ok(Work::new(cost, move || Ok(Response::ok(OPENAPI, document(&ctx.base, routes).to_string())))
        .with_key(key))
}

/// The OpenAPI document of a list of routes on a server.
#[must_use]
pub fn document(base: &str, routes: &[Route]) -> Value {
    let mut paths = Map::new();
    for route in routes {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Throughline",
            "description": "Map, tile and spatial query server for county-lines work.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "servers": [{"url": base}],
        "paths": paths,
        "components": {"schemas": schemas::components()},
    })
}

fn operation(route: &Route) -> Value {
    let mut parameters: Vec<Value> = route
        .parameters()
        .map(|name| {
            let kind = if matches!(name, "z" | "x" | "y") { "integer" } else { "string" };
            json!({"name": name, "in": "path", "required": true, "schema": {"type": kind}})
        })
        .collect();
    for param in route.params {
        let mut parameter = json!({
            "name": param.name(), "in": "query", "required": route.required.contains(param),
            "description": param.description(), "schema": param.schema(),
        });
        if param.is_list() {
            parameter["style"] = "form".into();
            parameter["explode"] = false.into();
        }
        parameters.push(parameter);
    }
    if route.takes_properties {
        parameters.push(json!({
            "name": "properties", "in": "query", "required": false, "style": "form", "explode": true,
            "description": "Queryable properties of the collection as parameters: features with this value of each, such as force=kent.",
            "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        }));
    }
    let schema =
        route.schema.map_or_else(|| json!({"type": "string", "format": "binary"}), schemas::reference);
    let problem = |description: &str| {
        json!({
            "description": description,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}},
        })
    };
    let mut responses = Map::new();
    responses.insert(
        "200".to_owned(),
        json!({"description": route.summary, "content": {route.media_type: {"schema": schema}}}),
    );
    if route.media_type == MVT {
        responses.insert("204".to_owned(), json!({"description": "Nothing reaches the tile"}));
    }
    responses.insert("304".to_owned(), json!({"description": "Not changed since the answer with this ETag"}));
    responses.insert("400".to_owned(), problem("A parameter is unknown or has a value it cannot have"));
    if route.path.contains('{') {
        responses.insert("404".to_owned(), problem("There is nothing at this address"));
    }
    responses.insert("500".to_owned(), problem("The server failed"));
    responses.insert("default".to_owned(), problem("Any other refusal"));
    let mut operation = json!({
        "operationId": route.operation,
        "summary": route.summary,
        "parameters": parameters,
        "responses": responses,
    });
    let content = match route.body {
        Accepts::None => return operation,
        Accepts::Json(_) => json!({"application/json": {"schema": {"type": "object"}}}),
        Accepts::Upload(_) => {
            json!({"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}})
        }
    };
    operation["requestBody"] = json!({"required": true, "content": content});
    operation
}
