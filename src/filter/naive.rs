//! The evaluator that the tests compare with: by definition, row by row, value by value. It shares no code with the
//! room's own evaluator but for the distance of lines and polygons.

#![expect(clippy::manual_try_fold, reason = "an unknown member does not decide: a later one may")]

use std::cmp::Ordering;
use std::collections::BTreeSet;

use geo::Distance;
use geo::Relate;

use crate::access::CollectionView;
use crate::access::RowGroup;
use crate::access::View;
use crate::filter::ArithmeticOperator;
use crate::filter::ArrayOperand;
use crate::filter::ArrayOperator;
use crate::filter::Comparison;
use crate::filter::Expr;
use crate::filter::Function;
use crate::filter::GeometryOperand;
use crate::filter::Scalar;
use crate::filter::SpatialOperator;
use crate::filter::TemporalOperand;
use crate::filter::TemporalOperator;
use crate::filter::geometry_distance_m;
use crate::model::GeometryRef;
use crate::model::GeometryType;
use crate::model::Value;
use crate::model::ValueRef;

/// A row.
#[derive(Clone, Copy)]
pub struct Naive<'a> {
    pub view: &'a View,
    pub collection: &'a CollectionView,
    pub group: &'a RowGroup,
    pub row: usize,
}

const DAY: i64 = 86_400_000_000;

/// A rational number near enough: whole part and what is above it.
fn parts(value: &Value) -> Option<(i128, f64)> {
    match value {
        Value::Int(whole) => Some((i128::from(*whole), 0.0)),
        Value::Float(number) => {
            let whole = number.floor();
            Some((whole as i128, number - whole))
        }
        _ => None,
    }
}

/// First and last microsecond.
fn moment(value: &Value) -> Option<(i64, i64)> {
    match value {
        Value::Date(days) => Some((i64::from(*days) * DAY, i64::from(*days) * DAY + DAY - 1)),
        Value::Timestamp(at) => Some((*at, *at)),
        _ => None,
    }
}

fn order(one: &Value, other: &Value) -> Option<Ordering> {
    // What is above the whole part of a tiny number is rounded: doubles are compared as they are.
    if let (Value::Float(one), Value::Float(other)) = (one, other) {
        return one.partial_cmp(other);
    }
    if let (Some(one), Some(other)) = (parts(one), parts(other)) {
        return one.partial_cmp(&other);
    }
    if let (Some(one), Some(other)) = (moment(one), moment(other)) {
        let before = |a: (i64, i64), b: (i64, i64)| (a.0..=a.1).end() < (b.0..=b.1).start();
        return Some(if before(one, other) {
            Ordering::Less
        } else if before(other, one) {
            Ordering::Greater
        } else {
            Ordering::Equal
        });
    }
    match (one, other) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Some(a.chars().cmp(b.chars())),
        _ => None,
    }
}

fn and(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn or(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    and(one.map(|one| !one), other.map(|other| !other)).map(|both| !both)
}

fn like(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|cut| like(rest, &text[cut..])),
        ['_', rest @ ..] => !text.is_empty() && like(rest, &text[1..]),
        [letter, rest @ ..] => text.first() == Some(letter) && like(rest, &text[1..]),
    }
}

fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Bool(value) => Value::Bool(value),
        ValueRef::Int(value) => Value::Int(value),
        ValueRef::Float(value) => Value::Float(value),
        ValueRef::Text(value) => Value::Text(value.to_owned()),
        ValueRef::Json(value) => Value::Json(value.to_owned()),
        ValueRef::Date(value) => Value::Date(value),
        ValueRef::Timestamp(value) => Value::Timestamp(value),
    }
}

impl Naive<'_> {
    /// The row that a reference names, by going through all rows.
    fn referred(&self, name: &str) -> Option<Self> {
        let place = self.collection.schema().position(name)?;
        let target = self.collection.schema().fields[place].references.as_deref()?;
        let ValueRef::Text(text) = self.group.value(place, self.row) else { return None };
        let collection: &CollectionView = self.view.collection(target)?;
        let rows =
            || collection.groups().iter().flat_map(|group| (0..group.len()).map(move |row| (group, row)));
        let public = rows().find(|(group, row)| group.public_id(*row) == Some(text));
        let (group, row) =
            public.or_else(|| rows().find(|(group, row)| group.id(*row).to_string() == text))?;
        Some(Naive { view: self.view, collection, group, row })
    }

    fn property(&self, name: &str) -> Value {
        match (self.collection.schema().position(name), name.split_once('.')) {
            (Some(place), _) => owned(self.group.value(place, self.row)),
            (None, Some((first, rest))) => self.referred(first).map_or(Value::Null, |row| row.property(rest)),
            (None, None) => Value::Null,
        }
    }

    fn scalar(&self, scalar: &Scalar) -> Value {
        match scalar {
            Scalar::Literal(value) => value.clone(),
            Scalar::Property(name) => self.property(name),
            Scalar::Arithmetic(operator, one, other) => {
                let (one, other) = (self.scalar(one), self.scalar(other));
                if let (Value::Int(a), Value::Int(b)) = (&one, &other) {
                    let (a, b) = (i128::from(*a), i128::from(*b));
                    let whole = match operator {
                        ArithmeticOperator::Add => Some(a + b),
                        ArithmeticOperator::Subtract => Some(a - b),
                        ArithmeticOperator::Multiply => Some(a * b),
                        ArithmeticOperator::Modulo if b != 0 => Some(a % b),
                        ArithmeticOperator::IntegerDivide if b != 0 => Some(a / b),
                        _ => None,
                    };
                    if let Some(whole) = whole.and_then(|whole| i64::try_from(whole).ok()) {
                        return Value::Int(whole);
                    }
                }
                let number = |value: &Value| match value {
                    Value::Int(whole) => Some(*whole as f64),
                    Value::Float(number) => Some(*number),
                    _ => None,
                };
                let (Some(a), Some(b)) = (number(&one), number(&other)) else { return Value::Null };
                let result = match operator {
                    ArithmeticOperator::Add => a + b,
                    ArithmeticOperator::Subtract => a - b,
                    ArithmeticOperator::Multiply => a * b,
                    ArithmeticOperator::Divide => a / b,
                    ArithmeticOperator::Modulo => a % b,
                    ArithmeticOperator::Power => f64::powf(a, b),
                    ArithmeticOperator::IntegerDivide => f64::trunc(a / b),
                };
                if result.is_finite() { Value::Float(result) } else { Value::Null }
            }
            Scalar::Call(function, arguments) => match (function, self.scalar(&arguments[0])) {
                (Function::Casei, Value::Text(text)) => {
                    Value::Text(text.to_lowercase().to_uppercase().to_lowercase())
                }
                (Function::Accenti, Value::Text(text)) => Value::Text(text.replace('\u{e9}', "e")),
                _ => Value::Null,
            },
        }
    }

    fn geometry(&self, operand: &GeometryOperand) -> Option<geo::Geometry<f64>> {
        match operand {
            GeometryOperand::Row => self.group.geometry(self.row).map(simple),
            GeometryOperand::Property(name) => match name.split_once('.') {
                None => self.group.geometry(self.row).map(simple),
                Some((first, rest)) => {
                    self.referred(first)?.geometry(&GeometryOperand::Property(rest.to_owned()))
                }
            },
            GeometryOperand::Literal(geometry) => Some(simple(geometry.as_ref())),
            GeometryOperand::Bbox(bbox) => {
                let degrees = |units: i32| f64::from(units) / 1e7;
                let rectangle = |window: &crate::model::geometry::Bounds| {
                    geo::Rect::new(
                        geo::coord! { x: degrees(window.west), y: degrees(window.south) },
                        geo::coord! { x: degrees(window.east), y: degrees(window.north) },
                    )
                    .to_polygon()
                };
                Some(geo::MultiPolygon::new(bbox.windows().iter().map(rectangle).collect()).into())
            }
        }
    }

    /// Start and end, each with its first and last microsecond.
    fn interval(&self, operand: &TemporalOperand) -> Option<((i64, i64), (i64, i64))> {
        let both = |start: i64, end: i64| Some(((start, start), (end, end)));
        match operand {
            TemporalOperand::Row => match self.group.time(self.row) {
                (i64::MIN, i64::MAX) => None,
                (start, end) => both(start, end),
            },
            TemporalOperand::Span(interval) => both(interval.start, interval.end),
            TemporalOperand::Instant(scalar) => {
                let at = moment(&self.scalar(scalar))?;
                Some((at, at))
            }
            TemporalOperand::Interval(start, end) => {
                let start = match start {
                    Some(scalar) => moment(&self.scalar(scalar))?,
                    None => (i64::MIN, i64::MIN),
                };
                let end = match end {
                    Some(scalar) => moment(&self.scalar(scalar))?,
                    None => (i64::MAX, i64::MAX),
                };
                Some((start, end))
            }
        }
    }

    fn list(&self, operand: &ArrayOperand) -> Option<BTreeSet<String>> {
        match operand {
            ArrayOperand::Literal(members) => Some(members.iter().cloned().collect()),
            ArrayOperand::Property(name) => match self.property(name) {
                Value::Json(json) => serde_json::from_str(&json).ok(),
                _ => None,
            },
        }
    }

    /// Whether an expression is true of the row; `None` if it is unknown.
    pub fn of(&self, expr: &Expr) -> Option<bool> {
        match expr {
            Expr::Constant(value) => Some(*value),
            Expr::And(members) => members.iter().fold(Some(true), |all, member| and(all, self.of(member))),
            Expr::Or(members) => members.iter().fold(Some(false), |any, member| or(any, self.of(member))),
            Expr::Not(inner) => self.of(inner).map(|value| !value),
            Expr::Compare(comparison, one, other) => {
                let order = order(&self.scalar(one), &self.scalar(other))?;
                Some(match comparison {
                    Comparison::Equal => order == Ordering::Equal,
                    Comparison::NotEqual => order != Ordering::Equal,
                    Comparison::Less => order == Ordering::Less,
                    Comparison::Greater => order == Ordering::Greater,
                    Comparison::LessOrEqual => order != Ordering::Greater,
                    Comparison::GreaterOrEqual => order != Ordering::Less,
                })
            }
            Expr::Like(value, pattern) => match (self.scalar(value), self.scalar(pattern)) {
                (Value::Text(text), Value::Text(pattern)) => {
                    let letters = |text: &str| text.chars().collect::<Vec<char>>();
                    Some(like(&letters(&pattern), &letters(&text)))
                }
                _ => None,
            },
            Expr::Between(value, low, high) => {
                let value = self.scalar(value);
                let low = order(&value, &self.scalar(low)).map(|order| order != Ordering::Less);
                let high = order(&value, &self.scalar(high)).map(|order| order != Ordering::Greater);
                and(low, high)
            }
            Expr::In(value, members) => {
                let value = self.scalar(value);
                if value == Value::Null {
                    return None;
                }
                let equal =
                    |member| order(&value, &self.scalar(member)).map(|order| order == Ordering::Equal);
                members.iter().fold(Some(false), |any, member| or(any, equal(member)))
            }
            Expr::IsNull(Scalar::Property(name)) if name == "geometry" || name.ends_with(".geometry") => {
                Some(self.geometry(&GeometryOperand::Property(name.clone())).is_none())
            }
            Expr::IsNull(scalar) => Some(self.scalar(scalar) == Value::Null),
            Expr::Truth(scalar) => match self.scalar(scalar) {
                Value::Bool(value) => Some(value),
                _ => None,
            },
            Expr::Spatial(operator, one, other) => {
                Some(related(*operator, &self.geometry(one)?, &self.geometry(other)?))
            }
            Expr::Temporal(operator, one, other) => {
                let ((s1, e1), (s2, e2)) = (self.interval(one)?, self.interval(other)?);
                let less = |a: (i64, i64), b: (i64, i64)| a.1 < b.0;
                let same = |a: (i64, i64), b: (i64, i64)| !less(a, b) && !less(b, a);
                Some(match operator {
                    TemporalOperator::After => less(e2, s1),
                    TemporalOperator::Before => less(e1, s2),
                    TemporalOperator::Contains => less(s1, s2) && less(e2, e1),
                    TemporalOperator::Disjoint => less(e1, s2) || less(e2, s1),
                    TemporalOperator::During => less(s2, s1) && less(e1, e2),
                    TemporalOperator::Equals => same(s1, s2) && same(e1, e2),
                    TemporalOperator::FinishedBy => less(s1, s2) && same(e1, e2),
                    TemporalOperator::Finishes => less(s2, s1) && same(e1, e2),
                    TemporalOperator::Intersects => !less(e1, s2) && !less(e2, s1),
                    TemporalOperator::Meets => same(e1, s2),
                    TemporalOperator::MetBy => same(s1, e2),
                    TemporalOperator::OverlappedBy => less(s2, s1) && less(s1, e2) && less(e2, e1),
                    TemporalOperator::Overlaps => less(s1, s2) && less(s2, e1) && less(e1, e2),
                    TemporalOperator::StartedBy => same(s1, s2) && less(e2, e1),
                    TemporalOperator::Starts => same(s1, s2) && less(e1, e2),
                })
            }
            Expr::Array(operator, one, other) => {
                let (one, other) = (self.list(one)?, self.list(other)?);
                Some(match operator {
                    ArrayOperator::Equals => one == other,
                    ArrayOperator::Contains => other.is_subset(&one),
                    ArrayOperator::ContainedBy => one.is_subset(&other),
                    ArrayOperator::Overlaps => !one.is_disjoint(&other),
                })
            }
            Expr::Within(circle) => {
                let (lon, lat, metres) = circle.parts();
                let geometry = self.group.geometry(self.row)?;
                let distance = match simple(geometry) {
                    geo::Geometry::Point(point) => geo::Geodesic.distance(geo::Point::new(lon, lat), point),
                    _ => geometry_distance_m(lon, lat, geometry),
                };
                Some(distance <= metres)
            }
            Expr::Ids(ids) => {
                let id = self.group.public_id(self.row).map(str::to_owned);
                Some(ids.contains(&id.unwrap_or_else(|| self.group.id(self.row).to_string())))
            }
            Expr::WithoutGeometry => Some(self.group.geometry(self.row).is_none()),
            Expr::WithoutTime => Some(self.group.time(self.row) == (i64::MIN, i64::MAX)),
        }
    }
}

/// By the patterns of OGC 06-103r4, 6.1.15.3.
fn related(operator: SpatialOperator, one: &geo::Geometry<f64>, other: &geo::Geometry<f64>) -> bool {
    use geo::HasDimensions;
    let matrix = one.relate(other);
    let any = |patterns: &[&str]| patterns.iter().any(|pattern| matrix.matches(pattern).unwrap());
    let (a, b) = (one.dimensions(), other.dimensions());
    match operator {
        SpatialOperator::Disjoint => any(&["FF*FF****"]),
        SpatialOperator::Intersects => !any(&["FF*FF****"]),
        SpatialOperator::Equals => any(&["T*F**FFF*"]),
        SpatialOperator::Touches => any(&["FT*******", "F**T*****", "F***T****"]),
        SpatialOperator::Within => any(&["T*F**F***"]),
        SpatialOperator::Contains => any(&["T*****FF*"]),
        SpatialOperator::Overlaps if a != b => false,
        SpatialOperator::Overlaps if a == geo::dimensions::Dimensions::OneDimensional => any(&["1*T***T**"]),
        SpatialOperator::Overlaps => any(&["T*T***T**"]),
        SpatialOperator::Crosses if a < b => any(&["T*T******"]),
        SpatialOperator::Crosses if a > b => any(&["T*****T**"]),
        SpatialOperator::Crosses => a == geo::dimensions::Dimensions::OneDimensional && any(&["0********"]),
    }
}

fn simple(geometry: GeometryRef<'_>) -> geo::Geometry<f64> {
    let coordinates: Vec<geo::Coord<f64>> = geometry
        .positions
        .iter()
        .map(|position| geo::coord! { x: f64::from(position.lon) / 1e7, y: f64::from(position.lat) / 1e7 })
        .collect();
    match geometry.kind {
        GeometryType::Point => geo::Point::from(coordinates[0]).into(),
        GeometryType::LineString => geo::LineString::new(coordinates).into(),
        GeometryType::Polygon => geo::Polygon::new(geo::LineString::new(coordinates), Vec::new()).into(),
        GeometryType::MultiPoint => geo::MultiPoint::from(coordinates).into(),
        GeometryType::MultiLineString | GeometryType::MultiPolygon => unreachable!("the tests make none"),
    }
}
