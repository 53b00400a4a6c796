//! One request, as a route sees it: the view is taken once and is all it may look at.

use std::sync::Arc;

use crate::access::CollectionView;
use crate::access::Principal;
use crate::access::View;
use crate::http::App;
use crate::http::body::RequestBody;
use crate::http::body::Upload;
use crate::http::encode::Accepted;
use crate::http::encode::Encoding;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::http::router::PathValues;

/// What a route plans and answers by.
#[derive(Debug)]
pub struct Ctx {
    /// Shared state.
    pub app: Arc<App>,
    /// The caller.
    pub principal: Principal,
    /// Whether roles are played here.
    pub in_demo: bool,
    /// All that the caller may see; empty for a route that reads nothing.
    pub view: Arc<View>,
    /// Path parameters, decoded once.
    pub path: PathValues,
    /// Query parameters, checked against those the route takes.
    pub params: Params,
    /// Scheme and host for links.
    pub base: String,
    /// What the request brought.
    pub(super) body: RequestBody,
    /// The query as it came.
    pub(super) query: String,
    /// `Accept-Encoding`.
    pub(super) accepted: Accepted,
}

impl Ctx {
    /// A path parameter.
    #[must_use]
    pub fn path_value(&self, name: &str) -> &str {
        self.path.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// The collection that the path names.
    ///
    /// # Errors
    /// [`Problem::NotFound`], whether it is hidden or not there.
    pub fn collection(&self) -> Result<&Arc<CollectionView>, Problem> {
        self.view.collection(self.path_value("collectionId")).ok_or(Problem::NotFound)
    }

    /// The JSON that the request brought.
    ///
    /// # Errors
    /// [`Problem::BadBody`] with the line and column of what cannot be read.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Problem> {
        let RequestBody::Json(text) = &self.body else {
            return Err(Problem::BadBody { reason: "there is none: send JSON".to_owned() });
        };
        serde_json::from_slice(text).map_err(|error| Problem::BadBody { reason: error.to_string() })
    }

    /// The file that the request brought.
    ///
    /// # Errors
    /// [`Problem::BadBody`] if the route takes none.
    pub fn upload(&self) -> Result<Upload, Problem> {
        match &self.body {
            RequestBody::Upload(upload) => Ok(upload.clone()),
            RequestBody::None | RequestBody::Json(_) => {
                Err(Problem::BadBody { reason: "there is none: send the file".to_owned() })
            }
        }
    }

    /// The best of the encodings made as answers are, that the caller accepts.
    pub(super) fn encoding(&self) -> Encoding {
        self.accepted.best(Encoding::LIVE)
    }

    /// The class of callers for keys of the cache; 0 where all rows of these collections are everyone's.
    pub(super) fn class_of<'a>(&self, mut collections: impl Iterator<Item = &'a CollectionView>) -> u64 {
        let is_public = |collection: &CollectionView| self.view.is_public(&collection.schema().id);
        if collections.all(is_public) { 0 } else { self.view.class() }
    }
}
