//! Derivations: what is computed from the rows that one view holds, and computed anew where those are others.
//!
//! A derivation names what it reads and is given that and nothing else, as the view has it: what a caller may not see
//! has no part in what is computed for them. What is computed is marked as high, as synthetic and as *about people* as
//! anything that it reads. Derivations of fields and geometries are registered with the gate by whoever wires the
//! program; one of a value is handed to [`crate::access::View::derive`].
//! Not here: what is computed (`flow`, `tile`, `query`), how long it is held (`view_cache`, `values`).

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;

use crate::access::references::Resolved;
use crate::access::references::resolve;
use crate::access::view::CollectionView;
use crate::access::view::Facts;
use crate::model::Geometry;
use crate::model::RowId;
use crate::model::Value;
use crate::snapshot::HeldBytes;

/// A derivation of a field, or of the geometry, of a built-in collection.
#[derive(Debug, Clone, Copy)]
pub struct Derivation {
    /// The rule that the schema names in `derived` or `derived_geometry`.
    pub name: &'static str,
    /// What is computed.
    pub kind: DerivationKind,
    /// The collection that it is computed for. Its stored rows are always read.
    pub of: &'static str,
    /// Other collections that it reads, with what is computed for those.
    pub reads: &'static [&'static str],
    /// Computes it; `None` if what it needs is not there, or not this caller's to know.
    pub make: fn(&Inputs<'_>, &Params) -> Option<Computed>,
}

/// What a derivation computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DerivationKind {
    /// The values of the field with `derived` = its name.
    Columns,
    /// The geometry of a collection with `derived_geometry` = its name.
    Geometry,
}

/// What was computed for the rows of a collection.
#[derive(Debug)]
pub enum Computed {
    /// Values of the field by row, and that of all other rows.
    Columns(HashMap<RowId, Value>, Value),
    /// Geometries by row; other rows have none.
    Geometry(HashMap<RowId, Geometry>),
}

/// A derivation of a value of type `T` from some collections. Values read no other values, so that they form no circle.
#[derive(Debug)]
pub struct ValueDerivation<T> {
    /// A name that no other derivation has.
    pub name: &'static str,
    /// The collections that it reads.
    pub reads: &'static [&'static str],
    /// Computes it.
    pub make: fn(&Inputs<'_>, &Params) -> T,
}

/// A value computed from rows, and what these rows make of it.
#[derive(Debug)]
pub struct Derived<T> {
    value: T,
    facts: Facts,
}

impl<T> Derived<T> {
    pub(super) fn new(value: T, facts: Facts) -> Self {
        Self { value, facts }
    }

    /// The highest protective marking among the rows that it is computed from.
    #[must_use]
    pub fn marking(&self) -> &str {
        &self.facts.marking
    }

    /// Whether any of those rows is synthetic.
    #[must_use]
    pub fn is_synthetic(&self) -> bool {
        self.facts.synthetic
    }

    /// Whether any of those collections is about people.
    #[must_use]
    pub fn is_about_people(&self) -> bool {
        self.facts.about_people
    }
}

impl<T> std::ops::Deref for Derived<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: HeldBytes> HeldBytes for Derived<T> {
    fn held_bytes(&self) -> usize {
        size_of::<Facts>() + self.facts.marking.len() + self.value.held_bytes()
    }
}

/// What a computation depends on besides rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Params {
    reference_day: i32,
    from_caller: Option<String>,
}

impl Params {
    /// For the picture of a day, as days since 1970-01-01.
    #[must_use]
    pub fn of_day(reference_day: i32) -> Self {
        Self { reference_day, from_caller: None }
    }

    /// With words that a caller chose. What is computed for them is shared with other classes only where everything
    /// that is read is public: else the time that another class waits would say what was asked.
    #[must_use]
    pub fn with_caller_words(self, words: String) -> Self {
        Self { from_caller: Some(words), ..self }
    }

    /// The day of the picture, as days since 1970-01-01.
    #[must_use]
    pub fn reference_day(&self) -> i32 {
        self.reference_day
    }

    /// The words that a caller chose.
    #[must_use]
    pub fn caller_words(&self) -> Option<&str> {
        self.from_caller.as_deref()
    }
}

/// The parts of a view that a derivation reads.
#[derive(Debug)]
pub struct Inputs<'a> {
    base: Option<&'a CollectionView>,
    parts: Vec<(&'static str, Option<&'a Arc<CollectionView>>)>,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(
        base: Option<&'a CollectionView>,
        reads: &[&'static str],
        parts: &'a BTreeMap<String, Arc<CollectionView>>,
    ) -> Self {
        Self { base, parts: reads.iter().map(|id| (*id, parts.get(*id))).collect() }
    }

    /// The rows that something is computed for; `None` for a value, which is computed for no collection.
    #[must_use]
    pub fn base(&self) -> Option<&'a CollectionView> {
        self.base
    }

    /// The rows of a collection; `None` if they are not there for the caller, or the derivation does not name it.
    #[must_use]
    pub fn part(&self, id: &str) -> Option<&'a CollectionView> {
        let (_, part) = self.parts.iter().find(|(known, _)| *known == id)?;
        part.map(AsRef::as_ref)
    }

    /// For each row of a part the row of `target` that its field `name` names.
    #[must_use]
    pub fn resolve(&self, part: &CollectionView, name: &str, target: &CollectionView) -> Resolved {
        resolve(part, name, target)
    }

    /// Serials of what is read, 0 for what is not there.
    pub(super) fn serials(&self) -> Vec<u64> {
        let base = self.base.map(CollectionView::serial);
        let parts = self.parts.iter().map(|(_, part)| part.map_or(0, |part| part.serial()));
        base.into_iter().chain(parts).collect()
    }

    /// Marking and the like of what is read.
    pub(super) fn facts(&self) -> Facts {
        let parts = self.parts.iter().filter_map(|(_, part)| part.map(AsRef::as_ref));
        let all: Vec<&CollectionView> = self.base.into_iter().chain(parts).collect();
        Facts::of_all(&all)
    }
}

/// Why derivations cannot be registered together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DerivationError {
    /// Each of them needs another one to be computed before.
    #[error(
        "derivations read each other in a circle: {names}; let one of them read stored rows only",
        names = .0.join(", ")
    )]
    Circle(Vec<&'static str>),
    /// Two have one name.
    #[error("two derivations are called {0:?}: give each a name of its own")]
    SameName(&'static str),
}

/// Derivations of fields and geometries, each after those of the collections that it reads.
#[derive(Debug, Default)]
pub(super) struct Derivations(Vec<Derivation>);

impl Derivations {
    pub fn new(all: &[Derivation]) -> Result<Self, DerivationError> {
        for (place, derivation) in all.iter().enumerate() {
            if all[..place].iter().any(|earlier| earlier.name == derivation.name) {
                return Err(DerivationError::SameName(derivation.name));
            }
        }
        let mut waiting: Vec<Derivation> = all.to_vec();
        let mut ordered = Vec::with_capacity(all.len());
        while !waiting.is_empty() {
            let (ready, rest): (Vec<_>, Vec<_>) = waiting
                .iter()
                .copied()
                .partition(|derivation| !waiting.iter().any(|other| derivation.reads.contains(&other.of)));
            if ready.is_empty() {
                return Err(DerivationError::Circle(in_circle(&rest)));
            }
            ordered.extend(ready);
            waiting = rest;
        }
        Ok(Self(ordered))
    }

    /// In the order in which they can be computed.
    pub fn in_order(&self) -> &[Derivation] {
        &self.0
    }
}

/// Of derivations that wait for others, those that wait for themselves.
fn in_circle(waiting: &[Derivation]) -> Vec<&'static str> {
    // What nothing else that waits reads is only behind a circle, and not in it.
    let mut circle = waiting.to_vec();
    loop {
        let read: Vec<Derivation> = circle
            .iter()
            .copied()
            .filter(|derivation| circle.iter().any(|other| other.reads.contains(&derivation.of)))
            .collect();
        if read.len() == circle.len() {
            return circle.iter().map(|derivation| derivation.name).collect();
        }
        circle = read;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;

    use crate::access::Gate;
    use crate::access::Principal;
    use crate::access::fixtures::Wanted;
    use crate::access::fixtures::world;

    fn derivation(name: &'static str, of: &'static str, reads: &'static [&'static str]) -> Derivation {
        Derivation { name, kind: DerivationKind::Columns, of, reads, make: |_, _| None }
    }

    #[test]
    fn each_comes_after_what_it_reads() {
        let all = [
            derivation("c", "c", &["b", "a"]),
            derivation("a", "a", &["legs"]),
            derivation("b", "b", &["a"]),
        ];
        let ordered = Derivations::new(&all).unwrap();
        let names: Vec<&str> = ordered.in_order().iter().map(|derivation| derivation.name).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn a_circle_is_refused_by_the_names_in_it() {
        let all = [
            derivation("first", "a", &["b"]),
            derivation("second", "b", &["c"]),
            derivation("third", "c", &["a"]),
            derivation("behind", "d", &["a"]),
            derivation("apart", "e", &["legs"]),
        ];
        let error = Derivations::new(&all).unwrap_err();
        assert_eq!(error, DerivationError::Circle(vec!["first", "second", "third"]));
        assert!(error.to_string().contains("first, second, third"), "{error}");
        let own = [derivation("own", "a", &["a"])];
        assert_eq!(Derivations::new(&own).unwrap_err(), DerivationError::Circle(vec!["own"]));
        let twice = [derivation("x", "a", &[]), derivation("x", "b", &[])];
        assert_eq!(Derivations::new(&twice).unwrap_err(), DerivationError::SameName("x"));
    }

    static COUNTED: AtomicUsize = AtomicUsize::new(0);

    const fn counted(name: &'static str, reads: &'static [&'static str]) -> ValueDerivation<Wanted> {
        ValueDerivation {
            name,
            reads,
            make: |_, _| {
                COUNTED.fetch_add(1, Ordering::SeqCst);
                Wanted(1_000)
            },
        }
    }

    /// How many times a value is computed for each of two classes that see all legs and all hubs.
    #[test]
    fn values_of_callers_words_are_shared_only_where_everyone_sees_the_rows() {
        const OF_LEGS: ValueDerivation<Wanted> = counted("of legs", &["legs", "hubs"]);
        const OF_HUBS: ValueDerivation<Wanted> = counted("of hubs", &["hubs"]);
        let (_folder, store) = world(3);
        let gate = Gate::open(store).unwrap();
        let nation = Principal::parse("national-analyst").unwrap();
        let views = [gate.view(&nation), gate.view(&nation.with_reason())];
        let times = |derivation: &ValueDerivation<Wanted>, params: &Params| {
            let before = COUNTED.load(Ordering::SeqCst);
            for view in views.iter().chain(&views) {
                let value = view.derive(derivation, params);
                assert_eq!((value.0, value.is_synthetic()), (1_000, derivation.name == "of legs"));
            }
            COUNTED.load(Ordering::SeqCst) - before
        };
        let plain = views[0].params();
        let bytes = gate.views_held().1;
        assert_eq!([times(&OF_LEGS, &plain), times(&OF_HUBS, &plain)], [1, 1]);
        assert!(gate.views_held().1 >= bytes + 2_000, "they are counted");
        let asked = plain.clone().with_caller_words("from=hubs:hub".to_owned());
        assert_eq!([times(&OF_LEGS, &asked), times(&OF_HUBS, &asked)], [2, 1]);
        assert_eq!(times(&OF_LEGS, &Params::of_day(1)), 1, "another day is another value");
    }
}
