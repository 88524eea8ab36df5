//! What a person types for an address, a time or a size.

use std::{str::FromStr, time::Duration};

/// Host and port, as one writes them: `127.0.0.1:7000`, `localhost:7000`, `[::1]:7000`. Of a port alone, the
/// host is 127.0.0.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(pub String);

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Place, String> {
        let wrong = || {
            "expected an address and a port, such as 127.0.0.1:7000, localhost:7000, [::1]:7000, or a port alone".to_owned()
        };
        let (host, port) = match text.rsplit_once(':') {
            None => ("", text),
            Some(both) => both,
        };
        let port: u16 = match port.parse() {
            Ok(number) if port.bytes().all(|byte| byte.is_ascii_digit()) => number,
            Err(_) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
                return Err(format!("{port} is no port: they go from 0 to 65535"));
            }
            _ => return Err(wrong()),
        };
        let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        match (host, bracketed) {
            ("", _) => Ok(Place(format!("127.0.0.1:{port}"))),
            ("*", _) => Ok(Place(format!("0.0.0.0:{port}"))),
            (_, Some(address)) if address.parse::<std::net::Ipv6Addr>().is_ok() => {
                Ok(Place(format!("{host}:{port}")))
            }
            (_, Some(address)) => Err(format!("{address} is no IPv6 address")),
            (host, None)
                if host.contains(['/', '@', '?', '#'])
                    || host.chars().any(|c| c.is_whitespace() || c.is_control()) =>
            {
                Err(wrong())
            }
            (host, None) if host.contains(':') => Err(format!(
                "an IPv6 address stands in brackets, so that the port can be told from it: [{host}]:{port}"
            )),
            _ => Ok(Place(format!("{host}:{port}"))),
        }
    }
}

/// Somebody to call: port 0 is nobody's.
pub fn callee(text: &str) -> Result<Place, String> {
    let place: Place = text.parse()?;
    match place.0.ends_with(":0") {
        true => {
            Err("nobody can be called at port 0: it asks the kernel for a free port, in bind alone"
                .to_owned())
        }
        false => Ok(place),
    }
}

/// Where `websocket` serves, or whom it calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spot {
    /// An address to serve at.
    Here(Place),
    /// The parts of a ws URL (RFC 6455 §3).
    There {
        /// Host and port to connect to.
        to: Place,
        /// The same as in the URL, for the line `Host`.
        authority: String,
        /// Path and query.
        path: String,
    },
}

impl FromStr for Spot {
    type Err = String;

    fn from_str(text: &str) -> Result<Spot, String> {
        let Some((scheme, rest)) = text.split_once("://") else { return text.parse().map(Spot::Here) };
        match scheme.to_ascii_lowercase().as_str() {
            "ws" => {}
            "wss" | "https" => {
                return Err("that is TLS, which sockwalk does not speak: it calls ws:// URLs only".to_owned());
            }
            "http" => {
                return Err(format!("a WebSocket has the scheme ws: ws://{rest}"));
            }
            other => {
                return Err(format!(
                    "{other} is not the scheme of a WebSocket; expected ws://HOST:PORT/PATH"
                ));
            }
        }
        if rest.contains('#') {
            return Err("a ws URL has no fragment: leave out what stands behind # (RFC 6455 §3)".to_owned());
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        if path.chars().any(|c| !c.is_ascii_graphic() || c == '"') {
            return Err("a path is visible ASCII, without quotation marks; write other characters as %20, %22, %C3%A4".to_owned());
        }
        let named = authority
            .rsplit_once(':')
            .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
        // Without a port it is 80.
        let to: Place = if named {
            callee(authority)?
        } else {
            format!("{}:80", authority.trim_end_matches(':')).parse()?
        };
        if authority.is_empty() || authority.starts_with(':') {
            return Err("the URL names no host; expected ws://HOST:PORT/PATH".to_owned());
        }
        Ok(Spot::There { to, authority: authority.to_owned(), path })
    }
}

/// A server to call: an address, or a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callee {
    /// The scheme of the URL, in small letters; none of an address alone.
    pub scheme: Option<String>,
    /// Host and port to connect to.
    pub to: Place,
    /// The same as it was written, for the line `Host`.
    pub authority: String,
    /// Path and query, if the URL has them.
    pub path: Option<String>,
}

impl FromStr for Callee {
    type Err = String;

    fn from_str(text: &str) -> Result<Callee, String> {
        let Some((scheme, rest)) = text.split_once("://") else {
            let to = callee(text)?;
            return Ok(Callee { scheme: None, authority: to.0.clone(), to, path: None });
        };
        let scheme = scheme.to_ascii_lowercase();
        if matches!(scheme.as_str(), "wss" | "https") {
            return Err(format!("{scheme} is TLS, which sockwalk does not speak"));
        }
        // The rest has the form of a ws URL.
        match format!("ws://{rest}").parse()? {
            Spot::There { to, authority, path } => {
                let path = rest.contains(['/', '?']).then_some(path);
                Ok(Callee { scheme: Some(scheme), to, authority, path })
            }
            Spot::Here(to) => Ok(Callee { scheme: Some(scheme), authority: to.0.clone(), to, path: None }),
        }
    }
}

/// `destination=/topic/chat`: what a protocol is told besides.
pub fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// `1000`, `1000:bye`: a code that may be sent (RFC 6455 §7.4), and a reason that fits into its frame (§5.5).
pub fn close(text: &str) -> Result<(u16, String), String> {
    let (code, reason) = text.split_once(':').unwrap_or((text, ""));
    let code: u16 = code.parse().map_err(|_| "expected a code such as 1000, or 1000:bye".to_owned())?;
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(format!(
            "{code} is no code that may be sent (RFC 6455 §7.4); expected 1000, 1001, or 3000 to 4999"
        ));
    }
    if reason.len() > 123 {
        return Err("a reason has at most 123 bytes: a Close is a control frame (RFC 6455 §5.5)".to_owned());
    }
    Ok((code, reason.to_owned()))
}

/// `http://example.com`, `null`: what a browser says of a page (RFC 6454 §7.1).
pub fn origin(text: &str) -> Result<String, String> {
    if text.is_empty() || text.chars().any(|c| !c.is_ascii_graphic() || c == '"') {
        return Err("expected an origin such as http://example.com, or null".to_owned());
    }
    Ok(text.to_owned())
}

/// An origin as a browser writes it (RFC 6454 §6.2): one that is written in another way never comes.
pub fn allowed_origin(text: &str) -> Result<String, String> {
    let text = origin(text)?;
    if text == "null" {
        return Ok(text);
    }
    let wrong = || {
        "expected an origin as a browser writes it, such as http://example.com or http://example.com:8000: a scheme, a host, and a port unless it is the scheme's own; no path, no slash at the end".to_owned()
    };
    let (scheme, host) = text.split_once("://").ok_or_else(wrong)?;
    let usual = match scheme.to_ascii_lowercase().as_str() {
        "http" => Some(":80"),
        "https" => Some(":443"),
        _ => None,
    };
    if scheme.is_empty()
        || host.is_empty()
        || host.contains(['/', '?', '#', '@', '*'])
        || usual.is_some_and(|port| host.ends_with(port))
    {
        return Err(wrong());
    }
    Ok(text)
}

/// `500ms`, `2s`, `5m`; not 0, which setsockopt takes for "without end" (SO_RCVTIMEO, socket(7)).
pub fn some_time(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => {
            Err("0 would be no limit at all; expected a time such as 500ms, 2s or 5m".to_owned())
        }
        time => Ok(time),
    }
}

/// A time of at most a minute: so long a call of the notation may wait.
pub fn short_time(text: &str) -> Result<Duration, String> {
    match time(text)? {
        time if time > Duration::from_secs(60) => {
            Err("at most 1m; expected a time such as 500ms or 2s".to_owned())
        }
        time => Ok(time),
    }
}

/// `500ms`, `2s`, `5m`
pub fn time(text: &str) -> Result<Duration, String> {
    let units = [("ms", 1), ("s", 1000), ("m", 60_000)];
    let found = units.iter().find_map(|(unit, factor)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(*factor)
    });
    found.map(Duration::from_millis).ok_or_else(|| "expected a time such as 500ms, 2s or 5m".to_owned())
}

/// `100`, `64k`, `1m`: bytes, in powers of 1024.
pub fn size(text: &str) -> Result<u64, String> {
    let lower = text.to_ascii_lowercase();
    let (number, shift) =
        match lower.strip_suffix('k').map(|n| (n, 10)).or_else(|| lower.strip_suffix('m').map(|n| (n, 20))) {
            Some(both) => both,
            None => (lower.as_str(), 0),
        };
    match number.parse::<u64>().ok().and_then(|n| n.checked_mul(1 << shift)) {
        Some(size @ 1..) => Ok(size),
        _ => Err("expected a size in bytes such as 100, 64k or 1m".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_address_and_a_port() {
        let place = |text: &str| text.parse::<Place>().map(|place| place.0);
        assert_eq!(place("7000").unwrap(), "127.0.0.1:7000");
        assert_eq!(place(":7000").unwrap(), "127.0.0.1:7000");
        assert_eq!(place("*:7000").unwrap(), "0.0.0.0:7000");
        assert_eq!(place("localhost:7000").unwrap(), "localhost:7000");
        assert_eq!(place("[::1]:7000").unwrap(), "[::1]:7000");
        assert!(place("::1:7000").unwrap_err().contains("[::1]:7000"));
        assert!(place("127.0.0.1").is_err() && place("localhost").is_err() && place("a b:1").is_err());
        assert!(place("host:70000").unwrap_err().contains("65535"));
        assert!(place("http://x:80").is_err() && place("").is_err() && place("host:").is_err());
    }

    #[test]
    fn a_spot_is_an_address_or_a_ws_url() {
        let there = |text: &str| match text.parse::<Spot>() {
            Ok(Spot::There { to, authority, path }) => (to.0, authority, path),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            there("ws://localhost:8000/chat?x=1"),
            ("localhost:8000".into(), "localhost:8000".into(), "/chat?x=1".into())
        );
        assert_eq!(there("WS://h"), ("h:80".into(), "h".into(), "/".into()));
        assert_eq!(there("ws://[::1]:8000?q"), ("[::1]:8000".into(), "[::1]:8000".into(), "/?q".into()));
        assert_eq!("8000".parse(), Ok(Spot::Here(Place("127.0.0.1:8000".into()))));
        for wrong in
            ["wss://h/", "http://h/", "ws://", "ws://:80/", "ws://h/#x", "ws://h/a b", "ws://u@h/", "ftp://h"]
        {
            assert!(wrong.parse::<Spot>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn whom_to_call_is_an_address_or_a_url_without_tls() {
        let one: Callee = "http://localhost:8000/a?b".parse().unwrap();
        assert_eq!((one.scheme.as_deref(), one.to.0.as_str()), (Some("http"), "localhost:8000"));
        assert_eq!((one.authority.as_str(), one.path.as_deref()), ("localhost:8000", Some("/a?b")));
        let one: Callee = "8000".parse().unwrap();
        assert_eq!((one.scheme, one.to.0.as_str(), one.path), (None, "127.0.0.1:8000", None));
        assert_eq!("TCP://h:1".parse::<Callee>().unwrap().path, None);
        for wrong in ["https://h/", "wss://h/", "http://", "http://u@h/", "http://h:0/", "h"] {
            assert!(wrong.parse::<Callee>().is_err(), "{wrong}");
        }
        assert_eq!(setting("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(setting("a").is_err() && setting("=b").is_err());
    }

    #[test]
    fn times_and_sizes_have_units() {
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(time("5m"), Ok(Duration::from_secs(300)));
        assert!(time("5").is_err() && time("s").is_err() && time("-1s").is_err());
        assert_eq!((size("100"), size("64k"), size("1M")), (Ok(100), Ok(65536), Ok(1 << 20)));
        assert!(size("0").is_err() && size("1g").is_err() && size("k").is_err());
    }
}
