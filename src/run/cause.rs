//! Determines why a frame was sent: from its sequence numbers and the calls that were made, never from its
//! time.
//!
//! The cause is a pure function of the frames and of the run's events in order: which call was made on which
//! socket with how many bytes, and which addresses each socket has.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    net::SocketAddr,
};

use crate::{
    event::{Call, Cause, Host, Return, Socket, Value, What},
    wire::{
        ethernet,
        icmp::{self, kind},
        ipv4,
        tcp::{Flags, Segment},
        tcp::{Remark, Seen},
    },
};

/// The host and the name of a socket.
type Name = (Host, String);

/// Source and destination of a segment.
type Way = (SocketAddr, SocketAddr);

/// Segments remembered for each direction of a connection, so that a retransmission is matched to its
/// original. Beyond it, the oldest is forgotten.
const REMEMBERED: usize = 4096;

/// The calls of a run, and the frames that were matched to them.
#[derive(Debug, Default)]
pub(super) struct Causes {
    /// Calls to `connect` whose SYN has not been seen yet.
    connects: Vec<(u64, Host, SocketAddr)>,
    streams: HashMap<Name, Stream>,
    /// The last call to `shutdown` or `close` on each socket.
    ends: HashMap<Name, u64>,
    /// Duplicated descriptors, and the socket that each one refers to.
    twins: HashMap<Name, Name>,
    /// The UDP socket that is bound to each port.
    ports: HashMap<(Host, u16), Name>,
    /// Sockets that send ICMP.
    icmp: HashSet<Name>,
    /// The cause of each datagram that was sent in fragments, by sender and identification.
    cut: HashMap<(Host, u16), Why>,
    /// The socket that has these addresses, local and remote.
    owners: HashMap<(Host, SocketAddr, SocketAddr), Name>,
    /// Calls that have not returned: their names and their sockets.
    open: HashMap<u64, (String, Option<Name>)>,
    /// First sequence number, end and frame number of each segment that occupies sequence numbers.
    taken: HashMap<Way, VecDeque<(u32, u32, u64)>>,
}

/// What the program has handed to the kernel on one socket.
#[derive(Debug, Default)]
struct Stream {
    /// Bytes so far.
    length: u64,
    /// Each call, with the offset of its first byte and of its end; `None` while the call runs.
    calls: Vec<(u64, u64, Option<u64>)>,
    /// Calls whose datagram has not been seen yet.
    datagrams: VecDeque<u64>,
}

/// Why a frame was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Why {
    pub cause: Cause,
    pub call: Option<u64>,
    pub again: Option<u64>,
}

impl Why {
    pub fn only(cause: Cause) -> Why {
        Why { cause, call: None, again: None }
    }
}

impl Causes {
    /// Records an event of the run.
    pub fn hear(&mut self, what: &What) {
        match what {
            What::Call(call) => self.called(call),
            What::Return(back) => self.returned(back),
            What::Socket(socket) => self.saw(socket),
            _ => {}
        }
    }

    fn called(&mut self, call: &Call) {
        let name = call.socket.as_ref().map(|name| self.itself((call.host, name.clone())));
        let address = || call.args.iter().find_map(|arg| arg.value.parse::<SocketAddr>().ok());
        match (call.call.as_str(), &name) {
            ("connect", _) => self.connects.extend(address().map(|to| (call.id, call.host, to))),
            ("send" | "sendto", Some(name)) => {
                let stream = self.streams.entry(name.clone()).or_default();
                stream.calls.push((call.id, stream.length, None));
                stream.datagrams.push_back(call.id);
            }
            ("shutdown" | "close", Some(name)) => {
                self.ends.insert(name.clone(), call.id);
            }
            _ => {}
        }
        self.open.insert(call.id, (call.call.clone(), name));
    }

    fn returned(&mut self, back: &Return) {
        let Some((call, name)) = self.open.remove(&back.call) else { return };
        match (&back.ok, name) {
            (Some(Value::Socket { name: new, .. }), on) if call == "dup" => {
                self.twins.extend(on.map(|on| ((on.0, new.clone()), on)));
            }
            (Some(Value::Socket { name: new, .. }), on) => {
                // A name that is used again refers to a new socket.
                for host in on.map_or(Host::ALL.to_vec(), |on| vec![on.0]) {
                    let name = (host, new.clone());
                    self.streams.remove(&name);
                    self.icmp.remove(&name);
                    self.ends.remove(&name);
                    self.twins.remove(&name);
                }
            }
            (came, Some(name)) if call == "send" || call == "sendto" => {
                let Some(stream) = self.streams.get_mut(&name) else { return };
                let count = if let Some(Value::Count(count)) = came { *count as u64 } else { 0 };
                if let Some(entry) = stream.calls.iter_mut().find(|(id, ..)| *id == back.call) {
                    entry.2 = Some(entry.1 + count);
                    stream.length = stream.length.max(entry.1 + count);
                }
                if came.is_none() {
                    stream.datagrams.retain(|id| *id != back.call);
                }
            }
            _ => {}
        }
    }

    fn saw(&mut self, socket: &Socket) {
        let address = |text: &Option<String>| text.as_ref()?.parse::<SocketAddr>().ok();
        if socket.protocol.ends_with("icmp") {
            self.icmp.insert((socket.host, socket.name.clone()));
        }
        if let (true, Some(local)) = (socket.protocol.starts_with("udp"), address(&socket.local)) {
            let name = self.itself((socket.host, socket.name.clone()));
            self.ports.insert((socket.host, local.port()), name);
        }
        if let (Some(local), Some(peer)) = (address(&socket.local), address(&socket.peer))
            && !socket.name.starts_with('~')
        {
            let name = self.itself((socket.host, socket.name.clone()));
            self.owners.insert((socket.host, local, peer), name);
        }
    }

    /// Returns the socket that this name refers to. A duplicated descriptor is mapped to its original.
    fn itself(&self, name: Name) -> Name {
        self.twins.get(&name).cloned().unwrap_or(name)
    }

    /// Returns why this segment was sent. `number` is the number of its frame.
    pub fn of_segment(&mut self, number: u64, from: Host, segment: &Segment, seen: &Seen) -> Why {
        let again = self.again(number, segment, seen);
        let call = self.call_of(from, segment, seen);
        let flags = segment.flags;
        let cause = match seen.remark {
            Some(Remark::KeepAlive | Remark::ZeroWindowProbe) => Cause::Probe,
            _ if flags.contains(Flags::RST) => Cause::Reset,
            _ if again.is_some() => Cause::Retransmission,
            _ if flags.contains(Flags::SYN) && flags.contains(Flags::ACK) => Cause::Answer,
            _ if segment.sequence_length() > 0 => Cause::Call,
            Some(Remark::WindowUpdate) => Cause::WindowUpdate,
            _ => Cause::Acknowledgment,
        };
        let asked = matches!(cause, Cause::Call | Cause::Reset | Cause::Retransmission);
        Why { cause, call: call.filter(|_| asked), again }
    }

    /// Returns why this UDP datagram was sent. Datagrams cross in the order of the calls.
    pub fn of_datagram(&mut self, from: Host, source: SocketAddr, destination: SocketAddr) -> Why {
        let connected = self.owners.get(&(from, source, destination));
        let owner = connected.or_else(|| self.ports.get(&(from, source.port()))).cloned();
        let call = owner.and_then(|name| self.streams.get_mut(&name)?.datagrams.pop_front());
        Why { cause: if call.is_some() { Cause::Call } else { Cause::Unknown }, call, again: None }
    }

    /// Returns why this ICMP message was sent: by a call, or by the kernel as an answer or a report.
    pub fn of_icmp(&mut self, from: Host, message: Option<&icmp::Message>) -> Why {
        match message.map(|message| message.kind) {
            Some(kind::ECHO_REPLY | kind::TIMESTAMP_REPLY) => return Why::only(Cause::Answer),
            Some(kind::UNREACHABLE | kind::REDIRECT | kind::TIME_EXCEEDED | kind::PARAMETER_PROBLEM) => {
                return Why::only(Cause::Report);
            }
            _ => {}
        }
        // No kernel sends the remaining types by itself. ICMP sockets have no ports that identify them, so
        // the messages are matched in the order of the calls.
        let next =
            |name: &&Name| name.0 == from && self.streams.get(*name).is_some_and(|s| !s.datagrams.is_empty());
        let oldest =
            self.icmp.iter().filter(next).min_by_key(|name| self.streams[*name].datagrams[0]).cloned();
        let call = oldest.and_then(|name| self.streams.get_mut(&name)?.datagrams.pop_front());
        Why { cause: if call.is_some() { Cause::Call } else { Cause::Unknown }, call, again: None }
    }

    /// If the frame is the first fragment of a datagram, records its cause for the other fragments.
    pub fn is_cut(&mut self, from: Host, frame: &[u8], why: Why) {
        if let Some(header) = header(frame).filter(|header| header.more_fragments) {
            self.cut.insert((from, header.identification), why);
        }
    }

    /// Returns why a fragment was sent that is not the first of its datagram.
    pub fn of_fragment(&self, from: Host, frame: &[u8]) -> Why {
        let first = header(frame).and_then(|header| self.cut.get(&(from, header.identification)));
        first.copied().unwrap_or(Why::only(Cause::Unknown))
    }

    /// Returns the first frame that carried the start of this segment, if the segment is a retransmission.
    fn again(&mut self, number: u64, segment: &Segment, seen: &Seen) -> Option<u64> {
        let length = segment.sequence_length();
        if length == 0 {
            return None;
        }
        let taken = self.taken.entry((segment.source, segment.destination)).or_default();
        let first = segment.sequence;
        let again = (seen.repeated > 0)
            .then(|| taken.iter().find(|(from, to, _)| first.wrapping_sub(*from) < to.wrapping_sub(*from)))
            .flatten()
            .map(|(_, _, number)| *number);
        if again.is_none() {
            if taken.len() == REMEMBERED {
                taken.pop_front();
            }
            taken.push_back((first, segment.sequence_end(), number));
        }
        again
    }

    fn call_of(&mut self, from: Host, segment: &Segment, seen: &Seen) -> Option<u64> {
        let flags = segment.flags;
        if flags.contains(Flags::SYN) {
            if flags.contains(Flags::ACK) {
                return None;
            }
            let to = segment.destination;
            let at = self.connects.iter().position(|(_, host, address)| *host == from && *address == to)?;
            // A retransmitted SYN belongs to no new call.
            return (seen.repeated == 0).then(|| self.connects.remove(at).0);
        }
        let owner = self.owners.get(&(from, segment.source, segment.destination))?;
        if segment.payload.is_empty() {
            return self.ends.get(owner).copied();
        }
        let offset = u64::from(seen.sequence).checked_sub(1)?;
        let calls = &self.streams.get(owner)?.calls;
        calls
            .iter()
            .rev()
            .find(|(_, first, end)| *first <= offset && end.is_none_or(|end| offset < end))
            .map(|(id, ..)| *id)
    }
}

/// Returns the IPv4 header of a frame.
fn header(frame: &[u8]) -> Option<ipv4::Header> {
    let (link, at) = ethernet::Header::parse(frame)?;
    let here = link.ether_type == ethernet::ether_type::IPV4;
    here.then(|| ipv4::Header::parse(frame.get(at..)?)).flatten().map(|(header, _)| header)
}
