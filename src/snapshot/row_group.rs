//! A row group: an immutable run of at most 16,384 rows, sorted by (Hilbert key, id), in columns.

use std::any::Any;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::model::CollectionSchema;
use crate::model::GeometryRef;
use crate::model::Position;
use crate::model::Provenance;
use crate::model::RowId;
use crate::model::RowRights;
use crate::model::ValueRef;
use crate::model::feature::RowHasher;
use crate::model::feature::row_hash_sum;
use crate::model::geometry::Bounds;
use crate::snapshot::BLOCK_ROWS;
use crate::snapshot::build::LARGE_VERTICES;
use crate::snapshot::columns::Column;
use crate::snapshot::columns::Nulls;
use crate::snapshot::columns::TextColumn;
use crate::snapshot::columns::Texts;
use crate::snapshot::gather::gather_column;
use crate::snapshot::gather::gather_places;
use crate::snapshot::gather::gather_public_ids;
use crate::snapshot::gather::gather_rights;
use crate::snapshot::gather::gather_times;
use crate::snapshot::index::Pyramid;
use crate::snapshot::ledger::Charge;
use crate::snapshot::ledger::HeldBytes;
use crate::snapshot::ledger::Ledger;
use crate::snapshot::memo::Memo;
use crate::snapshot::places::Places;
use crate::snapshot::places::Times;
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
    rights: Box<[u16]>,
    row_rights: Box<[Arc<RowRights>]>,
    times: Option<Times>,
    time_extent: Option<(i64, i64)>,
    pyramid: Pyramid,
    hash_sum: OnceLock<u128>,
    memo: Memo,
    /// For a group that the snapshot itself does not hold.
    _charge: Option<Charge>,
}

static NEXT_SERIAL: AtomicU64 = AtomicU64::new(1);

impl RowGroup {
    /// Builds a group of the given rows.
    pub(super) fn build(schema: &CollectionSchema, chunks: &[&RawRows], rows: &mut [RawRef]) -> Self {
        let chunk = |at: RawRef| chunks[usize::from(at.0)];
        let key = |at: &RawRef| (chunk(*at).hilberts[at.1 as usize], chunk(*at).ids[at.1 as usize]);
        // Rows of one owner come in order already.
        if !rows.is_sorted_by_key(key) {
            rows.sort_unstable_by_key(key);
        }
        let ids: Box<[RowId]> = rows.iter().map(|at| chunk(*at).ids[at.1 as usize]).collect();
        let hilberts: Box<[u64]> = rows.iter().map(|at| chunk(*at).hilberts[at.1 as usize]).collect();
        // Ids are random, so their upper halves nearly always decide.
        let mut by_id: Vec<(u64, u16)> =
            (0..rows.len() as u16).map(|row| ((ids[usize::from(row)].0 >> 64) as u64, row)).collect();
        by_id.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| ids[usize::from(a.1)].cmp(&ids[usize::from(b.1)]))
        });
        let id_order: Vec<u16> = by_id.into_iter().map(|(_, row)| row).collect();
        let hash_sum = OnceLock::new();
        if chunks.iter().all(|chunk| chunk.shares.len() == chunk.ids.len()) {
            let shares = rows.iter().map(|at| chunk(*at).shares[at.1 as usize]);
            // It is new, so that nothing was set before.
            let _ = hash_sum.set(shares.fold(0_u128, u128::wrapping_add));
        }
        let (rights, row_rights) = gather_rights(chunks, rows);
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
            rights,
            row_rights,
            times,
            time_extent: None,
            pyramid: Pyramid::default(),
            hash_sum,
            memo: Memo::default(),
            _charge: None,
        };
        if group.times.is_some() {
            let times =
                (0..group.len()).map(|row| group.time(row)).filter(|time| *time != (i64::MIN, i64::MAX));
            group.time_extent = times.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        }
        group.pyramid = Pyramid::new((0..located).map(|row| group.row_bounds(row)));
        group
    }

    /// A copy with only the rows that `keep` accepts; `None` if it accepts none. The fields of `schema` have the values
    /// that `value` gives for `fields`, each with a row. It has its own dictionaries, order and index: nothing of a
    /// hidden row, field or value is left.
    #[must_use]
    pub fn filtered<'a>(
        &'a self,
        schema: &CollectionSchema,
        fields: &[usize],
        keep: impl Fn(&RowRights) -> bool,
        value: impl Fn(usize, usize) -> ValueRef<'a>,
    ) -> Option<Self> {
        let allowed: Vec<bool> = self.row_rights.iter().map(|rights| keep(rights)).collect();
        let mut raw = RawRows::new(schema);
        let mut rows = Vec::new();
        for row in (0..self.len()).filter(|row| allowed[usize::from(self.rights[*row])]) {
            let values: Vec<ValueRef<'_>> = fields.iter().map(|field| value(*field, row)).collect();
            raw.push(
                self.ids[row],
                self.public_id(row),
                &self.row_rights[usize::from(self.rights[row])],
                self.geometry(row),
                &values,
                None,
            );
            rows.push((0, rows.len() as u32));
        }
        (!rows.is_empty()).then(|| Self::build(schema, &[&raw], &mut rows))
    }

    /// The same, counted in a ledger with all that is computed from it: for a group beside the snapshot.
    #[must_use]
    pub fn charged_to(self, ledger: &Arc<Ledger>) -> Self {
        let charge = ledger.charge(self.bytes());
        Self { memo: Memo::charged_to(ledger), _charge: Some(charge), ..self }
    }

    /// Something computed from the group's rows alone, when it is first wanted, and held as long as they are.
    pub fn derive<T: Any + Send + Sync + HeldBytes>(&self, make: impl FnOnce(&Self) -> T) -> Arc<T> {
        self.memo.get_or_make(|| make(self))
    }

    /// A number that no other group of this process has.
    #[must_use]
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// How many rows.
    #[inline]
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
    #[inline]
    #[must_use]
    pub fn located(&self) -> usize {
        self.located
    }

    /// A row's id.
    #[must_use]
    pub fn id(&self, row: usize) -> RowId {
        self.ids[row]
    }

    /// A row's key of canonical order: Hilbert key and id.
    #[inline]
    #[must_use]
    pub fn key(&self, row: usize) -> (u64, RowId) {
        (self.hilberts[row], self.ids[row])
    }

    /// The texts of public ids and the index of a row's among them.
    #[inline]
    #[must_use]
    pub fn public_id_place(&self, row: usize) -> Option<(&Texts, usize)> {
        self.public_ids.as_ref().filter(|(_, nulls)| !nulls.is_null(row)).map(|(texts, _)| texts.place(row))
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
    #[inline]
    #[must_use]
    pub fn value(&self, field: usize, row: usize) -> ValueRef<'_> {
        self.columns.get(field).map_or(ValueRef::Null, |column| column.get(row))
    }

    /// The column of a field by its place in the schema.
    #[inline]
    #[must_use]
    pub fn column(&self, field: usize) -> Option<&Column> {
        self.columns.get(field)
    }

    /// The text of a field by its place in the schema of these rows, `None` for null, for a field of another type, and
    /// where there is no such field.
    #[must_use]
    pub fn text(&self, field: Option<usize>, row: usize) -> Option<&str> {
        match self.value(field?, row) {
            ValueRef::Text(text) | ValueRef::Json(text) => Some(text),
            _ => None,
        }
    }

    /// Owner, marking, handling and sensitivity of a row.
    #[must_use]
    pub fn provenance(&self, row: usize) -> &Provenance {
        &self.rights(row).provenance
    }

    /// Which force holds a row, and which forces it concerns.
    #[must_use]
    pub fn rights(&self, row: usize) -> &RowRights {
        &self.row_rights[usize::from(self.rights[row])]
    }

    /// The place of a row's rights among [`Self::row_rights`].
    #[must_use]
    pub fn rights_code(&self, row: usize) -> usize {
        usize::from(self.rights[row])
    }

    /// The rights that any row of the group has.
    #[must_use]
    pub fn row_rights(&self) -> &[Arc<RowRights>] {
        &self.row_rights
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

    /// First and last instants of all rows, in microseconds; without the second, each row is an instant. `None` if the
    /// collection has no time.
    #[must_use]
    pub fn times(&self) -> Option<(&[i64], Option<&[i64]>)> {
        self.times.as_ref().map(|times| (&*times.start, times.end.as_deref()))
    }

    /// First and last instant of the rows that have a time, `None` if none has one; a half-open row counts with the
    /// end it has.
    #[must_use]
    pub fn time_extent(&self) -> Option<(i64, i64)> {
        self.time_extent
    }

    /// The position of a row, if the group holds points.
    #[inline]
    #[must_use]
    pub fn positions(&self) -> Option<&[Position]> {
        match &self.places {
            Places::Points { positions, .. } => Some(positions),
            Places::Geometries(_) => None,
        }
    }

    /// Web Mercator grid places of the rows, if the group holds points; `[_, u32::MAX]` for one beyond the square.
    #[must_use]
    pub fn mercator(&self) -> Option<&[[u32; 2]]> {
        match &self.places {
            Places::Points { mercator, .. } => Some(mercator),
            Places::Geometries(_) => None,
        }
    }

    /// How many vertices its geometries have.
    #[must_use]
    pub fn vertices(&self) -> usize {
        self.places.vertices()
    }

    /// How many vertices a row's geometry has on average, rounded up.
    #[must_use]
    pub fn vertices_a_row(&self) -> usize {
        self.vertices().div_ceil(self.located.max(1))
    }

    /// A row's geometry.
    #[inline]
    #[must_use]
    pub fn geometry(&self, row: usize) -> Option<GeometryRef<'_>> {
        if row >= self.located {
            return None;
        }
        Some(match &self.places {
            Places::Points { positions, .. } => GeometryRef::point(&positions[row]),
            Places::Geometries(geometries) => geometries.get(row),
        })
    }

    /// The box of a located row.
    #[inline]
    #[must_use]
    pub fn row_bounds(&self, row: usize) -> Bounds {
        match &self.places {
            Places::Points { positions, .. } => {
                let Position { lon, lat } = positions[row];
                Bounds { west: lon, south: lat, east: lon, north: lat }
            }
            Places::Geometries(geometries) => geometries.bounds[row],
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

    /// The group with a hash sum that is known already.
    pub(super) fn with_hash_sum(self, sum: u128) -> Self {
        Self { hash_sum: OnceLock::from(sum), ..self }
    }

    /// Whether its geometries are of those with so many vertices that they stand apart: all of them or none.
    pub(super) fn is_large(&self) -> bool {
        self.geometry(0).is_some_and(|geometry| geometry.positions.len() > LARGE_VERTICES)
    }

    /// What a row adds to the hash sum.
    pub(super) fn share(&self, hasher: &mut RowHasher, row: usize) -> u128 {
        let value = |field: usize| self.value(field, row);
        row_hash_sum(&hasher.hash(self.provenance(row), self.public_id(row), self.geometry(row), value))
    }

    /// The order-free sum of the rows' hashes; `schema` is theirs. Hashes are not kept in memory: those of a copy are made
    /// when the sum is first wanted.
    #[must_use]
    pub fn hash_sum(&self, schema: &CollectionSchema) -> u128 {
        *self.hash_sum.get_or_init(|| {
            let mut hasher = RowHasher::new(schema);
            (0..self.len()).map(|row| self.share(&mut hasher, row)).fold(0, u128::wrapping_add)
        })
    }

    /// Whether [`Self::hash_sum`] is known without hashing the rows.
    #[must_use]
    pub fn knows_hash_sum(&self) -> bool {
        self.hash_sum.get().is_some()
    }

    /// Bytes it holds in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let public = self.public_ids.as_ref().map_or(0, |(texts, _)| texts.bytes());
        size_of::<Self>()
            + self.len() * (16 + 2 + 8 + 2)
            + self.places.bytes()
            + self.times.as_ref().map_or(0, Times::bytes)
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
