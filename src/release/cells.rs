//! Rows of released addresses and lines, coarsened to cells of the dwelling grid and whole weeks.

use std::collections::BTreeSet;
use std::collections::HashMap;

use crate::access::View;
use crate::model::CollectionSchema;
use crate::model::Row;
use crate::model::RowId;
use crate::model::Value;
use crate::model::collections::address_cells;
use crate::model::collections::addresses;
use crate::model::collections::legs;
use crate::model::collections::line_cells;
use crate::model::collections::lines;
use crate::model::collections::towns;
use crate::model::reference::Reference;
use crate::model::time::monday_of;
use crate::release::dwelling_grid::DwellingGrid;
use crate::release::dwelling_grid::GridCell;
use crate::release::dwelling_grid::outline;
use crate::release::places::Areas;
use crate::release::places::ReleaseArea;
use crate::release::rows::Order;
use crate::release::rows::all_rows;
use crate::release::rows::day_of;
use crate::release::rows::maybe;
use crate::release::rows::text;
use crate::release::rows::values;

/// The weeks that are over at the release.
#[derive(Debug, Clone, Copy)]
pub struct Weeks {
    /// The Monday of the current week, in days since 1970-01-01.
    pub before: i32,
}

impl Weeks {
    /// The Mondays of the weeks of a first and a last day; `None` if the week of the first day is not over. A last day in the
    /// current week counts as the week before.
    fn of(self, first: Option<i32>, last: Option<i32>) -> Option<(i32, Option<i32>)> {
        let first = first.filter(|day| *day < self.before)?;
        Some((monday_of(first), last.map(|day| monday_of(day.min(self.before - 1)))))
    }
}

/// The id of a released row: a keyed hash of the row's own id, so that the two cannot be matched without the key.
fn released_id(order: &Order<'_>, collection: &str, id: RowId) -> RowId {
    let mut hasher = blake3::Hasher::new_keyed(&order.key);
    hasher.update(collection.as_bytes()).update(&id.0.to_be_bytes());
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    RowId::from_random(bytes)
}

/// The rows of released addresses, each with the cell that it lies in.
pub fn address_cells(
    view: &View,
    schema: &CollectionSchema,
    grid: &DwellingGrid,
    weeks: Weeks,
    areas: &Areas<'_>,
    order: &Order<'_>,
) -> Vec<Row> {
    let Some(collection) = view.collection(addresses::COLLECTION) else { return Vec::new() };
    let mut geometries = HashMap::new();
    let mut councils: HashMap<GridCell, Option<ReleaseArea>> = HashMap::new();
    let mut rows = Vec::new();
    let (first_seen, last_seen) =
        (collection.place(&addresses::FIRST_SEEN), collection.place(&addresses::LAST_SEEN));
    for (group, row) in all_rows(collection) {
        let days = |field: Option<usize>| field.and_then(|field| day_of(group.value(field, row)));
        let seen = weeks.of(days(first_seen), days(last_seen));
        let at = group.positions().filter(|_| row < group.located()).map(|positions| positions[row]);
        let (Some((first, last)), Some(cell)) = (seen, at.and_then(|at| grid.cell(at))) else { continue };
        // The council is that of the cell's centre, not of the address: the part of a cell in one council may have too few
        // dwellings.
        let council = councils.entry(cell).or_insert_with(|| areas.around(cell)).as_ref();
        let word = |field| group.text(collection.place(field), row).map(str::to_owned);
        let named = [
            ("cell_name", text(&cell.to_string())),
            ("cell_km", Value::Int(i64::from(cell.km))),
            ("status", maybe(word(&addresses::STATUS).as_ref())),
            ("first_seen", Value::Date(first)),
            ("last_seen", last.map_or(Value::Null, Value::Date)),
            ("area", maybe(council.map(|area| &area.code))),
            ("force", maybe(council.and_then(|area| area.force.as_ref()))),
            ("synthetic", Value::Bool(order.synthetic)),
        ];
        rows.push(Row {
            id: Some(released_id(order, address_cells::COLLECTION, group.id(row))),
            public_id: None,
            geometry: geometries.entry(cell).or_insert_with(|| outline(&[cell])).clone(),
            values: values(schema, &named),
        });
    }
    rows
}

/// The towns and forces of a line's legs.
#[derive(Default)]
struct Reach<'a> {
    towns: BTreeSet<&'a str>,
    forces: BTreeSet<&'a str>,
}

/// The rows of released lines, each with the cells of the towns that it reaches.
pub fn line_cells(
    view: &View,
    schema: &CollectionSchema,
    grid: &DwellingGrid,
    weeks: Weeks,
    areas: &Areas<'_>,
    order: &Order<'_>,
) -> Vec<Row> {
    let Some(collection) = view.collection(lines::COLLECTION) else { return Vec::new() };
    let mut reaches: HashMap<RowId, Reach<'_>> = HashMap::new();
    let legs = view.collection(legs::COLLECTION);
    let (line, town) =
        (legs.and_then(|legs| legs.place(&legs::LINE)), legs.and_then(|legs| legs.place(&legs::TOWN)));
    for (group, row) in legs.into_iter().flat_map(|legs| all_rows(legs)) {
        let Some(line) = group.text(line, row) else { continue };
        let Some(id) = Reference::of(line).among(|id| collection.find(id).is_some()) else { continue };
        let reach = reaches.entry(id).or_default();
        reach.towns.extend(group.text(town, row));
        reach.forces.extend(group.rights(row).forces());
    }
    let mut cells: HashMap<&str, Option<GridCell>> = HashMap::new();
    let mut rows = Vec::new();
    let (first_seen, last_seen) = (collection.place(&lines::FIRST_SEEN), collection.place(&lines::LAST_SEEN));
    for (group, row) in all_rows(collection) {
        let days = |field: Option<usize>| field.and_then(|field| day_of(group.value(field, row)));
        let seen = weeks.of(days(first_seen), days(last_seen));
        let Some((first, last)) = seen else { continue };
        let nowhere = Reach::default();
        let reach = reaches.get(&group.id(row)).unwrap_or(&nowhere);
        let mut forces = reach.forces.clone();
        forces.extend(group.rights(row).forces());
        let mut of_towns: BTreeSet<GridCell> = BTreeSet::new();
        for town in &reach.towns {
            let cell = cells.entry(town).or_insert_with(|| {
                areas.position(towns::COLLECTION, town).and_then(|position| grid.cell(position))
            });
            of_towns.extend(*cell);
        }
        let of_towns: Vec<GridCell> = of_towns.into_iter().collect();
        let word = |field| group.text(collection.place(field), row).map(str::to_owned);
        let named = [
            ("status", maybe(word(&lines::STATUS).as_ref())),
            ("first_seen", Value::Date(first)),
            ("last_seen", last.map_or(Value::Null, Value::Date)),
            ("forces", text(&forces.into_iter().collect::<Vec<_>>().join(";"))),
            ("synthetic", Value::Bool(order.synthetic)),
        ];
        rows.push(Row {
            id: Some(released_id(order, line_cells::COLLECTION, group.id(row))),
            public_id: None,
            geometry: outline(&of_towns),
            values: values(schema, &named),
        });
    }
    rows
}
