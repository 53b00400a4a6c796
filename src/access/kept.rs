//! Views that are kept for whoever asks next, up to so many bytes; the least used ones go first.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::access::Entitlement;
use crate::access::Principal;
use crate::access::view::CollectionView;
use crate::access::view::View;
use crate::snapshot::RowGroup;

/// The views of so many principals are remembered by who asks.
const MOST_PRINCIPALS: usize = 4_096;

/// Views by what their callers see, and by who asked.
#[derive(Debug, Default)]
pub struct Kept {
    classes: HashMap<Vec<Entitlement>, Class>,
    principals: HashMap<Principal, Class>,
    /// Bytes of each part that the snapshot has not itself, and how many of the views have it.
    parts: HashMap<u64, (usize, usize)>,
    bytes: usize,
    clock: AtomicU64,
    /// Parts of views of the version before that are still good, with their bytes, for the next ones of the same classes.
    carried: HashMap<u64, (Arc<CollectionView>, usize)>,
}

/// A view, and when it was last used.
#[derive(Debug, Clone)]
struct Class {
    view: Arc<View>,
    used: Arc<AtomicU64>,
}

impl Kept {
    fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }

    fn taken(&self, class: Option<&Class>) -> Option<Arc<View>> {
        let class = class?;
        class.used.store(self.now(), Ordering::Relaxed);
        Some(Arc::clone(&class.view))
    }

    /// The view of a principal who has asked before.
    pub fn of(&self, principal: &Principal) -> Option<Arc<View>> {
        self.taken(self.principals.get(principal))
    }

    /// The view of a class of principals.
    pub fn of_class(&self, entitlements: &[Entitlement]) -> Option<Arc<View>> {
        self.taken(self.classes.get(entitlements))
    }

    /// Keeps a view for a principal and all of their class; `shared` says of a row group whether the snapshot has it.
    pub fn keep(
        &mut self,
        principal: &Principal,
        entitlements: Vec<Entitlement>,
        view: &Arc<View>,
        most_bytes: usize,
        shared: impl Fn(&Arc<RowGroup>) -> bool,
    ) {
        let used = Arc::new(AtomicU64::new(self.now()));
        let class = match self.classes.entry(entitlements) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(place) => {
                for part in view.collections() {
                    let (bytes, views) =
                        self.parts.entry(part.serial()).or_insert_with(|| (own(part, &shared), 0));
                    if *views == 0 {
                        self.bytes += *bytes;
                    }
                    *views += 1;
                    self.carried.remove(&part.serial());
                }
                place.insert(Class { view: Arc::clone(view), used }).clone()
            }
        };
        if self.principals.len() >= MOST_PRINCIPALS {
            // Whoever is still here is found again by what they see.
            self.principals.clear();
        }
        self.principals.insert(principal.clone(), class);
        if self.bytes + self.carried.values().map(|(_, bytes)| bytes).sum::<usize>() > most_bytes {
            self.carried.clear();
        }
        while self.bytes > most_bytes && self.classes.len() > 1 {
            self.forget_least_used();
        }
    }

    fn forget_least_used(&mut self) {
        let used = |class: &Class| class.used.load(Ordering::Relaxed);
        let least = self.classes.iter().min_by_key(|(_, class)| used(class)).map(|(key, _)| key.clone());
        let Some(class) = least.and_then(|entitlements| self.classes.remove(&entitlements)) else { return };
        self.principals.retain(|_, known| !Arc::ptr_eq(&known.view, &class.view));
        for part in class.view.collections() {
            if let Some((bytes, views)) = self.parts.get_mut(&part.serial()) {
                *views -= 1;
                if *views == 0 {
                    self.bytes -= *bytes;
                    self.parts.remove(&part.serial());
                }
            }
        }
    }

    /// Parts of the views that `good` accepts, with their own bytes.
    pub fn parts(&self, good: impl Fn(&Arc<CollectionView>) -> bool) -> Vec<(Arc<CollectionView>, usize)> {
        let parts = self.classes.values().flat_map(|class| class.view.collections());
        let good = parts.filter(|part| good(part));
        good.map(|part| (Arc::clone(part), self.parts.get(&part.serial()).map_or(0, |(bytes, _)| *bytes)))
            .collect()
    }

    /// Carries parts of the version before that nothing has changed in.
    pub fn carry(&mut self, parts: Vec<(Arc<CollectionView>, usize)>) {
        self.carried = parts.into_iter().map(|(part, bytes)| (part.serial(), (part, bytes))).collect();
    }

    /// How many views, and their own bytes.
    pub fn size(&self) -> (usize, usize) {
        (self.classes.len(), self.bytes)
    }
}

/// Bytes of a part that the snapshot has not itself.
fn own(part: &CollectionView, shared: &impl Fn(&Arc<RowGroup>) -> bool) -> usize {
    part.held_groups().filter(|group| !shared(group)).map(|group| group.bytes()).sum()
}
