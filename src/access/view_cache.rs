//! Views by the class of principals that they are for: one cell a class, built by one caller while the others wait.
//!
//! Views are held up to a number and up to so many bytes, counted with everything that is computed for them
//! (`snapshot::Ledger`); the least used go first. When the snapshot changes, a class that has not got its new view yet
//! still holds what of the old one is good in the new snapshot, so that a view built anew costs only what was touched.
//! Not here: how a view is built (`view_build`).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use crate::access::Class;
use crate::access::memos::StillGood;
use crate::access::values::ValueKey;
use crate::access::values::Values;
use crate::access::view::CollectionView;
use crate::access::view::View;
use crate::snapshot::Ledger;
use crate::snapshot::RowGroup;

/// Views of so many classes are held.
const MOST_CLASSES: usize = 4_096;

/// Counts uses: the greater number is the later use.
#[derive(Debug, Default)]
pub(super) struct Clock(AtomicU64);

impl Clock {
    /// The next number.
    pub fn tick(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// Views by class.
#[derive(Debug)]
pub(super) struct ViewCache {
    ledger: Arc<Ledger>,
    clock: Arc<Clock>,
    values: Arc<Values>,
    cells: Mutex<HashMap<Class, Arc<Cell>>>,
    /// Held while things are dropped: one caller at a time.
    dropping: Mutex<()>,
    start: Instant,
}

/// What is held for a class.
#[derive(Debug, Default)]
struct Cell {
    used: AtomicU64,
    /// Milliseconds from the start to the last request.
    asked_ms: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The view of each version of the snapshot, of which two are there while one takes the other's place.
    views: Vec<(u64, Slot)>,
    remains: Remains,
}

type Slot = Arc<OnceLock<Arc<View>>>;

/// What of a view of an earlier version is good in the current one.
#[derive(Debug, Default)]
struct Remains {
    parts: Vec<Arc<CollectionView>>,
    copies: Vec<Arc<RowGroup>>,
}

/// What may be dropped.
enum Droppable {
    Class(Class),
    Value(ValueKey),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ViewCache {
    /// One that counts what it holds in `ledger`, whose bound is its own, and drops views and values when there is more.
    pub fn new(ledger: &Arc<Ledger>, clock: &Arc<Clock>, values: &Arc<Values>) -> Arc<Self> {
        let cache = Arc::new(Self {
            ledger: Arc::clone(ledger),
            clock: Arc::clone(clock),
            values: Arc::clone(values),
            cells: Mutex::default(),
            dropping: Mutex::default(),
            start: Instant::now(),
        });
        let held = Arc::downgrade(&cache);
        ledger.relieved_by(move || {
            if let Some(cache) = held.upgrade() {
                cache.drop_least_used();
            }
        });
        cache
    }

    /// The view of a class at a version, if it is there.
    pub fn at_hand(&self, class: &Class, version: u64) -> Option<Arc<View>> {
        let cell = Arc::clone(lock(&self.cells).get(class)?);
        self.touch(&cell);
        cell.slot(version)?.get().cloned()
    }

    /// The view of a class at a version: there, or built by `build` on this thread, or waited for while another
    /// thread builds it.
    pub fn get_or_build(&self, class: &Class, version: u64, build: impl FnOnce() -> View) -> Arc<View> {
        let cell = self.cell(class);
        self.touch(&cell);
        let view = cell.view(version, build);
        self.ledger.settle();
        view
    }

    fn cell(&self, class: &Class) -> Arc<Cell> {
        let mut cells = lock(&self.cells);
        if cells.len() >= MOST_CLASSES && !cells.contains_key(class) {
            let used = |cell: &Arc<Cell>| cell.used.load(Ordering::Relaxed);
            let least = cells.iter().min_by_key(|(_, cell)| used(cell)).map(|(class, _)| class.clone());
            let dropped = least.and_then(|least| cells.remove(&least));
            drop(cells);
            // What it held may be much.
            drop(dropped);
            cells = lock(&self.cells);
        }
        Arc::clone(cells.entry(class.clone()).or_default())
    }

    fn touch(&self, cell: &Cell) {
        cell.used.store(self.clock.tick(), Ordering::Relaxed);
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        cell.asked_ms.store(now, Ordering::Relaxed);
    }

    /// Classes that asked within this time, the latest first.
    pub fn asked_within(&self, time: Duration) -> Vec<Class> {
        let now = self.start.elapsed();
        let since = u64::try_from(now.saturating_sub(time).as_millis()).unwrap_or(u64::MAX);
        let mut recent: Vec<(u64, Class)> = lock(&self.cells)
            .iter()
            .filter(|(_, cell)| cell.asked_ms.load(Ordering::Relaxed) >= since)
            .map(|(class, cell)| (cell.used.load(Ordering::Relaxed), class.clone()))
            .collect();
        recent.sort_unstable_by_key(|(used, _)| std::cmp::Reverse(*used));
        recent.into_iter().map(|(_, class)| class).collect()
    }

    /// Builds the view of a class at the next version, if the class is still there: not a use of it.
    pub fn prepare(&self, class: &Class, version: u64, build: impl FnOnce() -> View) {
        let Some(cell) = lock(&self.cells).get(class).map(Arc::clone) else { return };
        cell.view(version, build);
    }

    /// Drops the views of versions before this one, but for what is good in it.
    pub fn turn_to(&self, version: u64, good: &StillGood) {
        let cells: Vec<Arc<Cell>> = lock(&self.cells).values().map(Arc::clone).collect();
        for cell in cells {
            let dropped = lock(&cell.state).turn_to(version, good);
            drop(dropped);
        }
        self.values.keep_only(|serial| good.parts.contains(&serial));
        self.ledger.settle();
    }

    /// Drops the least used views and values until what is held is well below the bound, so that the next ones do
    /// not begin with dropping again. The class that asked last stays.
    fn drop_least_used(&self) {
        // Another caller drops already, or this one is called by what it drops.
        let Ok(_one_at_a_time) = self.dropping.try_lock() else { return };
        let mut all: Vec<(u64, Droppable)> = lock(&self.cells)
            .iter()
            .map(|(class, cell)| (cell.used.load(Ordering::Relaxed), Droppable::Class(class.clone())))
            .collect();
        let last = all.iter().map(|(used, _)| *used).max();
        all.retain(|(used, _)| Some(*used) != last);
        all.extend(self.values.uses().into_iter().map(|(used, key)| (used, Droppable::Value(key))));
        all.sort_unstable_by_key(|(used, _)| *used);
        let enough = self.ledger.bound() / 16 * 15;
        for (_, droppable) in all {
            if self.ledger.bytes() <= enough {
                break;
            }
            match droppable {
                Droppable::Class(class) => {
                    let cell = lock(&self.cells).remove(&class);
                    drop(cell);
                }
                Droppable::Value(key) => self.values.forget(&key),
            }
        }
    }

    /// How many classes have a view at this version, and the bytes of everything held beside the snapshot.
    pub fn size(&self, version: u64) -> (usize, usize) {
        let cells: Vec<Arc<Cell>> = lock(&self.cells).values().map(Arc::clone).collect();
        let built = |cell: &&Arc<Cell>| cell.slot(version).is_some_and(|slot| slot.get().is_some());
        (cells.iter().filter(built).count(), self.ledger.bytes())
    }
}

impl Cell {
    fn slot(&self, version: u64) -> Option<Slot> {
        let state = lock(&self.state);
        state.views.iter().find(|(known, _)| *known == version).map(|(_, slot)| Arc::clone(slot))
    }

    fn view(&self, version: u64, build: impl FnOnce() -> View) -> Arc<View> {
        let mut is_new = false;
        let slot = self.begin(version);
        let view = slot.get_or_init(|| {
            is_new = true;
            Arc::new(build())
        });
        if is_new {
            // The view holds what it took of them.
            let remains = std::mem::take(&mut lock(&self.state).remains);
            drop(remains);
        }
        Arc::clone(view)
    }

    fn begin(&self, version: u64) -> Slot {
        let mut state = lock(&self.state);
        if let Some((_, slot)) = state.views.iter().find(|(known, _)| *known == version) {
            return Arc::clone(slot);
        }
        let slot = Slot::default();
        state.views.push((version, Arc::clone(&slot)));
        slot
    }
}

impl State {
    /// What is to be dropped, for the caller to do without the lock.
    fn turn_to(&mut self, version: u64, good: &StillGood) -> impl Sized + use<> {
        let (old, views): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.views).into_iter().partition(|(known, _)| *known < version);
        self.views = views;
        let before = std::mem::take(&mut self.remains);
        let has_new = self.views.iter().any(|(known, slot)| *known == version && slot.get().is_some());
        if !has_new {
            let views = old.iter().filter_map(|(_, slot)| slot.get());
            let parts = views.flat_map(|view| view.collections()).chain(&before.parts);
            for part in parts {
                self.remains.take(part, good);
            }
            let copies = before.copies.iter().filter(|copy| good.copies.contains(&copy.serial()));
            self.remains.copies.extend(copies.map(Arc::clone));
        }
        (old, before)
    }
}

impl Remains {
    fn take(&mut self, part: &Arc<CollectionView>, good: &StillGood) {
        if good.parts.contains(&part.serial()) {
            self.parts.push(Arc::clone(part));
            return;
        }
        if let Some(base) = part.base() {
            self.take(base, good);
            return;
        }
        let copies = part.groups().iter().filter(|group| good.copies.contains(&group.serial()));
        self.copies.extend(copies.map(Arc::clone));
    }
}
