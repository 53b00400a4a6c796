//! Clipping of lines and rings to the square of a tile and its buffer, in sixteenths of a grid cell.

use crate::tile::grid::BUFFER;
use crate::tile::grid::TILE_EXTENT;

/// A place (x, y) on the tile grid, or on the finer grid of sixteenths; y grows to the south.
pub type Place = (i64, i64);

/// The number of parts of a cell's side, as a power of two: 2^4 = 16.
pub const SIXTEENTHS: u32 = 4;
const LOW: i64 = -BUFFER << SIXTEENTHS;
const HIGH: i64 = (TILE_EXTENT + BUFFER) << SIXTEENTHS;

/// Whether a place is in the square; its edges belong to it.
pub fn holds(place: Place) -> bool {
    (LOW..=HIGH).contains(&place.0) && (LOW..=HIGH).contains(&place.1)
}

/// Appends the pieces of a line inside the square to `pieces`. A line that leaves the square and comes back gives two.
pub fn clip_line(line: &[Place], pieces: &mut Vec<Vec<Place>>) {
    if line.len() < 2 {
        return;
    }
    if line.iter().all(|place| holds(*place)) {
        pieces.push(line.to_vec());
        return;
    }
    let first = pieces.len();
    let mut open = false;
    for pair in line.windows(2) {
        let Some((start, end)) = clip_segment(pair[0], pair[1]) else {
            open = false;
            continue;
        };
        if open && let Some(piece) = pieces[first..].last_mut() {
            piece.push(end);
        } else {
            let mut piece = Vec::with_capacity(line.len());
            piece.extend([start, end]);
            pieces.push(piece);
        }
        open = end == pair[1];
    }
}

/// The part of a segment inside the square; `None` if there is none.
///
/// It is computed from the lesser end, so that a segment is clipped at the same place in both directions.
/// Source: Liang and Barsky (1984).
fn clip_segment(a: Place, b: Place) -> Option<(Place, Place)> {
    if holds(a) && holds(b) {
        return Some((a, b));
    }
    if a > b {
        return clip_segment(b, a).map(|(start, end)| (end, start));
    }
    let (dx, dy) = ((b.0 - a.0) as f64, (b.1 - a.1) as f64);
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for (step, room) in [
        (-dx, (a.0 - LOW) as f64),
        (dx, (HIGH - a.0) as f64),
        (-dy, (a.1 - LOW) as f64),
        (dy, (HIGH - a.1) as f64),
    ] {
        if step == 0.0 {
            if room < 0.0 {
                return None;
            }
            continue;
        }
        let fraction = room / step;
        if step < 0.0 {
            enter = enter.max(fraction);
        } else {
            leave = leave.min(fraction);
        }
    }
    if enter > leave {
        return None;
    }
    let at = |fraction: f64| {
        if fraction <= 0.0 {
            a
        } else if fraction >= 1.0 {
            b
        } else {
            ((a.0 as f64 + fraction * dx).round() as i64, (a.1 as f64 + fraction * dy).round() as i64)
        }
    };
    Some((at(enter), at(leave)))
}

/// Clips an open ring (its last place does not repeat the first) to the square; nothing inside leaves it empty.
///
/// If the ring leaves the square and comes back, its pieces are connected along the square's edge. `spare` is a buffer.
/// Source: Sutherland and Hodgman (1974).
pub fn clip_ring(ring: &mut Vec<Place>, spare: &mut Vec<Place>) {
    for side in 0..4 {
        let inside = |p: Place| match side {
            0 => p.0 >= LOW,
            1 => p.0 <= HIGH,
            2 => p.1 >= LOW,
            _ => p.1 <= HIGH,
        };
        let cross = |a: Place, b: Place| -> Place {
            let (a, b) = if a > b { (b, a) } else { (a, b) };
            let edge = if side % 2 == 0 { LOW } else { HIGH };
            if side < 2 {
                let fraction = (edge - a.0) as f64 / (b.0 - a.0) as f64;
                (edge, (a.1 as f64 + fraction * (b.1 - a.1) as f64).round() as i64)
            } else {
                let fraction = (edge - a.1) as f64 / (b.1 - a.1) as f64;
                ((a.0 as f64 + fraction * (b.0 - a.0) as f64).round() as i64, edge)
            }
        };
        if ring.iter().all(|place| inside(*place)) {
            continue;
        }
        spare.clear();
        let Some(mut before) = ring.last().copied() else { return };
        for point in ring.iter().copied() {
            if inside(point) != inside(before) {
                spare.push(cross(before, point));
            }
            if inside(point) {
                spare.push(point);
            }
            before = point;
        }
        std::mem::swap(ring, spare);
    }
}

/// Twice the signed area of a ring, closed or not. With y growing to the south, it is positive for a clockwise ring.
pub fn area2(ring: &[Place]) -> i128 {
    let Some(first) = ring.first() else { return 0 };
    ring.iter()
        .zip(ring.iter().cycle().skip(1))
        .map(|(a, b)| {
            // Relative to the first place, so that numbers stay small.
            let (ax, ay, bx, by) = (a.0 - first.0, a.1 - first.1, b.0 - first.0, b.1 - first.1);
            i128::from(ax) * i128::from(by) - i128::from(bx) * i128::from(ay)
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(places: &[Place]) -> Vec<Vec<Place>> {
        let mut pieces = Vec::new();
        clip_line(places, &mut pieces);
        pieces
    }

    fn ring(places: &[Place]) -> Vec<Place> {
        let mut ring = places.to_vec();
        clip_ring(&mut ring, &mut Vec::new());
        ring
    }

    #[test]
    fn a_line_that_leaves_the_square_and_comes_back_gives_two_pieces() {
        let pieces = line(&[(100, 100), (100, -5_000), (300, -5_000), (300, 100)]);
        assert_eq!(pieces, [vec![(100, 100), (100, LOW)], vec![(300, LOW), (300, 100)]]);
        // A line without a vertex inside.
        assert_eq!(line(&[(-10_000, 50), (90_000, 50)]), [vec![(LOW, 50), (HIGH, 50)]]);
        assert!(line(&[(-10_000, 50), (50, -10_000)]).is_empty());
    }

    #[test]
    fn a_ring_around_the_tile_fills_it() {
        let far = 90_000;
        let filled = ring(&[(-far, -far), (far, -far), (far, far), (-far, far)]);
        assert_eq!(area2(&filled), 2 * i128::from(HIGH - LOW).pow(2));
        assert!(ring(&[(-9_000, -9_000), (-8_000, -9_000), (-8_000, -8_000)]).is_empty());
    }

    proptest! {
        #[test]
        fn a_segment_is_clipped_at_the_same_places_in_both_directions(
            a in (-200_000_i64..200_000, -200_000_i64..200_000), b in (-200_000_i64..200_000, -200_000_i64..200_000),
        ) {
            let there = clip_segment(a, b);
            prop_assert_eq!(there, clip_segment(b, a).map(|(start, end)| (end, start)));
            if let Some((start, end)) = there {
                prop_assert!(holds(start) && holds(end));
            }
        }

        #[test]
        fn a_clipped_triangle_has_the_area_of_the_intersection(corners in proptest::array::uniform3((-200_000_i64..200_000, -200_000_i64..200_000))) {
            let clipped = ring(&corners);
            prop_assert!(clipped.iter().all(|place| holds(*place)));
            // Second source: `geo`'s boolean operations on the same triangle and square.
            let corner = |p: Place| geo_types::Coord { x: p.0 as f64, y: p.1 as f64 };
            let triangle = geo_types::Polygon::new(corners.iter().map(|p| corner(*p)).collect(), vec![]);
            let (low, high) = (LOW as f64, HIGH as f64);
            let square = geo_types::Rect::new((low, low), (high, high)).to_polygon();
            let expected = geo::Area::unsigned_area(&geo::BooleanOps::intersection(&triangle, &square));
            let found = area2(&clipped).unsigned_abs() as f64 / 2.0;
            prop_assert!((found - expected).abs() <= 1e6, "{found} {expected}");
        }
    }
}
