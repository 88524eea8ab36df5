//! Ports that are the same in every run: the lesson's own, and P1, P2 … for those that the kernel picks.

use std::{collections::HashMap, net::SocketAddr};

use crate::event::Call;

/// What each port is called.
#[derive(Debug, Default)]
pub(super) struct Names {
    ports: HashMap<u16, String>,
    picked: usize,
}

impl Names {
    /// A call of the lesson's line `bind s :7000` was made with an address: its port is the one that the line
    /// says.
    pub fn learn(&mut self, line: &str, call: &Call) {
        let address = call.args.iter().find_map(|arg| arg.value.parse::<SocketAddr>().ok());
        if let (Some(address), Some(said)) = (address, said(line))
            && said != 0
            && address.port() != 0
        {
            self.ports.entry(address.port()).or_insert_with(|| said.to_string());
        }
    }

    /// `7000`, or `P1`
    pub fn port(&mut self, port: u16) -> String {
        if port == 0 {
            return "0".to_owned();
        }
        let picked = &mut self.picked;
        self.ports
            .entry(port)
            .or_insert_with(|| {
                *picked += 1;
                format!("P{picked}")
            })
            .clone()
    }

    /// `10.0.0.1:P1`; what is no address stays as it is.
    pub fn address(&mut self, text: &str) -> String {
        match text.parse::<SocketAddr>() {
            Ok(SocketAddr::V4(at)) => format!("{}:{}", at.ip(), self.port(at.port())),
            Ok(SocketAddr::V6(at)) => format!("[{}]:{}", at.ip(), self.port(at.port())),
            Err(_) => text.to_owned(),
        }
    }

    /// What the kernel is asked, with addresses as people write them: `connect(3, 10.0.0.2:7000)`.
    pub fn asked(&mut self, asked: &str) -> String {
        let mut text = String::new();
        let mut rest = asked;
        while let Some((before, address, behind)) = structure(rest) {
            text += before;
            text += &self.address(&address);
            rest = behind;
        }
        text += rest;
        text.replace('…', "...")
    }
}

/// The port behind the colon in a lesson's line.
fn said(line: &str) -> Option<u16> {
    line.split(':').skip(1).find_map(|behind| {
        let end = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
        behind[..end].parse().ok()
    })
}

/// The first `{AF_INET, htons(7000), 10.0.0.2}, 16`: what is before, the address, what is behind.
fn structure(text: &str) -> Option<(&str, String, &str)> {
    let start = text.find("{AF_INET")?;
    let length = text[start..].find('}')?;
    let mut parts = text[start + 1..start + length].split(", ").skip(1);
    let port = parts.next()?.strip_prefix("htons(")?.strip_suffix(')')?;
    let host = parts.next()?;
    let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let behind = &text[start + length + 1..];
    let behind = [", 16", ", 28"].iter().find_map(|size| behind.strip_prefix(size)).unwrap_or(behind);
    Some((&text[..start], address, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_that_the_kernel_picks_are_numbered() {
        let mut names = Names::default();
        assert_eq!(names.address("10.0.0.1:40123"), "10.0.0.1:P1");
        assert_eq!(names.address("[::1]:40555"), "[::1]:P2");
        assert_eq!((names.port(40123), names.port(0)), ("P1".into(), "0".into()));
    }

    #[test]
    fn what_is_asked_has_the_address_as_people_write_it() {
        let mut names = Names::default();
        names.ports.insert(7000, "7000".into());
        assert_eq!(
            names.asked("connect(3, {AF_INET, htons(7000), 10.0.0.2}, 16)"),
            "connect(3, 10.0.0.2:7000)"
        );
        assert_eq!(names.asked("bind(3, {AF_INET6, htons(0), ::}, 28)"), "bind(3, [::]:0)");
        assert_eq!(names.asked("accept4(3, …, SOCK_CLOEXEC)"), "accept4(3, ..., SOCK_CLOEXEC)");
        assert_eq!(names.asked("strange({AF_INET"), "strange({AF_INET");
    }

    #[test]
    fn the_port_of_a_line_stands_behind_its_colon() {
        assert_eq!(said("client$ r = connect c server:7000 &"), Some(7000));
        assert_eq!((said("server$ bind s :0"), said("server$ listen s 4")), (Some(0), None));
    }
}
