//! The caller as far as access is concerned: a role, and the force, region or areas that belong to it.

use std::fmt;
use std::sync::Arc;

/// What a caller works as. The policy has a rule for each role and collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Anyone at all.
    Public,
    /// Someone at a council, in health or education, with areas of their own.
    Partner,
    /// An analyst of one force.
    ForceAnalyst,
    /// An analyst of one policing region.
    RegionalAnalyst,
    /// An analyst of the national centre.
    NationalAnalyst,
    /// Someone who plans for the railway.
    BtpPlanner,
    /// Someone who looks after the server, and has no right to its data.
    Admin,
    /// Someone who reads what was disclosed to whom, and sees no map.
    Auditor,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Public,
        Self::Partner,
        Self::ForceAnalyst,
        Self::RegionalAnalyst,
        Self::NationalAnalyst,
        Self::BtpPlanner,
        Self::Admin,
        Self::Auditor,
    ];

    /// The word in the policy.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Partner => "partner",
            Self::ForceAnalyst => "force-analyst",
            Self::RegionalAnalyst => "regional-analyst",
            Self::NationalAnalyst => "national-analyst",
            Self::BtpPlanner => "btp-planner",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
        }
    }

    /// The role of a word, `None` for an unknown one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// What a caller of this role must name as their own.
    #[must_use]
    pub fn own(self) -> OwnKind {
        match self {
            Self::Partner => OwnKind::Areas,
            Self::ForceAnalyst => OwnKind::Force,
            Self::RegionalAnalyst => OwnKind::Region,
            Self::Public | Self::NationalAnalyst | Self::BtpPlanner | Self::Admin | Self::Auditor => {
                OwnKind::Nothing
            }
        }
    }
}

/// What kind of thing is a role's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnKind {
    /// Nothing.
    Nothing,
    /// A force, by its id.
    Force,
    /// A policing region, by its id.
    Region,
    /// Areas, by their codes.
    Areas,
}

/// The force that a planner for the railway belongs to.
pub const RAILWAY_FORCE: &str = "btp";

/// The owner of rows that were imported without naming one. The national analyst looks after them.
pub const LOCAL_OWNER: &str = "local";

/// The caller, as far as access is concerned.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Principal {
    /// Someone at the machine itself, who sees everything: the command line.
    LocalOperator,
    /// Anyone.
    Anonymous,
    /// A caller with a role.
    Signed(Signed),
}

/// A caller with a role.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Signed {
    rights: Arc<Rights>,
    account: Option<AccountId>,
}

/// What decides which rows and fields a caller with a role sees.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Rights {
    role: Role,
    own: Vec<String>,
    reason: bool,
}

/// The account under which a caller acts, for the audit and for approvals. It does not decide what the caller sees.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(Arc<str>);

impl AccountId {
    /// Of a text, such as `demo:force-analyst`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// All principals who see the same, whoever they are: a role, what is its own, and whether a reason was given. Two
/// accounts of one role and force are one class.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Class(Principal);

impl Class {
    /// The class of anyone.
    #[must_use]
    pub fn anonymous() -> Self {
        Self(Principal::Anonymous)
    }

    /// Whether it is that of anyone.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.0 == Principal::Anonymous
    }

    /// Whether it is that of the command line.
    #[must_use]
    pub fn is_local_operator(&self) -> bool {
        self.0 == Principal::LocalOperator
    }

    /// One of the class, without an account.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.0
    }
}

/// Why there is no such principal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrincipalError {
    /// A role that there is not.
    #[error("there is no role {role:?}: there are {known}", known = Role::ALL.map(Role::as_str).join(", "))]
    UnknownRole {
        /// As it was given.
        role: String,
    },
    /// The role has something of its own, and none or too many were named.
    #[error("{role} needs {what}")]
    NeedsOwn {
        /// The role.
        role: &'static str,
        /// What it needs.
        what: &'static str,
    },
    /// The role has nothing of its own, and something was named.
    #[error("{0} has no force, region or area of its own")]
    HasNoOwn(&'static str),
}

impl Principal {
    /// A caller with a role, and the force, the region or the areas that belong to it.
    ///
    /// # Errors
    /// [`PrincipalError`] if the role needs what is not named, or the other way round.
    pub fn of(role: Role, own: &[&str]) -> Result<Self, PrincipalError> {
        let needs = |what| PrincipalError::NeedsOwn { role: role.as_str(), what };
        let blank = own.iter().any(|one| one.trim().is_empty());
        match role.own() {
            OwnKind::Force if own.len() != 1 || blank => return Err(needs("a force, by its id")),
            OwnKind::Region if own.len() != 1 || blank => return Err(needs("a policing region, by its id")),
            OwnKind::Areas if own.is_empty() || blank => {
                return Err(needs("one or more areas, by their codes"));
            }
            OwnKind::Nothing if !own.is_empty() => return Err(PrincipalError::HasNoOwn(role.as_str())),
            OwnKind::Nothing | OwnKind::Force | OwnKind::Region | OwnKind::Areas => {}
        }
        if role == Role::Public {
            return Ok(Self::Anonymous);
        }
        let mut own: Vec<String> = own.iter().map(|one| one.trim().to_owned()).collect();
        own.sort();
        own.dedup();
        Ok(Self::Signed(Signed { rights: Arc::new(Rights { role, own, reason: false }), account: None }))
    }

    /// The principal of a text like `force-analyst:kent`, `partner:E09000002+E09000003` or `national-analyst`.
    ///
    /// # Errors
    /// [`PrincipalError`].
    pub fn parse(text: &str) -> Result<Self, PrincipalError> {
        let (role, own) = text.split_once(':').unwrap_or((text, ""));
        let role = Role::parse(role).ok_or_else(|| PrincipalError::UnknownRole { role: role.to_owned() })?;
        let own: Vec<&str> = own.split('+').filter(|one| !one.is_empty()).collect();
        Self::of(role, &own)
    }

    /// The same one, who has given a reason for what they ask.
    #[must_use]
    pub fn with_reason(self) -> Self {
        match self {
            Self::Signed(Signed { rights, account }) => {
                let rights = Arc::new(Rights { reason: true, ..(*rights).clone() });
                Self::Signed(Signed { rights, account })
            }
            other => other,
        }
    }

    /// The same one, acting under an account. Anyone and the local operator act under none.
    #[must_use]
    pub fn acting_as(self, account: AccountId) -> Self {
        match self {
            Self::Signed(signed) => Self::Signed(Signed { account: Some(account), ..signed }),
            other => other,
        }
    }

    /// The account under which they act.
    #[must_use]
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::LocalOperator | Self::Anonymous => None,
            Self::Signed(signed) => signed.account.as_ref(),
        }
    }

    /// Those who see the same.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Signed(Signed { rights, .. }) => {
                Class(Self::Signed(Signed { rights: Arc::clone(rights), account: None }))
            }
            other => Class(other.clone()),
        }
    }

    /// The role; the local operator has none.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        match self {
            Self::LocalOperator => None,
            Self::Anonymous => Some(Role::Public),
            Self::Signed(signed) => Some(signed.rights.role),
        }
    }

    /// Force, region or areas of their own.
    #[must_use]
    pub fn own(&self) -> &[String] {
        match self {
            Self::LocalOperator | Self::Anonymous => &[],
            Self::Signed(signed) => &signed.rights.own,
        }
    }

    /// Whether they have given a reason.
    #[must_use]
    pub fn has_reason(&self) -> bool {
        matches!(self, Self::Signed(signed) if signed.rights.reason)
    }
}

/// As [`Principal::parse`] reads it.
impl fmt::Display for Principal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(role) = self.role() else { return out.write_str("local-operator") };
        out.write_str(role.as_str())?;
        if !self.own().is_empty() {
            write!(out, ":{}", self.own().join("+"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_are_read_as_they_are_written() {
        for text in [
            "public",
            "partner:E06000044+E09000002",
            "force-analyst:kent",
            "regional-analyst:london",
            "national-analyst",
            "btp-planner",
            "admin",
            "auditor",
        ] {
            assert_eq!(Principal::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Principal::parse("partner:b+a+a"), Principal::parse("partner:a+b"));
        assert_eq!(Principal::parse("public"), Ok(Principal::Anonymous));
    }

    #[test]
    fn a_role_has_what_is_its_own_and_nothing_else() {
        for (text, word) in [
            ("chief", "force-analyst"),
            ("", "force-analyst"),
            ("force-analyst", "a force"),
            ("force-analyst:", "a force"),
            ("force-analyst: ", "a force"),
            ("force-analyst:kent+essex", "a force"),
            ("regional-analyst", "region"),
            ("partner", "areas"),
            ("national-analyst:kent", "own"),
            ("public:kent", "own"),
        ] {
            let error = Principal::parse(text).unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn a_reason_makes_somebody_else_of_them() {
        let analyst = Principal::parse("force-analyst:kent").unwrap();
        assert!(!analyst.has_reason() && analyst.clone().with_reason().has_reason());
        assert_ne!(analyst.clone().with_reason(), analyst);
        assert_eq!(Principal::Anonymous.with_reason(), Principal::Anonymous);
    }

    #[test]
    fn an_account_is_no_part_of_a_class() {
        let analyst = Principal::parse("force-analyst:kent").unwrap();
        let [one, two] = ["a", "b"].map(|account| analyst.clone().acting_as(AccountId::new(account)));
        assert_eq!((one.class(), two.class()), (analyst.class(), analyst.class()));
        assert_ne!(one, two, "they are not the same one");
        assert_eq!(one.account().map(AccountId::as_str), Some("a"));
        assert_eq!(analyst.account(), None);
        assert_eq!(one.clone().with_reason().account(), one.account());
        assert_ne!(one.with_reason().class(), analyst.class());
        assert_ne!(Principal::parse("force-analyst:essex").unwrap().class(), analyst.class());
        assert_eq!(Principal::Anonymous.acting_as(AccountId::new("a")).account(), None);
    }
}
