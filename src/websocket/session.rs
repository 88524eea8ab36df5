//! The state of a host's upgrades: the request that a client sent, and the WebSockets websocket off.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, TryLockError},
};

use super::{handoff::TungsteniteWebSocket, request::ClientRequest};
use crate::sync::lock;

/// The upgrades of one host, by the names of its sockets and WebSockets.
#[derive(Default)]
pub struct Sessions {
    requests: Mutex<HashMap<String, ClientRequest>>,
    websockets: Mutex<HashMap<String, Arc<Mutex<TungsteniteWebSocket>>>>,
}

impl Sessions {
    /// Stores the request sent on this socket, against which the answer is checked.
    pub(super) fn store_request(&self, socket: &str, request: ClientRequest) {
        lock(&self.requests).insert(socket.to_owned(), request);
    }

    /// Returns the request sent on this socket.
    pub(super) fn request(&self, socket: &str) -> Option<ClientRequest> {
        lock(&self.requests).get(socket).cloned()
    }

    /// Stores a WebSocket under its name.
    pub(super) fn store(&self, name: &str, websocket: TungsteniteWebSocket) {
        lock(&self.websockets).insert(name.to_owned(), Arc::new(Mutex::new(websocket)));
    }

    /// Returns true if a message of this WebSocket has been received and not yet been returned.
    pub fn has_more(&self, name: &str) -> bool {
        self.with(name, |websocket| websocket.has_more()).unwrap_or(false)
    }

    /// Calls `act` with the WebSocket of this name.
    ///
    /// # Errors
    /// Fails if there is none, or if a call in the background uses it.
    pub(super) fn with<T>(
        &self,
        name: &str,
        act: impl FnOnce(&mut TungsteniteWebSocket) -> T,
    ) -> io::Result<T> {
        let websocket = lock(&self.websockets).get(name).cloned();
        let websocket = websocket.ok_or_else(|| io::Error::other(format!("there is no WebSocket {name}")))?;
        match websocket.try_lock() {
            Ok(mut websocket) => Ok(act(&mut websocket)),
            Err(TryLockError::Poisoned(poisoned)) => Ok(act(&mut poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => {
                Err(io::Error::other(format!("{name} is in a call that has not returned")))
            }
        }
    }
}
