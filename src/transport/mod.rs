//! How is a message carried? By any of several transports, from bare TCP to STOMP over a WebSocket.
//!
//! [`ALL`] is the table that `diff`, `explain` and the tests read. A transport's [`Script`] is made of lines of the lesson notation, whose bytes come
//! from the encoders of [`wire`](crate::wire), so that it is run and told like any lesson; its `layers` name every byte again. Beside that it
//! has two ends that are live: `NAME/client.rs` and `NAME/server.rs`, by hand over our own sockets. What those share is
//! in [`mod@line`]; how one is plugged in, called and served is in [`ends`].

pub mod ends;
pub mod http;
pub mod icmp;
pub mod line;
pub mod news;
pub mod poll;
pub mod script;
pub mod socketio;
pub mod sockjs;
pub mod sse;
pub mod stomp;
pub mod tcp;
pub mod udp;
pub mod websocket;

use crate::{event::Host, wire::LayerBytes};

pub use script::{BUFFERED, Cannot, Script, Sending, Times};

/// A way to carry a message.
#[derive(Debug)]
pub struct Transport {
    /// As it is typed: `long-poll`.
    pub name: &'static str,
    /// As a heading says it: `HTTP, long polling`.
    pub title: &'static str,
    /// In a sentence.
    pub about: &'static str,
    /// Why it is there.
    pub why: &'static str,
    /// What it stands on, from the outside in: `IP`, `TCP`, `HTTP`.
    pub over: &'static [&'static str],
    /// The lesson that shows it.
    pub lesson: &'static str,
    /// Where it is defined.
    pub sources: &'static [&'static str],
    /// How a message is carried.
    pub script: fn(&Sending) -> Result<Script, Cannot>,
    /// What of the receiver's bytes is what, from the outside in.
    pub layers: fn(&[u8], Host) -> Vec<LayerBytes>,
}

/// All transports: the kernel's, then those of HTTP, then WebSocket and what stands on it.
pub const ALL: &[&Transport] = &[
    &script::tcp::TRANSPORT,
    &script::udp::TRANSPORT,
    &script::icmp::TRANSPORT,
    &script::http::TRANSPORT,
    &script::poll::TRANSPORT,
    &script::long_poll::TRANSPORT,
    &script::sse::TRANSPORT,
    &script::websocket::TRANSPORT,
    &script::websocket_deflate::TRANSPORT,
    &script::socketio::TRANSPORT,
    &script::sockjs::TRANSPORT,
    &script::stomp::ON_WEBSOCKET,
    &script::stomp::ON_TCP,
];

/// The transport of this name.
pub fn find(name: &str) -> Option<&'static Transport> {
    ALL.iter().copied().find(|transport| transport.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson;

    #[test]
    fn every_transport_has_its_lesson_and_every_end_its_transport() {
        for transport in ALL {
            assert!(
                lesson::find(transport.lesson).is_some(),
                "{} has no lesson {}",
                transport.name,
                transport.lesson
            );
            assert_eq!(find(transport.name).map(|found| found.name), Some(transport.name));
        }
        // The page of the news has four of them on it.
        let others = ends::ENDS.iter().filter(|ends| !ends.is_for_browsers());
        for ends in others {
            assert!(find(ends.name).is_some(), "{} is not in the table", ends.name);
        }
    }
}
