//! `/api/search`: named features and grid references.

use std::sync::Arc;

use serde_json::Value;
use serde_json::json;

use crate::http::Cost;
use crate::http::Ctx;
use crate::http::Work;
use crate::http::params::Param;
use crate::http::problem::Problem;
use crate::http::response::Response;
use crate::model::GeometryKind;
use crate::model::ValueRef;
use crate::model::crs::grid_to_lon_lat;
use crate::model::grid_reference::GridReference;
use crate::query::SearchHit;
use crate::query::public_id;
use crate::query::search as find;

/// The longest question in characters.
const MAX_CHARACTERS: usize = 100;
/// The most answers.
const MAX_RESULTS: usize = 50;

/// `GET /api/search?q=`: features by name or code over everything the caller sees, and the place of an Ordnance
/// Survey grid reference, best first. Positions are CRS84 degrees.
///
/// # Errors
/// [`Problem`].
pub fn search(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    let limit = ctx.params.limit()?.min(MAX_RESULTS);
    let q =
        ctx.params.get(Param::Q).ok_or_else(|| Problem::bad("q", "say what to search for: q=Portsmouth"))?;
    if q.chars().count() > MAX_CHARACTERS {
        return Err(Problem::bad("q", format!("longer than {MAX_CHARACTERS} characters")));
    }
    let q = q.to_owned();
    let cost = ctx.view.collections().map(|collection| Cost::rows_summed(collection)).sum();
    let view = Arc::clone(&ctx.view);
    Ok(Work::new(cost, move || {
        // Two letters alone are the beginning of a name.
        let square = GridReference::parse(&q).filter(|reference| reference.size_m() < 100_000);
        let mut results: Vec<Value> = square.and_then(grid_place).into_iter().collect();
        let rows = find(view.collections().map(AsRef::as_ref), &q, limit.saturating_sub(results.len()));
        results.extend(rows.iter().map(describe));
        Ok(Response::json(&json!({"query": q, "results": results})))
    }))
}

fn grid_place(reference: GridReference) -> Option<Value> {
    let (easting, northing) = reference.centre();
    let (lon, lat) = grid_to_lon_lat(easting, northing)?;
    let zoom = match reference.size_m() {
        1 | 10 => 15,
        100 => 14,
        1_000 => 12,
        _ => 9,
    };
    Some(json!({
        "kind": "grid-reference", "label": reference.to_string(),
        "detail": format!("Grid square of {}", metres(reference.size_m())),
        "lon": round(lon), "lat": round(lat), "zoom": zoom,
    }))
}

fn metres(size: u32) -> String {
    if size >= 1_000 { format!("{} km", size / 1_000) } else { format!("{size} m") }
}

fn describe(found: &SearchHit<'_>) -> Value {
    let schema = found.collection.schema();
    let group = &found.collection.groups()[found.at.group as usize];
    let row = found.at.row as usize;
    let title = if schema.title.is_empty() { &schema.id } else { &schema.title };
    let text = |name: &str| -> Option<String> {
        match group.value(schema.position(name)?, row) {
            ValueRef::Text(text) if !text.is_empty() => Some(text.to_owned()),
            _ => None,
        }
    };
    // Short codes that people know (PAD, WAT) help to tell rows apart; long and numeric ids don't.
    let code = schema
        .identifier
        .as_deref()
        .and_then(text)
        .filter(|code| code.len() <= 8 && code.bytes().any(|byte| byte.is_ascii_alphabetic()));
    let detail: Vec<String> =
        [Some(title.clone()), code, text("kind"), text("county")].into_iter().flatten().collect();
    let mut out = json!({
        "kind": "feature", "collection": schema.id, "id": public_id(found.collection, found.at),
        "label": found.label, "detail": detail.join(" · "),
    });
    if let Some(geometry) = group.geometry(row) {
        let bounds = geometry.bounds();
        let centre = bounds.centre();
        out["lon"] = centre.lon_degrees().into();
        out["lat"] = centre.lat_degrees().into();
        if geometry.kind.broad() == GeometryKind::Point && geometry.positions.len() == 1 {
            out["zoom"] = match text("kind").as_deref() {
                Some("city") => 11,
                Some("town") => 12,
                _ => 13,
            }
            .into();
        } else {
            let edges = [bounds.west, bounds.south, bounds.east, bounds.north];
            out["bbox"] = edges.map(|units| f64::from(units) / 1e7).to_vec().into();
        }
    }
    out
}

fn round(degrees: f64) -> f64 {
    (degrees * 1e7).round() / 1e7
}
