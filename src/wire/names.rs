//! Why is each field there? The names that the decoders give to bits, with a path to ask for and a reason.
//!
//! What a field says and which section defines it stays with its decoder: it is not written here again. Only where that
//! depends on the value has a name words of its own for what it is.

mod control;
mod internet;
mod link;
mod stream;
mod transport;

use super::Protocol;

/// A name that a decoder gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// Whose field it is.
    pub protocol: Protocol,
    /// Where to ask for it: `tcp.flags.psh`.
    pub path: &'static str,
    /// As the decoder calls it.
    pub field: &'static str,
    /// What it is; empty where the decoder says the same of every value.
    pub what: &'static str,
    /// Why it is there, or why it is so.
    pub why: &'static str,
}

/// A name of which the decoder says all but the reason.
const fn name(protocol: Protocol, path: &'static str, field: &'static str, why: &'static str) -> Name {
    Name { protocol, path, field, what: "", why }
}

/// A name of which the decoder says something else for each value.
const fn varied(
    protocol: Protocol,
    path: &'static str,
    field: &'static str,
    what: &'static str,
    why: &'static str,
) -> Name {
    Name { protocol, path, field, what, why }
}

/// All names, from the link upwards.
pub fn names() -> impl Iterator<Item = &'static Name> {
    [link::NAMES, internet::NAMES, control::NAMES, transport::NAMES, stream::NAMES].into_iter().flatten()
}
