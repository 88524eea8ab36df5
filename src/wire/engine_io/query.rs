//! The query of a request's target (§Query parameters).

use super::{ERRORS, HttpError, VERSION};

/// The transport of the packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// GET and POST (§HTTP long-polling).
    Polling,
    /// A WebSocket (§WebSocket).
    WebSocket,
}

impl Transport {
    /// Its name in the query.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Polling => "polling",
            Transport::WebSocket => "websocket",
        }
    }
}

/// The query of a request for Engine.IO: `EIO=4&transport=polling&sid=…`. Other keys, such as `t` against
/// caches, are ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    /// The transport of the packets.
    pub transport: Transport,
    /// The session's ID. `None` opens a session.
    pub sid: Option<String>,
}

impl Query {
    /// Parses the query of a target: `/socket.io/?EIO=4&transport=polling`. Of a repeated key the first
    /// counts.
    ///
    /// # Errors
    ///
    /// The error with which to answer (code 0 or 5) where a mandatory key is missing or has another value.
    pub fn parse(target: &str) -> Result<Self, &'static HttpError> {
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let query = query.split('#').next().unwrap_or_default();
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let transport = match value("transport") {
            Some("polling") => Transport::Polling,
            Some("websocket") => Transport::WebSocket,
            _ => return Err(&ERRORS[0]),
        };
        if value("EIO") != Some(VERSION) {
            return Err(&ERRORS[5]);
        }
        // An empty value counts as missing, as in the reference implementation.
        let sid = value("sid").filter(|sid| !sid.is_empty()).map(str::to_owned);
        Ok(Query { transport, sid })
    }

    /// The target of a request to this path: `/socket.io/?EIO=4&transport=polling&sid=…`.
    pub fn target(&self, path: &str) -> String {
        let sid = self.sid.as_ref().map(|sid| format!("&sid={sid}")).unwrap_or_default();
        format!("{path}?EIO={VERSION}&transport={}{sid}", self.transport.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_wants_stands_in_its_query() {
        let query = Query::parse("/socket.io/?EIO=4&transport=polling&t=9rg3jcag").unwrap();
        assert_eq!(query, Query { transport: Transport::Polling, sid: None });
        assert_eq!(query.target("/socket.io/"), "/socket.io/?EIO=4&transport=polling");
        let query = Query { transport: Transport::WebSocket, sid: Some("lv_VI97HAXpY6yYWAAAC".into()) };
        assert_eq!(Query::parse(&query.target("/")).as_ref(), Ok(&query));
        let empty = Query::parse("/?EIO=4&transport=websocket&sid=").unwrap();
        assert_eq!(empty.sid, None);
    }

    #[test]
    fn a_mandatory_key_that_is_missing_has_its_code() {
        let cases = [
            ("/socket.io/", 0),
            ("/socket.io/?EIO=4", 0),
            ("/socket.io/?EIO=4&transport=foo", 0),
            ("/socket.io/?EIO=4&transport=webtransport", 0),
            ("/socket.io/?transport=polling", 5),
            ("/socket.io/?EIO=3&transport=polling", 5),
            ("/socket.io/?EIO=44&transport=polling", 5),
            ("/socket.io/?eio=4&transport=polling", 5),
        ];
        for (target, code) in cases {
            let error = Query::parse(target).expect_err(target);
            assert_eq!((error.code, error.status), (code, 400), "{target}");
        }
    }
}
