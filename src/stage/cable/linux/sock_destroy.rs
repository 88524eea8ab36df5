//! Aborts the TCP connections of a network namespace: sock_diag(7) with SOCK_DESTROY, if the kernel has it.

use std::io;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_sock_diag::{
    SockDiagMessage,
    constants::{AF_INET, AF_INET6, IPPROTO_TCP},
    inet::{ExtensionFlags, InetRequest, SocketId, StateFlags},
};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_SOCK_DIAG};

/// `SOCK_DESTROY` of linux/sock_diag.h: the message type that destroys the socket that the request selects.
const SOCK_DESTROY: u16 = 21;

/// Aborts every TCP connection of this thread's network namespace, including those without a descriptor.
pub(super) fn destroy_tcp_sockets() {
    for family in [AF_INET, AF_INET6] {
        // If the kernel cannot do it, the connections end by their timers.
        let _ = abort(family);
    }
}

fn abort(family: u8) -> io::Result<()> {
    let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    let any = if family == AF_INET { SocketId::new_v4() } else { SocketId::new_v6() };
    socket.send(&message(family, any, NLM_F_DUMP, None), 0)?;
    let mut found = Vec::new();
    let mut buffer = [0; 1 << 14];
    'answers: loop {
        let length = socket.recv(&mut &mut buffer[..], 0)?;
        let mut rest = buffer.get(..length).ok_or(io::ErrorKind::InvalidData)?;
        while !rest.is_empty() {
            let answer = <NetlinkMessage<SockDiagMessage>>::deserialize(rest).map_err(io::Error::other)?;
            let length = usize::try_from(answer.header.length).unwrap_or(usize::MAX);
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
            match answer.payload {
                NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(one)) => {
                    found.push(one.header.socket_id);
                }
                _ => break 'answers,
            }
        }
    }
    for id in found {
        socket.send(&message(family, id, NLM_F_ACK, Some(SOCK_DESTROY)), 0)?;
        socket.recv(&mut &mut buffer[..], 0)?;
    }
    Ok(())
}

fn message(family: u8, id: SocketId, flags: u16, kind: Option<u16>) -> Vec<u8> {
    let request = InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::all(),
        socket_id: id,
    };
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | flags;
    let mut message = NetlinkMessage::new(header, SockDiagMessage::InetRequest(request).into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    if let (Some(kind), Some(place)) = (kind, bytes.get_mut(4..6)) {
        place.copy_from_slice(&kind.to_ne_bytes());
    }
    bytes
}
