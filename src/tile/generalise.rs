//! From which zoom on each vertex of a line or area is needed.
//!
//! Visvalingam and Whyatt (1993): the vertex that makes the smallest triangle with its neighbours goes first. A
//! vertex is needed from the zoom on at which its triangle is [`LEAST_AREA`] grid cells or more. One byte a vertex
//! serves every zoom. Arcs are gone through in one direction whatever ring they stand in, so that two areas that
//! share a border keep the same vertices of it; in a coverage the places where arcs meet are kept at every zoom.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use hashbrown::HashMap;

use crate::access::CollectionView;
use crate::access::RowGroup;
use crate::model::GeometryKind;
use crate::model::Position;
use crate::model::crs::mercator_grid_clamped;
use crate::tile::grid::MAX_ZOOM;

/// The smallest triangle worth drawing, in grid cells: half a pixel high over two pixels on a tile of 512 pixels.
const LEAST_AREA: u128 = 32;
/// Not needed at any zoom.
const NEVER: u8 = MAX_ZOOM + 1;

/// A vertex on the 2^32 world grid.
pub type Vertex = [u32; 2];

/// The vertices of a row group's shapes on the world grid.
#[derive(Debug)]
pub struct Vertices(Box<[Vertex]>);

/// The least zoom of each vertex, areas taken one by one.
#[derive(Debug)]
struct Alone(Box<[u8]>);

/// The least zoom of each vertex of each row group of a coverage.
#[derive(Debug)]
struct Together(Vec<Box<[u8]>>);

/// Vertices and least zooms of one row group.
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
    /// Of a group of a collection, computed when first wanted and kept with the rows.
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

    /// World grid places, parallel to the group's positions.
    pub fn vertices(&self) -> &[Vertex] {
        &self.vertices.0
    }

    /// Least zooms, parallel to the group's positions.
    pub fn zooms(&self) -> &[u8] {
        match &self.zooms {
            Zooms::Alone(alone) => &alone.0,
            Zooms::Together(together, group) => &together.0[*group],
        }
    }
}

fn vertices(group: &RowGroup) -> Vertices {
    let positions = (0..group.located()).filter_map(|row| group.shape(row)).flat_map(|shape| shape.positions);
    Vertices(positions.map(|position: &Position| mercator_grid_clamped(*position)).collect())
}

/// Rings and lines of a group: where each begins and ends among the vertices, and whether it is closed.
fn runs(group: &RowGroup) -> impl Iterator<Item = (std::ops::Range<usize>, GeometryKind)> + '_ {
    (0..group.located()).filter_map(|row| group.shape(row)).flat_map(|shape| {
        let kind = shape.kind.broad();
        let mut start = shape.first_position as usize;
        shape.rings().map(move |ring| {
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
            GeometryKind::Area => rate_ring(&vertices.0[run.clone()], &mut zooms[run], |_| false),
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
    let nodes = nodes(rings().filter(|(_, _, kind, _)| *kind == GeometryKind::Area).map(|(.., ring)| ring));
    let mut out: Vec<Box<[u8]>> =
        all.iter().map(|vertices| vec![0; vertices.0.len()].into_boxed_slice()).collect();
    for (place, run, kind, ring) in rings() {
        let zooms = &mut out[place][run];
        match kind {
            GeometryKind::Point => {}
            GeometryKind::Line => rate_line(ring, zooms),
            GeometryKind::Area => rate_ring(ring, zooms, |vertex| nodes.contains_key(&vertex)),
        }
    }
    Together(out)
}

/// Vertices where arcs meet: those whose neighbours are not the same wherever they occur.
fn nodes<'a>(rings: impl Iterator<Item = &'a [Vertex]>) -> HashMap<Vertex, ()> {
    let mut neighbours: HashMap<Vertex, (Vertex, Vertex)> = HashMap::new();
    let mut nodes = HashMap::new();
    for ring in rings {
        let open = open_ring(ring);
        for (at, vertex) in open.iter().enumerate() {
            let (a, b) = (open[(at + open.len() - 1) % open.len()], open[(at + 1) % open.len()]);
            let pair = (a.min(b), a.max(b));
            if *neighbours.entry(*vertex).or_insert(pair) != pair {
                nodes.insert(*vertex, ());
            }
        }
    }
    nodes
}

/// A ring without its last vertex, which repeats the first.
fn open_ring(ring: &[Vertex]) -> &[Vertex] {
    if ring.len() > 1 && ring.first() == ring.last() { &ring[..ring.len() - 1] } else { ring }
}

fn rate_line(line: &[Vertex], zooms: &mut [u8]) {
    let order: Vec<usize> = (0..line.len()).collect();
    rate_arc(line, &order, zooms);
}

/// Rates a closed ring, in arcs from node to node.
fn rate_ring(ring: &[Vertex], zooms: &mut [u8], is_node: impl Fn(Vertex) -> bool) {
    let open = open_ring(ring);
    let mut cuts: Vec<usize> = (0..open.len()).filter(|at| is_node(open[*at])).collect();
    if cuts.is_empty() {
        // A ring of its own begins at its least vertex, wherever the file begins it.
        cuts.extend((0..open.len()).min_by_key(|at| open[*at]));
    }
    for (place, from) in cuts.iter().enumerate() {
        let to = cuts[(place + 1) % cuts.len()];
        let steps = if to > *from { to - from } else { to + open.len() - from };
        let order: Vec<usize> = (0..=steps).map(|step| (from + step) % open.len()).collect();
        rate_arc(open, &order, &mut zooms[..open.len()]);
    }
    if open.len() < ring.len() {
        zooms[open.len()] = zooms[0];
    }
}

/// Rates the inner vertices of an arc given by their order; both ends are needed at every zoom, and of an arc that
/// closes on itself the two greatest as well, so that it never loses its area.
fn rate_arc(vertices: &[Vertex], order: &[usize], zooms: &mut [u8]) {
    let last = order.len() - 1;
    (zooms[order[0]], zooms[order[last]]) = (0, 0);
    if last < 2 {
        return;
    }
    let place = |at: usize| vertices[order[at]];
    // Of two equal triangles the first along the arc goes first; the direction must be the arc's own.
    let backwards = (0..=last).map(place).gt((0..=last).rev().map(place));
    let at = |step: usize| order[if backwards { last - step } else { step }];
    let mut before: Vec<u32> = (0..=last as u32).map(|step| step.saturating_sub(1)).collect();
    let mut after: Vec<u32> = (0..=last as u32).map(|step| step + 1).collect();
    let area = |a: u32, b: u32, c: u32| {
        triangle2(vertices[at(a as usize)], vertices[at(b as usize)], vertices[at(c as usize)])
    };
    let mut heap: BinaryHeap<Reverse<(u128, u32)>> = BinaryHeap::with_capacity(last);
    let mut current = vec![0_u128; last + 1];
    for step in 1..last as u32 {
        current[step as usize] = area(step - 1, step, step + 1);
        heap.push(Reverse((current[step as usize], step)));
    }
    let closed = place(0) == place(last);
    let (mut floor, mut left) = (0, last - 1);
    while let Some(Reverse((size, step))) = heap.pop() {
        if current[step as usize] != size {
            continue;
        }
        floor = size.max(floor);
        zooms[at(step as usize)] = if closed && left <= 2 { 0 } else { least_zoom(floor) };
        left -= 1;
        current[step as usize] = u128::MAX;
        let (previous, next) = (before[step as usize], after[step as usize]);
        after[previous as usize] = next;
        before[next as usize] = previous;
        for neighbour in [previous, next] {
            if neighbour != 0 && (neighbour as usize) < last {
                let size = area(before[neighbour as usize], neighbour, after[neighbour as usize]);
                current[neighbour as usize] = size;
                heap.push(Reverse((size, neighbour)));
            }
        }
    }
}

/// Twice the area of a triangle in world grid cells.
fn triangle2(a: Vertex, b: Vertex, c: Vertex) -> u128 {
    let part = |from: Vertex, to: Vertex, axis: usize| i128::from(to[axis]) - i128::from(from[axis]);
    (part(a, b, 0) * part(a, c, 1) - part(a, b, 1) * part(a, c, 0)).unsigned_abs()
}

/// The least zoom at which twice a triangle of this area is twice [`LEAST_AREA`] grid cells. At zoom z a grid cell
/// is 2^(20 - z) world cells wide.
fn least_zoom(area2: u128) -> u8 {
    (0..=MAX_ZOOM).find(|zoom| area2 << (2 * zoom) >= (2 * LEAST_AREA) << 40).unwrap_or(NEVER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn zooms_by_hand() {
        // At zoom 20 a grid cell is a world cell: a triangle of 32 cells is needed from there on.
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
        let mut sorted = zooms;
        sorted.sort_unstable();
        assert_eq!(sorted[..4], [0; 4], "three vertices and the first again: {zooms:?}");
        assert_eq!(zooms[0], zooms[5]);
    }

    /// Effective areas by the definition: remove the smallest, look at all again.
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
        fn direction_and_start_don_t_matter(steps in proptest::collection::vec((0_u32..4_000_000, 0_u32..4_000_000), 4..40), turn in 0_usize..40) {
            let mut open: Vec<Vertex> = steps.iter().map(|(x, y)| [*x, *y]).collect();
            open.sort_unstable();
            open.dedup();
            // A stride of seven comes by every vertex unless their number is a multiple of it.
            if open.len().is_multiple_of(7) {
                open.pop();
            }
            prop_assume!(open.len() >= 4);
            let shuffled: Vec<Vertex> = (0..open.len()).map(|at| open[(at * 7) % open.len()]).collect();
            let rate = |ring: &[Vertex]| {
                let mut closed = ring.to_vec();
                closed.push(ring[0]);
                let mut zooms = vec![9; closed.len()];
                rate_ring(&closed, &mut zooms, |_| false);
                let mut by_vertex: Vec<(Vertex, u8)> = closed.iter().copied().zip(zooms).collect();
                by_vertex.sort_unstable();
                by_vertex.dedup();
                by_vertex
            };
            let mut other = shuffled.clone();
            other.rotate_left(turn % open.len());
            let turned = rate(&other);
            other.reverse();
            prop_assert_eq!(rate(&shuffled), turned.clone());
            prop_assert_eq!(rate(&other), turned);
        }
    }
}
