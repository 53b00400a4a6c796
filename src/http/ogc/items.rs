//! Features: a page of them, the nearest ones, one by its id.

use crate::access::CollectionView;
use crate::format::FeatureWriter;
use crate::format::push_json_text;
use crate::http::Answer;
use crate::http::Call;
use crate::http::params::Param;
use crate::http::params::encode;
use crate::http::problem::Problem;
use crate::http::routes::GEOJSON;
use crate::query;
use crate::query::Filter;
use crate::query::ItemsRequest;

/// `GET /ogc/collections/{collectionId}/items` (OGC API - Features - Part 1, clause 7.15), with `nearest` and
/// `within` of our own.
///
/// # Errors
/// [`Problem`].
pub fn items(call: &Call) -> Result<Answer, Problem> {
    let id = call.path_value("collectionId");
    let collection = call.view.collection(id).ok_or(Problem::NotFound)?;
    let limit = call.params.limit()?;
    let crs = call.params.crs()?;
    let after = call.params.next()?;
    let nearest = call.params.nearest()?;
    let mut members = Vec::new();
    members.extend(call.params.within()?.map(Filter::Within));
    members.extend(call.params.bbox()?.map(Filter::Bbox));
    members.extend(call.params.datetime()?.map(Filter::During));
    let filter = Filter::All(members);
    let writer = FeatureWriter::new(collection.schema(), crs);
    let mut features = Vec::new();
    let (matched, returned, next);
    if let Some((lon, lat)) = nearest {
        if after.is_some() {
            return Err(Problem::bad("next", "nearest has no further pages: raise limit instead"));
        }
        let found = query::nearest(collection, lon, lat, limit, &filter)
            .map_err(|error| Problem::query("nearest", &error))?;
        for (place, neighbour) in found.iter().enumerate() {
            separate(&mut features, place);
            writer.feature(&mut features, collection, neighbour.at, Some(neighbour.distance_m));
        }
        // What `nearest` asks for is what it gives; rows without geometry are not among them.
        (matched, returned, next) = (found.len() as u64, found.len(), None);
    } else {
        let page = query::items(collection, &ItemsRequest { filter, limit, after });
        for (place, at) in page.rows.iter().enumerate() {
            separate(&mut features, place);
            writer.feature(&mut features, collection, *at, None);
        }
        (matched, returned, next) = (page.matched, page.rows.len(), page.next);
    }
    let href = format!("{}/ogc/collections/{}/items", call.base, encode(id));
    let own = format!("{href}{}", call.params.query_string(None));
    let next = next.map(|cursor| format!("{href}{}", call.params.query_string(Some(&cursor.encode()))));
    let mut body = Vec::with_capacity(features.len() + 1_024);
    body.extend_from_slice(b"{\"type\":\"FeatureCollection\",");
    let synthetic = collection.is_synthetic();
    if synthetic {
        body.extend_from_slice(b"\"synthetic\":true,\"marking\":");
        push_json_text(&mut body, collection.marking());
        body.push(b',');
    }
    body.extend_from_slice(
        format!("\"numberMatched\":{matched},\"numberReturned\":{returned},\"links\":[").as_bytes(),
    );
    push_link(&mut body, &own, "self", GEOJSON);
    if let Some(next) = next {
        body.push(b',');
        push_link(&mut body, &next, "next", GEOJSON);
    }
    body.push(b',');
    push_link(
        &mut body,
        &format!("{}/ogc/collections/{}", call.base, encode(id)),
        "collection",
        "application/json",
    );
    body.extend_from_slice(b"],\"features\":[");
    body.extend_from_slice(&features);
    body.extend_from_slice(b"]}");
    let mut answer = Answer::ok(GEOJSON, body);
    answer.headers.push(("content-crs", format!("<{}>", crs.uri())));
    if synthetic {
        // What is saved says what it is.
        let name = format!("inline; filename=\"{id}-SYNTHETIC.geojson\"");
        answer.headers.push(("content-disposition", name));
    }
    Ok(answer)
}

/// `GET /ogc/collections/{collectionId}/items/{featureId}` (clause 7.16).
///
/// # Errors
/// [`Problem`].
pub fn item(call: &Call) -> Result<Answer, Problem> {
    let (id, feature) = (call.path_value("collectionId"), call.path_value("featureId"));
    let crs = call.params.crs()?;
    let collection: &CollectionView = call.view.collection(id).ok_or(Problem::NotFound)?;
    let at = query::item(collection, feature).ok_or(Problem::NotFound)?;
    let mut body = Vec::new();
    FeatureWriter::new(collection.schema(), crs).open_feature(&mut body, collection, at);
    let parent = format!("{}/ogc/collections/{}", call.base, encode(id));
    let crs_query =
        if call.params.get(Param::Crs).is_some() { call.params.query_string(None) } else { String::new() };
    body.extend_from_slice(b",\"links\":[");
    push_link(&mut body, &format!("{parent}/items/{}{crs_query}", encode(feature)), "self", GEOJSON);
    body.push(b',');
    push_link(&mut body, &parent, "collection", "application/json");
    body.extend_from_slice(b"]}");
    let mut answer = Answer::ok(GEOJSON, body);
    answer.headers.push(("content-crs", format!("<{}>", crs.uri())));
    Ok(answer)
}

fn separate(out: &mut Vec<u8>, place: usize) {
    if place > 0 {
        out.push(b',');
    }
}

fn push_link(out: &mut Vec<u8>, href: &str, rel: &str, media_type: &str) {
    out.extend_from_slice(b"{\"href\":");
    push_json_text(out, href);
    out.extend_from_slice(format!(",\"rel\":\"{rel}\",\"type\":\"{media_type}\"}}").as_bytes());
}
