//! Operands of an expression bound: names resolved, types checked, constants read and computed.

use std::sync::Arc;

use crate::filter::ArrayOperand;
use crate::filter::FilterError;
use crate::filter::Function;
use crate::filter::GeometryOperand;
use crate::filter::MAX_NODES;
use crate::filter::MAX_VERTICES;
use crate::filter::Scalar;
use crate::filter::TemporalOperand;
use crate::filter::bind::Binder;
use crate::filter::bind::at_most;
use crate::filter::literal::coerced;
use crate::filter::node::List;
use crate::filter::node::Moment;
use crate::filter::node::Operand;
use crate::filter::node::Place;
use crate::filter::relation::Constant;
use crate::filter::resolve::Resolved;
use crate::filter::resolve::resolve;
use crate::filter::text::Fold;
use crate::filter::text::short;
use crate::filter::value::Type;
use crate::filter::value::compare;
use crate::filter::value::compute;
use crate::model::Value;

impl Binder<'_> {
    pub(super) fn resolve(&mut self, name: &str) -> Result<Resolved, FilterError> {
        let found = resolve(self.view, self.collection, name)?;
        if let Resolved::Field(path, _) | Resolved::GeometryOf(path) = &found {
            for hop in &path.hops {
                if !self.references.iter().any(|known| known.serial() == hop.target.serial()) {
                    self.references.push(Arc::clone(&hop.target));
                }
            }
        }
        Ok(found)
    }

    /// A scalar and its type.
    pub(super) fn scalar(&mut self, scalar: &Scalar, depth: usize) -> Result<(Operand, Type), FilterError> {
        self.enter(depth)?;
        match scalar {
            Scalar::Literal(Value::Float(number)) if !number.is_finite() => Err(FilterError::BadValue {
                value: number.to_string(),
                wanted: "number",
                right: "a finite number",
            }),
            Scalar::Literal(value) => Ok((Operand::Constant(value.clone()), Type::of_value(value))),
            Scalar::Property(name) => match self.resolve(name)? {
                Resolved::Field(path, kind) => Ok((Operand::Path(path), kind)),
                Resolved::Geometry | Resolved::GeometryOf(_) => Err(wrong(
                    scalar,
                    Type::Geometry,
                    "a property with plain values, or use a spatial predicate",
                )),
            },
            Scalar::Arithmetic(operator, one, other) => {
                let mut number = |scalar: &Scalar| match self.scalar(scalar, depth + 1)? {
                    (operand, Type::Number | Type::Null) => Ok(operand),
                    (_, kind) => Err(wrong(scalar, kind, "a number to compute with")),
                };
                let (one, other) = (number(one)?, number(other)?);
                let operand = match (one.constant(), other.constant()) {
                    (Some(one), Some(other)) => Operand::Constant(
                        compute(*operator, &one.as_ref().into(), &other.as_ref().into()).to_value(),
                    ),
                    _ => Operand::Arithmetic(*operator, Box::new(one), Box::new(other)),
                };
                Ok((operand, Type::Number))
            }
            Scalar::Call(function @ (Function::Casei | Function::Accenti), arguments) => {
                let [argument] = arguments.as_slice() else {
                    return Err(FilterError::BadCall { name: function.name(), takes: "one text" });
                };
                let fold = if *function == Function::Casei { Fold::Case } else { Fold::Accents };
                match self.scalar(argument, depth + 1)? {
                    (Operand::Constant(Value::Text(text)), _) => {
                        let folded = fold.apply(text.into()).into_owned();
                        Ok((Operand::Constant(Value::Text(folded)), Type::Text))
                    }
                    (operand, Type::Text | Type::Null) => {
                        Ok((Operand::Fold(fold, Box::new(operand)), Type::Text))
                    }
                    (_, kind) => Err(wrong(argument, kind, "text")),
                }
            }
            Scalar::Call(Function::Within, _) => {
                Err(wrong(scalar, Type::Boolean, "within(lon, lat, metres) alone, not as an operand"))
            }
        }
    }

    /// Scalars that go together: of one type, or dates and instants; a constant text beside those is read as one.
    pub(super) fn together(
        &mut self,
        scalars: &[&Scalar],
        depth: usize,
    ) -> Result<Vec<Operand>, FilterError> {
        let mut operands =
            scalars.iter().map(|scalar| self.scalar(scalar, depth + 1)).collect::<Result<Vec<_>, _>>()?;
        // What the operands are is what the first says that is no constant, or the first.
        let lead = operands
            .iter()
            .position(|(operand, _)| operand.constant().is_none())
            .unwrap_or(operands.iter().position(|(_, kind)| *kind != Type::Null).unwrap_or(0));
        let (lead_kind, lead_scalar) = (operands[lead].1, scalars[lead]);
        if !matches!(lead_kind, Type::Null | Type::Boolean | Type::Number | Type::Text)
            && !lead_kind.is_time()
        {
            return Err(wrong(
                lead_scalar,
                lead_kind,
                "a property with plain values: a list has the array predicates, JSON only IS NULL",
            ));
        }
        for ((operand, kind), scalar) in operands.iter_mut().zip(scalars) {
            if let Operand::Constant(value) = operand {
                *value = coerced(value.clone(), lead_kind)?;
                *kind = Type::of_value(value);
            }
            let fits = *kind == lead_kind
                || *kind == Type::Null
                || lead_kind == Type::Null
                || (kind.is_time() && lead_kind.is_time());
            if !fits {
                let right = format!("{}, as {} is", lead_kind.name(), label(lead_scalar));
                return Err(FilterError::WrongType { what: label(scalar), found: kind.name(), right });
            }
        }
        Ok(operands.into_iter().map(|(operand, _)| operand).collect())
    }

    pub(super) fn place(&mut self, operand: &GeometryOperand) -> Result<Place, FilterError> {
        Ok(match operand {
            GeometryOperand::Row => Place::Row,
            GeometryOperand::Property(name) => match self.resolve(name)? {
                Resolved::Geometry => Place::Row,
                Resolved::GeometryOf(path) => Place::Path(path),
                Resolved::Field(_, kind) => {
                    let what = short(name);
                    let right =
                        "geometry, or the geometry of a reference, such as station.geometry".to_owned();
                    return Err(FilterError::WrongType { what, found: kind.name(), right });
                }
            },
            GeometryOperand::Literal(geometry) => {
                self.vertices += geometry.as_ref().positions.len();
                at_most(self.vertices, MAX_VERTICES, "vertices")?;
                Place::Constant(Constant::of(geometry))
            }
            GeometryOperand::Bbox(bbox) => Place::Constant(Constant::of_bbox(bbox)),
        })
    }

    pub(super) fn moment(&mut self, operand: &TemporalOperand, depth: usize) -> Result<Moment, FilterError> {
        Ok(match operand {
            TemporalOperand::Row => Moment::Row,
            TemporalOperand::Span(interval) => Moment::Span(*interval),
            TemporalOperand::Instant(scalar) => Moment::Instant(self.time(scalar, depth)?),
            TemporalOperand::Interval(start, end) => {
                let mut time =
                    |end: &Option<Scalar>| end.as_ref().map(|scalar| self.time(scalar, depth)).transpose();
                let (start, end) = (time(start)?, time(end)?);
                if let (Some(Operand::Constant(from)), Some(Operand::Constant(to))) = (&start, &end)
                    && compare(&from.as_ref().into(), &to.as_ref().into())
                        .is_some_and(std::cmp::Ordering::is_gt)
                {
                    let value = format!("{}/{}", from.as_ref().to_text(), to.as_ref().to_text());
                    let right = "the earlier end first";
                    return Err(FilterError::BadValue { value, wanted: "interval", right });
                }
                Moment::Interval(start, end)
            }
        })
    }

    /// A date or an instant.
    pub(super) fn time(&mut self, scalar: &Scalar, depth: usize) -> Result<Operand, FilterError> {
        match self.scalar(scalar, depth + 1)? {
            (Operand::Constant(value), _) => {
                let value = coerced(value, Type::Timestamp)?;
                match Type::of_value(&value) {
                    Type::Date | Type::Timestamp | Type::Null => Ok(Operand::Constant(value)),
                    kind => Err(wrong(scalar, kind, "a date or an instant")),
                }
            }
            (operand, Type::Date | Type::Timestamp) => Ok(operand),
            (_, kind) => Err(wrong(scalar, kind, "a date or an instant")),
        }
    }

    pub(super) fn list(&mut self, operand: &ArrayOperand) -> Result<List, FilterError> {
        match operand {
            ArrayOperand::Literal(members) => {
                self.nodes += members.len();
                at_most(self.nodes, MAX_NODES, "nodes")?;
                let mut members = members.clone();
                members.sort_unstable();
                members.dedup();
                Ok(List::Constant(members))
            }
            ArrayOperand::Property(name) => match self.resolve(name)? {
                Resolved::Field(path, Type::List) => Ok(List::Path(path)),
                Resolved::Field(_, kind) => Err(wrong_list(name, kind)),
                Resolved::Geometry | Resolved::GeometryOf(_) => Err(wrong_list(name, Type::Geometry)),
            },
        }
    }
}

pub(super) fn wrong(scalar: &Scalar, found: Type, right: &str) -> FilterError {
    FilterError::WrongType { what: label(scalar), found: found.name(), right: right.to_owned() }
}

pub(super) fn wrong_list(name: &str, found: Type) -> FilterError {
    FilterError::WrongType {
        what: short(name),
        found: found.name(),
        right: "a property that is a list".to_owned(),
    }
}

/// What messages call a scalar.
pub(super) fn label(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Literal(Value::Text(text)) => format!("{:?}", short(text)),
        Scalar::Literal(Value::Null) => "null".to_owned(),
        Scalar::Literal(value) => short(&value.as_ref().to_text()),
        Scalar::Property(name) => short(name),
        Scalar::Arithmetic(..) => "the result of arithmetic".to_owned(),
        Scalar::Call(function, _) => format!("{}(...)", function.name()),
    }
}
