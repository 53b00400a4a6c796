//! Features: a page of them, the nearest ones, one by its id.

use std::borrow::Cow;

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::http::header::HeaderName;

use crate::access::CollectionView;
use crate::filter::Bound;
use crate::format::FeatureWriter;
use crate::format::JsonWriter;
use crate::format::push_json_text;
use crate::http::Answer;
use crate::http::Call;
use crate::http::Weight;
use crate::http::cache::Key;
use crate::http::encode::Encoding;
use crate::http::params::Param;
use crate::http::percent::encode;
use crate::http::problem::Problem;
use crate::http::routes::GEOJSON;
use crate::model::crs::Crs;
use crate::query;
use crate::query::Cursor;
use crate::query::ItemsRequest;
use crate::query::RowRef;

/// What a page costs: looking for its rows and writing them. Measured on one core of a small machine; they need to
/// be right within a factor, to keep work of more than [`LIGHT_NS`] out of the way of others.
const FIELD_NS: usize = 15;
const VERTEX_NS: usize = 25;
/// A vertex that is converted to another coordinate system.
const CONVERTED_NS: usize = 2_000;
/// Compressing takes so many times as long as writing.
const COMPRESSED: usize = 4;
const LOOK_NS: usize = 10;
const NEIGHBOUR_NS: usize = 1_000;
const CONTENT_CRS: HeaderName = HeaderName::from_static("content-crs");
/// The most bytes of room that are taken for a page before its rows are written.
const MOST_GUESSED: usize = 1 << 20;
/// The most that is done where the request was read.
const LIGHT_NS: usize = 200_000;

/// A question for features as its parameters say it.
struct Question<'a> {
    collection: &'a CollectionView,
    limit: usize,
    after: Option<Cursor>,
    nearest: Option<(f64, f64)>,
    filter: Bound,
}

fn question(call: &Call) -> Result<Question<'_>, Problem> {
    let collection = call.view.collection(call.path_value("collectionId")).ok_or(Problem::NotFound)?;
    let limit = call.params.limit()?;
    let after = call.params.next()?;
    let nearest = call.params.nearest()?;
    let filter = call.params.filter(&call.view, collection)?;
    Ok(Question { collection, limit, after, nearest, filter })
}

/// What a page is made of: the question, and all that the view shows of the collection.
fn key(call: &Call, collection: &CollectionView) -> Key {
    let id = call.path_value("collectionId");
    Key {
        address: [&call.base, "/ogc/collections/", id, "/items?", &call.query].concat(),
        groups: vec![collection.serial()],
        encoding: call.encoding(Encoding::LIVE),
    }
}

/// Headers of a page.
fn with_headers(mut answer: Answer, collection: &CollectionView, crs: Crs) -> Answer {
    answer.headers.push((CONTENT_CRS, crs_header(crs)));
    if collection.is_synthetic() {
        // What is saved says what it is.
        let id = &collection.schema().id;
        let name = format!("inline; filename=\"{id}-SYNTHETIC.geojson\"");
        answer.headers.push((CONTENT_DISPOSITION, name.into()));
    }
    answer
}

fn crs_header(crs: Crs) -> Cow<'static, str> {
    match crs {
        Crs::Crs84 => "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>".into(),
        other => format!("<{}>", other.uri()).into(),
    }
}

/// A kept page; light if the rows are few enough to be found and written at once.
pub fn items_weight(call: &Call) -> Weight {
    if call.app.cache.is_on()
        && let Some(collection) = call.view.collection(call.path_value("collectionId"))
        && let Some(packed) = call.app.cache.get(&key(call, collection))
        && let Ok(crs) = call.params.crs()
    {
        return Weight::Answered(with_headers(Answer::packed(GEOJSON, packed), collection, crs));
    }
    let Ok(Question { collection, limit, nearest, filter, .. }) = question(call) else {
        return Weight::Light;
    };
    let rows = limit.min(usize::try_from(collection.rows()).unwrap_or(usize::MAX));
    let vertex = if call.params.crs().is_ok_and(|crs| crs == Crs::Crs84) { VERTEX_NS } else { CONVERTED_NS };
    let write = collection.schema().fields.len() * FIELD_NS + collection.vertices_a_row() * vertex;
    let packing = if call.encoding(Encoding::LIVE) == Encoding::Identity { 1 } else { COMPRESSED };
    let find = match nearest {
        // The tree is made when it is first wanted, and what a filter refuses is looked at too.
        Some(_) if !collection.is_indexed() || !filter.is_everything() => LIGHT_NS,
        // Every vertex is measured.
        Some(_) => (rows + 16) * NEIGHBOUR_NS * collection.vertices_a_row(),
        None => filter.rows_looked_at(collection, LIGHT_NS / LOOK_NS) * LOOK_NS,
    };
    if rows * write * packing + find < LIGHT_NS { Weight::Light } else { Weight::Heavy }
}

/// Light unless the table of ids has yet to be made.
pub fn item_weight(call: &Call) -> Weight {
    match call.view.collection(call.path_value("collectionId")) {
        Some(collection) if !collection.finds_at_once() => Weight::Heavy,
        _ => Weight::Light,
    }
}

/// `GET /ogc/collections/{collectionId}/items` (OGC API - Features - Part 1, clause 7.15), with `nearest` and
/// `within` of our own.
///
/// # Errors
/// [`Problem`].
pub fn items(call: &Call) -> Result<Answer, Problem> {
    let Question { collection, limit, after, nearest, filter } = question(call)?;
    let id = call.path_value("collectionId");
    let crs = call.params.crs()?;
    let (matched, rows, next): (u64, Vec<(RowRef, Option<f64>)>, _) = if let Some((lon, lat)) = nearest {
        if after.is_some() {
            return Err(Problem::bad("next", "nearest has no further pages: raise limit instead"));
        }
        let found = query::nearest(collection, lon, lat, limit, &filter)
            .map_err(|error| Problem::filter("nearest", &error))?;
        // What `nearest` asks for is what it gives; rows without geometry are not among them.
        let rows = found.iter().map(|neighbour| (neighbour.at, Some(neighbour.distance_m))).collect();
        (found.len() as u64, rows, None)
    } else {
        let page = query::items(collection, &ItemsRequest { filter, limit, after });
        (page.matched, page.rows.into_iter().map(|at| (at, None)).collect(), page.next)
    };
    let parent = format!("{}/ogc/collections/{}", call.base, encode(id));
    let own = format!("{parent}/items{}", call.params.query_string(None));
    let next =
        next.map(|cursor| format!("{parent}/items{}", call.params.query_string(Some(&cursor.encode()))));
    let mut body = Vec::with_capacity(1_024);
    body.extend_from_slice(b"{\"type\":\"FeatureCollection\",");
    let synthetic = collection.is_synthetic();
    if synthetic {
        body.extend_from_slice(b"\"synthetic\":true,\"marking\":");
        push_json_text(&mut body, collection.marking());
        body.push(b',');
    }
    let returned = rows.len();
    body.extend_from_slice(
        format!("\"numberMatched\":{matched},\"numberReturned\":{returned},\"links\":[").as_bytes(),
    );
    push_link(&mut body, &own, "self", GEOJSON);
    if let Some(next) = next {
        body.push(b',');
        push_link(&mut body, &next, "next", GEOJSON);
    }
    body.push(b',');
    push_link(&mut body, &parent, "collection", "application/json");
    body.extend_from_slice(b"],\"features\":[");
    let mut writer = FeatureWriter::new(collection, crs);
    let head = body.len();
    let mut json = JsonWriter::new(&mut body);
    for (place, (at, distance_m)) in rows.iter().enumerate() {
        if place > 0 {
            json.write(|json| json.fixed(b","));
        }
        if place == 8 {
            // The first rows tell about how much room all need, but others may be far smaller: a guess takes little.
            let body = json.flush();
            body.reserve(((body.len() - head) * returned / 7).min(MOST_GUESSED));
        }
        writer.feature(&mut json, *at, *distance_m);
    }
    drop(json);
    body.extend_from_slice(b"]}");
    // Compressed here: a heavy page in the pool, not where requests are read.
    let answer = Answer::packed(GEOJSON, call.app.cache.get_with(key(call, collection), || body));
    Ok(with_headers(answer, collection, crs))
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
    let mut body = Vec::with_capacity(1_024);
    FeatureWriter::new(collection, crs).open_feature(&mut body, at);
    let parent = [&call.base, "/ogc/collections/", &encode(id)].concat();
    let crs_query =
        if call.params.get(Param::Crs).is_some() { call.params.query_string(None) } else { String::new() };
    body.extend_from_slice(b",\"links\":[");
    let own = [&parent, "/items/", &encode(feature), &crs_query].concat();
    push_link(&mut body, &own, "self", GEOJSON);
    body.push(b',');
    push_link(&mut body, &parent, "collection", "application/json");
    body.extend_from_slice(b"]}");
    let mut answer = Answer::ok(GEOJSON, body);
    answer.headers.push((CONTENT_CRS, crs_header(crs)));
    Ok(answer)
}

fn push_link(out: &mut Vec<u8>, href: &str, rel: &str, media_type: &str) {
    out.extend_from_slice(b"{\"href\":");
    push_json_text(out, href);
    for part in [",\"rel\":\"", rel, "\",\"type\":\"", media_type, "\"}"] {
        out.extend_from_slice(part.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_name_the_system() {
        for crs in [Crs::Crs84, Crs::BritishNationalGrid] {
            assert_eq!(crs_header(crs), format!("<{}>", crs.uri()));
        }
    }
}
