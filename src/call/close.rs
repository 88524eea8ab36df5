//! `close(2)`: the descriptor is given back. The connection ends with the last descriptor of the socket, in its own time.

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

/// Corresponds to `close(2)`. In Rust a socket is closed when its owner is dropped, so an error of `close` is lost; here there
/// is none but EBADF, which an owner cannot meet.
///
/// Over TCP: a FIN follows the last byte sent, or a RST goes out at once if bytes had arrived that nobody read (Linux; RFC 9293
/// §3.6.1 says SHOULD).
pub(super) fn close(held: &SocketEntry) -> Timed<()> {
    let socket = held.take_owner();
    ran!(sure drop(socket))
}
