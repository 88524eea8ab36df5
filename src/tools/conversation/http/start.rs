//! Does HTTP begin here?

/// Do these bytes begin a message?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tools::conversation) enum Start {
    /// They do.
    Http,
    /// They may.
    Unclear,
    /// They don't.
    No,
}

pub(in crate::tools::conversation) fn start_of(bytes: &[u8]) -> Start {
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
    if STARTS.iter().any(|start| bytes.starts_with(start)) {
        Start::Http
    } else if STARTS.iter().any(|start| start.starts_with(bytes)) {
        Start::Unclear
    } else {
        Start::No
    }
}
