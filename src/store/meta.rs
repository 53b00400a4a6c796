//! What a store says of itself as a whole: what its register holds, and how far its releases are.

/// What a store's register holds, for the life of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Register {
    /// Invented rows only.
    Synthetic,
    /// Real rows only.
    Operational,
}

impl Register {
    /// The word in the store and in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Synthetic => "synthetic",
            Self::Operational => "operational",
        }
    }

    /// The register of a word, `None` for an unknown one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Synthetic, Self::Operational].into_iter().find(|register| register.as_str() == word)
    }
}

/// How far a collection was released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseState {
    /// The released collection.
    pub collection: String,
    /// The last day that the release tells of (`2024-03-31`).
    pub through: String,
    /// What the next release must know of it, as JSON; empty if nothing.
    pub state: String,
}
