//! Parameters of a request, name and text, to an expression.

use crate::access::CollectionView;
use crate::access::View;
use crate::filter::ArrayOperand;
use crate::filter::ArrayOperator;
use crate::filter::Bbox;
use crate::filter::Circle;
use crate::filter::Comparison;
use crate::filter::Expr;
use crate::filter::FilterError;
use crate::filter::Scalar;
use crate::filter::literal;
use crate::filter::resolve::Resolved;
use crate::filter::resolve::resolve;
use crate::filter::text::short;
use crate::filter::value::Type;
use crate::model::FieldType;
use crate::model::Value;
use crate::model::time::parse_interval;

/// A parameter that was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct ParameterError {
    /// Its name as given.
    pub name: String,
    /// What is wrong and what would be right.
    pub reason: String,
    /// Whether the name itself is the fault: no parameter and no property has it.
    pub is_unknown: bool,
}

/// The expression that parameters ask for: rows that match each of them.
///
/// `bbox`, `datetime`, `within` and `ids` come first; every other name is a property of the collection, as the view
/// shows it, or one at the end of references (`line.status`). A property equals its value; a date given for an instant
/// means the whole day in UTC; a list has the text as a member.
///
/// # Errors
/// [`ParameterError`].
pub fn from_parameters<'a>(
    view: &View,
    collection: &CollectionView,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Expr, ParameterError> {
    let member = |(name, text): (&str, &str)| {
        one(view, collection, name, text).map_err(|fault| ParameterError {
            name: short(name),
            is_unknown: matches!(fault, Fault::Filter(FilterError::UnknownProperty { .. })),
            reason: fault.to_string(),
        })
    };
    parameters.into_iter().map(member).collect::<Result<_, _>>().map(Expr::And)
}

/// Why a value was refused.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Filter(#[from] FilterError),
    #[error("{0}")]
    Text(String),
}

fn one(view: &View, collection: &CollectionView, name: &str, text: &str) -> Result<Expr, Fault> {
    match name {
        "bbox" => return bbox(text).map(Expr::bbox),
        "within" => return circle(text).map(Expr::Within),
        "datetime" => {
            return parse_interval(text).map(Expr::datetime).map_err(|fault| Fault::Text(fault.to_string()));
        }
        "ids" => return Ok(Expr::Ids(text.split(',').map(str::to_owned).collect())),
        _ => {}
    }
    let kind = match resolve(view, collection, name)? {
        Resolved::Field(_, kind) => kind,
        Resolved::Geometry | Resolved::GeometryOf(_) => Type::Geometry,
    };
    let property = Scalar::Property(name.to_owned());
    let equals = |value: Value| Expr::Compare(Comparison::Equal, property.clone(), Scalar::Literal(value));
    Ok(match kind {
        Type::Text => equals(Value::Text(text.to_owned())),
        Type::Number => {
            let field = collection.schema().position(name).map(|place| &collection.schema().fields[place]);
            let is_whole = field.is_some_and(|field| field.field_type == FieldType::Integer);
            if is_whole && text.parse::<i64>().is_err() {
                let text: String = text.chars().take(40).collect();
                return Err(Fault::Text(format!("{text:?} is no whole number: give one like 12 or -7")));
            }
            equals(literal::number(text)?)
        }
        Type::Boolean => equals(literal::boolean(text)?),
        Type::Date => equals(literal::date(text)?),
        Type::Timestamp => equals(literal::moment(text)?),
        Type::List => {
            let own = ArrayOperand::Property(name.to_owned());
            Expr::Array(ArrayOperator::Contains, own, ArrayOperand::Literal(vec![text.to_owned()]))
        }
        Type::Geometry => {
            return Err(Fault::Text("a geometry equals no text: give bbox or within".to_owned()));
        }
        Type::Json | Type::Null => {
            return Err(Fault::Text("the property is JSON, which equals no text".to_owned()));
        }
    })
}

/// Four numbers, or six with heights, which are not looked at.
fn bbox(text: &str) -> Result<Bbox, Fault> {
    let right = "give four numbers: west,south,east,north in degrees (or six with heights)";
    let numbers = numbers(text, right)?;
    let [west, south, east, north] = match numbers.as_slice() {
        [west, south, east, north] | [west, south, _, east, north, _] => [*west, *south, *east, *north],
        other => return Err(Fault::Text(format!("{} numbers; {right}", other.len()))),
    };
    Ok(Bbox::new(west, south, east, north)?)
}

/// As in the parameter `bbox`: `west,south,east,north` in degrees, or six numbers with heights, which are not looked at.
impl std::str::FromStr for Bbox {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        bbox(text).map_err(|fault| fault.to_string())
    }
}

/// Three numbers.
fn circle(text: &str) -> Result<Circle, Fault> {
    let right = "give three numbers: longitude,latitude in degrees and a distance in metres";
    match numbers(text, right)?.as_slice() {
        [lon, lat, metres] => Ok(Circle::new(*lon, *lat, *metres)?),
        other => Err(Fault::Text(format!("{} numbers; {right}", other.len()))),
    }
}

/// Numbers with commas between them, six at most.
fn numbers(text: &str, right: &str) -> Result<Vec<f64>, Fault> {
    let mut out = Vec::new();
    for part in text.split(',') {
        let number = part.trim().parse().ok().filter(|number: &f64| number.is_finite());
        let Some(number) = number else {
            let part: String = part.chars().take(40).collect();
            return Err(Fault::Text(format!("{part:?} is no finite number; {right}")));
        };
        out.push(number);
        if out.len() > 6 {
            return Err(Fault::Text(format!("too many numbers; {right}")));
        }
    }
    Ok(out)
}
