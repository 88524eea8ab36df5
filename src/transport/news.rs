//! A news feed for a browser, over four transports at once: polls, long polls, events and a WebSocket, side by side on one page.
//!
//! The server writes a piece of news every so often, and tells all who listen in any way. It counts what each way costs in bytes of HTTP
//! and WebSocket, and the page shows that beside how late each piece of news came.

mod page;
mod server;

use super::{
    ends::{Calling, Client, Ends},
    line::Fault,
};

/// The server's end; its clients are the others'.
pub const ENDS: Ends = Ends {
    name: "news",
    what: "a page for a browser: one feed by polls, long polls, events and a WebSocket",
    schemes: &["http"],
    path: "/",
    pushes: true,
    acknowledges: false,
    options: &[("every", "a piece of news so often, in ms (2000)")],
    client: no_client,
    server: server::new,
};

/// Where the bill is.
const BILL: &str = "/bill";

/// Where the WebSocket is.
const SOCKET: &str = "/ws";

/// Where the news is stopped, and begins again.
const PAUSE: &str = "/pause";

fn no_client(_calling: Calling) -> Result<Box<dyn Client>, Fault> {
    Err(Fault::Asked(
        "news is for a browser; sockwalk calls it by poll, long-poll or sse, and by websocket at /ws"
            .to_owned(),
    ))
}
