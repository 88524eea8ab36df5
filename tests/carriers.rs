//! Both ends of each carrier against programs that others wrote: curl, Node's http, the packages eventsource and ws, and Chromium. And
//! against bytes that are no such protocol: they get a clear answer and a closed connection.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in a test an unwrap is an assertion")]

#[path = "support/devtools.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod devtools;
#[path = "carriers/harness.rs"]
mod harness;
#[path = "support/live.rs"]
mod live;
mod support;

#[path = "carriers/browser.rs"]
mod browser;
#[path = "carriers/events.rs"]
mod events;
#[path = "carriers/malformed.rs"]
mod malformed;
#[path = "carriers/polls.rs"]
mod polls;
#[path = "carriers/streams.rs"]
mod streams;
