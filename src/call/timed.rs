//! `ran!` runs an expression, times it, and records its source text: the line that is shown is the line that
//! ran.
//!
//! The compiler supplies the text, the file and the line of the expression. Nothing runs between the clock
//! and the call.

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

/// An expression of this program and its place in the source.
#[derive(Debug)]
pub struct CallSite {
    /// The source text.
    pub text: &'static str,
    /// The path of the file.
    pub file: &'static str,
    /// The line, counted from 1.
    pub line: u32,
}

impl CallSite {
    /// The place as the trace writes it: with `/` in paths on every system.
    pub fn source(&self) -> Source {
        // rustfmt may have wrapped the expression.
        let text = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        Source { text, file: self.file.replace('\\', "/"), line: self.line }
    }
}

/// A call that was made, with its times.
#[derive(Debug)]
pub struct Timed<T> {
    /// Its result.
    pub outcome: io::Result<T>,
    /// Time of its start.
    pub started: Instant,
    /// Its duration.
    pub took: Duration,
    /// Its place in the source.
    pub site: &'static CallSite,
}

impl<T> Timed<T> {
    /// Applies `form` to the result.
    pub fn map<U>(self, form: impl FnOnce(T) -> U) -> Timed<U> {
        Timed { outcome: self.outcome.map(form), started: self.started, took: self.took, site: self.site }
    }
}

/// Runs and times an expression of type `io::Result`; with `sure`, one that cannot fail; with `error f,` one
/// whose error `f` converts into an `io::Error`.
///
/// `ran!(retry …)` repeats the call if a signal interrupted it (EINTR). Never use it for `connect`, whose
/// handshake continues after EINTR (connect(2)), or for `close`, which has released the descriptor
/// (close(2)).
#[macro_export]
#[doc(hidden)]
macro_rules! ran {
    (retry $call:expr) => {{
        static SITE: $crate::call::CallSite =
            $crate::call::CallSite { text: stringify!($call), file: file!(), line: line!() };
        $crate::call::timed(&SITE, true, || $call)
    }};
    (sure $call:expr) => {{
        static SITE: $crate::call::CallSite =
            $crate::call::CallSite { text: stringify!($call), file: file!(), line: line!() };
        let mut once = Some(|| $call);
        $crate::call::timed(&SITE, false, || Ok(once.take().expect("called once without retry")()))
    }};
    (error $error:path, $call:expr) => {{
        static SITE: $crate::call::CallSite =
            $crate::call::CallSite { text: stringify!($call), file: file!(), line: line!() };
        let mut once = Some(|| $call);
        $crate::call::timed(&SITE, false, || {
            once.take().expect("called once without retry")().map_err($error)
        })
    }};
    ($call:expr) => {{
        static SITE: $crate::call::CallSite =
            $crate::call::CallSite { text: stringify!($call), file: file!(), line: line!() };
        let mut once = Some(|| $call);
        $crate::call::timed(&SITE, false, || once.take().expect("called once without retry")())
    }};
}

/// The call that a thread makes, as other threads see it.
#[derive(Debug, Default)]
pub struct CurrentCall {
    here: Mutex<Option<&'static CallSite>>,
    ended: AtomicBool,
}

impl CurrentCall {
    /// The first expression of the job: for a step of several calls, that of the whole step.
    pub fn site(&self) -> Option<&'static CallSite> {
        *lock(&self.here)
    }

    /// Tells the thread to stop: from now on calls are not repeated after EINTR.
    pub fn stop(&self) {
        self.ended.store(true, Ordering::Release);
    }

    /// Acknowledges the stop. Later calls, such as those of an orderly shutdown, are repeated after EINTR
    /// again.
    pub fn acknowledge_stop(&self) {
        self.ended.store(false, Ordering::Release);
    }

    /// Whether the thread was told to stop and has not acknowledged that.
    pub fn is_stopping(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}

thread_local! {
    static DOING: RefCell<Option<Arc<CurrentCall>>> = const { RefCell::new(None) };
}

/// Publishes the calls of this thread in `doing`.
pub fn set_current_call(doing: &Arc<CurrentCall>) {
    DOING.with_borrow_mut(|slot| *slot = Some(Arc::clone(doing)));
}

/// The body of [`ran!`].
#[doc(hidden)]
pub fn timed<T>(here: &'static CallSite, retry: bool, mut call: impl FnMut() -> io::Result<T>) -> Timed<T> {
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
        let stopping = || DOING.with_borrow(|doing| doing.as_ref().is_some_and(|doing| doing.is_stopping()));
        if !(retry && interrupted) || stopping() {
            return Timed { outcome, started, took, site: here };
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
        assert_eq!(ran.site.line, line!() - 1);
        assert_eq!(ran.site.text, "Ok::<i32, io::Error>(backlog + 1)");
        assert!(ran.site.source().file.ends_with("src/call/timed.rs"));
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
