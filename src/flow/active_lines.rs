//! What is computed from legs for other collections: how many lines run from a hub or to a town on the day of the
//! picture, and the geometry of a line.
//!
//! In: the hubs, towns, lines and legs that one view holds. Out: derivations for the gate. Each is a function of those
//! rows, so that a leg that the caller may not see is in none of them.
//! Not here: when they are computed and who shares them (`access`).

use std::collections::HashMap;
use std::collections::HashSet;

use crate::access::CollectionView;
use crate::access::Computed;
use crate::access::Derivation;
use crate::access::DerivationKind;
use crate::access::Inputs;
use crate::access::Params;
use crate::model::CollectionClass;
use crate::model::Geometry;
use crate::model::GeometryKind;
use crate::model::GeometryType;
use crate::model::Position;
use crate::model::RowId;
use crate::model::Value;
use crate::model::ValueRef;
use crate::model::collections::Field;
use crate::model::collections::hubs;
use crate::model::collections::legs;
use crate::model::collections::lines;
use crate::model::collections::towns;
use crate::model::geometry::GeometryBuilder;
use crate::model::reference::rows_named;
use crate::model::time::DAY_MICROS;
use crate::model::time::Interval;

/// What is computed from legs for other collections.
pub const DERIVATIONS: [Derivation; 3] = [
    Derivation {
        name: "lines-from",
        kind: DerivationKind::Columns,
        of: hubs::COLLECTION,
        reads: &[legs::COLLECTION],
        make: |inputs, params| active_lines(inputs, params, &legs::HUB),
    },
    Derivation {
        name: "lines-to",
        kind: DerivationKind::Columns,
        of: towns::COLLECTION,
        reads: &[legs::COLLECTION],
        make: |inputs, params| active_lines(inputs, params, &legs::TOWN),
    },
    Derivation {
        name: "legs",
        kind: DerivationKind::Geometry,
        of: lines::COLLECTION,
        reads: &[legs::COLLECTION],
        make: paths,
    },
];

/// The legs, if they are those of the register and the caller sees what is needed of them.
fn legs_of<'a>(inputs: &Inputs<'a>) -> Option<&'a CollectionView> {
    let legs = inputs.part(legs::COLLECTION)?;
    let needed = [legs::LINE.name(), legs::HUB.name(), legs::TOWN.name()];
    let schema = legs.schema();
    // A layer of that name has no legs.
    let are_ours = schema.class == CollectionClass::Register && !schema.time.is_empty();
    (are_ours && needed.into_iter().all(|name| schema.position(name).is_some())).then_some(legs)
}

/// How many lines have a leg that is active on the day of the picture, by the hub or town that `end` names.
fn active_lines(inputs: &Inputs<'_>, params: &Params, end: &Field<str>) -> Option<Computed> {
    let (base, legs) = (inputs.base()?, legs_of(inputs)?);
    let start = i64::from(params.reference_day()) * DAY_MICROS;
    let day = Interval { start, end: start + DAY_MICROS - 1 };
    let places = inputs.resolve(legs, end.name(), base);
    let line = legs.place(&legs::LINE)?;
    let mut active: Vec<(RowId, &str)> = Vec::new();
    for (number, group) in legs.groups().iter().enumerate() {
        for row in 0..group.len() {
            let (from, to) = group.time(row);
            if let Some(place) = places.get(number, row)
                && let ValueRef::Text(line) = group.value(line, row)
                && day.intersects(from, to)
            {
                active.push((base.groups()[place.group as usize].id(place.row as usize), line));
            }
        }
    }
    // A line counts that is named and not there, where the caller has the name.
    let named_lines = rows_named(active.iter().map(|(_, line)| *line));
    let mut lines: HashMap<RowId, HashSet<RowId>> = HashMap::new();
    for ((place, _), line) in active.iter().zip(named_lines) {
        lines.entry(*place).or_default().insert(line);
    }
    let counts = lines.into_iter().map(|(place, lines)| (place, Value::Int(lines.len() as i64)));
    Some(Computed::Columns(counts.collect(), Value::Int(0)))
}

/// The legs of each line as one geometry, in the order of their positions: neither row groups nor the ids that a store
/// draws say anything of an order.
fn paths(inputs: &Inputs<'_>, _params: &Params) -> Option<Computed> {
    let (base, legs) = (inputs.base()?, legs_of(inputs)?);
    let lines = inputs.resolve(legs, legs::LINE.name(), base);
    let mut paths: HashMap<RowId, Vec<Vec<Position>>> = HashMap::new();
    for (number, group) in legs.groups().iter().enumerate() {
        for row in 0..group.len() {
            let Some(line) = lines.get(number, row) else { continue };
            let line = base.groups()[line.group as usize].id(line.row as usize);
            let rings = group
                .geometry(row)
                .into_iter()
                .filter(|geometry| geometry.kind.broad() == GeometryKind::Line);
            let of_line = paths.entry(line).or_default();
            of_line.extend(
                rings.flat_map(|geometry| geometry.rings().map(<[Position]>::to_vec).collect::<Vec<_>>()),
            );
        }
    }
    let drawn = paths.into_iter().filter_map(|(line, mut paths)| {
        paths.sort_unstable();
        Some((line, joined(paths.into_iter())?))
    });
    Some(Computed::Geometry(drawn.collect()))
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
