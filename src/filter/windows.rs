//! Windows of a bound expression for the index, and about how much work its rows are.

use crate::filter::SpatialOperator;
use crate::filter::mask::Trit;
use crate::filter::node::Node;
use crate::filter::node::Place;
use crate::filter::node::Test;
use crate::model::geometry::Bounds;

/// The most windows of one expression: more become the box around them.
const MOST_WINDOWS: usize = 16;

impl Node {
    /// About how many times as long a row takes as one comparison of a column.
    pub fn weight(&self) -> usize {
        match self {
            Self::Constant(_) | Self::WithoutGeometry => 0,
            Self::Bbox(..) | Self::Time(..) | Self::WithoutTime | Self::Rows(_) => 1,
            Self::Circle(_) => 2,
            Self::And(members) | Self::Or(members) => members.iter().map(Self::weight).sum(),
            Self::Not(inner) => inner.weight(),
            Self::Leaf(leaf) => leaf.weight(),
        }
    }

    /// Boxes outside which it is true of no located row.
    pub fn windows(&self, are_points: &dyn Fn() -> bool) -> Option<Vec<Bounds>> {
        let windows = match self {
            Self::Constant(Trit::True) | Self::Not(_) | Self::Time(..) | Self::WithoutTime => return None,
            Self::Constant(_) | Self::WithoutGeometry => Vec::new(),
            Self::Bbox(bbox, _) => bbox.windows().to_vec(),
            Self::Circle(circle) => circle.windows().to_vec(),
            Self::Rows(rows) => rows.windows.clone(),
            Self::And(members) => {
                let limits = members.iter().filter_map(|member| member.windows(are_points));
                limits.reduce(|one, other| both(one, other, are_points))?
            }
            Self::Or(members) => {
                let each: Option<Vec<_>> = members.iter().map(|member| member.windows(are_points)).collect();
                each?.concat()
            }
            Self::Leaf(leaf) => match &leaf.test {
                Test::Spatial(operator, Place::Row, Place::Constant(constant))
                    if *operator != SpatialOperator::Disjoint =>
                {
                    constant.windows().to_vec()
                }
                _ => return None,
            },
        };
        Some(few(windows))
    }

    /// Whether it may be true of a row without geometry.
    pub fn without_geometry(&self) -> bool {
        match self {
            Self::Constant(trit) => *trit == Trit::True,
            Self::And(members) => members.iter().all(Self::without_geometry),
            Self::Or(members) => members.iter().any(Self::without_geometry),
            Self::Bbox(_, elsewhere) => *elsewhere == Trit::True,
            Self::Circle(_) => false,
            Self::Rows(rows) => rows.without_geometry,
            Self::Not(_) | Self::WithoutGeometry | Self::Time(..) | Self::WithoutTime | Self::Leaf(_) => true,
        }
    }
}

/// Windows of what lies in windows of both. Two boxes that share nothing may both be met by one line or polygon: then
/// the smaller windows are taken whole.
fn both(one: Vec<Bounds>, other: Vec<Bounds>, are_points: &dyn Fn() -> bool) -> Vec<Bounds> {
    let shared = |a: &Bounds, b: &Bounds| Bounds {
        west: a.west.max(b.west),
        south: a.south.max(b.south),
        east: a.east.min(b.east),
        north: a.north.min(b.north),
    };
    let pairs: Vec<Bounds> = one.iter().flat_map(|a| other.iter().map(move |b| shared(a, b))).collect();
    let met: Vec<Bounds> = pairs.iter().filter(|window| !window.is_empty()).copied().collect();
    if met.len() == pairs.len() || are_points() {
        return met;
    }
    if size(&one) <= size(&other) { one } else { other }
}

fn size(windows: &[Bounds]) -> f64 {
    let side = |low: i32, high: i32| f64::from(high) - f64::from(low);
    windows.iter().map(|window| side(window.west, window.east) * side(window.south, window.north)).sum()
}

fn few(windows: Vec<Bounds>) -> Vec<Bounds> {
    if windows.len() <= MOST_WINDOWS {
        return windows;
    }
    let mut around = Bounds::EMPTY;
    for window in &windows {
        around.merge(window);
    }
    vec![around]
}
