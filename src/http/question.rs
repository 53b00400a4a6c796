//! The filter of a request: box, interval, circle and properties, as its parameters say them.
//!
//! The one place where parameters become a filter: whatever narrows rows by its address comes here.

use crate::access::CollectionView;
use crate::access::View;
use crate::filter::Bound;
use crate::filter::from_parameters;
use crate::http::params::Param;
use crate::http::params::Params;
use crate::http::problem::Problem;

/// Parameters of ours that choose rows.
const FILTERS: [Param; 3] = [Param::Within, Param::Bbox, Param::Datetime];

/// The rows of a collection that a request is about. Every parameter must be met.
///
/// # Errors
/// [`Problem`] that names the parameter as given and says what would be right.
pub fn filter(params: &Params, view: &View, collection: &CollectionView) -> Result<Bound, Problem> {
    let ours = FILTERS.into_iter().filter_map(|param| Some((param.name(), params.get(param)?)));
    let given = ours.chain(params.properties());
    let expr = from_parameters(view, collection, given)
        .map_err(|error| Problem::bad(error.name.clone(), error.reason))?;
    expr.bind(view, collection).map_err(|error| Problem::bad("filter", error.to_string()))
}
