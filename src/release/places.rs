//! Finds the areas that a record lies in, from the public place that it names and never from its own position.

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
use crate::release::hierarchy::AreaLevel;
use crate::release::hierarchy::AreasByLevel;
use crate::release::rows::all_rows;

/// Fields that name a public place, the most exact first, with the collection of these places.
const NAMED: [(&str, &str); 3] =
    [("station", stations::COLLECTION), ("town", towns::COLLECTION), ("hub", hubs::COLLECTION)];

/// The code of the nation.
const NATION: &str = "UK";

/// An area for which figures are released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseArea {
    /// The level in the publication hierarchy.
    pub level: AreaLevel,
    /// The code of the Government Statistical Service, or an id.
    pub code: String,
    /// The name.
    pub name: String,
    /// The id of the force that polices the area, if it is one force.
    pub force: Option<String>,
    /// The id of its policing region.
    pub region: Option<String>,
}

/// All areas of a view, and the positions of places that records name.
#[derive(Debug)]
pub struct Areas<'a> {
    view: &'a View,
    list: Vec<ReleaseArea>,
    numbers: HashMap<(AreaLevel, String), u32>,
    /// Numbers of forces and regions by their row, to resolve references.
    rows: HashMap<(AreaLevel, RowId), u32>,
    /// Councils: the areas that each lies in, its bounding box, and the row with its polygon.
    councils: Vec<(AreasByLevel, Bounds, &'a RowGroup, usize)>,
    /// The areas of places that were looked up so far.
    named: HashMap<(&'static str, String), Option<AreasByLevel>>,
}

fn text(group: &RowGroup, field: usize, row: usize) -> Option<&str> {
    match group.value(field, row) {
        ValueRef::Text(text) => Some(text),
        _ => None,
    }
}

fn rows(collection: Option<&CollectionView>) -> impl Iterator<Item = (&RowGroup, usize)> {
    collection.into_iter().flat_map(all_rows)
}

impl<'a> Areas<'a> {
    /// The areas in the reference collections of a view.
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
        // An imported layer may have such a name, but it is not a reference collection.
        let fact = |collection: &&CollectionView| collection.schema().class == CollectionClass::Reference;
        let get = |id: &str| view.collection(id).map(AsRef::as_ref).filter(fact);
        all.number(AreaLevel::Nation, NATION, "United Kingdom", None, None);
        let all_regions = get(regions::COLLECTION);
        let place = |field: &Field<str>| all_regions.and_then(|part| part.place(field));
        let (id, name) = (place(&regions::ID), place(&regions::NAME));
        for (group, row) in rows(all_regions) {
            if let (Some(id), Some(name)) = (group.text(id, row), group.text(name, row)) {
                let number = all.number(AreaLevel::Region, id, name, None, Some(id));
                all.rows.insert((AreaLevel::Region, group.id(row)), number);
            }
        }
        let all_forces = get(forces::COLLECTION);
        let place = |field: &Field<str>| all_forces.and_then(|part| part.place(field));
        let (id, name, region) = (place(&forces::ID), place(&forces::NAME), place(&forces::REGION));
        for (group, row) in rows(all_forces) {
            if let (Some(id), Some(name)) = (group.text(id, row), group.text(name, row)) {
                let region = group.text(region, row).map(|region| all.code(AreaLevel::Region, region));
                let number = all.number(AreaLevel::Force, id, name, Some(id), region.as_deref());
                all.rows.insert((AreaLevel::Force, group.id(row)), number);
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
            let region = field(&areas::REGION).map(|region| all.code(AreaLevel::Region, region));
            let (force, region) = (all.code(AreaLevel::Force, force), region.as_deref());
            let force = force.as_str();
            let mut within = all.force(force);
            if let Some(county) = field(&areas::COUNTY) {
                let number =
                    all.number(AreaLevel::County, &format!("{force}:{county}"), county, Some(force), region);
                within[AreaLevel::County as usize] = Some(number);
            }
            within[AreaLevel::Council as usize] =
                Some(all.number(AreaLevel::Council, code, name, Some(force), region));
            if group.geometry(row).is_some() {
                all.councils.push((within, group.row_bounds(row), group, row));
            }
        }
        all
    }

    fn number(
        &mut self,
        level: AreaLevel,
        code: &str,
        name: &str,
        force: Option<&str>,
        region: Option<&str>,
    ) -> u32 {
        let next = self.list.len() as u32;
        let number = *self.numbers.entry((level, code.to_owned())).or_insert(next);
        if number == next {
            let (force, region) = (force.map(str::to_owned), region.map(str::to_owned));
            self.list.push(ReleaseArea {
                level,
                code: code.to_owned(),
                name: name.to_owned(),
                force,
                region,
            });
        }
        number
    }

    /// The number of an area by its level and code; `None` if there is no such area.
    #[must_use]
    pub fn find(&self, level: AreaLevel, code: &str) -> Option<u32> {
        self.numbers.get(&(level, code.to_owned())).copied()
    }

    /// The number of the force or region that a reference names; `None` if there is none.
    fn named(&self, level: AreaLevel, text: &str) -> Option<u32> {
        let row = Reference::of(text).among(|id| self.rows.contains_key(&(level, id)))?;
        self.rows.get(&(level, row)).copied()
    }

    /// The code of the force or region that a reference names; the text itself if there is none.
    fn code(&self, level: AreaLevel, text: &str) -> String {
        self.named(level, text).map_or_else(|| text.to_owned(), |number| self.area(number).code.clone())
    }

    /// The area with this number.
    #[must_use]
    pub fn area(&self, number: u32) -> &ReleaseArea {
        &self.list[number as usize]
    }

    /// Each council with the areas that it lies in.
    pub fn councils(&self) -> impl Iterator<Item = &AreasByLevel> {
        self.councils.iter().map(|(within, ..)| within)
    }

    /// Each area with the areas that it lies in.
    #[must_use]
    pub fn all(&self) -> Vec<AreasByLevel> {
        let forces = self.list.iter().filter(|area| area.level == AreaLevel::Force);
        self.councils().copied().chain(forces.map(|force| self.force(&force.code))).collect()
    }

    /// The row with a council's polygon.
    #[must_use]
    pub fn outline(&self, council: u32) -> Option<(&'a RowGroup, usize)> {
        let of = |within: &AreasByLevel| within[AreaLevel::Council as usize] == Some(council);
        self.councils.iter().find(|(within, ..)| of(within)).map(|(_, _, group, row)| (*group, *row))
    }

    /// The areas of a force: itself, its region and the nation; only the nation if the force is not known.
    fn force(&self, id: &str) -> AreasByLevel {
        let mut within: AreasByLevel = [None; 5];
        within[AreaLevel::Nation as usize] = self.find(AreaLevel::Nation, NATION);
        if let Some(number) = self.named(AreaLevel::Force, id) {
            within[AreaLevel::Force as usize] = Some(number);
            let region = self.area(number).region.as_deref();
            within[AreaLevel::Region as usize] =
                region.and_then(|region| self.find(AreaLevel::Region, region));
        }
        within
    }

    /// The areas of a position: the council that contains it, or else the nearest council, and the areas that it lies in.
    #[must_use]
    pub fn at(&self, position: Position) -> Option<AreasByLevel> {
        let point =
            Bounds { west: position.lon, south: position.lat, east: position.lon, north: position.lat };
        let around = self.councils.iter().find(|(_, bounds, group, row)| {
            bounds.intersects(&point)
                && group.geometry(*row).is_some_and(|geometry| geometry.contains(position))
        });
        let far = |(_, _, group, row): &&(AreasByLevel, Bounds, &RowGroup, usize)| {
            let corners = group.geometry(*row).into_iter().flat_map(|geometry| geometry.positions.iter());
            corners.map(|corner| squared(*corner, position)).min()
        };
        around.or_else(|| self.councils.iter().min_by_key(far)).map(|(within, ..)| *within)
    }

    /// The council of a cell's centre.
    #[must_use]
    pub fn around(&self, cell: GridCell) -> Option<ReleaseArea> {
        let (lon, lat) = cell.centre()?;
        let within = self.at(Position::from_degrees(lon, lat).ok()?)?;
        within[AreaLevel::Council as usize].map(|council| self.area(council).clone())
    }

    /// The areas of a row: those of the station, town or hub that it names, else of its force, else only the nation.
    /// `column` gives the index of a field in the row's collection.
    pub fn of_row(
        &mut self,
        column: impl Fn(&str) -> Option<usize>,
        group: &RowGroup,
        row: usize,
    ) -> AreasByLevel {
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

    fn of_place(&self, collection: &str, id: &str) -> Option<AreasByLevel> {
        self.position(collection, id).and_then(|position| self.at(position))
    }

    /// The position of a public place; `None` if there is no such place.
    #[must_use]
    pub fn position(&self, collection: &str, id: &str) -> Option<Position> {
        let collection = self.view.collection(collection)?;
        let (group, row) = collection.named(id)?;
        collection.groups()[group as usize].positions()?.get(row as usize).copied()
    }
}

/// A squared distance for comparisons within the United Kingdom, where a degree of longitude is about six tenths of a
/// degree of latitude.
fn squared(a: Position, b: Position) -> i64 {
    let (east, north) = (i64::from(a.lon) - i64::from(b.lon), i64::from(a.lat) - i64::from(b.lat));
    let east = east * 6 / 10;
    east * east + north * north
}
