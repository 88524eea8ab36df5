//! rtnetlink(7): interfaces, addresses and neighbours are made and changed by messages to the kernel.

use std::{
    io,
    net::{IpAddr, UdpSocket},
    os::fd::RawFd,
};

use crate::kernel::netlink::{Netlink, Request};

/// `VETH_INFO_PEER` of linux/veth.h: the other end of a pair, a `struct ifinfomsg` and its attributes.
const VETH_INFO_PEER: u16 = 1;
/// `IFLA_INET6_ADDR_GEN_MODE` and `IN6_ADDR_GEN_MODE_NONE` of linux/if_link.h.
const INET6_ADDR_GEN_MODE: u16 = 8;
const ADDR_GEN_MODE_NONE: u8 = 1;
/// The flags of a request that makes something and fails if it is there.
const CREATE: libc::c_int = libc::NLM_F_CREATE | libc::NLM_F_EXCL;

/// Changes the network of the namespace in which it was opened.
pub(super) struct Rtnetlink {
    netlink: Netlink,
}

impl Rtnetlink {
    /// Opens it for this thread's network namespace.
    pub fn open() -> io::Result<Rtnetlink> {
        Ok(Rtnetlink { netlink: Netlink::open(libc::NETLINK_ROUTE)? })
    }

    /// Makes a pair of interfaces, see veth(4): `ours` in this namespace and of that group, and `eth0` with
    /// the Ethernet address `theirs` in the namespace `other`.
    pub fn add_pair(&self, ours: &str, group: u32, other: RawFd, theirs: [u8; 6]) -> io::Result<()> {
        self.request(add_pair(ours, group, other, theirs))
    }

    /// Removes the interfaces of a group, and with them the other ends of their pairs.
    pub fn remove_group(&self, group: u32) -> io::Result<()> {
        self.request(remove_group(group))
    }

    /// `ip link set dev NAME up`
    pub fn set_up(&self, index: u32) -> io::Result<()> {
        self.request(set_up(index))
    }

    /// `ip link set dev NAME addrgenmode none`: IPv6 makes no address of its own, and so looks for no router.
    pub fn disable_address_generation(&self, index: u32) -> io::Result<()> {
        self.request(disable_address_generation(index))
    }

    /// `ip address add ADDRESS/PREFIX dev NAME`
    pub fn add_address(&self, index: u32, address: IpAddr, prefix: u8) -> io::Result<()> {
        self.request(add_address(index, address, prefix))
    }

    /// `ip neighbour add ADDRESS lladdr ETHERNET dev NAME nud permanent`
    pub fn add_neighbour(&self, index: u32, address: IpAddr, ethernet: [u8; 6]) -> io::Result<()> {
        self.request(add_neighbour(index, address, ethernet))
    }

    fn request(&self, request: Request) -> io::Result<()> {
        self.netlink.acknowledged(request)
    }
}

/// Returns the number of an interface in this thread's network namespace. Corresponds to `SIOCGIFINDEX` of
/// netdevice(7).
pub(super) fn index(name: &str) -> io::Result<u32> {
    // The ioctl works on any socket of the namespace. This one sends nothing.
    let socket = UdpSocket::bind(("0.0.0.0", 0))?;
    Ok(rustix::net::netdevice::name_to_index(&socket, name)?)
}

fn add_pair(ours: &str, group: u32, other: RawFd, theirs: [u8; 6]) -> Request {
    acknowledged(libc::RTM_NEWLINK, CREATE, &link(0, 0))
        .text(libc::IFLA_IFNAME, ours)
        .attribute(libc::IFLA_GROUP, &group.to_ne_bytes())
        .nested(libc::IFLA_LINKINFO, &[], |info| {
            info.text(libc::IFLA_INFO_KIND, "veth").nested(libc::IFLA_INFO_DATA, &[], |data| {
                data.nested(VETH_INFO_PEER, &link(0, 0), |peer| {
                    peer.text(libc::IFLA_IFNAME, "eth0")
                        .attribute(libc::IFLA_ADDRESS, &theirs)
                        .attribute(libc::IFLA_NET_NS_FD, &other.to_ne_bytes())
                })
            })
        })
}

fn remove_group(group: u32) -> Request {
    acknowledged(libc::RTM_DELLINK, 0, &link(0, 0)).attribute(libc::IFLA_GROUP, &group.to_ne_bytes())
}

fn set_up(index: u32) -> Request {
    acknowledged(libc::RTM_SETLINK, 0, &link(index, libc::IFF_UP.unsigned_abs()))
}

fn disable_address_generation(index: u32) -> Request {
    let family = libc::AF_INET6.unsigned_abs().try_into().unwrap_or_default();
    acknowledged(libc::RTM_SETLINK, 0, &link(index, 0)).nested(libc::IFLA_AF_SPEC, &[], |families| {
        families.nested(family, &[], |inet6| inet6.attribute(INET6_ADDR_GEN_MODE, &[ADDR_GEN_MODE_NONE]))
    })
}

/// With `struct ifaddrmsg`: family(1) prefix length(1) flags(1) scope(1) interface(4).
fn add_address(index: u32, address: IpAddr, prefix: u8) -> Request {
    let [a, b, c, d] = index.to_ne_bytes();
    let octets = octets(address);
    acknowledged(libc::RTM_NEWADDR, CREATE, &[family(address), prefix, 0, 0, a, b, c, d])
        .attribute(libc::IFA_LOCAL, &octets)
        .attribute(libc::IFA_ADDRESS, &octets)
}

/// With `struct ndmsg`: family(1) padding(3) interface(4) state(2) flags(1) type(1).
fn add_neighbour(index: u32, address: IpAddr, ethernet: [u8; 6]) -> Request {
    let [a, b, c, d] = index.to_ne_bytes();
    let [e, f] = libc::NUD_PERMANENT.to_ne_bytes();
    acknowledged(libc::RTM_NEWNEIGH, CREATE, &[family(address), 0, 0, 0, a, b, c, d, e, f, 0, 0])
        .attribute(libc::NDA_DST, &octets(address))
        .attribute(libc::NDA_LLADDR, &ethernet)
}

fn acknowledged(kind: u16, flags: libc::c_int, fixed: &[u8]) -> Request {
    Request::new(kind, libc::NLM_F_ACK | flags, fixed)
}

/// `struct ifinfomsg`: family(1) padding(1) type(2) interface(4) flags(4), and which of the flags are to be
/// changed(4).
fn link(index: u32, flags: u32) -> [u8; 16] {
    let mut link = [0; 16];
    link[4..8].copy_from_slice(&index.to_ne_bytes());
    link[8..12].copy_from_slice(&flags.to_ne_bytes());
    link[12..].copy_from_slice(&flags.to_ne_bytes());
    link
}

fn family(address: IpAddr) -> u8 {
    let family = if address.is_ipv6() { libc::AF_INET6 } else { libc::AF_INET };
    u8::try_from(family).unwrap_or_default()
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}

#[cfg(all(test, target_endian = "little"))]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    /// The bytes are those that an independent implementation, netlink-packet-route 0.34, makes of the same
    /// requests.
    #[test]
    fn requests_have_the_bytes_that_another_implementation_gives_them() {
        let v4 = |last| IpAddr::from([10, 0, 0, last]);
        let v6 = "fd00::1".parse().unwrap();
        let requests = [
            (
                add_pair("client1", 1, 77_777, [2, 0, 0, 0, 0, 1]),
                "7c000000100005060000000000000000000000000000000000000000000000000c000300636c69656e74310008001b00\
                 01000000480012000900010076657468000000003800020034000100000000000000000000000000000000000900030065\
                 746830000000000a000100020000000001000008001c00d12f0100",
            ),
            (
                remove_group(777_777),
                "280000001100050000000000000000000000000000000000000000000000000008001b0031de0b00",
            ),
            (set_up(77_777), "2000000013000500000000000000000000000000d12f01000100000001000000"),
            (
                disable_address_generation(77_777),
                "3000000013000500000000000000000000000000d12f0100000000000000000010001a000c000a000500080001000000",
            ),
            (
                add_address(77_777, v4(1), 24),
                "2800000014000506000000000000000002180000d12f0100080002000a000001080001000a000001",
            ),
            (
                add_address(77_777, v6, 64),
                "400000001400050600000000000000000a400000d12f010014000200fd000000000000000000000000000001\
                 14000100fd000000000000000000000000000001",
            ),
            (
                add_neighbour(77_777, v4(2), [2, 0, 0, 0, 0, 2]),
                "300000001c000506000000000000000002000000d12f010080000000080001000a0000020a0002000200000000020000",
            ),
        ];
        for (request, expected) in requests {
            assert_eq!(HEXLOWER.encode(&request.encode()), expected);
        }
    }
}
