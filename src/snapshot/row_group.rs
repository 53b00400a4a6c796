//! A row group: an immutable run of at most 16,384 rows, sorted by (Hilbert key, id), in columns.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::model::CollectionSchema;
use crate::model::Position;
use crate::model::Provenance;
use crate::model::RowId;
use crate::model::ShapeKind;
use crate::model::ShapeRef;
use crate::model::ValueRef;
use crate::model::collections::Field;
use crate::model::crs::mercator_grid;
use crate::model::feature::RowHasher;
use crate::model::feature::hash_share;
use crate::model::geometry::Bounds;
use crate::model::schema::FieldType;
use crate::model::time;
use crate::snapshot::BLOCK_ROWS;
use crate::snapshot::columns::Column;
use crate::snapshot::columns::Nulls;
use crate::snapshot::columns::TextColumn;
use crate::snapshot::index::Pyramid;
use crate::snapshot::raw::RawColumn;
use crate::snapshot::raw::RawPlace;
use crate::snapshot::raw::RawRows;

/// Where a row to be built comes from: a chunk of raw rows and its place there.
pub type RawRef = (u8, u32);

/// An immutable run of rows.
#[derive(Debug)]
pub struct RowGroup {
    serial: u64,
    ids: Box<[RowId]>,
    id_order: Box<[u16]>,
    public_ids: Option<(TextColumn, Nulls)>,
    hilberts: Box<[u64]>,
    places: Places,
    located: usize,
    columns: Box<[Column]>,
    provenance: Box<[u16]>,
    provenances: Box<[Arc<Provenance>]>,
    times: Option<Times>,
    time_extent: Option<(i64, i64)>,
    pyramid: Pyramid,
    hash_sum: u128,
}

/// Positions of points, or packed shapes; for the located rows, which come first.
#[derive(Debug)]
enum Places {
    Points { positions: Box<[Position]>, mercator: Box<[[u32; 2]]> },
    Shapes(Shapes),
}

#[derive(Debug)]
struct Shapes {
    kinds: Box<[ShapeKind]>,
    bounds: Box<[Bounds]>,
    positions: Box<[Position]>,
    ring_ends: Box<[u32]>,
    part_ends: Box<[u32]>,
    row_ends: Box<[u32]>,
}

/// First and last instant of each row; a row without time lasts for ever, so that it meets every interval.
#[derive(Debug)]
struct Times {
    start: Box<[i64]>,
    /// `None` if every row is an instant.
    end: Option<Box<[i64]>>,
}

static NEXT_SERIAL: AtomicU64 = AtomicU64::new(1);

impl RowGroup {
    /// Builds a group of the given rows.
    pub(super) fn build(schema: &CollectionSchema, chunks: &[RawRows], rows: &mut [RawRef]) -> Self {
        let chunk = |at: RawRef| &chunks[usize::from(at.0)];
        rows.sort_unstable_by_key(|at| (chunk(*at).hilberts[at.1 as usize], chunk(*at).ids[at.1 as usize]));
        let ids: Box<[RowId]> = rows.iter().map(|at| chunk(*at).ids[at.1 as usize]).collect();
        let hilberts: Box<[u64]> = rows.iter().map(|at| chunk(*at).hilberts[at.1 as usize]).collect();
        let mut id_order: Vec<u16> = (0..rows.len() as u16).collect();
        id_order.sort_unstable_by_key(|row| ids[usize::from(*row)]);
        let hash_sum = rows.iter().fold(0_u128, |sum, at| sum.wrapping_add(chunk(*at).shares[at.1 as usize]));
        let (provenance, provenances) = gather_provenance(chunks, rows);
        let columns: Box<[Column]> =
            (0..schema.fields.len()).map(|field| gather_column(schema, chunks, rows, field)).collect();
        let public_ids = gather_public_ids(chunks, rows);
        let (places, located) = gather_places(chunks, rows);
        let times = gather_times(schema, &columns, rows.len());
        let mut group = Self {
            serial: NEXT_SERIAL.fetch_add(1, Ordering::Relaxed),
            ids,
            id_order: id_order.into(),
            public_ids,
            hilberts,
            places,
            located,
            columns,
            provenance,
            provenances,
            times,
            time_extent: None,
            pyramid: Pyramid::default(),
            hash_sum,
        };
        if group.times.is_some() {
            let times = (0..group.len()).map(|row| group.time(row)).filter(|time| *time != (i64::MIN, i64::MAX));
            group.time_extent = times.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        }
        group.pyramid = Pyramid::new((0..located).map(|row| group.row_bounds(row)));
        group
    }

    /// A copy with only the rows that `keep` accepts; `None` if it accepts none. It has its own dictionaries,
    /// order and index: nothing of a hidden row is left.
    #[must_use]
    pub fn filtered(&self, schema: &CollectionSchema, keep: impl Fn(&Provenance) -> bool) -> Option<Self> {
        let allowed: Vec<bool> = self.provenances.iter().map(|provenance| keep(provenance)).collect();
        let mut raw = RawRows::new(schema);
        let mut hasher = RowHasher::new(schema);
        let mut rows = Vec::new();
        for row in (0..self.len()).filter(|row| allowed[usize::from(self.provenance[*row])]) {
            let values: Vec<ValueRef<'_>> = (0..schema.fields.len()).map(|field| self.value(field, row)).collect();
            // Row hashes are not kept in memory; the few rows of a copy are hashed anew.
            let hash = hasher.hash(self.provenance(row), self.public_id(row), self.shape(row), |field| values[field]);
            let provenance = &self.provenances[usize::from(self.provenance[row])];
            raw.push(self.ids[row], self.public_id(row), provenance, self.shape(row), &values, hash_share(&hash));
            rows.push((0, rows.len() as u32));
        }
        (!rows.is_empty()).then(|| Self::build(schema, &[raw], &mut rows))
    }

    /// A number that no other group of this process has.
    #[must_use]
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether it has no rows, which only the group of an empty collection has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// How many rows have a geometry; they come first.
    #[must_use]
    pub fn located(&self) -> usize {
        self.located
    }

    /// A row's id.
    #[must_use]
    pub fn id(&self, row: usize) -> RowId {
        self.ids[row]
    }

    /// A row's key of the order everywhere.
    #[must_use]
    pub fn key(&self, row: usize) -> (u64, RowId) {
        (self.hilberts[row], self.ids[row])
    }

    /// The feature id its file gave a row.
    #[must_use]
    pub fn public_id(&self, row: usize) -> Option<&str> {
        self.public_ids.as_ref().filter(|(_, nulls)| !nulls.is_null(row)).map(|(texts, _)| texts.get(row))
    }

    /// The row of an id.
    #[must_use]
    pub fn find(&self, id: RowId) -> Option<usize> {
        self.id_order
            .binary_search_by_key(&id, |row| self.ids[usize::from(*row)])
            .ok()
            .map(|place| usize::from(self.id_order[place]))
    }

    /// The first row whose key is greater than `key`.
    #[must_use]
    pub fn after(&self, key: (u64, RowId)) -> usize {
        let start = self.hilberts.partition_point(|hilbert| *hilbert < key.0);
        let run = self.hilberts[start..].partition_point(|hilbert| *hilbert == key.0);
        start + self.ids[start..start + run].partition_point(|id| *id <= key.1)
    }

    /// The value of a field by its place in the schema.
    #[must_use]
    pub fn value(&self, field: usize, row: usize) -> ValueRef<'_> {
        self.columns.get(field).map_or(ValueRef::Null, |column| column.get(row))
    }

    /// The column of a field by its place in the schema.
    #[must_use]
    pub fn column(&self, field: usize) -> Option<&Column> {
        self.columns.get(field)
    }

    /// The text of a built-in field, `None` for null.
    #[must_use]
    pub fn text(&self, field: &Field<str>, row: usize) -> Option<&str> {
        match self.value(field.index(), row) {
            ValueRef::Text(text) | ValueRef::Json(text) => Some(text),
            _ => None,
        }
    }

    /// Owner, marking, handling and sensitivity of a row.
    #[must_use]
    pub fn provenance(&self, row: usize) -> &Provenance {
        &self.provenances[usize::from(self.provenance[row])]
    }

    /// Every provenance that a row of the group has.
    #[must_use]
    pub fn provenances(&self) -> &[Arc<Provenance>] {
        &self.provenances
    }

    /// First and last instant of a row, in microseconds; for ever for a row without time.
    #[must_use]
    pub fn time(&self, row: usize) -> (i64, i64) {
        match &self.times {
            None => (i64::MIN, i64::MAX),
            Some(times) => {
                let start = times.start[row];
                (start, times.end.as_ref().map_or(start, |end| end[row]))
            }
        }
    }

    /// First and last instant of the rows that have a time, `None` if none has one; a half-open row counts with the
    /// end it has.
    #[must_use]
    pub fn time_extent(&self) -> Option<(i64, i64)> {
        self.time_extent
    }

    /// The position of a row, if the group holds points.
    #[must_use]
    pub fn positions(&self) -> Option<&[Position]> {
        match &self.places {
            Places::Points { positions, .. } => Some(positions),
            Places::Shapes(_) => None,
        }
    }

    /// Web Mercator grid places of the rows, if the group holds points; `[_, u32::MAX]` for one beyond the square.
    #[must_use]
    pub fn mercator(&self) -> Option<&[[u32; 2]]> {
        match &self.places {
            Places::Points { mercator, .. } => Some(mercator),
            Places::Shapes(_) => None,
        }
    }

    /// A row's geometry.
    #[must_use]
    pub fn shape(&self, row: usize) -> Option<ShapeRef<'_>> {
        if row >= self.located {
            return None;
        }
        Some(match &self.places {
            Places::Points { positions, .. } => ShapeRef {
                kind: ShapeKind::Point,
                positions: std::slice::from_ref(&positions[row]),
                ring_ends: &[1],
                part_ends: &[1],
                first_position: 0,
                first_ring: 0,
            },
            Places::Shapes(shapes) => shapes.get(row),
        })
    }

    /// The box of a located row.
    #[must_use]
    pub fn row_bounds(&self, row: usize) -> Bounds {
        match &self.places {
            Places::Points { positions, .. } => {
                let Position { lon, lat } = positions[row];
                Bounds { west: lon, south: lat, east: lon, north: lat }
            }
            Places::Shapes(shapes) => shapes.bounds[row],
        }
    }

    /// The index over the located rows.
    #[must_use]
    pub fn pyramid(&self) -> &Pyramid {
        &self.pyramid
    }

    /// The box of all located rows.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.pyramid.bounds()
    }

    /// The order-free sum of the rows' hashes.
    #[must_use]
    pub fn hash_sum(&self) -> u128 {
        self.hash_sum
    }

    /// Bytes it holds in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let places = match &self.places {
            Places::Points { positions, mercator } => positions.len() * 8 + mercator.len() * 8,
            Places::Shapes(shapes) => {
                shapes.kinds.len() * (1 + size_of::<Bounds>() + 4)
                    + shapes.positions.len() * 8
                    + (shapes.ring_ends.len() + shapes.part_ends.len()) * 4
            }
        };
        let times = self.times.as_ref().map_or(0, |times| (times.start.len() + times.end.as_ref().map_or(0, |end| end.len())) * 8);
        let public = self.public_ids.as_ref().map_or(0, |(texts, _)| texts.bytes());
        size_of::<Self>()
            + self.len() * (16 + 2 + 8 + 2)
            + places
            + times
            + public
            + self.columns.iter().map(|column| size_of::<Column>() + column.bytes()).sum::<usize>()
            + self.pyramid.bytes()
    }

    /// Rows of a block that have a geometry.
    #[must_use]
    pub fn block_rows(&self, block: usize) -> std::ops::Range<usize> {
        block * BLOCK_ROWS..((block + 1) * BLOCK_ROWS).min(self.located)
    }
}

impl Shapes {
    fn get(&self, row: usize) -> ShapeRef<'_> {
        let ends = |ends: &[u32], place: usize| if place == 0 { 0 } else { ends[place - 1] };
        let (first_part, last_part) = (ends(&self.row_ends, row), self.row_ends[row]);
        let (first_ring, last_ring) =
            (ends(&self.part_ends, first_part as usize), self.part_ends[last_part as usize - 1]);
        let (first_position, last_position) =
            (ends(&self.ring_ends, first_ring as usize), self.ring_ends[last_ring as usize - 1]);
        ShapeRef {
            kind: self.kinds[row],
            positions: &self.positions[first_position as usize..last_position as usize],
            ring_ends: &self.ring_ends[first_ring as usize..last_ring as usize],
            part_ends: &self.part_ends[first_part as usize..last_part as usize],
            first_position,
            first_ring,
        }
    }
}

fn gather_provenance(chunks: &[RawRows], rows: &[RawRef]) -> (Box<[u16]>, Box<[Arc<Provenance>]>) {
    let mut provenances: Vec<Arc<Provenance>> = Vec::new();
    let mut map: Vec<Vec<Option<u16>>> = chunks.iter().map(|chunk| vec![None; chunk.provenances.len()]).collect();
    let codes = rows
        .iter()
        .map(|(chunk, row)| {
            let raw = &chunks[usize::from(*chunk)];
            let code = usize::from(raw.provenance[*row as usize]);
            *map[usize::from(*chunk)][code].get_or_insert_with(|| {
                let wanted = &raw.provenances[code];
                let place = provenances.iter().position(|known| known == wanted).unwrap_or_else(|| {
                    provenances.push(Arc::clone(wanted));
                    provenances.len() - 1
                });
                place as u16
            })
        })
        .collect();
    (codes, provenances.into())
}

fn gather_column(schema: &CollectionSchema, chunks: &[RawRows], rows: &[RawRef], field: usize) -> Column {
    let field_type = schema.fields[field].field_type;
    let column = |chunk: u8| &chunks[usize::from(chunk)].columns[field];
    match field_type {
        FieldType::Boolean | FieldType::Integer | FieldType::Date | FieldType::Timestamp => {
            let values: Vec<Option<i64>> = rows
                .iter()
                .map(|(chunk, row)| match column(*chunk) {
                    RawColumn::Ints(values) => values[*row as usize],
                    RawColumn::Floats(_) | RawColumn::Texts(..) => None,
                })
                .collect();
            Column::ints(field_type, &values)
        }
        FieldType::Number => {
            let values: Vec<Option<f64>> = rows
                .iter()
                .map(|(chunk, row)| match column(*chunk) {
                    RawColumn::Floats(values) => values[*row as usize],
                    RawColumn::Ints(_) | RawColumn::Texts(..) => None,
                })
                .collect();
            Column::floats(&values)
        }
        FieldType::Text | FieldType::Json => {
            let pools: Vec<_> = chunks
                .iter()
                .map(|chunk| match &chunk.columns[field] {
                    RawColumn::Texts(codes, pool) => Some((codes.as_slice(), pool)),
                    RawColumn::Ints(_) | RawColumn::Floats(_) => None,
                })
                .collect();
            let (codes, text) = one_pool(&pools, rows);
            Column::texts(field_type, &codes, |code| text[code as usize])
        }
    }
}

/// Codes of all rows into one list of texts: the same text has one code even if it came from two chunks.
fn one_pool<'a>(pools: &[Option<(&'a [u32], &'a crate::snapshot::raw::TextPool)>], rows: &[RawRef]) -> (Vec<u32>, Vec<&'a str>) {
    let mut texts: Vec<&'a str> = Vec::new();
    let mut by_text: hashbrown::HashMap<&'a str, u32> = hashbrown::HashMap::new();
    let mut by_code: hashbrown::HashMap<(u8, u32), u32> = hashbrown::HashMap::new();
    let codes = rows
        .iter()
        .map(|(chunk, row)| {
            let Some((codes, pool)) = pools[usize::from(*chunk)] else { return u32::MAX };
            let code = codes[*row as usize];
            if code == u32::MAX {
                return u32::MAX;
            }
            *by_code.entry((*chunk, code)).or_insert_with(|| {
                let text = pool.get(code);
                *by_text.entry(text).or_insert_with(|| {
                    texts.push(text);
                    texts.len() as u32 - 1
                })
            })
        })
        .collect();
    (codes, texts)
}

fn gather_public_ids(chunks: &[RawRows], rows: &[RawRef]) -> Option<(TextColumn, Nulls)> {
    let pools: Vec<_> = chunks.iter().map(|chunk| Some((chunk.public_ids.as_slice(), &chunk.public_pool))).collect();
    let (codes, texts) = one_pool(&pools, rows);
    if texts.is_empty() {
        return None;
    }
    let nulls = Nulls::new(codes.iter().map(|code| *code == u32::MAX));
    Some((TextColumn::new(&codes, |code| texts[code as usize]), nulls))
}

fn gather_places(chunks: &[RawRows], rows: &[RawRef]) -> (Places, usize) {
    let place = |at: &RawRef| chunks[usize::from(at.0)].places[at.1 as usize];
    let located = rows.iter().take_while(|at| !matches!(place(at), RawPlace::None)).count();
    let rows = &rows[..located];
    if rows.iter().all(|at| matches!(place(at), RawPlace::Point(_))) {
        let positions: Box<[Position]> = rows
            .iter()
            .filter_map(|at| match place(at) {
                RawPlace::Point(position) => Some(position),
                RawPlace::None | RawPlace::Shape(_) => None,
            })
            .collect();
        let mercator = positions
            .iter()
            .map(|position| mercator_grid(*position).map_or([u32::MAX; 2], |(x, y)| [x, y.min(u32::MAX - 1)]))
            .collect();
        return (Places::Points { positions, mercator }, located);
    }
    let (mut kinds, mut bounds, mut positions) = (Vec::new(), Vec::new(), Vec::new());
    let (mut ring_ends, mut part_ends, mut row_ends) = (Vec::new(), Vec::new(), Vec::new());
    for at in rows {
        let point;
        let shape = match place(at) {
            RawPlace::Point(position) => {
                point = crate::model::Shape::point(position);
                point.as_ref()
            }
            RawPlace::Shape(shape) => chunks[usize::from(at.0)].shapes[shape as usize].as_ref(),
            RawPlace::None => continue,
        };
        kinds.push(shape.kind);
        bounds.push(shape.bounds());
        let (first_position, first_ring) = (positions.len() as u32, ring_ends.len() as u32);
        positions.extend_from_slice(shape.positions);
        ring_ends.extend(shape.ring_ends.iter().map(|end| end - shape.first_position + first_position));
        part_ends.extend(shape.part_ends.iter().map(|end| end - shape.first_ring + first_ring));
        row_ends.push(part_ends.len() as u32);
    }
    let shapes = Shapes {
        kinds: kinds.into(),
        bounds: bounds.into(),
        positions: positions.into(),
        ring_ends: ring_ends.into(),
        part_ends: part_ends.into(),
        row_ends: row_ends.into(),
    };
    (Places::Shapes(shapes), located)
}

fn gather_times(schema: &CollectionSchema, columns: &[Column], rows: usize) -> Option<Times> {
    let first = columns.get(schema.position(schema.time.first()?)?)?;
    let last = match schema.time.get(1) {
        Some(name) => columns.get(schema.position(name)?)?,
        None => first,
    };
    let single = schema.time.len() == 1;
    let (mut start, mut end) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    for row in 0..rows {
        let from = moment(first.get(row));
        let to = if single { from } else { moment(last.get(row)) };
        start.push(from.map_or(i64::MIN, |interval| interval.start));
        end.push(to.map_or(i64::MAX, |interval| interval.end));
    }
    let instants = start == end;
    Some(Times { start: start.into(), end: (!instants).then(|| end.into()) })
}

fn moment(value: ValueRef<'_>) -> Option<time::Interval> {
    match value {
        ValueRef::Timestamp(at) => Some(time::Interval { start: at, end: at }),
        ValueRef::Date(days) => {
            let start = i64::from(days) * time::DAY_MICROS;
            Some(time::Interval { start, end: start + time::DAY_MICROS - 1 })
        }
        ValueRef::Text(text) => time::parse_column_moment(text),
        ValueRef::Null | ValueRef::Bool(_) | ValueRef::Int(_) | ValueRef::Float(_) | ValueRef::Json(_) => None,
    }
}
