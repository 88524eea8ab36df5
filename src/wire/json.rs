//! Splits a JSON array or object into its members.

use std::ops::Range;

/// Returns the ranges of the brackets, the commas, and the members between them with their white space. The
/// input should be valid JSON; of other input some ranges are returned, in order and without overlap.
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
