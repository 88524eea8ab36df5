//! netlink(7): requests to the kernel as messages of attributes, and its answers.

use std::io::{self, Read};

use socket2::{Domain, Protocol, Socket, Type};

/// Bytes of `struct nlmsghdr`: length(4) type(2) flags(2) sequence number(4) port(4).
const HEADER: usize = 16;

/// A socket whose peer is the kernel.
#[derive(Debug)]
pub struct Netlink {
    socket: Socket,
}

impl Netlink {
    /// Opens a socket of a netlink protocol, such as `NETLINK_ROUTE`, in this thread's network namespace.
    ///
    /// # Errors
    /// Those of `socket(2)`.
    pub fn open(protocol: libc::c_int) -> io::Result<Netlink> {
        // Neither bound nor connected: the kernel binds it with the first message, which goes to the kernel.
        let socket =
            Socket::new(Domain::from(libc::AF_NETLINK), Type::DGRAM, Some(Protocol::from(protocol)))?;
        Ok(Netlink { socket })
    }

    /// Sends a request.
    ///
    /// # Errors
    /// Those of `send(2)`.
    pub fn send(&self, request: Request) -> io::Result<()> {
        self.socket.send(&request.encode()).map(drop)
    }

    /// Waits for a datagram with answers, and returns them.
    ///
    /// # Errors
    /// Those of `recv(2)`.
    pub fn receive<'a>(&self, buffer: &'a mut [u8]) -> io::Result<Answers<'a>> {
        let length = (&self.socket).read(buffer)?;
        Ok(Answers { rest: buffer.get(..length).unwrap_or_default() })
    }

    /// Sends a request with `NLM_F_ACK`, and waits for its acknowledgment.
    ///
    /// # Errors
    /// The error with which the kernel answers, and those of netlink.
    pub fn acknowledged(&self, request: Request) -> io::Result<()> {
        self.send(request)?;
        // An error repeats the request.
        let mut buffer = [0; 8192];
        match self.receive(&mut buffer)?.next() {
            Some(Answer::Acknowledged) => Ok(()),
            Some(Answer::Failed(error)) => Err(error),
            other => Err(io::Error::other(format!("netlink answered with {other:?}"))),
        }
    }
}

impl From<Socket> for Netlink {
    fn from(socket: Socket) -> Netlink {
        Netlink { socket }
    }
}

impl From<Netlink> for Socket {
    fn from(netlink: Netlink) -> Socket {
        netlink.socket
    }
}

/// A request that is put together: a header, a fixed part that depends on the type, then attributes.
#[derive(Debug)]
pub struct Request {
    bytes: Vec<u8>,
}

impl Request {
    /// Begins a request. `flags` are the `NLM_F_` flags beside `NLM_F_REQUEST`.
    pub fn new(kind: u16, flags: libc::c_int, fixed: &[u8]) -> Request {
        let flags = u16::try_from(libc::NLM_F_REQUEST | flags).unwrap_or_default();
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[6..8].copy_from_slice(&flags.to_ne_bytes());
        bytes.extend(fixed);
        Request { bytes }
    }

    /// Appends an attribute.
    #[must_use]
    pub fn attribute(self, kind: u16, value: &[u8]) -> Request {
        self.nested(kind, value, |inner| inner)
    }

    /// Appends an attribute whose value is a text with its NUL.
    #[must_use]
    pub fn text(self, kind: u16, value: &str) -> Request {
        self.attribute(kind, &[value.as_bytes(), &[0]].concat())
    }

    /// Appends an attribute that consists of a fixed part and of the attributes that `inner` appends.
    #[must_use]
    pub fn nested(mut self, kind: u16, fixed: &[u8], inner: impl FnOnce(Request) -> Request) -> Request {
        let start = self.bytes.len();
        self.bytes.extend([0; 2]);
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(fixed);
        let mut whole = inner(self);
        let length = u16::try_from(whole.bytes.len() - start).unwrap_or(u16::MAX);
        whole.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        // The length leaves out the padding.
        whole.bytes.resize(whole.bytes.len().next_multiple_of(4), 0);
        whole
    }

    /// Returns the bytes of the message.
    pub fn encode(mut self) -> Vec<u8> {
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.bytes[..4].copy_from_slice(&length.to_ne_bytes());
        self.bytes
    }
}

/// A message of the kernel.
#[derive(Debug)]
pub enum Answer<'a> {
    /// The request was carried out.
    Acknowledged,
    /// The request failed.
    Failed(io::Error),
    /// The end of a dump.
    Done,
    /// What was asked for: the fixed part and the attributes.
    Data(&'a [u8]),
}

/// The messages of a datagram, in order.
#[derive(Debug)]
pub struct Answers<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Answers<'a> {
    type Item = Answer<'a>;

    fn next(&mut self) -> Option<Answer<'a>> {
        let header = self.rest.first_chunk::<HEADER>()?;
        let [a, b, c, d, e, f, ..] = *header;
        let length = usize::try_from(u32::from_ne_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let malformed = || Answer::Failed(io::ErrorKind::InvalidData.into());
        let rest = std::mem::take(&mut self.rest);
        let Some(body) = rest.get(HEADER..length) else { return Some(malformed()) };
        self.rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(match libc::c_int::from(u16::from_ne_bytes([e, f])) {
            // An error without a number is an acknowledgment.
            libc::NLMSG_ERROR => match body.first_chunk().copied().map(i32::from_ne_bytes) {
                Some(0) => Answer::Acknowledged,
                Some(number) => Answer::Failed(io::Error::from_raw_os_error(number.wrapping_neg())),
                None => malformed(),
            },
            libc::NLMSG_DONE => Answer::Done,
            _ => Answer::Data(body),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(bytes: &[u8]) -> String {
        format!("{:?}", Answers { rest: bytes }.collect::<Vec<_>>())
    }

    /// A message of that type, and of that length whatever follows.
    fn message(length: u32, kind: u16, body: &[u8]) -> Vec<u8> {
        [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), &[0; 10], body].concat()
    }

    #[test]
    fn attributes_are_padded_and_nested_ones_have_the_length_of_all_they_hold() {
        let request = Request::new(16, libc::NLM_F_ACK, &[7; 4])
            .text(3, "lo")
            .nested(18, &[9; 4], |inner| inner.attribute(1, &[1, 2, 3, 4, 5]));
        #[rustfmt::skip]
        let attributes = [
            [7, 0, 3, 0, b'l', b'o', 0, 0].as_slice(),
            &[20, 0, 18, 0, 9, 9, 9, 9, 9, 0, 1, 0, 1, 2, 3, 4, 5, 0, 0, 0],
        ];
        let header = [48, 0, 0, 0, 16, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 7, 7, 7];
        if cfg!(target_endian = "little") {
            assert_eq!(request.encode(), [&header[..], &attributes.concat()].concat());
        }
    }

    #[test]
    fn answers_are_told_apart() {
        let failed = message(36, 2, &[&(-2_i32).to_ne_bytes()[..], &[0; 16]].concat());
        let all =
            [message(20, 2, &[0; 4]), message(19, 20, &[1, 2, 3, 0]), failed, message(16, 3, &[])].concat();
        let found = answers(&all);
        assert!(found.starts_with("[Acknowledged, Data([1, 2, 3]), Failed(Os { code: 2,"), "{found}");
        assert!(found.ends_with(", Done]"), "{found}");
    }

    #[test]
    fn an_answer_that_cannot_be_is_a_failure_and_the_end() {
        for length in [0, 15, 21, u32::MAX] {
            assert_eq!(answers(&message(length, 20, &[0; 4])), "[Failed(Kind(InvalidData))]", "{length}");
        }
        assert_eq!(answers(&message(18, 2, &[0; 2])), "[Failed(Kind(InvalidData))]");
        assert_eq!(answers(&[0; 15]), "[]");
    }

    #[test]
    fn the_kernel_answers() {
        // RTM_GETLINK of an interface that can't be.
        let netlink = Netlink::open(libc::NETLINK_ROUTE).unwrap();
        let mut link = [0; 16];
        link[4..8].copy_from_slice(&i32::MAX.to_ne_bytes());
        let error =
            netlink.acknowledged(Request::new(libc::RTM_GETLINK, libc::NLM_F_ACK, &link)).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENODEV));
    }
}
