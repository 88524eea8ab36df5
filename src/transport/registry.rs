//! The table of transports: the only place that names all of them.

use super::{
    api::{Ends, Scripted, Transport},
    http, icmp, news, poll, socketio, sockjs, sse, stomp, tcp, udp, websocket,
};

/// All transports, in the order in which they are taught: the kernel's, those of HTTP, then WebSocket and
/// what stands on it.
pub const ALL: &[&Transport] = &[
    &tcp::TRANSPORT,
    &udp::TRANSPORT,
    &icmp::TRANSPORT,
    &http::TRANSPORT,
    &poll::SHORT,
    &poll::LONG,
    &sse::TRANSPORT,
    &websocket::TRANSPORT,
    &websocket::DEFLATE,
    &news::TRANSPORT,
    &socketio::TRANSPORT,
    &sockjs::TRANSPORT,
    &stomp::TRANSPORT,
    &stomp::ON_TCP,
];

/// Returns the transport with this name.
pub fn find(name: &str) -> Option<&'static Transport> {
    ALL.iter().copied().find(|transport| transport.name == name)
}

/// Returns the transports that `diff` compares, with their names.
pub fn scripted() -> impl Iterator<Item = (&'static str, &'static Scripted)> {
    ALL.iter().filter_map(|transport| Some((transport.name, transport.scripted.as_ref()?)))
}

/// Returns the transports that have a client or a server, with their names.
pub fn ends() -> impl Iterator<Item = (&'static str, &'static Ends)> {
    ALL.iter().filter_map(|transport| Some((transport.name, transport.ends.as_ref()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson;

    #[test]
    fn each_transport_has_a_name_of_its_own_and_a_purpose() {
        for (index, transport) in ALL.iter().enumerate() {
            let name = transport.name;
            assert!(ALL[..index].iter().all(|other| other.name != name), "{name}");
            assert_eq!(find(name).map(|found| found.name), Some(name));
            assert!(transport.scripted.is_some() || transport.ends.is_some(), "{name}");
        }
        assert!(find("nothing").is_none());
    }

    #[test]
    fn each_end_has_a_scheme_and_a_path() {
        for (name, ends) in ends() {
            assert!(
                !ends.what.is_empty() && !ends.schemes.is_empty() && ends.path.starts_with('/'),
                "{name}"
            );
        }
    }

    #[test]
    fn each_comparison_has_its_lesson_and_each_end_its_comparison() {
        for (name, scripted) in scripted() {
            assert!(lesson::find(scripted.lesson).is_some(), "{name} has no lesson {}", scripted.lesson);
        }
        // The page of the news has four of them on it.
        for transport in ALL.iter().filter(|it| it.ends.as_ref().is_some_and(|ends| !ends.is_for_browsers()))
        {
            assert!(transport.scripted.is_some(), "{} can't be compared", transport.name);
        }
    }
}
