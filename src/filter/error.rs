//! Why an expression was refused: what was wrong, and what would be right.

use crate::filter::MAX_DEPTH;
use crate::filter::MAX_HOPS;

/// Why an expression was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FilterError {
    /// NaN or infinity.
    #[error("coordinates must be finite numbers")]
    NotFinite,
    /// South above north.
    #[error("south ({south}) is above north ({north}); give west,south,east,north")]
    SouthAboveNorth {
        /// The second number, in degrees.
        south: f64,
        /// The fourth.
        north: f64,
    },
    /// A position off the earth.
    #[error("longitude must be -180 to 180 and latitude -90 to 90")]
    OffTheEarth,
    /// A distance that is negative or no number.
    #[error("the distance in metres must be 0 or more")]
    BadDistance,
    /// A name that is no property, or none that the caller may use: one answer for both.
    #[error("{name:?} is no property that can be filtered by; there are: {known}")]
    UnknownProperty {
        /// The name as given.
        name: String,
        /// The names there are, with commas between them.
        known: String,
    },
    /// A path through more references than [`MAX_HOPS`].
    #[error("{name:?} follows more than {MAX_HOPS} references")]
    LongPath {
        /// The path.
        name: String,
    },
    /// Two operands whose types don't go together, or one that does not fit its operator.
    #[error("{what} is {found}: give {right}")]
    WrongType {
        /// The operand.
        what: String,
        /// What it is.
        found: &'static str,
        /// What would be right.
        right: String,
    },
    /// A constant that is needed where something else stands.
    #[error("{what} must be a constant")]
    NotConstant {
        /// Which operand.
        what: &'static str,
    },
    /// A value that cannot be read.
    #[error("{value:?} is no {wanted}: give {right}")]
    BadValue {
        /// The value as given.
        value: String,
        /// What it should be.
        wanted: &'static str,
        /// An example.
        right: &'static str,
    },
    /// A function with the wrong number of arguments.
    #[error("{name} takes {takes}")]
    BadCall {
        /// The function.
        name: &'static str,
        /// Its arguments.
        takes: &'static str,
    },
    /// A LIKE pattern that ends in its escape character.
    #[error("the pattern {0:?} ends with a backslash: write \\\\ for a backslash")]
    BadPattern(String),
    /// Nested too deeply.
    #[error("the filter is nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// Too much of something.
    #[error("the filter has more than {most} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are allowed.
        most: usize,
    },
}
