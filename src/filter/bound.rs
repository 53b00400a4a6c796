//! An expression bound to a collection of a view, and its masks in each row group.

use std::ops::Range;
use std::sync::Arc;
use std::sync::LazyLock;

use crate::access::BLOCK_ROWS;
use crate::access::CollectionView;
use crate::access::RowGroup;
use crate::access::View;
use crate::filter::Expr;
use crate::filter::FilterError;
use crate::filter::bind::Binder;
use crate::filter::group::GroupMasks;
use crate::filter::group::bits_in;
use crate::filter::mask::Trit;
use crate::filter::node::Node;
use crate::model::geometry::Bounds;

/// An expression bound to the rows of one collection of a view. Copies share what is in it.
#[derive(Debug, Clone)]
pub struct Bound(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    node: Node,
    /// Boxes outside which it is true of no located row.
    windows: Option<Vec<Bounds>>,
    without_geometry: bool,
    weight: usize,
    /// The collection's serial; `None` if it holds of any.
    of: Option<u64>,
    references: Vec<Arc<CollectionView>>,
}

static EVERYTHING: LazyLock<Bound> = LazyLock::new(|| {
    Bound(Arc::new(Inner {
        node: Node::Constant(Trit::True),
        windows: None,
        without_geometry: true,
        weight: 0,
        of: None,
        references: Vec::new(),
    }))
});

impl Expr {
    /// Checks names and types against what the view shows, follows references, and puts constants into the types of
    /// their fields.
    ///
    /// # Errors
    /// [`FilterError`] with what is wrong and what would be right.
    pub fn bind(&self, view: &View, collection: &CollectionView) -> Result<Bound, FilterError> {
        let mut binder = Binder::new(view, collection);
        let node = binder.node(self, 0)?;
        if matches!(node, Node::Constant(Trit::True)) {
            return Ok(Bound::everything().clone());
        }
        let are_points = || collection.groups().iter().all(|group| group.positions().is_some());
        Ok(Bound(Arc::new(Inner {
            windows: node.windows(&are_points),
            without_geometry: node.without_geometry(),
            weight: node.weight(),
            node,
            of: Some(collection.serial()),
            references: binder.references,
        })))
    }
}

impl Bound {
    /// True of every row of any collection.
    #[must_use]
    pub fn everything() -> &'static Self {
        &EVERYTHING
    }

    /// Whether it is true of every row.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        matches!(self.0.node, Node::Constant(Trit::True))
    }

    /// Whether a row whose box lies wholly inside one of [`Self::windows`] matches without another look.
    #[must_use]
    pub fn is_window_only(&self) -> bool {
        matches!(self.0.node, Node::Bbox(..))
    }

    /// Windows outside which no located row matches; `None` if there is no such limit.
    #[must_use]
    pub fn windows(&self) -> Option<&[Bounds]> {
        self.0.windows.as_deref()
    }

    /// Whether rows without geometry may match.
    #[must_use]
    pub fn may_lack_geometry(&self) -> bool {
        self.0.without_geometry
    }

    /// Parts of other collections that it looks at through references: an answer depends on their rows too.
    #[must_use]
    pub fn references(&self) -> &[Arc<CollectionView>] {
        &self.0.references
    }

    /// Places of the row groups that may have rows that match.
    pub fn groups_met<'a>(&'a self, collection: &'a CollectionView) -> impl Iterator<Item = usize> + 'a {
        (0..collection.groups().len()).filter(|place| self.meets(collection, *place))
    }

    /// Whether a row group may have rows that match.
    #[must_use]
    pub fn meets(&self, collection: &CollectionView, group: usize) -> bool {
        self.windows().is_none_or(|windows| collection.reaches(group, windows))
    }

    /// Gives runs of rows of a group that may match, in row order; `true` where every row of the run lies inside a window.
    pub fn visit_runs(&self, group: &RowGroup, each: &mut impl FnMut(Range<usize>, bool)) {
        let Some(windows) = self.windows() else { return each(0..group.len(), false) };
        group.pyramid().visit(windows, each);
        if group.located() < group.len() && self.may_lack_geometry() {
            each(group.located()..group.len(), false);
        }
    }

    /// Every row that matches: the place of its group and its place there, in that order.
    pub fn rows<'a>(&'a self, collection: &'a CollectionView) -> impl Iterator<Item = (usize, usize)> + 'a {
        self.groups_met(collection).flat_map(|place| {
            let masks = self.masks(collection, place);
            let mut blocks = Vec::new();
            self.visit_runs(&collection.groups()[place], &mut |rows, _| {
                for block in rows.start / BLOCK_ROWS..rows.end.div_ceil(BLOCK_ROWS) {
                    blocks.push((block, masks.mask_of(block, bits_in(&rows, block)).yes));
                }
            });
            blocks.into_iter().flat_map(move |(block, mut bits)| {
                std::iter::from_fn(move || {
                    let row = block * BLOCK_ROWS + bits.trailing_zeros() as usize;
                    let found = (bits != 0).then_some((place, row));
                    bits &= bits.wrapping_sub(1);
                    found
                })
            })
        })
    }

    /// About how many rows must be looked at one by one to answer, counted as comparisons of a column, at most `enough`.
    /// Rows in a box cost next to nothing.
    #[must_use]
    pub fn rows_looked_at(&self, collection: &CollectionView, enough: usize) -> usize {
        if self.is_everything() || self.is_window_only() {
            return 0;
        }
        let mut total = 0_usize;
        for place in self.groups_met(collection) {
            let group = &collection.groups()[place];
            self.visit_runs(group, &mut |rows, _| {
                total = total.saturating_add(rows.len().saturating_mul(self.0.weight.max(1)));
            });
            if total >= enough {
                return enough;
            }
        }
        total
    }

    /// Its masks in a row group of the collection that it was bound to. What depends on the group, such as the codes of
    /// a text in its dictionary, is prepared here.
    #[must_use]
    pub fn masks<'a>(&'a self, collection: &'a CollectionView, group: usize) -> GroupMasks<'a> {
        debug_assert!(
            self.0.of.is_none_or(|serial| serial == collection.serial()),
            "bound to another collection"
        );
        let rows = &collection.groups()[group];
        GroupMasks::new(&self.0.node, rows, group as u32)
    }
}
