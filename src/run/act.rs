//! Performs the acts of a lesson: a line becomes a call on its host, and the call becomes events.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::{CALL_DEADLINE, CallResult, Run, Running, journal, outcome};
use crate::{
    call::{self, CallDescription, Completed, SocketRef, Target},
    event::{Blocked, Host, KnownBy, Source, Value, What},
    kernel::ThreadState,
    lesson::{Act, Call, Expected, Outcome, Place, Statement, Step},
    stage::{CallHandle, Job},
    websocket,
};

/// Time after which the thread of a call that has not returned is examined: it may be blocked.
const BLOCK_CHECK_DELAY: Duration = Duration::from_millis(10);

/// Time after which a call counts as blocked where the system does not report the state of threads.
const BLOCKED_TIMEOUT: Duration = Duration::from_millis(50);

/// Interval at which a live call polls for the request to end it.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Time limit for polling a thread that is neither blocked nor done.
const UNDECIDED: Duration = Duration::from_secs(2);

/// A call that is ready to be made.
struct Plan {
    on: Option<SocketRef>,
    description: CallDescription,
    job: Job,
}

impl Run<'_> {
    /// Performs the act. Returns its outcome, or `None` if the call continues in the background or could not
    /// be made.
    pub(super) fn act(&mut self, step: &Step, act: &Act) -> io::Result<Option<outcome::Observed>> {
        let Some(plan) = self.plan(act)? else {
            // An earlier call did not return what this one needs. That failure is already reported, and is
            // not counted against this line.
            self.write_check(
                step.text.clone(),
                step.line,
                None,
                "an earlier call did not give the socket that it needs".to_owned(),
            );
            return Ok(None);
        };
        let id = self.journal.next_call();
        let descriptor = plan.on.as_ref().map_or(-1, |on| on.fd);
        let started = Instant::now();
        let ticket = if act.background {
            self.stage.spawn(act.host, plan.job)
        } else {
            self.stage.start(act.host, plan.job)
        };
        let soon = if act.background { None } else { ticket.wait(BLOCK_CHECK_DELAY)? };
        let (waiting, done) = match soon {
            Some(done) => (None, Some(done)),
            None => blocked_or_done(&ticket, descriptor)?,
        };
        let here = done.as_ref().map(|done| done.site).or_else(|| ticket.call_site());
        let source = here.map_or_else(
            || Source { text: String::new(), file: String::new(), line: 0 },
            |here| here.source(),
        );
        let began = done.as_ref().map_or(started, |done| done.started);
        let call =
            journal::call(id, act.host, plan.on.as_ref(), &plan.description, source, None, act.background);
        self.journal.write_at(began, What::Call(call));
        if let Some(done) = done {
            let observed = self.returned(act.host, id, done, false);
            return self.finish(step, act, observed);
        }
        let known_by = if waiting == Some(ThreadState::Blocked) { KnownBy::Proc } else { KnownBy::Time };
        self.journal.write(What::Blocked(Blocked {
            call: id,
            waits_for: plan.description.waits_for.to_owned(),
            known_by,
        }));
        self.settle();
        if act.background {
            let result = act.result.clone().unwrap_or_default();
            let expects_block = matches!(&act.expect[..], [Expected { what: Outcome::Blocked, .. }]);
            if expects_block {
                self.hold_against(step, &act.expect, &outcome::Observed::Blocked);
            }
            let running = Running { id, ticket, descriptor };
            self.results.insert((act.host, result), CallResult::Running(running));
            self.step_packets()?;
            return Ok(None);
        }
        let (done, ended) = if self.stage.is_live() {
            let until = act.within.map(|within| started + Duration::from_millis(within));
            self.wait_for_the_world(&ticket, until)?
        } else if self.packets {
            self.wait_stepping(&ticket, deadline(act))?
        } else {
            match ticket.wait(deadline(act).saturating_sub(started.elapsed()))? {
                Some(done) => (done, false),
                None => (ticket.interrupt()?, true),
            }
        };
        let observed = self.returned(act.host, id, done, ended);
        self.finish(step, act, observed)
    }

    /// Waits for a call whose return depends on another program. Without a time limit, only the user ends the
    /// wait.
    fn wait_for_the_world(
        &mut self,
        ticket: &CallHandle,
        until: Option<Instant>,
    ) -> io::Result<(Completed, bool)> {
        loop {
            let left = until.map_or(POLL_INTERVAL, |until| until.saturating_duration_since(Instant::now()));
            if let Some(done) = ticket.wait(left.min(POLL_INTERVAL))? {
                return Ok((done, false));
            }
            if left.is_zero() || self.journal.frontend().stopped() {
                return Ok((ticket.interrupt()?, true));
            }
        }
    }

    /// Completes a step whose call has returned.
    fn finish(
        &mut self,
        step: &Step,
        act: &Act,
        observed: outcome::Observed,
    ) -> io::Result<Option<outcome::Observed>> {
        self.collect_returned()?;
        self.settle();
        self.step_packets()?;
        // A live run makes no claims about what other programs do.
        if !self.stage.is_live() {
            self.hold_against(step, &act.expect, &observed);
        }
        if let Some(result) = &act.result {
            self.results.insert((act.host, result.clone()), CallResult::Returned(observed.clone()));
        }
        Ok(Some(observed))
    }

    /// Checks the outcome of a call against the lesson's expectations. Without an expectation, only a failure
    /// is written.
    pub(super) fn hold_against(&mut self, step: &Step, expect: &[Expected], observed: &outcome::Observed) {
        let silent = expect.is_empty();
        let success = [Expected { what: Outcome::Success, on: Vec::new() }];
        let expect = if silent { &success[..] } else { expect };
        let (host, mut resolved) = (self.host_of(step), Vec::new());
        for one in expect {
            if let Outcome::Address(place) = &one.what {
                for v6 in [false, true] {
                    let address = self.resolve(place, host, v6).ok().map(|address| address.to_string());
                    resolved.push((place.clone(), address));
                }
            }
        }
        let address = |place: &Place| -> Vec<String> {
            resolved
                .iter()
                .filter(|(known, _)| known == place)
                .filter_map(|(_, address)| address.clone())
                .collect()
        };
        let stage = &self.stage;
        let holds = outcome::holds(expect, observed, |tag| stage.is(tag), address);
        if silent && holds == Some(true) {
            return;
        }
        let text = if silent { format!("{} => ok", step.text) } else { step.text.clone() };
        let what = match holds {
            Some(true) => String::new(),
            Some(false) => observed.told(),
            None => format!("on this system the lesson expects nothing; it came to {}", observed.told()),
        };
        self.write_check(text, step.line, holds, what);
    }

    fn host_of(&self, step: &Step) -> Host {
        match &step.what {
            Statement::Act(act) => act.host,
            Statement::Wait { host, .. } | Statement::Sysctl { host, .. } => *host,
            Statement::Check(claim) => claim.subject.host,
            // The cable belongs to no host. The client stands for it.
            Statement::Wire { .. } | Statement::CheckWire(_) => Host::Client,
        }
    }

    /// Resolves the names in the call. Returns `None` if an earlier call failed to return its socket or its
    /// datagram.
    fn plan(&mut self, act: &Act) -> io::Result<Option<Plan>> {
        let name = act.on.clone().unwrap_or_default();
        let socket = match &act.call {
            // A WebSocket is described by its TCP socket.
            Call::WebSocket(_) => self.websockets.get(&(act.host, name.clone())).unwrap_or(&name),
            Call::Socket(_) => &name,
        };
        let table = self.stage.sockets(act.host);
        let held = match &act.on {
            Some(_) => match table.find(socket) {
                Some(held) => Some(held),
                None => return Ok(None),
            },
            None => None,
        };
        let on = held.as_ref().map(|held| held.subject());
        let result = act.result.clone();
        Ok(Some(match (&act.call, held) {
            (Call::Socket(call), held) => {
                let v6 = held.as_ref().is_some_and(|held| held.protocol.is_v6());
                let request = call.clone().resolve(|target| match target {
                    Target::Place(place) => self.resolve(&place, act.host, v6).map_err(Some),
                    Target::Sender(name) => self.sender(act.host, &name).ok_or(None),
                });
                let request = match request {
                    Ok(request) => request,
                    Err(Some(error)) => return Err(error),
                    Err(None) => return Ok(None),
                };
                let nothing = SocketRef { name: String::new(), fd: -1 };
                let description = request.describe(on.as_ref().unwrap_or(&nothing), result.as_deref());
                let job: Job = Box::new(move |table| {
                    request.perform(&call::Site { table, on: held.as_deref(), result: result.as_deref() })
                });
                Plan { on, description, job }
            }
            (Call::WebSocket(step), Some(held)) => {
                let sessions = Arc::clone(&self.sessions[act.host as usize]);
                let result = result.unwrap_or_default();
                if let websocket::Step::HandOff(_) = step {
                    self.websockets.insert((act.host, result.clone()), held.name.clone());
                }
                let site = websocket::Site { host: act.host, on: held, name, result, sessions };
                let description = step.describe(&site, None);
                let step = step.clone();
                Plan { on, description, job: Box::new(move |_| step.perform(&site)) }
            }
            (Call::WebSocket(_), None) => return Ok(None),
        }))
    }

    /// Returns the address of the sender of the datagram of this name.
    fn sender(&self, host: Host, name: &str) -> Option<SocketAddr> {
        match self.results.get(&(host, name.to_owned()))? {
            CallResult::Returned(outcome::Observed::Gave(Value::Datagram { from, .. })) => {
                from.as_ref()?.parse().ok()
            }
            _ => None,
        }
    }
}

/// Returns the timeout of a call. The time of a `pause` is added to the default.
fn deadline(act: &Act) -> Duration {
    let pause = match &act.call {
        Call::Socket(call::Call::Pause(pause)) => pause.time,
        _ => Duration::ZERO,
    };
    act.within.map_or(CALL_DEADLINE + pause, Duration::from_millis)
}

/// Waits until a call has returned or its thread is blocked. Gives up after `UNDECIDED`.
pub(super) fn blocked_or_done(
    ticket: &CallHandle,
    descriptor: i64,
) -> io::Result<(Option<ThreadState>, Option<Completed>)> {
    let started = Instant::now();
    loop {
        if let Some(done) = ticket.wait(Duration::ZERO)? {
            return Ok((None, Some(done)));
        }
        match ticket.thread_state(descriptor) {
            ThreadState::Blocked => return Ok((Some(ThreadState::Blocked), None)),
            ThreadState::Unknown => {
                let left = BLOCKED_TIMEOUT.saturating_sub(started.elapsed());
                return Ok(match ticket.wait(left)? {
                    Some(done) => (None, Some(done)),
                    None => (Some(ThreadState::Unknown), None),
                });
            }
            // A call with much work, such as a send of many bytes, is neither blocked nor done for some time.
            ThreadState::Running if started.elapsed() > UNDECIDED => {
                return Ok((Some(ThreadState::Running), None));
            }
            ThreadState::Running => breathe(),
        }
    }
}

/// Returns whether a background call is blocked; `None` if the system does not report it.
pub(super) fn is_blocked(ticket: &CallHandle, descriptor: i64) -> Option<bool> {
    match ticket.thread_state(descriptor) {
        ThreadState::Blocked => Some(true),
        ThreadState::Running => Some(false),
        ThreadState::Unknown => None,
    }
}

/// Lets other threads run between two polls.
pub(super) fn breathe() {
    thread::park_timeout(Duration::from_micros(100));
}
