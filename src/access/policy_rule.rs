//! A rule of the policy: what one role sees of one collection, as the file says it.

use serde::Deserialize;

use crate::access::entitlement::FieldRule;
use crate::access::principal::OwnKind;
use crate::access::principal::Role;
use crate::model::Sensitivity;

/// What one role sees of one collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRule {
    /// Which rows.
    pub rows: RowsWord,
    /// Whether only for a reason.
    pub reason: bool,
    /// Which fields.
    pub fields: FieldRule,
}

/// Which rows, as the file says it: `data/policy/default.toml` explains each word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsWord {
    None,
    Open,
    All,
    Party,
    Region,
    Owner,
    Others,
    Areas,
}

/// A rule that is a table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    rows: String,
    #[serde(default)]
    reason: bool,
    #[serde(default)]
    without: Vec<String>,
    fields: Option<String>,
}

impl PolicyRule {
    /// Reads a rule, or says what is wrong with it.
    pub fn of(raw: toml::Value) -> Result<Self, String> {
        let raw = match raw {
            toml::Value::String(rows) => RawRule { rows, reason: false, without: Vec::new(), fields: None },
            table => table.try_into().map_err(|error: toml::de::Error| error.message().to_owned())?,
        };
        let rows = RowsWord::parse(&raw.rows).ok_or_else(|| {
            let known = RowsWord::ALL.map(|(word, _)| word).join(", ");
            format!("rows = {:?} must be one of {known}", raw.rows)
        })?;
        let most = match raw.fields {
            None => Sensitivity::Restricted,
            Some(word) => Sensitivity::parse(&word)
                .ok_or_else(|| format!("fields = {word:?} must be open, limited or restricted"))?,
        };
        Ok(Self { rows, reason: raw.reason, fields: FieldRule { most, without: raw.without.into() } })
    }
}

impl RowsWord {
    const ALL: [(&str, Self); 8] = [
        ("none", Self::None),
        ("open", Self::Open),
        ("all", Self::All),
        ("party", Self::Party),
        ("region", Self::Region),
        ("owner", Self::Owner),
        ("others", Self::Others),
        ("areas", Self::Areas),
    ];

    /// Whether a caller of a role has what the word speaks of.
    pub fn fits(self, role: Role) -> bool {
        match self {
            Self::None | Self::Open | Self::All | Self::Owner => true,
            Self::Party => role.own() == OwnKind::Force || role == Role::BtpPlanner,
            Self::Region => role.own() == OwnKind::Region,
            Self::Others => matches!(role.own(), OwnKind::Force | OwnKind::Region),
            Self::Areas => role.own() == OwnKind::Areas,
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == word).map(|(_, rows)| rows)
    }
}
