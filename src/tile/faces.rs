//! Valid polygons from contours that may touch at places.
//!
//! A geometry that the overlay returns can touch itself, or can list a part as a hole of the part beside it. Its edges are
//! right, so the rings are traced again: round each face of the plane, with the sharpest possible turn at each place.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::tile::clip::Place;
use crate::tile::clip::area2;
use crate::tile::repair::contains;

/// The rings of valid polygons from closed contours. Outer rings have a positive area and stand before their holes.
///
/// Edges of the contours must meet only at their ends, and the inside must be on the side where a ring of positive area
/// has it.
pub fn faces(contours: impl Iterator<Item = Vec<Place>>) -> Vec<Vec<Place>> {
    let mut edges: Vec<(Place, Place)> = Vec::new();
    for contour in contours {
        edges.extend(contour.iter().copied().zip(contour.iter().copied().cycle().skip(1)));
    }
    edges.sort_unstable();
    let mut taken = vec![false; edges.len()];
    let mut parts: Vec<Vec<Vec<Place>>> = Vec::new();
    let mut loose: Vec<Vec<Place>> = Vec::new();
    for start in 0..edges.len() {
        if taken[start] {
            continue;
        }
        let (outer, holes): (Vec<_>, Vec<_>) =
            simple_rings(&walk(&edges, &mut taken, start)).into_iter().partition(|ring| area2(ring) > 0);
        if outer.is_empty() {
            loose.extend(holes);
        } else {
            parts.push(outer.into_iter().chain(holes).collect());
        }
    }
    // The remaining rings are holes that touch no outer ring. Each belongs to the smallest part around it.
    for hole in loose {
        let around = parts.iter_mut().filter(|part| middle_is_within(&part[0], &hole));
        if let Some(part) = around.min_by_key(|part| area2(&part[0])) {
            part.push(hole);
        }
    }
    parts.into_iter().flatten().collect()
}

/// The places round one face, from the edge `start` on, with the inside on the left of the edges. Marks the edges as
/// taken.
fn walk(edges: &[(Place, Place)], taken: &mut [bool], start: usize) -> Vec<Place> {
    let mut places = Vec::new();
    let mut at = start;
    while !taken[at] {
        taken[at] = true;
        let (from, to) = edges[at];
        places.push(from);
        let first = edges.partition_point(|edge| edge.0 < to);
        let leaving = first..edges.partition_point(|edge| edge.0 <= to);
        let way = |edge: usize| (edges[edge].1.0 - to.0, edges[edge].1.1 - to.1);
        let back = (from.0 - to.0, from.1 - to.1);
        let Some(next) = leaving.min_by(|one, two| order_from(back, way(*one), way(*two))) else { break };
        at = next;
    }
    places
}

/// Which of two directions comes first when turning from `back` through the inside.
fn order_from(back: Place, one: Place, two: Place) -> Ordering {
    let half = |way: Place| match (cross(back, way), dot(back, way)) {
        (turn, _) if turn < 0 => 0,
        (0, along) if along < 0 => 1,
        (0, _) => 3,
        _ => 2,
    };
    half(one).cmp(&half(two)).then(cross(one, two).cmp(&0))
}

/// Splits a closed walk at each place that it passes twice, into rings that pass each place once; without rings of no
/// area.
fn simple_rings(walk: &[Place]) -> Vec<Vec<Place>> {
    let mut rings = Vec::new();
    let mut path: Vec<Place> = Vec::new();
    let mut places: HashMap<Place, usize> = HashMap::new();
    for place in walk {
        if let Some(since) = places.get(place).copied() {
            let ring = path.split_off(since);
            for left in &ring {
                places.remove(left);
            }
            rings.push(ring);
        }
        places.insert(*place, path.len());
        path.push(*place);
    }
    rings.push(path);
    rings.retain(|ring| area2(ring) != 0);
    rings
}

/// Whether a ring lies within an outer ring. They may meet at vertices only, so the middle of one edge is enough for the
/// test: it is on no edge of the outer ring. The grid is doubled so that the middle is on it.
fn middle_is_within(outer: &[Place], ring: &[Place]) -> bool {
    let doubled: Vec<Place> = outer.iter().map(|place| (2 * place.0, 2 * place.1)).collect();
    contains(&doubled, (ring[0].0 + ring[1].0, ring[0].1 + ring[1].1))
}

fn cross(one: Place, two: Place) -> i64 {
    one.0 * two.1 - one.1 * two.0
}

fn dot(one: Place, two: Place) -> i64 {
    one.0 * two.0 + one.1 * two.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_that_touch_at_corners_stay_four_parts() {
        // Four squares touch corner to corner; the area that they enclose belongs to none.
        let square = |x: i64, y: i64| vec![(x, y), (x + 2, y), (x + 2, y + 2), (x, y + 2)];
        let rings = faces([square(2, 0), square(0, 2), square(4, 2), square(2, 4)].into_iter());
        assert_eq!(rings.len(), 4);
        assert!(rings.iter().all(|ring| area2(ring) == 8));
    }

    #[test]
    fn a_ring_that_passes_a_place_twice_becomes_a_ring_and_its_hole() {
        let rings =
            faces([vec![(0, 0), (10, 0), (10, 10), (0, 10), (0, 5), (4, 7), (4, 3), (0, 5)]].into_iter());
        let areas: Vec<i128> = rings.iter().map(|ring| area2(ring)).collect();
        assert_eq!(areas, [200, -16]);
    }

    #[test]
    fn a_hole_belongs_to_the_smallest_part_around_it() {
        let square =
            |at: i64, side: i64| vec![(at, at), (at + side, at), (at + side, at + side), (at, at + side)];
        let hole = |at, side| square(at, side).into_iter().rev().collect::<Vec<_>>();
        let rings = faces([square(0, 20), hole(2, 16), square(4, 12), hole(6, 2)].into_iter());
        let areas: Vec<i128> = rings.iter().map(|ring| area2(ring)).collect();
        assert_eq!(areas, [800, -512, 288, -8]);
    }
}
