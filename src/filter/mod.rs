//! Filters: one typed expression, bound to a collection of a view, read as bit masks over blocks of 64 rows.
//!
//! In: an [`Expr`], built from parameters ([`from_parameters`]) or by a parser, and the view of the caller. Out: a
//! [`Bound`]: windows for the index, and for each row group [`GroupMasks`] with the rows of which the expression is
//! true and those of which it is unknown (three-valued logic, as in SQL). Positions are WGS 84 longitude and latitude
//! in degrees, distances metres, instants UTC. Pure: no clock, no lock, no I/O.
//! Not here: paging and counting (`query`), the texts of CQL2, names of HTTP parameters (`http`).

mod bind;
mod bound;
mod centre;
mod compare;
mod distance;
mod error;
mod eval;
mod expr;
mod group;
mod kernel;
mod literal;
mod mask;
#[cfg(test)]
mod naive;
mod node;
mod operands;
mod parameters;
mod place;
mod relation;
mod resolve;
mod temporal;
#[cfg(test)]
mod tests;
mod text;
mod value;
mod windows;

pub use bound::Bound;
pub use centre::Centre;
pub use centre::haversine_of;
pub use distance::check_position;
pub use distance::distance_m;
pub use distance::geometry_distance_m;
pub use error::FilterError;
pub use expr::ArithmeticOperator;
pub use expr::ArrayOperand;
pub use expr::ArrayOperator;
pub use expr::Comparison;
pub use expr::Expr;
pub use expr::Function;
pub use expr::GeometryOperand;
pub use expr::Scalar;
pub use expr::SpatialOperator;
pub use expr::TemporalOperand;
pub use expr::TemporalOperator;
pub use group::GroupMasks;
pub use group::bits_in;
pub use mask::Mask;
pub use parameters::ParameterError;
pub use parameters::from_parameters;
pub use place::Bbox;
pub use place::Circle;
pub use text::without_case;

/// The deepest nesting of an expression.
pub const MAX_DEPTH: usize = 64;
/// The most nodes of an expression, members of IN lists counted.
pub const MAX_NODES: usize = 10_000;
/// The most ids in one expression.
pub const MAX_IDS: usize = 10_000;
/// The most vertices of all geometries in one expression.
pub const MAX_VERTICES: usize = 100_000;
/// The most references in one path: `leg.line.status` follows two.
pub const MAX_HOPS: usize = 4;
/// The longest LIKE pattern, in characters.
pub const MAX_PATTERN: usize = 1_000;
