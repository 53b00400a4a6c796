//! The bound expression: places of fields instead of names, constants in their types, references with their targets.

use std::sync::Arc;

use hashbrown::HashSet;

use crate::access::CollectionView;
use crate::filter::ArithmeticOperator;
use crate::filter::ArrayOperator;
use crate::filter::Bbox;
use crate::filter::Circle;
use crate::filter::Comparison;
use crate::filter::SpatialOperator;
use crate::filter::TemporalOperator;
use crate::filter::mask::Trit;
use crate::filter::relation::Constant;
use crate::filter::text::Fold;
use crate::filter::text::Pattern;
use crate::model::Value;
use crate::model::geometry::Bounds;
use crate::model::time::Interval;

/// A node of a bound expression.
#[derive(Debug)]
pub enum Node {
    /// The same for every row.
    Constant(Trit),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    /// Rows that share a position with a box; what is so of rows without geometry.
    Bbox(Bbox, Trit),
    /// Rows within a circle; unknown of rows without geometry.
    Circle(Circle),
    WithoutGeometry,
    /// Rows with a time that meets an interval; what is so of rows without time.
    Time(Interval, Trit),
    WithoutTime,
    /// Some rows, in order: the place of the group and of the row in it.
    Rows(Rows),
    /// What is looked at in a row's values.
    Leaf(Leaf),
}

/// Rows by their places.
#[derive(Debug)]
pub struct Rows {
    /// Group and row, sorted, each once.
    pub places: Vec<(u32, u32)>,
    /// Boxes of the located ones.
    pub windows: Vec<Bounds>,
    /// Whether one has no geometry.
    pub without_geometry: bool,
}

/// A test of a row with what it reads.
#[derive(Debug)]
pub struct Leaf {
    pub test: Test,
    /// Places of the fields of the row itself that it reads, each once.
    pub fields: Vec<usize>,
    /// Whether it reads the row's geometry or time.
    pub reads_place: bool,
}

/// A predicate of a row's values.
#[derive(Debug)]
pub enum Test {
    Compare(Comparison, Operand, Operand),
    Like(Operand, Pattern),
    Between(Operand, Operand, Operand),
    In(Operand, Members),
    IsNull(Operand),
    /// Whether there is no geometry at the end of a path.
    IsGeometryNull(Path),
    Truth(Operand),
    Temporal(TemporalOperator, Moment, Moment),
    Array(ArrayOperator, List, List),
    Spatial(SpatialOperator, Place, Place),
}

/// A scalar.
#[derive(Debug)]
pub enum Operand {
    Constant(Value),
    Path(Path),
    Arithmetic(ArithmeticOperator, Box<Operand>, Box<Operand>),
    Fold(Fold, Box<Operand>),
}

/// A field of the row, or of the row that a chain of references leads to.
#[derive(Debug, Clone)]
pub struct Path {
    /// Place of the row's own field.
    pub field: usize,
    /// References followed from there.
    pub hops: Vec<Hop>,
}

/// A reference followed.
#[derive(Debug, Clone)]
pub struct Hop {
    /// The view's part of the collection that it leads to.
    pub target: Arc<CollectionView>,
    /// Place of the field there; `None` for the geometry, which only the last hop has.
    pub field: Option<usize>,
}

/// Members of an IN list: constants of one type are looked up, others compared one by one.
#[derive(Debug)]
pub enum Members {
    Texts(HashSet<String>),
    /// Sorted.
    Whole(Vec<i64>),
    Mixed(Vec<Operand>),
}

/// An instant or an interval.
#[derive(Debug)]
pub enum Moment {
    Row,
    Span(Interval),
    Instant(Operand),
    Interval(Option<Operand>, Option<Operand>),
}

/// A list of texts.
#[derive(Debug)]
pub enum List {
    Path(Path),
    /// Sorted, each once.
    Constant(Vec<String>),
}

/// A geometry.
#[derive(Debug)]
pub enum Place {
    Row,
    Path(Path),
    Constant(Constant),
}

impl Leaf {
    /// A test with what it reads.
    pub fn new(test: Test) -> Self {
        let mut leaf = Self {
            test: Test::IsNull(Operand::Constant(Value::Null)),
            fields: Vec::new(),
            reads_place: false,
        };
        leaf.read(&test);
        leaf.fields.sort_unstable();
        leaf.fields.dedup();
        leaf.test = test;
        leaf
    }

    fn read(&mut self, test: &Test) {
        match test {
            Test::Compare(_, one, other) => {
                self.operand(one);
                self.operand(other);
            }
            Test::Like(value, _) | Test::IsNull(value) | Test::Truth(value) => self.operand(value),
            Test::Between(value, low, high) => {
                for operand in [value, low, high] {
                    self.operand(operand);
                }
            }
            Test::In(value, members) => {
                self.operand(value);
                if let Members::Mixed(members) = members {
                    for member in members {
                        self.operand(member);
                    }
                }
            }
            Test::IsGeometryNull(path) => self.fields.push(path.field),
            Test::Temporal(_, one, other) => {
                for moment in [one, other] {
                    match moment {
                        Moment::Row => self.reads_place = true,
                        Moment::Span(_) => {}
                        Moment::Instant(operand) => self.operand(operand),
                        Moment::Interval(start, end) => {
                            start.iter().chain(end).for_each(|operand| self.operand(operand));
                        }
                    }
                }
            }
            Test::Array(_, one, other) => {
                for list in [one, other] {
                    if let List::Path(path) = list {
                        self.fields.push(path.field);
                    }
                }
            }
            Test::Spatial(_, one, other) => {
                for place in [one, other] {
                    match place {
                        Place::Row => self.reads_place = true,
                        Place::Path(path) => self.fields.push(path.field),
                        Place::Constant(_) => {}
                    }
                }
            }
        }
    }

    fn operand(&mut self, operand: &Operand) {
        match operand {
            Operand::Constant(_) => {}
            Operand::Path(path) => self.fields.push(path.field),
            Operand::Arithmetic(_, one, other) => {
                self.operand(one);
                self.operand(other);
            }
            Operand::Fold(_, inner) => self.operand(inner),
        }
    }

    /// About how many times as long a row takes as one comparison of a column.
    pub fn weight(&self) -> usize {
        match &self.test {
            Test::Spatial(..) => 100,
            Test::Compare(..) | Test::Between(..) | Test::IsNull(_) => 1,
            Test::Like(..)
            | Test::In(..)
            | Test::IsGeometryNull(_)
            | Test::Truth(_)
            | Test::Temporal(..)
            | Test::Array(..) => 5,
        }
    }
}

impl Operand {
    /// Its value, if it is a constant.
    pub fn constant(&self) -> Option<&Value> {
        match self {
            Self::Constant(value) => Some(value),
            Self::Path(_) | Self::Arithmetic(..) | Self::Fold(..) => None,
        }
    }

    /// The place of the row's own field that it is.
    pub fn own_field(&self) -> Option<usize> {
        match self {
            Self::Path(path) if path.hops.is_empty() => Some(path.field),
            _ => None,
        }
    }
}
