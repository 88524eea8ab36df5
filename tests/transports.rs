//! Both ends of each transport against programs that others wrote: curl, Node's http, the packages
//! eventsource and ws, and Chromium. And against bytes that are no such protocol: they get a clear answer and
//! a closed connection.

mod harness;

mod browser;
mod events;
mod malformed;
mod polls;
mod streams;
