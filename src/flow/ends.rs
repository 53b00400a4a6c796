//! The ends of flows: hubs and towns as they are, or gathered into exporting areas, forces and regions.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;

use crate::access::CollectionView;
use crate::access::HeldBytes;
use crate::access::RowGroup;
use crate::model::Position;
use crate::model::RowId;
use crate::model::ValueRef;
use crate::model::collections::Field;
use crate::model::collections::forces;
use crate::model::collections::hubs;
use crate::model::collections::regions;
use crate::model::collections::towns;
use crate::model::reference::Reference;

/// What an end is called that has no name.
pub const NOT_KNOWN: &str = "not known";

/// How far ends are gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FlowLevel {
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

impl FlowLevel {
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
pub struct FlowEnd {
    /// The collection that has it as a feature.
    pub collection: &'static str,
    /// Its id there; empty for the places together whose force is not known.
    pub id: String,
    /// What it is called; "not known" where it has no name.
    pub label: String,
    /// Where it is drawn; of several places the middle, weighted by population if that of each is known.
    pub position: Position,
    /// The force it lies in; empty if that is not known, or for a region.
    pub force: String,
    /// The region it lies in, if its force has one.
    pub region: String,
    /// Whether lines set out from it (else they lead to it).
    pub is_origin: bool,
}

/// Visible hubs or towns.
#[derive(Debug)]
pub struct Gazetteer {
    known: HashMap<RowId, Known>,
}

#[derive(Debug, Clone)]
struct Known {
    id: String,
    name: String,
    position: Position,
    force: String,
    region: String,
    area: String,
    population: Option<i64>,
}

impl HeldBytes for Gazetteer {
    fn held_bytes(&self) -> usize {
        let texts = |known: &Known| {
            [&known.id, &known.name, &known.force, &known.region, &known.area]
                .map(String::len)
                .iter()
                .sum::<usize>()
        };
        self.known.values().map(|known| size_of::<(RowId, Known)>() + texts(known)).sum()
    }
}

impl Gazetteer {
    /// Of the visible rows of `hubs`.
    #[must_use]
    pub fn of_hubs(collection: &CollectionView) -> Self {
        Self::new(collection, |group, row| {
            let text = |field: &Field<str>| text(collection, group, field, row);
            Some(Known {
                id: text(&hubs::ID),
                name: text(&hubs::NAME),
                position: centre(group, row)?,
                force: text(&hubs::FORCE),
                region: text(&hubs::REGION),
                area: text(&hubs::AREA),
                population: whole(collection, group, &hubs::POPULATION, row),
            })
        })
    }

    /// Of the visible rows of `towns`.
    #[must_use]
    pub fn of_towns(collection: &CollectionView) -> Self {
        Self::new(collection, |group, row| {
            let text = |field: &Field<str>| text(collection, group, field, row);
            Some(Known {
                id: text(&towns::ID),
                name: text(&towns::NAME),
                position: centre(group, row)?,
                force: text(&towns::FORCE),
                region: text(&towns::REGION),
                area: String::new(),
                population: whole(collection, group, &towns::POPULATION, row),
            })
        })
    }

    fn new(collection: &CollectionView, read: impl Fn(&RowGroup, usize) -> Option<Known>) -> Self {
        let mut known = HashMap::new();
        for group in collection.groups() {
            known.extend((0..group.len()).filter_map(|row| Some((group.id(row), read(group, row)?))));
        }
        Self { known }
    }

    /// The same places with each force and region under its public id, however it is named.
    #[must_use]
    pub fn under(self: Arc<Self>, titles: &Titles) -> Arc<Self> {
        let [forces, regions] = &titles.0;
        let settled = |known: &Known| forces.settled(&known.force) && regions.settled(&known.region);
        if self.known.values().all(settled) {
            return self;
        }
        let named = |known: &Known| Known {
            force: forces.id(&known.force).to_owned(),
            region: regions.id(&known.region).to_owned(),
            ..known.clone()
        };
        Arc::new(Self { known: self.known.iter().map(|(row, known)| (*row, named(known))).collect() })
    }

    /// The row that a reference names.
    #[must_use]
    pub fn find(&self, reference: Reference) -> Option<RowId> {
        reference.among(|id| self.known.contains_key(&id))
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

    /// Whether a place is the one named, or lies in the force or region named, which has its public id.
    #[must_use]
    pub fn lies_in(&self, row: RowId, collection: &str, name: &str) -> bool {
        self.known.get(&row).is_some_and(|known| match collection {
            forces::COLLECTION => known.force == name,
            regions::COLLECTION => known.region == name,
            _ => known.id == name,
        })
    }

    /// The public id of a place.
    #[must_use]
    pub fn id(&self, row: RowId) -> Option<&str> {
        self.known.get(&row).map(|known| known.id.as_str())
    }
}

fn centre(group: &RowGroup, row: usize) -> Option<Position> {
    group.geometry(row).map(|geometry| geometry.bounds().centre())
}

fn text(collection: &CollectionView, group: &RowGroup, field: &Field<str>, row: usize) -> String {
    match collection.place(field).map(|field| group.value(field, row)) {
        Some(ValueRef::Text(text)) => text.to_owned(),
        _ => String::new(),
    }
}

fn whole(collection: &CollectionView, group: &RowGroup, field: &Field<i64>, row: usize) -> Option<i64> {
    match collection.place(field).map(|field| group.value(field, row)) {
        Some(ValueRef::Int(number)) => Some(number),
        _ => None,
    }
}

/// Forces and regions that are visible.
#[derive(Debug)]
pub struct Titles([Areas; 2]);

impl Titles {
    /// Of the visible rows of `forces` and `regions`.
    #[must_use]
    pub fn of(forces: Option<&CollectionView>, regions: Option<&CollectionView>) -> Self {
        Self([Areas::of(forces), Areas::of(regions)])
    }

    /// The public id that a force or region is known by here, if there is one with that name.
    #[must_use]
    pub fn find(&self, collection: &str, text: &str) -> Option<&str> {
        let areas = match collection {
            forces::COLLECTION => &self.0[0],
            regions::COLLECTION => &self.0[1],
            _ => return None,
        };
        areas.row(text).and_then(|row| areas.rows.get(&row)).map(|(id, _)| id.as_str())
    }
}

/// Id and name of forces, or of regions, by row.
#[derive(Debug, Default)]
struct Areas {
    rows: HashMap<RowId, (String, Option<String>)>,
}

impl Areas {
    fn of(collection: Option<&CollectionView>) -> Self {
        let mut areas = Self::default();
        let Some(collection) = collection else { return areas };
        let schema = collection.schema();
        let (id, name) = (schema.position("id"), schema.position("name"));
        for group in collection.groups() {
            for row in 0..group.len() {
                let text = |field: Option<usize>| match field.map(|field| group.value(field, row)) {
                    Some(ValueRef::Text(text)) if !text.is_empty() => Some(text.to_owned()),
                    _ => None,
                };
                if let Some(id) = text(id) {
                    areas.rows.insert(group.id(row), (id, text(name)));
                }
            }
        }
        areas
    }

    fn row(&self, text: &str) -> Option<RowId> {
        Reference::of(text).among(|id| self.rows.contains_key(&id))
    }

    /// Whether a text is a public id, or names nothing that there is.
    fn settled(&self, text: &str) -> bool {
        text.is_empty() || self.id(text) == text
    }

    /// The public id of what a text names; the text itself where there is nothing.
    fn id<'a>(&'a self, text: &'a str) -> &'a str {
        let known = self.row(text).and_then(|row| self.rows.get(&row));
        known.map_or(text, |(id, _)| id.as_str())
    }

    /// What to call it: its name, else its id, else [`NOT_KNOWN`].
    fn title(&self, id: &str) -> String {
        let name = self.row(id).and_then(|row| self.rows.get(&row)?.1.clone());
        name.unwrap_or_else(|| if id.is_empty() { NOT_KNOWN.to_owned() } else { id.to_owned() })
    }
}

/// Numbers the ends of one side and remembers what they are.
#[derive(Debug)]
pub struct Ends<'a> {
    gazetteer: &'a Gazetteer,
    level: FlowLevel,
    is_origin: bool,
    /// Number of the end of each place met.
    numbers: HashMap<RowId, u32>,
    /// Number of each end by collection and id.
    made: BTreeMap<(&'static str, String), u32>,
    places: Vec<FlowEnd>,
}

impl<'a> Ends<'a> {
    /// For one side of flows.
    pub fn new(gazetteer: &'a Gazetteer, level: FlowLevel, is_origin: bool) -> Self {
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
    pub fn number(&mut self, row: RowId, titles: &Titles) -> Option<u32> {
        if let Some(number) = self.numbers.get(&row) {
            return Some(*number);
        }
        let known = self.gazetteer.known.get(&row)?;
        let place = self.place(known, titles);
        let key = (place.collection, place.id.clone());
        let number = *self.made.entry(key).or_insert_with(|| {
            self.places.push(place);
            self.places.len() as u32 - 1
        });
        self.numbers.insert(row, number);
        Some(number)
    }

    fn place(&self, known: &Known, titles: &Titles) -> FlowEnd {
        let [forces, regions] = &titles.0;
        let own = || FlowEnd {
            collection: if self.is_origin { hubs::COLLECTION } else { towns::COLLECTION },
            id: known.id.clone(),
            label: if known.name.is_empty() { NOT_KNOWN.to_owned() } else { known.name.clone() },
            position: known.position,
            force: known.force.clone(),
            region: known.region.clone(),
            is_origin: self.is_origin,
        };
        let all = || self.gazetteer.known.values();
        let gathered = |collection, id: &str, label: String, members: Vec<&Known>| FlowEnd {
            collection,
            id: id.to_owned(),
            label,
            position: middle(&members),
            ..own()
        };
        let by_force = || {
            let members = all().filter(|other| other.force == known.force).collect();
            gathered(forces::COLLECTION, &known.force, forces.title(&known.force), members)
        };
        match self.level {
            FlowLevel::Place => own(),
            FlowLevel::Area => {
                let members: Vec<&Known> =
                    all().filter(|other| !known.area.is_empty() && other.area == known.area).collect();
                // An area of one hub is that hub, whoever else may be hidden. Without a force there is nothing to gather by.
                if known.area.is_empty() || known.area == known.name || known.force.is_empty() {
                    own()
                } else {
                    gathered(forces::COLLECTION, &known.force, known.area.clone(), members)
                }
            }
            FlowLevel::Region if !known.region.is_empty() => {
                let members = all().filter(|other| other.region == known.region).collect();
                let region =
                    gathered(regions::COLLECTION, &known.region, regions.title(&known.region), members);
                // It has several forces: which of its places was met first says nothing.
                FlowEnd { force: String::new(), ..region }
            }
            FlowLevel::Force | FlowLevel::Region => by_force(),
        }
    }

    /// The ends, by number.
    pub fn places(&self) -> &[FlowEnd] {
        &self.places
    }
}

/// The middle of places by population, or of the places alone if that of one is not known; in whole units so that their
/// order does not matter.
fn middle(members: &[&Known]) -> Position {
    let all_known = members.iter().all(|known| known.population.is_some());
    let (mut lon, mut lat, mut people) = (0_i128, 0_i128, 0_i128);
    for known in members {
        let weight = known.population.filter(|_| all_known).map_or(1, |people| i128::from(people.max(1)));
        lon += i128::from(known.position.lon) * weight;
        lat += i128::from(known.position.lat) * weight;
        people += weight;
    }
    let people = people.max(1);
    Position { lon: (lon / people) as i32, lat: (lat / people) as i32 }
}
