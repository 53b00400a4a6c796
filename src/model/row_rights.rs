//! Whose a row is: where it comes from, and the forces it concerns.

use crate::model::Provenance;

/// What decides who may see a row: equal for all rows of one import that concern the same forces.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RowRights {
    /// Where it comes from and how it may be handled.
    pub provenance: Provenance,
    /// Ids of forces besides the owner, sorted, each once.
    parties: Box<[String]>,
}

impl RowRights {
    /// Of a row of this provenance that concerns these forces, and the owner.
    pub fn new<'a>(provenance: Provenance, parties: impl Iterator<Item = &'a str>) -> Self {
        let mut parties: Vec<String> =
            parties.filter(|force| *force != provenance.owner).map(str::to_owned).collect();
        parties.sort();
        parties.dedup();
        Self { provenance, parties: parties.into() }
    }

    /// Whether the row concerns a force: it holds the row, or is one of the parties.
    #[must_use]
    pub fn concerns(&self, force: &str) -> bool {
        self.provenance.owner == force || self.is_party(force)
    }

    /// Whether something is one of the parties, besides the owner.
    #[must_use]
    pub fn is_party(&self, word: &str) -> bool {
        self.parties.iter().any(|party| party == word)
    }

    /// All forces it concerns.
    pub fn forces(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.provenance.owner.as_str()).chain(self.parties.iter().map(String::as_str))
    }
}
