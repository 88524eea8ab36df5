//! Frames by hand: encode, mask and send; receive, decode and unmask. RFC 6455 §5.2, §5.3.

use std::io;

use super::rows;
use crate::random;
use crate::{
    call::{CallPart, Completed, SocketEntry, send_all},
    event::{Host, Row, Value, What, Working},
    ran,
    wire::{
        text,
        websocket::{Frame, Header, fields, mask},
    },
};

/// Size of the receive buffer in bytes.
const BUFFER_SIZE: usize = 4096;

/// Longest payload that is accepted, in bytes. A frame whose header announces more is refused before its
/// payload is read.
const MAX_PAYLOAD: u64 = 1 << 20;

/// Number of payload bytes whose masking is shown one by one.
const MASK_ROWS: usize = 8;

/// Deviations from the usual frame of a side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrameOptions {
    /// The masking key; `None` means a random one.
    pub key: Option<[u8; 4]>,
    /// The client does not mask the frame.
    pub unmasked: bool,
    /// FIN is 0: more fragments follow.
    pub more: bool,
    /// RSV1 is 1.
    pub rsv1: bool,
}

/// Makes a frame and sends it. A client's is masked with a fresh random key, a server's is not (§5.1).
pub fn send(host: Host, on: &SocketEntry, opcode: u8, payload: &[u8], options: &FrameOptions) -> Completed {
    let mut pieces = Vec::new();
    let ran = ran!(send_frame(host, on, opcode, payload, options, &mut pieces));
    Completed { parts: pieces, ..Completed::of(ran, Value::Count) }
}

fn send_frame(
    host: Host,
    on: &SocketEntry,
    opcode: u8,
    payload: &[u8],
    options: &FrameOptions,
    pieces: &mut Vec<CallPart>,
) -> io::Result<usize> {
    let mut frame = Frame::new(opcode, payload);
    let key = match options.key {
        Some(key) => Some(key),
        None if host == Host::Client && !options.unmasked => Some(fresh_key()?),
        None => None,
    };
    if let Some(key) = key {
        frame = frame.masked(key);
    }
    if options.more {
        frame = frame.unfinished();
    }
    if options.rsv1 {
        frame = frame.with_rsv(true, false, false);
    }
    let bytes = frame.encode();
    if let Some(key) = key {
        pieces.push(CallPart::Note(What::Working(Working {
            host,
            socket: None,
            title: "masking: each byte ⊕ a byte of the key".to_owned(),
            bytes: Vec::new(),
            rows: masking(payload, key),
        })));
    }
    pieces.push(CallPart::Note(dissected(host, "the frame", &bytes)));
    send_all(on, &bytes, pieces)?;
    Ok(bytes.len())
}

/// Returns four unpredictable bytes: RFC 6455 §5.3 asks for a strong source of entropy.
fn fresh_key() -> io::Result<[u8; 4]> {
    random::bytes().map_err(io::Error::other)
}

/// Receives and decodes one frame. Returns its payload, unmasked. It is not checked: the payload of an
/// invalid frame is shown too.
///
/// Fails with `UnexpectedEof` if the stream ends inside the frame, with `InvalidData` if its length exceeds
/// the limit.
pub fn receive(host: Host, on: &SocketEntry) -> Completed {
    let mut pieces = Vec::new();
    let ran = ran!(receive_frame(host, on, &mut pieces));
    Completed { parts: pieces, ..Completed::of(ran, Value::Data) }
}

fn receive_frame(host: Host, on: &SocketEntry, pieces: &mut Vec<CallPart>) -> io::Result<Vec<u8>> {
    let mut bytes = std::mem::take(&mut *on.read_ahead());
    let header = loop {
        let whole = match Header::parse(&bytes) {
            Ok(header) if header.length > MAX_PAYLOAD => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("the frame claims {} bytes; at most {MAX_PAYLOAD} are taken", header.length),
                ));
            }
            Ok(header) if bytes.len() >= header.size() + length_of(&header) => Some(header),
            Ok(_) | Err(_) => None,
        };
        if let Some(header) = whole {
            break header;
        }
        let (piece, outcome) = CallPart::recv(on, BUFFER_SIZE);
        pieces.push(piece);
        match outcome {
            Ok(received) if received.is_empty() => {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    format!("the stream ended after {} bytes of a frame", bytes.len()),
                ));
            }
            Ok(received) => bytes.extend_from_slice(&received),
            Err(error) => {
                *on.read_ahead() = bytes;
                return Err(error);
            }
        }
    };
    *on.read_ahead() = bytes.split_off(header.size() + length_of(&header));
    pieces.push(CallPart::Note(dissected(host, "the frame that was received", &bytes)));
    let mut payload = bytes.split_off(header.size());
    if let Some(key) = header.key {
        let rows = unmasking(&payload, key);
        mask(&mut payload, key);
        pieces.push(CallPart::Note(What::Working(Working {
            host,
            socket: None,
            title: "unmasking: ⊕ the same key gives the bytes back".to_owned(),
            bytes: Vec::new(),
            rows,
        })));
    }
    Ok(payload)
}

/// Returns the length of the payload. The header has been checked against [`MAX_PAYLOAD`].
fn length_of(header: &Header) -> usize {
    usize::try_from(header.length).unwrap_or(usize::MAX)
}

fn dissected(host: Host, title: &str, bytes: &[u8]) -> What {
    What::Working(Working {
        host,
        socket: None,
        title: title.to_owned(),
        bytes: bytes.to_vec(),
        rows: rows(&fields(bytes)),
    })
}

fn masking(plain: &[u8], key: [u8; 4]) -> Vec<Row> {
    mask_rows(plain, key, |plain, masked| {
        (letter(plain), format!("{plain:02x} ⊕ ",), format!(" = {masked:02x}"))
    })
}

fn unmasking(masked: &[u8], key: [u8; 4]) -> Vec<Row> {
    mask_rows(masked, key, |masked, plain| {
        (format!("{masked:02x}"), format!("{masked:02x} ⊕ "), format!(" = {plain:02x}  {}", letter(plain)))
    })
}

fn letter(byte: u8) -> String {
    text::escape(&[byte])
}

/// Shows the masking of the first bytes of a payload: `payload[i] ⊕ key[i mod 4]`.
fn mask_rows(bytes: &[u8], key: [u8; 4], row: impl Fn(u8, u8) -> (String, String, String)) -> Vec<Row> {
    let row = |(index, byte): (usize, &u8)| {
        let part = key[index % 4];
        let (name, before, behind) = row(*byte, byte ^ part);
        Row {
            name,
            value: format!("{before}{part:02x}{behind}"),
            meaning: format!("byte {index} with key[{index} mod 4 = {}]", index % 4),
            bits: None,
            section: Some("RFC 6455 §5.3".to_owned()),
        }
    };
    let mut rows: Vec<Row> = bytes.iter().enumerate().take(MASK_ROWS).map(row).collect();
    if bytes.len() > MASK_ROWS {
        rows.push(Row {
            name: "…".to_owned(),
            value: format!("{} more bytes", bytes.len() - MASK_ROWS),
            meaning: "in the same way".to_owned(),
            bits: None,
            section: None,
        });
    }
    rows
}
