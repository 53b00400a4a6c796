//! The rows of every release.

use std::collections::HashMap;

use crate::access::CollectionView;
use crate::access::RowGroup;
use crate::access::View;
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
use crate::release::floor::Floor;
use crate::release::ladder::Figure;
use crate::release::ladder::Level;
use crate::release::ladder::figures;
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
    /// Its rows.
    pub rows: Vec<Row>,
    /// Whether rows that are there and not among these are taken away.
    pub replaces: bool,
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
    /// The day that each collection's counts were released through.
    pub released: &'a HashMap<String, i32>,
    /// Whether the store's register is synthetic.
    pub synthetic: bool,
}

/// What each release is made of, and the last day that it tells of on a day.
#[must_use]
pub fn due(today: i32) -> Vec<(&'static str, &'static str, i32)> {
    let Some(through) = Month::over_on(today).map(last_day) else { return Vec::new() };
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
    let Some(through) = Month::over_on(order.today) else { return Ok(all) };
    let mut known = Known::new();
    for (collection, counts, _) in MEASURES {
        let Some(schema) = built_in(counts)?.filter(|_| view.collection(collection).is_some()) else {
            continue;
        };
        let before = order.released.get(counts).and_then(|day| Month::over_on(day + 1));
        let published = counted::published(view.collection(counts).map(AsRef::as_ref), &schema, &areas);
        let records = counted::records(view, collection, &mut areas);
        let figures = figures(&records, &places, &published, before, through);
        let rows = figures.iter().filter(|figure| before.is_none_or(|before| figure.window.last() > before));
        let outlined = Period::Year.latest(through);
        let row = |figure: &Figure| {
            counted::counts_row(&schema, figure, &areas, figure.window == outlined, order.synthetic)
        };
        let mut rows: Vec<Row> = rows.filter_map(row).collect();
        // Only the latest year has outlines: rows of the one before lose theirs.
        let last = published.iter().filter(|figure| {
            figure.window.period == Period::Year
                && figure.level == Level::Council
                && figure.window != outlined
                && before.is_some_and(|before| figure.window.last() <= before)
        });
        rows.extend(
            last.filter_map(|figure| counted::counts_row(&schema, figure, &areas, false, order.synthetic)),
        );
        known.insert(collection, figures);
        all.push(Released { schema, rows, replaces: false, through: last_day(through) });
    }
    if let Some(schema) = built_in(council_figures::COLLECTION)?.filter(|_| !known.is_empty()) {
        let rows = counted::council_rows(&schema, &known, &areas, through, order.synthetic);
        all.push(Released { schema, rows, replaces: true, through: last_day(through) });
    }
    if let Some(schema) = built_in(national_totals::COLLECTION)?.filter(|_| !known.is_empty()) {
        let rows = counted::national_rows(&schema, &known, order.synthetic);
        all.push(Released { schema, rows, replaces: true, through: last_day(through) });
    }
    let has = |id: &str| view.collection(id).is_some();
    if !has(addresses::COLLECTION) && !has(lines::COLLECTION) {
        return Ok(all);
    }
    let floor = Floor::built_in();
    let weeks = Weeks { before: monday_of(order.today) };
    if let Some(schema) = built_in(address_cells::COLLECTION)?.filter(|_| has(addresses::COLLECTION)) {
        let rows = cells::address_cells(view, &schema, &floor, weeks, &mut areas, order);
        all.push(Released { schema, rows, replaces: true, through: weeks.before - 1 });
    }
    if let Some(schema) = built_in(line_cells::COLLECTION)?.filter(|_| has(lines::COLLECTION)) {
        let rows = cells::line_cells(view, &schema, &floor, weeks, &areas, order);
        all.push(Released { schema, rows, replaces: true, through: weeks.before - 1 });
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
    collection.groups().iter().flat_map(|group| (0..group.len()).map(move |row| (&**group, row)))
}
