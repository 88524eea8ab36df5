//! A frame of the link, layer by layer: Ethernet, then ARP or IP, then ICMP, TCP or UDP, then what they
//! carry.
//!
//! The fields of a whole frame cover every bit of it exactly once; their bits count from the start of the
//! frame.

use super::{
    arp,
    ethernet::{self, ether_type},
    event_stream,
    field::Field,
    http, icmp, icmpv6,
    ip::{Datagram, protocol},
    ipv4, ipv6,
    layer::{Layer, Protocol},
    reading::Reading,
    socket_io, sockjs, stomp,
    tcp::{self, Seen},
    udp, websocket,
};

pub mod build;
#[cfg(test)]
mod tests;

/// Characters shown of application data.
const SHOWN: usize = 120;

/// The layers and fields of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dissection {
    /// The layers, in order.
    pub layers: Vec<Layer>,
    /// The fields of all layers, in order.
    pub fields: Vec<Field>,
}

impl Dissection {
    /// The fields of one of its layers.
    pub(crate) fn fields_of(&self, layer: &Layer) -> &[Field] {
        self.fields.get(layer.fields.clone()).unwrap_or_default()
    }

    /// Returns the first layer with this protocol that is not quoted.
    pub fn layer(&self, protocol: Protocol) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.protocol == protocol && !layer.quoted)
    }
}

/// The payload of TCP or UDP, as the caller knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Payload {
    /// Detect it: HTTP if it begins like a head, STOMP if it begins with a STOMP command, else data.
    #[default]
    Guess,
    /// Application data.
    Data,
    /// An HTTP/1.1 head, maybe with what follows.
    Http,
    /// WebSocket frames; the first begins here.
    WebSocket,
    /// STOMP frames; the first begins here.
    Stomp,
}

/// What is known about a frame besides its bytes. The default: nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// What the conversation knows about this segment, from [`super::flow`].
    pub seen: Option<&'a Seen>,
    /// The kind of the payload.
    pub payload: Payload,
}

/// Dissects an Ethernet frame. Any bytes are accepted; fields that are cut off or wrong say so.
pub fn dissect(frame: &[u8], context: Context) -> Dissection {
    let mut r = Reading::new(frame);
    if let Some(number) = r.layer(Protocol::Ethernet, ethernet::fields) {
        if number < ether_type::FIRST {
            let length = usize::from(number);
            r.within(length, "Length", |r| data(r, "of IEEE 802.2: not known to this decoder"));
        } else {
            carried_by_ethernet(&mut r, number, context);
        }
        r.layer(Protocol::Trailer, ethernet::trailer);
    }
    let (layers, fields) = r.into_parts();
    Dissection { layers, fields }
}

/// Dissects bytes that begin with this protocol instead of Ethernet.
///
/// Without the datagram around TCP, UDP or ICMPv6, a checksum over addresses cannot be verified. The payload
/// of a protocol that does not name its content is data.
pub(crate) fn dissect_as(protocol: Protocol, bytes: &[u8], context: Context) -> Dissection {
    use std::net::{Ipv4Addr, Ipv6Addr};
    let around = |number, six: bool| {
        let host = if six { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
        // Not whole: its addresses are not known.
        Datagram {
            source: host,
            destination: host,
            protocol: number,
            payload: 0..bytes.len(),
            first: true,
            whole: false,
        }
    };
    let mut r = Reading::new(bytes);
    match protocol {
        Protocol::Ethernet => return dissect(bytes, context),
        Protocol::Arp => carried_by_ethernet(&mut r, ether_type::ARP, context),
        Protocol::Ipv4 => carried_by_ethernet(&mut r, ether_type::IPV4, context),
        Protocol::Ipv6 => carried_by_ethernet(&mut r, ether_type::IPV6, context),
        Protocol::Tcp => carried_by_ip(&mut r, &around(protocol::TCP, false), context),
        Protocol::Udp => carried_by_ip(&mut r, &around(protocol::UDP, false), context),
        Protocol::Icmp => carried_by_ip(&mut r, &around(protocol::ICMP, false), context),
        Protocol::Icmpv6 => carried_by_ip(&mut r, &around(protocol::ICMPV6, true), context),
        Protocol::Http => payload(&mut r, Payload::Http),
        Protocol::WebSocket => payload(&mut r, Payload::WebSocket),
        Protocol::EngineIo => r.layer(protocol, |r| r.hand_over(socket_io::body_fields)),
        Protocol::SocketIo => r.layer(protocol, |r| r.hand_over(socket_io::fields)),
        Protocol::SockJs => r.layer(protocol, |r| r.hand_over(sockjs::fields)),
        Protocol::EventStream => r.layer(protocol, |r| r.hand_over(event_stream::fields)),
        Protocol::Stomp => payload(&mut r, Payload::Stomp),
        Protocol::Data | Protocol::Trailer => {}
    }
    data(&mut r, "not part of it: its own length ends before");
    let (layers, fields) = r.into_parts();
    Dissection { layers, fields }
}

fn carried_by_ethernet(r: &mut Reading, number: u16, context: Context) {
    match number {
        ether_type::ARP => {
            // Its own lengths say where it ends.
            let _ = r.layer(Protocol::Arp, arp::fields);
        }
        ether_type::IPV4 | ether_type::IPV6 => datagram(r, number, context),
        _ => data(r, "of a protocol that is not known to this decoder"),
    }
}

fn datagram(r: &mut Reading, number: u16, context: Context) {
    let (found, by) = if number == ether_type::IPV4 {
        (r.layer(Protocol::Ipv4, ipv4::fields), "Total Length")
    } else {
        (r.layer(Protocol::Ipv6, ipv6::fields), "Payload Length")
    };
    let Some(datagram) = found else { return };
    let length = datagram.payload.len();
    if length < r.left() || datagram.whole {
        r.within(length, by, |r| carried_by_ip(r, &datagram, context));
    } else {
        // It claims more than is there: what is there ends it.
        carried_by_ip(r, &datagram, context);
    }
}

fn carried_by_ip(r: &mut Reading, datagram: &Datagram, context: Context) {
    if !datagram.first {
        return data(r, "a later fragment: its header is in the first");
    }
    match (datagram.protocol, datagram.source.is_ipv4()) {
        (protocol::TCP, _) => {
            // If the header is cut off, no bytes are left.
            let _ = r.layer(Protocol::Tcp, |r| tcp::fields(r, datagram, context.seen));
            payload(r, context.payload);
        }
        (protocol::UDP, _) => {
            if let Some(length) = r.layer(Protocol::Udp, |r| udp::fields(r, datagram)) {
                r.within(length, "Length", |r| payload(r, context.payload));
            }
        }
        (protocol::ICMP, true) => icmp::fields(r, datagram, quoted),
        (protocol::ICMPV6, false) => icmpv6::fields(r, datagram, quoted),
        (protocol::NO_NEXT, false) => data(r, "ignored: the header says that nothing follows"),
        _ => {}
    }
    data(r, "of a protocol that is not known to this decoder");
}

/// Decodes a datagram that an ICMP message quotes. Its first four bits are the version.
fn quoted(r: &mut Reading) {
    match r.rest().first().map(|byte| byte >> 4) {
        Some(6) => datagram(r, ether_type::IPV6, Context::default()),
        Some(_) => datagram(r, ether_type::IPV4, Context::default()),
        None => {}
    }
    data(r, "not part of the quoted datagram");
}

fn payload(r: &mut Reading, payload: Payload) {
    if r.left() == 0 {
        return;
    }
    let guessed = match payload {
        Payload::Guess if begins_like_http(r.rest()) => Payload::Http,
        Payload::Guess if stomp::begins_like_stomp(r.rest()) => Payload::Stomp,
        other => other,
    };
    match guessed {
        Payload::Http => r.layer(Protocol::Http, |r| r.hand_over(http::fields)),
        Payload::WebSocket => r.layer(Protocol::WebSocket, |r| r.hand_over(websocket::fields)),
        Payload::Stomp => r.layer(Protocol::Stomp, |r| r.hand_over(stomp::fields)),
        Payload::Guess | Payload::Data => data(r, "what a program sent"),
    }
}

fn data(r: &mut Reading, meaning: &'static str) {
    r.layer(Protocol::Data, |r| r.all_as_text("Data", SHOWN, meaning));
}

/// True if the first line is a request line or a status line of HTTP/1.
pub(crate) fn begins_like_http(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"HTTP/1.") {
        return true;
    }
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let (method, _target, version) = (words.next(), words.next(), words.next());
    method.is_some_and(http::is_token) && version.is_some_and(|version| version.starts_with(b"HTTP/1."))
}
