//! In which areas a record is: by the place it names, a public one, and never by where exactly it is itself.

use std::collections::HashMap;

use crate::access::CollectionView;
use crate::access::RowGroup;
use crate::access::View;
use crate::model::CollectionClass;
use crate::model::RowId;
use crate::model::ValueRef;
use crate::model::collections::Field;
use crate::model::collections::areas;
use crate::model::collections::forces;
use crate::model::collections::hubs;
use crate::model::collections::regions;
use crate::model::collections::stations;
use crate::model::collections::towns;
use crate::model::geometry::Bounds;
use crate::model::geometry::Position;
use crate::model::reference::Reference;
use crate::release::dwelling_grid::GridCell;
use crate::release::hierarchy::Level;
use crate::release::hierarchy::Within;

/// Fields that name a place, the most telling first, and the collection of such places.
const NAMED: [(&str, &str); 3] =
    [("station", stations::COLLECTION), ("town", towns::COLLECTION), ("hub", hubs::COLLECTION)];

/// The nation's code.
const NATION: &str = "UK";

/// An area that figures are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// How large.
    pub level: Level,
    /// Its code: of the Government Statistical Service, or an id.
    pub code: String,
    /// What it is called.
    pub name: String,
    /// The force that polices it, if one does.
    pub force: Option<String>,
    /// Its policing region.
    pub region: Option<String>,
}

/// Areas, and where the places are that records name.
#[derive(Debug)]
pub struct Areas<'a> {
    view: &'a View,
    list: Vec<Area>,
    numbers: HashMap<(Level, String), u32>,
    /// Forces and regions by their rows, for whatever names them.
    rows: HashMap<(Level, RowId), u32>,
    /// Councils with their areas' rows.
    councils: Vec<(Within, Bounds, &'a RowGroup, usize)>,
    /// Areas of the places that were named so far.
    named: HashMap<(&'static str, String), Option<Within>>,
}

fn text(group: &RowGroup, field: usize, row: usize) -> Option<&str> {
    match group.value(field, row) {
        ValueRef::Text(text) => Some(text),
        _ => None,
    }
}

fn rows(collection: Option<&CollectionView>) -> impl Iterator<Item = (&RowGroup, usize)> {
    let groups = collection.into_iter().flat_map(CollectionView::groups);
    groups.flat_map(|group| (0..group.len()).map(move |row| (&**group, row)))
}

impl<'a> Areas<'a> {
    /// Those of a view.
    #[must_use]
    pub fn of(view: &'a View) -> Self {
        let mut all = Self {
            view,
            list: Vec::new(),
            numbers: HashMap::new(),
            rows: HashMap::new(),
            councils: Vec::new(),
            named: HashMap::new(),
        };
        // An imported layer of such a name is no fact.
        let fact = |collection: &&CollectionView| collection.schema().class == CollectionClass::Reference;
        let get = |id: &str| view.collection(id).map(AsRef::as_ref).filter(fact);
        all.number(Level::Nation, NATION, "United Kingdom", None, None);
        let all_regions = get(regions::COLLECTION);
        let place = |field: &Field<str>| all_regions.and_then(|part| part.place(field));
        let (id, name) = (place(&regions::ID), place(&regions::NAME));
        for (group, row) in rows(all_regions) {
            if let (Some(id), Some(name)) = (group.text(id, row), group.text(name, row)) {
                let number = all.number(Level::Region, id, name, None, Some(id));
                all.rows.insert((Level::Region, group.id(row)), number);
            }
        }
        let all_forces = get(forces::COLLECTION);
        let place = |field: &Field<str>| all_forces.and_then(|part| part.place(field));
        let (id, name, region) = (place(&forces::ID), place(&forces::NAME), place(&forces::REGION));
        for (group, row) in rows(all_forces) {
            if let (Some(id), Some(name)) = (group.text(id, row), group.text(name, row)) {
                let region = group.text(region, row).map(|region| all.code(Level::Region, region));
                let number = all.number(Level::Force, id, name, Some(id), region.as_deref());
                all.rows.insert((Level::Force, group.id(row)), number);
            }
        }
        let councils = get(areas::COLLECTION);
        let place = |field: &Field<str>| councils.and_then(|part| part.place(field));
        for (group, row) in rows(councils) {
            let field = |field| group.text(place(field), row);
            let (Some(code), Some(name), Some(force)) =
                (field(&areas::CODE), field(&areas::NAME), field(&areas::FORCE))
            else {
                continue;
            };
            let region = field(&areas::REGION).map(|region| all.code(Level::Region, region));
            let (force, region) = (all.code(Level::Force, force), region.as_deref());
            let force = force.as_str();
            let mut within = all.force(force);
            if let Some(county) = field(&areas::COUNTY) {
                let number =
                    all.number(Level::County, &format!("{force}:{county}"), county, Some(force), region);
                within[Level::County as usize] = Some(number);
            }
            within[Level::Council as usize] =
                Some(all.number(Level::Council, code, name, Some(force), region));
            if group.geometry(row).is_some() {
                all.councils.push((within, group.row_bounds(row), group, row));
            }
        }
        all
    }

    fn number(
        &mut self,
        level: Level,
        code: &str,
        name: &str,
        force: Option<&str>,
        region: Option<&str>,
    ) -> u32 {
        let next = self.list.len() as u32;
        let number = *self.numbers.entry((level, code.to_owned())).or_insert(next);
        if number == next {
            let (force, region) = (force.map(str::to_owned), region.map(str::to_owned));
            self.list.push(Area { level, code: code.to_owned(), name: name.to_owned(), force, region });
        }
        number
    }

    /// The number of an area by its level and code.
    #[must_use]
    pub fn find(&self, level: Level, code: &str) -> Option<u32> {
        self.numbers.get(&(level, code.to_owned())).copied()
    }

    /// The number of the force or region that a reference names.
    fn named(&self, level: Level, text: &str) -> Option<u32> {
        let row = Reference::of(text).among(|id| self.rows.contains_key(&(level, id)))?;
        self.rows.get(&(level, row)).copied()
    }

    /// The code of the force or region that a reference names; the text itself where there is none.
    fn code(&self, level: Level, text: &str) -> String {
        self.named(level, text).map_or_else(|| text.to_owned(), |number| self.area(number).code.clone())
    }

    /// An area by its number.
    #[must_use]
    pub fn area(&self, number: u32) -> &Area {
        &self.list[number as usize]
    }

    /// Every council and the areas it lies in.
    pub fn councils(&self) -> impl Iterator<Item = &Within> {
        self.councils.iter().map(|(within, ..)| within)
    }

    /// Every area with those that it lies in.
    #[must_use]
    pub fn all(&self) -> Vec<Within> {
        let forces = self.list.iter().filter(|area| area.level == Level::Force);
        self.councils().copied().chain(forces.map(|force| self.force(&force.code))).collect()
    }

    /// The row of a council's area.
    #[must_use]
    pub fn outline(&self, council: u32) -> Option<(&'a RowGroup, usize)> {
        let of = |within: &Within| within[Level::Council as usize] == Some(council);
        self.councils.iter().find(|(within, ..)| of(within)).map(|(_, _, group, row)| (*group, *row))
    }

    /// A force, its region and the nation; the nation alone for a force that is not known.
    fn force(&self, id: &str) -> Within {
        let mut within: Within = [None; 5];
        within[Level::Nation as usize] = self.find(Level::Nation, NATION);
        if let Some(number) = self.named(Level::Force, id) {
            within[Level::Force as usize] = Some(number);
            let region = self.area(number).region.as_deref();
            within[Level::Region as usize] = region.and_then(|region| self.find(Level::Region, region));
        }
        within
    }

    /// The council of a position and what it lies in: the one around it, else the nearest.
    #[must_use]
    pub fn at(&self, position: Position) -> Option<Within> {
        let point =
            Bounds { west: position.lon, south: position.lat, east: position.lon, north: position.lat };
        let around = self.councils.iter().find(|(_, bounds, group, row)| {
            bounds.intersects(&point)
                && group.geometry(*row).is_some_and(|geometry| geometry.contains(position))
        });
        let far = |(_, _, group, row): &&(Within, Bounds, &RowGroup, usize)| {
            let corners = group.geometry(*row).into_iter().flat_map(|geometry| geometry.positions.iter());
            corners.map(|corner| squared(*corner, position)).min()
        };
        around.or_else(|| self.councils.iter().min_by_key(far)).map(|(within, ..)| *within)
    }

    /// The council in the middle of a cell.
    #[must_use]
    pub fn around(&self, cell: GridCell) -> Option<Area> {
        let (lon, lat) = cell.centre()?;
        let within = self.at(Position::from_degrees(lon, lat).ok()?)?;
        within[Level::Council as usize].map(|council| self.area(council).clone())
    }

    /// The areas of a row: of the station, town or hub it names, else of its force, else the nation. `column` gives the
    /// place of a field in the row's collection.
    pub fn of_row(&mut self, column: impl Fn(&str) -> Option<usize>, group: &RowGroup, row: usize) -> Within {
        for (field, collection) in NAMED {
            let Some(id) = column(field).and_then(|field| text(group, field, row)) else { continue };
            let key = (collection, id.to_owned());
            let known = self.named.get(&key).copied();
            let within = known.unwrap_or_else(|| self.of_place(collection, id));
            self.named.insert(key, within);
            if let Some(within) = within {
                return within;
            }
        }
        self.force(column("force").and_then(|field| text(group, field, row)).unwrap_or_default())
    }

    fn of_place(&self, collection: &str, id: &str) -> Option<Within> {
        self.position(collection, id).and_then(|position| self.at(position))
    }

    /// Where a public place is.
    #[must_use]
    pub fn position(&self, collection: &str, id: &str) -> Option<Position> {
        let collection = self.view.collection(collection)?;
        let (group, row) = collection.named(id)?;
        collection.groups()[group as usize].positions()?.get(row as usize).copied()
    }
}

/// A measure of distance that orders positions of one country, in which a degree east is six tenths of one north.
fn squared(a: Position, b: Position) -> i64 {
    let (east, north) = (i64::from(a.lon) - i64::from(b.lon), i64::from(a.lat) - i64::from(b.lat));
    let east = east * 6 / 10;
    east * east + north * north
}
