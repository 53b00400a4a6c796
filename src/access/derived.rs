//! What is computed from other rows: how many lines run from a hub or to a town, and the geometry of a line. A function
//! of the rows that one view holds, so that hidden legs show in neither.

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

use crate::access::Entitlement;
use crate::access::view::CollectionView;
use crate::model::CollectionClass;
use crate::model::CollectionSchema;
use crate::model::FieldSchema;
use crate::model::Geometry;
use crate::model::GeometryType;
use crate::model::Position;
use crate::model::RowId;
use crate::model::ValueRef;
use crate::model::collections::built_in;
use crate::model::collections::hubs;
use crate::model::collections::legs;
use crate::model::collections::lines;
use crate::model::collections::towns;
use crate::model::geometry::GeometryBuilder;
use crate::model::reference::Reference;
use crate::model::reference::rows_named;
use crate::model::schema::DERIVED_GEOMETRY;
use crate::model::schema::SchemaGeometry;
use crate::model::time::DAY_MICROS;
use crate::model::time::Interval;
use crate::snapshot::Collection;
use crate::snapshot::RawRows;
use crate::snapshot::RowGroup;
use crate::snapshot::Version;
use crate::snapshot::build_collection;

/// Collections with something that is computed from legs.
pub const OF_LEGS: [&str; 3] = [hubs::COLLECTION, lines::COLLECTION, towns::COLLECTION];

/// The part of a view with what is computed for it, `None` where nothing is: the collection is somebody's layer of that
/// name, or the legs are. `day` is that of the picture, as days since 1970-01-01.
pub fn with_legs(base: &Arc<CollectionView>, legs: &CollectionView, day: i32) -> Option<CollectionView> {
    let own = built_in(&base.schema().id).ok().flatten()?;
    let legs_are_ours = legs.schema().class == CollectionClass::Register;
    if own.class != base.schema().class || !legs_are_ours {
        return None;
    }
    let has = |name: &str| legs.schema().position(name).is_some();
    if ![legs::LINE.name(), legs::HUB.name(), legs::TOWN.name()].into_iter().all(has)
        || legs.schema().time.is_empty()
    {
        // What is needed for it is not theirs to know.
        return None;
    }
    let derived = own.fields.iter().find(|field| field.derived.is_some());
    let made = match derived {
        Some(field) => {
            let end = if field.derived.as_deref() == Some("lines-from") { "hub" } else { "town" };
            let lines = lines_by_end(base, legs, end, day);
            let count = |group: &RowGroup, row: usize| {
                lines.get(&group.id(row)).map_or(0, |lines| lines.len() as i64)
            };
            rebuilt(base, Some(field), &count, &HashMap::new())
        }
        None if own.derived_geometry.is_some() => {
            rebuilt(base, None, &|_, _| 0, &geometries_by_line(base, legs))
        }
        None => return None,
    };
    let everything = Entitlement::everything();
    let schema = Arc::clone(&made.schema);
    let made = CollectionView::new(&made, &schema, &everything, base.is_about_people(), |group| {
        Some(Arc::clone(group))
    });
    Some(made.made_of(base, legs))
}

/// The texts of a field of legs, with each row.
fn named<'a>(legs: &'a CollectionView, field: &str) -> impl Iterator<Item = (&'a RowGroup, usize, &'a str)> {
    let place = legs.schema().position(field);
    legs.groups().iter().flat_map(move |group| {
        (0..group.len()).filter_map(move |row| match group.value(place?, row) {
            ValueRef::Text(text) => Some((&**group, row, text)),
            _ => None,
        })
    })
}

/// The rows of a part by the texts that name them, each text looked up once.
struct Targets<'a> {
    part: &'a CollectionView,
    known: HashMap<&'a str, Option<RowId>>,
}

impl<'a> Targets<'a> {
    fn of(part: &'a CollectionView) -> Self {
        Self { part, known: HashMap::new() }
    }

    fn named(&mut self, text: &'a str) -> Option<RowId> {
        let part = self.part;
        let find = || Reference::of(text).among(|id| part.find(id).is_some());
        *self.known.entry(text).or_insert_with(find)
    }
}

/// Lines with a leg that is active on a day, by the row of `base` at one of its ends.
fn lines_by_end(
    base: &CollectionView,
    legs: &CollectionView,
    end: &str,
    day: i32,
) -> HashMap<RowId, HashSet<RowId>> {
    let start = i64::from(day) * DAY_MICROS;
    let day = Interval { start, end: start + DAY_MICROS - 1 };
    let line = legs.schema().position(legs::LINE.name());
    let mut active: Vec<(&str, &str)> = Vec::new();
    for (group, row, place) in named(legs, end) {
        let (from, to) = group.time(row);
        if let Some(ValueRef::Text(line)) = line.map(|line| group.value(line, row))
            && day.intersects(from, to)
        {
            active.push((place, line));
        }
    }
    // Whether the lines themselves may be seen does not matter here: they are only counted.
    let named_lines = rows_named(active.iter().map(|(_, line)| *line));
    let mut targets = Targets::of(base);
    let mut lines: HashMap<RowId, HashSet<RowId>> = HashMap::new();
    for ((place, _), line) in active.iter().zip(named_lines) {
        if let Some(place) = targets.named(place) {
            lines.entry(place).or_default().insert(line);
        }
    }
    lines
}

/// The legs of each line as one geometry, in the order of their positions: neither row groups nor the ids that a store
/// draws say anything of an order.
fn geometries_by_line(base: &CollectionView, legs: &CollectionView) -> HashMap<RowId, Geometry> {
    let mut targets = Targets::of(base);
    let mut paths: HashMap<RowId, Vec<Vec<Position>>> = HashMap::new();
    for (group, row, line) in named(legs, legs::LINE.name()) {
        let Some(line) = targets.named(line) else { continue };
        let rings = group
            .geometry(row)
            .into_iter()
            .filter(|geometry| geometry.kind.broad() == crate::model::GeometryKind::Line);
        let of_line = paths.entry(line).or_default();
        of_line.extend(
            rings.flat_map(|geometry| geometry.rings().map(<[Position]>::to_vec).collect::<Vec<_>>()),
        );
    }
    let drawn = paths.into_iter().filter_map(|(line, mut paths)| {
        paths.sort_unstable();
        Some((line, joined(paths.into_iter())?))
    });
    drawn.collect()
}

fn joined(paths: impl Iterator<Item = Vec<Position>>) -> Option<Geometry> {
    let mut geometry = GeometryBuilder::new(GeometryType::MultiLineString);
    for path in paths {
        for position in path {
            geometry.position(position.lon_degrees(), position.lat_degrees()).ok()?;
        }
        geometry.end_ring().ok()?;
        geometry.end_part();
    }
    geometry.finish()
}

/// All rows of a part once more, with a further field or another geometry.
fn rebuilt(
    base: &CollectionView,
    field: Option<&FieldSchema>,
    count: &dyn Fn(&RowGroup, usize) -> i64,
    geometries: &HashMap<RowId, Geometry>,
) -> Collection {
    let mut schema: CollectionSchema = base.schema().clone();
    schema.fields.extend(field.cloned());
    if field.is_none() {
        schema.geometry = SchemaGeometry::Line;
        schema.derived_geometry = Some(DERIVED_GEOMETRY.to_owned());
    }
    let mut raw = RawRows::new(&schema);
    raw.reserve(base.rows());
    for group in base.groups() {
        for row in 0..group.len() {
            let mut values: Vec<ValueRef<'_>> =
                (0..base.schema().fields.len()).map(|field| group.value(field, row)).collect();
            let geometry = if field.is_some() {
                values.push(ValueRef::Int(count(group, row)));
                group.geometry(row)
            } else {
                geometries.get(&group.id(row)).map(Geometry::as_ref)
            };
            let rights = &group.row_rights()[group.rights_code(row)];
            raw.push(group.id(row), group.public_id(row), rights, geometry, &values, None);
        }
    }
    let version = Version { sequence: 0, parties: None };
    build_collection(Arc::new(schema), &[raw], version, 0)
}
