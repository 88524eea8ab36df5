//! What begins here: HTTP, or another protocol right on TCP?

use crate::analysis::conversation::layers::{
    detector::{Detector, Verdict},
    detectors::session,
};

/// Do these bytes begin a message?
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::analysis::conversation) enum Start {
    /// They do.
    Http,
    /// They begin a session of this protocol.
    Session(&'static Detector),
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
    let undecided = match session(bytes) {
        Ok(row) => return Start::Session(row),
        Err(verdict) => verdict == Verdict::Undecided,
    };
    if STARTS.iter().any(|start| bytes.starts_with(start)) {
        Start::Http
    } else if undecided || STARTS.iter().any(|start| start.starts_with(bytes)) {
        Start::Unclear
    } else {
        Start::No
    }
}
