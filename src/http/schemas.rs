//! Schemas of the answers, for the OpenAPI document: each is named by the routes that answer so.
//!
//! They are written in the dialect of OpenAPI 3.0. A test holds real answers of every route against them, and the map's
//! types are generated from them.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::format::Envelope;

/// A reference to one of [`components`].
#[must_use]
pub fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// All schemas, by name.
#[must_use]
pub fn components() -> Map<String, Value> {
    let all = [
        ("problem", problem()),
        ("link", link()),
        ("landing", landing()),
        ("conformance", conformance()),
        ("openapi", openapi()),
        ("collections", collections()),
        ("collection", collection()),
        ("queryables", queryables()),
        ("queryable", queryable()),
        ("geometry", geometry()),
        ("feature", feature()),
        ("items", items()),
        ("tileJson", tile_json()),
        ("envelope", Envelope::schema()),
        ("flows", flows()),
        ("flowEnd", flow_end()),
        ("flow", flow()),
        ("flowSums", flow_sums()),
        ("search", search()),
        ("searchHit", search_hit()),
        ("session", session()),
        ("named", named()),
        ("titled", titled()),
        ("health", health()),
        ("readiness", readiness()),
    ];
    all.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

/// An object with members that must be there and others that may.
fn object(required: &[(&str, Value)], optional: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    let all = required.iter().chain(optional);
    let properties: Map<String, Value> =
        all.map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !names.is_empty() {
        schema["required"] = names.into();
    }
    schema
}

fn text() -> Value {
    json!({"type": "string"})
}

fn described(mut schema: Value, description: &str) -> Value {
    schema["description"] = description.into();
    schema
}

fn number() -> Value {
    json!({"type": "number"})
}

fn whole() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn boolean() -> Value {
    json!({"type": "boolean"})
}

fn nullable(mut schema: Value) -> Value {
    schema["nullable"] = true.into();
    schema
}

fn one_of(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}

fn list(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}

fn bounds() -> Value {
    described(
        json!({"type": "array", "minItems": 4, "maxItems": 4, "items": {"type": "number"}}),
        "West, south, east, north in degrees.",
    )
}

fn problem() -> Value {
    let schema = object(
        &[
            ("type", json!({"type": "string", "format": "uri"})),
            ("title", text()),
            ("status", whole()),
            ("detail", text()),
        ],
        &[("parameter", text()), ("request_id", text())],
    );
    described(schema, "RFC 9457 problem details")
}

fn link() -> Value {
    object(&[("href", text()), ("rel", text()), ("type", text())], &[("title", text())])
}

fn links() -> Value {
    list(&reference("link"))
}

fn landing() -> Value {
    object(&[("title", text()), ("description", text()), ("links", links())], &[])
}

fn conformance() -> Value {
    object(&[("conformsTo", list(&text()))], &[])
}

fn openapi() -> Value {
    json!({"type": "object", "required": ["openapi", "info", "paths"], "properties": {
        "openapi": {"type": "string"}, "info": {"type": "object"}, "paths": {"type": "object"},
    }})
}

fn collections() -> Value {
    object(
        &[("links", links()), ("collections", list(&reference("collection"))), ("crs", list(&text()))],
        &[],
    )
}

fn collection() -> Value {
    let spatial = object(&[("bbox", json!({"type": "array", "items": bounds()})), ("crs", text())], &[]);
    let ends = json!({"type": "array", "minItems": 2, "maxItems": 2, "items": nullable(text())});
    let temporal = object(&[("interval", json!({"type": "array", "items": ends}))], &[]);
    object(
        &[
            ("id", text()),
            ("title", text()),
            ("description", text()),
            ("links", links()),
            ("itemType", one_of(&["feature"])),
            ("crs", list(&text())),
            ("storageCrs", text()),
            ("dataVersion", text()),
            ("itemCount", whole()),
            ("class", one_of(&["reference", "register", "release", "layer"])),
            ("geometryKind", one_of(&["point", "line", "polygon", "any", "none"])),
            ("synthetic", described(boolean(), "Whether any of its rows is invented.")),
        ],
        &[
            ("maxZoom", described(whole(), "Where its tiles end, if that is earlier than usual.")),
            ("labelField", text()),
            ("extent", object(&[], &[("spatial", spatial), ("temporal", temporal)])),
            ("attribution", text()),
        ],
    )
}

fn queryables() -> Value {
    object(
        &[
            ("$schema", text()),
            ("$id", text()),
            ("type", one_of(&["object"])),
            ("title", text()),
            ("properties", json!({"type": "object", "additionalProperties": reference("queryable")})),
            ("additionalProperties", boolean()),
        ],
        &[],
    )
}

fn queryable() -> Value {
    object(
        &[],
        &[
            ("type", text()),
            ("items", json!({"type": "object"})),
            ("format", text()),
            ("title", text()),
            ("description", text()),
            ("x-ogc-role", text()),
            ("x-ogc-unit", text()),
        ],
    )
}

fn geometry() -> Value {
    let kinds = ["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"];
    let schema =
        object(&[("type", one_of(&kinds)), ("coordinates", json!({"type": "array", "items": {}}))], &[]);
    described(nullable(schema), "RFC 7946; in another system than CRS84 if the address says so.")
}

fn feature() -> Value {
    object(
        &[
            ("type", one_of(&["Feature"])),
            ("id", json!({"oneOf": [{"type": "string"}, {"type": "integer"}]})),
            ("geometry", reference("geometry")),
            ("properties", json!({"type": "object", "additionalProperties": true})),
        ],
        &[("links", links()), ("distance_m", number())],
    )
}

fn items() -> Value {
    object(
        &[
            ("type", one_of(&["FeatureCollection"])),
            ("numberMatched", described(whole(), "Rows that match, on whichever page.")),
            ("numberReturned", whole()),
            ("links", links()),
            ("features", list(&reference("feature"))),
        ],
        &[("synthetic", boolean()), ("marking", text())],
    )
}

fn tile_json() -> Value {
    let layer = object(
        &[
            ("id", text()),
            ("description", text()),
            ("fields", json!({"type": "object", "additionalProperties": {"type": "string"}})),
            ("minzoom", whole()),
            ("maxzoom", whole()),
        ],
        &[("feature_id", described(text(), "The field that the ids of features repeat."))],
    );
    object(
        &[
            ("tilejson", one_of(&["3.0.0"])),
            ("name", text()),
            ("tiles", list(&text())),
            ("minzoom", whole()),
            ("maxzoom", whole()),
            ("vector_layers", list(&layer)),
        ],
        &[("bounds", bounds()), ("synthetic", boolean()), ("description", text()), ("attribution", text())],
    )
}

fn flows() -> Value {
    let own = json!({
        "type": "object",
        "required": ["legs_without_ends", "levels", "totals", "shown", "places", "flows"],
        "properties": {
            "legs_without_ends": described(whole(), "Legs in none of the pairs: their hub or town is not known."),
            "levels": object(&[("origin", text()), ("destination", text())], &[]),
            "totals": {"allOf": [reference("flowSums")], "description": "Everything that matches."},
            "shown": {"allOf": [reference("flowSums")], "description": "What is listed."},
            "places": list(&reference("flowEnd")),
            "flows": list(&reference("flow")),
        },
    });
    json!({"allOf": [reference("envelope"), own]})
}

fn flow_end() -> Value {
    object(
        &[
            ("collection", one_of(&["hubs", "towns", "forces", "regions"])),
            ("id", nullable(text())),
            ("label", text()),
            ("lon", number()),
            ("lat", number()),
            ("force", nullable(text())),
            ("region", nullable(text())),
            ("kind", one_of(&["origin", "destination"])),
        ],
        &[],
    )
}

fn flow() -> Value {
    object(
        &[
            ("origin", described(whole(), "Its place in the list of places.")),
            ("destination", described(whole(), "Its place in the list of places.")),
            ("lines", whole()),
            ("legs", whole()),
            ("trips_per_week", described(nullable(number()), "Null where none of its legs says.")),
            ("minutes", described(nullable(number()), "By rail; null where it is not known.")),
        ],
        &[],
    )
}

fn flow_sums() -> Value {
    object(
        &[("flows", whole()), ("lines", whole()), ("legs", whole()), ("trips_per_week", nullable(number()))],
        &[],
    )
}

fn search() -> Value {
    object(&[("query", text()), ("results", list(&reference("searchHit")))], &[])
}

fn search_hit() -> Value {
    object(
        &[("kind", one_of(&["feature", "grid-reference"])), ("label", text()), ("detail", text())],
        &[
            ("collection", text()),
            ("id", text()),
            ("lon", described(number(), "The middle of its geometry, if it has one.")),
            ("lat", number()),
            (
                "zoom",
                described(whole(), "How close a point is looked at; lines and polygons have a box instead."),
            ),
            ("bbox", bounds()),
        ],
    )
}

fn session() -> Value {
    let roles: Vec<&str> = crate::access::Role::ALL.iter().map(|role| role.as_str()).collect();
    object(
        &[
            ("role", described(one_of(&roles), "The caller's role.")),
            ("own", described(list(&text()), "Force, region or areas of their own.")),
            ("reason_given", boolean()),
            (
                "reason_wanted_for",
                described(list(&reference("titled")), "Collections that would be there with a reason."),
            ),
            (
                "roles",
                described(list(&one_of(&roles)), "Roles that can be played here instead: in a demo alone."),
            ),
            ("forces", list(&reference("named"))),
            ("regions", list(&reference("named"))),
            ("areas", list(&reference("named"))),
            ("register", one_of(&["synthetic", "operational"])),
            ("synthetic", boolean()),
            (
                "reference_date",
                described(
                    nullable(json!({"type": "string", "format": "date"})),
                    "The day that the store's picture is drawn for; null: today.",
                ),
            ),
            ("marking", text()),
        ],
        &[],
    )
}

fn named() -> Value {
    object(&[("id", text()), ("name", text())], &[])
}

fn titled() -> Value {
    object(&[("id", text()), ("title", text())], &[])
}

fn health() -> Value {
    object(&[("status", one_of(&["ok"]))], &[])
}

fn readiness() -> Value {
    object(&[("status", one_of(&["ready", "stopping", "broken"]))], &[("stopped", list(&text()))])
}
