//! Features: a page of them, the nearest ones, one by its id.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::http::header::HeaderName;

use crate::access::CollectionView;
use crate::filter::Bound;
use crate::format::FeatureWriter;
use crate::format::JsonWriter;
use crate::format::push_json_text;
use crate::http::Cost;
use crate::http::Ctx;
use crate::http::Encoding;
use crate::http::Work;
use crate::http::cache::Key;
use crate::http::params::Param;
use crate::http::percent::encode;
use crate::http::problem::Problem;
use crate::http::problem::internal;
use crate::http::question;
use crate::http::response::Response;
use crate::http::routes::GEOJSON;
use crate::http::stream::CHUNK;
use crate::http::stream::Chunks;
use crate::model::crs::Crs;
use crate::query;
use crate::query::Cursor;
use crate::query::ItemsRequest;
use crate::query::RowRef;

const CONTENT_CRS: HeaderName = HeaderName::from_static("content-crs");
/// The most bytes of room that are taken for a page before its rows are written.
const MOST_GUESSED: usize = 1 << 20;
/// The most bytes of a page that is made as a whole. A longer one is made a chunk at a time, as the client takes it.
const MOST_WHOLE: usize = 8 << 20;

/// A question for features as its parameters say it.
struct Question {
    collection: Arc<CollectionView>,
    limit: usize,
    crs: Crs,
    after: Option<Cursor>,
    nearest: Option<(f64, f64)>,
    filter: Bound,
}

impl Question {
    fn parse(ctx: &Ctx) -> Result<Self, Problem> {
        let collection = ctx.collection()?;
        let question = Self {
            limit: ctx.params.limit()?,
            crs: ctx.params.crs()?,
            after: ctx.params.next()?,
            nearest: ctx.params.nearest()?,
            filter: question::filter(&ctx.params, &ctx.view, collection)?,
            collection: Arc::clone(collection),
        };
        if question.nearest.is_some() && question.after.is_some() {
            return Err(Problem::bad("next", "nearest has no further pages: raise limit instead"));
        }
        Ok(question)
    }

    fn cost(&self, encoding: Encoding) -> Cost {
        let collection = &*self.collection;
        let rows = (self.limit as u64).min(collection.rows());
        let write = Cost::rows_written(rows, collection, self.crs);
        let find = if self.nearest.is_some() {
            // Every vertex of a candidate is measured, and what a filter refuses is looked at too.
            let refused = if self.filter.is_everything() { 0 } else { collection.rows() as usize };
            let build = if collection.is_indexed() { Cost::NONE } else { Cost::index_not_built(collection) };
            let candidates = (rows as usize + 16).saturating_mul(collection.vertices_a_row());
            build + Cost::vertices_measured(candidates) + Cost::rows_looked_at(refused)
        } else {
            Cost::rows_looked_at(self.filter.rows_looked_at(collection, Cost::ROWS_ENOUGH))
        };
        find + if encoding == Encoding::Identity { write } else { write.compressed() }
    }
}

/// `GET /ogc/collections/{collectionId}/items` (OGC API - Features - Part 1, clause 7.15), with `nearest` and
/// `within` of our own, and properties as parameters (clause 7.15.5).
///
/// # Errors
/// [`Problem`].
pub fn items(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    let question = Question::parse(ctx)?;
    let id = ctx.path_value("collectionId");
    let encoding = ctx.encoding();
    let key = Key {
        address: [&ctx.base, "/ogc/collections/", id, "/items?", &ctx.query].concat(),
        groups: vec![question.collection.serial()],
        class: ctx.class_of([&*question.collection].into_iter()),
        encoding,
    };
    let ctx = Arc::clone(ctx);
    Ok(Work::new(question.cost(encoding), move || page(&ctx, question)).with_key(key))
}

/// The page: as a whole, or as a stream where that would be too much.
fn page(ctx: &Ctx, question: Question) -> Result<Response, Problem> {
    let Question { collection, limit, crs, after, nearest, filter } = question;
    let (matched, rows, next): (u64, Vec<(RowRef, Option<f64>)>, _) = if let Some((lon, lat)) = nearest {
        let found = query::nearest(&collection, lon, lat, limit, &filter)
            .map_err(|error| Problem::filter("nearest", &error))?;
        // What `nearest` asks for is what it gives; rows without geometry are not among them.
        let rows = found.iter().map(|neighbour| (neighbour.at, Some(neighbour.distance_m))).collect();
        (found.len() as u64, rows, None)
    } else {
        let page = query::items(&collection, &ItemsRequest { filter, limit, after });
        (page.matched, page.rows.into_iter().map(|at| (at, None)).collect(), page.next)
    };
    let head = head(ctx, &collection, matched, rows.len(), next);
    let mut headers = vec![(CONTENT_CRS, crs_header(crs))];
    if collection.is_synthetic() {
        // A saved file says that its rows are invented.
        let id = &collection.schema().id;
        let name = format!("inline; filename=\"{id}-SYNTHETIC.geojson\"");
        headers.push((CONTENT_DISPOSITION, name.into()));
    }
    let mut page = PageWriter { collection, crs, head, rows, at: 0 };
    let mut body = Vec::with_capacity(1_024);
    let mut response = if page.write(&mut body, MOST_WHOLE) {
        Response::ok(GEOJSON, body)
    } else {
        // From the beginning once more: what was written is not held until the client has taken it.
        drop(body);
        page.at = 0;
        let source = move |out: &mut Vec<u8>| !page.write(out, CHUNK);
        let chunks = Chunks::new(ctx.encoding(), source)
            .map_err(|error| internal(&format!("a page cannot be encoded: {error}")))?;
        Response::stream(GEOJSON, chunks)
    };
    response.headers.extend(headers);
    Ok(response)
}

/// What stands before the features.
fn head(
    ctx: &Ctx,
    collection: &CollectionView,
    matched: u64,
    returned: usize,
    next: Option<Cursor>,
) -> Vec<u8> {
    let parent = format!("{}/ogc/collections/{}", ctx.base, encode(ctx.path_value("collectionId")));
    let own = format!("{parent}/items{}", ctx.params.query_string(None));
    let next =
        next.map(|cursor| format!("{parent}/items{}", ctx.params.query_string(Some(&cursor.encode()))));
    let mut head = Vec::with_capacity(1_024);
    head.extend_from_slice(b"{\"type\":\"FeatureCollection\",");
    if collection.is_synthetic() {
        head.extend_from_slice(b"\"synthetic\":true,\"marking\":");
        push_json_text(&mut head, collection.marking());
        head.push(b',');
    }
    head.extend_from_slice(
        format!("\"numberMatched\":{matched},\"numberReturned\":{returned},\"links\":[").as_bytes(),
    );
    push_link(&mut head, &own, "self", GEOJSON);
    if let Some(next) = next {
        head.push(b',');
        push_link(&mut head, &next, "next", GEOJSON);
    }
    head.push(b',');
    push_link(&mut head, &parent, "collection", "application/json");
    head.extend_from_slice(b"],\"features\":[");
    head
}

/// Writes a page, in one go or a part at a time.
struct PageWriter {
    collection: Arc<CollectionView>,
    crs: Crs,
    head: Vec<u8>,
    rows: Vec<(RowRef, Option<f64>)>,
    /// The next row to be written.
    at: usize,
}

impl PageWriter {
    /// Goes on until the page ends, or until a feature has taken `out` beyond `most` bytes; whether it has ended.
    fn write(&mut self, out: &mut Vec<u8>, most: usize) -> bool {
        if self.at == 0 {
            out.extend_from_slice(&self.head);
        }
        let mut writer = FeatureWriter::new(&self.collection, self.crs);
        let start = out.len();
        let mut json = JsonWriter::new(out);
        for (place, (at, distance_m)) in self.rows.iter().enumerate().skip(self.at) {
            if json.bytes() > most && place > self.at {
                self.at = place;
                return false;
            }
            if place == 8 {
                // The first rows tell about how much room all need, but others may be far smaller: a guess takes little.
                let out = json.flush();
                out.reserve(((out.len() - start) * self.rows.len() / 7).min(MOST_GUESSED).min(most));
            }
            if place > 0 {
                json.write(|json| json.fixed(b","));
            }
            writer.feature(&mut json, *at, *distance_m);
        }
        self.at = self.rows.len();
        drop(json);
        out.extend_from_slice(b"]}");
        true
    }
}

/// `GET /ogc/collections/{collectionId}/items/{featureId}` (clause 7.16).
///
/// # Errors
/// [`Problem`].
pub fn item(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    let crs = ctx.params.crs()?;
    let collection = Arc::clone(ctx.collection()?);
    let find = if collection.finds_at_once() { Cost::NONE } else { Cost::index_not_built(&collection) };
    let cost = find + Cost::rows_written(1, &collection, crs);
    let ctx = Arc::clone(ctx);
    Ok(Work::new(cost, move || {
        let (id, feature) = (ctx.path_value("collectionId"), ctx.path_value("featureId"));
        let at = query::item(&collection, feature).ok_or(Problem::NotFound)?;
        let mut body = Vec::with_capacity(1_024);
        FeatureWriter::new(&collection, crs).open_feature(&mut body, at);
        let parent = [&ctx.base, "/ogc/collections/", &encode(id)].concat();
        let crs_query =
            if ctx.params.get(Param::Crs).is_some() { ctx.params.query_string(None) } else { String::new() };
        body.extend_from_slice(b",\"links\":[");
        let own = [&parent, "/items/", &encode(feature), &crs_query].concat();
        push_link(&mut body, &own, "self", GEOJSON);
        body.push(b',');
        push_link(&mut body, &parent, "collection", "application/json");
        body.extend_from_slice(b"]}");
        let mut response = Response::ok(GEOJSON, body);
        response.headers.push((CONTENT_CRS, crs_header(crs)));
        Ok(response)
    }))
}

fn crs_header(crs: Crs) -> Cow<'static, str> {
    match crs {
        Crs::Crs84 => "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>".into(),
        other => format!("<{}>", other.uri()).into(),
    }
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
