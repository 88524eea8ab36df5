//! Tools beside the course: the same message over TCP and over a WebSocket, byte by byte.

pub mod diff;
