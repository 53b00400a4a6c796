//! The filter of a request: box, interval, circle and properties, as its parameters say them.
//!
//! The one place where parameters become a filter: whatever narrows rows by its address comes here.

use crate::access::CollectionView;
use crate::http::params::Params;
use crate::http::problem::Problem;
use crate::model::FieldType;
use crate::model::schema::FieldSchema;
use crate::model::time::parse_moment;
use crate::query::Filter;
use crate::query::Wanted;

/// The rows of a collection that a request is about. Every parameter must be met.
///
/// # Errors
/// [`Problem`] that names the parameter as given and says what would be right.
pub fn filter(params: &Params, collection: &CollectionView) -> Result<Filter, Problem> {
    let mut members = Vec::new();
    members.extend(params.within()?.map(Filter::Within));
    members.extend(params.bbox()?.map(Filter::Bbox));
    members.extend(params.datetime()?.map(Filter::During));
    for (name, text) in params.properties() {
        let schema = collection.schema();
        // `Params` has looked whether there is such a field.
        let place = schema.position(name).ok_or(Problem::NotFound)?;
        members.push(Filter::Property(place, wanted(&schema.fields[place], text)?));
    }
    Ok(Filter::All(members))
}

/// The value that a text means for a field: equal texts, numbers and truth values; a day means all of it.
fn wanted(field: &FieldSchema, text: &str) -> Result<Wanted, Problem> {
    let bad = |form: &str| {
        let text: String = text.chars().take(100).collect();
        Problem::bad(field.name.clone(), format!("{text:?} is no {form}"))
    };
    match field.field_type {
        FieldType::Text => Ok(Wanted::Text(text.to_owned())),
        FieldType::Boolean => match text {
            "true" => Ok(Wanted::Bool(true)),
            "false" => Ok(Wanted::Bool(false)),
            _ => Err(bad("truth value: give true or false")),
        },
        FieldType::Integer => {
            let number = text.parse().ok().map(Wanted::Int);
            number.ok_or_else(|| bad("whole number: give digits, such as 7 or -12"))
        }
        FieldType::Number => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Wanted::Number(number)),
            _ => Err(bad("finite number: give one such as 7 or -1.5")),
        },
        FieldType::Date | FieldType::Timestamp => parse_moment(text)
            .map(Wanted::Time)
            .ok_or_else(|| bad("day or instant: give one such as 2031-03-01 or 2031-03-01T12:00:00Z")),
        FieldType::Json => {
            Err(Problem::bad(field.name.clone(), "its values are objects and lists: no address can name one"))
        }
    }
}
