//! `/api/flows`: links of lines added up from origin to destination.

use serde_json::Value;
use serde_json::json;

use crate::flow::FlowError;
use crate::flow::Level;
use crate::flow::Place;
use crate::flow::Request;
use crate::flow::Sums;
use crate::flow::flows as add_up;
use crate::http::Answer;
use crate::http::Call;
use crate::http::params::Param;
use crate::http::problem::Problem;
use crate::model::collections::hubs;
use crate::model::collections::legs;
use crate::model::collections::towns;

/// Collections whose rows are in an answer.
pub const READS: [&str; 3] = [legs::COLLECTION, hubs::COLLECTION, towns::COLLECTION];
/// Pairs in an answer where nothing is asked: what a map can show.
const DEFAULT_PAIRS: usize = 150;
/// Below this zoom the hubs of an exporting area stand together.
const PLACES_FROM: u8 = 8;
/// What `level=auto` takes where no zoom is given.
const WHOLE_COUNTRY: u8 = 5;

/// `GET /api/flows`: pairs of places with lines, links and journeys a week, the strongest first.
///
/// # Errors
/// [`Problem`]; not found for who sees no links.
pub fn flows(call: &Call) -> Result<Answer, Problem> {
    let zoom = call.params.zoom()?;
    let level = call.params.get(Param::Level).unwrap_or("auto");
    let (origin, destination) = match level {
        "auto" if zoom.unwrap_or(WHOLE_COUNTRY) < PLACES_FROM => (Level::Area, Level::Place),
        "auto" | "place" => (Level::Place, Level::Place),
        "area" => (Level::Area, Level::Place),
        "force" => (Level::Force, Level::Force),
        "region" => (Level::Region, Level::Region),
        other => {
            let other: String = other.chars().take(40).collect();
            let reason = format!("{other:?} is no level: give auto, place, area, force or region");
            return Err(Problem::bad("level", reason));
        }
    };
    if zoom.is_some() && level != "auto" {
        return Err(Problem::bad("zoom", "only level=auto depends on it: leave out one of the two"));
    }
    let limit = if call.params.get(Param::Limit).is_some() { call.params.limit()? } else { DEFAULT_PAIRS };
    let legs = call.view.collection(legs::COLLECTION).ok_or(Problem::NotFound)?;
    let filter = call.params.filter(&call.view, legs)?;
    let request = Request {
        origin,
        destination,
        from: call.params.end(Param::From)?,
        to: call.params.end(Param::To)?,
        limit,
    };
    let found = add_up(&call.view, &filter, &request).map_err(|error| match &error {
        FlowError::NoFlows => Problem::NotFound,
        FlowError::NoSuchEnd { param, .. } => Problem::bad(param, error.to_string()),
    })?;
    let read: Vec<_> = READS.iter().filter_map(|id| call.view.collection(id)).collect();
    let versions: Vec<&str> = read.iter().map(|collection| collection.data_version()).collect();
    let links = call.view.collection(legs::COLLECTION);
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
    Ok(Answer::json(&json!({
        "reference_date": call.view.reference_date(),
        "data_version": versions.join("-"),
        "params": {
            "level": level, "zoom": zoom, "limit": limit, "datetime": call.params.get(Param::Datetime),
            "from": call.params.get(Param::From), "to": call.params.get(Param::To),
        },
        "n_records": found.totals.legs,
        "marking": links.map(|links| links.marking()),
        "synthetic": links.is_some_and(|links| links.is_synthetic()),
        "legs_without_ends": found.without_ends,
        "levels": {"origin": origin.as_str(), "destination": destination.as_str()},
        "totals": told(found.totals),
        "shown": told(found.shown),
        "places": found.places.iter().map(described).collect::<Vec<_>>(),
        "flows": listed,
    })))
}

/// Journeys a week; null where they are not known.
fn per_week(sums: Sums) -> Option<f64> {
    sums.trips_in_ten_weeks.map(|trips| trips as f64 / 10.0)
}

fn told(sums: Sums) -> Value {
    json!({"flows": sums.flows, "lines": sums.lines, "legs": sums.legs, "trips_per_week": per_week(sums)})
}

fn described(place: &Place) -> Value {
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
