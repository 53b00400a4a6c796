//! What a principal may see of one collection: a predicate over the rights of a row, and which fields.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::CollectionSchema;
use crate::model::RowRights;
use crate::model::Sensitivity;

/// What a principal sees of a collection. Principals with equal entitlements share everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entitlement {
    /// Which rows.
    pub rows: RowRule,
    /// Which fields of them.
    pub fields: FieldRule,
}

/// Which rows of a collection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RowRule {
    /// The collection does not exist for them.
    Nothing,
    /// All rows.
    All,
    /// Rows up to a sensitivity.
    UpTo(Sensitivity),
    /// Rows that concern one of these forces.
    Party(Arc<[String]>),
    /// Rows of one of these areas.
    Areas(Arc<[String]>),
    /// Rows that concern none of these forces.
    Others(Arc<[String]>),
    /// Rows that this force holds.
    Owner(String),
    /// Rows that this force holds, and those that are open to anyone.
    OwnerOrOpen(String),
}

/// Which fields of the rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldRule {
    /// How sensitive they may be.
    pub most: Sensitivity,
    /// And not these.
    pub without: Arc<[String]>,
}

impl Entitlement {
    /// Everything.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            rows: RowRule::All,
            fields: FieldRule { most: Sensitivity::Restricted, without: Arc::new([]) },
        }
    }

    /// Nothing at all: the collection is not there.
    #[must_use]
    pub fn nothing() -> Self {
        Self { rows: RowRule::Nothing, ..Self::everything() }
    }

    /// Whether a row may be seen.
    #[must_use]
    pub fn admits(&self, row: &RowRights) -> bool {
        match &self.rows {
            RowRule::Nothing => false,
            RowRule::All => true,
            RowRule::UpTo(most) => row.provenance.sensitivity <= *most,
            RowRule::Party(forces) => forces.iter().any(|force| row.concerns(force)),
            RowRule::Areas(areas) => areas.iter().any(|area| row.is_party(area)),
            // A caller without a force has no other forces either.
            RowRule::Others(forces) => !forces.is_empty() && !forces.iter().any(|force| row.concerns(force)),
            RowRule::Owner(force) => row.provenance.owner == *force,
            RowRule::OwnerOrOpen(force) => {
                row.provenance.owner == *force || row.provenance.sensitivity == Sensitivity::Open
            }
        }
    }
}

impl FieldRule {
    /// Places of the fields that may be seen, `None` if all may.
    #[must_use]
    pub fn of(&self, schema: &CollectionSchema) -> Option<Vec<usize>> {
        let shown = |(place, field): (usize, &crate::model::FieldSchema)| {
            // A word that is unknown here is as sensitive as can be.
            let sensitivity = match field.sensitivity.as_deref() {
                None => Sensitivity::Open,
                Some(word) => Sensitivity::parse(word).unwrap_or(Sensitivity::Restricted),
            };
            (sensitivity <= self.most && !self.without.contains(&field.name)).then_some(place)
        };
        let places: Vec<usize> = schema.fields.iter().enumerate().filter_map(shown).collect();
        (places.len() < schema.fields.len()).then_some(places)
    }
}

/// The forces of each policing region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Regions(BTreeMap<String, Arc<[String]>>);

impl Regions {
    /// From pairs of a force and its region.
    pub fn new<'a>(forces: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut regions: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (force, region) in forces {
            regions.entry(region.to_owned()).or_default().push(force.to_owned());
        }
        let sorted = |mut forces: Vec<String>| {
            forces.sort();
            forces.into()
        };
        Self(regions.into_iter().map(|(region, forces)| (region, sorted(forces))).collect())
    }

    /// The forces of a region; none of one that there is not.
    #[must_use]
    pub fn forces(&self, region: &str) -> Arc<[String]> {
        self.0.get(region).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Provenance;

    fn row(owner: &str, parties: &[&str]) -> RowRights {
        RowRights::new(Provenance::open(owner), parties.iter().copied())
    }

    #[test]
    fn a_row_is_seen_by_whom_it_concerns() {
        let of = |rows: RowRule| Entitlement { rows, ..Entitlement::everything() };
        let (kent, far) = (row("metropolitan", &["kent"]), row("metropolitan", &["essex"]));
        let party = of(RowRule::Party(["kent".to_owned()].into()));
        assert!(party.admits(&kent) && !party.admits(&far));
        let holder = of(RowRule::Party(["metropolitan".to_owned()].into()));
        assert!(holder.admits(&kent) && holder.admits(&far), "who holds a row is always party to it");
        let others = of(RowRule::Others(["kent".to_owned()].into()));
        assert!(!others.admits(&kent) && others.admits(&far) && !others.admits(&row("kent", &["essex"])));
        let areas = of(RowRule::Areas(["kent".to_owned(), "release".to_owned()].into()));
        assert!(areas.admits(&row("release", &["kent"])) && !areas.admits(&row("release", &["essex"])));
        let owner = of(RowRule::Owner("kent".to_owned()));
        assert!(!owner.admits(&kent) && owner.admits(&row("kent", &[])));
        let mut secret = row("kent", &[]);
        secret.provenance.sensitivity = Sensitivity::Limited;
        let everyone = of(RowRule::OwnerOrOpen("kent".to_owned()));
        assert!(everyone.admits(&kent) && everyone.admits(&secret));
        assert!(!of(RowRule::OwnerOrOpen("essex".to_owned())).admits(&secret));
        assert!(
            !of(RowRule::UpTo(Sensitivity::Open)).admits(&secret)
                && Entitlement::everything().admits(&secret)
        );
        assert!(!Entitlement::nothing().admits(&kent));
    }

    #[test]
    fn fields_have_rights_too() {
        let schema = crate::model::collections::built_in("addresses").unwrap().unwrap();
        assert_eq!(Entitlement::everything().fields.of(&schema), None);
        let open = FieldRule { most: Sensitivity::Open, without: ["town".to_owned()].into() };
        let places = open.of(&schema).unwrap();
        let names: Vec<&str> = places.iter().map(|place| schema.fields[*place].name.as_str()).collect();
        assert!(names.contains(&"kind"));
        assert!(!["address", "vulnerability", "town"].iter().any(|hidden| names.contains(hidden)));
    }

    #[test]
    fn regions_have_their_forces() {
        let regions = Regions::new(
            [("kent", "south-east"), ("essex", "eastern"), ("sussex", "south-east")].into_iter(),
        );
        assert_eq!(*regions.forces("south-east"), ["kent".to_owned(), "sussex".to_owned()]);
        assert!(regions.forces("atlantis").is_empty());
    }
}
