//! rtnetlink(7): interfaces, addresses and neighbours are made and changed by messages to the kernel.

use std::{ffi::CString, io, net::IpAddr, os::fd::RawFd};

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    address::{AddressAttribute, AddressMessage},
    link::{
        AfSpecInet6, AfSpecUnspec, In6AddrGenMode, InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags,
        LinkInfo, LinkMessage,
    },
    neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState},
};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

/// Room for an answer, in bytes: an error repeats the question.
const ANSWER: usize = 8192;

/// A way to ask the kernel of the namespace in which it was opened.
pub(super) struct Netlink {
    socket: Socket,
}

impl Netlink {
    /// Opens it for this thread's network namespace.
    pub fn open() -> io::Result<Netlink> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Netlink { socket })
    }

    /// Makes a pair of interfaces, see veth(4): `ours` in this namespace, of that group, and `eth0` with that Ethernet address in
    /// the other.
    pub fn add_pair(&self, ours: &str, group: u32, other: RawFd, theirs: [u8; 6]) -> io::Result<()> {
        let mut peer = LinkMessage::default();
        peer.attributes.extend([
            LinkAttribute::IfName("eth0".to_owned()),
            LinkAttribute::Address(theirs.to_vec()),
            LinkAttribute::NetNsFd(other),
        ]);
        let mut link = LinkMessage::default();
        link.attributes.extend([
            LinkAttribute::IfName(ours.to_owned()),
            LinkAttribute::Group(group),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::Veth),
                LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
            ]),
        ]);
        self.ask(RouteNetlinkMessage::NewLink(link), NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Removes the interfaces of a group, and with them the other ends of their pairs.
    pub fn remove_group(&self, group: u32) -> io::Result<()> {
        let mut link = LinkMessage::default();
        link.attributes.push(LinkAttribute::Group(group));
        self.ask(RouteNetlinkMessage::DelLink(link), 0)
    }

    /// `ip link set dev NAME up`
    pub fn set_up(&self, index: u32) -> io::Result<()> {
        let mut link = link(index);
        link.header.flags = LinkFlags::Up;
        link.header.change_mask = LinkFlags::Up;
        self.ask(RouteNetlinkMessage::SetLink(link), 0)
    }

    /// `ip link set dev NAME addrgenmode none`: IPv6 makes no address of its own, and so looks for no router.
    pub fn disable_address_generation(&self, index: u32) -> io::Result<()> {
        let mut link = link(index);
        let none = AfSpecInet6::AddrGenMode(In6AddrGenMode::None);
        link.attributes.push(LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(vec![none])]));
        self.ask(RouteNetlinkMessage::SetLink(link), 0)
    }

    /// `ip address add ADDRESS/PREFIX dev NAME`
    pub fn add_address(&self, index: u32, address: IpAddr, prefix: u8) -> io::Result<()> {
        let mut message = AddressMessage::default();
        message.header.family = family(address);
        message.header.prefix_len = prefix;
        message.header.index = index;
        message.attributes.extend([AddressAttribute::Local(address), AddressAttribute::Address(address)]);
        self.ask(RouteNetlinkMessage::NewAddress(message), NLM_F_CREATE | NLM_F_EXCL)
    }

    /// `ip neighbour add ADDRESS lladdr ETHERNET dev NAME nud permanent`
    pub fn add_neighbour(&self, index: u32, address: IpAddr, ethernet: [u8; 6]) -> io::Result<()> {
        let mut message = NeighbourMessage::default();
        message.header.family = family(address);
        message.header.ifindex = index;
        message.header.state = NeighbourState::Permanent;
        message.attributes.extend([
            NeighbourAttribute::Destination(match address {
                IpAddr::V4(v4) => NeighbourAddress::Inet(v4),
                IpAddr::V6(v6) => NeighbourAddress::Inet6(v6),
            }),
            NeighbourAttribute::LinkLayerAddress(ethernet.to_vec()),
        ]);
        self.ask(RouteNetlinkMessage::NewNeighbour(message), NLM_F_CREATE | NLM_F_EXCL)
    }

    fn ask(&self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(message));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.socket.send(&bytes, 0)?;
        let mut answer = [0; ANSWER];
        let length = self.socket.recv(&mut &mut answer[..], 0)?;
        let answer = answer.get(..length).ok_or(io::ErrorKind::InvalidData)?;
        let answer = <NetlinkMessage<RouteNetlinkMessage>>::deserialize(answer).map_err(io::Error::other)?;
        match answer.payload {
            // An error without a number is an acknowledgement.
            NetlinkPayload::Error(error) => match error.code {
                None => Ok(()),
                Some(code) => Err(io::Error::from_raw_os_error(-code.get())),
            },
            other => Err(io::Error::other(format!("rtnetlink answered with {other:?}"))),
        }
    }
}

/// The number of an interface in this thread's network namespace. Corresponds to `if_nametoindex(3)`.
pub(super) fn index(name: &str) -> io::Result<u32> {
    let name = CString::new(name)?;
    // SAFETY: `name` is a string with its NUL that outlives the call.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(io::Error::last_os_error()),
        index => Ok(index),
    }
}

fn link(index: u32) -> LinkMessage {
    let mut link = LinkMessage::default();
    link.header.index = index;
    link
}

fn family(address: IpAddr) -> AddressFamily {
    if address.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet }
}
