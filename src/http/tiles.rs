//! `/tiles`: vector tiles and TileJSON for one or several comma-separated layers.

use std::sync::Arc;

use serde_json::json;

use crate::access::CollectionView;
use crate::filter::Bound;
use crate::format::FeatureWriter;
use crate::http::Cost;
use crate::http::Ctx;
use crate::http::Work;
use crate::http::cache::Key;
use crate::http::params::Param;
use crate::http::percent::encode;
use crate::http::problem::Problem;
use crate::http::question;
use crate::http::response::Response;
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
use crate::tile::is_density_known;
use crate::tile::is_id_field;
use crate::tile::tile as make_tile;
use crate::tile::work;

/// The most layers in one address.
const MAX_LAYERS: usize = 32;

/// Layers of an address.
type Layers = Vec<Arc<CollectionView>>;

/// The collections of a comma-separated list; none if one of them is not there.
fn layers(ctx: &Ctx) -> Result<Layers, Problem> {
    let names: Vec<&str> = ctx.path_value("layers").split(',').collect();
    if names.len() > MAX_LAYERS || names.iter().enumerate().any(|(place, name)| names[..place].contains(name))
    {
        return Err(Problem::NotFound);
    }
    names.into_iter().map(|name| ctx.view.collection(name).cloned().ok_or(Problem::NotFound)).collect()
}

/// A whole number in its one spelling.
fn whole_number<T: std::str::FromStr>(text: &str) -> Result<T, Problem> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }.ok_or(Problem::NotFound)
}

/// The tile that the address names.
fn address(ctx: &Ctx) -> Result<TileCoord, Problem> {
    let number = |name: &str| whole_number::<u32>(ctx.path_value(name));
    let (z, x, y) = (number("z")?, number("x")?, number("y")?);
    u8::try_from(z).ok().and_then(|z| TileCoord::new(z, x, y)).ok_or(Problem::NotFound)
}

/// The deepest zoom of a set of layers. A layer that must not show single places has an earlier one.
fn deepest(layers: &Layers) -> u8 {
    layers.iter().filter_map(|layer| layer.schema().max_zoom).fold(MAX_ZOOM, u8::min)
}

/// The properties that features carry, `None` for all. Each must be a field of one of the layers.
fn properties(ctx: &Ctx, layers: &Layers) -> Result<Option<Vec<String>>, Problem> {
    let Some(text) = ctx.params.get(Param::Properties) else { return Ok(None) };
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

/// The rows of each layer that `datetime` and properties in the address leave, in the order of the layers.
///
/// A tile's address stands in logs and caches that others can read: for layers about people it names no value of a row.
fn filters(ctx: &Ctx, layers: &Layers) -> Result<Vec<Bound>, Problem> {
    if let Some((name, _)) = ctx.params.properties().next()
        && let Some(layer) = layers.iter().find(|layer| layer.is_about_people())
    {
        let reason = format!(
            "{} is about people, and tiles of it take no filter by a property: ask for its items",
            layer.schema().id
        );
        return Err(Problem::bad(name.to_owned(), reason));
    }
    layers.iter().map(|layer| question::filter(&ctx.params, &ctx.view, layer)).collect()
}

/// A question for a tile.
struct Question {
    layers: Layers,
    /// The rows of each layer.
    filters: Vec<Bound>,
    at: TileCoord,
    properties: Option<Vec<String>>,
}

impl Question {
    fn parse(ctx: &Ctx) -> Result<Self, Problem> {
        let layers = layers(ctx)?;
        let at = address(ctx)?;
        if at.z > deepest(&layers) {
            return Err(Problem::NotFound);
        }
        let properties = properties(ctx, &layers)?;
        Ok(Self { filters: filters(ctx, &layers)?, layers, at, properties })
    }

    /// What the key of the tile still needs: tables of ids and how full its tiles are, of layers that no tile was made of.
    fn missing(&self, ctx: &Ctx) -> Cost {
        let is_known = |layer: &CollectionView| {
            are_ids_known(layer) && (ctx.app.dropping == FeatureDropping::None || is_density_known(layer))
        };
        let missing = self.layers.iter().filter(|layer| !is_known(layer));
        let built: Cost = missing.map(|layer| Cost::index_not_built(layer)).sum();
        // Whether points are clustered depends on how many rows of the whole layer match.
        let counted = self.drawn().filter(|layer| !layer.filter.is_everything());
        built + counted.map(|layer| Cost::rows_looked_at(layer.collection.rows() as usize)).sum()
    }

    /// The layers, each with its filter.
    fn drawn(&self) -> impl Iterator<Item = Layer<'_>> {
        self.layers.iter().zip(&self.filters).map(|(collection, filter)| Layer { collection, filter })
    }

    /// What the tile is made of.
    fn key(&self, ctx: &Ctx) -> Key {
        let mut groups = Vec::new();
        for drawn in self.drawn() {
            let layer = drawn.collection;
            groups.extend(tile_groups(layer, self.at));
            // Whether points are clustered, and which ids they have, may depend on rows far away. Serial numbers begin at 1:
            // a 0 stands between layers.
            let clustered = ctx.app.dropping == FeatureDropping::ToSize && drawn.is_clustered(self.at.z);
            groups.extend([0, u64::from(clustered), ids_version(layer)]);
        }
        let mut address = String::with_capacity(64);
        for part in ["layers", "z", "x", "y"] {
            address.push_str(ctx.path_value(part));
            address.push('/');
        }
        if let Some(names) = &self.properties {
            address.push('?');
            // Encoded: a name may itself look like a filter.
            for name in names {
                address.extend([&*encode(name), ","]);
            }
        }
        // The same filter is the same tile in whatever order it is written.
        let mut filter: Vec<(&str, &str)> = ctx.params.properties().collect();
        filter.extend(ctx.params.get(Param::Datetime).map(|datetime| (Param::Datetime.name(), datetime)));
        filter.sort_unstable();
        for (name, value) in filter {
            address.extend(["&", &encode(name), "=", &encode(value)]);
        }
        let class = ctx.class_of(self.layers.iter().map(AsRef::as_ref));
        Key { address, groups, class, encoding: ctx.encoding() }
    }

    /// The tile, once its key is at hand.
    fn work(self, ctx: &Arc<Ctx>) -> Work {
        let key = self.key(ctx);
        let vertices = self.layers.iter().fold(0, |sum: usize, layer| {
            sum.saturating_add(work(layer, self.at, Cost::TILE_VERTICES_ENOUGH))
        });
        let dropping = ctx.app.dropping;
        let run = move || {
            let layers: Vec<Layer<'_>> = self.drawn().collect();
            let body = make_tile(&layers, self.at, self.properties.as_deref(), dropping);
            let status = if body.is_empty() { 204 } else { 200 };
            Ok(Response { status, ..Response::ok(MVT, body) })
        };
        Work::new(Cost::tile_vertices(vertices), run).with_key(key)
    }
}

/// `GET /tiles/{layers}/{z}/{x}/{y}.mvt`: the tile, 204 if nothing reaches it, 404 if there can be no such tile.
///
/// # Errors
/// [`Problem::NotFound`], or a name in `properties` that none of the layers has.
pub fn tile(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    let question = Question::parse(ctx)?;
    let missing = question.missing(ctx);
    if missing.is_light() {
        return Ok(question.work(ctx));
    }
    let ctx = Arc::clone(ctx);
    Ok(Work::after(missing, move || Ok(question.work(&ctx))))
}

/// `GET /tiles/{layers}/features/{tileId}.json`: the feature whose id in tiles is `tileId`, as GeoJSON, of the first of the
/// layers that has one: ids are unique in a layer only.
///
/// # Errors
/// [`Problem::NotFound`].
pub fn feature(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    let id = whole_number(ctx.path_value("tileId"))?;
    let layers = layers(ctx)?;
    let cost = ids_cost(&layers) + layers.iter().map(|layer| Cost::rows_written(1, layer, Crs::Crs84)).sum();
    let ctx = Arc::clone(ctx);
    Ok(Work::new(cost, move || {
        for layer in &layers {
            let Some(at) = find(layer, id) else { continue };
            let mut body = Vec::new();
            FeatureWriter::new(layer, Crs::Crs84).open_feature(&mut body, at);
            let parent = format!("{}/ogc/collections/{}", ctx.base, encode(&layer.schema().id));
            let href = format!("{parent}/items/{}", encode(&public_id(layer, at)));
            let links = json!([
                {"href": href, "rel": "canonical", "type": GEOJSON},
                {"href": parent, "rel": "collection", "type": "application/json"},
            ]);
            body.extend_from_slice(format!(",\"links\":{links}}}").as_bytes());
            return Ok(Response::ok(GEOJSON, body));
        }
        Err(Problem::NotFound)
    }))
}

/// What tables of tile ids cost that have not been made.
fn ids_cost(layers: &Layers) -> Cost {
    let unknown = layers.iter().filter(|layer| !are_ids_known(layer));
    unknown.map(|layer| Cost::index_not_built(layer)).sum()
}

/// `GET /tiles/{layers}.json`: TileJSON 3.0.0.
///
/// # Errors
/// [`Problem::NotFound`], or a name in `properties` that none of the layers has.
pub fn tilejson(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    let layers = layers(ctx)?;
    let wanted = properties(ctx, &layers)?;
    // The addresses of the tiles carry the filter, which is refused here rather than there.
    filters(ctx, &layers)?;
    let ctx = Arc::clone(ctx);
    Ok(Work::new(ids_cost(&layers), move || Ok(Response::json(&describe(&ctx, &layers, wanted.as_deref())))))
}

fn describe(ctx: &Ctx, layers: &Layers, wanted: Option<&[String]>) -> serde_json::Value {
    let deepest = deepest(layers);
    let mut bounds = Bounds::EMPTY;
    let mut vector_layers = Vec::new();
    let mut attributions: Vec<&str> = Vec::new();
    for layer in layers {
        if let Some(own) = layer.bounds() {
            bounds.merge(&own);
        }
        let schema = layer.schema();
        let mut fields: serde_json::Map<String, serde_json::Value> = schema
            .fields
            .iter()
            .enumerate()
            .filter(|(place, field)| match wanted {
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
        if ctx.app.dropping == FeatureDropping::ToSize {
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
    let names = encode(ctx.path_value("layers"));
    let mut body = json!({
        "tilejson": "3.0.0",
        "name": ctx.path_value("layers"),
        "tiles": [format!("{}/tiles/{names}/{{z}}/{{x}}/{{y}}.mvt{}", ctx.base, ctx.params.query_string(None))],
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
    body
}
