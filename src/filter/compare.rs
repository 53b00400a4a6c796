//! Comparisons with constants as closed ranges in the width of a column.
//!
//! Every comparison and BETWEEN with constants is a range, or what is not in one. A range of whole numbers is compared
//! with one subtraction: what lies below wraps round to a great number.

use std::cmp::Ordering;
use std::ops::Bound as Edge;

use crate::filter::Comparison;
use crate::filter::value::Val;
use crate::filter::value::compare;
use crate::filter::value::day;
use crate::model::Value;
use crate::model::schema::FieldType;
use crate::model::time::DAY_MICROS;

/// From one constant to another, or what is not between them.
#[derive(Debug, Clone, Copy)]
pub struct Range<'a> {
    low: Edge<&'a Value>,
    high: Edge<&'a Value>,
    is_outside: bool,
}

impl<'a> Range<'a> {
    /// What a comparison with a constant holds of.
    pub fn of(comparison: Comparison, constant: &'a Value) -> Self {
        use Edge::{Excluded, Included, Unbounded};
        let (low, high) = match comparison {
            Comparison::Equal | Comparison::NotEqual => (Included(constant), Included(constant)),
            Comparison::Less => (Unbounded, Excluded(constant)),
            Comparison::LessOrEqual => (Unbounded, Included(constant)),
            Comparison::Greater => (Excluded(constant), Unbounded),
            Comparison::GreaterOrEqual => (Included(constant), Unbounded),
        };
        Self { low, high, is_outside: comparison == Comparison::NotEqual }
    }

    /// From one constant to another.
    pub fn between(low: &'a Value, high: &'a Value) -> Self {
        Self { low: Edge::Included(low), high: Edge::Included(high), is_outside: false }
    }

    /// Whether it is what is not between.
    pub fn is_outside(&self) -> bool {
        self.is_outside
    }

    /// The least and the greatest whole number in it, for a column of a type; `None` if it must be looked at otherwise.
    /// The greatest is below the least if there is none.
    pub fn whole(&self, field: FieldType) -> Option<(i64, i64)> {
        let low = match self.low {
            Edge::Unbounded => i128::from(i64::MIN),
            Edge::Included(value) => least(field, value, false)?,
            Edge::Excluded(value) => least(field, value, true)?,
        };
        let high = match self.high {
            Edge::Unbounded => i128::from(i64::MAX),
            Edge::Included(value) => greatest(field, value, false)?,
            Edge::Excluded(value) => greatest(field, value, true)?,
        };
        // Beyond the numbers there are nothing is left: the edges are then one past them, the wrong way round.
        Some(if low > i128::from(i64::MAX) || high < i128::from(i64::MIN) {
            (i64::MAX, i64::MIN)
        } else {
            (low.max(i128::from(i64::MIN)) as i64, high.min(i128::from(i64::MAX)) as i64)
        })
    }

    /// The least and the greatest whole number of thousandths in it.
    pub fn thousandths(&self) -> Option<(i64, i64)> {
        let number = |whole: i64| Val::Float(whole as f64 / 1e3);
        let is_number = |edge: Edge<&Value>| match edge {
            Edge::Unbounded => true,
            Edge::Included(value) | Edge::Excluded(value) => matches!(value, Value::Int(_) | Value::Float(_)),
        };
        if !is_number(self.low) || !is_number(self.high) {
            return None;
        }
        // The first that is not below the low edge, and the last that is not above the high one: numbers grow with
        // their thousandths.
        let low = first(|whole| match self.low {
            Edge::Unbounded => true,
            Edge::Included(value) => {
                compare(&number(whole), &value.as_ref().into()).is_some_and(Ordering::is_ge)
            }
            Edge::Excluded(value) => {
                compare(&number(whole), &value.as_ref().into()).is_some_and(Ordering::is_gt)
            }
        });
        let above = first(|whole| match self.high {
            Edge::Unbounded => false,
            Edge::Included(value) => {
                compare(&number(whole), &value.as_ref().into()).is_some_and(Ordering::is_gt)
            }
            Edge::Excluded(value) => {
                compare(&number(whole), &value.as_ref().into()).is_some_and(Ordering::is_ge)
            }
        });
        Some((low, above - 1))
    }

    /// The least and the greatest double in it.
    pub fn doubles(&self) -> Option<(f64, f64)> {
        let low = match self.low {
            Edge::Unbounded => f64::NEG_INFINITY,
            Edge::Included(value) => least_double(value, false)?,
            Edge::Excluded(value) => least_double(value, true)?,
        };
        let high = match self.high {
            Edge::Unbounded => f64::INFINITY,
            Edge::Included(value) => -least_double(&negated(value)?, false)?,
            Edge::Excluded(value) => -least_double(&negated(value)?, true)?,
        };
        Some((low, high))
    }
}

/// One beyond the thousandths that columns hold, either way.
const MOST_THOUSANDTHS: i64 = 1 << 31;

/// The first whole number of thousandths that `holds`, which holds of all after it.
fn first(holds: impl Fn(i64) -> bool) -> i64 {
    let (mut low, mut high) = (-MOST_THOUSANDTHS - 1, MOST_THOUSANDTHS);
    while low < high {
        let middle = (low + high).div_euclid(2);
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

/// The least whole number of a column that is not below a constant, or is above it.
fn least(field: FieldType, value: &Value, is_above: bool) -> Option<i128> {
    Some(match (field, value) {
        (FieldType::Integer, Value::Float(number)) => {
            // The first whole number above it is one more than its floor, also where it is whole itself.
            if is_above { saturated(number.floor()) + 1 } else { saturated(number.ceil()) }
        }
        (FieldType::Timestamp, Value::Date(days)) => {
            let (start, end) = day(*days);
            if is_above { i128::from(end) + 1 } else { i128::from(start) }
        }
        (field, value) => i128::from(same(field, value)?) + i128::from(is_above),
    })
}

/// The greatest that is not above a constant, or is below it.
fn greatest(field: FieldType, value: &Value, is_below: bool) -> Option<i128> {
    Some(match (field, value) {
        (FieldType::Integer, Value::Float(number)) => {
            if is_below {
                saturated(number.ceil()) - 1
            } else {
                saturated(number.floor())
            }
        }
        (FieldType::Timestamp, Value::Date(days)) => {
            let (start, end) = day(*days);
            if is_below { i128::from(start) - 1 } else { i128::from(end) }
        }
        (field, value) => i128::from(same(field, value)?) - i128::from(is_below),
    })
}

/// A constant as a column of a type holds it.
fn same(field: FieldType, value: &Value) -> Option<i64> {
    match (field, value) {
        (FieldType::Integer, Value::Int(number)) => Some(*number),
        (FieldType::Boolean, Value::Bool(value)) => Some(i64::from(*value)),
        (FieldType::Date, Value::Date(days)) => Some(i64::from(*days)),
        // A day equals an instant if it is that instant's day.
        (FieldType::Date, Value::Timestamp(at)) => Some(at.div_euclid(DAY_MICROS)),
        (FieldType::Timestamp, Value::Timestamp(at)) => Some(*at),
        _ => None,
    }
}

/// A whole double as a whole number, beyond 64 bits by one at most.
fn saturated(number: f64) -> i128 {
    let limits = (i128::from(i64::MIN) - 1, i128::from(i64::MAX) + 1);
    (number as i128).clamp(limits.0, limits.1)
}

/// The least double that is not below a constant, or is above it.
fn least_double(value: &Value, is_above: bool) -> Option<f64> {
    let is_in = |number: f64| {
        let order = compare(&Val::Float(number), &value.as_ref().into());
        order.is_some_and(|order| if is_above { order.is_gt() } else { order.is_ge() })
    };
    let near = match value {
        Value::Int(whole) => *whole as f64,
        Value::Float(number) => *number,
        _ => return None,
    };
    // The nearest double may lie on either side of a whole number.
    [near.next_down(), near, near.next_up()].into_iter().find(|number| is_in(*number))
}

fn negated(value: &Value) -> Option<Value> {
    match value {
        // Its double is exact, where there is no i64.
        Value::Int(i64::MIN) => Some(Value::Float(9_223_372_036_854_775_808.0)),
        Value::Int(number) => Some(Value::Int(-number)),
        Value::Float(number) => Some(Value::Float(-number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COMPARISONS: [Comparison; 6] = [
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::Greater,
        Comparison::LessOrEqual,
        Comparison::GreaterOrEqual,
    ];

    fn constant() -> impl Strategy<Value = Value> {
        prop_oneof![
            (-3_i64..3).prop_map(Value::Int),
            any::<i64>().prop_map(Value::Int),
            Just(Value::Int(i64::MIN)),
            Just(Value::Int(i64::MAX)),
            (-6_i32..6).prop_map(|number| Value::Float(f64::from(number) / 2.0)),
            (-6_000_i32..6_000).prop_map(|number| Value::Float(f64::from(number) / 1e3)),
            any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::Float),
            (any::<i64>(), -2_i64..3).prop_map(|(number, step)| Value::Float((number as f64) + step as f64)),
        ]
    }

    proptest! {
        #[test]
        fn a_range_holds_what_the_comparison_holds_of(constant in constant(), at in 0..6_usize, near in -2_i64..3, other: i64) {
            let comparison = COMPARISONS[at];
            let range = Range::of(comparison, &constant);
            let expected = |value: Val<'_>| comparison.holds(compare(&value, &constant.as_ref().into()).unwrap());
            let base = match constant { Value::Int(number) => number, Value::Float(number) => number as i64, _ => 0 };
            let (low, high) = range.whole(FieldType::Integer).unwrap();
            for whole in [base.saturating_add(near), other, i64::MIN, i64::MAX] {
                prop_assert_eq!((low <= whole && whole <= high) != range.is_outside(), expected(Val::Int(whole)), "{}", whole);
            }
            let (low, high) = range.doubles().unwrap();
            for number in [base as f64, (base as f64).next_up(), (base as f64).next_down(), other as f64, -0.0] {
                prop_assert_eq!((low <= number && number <= high) != range.is_outside(), expected(Val::Float(number)), "{}", number);
            }
            let (low, high) = range.thousandths().unwrap();
            let thousandths = (base.saturating_mul(1_000)).saturating_add(near).clamp(i64::from(i32::MIN), i64::from(i32::MAX));
            for whole in [thousandths, i64::from(i32::MIN), i64::from(i32::MAX), other >> 33] {
                prop_assert_eq!((low <= whole && whole <= high) != range.is_outside(), expected(Val::Float(whole as f64 / 1e3)), "{}", whole);
            }
        }

        #[test]
        fn a_day_is_a_range_of_instants(days in -40_000_i32..40_000, at in 0..6_usize, off in -2_i64..3, last: bool) {
            let comparison = COMPARISONS[at];
            let (start, end) = day(days);
            let instant = if last { end } else { start } + off;
            let constant = Value::Date(days);
            let range = Range::of(comparison, &constant);
            let (low, high) = range.whole(FieldType::Timestamp).unwrap();
            let expected = comparison.holds(compare(&Val::Timestamp(instant), &Val::Date(days)).unwrap());
            prop_assert_eq!((low <= instant && instant <= high) != range.is_outside(), expected);
            let constant = Value::Timestamp(instant);
            let range = Range::of(comparison, &constant);
            let (low, high) = range.whole(FieldType::Date).unwrap();
            for day in [days - 1, days, days + 1] {
                let expected = comparison.holds(compare(&Val::Date(day), &Val::Timestamp(instant)).unwrap());
                prop_assert_eq!((low <= i64::from(day) && i64::from(day) <= high) != range.is_outside(), expected);
            }
        }
    }
}
