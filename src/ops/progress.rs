//! How an operation tells of its progress, and how it is cancelled.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use serde::Serialize;

/// How far an operation is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The step that is under way: a stable word for programs. Steps follow one another and do not come back.
    pub step: &'static str,
    /// How much of the step is done, in the step's own unit: bytes that were read, rows that were written.
    pub done: u64,
    /// How much the step has to do in that unit; `None` if that is not known beforehand.
    pub total: Option<u64>,
    /// What is being done, for people: no full stop, no number of its own.
    pub message: String,
}

/// The wish that an operation ends early. All copies are one wish.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Asks the operation to end. It does so at its next event, and takes back what it has done.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it was asked to end.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// The operation was cancelled and has taken back what it had done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancelled;

/// Where an operation's events go, and where it sees whether it was cancelled. Copies share both.
#[derive(Clone)]
pub struct Progress {
    events: Arc<dyn Fn(&Event) + Send + Sync>,
    cancel: Cancel,
}

impl Progress {
    /// Progress that `events` is called with, by the threads that work: it should return at once.
    pub fn new(events: impl Fn(&Event) + Send + Sync + 'static, cancel: Cancel) -> Self {
        Self { events: Arc::new(events), cancel }
    }

    /// Progress that nothing listens to, of an operation that is not cancelled.
    #[must_use]
    pub fn silent() -> Self {
        Self::new(|_| {}, Cancel::default())
    }

    /// The same events for the part of an operation that cannot be taken back: it runs to its end.
    #[must_use]
    pub fn beyond_cancel(&self) -> Self {
        Self { events: Arc::clone(&self.events), cancel: Cancel::default() }
    }

    /// Hands an event on, then looks whether the operation was cancelled.
    ///
    /// # Errors
    /// [`Cancelled`]: the caller then takes back what it has done.
    pub fn report(
        &self,
        step: &'static str,
        done: u64,
        total: Option<u64>,
        message: &str,
    ) -> Result<(), Cancelled> {
        (self.events)(&Event { step, done, total, message: message.to_owned() });
        if self.cancel.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Progress").field("cancel", &self.cancel).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use crate::ops::OpsError;

    /// Progress that keeps every event and cancels at one of them, counted from 0.
    pub fn cancelled_at(number: Option<usize>) -> (Progress, Arc<Mutex<Vec<Event>>>) {
        let events: Arc<Mutex<Vec<Event>>> = Arc::default();
        let (cancel, seen) = (Cancel::default(), Arc::clone(&events));
        let flag = cancel.clone();
        let progress = Progress::new(
            move |event| {
                let mut seen = seen.lock().unwrap();
                if Some(seen.len()) == number {
                    flag.cancel();
                }
                seen.push(event.clone());
            },
            cancel,
        );
        (progress, events)
    }

    /// Runs an operation to its end, and then cancelled at the first, the middle and the last event of each of its steps;
    /// `nothing_is_left` is called after each. Every run has a state of its own, made by `set_up`. Gives back the state, the
    /// events and the result of the run to the end.
    pub fn cancel_at_every_step<S, T>(
        set_up: impl Fn() -> S,
        run: impl Fn(&S, &Progress) -> Result<T, OpsError>,
        nothing_is_left: impl Fn(&S, &Event),
    ) -> (S, Vec<Event>, T) {
        let take = |events: &Mutex<Vec<Event>>| std::mem::take(&mut *events.lock().unwrap());
        let (whole, (progress, seen)) = (set_up(), cancelled_at(None));
        let result = run(&whole, &progress).unwrap();
        let events = take(&seen);
        let mut start = 0;
        for step in events.chunk_by(|one, next| one.step == next.step) {
            for number in BTreeSet::from([start, start + step.len() / 2, start + step.len() - 1]) {
                let (state, (progress, seen)) = (set_up(), cancelled_at(Some(number)));
                let refused = run(&state, &progress).err();
                assert!(matches!(refused, Some(OpsError::Cancelled)), "{:?}: {refused:?}", events[number]);
                assert_eq!(take(&seen), events[..=number], "the same events, and none after it");
                nothing_is_left(&state, &events[number]);
            }
            start += step.len();
        }
        (whole, events, result)
    }

    #[test]
    fn a_cancelled_operation_hears_of_it_at_its_next_event() {
        let (progress, events) = cancelled_at(Some(1));
        assert_eq!(progress.report("read", 0, Some(2), "reading"), Ok(()));
        assert_eq!(progress.report("read", 1, Some(2), "reading"), Err(Cancelled));
        assert_eq!(progress.clone().report("read", 2, Some(2), "reading"), Err(Cancelled), "copies are one");
        assert_eq!(progress.beyond_cancel().report("write", 0, None, "writing"), Ok(()));
        let events = events.lock().unwrap();
        assert_eq!(events.len(), 4, "events go on to be handed over");
        assert_eq!(
            serde_json::to_string(&events[0]).unwrap(),
            r#"{"step":"read","done":0,"total":2,"message":"reading"}"#
        );
    }
}
