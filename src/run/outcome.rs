//! The outcome of a call, and whether the lesson expects it.

use std::io::{self, ErrorKind};

use crate::{
    call::{Completed, errno_name, errno_text},
    event::{Return, Value},
    lesson::{Expected, Outcome, Place},
    websocket::handoff::ViolationError,
};

/// The outcome of a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Observed {
    /// The call is blocked.
    Blocked,
    /// The call was interrupted by its deadline.
    Deadline,
    /// The call returned this value.
    Gave(Value),
    /// The call failed: the name of the error and the system's text.
    Failed(String, String),
    /// The peer violated a rule of WebSocket: the code of the Close that answers it, and the text of the
    /// rule.
    Violation(u16, String),
    /// The received bytes violate a rule or ended too early: the text of the rule.
    Invalid(String),
}

impl Observed {
    pub fn of(done: Completed, deadline: bool) -> Observed {
        match done.outcome {
            Ok(value) => Observed::Gave(value),
            Err(error) if deadline && error.kind() == ErrorKind::Interrupted => Observed::Deadline,
            Err(error) => match (broken(&error), error.kind()) {
                (Some(broken), _) => Observed::Violation(broken.0.rule.close_code, broken.to_string()),
                (None, ErrorKind::InvalidData | ErrorKind::UnexpectedEof) => {
                    Observed::Invalid(error.to_string())
                }
                (None, _) => Observed::Failed(errno_name(&error), errno_text(&error)),
            },
        }
    }

    /// Returns a description of the outcome for the user.
    pub fn told(&self) -> String {
        match self {
            Observed::Blocked => "it is blocked".to_owned(),
            Observed::Deadline => "it did not return before the deadline".to_owned(),
            Observed::Gave(value) => value_told(value),
            Observed::Failed(name, text) => format!("{name} ({text})"),
            Observed::Violation(code, rule) => format!("violation {code} ({rule})"),
            Observed::Invalid(text) => format!("invalid ({text})"),
        }
    }
}

fn value_told(value: &Value) -> String {
    match value {
        Value::Done => "success".to_owned(),
        Value::Socket { name, fd, .. } => format!("a new socket, {name}, descriptor {fd}"),
        Value::Count(count) => count.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Data(bytes) if bytes.is_empty() => "no bytes: the end of the stream".to_owned(),
        Value::Data(bytes) if bytes.len() > 60 => {
            format!("{} bytes, \"{}…\"", bytes.len(), bytes[..60].escape_ascii())
        }
        Value::Data(bytes) => format!("\"{}\"", bytes.escape_ascii()),
        Value::Datagram { bytes, length, from } => {
            let from = from.as_ref().map(|from| format!(" from {from}")).unwrap_or_default();
            let of = if bytes.len() < *length { format!(" of {length} bytes") } else { String::new() };
            match bytes.as_slice() {
                [] => format!("an empty datagram{from}"),
                _ if bytes.len() > 60 => {
                    format!("{} bytes{of}, \"{}…\"{from}", bytes.len(), bytes[..60].escape_ascii())
                }
                _ => format!("\"{}\"{of}{from}", bytes.escape_ascii()),
            }
        }
        Value::Address(address) => address.clone(),
        Value::Close { code, reason } if reason.is_empty() => format!("close {code}"),
        Value::Close { code, reason } => format!("close {code} \"{}\"", reason.escape_debug()),
    }
}

/// Returns the violated rule behind an error, if there is one.
fn broken(error: &io::Error) -> Option<&ViolationError> {
    error.get_ref()?.downcast_ref()
}

/// Returns the name of an error: `ECONNREFUSED`, or the lesson's word for an error that is not the system's.
fn name_of(error: &io::Error) -> String {
    match (broken(error), error.kind()) {
        (Some(broken), _) => format!("violation {}", broken.0.rule.close_code),
        (None, ErrorKind::InvalidData | ErrorKind::UnexpectedEof) => "invalid".to_owned(),
        (None, _) => errno_name(error),
    }
}

/// Creates the event of a return.
pub(super) fn returned(call: u64, done: &Completed, deadline: bool) -> Return {
    Return {
        call,
        ok: done.outcome.as_ref().ok().cloned(),
        errno: done.outcome.as_ref().err().map(name_of),
        error: done.outcome.as_ref().err().map(errno_text),
        ns: u64::try_from(done.took.as_nanos()).unwrap_or(u64::MAX),
        deadline,
    }
}

/// Returns whether the outcome is one of those expected on this system; `None` if no expectation applies to
/// it.
///
/// `address` resolves an address of the lesson to the real ones, over IPv4 and IPv6.
pub(super) fn holds(
    expect: &[Expected],
    observed: &Observed,
    is: impl Fn(&str) -> bool,
    address: impl Fn(&Place) -> Vec<String>,
) -> Option<bool> {
    let here: Vec<&Expected> =
        expect.iter().filter(|one| one.on.is_empty() || one.on.iter().any(|tag| is(tag))).collect();
    if here.is_empty() {
        return None;
    }
    Some(here.iter().any(|one| matches(&one.what, observed, &address)))
}

fn matches(expected: &Outcome, observed: &Observed, address: &impl Fn(&Place) -> Vec<String>) -> bool {
    match (expected, observed) {
        (Outcome::Success, Observed::Gave(_)) => true,
        (Outcome::Blocked, Observed::Blocked) | (Outcome::Deadline, Observed::Deadline) => true,
        (Outcome::Errno(name), Observed::Failed(failed, _)) => failed == name,
        (Outcome::Number(compare, number), Observed::Gave(value)) => {
            as_number(value).is_some_and(|value| compare.holds(&value, number))
        }
        (Outcome::Bytes(bytes), Observed::Gave(Value::Data(data) | Value::Datagram { bytes: data, .. })) => {
            data == bytes
        }
        (Outcome::Address(place), Observed::Gave(Value::Datagram { from: Some(real), .. })) => {
            address(place).contains(real)
        }
        (Outcome::Address(place), Observed::Gave(Value::Address(real))) => address(place).contains(real),
        (Outcome::Address(place), Observed::Gave(Value::Socket { peer: Some(real), .. })) => {
            address(place).contains(real)
        }
        (Outcome::Close(code), Observed::Gave(Value::Close { code: came, .. })) => code == came,
        (Outcome::Violation(code), Observed::Violation(came, _)) => code == came,
        (Outcome::Invalid, Observed::Invalid(_)) => true,
        _ => false,
    }
}

/// Returns the value as a number. For received bytes that is their count: `recv … => 5`.
fn as_number(value: &Value) -> Option<i64> {
    match value {
        Value::Count(count) => i64::try_from(*count).ok(),
        Value::Number(number) => Some(*number),
        Value::Data(bytes) => i64::try_from(bytes.len()).ok(),
        Value::Datagram { length, .. } => i64::try_from(*length).ok(),
        Value::Done => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::Compare;

    fn held(expect: &[Outcome], observed: &Observed) -> Option<bool> {
        let expect: Vec<Expected> =
            expect.iter().map(|what| Expected { what: what.clone(), on: vec![] }).collect();
        holds(&expect, observed, |_| true, |_| vec![])
    }

    #[test]
    fn bytes_are_compared_whole_and_counted() {
        let came = Observed::Gave(Value::Data(b"hello".to_vec()));
        assert_eq!(held(&[Outcome::Bytes(b"hello".to_vec())], &came), Some(true));
        assert_eq!(held(&[Outcome::Bytes(b"hell".to_vec())], &came), Some(false));
        assert_eq!(held(&[Outcome::Number(Compare::AtLeast, 5)], &came), Some(true));
        assert_eq!(held(&[Outcome::Number(Compare::Equal, 4)], &came), Some(false));
    }

    #[test]
    fn a_datagram_is_its_bytes_its_length_and_its_sender() {
        let sender = "10.0.0.1:9000".to_owned();
        let cut = Value::Datagram { bytes: b"hel".to_vec(), length: 5, from: Some(sender.clone()) };
        let came = Observed::Gave(cut);
        assert_eq!(held(&[Outcome::Bytes(b"hel".to_vec())], &came), Some(true));
        assert_eq!(held(&[Outcome::Number(Compare::Equal, 5)], &came), Some(true));
        assert_eq!(came.told(), "\"hel\" of 5 bytes from 10.0.0.1:9000");
        let place = Place { at: crate::lesson::At::Own, port: 9000 };
        let expect = [Expected { what: Outcome::Address(place), on: vec![] }];
        assert_eq!(holds(&expect, &came, |_| true, |_| vec![sender.clone()]), Some(true));
        assert_eq!(holds(&expect, &came, |_| true, |_| vec!["10.0.0.1:9001".to_owned()]), Some(false));
        let empty = Observed::Gave(Value::Datagram { bytes: vec![], length: 0, from: None });
        assert_eq!(
            (held(&[Outcome::Number(Compare::Equal, 0)], &empty), empty.told().as_str()),
            (Some(true), "an empty datagram")
        );
    }

    #[test]
    fn an_error_is_no_success_and_no_other_error() {
        let failed = Observed::Failed("EPIPE".into(), "Broken pipe".into());
        assert_eq!(held(&[Outcome::Success], &failed), Some(false));
        assert_eq!(held(&[Outcome::Errno("ECONNRESET")], &failed), Some(false));
        assert_eq!(held(&[Outcome::Errno("ECONNRESET"), Outcome::Errno("EPIPE")], &failed), Some(true));
    }

    #[test]
    fn what_is_expected_elsewhere_says_nothing_here() {
        let expect = [Expected { what: Outcome::Success, on: vec!["macos"] }];
        assert_eq!(holds(&expect, &Observed::Blocked, |tag| tag == "linux", |_| vec![]), None);
    }
}
