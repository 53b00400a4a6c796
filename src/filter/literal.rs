//! Constants read from texts, by the type that is wanted.

use crate::filter::FilterError;
use crate::filter::text::short;
use crate::filter::value::Type;
use crate::model::Value;
use crate::model::time;

fn bad(value: &str, wanted: &'static str, right: &'static str) -> FilterError {
    FilterError::BadValue { value: short(value), wanted, right }
}

/// A whole number or another finite one.
pub fn number(text: &str) -> Result<Value, FilterError> {
    if let Ok(whole) = text.parse() {
        return Ok(Value::Int(whole));
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Value::Float(number)),
        _ => Err(bad(text, "number", "a number like 12 or 0.5")),
    }
}

/// `true` or `false`.
pub fn boolean(text: &str) -> Result<Value, FilterError> {
    match text {
        "true" => Ok(Value::Bool(true)),
        "false" => Ok(Value::Bool(false)),
        _ => Err(bad(text, "truth value", "true or false")),
    }
}

/// A date.
pub fn date(text: &str) -> Result<Value, FilterError> {
    time::parse_date(text).map(Value::Date).ok_or_else(|| bad(text, "date", "a date like 2031-03-01"))
}

/// A date or an instant.
pub fn moment(text: &str) -> Result<Value, FilterError> {
    let instant = || time::parse_instant(text).map(Value::Timestamp);
    time::parse_date(text).map(Value::Date).or_else(instant).ok_or_else(|| {
        bad(text, "date or instant", "a date like 2031-03-01 or an instant like 2031-03-01T12:00:00Z")
    })
}

/// A text beside something of another type, read as that if it can be.
pub fn coerced(value: Value, beside: Type) -> Result<Value, FilterError> {
    match value {
        Value::Text(text) if beside.is_time() => moment(&text),
        other => Ok(other),
    }
}
