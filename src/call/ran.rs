//! `ran!`: what ran is what is shown.
//!
//! The macro takes the text, the file and the line of an expression from the compiler, runs it, and times it. Nothing stands
//! between the clock and the call.

use std::{
    cell::RefCell,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::event::Source;
use crate::sync::lock;

/// An expression of this program and where it stands.
#[derive(Debug)]
pub struct Here {
    /// The expression.
    pub text: &'static str,
    /// Its file.
    pub file: &'static str,
    /// Its line.
    pub line: u32,
}

impl Here {
    /// In the form of the trace: `/` in paths on every system.
    pub fn source(&self) -> Source {
        // The compiler breaks long expressions into lines.
        let text = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        Source { text, file: self.file.replace('\\', "/"), line: self.line }
    }
}

/// A call that was made.
#[derive(Debug)]
pub struct Ran<T> {
    /// What it returned.
    pub outcome: io::Result<T>,
    /// When it began.
    pub started: Instant,
    /// How long it took.
    pub took: Duration,
    /// The expression.
    pub here: &'static Here,
}

impl<T> Ran<T> {
    /// The same call with what it returned put into another form.
    pub fn map<U>(self, form: impl FnOnce(T) -> U) -> Ran<U> {
        Ran { outcome: self.outcome.map(form), started: self.started, took: self.took, here: self.here }
    }
}

/// Runs and times an expression that yields `io::Result`; with `sure`, one that cannot fail; with `error f,` one whose error
/// `f` turns into an `io::Error`.
///
/// `ran!(retry …)` makes the call again if a signal interrupted it (EINTR). `connect` must not be repeated so: after EINTR
/// the handshake goes on without the caller (connect(2)), and `close` has given the descriptor back all the same.
#[macro_export]
#[doc(hidden)]
macro_rules! ran {
    (retry $call:expr) => {{
        static HERE: $crate::call::Here =
            $crate::call::Here { text: stringify!($call), file: file!(), line: line!() };
        $crate::call::timed(&HERE, true, || $call)
    }};
    (sure $call:expr) => {{
        static HERE: $crate::call::Here =
            $crate::call::Here { text: stringify!($call), file: file!(), line: line!() };
        let mut once = Some(|| $call);
        $crate::call::timed(&HERE, false, || Ok(once.take().expect("called once without retry")()))
    }};
    (error $error:path, $call:expr) => {{
        static HERE: $crate::call::Here =
            $crate::call::Here { text: stringify!($call), file: file!(), line: line!() };
        let mut once = Some(|| $call);
        $crate::call::timed(&HERE, false, || {
            once.take().expect("called once without retry")().map_err($error)
        })
    }};
    ($call:expr) => {{
        static HERE: $crate::call::Here =
            $crate::call::Here { text: stringify!($call), file: file!(), line: line!() };
        let mut once = Some(|| $call);
        $crate::call::timed(&HERE, false, || once.take().expect("called once without retry")())
    }};
}

/// What a host's thread is doing, for those who watch it from outside.
#[derive(Debug, Default)]
pub struct Doing {
    here: Mutex<Option<&'static Here>>,
    ended: AtomicBool,
}

impl Doing {
    /// The expression that the job began with: of a step that is more than one call, the step's own.
    pub fn here(&self) -> Option<&'static Here> {
        *lock(&self.here)
    }

    /// Says that the call is to end: from now on EINTR is its result.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    /// Says that it was heard, and that further calls are to be made all the same: those of a tidy end.
    pub fn go_on(&self) {
        self.ended.store(false, Ordering::Release);
    }

    /// Whether it was told to end.
    pub fn ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}

thread_local! {
    static DOING: RefCell<Option<Arc<Doing>>> = const { RefCell::new(None) };
}

/// Lets what this thread does be seen in `doing`.
pub fn watched_by(doing: &Arc<Doing>) {
    DOING.with_borrow_mut(|slot| *slot = Some(Arc::clone(doing)));
}

/// The body of [`ran!`].
#[doc(hidden)]
pub fn timed<T>(here: &'static Here, retry: bool, mut call: impl FnMut() -> io::Result<T>) -> Ran<T> {
    DOING.with_borrow(|doing| {
        if let Some(doing) = doing {
            lock(&doing.here).get_or_insert(here);
        }
    });
    let started = Instant::now();
    loop {
        let outcome = call();
        let took = started.elapsed();
        let interrupted =
            outcome.as_ref().err().is_some_and(|error| error.kind() == io::ErrorKind::Interrupted);
        let told_to_end = || DOING.with_borrow(|doing| doing.as_ref().is_some_and(|doing| doing.ended()));
        if !(retry && interrupted) || told_to_end() {
            return Ran { outcome, started, took, here };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    #[test]
    fn the_text_and_the_line_are_those_of_the_source() {
        let backlog = 4;
        let ran = ran!(Ok::<i32, io::Error>(backlog + 1));
        assert_eq!(ran.here.line, line!() - 1);
        assert_eq!(ran.here.text, "Ok::<i32, io::Error>(backlog + 1)");
        assert!(ran.here.source().file.ends_with("src/call/ran.rs"));
        assert_eq!(ran.outcome.unwrap(), 5);
    }

    #[test]
    fn eintr_is_retried_only_where_that_is_right() {
        let mut left = 3;
        let mut interrupted = || {
            left -= 1;
            if left > 0 { Err(io::Error::from(io::ErrorKind::Interrupted)) } else { Ok(()) }
        };
        assert!(ran!(interrupted()).outcome.is_err());
        assert!(ran!(retry interrupted()).outcome.is_ok());
    }
}
