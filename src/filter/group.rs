//! A bound expression in one row group: what is prepared once for the group, and its masks block by block.

use std::ops::Range;

use crate::access::BLOCK_ROWS;
use crate::access::RowGroup;
use crate::filter::kernel::Each;
use crate::filter::kernel::Scan;
use crate::filter::kernel::bits_of;
use crate::filter::kernel::in_circle;
use crate::filter::kernel::in_windows;
use crate::filter::kernel::row_by_row;
use crate::filter::kernel::rows_in;
use crate::filter::kernel::rows_of;
use crate::filter::mask::Mask;
use crate::filter::mask::Trit;
use crate::filter::node::Node;

/// The masks of a bound expression in one row group.
#[derive(Debug)]
pub struct GroupMasks<'a> {
    node: GroupNode<'a>,
    rows: usize,
}

impl<'a> GroupMasks<'a> {
    /// Of a node in the row group at a place.
    pub(super) fn new(node: &'a Node, group: &'a RowGroup, place: u32) -> Self {
        Self { node: GroupNode::of(node, group, place), rows: group.len() }
    }

    /// What is so of the rows of a block; of places beyond the last row it is false.
    #[inline]
    #[must_use]
    pub fn mask(&self, block: usize) -> Mask {
        self.mask_of(block, u64::MAX)
    }

    /// What is so of some rows of a block, each a bit; of the others it is false.
    #[inline]
    #[must_use]
    pub fn mask_of(&self, block: usize, rows: u64) -> Mask {
        let rows = rows & rows_in(self.rows, block);
        self.node.mask(block, rows).of(rows)
    }

    /// Rows of a run that match.
    #[must_use]
    pub fn count(&self, rows: Range<usize>) -> usize {
        match self.node {
            GroupNode::Constant(Trit::True) => return rows.len(),
            GroupNode::Constant(_) => return 0,
            _ => {}
        }
        let blocks = rows.start / BLOCK_ROWS..rows.end.div_ceil(BLOCK_ROWS);
        blocks.map(|block| self.mask_of(block, bits_in(&rows, block)).yes.count_ones() as usize).sum()
    }
}

/// The bits of a block that stand for rows of a run.
#[inline]
#[must_use]
pub fn bits_in(rows: &Range<usize>, block: usize) -> u64 {
    rows_in(rows.end, block) & !rows_in(rows.start, block)
}

/// A node in one row group.
#[derive(Debug)]
enum GroupNode<'a> {
    Constant(Trit),
    And(Vec<GroupNode<'a>>),
    Or(Vec<GroupNode<'a>>),
    Not(Box<GroupNode<'a>>),
    Scan(Scan<'a>),
    Each(Each<'a>),
    /// What is looked at by geometry or time.
    Place(&'a Node, &'a RowGroup),
    /// Rows of the group, in order.
    Rows(Vec<u32>),
}

impl<'a> GroupNode<'a> {
    fn of(node: &'a Node, group: &'a RowGroup, place: u32) -> Self {
        let each = |members: &'a [Node]| members.iter().map(move |member| Self::of(member, group, place));
        match node {
            Node::Constant(trit) => Self::Constant(*trit),
            Node::And(members) => {
                let mut left = Vec::new();
                for member in each(members) {
                    match member {
                        // A text that the group does not have makes the whole group false at once.
                        Self::Constant(Trit::False) => return member,
                        Self::Constant(Trit::True) => {}
                        other => left.push(other),
                    }
                }
                if left.is_empty() { Self::Constant(Trit::True) } else { Self::And(left) }
            }
            Node::Or(members) => {
                let mut left = Vec::new();
                for member in each(members) {
                    match member {
                        Self::Constant(Trit::True) => return member,
                        Self::Constant(Trit::False) => {}
                        other => left.push(other),
                    }
                }
                if left.is_empty() { Self::Constant(Trit::False) } else { Self::Or(left) }
            }
            Node::Not(inner) => match Self::of(inner, group, place) {
                Self::Constant(trit) => Self::Constant(!trit),
                other => Self::Not(Box::new(other)),
            },
            Node::Leaf(leaf) => match Scan::of(leaf, group) {
                Some(scan) => scan.constant().map_or(Self::Scan(scan), Self::Constant),
                None => Self::Each(Each::new(&leaf.test, group)),
            },
            Node::Rows(rows) => {
                let first = rows.places.partition_point(|(group, _)| *group < place);
                let here = rows.places[first..].iter().take_while(|(group, _)| *group == place);
                Self::Rows(here.map(|(_, row)| *row).collect())
            }
            Node::Bbox(..) | Node::Circle(_) | Node::WithoutGeometry | Node::Time(..) | Node::WithoutTime => {
                Self::Place(node, group)
            }
        }
    }

    /// What is so of some rows of a block; bits of others mean nothing.
    fn mask(&self, block: usize, rows: u64) -> Mask {
        match self {
            Self::Constant(trit) => Mask::all(*trit),
            Self::And(members) => {
                let (mut all, mut left) = (Mask::all(Trit::True), rows);
                for member in members {
                    if left == 0 {
                        break;
                    }
                    all = all.and(member.mask(block, left).of(left));
                    left &= all.possible();
                }
                all
            }
            Self::Or(members) => {
                let (mut any, mut left) = (Mask::all(Trit::False), rows);
                for member in members {
                    if left == 0 {
                        break;
                    }
                    any = any.or(member.mask(block, left).of(left));
                    left &= !any.yes;
                }
                any
            }
            Self::Not(inner) => !inner.mask(block, rows),
            Self::Scan(scan) => scan.mask(block),
            Self::Each(each) => each.mask(block, rows),
            Self::Place(node, group) => place_mask(node, group, block, rows),
            Self::Rows(places) => {
                let first = places.partition_point(|row| (*row as usize) < block * BLOCK_ROWS);
                let here =
                    places[first..].iter().take_while(|row| (**row as usize) < (block + 1) * BLOCK_ROWS);
                let yes = here.fold(0, |bits, row| bits | 1 << (*row as usize % BLOCK_ROWS));
                Mask { yes, unknown: 0 }
            }
        }
    }
}

/// Rows of a block without time: they are held to last for ever.
fn without_time(starts: &[i64], ends: Option<&[i64]>) -> u64 {
    // Where every row is an instant, none is without time.
    let Some(ends) = ends else { return 0 };
    bits_of(starts, |start| start == i64::MIN) & bits_of(ends, |end| end == i64::MAX)
}

fn place_mask(node: &Node, group: &RowGroup, block: usize, rows: u64) -> Mask {
    match node {
        Node::Bbox(bbox, elsewhere) => {
            let located = rows_in(group.located(), block);
            let yes = match group.positions() {
                Some(positions) => in_windows(positions, bbox.windows(), block),
                None => {
                    row_by_row(group, block, rows & located, |row| {
                        group
                            .geometry(row)
                            .is_some_and(|geometry| bbox.meets(&group.row_bounds(row), geometry))
                            .into()
                    })
                    .yes
                }
            };
            Mask { yes, unknown: 0 }.with(!located, *elsewhere)
        }
        Node::Circle(circle) => in_circle(circle, group, block, rows),
        Node::WithoutGeometry => Mask { yes: !rows_in(group.located(), block), unknown: 0 },
        Node::Time(interval, elsewhere) => {
            let Some((starts, ends)) = group.times() else { return Mask::all(*elsewhere) };
            let (starts, ends) = (rows_of(starts, block), ends.map(|ends| rows_of(ends, block)));
            let begun = bits_of(starts, |start| start <= interval.end);
            let lasting = bits_of(ends.unwrap_or(starts), |end| interval.start <= end);
            Mask { yes: begun & lasting, unknown: 0 }.with(without_time(starts, ends), *elsewhere)
        }
        Node::WithoutTime => {
            let Some((starts, ends)) = group.times() else { return Mask::all(Trit::True) };
            let ends = ends.map(|ends| rows_of(ends, block));
            Mask { yes: without_time(rows_of(starts, block), ends), unknown: 0 }
        }
        Node::Constant(_) | Node::And(_) | Node::Or(_) | Node::Not(_) | Node::Rows(_) | Node::Leaf(_) => {
            Mask::default()
        }
    }
}
