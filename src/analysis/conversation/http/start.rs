//! What begins here: HTTP, or STOMP right on TCP?

use crate::analysis::conversation::layers::road::opens_stomp;

/// Commands with which a session of STOMP begins.
const SESSIONS: [&[u8]; 3] = [b"CONNECT", b"STOMP", b"CONNECTED"];

/// Do these bytes begin a message?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::analysis::conversation) enum Start {
    /// They do.
    Http,
    /// They begin frames of STOMP.
    Stomp,
    /// They may.
    Unclear,
    /// They don't.
    No,
}

pub(in crate::analysis::conversation) fn start_of(bytes: &[u8]) -> Start {
    const STARTS: [&[u8]; 13] = [
        b"HTTP/1.",
        b"GET ",
        b"POST ",
        b"PUT ",
        b"HEAD ",
        b"DELETE ",
        b"OPTIONS ",
        b"CONNECT ",
        b"PATCH ",
        b"TRACE ",
        b"PROPFIND ",
        b"REPORT ",
        b"\r\n",
    ];
    if opens_stomp(bytes) {
        return Start::Stomp;
    }
    let stomp = SESSIONS.iter().any(|command| begins_line(command, bytes));
    if STARTS.iter().any(|start| bytes.starts_with(start)) {
        Start::Http
    } else if stomp || STARTS.iter().any(|start| start.starts_with(bytes)) {
        Start::Unclear
    } else {
        Start::No
    }
}

/// True if the bytes are the beginning of this command and of its line end.
fn begins_line(command: &[u8], bytes: &[u8]) -> bool {
    let line = bytes.strip_suffix(b"\r").filter(|line| line == &command).unwrap_or(bytes);
    command.starts_with(line)
}
