//! A host: a thread that makes the calls of a lesson one after the other, and can be interrupted in each.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    StageError,
    cable::{HostNetwork, VethConfig},
    observer::Observer,
    spin_recv, system,
};
use crate::sync::lock;
use crate::{
    call::{CallSite, Completed, CurrentCall, SocketTable, set_current_call},
    event::Host,
    kernel::{Task, ThreadState},
};

/// Work for a host's thread: one call, or the calls of one step.
pub type Job = Box<dyn FnOnce(&SocketTable) -> Completed + Send>;

/// Time after which a thread that does not return is signalled again: it may have been between two calls.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(2);

/// Signals after which [`CallHandle::interrupt`] fails: some calls, such as a lingering `close`, ignore
/// signals.
const MAX_SIGNALS: usize = 500;

/// Stack of a [`WorkerThread`], in bytes: small enough for a thousand threads.
const STACK_SIZE: usize = 512 << 10;

/// What a host's thread may do, and which descriptors it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Privileges {
    /// A descriptor table of its own, in which the first socket is 3, and no capabilities: like a student's
    /// own program.
    Isolated,
    /// As `Isolated`, with CAP_NET_RAW.
    IsolatedWithRawSockets,
    /// The descriptor table and the capabilities of the process.
    Inherited,
}

/// The thread of a host, and the observer beside it.
pub(super) struct HostThread {
    pub sockets: Arc<SocketTable>,
    pub observer: Observer,
    /// The host's network, if it was started with a configuration, until the stage takes it.
    pub network: Option<HostNetwork>,
    commands: Option<Sender<Command>>,
    thread: Option<JoinHandle<()>>,
}

struct Command {
    job: Job,
    own_thread: bool,
    done: Sender<Completed>,
    current: CurrentThread,
}

/// What is known of the thread that runs a job: by it the job is watched and interrupted from other threads.
#[derive(Clone, Default)]
struct CurrentThread {
    call: Arc<CurrentCall>,
    /// `None` before the job begins and after it has ended. Whoever signals the thread holds the lock, so the
    /// thread cannot end in between.
    ids: Arc<Mutex<Option<ThreadIds>>>,
}

struct ThreadIds {
    task: Task,
    thread: system::ThreadId,
}

impl CurrentThread {
    /// Runs a job on the calling thread, which can be interrupted meanwhile.
    fn run<T>(&self, job: impl FnOnce() -> T) -> T {
        *self.ids() = Some(ThreadIds { task: Task::current(), thread: system::current_thread() });
        set_current_call(&self.call);
        let result = job();
        *self.ids() = None;
        result
    }

    /// Makes the call that the thread is blocked in fail with EINTR.
    fn interrupt(&self) {
        if let Some(ids) = &*self.ids() {
            system::interrupt(&ids.thread);
        }
    }

    fn ids(&self) -> MutexGuard<'_, Option<ThreadIds>> {
        lock(&self.ids)
    }
}

impl HostThread {
    /// Starts the thread and its observer. With a configuration, the thread gets a network stack of its own.
    pub fn start(
        host: Host,
        privileges: Privileges,
        config: Option<VethConfig>,
    ) -> Result<HostThread, StageError> {
        let desk = Arc::new(SocketTable::new(host));
        let (commands, inbox) = mpsc::channel::<Command>();
        let (ready, started) = mpsc::channel();
        let shared = Arc::clone(&desk);
        let main = move || {
            system::block_other_signals();
            if privileges != Privileges::Inherited {
                system::unshare_descriptors();
            }
            let on_cable = config.is_some();
            let start = || -> Result<_, StageError> {
                let network = config.map(VethConfig::setup_host).transpose()?;
                // Started by this thread, the observer shares its descriptor table and, on a cable, its
                // network.
                Ok((Observer::start(Arc::clone(&shared))?, network))
            };
            let _ = ready.send(start());
            if privileges != Privileges::Inherited {
                system::drop_capabilities(privileges == Privileges::IsolatedWithRawSockets);
            }
            serve(&shared, &inbox);
            if on_cable {
                shared.abort();
            }
            shared.clear();
        };
        let failed = StageError::system("start the thread", host.name());
        let thread = thread::Builder::new().name(host.name().to_owned()).spawn(main).map_err(&failed)?;
        let (observer, network) = started.recv().map_err(|_| failed(ended()))??;
        Ok(HostThread { sockets: desk, observer, network, commands: Some(commands), thread: Some(thread) })
    }

    /// Queues a job for the thread.
    pub fn start_job(&self, job: Job) -> CallHandle {
        self.send(job, false)
    }

    /// Runs a job on a new thread, which the host's thread starts.
    pub fn spawn(&self, job: Job) -> CallHandle {
        self.send(job, true)
    }

    fn send(&self, job: Job, own_thread: bool) -> CallHandle {
        let (done, outcome) = mpsc::channel();
        let current = CurrentThread::default();
        let command = Command { job, own_thread, done, current: current.clone() };
        // If the thread has ended, the command is dropped, and the handle's `wait` fails.
        let _ = self.commands.as_ref().map(|commands| commands.send(command));
        CallHandle { done: outcome, current }
    }
}

impl Drop for HostThread {
    fn drop(&mut self) {
        self.observer.stop();
        drop(self.commands.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(desk: &Arc<SocketTable>, inbox: &Receiver<Command>) {
    for command in inbox {
        if command.own_thread {
            let desk = Arc::clone(desk);
            // Named like the host, for `strace`. If no thread can be started, the command is dropped.
            let name = desk.host.name().to_owned();
            let _ = thread::Builder::new().name(name).spawn(move || perform(&desk, command));
        } else {
            perform(desk, command);
        }
    }
}

fn perform(desk: &SocketTable, command: Command) {
    let Command { job, done, current, .. } = command;
    let _ = done.send(current.run(|| job(desk)));
}

fn ended() -> io::Error {
    io::Error::other("the thread has ended")
}

/// A thread of a live server that makes blocking calls, and can be told to stop.
#[derive(Clone)]
pub(crate) struct WorkerThread {
    current: CurrentThread,
}

impl WorkerThread {
    /// Starts a thread named `name`. The job learns from its [`Doing`] that it is to stop.
    ///
    /// # Errors
    /// EAGAIN: the limit of threads is reached.
    pub fn spawn(name: String, job: impl FnOnce(&CurrentCall) + Send + 'static) -> io::Result<WorkerThread> {
        let worker = WorkerThread { current: CurrentThread::default() };
        let current = worker.current.clone();
        thread::Builder::new().name(name).stack_size(STACK_SIZE).spawn(move || {
            system::block_other_signals();
            current.run(|| job(&current.call));
        })?;
        Ok(worker)
    }

    /// Tells the thread to stop, and interrupts the call that it is blocked in. As the thread may be between
    /// two calls, repeat [`WorkerThread::wake_unless_acknowledged`] until that returns false.
    pub fn stop(&self) {
        self.current.call.stop();
        self.current.interrupt();
    }

    /// Interrupts the thread again if it has not acknowledged the stop. Returns whether that was so.
    pub fn wake_unless_acknowledged(&self) -> bool {
        let pending = self.current.call.is_stopping();
        if pending {
            self.current.interrupt();
        }
        pending
    }
}

/// A job that was given to a host, and its result.
pub struct CallHandle {
    done: Receiver<Completed>,
    current: CurrentThread,
}

impl CallHandle {
    /// Waits up to `timeout` for the job's result. Returns `None` if the time is over.
    ///
    /// # Errors
    /// If the host's thread has ended.
    pub fn wait(&self, timeout: Duration) -> io::Result<Option<Completed>> {
        if let Some(done) = spin_recv(&self.done) {
            return Ok(Some(done));
        }
        match self.done.recv_timeout(timeout) {
            Ok(done) => Ok(Some(done)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(ended()),
        }
    }

    /// Whether the thread is blocked in a call on this descriptor.
    pub fn thread_state(&self, descriptor: i64) -> ThreadState {
        let task = self.current.ids().as_ref().map(|ids| ids.task);
        task.map_or(ThreadState::Running, |task| task.state(descriptor))
    }

    /// The line of source of the call that runs, or ran.
    pub fn call_site(&self) -> Option<&'static CallSite> {
        self.current.call.site()
    }

    /// Interrupts the call by signals until it returns, with EINTR as its result.
    ///
    /// # Errors
    /// If the call has not returned after `MAX_SIGNALS` signals, or the host's thread has ended.
    pub fn interrupt(&self) -> io::Result<Completed> {
        self.current.call.stop();
        let began = Instant::now();
        for _ in 0..MAX_SIGNALS {
            self.current.interrupt();
            if let Some(done) = self.wait(SIGNAL_INTERVAL)? {
                return Ok(done);
            }
        }
        Err(io::Error::other(format!("a call did not return within {:.1?} of signals", began.elapsed())))
    }
}
