//! Columns of a row group gathered from raw rows, in the group's order.

use std::sync::Arc;

use crate::model::CollectionSchema;
use crate::model::Position;
use crate::model::RowRights;
use crate::model::ValueRef;
use crate::model::crs::mercator_grid;
use crate::model::schema::FieldType;
use crate::model::time;
use crate::snapshot::columns::Column;
use crate::snapshot::columns::Nulls;
use crate::snapshot::columns::TextColumn;
use crate::snapshot::places::Geometries;
use crate::snapshot::places::Places;
use crate::snapshot::places::Times;
use crate::snapshot::raw::RawColumn;
use crate::snapshot::raw::RawPlace;
use crate::snapshot::raw::RawRows;
use crate::snapshot::raw::TextPool;
use crate::snapshot::row_group::RawRef;

/// Codes of the rows' rights, and the rights. A row group has fewer rows than 16 bits have values.
pub fn gather_rights(chunks: &[&RawRows], rows: &[RawRef]) -> (Box<[u16]>, Box<[Arc<RowRights>]>) {
    let mut row_rights: Vec<Arc<RowRights>> = Vec::new();
    let mut places: hashbrown::HashMap<&Arc<RowRights>, u16> = hashbrown::HashMap::new();
    let mut map: Vec<Vec<Option<u16>>> =
        chunks.iter().map(|chunk| vec![None; chunk.row_rights.len()]).collect();
    let codes = rows
        .iter()
        .map(|(chunk, row)| {
            let raw = &chunks[usize::from(*chunk)];
            let code = raw.rights[*row as usize] as usize;
            *map[usize::from(*chunk)][code].get_or_insert_with(|| {
                let wanted = &raw.row_rights[code];
                *places.entry(wanted).or_insert_with(|| {
                    row_rights.push(Arc::clone(wanted));
                    (row_rights.len() - 1) as u16
                })
            })
        })
        .collect();
    (codes, row_rights.into())
}

/// The column of a field.
pub fn gather_column(
    schema: &CollectionSchema,
    chunks: &[&RawRows],
    rows: &[RawRef],
    field: usize,
) -> Column {
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
        FieldType::Text | FieldType::List | FieldType::Json => {
            let pools: Vec<_> = chunks
                .iter()
                .map(|chunk| match &chunk.columns[field] {
                    RawColumn::Texts(codes, pool) => Some((codes.as_slice(), pool)),
                    RawColumn::Ints(_) | RawColumn::Floats(_) => None,
                })
                .collect();
            let (codes, texts) = one_pool(&pools, rows);
            Column::texts(field_type, &codes, &texts)
        }
    }
}

/// Codes of all rows into one list of texts: the same text has one code even if it came from two chunks.
fn one_pool<'a>(pools: &[Option<(&'a [u32], &'a TextPool)>], rows: &[RawRef]) -> (Vec<u32>, Vec<&'a str>) {
    let mut texts: Vec<&'a str> = Vec::new();
    let mut by_text: hashbrown::HashMap<&'a str, u32> = hashbrown::HashMap::new();
    // For each chunk, the local code of each of its codes, once it was met.
    let mut known: Vec<Vec<u32>> = pools
        .iter()
        .map(|pool| match pool {
            Some((_, pool)) if pool.is_interned() => vec![u32::MAX; pool.len()],
            _ => Vec::new(),
        })
        .collect();
    let codes = rows
        .iter()
        .map(|(chunk, row)| {
            let Some((codes, pool)) = pools[usize::from(*chunk)] else { return u32::MAX };
            let code = codes[*row as usize];
            if code == u32::MAX {
                return u32::MAX;
            }
            if !pool.is_interned() {
                texts.push(pool.get(code));
                return texts.len() as u32 - 1;
            }
            let local = &mut known[usize::from(*chunk)][code as usize];
            if *local == u32::MAX {
                let text = pool.get(code);
                *local = *by_text.entry(text).or_insert_with(|| {
                    texts.push(text);
                    texts.len() as u32 - 1
                });
            }
            *local
        })
        .collect();
    (codes, texts)
}

/// Public ids, `None` if no row has one.
pub fn gather_public_ids(chunks: &[&RawRows], rows: &[RawRef]) -> Option<(TextColumn, Nulls)> {
    let pools: Vec<_> =
        chunks.iter().map(|chunk| Some((chunk.public_ids.as_slice(), &chunk.public_pool))).collect();
    let (codes, texts) = one_pool(&pools, rows);
    if texts.is_empty() {
        return None;
    }
    let nulls = Nulls::new(codes.iter().map(|code| *code == u32::MAX));
    Some((TextColumn::new(&codes, &texts), nulls))
}

/// Places of the located rows, which come first, and how many they are.
pub fn gather_places(chunks: &[&RawRows], rows: &[RawRef]) -> (Places, usize) {
    let place = |at: &RawRef| chunks[usize::from(at.0)].places[at.1 as usize];
    let located = rows.iter().take_while(|at| !matches!(place(at), RawPlace::None)).count();
    let rows = &rows[..located];
    if rows.iter().all(|at| matches!(place(at), RawPlace::Point(_))) {
        let positions: Box<[Position]> = rows
            .iter()
            .filter_map(|at| match place(at) {
                RawPlace::Point(position) => Some(position),
                RawPlace::None | RawPlace::Geometry(_) => None,
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
        let geometry = match place(at) {
            RawPlace::Point(position) => {
                point = crate::model::Geometry::point(position);
                point.as_ref()
            }
            RawPlace::Geometry(geometry) => chunks[usize::from(at.0)].geometries[geometry as usize].as_ref(),
            RawPlace::None => continue,
        };
        kinds.push(geometry.kind);
        bounds.push(geometry.bounds());
        let (first_position, first_ring) = (positions.len() as u32, ring_ends.len() as u32);
        positions.extend_from_slice(geometry.positions);
        ring_ends.extend(geometry.ring_ends.iter().map(|end| end - geometry.first_position + first_position));
        part_ends.extend(geometry.part_ends.iter().map(|end| end - geometry.first_ring + first_ring));
        row_ends.push(part_ends.len() as u32);
    }
    let geometries = Geometries {
        kinds: kinds.into(),
        bounds: bounds.into(),
        positions: positions.into(),
        ring_ends: ring_ends.into(),
        part_ends: part_ends.into(),
        row_ends: row_ends.into(),
    };
    (Places::Geometries(geometries), located)
}

/// First and last instants, `None` if the collection has no time.
pub fn gather_times(schema: &CollectionSchema, columns: &[Column], rows: usize) -> Option<Times> {
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
        ValueRef::Json(json) => time::parse_json_moment(json),
        ValueRef::Null | ValueRef::Bool(_) | ValueRef::Int(_) | ValueRef::Float(_) => None,
    }
}
