//! What a host remembers of its upgrades: the request that a client sent, the frames that it judged, the WebSockets handed off.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, TryLockError},
};

use super::{handoff::Handed, request::ClientRequest};
use crate::sync::lock;

/// The upgrades of one host, by the names of its sockets and WebSockets.
#[derive(Default)]
pub struct Sessions {
    requests: Mutex<HashMap<String, ClientRequest>>,
    websockets: Mutex<HashMap<String, Arc<Mutex<Handed>>>>,
}

impl Sessions {
    /// Remembers what a client asked for on this socket: the answer is judged by it.
    pub(super) fn asked(&self, socket: &str, request: ClientRequest) {
        lock(&self.requests).insert(socket.to_owned(), request);
    }

    /// What the client asked for on this socket.
    pub(super) fn request(&self, socket: &str) -> Option<ClientRequest> {
        lock(&self.requests).get(socket).cloned()
    }

    /// Keeps a WebSocket under its name.
    pub(super) fn keep(&self, name: &str, handed: Handed) {
        lock(&self.websockets).insert(name.to_owned(), Arc::new(Mutex::new(handed)));
    }

    /// Whether a message of this WebSocket has been received and not been given out yet.
    pub fn has_more(&self, name: &str) -> bool {
        self.with(name, |handed| handed.has_more()).unwrap_or(false)
    }

    /// Does something with the WebSocket of this name.
    ///
    /// # Errors
    /// If there is none, or a call in the background has it.
    pub(super) fn with<T>(&self, name: &str, act: impl FnOnce(&mut Handed) -> T) -> io::Result<T> {
        let handed = lock(&self.websockets).get(name).cloned();
        let handed = handed.ok_or_else(|| io::Error::other(format!("there is no WebSocket {name}")))?;
        match handed.try_lock() {
            Ok(mut handed) => Ok(act(&mut handed)),
            Err(TryLockError::Poisoned(poisoned)) => Ok(act(&mut poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => {
                Err(io::Error::other(format!("{name} is in a call that has not returned")))
            }
        }
    }
}
