//! Values computed from parts of views, found again by what they are a function of.
//!
//! Not here: what is computed, and from which parts (`derive`).

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::access::Class;
use crate::access::derive::Params;
use crate::access::view_cache::Clock;
use crate::snapshot::Charge;
use crate::snapshot::HeldBytes;
use crate::snapshot::Ledger;

/// What a value is a function of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ValueKey {
    /// The derivation.
    pub name: &'static str,
    /// The field that it is of, if it is of one.
    pub field: String,
    /// Its parameters.
    pub params: Params,
    /// Serials of the parts it reads, 0 for one that is not there.
    pub serials: Vec<u64>,
    /// The class that it is for, where others must not notice that it was wanted.
    pub class: Option<Class>,
}

type Held = (Arc<dyn Any + Send + Sync>, Charge);

#[derive(Debug, Default)]
struct Entry {
    value: OnceLock<Held>,
    used: AtomicU64,
}

/// All of them; the least used go first.
#[derive(Debug, Default)]
pub(super) struct Values {
    ledger: Arc<Ledger>,
    clock: Arc<Clock>,
    entries: Mutex<HashMap<ValueKey, Arc<Entry>>>,
}

impl Values {
    /// Where their bytes are counted.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    pub fn new(ledger: &Arc<Ledger>, clock: &Arc<Clock>) -> Self {
        Self { ledger: Arc::clone(ledger), clock: Arc::clone(clock), entries: Mutex::default() }
    }

    /// The value of a key, computed on this thread if there is none; others wait for a computation under way.
    pub fn get_or_make<T: Any + Send + Sync + HeldBytes>(
        &self,
        key: ValueKey,
        make: impl FnOnce() -> T,
    ) -> Arc<T> {
        let own = size_of::<(ValueKey, Entry)>() + key.serials.len() * 8;
        let entry = {
            let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(entries.entry(key).or_default())
        };
        entry.used.store(self.clock.tick(), Ordering::Relaxed);
        let mut is_new = false;
        let (value, _) = entry.value.get_or_init(|| {
            is_new = true;
            let value = make();
            let charge = self.ledger.charge(own + value.held_bytes());
            (Arc::new(value), charge)
        });
        let value = Arc::clone(value).downcast().unwrap_or_else(|_| unreachable!("a name has one type"));
        if is_new {
            self.ledger.settle();
        }
        value
    }

    /// When each was last used.
    pub fn uses(&self) -> Vec<(u64, ValueKey)> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().map(|(key, entry)| (entry.used.load(Ordering::Relaxed), key.clone())).collect()
    }

    /// Drops one.
    pub fn forget(&self, key: &ValueKey) {
        let entry = self.entries.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        drop(entry);
    }

    /// Drops those that read parts that are not good any more.
    pub fn keep_only(&self, is_good: impl Fn(u64) -> bool) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|key, _| key.serials.iter().all(|serial| *serial == 0 || is_good(*serial)));
    }
}
