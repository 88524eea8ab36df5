//! The protocols that a layer of a frame can have, and a layer: a protocol and its bytes.

use std::ops::Range;

/// The protocol of a layer.
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
    /// Packets of Engine.IO with what they carry: one packet, or the content of an HTTP message.
    EngineIo,
    /// A packet of Socket.IO, without the Engine.IO around it.
    SocketIo,
    /// A frame or messages of SockJS.
    SockJs,
    /// Server-Sent Events: a stream of them from its beginning.
    EventStream,
    /// STOMP frames.
    Stomp,
    /// Application data, or bytes that no decoder knows.
    Data,
    /// Ethernet's bytes after the packet: padding.
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

    /// Returns its name: `TCP`.
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

/// A layer of a frame. The layers are in order and cover all bytes together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Its protocol.
    pub protocol: Protocol,
    /// Its range of bytes in the frame: a header without its payload.
    pub bytes: Range<usize>,
    /// Its range of the dissection's fields.
    pub fields: Range<usize>,
    /// True inside the quotation of an ICMP message.
    pub quoted: bool,
}
