//! The steps of the WebSocket: which part of `upgrade` does each, and how it is told.

use std::{io, sync::Arc};

use super::{Run, act::Plan};
use crate::{
    call::{Done, Held, Told, told_bytes},
    event::Arg,
    lesson::{Act, Argument},
    stage::Job,
    websocket::{
        answer::Policy,
        frames, handoff,
        opening::{self, AnswerOptions},
    },
};

impl Run<'_> {
    /// The plan of a step whose call begins with `ws`; `None` if its socket or WebSocket was never had.
    pub(super) fn plan_upgrade(&mut self, act: &Act) -> io::Result<Option<Plan>> {
        let Some(Argument::Socket(name)) = act.arguments.first().cloned() else { return Ok(None) };
        let socket = self.websockets.get(&(act.host, name.clone())).unwrap_or(&name);
        let Some(held) = self.stage.desk(act.host).find(socket) else { return Ok(None) };
        let on = held.subject();
        let sessions = Arc::clone(&self.sessions[act.host as usize]);
        let host = act.host;
        let (told, job) = match (act.word.name, &act.arguments[1..]) {
            ("ws request", [Argument::Text(path), more @ ..]) => {
                let asked = opening::UpgradeRequest {
                    path: path.clone(),
                    authority: named(more, "host"),
                    origin: named(more, "origin"),
                    protocol: named(more, "protocol"),
                };
                let mut args = vec![arg("path", path)];
                args.extend(asked.authority.as_ref().map(|host| arg("host", host)));
                args.extend(asked.origin.as_ref().map(|origin| arg("origin", origin)));
                args.extend(asked.protocol.as_ref().map(|protocol| arg("subprotocol", protocol)));
                (
                    told("ws request", args, "room in the send buffer"),
                    on_host(held, move |held| opening::request(&sessions, held, &asked)),
                )
            }
            ("ws answer", more) => {
                let (allowed, protocol) = (named(more, "allow"), named(more, "protocol"));
                let mut args: Vec<Arg> = allowed.iter().map(|origin| arg("allowed origin", origin)).collect();
                args.extend(protocol.iter().map(|protocol| arg("subprotocol", protocol)));
                let policy = Policy {
                    allowed_origins: allowed.map(|origin| vec![origin]),
                    subprotocols: protocol.into_iter().collect(),
                    ..Policy::default()
                };
                let options = AnswerOptions { policy, ..AnswerOptions::default() };
                (
                    told("ws answer", args, "the rest of the request's head"),
                    on_host(held, move |held| opening::answer(held, &options)),
                )
            }
            ("ws verify", _) => {
                let job = on_host(held, move |held| opening::verify(&sessions, held));
                (told("ws verify", Vec::new(), "the rest of the answer's head"), job)
            }
            ("ws frame", [Argument::Word(kind), Argument::Bytes(payload), modifiers @ ..]) => {
                let (kind, payload, odd) = (*kind, payload.clone(), odd(modifiers));
                let args = vec![arg("opcode", kind), arg("payload", &told_bytes(&payload))];
                let job = on_host(held, move |held| {
                    frames::send(host, held, frames::opcode_of(kind), &payload, &odd)
                });
                (told("ws frame", args, "room in the send buffer"), job)
            }
            ("ws unframe", _) => (
                told("ws unframe", Vec::new(), "the rest of a frame"),
                on_host(held, move |held| frames::receive(host, held)),
            ),
            ("ws handoff", modifiers) => {
                let result = act.result.clone().unwrap_or_default();
                self.websockets.insert((host, result.clone()), on.name.clone());
                let losing = !modifiers.is_empty();
                let kept = held.leftover().len();
                let kept = format!("{kept} {}", if losing { "(thrown away)" } else { "(handed over)" });
                let args = vec![arg("role", host.name()), arg("bytes read past the blank line", &kept)];
                let job: Job = Box::new(move |_| handoff::hand_off(&sessions, host, held, &result, losing));
                (told("ws handoff", args, ""), job)
            }
            ("ws send", [Argument::Word(kind), Argument::Bytes(payload)]) => {
                let (kind, payload) = (*kind, payload.clone());
                let args = vec![arg("kind", kind), arg("payload", &told_bytes(&payload))];
                let job: Job = Box::new(move |_| handoff::send(&sessions, &name, kind, &payload));
                (told("ws send", args, "room in the send buffer"), job)
            }
            ("ws ping", payload) => {
                let payload = bytes(payload);
                let args = vec![arg("payload", &told_bytes(&payload))];
                let job: Job = Box::new(move |_| handoff::send(&sessions, &name, "ping", &payload));
                (told("ws ping", args, "room in the send buffer"), job)
            }
            ("ws close", rest) => {
                let code = match rest.first() {
                    Some(Argument::Number(code)) => u16::try_from(*code).ok(),
                    _ => None,
                };
                let reason = String::from_utf8_lossy(&bytes(rest)).into_owned();
                let mut args = Vec::new();
                args.extend(code.map(|code| arg("code", &code.to_string())));
                if !reason.is_empty() {
                    args.push(arg("reason", &reason));
                }
                let job: Job = Box::new(move |_| handoff::close(&sessions, &name, code, &reason));
                (told("ws close", args, "room in the send buffer"), job)
            }
            _ => {
                let job: Job = Box::new(move |_| handoff::receive(&sessions, &name));
                (told("ws recv", Vec::new(), "the rest of a message"), job)
            }
        };
        Ok(Some(Plan { on: Some(on), told, job }))
    }
}

fn on_host(held: Arc<Held>, act: impl FnOnce(&Held) -> Done + Send + 'static) -> Job {
    Box::new(move |_| act(&held))
}

pub(super) fn told(call: &'static str, args: Vec<Arg>, waits_for: &'static str) -> Told {
    Told { call, args, c: String::new(), asked: String::new(), syscalls: &[], waits_for }
}

pub(super) fn arg(name: &str, value: &str) -> Arg {
    Arg { name: name.to_owned(), value: value.to_owned() }
}

/// The value behind a word.
fn named(arguments: &[Argument], name: &str) -> Option<String> {
    arguments.windows(2).find_map(|two| match two {
        [Argument::Word(word), Argument::Text(value)] if *word == name => Some(value.clone()),
        _ => None,
    })
}

fn bytes(arguments: &[Argument]) -> Vec<u8> {
    arguments
        .iter()
        .find_map(|argument| match argument {
            Argument::Bytes(bytes) => Some(bytes.clone()),
            _ => None,
        })
        .unwrap_or_default()
}

fn odd(modifiers: &[Argument]) -> frames::FrameOptions {
    let mut odd = frames::FrameOptions::default();
    for modifier in modifiers {
        match modifier {
            Argument::Word("unmasked") => odd.unmasked = true,
            Argument::Word("more") => odd.more = true,
            Argument::Word("rsv1") => odd.rsv1 = true,
            Argument::Bytes(key) => odd.key = key.as_slice().try_into().ok(),
            _ => {}
        }
    }
    odd
}
