//! Rows on their way into row groups: unsorted columns that grow row by row.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::DefaultHashBuilder;
use hashbrown::HashMap;
use hashbrown::HashTable;

use crate::model::CollectionSchema;
use crate::model::Geometry;
use crate::model::GeometryRef;
use crate::model::GeometryType;
use crate::model::Position;
use crate::model::RowId;
use crate::model::RowRights;
use crate::model::ValueRef;
use crate::model::hilbert::HILBERT_NONE;
use crate::model::hilbert::hilbert;
use crate::model::schema::FieldType;
use crate::snapshot::build::LARGE_VERTICES;

/// Texts by code: every different one once, as long as they repeat.
#[derive(Debug, Default)]
pub struct TextPool {
    text: String,
    ends: Vec<usize>,
    /// Hash and code of every text; hashes are kept so that growing does not read the texts again.
    table: HashTable<(u64, u32)>,
    hasher: DefaultHashBuilder,
    asked: usize,
    plain: bool,
    longest: usize,
}

/// A pool of more texts than this that mostly don't repeat stops looking for repeats.
const MOST_INTERNED: usize = 16_384;

impl TextPool {
    fn code(&mut self, text: &str) -> u32 {
        self.asked += 1;
        let code = self.ends.len() as u32;
        if !self.plain {
            let Self { text: all, ends, table, hasher, .. } = &mut *self;
            let hash = hasher.hash_one(text);
            if let Some((_, code)) =
                table.find(hash, |(known, code)| *known == hash && text_at(all, ends, *code) == text)
            {
                return *code;
            }
            table.insert_unique(hash, (hash, code), |(hash, _)| *hash);
            if self.ends.len() > MOST_INTERNED && self.ends.len() * 2 > self.asked {
                self.plain = true;
                self.table = HashTable::new();
            }
        }
        self.text.push_str(text);
        self.ends.push(self.text.len());
        self.longest = self.longest.max(text.len());
        code
    }

    /// Whether equal texts have equal codes.
    pub fn is_interned(&self) -> bool {
        !self.plain
    }

    /// How many codes there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text of a code.
    pub fn get(&self, code: u32) -> &str {
        text_at(&self.text, &self.ends, code)
    }
}

fn text_at<'a>(all: &'a str, ends: &[usize], code: u32) -> &'a str {
    let code = code as usize;
    let start = if code == 0 { 0 } else { ends[code - 1] };
    &all[start..ends[code]]
}

/// One field's values so far.
#[derive(Debug)]
pub enum RawColumn {
    /// Booleans, integers, dates, timestamps.
    Ints(Vec<Option<i64>>),
    /// Numbers.
    Floats(Vec<Option<f64>>),
    /// Codes into the pool, `u32::MAX` for null.
    Texts(Vec<u32>, TextPool),
}

impl RawColumn {
    fn new(field_type: FieldType) -> Self {
        match field_type {
            FieldType::Boolean | FieldType::Integer | FieldType::Date | FieldType::Timestamp => {
                Self::Ints(Vec::new())
            }
            FieldType::Number => Self::Floats(Vec::new()),
            FieldType::Text | FieldType::List | FieldType::Json => {
                Self::Texts(Vec::new(), TextPool::default())
            }
        }
    }

    fn push(&mut self, value: ValueRef<'_>) {
        match (self, value) {
            (Self::Ints(values), ValueRef::Bool(value)) => values.push(Some(i64::from(value))),
            (Self::Ints(values), ValueRef::Int(value) | ValueRef::Timestamp(value)) => {
                values.push(Some(value));
            }
            (Self::Ints(values), ValueRef::Date(value)) => values.push(Some(i64::from(value))),
            (Self::Ints(values), _) => values.push(None),
            (Self::Floats(values), ValueRef::Float(value)) => values.push(Some(value)),
            (Self::Floats(values), _) => values.push(None),
            (Self::Texts(codes, pool), ValueRef::Text(value) | ValueRef::Json(value)) => {
                codes.push(pool.code(value));
            }
            (Self::Texts(codes, _), _) => codes.push(u32::MAX),
        }
    }
}

/// Where a row is.
#[derive(Debug, Clone, Copy)]
pub enum RawPlace {
    /// Nowhere.
    None,
    /// At a point.
    Point(Position),
    /// In the list of geometries.
    Geometry(u32),
}

/// Rows of one collection in the order they came.
#[derive(Debug)]
pub struct RawRows {
    /// Ids.
    pub ids: Vec<RowId>,
    /// Hilbert keys, the first part of canonical order.
    pub hilberts: Vec<u64>,
    /// What each row adds to the hash sum; empty where rows are hashed only when the sum is needed.
    pub shares: Vec<u128>,
    /// Places.
    pub places: Vec<RawPlace>,
    /// Geometries that are no points.
    pub geometries: Vec<Geometry>,
    /// Public ids, codes into the pool.
    pub public_ids: Vec<u32>,
    /// Texts of public ids.
    pub public_pool: TextPool,
    /// Codes into `row_rights`.
    pub rights: Vec<u32>,
    /// Every different one.
    pub row_rights: Vec<Arc<RowRights>>,
    /// Their places.
    rights_codes: HashMap<Arc<RowRights>, u32>,
    /// One for each field.
    pub columns: Vec<RawColumn>,
}

impl RawRows {
    /// No rows of a schema.
    #[must_use]
    pub fn new(schema: &CollectionSchema) -> Self {
        Self {
            ids: Vec::new(),
            hilberts: Vec::new(),
            shares: Vec::new(),
            places: Vec::new(),
            geometries: Vec::new(),
            public_ids: Vec::new(),
            public_pool: TextPool::default(),
            rights: Vec::new(),
            row_rights: Vec::new(),
            rights_codes: HashMap::new(),
            columns: schema.fields.iter().map(|field| RawColumn::new(field.field_type)).collect(),
        }
    }

    /// Makes room for about this many rows; a count that is off costs time and nothing else.
    pub fn reserve(&mut self, rows: u64) {
        // What the store says is believed up to a few million rows at a time.
        let rows = usize::try_from(rows).unwrap_or(0).min(4 << 20);
        self.ids.reserve(rows);
        self.hilberts.reserve(rows);
        self.shares.reserve(rows);
        self.places.reserve(rows);
        self.public_ids.reserve(rows);
        self.rights.reserve(rows);
        for column in &mut self.columns {
            match column {
                RawColumn::Ints(values) => values.reserve(rows),
                RawColumn::Floats(values) => values.reserve(rows),
                RawColumn::Texts(codes, _) => codes.reserve(rows),
            }
        }
    }

    /// Whether a row's geometry has so many vertices that it stands apart from others.
    #[must_use]
    pub fn is_large(&self, row: usize) -> bool {
        match self.places[row] {
            RawPlace::Geometry(place) => {
                self.geometries[place as usize].as_ref().positions.len() > LARGE_VERTICES
            }
            RawPlace::None | RawPlace::Point(_) => false,
        }
    }

    /// The longest texts of all columns together, in bytes: no row has more.
    #[must_use]
    pub fn longest_texts(&self) -> u64 {
        self.pools().map(|(_, pool)| pool.longest as u64).sum()
    }

    /// How many bytes the texts of a row have together.
    #[must_use]
    pub fn text_bytes(&self, row: usize) -> u64 {
        let text = |(codes, pool): (&[u32], &TextPool)| match codes[row] {
            u32::MAX => 0,
            code => pool.get(code).len() as u64,
        };
        self.pools().map(text).sum()
    }

    /// Codes and texts of every column that has texts.
    fn pools(&self) -> impl Iterator<Item = (&[u32], &TextPool)> {
        let columns = self.columns.iter().filter_map(|column| match column {
            RawColumn::Texts(codes, pool) => Some((codes.as_slice(), pool)),
            RawColumn::Ints(_) | RawColumn::Floats(_) => None,
        });
        columns.chain([(self.public_ids.as_slice(), &self.public_pool)])
    }

    /// Adds a row.
    pub fn push(
        &mut self,
        id: RowId,
        public_id: Option<&str>,
        rights: &Arc<RowRights>,
        geometry: Option<GeometryRef<'_>>,
        values: &[ValueRef<'_>],
        share: Option<u128>,
    ) {
        self.ids.push(id);
        self.shares.extend(share);
        self.public_ids.push(public_id.map_or(u32::MAX, |text| self.public_pool.code(text)));
        // Rows that follow each other mostly have the same one.
        let last = self.rights.last().copied();
        let same = last.filter(|last| Arc::ptr_eq(&self.row_rights[*last as usize], rights));
        let code = same.unwrap_or_else(|| {
            *self.rights_codes.entry(Arc::clone(rights)).or_insert_with(|| {
                self.row_rights.push(Arc::clone(rights));
                self.row_rights.len() as u32 - 1
            })
        });
        self.rights.push(code);
        let (place, key) = match geometry {
            None => (RawPlace::None, HILBERT_NONE),
            Some(geometry) if geometry.kind == GeometryType::Point => {
                (RawPlace::Point(geometry.positions[0]), hilbert(geometry.positions[0]))
            }
            Some(geometry) => {
                self.geometries.push(geometry.to_geometry());
                (RawPlace::Geometry(self.geometries.len() as u32 - 1), hilbert(geometry.bounds().centre()))
            }
        };
        self.places.push(place);
        self.hilberts.push(key);
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(*value);
        }
    }
}
