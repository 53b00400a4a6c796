//! The policy: what a principal may see of a collection, as a small predicate over provenance.

use crate::access::Principal;
use crate::model::CollectionClass;
use crate::model::CollectionSchema;
use crate::model::Provenance;
use crate::model::Sensitivity;

/// Which rows of a collection a principal may see. Principals with equal outcomes share everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The collection does not exist for them.
    Nothing,
    /// Rows up to a sensitivity.
    UpTo(Sensitivity),
    /// All rows.
    Everything,
}

impl Outcome {
    /// Whether a row of this provenance may be seen.
    #[must_use]
    pub fn admits(self, provenance: &Provenance) -> bool {
        match self {
            Self::Nothing => false,
            Self::UpTo(most) => provenance.sensitivity <= most,
            Self::Everything => true,
        }
    }
}

/// What `principal` may see of a collection.
#[must_use]
pub fn clause(principal: Principal, schema: &CollectionSchema) -> Outcome {
    match (principal, schema.class) {
        (Principal::LocalOperator, _) => Outcome::Everything,
        (Principal::Anonymous, CollectionClass::Reference) => Outcome::UpTo(Sensitivity::Open),
        (Principal::Anonymous, CollectionClass::Register | CollectionClass::Layer) => Outcome::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_see_open_reference_rows_only() {
        let mut schema = CollectionSchema::layer("x");
        assert_eq!(clause(Principal::Anonymous, &schema), Outcome::Nothing);
        schema.class = CollectionClass::Register;
        assert_eq!(clause(Principal::Anonymous, &schema), Outcome::Nothing);
        schema.class = CollectionClass::Reference;
        let outcome = clause(Principal::Anonymous, &schema);
        let mut row = Provenance::open("btp");
        assert!(outcome.admits(&row));
        row.sensitivity = Sensitivity::Limited;
        assert!(!outcome.admits(&row));
        assert!(clause(Principal::LocalOperator, &schema).admits(&row));
    }
}
