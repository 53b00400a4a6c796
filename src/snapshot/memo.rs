//! Things computed from rows when they are first wanted, and held beside them.

use std::any::Any;
use std::any::TypeId;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;

use crate::snapshot::ledger::Charge;
use crate::snapshot::ledger::HeldBytes;
use crate::snapshot::ledger::Ledger;

type Cell = Arc<OnceLock<(Arc<dyn Any + Send + Sync>, Option<Charge>)>>;

/// One value of each type, computed once; wanted at once by several callers, computed by one of them while the others
/// wait.
#[derive(Debug, Default)]
pub struct Memo {
    cells: Mutex<HashMap<TypeId, Cell>>,
    /// Where the values are counted; those of rows that the snapshot itself holds are not.
    ledger: Option<Arc<Ledger>>,
}

impl Memo {
    /// An empty one that counts its values.
    #[must_use]
    pub fn charged_to(ledger: &Arc<Ledger>) -> Self {
        Self { cells: Mutex::default(), ledger: Some(Arc::clone(ledger)) }
    }

    /// The value of type `T`, computed by `make` if there is none yet. `make` must be a function of the rows alone.
    pub fn get_or_make<T: Any + Send + Sync + HeldBytes>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let cell = {
            let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(TypeId::of::<T>()).or_default())
        };
        let mut make = Some(make);
        let mut is_new = false;
        let (value, _) = cell.get_or_init(|| {
            is_new = true;
            match make.take() {
                Some(make) => {
                    let value = make();
                    let charge = self.ledger.as_ref().map(|ledger| ledger.charge(value.held_bytes()));
                    (Arc::new(value), charge)
                }
                // `get_or_init` calls its closure once at most.
                None => (Arc::new(()), None),
            }
        });
        let value =
            Arc::clone(value).downcast().unwrap_or_else(|_| unreachable!("a cell holds its own type"));
        if let Some(ledger) = self.ledger.as_ref().filter(|_| is_new) {
            ledger.settle();
        }
        value
    }

    /// Whether there is a value of type `T` already.
    pub fn has<T: Any + Send + Sync>(&self) -> bool {
        let cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        cells.get(&TypeId::of::<T>()).is_some_and(|cell| cell.get().is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Weighs<const N: usize>(u32);

    impl<const N: usize> HeldBytes for Weighs<N> {
        fn held_bytes(&self) -> usize {
            N
        }
    }

    #[test]
    fn each_type_is_computed_once_and_counted() {
        let ledger = Arc::new(Ledger::default());
        let memo = Memo::charged_to(&ledger);
        assert!(!memo.has::<Weighs<8>>());
        assert_eq!(*memo.get_or_make(|| Weighs::<8>(7)), Weighs(7));
        assert!(memo.has::<Weighs<8>>() && !memo.has::<Weighs<3>>());
        assert_eq!(*memo.get_or_make(|| Weighs::<8>(8)), Weighs(7));
        assert_eq!(*memo.get_or_make(|| Weighs::<3>(9)), Weighs(9));
        assert_eq!(ledger.bytes(), 11);
        drop(memo);
        assert_eq!(ledger.bytes(), 0);
    }
}
