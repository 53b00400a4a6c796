//! `/tiles`: vector tiles and TileJSON for one or several comma-separated layers.

use serde_json::json;

use crate::access::CollectionView;
use crate::format::FeatureWriter;
use crate::http::Answer;
use crate::http::Call;
use crate::http::Weight;
use crate::http::cache::Key;
use crate::http::encode::Encoding;
use crate::http::encode::Packed;
use crate::http::params::Param;
use crate::http::percent::encode;
use crate::http::problem::Problem;
use crate::http::routes::GEOJSON;
use crate::http::routes::MVT;
use crate::model::FieldType;
use crate::model::crs::Crs;
use crate::model::geometry::Bounds;
use crate::query::public_id;
use crate::tile::COUNT;
use crate::tile::FULL_ZOOM;
use crate::tile::FeatureDropping;
use crate::tile::LEFT_OUT;
use crate::tile::Layer;
use crate::tile::MAX_ZOOM;
use crate::tile::TileCoord;
use crate::tile::are_ids_known;
use crate::tile::find;
use crate::tile::groups as tile_groups;
use crate::tile::ids_version;
use crate::tile::is_clustered;
use crate::tile::is_density_known;
use crate::tile::is_id_field;
use crate::tile::tile as make_tile;
use crate::tile::work;

/// The most layers in one address.
const MAX_LAYERS: usize = 32;

/// The collections of a comma-separated list; none if one of them is not there.
fn layers(call: &Call) -> Result<Vec<&CollectionView>, Problem> {
    let names: Vec<&str> = call.path_value("layers").split(',').collect();
    if names.len() > MAX_LAYERS || names.iter().enumerate().any(|(place, name)| names[..place].contains(name))
    {
        return Err(Problem::NotFound);
    }
    names
        .into_iter()
        .map(|name| call.view.collection(name).map(AsRef::as_ref).ok_or(Problem::NotFound))
        .collect()
}

/// A whole number in its one spelling.
fn whole_number<T: std::str::FromStr>(text: &str) -> Result<T, Problem> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }.ok_or(Problem::NotFound)
}

/// The tile that the address names.
fn address(call: &Call) -> Result<TileCoord, Problem> {
    let number = |name: &str| whole_number::<u32>(call.path_value(name));
    let (z, x, y) = (number("z")?, number("x")?, number("y")?);
    u8::try_from(z).ok().and_then(|z| TileCoord::new(z, x, y)).ok_or(Problem::NotFound)
}

/// The deepest zoom of a set of layers: places that are not to be told apart are not drawn closer.
fn deepest(layers: &[&CollectionView]) -> u8 {
    layers.iter().filter_map(|layer| layer.schema().max_zoom).fold(MAX_ZOOM, u8::min)
}

/// The properties asked for, `None` for all. Each must be a field of one of the layers.
fn properties(call: &Call, layers: &[&CollectionView]) -> Result<Option<Vec<String>>, Problem> {
    let Some(text) = call.params.get(Param::Properties) else { return Ok(None) };
    let mut names: Vec<String> = Vec::new();
    for name in text.split(',').filter(|_| !text.is_empty()) {
        if !layers.iter().any(|layer| layer.schema().position(name).is_some()) {
            let name: String = name.chars().take(100).collect();
            let known: Vec<&str> = layers
                .iter()
                .flat_map(|layer| &layer.schema().fields)
                .map(|field| field.name.as_str())
                .collect();
            let reason = format!("{name:?} is no property of these layers; they have {}", known.join(", "));
            return Err(Problem::bad("properties", reason));
        }
        names.push(name.to_owned());
    }
    // The same choice is the same tile in whatever order it is written.
    names.sort_unstable();
    names.dedup();
    Ok(Some(names))
}

/// A question for a tile, and what its answer is made of.
struct Question<'a> {
    layers: Vec<&'a CollectionView>,
    at: TileCoord,
    properties: Option<Vec<String>>,
    key: Key,
}

fn question(call: &Call) -> Result<Question<'_>, Problem> {
    let layers = layers(call)?;
    let at = address(call)?;
    if at.z > deepest(&layers) {
        return Err(Problem::NotFound);
    }
    let properties = properties(call, &layers)?;
    let mut groups = Vec::new();
    for layer in &layers {
        groups.extend(tile_groups(layer, at));
        // Whether points are clustered, and which ids they have, may depend on rows far away. Serial numbers begin at 1:
        // a 0 parts the layers.
        let clustered = call.app.dropping == FeatureDropping::ToSize && is_clustered(layer, at.z);
        groups.extend([0, u64::from(clustered), ids_version(layer)]);
    }
    let mut address = String::with_capacity(64);
    for part in ["layers", "z", "x", "y"] {
        address.push_str(call.path_value(part));
        address.push('/');
    }
    if let Some(names) = &properties {
        address.push('?');
        address.push_str(&names.join(","));
    }
    let key = Key { address, groups, encoding: call.encoding(Encoding::LIVE) };
    Ok(Question { layers, at, properties, key })
}

/// Light if the table of tile ids is there, else heavy.
pub fn ids_weight(call: &Call) -> Weight {
    let is_unknown = |layers: Vec<&CollectionView>| !layers.iter().all(|layer| are_ids_known(layer));
    if layers(call).is_ok_and(is_unknown) { Weight::Heavy } else { Weight::Light }
}

/// A kept tile; light if it is small, or if there is none.
pub fn tile_weight(call: &Call) -> Weight {
    // A row or vertex takes about 40 ns; a fifth of a millisecond is 5,000 of them.
    const ENOUGH: usize = 5_000;
    let (Ok(layers), Ok(at)) = (layers(call), address(call)) else { return Weight::Light };
    // The key itself is not to be had in no time where the layer was never looked at.
    let is_known = |layer: &&CollectionView| {
        are_ids_known(layer) && (call.app.dropping == FeatureDropping::None || is_density_known(layer))
    };
    if !layers.iter().all(is_known) {
        return Weight::Heavy;
    }
    if call.app.cache.is_on()
        && let Ok(question) = question(call)
        && let Some(packed) = call.app.cache.get(&question.key)
    {
        return Weight::Answered(answer(packed));
    }
    let needed = layers.iter().fold(0, |sum: usize, layer| sum.saturating_add(work(layer, at, ENOUGH)));
    if needed <= ENOUGH { Weight::Light } else { Weight::Heavy }
}

fn answer(packed: Packed) -> Answer {
    let status = if packed.body.is_empty() { 204 } else { 200 };
    Answer { status, ..Answer::packed(MVT, packed) }
}

/// `GET /tiles/{layers}/{z}/{x}/{y}.mvt`: the tile, 204 if nothing reaches it, 404 if there can be no such tile.
///
/// # Errors
/// [`Problem::NotFound`], or a name in `properties` that none of the layers has.
pub fn tile(call: &Call) -> Result<Answer, Problem> {
    let Question { layers, at, properties, key } = question(call)?;
    let drawn: Vec<Layer<'_>> = layers.into_iter().map(Layer::whole).collect();
    let make = || make_tile(&drawn, at, properties.as_deref(), call.app.dropping);
    Ok(answer(call.app.cache.get_with(key, make)))
}

/// `GET /tiles/{layers}/features/{tileId}.json`: the feature whose id in tiles is `tileId`, as GeoJSON, of the first of the
/// layers that has one: ids are unique in a layer only.
///
/// # Errors
/// [`Problem::NotFound`].
pub fn feature(call: &Call) -> Result<Answer, Problem> {
    let id = whole_number(call.path_value("tileId"))?;
    for layer in layers(call)? {
        let Some(at) = find(layer, id) else { continue };
        let mut body = Vec::new();
        FeatureWriter::new(layer, Crs::Crs84).open_feature(&mut body, at);
        let parent = format!("{}/ogc/collections/{}", call.base, encode(&layer.schema().id));
        let href = format!("{parent}/items/{}", encode(&public_id(layer, at)));
        let links = json!([
            {"href": href, "rel": "canonical", "type": GEOJSON},
            {"href": parent, "rel": "collection", "type": "application/json"},
        ]);
        body.extend_from_slice(format!(",\"links\":{links}}}").as_bytes());
        return Ok(Answer::ok(GEOJSON, body));
    }
    Err(Problem::NotFound)
}

/// `GET /tiles/{layers}.json`: TileJSON 3.0.0.
///
/// # Errors
/// [`Problem::NotFound`], or a name in `properties` that none of the layers has.
pub fn tilejson(call: &Call) -> Result<Answer, Problem> {
    let layers = layers(call)?;
    let wanted = properties(call, &layers)?;
    let deepest = deepest(&layers);
    let mut bounds = Bounds::EMPTY;
    let mut vector_layers = Vec::new();
    let mut attributions: Vec<&str> = Vec::new();
    for layer in &layers {
        if let Some(own) = layer.bounds() {
            bounds.merge(&own);
        }
        let schema = layer.schema();
        let mut fields: serde_json::Map<String, serde_json::Value> = schema
            .fields
            .iter()
            .enumerate()
            .filter(|(place, field)| match &wanted {
                Some(wanted) => wanted.contains(&field.name),
                None => !is_id_field(layer, *place),
            })
            .map(|(_, field)| {
                let kind = match field.field_type {
                    FieldType::Boolean => "Boolean",
                    FieldType::Integer | FieldType::Number => "Number",
                    FieldType::Text
                    | FieldType::List
                    | FieldType::Json
                    | FieldType::Date
                    | FieldType::Timestamp => "String",
                };
                let text = field.description.as_deref().or(field.title.as_deref());
                (
                    field.name.clone(),
                    text.map_or_else(|| kind.to_owned(), |text| format!("{kind}: {text}")).into(),
                )
            })
            .collect();
        // Below zoom 12 the name is the cluster's, whatever the layer calls `count`.
        let mut count =
            "Number: how many features this one stands for, where a tile would be too large".to_owned();
        if let Some(own) = fields.get(COUNT).and_then(|text| text.as_str()) {
            count = format!("{count} (below zoom {FULL_ZOOM}); {own} (from zoom {FULL_ZOOM} on)");
        }
        if call.app.dropping == FeatureDropping::ToSize {
            fields.insert(COUNT.to_owned(), count.into());
            let mut left_out =
                "String: names of the fields that were left out of the tile, with commas between them, or * for many, where it would be too large; the feature as an item has them"
                    .to_owned();
            if let Some(own) = fields.get(LEFT_OUT).and_then(|text| text.as_str()) {
                left_out = format!("{left_out}; {own} (where nothing is left out)");
            }
            fields.insert(LEFT_OUT.to_owned(), left_out.into());
        }
        let mut described = json!({
            "id": schema.id, "description": schema.description, "fields": fields, "minzoom": 0, "maxzoom": deepest
        });
        // It is no property of the features unless it is asked for by name: their id says the same.
        let id_field = (0..schema.fields.len()).find(|place| is_id_field(layer, *place));
        if let Some(place) = id_field {
            described["feature_id"] = schema.fields[place].name.as_str().into();
        }
        vector_layers.push(described);
        attributions.extend(schema.attribution.as_deref().filter(|one| !attributions.contains(one)));
    }
    let names = encode(call.path_value("layers"));
    let mut body = json!({
        "tilejson": "3.0.0",
        "name": call.path_value("layers"),
        "tiles": [format!("{}/tiles/{names}/{{z}}/{{x}}/{{y}}.mvt{}", call.base, call.params.query_string(None))],
        "minzoom": 0,
        "maxzoom": deepest,
        "vector_layers": vector_layers,
    });
    if !bounds.is_empty() {
        body["bounds"] = [bounds.west, bounds.south, bounds.east, bounds.north]
            .map(|units| f64::from(units) / 1e7)
            .to_vec()
            .into();
    }
    if layers.iter().any(|layer| layer.is_synthetic()) {
        body["synthetic"] = true.into();
        body["description"] = "SYNTHETIC: every row of the register is invented".into();
        attributions.push("SYNTHETIC data");
    }
    if !attributions.is_empty() {
        body["attribution"] = attributions.join(", ").into();
    }
    Ok(Answer::json(&body))
}
