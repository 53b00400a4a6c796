//! Row rights: which force holds a row and which forces it concerns.

use crate::model::Provenance;

/// The facts about a row that decide who may see it. Rows of one import that concern the same forces have equal rights.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RowRights {
    /// The source of the row, its owner, and how it may be handled.
    pub provenance: Provenance,
    /// Ids of the forces that the row concerns besides its owner, sorted, each once.
    parties: Box<[String]>,
}

impl RowRights {
    /// The rights of a row with this provenance that concerns its owner and `parties` (ids of forces, in any order).
    pub fn new<'a>(provenance: Provenance, parties: impl Iterator<Item = &'a str>) -> Self {
        let mut parties: Vec<String> =
            parties.filter(|force| *force != provenance.owner).map(str::to_owned).collect();
        parties.sort();
        parties.dedup();
        Self { provenance, parties: parties.into() }
    }

    /// Whether the row concerns a force: the force owns the row or is one of the parties.
    #[must_use]
    pub fn concerns(&self, force: &str) -> bool {
        self.provenance.owner == force || self.is_party(force)
    }

    /// Whether `word` is the id of one of the parties; the owner is not a party.
    #[must_use]
    pub fn is_party(&self, word: &str) -> bool {
        self.parties.iter().any(|party| party == word)
    }

    /// Ids of all forces that the row concerns, the owner first.
    pub fn forces(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.provenance.owner.as_str()).chain(self.parties.iter().map(String::as_str))
    }
}
