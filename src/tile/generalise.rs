//! Generalisation: the least zoom at which each vertex of a line or polygon is drawn.
//!
//! Visvalingam and Whyatt (1993): the vertex that forms the smallest triangle with its neighbours is removed first. A
//! vertex is drawn from the zoom on at which its triangle has [`LEAST_AREA`] grid cells. One byte for each vertex serves
//! all zooms.
//!
//! An arc is always processed in the same direction, whichever ring it belongs to, so that two polygons with a shared
//! border draw the same vertices of it. In a coverage, the vertices where arcs meet (nodes) are drawn at every zoom. The
//! result for a ring without nodes does not depend on the vertex at which its file begins it, and of equal consecutive
//! vertices only one is used.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use hashbrown::HashMap;

use crate::access::CollectionView;
use crate::access::HeldBytes;
use crate::access::RowGroup;
use crate::model::GeometryKind;
use crate::model::Position;
use crate::model::crs::mercator_grid_clamped;
use crate::tile::grid::MAX_ZOOM;

/// The area of the smallest triangle that is drawn, in grid cells: a base of two pixels and a height of half a pixel on
/// a tile of 512 pixels.
const LEAST_AREA: u128 = 32;
/// The least zoom of a vertex that no zoom draws.
const NEVER: u8 = MAX_ZOOM + 1;

/// A vertex on the 2^32 world grid.
pub type Vertex = [u32; 2];

/// The vertices of a row group's geometries on the world grid, in the order of the group's positions.
#[derive(Debug)]
pub struct Vertices(Box<[Vertex]>);

/// The least zoom of each vertex of a row group, where each polygon is processed without regard to others.
#[derive(Debug)]
struct Alone(Box<[u8]>);

/// The least zoom of each vertex of each row group of a coverage, where polygons with shared borders agree.
#[derive(Debug)]
struct Together(Vec<Box<[u8]>>);

impl HeldBytes for Vertices {
    fn held_bytes(&self) -> usize {
        self.0.len() * size_of::<Vertex>()
    }
}

impl HeldBytes for Alone {
    fn held_bytes(&self) -> usize {
        self.0.len()
    }
}

impl HeldBytes for Together {
    fn held_bytes(&self) -> usize {
        self.0.iter().map(|zooms| zooms.len() + size_of::<Box<[u8]>>()).sum()
    }
}

/// The vertices of one row group and their least zooms.
#[derive(Debug, Clone)]
pub struct Detail {
    vertices: std::sync::Arc<Vertices>,
    zooms: Zooms,
}

#[derive(Debug, Clone)]
enum Zooms {
    Alone(std::sync::Arc<Alone>),
    Together(std::sync::Arc<Together>, usize),
}

impl Detail {
    /// The detail of the row group with index `group`, computed when first needed and held with the rows.
    pub fn of(collection: &CollectionView, group: usize) -> Self {
        let rows = &collection.groups()[group];
        let vertices = rows.derive(vertices);
        let zooms = if collection.schema().coverage {
            Zooms::Together(collection.derive(together), group)
        } else {
            Zooms::Alone(rows.derive(alone))
        };
        Self { vertices, zooms }
    }

    /// Whether the collection is a coverage: polygons with shared borders that must still match.
    pub fn is_coverage(&self) -> bool {
        matches!(self.zooms, Zooms::Together(..))
    }

    /// The vertices, in the order of the group's positions.
    pub fn vertices(&self) -> &[Vertex] {
        &self.vertices.0
    }

    /// The least zooms, in the order of the group's positions.
    pub fn zooms(&self) -> &[u8] {
        match &self.zooms {
            Zooms::Alone(alone) => &alone.0,
            Zooms::Together(together, group) => &together.0[*group],
        }
    }
}

fn vertices(group: &RowGroup) -> Vertices {
    let positions =
        (0..group.located()).filter_map(|row| group.geometry(row)).flat_map(|geometry| geometry.positions);
    Vertices(positions.map(|position: &Position| mercator_grid_clamped(*position)).collect())
}

/// The rings and lines of a group, as ranges of its vertices, each with the kind of its geometry.
fn runs(group: &RowGroup) -> impl Iterator<Item = (std::ops::Range<usize>, GeometryKind)> + '_ {
    (0..group.located()).filter_map(|row| group.geometry(row)).flat_map(|geometry| {
        let kind = geometry.kind.broad();
        let mut start = geometry.first_position as usize;
        geometry.rings().map(move |ring| {
            let run = start..start + ring.len();
            start = run.end;
            (run, kind)
        })
    })
}

fn alone(group: &RowGroup) -> Alone {
    let vertices = group.derive(vertices);
    let mut zooms = vec![0; vertices.0.len()];
    for (run, kind) in runs(group) {
        match kind {
            GeometryKind::Point => {}
            GeometryKind::Line => rate_line(&vertices.0[run.clone()], &mut zooms[run]),
            GeometryKind::Polygon => rate_ring(&vertices.0[run.clone()], &mut zooms[run], |_| false),
        }
    }
    Alone(zooms.into())
}

fn together(collection: &CollectionView) -> Together {
    let groups = collection.groups();
    let all: Vec<_> = groups.iter().map(|group| group.derive(vertices)).collect();
    let rings = || {
        groups.iter().zip(&all).enumerate().flat_map(|(place, (group, vertices))| {
            runs(group).map(move |(run, kind)| (place, run.clone(), kind, &vertices.0[run]))
        })
    };
    let nodes =
        nodes(rings().filter(|(_, _, kind, _)| *kind == GeometryKind::Polygon).map(|(.., ring)| ring));
    let mut out: Vec<Box<[u8]>> =
        all.iter().map(|vertices| vec![0; vertices.0.len()].into_boxed_slice()).collect();
    for (place, run, kind, ring) in rings() {
        let zooms = &mut out[place][run];
        match kind {
            GeometryKind::Point => {}
            GeometryKind::Line => rate_line(ring, zooms),
            GeometryKind::Polygon => rate_ring(ring, zooms, |vertex| nodes.contains_key(&vertex)),
        }
    }
    Together(out)
}

/// The vertices where arcs meet: those that do not have the same two neighbours in all rings.
fn nodes<'a>(rings: impl Iterator<Item = &'a [Vertex]>) -> HashMap<Vertex, ()> {
    let mut neighbours: HashMap<Vertex, (Vertex, Vertex)> = HashMap::new();
    let mut nodes = HashMap::new();
    for ring in rings {
        let order = distinct(ring);
        let place = |step: usize| ring[order[step % order.len()]];
        for step in 0..order.len() {
            let (vertex, a, b) = (place(step), place(step + order.len() - 1), place(step + 1));
            let pair = (a.min(b), a.max(b));
            if *neighbours.entry(vertex).or_insert(pair) != pair {
                nodes.insert(vertex, ());
            }
        }
    }
    nodes
}

/// The ring without its last vertex if that repeats the first.
pub fn open_ring(ring: &[Vertex]) -> &[Vertex] {
    if ring.len() > 1 && ring.first() == ring.last() { &ring[..ring.len() - 1] } else { ring }
}

/// Indexes of the vertices of a ring, one for each run of equal vertices; a run may go across the ring's end.
fn distinct(ring: &[Vertex]) -> Vec<usize> {
    let open = open_ring(ring);
    let mut order: Vec<usize> = (0..open.len()).collect();
    order.dedup_by_key(|at| open[*at]);
    while order.len() > 1 && open[order[0]] == open[order[order.len() - 1]] {
        order.pop();
    }
    order
}

fn rate_line(line: &[Vertex], zooms: &mut [u8]) {
    let order: Vec<usize> = (0..line.len()).collect();
    rate_arc(line, &order, zooms);
}

/// Sets the least zooms of a closed ring: arc by arc between its nodes, or as a whole if it has none.
fn rate_ring(ring: &[Vertex], zooms: &mut [u8], is_node: impl Fn(Vertex) -> bool) {
    zooms.fill(NEVER);
    let order = distinct(ring);
    let cuts: Vec<usize> = (0..order.len()).filter(|step| is_node(ring[order[*step]])).collect();
    if cuts.is_empty() {
        rate_cycle(ring, &order, zooms);
    }
    for (place, from) in cuts.iter().enumerate() {
        let to = cuts[(place + 1) % cuts.len()];
        let steps = if to > *from { to - from } else { to + order.len() - from };
        let arc: Vec<usize> = (0..=steps).map(|step| order[(from + step) % order.len()]).collect();
        rate_arc(ring, &arc, zooms);
    }
    if let [first, .., last] = zooms
        && ring.first() == ring.last()
    {
        *last = *first;
    }
}

/// Sets the least zooms of an arc; `order` has the indexes of its vertices. Every zoom draws both ends. If the arc ends
/// where it begins, every zoom also draws the two vertices with the greatest triangles, so that the area stays.
fn rate_arc(vertices: &[Vertex], order: &[usize], zooms: &mut [u8]) {
    let place = |at: &usize| vertices[*at];
    let closed = order.first().map(place) == order.last().map(place);
    // Of equal triangles the first along the arc is removed first, so the direction must depend on the arc alone.
    let steps: Vec<usize> = if order.iter().map(place).gt(order.iter().rev().map(place)) {
        order.iter().rev().copied().collect()
    } else {
        order.to_vec()
    };
    rate(vertices, &steps, Ends::Fixed { left: if closed { 2 } else { 0 } }, zooms);
}

/// Sets the least zooms of a ring without nodes; `order` has the indexes of its vertices. Every zoom draws the three
/// vertices with the greatest triangles.
fn rate_cycle(vertices: &[Vertex], order: &[usize], zooms: &mut [u8]) {
    let sequence = |order: &[usize]| -> Vec<usize> {
        let places: Vec<Vertex> = order.iter().map(|at| vertices[*at]).collect();
        let first = least_rotation(&places);
        (0..order.len()).map(|step| order[(first + step) % order.len()]).collect()
    };
    // Of equal triangles the first is removed first. So that this does not depend on the file, the ring is processed in
    // the least of all its rotations in both directions.
    let ahead = sequence(order);
    let back = sequence(&order.iter().rev().copied().collect::<Vec<_>>());
    let place = |at: &usize| vertices[*at];
    let steps = if ahead.iter().map(place).gt(back.iter().map(place)) { back } else { ahead };
    rate(vertices, &steps, Ends::Joined, zooms);
}

/// The index at which the lexicographically least rotation of a sequence begins.
///
/// Two candidates are compared until they differ; then the greater one and all that it has passed are ruled out. The
/// time is linear.
pub fn least_rotation<T: Ord>(sequence: &[T]) -> usize {
    let count = sequence.len();
    let (mut one, mut two, mut same) = (0, 1, 0);
    while one < count && two < count && same < count {
        match sequence[(one + same) % count].cmp(&sequence[(two + same) % count]) {
            std::cmp::Ordering::Equal => {
                same += 1;
                continue;
            }
            std::cmp::Ordering::Greater => one += same + 1,
            std::cmp::Ordering::Less => two += same + 1,
        }
        two += usize::from(one == two);
        same = 0;
    }
    one.min(two).min(count.saturating_sub(1))
}

/// How the ends of a run of vertices are treated.
#[derive(Clone, Copy)]
enum Ends {
    /// Every zoom draws both ends, and the `left` vertices between them that are removed last.
    Fixed { left: usize },
    /// The first vertex follows the last. Every zoom draws the three vertices that are removed last.
    Joined,
}

/// Sets the least zooms of a run of vertices; `order` has their indexes. Of equal triangles the first is removed first.
fn rate(vertices: &[Vertex], order: &[usize], ends: Ends, zooms: &mut [u8]) {
    let count = order.len() as u32;
    let (inner, least) = match ends {
        Ends::Fixed { left } => (1..count.saturating_sub(1), left),
        Ends::Joined => (0..count, 3),
    };
    for at in order {
        zooms[*at] = 0;
    }
    let mut left = inner.len();
    if left <= least {
        return;
    }
    let mut before: Vec<u32> = (0..count).map(|step| (step + count - 1) % count).collect();
    let mut after: Vec<u32> = (0..count).map(|step| (step + 1) % count).collect();
    let place = |step: u32| vertices[order[step as usize]];
    let mut heap: BinaryHeap<Reverse<(u128, u32)>> = BinaryHeap::with_capacity(order.len());
    let mut current = vec![0_u128; order.len()];
    for step in inner.clone() {
        let size = triangle2(place(before[step as usize]), place(step), place(after[step as usize]));
        current[step as usize] = size;
        heap.push(Reverse((size, step)));
    }
    let mut floor = 0;
    while left > least
        && let Some(Reverse((size, step))) = heap.pop()
    {
        if current[step as usize] != size {
            continue;
        }
        floor = size.max(floor);
        zooms[order[step as usize]] = least_zoom(floor);
        left -= 1;
        current[step as usize] = u128::MAX;
        let (previous, next) = (before[step as usize], after[step as usize]);
        after[previous as usize] = next;
        before[next as usize] = previous;
        for neighbour in [previous, next].into_iter().filter(|step| inner.contains(step)) {
            let size = triangle2(
                place(before[neighbour as usize]),
                place(neighbour),
                place(after[neighbour as usize]),
            );
            current[neighbour as usize] = size;
            heap.push(Reverse((size, neighbour)));
        }
    }
}

/// Twice the area of a triangle, in cells of the world grid.
fn triangle2(a: Vertex, b: Vertex, c: Vertex) -> u128 {
    let part = |from: Vertex, to: Vertex, axis: usize| i128::from(to[axis]) - i128::from(from[axis]);
    (part(a, b, 0) * part(a, c, 1) - part(a, b, 1) * part(a, c, 0)).unsigned_abs()
}

/// The least zoom at which a triangle has [`LEAST_AREA`] grid cells. `area2` is twice its area in cells of the world
/// grid. At zoom z a grid cell is 2^(20 - z) world cells wide.
fn least_zoom(area2: u128) -> u8 {
    (0..=MAX_ZOOM).find(|zoom| area2 << (2 * zoom) >= (2 * LEAST_AREA) << 40).unwrap_or(NEVER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn least_zooms_of_areas_computed_by_hand() {
        // At zoom 20 a grid cell is a world cell: a triangle of 32 cells is drawn from there on.
        assert_eq!((least_zoom(64), least_zoom(63)), (20, 21));
        // Four times the area, one zoom earlier.
        assert_eq!((least_zoom(64 << 2), least_zoom(64 << 40)), (19, 0));
        assert_eq!(least_zoom(0), NEVER);
    }

    #[test]
    fn a_straight_line_needs_its_ends_only() {
        let line: Vec<Vertex> = (0..10).map(|step| [step * 1_000, step * 500]).collect();
        let mut zooms = [9; 10];
        rate_line(&line, &mut zooms);
        assert_eq!((zooms[0], zooms[9]), (0, 0));
        assert!(zooms[1..9].iter().all(|zoom| *zoom == NEVER));
    }

    #[test]
    fn a_ring_never_loses_its_area() {
        let ring: Vec<Vertex> = vec![[5, 5], [6, 5], [7, 6], [6, 7], [5, 6], [5, 5]];
        let mut zooms = [9; 6];
        rate_ring(&ring, &mut zooms, |_| false);
        let (mut open, closing) = (zooms[..5].to_vec(), zooms[5]);
        open.sort_unstable();
        assert!(open[..3] == [0; 3] && open[3] > 0, "three vertices at every zoom: {zooms:?}");
        assert_eq!(zooms[0], closing);
    }

    #[test]
    fn the_first_vertex_is_rated_like_any_other() {
        // By hand: a square of 2^21 cells a side with a bulge of one cell in its western side; the bulge is its least vertex.
        let side = 1 << 21;
        let ring = [[9, side / 2], [10, side], [10 + side, side], [10 + side, 0], [10, 0], [9, side / 2]];
        let mut zooms = [9; 6];
        rate_ring(&ring, &mut zooms, |_| false);
        // The bulge's triangle has 2^20 world cells. A grid cell has 2^14 at zoom 13, so that these are 64; 16 at zoom 12.
        assert_eq!((zooms[0], zooms[5]), (13, 13));
        // A corner's triangle has 2^41, which are 32 grid cells from zoom 2 on; three vertices are drawn at every zoom.
        zooms[1..5].sort_unstable();
        assert_eq!(zooms[1..5], [0, 0, 0, 2]);
    }

    #[test]
    fn a_vertex_twice_in_a_row_counts_once() {
        let ring = [[5, 5], [5, 5], [900, 5], [900, 900], [900, 900], [5, 900], [5, 5], [5, 5]];
        let mut zooms = [9; 8];
        rate_ring(&ring, &mut zooms, |_| false);
        let mut once = [9; 5];
        rate_ring(&[[5, 5], [900, 5], [900, 900], [5, 900], [5, 5]], &mut once, |_| false);
        assert_eq!((zooms[0], zooms[2], zooms[3], zooms[5]), (once[0], once[1], once[2], once[3]));
        assert_eq!([zooms[1], zooms[4], zooms[6]], [NEVER; 3]);
        // A repeated vertex is not a node of a coverage.
        assert!(nodes([&ring[..]].into_iter()).is_empty());
    }

    /// The least zooms by the definition: remove the smallest triangle, then compute all triangles again.
    fn by_definition(line: &[Vertex]) -> Vec<u8> {
        let mut left: Vec<usize> = (0..line.len()).collect();
        let (mut zooms, mut floor) = (vec![0; line.len()], 0);
        while left.len() > 2 {
            let size = |at: usize| triangle2(line[left[at - 1]], line[left[at]], line[left[at + 1]]);
            let at = (1..left.len() - 1).min_by_key(|at| size(*at)).unwrap();
            floor = size(at).max(floor);
            zooms[left[at]] = least_zoom(floor);
            left.remove(at);
        }
        zooms
    }

    proptest! {
        #[test]
        fn the_least_rotation_is_the_least_of_all(sequence in proptest::collection::vec(0_u8..3, 0..12)) {
            let rotated = |first: usize| [&sequence[first..], &sequence[..first]].concat();
            let least = (0..sequence.len()).map(rotated).min().unwrap_or_default();
            prop_assert_eq!(rotated(least_rotation(&sequence)), least);
        }

        #[test]
        fn the_heap_agrees_with_the_definition(steps in proptest::collection::vec((0_u32..4_000_000, 0_u32..4_000_000), 3..40)) {
            let mut line: Vec<Vertex> = steps.iter().map(|(x, y)| [*x, *y]).collect();
            if line.iter().gt(line.iter().rev()) {
                line.reverse();
            }
            let mut zooms = vec![9; line.len()];
            rate_line(&line, &mut zooms);
            if line.first() != line.last() {
                prop_assert_eq!(zooms, by_definition(&line));
            }
        }

        #[test]
        fn a_ring_s_direction_start_and_repeated_vertices_change_nothing(
            steps in proptest::collection::vec((0_u32..9, 0_u32..9), 3..14), turn in 0_usize..14, doubled in 0_usize..3, bits in 0_u32..24,
        ) {
            // Few different places: rings pass a vertex twice, and many triangles are equal.
            let open: Vec<Vertex> = steps.iter().map(|(x, y)| [x << bits, y << bits]).collect();
            // The vertices that each zoom draws, as the least rotation in either direction.
            let drawn = |open: &[Vertex]| -> Vec<Vec<Vertex>> {
                let mut closed = vec![open[0]; doubled];
                closed.extend_from_slice(open);
                closed.push(open[0]);
                let mut zooms = vec![9; closed.len()];
                rate_ring(&closed, &mut zooms, |_| false);
                let at_zoom = |zoom: u8| {
                    let ring: Vec<Vertex> = closed[..closed.len() - 1].iter().zip(&zooms).filter(|(_, least)| **least <= zoom).map(|(vertex, _)| *vertex).collect();
                    let least = |mut ring: Vec<Vertex>| {
                        let first = least_rotation(&ring);
                        if !ring.is_empty() {
                            ring.rotate_left(first);
                        }
                        ring
                    };
                    least(ring.clone()).min(least(ring.into_iter().rev().collect()))
                };
                (0..=MAX_ZOOM).map(at_zoom).collect()
            };
            let mut other = open.clone();
            other.rotate_left(turn % open.len());
            let turned = drawn(&other);
            other.reverse();
            prop_assert_eq!(&drawn(&open), &turned);
            prop_assert_eq!(&drawn(&other), &turned);
        }
    }
}
