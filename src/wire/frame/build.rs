//! Whole frames from typed headers, with right lengths and checksums: for tests, and for captures of byte
//! streams.

use std::net::{IpAddr, SocketAddr};

use crate::wire::{
    Mac, arp,
    ethernet::{self, ether_type},
    icmp, icmpv6,
    ip::protocol,
    ipv4, ipv6, tcp, udp,
};

/// Returns a MAC address derived from a host's address: 02:00 and its last four bytes.
pub(crate) fn card_of(address: IpAddr) -> Mac {
    let [.., a, b, c, d] = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    };
    Mac([2, 0, a, b, c, d])
}

/// Returns a frame with a datagram that carries `payload` between two hosts. [`card_of`] gives the MAC
/// addresses.
///
/// If the addresses are of two families, both are written as IPv6, the IPv4 one mapped.
pub fn ip(source: IpAddr, destination: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let (datagram, number) = match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            (ipv4::Header::new(source, destination, protocol).encode(payload), ether_type::IPV4)
        }
        (source, destination) => {
            let six = |address: IpAddr| match address {
                IpAddr::V4(address) => address.to_ipv6_mapped(),
                IpAddr::V6(address) => address,
            };
            let header = ipv6::Header::new(six(source), six(destination), protocol);
            (header.encode(payload), ether_type::IPV6)
        }
    };
    ethernet::Header::new(card_of(source), card_of(destination), number).encode(&datagram)
}

/// Returns a TCP segment in a frame. The ports are those of `source` and `destination`, not those of
/// `header`.
pub fn tcp(source: SocketAddr, destination: SocketAddr, header: &tcp::Header, payload: &[u8]) -> Vec<u8> {
    let header = tcp::Header { source: source.port(), destination: destination.port(), ..*header };
    let segment = header.encode(source.ip(), destination.ip(), payload);
    ip(source.ip(), destination.ip(), protocol::TCP, &segment)
}

/// Returns a UDP datagram in a frame.
pub fn udp(source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let header = udp::Header { source: source.port(), destination: destination.port() };
    let datagram = header.encode(source.ip(), destination.ip(), payload);
    ip(source.ip(), destination.ip(), protocol::UDP, &datagram)
}

/// Returns a message of ICMP in a frame, or of ICMPv6 between IPv6 addresses.
pub fn icmp(source: IpAddr, destination: IpAddr, message: &icmp::Message) -> Vec<u8> {
    match (source, destination) {
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            ip(source, destination, protocol::ICMPV6, &icmpv6::encode(message, from, to))
        }
        _ => ip(source, destination, protocol::ICMP, &message.encode()),
    }
}

/// Returns an ARP packet in a frame, padded to the minimum of 60 bytes. A request is broadcast.
pub fn arp(packet: &arp::Packet) -> Vec<u8> {
    let destination =
        if packet.operation == arp::operation::REQUEST { Mac::BROADCAST } else { packet.target_hardware };
    let header = ethernet::Header::new(packet.sender_hardware, destination, ether_type::ARP);
    let mut frame = header.encode(&packet.encode());
    frame.resize(60, 0);
    frame
}
