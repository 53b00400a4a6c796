//! Large answers in memory that clients have not taken yet: counted in bytes, and bounded.
//!
//! One connection has one answer under way at a time; those behind it are not made before. An answer that is sent to
//! several connections at once is in memory once and counts once. What fits the first slice does not count: it goes
//! into the connection's own small buffer.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use actix_web::web::Bytes;

/// Bytes of answers under way.
#[derive(Debug)]
pub struct Unread {
    most: u64,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    bytes: u64,
    /// By the address of a body in memory: its length and how many connections it goes to.
    bodies: HashMap<usize, (u64, u64)>,
}

/// A body that is under way to one connection; counted until it is dropped.
#[derive(Debug)]
pub struct BudgetShare {
    unread: Arc<Unread>,
    place: usize,
    // Keeps the body where it is, so that its address stays its own.
    _body: Bytes,
}

impl Unread {
    /// At most so many bytes.
    #[must_use]
    pub fn new(most: u64) -> Arc<Self> {
        Arc::new(Self { most, held: Mutex::default() })
    }

    /// Bytes of all answers under way.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    /// Whether another large answer would be too much; asked before one is made.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.bytes() >= self.most
    }

    /// Counts a body; `None` if it is too much beside the others. One that is alone is always let through: an answer that
    /// no server could ever send would be no answer.
    pub fn hold(self: &Arc<Self>, body: &Bytes) -> Option<BudgetShare> {
        let (place, length) = (body.as_ptr() as usize, body.len() as u64);
        let mut guard = self.lock();
        let held = &mut *guard;
        match held.bodies.get_mut(&place) {
            Some((_, connections)) => *connections += 1,
            None if held.bytes > 0 && held.bytes + length > self.most => return None,
            None => {
                held.bytes += length;
                held.bodies.insert(place, (length, 1));
            }
        }
        drop(guard);
        Some(BudgetShare { unread: Arc::clone(self), place, _body: body.clone() })
    }

    /// Counts a body that is in memory already, such as the next chunk of a stream that has begun.
    pub fn count(self: &Arc<Self>, body: &Bytes) -> BudgetShare {
        let (place, length) = (body.as_ptr() as usize, body.len() as u64);
        let mut guard = self.lock();
        let held = &mut *guard;
        let known = held.bodies.entry(place).or_insert((length, 0));
        known.1 += 1;
        if known.1 == 1 {
            held.bytes += length;
        }
        drop(guard);
        BudgetShare { unread: Arc::clone(self), place, _body: body.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for BudgetShare {
    fn drop(&mut self) {
        let mut held = self.unread.lock();
        let Some((length, connections)) = held.bodies.get_mut(&self.place) else { return };
        *connections -= 1;
        if *connections == 0 {
            let length = *length;
            held.bodies.remove(&self.place);
            held.bytes -= length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_bounded_and_one_body_counts_once() {
        let unread = Unread::new(100);
        let (small, large) = (Bytes::from(vec![1; 60]), Bytes::from(vec![2; 70]));
        let first = unread.hold(&small).unwrap();
        let again = unread.hold(&small.clone()).unwrap();
        assert_eq!(unread.bytes(), 60, "the same body twice");
        assert!(unread.hold(&large).is_none() && !unread.is_full());
        drop(first);
        assert_eq!(unread.bytes(), 60, "it still goes to the other connection");
        drop(again);
        assert_eq!(unread.bytes(), 0);
        let huge = unread.hold(&Bytes::from(vec![3; 500])).unwrap();
        assert!(unread.is_full() && unread.hold(&small).is_none());
        drop(huge);
        assert!(unread.hold(&large).is_some());
        assert_eq!(unread.lock().bodies.len(), 0);
    }
}
