//! `/tiles`: vector tiles and TileJSON for one or several comma-separated layers.

use std::sync::Arc;

use serde_json::json;

use crate::access::CollectionView;
use crate::http::Answer;
use crate::http::Call;
use crate::http::params::encode;
use crate::http::problem::Problem;
use crate::http::routes::MVT;
use crate::model::geometry::Bounds;
use crate::tile::MAX_ZOOM;
use crate::tile::TileCoord;
use crate::tile::tile as make_tile;

/// The most layers in one address.
const MAX_LAYERS: usize = 32;

/// The collections of a comma-separated list; none if one of them is not there.
fn layers<'a>(call: &'a Call<'_>) -> Result<Vec<&'a Arc<CollectionView>>, Problem> {
    let names: Vec<&str> = call.path_value("layers").split(',').collect();
    if names.len() > MAX_LAYERS || names.iter().enumerate().any(|(place, name)| names[..place].contains(name))
    {
        return Err(Problem::NotFound);
    }
    names.into_iter().map(|name| call.view.collection(name).ok_or(Problem::NotFound)).collect()
}

/// `GET /tiles/{layers}/{z}/{x}/{y}.mvt`: the tile, 204 if nothing reaches it, 404 if there can be no such tile.
///
/// # Errors
/// [`Problem::NotFound`].
pub fn tile(call: &Call<'_>) -> Result<Answer, Problem> {
    let layers = layers(call)?;
    let number = |name: &str| -> Result<u32, Problem> {
        let text = call.path_value(name);
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        if plain { text.parse().ok() } else { None }.ok_or(Problem::NotFound)
    };
    let (z, x, y) = (number("z")?, number("x")?, number("y")?);
    let at = u8::try_from(z).ok().and_then(|z| TileCoord::new(z, x, y)).ok_or(Problem::NotFound)?;
    let body = make_tile(layers.iter().map(|layer| &***layer), at);
    let mut answer = Answer::ok(MVT, body);
    if answer.body.is_empty() {
        answer.status = 204;
    }
    Ok(answer)
}

/// `GET /tiles/{layers}.json`: TileJSON 3.0.0.
///
/// # Errors
/// [`Problem::NotFound`].
pub fn tilejson(call: &Call<'_>) -> Result<Answer, Problem> {
    let layers = layers(call)?;
    let mut bounds = Bounds::EMPTY;
    let mut vector_layers = Vec::new();
    let mut attributions: Vec<&str> = Vec::new();
    for layer in &layers {
        if let Some(own) = layer.bounds() {
            bounds.merge(&own);
        }
        let schema = layer.schema();
        let fields: serde_json::Map<String, serde_json::Value> = schema
            .fields
            .iter()
            .map(|field| (field.name.clone(), field.description.clone().unwrap_or_default().into()))
            .collect();
        vector_layers.push(json!({
            "id": schema.id, "description": schema.description, "fields": fields, "minzoom": 0, "maxzoom": MAX_ZOOM
        }));
        attributions.extend(schema.attribution.as_deref());
    }
    attributions.dedup();
    let names = encode(call.path_value("layers"));
    let mut body = json!({
        "tilejson": "3.0.0",
        "name": call.path_value("layers"),
        "tiles": [format!("{}/tiles/{names}/{{z}}/{{x}}/{{y}}.mvt", call.base)],
        "minzoom": 0,
        "maxzoom": MAX_ZOOM,
        "vector_layers": vector_layers,
    });
    if !bounds.is_empty() {
        body["bounds"] = [bounds.west, bounds.south, bounds.east, bounds.north]
            .map(|units| f64::from(units) / 1e7)
            .to_vec()
            .into();
    }
    if !attributions.is_empty() {
        body["attribution"] = attributions.join(", ").into();
    }
    Ok(Answer::json(&body))
}
