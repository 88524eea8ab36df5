//! The live commands against programs that others wrote, each as client and, where it can, as server: netcat,
//! curl, Python's socket and websockets, Node's net and ws.
//!
//! The pins of those that come from package registries, and the scripts that drive them, are in
//! `tests/peers/`; `tests/run` installs them into `target/peers`. Of the netcats this wants OpenBSD's, under
//! the name that Debian gives it beside others.

mod sockjs;
mod sockjs_ends;
mod tcp;
mod udp;
mod websocket_client;
mod websocket_server;

use std::process::Command;

use serde_json::Value;

use crate::support::{
    live::Process,
    programs::{curl, installed, script, server},
};

/// OpenBSD's netcat.
fn nc(arguments: &[&str]) -> Process {
    Process::start(&format!("nc {}", arguments.join(" ")), Command::new("nc.openbsd").args(arguments))
}

/// Bytes as the trace writes them.
fn hex(bytes: impl AsRef<[u8]>) -> String {
    data_encoding::HEXLOWER.encode(bytes.as_ref())
}

/// The bytes that a field of an event has in hex.
fn bytes(hex: &Value) -> Vec<u8> {
    data_encoding::HEXLOWER
        .decode(hex.as_str().expect("bytes are in hex").as_bytes())
        .expect("bytes are in hex")
}

/// The bytes that came by `recv` on one connection, or on all.
fn received(events: &[Value], socket: Option<&str>) -> Vec<u8> {
    let calls: Vec<&Value> = events
        .iter()
        .filter(|e| {
            e["event"] == "call" && e["call"] == "recv" && socket.is_none_or(|name| e["socket"] == name)
        })
        .map(|call| &call["id"])
        .collect();
    let returns = events.iter().filter(|e| e["event"] == "return" && calls.contains(&&e["call"]));
    returns.filter(|e| e["ok"]["data"].is_string()).flat_map(|e| bytes(&e["ok"]["data"])).collect()
}
