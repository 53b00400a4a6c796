//! Names checked and resolved, types checked, constants computed: an expression becomes a [`Node`].

use std::sync::Arc;

use crate::access::CollectionView;
use crate::access::View;
use crate::filter::ArrayOperand;
use crate::filter::ArrayOperator;
use crate::filter::Circle;
use crate::filter::Comparison;
use crate::filter::Expr;
use crate::filter::FilterError;
use crate::filter::Function;
use crate::filter::GeometryOperand;
use crate::filter::MAX_DEPTH;
use crate::filter::MAX_IDS;
use crate::filter::MAX_NODES;
use crate::filter::Scalar;
use crate::filter::SpatialOperator;
use crate::filter::TemporalOperand;
use crate::filter::TemporalOperator;
use crate::filter::mask::Trit;
use crate::filter::node::Leaf;
use crate::filter::node::Members;
use crate::filter::node::Node;
use crate::filter::node::Operand;
use crate::filter::node::Place;
use crate::filter::node::Rows;
use crate::filter::node::Test;
use crate::filter::operands::wrong;
use crate::filter::resolve::Resolved;
use crate::filter::text::Pattern;
use crate::filter::value::Type;
use crate::filter::value::compare;
use crate::model::Value;

/// Binds an expression to a collection of a view.
pub struct Binder<'a> {
    pub(super) view: &'a View,
    pub(super) collection: &'a CollectionView,
    pub(super) nodes: usize,
    pub(super) vertices: usize,
    ids: usize,
    /// Parts of other collections that references lead to.
    pub references: Vec<Arc<CollectionView>>,
}

impl<'a> Binder<'a> {
    /// For rows of a collection of a view.
    pub fn new(view: &'a View, collection: &'a CollectionView) -> Self {
        Self { view, collection, nodes: 0, vertices: 0, ids: 0, references: Vec::new() }
    }

    pub(super) fn enter(&mut self, depth: usize) -> Result<(), FilterError> {
        self.nodes += 1;
        if depth > MAX_DEPTH {
            return Err(FilterError::TooDeep);
        }
        at_most(self.nodes, MAX_NODES, "nodes")
    }

    /// The node of an expression.
    ///
    /// # Errors
    /// [`FilterError`].
    pub fn node(&mut self, expr: &Expr, depth: usize) -> Result<Node, FilterError> {
        self.enter(depth)?;
        Ok(match expr {
            Expr::Constant(value) => Node::Constant((*value).into()),
            Expr::And(members) => and(self.nodes(members, depth)?),
            Expr::Or(members) => or(self.nodes(members, depth)?),
            Expr::Not(inner) => not(self.node(inner, depth + 1)?),
            Expr::Compare(comparison, one, other) => self.compare(*comparison, one, other, depth)?,
            Expr::Like(value, pattern) => self.like(value, pattern, depth)?,
            Expr::Between(value, low, high) => {
                let mut operands = self.together(&[value, low, high], depth)?.into_iter();
                match (operands.next(), operands.next(), operands.next()) {
                    (Some(value), Some(low), Some(high)) => leaf(Test::Between(value, low, high)),
                    _ => Node::Constant(Trit::Unknown),
                }
            }
            Expr::In(value, members) => self.member(value, members, depth)?,
            Expr::IsNull(scalar) => self.is_null(scalar, depth)?,
            Expr::Truth(scalar) => self.truth(scalar, depth)?,
            Expr::Spatial(operator, one, other) => self.spatial(*operator, one, other)?,
            Expr::Temporal(operator, one, other) => self.temporal(*operator, one, other, depth)?,
            Expr::Array(operator, one, other) => self.array(*operator, one, other)?,
            Expr::Within(circle) => Node::Circle(circle.clone()),
            Expr::Ids(ids) => self.rows(ids)?,
            Expr::WithoutGeometry => Node::WithoutGeometry,
            Expr::WithoutTime => Node::WithoutTime,
        })
    }

    fn nodes(&mut self, members: &[Expr], depth: usize) -> Result<Vec<Node>, FilterError> {
        members.iter().map(|member| self.node(member, depth + 1)).collect()
    }

    fn compare(
        &mut self,
        comparison: Comparison,
        one: &Scalar,
        other: &Scalar,
        depth: usize,
    ) -> Result<Node, FilterError> {
        let mut operands = self.together(&[one, other], depth)?;
        let (Some(right), Some(left)) = (operands.pop(), operands.pop()) else {
            return Ok(Node::Constant(Trit::Unknown));
        };
        // The constant stands second.
        Ok(match (left.constant(), right.constant()) {
            (Some(one), Some(other)) => {
                let order = compare(&one.as_ref().into(), &other.as_ref().into());
                Node::Constant(order.map(|order| comparison.holds(order)).into())
            }
            (Some(_), None) => leaf(Test::Compare(comparison.flipped(), right, left)),
            _ => leaf(Test::Compare(comparison, left, right)),
        })
    }

    fn like(&mut self, value: &Scalar, pattern: &Scalar, depth: usize) -> Result<Node, FilterError> {
        let (operand, kind) = self.scalar(value, depth + 1)?;
        if !matches!(kind, Type::Text | Type::Null) {
            return Err(wrong(value, kind, "text to be like a pattern"));
        }
        let pattern = match self.scalar(pattern, depth + 1)? {
            (Operand::Constant(Value::Text(text)), _) => Pattern::parse(&text)?,
            (Operand::Constant(_), kind) => return Err(wrong(pattern, kind, "a pattern, which is text")),
            _ => return Err(FilterError::NotConstant { what: "the pattern of LIKE" }),
        };
        Ok(leaf(Test::Like(operand, pattern)))
    }

    fn member(&mut self, value: &Scalar, members: &[Scalar], depth: usize) -> Result<Node, FilterError> {
        let mut all = vec![value];
        all.extend(members);
        let mut operands = self.together(&all, depth)?.into_iter();
        let Some(value) = operands.next() else { return Ok(Node::Constant(Trit::Unknown)) };
        let members: Vec<Operand> = operands.collect();
        let texts = || {
            members.iter().map(|member| match member.constant() {
                Some(Value::Text(text)) => Some(text.clone()),
                _ => None,
            })
        };
        let numbers = || {
            members.iter().map(|member| match member.constant() {
                Some(Value::Int(number)) => Some(*number),
                _ => None,
            })
        };
        let members = if let Some(texts) = texts().collect() {
            Members::Texts(texts)
        } else if let Some(mut numbers) = numbers().collect::<Option<Vec<i64>>>() {
            numbers.sort_unstable();
            numbers.dedup();
            Members::Whole(numbers)
        } else {
            Members::Mixed(members)
        };
        Ok(leaf(Test::In(value, members)))
    }

    fn is_null(&mut self, scalar: &Scalar, depth: usize) -> Result<Node, FilterError> {
        if let Scalar::Property(name) = scalar {
            match self.resolve(name)? {
                Resolved::Geometry => return Ok(Node::WithoutGeometry),
                Resolved::GeometryOf(path) => return Ok(leaf(Test::IsGeometryNull(path))),
                Resolved::Field(..) => {}
            }
        }
        Ok(leaf(Test::IsNull(self.scalar(scalar, depth + 1)?.0)))
    }

    fn truth(&mut self, scalar: &Scalar, depth: usize) -> Result<Node, FilterError> {
        if let Scalar::Call(Function::Within, arguments) = scalar {
            let bad = || FilterError::BadCall {
                name: Function::Within.name(),
                takes: "three constant numbers: longitude, latitude and metres",
            };
            let mut numbers = Vec::new();
            for argument in arguments {
                match self.scalar(argument, depth + 1)?.0.constant() {
                    Some(Value::Int(number)) => numbers.push(*number as f64),
                    Some(Value::Float(number)) => numbers.push(*number),
                    _ => return Err(bad()),
                }
            }
            let [lon, lat, metres] = numbers.as_slice() else { return Err(bad()) };
            return Ok(Node::Circle(Circle::new(*lon, *lat, *metres)?));
        }
        match self.scalar(scalar, depth + 1)? {
            (operand, Type::Boolean | Type::Null) => Ok(leaf(Test::Truth(operand))),
            (_, kind) => Err(wrong(scalar, kind, "a predicate, or a property that is true or false")),
        }
    }

    fn spatial(
        &mut self,
        operator: SpatialOperator,
        one: &GeometryOperand,
        other: &GeometryOperand,
    ) -> Result<Node, FilterError> {
        // A box stands second, and so does any other constant.
        let is_constant = |operand: &GeometryOperand| {
            matches!(operand, GeometryOperand::Literal(_) | GeometryOperand::Bbox(_))
        };
        if is_constant(one) && !is_constant(other) {
            return self.spatial(operator.flipped(), other, one);
        }
        let (first, second) = (self.place(one)?, self.place(other)?);
        if let (Place::Row, GeometryOperand::Bbox(bbox)) = (&first, other) {
            let meets = Node::Bbox(bbox.clone(), Trit::Unknown);
            match operator {
                SpatialOperator::Intersects => return Ok(meets),
                SpatialOperator::Disjoint => return Ok(not(meets)),
                _ => {}
            }
        }
        Ok(leaf(Test::Spatial(operator, first, second)))
    }

    fn temporal(
        &mut self,
        operator: TemporalOperator,
        one: &TemporalOperand,
        other: &TemporalOperand,
        depth: usize,
    ) -> Result<Node, FilterError> {
        if let (TemporalOperator::Intersects, TemporalOperand::Row, TemporalOperand::Span(interval))
        | (TemporalOperator::Intersects, TemporalOperand::Span(interval), TemporalOperand::Row) =
            (operator, one, other)
        {
            return Ok(Node::Time(*interval, Trit::Unknown));
        }
        Ok(leaf(Test::Temporal(operator, self.moment(one, depth)?, self.moment(other, depth)?)))
    }

    fn array(
        &mut self,
        operator: ArrayOperator,
        one: &ArrayOperand,
        other: &ArrayOperand,
    ) -> Result<Node, FilterError> {
        Ok(leaf(Test::Array(operator, self.list(one)?, self.list(other)?)))
    }

    /// The rows with these public ids, or with these UUIDs where rows have no public id.
    fn rows(&mut self, ids: &[String]) -> Result<Node, FilterError> {
        self.ids += ids.len();
        at_most(self.ids, MAX_IDS, "ids")?;
        let mut rows = Rows { places: Vec::new(), windows: Vec::new(), without_geometry: false };
        for id in ids {
            let Some((group, row)) = self.collection.named(id) else { continue };
            let found = &self.collection.groups()[group as usize];
            let at = row as usize;
            // A row with a public id is known by that one alone.
            if found.public_id(at).map_or_else(|| found.id(at).to_string() == *id, |public| public == id) {
                rows.places.push((group, row));
            }
        }
        rows.places.sort_unstable();
        rows.places.dedup();
        for (group, row) in &rows.places {
            let group = &self.collection.groups()[*group as usize];
            if (*row as usize) < group.located() {
                rows.windows.push(group.row_bounds(*row as usize));
            } else {
                rows.without_geometry = true;
            }
        }
        Ok(Node::Rows(rows))
    }
}

pub(super) fn at_most(count: usize, most: usize, what: &'static str) -> Result<(), FilterError> {
    if count > most { Err(FilterError::TooMany { what, most }) } else { Ok(()) }
}

/// A leaf; a constant if it reads nothing of the row.
fn leaf(test: Test) -> Node {
    Node::Leaf(Leaf::new(test))
}

fn not(node: Node) -> Node {
    match node {
        Node::Constant(trit) => Node::Constant(!trit),
        Node::Not(inner) => *inner,
        other => Node::Not(Box::new(other)),
    }
}

fn and(members: Vec<Node>) -> Node {
    if members.iter().any(|member| matches!(member, Node::Constant(Trit::False))) {
        return Node::Constant(Trit::False);
    }
    let mut members: Vec<Node> = members
        .into_iter()
        .filter(|member| !matches!(member, Node::Constant(Trit::True)))
        .flat_map(|member| match member {
            Node::And(members) => members,
            other => vec![other],
        })
        .collect();
    // What is quick to look at comes first: rows that it refuses are not looked at again.
    members.sort_by_key(Node::weight);
    match members.len() {
        0 => Node::Constant(Trit::True),
        1 => members.swap_remove(0),
        _ => Node::And(members),
    }
}

fn or(members: Vec<Node>) -> Node {
    if members.iter().any(|member| matches!(member, Node::Constant(Trit::True))) {
        return Node::Constant(Trit::True);
    }
    let mut members: Vec<Node> = members
        .into_iter()
        .filter(|member| !matches!(member, Node::Constant(Trit::False)))
        .flat_map(|member| match member {
            Node::Or(members) => members,
            other => vec![other],
        })
        .collect();
    members.sort_by_key(Node::weight);
    // What the parameters `bbox` and `datetime` ask is one look, not two.
    match members.as_slice() {
        [] => Node::Constant(Trit::False),
        [Node::Bbox(bbox, Trit::Unknown), Node::WithoutGeometry]
        | [Node::WithoutGeometry, Node::Bbox(bbox, Trit::Unknown)] => Node::Bbox(bbox.clone(), Trit::True),
        [Node::Time(interval, Trit::Unknown), Node::WithoutTime]
        | [Node::WithoutTime, Node::Time(interval, Trit::Unknown)] => Node::Time(*interval, Trit::True),
        [_] => members.swap_remove(0),
        _ => Node::Or(members),
    }
}
