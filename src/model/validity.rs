//! Checks that a polygon is simple: that its rings do not cross, overlap, touch or collapse.
//!
//! Exact on the 1e-7 degree grid. Not here: repair (`tile`).

use crate::model::GeometryKind;
use crate::model::GeometryRef;
use crate::model::Position;
use crate::model::geometry::turn;

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// No ring crosses, overlaps or touches itself or another ring of its part, and no ring has collapsed.
    Simple,
    /// A ring breaks one of these conditions at this position, the first that was found.
    Broken(Position),
    /// The check would need more than [`MAX_PAIRS`] comparisons, so it was stopped.
    Unchecked,
}

/// The most pairs of edges that are compared for one geometry: about a second's work.
pub const MAX_PAIRS: u64 = 100_000_000;

/// Checks the rings of a polygon. Points and lines are always simple.
///
/// Exact on the 1e-7 degree grid. Rings of one part are compared with each other; different parts are not. The check
/// is a plane sweep over edges sorted by longitude: near linear for coastlines, quadratic only if most edges share
/// their longitudes.
#[must_use]
pub fn validity(geometry: GeometryRef<'_>) -> Validity {
    if geometry.kind.broad() != GeometryKind::Polygon {
        return Validity::Simple;
    }
    let mut pairs = 0;
    geometry
        .parts()
        .map(|part| part_validity(part, &mut pairs))
        .find(|found| *found != Validity::Simple)
        .unwrap_or(Validity::Simple)
}

struct Edge {
    a: Position,
    b: Position,
    ring: usize,
    place: usize,
    last: bool,
}

fn part_validity(part: GeometryRef<'_>, pairs: &mut u64) -> Validity {
    let mut edges = Vec::with_capacity(part.positions.len());
    for (ring_index, ring) in part.rings().enumerate() {
        // A repeated position is allowed, but its zero-length edge would look like a touch.
        let mut clean: Vec<Position> = ring.to_vec();
        clean.dedup();
        if clean.len() < 4 {
            // The ring has shrunk to a line or a point.
            return clean.first().map_or(Validity::Simple, |place| Validity::Broken(*place));
        }
        let count = clean.len().saturating_sub(1);
        for (place, pair) in clean.windows(2).enumerate() {
            edges.push(Edge { a: pair[0], b: pair[1], ring: ring_index, place, last: place + 1 == count });
        }
    }
    edges.sort_unstable_by_key(|edge| edge.a.lon.min(edge.b.lon));
    let mut active: Vec<usize> = Vec::new();
    for (index, edge) in edges.iter().enumerate() {
        let west = edge.a.lon.min(edge.b.lon);
        active.retain(|other| edges[*other].a.lon.max(edges[*other].b.lon) >= west);
        *pairs += active.len() as u64;
        if *pairs > MAX_PAIRS {
            return Validity::Unchecked;
        }
        for other in &active {
            if let Some(place) = edges_clash(&edges[*other], edge) {
                return Validity::Broken(place);
            }
        }
        active.push(index);
    }
    Validity::Simple
}

/// A position where two edges of one part meet in a way that a valid polygon does not allow.
fn edges_clash(one: &Edge, two: &Edge) -> Option<Position> {
    if one.a.lat.max(one.b.lat) < two.a.lat.min(two.b.lat)
        || two.a.lat.max(two.b.lat) < one.a.lat.min(one.b.lat)
    {
        return None;
    }
    let (d1, d2) = (turn(one.a, one.b, two.a).signum(), turn(one.a, one.b, two.b).signum());
    let (d3, d4) = (turn(two.a, two.b, one.a).signum(), turn(two.a, two.b, one.b).signum());
    if d1 * d2 > 0 || d3 * d4 > 0 {
        return None;
    }
    if d1 * d2 < 0 && d3 * d4 < 0 {
        return Some(two.a);
    }
    let on = |edge: &Edge, p: Position, side: i128| {
        side == 0
            && p.lon >= edge.a.lon.min(edge.b.lon)
            && p.lon <= edge.a.lon.max(edge.b.lon)
            && p.lat >= edge.a.lat.min(edge.b.lat)
            && p.lat <= edge.a.lat.max(edge.b.lat)
    };
    let touches = [(one, two.a, d1), (one, two.b, d2), (two, one.a, d3), (two, one.b, d4)];
    let mut shared = None;
    for (edge, p, side) in touches {
        if !on(edge, p, side) {
            continue;
        }
        match shared {
            None => shared = Some(p),
            // Two different common positions: the edges overlap.
            Some(first) if first != p => return Some(p),
            Some(_) => {}
        }
    }
    let place = shared?;
    if one.ring == two.ring {
        let neighbours = one.place + 1 == two.place
            || two.place + 1 == one.place
            || (one.place == 0 && two.last)
            || (two.place == 0 && one.last);
        return (!neighbours).then_some(place);
    }
    // Two rings may touch in a single position.
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Geometry;
    use crate::model::GeometryType;
    use crate::model::geometry::GeometryBuilder;

    fn ring(geometry: &mut GeometryBuilder, corners: &[(f64, f64)]) {
        for (lon, lat) in corners {
            geometry.position(*lon, *lat).unwrap();
        }
        geometry.end_ring().unwrap();
    }

    fn square_with_hole() -> Geometry {
        let mut geometry = GeometryBuilder::new(GeometryType::Polygon);
        ring(&mut geometry, &[(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0), (0.0, 0.0)]);
        ring(&mut geometry, &[(4.0, 4.0), (4.0, 6.0), (6.0, 6.0), (6.0, 4.0), (4.0, 4.0)]);
        geometry.end_part();
        geometry.finish().unwrap()
    }

    #[test]
    fn crossings_and_touches_are_found() {
        let mut bow = GeometryBuilder::new(GeometryType::Polygon);
        ring(&mut bow, &[(0.0, 0.0), (2.0, 2.0), (2.0, 0.0), (0.0, 2.0), (0.0, 0.0)]);
        bow.end_part();
        assert!(matches!(validity(bow.finish().unwrap().as_ref()), Validity::Broken(_)));
        let mut pinch = GeometryBuilder::new(GeometryType::Polygon);
        ring(
            &mut pinch,
            &[(0.0, 0.0), (2.0, 2.0), (4.0, 0.0), (4.0, 4.0), (2.0, 2.0), (0.0, 4.0), (0.0, 0.0)],
        );
        pinch.end_part();
        assert!(matches!(validity(pinch.finish().unwrap().as_ref()), Validity::Broken(_)));
        assert_eq!(validity(square_with_hole().as_ref()), Validity::Simple);
    }

    #[test]
    fn a_comb_that_needs_too_many_comparisons_is_left_unchecked() {
        let mut comb = GeometryBuilder::new(GeometryType::Polygon);
        // Teeth that all span the same longitudes.
        let teeth: Vec<(f64, f64)> = (0..20_000)
            .map(|tooth| (if tooth % 2 == 0 { 0.0 } else { 10.0 }, f64::from(tooth) * 1e-3))
            .collect();
        for (lon, lat) in teeth.iter().chain([&(20.0, 10.0), &teeth[0]]) {
            comb.position(*lon, *lat).unwrap();
        }
        comb.end_ring().unwrap();
        comb.end_part();
        let start = std::time::Instant::now();
        assert_eq!(validity(comb.finish().unwrap().as_ref()), Validity::Unchecked);
        // About a second in a release build; a build without optimisation on a busy machine takes much longer.
        assert!(start.elapsed().as_secs() < 60);
    }
}
