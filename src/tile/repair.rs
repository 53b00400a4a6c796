//! Repair of polygons on the tile grid: snapping can make edges cross or touch that did not before.
//!
//! A sweep finds whether any two edges meet where they must not. Only then the rings go through `i_overlay`.

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::IntOverlayOptions;
use i_overlay::core::overlay::Overlay;
use i_overlay::core::overlay::ShapeType;
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::core::solver::Solver;
use i_overlay::i_float::int::point::IntPoint;

use crate::tile::clip::Place;
use crate::tile::clip::area2;
use crate::tile::faces::faces;

/// Repairs the rings of one feature so that they are valid polygons.
///
/// Rings are open (the last place does not repeat the first). An outer ring has a positive area and stands before its
/// holes, which have negative areas; the result has the same form, without rings of no area.
///
/// If a ring crosses itself, all that it winds round belongs to the result, in either direction. In a coverage, a part
/// that it winds round in the other direction does not: there snapping moved the border across itself, and the
/// neighbouring polygon, which has the same places, covers that part.
pub fn repair(mut rings: Vec<Vec<Place>>, is_coverage: bool) -> Vec<Vec<Place>> {
    if edges_are_apart(&rings) && each_in_its_place(&rings) {
        return rings;
    }
    if !is_coverage {
        if let [ring] = rings.as_slice() {
            return overlay(std::slice::from_ref(ring), FillRule::NonZero);
        }
        rings = rings.into_iter().flat_map(uncrossed).collect();
    }
    // Where a hole reaches beyond its outer ring, the winding number is negative, so nothing is added there.
    overlay(&rings, FillRule::Positive)
}

/// All that a ring winds round, in either direction, as valid rings: both halves of a figure of eight. Empty if all
/// places lie on a straight line.
pub fn lobes(ring: &[Place]) -> Vec<Vec<Place>> {
    let [a, b, rest @ ..] = ring else { return Vec::new() };
    let turn = |c: &Place| (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0);
    if rest.iter().all(|place| turn(place) == 0) {
        return Vec::new();
    }
    overlay(std::slice::from_ref(&ring.to_vec()), FillRule::NonZero)
}

/// Splits a ring into rings that do not cross themselves; the sign of their area is that of the ring.
fn uncrossed(ring: Vec<Place>) -> Vec<Vec<Place>> {
    if edges_are_apart(std::slice::from_ref(&ring)) {
        return vec![ring];
    }
    let mut rings = overlay(std::slice::from_ref(&ring), FillRule::NonZero);
    if area2(&ring) < 0 {
        for ring in &mut rings {
            ring.reverse();
        }
    }
    rings
}

/// The polygons that the rings describe by a fill rule.
fn overlay(rings: &[Vec<Place>], rule: FillRule) -> Vec<Vec<Place>> {
    let points = rings.iter().map(Vec::len).sum();
    // Vertices on straight edges stay, because the polygon on the other side of the border has them too.
    let options = IntOverlayOptions::keep_all_points();
    let mut overlay = Overlay::new_custom(points, options, Solver::default());
    for ring in rings {
        let points = ring.iter().map(|place| IntPoint::new(place.0 as i32, place.1 as i32));
        overlay.add_path_iter(points, ShapeType::Subject);
    }
    let geometries = overlay.overlay(OverlayRule::Subject, rule);
    let contours = geometries.into_iter().flatten();
    faces(contours.map(|contour| contour.into_iter().map(|at| (i64::from(at.x), i64::from(at.y))).collect()))
}

/// Whether each hole lies within its outer ring and no outer ring lies within another part. No edges may meet, so one
/// place of each ring is enough for the test.
fn each_in_its_place(rings: &[Vec<Place>]) -> bool {
    if rings.len() < 2 {
        return true;
    }
    let outer: Vec<usize> = (0..rings.len()).filter(|at| area2(&rings[*at]) > 0).collect();
    let part = |number: usize| {
        let end = outer.get(number + 1).copied().unwrap_or(rings.len());
        &rings[outer[number]..end]
    };
    let boxes: Vec<[i64; 4]> = outer.iter().map(|at| extent(&rings[*at])).collect();
    (0..outer.len()).all(|number| {
        let [first, holes @ ..] = part(number) else { return true };
        let place = first[0];
        holes.iter().all(|hole| contains(first, hole[0]))
            && (0..outer.len()).filter(|other| *other != number && holds(boxes[*other], place)).all(|other| {
                // A place inside an odd number of a part's rings is inside the part.
                part(other).iter().filter(|ring| contains(ring, place)).count() % 2 == 0
            })
    })
}

fn extent(ring: &[Place]) -> [i64; 4] {
    ring.iter().fold([i64::MAX, i64::MAX, i64::MIN, i64::MIN], |[west, north, east, south], (x, y)| {
        [west.min(*x), north.min(*y), east.max(*x), south.max(*y)]
    })
}

fn holds([west, north, east, south]: [i64; 4], (x, y): Place) -> bool {
    (west..=east).contains(&x) && (north..=south).contains(&y)
}

/// Whether a place is inside a ring; it must not lie on an edge.
pub fn contains(ring: &[Place], (x, y): Place) -> bool {
    let mut inside = false;
    let mut before = ring[ring.len() - 1];
    for at in ring.iter().copied() {
        if (at.1 > y) != (before.1 > y) {
            let turn = (at.0 - before.0) * (y - before.1) - (x - before.0) * (at.1 - before.1);
            if (turn > 0) == (at.1 > before.1) {
                inside = !inside;
            }
        }
        before = at;
    }
    inside
}

/// An edge with its lesser end first.
#[derive(Clone, Copy)]
struct Edge {
    a: Place,
    b: Place,
    low: i64,
    high: i64,
}

impl Edge {
    fn new(one: Place, two: Place) -> Self {
        let (a, b) = if one < two { (one, two) } else { (two, one) };
        Self { a, b, low: a.1.min(b.1), high: a.1.max(b.1) }
    }

    /// Exchanges the two axes.
    fn turn(&mut self) {
        *self = Self::new((self.a.1, self.a.0), (self.b.1, self.b.0));
    }
}

/// Whether edges meet only at the common end of two successive edges of a ring. Also `false` if the check would take too
/// long.
fn edges_are_apart(rings: &[Vec<Place>]) -> bool {
    let mut edges: Vec<Edge> = Vec::with_capacity(rings.iter().map(Vec::len).sum());
    let (mut width, mut height) = (0, 0);
    for ring in rings {
        let mut before = ring[ring.len() - 1];
        for place in ring {
            width += (place.0 - before.0).abs();
            height += (place.1 - before.1).abs();
            edges.push(Edge::new(before, *place));
            before = *place;
        }
    }
    // The sweep goes along the axis on which edges are shorter, so that fewer edges overlap on it.
    if width > height {
        edges.iter_mut().for_each(Edge::turn);
    }
    edges.sort_unstable_by_key(|edge| edge.a);
    // Where more than two edges end at one place, rings touch.
    let mut ends: Vec<Place> = edges.iter().flat_map(|edge| [edge.a, edge.b]).collect();
    ends.sort_unstable();
    if ends.windows(3).any(|three| three[0] == three[2]) {
        return false;
    }
    let mut looks = 1_000_000 + 64 * edges.len();
    for (at, edge) in edges.iter().enumerate() {
        for other in edges[at + 1..].iter().take_while(|other| other.a.0 <= edge.b.0) {
            if other.low <= edge.high && other.high >= edge.low && meet(edge, other) {
                return false;
            }
            looks -= 1;
            if looks == 0 {
                return false;
            }
        }
    }
    true
}

/// Whether two edges share a place that is not a common end, or overlap.
fn meet(one: &Edge, two: &Edge) -> bool {
    let (a, b) = (side(one, two.a), side(one, two.b));
    let (c, d) = (side(two, one.a), side(two, one.b));
    if a == 0 && b == 0 {
        // Both are on one straight line: they may share an end, but not more.
        return one.a.max(two.a) < one.b.min(two.b);
    }
    let common_end = one.a == two.a || one.a == two.b || one.b == two.a || one.b == two.b;
    !common_end && a.signum() * b.signum() <= 0 && c.signum() * d.signum() <= 0
}

fn side(edge: &Edge, place: Place) -> i64 {
    (edge.b.0 - edge.a.0) * (place.1 - edge.a.1) - (edge.b.1 - edge.a.1) * (place.0 - edge.a.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::Area;
    use geo::Validation;
    use proptest::prelude::*;

    fn outer(mut ring: Vec<Place>) -> Vec<Place> {
        if area2(&ring) < 0 {
            ring.reverse();
        }
        ring
    }

    fn to_geo(rings: &[Vec<Place>]) -> geo_types::MultiPolygon<f64> {
        let line = |ring: &[Place]| -> geo_types::LineString<f64> {
            ring.iter().map(|p| geo_types::Coord { x: p.0 as f64, y: p.1 as f64 }).collect()
        };
        let mut polygons: Vec<geo_types::Polygon<f64>> = Vec::new();
        for ring in rings {
            if area2(ring) > 0 {
                polygons.push(geo_types::Polygon::new(line(ring), vec![]));
            } else if let Some(polygon) = polygons.last_mut() {
                polygon.interiors_push(line(ring));
            }
        }
        geo_types::MultiPolygon(polygons)
    }

    #[test]
    fn valid_rings_are_not_changed() {
        let rings =
            vec![outer(vec![(0, 0), (10, 0), (10, 10), (0, 10)]), vec![(2, 2), (2, 4), (4, 4), (4, 2)]];
        assert_eq!(repair(rings.clone(), false), rings);
    }

    #[test]
    fn a_bow_tie_becomes_two_triangles() {
        let tie = vec![(0, 0), (10, 10), (10, 0), (0, 12)];
        let got = repair(vec![outer(tie)], false);
        // By hand: the slanting edges meet at (60 / 11, 60 / 11), so that the halves have 20.7 and 32.7 cells.
        assert_eq!(got.len(), 2, "{got:?}");
        assert!(to_geo(&got).is_valid(), "{got:?}");
        assert!((to_geo(&got).unsigned_area() - 53.4).abs() < 6.0, "{got:?}");
    }

    #[test]
    fn lobes_of_a_figure_of_eight_are_two_and_of_a_straight_line_none() {
        let eight = vec![(0, 0), (10, 10), (10, 0), (0, 10)];
        assert_eq!(area2(&eight), 0);
        let got = lobes(&eight);
        assert!(got.len() == 2 && got.iter().all(|ring| area2(ring) == 50), "{got:?}");
        assert!(lobes(&[(0, 0), (5, 5), (10, 10), (2, 2)]).is_empty());
        // As a hole, it removes both halves.
        let around = outer(vec![(-5, -5), (15, -5), (15, 15), (-5, 15)]);
        let holes = got.into_iter().map(|mut ring| {
            ring.reverse();
            ring
        });
        let left = repair(std::iter::once(around).chain(holes).collect(), false);
        assert!((to_geo(&left).unsigned_area() - 350.0).abs() < 1e-9, "{left:?}");
    }

    #[test]
    fn a_hole_beyond_its_ring_removes_the_common_part_and_adds_nothing() {
        let got = repair(
            vec![outer(vec![(0, 0), (10, 0), (10, 10), (0, 10)]), vec![(5, 5), (5, 8), (15, 8), (15, 5)]],
            false,
        );
        // By hand: 100 less the 5 by 3 that lie inside.
        assert!((to_geo(&got).unsigned_area() - 85.0).abs() < 1e-9);
    }

    #[test]
    fn combs_along_either_axis_are_checked_within_the_limit() {
        // 20,000 teeth of 4,000 cells side by side.
        let comb = |turned: bool| -> Vec<Place> {
            let mut ring: Vec<Place> = (0..40_000).map(|n| (n, if n % 4 < 2 { 0 } else { 4_000 })).collect();
            ring.extend([(39_999, -5), (0, -5)]);
            ring.iter().map(|(x, y)| if turned { (*y, *x) } else { (*x, *y) }).collect()
        };
        for turned in [false, true] {
            assert!(edges_are_apart(&[outer(comb(turned))]));
        }
    }

    #[test]
    fn a_hole_outside_its_ring_and_a_part_within_another_are_repaired() {
        let square =
            |at: i64, side: i64| vec![(at, at), (at + side, at), (at + side, at + side), (at, at + side)];
        let hole = |at: i64, side: i64| square(at, side).into_iter().rev().collect::<Vec<_>>();
        let beside = vec![square(0, 10), hole(20, 5)];
        assert!(edges_are_apart(&beside) && !each_in_its_place(&beside));
        assert_eq!(repair(beside, false).len(), 1);
        let within = vec![square(0, 10), square(2, 5)];
        assert!(edges_are_apart(&within) && !each_in_its_place(&within));
        assert_eq!(repair(within, false).len(), 1);
        let island = vec![square(0, 10), hole(2, 6), square(4, 2)];
        assert_eq!(repair(island.clone(), false), island);
    }

    #[test]
    fn overlapping_parts_become_one() {
        let got = repair(
            vec![
                outer(vec![(0, 0), (10, 0), (10, 10), (0, 10)]),
                outer(vec![(5, 0), (15, 0), (15, 10), (5, 10)]),
            ],
            false,
        );
        assert_eq!(got.len(), 1);
        assert!((to_geo(&got).unsigned_area() - 150.0).abs() < 1e-9);
    }

    #[test]
    fn a_part_that_touches_another_does_not_become_its_hole() {
        // The overlay lists a triangle beside the largest part as a hole of it.
        let got = repair(
            [
                vec![(3, 0), (38, 0), (21, 30), (0, 20)],
                vec![(31, 40), (19, 0), (21, 47), (19, 51), (22, 16), (8, 0), (42, 0), (15, 43), (0, 26)],
                vec![(32, 43), (0, 1), (43, 45)],
            ]
            .map(outer)
            .to_vec(),
            // The second ring crosses itself: in a coverage, its parts of the other direction are left out.
            true,
        );
        assert!(to_geo(&got).is_valid(), "{got:?}");
        assert!(got.iter().any(|ring| area2(ring) == 3), "{got:?}");
    }

    proptest! {
        #[test]
        fn any_rings_are_valid_after_repair(is_coverage: bool, rings in proptest::collection::vec(proptest::collection::vec((0_i64..60, 0_i64..60), 3..12), 1..4)) {
            let rings: Vec<_> = rings.into_iter().map(outer).filter(|ring| area2(ring) != 0).collect();
            let got = repair(rings, is_coverage);
            prop_assert!(got.iter().all(|ring| ring.len() >= 3 && area2(ring) != 0));
            let geometry = to_geo(&got);
            prop_assert!(geometry.is_valid(), "{:?} {:?}", got, geometry.validation_errors());
        }
    }
}
