//! The states of the sockets: which of them are news.

use std::collections::BTreeMap;

use super::rows::{State, Thing};
use crate::event::{Host, Socket};

/// What is known of every socket.
#[derive(Debug, Default)]
pub(super) struct Ends {
    known: BTreeMap<(Host, String), Socket>,
}

impl Ends {
    /// Takes in what the kernel says of a socket; gives its state if that is news.
    ///
    /// That a fresh socket is closed is none, nor is the state of one that `accept` has only given a name.
    pub fn take(&mut self, now: &Socket) -> Option<Thing> {
        let itself = now.name.starts_with('~') && now.local.is_some() && now.local == now.peer;
        if itself || now.protocol.starts_with("udp") {
            return None;
        }
        let key = (now.host, now.name.clone());
        if !now.exists {
            let before = self.known.remove(&key)?;
            return Some(State::thing(now, before.state, "gone".into()));
        }
        let before = self.known.insert(key, now.clone());
        let same = before.filter(|before| now.fd.is_none() || before.fd.is_none() || before.fd == now.fd);
        let was = match same {
            Some(before) => before.state,
            None => self.adopted(now),
        };
        let state = now.state.clone()?;
        match &was {
            Some(was) if *was == state => return None,
            None if state == "CLOSED" => return None,
            _ => {}
        }
        Some(State::thing(now, was, state))
    }

    /// The state of the socket without a descriptor that this one was until `accept` gave it one.
    fn adopted(&mut self, now: &Socket) -> Option<String> {
        now.fd?;
        now.peer.as_ref()?;
        let is = |(host, name): &(Host, String), old: &Socket| {
            *host == now.host && name.starts_with('~') && (&old.local, &old.peer) == (&now.local, &now.peer)
        };
        // A second descriptor of a socket is in its state.
        let twin = |(key, old): (&(Host, String), &Socket)| {
            let same = (&old.local, &old.peer) == (&now.local, &now.peer);
            (same && key.0 == now.host && key.1 != now.name && !key.1.starts_with('~'))
                .then(|| old.state.clone())
        };
        if let Some(state) = self.known.iter().find_map(twin) {
            return state;
        }
        let key = self.known.iter().find(|(key, old)| is(key, old)).map(|(key, _)| key.clone())?;
        self.known.remove(&key)?.state
    }
}
