//! Decides whether a line or polygon meets a tile, and where.
//!
//! The decision uses all vertices of the feature. The geometry that a zoom draws has fewer: it may miss a tile that the
//! feature meets, or reach into one that it does not. The test is done on the 2^32 world grid and is exact except that
//! a crossing is rounded to a world cell. Not here: the geometry that is drawn (`geometry`).

use crate::model::GeometryKind;
use crate::model::GeometryRef;
use crate::tile::generalise::Vertex;
use crate::tile::generalise::open_ring;
use crate::tile::grid::Square;
use crate::tile::grid::TileCoord;

/// A place of a line or polygon on a tile or its buffer; `None` if it does not meet the tile.
///
/// The place is the least vertex there; without one, the least place where an edge enters; without an edge there, for a
/// polygon that contains the whole tile, the tile's centre. `vertices` are those of the whole row group, on the world
/// grid.
pub fn meeting(geometry: GeometryRef<'_>, vertices: &[Vertex], at: TileCoord) -> Option<Vertex> {
    let mut search = Search { square: at.square(), vertex: None, crossing: None };
    let is_area = geometry.kind.broad() == GeometryKind::Polygon;
    let mut start = geometry.first_position as usize;
    let mut is_around = false;
    for part in geometry.parts() {
        let (mut within, mut number) = (false, 0);
        for positions in part.rings() {
            let run = &vertices[start..start + positions.len()];
            start += positions.len();
            if is_area {
                let winds = search.ring(open_ring(run));
                within = if number == 0 { winds } else { within && !winds };
                number += 1;
            } else {
                search.line(run);
            }
        }
        is_around |= within;
    }
    let middle = || is_around.then(|| search.square.middle());
    search.vertex.or(search.crossing).or_else(middle)
}

struct Search {
    square: Square,
    /// The least vertex in the square.
    vertex: Option<Vertex>,
    /// The least place where an edge enters the square from outside.
    crossing: Option<Vertex>,
}

/// Replaces `known` by `new` if there is none yet or `new` is less.
fn lesser(known: &mut Option<Vertex>, new: Vertex) {
    *known = Some(known.map_or(new, |known| known.min(new)));
}

impl Search {
    fn line(&mut self, line: &[Vertex]) {
        if let [only] = line
            && self.square.holds(*only)
        {
            lesser(&mut self.vertex, *only);
        }
        for pair in line.windows(2) {
            self.edge(pair[0], pair[1]);
        }
    }

    /// Looks at the edges of an open ring and returns whether the ring contains the square's north-western corner (nonzero
    /// winding). If no edge meets the square, the ring contains all of the square or nothing of it.
    fn ring(&mut self, ring: &[Vertex]) -> bool {
        let Some(mut before) = ring.last().copied() else { return false };
        let corner = self.square.corner();
        let mut winds = 0;
        for at in ring.iter().copied() {
            self.edge(before, at);
            winds += turn_round(corner, before, at);
            before = at;
        }
        winds != 0
    }

    fn edge(&mut self, a: Vertex, b: Vertex) {
        let (beyond_a, beyond_b) = (self.square.beyond(a, 0), self.square.beyond(b, 0));
        if beyond_a & beyond_b != 0 {
            return;
        }
        for (vertex, beyond) in [(a, beyond_a), (b, beyond_b)] {
            if beyond == 0 {
                lesser(&mut self.vertex, vertex);
            }
        }
        if beyond_a != 0
            && beyond_b != 0
            && let Some(place) = self.square.entry(a, b)
        {
            lesser(&mut self.crossing, place);
        }
    }
}

/// What an edge adds to the winding number of a place: 1 if it passes east of the place to the north, -1 if it passes
/// there to the south, 0 if it does not pass there.
fn turn_round([x, y]: Vertex, a: Vertex, b: Vertex) -> i32 {
    let is_upwards = match (a[1] > y, b[1] > y) {
        (true, false) => true,
        (false, true) => false,
        _ => return 0,
    };
    if a[0] <= x && b[0] <= x {
        return 0;
    }
    let is_east = (a[0] > x && b[0] > x) || {
        let along = |from: u32, to: u32| i128::from(to) - i128::from(from);
        let side = along(a[0], b[0]) * along(a[1], y) - along(a[1], b[1]) * along(a[0], x);
        // The sign gives the side of the edge on which the place lies; the edge's direction decides which side is west.
        if is_upwards { side < 0 } else { side > 0 }
    };
    match (is_east, is_upwards) {
        (false, _) => 0,
        (true, true) => 1,
        (true, false) => -1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_edge_passes_a_place_on_its_east() {
        let place = [10, 10];
        assert_eq!(turn_round(place, [20, 30], [20, 0]), 1);
        assert_eq!(turn_round(place, [20, 0], [20, 30]), -1);
        assert_eq!(turn_round(place, [0, 0], [0, 30]), 0);
        assert_eq!(turn_round(place, [20, 0], [30, 5]), 0);
        // Slanting edges: at the height of the place they are at x = 12 and at x = 8.
        assert_eq!(turn_round(place, [2, 0], [22, 20]), -1);
        assert_eq!((turn_round(place, [4, 0], [20, 20]), turn_round(place, [0, 0], [16, 20])), (-1, 0));
        assert_eq!((turn_round(place, [20, 20], [4, 0]), turn_round(place, [16, 20], [0, 0])), (1, 0));
    }

    proptest! {
        #[test]
        fn a_ring_meets_a_tile_exactly_if_geo_says_so(steps in proptest::collection::vec((-300_i64..300, -300_i64..300), 3..9)) {
            use geo::Intersects;
            // Tile 12/2000/1300 is 2^20 world cells wide.
            let at = TileCoord { z: 12, x: 2_000, y: 1_300 };
            let (west, north) = (2_000_i64 << 20, 1_300_i64 << 20);
            let ring: Vec<Vertex> = steps.iter().map(|(x, y)| [(west + (x << 13)) as u32, (north + (y << 13)) as u32]).collect();
            let mut search = Search { square: at.square(), vertex: None, crossing: None };
            let is_around = search.ring(&ring);
            let found = search.vertex.or(search.crossing);
            let line: geo_types::LineString<f64> = ring.iter().chain(&ring[..1]).map(|v| geo_types::Coord { x: f64::from(v[0]), y: f64::from(v[1]) }).collect();
            let (low, high) = (-(1 << 14), (1 << 20) + (1 << 14) - 1);
            let square = |grown: i64| geo_types::Rect::new(
                ((west + low - grown) as f64, (north + low - grown) as f64), ((west + high + grown) as f64, (north + high + grown) as f64),
            ).to_polygon();
            let edges = |grown: i64| line.0.windows(2).any(|pair| square(grown).intersects(&geo_types::Line::new(pair[0], pair[1])));
            prop_assert!(found.is_some() || !edges(-2));
            prop_assert!(found.is_none() || edges(2));
            if let Some(place) = found {
                prop_assert!(at.square().holds(place));
            } else {
                // If the ring contains the corner, it winds round it; `geo` agrees for rings that do not cross themselves.
                let polygon = geo_types::Polygon::new(line, vec![]);
                let corner = geo_types::Point::new((west + low) as f64, (north + low) as f64);
                prop_assert!(is_around || !polygon.intersects(&corner));
            }
        }
    }
}
