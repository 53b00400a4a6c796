//! The rows of every release.

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

/// What is counted: the collection, where its counts are released, and whether totals of the nation are public.
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

/// The rows of one released collection.
#[derive(Debug)]
pub struct Released {
    /// The collection.
    pub schema: CollectionSchema,
    /// All its rows: others are taken away.
    pub rows: Vec<Row>,
    /// The units of its counts, for the next release.
    pub units: Vec<NamedUnit>,
    /// The last day that it tells of, as days since 1970-01-01.
    pub through: i32,
}

/// What a release is made for.
#[derive(Debug)]
pub struct Order<'a> {
    /// Today, as days since 1970-01-01: what is not over yet is not released.
    pub today: i32,
    /// Ids of released rows are made of this and of the rows' own, so that nobody else finds one by the other.
    pub key: [u8; 32],
    /// What was released before, by collection.
    pub before: &'a HashMap<String, Before>,
    /// Whether the store's register is synthetic.
    pub synthetic: bool,
}

/// What was released of a collection before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Before {
    /// The last day that it told of, as days since 1970-01-01.
    pub through: i32,
    /// The units of its counts.
    pub units: Vec<NamedUnit>,
}

/// A unit whose area has its code: numbers of areas are good for one release only.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NamedUnit {
    /// The word of its level.
    pub level: String,
    /// The code of its area.
    pub area: String,
    /// The word of its period.
    pub period: String,
    /// Its first month, counted from January of the year 0.
    pub month: i32,
    /// How many records there were.
    pub records: u64,
}

/// So many days after its end a month is released: most of what is recorded late is there then.
const SETTLED_DAYS: i32 = 28;

fn month_due(today: i32) -> Option<Month> {
    Month::over_on(today - SETTLED_DAYS)
}

/// What each release is made of, and the last day that it tells of on a day.
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

/// Everything that is to be released now.
///
/// # Errors
/// [`SchemaError`], which the build has ruled out.
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
        let made: Vec<Unit> = before
            .iter()
            .flat_map(|before| &before.units)
            .filter_map(|unit| counted::read_unit(unit, &areas))
            .collect();
        let released = before.and_then(|before| Month::over_on(before.through + 1));
        let records = counted::records(view, collection, &mut areas);
        let units = units(&records, &made, released, through);
        let figures = figures(&units, &places, through);
        // Only the latest year has outlines, so that a map of the layer shows one figure an area.
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
    // Once a week: who asks more often learns nothing of a single record's day.
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

/// Values of a schema's fields, by their names.
pub fn values(schema: &CollectionSchema, named: &[(&str, Value)]) -> Vec<Value> {
    let of = |name: &str| named.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    schema.fields.iter().map(|field| of(&field.name).unwrap_or(Value::Null)).collect()
}

/// A text as a value.
pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A text as a value, or null.
pub fn maybe(text: Option<&String>) -> Value {
    text.map_or(Value::Null, |text| Value::Text(text.clone()))
}

/// The day of a record's beginning.
pub fn day_of(value: ValueRef<'_>) -> Option<i32> {
    match value {
        ValueRef::Date(days) => Some(days),
        ValueRef::Timestamp(micros) => i32::try_from(micros.div_euclid(DAY_MICROS)).ok(),
        _ => None,
    }
}

/// Every row of a collection.
pub fn all_rows(collection: &CollectionView) -> impl Iterator<Item = (&RowGroup, usize)> {
    // What is released is of the whole collection: what is suppressed rests on all of its rows.
    Bound::everything().rows(collection).map(|(group, row)| (&*collection.groups()[group], row))
}
