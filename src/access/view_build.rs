//! Builds the view of one class: which row groups it shares, which are copied for it, what is computed for it.
//!
//! On the calling thread alone: who has a pool of threads bounds how many views are built at the same time. What
//! another class needs too is built once (`memos`).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

use crate::access::Class;
use crate::access::Entitlement;
use crate::access::LOCAL_OWNER;
use crate::access::Policy;
use crate::access::derive::Computed;
use crate::access::derive::Derivation;
use crate::access::derive::DerivationKind;
use crate::access::derive::Derivations;
use crate::access::derive::Inputs;
use crate::access::entitlement::RowRule;
use crate::access::memos::CopyKey;
use crate::access::memos::DerivedKey;
use crate::access::memos::Memos;
use crate::access::memos::PartKey;
use crate::access::published::Published;
use crate::access::references::Hidden;
use crate::access::references::Targets;
use crate::access::values::Values;
use crate::access::view::CollectionView;
use crate::access::view::View;
use crate::model::CollectionSchema;
use crate::model::FieldSchema;
use crate::model::Geometry;
use crate::model::RowId;
use crate::model::Value;
use crate::model::ValueRef;
use crate::model::collections::built_in;
use crate::model::schema::SchemaGeometry;
use crate::snapshot::Collection;
use crate::snapshot::RawRows;
use crate::snapshot::RowGroup;
use crate::snapshot::build_groups;

/// What views are built from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Builder<'a> {
    pub policy: &'a Policy,
    pub published: &'a Published,
    pub memos: &'a Memos,
    pub values: &'a Arc<Values>,
    pub derivations: &'a Derivations,
}

impl Builder<'_> {
    /// The view of a class; `public` has the serials of the parts that anyone sees, none for the view of anyone.
    pub fn build(self, class: &Class, public: Option<&Arc<HashSet<u64>>>) -> View {
        let collections = &self.published.snapshot.collections;
        let entitlements: BTreeMap<&str, Entitlement> = collections
            .iter()
            .map(|(id, collection)| (id.as_str(), self.entitlement(class, &collection.schema)))
            .collect();
        // What is referred to and is not in the store may not be there for others either.
        let named: BTreeSet<&str> = collections
            .values()
            .flat_map(|collection| &collection.schema.fields)
            .filter_map(|field| field.references.as_deref())
            .collect();
        let absent: BTreeMap<&str, Entitlement> = named
            .iter()
            .filter(|id| !entitlements.contains_key(*id))
            .filter_map(|id| Some((*id, self.entitlement(class, &built_in(id).ok()??))))
            .collect();
        let everything = Entitlement::everything();
        let targets = Targets::of(named.iter().copied(), |id| {
            let known = entitlements.get(id).or_else(|| absent.get(id));
            let all = class.is_local_operator().then_some(&everything);
            (self.published.rows(id), known.or(all))
        });
        let mut parts = BTreeMap::new();
        for (id, collection) in collections {
            let entitlement = &entitlements[id.as_str()];
            if entitlement.rows == RowRule::Nothing {
                continue;
            }
            let part = self.part(id, collection, entitlement, &targets);
            if is_there(collection, entitlement, &part) {
                parts.insert(id.clone(), part);
            }
        }
        for derivation in self.derivations.in_order() {
            if let Some(part) = self.derived(derivation, &parts) {
                parts.insert(derivation.of.to_owned(), part);
            }
        }
        View::new(parts, self.published, class, self.values, public)
    }

    fn entitlement(self, class: &Class, schema: &CollectionSchema) -> Entitlement {
        self.policy.entitlement(class.principal(), schema, &self.published.regions)
    }

    fn part(
        self,
        id: &str,
        collection: &Arc<Collection>,
        entitlement: &Entitlement,
        targets: &Targets<'_>,
    ) -> Arc<CollectionView> {
        let shown = entitlement.fields.of(&collection.schema);
        let schema = match &shown {
            None => Arc::clone(&collection.schema),
            Some(places) => Arc::new(collection.schema.with_fields(places)),
        };
        let places: Vec<usize> =
            shown.clone().unwrap_or_else(|| (0..collection.schema.fields.len()).collect());
        let mut groups = Vec::with_capacity(collection.groups.len());
        for group in &collection.groups {
            let admitted: Vec<bool> =
                group.row_rights().iter().map(|rights| entitlement.admits(rights)).collect();
            let all = admitted.iter().all(|admitted| *admitted);
            if !admitted.contains(&true) {
                continue;
            }
            let admits = |row: usize| admitted[group.rights_code(row)];
            let some: Option<&dyn Fn(usize) -> bool> = if all { None } else { Some(&admits) };
            let hidden = targets.hidden(group, &collection.schema, &places, some);
            if all && shown.is_none() && hidden.is_empty() {
                groups.push(Arc::clone(group));
            } else {
                groups.extend(self.copy(group, entitlement, &schema, &places, &hidden));
            }
        }
        groups.sort_by_key(|group| group.key(0));
        let key = PartKey {
            id: id.to_owned(),
            fields: shown,
            groups: groups.iter().map(|group| group.serial()).collect(),
        };
        let about_people = self.policy.is_about_people(id);
        self.memos.part(key, &schema, || {
            CollectionView::new(Arc::clone(&schema), groups, about_people, &self.memos.ledger)
        })
    }

    fn copy(
        self,
        group: &RowGroup,
        entitlement: &Entitlement,
        schema: &CollectionSchema,
        places: &[usize],
        hidden: &Hidden,
    ) -> Option<Arc<RowGroup>> {
        let key =
            CopyKey { source: group.serial(), entitlement: entitlement.clone(), hidden: hidden.digest() };
        self.memos.copy(key, || {
            let value = |place: usize, row: usize| hidden.value(group, place, row);
            group.filtered(schema, places, |rights| entitlement.admits(rights), value)
        })
    }

    fn derived(
        self,
        derivation: &Derivation,
        parts: &BTreeMap<String, Arc<CollectionView>>,
    ) -> Option<Arc<CollectionView>> {
        let base = parts.get(derivation.of)?;
        let own = built_in(derivation.of).ok().flatten()?;
        // A layer that has the id of a built-in collection is none.
        if own.class != base.schema().class {
            return None;
        }
        let inputs = Inputs::new(Some(base), derivation.reads, parts);
        let params = self.published.params();
        let key = DerivedKey { name: derivation.name, params: params.clone(), serials: inputs.serials() };
        self.memos.derived(key, || {
            let (schema, groups) = match (derivation.kind, (derivation.make)(&inputs, &params)?) {
                (DerivationKind::Columns, Computed::Columns(values, otherwise)) => {
                    let field =
                        own.fields.iter().find(|field| field.derived.as_deref() == Some(derivation.name))?;
                    with_field(base, field, &values, &otherwise)
                }
                (DerivationKind::Geometry, Computed::Geometry(geometries))
                    if own.derived_geometry.as_deref() == Some(derivation.name) =>
                {
                    with_geometry(base, derivation.name, &geometries)
                }
                _ => {
                    tracing::error!(derivation = derivation.name, "computes what it does not say");
                    return None;
                }
            };
            let ledger = &self.memos.ledger;
            let groups = groups.into_iter().map(|group| Arc::new(group.charged_to(ledger))).collect();
            let part = CollectionView::new(Arc::new(schema), groups, false, ledger);
            Some(part.computed_from(base, inputs.facts()))
        })
    }
}

/// Whether a collection is there for a class: where nothing of it is theirs, it is not, as that it exists may be
/// another's secret. One without any row is there only for whoever looks after the machine, unless it is everyone's.
fn is_there(collection: &Collection, entitlement: &Entitlement, part: &CollectionView) -> bool {
    let local = matches!(&entitlement.rows, RowRule::Owner(owner) if owner == LOCAL_OWNER);
    let theirs = local || collection.schema.open;
    part.rows() > 0 || entitlement.rows == RowRule::All || (theirs && collection.groups.is_empty())
}

/// The rows of a part with a further field: in the order in which they are, row group by row group.
fn with_field(
    base: &CollectionView,
    field: &FieldSchema,
    values: &HashMap<RowId, Value>,
    otherwise: &Value,
) -> (CollectionSchema, Vec<RowGroup>) {
    let mut schema = base.schema().clone();
    schema.fields.push(field.clone());
    let last = base.schema().fields.len();
    let places: Vec<usize> = (0..=last).collect();
    let groups = base.groups().iter().filter_map(|group| {
        group.filtered(
            &schema,
            &places,
            |_| true,
            |place, row| {
                if place < last {
                    group.value(place, row)
                } else {
                    values.get(&group.id(row)).unwrap_or(otherwise).as_ref()
                }
            },
        )
    });
    let groups = groups.collect();
    (schema, groups)
}

/// The rows of a part with another geometry, and so in another order.
fn with_geometry(
    base: &CollectionView,
    rule: &str,
    geometries: &HashMap<RowId, Geometry>,
) -> (CollectionSchema, Vec<RowGroup>) {
    let mut schema = base.schema().clone();
    schema.geometry = SchemaGeometry::Line;
    schema.derived_geometry = Some(rule.to_owned());
    let mut raw = RawRows::new(&schema);
    raw.reserve(base.rows());
    for group in base.groups() {
        for row in 0..group.len() {
            let values: Vec<ValueRef<'_>> =
                (0..schema.fields.len()).map(|field| group.value(field, row)).collect();
            let geometry = geometries.get(&group.id(row)).map(Geometry::as_ref);
            let rights = &group.row_rights()[group.rights_code(row)];
            raw.push(group.id(row), group.public_id(row), rights, geometry, &values, None);
        }
    }
    let groups = build_groups(&schema, &raw);
    (schema, groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Gate;
    use crate::access::Principal;
    use crate::access::fixtures::Made;
    use crate::access::fixtures::add;
    use crate::access::fixtures::analyst;
    use crate::access::fixtures::force;
    use crate::access::fixtures::open;
    use crate::access::fixtures::seen;
    use crate::access::fixtures::text;
    use crate::access::fixtures::world;
    use crate::access::references::RowRef;
    use crate::store::Store;

    /// Sightings that force 1 holds, which name these lines.
    fn sightings(store: &Store, lines: &[&str]) {
        let row = |(number, line): (usize, &&str)| -> Made {
            let named = vec![("kind", text("report")), ("line", text(line)), ("town", text("town"))];
            (named, vec![(number as f64 / 100.0, 52.0)], format!("{number}-{line}"), force(1))
        };
        add(store, "sightings", lines.iter().enumerate().map(row).collect());
    }

    fn named(view: &View, id: &str, field: &str) -> Vec<String> {
        let mut all: Vec<String> = seen(view, id, field).into_iter().map(|(value, _)| value).collect();
        all.sort();
        all
    }

    fn nation() -> Principal {
        Principal::parse("national-analyst").unwrap().with_reason()
    }

    #[test]
    fn a_reference_to_a_hidden_row_is_null() {
        // Forces 0 to 2 hold a line each, 3 holds one in the second world only.
        let (few, many) = (world(3), world(4));
        let internal = RowId::from_public("line-1").to_string();
        for (_, store) in [&few, &many] {
            sightings(store, &["line-1", &internal, "line-2", "line-3", "nothing"]);
        }
        let gates = [open(&few.1), open(&many.1)];
        for gate in &gates {
            let one = gate.view(&analyst(1));
            assert_eq!(named(&one, "sightings", "line"), ["", "", "", &internal, "line-1"]);
            assert_eq!(named(&one, "sightings", "town"), vec!["town"; 5], "that one is there for all");
            // Nothing of lines is hidden from these two.
            for whole in [gate.view(&Principal::LocalOperator), gate.view(&nation())] {
                assert_eq!(
                    named(&whole, "sightings", "line"),
                    [&internal, "line-1", "line-2", "line-3", "nothing"]
                );
            }
        }
        let version = |gate: &Gate| {
            let view = gate.view(&analyst(1));
            let versions = view.collections().map(|part| part.data_version().to_owned());
            versions.collect::<Vec<_>>()
        };
        assert_eq!(version(&gates[0]), version(&gates[1]), "the hidden line changes no bit");
    }

    #[test]
    fn a_reference_to_what_is_not_there_is_null_but_for_whoever_sees_all_of_it() {
        let (_folder, store) = world(2);
        let station: Made =
            (vec![("kind", text("stop")), ("station", text("PAD"))], vec![(0.0, 52.0)], "s".into(), force(1));
        add(&store, "sightings", vec![station]);
        let gate = open(&store);
        assert_eq!(named(&gate.view(&analyst(1)), "sightings", "station"), [""]);
        assert_eq!(named(&gate.view(&nation()), "sightings", "station"), [""], "stations may be hidden");
        assert_eq!(named(&gate.view(&Principal::LocalOperator), "sightings", "station"), ["PAD"]);
    }

    #[test]
    fn row_groups_without_hidden_references_are_shared() {
        let (_folder, store) = world(3);
        sightings(&store, &["line-1", "line-1"]);
        let gate = open(&store);
        let groups = |who: &Principal, id: &str| -> Vec<u64> {
            gate.view(who).collection(id).unwrap().groups().iter().map(|group| group.serial()).collect()
        };
        let all = groups(&Principal::LocalOperator, "sightings");
        assert_eq!(
            groups(&analyst(1), "sightings"),
            all,
            "all rows are theirs, and all lines that they name"
        );
        assert_eq!(groups(&nation(), "sightings"), all);
        sightings(&store, &["line-1", "line-2"]);
        assert!(gate.refresh().unwrap());
        let all = groups(&Principal::LocalOperator, "sightings");
        assert_ne!(groups(&analyst(1), "sightings"), all);
        assert_eq!(groups(&nation(), "sightings"), all);
    }

    #[test]
    fn rows_named_are_at_hand() {
        let (_folder, store) = world(3);
        let internal = RowId::from_public("line-1").to_string();
        sightings(&store, &["line-1", "line-2", &internal, "line-1"]);
        let gate = open(&store);
        for (who, count) in [(analyst(1), 3), (nation(), 4)] {
            let view = gate.view(&who);
            let (part, lines) = (view.collection("sightings").unwrap(), view.collection("lines").unwrap());
            let resolved = view.resolve("sightings", "line").unwrap();
            let mut found = 0;
            for (place, group) in part.groups().iter().enumerate() {
                assert_eq!(resolved.of_group(place).len(), group.len());
                for row in 0..group.len() {
                    let Some(RowRef { group: at, row: line }) = resolved.get(place, row) else { continue };
                    let id = lines.groups()[at as usize].public_id(line as usize).unwrap();
                    let text = group.value(part.schema().position("line").unwrap(), row).to_text();
                    assert!(text == id || (text == internal && id == "line-1"), "{text} {id}");
                    found += 1;
                }
            }
            assert_eq!(found, count, "{who}");
            assert!(Arc::ptr_eq(&resolved, &view.resolve("sightings", "line").unwrap()));
            assert!(view.resolve("sightings", "kind").is_none() && view.resolve("nothing", "line").is_none());
        }
    }

    #[test]
    fn what_is_computed_is_marked_as_what_it_is_computed_from() {
        let text = std::fs::read_to_string("data/policy/default.toml").unwrap();
        let people = text.replace("[collections.legs]\n", "[collections.legs]\nabout_people = true\n");
        assert_ne!(people, text);
        let (_folder, store) = world(2);
        for (policy, expected) in [(text, false), (people, true)] {
            let policy = Policy::parse(&policy).unwrap();
            let derivations = &crate::flow::DERIVATIONS;
            let gate = Gate::with_derivations(policy, Arc::clone(&store), derivations).unwrap();
            let view = gate.view(&analyst(1));
            for id in ["hubs", "towns", "lines"] {
                let part = view.collection(id).unwrap();
                assert!(part.is_synthetic(), "{id}: the legs are");
                assert_eq!(part.is_about_people(), expected, "{id}");
            }
            let anyone = gate.view(&Principal::Anonymous);
            let hubs = anyone.collection("hubs").unwrap();
            assert!(!hubs.is_about_people() && !hubs.is_synthetic(), "nothing is computed for them");
        }
    }
}
