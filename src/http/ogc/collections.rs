//! Collections, and the fields that filters may use.

use std::sync::Arc;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::access::CollectionView;
use crate::http::Cost;
use crate::http::Ctx;
use crate::http::Work;
use crate::http::ogc::link;
use crate::http::percent::encode;
use crate::http::problem::Problem;
use crate::http::response::Response;
use crate::http::routes::GEOJSON;
use crate::http::routes::SCHEMA;
use crate::model::CollectionClass;
use crate::model::FieldType;
use crate::model::crs::Crs;
use crate::model::schema::SchemaGeometry;
use crate::model::time;

/// `GET /ogc/collections` (OGC API - Features - Part 1, clause 7.13).
///
/// # Errors
/// None.
pub fn collections(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    let cost = ctx.view.collections().map(|collection| description_cost(collection)).sum();
    let ctx = Arc::clone(ctx);
    Ok(Work::new(cost, move || {
        let base = &ctx.base;
        let list: Vec<Value> = ctx.view.collections().map(|collection| describe(base, collection)).collect();
        Ok(Response::json(&json!({
            "links": [link(&format!("{base}/ogc/collections"), "self", "application/json", "This document")],
            "collections": list,
            "crs": [Crs::Crs84.uri(), Crs::BritishNationalGrid.uri()],
        })))
    }))
}

/// A description has a data version, for which rows may have to be hashed.
fn description_cost(collection: &CollectionView) -> Cost {
    Cost::data_version(collection) + Cost::rows_looked_at(collection.groups().len())
}

/// `GET /ogc/collections/{collectionId}` (clause 7.14).
///
/// # Errors
/// [`Problem::NotFound`].
pub fn collection(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    let collection = Arc::clone(ctx.collection()?);
    let ctx = Arc::clone(ctx);
    Ok(Work::new(description_cost(&collection), move || {
        Ok(Response::json(&describe(&ctx.base, &collection)))
    }))
}

fn describe(base: &str, collection: &CollectionView) -> Value {
    let schema = collection.schema();
    let href = format!("{base}/ogc/collections/{}", encode(&schema.id));
    let mut links = vec![
        link(&href, "self", "application/json", "This document"),
        link(&format!("{href}/items"), "items", GEOJSON, "Features"),
        link(
            &format!("{href}/queryables"),
            "http://www.opengis.net/def/rel/ogc/1.0/queryables",
            SCHEMA,
            "Fields that filters may use",
        ),
    ];
    if schema.geometry != SchemaGeometry::None {
        let tiles = format!("{base}/tiles/{}.json", encode(&schema.id));
        links.push(link(&tiles, "tiles", "application/json", "TileJSON of the vector tiles"));
    }
    if let Some(licence) = &schema.licence {
        let href = format!("https://spdx.org/licenses/{licence}");
        links.push(link(&href, "license", "text/html", licence));
    }
    let mut extent = Map::new();
    if let Some(bounds) = collection.bounds() {
        let edges =
            [bounds.west, bounds.south, bounds.east, bounds.north].map(|units| f64::from(units) / 1e7);
        extent.insert("spatial".to_owned(), json!({"bbox": [edges], "crs": Crs::Crs84.uri()}));
    }
    if let Some((start, end)) = interval(collection) {
        let bound = |micros: i64| match micros {
            i64::MIN | i64::MAX => Value::Null,
            micros => time::format_instant(micros).into(),
        };
        extent.insert("temporal".to_owned(), json!({"interval": [[bound(start), bound(end)]]}));
    }
    let mut out = json!({
        "id": schema.id,
        "title": if schema.title.is_empty() { &schema.id } else { &schema.title },
        "description": schema.description,
        "links": links,
        "itemType": "feature",
        "crs": [Crs::Crs84.uri(), Crs::BritishNationalGrid.uri()],
        "storageCrs": Crs::Crs84.uri(),
        "dataVersion": collection.data_version(),
        "itemCount": collection.rows(),
        "class": match schema.class {
            CollectionClass::Reference => "reference",
            CollectionClass::Register => "register",
            CollectionClass::Release => "release",
            CollectionClass::Layer => "layer",
        },
        "geometryKind": match schema.geometry {
            SchemaGeometry::Point => "point",
            SchemaGeometry::Line => "line",
            SchemaGeometry::Polygon => "polygon",
            SchemaGeometry::Any => "any",
            SchemaGeometry::None => "none",
        },
    });
    out["synthetic"] = collection.is_synthetic().into();
    if let Some(zoom) = schema.max_zoom {
        out["maxZoom"] = zoom.into();
    }
    if let Some(label) = schema.label_field() {
        out["labelField"] = schema.fields[label].name.as_str().into();
    }
    if !extent.is_empty() {
        out["extent"] = extent.into();
    }
    if let Some(attribution) = &schema.attribution {
        out["attribution"] = attribution.as_str().into();
    }
    out
}

/// First and last instant of the rows that have a time.
fn interval(collection: &CollectionView) -> Option<(i64, i64)> {
    if collection.schema().time.is_empty() {
        return None;
    }
    collection
        .groups()
        .iter()
        .filter_map(|group| group.time_extent())
        .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// `GET /ogc/collections/{collectionId}/queryables` (OGC API - Features - Part 3, clause 6.2).
///
/// # Errors
/// [`Problem::NotFound`].
pub fn queryables(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    let collection = Arc::clone(ctx.collection()?);
    let ctx = Arc::clone(ctx);
    Ok(Work::new(Cost::rows_looked_at(collection.schema().fields.len()), move || {
        Ok(Response::ok(SCHEMA, describe_fields(&ctx.base, &collection).to_string()))
    }))
}

fn describe_fields(base: &str, collection: &CollectionView) -> Value {
    let schema = collection.schema();
    let mut properties = Map::new();
    if schema.geometry != SchemaGeometry::None {
        let format = match schema.geometry {
            SchemaGeometry::Point => "geometry-point",
            SchemaGeometry::Line => "geometry-linestring-any",
            SchemaGeometry::Polygon => "geometry-polygon-any",
            SchemaGeometry::Any | SchemaGeometry::None => "geometry-any",
        };
        properties.insert("geometry".to_owned(), json!({"x-ogc-role": "primary-geometry", "format": format}));
    }
    for field in schema.fields.iter().filter(|field| field.queryable) {
        let mut property = match field.field_type {
            FieldType::Boolean => json!({"type": "boolean"}),
            FieldType::Integer => json!({"type": "integer"}),
            FieldType::Number => json!({"type": "number"}),
            FieldType::Text => json!({"type": "string"}),
            FieldType::Date => json!({"type": "string", "format": "date"}),
            FieldType::Timestamp => json!({"type": "string", "format": "date-time"}),
            FieldType::List => json!({"type": "array", "items": {"type": "string"}}),
            FieldType::Json => json!({}),
        };
        property["title"] = field.title.as_deref().unwrap_or(&field.name).into();
        if let Some(description) = &field.description {
            property["description"] = description.as_str().into();
        }
        if let Some(unit) = &field.unit {
            property["x-ogc-unit"] = unit.as_str().into();
        }
        properties.insert(field.name.clone(), property);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("{base}/ogc/collections/{}/queryables", encode(&schema.id)),
        "type": "object",
        "title": if schema.title.is_empty() { &schema.id } else { &schema.title },
        "properties": properties,
        "additionalProperties": false,
    })
}
