//! The data of the open packet (§Handshake).

use serde_json::{Map, Value, json};

use crate::wire::Malformed;

const SECTION: &str = "Engine.IO 4, Handshake";

/// The data of an open packet: a JSON object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handshake {
    /// The session's ID, for the query of all further requests.
    pub sid: String,
    /// The transports to which the client may upgrade: `["websocket"]`, or none.
    pub upgrades: Vec<String>,
    /// Milliseconds between two pings of the server.
    pub ping_interval: u64,
    /// Milliseconds that a pong may take.
    pub ping_timeout: u64,
    /// Most bytes that the server accepts in one request. Older servers omit it.
    pub max_payload: Option<u64>,
}

impl Handshake {
    /// Parses the data of an open packet. Unknown keys are ignored.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is no JSON object, or a key is missing or has another type.
    pub fn parse(data: &str) -> Result<Self, Malformed> {
        let wrong = |field, needed| Malformed::at(field, 0, needed, data.as_bytes(), SECTION);
        let value: Value = serde_json::from_str(data).map_err(|_| wrong("handshake data", "JSON"))?;
        let Value::Object(object) = value else { return Err(wrong("handshake data", "a JSON object")) };
        let sid = object.get("sid").and_then(Value::as_str).filter(|sid| !sid.is_empty());
        let upgrades = object.get("upgrades").and_then(Value::as_array).and_then(|list| {
            list.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        let number = |key: &str| object.get(key).map(Value::as_u64);
        Ok(Handshake {
            sid: sid.ok_or_else(|| wrong("sid", "a string that is not empty"))?.to_owned(),
            upgrades: upgrades.ok_or_else(|| wrong("upgrades", "an array of strings"))?,
            ping_interval: number("pingInterval").flatten().ok_or_else(|| wrong("pingInterval", MS))?,
            ping_timeout: number("pingTimeout").flatten().ok_or_else(|| wrong("pingTimeout", MS))?,
            max_payload: match number("maxPayload") {
                None => None,
                Some(number) => Some(number.ok_or_else(|| wrong("maxPayload", "a number of bytes"))?),
            },
        })
    }

    /// Returns the data of an open packet, its keys in the order of the document.
    pub fn encode(&self) -> String {
        let mut members = vec![
            ("sid", json!(self.sid)),
            ("upgrades", json!(self.upgrades)),
            ("pingInterval", json!(self.ping_interval)),
            ("pingTimeout", json!(self.ping_timeout)),
        ];
        members.extend(self.max_payload.map(|bytes| ("maxPayload", json!(bytes))));
        let members: Vec<_> = members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    }
}

const MS: &str = "a number of milliseconds";

/// The keys of the data, as the document names them.
pub(super) fn meaning(key: &str, object: &Map<String, Value>) -> Option<String> {
    let value = object.get(key)?;
    Some(match key {
        "sid" => "the session's ID, for the query of all further requests".into(),
        "upgrades" => "transports to which the client may go over".into(),
        "pingInterval" => format!("the server sends a ping every {value} ms"),
        "pingTimeout" => format!("and waits {value} ms for the pong"),
        "maxPayload" => format!("at most {value} bytes in a POST"),
        _ => return None,
    })
}
