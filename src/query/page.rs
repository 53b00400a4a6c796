//! Pages of features in canonical order (Hilbert key, id), exact counts, and one feature by its id.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::rc::Rc;

use crate::access::BLOCK_ROWS;
use crate::access::CollectionView;
use crate::access::RowGroup;
use crate::filter::Bound;
use crate::filter::GroupMasks;
use crate::filter::bits_in;
use crate::model::Position;
use crate::model::RowId;
use crate::model::geometry::Bounds;

/// A row of a collection view: the place of its group and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowRef {
    /// Place of the row group in the view.
    pub group: u32,
    /// Place of the row in the group.
    pub row: u32,
}

/// The place of a row in canonical order; pages go on after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    hilbert: u64,
    id: RowId,
}

/// What is asked of a collection.
#[derive(Debug, Clone)]
pub struct ItemsRequest {
    /// Which rows, bound to the collection.
    pub filter: Bound,
    /// How many at most.
    pub limit: usize,
    /// After which row.
    pub after: Option<Cursor>,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its rows in the order (Hilbert key, id).
    pub rows: Vec<RowRef>,
    /// How many rows match the filter altogether.
    pub matched: u64,
    /// Where the next page goes on, if there is one.
    pub next: Option<Cursor>,
}

impl Cursor {
    /// The cursor as opaque text.
    #[must_use]
    pub fn encode(self) -> String {
        format!("{:016x}{:032x}", self.hilbert, self.id.0)
    }

    /// The cursor of a text that [`Self::encode`] gave.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        if text.len() != 48
            || !text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        {
            return None;
        }
        Some(Self {
            hilbert: u64::from_str_radix(&text[..16], 16).ok()?,
            id: RowId(u128::from_str_radix(&text[16..], 16).ok()?),
        })
    }
}

/// The page that follows `request.after`, with the number of all rows that match.
///
/// Every row that matches is on exactly one page, as long as its geometry and visibility don't change meanwhile.
#[must_use]
pub fn items(collection: &CollectionView, request: &ItemsRequest) -> Page {
    let mut rows = Vec::with_capacity(request.limit.min(FIRST_ROOM));
    let mut next = None;
    let mut merge = Merge::new(collection, &request.filter, request.after);
    for at in merge.by_ref() {
        if rows.len() == request.limit {
            next = rows.last().map(|last| cursor_of(collection, *last));
            break;
        }
        rows.push(at);
    }
    let matched = match (request.after, next) {
        // A first page that is the last one has them all.
        (None, None) if request.limit > 0 => rows.len() as u64,
        _ if request.filter.is_everything() => collection.rows(),
        _ => merge.matched(),
    };
    Page { rows, matched, next }
}

fn cursor_of(collection: &CollectionView, at: RowRef) -> Cursor {
    let (hilbert, id) = collection.groups()[at.group as usize].key(at.row as usize);
    Cursor { hilbert, id }
}

/// How many rows match, exactly.
#[must_use]
pub fn count(collection: &CollectionView, filter: &Bound) -> u64 {
    if filter.is_everything() {
        return collection.rows();
    }
    filter.groups_met(collection).map(|place| count_of(collection, filter, place)).sum::<usize>() as u64
}

/// How many rows of a group match.
fn count_of(collection: &CollectionView, filter: &Bound, place: usize) -> usize {
    let group = &collection.groups()[place];
    if !(filter.is_window_only() && group.positions().is_some()) {
        return Opened::new(collection, filter, place).count(filter);
    }
    let mut total = 0;
    filter.visit_runs(group, &mut |rows, inside| {
        total += if inside { rows.len() } else { in_windows(group, filter, rows) };
    });
    total
}

/// Rows that may match, and whether all of them lie inside a window.
type Run = (Range<usize>, bool);

/// Room for as many rows of a page is made at once.
const FIRST_ROOM: usize = 1_024;

/// A row group that may have rows that match: the runs where they may be, and what decides there.
struct Opened<'a> {
    group: &'a RowGroup,
    runs: Vec<Run>,
    /// `None` where a window alone decides and the group holds points.
    masks: Option<GroupMasks<'a>>,
}

impl<'a> Opened<'a> {
    fn new(collection: &'a CollectionView, filter: &'a Bound, place: usize) -> Self {
        let group = &*collection.groups()[place];
        let mut runs = Vec::new();
        filter.visit_runs(group, &mut |rows, inside| runs.push((rows, inside)));
        let by_window = filter.is_window_only() && group.positions().is_some();
        let masks = (!by_window && !runs.is_empty()).then(|| filter.masks(collection, place));
        Self { group, runs, masks }
    }

    /// How many of its rows match.
    fn count(&self, filter: &Bound) -> usize {
        let whole = filter.is_window_only();
        let rows = |(rows, inside): &Run| match &self.masks {
            _ if *inside && whole => rows.len(),
            Some(masks) => masks.count(rows.clone()),
            None => in_windows(self.group, filter, rows.clone()),
        };
        self.runs.iter().map(rows).sum()
    }
}

/// How many points of a run lie in a window. Rows without geometry are in a run only if they match.
fn in_windows(group: &RowGroup, filter: &Bound, rows: Range<usize>) -> usize {
    let (positions, windows) = (group.positions().unwrap_or_default(), filter.windows().unwrap_or_default());
    let located = rows.start.min(positions.len())..rows.end.min(positions.len());
    let elsewhere = rows.len() - located.len();
    // One comparison an axis: what lies before the edge wraps round to a great number.
    let span = |low: i32, high: i32| high.wrapping_sub(low).cast_unsigned();
    let inside = |window: &Bounds, position: &Position| {
        span(window.west, position.lon) <= span(window.west, window.east)
            && span(window.south, position.lat) <= span(window.south, window.north)
    };
    let positions = &positions[located];
    let held: usize = if let [window] = windows {
        positions.iter().map(|position| usize::from(inside(window, position))).sum()
    } else {
        let any = |position: &&Position| windows.iter().any(|window| inside(window, position));
        positions.iter().filter(any).count()
    };
    elsewhere + held
}

/// The next row of a group: its key, the group's place, its place in the group.
type Head = ((u64, RowId), u32, u32);

/// Rows of all groups in one order. A group is opened only when its first row may be next.
struct Merge<'a> {
    collection: &'a CollectionView,
    filter: &'a Bound,
    after: Option<Cursor>,
    heap: BinaryHeap<Reverse<Head>>,
    streams: Vec<Option<Stream<'a>>>,
    unopened: usize,
    /// The groups that were reached and may have rows that match.
    opened: Vec<Option<Rc<Opened<'a>>>>,
    /// The group whose rows come next, and the first of them that may come after one of another group.
    current: Option<(u32, usize)>,
}

impl<'a> Merge<'a> {
    fn new(collection: &'a CollectionView, filter: &'a Bound, after: Option<Cursor>) -> Self {
        Self {
            collection,
            filter,
            after,
            heap: BinaryHeap::new(),
            streams: Vec::new(),
            unopened: 0,
            opened: Vec::new(),
            current: None,
        }
    }

    /// How many rows match, on whichever page.
    fn matched(&self) -> u64 {
        let opened = self.opened.iter().flatten().map(|opened| opened.count(self.filter));
        let rest = (self.opened.len()..self.collection.groups().len())
            .filter(|place| self.filter.meets(self.collection, *place))
            .map(|place| count_of(self.collection, self.filter, place));
        opened.chain(rest).sum::<usize>() as u64
    }

    fn open_next(&mut self) {
        let place = self.unopened;
        self.unopened += 1;
        if !self.filter.meets(self.collection, place) {
            self.streams.push(None);
            self.opened.push(None);
            return;
        }
        let opened = Rc::new(Opened::new(self.collection, self.filter, place));
        let group = opened.group;
        let start = self.after.map_or(0, |cursor| group.after((cursor.hilbert, cursor.id)));
        let mut stream = (start < group.len()).then(|| Stream::new(Rc::clone(&opened), self.filter, start));
        match stream.as_mut().and_then(Stream::next) {
            Some(row) => self.heap.push(Reverse((group.key(row), place as u32, row as u32))),
            None => stream = None,
        }
        self.opened.push(Some(opened));
        self.streams.push(stream);
    }
}

impl Iterator for Merge<'_> {
    type Item = RowRef;

    fn next(&mut self) -> Option<RowRef> {
        let groups = self.collection.groups();
        if let Some((group, end)) = self.current.take()
            && let Some(stream) = &mut self.streams[group as usize]
        {
            match stream.next() {
                Some(row) if row < end => {
                    self.current = Some((group, end));
                    return Some(RowRef { group, row: row as u32 });
                }
                Some(row) => self.heap.push(Reverse((stream.opened.group.key(row), group, row as u32))),
                None => self.streams[group as usize] = None,
            }
        }
        while self.unopened < groups.len() {
            let first = groups[self.unopened].key(0);
            match self.heap.peek() {
                Some(Reverse((key, _, _))) if *key < first => break,
                _ => self.open_next(),
            }
        }
        let Reverse((_, group, row)) = self.heap.pop()?;
        let unopened = groups.get(self.unopened).map(|group| group.key(0));
        let waiting = self.heap.peek().map(|Reverse((key, _, _))| *key);
        let end = unopened.into_iter().chain(waiting).min();
        let rows = &groups[group as usize];
        self.current = Some((group, end.map_or(rows.len(), |end| rows.after(end))));
        Some(RowRef { group, row })
    }
}

/// Rows of one group that match, in its order.
struct Stream<'a> {
    opened: Rc<Opened<'a>>,
    /// Positions and the windows that decide, where there is no other test.
    points: Option<(&'a [Position], &'a [Bounds])>,
    skip_test: bool,
    next_run: usize,
    run: Run,
    start: usize,
    /// Rows of the block that was last looked at that match and were not given yet; the block's first row.
    bits: u64,
    block_start: usize,
}

impl<'a> Stream<'a> {
    fn new(opened: Rc<Opened<'a>>, filter: &'a Bound, start: usize) -> Self {
        let run = opened.runs.first().cloned().unwrap_or((0..0, false));
        let points = match (opened.group.positions(), filter.windows()) {
            (Some(positions), Some(windows)) if opened.masks.is_none() => Some((positions, windows)),
            _ => None,
        };
        let skip_test = filter.is_window_only();
        Self { opened, points, skip_test, next_run: 1, run, start, bits: 0, block_start: 0 }
    }

    fn next(&mut self) -> Option<usize> {
        loop {
            if self.run.0.start < self.start {
                self.run.0.start = self.start.min(self.run.0.end);
            }
            let inside = self.run.1 && self.skip_test;
            let found = match self.points {
                _ if inside => self.run.0.next(),
                Some((positions, [window])) => {
                    self.run.0.find(|row| positions.get(*row).is_none_or(|position| window.holds(*position)))
                }
                Some((positions, windows)) => self.run.0.find(|row| {
                    let held = |position: &Position| windows.iter().any(|window| window.holds(*position));
                    positions.get(*row).is_none_or(held)
                }),
                None => self.next_of_block(),
            };
            if found.is_some() {
                return found;
            }
            self.run = self.opened.runs.get(self.next_run)?.clone();
            self.next_run += 1;
        }
    }

    /// The next row of the run that matches, by the masks: block after block.
    fn next_of_block(&mut self) -> Option<usize> {
        let masks = self.opened.masks.as_ref()?;
        let rows = &mut self.run.0;
        while self.bits == 0 {
            if rows.start >= rows.end {
                return None;
            }
            let block = rows.start / BLOCK_ROWS;
            self.block_start = block * BLOCK_ROWS;
            self.bits = masks.mask_of(block, bits_in(rows, block)).yes;
            rows.start = (self.block_start + BLOCK_ROWS).min(rows.end);
        }
        let row = self.block_start + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some(row)
    }
}

/// The row whose id outside is `id`: its file's feature id, or its UUID if the file gave none.
#[must_use]
pub fn item(collection: &CollectionView, id: &str) -> Option<RowRef> {
    let (group, row) = collection.named(id)?;
    let found = RowRef { group, row };
    // A row with a public id is known by that one alone.
    let group = &collection.groups()[found.group as usize];
    let row = found.row as usize;
    group
        .public_id(row)
        .map_or_else(|| group.id(row).to_string() == id, |public| public == id)
        .then_some(found)
}

/// The id of a row outside.
#[must_use]
pub fn public_id(collection: &CollectionView, at: RowRef) -> String {
    let group = &collection.groups()[at.group as usize];
    let row = at.row as usize;
    group.public_id(row).map_or_else(|| group.id(row).to_string(), str::to_owned)
}
