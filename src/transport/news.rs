//! A news feed for a browser, over four transports at once: polling, long polling, Server-Sent Events and a
//! WebSocket, side by side on one page.
//!
//! The server publishes news at an interval to all clients. It counts the bytes of HTTP and WebSocket that
//! each transport costs, and the page shows them beside the delay of each item.

mod server;

use super::api::{Ends, Transport};

/// The transport: a server only, whose clients are web pages.
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

/// The path of the bill.
const BILL: &str = "/bill";

/// The path of the WebSocket.
const SOCKET: &str = "/ws";

/// The path that pauses and resumes the news.
const PAUSE: &str = "/pause";
