//! Polling: the server can't send unasked, so the client requests new messages again and again.
//!
//! Messages are numbered. `GET /news?client=NAME&after=7` requests the messages after the 7th: 200 and a JSON
//! list if there are any, otherwise 204. `POST /news?client=NAME` sends a message. In an echo each named
//! client has its own messages; in a chat all clients share them.
//!
//! [`LONG`] differs in one point: the server holds the request until it has a message (RFC 6202 §2).

mod client;
mod long_script;
mod script;
pub mod server;

pub(super) use client::client_name;

use serde::{Deserialize, Serialize};

use super::{
    api::{Ends, Transport},
    feed::Behind,
    message::Message,
};

/// Both ends of short polling.
pub(super) const SHORT: Transport = Transport {
    name: "poll",
    scripted: Some(script::SCRIPTED),
    ends: Some(Ends {
        what: "the client asks again and again: is there something new? (RFC 6202 §2)",
        schemes: &["http"],
        path: NEWS,
        pushes: true,
        acknowledges: true,
        options: &[
            ("every", "ask so often, in ms (1000)"),
            ("client", "the name under which messages are kept (random)"),
        ],
        client: Ok(client::short),
        server: Ok(server::short),
    }),
};

/// Both ends of long polling.
pub(super) const LONG: Transport = Transport {
    name: "long-poll",
    scripted: Some(long_script::SCRIPTED),
    ends: Some(Ends {
        what: "the same, but the server answers only when there is something new (RFC 6202 §2)",
        schemes: &["http"],
        path: NEWS,
        pushes: true,
        acknowledges: true,
        options: &[("client", "the name under which messages are kept (random)")],
        client: Ok(client::long),
        server: Ok(server::long),
    }),
};

/// The path for sending and requesting messages.
pub(super) const NEWS: &str = "/news";

/// A message in a response: text, or bytes in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Listed {
    /// The number of the message.
    id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// Encodes the response to a poll.
fn written(behind: &Behind) -> Vec<u8> {
    let listed = behind.messages.iter().map(|(id, message)| match &**message {
        Message::Text(text) => Listed { id: *id, data: Some(text.clone()), base64: None },
        Message::Binary(bytes) => {
            Listed { id: *id, data: None, base64: Some(data_encoding::BASE64.encode(bytes)) }
        }
    });
    // Strings and numbers can always be encoded.
    serde_json::to_vec(&listed.collect::<Vec<_>>()).unwrap_or_default()
}

/// Decodes the response to a poll.
fn read(content: &[u8]) -> Result<Vec<(u64, Message)>, String> {
    let listed: Vec<Listed> = serde_json::from_slice(content).map_err(|error| error.to_string())?;
    let message = |one: Listed| match (one.data, one.base64) {
        (Some(text), None) => Ok((one.id, Message::Text(text))),
        (None, Some(coded)) => data_encoding::BASE64
            .decode(coded.as_bytes())
            .map(|bytes| (one.id, Message::Binary(bytes)))
            .map_err(|error| error.to_string()),
        _ => Err("a message has data or base64, one of both".to_owned()),
    };
    listed.into_iter().map(message).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let messages = [Message::Text("he said \"é\"\n".into()), Message::Binary(vec![0xff, 0])];
        let behind = Behind {
            messages: messages.iter().cloned().map(Arc::new).zip(3..).map(|(m, id)| (id, m)).collect(),
            missed: 0,
            over: false,
        };
        let bytes = written(&behind);
        assert!(bytes.starts_with(br#"[{"id":3,"data":"he said \"#), "{}", String::from_utf8_lossy(&bytes));
        assert_eq!(read(&bytes).unwrap(), [(3, messages[0].clone()), (4, messages[1].clone())]);
        for wrong in ["", "{}", r#"[{"id":1}]"#, r#"[{"id":-1,"data":"x"}]"#, r#"[{"id":1,"base64":"?"}]"#] {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
