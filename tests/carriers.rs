//! Both ends of each carrier against programs that others wrote: curl, Node's http, and the packages eventsource and ws; Chromium is
//! in `tests/browser.rs`. And against bytes that are no such protocol: they get a clear answer and a closed connection.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "in a test an unwrap is an assertion")]

#[path = "carriers/harness.rs"]
mod harness;
#[path = "support/live.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod live;
mod support;

#[path = "carriers/events.rs"]
mod events;
#[path = "carriers/malformed.rs"]
mod malformed;
#[path = "carriers/polls.rs"]
mod polls;
#[path = "carriers/streams.rs"]
mod streams;
