//! Work that goes on beside answering: one that ends before it was stopped is noticed by `/readyz`.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

type Runs = Box<dyn Fn() -> bool + Send + Sync>;

/// Everything that should be running.
#[derive(Default)]
pub struct Tasks(Mutex<Vec<(&'static str, Runs)>>);

/// A task that runs as long as it has this. If it panics or returns, this is dropped and the task counts as stopped.
#[derive(Debug)]
pub struct Running {
    ended: Arc<AtomicBool>,
    is_done: bool,
}

impl Tasks {
    /// A task begins.
    pub fn begin(&self, name: &'static str) -> Running {
        let ended = Arc::new(AtomicBool::new(false));
        let known = Arc::clone(&ended);
        self.watch(name, move || !known.load(Ordering::Acquire));
        Running { ended, is_done: false }
    }

    /// A task that says itself whether it runs.
    pub fn watch(&self, name: &'static str, runs: impl Fn() -> bool + Send + Sync + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((name, Box::new(runs)));
    }

    /// Tasks that have stopped, in the order in which they began.
    #[must_use]
    pub fn stopped(&self) -> Vec<&'static str> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|(_, runs)| !runs()).map(|(name, _)| *name).collect()
    }
}

impl Running {
    /// It has done what it was there for.
    pub fn finish(mut self) {
        self.is_done = true;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_done {
            self.ended.store(true, Ordering::Release);
        }
    }
}

impl std::fmt::Debug for Tasks {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("Tasks").field(&self.stopped()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_panics_or_returns_has_stopped_and_one_that_is_done_has_not() {
        let tasks = Tasks::default();
        let (goes_on, done) = (tasks.begin("goes on"), tasks.begin("is done"));
        let (returns, panics) = (tasks.begin("returns"), tasks.begin("panics"));
        assert_eq!(tasks.stopped(), [""; 0]);
        done.finish();
        drop(returns);
        let thread = std::thread::spawn(move || {
            let _running = panics;
            std::panic::resume_unwind(Box::new("as a task would"));
        });
        assert!(thread.join().is_err());
        assert_eq!(tasks.stopped(), ["returns", "panics"]);
        drop(goes_on);
        assert_eq!(tasks.stopped().len(), 3);
    }
}
