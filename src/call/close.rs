//! `close(2)`: releases the descriptor. Once the last descriptor of the socket is closed, the kernel ends the
//! connection.

use super::{
    Arguments, CallDescription, Completed, Grammar, On, Returns, Site, SocketEntry, SocketRef, Timed,
};
use crate::ran;

/// `close c`
#[derive(Debug, Clone, PartialEq)]
pub struct Close;

impl Close {
    pub(super) const GRAMMAR: Grammar = Grammar {
        name: "close",
        on: On::Socket,
        returns: Returns::Nothing,
        may_block: true,
        about: "give the descriptor back: close(2)",
    };

    pub(super) fn read<R: Arguments>(_: &mut R) -> Result<Close, R::Error> {
        Ok(Close)
    }

    pub(super) fn describe(&self, on: &SocketRef, _: Option<&str>) -> CallDescription {
        CallDescription {
            call: "close",
            args: Vec::new(),
            c: format!("close({});", on.name),
            asked: format!("close({})", on.fd),
            syscalls: &["close"],
            waits_for: "the last bytes to be acknowledged (SO_LINGER)",
        }
    }

    pub(super) fn perform(&self, at: &Site) -> Completed {
        Completed::done(close(at.held()))
    }
}

/// Corresponds to `close(2)`. In Rust a socket is closed when its owner is dropped, and an error of `close`
/// is lost. EBADF cannot happen to an owned descriptor.
///
/// Over TCP a FIN follows the last byte sent. If received bytes were not read, a RST is sent at once instead
/// (Linux; RFC 9293 §3.6.1 says SHOULD).
pub(super) fn close(held: &SocketEntry) -> Timed<()> {
    let socket = held.take_owner();
    ran!(sure drop(socket))
}
