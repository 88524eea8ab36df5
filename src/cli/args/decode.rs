//! What `decode` is given: bytes from somewhere, what they are taken for, and what of it is told.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::view::filter::Filter;

/// What is decoded, and how it is shown.
#[derive(Debug, Clone, Args)]
pub struct Decode {
    /// A capture, hex or raw bytes (- is standard input)
    #[arg(value_name = "FILE", default_value = "-", conflicts_with = "hex", hide_default_value = true)]
    pub file: PathBuf,
    /// These bytes, in hex, instead of a file
    #[arg(long, value_name = "HEX")]
    pub hex: Option<String>,
    /// What the bytes begin with; of a capture: take what is not HTTP for WebSocket frames, or their messages for socketio, sockjs or stomp
    #[arg(long = "as", value_name = "PROTOCOL", value_enum)]
    pub protocol: Option<Begins>,
    /// Bytes as they are: don't look for hex in them
    #[arg(long, requires = "protocol", conflicts_with = "hex")]
    pub raw: bool,
    /// Only this stream, by its number
    #[arg(long, value_name = "N", help_heading = "Choice")]
    pub stream: Option<u64>,
    /// Only client, server, text, binary, continuation, close, ping, pong, engineio, socketio, sockjs, stomp, sse, or one end, such as 10.0.0.1:4000; may be repeated
    #[arg(long, value_name = "WHAT", help_heading = "Choice")]
    pub filter: Vec<Filter>,
    /// What was said, message by message, without how it was packed
    #[arg(long, help_heading = "Form")]
    pub follow: bool,
    /// JSON Lines: an object for each packet, frame, message and violation
    #[arg(long, conflicts_with = "follow", help_heading = "Form")]
    pub json: bool,
}

/// What bytes begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Begins {
    /// WebSocket frames
    Websocket,
    /// A head of HTTP/1.1
    Http,
    /// Packets of Socket.IO, with Engine.IO around them
    Socketio,
    /// Frames of SockJS
    Sockjs,
    /// Server-Sent Events
    Sse,
    /// STOMP frames
    Stomp,
    /// A TCP header
    Tcp,
    /// A UDP header
    Udp,
    /// An ICMP message
    Icmp,
    /// An ICMPv6 message
    Icmpv6,
    /// An IPv4 header
    Ipv4,
    /// An IPv6 header
    Ipv6,
    /// An ARP packet
    Arp,
    /// An Ethernet header
    Ethernet,
}
