//! Rows of released counts, council figures and national totals.

use std::collections::BTreeMap;
use std::collections::HashMap;

use crate::access::View;
use crate::model::CollectionSchema;
use crate::model::Row;
use crate::model::Value;
use crate::model::time::format_date;
use crate::release::hierarchy::AreaLevel;
use crate::release::hierarchy::AreasByLevel;
use crate::release::hierarchy::Figure;
use crate::release::hierarchy::Unit;
use crate::release::periods::Month;
use crate::release::periods::Period;
use crate::release::periods::Window;
use crate::release::places::Areas;
use crate::release::rows::MEASURES;
use crate::release::rows::NamedUnit;
use crate::release::rows::all_rows;
use crate::release::rows::day_of;
use crate::release::rows::maybe;
use crate::release::rows::text;
use crate::release::rows::values;

/// The figures of each counted collection.
pub type Known = BTreeMap<&'static str, Vec<Figure>>;

static LEVELS: [AreaLevel; 5] = AreaLevel::ALL;

/// The areas and the month of each row of a collection. A row without a time is not counted.
pub fn records(view: &View, id: &str, areas: &mut Areas<'_>) -> Vec<(AreasByLevel, Month)> {
    let Some(collection) = view.collection(id) else { return Vec::new() };
    let schema = collection.schema();
    let Some(time) = schema.time.first().and_then(|name| schema.position(name)) else { return Vec::new() };
    let mut records = Vec::new();
    for (group, row) in all_rows(collection) {
        if let Some(month) = day_of(group.value(time, row)).and_then(Month::of) {
            records.push((areas.of_row(|name| schema.position(name), group, row), month));
        }
    }
    records
}

/// The unit with the code of its area, to be stored.
pub fn name_unit(unit: &Unit, areas: &Areas<'_>) -> NamedUnit {
    NamedUnit {
        level: unit.level.as_str().to_owned(),
        area: areas.area(unit.area).code.clone(),
        period: unit.window.period.as_str().to_owned(),
        month: unit.window.first.0,
        records: unit.records,
    }
}

/// The unit that was stored; `None` if its area no longer exists.
pub fn read_unit(named: &NamedUnit, areas: &Areas<'_>) -> Option<Unit> {
    let level = AreaLevel::ALL.into_iter().find(|known| known.as_str() == named.level)?;
    let period = Period::ALL.into_iter().find(|known| known.as_str() == named.period)?;
    let area = areas.find(level, &named.area)?;
    Some(Unit { level, area, window: period.window(Month(named.month)), records: named.records })
}

/// The row of a figure, with the polygon of its council if `outlined`; `None` if its window is outside the calendar.
pub fn counts_row(
    schema: &CollectionSchema,
    figure: &Figure,
    areas: &Areas<'_>,
    outlined: bool,
    synthetic: bool,
) -> Option<Row> {
    let area = areas.area(figure.area);
    let (first, last) = figure.window.days()?;
    let period = figure.window.period.as_str();
    let outline =
        (outlined && figure.level == AreaLevel::Council).then(|| areas.outline(figure.area)).flatten();
    Some(Row {
        id: None,
        public_id: Some(format!("{}:{}:{period}:{}", area.level.as_str(), area.code, format_date(first))),
        geometry: outline
            .and_then(|(group, row)| group.geometry(row))
            .map(crate::model::GeometryRef::to_geometry),
        values: values(
            schema,
            &[
                ("area", text(&area.code)),
                ("area_name", text(&area.name)),
                ("level", text(area.level.as_str())),
                ("period", text(period)),
                ("starts", Value::Date(first)),
                ("ends", Value::Date(last)),
                ("count", Value::Int(figure.count as i64)),
                ("force", maybe(area.force.as_ref())),
                ("region", maybe(area.region.as_ref())),
                ("synthetic", Value::Bool(synthetic)),
            ],
        ),
    })
}

/// The rows of the council figures: for each council and measure the first figure that exists in the publication
/// hierarchy.
pub fn council_rows(
    schema: &CollectionSchema,
    known: &Known,
    areas: &Areas<'_>,
    through: Month,
    synthetic: bool,
) -> Vec<Row> {
    let mut rows = Vec::new();
    for (measure, figures) in known {
        let by: HashMap<_, u64> =
            figures.iter().map(|figure| ((figure.level, figure.area, figure.window), figure.count)).collect();
        for within in areas.councils() {
            let Some(council) = within[AreaLevel::Council as usize].map(|council| areas.area(council)) else {
                continue;
            };
            let level_found = hierarchy(through).find_map(|(level, window)| {
                let area = within[level as usize]?;
                by.get(&(level, area, window)).map(|count| (level, area, window, Some(*count)))
            });
            // If even the nation has too few records, the row is for the nation and has no count.
            let lowest = hierarchy(through)
                .last()
                .and_then(|(level, window)| within[level as usize].map(|area| (level, area, window, None)));
            let Some((level, area, window, count)) = level_found.or(lowest) else { continue };
            let Some((first, last)) = window.days() else { continue };
            let named = [
                ("council", text(&council.code)),
                ("council_name", text(&council.name)),
                ("measure", text(measure)),
                ("level", text(level.as_str())),
                ("area_name", text(&areas.area(area).name)),
                ("period", text(window.period.as_str())),
                ("starts", Value::Date(first)),
                ("ends", Value::Date(last)),
                ("count", count.map_or(Value::Null, |count| Value::Int(count as i64))),
                ("synthetic", Value::Bool(synthetic)),
            ];
            rows.push(Row {
                id: None,
                public_id: Some(format!("{}:{measure}", council.code)),
                geometry: None,
                values: values(schema, &named),
            });
        }
    }
    rows
}

/// The publication hierarchy in which a council's figure is looked up: areas below the nation for the latest year, then for
/// the latest three years, then the nation for both.
fn hierarchy(through: Month) -> impl Iterator<Item = (AreaLevel, Window)> {
    let stretches = [Period::Year.latest(through), Period::ThreeYears.latest(through)];
    let of = move |levels: &'static [AreaLevel]| {
        stretches.into_iter().flat_map(move |window| levels.iter().map(move |level| (*level, window)))
    };
    let (below, nation) = LEVELS.split_at(AreaLevel::Nation as usize);
    of(below).chain(of(nation))
}

pub fn national_rows(schema: &CollectionSchema, known: &Known, synthetic: bool) -> Vec<Row> {
    let public = |measure: &str| MEASURES.iter().any(|(known, _, public)| *known == measure && *public);
    let mut rows = Vec::new();
    for (measure, figures) in known.iter().filter(|(measure, _)| public(measure)) {
        let of_nation =
            |figure: &&Figure| figure.level == AreaLevel::Nation && figure.window.period == Period::Year;
        for figure in figures.iter().filter(of_nation) {
            let Some((first, last)) = figure.window.days() else { continue };
            let named = [
                ("measure", text(measure)),
                ("starts", Value::Date(first)),
                ("ends", Value::Date(last)),
                ("count", Value::Int(figure.count as i64)),
                ("synthetic", Value::Bool(synthetic)),
            ];
            rows.push(Row {
                id: None,
                public_id: Some(format!("{measure}:{}", format_date(first))),
                geometry: None,
                values: values(schema, &named),
            });
        }
    }
    rows
}
