//! Cutting lines and rings at the edge of a tile's buffered square, on the integer grid.

use crate::tile::grid::BUFFER;
use crate::tile::grid::TILE_EXTENT;

/// A place on the tile grid.
pub type Place = (i64, i64);

const LOW: i64 = -BUFFER;
const HIGH: i64 = TILE_EXTENT + BUFFER;

/// The pieces of a line inside the square. A line that leaves and comes back is two.
pub fn clip_line(line: &[Place]) -> Vec<Vec<Place>> {
    let mut pieces: Vec<Vec<Place>> = Vec::new();
    let mut open = false;
    for pair in line.windows(2) {
        let Some((start, end)) = clip_segment(pair[0], pair[1]) else {
            open = false;
            continue;
        };
        match pieces.last_mut() {
            Some(piece) if open && piece.last() == Some(&start) => piece.push(end),
            _ => pieces.push(vec![start, end]),
        }
        open = end == pair[1];
    }
    for piece in &mut pieces {
        piece.dedup();
    }
    pieces.retain(|piece| piece.len() >= 2);
    pieces
}

/// Liang and Barsky: the part of a segment inside the square.
fn clip_segment(a: Place, b: Place) -> Option<(Place, Place)> {
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
        let share = room / step;
        if step < 0.0 {
            enter = enter.max(share);
        } else {
            leave = leave.min(share);
        }
    }
    if enter > leave {
        return None;
    }
    let at = |share: f64| {
        if share <= 0.0 {
            a
        } else if share >= 1.0 {
            b
        } else {
            ((a.0 as f64 + share * dx).round() as i64, (a.1 as f64 + share * dy).round() as i64)
        }
    };
    Some((at(enter), at(leave)))
}

/// The part of a closed ring inside the square (Sutherland and Hodgman), closed, without repeats; `None` if nothing
/// of any size is left.
pub fn clip_ring(ring: &[Place]) -> Option<Vec<Place>> {
    let mut points: Vec<Place> = ring.to_vec();
    if points.first() == points.last() {
        points.pop();
    }
    for side in 0..4 {
        let inside = |p: Place| match side {
            0 => p.0 >= LOW,
            1 => p.0 <= HIGH,
            2 => p.1 >= LOW,
            _ => p.1 <= HIGH,
        };
        if points.iter().all(|p| inside(*p)) {
            continue;
        }
        let cross = |a: Place, b: Place| -> Place {
            let (edge, along) = match side {
                0 => (LOW, true),
                1 => (HIGH, true),
                2 => (LOW, false),
                _ => (HIGH, false),
            };
            if along {
                let share = (edge - a.0) as f64 / (b.0 - a.0) as f64;
                (edge, (a.1 as f64 + share * (b.1 - a.1) as f64).round() as i64)
            } else {
                let share = (edge - a.1) as f64 / (b.1 - a.1) as f64;
                ((a.0 as f64 + share * (b.0 - a.0) as f64).round() as i64, edge)
            }
        };
        let mut kept = Vec::with_capacity(points.len());
        for (place, point) in points.iter().enumerate() {
            let before = points[(place + points.len() - 1) % points.len()];
            if inside(*point) != inside(before) {
                kept.push(cross(before, *point));
            }
            if inside(*point) {
                kept.push(*point);
            }
        }
        points = kept;
    }
    points.dedup();
    while points.len() > 1 && points.first() == points.last() {
        points.pop();
    }
    if points.len() < 3 || area2(&points) == 0 {
        return None;
    }
    points.push(points[0]);
    Some(points)
}

/// Twice the signed area of a ring, closed or not; positive where y grows downwards and the ring runs clockwise.
pub fn area2(ring: &[Place]) -> i64 {
    ring.iter().zip(ring.iter().cycle().skip(1)).map(|(a, b)| a.0 * b.1 - b.0 * a.1).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_leaves_and_comes_back_is_two() {
        let pieces = clip_line(&[(100, 100), (100, -500), (300, -500), (300, 100)]);
        assert_eq!(pieces, [vec![(100, 100), (100, LOW)], vec![(300, LOW), (300, 100)]]);
        // No vertex inside.
        assert_eq!(clip_line(&[(-1000, 50), (9000, 50)]), [vec![(LOW, 50), (HIGH, 50)]]);
        assert!(clip_line(&[(-1000, 50), (50, -1000)]).is_empty());
    }

    #[test]
    fn a_ring_around_the_tile_fills_it() {
        let ring =
            clip_ring(&[(-9000, -9000), (9000, -9000), (9000, 9000), (-9000, 9000), (-9000, -9000)]).unwrap();
        assert_eq!(area2(&ring).abs(), 2 * (HIGH - LOW) * (HIGH - LOW));
        assert!(clip_ring(&[(-900, -900), (-800, -900), (-800, -800), (-900, -900)]).is_none());
    }
}
