//! Names by which the server answers: those of this machine itself, and that of its public address.
//!
//! A web page elsewhere that lets its own name resolve to this server is refused: its requests carry that name. Which name
//! was asked for never decides who a caller is.

use std::net::IpAddr;

/// The host of `public_url`, and the path under which it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublicUrl {
    /// The address without a slash at its end; empty if none is set.
    url: String,
}

impl PublicUrl {
    /// Of a checked address like `https://maps.example:8443/throughline`.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self { url: url.trim_end_matches('/').to_owned() }
    }

    /// The address, without a slash at its end, if one is set.
    #[must_use]
    pub fn get(&self) -> Option<&str> {
        (!self.url.is_empty()).then_some(&self.url)
    }

    /// The path that every public address begins with, as `/throughline`; empty for a host of its own.
    #[must_use]
    pub fn path(&self) -> &str {
        let (_, rest) = self.url.split_once("://").unwrap_or_default();
        rest.find('/').map_or("", |at| &rest[at..])
    }

    /// Whether the server answers requests for this `Host` or authority: a name of this machine or the public one, with
    /// any port.
    #[must_use]
    pub fn answers(&self, authority: &str) -> bool {
        let name = without_port(authority);
        if is_loopback(name) {
            return true;
        }
        let (_, rest) = self.url.split_once("://").unwrap_or_default();
        let public = without_port(rest.split('/').next().unwrap_or_default());
        !public.is_empty() && public.eq_ignore_ascii_case(name)
    }
}

/// Whether a `Host` is a number or a name of this machine. No page can make a number resolve to another machine.
#[must_use]
pub fn is_number_or_loopback(authority: &str) -> bool {
    let name = without_port(authority);
    is_loopback(name) || bare(name).parse::<IpAddr>().is_ok()
}

/// A host name without its port, and without the dot that may end it.
fn without_port(authority: &str) -> &str {
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    };
    name.strip_suffix('.').unwrap_or(name)
}

fn bare(name: &str) -> &str {
    name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name)
}

fn is_loopback(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
        || bare(name).parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_the_public_name_are_answered_for() {
        let (none, public) = (PublicUrl::default(), PublicUrl::new("https://Maps.example:8443/throughline/"));
        for near in [
            "localhost",
            "LOCALHOST:8080",
            "localhost.",
            "127.0.0.1:99",
            "127.9.9.9",
            "[::1]:8080",
            "[::1]",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert!(none.answers(near) && public.answers(near), "{near}");
        }
        for name in ["maps.example", "MAPS.EXAMPLE:80", "maps.example."] {
            assert!(!none.answers(name) && public.answers(name), "{name}");
        }
        for far in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "maps.example.evil.example",
            "evil.example:maps.example",
            "maps.example@evil.example",
            "10.0.0.7",
            "0.0.0.0",
            "[::2]",
            "127.0.0.1:80:80",
            "[::1",
        ] {
            assert!(!none.answers(far) && !public.answers(far), "{far}");
        }
        assert_eq!((none.get(), none.path()), (None, ""));
        assert_eq!(public.get(), Some("https://Maps.example:8443/throughline"));
        assert_eq!(public.path(), "/throughline");
        assert_eq!(PublicUrl::new("http://maps.example/").path(), "");
        assert_eq!(PublicUrl::new("http://[2001:db8::1]:80/a/b").path(), "/a/b");
        assert!(PublicUrl::new("http://[2001:db8::1]:80/a/b").answers("[2001:DB8::1]"));
        assert!(is_number_or_loopback("10.0.0.7:9100") && is_number_or_loopback("[fd00::1]:9100"));
        assert!(is_number_or_loopback("localhost:1") && !is_number_or_loopback("evil.example:1"));
    }
}
