//! Where are the members of a JSON text?

use std::ops::Range;

/// The pieces of a JSON array or object: its brackets, its commas, and the members between them, white space with them. The
/// input has to be valid JSON; of what is not, some pieces come, in order and without overlap.
pub(super) fn members(json: &[u8]) -> Vec<Range<usize>> {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    let mut start = 0;
    let mut pieces = Vec::new();
    for (at, byte) in json.iter().enumerate() {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
            continue;
        }
        let cut = match byte {
            b'"' => {
                quoted = true;
                false
            }
            b'[' | b'{' => {
                depth += 1;
                depth == 1
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                depth == 0
            }
            b',' => depth == 1,
            _ => false,
        };
        if cut {
            if start < at {
                pieces.push(start..at);
            }
            pieces.push(at..at + 1);
            start = at + 1;
        }
    }
    if start < json.len() {
        pieces.push(start..json.len());
    }
    pieces
}
