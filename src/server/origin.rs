//! Which web pages may use a server: RFC 6454.
//!
//! A browser lets any page send requests to any server, and says in the field `Origin` which page it was. A
//! server that listens on a person's machine has to refuse foreign pages, as they could use it in that
//! person's name. Its own pages have the address under which they were loaded as their origin. The field
//! `Host` has no say: a page that lets its own name point at this machine could choose it (DNS rebinding).

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// An origin: scheme, host and port (RFC 6454 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    /// In lower case.
    scheme: String,
    host: Host,
    /// The scheme's default port where the text has none.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    /// An IPv4-mapped IPv6 address is the IPv4 address.
    Address(IpAddr),
    /// In lower case.
    Name(String),
}

impl Origin {
    /// An origin as a browser writes it (§6.2): `http://example.com:8000`; nothing if the text is none, such
    /// as `null`.
    fn parse(text: &str) -> Option<Origin> {
        let (scheme, authority) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let default = match scheme.as_str() {
            "http" | "ws" => Some(80),
            "https" | "wss" => Some(443),
            _ => None,
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port.parse().ok()?)),
            _ => (authority, default),
        };
        let valid = !scheme.is_empty() && !host.is_empty() && !host.contains(['/', '?', '#', '@']);
        valid.then(|| Origin { scheme, host: Host::parse(host), port })
    }
}

impl Host {
    fn parse(text: &str) -> Host {
        let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address = match bracketed {
            Some(v6) => v6.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            None => text.parse().ok().map(IpAddr::V4),
        };
        address.map_or_else(|| Host::Name(text.to_ascii_lowercase()), |ip| Host::Address(ip.to_canonical()))
    }
}

/// Whether both texts name the same origin. A text that is no origin is the same as itself only.
pub fn same_origin(one: &str, other: &str) -> bool {
    match (Origin::parse(one), Origin::parse(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one.eq_ignore_ascii_case(other),
    }
}

/// The pages that may use a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OriginPolicy {
    /// Origins that are allowed besides the server's own (`--origin`).
    pub allowed: Vec<String>,
    /// Every origin is allowed (`--any-origin`).
    pub any: bool,
}

impl OriginPolicy {
    /// The origins that may use a connection that has this address on our side; nothing if all may.
    ///
    /// They are the allowed ones, and the origin of a page that was loaded from this address.
    pub fn origins(&self, local: Option<SocketAddr>) -> Option<Vec<String>> {
        if self.any {
            return None;
        }
        let mut origins = self.allowed.clone();
        if let Some(local) = local {
            let address = SocketAddr::new(local.ip().to_canonical(), local.port());
            origins.push(format!("http://{address}"));
            if address.ip().is_loopback() {
                origins.push(format!("http://localhost:{}", address.port()));
            }
        }
        Some(origins)
    }

    /// Whether a page of this origin may use a connection that has this address on our side. `None` comes
    /// from no browser.
    pub fn allows(&self, origin: Option<&str>, local: Option<SocketAddr>) -> bool {
        match (self.origins(local), origin) {
            (None, _) | (_, None) => true,
            (Some(origins), Some(origin)) => origins.iter().any(|own| same_origin(own, origin)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(local: &str, origin: &str) -> bool {
        OriginPolicy::default().allows(Some(origin), Some(local.parse().unwrap()))
    }

    #[test]
    fn a_page_of_the_server_itself_is_allowed_under_each_of_its_addresses() {
        let own = [
            ("127.0.0.1:7000", "http://127.0.0.1:7000"),
            ("127.0.0.1:7000", "http://localhost:7000"),
            ("127.0.0.1:7000", "HTTP://LocalHost:7000"),
            ("127.0.0.2:7000", "http://127.0.0.2:7000"),
            ("[::1]:7000", "http://[::1]:7000"),
            ("[::1]:7000", "http://[0:0::1]:7000"),
            ("[::1]:7000", "http://localhost:7000"),
            // A socket of `[::]` or `0.0.0.0` has the address that the client called, over IPv4 in its mapped
            // form.
            ("[::ffff:127.0.0.1]:7000", "http://127.0.0.1:7000"),
            ("[::ffff:127.0.0.1]:7000", "http://localhost:7000"),
            ("[::ffff:127.0.0.1]:7000", "http://[::ffff:7f00:1]:7000"),
            ("[::ffff:192.0.2.1]:7000", "http://192.0.2.1:7000"),
            ("192.0.2.1:7000", "http://192.0.2.1:7000"),
            // An origin has no default port (RFC 6454 §6.2).
            ("127.0.0.1:80", "http://127.0.0.1"),
            ("127.0.0.1:80", "http://127.0.0.1:80"),
            ("127.0.0.1:80", "http://localhost"),
            ("[::ffff:127.0.0.1]:80", "http://127.0.0.1"),
            ("[2001:db8::1]:80", "http://[2001:db8::1]"),
            // 443 is the default of https, not of http.
            ("127.0.0.1:443", "http://127.0.0.1:443"),
        ];
        for (local, origin) in own {
            assert!(allowed(local, origin), "{origin} at {local}");
        }
    }

    #[test]
    fn a_foreign_page_is_refused() {
        let foreign = [
            ("127.0.0.1:7000", "http://127.0.0.1:7001"),
            ("127.0.0.1:7000", "http://127.0.0.1"),
            ("127.0.0.1:7000", "https://127.0.0.1:7000"),
            ("127.0.0.1:7000", "http://127.0.0.1:7000.example.com"),
            ("127.0.0.1:7000", "http://localhost.example.com:7000"),
            ("127.0.0.1:7000", "http://127.0.0.2:7000"),
            ("127.0.0.1:443", "http://127.0.0.1"),
            ("127.0.0.1:443", "https://127.0.0.1"),
            ("127.0.0.1:80", "https://127.0.0.1"),
            ("192.0.2.1:7000", "http://localhost:7000"),
            ("127.0.0.1:7000", "null"),
            ("127.0.0.1:7000", ""),
            ("127.0.0.1:7000", "http://"),
            ("127.0.0.1:7000", "http://a@127.0.0.1:7000"),
        ];
        for (local, origin) in foreign {
            assert!(!allowed(local, origin), "{origin} at {local}");
        }
    }

    #[test]
    fn further_origins_can_be_allowed_or_all() {
        let policy = OriginPolicy { allowed: vec!["https://example.com".into(), "null".into()], any: false };
        let at = Some("127.0.0.1:7000".parse().unwrap());
        for origin in ["https://example.com", "https://EXAMPLE.com:443", "null", "http://127.0.0.1:7000"] {
            assert!(policy.allows(Some(origin), at), "{origin}");
        }
        for origin in ["http://example.com", "https://example.com:8443", "https://example.com.evil.org"] {
            assert!(!policy.allows(Some(origin), at), "{origin}");
        }
        assert!(policy.allows(None, at), "a request without an origin comes from no browser");
        let any = OriginPolicy { any: true, ..OriginPolicy::default() };
        assert!(any.allows(Some("http://evil.org"), at) && any.origins(at).is_none());
    }
}
