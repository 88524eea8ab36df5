//! A news feed for a browser, over four transports at once: polls, long polls, events and a WebSocket, side by side on one page.
//!
//! The server writes a piece of news every so often, and tells all who listen in any way. It counts what each way costs in bytes of HTTP
//! and WebSocket, and the page shows that beside how late each piece of news came.

mod server;

use super::api::{Ends, Transport};

/// The server's end; its clients are the others'.
pub(super) const TRANSPORT: Transport = Transport {
    name: "news",
    scripted: None,
    ends: Some(Ends {
        what: "a page for a browser: one feed by polls, long polls, events and a WebSocket",
        schemes: &["http"],
        path: "/",
        pushes: true,
        acknowledges: false,
        options: &[("every", "a piece of news so often, in ms (2000)")],
        client: Err(
            "news is for a browser; sockwalk calls it by poll, long-poll or sse, and by websocket at /ws",
        ),
        server: Ok(server::new),
    }),
};

/// Where the bill is.
const BILL: &str = "/bill";

/// Where the WebSocket is.
const SOCKET: &str = "/ws";

/// Where the news is stopped, and begins again.
const PAUSE: &str = "/pause";
