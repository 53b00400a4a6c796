//! The rows of all releases that are due on a day.

use std::collections::HashMap;

use crate::access::CollectionView;
use crate::access::RowGroup;
use crate::access::View;
use crate::filter::Bound;
use crate::model::CollectionSchema;
use crate::model::Row;
use crate::model::Value;
use crate::model::ValueRef;
use crate::model::collections::address_cells;
use crate::model::collections::addresses;
use crate::model::collections::built_in;
use crate::model::collections::council_figures;
use crate::model::collections::line_cells;
use crate::model::collections::lines;
use crate::model::collections::national_totals;
use crate::model::schema::SchemaError;
use crate::model::time::DAY_MICROS;
use crate::model::time::monday_of;
use crate::release::cells;
use crate::release::cells::Weeks;
use crate::release::counted;
use crate::release::counted::Known;
use crate::release::dwelling_grid::DwellingGrid;
use crate::release::hierarchy::Figure;
use crate::release::hierarchy::Unit;
use crate::release::hierarchy::figures;
use crate::release::hierarchy::units;
use crate::release::periods::Month;
use crate::release::periods::Period;
use crate::release::places::Areas;

/// The collections that are counted, the collection of their counts, and whether national totals are public.
pub const MEASURES: [(&str, &str, bool); 8] = [
    ("addresses", "address-counts", false),
    ("lines", "line-counts", false),
    ("legs", "leg-counts", true),
    ("sightings", "sighting-counts", false),
    ("exposures", "exposure-counts", false),
    ("closures", "closure-counts", true),
    ("seizures", "seizure-counts", true),
    ("referrals", "referral-counts", true),
];

/// A new release of one collection.
#[derive(Debug)]
pub struct Released {
    /// The schema of the released collection.
    pub schema: CollectionSchema,
    /// All rows of the collection; rows that are not among them are removed from the store.
    pub rows: Vec<Row>,
    /// The units of its counts, which the next release needs.
    pub units: Vec<NamedUnit>,
    /// The last day that the release covers, in days since 1970-01-01.
    pub through: i32,
}

/// The input of a release besides the view.
#[derive(Debug)]
pub struct Order<'a> {
    /// Today in days since 1970-01-01: only periods that are over are released.
    pub today: i32,
    /// The secret key from which ids of released rows are derived, so that nobody without it can match them to the register.
    pub key: [u8; 32],
    /// The earlier releases, by collection.
    pub before: &'a HashMap<String, Before>,
    /// Whether the store's register is synthetic.
    pub synthetic: bool,
}

/// The latest earlier release of a collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Before {
    /// The last day that the release covered, in days since 1970-01-01.
    pub through: i32,
    /// The units of the counts.
    pub units: Vec<NamedUnit>,
}

/// A unit with the code of its area, to be stored: numbers of areas are valid during one release only.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NamedUnit {
    /// The word of the level.
    pub level: String,
    /// The code of the area.
    pub area: String,
    /// The word of the period.
    pub period: String,
    /// The first month of the window, counted from January of the year 0.
    pub month: i32,
    /// The number of records.
    pub records: u64,
}

/// The number of days from the end of a month to its release: most late records are there by then.
const SETTLED_DAYS: i32 = 28;

fn month_due(today: i32) -> Option<Month> {
    Month::over_on(today - SETTLED_DAYS)
}

/// The releases that exist on a day: the collection that is released, the collection of the release, and the last day that
/// it covers. Days count from 1970-01-01.
#[must_use]
pub fn due(today: i32) -> Vec<(&'static str, &'static str, i32)> {
    let Some(through) = month_due(today).map(last_day) else { return Vec::new() };
    let counts = MEASURES.into_iter().map(|(of, counts, _)| (of, counts, through));
    let week = monday_of(today) - 1;
    let cells = [
        (addresses::COLLECTION, address_cells::COLLECTION, week),
        (lines::COLLECTION, line_cells::COLLECTION, week),
    ];
    counts.chain(cells).collect()
}

/// Computes all releases that are due. `view` must see all rows of the register.
///
/// # Errors
/// [`SchemaError`] if a built-in schema is not valid, which the build checks.
pub fn make(view: &View, order: &Order<'_>) -> Result<Vec<Released>, SchemaError> {
    let mut areas = Areas::of(view);
    let places = areas.all();
    let mut all = Vec::new();
    let Some(through) = month_due(order.today) else { return Ok(all) };
    let mut known = Known::new();
    for (collection, counts, _) in MEASURES {
        let there = view.collection(collection).is_some();
        let Some(schema) = built_in(counts)?.filter(|_| there) else { continue };
        let before = order.before.get(counts);
        let earlier: Vec<Unit> = before
            .iter()
            .flat_map(|before| &before.units)
            .filter_map(|unit| counted::read_unit(unit, &areas))
            .collect();
        let released = before.and_then(|before| Month::over_on(before.through + 1));
        let records = counted::records(view, collection, &mut areas);
        let units = units(&records, &earlier, released, through);
        let figures = figures(&units, &places, through);
        // Only figures of the latest year have geometry, so that a map of the layer shows one figure for each area.
        let outlined = Period::Year.latest(through);
        let row = |figure: &Figure| {
            counted::counts_row(&schema, figure, &areas, figure.window == outlined, order.synthetic)
        };
        let rows: Vec<Row> = figures.iter().filter_map(row).collect();
        let units = units.iter().map(|unit| counted::name_unit(unit, &areas)).collect();
        known.insert(collection, figures);
        all.push(Released { schema, rows, units, through: last_day(through) });
    }
    let plain = |schema, rows, through| Released { schema, rows, units: Vec::new(), through };
    if let Some(schema) = built_in(council_figures::COLLECTION)?.filter(|_| !known.is_empty()) {
        let rows = counted::council_rows(&schema, &known, &areas, through, order.synthetic);
        all.push(plain(schema, rows, last_day(through)));
    }
    if let Some(schema) = built_in(national_totals::COLLECTION)?.filter(|_| !known.is_empty()) {
        let rows = counted::national_rows(&schema, &known, order.synthetic);
        all.push(plain(schema, rows, last_day(through)));
    }
    let weeks = Weeks { before: monday_of(order.today) };
    // Once a week, so that the day of a single record cannot be found by comparing daily releases.
    let wanted = |id: &str, of: &str| {
        let fresh = order.before.get(id).is_none_or(|before| before.through < weeks.before - 1);
        fresh && view.collection(of).is_some()
    };
    let (homes, routes) = (
        wanted(address_cells::COLLECTION, addresses::COLLECTION),
        wanted(line_cells::COLLECTION, lines::COLLECTION),
    );
    if !homes && !routes {
        return Ok(all);
    }
    let grid = DwellingGrid::built_in();
    if let Some(schema) = built_in(address_cells::COLLECTION)?.filter(|_| homes) {
        let rows = cells::address_cells(view, &schema, &grid, weeks, &areas, order);
        all.push(plain(schema, rows, weeks.before - 1));
    }
    if let Some(schema) = built_in(line_cells::COLLECTION)?.filter(|_| routes) {
        let rows = cells::line_cells(view, &schema, &grid, weeks, &areas, order);
        all.push(plain(schema, rows, weeks.before - 1));
    }
    Ok(all)
}

fn last_day(month: Month) -> i32 {
    Period::Month.window(month).days().map_or(i32::MIN, |(_, last)| last)
}

/// The values of a schema's fields, given by name; null for fields that are not given.
pub fn values(schema: &CollectionSchema, named: &[(&str, Value)]) -> Vec<Value> {
    let of = |name: &str| named.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    schema.fields.iter().map(|field| of(&field.name).unwrap_or(Value::Null)).collect()
}

/// A text value.
pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A text value, or null.
pub fn maybe(text: Option<&String>) -> Value {
    text.map_or(Value::Null, |text| Value::Text(text.clone()))
}

/// The day of a date or an instant (UTC), in days since 1970-01-01; `None` for other values.
pub fn day_of(value: ValueRef<'_>) -> Option<i32> {
    match value {
        ValueRef::Date(days) => Some(days),
        ValueRef::Timestamp(micros) => i32::try_from(micros.div_euclid(DAY_MICROS)).ok(),
        _ => None,
    }
}

/// All rows of a collection, each as a row group and the index of the row in it.
pub fn all_rows(collection: &CollectionView) -> impl Iterator<Item = (&RowGroup, usize)> {
    // What is released is of the whole collection: what is suppressed rests on all of its rows.
    Bound::everything().rows(collection).map(|(group, row)| (&*collection.groups()[group], row))
}
