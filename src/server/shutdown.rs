//! The end of a server: a grace period in which connections end by the rules of their protocol, then the cut.
//! And the end of a connection, in the order in which the peer loses nothing: shutdown, read to the end,
//! close.

use std::time::{Duration, Instant};

use super::Registry;

/// Time that connections have to end in order once the server stops. Then they are cut off.
pub const SHUTDOWN_GRACE: Duration = Duration::from_millis(1500);

/// Time after which a server ends although threads remain.
const SHUTDOWN_DEADLINE: Duration = SHUTDOWN_GRACE.saturating_mul(4);

/// Interval between two calls of `progress` in [`drain`].
const DRAIN_INTERVAL: Duration = Duration::from_millis(10);

/// Longest time that a peer is read from after our FIN. A `close` with unread bytes would send a RST, which
/// could destroy what the peer has not read yet.
pub const LINGER_TIME: Duration = Duration::from_secs(1);

/// Most bytes that are read from a peer after our FIN.
pub const LINGER_BYTES: usize = 64 << 10;

/// Waits until a server that stops has ended. Returns the number of threads that remain at the deadline.
///
/// `progress` is called again and again: it reports what happens, and wakes threads that wait in a call.
/// `cut` is called after [`SHUTDOWN_GRACE`]: it cuts off what is still connected.
pub fn drain<C>(registry: &Registry<C>, mut progress: impl FnMut(), mut cut: impl FnMut()) -> usize {
    let (began, mut was_cut) = (Instant::now(), false);
    loop {
        progress();
        let remaining = registry.wait_until_empty(DRAIN_INTERVAL);
        if remaining == 0 || began.elapsed() > SHUTDOWN_DEADLINE {
            return remaining;
        }
        if began.elapsed() > SHUTDOWN_GRACE && !was_cut {
            was_cut = true;
            cut();
        }
    }
}

/// Reads until the peer ends its stream, within [`LINGER_TIME`] and [`LINGER_BYTES`]. To be called after
/// `shutdown(SHUT_WR)`.
///
/// `recv` waits up to the time that it is given, and returns the number of bytes; 0 at the end of the stream,
/// `None` if nothing came or the connection is broken.
pub fn linger(mut recv: impl FnMut(Duration) -> Option<usize>) {
    let deadline = Instant::now() + LINGER_TIME;
    let mut received = 0;
    while received < LINGER_BYTES {
        let left = deadline.saturating_duration_since(Instant::now());
        match if left.is_zero() { None } else { recv(left) } {
            None | Some(0) => return,
            Some(count) => received += count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_orderly_end_needs_no_cut() {
        let registry = Registry::new(2);
        let number = registry.insert(());
        registry.stop();
        let mut calls = 0;
        let remaining = drain(
            &registry,
            || {
                calls += 1;
                if calls == 3 {
                    registry.remove(number, "closed");
                }
            },
            || panic!("it ended within the grace period"),
        );
        assert_eq!((remaining, calls), (0, 3));
    }

    #[test]
    fn what_does_not_end_is_cut_after_the_grace_period() {
        let registry = Registry::new(2);
        let number = registry.insert(());
        registry.stop();
        let began = Instant::now();
        assert_eq!(drain(&registry, || {}, || registry.remove(number, "cut")), 0);
        assert!(began.elapsed() > SHUTDOWN_GRACE);
    }

    #[test]
    fn lingering_is_bounded_in_bytes_and_ends_with_the_stream() {
        let mut calls = 0;
        linger(|_| {
            calls += 1;
            Some(16 << 10)
        });
        assert_eq!(calls, 4);
        let mut pieces = vec![0, 5].into_iter().rev();
        linger(|left| {
            assert!(left <= LINGER_TIME);
            pieces.next()
        });
        assert_eq!(pieces.next(), None);
    }
}
