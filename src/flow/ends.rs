//! The ends of flows: hubs and towns as they are, or gathered into exporting areas, forces and regions.

use std::collections::BTreeMap;
use std::collections::HashMap;

use crate::access::CollectionView;
use crate::access::RowGroup;
use crate::model::Position;
use crate::model::ValueRef;
use crate::model::collections::Field;
use crate::model::collections::forces;
use crate::model::collections::hubs;
use crate::model::collections::regions;
use crate::model::collections::towns;

/// How far ends are gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Each hub and each town.
    Place,
    /// Hubs of a main exporting force together (London, Merseyside, West Midlands, Greater Manchester), others and
    /// towns as they are.
    Area,
    /// By force.
    Force,
    /// By policing region; forces without one stand for themselves.
    Region,
}

impl Level {
    /// The word in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Area => "area",
            Self::Force => "force",
            Self::Region => "region",
        }
    }
}

/// One end of flows.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The collection that has it as a feature.
    pub collection: &'static str,
    /// Its id there.
    pub id: String,
    /// What it is called.
    pub label: String,
    /// Where it is drawn; of several places the middle, weighted by population.
    pub position: Position,
    /// The force it lies in.
    pub force: String,
    /// The region it lies in, if its force has one.
    pub region: String,
    /// Whether lines set out from it (else they lead to it).
    pub is_origin: bool,
}

/// Visible hubs or towns.
#[derive(Debug)]
pub struct Gazetteer {
    known: HashMap<String, Known>,
}

#[derive(Debug, Clone)]
struct Known {
    name: String,
    position: Position,
    force: String,
    region: String,
    area: String,
    population: i64,
}

impl Gazetteer {
    /// Of the visible rows of `hubs`.
    #[must_use]
    pub fn of_hubs(collection: &CollectionView) -> Self {
        Self::new(collection, |group, row| {
            let text = |field: &Field<str>| text(collection, group, field, row);
            let known = Known {
                name: text(&hubs::NAME),
                position: centre(group, row)?,
                force: text(&hubs::FORCE),
                region: text(&hubs::REGION),
                area: text(&hubs::AREA),
                population: whole(collection, group, &hubs::POPULATION, row),
            };
            Some((text(&hubs::ID), known))
        })
    }

    /// Of the visible rows of `towns`.
    #[must_use]
    pub fn of_towns(collection: &CollectionView) -> Self {
        Self::new(collection, |group, row| {
            let text = |field: &Field<str>| text(collection, group, field, row);
            let known = Known {
                name: text(&towns::NAME),
                position: centre(group, row)?,
                force: text(&towns::FORCE),
                region: text(&towns::REGION),
                area: String::new(),
                population: whole(collection, group, &towns::POPULATION, row),
            };
            Some((text(&towns::ID), known))
        })
    }

    fn new(collection: &CollectionView, read: impl Fn(&RowGroup, usize) -> Option<(String, Known)>) -> Self {
        let groups = collection.groups().iter();
        let known =
            groups.flat_map(|group| (0..group.len()).filter_map(|row| read(group, row)).collect::<Vec<_>>());
        Self { known: known.collect() }
    }

    /// Whether there is a place of that id.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.known.contains_key(id)
    }

    /// Whether a place of it lies in a force.
    #[must_use]
    pub fn has_force(&self, force: &str) -> bool {
        self.known.values().any(|known| known.force == force)
    }

    /// Whether a place of it lies in a region.
    #[must_use]
    pub fn has_region(&self, region: &str) -> bool {
        self.known.values().any(|known| known.region == region)
    }

    /// Whether a place is the one named, or lies in the force or region named.
    #[must_use]
    pub fn lies_in(&self, id: &str, collection: &str, name: &str) -> bool {
        self.known.get(id).is_some_and(|known| match collection {
            forces::COLLECTION => known.force == name,
            regions::COLLECTION => known.region == name,
            _ => id == name,
        })
    }
}

fn centre(group: &RowGroup, row: usize) -> Option<Position> {
    group.shape(row).map(|shape| shape.bounds().centre())
}

fn text(collection: &CollectionView, group: &RowGroup, field: &Field<str>, row: usize) -> String {
    match collection.place(field).map(|field| group.value(field, row)) {
        Some(ValueRef::Text(text)) => text.to_owned(),
        _ => String::new(),
    }
}

fn whole(collection: &CollectionView, group: &RowGroup, field: &Field<i64>, row: usize) -> i64 {
    match collection.place(field).map(|field| group.value(field, row)) {
        Some(ValueRef::Int(number)) => number,
        _ => 0,
    }
}

/// Names of forces and regions that are visible.
pub fn names(collection: Option<&CollectionView>) -> HashMap<String, String> {
    let Some(collection) = collection else { return HashMap::new() };
    let schema = collection.schema();
    let (id, name) = (schema.position("id"), schema.position("name"));
    let mut out = HashMap::new();
    for group in collection.groups() {
        for row in 0..group.len() {
            let text = |field: Option<usize>| match field.map(|field| group.value(field, row)) {
                Some(ValueRef::Text(text)) => Some(text.to_owned()),
                _ => None,
            };
            if let Some((id, name)) = text(id).zip(text(name)) {
                out.insert(id, name);
            }
        }
    }
    out
}

/// Numbers the ends of one side and remembers what they are.
#[derive(Debug)]
pub struct Ends<'a> {
    gazetteer: &'a Gazetteer,
    level: Level,
    is_origin: bool,
    /// Number of the end of each place met.
    numbers: HashMap<&'a str, u32>,
    /// Number of each end by collection and id.
    made: BTreeMap<(&'static str, String), u32>,
    places: Vec<Place>,
}

impl<'a> Ends<'a> {
    /// For one side of flows.
    pub fn new(gazetteer: &'a Gazetteer, level: Level, is_origin: bool) -> Self {
        Self {
            gazetteer,
            level,
            is_origin,
            numbers: HashMap::new(),
            made: BTreeMap::new(),
            places: Vec::new(),
        }
    }

    /// The number of the end that a hub or town belongs to, `None` if it is not visible.
    pub fn number(&mut self, id: &str, names: &[HashMap<String, String>; 2]) -> Option<u32> {
        if let Some(number) = self.numbers.get(id) {
            return Some(*number);
        }
        let (id, known) = self.gazetteer.known.get_key_value(id)?;
        let place = self.place(id, known, names);
        let key = (place.collection, place.id.clone());
        let number = *self.made.entry(key).or_insert_with(|| {
            self.places.push(place);
            self.places.len() as u32 - 1
        });
        self.numbers.insert(id, number);
        Some(number)
    }

    fn place(&self, id: &str, known: &Known, names: &[HashMap<String, String>; 2]) -> Place {
        let own = || Place {
            collection: if self.is_origin { hubs::COLLECTION } else { towns::COLLECTION },
            id: id.to_owned(),
            label: known.name.clone(),
            position: known.position,
            force: known.force.clone(),
            region: known.region.clone(),
            is_origin: self.is_origin,
        };
        let all = || self.gazetteer.known.values();
        let gathered = |collection, id: &str, label: String, members: Vec<&Known>| Place {
            collection,
            id: id.to_owned(),
            label,
            position: middle(&members),
            ..own()
        };
        let name = |side: usize, id: &str| names[side].get(id).cloned().unwrap_or_else(|| id.to_owned());
        let by_force = || {
            let members = all().filter(|other| other.force == known.force).collect();
            gathered(forces::COLLECTION, &known.force, name(0, &known.force), members)
        };
        match self.level {
            Level::Place => own(),
            Level::Area => {
                let members: Vec<&Known> =
                    all().filter(|other| !known.area.is_empty() && other.area == known.area).collect();
                // An area of one hub is that hub, whoever else may be hidden.
                if known.area.is_empty() || known.area == known.name {
                    own()
                } else {
                    gathered(forces::COLLECTION, &known.force, known.area.clone(), members)
                }
            }
            Level::Region if !known.region.is_empty() => {
                let members = all().filter(|other| other.region == known.region).collect();
                let region = gathered(regions::COLLECTION, &known.region, name(1, &known.region), members);
                // It has several forces: which of its places was met first says nothing.
                Place { force: String::new(), ..region }
            }
            Level::Force | Level::Region => by_force(),
        }
    }

    /// The ends, by number.
    pub fn places(&self) -> &[Place] {
        &self.places
    }
}

/// The middle of places by population, in whole units so that their order does not matter.
fn middle(members: &[&Known]) -> Position {
    let (mut lon, mut lat, mut people) = (0_i128, 0_i128, 0_i128);
    for known in members {
        let weight = i128::from(known.population.max(1));
        lon += i128::from(known.position.lon) * weight;
        lat += i128::from(known.position.lat) * weight;
        people += weight;
    }
    let people = people.max(1);
    Position { lon: (lon / people) as i32, lat: (lat / people) as i32 }
}
