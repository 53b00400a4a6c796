//! Who the caller is: `public`, or in a demo the role that the caller plays.
//!
//! In: the cookies of a request, and whether roles are played here. Out: a `Principal`. Nothing else of a request counts:
//! no address, no `Host`, no header of a proxy. The local operator is the command line and is no role here.

use std::sync::LazyLock;

use crate::access::AccountId;
use crate::access::Principal;
use crate::access::Role;
use crate::http::percent::decode_path;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// As far as access is concerned.
    pub principal: Principal,
    /// Whether roles are played here, and so the answer depends on the cookie.
    pub in_demo: bool,
}

impl Who {
    /// Anyone.
    #[must_use]
    pub fn anyone() -> Self {
        Self { principal: Principal::Anonymous, in_demo: false }
    }

    /// Who sends these cookies to a demo: the role that they play, without one the national analyst.
    #[must_use]
    pub fn in_demo(cookie: Option<&str>) -> Self {
        Self { principal: cookie.map_or_else(visitor, played), in_demo: true }
    }
}

/// The cookies by which a role is played, and a reason is given. There is no secret in them: a demo has nothing but what
/// anyone may see.
const ROLE_COOKIE: &str = "throughline-role";
const REASON_COOKIE: &str = "throughline-reason";

/// The longest reason that is read.
pub const MOST_REASON_BYTES: usize = 1_000;

/// Who a visitor of a demo is without a cookie.
fn visitor() -> Principal {
    static VISITOR: LazyLock<Principal> = LazyLock::new(|| {
        Principal::of(Role::NationalAnalyst, &[]).map_or(Principal::Anonymous, under_its_account)
    });
    VISITOR.clone()
}

/// Each role of a demo acts under an account of its own: `demo:force-analyst`.
fn under_its_account(principal: Principal) -> Principal {
    match principal.role() {
        Some(role) => principal.acting_as(AccountId::new(&format!("demo:{}", role.as_str()))),
        None => principal,
    }
}

/// The role that a `Cookie` header plays; an unknown role is anyone.
fn played(cookie: &str) -> Principal {
    let value = |name: &str| {
        cookie.split(';').find_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name).then_some(value)
        })
    };
    let principal = match value(ROLE_COOKIE).map(decode_path) {
        None => visitor(),
        Some(role) => Principal::parse(&role).map_or(Principal::Anonymous, under_its_account),
    };
    let reason = value(REASON_COOKIE).map(decode_path).unwrap_or_default();
    if reason.trim().is_empty() || reason.len() > MOST_REASON_BYTES {
        principal
    } else {
        principal.with_reason()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_plays_a_role_and_never_the_operator() {
        let kent = under_its_account(Principal::parse("force-analyst:kent").unwrap());
        for (cookie, expected) in [
            ("", visitor()),
            ("theme=dark", visitor()),
            ("throughline-reason=missing%20child", visitor().with_reason()),
            ("throughline-role=local-operator", Principal::Anonymous),
            ("throughline-role=local-operator; throughline-reason=x", Principal::Anonymous),
            ("a=b; throughline-role=force-analyst:kent", kent.clone()),
            ("throughline-role=force-analyst%3Akent; throughline-reason=%20", kent.clone()),
            (
                "throughline-role=force-analyst:kent;throughline-reason=missing%20child",
                kent.clone().with_reason(),
            ),
            ("throughline-reason=x; throughline-role=public", Principal::Anonymous),
            ("throughline-role=chief", Principal::Anonymous),
            ("throughline-role=", Principal::Anonymous),
            ("throughline-role=force-analyst", Principal::Anonymous),
        ] {
            assert_eq!(Who::in_demo(Some(cookie)).principal, expected, "{cookie}");
        }
        assert_eq!(Who::in_demo(None).principal.to_string(), "national-analyst");
        let account = |principal: &Principal| principal.account().map(|account| account.as_str().to_owned());
        assert_eq!(account(&kent).as_deref(), Some("demo:force-analyst"));
        assert_eq!(account(&visitor().with_reason()).as_deref(), Some("demo:national-analyst"));
        assert_eq!(account(&Who::anyone().principal), None);
        assert_eq!(Who::anyone().principal, Principal::Anonymous);
    }
}
