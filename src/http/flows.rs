//! `/api/flows`: legs of lines added up from origin to destination.

use std::sync::Arc;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::filter::Bound;
use crate::flow::FlowEnd;
use crate::flow::FlowError;
use crate::flow::FlowLevel;
use crate::flow::FlowRequest;
use crate::flow::Sums;
use crate::flow::flows as add_up;
use crate::format::Envelope;
use crate::http::Cost;
use crate::http::Ctx;
use crate::http::Work;
use crate::http::params::Param;
use crate::http::problem::Problem;
use crate::http::question;
use crate::http::response::Response;
use crate::model::collections::hubs;
use crate::model::collections::legs;
use crate::model::collections::towns;

/// Collections whose rows are in an answer.
pub const READS: [&str; 3] = [legs::COLLECTION, hubs::COLLECTION, towns::COLLECTION];
/// Pairs in an answer where no limit is given: what a map can show.
const DEFAULT_PAIRS: usize = 150;
/// Below this zoom the hubs of an exporting area stand together.
const PLACES_FROM: u8 = 8;
/// What `level=auto` takes where no zoom is given.
const WHOLE_COUNTRY: u8 = 5;

/// `GET /api/flows`: pairs of places with lines, legs and journeys a week, the strongest first.
///
/// # Errors
/// [`Problem`]; not found for callers who see no legs.
pub fn flows(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    let question = Question::parse(ctx)?;
    let read = READS.iter().filter_map(|id| ctx.view.collection(id));
    let cost = read.map(|collection| Cost::rows_summed(collection) + Cost::data_version(collection)).sum();
    let ctx = Arc::clone(ctx);
    Ok(Work::new(cost, move || answer(&ctx, &question)))
}

/// A question for flows as its parameters say it.
struct Question {
    legs: Bound,
    level: String,
    zoom: Option<u8>,
    request: FlowRequest,
}

impl Question {
    fn parse(ctx: &Ctx) -> Result<Self, Problem> {
        let zoom = ctx.params.zoom()?;
        let level = ctx.params.get(Param::Level).unwrap_or("auto");
        let (origin, destination) = match level {
            "auto" if zoom.unwrap_or(WHOLE_COUNTRY) < PLACES_FROM => (FlowLevel::Area, FlowLevel::Place),
            "auto" | "place" => (FlowLevel::Place, FlowLevel::Place),
            "area" => (FlowLevel::Area, FlowLevel::Place),
            "force" => (FlowLevel::Force, FlowLevel::Force),
            "region" => (FlowLevel::Region, FlowLevel::Region),
            other => {
                let other: String = other.chars().take(40).collect();
                let reason = format!("{other:?} is no level: give auto, place, area, force or region");
                return Err(Problem::bad("level", reason));
            }
        };
        if zoom.is_some() && level != "auto" {
            return Err(Problem::bad("zoom", "only level=auto depends on it: leave out one of the two"));
        }
        let legs = ctx.view.collection(legs::COLLECTION).ok_or(Problem::NotFound)?;
        let legs = question::filter(&ctx.params, &ctx.view, legs)?;
        let limit = if ctx.params.get(Param::Limit).is_some() { ctx.params.limit()? } else { DEFAULT_PAIRS };
        let request = FlowRequest {
            origin,
            destination,
            from: ctx.params.end(Param::From)?,
            to: ctx.params.end(Param::To)?,
            limit,
        };
        Ok(Self { legs, level: level.to_owned(), zoom, request })
    }
}

fn answer(ctx: &Ctx, question: &Question) -> Result<Response, Problem> {
    let Question { legs, level, zoom, request } = question;
    let found = add_up(&ctx.view, legs, request).map_err(|error| match &error {
        FlowError::NoFlows => Problem::NotFound,
        FlowError::NoSuchEnd { param, .. } => Problem::bad(*param, error.to_string()),
    })?;
    let listed: Vec<Value> = found
        .flows
        .iter()
        .map(|flow| {
            json!({
                "origin": flow.origin, "destination": flow.destination, "lines": flow.sums.lines,
                "legs": flow.sums.legs, "trips_per_week": per_week(flow.sums), "minutes": flow.minutes,
            })
        })
        .collect();
    let params = json!({
        "level": level, "zoom": zoom, "limit": request.limit, "datetime": ctx.params.get(Param::Datetime),
        "from": ctx.params.get(Param::From), "to": ctx.params.get(Param::To),
    });
    let envelope = Envelope::of(&ctx.view, &READS, params, found.totals.legs);
    let mut own = Map::new();
    for (name, value) in [
        ("legs_without_ends", found.without_ends.into()),
        ("levels", json!({"origin": request.origin.as_str(), "destination": request.destination.as_str()})),
        ("totals", sums_json(found.totals)),
        ("shown", sums_json(found.shown)),
        ("places", found.places.iter().map(described).collect()),
        ("flows", listed.into()),
    ] {
        own.insert(name.to_owned(), value);
    }
    Ok(Response::json(&envelope.around(own)))
}

/// Journeys a week; null where they are not known.
fn per_week(sums: Sums) -> Option<f64> {
    sums.trips_in_ten_weeks.map(|trips| trips as f64 / 10.0)
}

fn sums_json(sums: Sums) -> Value {
    json!({"flows": sums.flows, "lines": sums.lines, "legs": sums.legs, "trips_per_week": per_week(sums)})
}

fn described(place: &FlowEnd) -> Value {
    json!({
        "collection": place.collection,
        "id": (!place.id.is_empty()).then_some(&place.id),
        "label": place.label,
        "lon": place.position.lon_degrees(),
        "lat": place.position.lat_degrees(),
        "force": (!place.force.is_empty()).then_some(&place.force),
        "region": (!place.region.is_empty()).then_some(&place.region),
        "kind": if place.is_origin { "origin" } else { "destination" },
    })
}
