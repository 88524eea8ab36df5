//! The protocols that a layer of a frame can have, and a layer: a protocol and its bytes.

use std::ops::Range;

/// What a layer speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// Ethernet, with its tags.
    Ethernet,
    /// ARP.
    Arp,
    /// IPv4, with its options.
    Ipv4,
    /// IPv6, with its extension headers.
    Ipv6,
    /// ICMP, without the datagram that it quotes.
    Icmp,
    /// ICMPv6, without the datagram that it quotes.
    Icmpv6,
    /// TCP, with its options.
    Tcp,
    /// UDP.
    Udp,
    /// An HTTP/1.1 head and what follows it.
    Http,
    /// WebSocket frames.
    WebSocket,
    /// Packets of Engine.IO, and what they carry: one, or as a content of HTTP has them.
    EngineIo,
    /// A packet of Socket.IO, without the Engine.IO around it.
    SocketIo,
    /// A frame or messages of SockJS.
    SockJs,
    /// Server-Sent Events: a stream of them from its beginning.
    EventStream,
    /// STOMP frames.
    Stomp,
    /// Bytes that no decoder here knows, or that a program made.
    Data,
    /// What Ethernet has after the packet: padding.
    Trailer,
}

impl Protocol {
    /// All protocols, from the link upwards.
    pub const ALL: [Protocol; 17] = [
        Protocol::Ethernet,
        Protocol::Arp,
        Protocol::Ipv4,
        Protocol::Ipv6,
        Protocol::Icmp,
        Protocol::Icmpv6,
        Protocol::Tcp,
        Protocol::Udp,
        Protocol::Http,
        Protocol::WebSocket,
        Protocol::EngineIo,
        Protocol::SocketIo,
        Protocol::SockJs,
        Protocol::EventStream,
        Protocol::Stomp,
        Protocol::Data,
        Protocol::Trailer,
    ];

    /// Returns the protocol with this name.
    pub fn named(name: &str) -> Option<Protocol> {
        Protocol::ALL.into_iter().find(|protocol| protocol.name() == name)
    }

    /// Its name: `TCP`.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Ethernet => "Ethernet",
            Protocol::Arp => "ARP",
            Protocol::Ipv4 => "IPv4",
            Protocol::Ipv6 => "IPv6",
            Protocol::Icmp => "ICMP",
            Protocol::Icmpv6 => "ICMPv6",
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
            Protocol::Http => "HTTP/1.1",
            Protocol::WebSocket => "WebSocket",
            Protocol::EngineIo => "Engine.IO",
            Protocol::SocketIo => "Socket.IO",
            Protocol::SockJs => "SockJS",
            Protocol::EventStream => "SSE",
            Protocol::Stomp => "STOMP",
            Protocol::Data => "data",
            Protocol::Trailer => "trailer",
        }
    }
}

/// A layer of a frame. The layers stand in order, and together they have all bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// What it speaks.
    pub protocol: Protocol,
    /// Its bytes in the frame: a header without what it carries.
    pub bytes: Range<usize>,
    /// Which of the dissection's fields are its.
    pub fields: Range<usize>,
    /// True for what an ICMP message quotes: not sent as such, but told about.
    pub quoted: bool,
}
