//! Random bytes of the kernel: masking keys, nonces and the names of sessions.

use thiserror::Error;

/// The kernel gave no random bytes (getrandom(2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no random bytes")]
pub struct NoRandomness(#[source] getrandom::Error);

/// The letters and digits of identifiers; no two of them look alike.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Returns `N` random bytes.
///
/// # Errors
/// Fails with [`NoRandomness`] if the kernel has none.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(NoRandomness)?;
    Ok(bytes)
}

/// Returns a random identifier of `N` lower-case letters and digits, which is 5 bits for each.
///
/// # Errors
/// As [`bytes`].
pub(crate) fn identifier<const N: usize>() -> Result<String, NoRandomness> {
    Ok(bytes::<N>()?.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect())
}
