//! Encodes frames: the command, the headers, the blank line, the body, NULL.

use super::{Frame, Version, escape, escape::escapes};

impl Frame {
    /// Returns the frame's octets: lines end with LF, headers are escaped by the rules of the version and the
    /// command.
    ///
    /// What cannot be escaped becomes a space, so that no value can inject a line: NUL anywhere, CR in 1.1,
    /// and in a frame without escapes CR, LF, and a colon in a name. Rules are not checked, so wrong frames
    /// can be made too: content-length is written as it is in the headers.
    pub fn encode(&self, version: Version) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.body.len() + 64);
        line(&mut out, &[self.command.as_bytes()]);
        let escaped = escapes(self.command.as_bytes(), version);
        for (name, value) in &self.headers {
            if escaped {
                line(&mut out, &[&escape(name, version), b":", &escape(value, version)]);
            } else {
                let mut name = name.clone().into_bytes();
                name.iter_mut().filter(|octet| **octet == b':').for_each(|octet| *octet = b' ');
                line(&mut out, &[&name, b":", value.as_bytes()]);
            }
        }
        out.push(b'\n');
        out.extend_from_slice(&self.body);
        out.push(0);
        out
    }
}

/// One line and its end.
fn line(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for octet in parts.iter().copied().flatten() {
        out.push(if matches!(octet, b'\r' | b'\n' | 0) { b' ' } else { *octet });
    }
    out.push(b'\n');
}
