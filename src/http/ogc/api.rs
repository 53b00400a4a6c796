//! The OpenAPI 3.0 document, made from the routes themselves.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::http::Answer;
use crate::http::Call;
use crate::http::problem::Problem;
use crate::http::routes::OPENAPI;
use crate::http::routes::ROUTES;
use crate::http::routes::Route;

/// `GET /ogc/api`.
///
/// # Errors
/// None.
pub fn openapi(call: &Call) -> Result<Answer, Problem> {
    let mut paths = Map::new();
    for route in ROUTES {
        paths.insert(route.path.to_owned(), json!({"get": operation(route)}));
    }
    let body = json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Throughline",
            "description": "Map, tile and spatial query server for county-lines work.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "servers": [{"url": call.base}],
        "paths": paths,
        "components": {"schemas": {"problem": {
            "type": "object",
            "description": "RFC 9457 problem details",
            "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": {"type": "string", "format": "uri"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
                "parameter": {"type": "string"},
                "request_id": {"type": "string"},
            },
        }}},
    });
    Ok(Answer::ok(OPENAPI, body.to_string()))
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
            "name": param.name(), "in": "query", "required": false,
            "description": param.description(), "schema": param.schema(),
        });
        if param.is_list() {
            parameter["style"] = "form".into();
            parameter["explode"] = false.into();
        }
        parameters.push(parameter);
    }
    let schema = if route.media_type.ends_with("json") || route.media_type.contains("json;") {
        json!({"type": "object"})
    } else {
        json!({"type": "string"})
    };
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
    responses.insert("304".to_owned(), json!({"description": "Not changed since the answer with this ETag"}));
    responses.insert("400".to_owned(), problem("A parameter is unknown or has a value it cannot have"));
    if route.path.contains('{') {
        responses.insert("404".to_owned(), problem("There is nothing at this address"));
    }
    responses.insert("500".to_owned(), problem("The server failed"));
    json!({
        "operationId": route.operation,
        "summary": route.summary,
        "parameters": parameters,
        "responses": responses,
    })
}
