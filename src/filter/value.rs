//! Scalar values: compared across types that go together, and computed with.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::filter::ArithmeticOperator;
use crate::filter::Comparison;
use crate::model::Value;
use crate::model::ValueRef;
use crate::model::schema::FieldType;
use crate::model::time::DAY_MICROS;

/// A value that an expression has for a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Val<'a> {
    /// None.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// JSON: a list or anything else.
    Json(&'a str),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
}

impl<'a> From<ValueRef<'a>> for Val<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Bool(value) => Self::Bool(value),
            ValueRef::Int(value) => Self::Int(value),
            ValueRef::Float(value) => Self::Float(value),
            ValueRef::Text(value) => Self::Text(value.into()),
            ValueRef::Json(value) => Self::Json(value),
            ValueRef::Date(value) => Self::Date(value),
            ValueRef::Timestamp(value) => Self::Timestamp(value),
        }
    }
}

impl Val<'_> {
    /// An owned copy; what is neither null nor one of the plain types is not a constant.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Float(value) => Value::Float(*value),
            Self::Text(value) => Value::Text(value.clone().into_owned()),
            Self::Json(value) => Value::Json((*value).to_owned()),
            Self::Date(value) => Value::Date(*value),
            Self::Timestamp(value) => Value::Timestamp(*value),
        }
    }

    /// The first and last microsecond of a date or an instant.
    pub fn moment(&self) -> Option<(i64, i64)> {
        match self {
            Self::Date(days) => Some(day(*days)),
            Self::Timestamp(at) => Some((*at, *at)),
            _ => None,
        }
    }
}

/// The first and last microsecond of a day.
pub fn day(days: i32) -> (i64, i64) {
    let start = i64::from(days) * DAY_MICROS;
    (start, start + DAY_MICROS - 1)
}

/// What a scalar is, as far as that decides what it can be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// `null` itself.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A whole number or another one.
    Number,
    /// Text.
    Text,
    /// A day.
    Date,
    /// An instant.
    Timestamp,
    /// A list of texts.
    List,
    /// Any JSON.
    Json,
    /// A geometry.
    Geometry,
}

impl Type {
    /// Of a field.
    pub fn of_field(field: FieldType) -> Self {
        match field {
            FieldType::Boolean => Self::Boolean,
            FieldType::Integer | FieldType::Number => Self::Number,
            FieldType::Text => Self::Text,
            FieldType::List => Self::List,
            FieldType::Json => Self::Json,
            FieldType::Date => Self::Date,
            FieldType::Timestamp => Self::Timestamp,
        }
    }

    /// Of a constant.
    pub fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Int(_) | Value::Float(_) => Self::Number,
            Value::Text(_) => Self::Text,
            Value::Json(_) => Self::Json,
            Value::Date(_) => Self::Date,
            Value::Timestamp(_) => Self::Timestamp,
        }
    }

    /// What messages call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "true or false",
            Self::Number => "a number",
            Self::Text => "text",
            Self::Date => "a date",
            Self::Timestamp => "an instant",
            Self::List => "a list",
            Self::Json => "JSON",
            Self::Geometry => "a geometry",
        }
    }

    /// Whether it is a date or an instant.
    pub fn is_time(self) -> bool {
        matches!(self, Self::Date | Self::Timestamp)
    }
}

/// Which comes first; `None` if one is null or they are of different types. Texts are in the order of code points. A
/// date equals every instant of its day.
pub fn compare(one: &Val<'_>, other: &Val<'_>) -> Option<Ordering> {
    match (one, other) {
        (Val::Bool(a), Val::Bool(b)) => Some(a.cmp(b)),
        (Val::Int(a), Val::Int(b)) => Some(a.cmp(b)),
        (Val::Float(a), Val::Float(b)) => a.partial_cmp(b),
        (Val::Int(a), Val::Float(b)) => compare_mixed(*a, *b),
        (Val::Float(a), Val::Int(b)) => compare_mixed(*b, *a).map(Ordering::reverse),
        (Val::Text(a), Val::Text(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        _ => Some(compare_moments(one.moment()?, other.moment()?)),
    }
}

/// A whole number and a double, without rounding either.
fn compare_mixed(whole: i64, number: f64) -> Option<Ordering> {
    // Two to the 63rd is a double, and no i64 is as great.
    if number >= 9_223_372_036_854_775_808.0 {
        return Some(Ordering::Less);
    }
    if number < -9_223_372_036_854_775_808.0 {
        return Some(Ordering::Greater);
    }
    if number.is_nan() {
        return None;
    }
    let floor = number.floor();
    let order = whole.cmp(&(floor as i64));
    Some(if order == Ordering::Equal && floor < number { Ordering::Less } else { order })
}

/// Two moments, each with its first and last microsecond: they are equal if they share one.
pub fn compare_moments(one: (i64, i64), other: (i64, i64)) -> Ordering {
    if one.1 < other.0 {
        Ordering::Less
    } else if one.0 > other.1 {
        Ordering::Greater
    } else {
        Ordering::Equal
    }
}

impl Comparison {
    /// Whether it holds of two values in this order.
    #[must_use]
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::Greater => order.is_gt(),
            Self::LessOrEqual => order.is_le(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    /// The operator that says the same with the operands the other way round.
    #[must_use]
    pub fn flipped(self) -> Self {
        match self {
            Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::Greater => Self::Less,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

/// The result of arithmetic; null if an operand is null or no number, or there is no finite result.
pub fn compute(operator: ArithmeticOperator, one: &Val<'_>, other: &Val<'_>) -> Val<'static> {
    use ArithmeticOperator::{Add, Divide, IntegerDivide, Modulo, Multiply, Power, Subtract};
    if let (Val::Int(a), Val::Int(b)) = (one, other) {
        let whole = match operator {
            Add => a.checked_add(*b),
            Subtract => a.checked_sub(*b),
            Multiply => a.checked_mul(*b),
            Modulo => a.checked_rem(*b),
            IntegerDivide => a.checked_div(*b),
            Divide | Power => None,
        };
        if let Some(whole) = whole {
            return Val::Int(whole);
        }
    }
    let number = |value: &Val<'_>| match value {
        Val::Int(value) => Some(*value as f64),
        Val::Float(value) => Some(*value),
        _ => None,
    };
    let (Some(a), Some(b)) = (number(one), number(other)) else { return Val::Null };
    let result = match operator {
        Add => a + b,
        Subtract => a - b,
        Multiply => a * b,
        Divide => a / b,
        Modulo => a % b,
        Power => a.powf(b),
        IntegerDivide => (a / b).trunc(),
    };
    if result.is_finite() { Val::Float(result) } else { Val::Null }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_and_doubles_are_compared_exactly() {
        let order = |whole: i64, number: f64| compare(&Val::Int(whole), &Val::Float(number));
        // The nearest double to 2^53 + 1 is 2^53: as doubles both would be equal.
        assert_eq!(order((1 << 53) + 1, 9_007_199_254_740_992.0), Some(Ordering::Greater));
        assert_eq!(order(i64::MAX, 9_223_372_036_854_775_808.0), Some(Ordering::Less));
        assert_eq!(order(i64::MIN, -9_223_372_036_854_775_808.0), Some(Ordering::Equal));
        assert_eq!(order(-2, -1.5), Some(Ordering::Less));
        assert_eq!(order(-1, -1.5), Some(Ordering::Greater));
        assert_eq!(order(0, 1e300), Some(Ordering::Less));
    }

    #[test]
    fn a_date_equals_the_instants_of_its_day() {
        let instant = |at: i64| Val::Timestamp(at);
        assert_eq!(compare(&Val::Date(1), &instant(DAY_MICROS)), Some(Ordering::Equal));
        assert_eq!(compare(&Val::Date(1), &instant(2 * DAY_MICROS - 1)), Some(Ordering::Equal));
        assert_eq!(compare(&Val::Date(1), &instant(2 * DAY_MICROS)), Some(Ordering::Less));
        assert_eq!(compare(&instant(DAY_MICROS - 1), &Val::Date(1)), Some(Ordering::Less));
    }

    #[test]
    fn arithmetic_without_a_number_is_null() {
        use ArithmeticOperator::{Add, Divide, IntegerDivide, Modulo, Power};
        let (zero, seven) = (Val::Int(0), Val::Int(7));
        assert_eq!(compute(Divide, &seven, &zero), Val::Null);
        assert_eq!(compute(Modulo, &seven, &zero), Val::Null);
        assert_eq!(compute(IntegerDivide, &seven, &zero), Val::Null);
        assert_eq!(compute(Add, &seven, &Val::Null), Val::Null);
        assert_eq!(compute(Add, &seven, &Val::Text("7".into())), Val::Null);
        assert_eq!(compute(Divide, &seven, &Val::Int(2)), Val::Float(3.5));
        assert_eq!(compute(IntegerDivide, &Val::Int(-7), &Val::Int(2)), Val::Int(-3));
        assert_eq!(compute(Modulo, &Val::Int(-7), &Val::Int(2)), Val::Int(-1));
        assert_eq!(compute(Power, &Val::Int(2), &Val::Int(10)), Val::Float(1024.0));
        // Beyond 64 bits it goes on as a double.
        assert_eq!(compute(Add, &Val::Int(i64::MAX), &Val::Int(1)), Val::Float(9_223_372_036_854_775_808.0));
    }
}
