//! What pages of other origins may read (Fetch, CORS protocol): answers that anyone would get. What only a role sees may be
//! read by pages of the same origin alone, which need no header for it.

use std::sync::Arc;

use actix_web::http::header::ACCESS_CONTROL_ALLOW_HEADERS;
use actix_web::http::header::ACCESS_CONTROL_ALLOW_METHODS;
use actix_web::http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use actix_web::http::header::ACCESS_CONTROL_EXPOSE_HEADERS;
use actix_web::http::header::ACCESS_CONTROL_MAX_AGE;
use actix_web::http::header::VARY;

use crate::access::CollectionView;
use crate::access::Principal;
use crate::access::View;
use crate::http::Answer;
use crate::http::Call;
use crate::http::routes::Route;
use crate::http::routes::RowsOf;

/// Headers that pages may add to their requests. They decide nothing but form and caching of an answer.
const ALLOWED_HEADERS: &str = "accept, accept-language, cache-control, content-language, content-type, if-match, \
    if-modified-since, if-none-match, if-unmodified-since, pragma, range, x-requested-with";
/// Headers of answers that pages may read beside those that they always may.
const EXPOSED_HEADERS: &str = "etag, content-crs, retry-after";
/// Methods that there are.
pub const METHODS: &str = "GET, HEAD, OPTIONS";
/// A browser may remember for a day what it may ask.
const MAX_AGE_SECONDS: &str = "86400";

/// Lets pages of any origin read the answer.
pub fn allow(answer: &mut Answer) {
    answer.headers.push((ACCESS_CONTROL_ALLOW_ORIGIN, "*".into()));
    answer.headers.push((ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS.into()));
}

/// Says to a page that asks beforehand what it may send.
pub fn allow_beforehand(answer: &mut Answer) {
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
        (ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS),
    ] {
        answer.headers.push((name, value.into()));
    }
}

/// Says what the answer depends on besides its address: the origin that asks, and in a demo the role that is played.
pub fn vary(answer: &mut Answer, in_demo: bool) {
    let (encoded, plain) = if in_demo {
        ("accept-encoding, origin, cookie", "origin, cookie")
    } else {
        ("accept-encoding, origin", "origin")
    };
    match answer.headers.iter_mut().find(|(name, _)| *name == VARY) {
        // There is one thing it varies by so far.
        Some((_, vary)) => *vary = encoded.into(),
        None => answer.headers.push((VARY, plain.into())),
    }
}

/// Whether anyone would get this answer: it is made of rows that the caller and the public see alike.
pub fn is_for_anyone(route: &Route, call: &Call) -> bool {
    if call.principal == Principal::Anonymous {
        return true;
    }
    let public = || call.app.gate.view(&Principal::Anonymous);
    match route.rows {
        RowsOf::None => true,
        RowsOf::Caller => false,
        RowsOf::All => {
            let public = public();
            call.view.collections().chain(public.collections()).all(|collection| {
                let id = &collection.schema().id;
                is_alike(&call.view, &public, id)
            })
        }
        RowsOf::Collection => is_alike(&call.view, &public(), call.path_value("collectionId")),
        RowsOf::Layers => {
            let public = public();
            call.path_value("layers").split(',').all(|id| is_alike(&call.view, &public, id))
        }
        RowsOf::Named(ids) => {
            let public = public();
            ids.iter().all(|id| is_alike(&call.view, &public, id))
        }
    }
}

/// Whether two views have the same rows and fields of a collection, or both none.
fn is_alike(one: &View, two: &View, id: &str) -> bool {
    let same = |one: &CollectionView, two: &CollectionView| {
        let groups = one.groups().iter().zip(two.groups());
        one.groups().len() == two.groups().len()
            && one.schema().fields.len() == two.schema().fields.len()
            && groups.into_iter().all(|(one, two)| Arc::ptr_eq(one, two))
    };
    match (one.collection(id), two.collection(id)) {
        (None, None) => true,
        (Some(one), Some(two)) => one.serial() == two.serial() || same(one, two),
        _ => false,
    }
}
