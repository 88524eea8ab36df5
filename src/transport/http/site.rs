//! A site: requests come one after the other, and each goes to whoever knows its path.

use std::sync::Arc;

use super::{Allowed, Request, Response, Serving};
use crate::transport::{
    api::Ending,
    connection::{Connection, Fault},
    room::Room,
};

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// It was answered, and the connection may be used again.
    Keep,
    /// It was answered, and the connection is to be closed.
    Close,
    /// Its path is not known here.
    NotMine,
}

impl Handled {
    /// As [`Serving::answer`] says.
    pub fn keeping(keep: bool) -> Handled {
        if keep { Handled::Keep } else { Handled::Close }
    }
}

/// Serves a connection, request by request. Pages of foreign origins are refused, and unknown paths are
/// answered with 404.
///
/// # Errors
/// What broke it off.
pub fn serve_site(
    connection: &Arc<Connection>,
    room: &Arc<Room>,
    mut handle: impl FnMut(&mut Serving, &Request) -> Result<Handled, Fault>,
) -> Result<Ending, Fault> {
    let mut serving = Serving::new(connection, &room.terms);
    let allowed = Allowed::here(connection, &room.terms);
    let mut served = 0;
    let why = loop {
        let Some(request) = serving.next()? else { break "it asked for nothing more" };
        served += 1;
        let handled = if allowed.lets_in(&request) {
            handle(&mut serving, &request)?
        } else {
            let origin = request.field("Origin").unwrap_or_default();
            let words = format!("a page of {origin} may not use this server (--origin lets it)\n");
            Handled::keeping(serving.answer(&request, &Response::text(403, words))?)
        };
        let handled = match handled {
            Handled::NotMine => {
                let words = format!("404 Not Found\n{} is not known here\n", request.path());
                Handled::keeping(serving.answer(&request, &Response::text(404, words))?)
            }
            other => other,
        };
        if handled == Handled::Close {
            break "the last answer was sent";
        }
        if room.is_stopping() {
            break "the server ends";
        }
    };
    serving.close();
    Ok(Ending::orderly(format!("{why}, after {served} request{}", if served == 1 { "" } else { "s" })))
}

/// A path with one more name and value in its query. What is no letter or digit is encoded.
pub fn with_query(path: &str, name: &str, value: &str) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    let mut encoded = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    format!("{path}{joint}{name}={encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_added_to() {
        assert_eq!(with_query("/a", "x", "1 2&3"), "/a?x=1%202%263");
        assert_eq!(with_query("/a?b", "x", "é"), "/a?b&x=%C3%A9");
    }
}
