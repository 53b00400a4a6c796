//! What is computed from other rows: how many lines run from a hub or to a town, and the geometry of a line. A function
//! of the rows that one view holds, so that hidden links show in neither.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;

use crate::access::Outcome;
use crate::access::view::CollectionView;
use crate::model::CollectionClass;
use crate::model::CollectionSchema;
use crate::model::FieldSchema;
use crate::model::Position;
use crate::model::RowId;
use crate::model::Shape;
use crate::model::ShapeKind;
use crate::model::ValueRef;
use crate::model::collections::built_in;
use crate::model::collections::hubs;
use crate::model::collections::legs;
use crate::model::collections::lines;
use crate::model::collections::towns;
use crate::model::geometry::ShapeBuilder;
use crate::model::schema::DERIVED_GEOMETRY;
use crate::model::schema::SchemaGeometry;
use crate::model::time::DAY_MICROS;
use crate::model::time::Interval;
use crate::snapshot::Collection;
use crate::snapshot::RawRows;
use crate::snapshot::RowGroup;
use crate::snapshot::Version;
use crate::snapshot::build_collection;

/// Collections with something that is computed from links.
pub const OF_LINKS: [&str; 3] = [hubs::COLLECTION, lines::COLLECTION, towns::COLLECTION];

/// The part of a view with what is computed for it, `None` where nothing is: the collection is somebody's layer of that
/// name, or the links are. `day` is that of the picture, as days since 1970-01-01.
pub fn with_links(base: &Arc<CollectionView>, links: &CollectionView, day: i32) -> Option<CollectionView> {
    let own = built_in(&base.schema().id).ok().flatten()?;
    let links_are_ours = links.schema().class == CollectionClass::Register;
    if own.class != base.schema().class || !links_are_ours {
        return None;
    }
    let has = |name: &str| links.schema().position(name).is_some();
    if ![legs::LINE.name(), legs::HUB.name(), legs::TOWN.name()].into_iter().all(has)
        || links.schema().time.is_empty()
    {
        // What is needed for it is not theirs to know.
        return None;
    }
    let derived = own.fields.iter().find(|field| field.derived.is_some());
    let made = match derived {
        Some(field) => {
            let end = if field.derived.as_deref() == Some("lines-from") { "hub" } else { "town" };
            let lines = lines_by_end(links, end, day);
            let count = |group: &RowGroup, row: usize| {
                lines.get(&group.id(row)).map_or(0, |lines| lines.len() as i64)
            };
            rebuilt(base, Some(field), &count, &HashMap::new())
        }
        None if own.derived_geometry.is_some() => rebuilt(base, None, &|_, _| 0, &shapes_by_line(links)),
        None => return None,
    };
    let everything = Outcome::everything();
    let schema = Arc::clone(&made.schema);
    let made = CollectionView::new(&made, &schema, &everything, base.is_about_people(), |group| {
        Some(Arc::clone(group))
    });
    Some(made.made_of(base, links))
}

/// The texts of a field of links, with each row.
fn named<'a>(links: &'a CollectionView, field: &str) -> impl Iterator<Item = (&'a RowGroup, usize, &'a str)> {
    let place = links.schema().position(field);
    links.groups().iter().flat_map(move |group| {
        (0..group.len()).filter_map(move |row| match group.value(place?, row) {
            ValueRef::Text(text) => Some((&**group, row, text)),
            _ => None,
        })
    })
}

/// A row is named by its id here, or by the one that it came with.
fn id_of(text: &str) -> RowId {
    RowId::parse(text).unwrap_or_else(|| RowId::from_public(text))
}

/// Lines with a link that is active on a day, by the place at one of its ends.
fn lines_by_end(links: &CollectionView, end: &str, day: i32) -> HashMap<RowId, HashSet<RowId>> {
    let start = i64::from(day) * DAY_MICROS;
    let day = Interval { start, end: start + DAY_MICROS - 1 };
    let line = links.schema().position(legs::LINE.name());
    let mut lines: HashMap<RowId, HashSet<RowId>> = HashMap::new();
    for (group, row, place) in named(links, end) {
        let (from, to) = group.time(row);
        if let Some(ValueRef::Text(line)) = line.map(|line| group.value(line, row))
            && day.intersects(from, to)
        {
            lines.entry(id_of(place)).or_default().insert(id_of(line));
        }
    }
    lines
}

/// The links of each line as one geometry, by their ids: row groups say nothing of an order.
fn shapes_by_line(links: &CollectionView) -> HashMap<RowId, Shape> {
    let mut paths: HashMap<RowId, BTreeMap<(RowId, usize), Vec<Position>>> = HashMap::new();
    for (group, row, line) in named(links, legs::LINE.name()) {
        let rings = group
            .shape(row)
            .into_iter()
            .filter(|shape| shape.kind.broad() == crate::model::GeometryKind::Line);
        let rings = rings.flat_map(|shape| shape.rings().map(<[Position]>::to_vec).collect::<Vec<_>>());
        let of_line = paths.entry(id_of(line)).or_default();
        of_line.extend(rings.enumerate().map(|(place, ring)| ((group.id(row), place), ring)));
    }
    paths.into_iter().filter_map(|(line, paths)| Some((line, joined(paths.into_values())?))).collect()
}

fn joined(paths: impl Iterator<Item = Vec<Position>>) -> Option<Shape> {
    let mut shape = ShapeBuilder::new(ShapeKind::MultiLineString);
    for path in paths {
        for position in path {
            shape.position(position.lon_degrees(), position.lat_degrees()).ok()?;
        }
        shape.end_ring().ok()?;
        shape.end_part();
    }
    shape.finish()
}

/// All rows of a part once more, with a further field or another geometry.
fn rebuilt(
    base: &CollectionView,
    field: Option<&FieldSchema>,
    count: &dyn Fn(&RowGroup, usize) -> i64,
    shapes: &HashMap<RowId, Shape>,
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
                group.shape(row)
            } else {
                shapes.get(&group.id(row)).map(Shape::as_ref)
            };
            let standing = &group.standings()[group.standing_place(row)];
            raw.push(group.id(row), group.public_id(row), standing, geometry, &values, None);
        }
    }
    let version = Version { sequence: 0, parties: None };
    build_collection(Arc::new(schema), &[raw], version, 0)
}
