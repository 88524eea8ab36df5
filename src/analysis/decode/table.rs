//! Whose segment is this? Connections by their two ends, in whichever order those come.

use std::{collections::HashMap, net::SocketAddr};

use crate::analysis::capture::Packet;
use crate::wire::tcp::Segment;

/// Two ends. The map's hashing is keyed, so nobody can choose ends that collide.
#[derive(Debug, Default)]
pub(super) struct Table(HashMap<(SocketAddr, SocketAddr), u32>);

fn key((a, b): (SocketAddr, SocketAddr)) -> (SocketAddr, SocketAddr) {
    if a <= b { (a, b) } else { (b, a) }
}

impl Table {
    pub(super) fn find(&self, ends: (SocketAddr, SocketAddr)) -> Option<u32> {
        self.0.get(&key(ends)).copied()
    }

    pub(super) fn insert(&mut self, ends: (SocketAddr, SocketAddr), index: u32) {
        self.0.insert(key(ends), index);
    }

    pub(super) fn remove(&mut self, ends: (SocketAddr, SocketAddr)) {
        self.0.remove(&key(ends));
    }
}

/// How many bytes of payload the segment had on the wire: more than are here if the packet was cut at a
/// snapshot length.
pub(super) fn claimed_payload(packet: &Packet, network: usize, segment: &Segment) -> u64 {
    let here = segment.payload.len() as u64;
    let ip = &packet.bytes[network..];
    let before = (segment.payload.start - network) as u64;
    let total = match (ip.first().map(|byte| byte >> 4), ip.get(2..6)) {
        (Some(4), Some([high, low, ..])) => u64::from(u16::from_be_bytes([*high, *low])),
        (Some(6), Some([_, _, high, low])) => 40 + u64::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    };
    // Neither a Total Length of 0 (left to the card) nor one that is less than the headers says anything.
    let total = if total < before { packet.original.saturating_sub(network as u64) } else { total };
    if packet.is_truncated() { total.saturating_sub(before).max(here) } else { here }
}
