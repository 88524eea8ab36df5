//! A host: a thread that makes the narrated calls, one after the other, and can be waited for with a deadline.

use std::{
    io,
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    cable::{HostNetwork, VethConfig},
    observer::Observer,
    system,
};
use crate::sync::lock;
use crate::{
    call::{Desk, Doing, Done, Here, watched_by},
    event::Host,
    kernel::{Task, ThreadState},
};

/// What a host is asked to do.
pub type Job = Box<dyn FnOnce(&Desk) -> Done + Send>;

/// How long a signalled thread gets to answer before it is signalled again.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(2);

/// Signals sent in vain before a call is given up: a call that a signal does not end, such as a `close` that lingers.
const MAX_SIGNALS: usize = 500;

/// What a host's thread has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Privileges {
    /// Descriptors that begin at 3, and no capability: a student's program on a machine of its own.
    Isolated,
    /// The same, and raw sockets.
    IsolatedWithRawSockets,
    /// All that the process has.
    Inherited,
}

/// The thread of a host.
pub(super) struct HostThread {
    /// Its sockets.
    pub desk: Arc<Desk>,
    /// Who reads them.
    pub observer: Observer,
    /// What it found on the cable, until somebody takes it.
    pub moved_in: Option<HostNetwork>,
    orders: Option<Sender<Command>>,
    thread: Option<JoinHandle<()>>,
}

struct Command {
    job: Job,
    beside: bool,
    done: Sender<Done>,
    doing: Arc<Doing>,
    worker: Arc<Mutex<Option<ThreadIds>>>,
}

/// The thread that does a job, for those who watch and end it.
struct ThreadIds {
    task: Task,
    thread: system::ThreadId,
}

impl HostThread {
    /// Starts the thread and its observer. With a plug the thread gets a network of its own.
    ///
    /// If that fails, the error holds an [`Unavailable`](super::Unavailable).
    pub fn start(host: Host, rights: Privileges, plug: Option<VethConfig>) -> io::Result<HostThread> {
        let desk = Arc::new(Desk::new(host));
        let (orders, inbox) = mpsc::channel::<Command>();
        let (ready, observer) = mpsc::channel();
        let shared = Arc::clone(&desk);
        let thread = thread::Builder::new().name(host.name().to_owned()).spawn(move || {
            system::block_other_signals();
            if rights != Privileges::Inherited {
                system::unshare_descriptors();
            }
            let plugged_in = plug.is_some();
            let begin = || -> io::Result<_> {
                let moved_in = plug.map(VethConfig::setup_host).transpose().map_err(io::Error::other)?;
                // The observer is born here, so that it shares this thread's descriptors and, on a cable, its network.
                Ok((Observer::start(Arc::clone(&shared))?, moved_in))
            };
            let _ = ready.send(begin());
            if rights != Privileges::Inherited {
                system::drop_capabilities(rights == Privileges::IsolatedWithRawSockets);
            }
            serve(&shared, &inbox);
            if plugged_in {
                shared.abort();
            }
            shared.clear();
        })?;
        let begun = observer.recv().map_err(|_| io::Error::other("the host's thread ended at once"))?;
        let (observer, moved_in) = begun?;
        Ok(HostThread { desk, observer, moved_in, orders: Some(orders), thread: Some(thread) })
    }

    /// Gives the thread a job.
    pub fn send(&self, beside: bool, job: Job) -> CallHandle {
        let (done, outcome) = mpsc::channel();
        let ticket = CallHandle { done: outcome, doing: Arc::default(), worker: Arc::default() };
        let order = Command {
            job,
            beside,
            done,
            doing: Arc::clone(&ticket.doing),
            worker: Arc::clone(&ticket.worker),
        };
        // A host that is gone drops the order; the ticket then says so.
        let _ = self.orders.as_ref().map(|orders| orders.send(order));
        ticket
    }
}

impl Drop for HostThread {
    fn drop(&mut self) {
        self.observer.stop();
        drop(self.orders.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(desk: &Arc<Desk>, inbox: &Receiver<Command>) {
    for order in inbox {
        if order.beside {
            let desk = Arc::clone(desk);
            // Named like the host, for whoever reads strace. A thread that can't be started drops the order.
            let _ =
                thread::Builder::new().name(desk.host.name().to_owned()).spawn(move || perform(&desk, order));
        } else {
            perform(desk, order);
        }
    }
}

fn perform(desk: &Desk, order: Command) {
    let worker = ThreadIds { task: Task::current(), thread: system::current_thread() };
    *lock(&order.worker) = Some(worker);
    watched_by(&order.doing);
    let done = (order.job)(desk);
    // Nobody signals a thread that has taken its worker back.
    *lock(&order.worker) = None;
    let _ = order.done.send(done);
}

/// A thread of a live server that makes calls of its own, and can be woken from one that waits.
#[derive(Clone)]
pub struct WorkerThread {
    doing: Arc<Doing>,
    worker: Arc<Mutex<Option<ThreadIds>>>,
}

/// Memory for the stack of such a thread, in bytes: a thousand of them are to fit anywhere.
const STACK_SIZE: usize = 512 << 10;

impl WorkerThread {
    /// Starts a thread. The job is told by its [`Doing`] that it is to come to an end.
    ///
    /// # Errors
    /// If the system has no more threads.
    pub fn spawn(name: String, job: impl FnOnce(&Doing) + Send + 'static) -> io::Result<WorkerThread> {
        let hand = WorkerThread { doing: Arc::default(), worker: Arc::default() };
        let own = hand.clone();
        thread::Builder::new().name(name).stack_size(STACK_SIZE).spawn(move || {
            system::block_other_signals();
            own.sign_in();
            job(&own.doing);
            // Nobody signals a thread that has taken its worker back.
            lock(&own.worker).take();
        })?;
        Ok(hand)
    }

    fn sign_in(&self) {
        let worker = ThreadIds { task: Task::current(), thread: system::current_thread() };
        *lock(&self.worker) = Some(worker);
        watched_by(&self.doing);
    }

    /// Tells the thread to come to an end, and wakes it from the call that it waits in: that returns EINTR. To be said again until
    /// it is heard, as the thread may be between two calls.
    pub fn stop(&self) {
        self.doing.end();
        self.wake();
    }

    /// Wakes it once more if it has not heard. False if it has.
    pub fn wake_unless_acknowledged(&self) -> bool {
        let deaf = self.doing.ended();
        if deaf {
            self.wake();
        }
        deaf
    }

    fn wake(&self) {
        if let Some(worker) = &*lock(&self.worker) {
            system::interrupt(&worker.thread);
        }
    }
}

/// A job under way.
pub struct CallHandle {
    done: Receiver<Done>,
    doing: Arc<Doing>,
    worker: Arc<Mutex<Option<ThreadIds>>>,
}

impl CallHandle {
    /// Waits until the job is done, at most so long.
    ///
    /// # Errors
    /// `None` inside the result if time ran out; an error if the host's thread is gone.
    pub fn wait(&self, most: Duration) -> io::Result<Option<Done>> {
        if let Some(done) = super::spin_recv(&self.done) {
            return Ok(Some(done));
        }
        match self.done.recv_timeout(most) {
            Ok(done) => Ok(Some(done)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                Err(io::Error::other("the host's thread ended in the middle of a call"))
            }
        }
    }

    /// Whether the thread waits in a call on this descriptor.
    pub fn thread_state(&self, descriptor: i64) -> ThreadState {
        let task = lock(&self.worker).as_ref().map(|worker| worker.task);
        task.map_or(ThreadState::Running, |task| task.state(descriptor))
    }

    /// The line that runs.
    pub fn call_site(&self) -> Option<&'static Here> {
        self.doing.here()
    }

    /// Ends the call: the thread is signalled until it answers. The call returns EINTR.
    ///
    /// # Errors
    /// If the call does not end for all the signals.
    pub fn interrupt(&self) -> io::Result<Done> {
        self.doing.end();
        let began = Instant::now();
        for _ in 0..MAX_SIGNALS {
            if let Some(worker) = &*lock(&self.worker) {
                system::interrupt(&worker.thread);
            }
            if let Some(done) = self.wait(SIGNAL_INTERVAL)? {
                return Ok(done);
            }
        }
        Err(io::Error::other(format!("a call did not end within {:.1?} of signals", began.elapsed())))
    }
}
