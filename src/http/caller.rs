//! Who the caller is: the local operator or anyone.

use std::net::IpAddr;

use crate::access::Principal;
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

/// What the server listens on, as far as trust goes.
#[derive(Debug, Clone, Default)]
pub struct Listener {
    /// Whether every address it listens on is a loopback address.
    pub loopback_only: bool,
    /// The host of `--public-url`, which names this machine too.
    pub public_host: Option<String>,
}

/// What of a request says who asks.
pub struct Caller<'a> {
    /// The other end of the connection.
    pub peer: Option<IpAddr>,
    /// The `Host` asked for, without port.
    pub host: Option<&'a str>,
    /// Whether a header is present.
    pub has_header: &'a dyn Fn(&str) -> bool,
}

impl Listener {
    /// The principal of a caller.
    ///
    /// The local operator comes over a loopback address to a server that listens on nothing else, names it by a
    /// local name (a web page elsewhere that resolves its own name to this machine does not), through no proxy, to
    /// a store whose register is synthetic.
    #[must_use]
    pub fn principal(&self, caller: &Caller<'_>, register: Register) -> Principal {
        let local_name = caller.host.is_none_or(|host| {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            host.eq_ignore_ascii_case("localhost")
                || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
                || self.public_host.as_deref().is_some_and(|public| public.eq_ignore_ascii_case(host))
        });
        let proxied = PROXY_HEADERS.iter().any(|name| (caller.has_header)(name));
        let near = caller.peer.is_some_and(|peer| peer.to_canonical().is_loopback());
        if self.loopback_only && near && local_name && !proxied && register == Register::Synthetic {
            Principal::LocalOperator
        } else {
            Principal::Anonymous
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_someone_at_the_machine_is_the_operator() {
        let listener = Listener { loopback_only: true, public_host: Some("maps.example".into()) };
        let open = Listener { loopback_only: false, public_host: None };
        let ask = |listener: &Listener, peer: &str, host: &str, header: &str, register: Register| {
            let has_header = |name: &str| name == header;
            let caller = Caller { peer: peer.parse().ok(), host: Some(host), has_header: &has_header };
            listener.principal(&caller, register)
        };
        let synthetic = Register::Synthetic;
        for host in ["127.0.0.1", "localhost", "[::1]", "maps.example"] {
            assert_eq!(ask(&listener, "127.0.0.1", host, "", synthetic), Principal::LocalOperator, "{host}");
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
}
