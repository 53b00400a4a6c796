//! Bytes held in memory beside the snapshot, counted as long as they are held.
//!
//! In: a charge for each thing that is built. Out: their sum, and a call when it is above the bound.
//! Not here: what is then dropped (`access`).

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

/// The sum of the bytes of everything charged to it that has not been dropped.
#[derive(Default)]
pub struct Ledger {
    bytes: AtomicUsize,
    bound: AtomicUsize,
    relief: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// Bytes that one thing holds; they leave the sum when it is dropped.
#[derive(Debug)]
pub struct Charge {
    ledger: Arc<Ledger>,
    bytes: usize,
}

/// Bytes that a value holds in memory, its own and those it owns on the heap.
pub trait HeldBytes {
    /// How many.
    fn held_bytes(&self) -> usize;
}

impl Ledger {
    /// Counts so many bytes for as long as the charge lives.
    #[must_use]
    pub fn charge(self: &Arc<Self>, bytes: usize) -> Charge {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Charge { ledger: Arc::clone(self), bytes }
    }

    /// Bytes charged now.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The most bytes there should be.
    #[must_use]
    pub fn bound(&self) -> usize {
        self.bound.load(Ordering::Relaxed)
    }

    /// Sets the most bytes there should be.
    pub fn set_bound(&self, bytes: usize) {
        self.bound.store(bytes, Ordering::Relaxed);
    }

    /// Says what drops things; the first call counts.
    pub fn relieved_by(&self, relief: impl Fn() + Send + Sync + 'static) {
        // A second one would be a fault of ours; the first one still works.
        let _ = self.relief.set(Box::new(relief));
    }

    /// Lets things be dropped if there are more bytes than the bound. Call it without a lock held.
    pub fn settle(&self) {
        if self.bytes() > self.bound()
            && let Some(relief) = self.relief.get()
        {
            relief();
        }
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Ledger").field("bytes", &self.bytes()).field("bound", &self.bound()).finish()
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.ledger.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_counted_as_long_as_they_are_held() {
        let ledger = Arc::new(Ledger::default());
        ledger.set_bound(10);
        let called = Arc::new(AtomicUsize::new(0));
        let calls = Arc::clone(&called);
        ledger.relieved_by(move || {
            calls.fetch_add(1, Ordering::Relaxed);
        });
        let one = ledger.charge(7);
        ledger.settle();
        let two = ledger.charge(4);
        assert_eq!((ledger.bytes(), called.load(Ordering::Relaxed)), (11, 0));
        ledger.settle();
        assert_eq!(called.load(Ordering::Relaxed), 1);
        drop(one);
        ledger.settle();
        assert_eq!((ledger.bytes(), called.load(Ordering::Relaxed)), (4, 1));
        drop(two);
        assert_eq!(ledger.bytes(), 0);
    }
}
