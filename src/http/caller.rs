//! Who the caller is: at the machine of a synthetic store the national analyst or the role that they play, else anyone.

use std::net::IpAddr;
use std::sync::LazyLock;

use crate::access::Principal;
use crate::access::Role;
use crate::http::percent::decode_path;
use crate::store::Register;

/// Headers that a proxy adds. Where one is present somebody else may be asking through this machine.
const PROXY_HEADERS: [&str; 9] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-server",
    "x-real-ip",
    "cf-connecting-ip",
];

/// Whether a header, its name in lower case, is one that proxies add.
#[must_use]
pub fn is_proxy_header(name: &str) -> bool {
    PROXY_HEADERS.contains(&name)
}

/// What the server listens on, as far as trust goes.
#[derive(Debug, Clone, Default)]
pub struct Listener {
    /// Whether every address it listens on is a loopback address.
    pub loopback_only: bool,
    /// The host of `--public-url`, which names this machine too.
    pub public_host: Option<String>,
}

/// What of a request says who asks.
#[derive(Debug)]
pub struct Caller<'a> {
    /// The other end of the connection.
    pub peer: Option<IpAddr>,
    /// The `Host` asked for, without port.
    pub host: Option<&'a str>,
    /// Whether it came with a header that proxies add.
    pub proxied: bool,
    /// `Cookie`.
    pub cookie: Option<&'a str>,
}

impl Listener {
    /// Who a caller is: at this machine the national analyst, or whom they play there; anyone else is anyone.
    ///
    /// Someone at this machine comes over a loopback address to a server that listens on nothing else, names it by a
    /// local name (a web page elsewhere that resolves its own name to this machine does not), through no proxy, to
    /// a store whose register is synthetic.
    #[must_use]
    pub fn who(&self, caller: &Caller<'_>, register: Register) -> Who {
        let local_name = caller.host.is_none_or(|host| {
            let plain = host.trim_start_matches('[').trim_end_matches(']');
            is_local_name(host)
                || self.public_host.as_deref().is_some_and(|public| public.eq_ignore_ascii_case(plain))
        });
        let near = caller.peer.is_some_and(|peer| peer.to_canonical().is_loopback());
        if !(self.loopback_only && near && local_name && !caller.proxied && register == Register::Synthetic) {
            return Who { principal: Principal::Anonymous, at_the_machine: false };
        }
        let principal = caller.cookie.map_or_else(visitor, played);
        Who { principal, at_the_machine: true }
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// As far as access is concerned.
    pub principal: Principal,
    /// Whether they are at the machine of a synthetic store, where roles are played.
    pub at_the_machine: bool,
}

/// The cookies by which someone at the machine of a synthetic store plays a role, and gives a reason. There is no secret
/// in them: whoever may send them could do without.
const ROLE_COOKIE: &str = "throughline-role";
const REASON_COOKIE: &str = "throughline-reason";

/// The longest reason that is read.
pub const MOST_REASON_BYTES: usize = 1_000;

/// Who somebody at the machine is as long as they play nobody.
fn visitor() -> Principal {
    static VISITOR: LazyLock<Principal> =
        LazyLock::new(|| Principal::of(Role::NationalAnalyst, &[]).unwrap_or(Principal::Anonymous));
    VISITOR.clone()
}

/// Whom a `Cookie` header plays; a role that there is not is anyone.
fn played(cookie: &str) -> Principal {
    let value = |name: &str| {
        cookie.split(';').find_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name).then_some(value)
        })
    };
    let principal = match value(ROLE_COOKIE).map(decode_path) {
        None => visitor(),
        Some(role) if role == Principal::LocalOperator.to_string() => return Principal::LocalOperator,
        Some(role) => Principal::parse(&role).unwrap_or(Principal::Anonymous),
    };
    let reason = value(REASON_COOKIE).map(decode_path).unwrap_or_default();
    if reason.trim().is_empty() || reason.len() > MOST_REASON_BYTES {
        principal
    } else {
        principal.with_reason()
    }
}

/// The origin whose pages may read an answer (`Access-Control-Allow-Origin`), if any.
///
/// What anyone may see, any page may read. What only somebody sees, pages of this machine may read: a page from elsewhere
/// in their browser comes over loopback too.
#[must_use]
pub fn allowed_origin(principal: &Principal, origin: Option<&str>) -> Option<String> {
    let origin = origin?;
    match principal {
        Principal::Anonymous => Some("*".to_owned()),
        Principal::LocalOperator | Principal::Signed(_) => {
            let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))?;
            let name = authority
                .rsplit_once(':')
                .filter(|(_, port)| port.bytes().all(|digit| digit.is_ascii_digit()))
                .map_or(authority, |(name, _)| name);
            is_local_name(name).then(|| origin.to_owned())
        }
    }
}

fn is_local_name(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_from_elsewhere_cannot_read_what_the_operator_sees() {
        let operator = |origin: &str| allowed_origin(&Principal::LocalOperator, Some(origin));
        for near in ["http://localhost:3000", "http://127.0.0.1", "https://[::1]:8443"] {
            assert_eq!(operator(near).as_deref(), Some(near));
        }
        for far in [
            "https://evil.example",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example:80",
            "null",
            "",
            "file://",
        ] {
            assert_eq!(operator(far), None, "{far}");
        }
        assert_eq!(allowed_origin(&Principal::Anonymous, Some("https://maps.example")).as_deref(), Some("*"));
        assert_eq!(allowed_origin(&Principal::Anonymous, None), None);
    }

    #[test]
    fn only_someone_at_the_machine_is_the_national_analyst() {
        let listener = Listener { loopback_only: true, public_host: Some("maps.example".into()) };
        let open = Listener { loopback_only: false, public_host: None };
        let ask = |listener: &Listener, peer: &str, host: &str, header: &str, register: Register| {
            let caller = Caller {
                peer: peer.parse().ok(),
                host: Some(host),
                proxied: is_proxy_header(header),
                cookie: None,
            };
            listener.who(&caller, register).principal
        };
        let synthetic = Register::Synthetic;
        for host in ["127.0.0.1", "localhost", "[::1]", "maps.example"] {
            let who = ask(&listener, "127.0.0.1", host, "", synthetic);
            assert_eq!(who.to_string(), "national-analyst", "{host}");
        }
        for (listener, peer, host, header, register) in [
            (&open, "127.0.0.1", "localhost", "", synthetic),
            (&listener, "10.0.0.7", "localhost", "", synthetic),
            (&listener, "127.0.0.1", "evil.example", "", synthetic),
            (&listener, "127.0.0.1", "localhost", "x-forwarded-for", synthetic),
            (&listener, "127.0.0.1", "localhost", "forwarded", synthetic),
            (&listener, "127.0.0.1", "localhost", "", Register::Operational),
        ] {
            assert_eq!(
                ask(listener, peer, host, header, register),
                Principal::Anonymous,
                "{peer} {host} {header}"
            );
        }
    }

    #[test]
    fn roles_are_played_at_the_machine_only() {
        let listener = Listener { loopback_only: true, public_host: None };
        let ask = |cookie: &str, proxied: bool| {
            let peer = "127.0.0.1".parse().ok();
            let caller = Caller { peer, host: Some("localhost"), proxied, cookie: Some(cookie) };
            listener.who(&caller, Register::Synthetic).principal
        };
        let kent = Principal::parse("force-analyst:kent").unwrap();
        for (cookie, expected) in [
            ("", visitor()),
            ("theme=dark", visitor()),
            ("throughline-reason=missing%20child", visitor().with_reason()),
            ("throughline-role=local-operator", Principal::LocalOperator),
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
            assert_eq!(ask(cookie, false), expected, "{cookie}");
            assert_eq!(ask(cookie, true), Principal::Anonymous, "{cookie}");
        }
    }
}
