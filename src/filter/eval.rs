//! A test of one row, value by value: what is not done by a loop over a column.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::access::RowGroup;
use crate::filter::ArrayOperator;
use crate::filter::mask::Trit;
use crate::filter::node::List;
use crate::filter::node::Members;
use crate::filter::node::Moment;
use crate::filter::node::Operand;
use crate::filter::node::Path;
use crate::filter::node::Place;
use crate::filter::node::Test;
use crate::filter::relation::Relation;
use crate::filter::temporal;
use crate::filter::value::Val;
use crate::filter::value::compare;
use crate::filter::value::compute;
use crate::model::GeometryRef;
use crate::model::ValueRef;

/// A row, or what it would be with another value in one field: so a test is made once for each text of a dictionary.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    pub group: &'a RowGroup,
    pub row: usize,
    pub instead: Option<(usize, ValueRef<'a>)>,
}

impl<'a> At<'a> {
    fn value(&self, field: usize) -> ValueRef<'a> {
        match self.instead {
            Some((place, value)) if place == field => value,
            _ => self.group.value(field, self.row),
        }
    }
}

impl Path {
    /// The row that the last hop leads to.
    fn end<'a>(&'a self, at: &At<'a>) -> Option<(&'a RowGroup, usize, Option<usize>)> {
        let mut value = at.value(self.field);
        let mut found = None;
        for hop in &self.hops {
            let ValueRef::Text(text) = value else { return None };
            let (group, row) = hop.target.named(text)?;
            let group = &hop.target.groups()[group as usize];
            value = hop.field.map_or(ValueRef::Null, |field| group.value(field, row as usize));
            found = Some((group.as_ref(), row as usize, hop.field));
        }
        found
    }

    /// The value there; null if a reference names no row that the caller may see.
    pub fn value<'a>(&'a self, at: &At<'a>) -> ValueRef<'a> {
        if self.hops.is_empty() {
            return at.value(self.field);
        }
        match self.end(at) {
            Some((group, row, Some(field))) => group.value(field, row),
            _ => ValueRef::Null,
        }
    }

    /// The geometry there.
    pub fn geometry<'a>(&'a self, at: &At<'a>) -> Option<GeometryRef<'a>> {
        let (group, row, _) = self.end(at)?;
        group.geometry(row)
    }
}

impl Operand {
    /// Its value for a row.
    pub fn value<'a>(&'a self, at: &At<'a>) -> Val<'a> {
        match self {
            Self::Constant(value) => value.as_ref().into(),
            Self::Path(path) => path.value(at).into(),
            Self::Arithmetic(operator, one, other) => compute(*operator, &one.value(at), &other.value(at)),
            Self::Fold(fold, inner) => match inner.value(at) {
                Val::Text(text) => Val::Text(fold.apply(text)),
                _ => Val::Null,
            },
        }
    }
}

impl Moment {
    /// Its start and its end, each with the first and the last microsecond that it may mean.
    fn ends(&self, at: &At<'_>) -> Option<temporal::Ends> {
        let exact = |start: i64, end: i64| temporal::Ends { start: (start, start), end: (end, end) };
        Some(match self {
            Self::Row => match at.group.time(at.row) {
                (i64::MIN, i64::MAX) => return None,
                (start, end) => exact(start, end),
            },
            Self::Span(interval) => exact(interval.start, interval.end),
            Self::Instant(operand) => {
                let moment = operand.value(at).moment()?;
                temporal::Ends { start: moment, end: moment }
            }
            Self::Interval(start, end) => {
                let moment = |operand: &Option<Operand>, open: i64| match operand {
                    None => Some((open, open)),
                    Some(operand) => operand.value(at).moment(),
                };
                temporal::Ends { start: moment(start, i64::MIN)?, end: moment(end, i64::MAX)? }
            }
        })
    }
}

impl List {
    /// Its members, sorted, each once; `None` if it is null or no list of texts.
    fn members<'a>(&'a self, at: &At<'a>) -> Option<Vec<Cow<'a, str>>> {
        match self {
            Self::Constant(members) => Some(members.iter().map(|member| member.as_str().into()).collect()),
            Self::Path(path) => match path.value(at) {
                ValueRef::Json(json) => {
                    let mut members: Vec<Cow<'a, str>> =
                        serde_json::from_str::<Vec<String>>(json).ok()?.into_iter().map(Cow::Owned).collect();
                    members.sort_unstable();
                    members.dedup();
                    Some(members)
                }
                _ => None,
            },
        }
    }
}

fn compare_lists(operator: ArrayOperator, one: &[Cow<'_, str>], other: &[Cow<'_, str>]) -> bool {
    let holds = |all: &[Cow<'_, str>], member: &Cow<'_, str>| all.binary_search(member).is_ok();
    match operator {
        ArrayOperator::Equals => one == other,
        ArrayOperator::Contains => other.iter().all(|member| holds(one, member)),
        ArrayOperator::ContainedBy => one.iter().all(|member| holds(other, member)),
        ArrayOperator::Overlaps => one.iter().any(|member| holds(other, member)),
    }
}

impl Members {
    fn has(&self, value: &Val<'_>, at: &At<'_>) -> Trit {
        match (self, value) {
            (_, Val::Null) => Trit::Unknown,
            (Self::Texts(texts), Val::Text(text)) => texts.contains(text.as_ref()).into(),
            (Self::Whole(numbers), Val::Int(number)) => numbers.binary_search(number).is_ok().into(),
            (Self::Whole(numbers), value) => numbers
                .iter()
                .any(|number| compare(&Val::Int(*number), value).is_some_and(Ordering::is_eq))
                .into(),
            (Self::Texts(_), _) => Trit::False,
            (Self::Mixed(members), value) => {
                let mut found = Trit::False;
                for member in members {
                    match compare(value, &member.value(at)) {
                        Some(order) if order.is_eq() => return Trit::True,
                        Some(_) => {}
                        None => found = Trit::Unknown,
                    }
                }
                found
            }
        }
    }
}

impl Test {
    /// Whether it is so of a row. `relation` is that of a spatial test.
    pub fn of(&self, at: &At<'_>, relation: Option<&Relation<'_>>) -> Trit {
        match self {
            Self::Compare(comparison, one, other) => {
                compare(&one.value(at), &other.value(at)).map(|order| comparison.holds(order)).into()
            }
            Self::Like(value, pattern) => match value.value(at) {
                Val::Text(text) => pattern.fits(&text).into(),
                _ => Trit::Unknown,
            },
            Self::Between(value, low, high) => {
                let value = value.value(at);
                let above = compare(&value, &low.value(at)).map(Ordering::is_ge);
                let below = compare(&value, &high.value(at)).map(Ordering::is_le);
                match (above, below) {
                    (Some(false), _) | (_, Some(false)) => Trit::False,
                    (Some(true), Some(true)) => Trit::True,
                    _ => Trit::Unknown,
                }
            }
            Self::In(value, members) => members.has(&value.value(at), at),
            Self::IsNull(operand) => matches!(operand.value(at), Val::Null).into(),
            Self::IsGeometryNull(path) => path.geometry(at).is_none().into(),
            Self::Truth(operand) => match operand.value(at) {
                Val::Bool(value) => value.into(),
                _ => Trit::Unknown,
            },
            Self::Temporal(operator, one, other) => {
                let ends = one.ends(at).zip(other.ends(at));
                ends.map(|(one, other)| operator.holds(one, other)).into()
            }
            Self::Array(operator, one, other) => {
                let lists = one.members(at).zip(other.members(at));
                lists.map(|(one, other)| compare_lists(*operator, &one, &other)).into()
            }
            Self::Spatial(operator, one, other) => match relation {
                Some(relation) => relation.holds(at).into(),
                None => Relation::new(*operator, one, other).holds(at).into(),
            },
        }
    }
}

impl Place {
    /// Its geometry for a row, if it is not a constant.
    pub fn geometry<'a>(&'a self, at: &At<'a>) -> Option<GeometryRef<'a>> {
        match self {
            Self::Row => at.group.geometry(at.row),
            Self::Path(path) => path.geometry(at),
            Self::Constant(_) => None,
        }
    }
}
