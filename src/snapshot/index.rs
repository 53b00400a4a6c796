//! Indexes over blocks of 64 neighbouring rows: a flat 16-ary pyramid in each row group for windows and exact
//! counts, an R-tree over all blocks of a collection for nearest neighbours.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::Arc;

use rstar::AABB;
use rstar::ParentNode;
use rstar::RTree;
use rstar::RTreeNode;
use rstar::RTreeObject;

use crate::model::geometry::Bounds;
use crate::snapshot::BLOCK_ROWS;
use crate::snapshot::RowGroup;

/// Children of a pyramid node.
const FAN: usize = 16;

/// Boxes of blocks, of sixteen blocks, of sixteen of those.
#[derive(Debug, Clone, Default)]
pub struct Pyramid {
    levels: Vec<Box<[Bounds]>>,
    rows: usize,
}

impl Pyramid {
    /// Over the boxes of rows, in row order.
    pub fn new(rows: impl ExactSizeIterator<Item = Bounds>) -> Self {
        let count = rows.len();
        let mut level = vec![Bounds::EMPTY; count.div_ceil(BLOCK_ROWS)];
        for (row, bounds) in rows.enumerate() {
            level[row / BLOCK_ROWS].merge(&bounds);
        }
        let mut levels = Vec::new();
        while level.len() > 1 {
            let mut above = vec![Bounds::EMPTY; level.len().div_ceil(FAN)];
            for (place, bounds) in level.iter().enumerate() {
                above[place / FAN].merge(bounds);
            }
            levels.push(level.into_boxed_slice());
            level = above;
        }
        levels.push(level.into_boxed_slice());
        Self { levels, rows: count }
    }

    /// The box of everything.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.levels.last().and_then(|level| level.first()).copied().unwrap_or(Bounds::EMPTY)
    }

    /// The boxes of the blocks.
    #[must_use]
    pub fn blocks(&self) -> &[Bounds] {
        self.levels.first().map_or(&[], |level| level)
    }

    /// Rows of a block.
    #[must_use]
    pub fn block_rows(&self, block: usize) -> Range<usize> {
        block * BLOCK_ROWS..((block + 1) * BLOCK_ROWS).min(self.rows)
    }

    /// Gives runs of rows that may meet any of the windows, in row order; `true` where every row of the run lies
    /// wholly inside one of them.
    pub fn visit(&self, windows: &[Bounds], each: &mut impl FnMut(Range<usize>, bool)) {
        if let Some(top) = self.levels.len().checked_sub(1) {
            for place in 0..self.levels[top].len() {
                self.descend(top, place, windows, each);
            }
        }
    }

    fn descend(
        &self,
        level: usize,
        place: usize,
        windows: &[Bounds],
        each: &mut impl FnMut(Range<usize>, bool),
    ) {
        let bounds = &self.levels[level][place];
        if !windows.iter().any(|window| window.intersects(bounds)) {
            return;
        }
        let inside = windows.iter().any(|window| window.contains(bounds));
        if inside || level == 0 {
            let span = BLOCK_ROWS * FAN.pow(level as u32);
            each(place * span..((place + 1) * span).min(self.rows), inside);
            return;
        }
        let below = self.levels[level - 1].len();
        for child in place * FAN..((place + 1) * FAN).min(below) {
            self.descend(level - 1, child, windows, each);
        }
    }

    /// Bytes it holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.levels.iter().map(|level| level.len() * size_of::<Bounds>()).sum()
    }
}

/// A block of a row group: the row group's place in its list, and the block's in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRef {
    /// Place of the row group.
    pub group: u32,
    /// Place of the block.
    pub block: u32,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    block: BlockRef,
    bounds: Bounds,
}

impl RTreeObject for Entry {
    // rstar computes areas in the coordinate type: 64-bit integers would overflow, doubles hold 1e-7 degrees exactly.
    type Envelope = AABB<[f64; 2]>;

    fn envelope(&self) -> Self::Envelope {
        AABB::from_corners(
            [f64::from(self.bounds.west), f64::from(self.bounds.south)],
            [f64::from(self.bounds.east), f64::from(self.bounds.north)],
        )
    }
}

/// An R-tree over the blocks of row groups.
#[derive(Debug)]
pub struct BlockIndex {
    tree: RTree<Entry>,
}

impl BlockIndex {
    /// Over the located rows of all groups.
    #[must_use]
    pub fn new(groups: &[Arc<RowGroup>]) -> Self {
        let entries = groups
            .iter()
            .enumerate()
            .flat_map(|(group, rows)| {
                rows.pyramid().blocks().iter().enumerate().map(move |(block, bounds)| Entry {
                    block: BlockRef { group: group as u32, block: block as u32 },
                    bounds: *bounds,
                })
            })
            .filter(|entry| !entry.bounds.is_empty())
            .collect();
        Self { tree: RTree::bulk_load(entries) }
    }

    /// Bytes it holds, reckoned: the entries, and the boxes and lists of the nodes above them, each at least half full.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let entries = self.tree.size();
        (entries + entries / 3 + 1) * size_of::<RTreeNode<Entry>>()
    }

    /// Gives blocks in the order of `bound`, which must not be greater for a box (west, south, east and north in units
    /// of 1e-7 degree) than for what lies in it. `each` answers with the bound beyond which it wants no more.
    ///
    /// Work is done for the blocks given and little more.
    pub fn best_first(&self, bound: impl Fn([f64; 4]) -> f64, mut each: impl FnMut(BlockRef) -> f64) {
        let mut heap = BinaryHeap::with_capacity(64);
        let mut most = f64::INFINITY;
        heap.push(Candidate { bound: 0.0, place: Place::Inside(self.tree.root()) });
        while let Some(Candidate { bound: least, place }) = heap.pop()
            && least <= most
        {
            match place {
                Place::Block(block) => most = each(block),
                Place::Inside(parent) => {
                    for node in parent.children() {
                        let (bounds, place) = match node {
                            RTreeNode::Leaf(Entry { block, bounds }) => {
                                let Bounds { west, south, east, north } = *bounds;
                                ([west, south, east, north].map(f64::from), Place::Block(*block))
                            }
                            RTreeNode::Parent(parent) => {
                                let envelope = parent.envelope();
                                let ([west, south], [east, north]) = (envelope.lower(), envelope.upper());
                                ([west, south, east, north], Place::Inside(parent))
                            }
                        };
                        let bound = bound(bounds);
                        if bound <= most {
                            heap.push(Candidate { bound, place });
                        }
                    }
                }
            }
        }
    }
}

struct Candidate<'a> {
    bound: f64,
    place: Place<'a>,
}

enum Place<'a> {
    Block(BlockRef),
    Inside(&'a ParentNode<Entry>),
}

impl PartialEq for Candidate<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Candidate<'_> {}
impl PartialOrd for Candidate<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Candidate<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap gives the greatest first; the least bound is wanted.
        other.bound.total_cmp(&self.bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_window_finds_what_brute_force_finds(
            points in proptest::collection::vec((-1000_i32..1000, -1000_i32..1000), 0..3000),
            window in (-1100_i32..1100, -1100_i32..1100, 0_i32..1500, 0_i32..1500),
        ) {
            let boxes: Vec<Bounds> = points.iter().map(|(x, y)| Bounds { west: *x, south: *y, east: *x, north: *y }).collect();
            let pyramid = Pyramid::new(boxes.iter().copied());
            let window = Bounds { west: window.0, south: window.1, east: window.0 + window.2, north: window.1 + window.3 };
            let mut found = Vec::new();
            pyramid.visit(&[window], &mut |rows, inside| {
                for row in rows {
                    if inside {
                        assert!(window.contains(&boxes[row]));
                    }
                    if inside || window.intersects(&boxes[row]) {
                        found.push(row);
                    }
                }
            });
            let expected: Vec<usize> = (0..boxes.len()).filter(|row| window.intersects(&boxes[*row])).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
