//! The expression tree: every kind of node that CQL2 has, and those of OGC API parameters.
//!
//! Source: OGC 21-065r2, Common Query Language (CQL2), clauses 6 and 7.

use crate::filter::Bbox;
use crate::filter::Circle;
use crate::model::Geometry;
use crate::model::Value;
use crate::model::time::Interval;

/// What is true, false or unknown of a row. A row matches where it is true.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// The same for every row.
    Constant(bool),
    /// True where all members are; false where one is false. True of every row if there is no member.
    And(Vec<Expr>),
    /// True where one member is; false where all are false. False of every row if there is no member.
    Or(Vec<Expr>),
    /// True where the other is false. Unknown stays unknown.
    Not(Box<Expr>),
    /// Two scalars of one type compared; unknown if one is null.
    Compare(Comparison, Scalar, Scalar),
    /// A text that fits a constant pattern: `%` is any run of characters, `_` one character, `\` takes the next
    /// character as it is.
    Like(Scalar, Scalar),
    /// A value from the first limit to the second, both included.
    Between(Scalar, Scalar, Scalar),
    /// A value that equals a member of a list.
    In(Scalar, Vec<Scalar>),
    /// A null value. A property may also be a geometry or a list.
    IsNull(Scalar),
    /// A boolean scalar.
    Truth(Scalar),
    /// Two geometries compared, edges straight in longitude and latitude; unknown if one is null.
    Spatial(SpatialOperator, GeometryOperand, GeometryOperand),
    /// Two instants or intervals compared; unknown if one is null.
    Temporal(TemporalOperator, TemporalOperand, TemporalOperand),
    /// Two lists compared as sets; unknown if one is null.
    Array(ArrayOperator, ArrayOperand, ArrayOperand),
    /// A row within a geodesic distance; unknown without geometry.
    Within(Circle),
    /// A row with one of these public ids.
    Ids(Vec<String>),
    /// A row without geometry: the parameter `bbox` matches it too (OGC API - Features - Part 1, 7.15.3).
    WithoutGeometry,
    /// A row without time: the parameter `datetime` matches it too (7.15.4).
    WithoutTime,
}

/// Operators of comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `>`
    Greater,
    /// `<=`
    LessOrEqual,
    /// `>=`
    GreaterOrEqual,
}

/// A value of a row, a constant, or what is computed of them.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// A constant. A text beside a date or an instant is read as one.
    Literal(Value),
    /// A property by its name; through references with dots, `line.status`. `geometry` is the row's geometry where no
    /// field has that name.
    Property(String),
    /// Arithmetic of two numbers. Whole numbers stay whole, except by `/` and `^` and beyond 64 bits. Null where there
    /// is no finite number, as in a division by 0.
    Arithmetic(ArithmeticOperator, Box<Scalar>, Box<Scalar>),
    /// A function of scalars.
    Call(Function, Vec<Scalar>),
}

/// Operators of arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArithmeticOperator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`, never a whole-number division.
    Divide,
    /// `%`, with the sign of the dividend.
    Modulo,
    /// `^`
    Power,
    /// `div`, rounded towards zero.
    IntegerDivide,
}

/// Functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// `casei(text)`: without case.
    Casei,
    /// `accenti(text)`: without accents and other combining marks.
    Accenti,
    /// `within(lon, lat, metres)`: whether the row lies within a geodesic distance. Its arguments are constant numbers.
    Within,
}

impl Function {
    /// Every function.
    pub const ALL: [Self; 3] = [Self::Casei, Self::Accenti, Self::Within];

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Casei => "casei",
            Self::Accenti => "accenti",
            Self::Within => "within",
        }
    }

    /// The function of a name, in either case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name().eq_ignore_ascii_case(name))
    }
}

/// A geometry to compare.
#[derive(Debug, Clone, PartialEq)]
pub enum GeometryOperand {
    /// The row's own.
    Row,
    /// A property by its name: `geometry`, or `station.geometry` through a reference.
    Property(String),
    /// A constant.
    Literal(Geometry),
    /// A constant box.
    Bbox(Bbox),
}

/// Predicates of geometry by DE-9IM (OGC 06-103r4, 6.1.15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpatialOperator {
    /// They share a position.
    Intersects,
    /// They are the same set of positions.
    Equals,
    /// They share no position.
    Disjoint,
    /// They share positions, none of them inside both.
    Touches,
    /// The first lies in the second.
    Within,
    /// Of equal dimension, they share a part of that dimension and each has one of its own.
    Overlaps,
    /// They share inner positions of less than the greater dimension, and not all of either.
    Crosses,
    /// The second lies in the first.
    Contains,
}

/// An instant or an interval to compare.
#[derive(Debug, Clone, PartialEq)]
pub enum TemporalOperand {
    /// The row's own time, as the parameter `datetime` looks at it.
    Row,
    /// A constant interval of instants.
    Span(Interval),
    /// A date or an instant. A date is as coarse as it is written: it equals every instant of the day in UTC.
    Instant(Scalar),
    /// From a date or an instant to another; `None` is an open end. Null if an end that is given is null.
    Interval(Option<Scalar>, Option<Scalar>),
}

/// The temporal predicates of CQL2 (table 8): those of Allen's interval algebra, and `Disjoint` and `Intersects`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TemporalOperator {
    /// The first begins after the second ends.
    After,
    /// The first ends before the second begins.
    Before,
    /// The first begins before and ends after the second.
    Contains,
    /// They share no instant.
    Disjoint,
    /// The first begins after and ends before the second does.
    During,
    /// They begin and end together.
    Equals,
    /// They end together, the first begins before.
    FinishedBy,
    /// They end together, the first begins after.
    Finishes,
    /// They share an instant.
    Intersects,
    /// The first ends where the second begins.
    Meets,
    /// The first begins where the second ends.
    MetBy,
    /// The first begins inside the second and ends after it.
    OverlappedBy,
    /// The first begins before the second and ends inside it.
    Overlaps,
    /// They begin together, the first ends after.
    StartedBy,
    /// They begin together, the first ends before.
    Starts,
}

/// A list of texts to compare.
#[derive(Debug, Clone, PartialEq)]
pub enum ArrayOperand {
    /// A list property by its name.
    Property(String),
    /// A constant.
    Literal(Vec<String>),
}

/// Predicates of lists, which are looked at as sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArrayOperator {
    /// They have the same members.
    Equals,
    /// The first has all members of the second.
    Contains,
    /// The second has all members of the first.
    ContainedBy,
    /// They share a member.
    Overlaps,
}

impl Expr {
    /// True of every row.
    #[must_use]
    pub fn everything() -> Self {
        Self::And(Vec::new())
    }

    /// What the parameter `bbox` asks: rows that share a position with the box, and rows without geometry.
    #[must_use]
    pub fn bbox(bbox: Bbox) -> Self {
        let meets =
            Self::Spatial(SpatialOperator::Intersects, GeometryOperand::Row, GeometryOperand::Bbox(bbox));
        Self::Or(vec![meets, Self::WithoutGeometry])
    }

    /// What the parameter `datetime` asks: rows with a time that meets the interval, and rows without time.
    #[must_use]
    pub fn datetime(interval: Interval) -> Self {
        let meets = Self::Temporal(
            TemporalOperator::Intersects,
            TemporalOperand::Row,
            TemporalOperand::Span(interval),
        );
        Self::Or(vec![meets, Self::WithoutTime])
    }
}
