//! The door: accept, over and over, and a thread for each who comes.

use std::{io, sync::Arc, time::Duration};

use super::{
    connection,
    room::{Report, Room},
};
use crate::{
    call::{Doing, Held, Piece},
    event::Ending,
    stage::WorkerThread,
};

/// How long one waits for descriptors or memory to become free.
const PATIENCE: Duration = Duration::from_secs(1);

/// Accepts until the room is closed.
pub(super) fn accept_all(room: &Arc<Room>, listener: &Held, _doing: &Doing) {
    let mut number = 0_u32;
    let mut short = false;
    let mut said = false;
    let mut say_full = || {
        if !std::mem::replace(&mut said, true) {
            room.report(Report::Say(full(room.class.connections)));
        }
    };
    while room.wait_for_a_seat(&mut say_full) {
        let next = number.wrapping_add(1);
        let (piece, outcome) = Piece::accept(listener, &format!("c{next}"));
        match outcome {
            Ok((held, address)) => {
                (number, short) = (next, false);
                if room.tells(number) {
                    room.report(Report::Piece(piece));
                }
                let guest = room.enter(number, held, address);
                let (inside, served) = (Arc::clone(room), Arc::clone(&guest));
                match WorkerThread::spawn(guest.name.clone(), move |doing| {
                    connection::serve(&inside, &served, doing)
                }) {
                    Ok(hand) => room.served_by(&guest, hand),
                    Err(error) => {
                        drop(guest.held.take());
                        room.leave(&guest, Ending::Failed, format!("no thread for it: {error}"));
                    }
                }
            }
            Err(_) if room.is_closed() => break,
            // Whoever waited has hung up: ECONNABORTED, accept(2). Or a signal came.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) => {}
            Err(error) if is_shortage(&error) => {
                if !short {
                    short = true;
                    room.report(Report::Say(format!(
                        "`accept` failed: {error}. Whoever calls waits in the accept queue until somebody leaves."
                    )));
                }
                room.wait_for_a_change(PATIENCE);
            }
            Err(error) => {
                room.report(Report::Broken(format!("`accept` failed, and nobody more can come: {error}.")));
                break;
            }
        }
    }
    room.door_is_shut();
}

/// EMFILE, ENFILE, ENOBUFS, ENOMEM: it passes.
fn is_shortage(error: &io::Error) -> bool {
    let name = crate::call::errno_name(error);
    matches!(name.as_str(), "EMFILE" | "ENFILE" | "ENOBUFS" | "ENOMEM")
}

fn full(connections: usize) -> String {
    format!(
        "The limit of {connections} at once is reached (`--connections`). Whoever calls now is connected by the kernel and waits in the accept queue until somebody leaves."
    )
}
