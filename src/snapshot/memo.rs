//! Things computed from rows when they are first wanted, and kept beside them.

use std::any::Any;
use std::any::TypeId;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;

type Cell = Arc<OnceLock<Arc<dyn Any + Send + Sync>>>;

/// One value of each type, computed once; asked for at once by several, computed by one of them.
#[derive(Debug, Default)]
pub struct Memo {
    cells: Mutex<HashMap<TypeId, Cell>>,
}

impl Memo {
    /// The value of type `T`, made by `make` if there is none yet. `make` must be a function of the rows alone.
    pub fn get_or_make<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let cell = {
            let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(cells.entry(TypeId::of::<T>()).or_default())
        };
        let mut make = Some(make);
        let value = cell.get_or_init(|| match make.take() {
            Some(make) => Arc::new(make()),
            // `get_or_init` calls its closure once at most.
            None => Arc::new(()),
        });
        Arc::clone(value).downcast().unwrap_or_else(|_| unreachable!("a cell holds its own type"))
    }
}

impl Memo {
    /// Whether there is a value of type `T` already.
    pub fn has<T: Any + Send + Sync>(&self) -> bool {
        let cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        cells.get(&TypeId::of::<T>()).is_some_and(|cell| cell.get().is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_is_made_once() {
        let memo = Memo::default();
        assert!(!memo.has::<u32>());
        assert_eq!(*memo.get_or_make(|| 7_u32), 7);
        assert!(memo.has::<u32>() && !memo.has::<String>());
        assert_eq!(*memo.get_or_make(|| 8_u32), 7);
        assert_eq!(*memo.get_or_make(|| String::from("x")), "x");
    }
}
