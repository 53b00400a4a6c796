//! Pages of features in the order everywhere, exact counts, and one feature by its id.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::rc::Rc;

use crate::access::CollectionView;
use crate::access::RowGroup;
use crate::model::Position;
use crate::model::RowId;
use crate::model::geometry::Bounds;
use crate::query::Filter;

/// A row of a collection view: the place of its group and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowRef {
    /// Place of the row group in the view.
    pub group: u32,
    /// Place of the row in the group.
    pub row: u32,
}

/// The place of a row in the order everywhere; pages go on after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    hilbert: u64,
    id: RowId,
}

/// What is asked of a collection.
#[derive(Debug, Clone)]
pub struct ItemsRequest {
    /// Which rows.
    pub filter: Filter,
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
pub fn count(collection: &CollectionView, filter: &Filter) -> u64 {
    if filter.is_everything() {
        return collection.rows();
    }
    let mut total = 0;
    for group in groups_met(collection, filter) {
        visit_runs(group, filter, &mut |rows, inside| total += count_run(group, filter, rows, inside));
    }
    total as u64
}

/// How many rows of a run match.
fn count_run(group: &RowGroup, filter: &Filter, rows: Range<usize>, inside: bool) -> usize {
    if inside && filter.is_window_only() { rows.len() } else { filter.count(group, rows) }
}

/// About how many rows must be looked at one by one to answer, at most `enough`: rows that may be inside a circle or an
/// interval. Rows in a box cost next to nothing.
#[must_use]
pub fn looked_at(collection: &CollectionView, filter: &Filter, enough: usize) -> usize {
    if filter.is_everything() || filter.is_window_only() {
        return 0;
    }
    let mut total = 0;
    for group in groups_met(collection, filter) {
        visit_runs(group, filter, &mut |rows, _| total += rows.len());
        if total >= enough {
            return enough;
        }
    }
    total
}

/// Groups that may have rows that match.
fn groups_met<'a>(collection: &'a CollectionView, filter: &Filter) -> impl Iterator<Item = &'a RowGroup> {
    let windows = filter.windows();
    let met = move |place| windows.is_none_or(|windows| collection.reaches(place, windows));
    collection
        .groups()
        .iter()
        .enumerate()
        .filter(move |(place, _)| met(*place))
        .map(|(_, group)| group.as_ref())
}

/// Rows that may match, and whether all of them lie inside a window.
type Run = (Range<usize>, bool);

/// Room for as many rows of a page is made at once.
const FIRST_ROOM: usize = 1_024;

/// Runs of rows that may match, as [`visit_runs`] gives them.
fn runs(group: &RowGroup, filter: &Filter) -> Rc<[Run]> {
    let mut runs = Vec::new();
    visit_runs(group, filter, &mut |rows, inside| runs.push((rows, inside)));
    runs.into()
}

/// Gives runs of rows that may match, in row order, and whether all of a run lies inside a window.
fn visit_runs(group: &RowGroup, filter: &Filter, each: &mut impl FnMut(Range<usize>, bool)) {
    let Some(windows) = filter.windows() else { return each(0..group.len(), false) };
    group.pyramid().visit(windows, each);
    if group.located() < group.len() {
        each(group.located()..group.len(), false);
    }
}

/// The next row of a group: its key, the group's place, its place in the group.
type Head = ((u64, RowId), u32, u32);

/// Rows of all groups in one order. A group is opened only when its first row may be next.
struct Merge<'a> {
    collection: &'a CollectionView,
    filter: &'a Filter,
    windows: Option<&'a [Bounds]>,
    after: Option<Cursor>,
    heap: BinaryHeap<Reverse<Head>>,
    streams: Vec<Option<Stream<'a>>>,
    unopened: usize,
    /// Runs of rows of the groups that were opened and may have rows that match.
    runs: Vec<Option<Rc<[Run]>>>,
    /// The group whose rows come next, and the first of them that may come after one of another group.
    current: Option<(u32, usize)>,
}

impl<'a> Merge<'a> {
    fn new(collection: &'a CollectionView, filter: &'a Filter, after: Option<Cursor>) -> Self {
        Self {
            collection,
            filter,
            windows: filter.windows(),
            after,
            heap: BinaryHeap::new(),
            streams: Vec::new(),
            unopened: 0,
            runs: Vec::new(),
            current: None,
        }
    }

    /// How many rows match, on whichever page.
    fn matched(&self) -> u64 {
        let groups = self.collection.groups();
        let opened = groups.iter().zip(&self.runs).filter_map(|(group, runs)| Some((group, runs.as_ref()?)));
        let mut total = 0;
        for (group, runs) in opened {
            for (rows, inside) in runs.iter() {
                total += count_run(group, self.filter, rows.clone(), *inside);
            }
        }
        for (place, group) in groups.iter().enumerate().skip(self.runs.len()) {
            if self.windows.is_none_or(|windows| self.collection.reaches(place, windows)) {
                visit_runs(group, self.filter, &mut |rows, inside| {
                    total += count_run(group, self.filter, rows, inside);
                });
            }
        }
        total as u64
    }

    fn open_next(&mut self) {
        let group = &self.collection.groups()[self.unopened];
        if self.windows.is_some_and(|windows| !self.collection.reaches(self.unopened, windows)) {
            self.streams.push(None);
            self.runs.push(None);
            self.unopened += 1;
            return;
        }
        let start = self.after.map_or(0, |cursor| group.after((cursor.hilbert, cursor.id)));
        let runs = runs(group, self.filter);
        let stream = (start < group.len()).then(|| Stream::new(group, self.filter, Rc::clone(&runs), start));
        self.runs.push(Some(runs));
        self.streams.push(stream);
        if let Some(stream) = &mut self.streams[self.unopened] {
            match stream.next() {
                Some(row) => {
                    self.heap.push(Reverse((stream.group.key(row), self.unopened as u32, row as u32)));
                }
                None => self.streams[self.unopened] = None,
            }
        }
        self.unopened += 1;
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
                Some(row) => self.heap.push(Reverse((stream.group.key(row), group, row as u32))),
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
    group: &'a RowGroup,
    filter: &'a Filter,
    /// Positions and the one window that decides, where there is no other test.
    points: Option<(&'a [Position], &'a Bounds)>,
    skip_test: bool,
    runs: Rc<[Run]>,
    next_run: usize,
    run: Run,
    start: usize,
}

impl<'a> Stream<'a> {
    fn new(group: &'a RowGroup, filter: &'a Filter, runs: Rc<[Run]>, start: usize) -> Self {
        let run = runs.first().cloned().unwrap_or((0..0, false));
        let skip_test = filter.is_window_only();
        let points = match (group.positions(), filter.windows()) {
            (Some(positions), Some([window])) if skip_test => Some((positions, window)),
            _ => None,
        };
        Self { group, filter, points, skip_test, runs, next_run: 1, run, start }
    }

    fn next(&mut self) -> Option<usize> {
        loop {
            if self.run.0.start < self.start {
                self.run.0.start = self.start.min(self.run.0.end);
            }
            let inside = self.run.1 && self.skip_test;
            let found = match self.points {
                _ if inside => self.run.0.next(),
                Some((positions, window)) => {
                    self.run.0.find(|row| positions.get(*row).is_none_or(|position| window.holds(*position)))
                }
                None => self.run.0.find(|row| self.filter.matches(self.group, *row)),
            };
            if found.is_some() {
                return found;
            }
            self.run = self.runs.get(self.next_run)?.clone();
            self.next_run += 1;
        }
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
