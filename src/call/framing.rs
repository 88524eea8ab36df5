//! Messages on a byte stream, by hand: a delimiter, or a length in front.
//!
//! TCP preserves the order of bytes and no boundaries. A program that wants messages has to mark where each
//! one ends, and to call `recv` until it has a whole one, because one `recv` does not correspond to one
//! `send`.

use std::io;

use super::{
    Arguments, CallDescription, CallPart, Completed, Grammar, On, Returns, Site, SocketEntry, SocketRef, arg,
    byte_count, describe_bytes, quoted,
};
use crate::{event::Value, ran};

/// Largest message, in bytes. A length that the peer announces above it is an error, as it would decide how
/// much memory is used.
pub const MAX_MESSAGE_SIZE: usize = 1 << 20;

/// Buffer size of each `recv`, in bytes.
const BUFFER_SIZE: usize = 4096;

/// `recv_until c "\r\n"`: receives until these bytes have come.
#[derive(Debug, Clone, PartialEq)]
pub struct RecvUntil {
    /// The end of a message.
    pub delimiter: Vec<u8>,
}

/// `recv_exactly c 10`: receives until that many bytes have come.
#[derive(Debug, Clone, PartialEq)]
pub struct RecvExactly {
    /// Size of the message, in bytes.
    pub size: usize,
}

/// `send_prefixed c "hello"`: sends a 4-byte length, most significant byte first, then these bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct SendPrefixed {
    /// What is sent.
    pub message: Vec<u8>,
}

/// `recv_prefixed c`: receives a 4-byte length, then that many bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct RecvPrefixed;

impl RecvUntil {
    pub(super) const GRAMMAR: Grammar =
        grammar("recv_until", Returns::Bytes, "framing by hand: recv until a delimiter");

    pub(super) fn read<R: Arguments>(arguments: &mut R) -> Result<RecvUntil, R::Error> {
        Ok(RecvUntil { delimiter: arguments.bytes()? })
    }

    pub(super) fn describe(&self, _: &SocketRef, _: Option<&str>) -> CallDescription {
        CallDescription::of_steps(
            "recv_until",
            vec![arg("delimiter", quoted(&self.delimiter, 20))],
            "the delimiter",
        )
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        let mut pieces = Vec::new();
        let ran = ran!(recv_until(at.held(), &self.delimiter, &mut pieces));
        Completed { parts: pieces, ..Completed::of(ran, Value::Data) }
    }
}

impl RecvExactly {
    pub(super) const GRAMMAR: Grammar =
        grammar("recv_exactly", Returns::Bytes, "framing by hand: recv until there are so many bytes");

    pub(super) fn read<R: Arguments>(arguments: &mut R) -> Result<RecvExactly, R::Error> {
        Ok(RecvExactly { size: arguments.size()? })
    }

    pub(super) fn describe(&self, _: &SocketRef, _: Option<&str>) -> CallDescription {
        CallDescription::of_steps(
            "recv_exactly",
            vec![arg("size", byte_count(self.size))],
            "the rest of the bytes",
        )
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        let mut pieces = Vec::new();
        let ran = ran!(recv_exactly(at.held(), self.size, &mut pieces));
        Completed { parts: pieces, ..Completed::of(ran, Value::Data) }
    }
}

impl SendPrefixed {
    pub(super) const GRAMMAR: Grammar =
        grammar("send_prefixed", Returns::Number, "framing by hand: a 4-byte length, then the bytes");

    pub(super) fn read<R: Arguments>(arguments: &mut R) -> Result<SendPrefixed, R::Error> {
        Ok(SendPrefixed { message: arguments.bytes()? })
    }

    pub(super) fn describe(&self, _: &SocketRef, _: Option<&str>) -> CallDescription {
        CallDescription::of_steps(
            "send_prefixed",
            vec![arg("message", describe_bytes(&self.message))],
            "room in the send buffer",
        )
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        let mut pieces = Vec::new();
        let ran = ran!(send_prefixed(at.held(), &self.message, &mut pieces));
        Completed { parts: pieces, ..Completed::of(ran, Value::Count) }
    }
}

impl RecvPrefixed {
    pub(super) const GRAMMAR: Grammar =
        grammar("recv_prefixed", Returns::Bytes, "framing by hand: recv a 4-byte length, then so many bytes");

    pub(super) fn read<R: Arguments>(_: &mut R) -> Result<RecvPrefixed, R::Error> {
        Ok(RecvPrefixed)
    }

    pub(super) fn describe(&self, _: &SocketRef, _: Option<&str>) -> CallDescription {
        CallDescription::of_steps("recv_prefixed", Vec::new(), "the rest of the message")
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        let mut pieces = Vec::new();
        let ran = ran!(recv_prefixed(at.held(), &mut pieces));
        Completed { parts: pieces, ..Completed::of(ran, Value::Data) }
    }
}

const fn grammar(name: &'static str, returns: Returns, about: &'static str) -> Grammar {
    Grammar { name, on: On::Socket, returns, may_block: true, about }
}

/// Receives until `delimiter`, and returns the bytes up to its end. Bytes behind it are kept for the next
/// call.
fn recv_until(on: &SocketEntry, delimiter: &[u8], pieces: &mut Vec<CallPart>) -> io::Result<Vec<u8>> {
    let mut bytes = std::mem::take(&mut *on.read_ahead());
    loop {
        if let Some(at) = find(&bytes, delimiter) {
            *on.read_ahead() = bytes.split_off(at + delimiter.len());
            return Ok(bytes);
        }
        if bytes.len() >= MAX_MESSAGE_SIZE {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("no delimiter in {} bytes", bytes.len()),
            ));
        }
        if let Err(error) = recv_more(on, BUFFER_SIZE, &mut bytes, pieces) {
            *on.read_ahead() = bytes;
            return Err(error);
        }
    }
}

/// Receives until there are `size` bytes.
fn recv_exactly(on: &SocketEntry, size: usize, pieces: &mut Vec<CallPart>) -> io::Result<Vec<u8>> {
    if size > MAX_MESSAGE_SIZE {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{size} bytes are claimed; at most {MAX_MESSAGE_SIZE} are taken"),
        ));
    }
    let mut bytes = std::mem::take(&mut *on.read_ahead());
    while bytes.len() < size {
        let missing = size - bytes.len();
        if let Err(error) = recv_more(on, missing, &mut bytes, pieces) {
            *on.read_ahead() = bytes;
            return Err(error);
        }
    }
    *on.read_ahead() = bytes.split_off(size);
    Ok(bytes)
}

/// Receives a message that begins with its length.
fn recv_prefixed(on: &SocketEntry, pieces: &mut Vec<CallPart>) -> io::Result<Vec<u8>> {
    let prefix = recv_exactly(on, 4, pieces)?;
    let length = prefix.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    recv_exactly(on, length, pieces)
}

/// Sends the length of a message and then the message, in as many calls as needed.
fn send_prefixed(on: &SocketEntry, message: &[u8], pieces: &mut Vec<CallPart>) -> io::Result<usize> {
    let length = u32::try_from(message.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend_from_slice(message);
    send_all(on, &bytes, pieces)?;
    Ok(bytes.len())
}

/// Sends all bytes. `send` may copy fewer than it was passed, so it is called until none is left.
pub fn send_all(on: &SocketEntry, bytes: &[u8], pieces: &mut Vec<CallPart>) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, outcome) = CallPart::send(on, rest);
        pieces.push(piece);
        rest = &rest[outcome?..];
    }
    Ok(())
}

/// One more `recv` behind `bytes`. The end of the stream in the middle of a message is an error.
fn recv_more(
    on: &SocketEntry,
    room: usize,
    bytes: &mut Vec<u8>,
    pieces: &mut Vec<CallPart>,
) -> io::Result<()> {
    let (piece, outcome) = CallPart::recv(on, room);
    pieces.push(piece);
    let came = outcome?;
    if came.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("the stream ended within a message, after {} bytes of it", bytes.len()),
        ));
    }
    bytes.extend_from_slice(&came);
    Ok(())
}

fn find(bytes: &[u8], delimiter: &[u8]) -> Option<usize> {
    if delimiter.is_empty() {
        return Some(0);
    }
    bytes.windows(delimiter.len()).position(|window| window == delimiter)
}
