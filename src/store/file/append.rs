//! Adding rows of one import inside one transaction: new rows, new versions, rows that are there already.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::Statement;
use rusqlite::ToSql;
use rusqlite::params;
use rusqlite::types::Null;

use crate::model::Provenance;
use crate::model::Row;
use crate::model::RowId;
use crate::model::Value;
use crate::model::feature::RowHasher;
use crate::model::feature::row_hash_sum;
use crate::model::geometry::Bounds;
use crate::model::schema::CollectionClass;
use crate::model::schema::CollectionSchema;
use crate::model::time;
use crate::store::Appended;
use crate::store::ChangeSummary;
use crate::store::Register;
use crate::store::StoreError;
use crate::store::StoredCollection;
use crate::store::blob::encode_geometry;
use crate::store::file::change;
use crate::store::file::change::Rows;
use crate::store::file::names;
use crate::store::file::names::quote;
use crate::store::file::tables;
use crate::store::now_micros;

/// One row that the store had before this import, or got during it.
#[derive(Debug)]
struct Known {
    fid: i64,
    hash: u128,
    same_owner: bool,
    /// Whether its id is its own, and not drawn by the store.
    own_id: bool,
    seen: bool,
}

/// Where rows that were there before are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// There were none.
    Empty,
    /// In the table, by its indexes: a few rows touch a few pages.
    Indexed,
    /// In memory, read in one go: many rows are found faster there.
    Loaded,
}

/// How many rows are looked up in the table before all of it is read: so many, or a share of its rows if that is more.
const LOOKUPS: u64 = 4_096;
const LOOKUPS_SHARE: u64 = 16;

/// Adds rows to one collection. Nothing counts until [`FileAppender::finish`] and the commit around it.
#[derive(Debug)]
pub(in crate::store) struct FileAppender<'c> {
    connection: &'c Connection,
    stored: StoredCollection,
    provenance: Arc<Provenance>,
    register: Option<Register>,
    hasher: RowHasher,
    insert: Statement<'c>,
    before: Before,
    /// The greatest row number before this import.
    last_fid: i64,
    looked_up: u64,
    by_id: HashMap<u128, Known>,
    /// How many equal rows without public id were there and have not come again.
    by_hash: HashMap<u128, u32>,
    randomness: Vec<u8>,
    bounds: Bounds,
    summary: ChangeSummary,
    rows: Rows,
    at_micros: i64,
}

impl<'c> FileAppender<'c> {
    /// Prepares a collection for rows of `schema`: makes its table, or adds the columns it lacks.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(in crate::store) fn begin(
        connection: &'c Connection,
        schema: CollectionSchema,
        provenance: Provenance,
    ) -> Result<Self, StoreError> {
        let register = if matches!(schema.class, CollectionClass::Register | CollectionClass::Release) {
            let word: String = connection.query_row(
                "SELECT value FROM throughline_meta WHERE key = 'register'",
                [],
                |row| row.get(0),
            )?;
            Some(Register::parse(&word).unwrap_or(Register::Synthetic))
        } else {
            None
        };
        refuse_mixing(register, &provenance)?;
        let stored = tables::prepare_table(connection, schema)?;
        tables::refuse_other_owner(connection, &stored, &provenance.owner)?;
        let last_fid = tables::last_fid(connection, &stored.table)?;
        let list: Vec<String> = names::SYSTEM_COLUMNS
            .iter()
            .skip(1)
            .map(|name| quote(name))
            .chain(stored.columns.iter().map(|name| quote(name)))
            .collect();
        let marks: Vec<String> = (1..=list.len()).map(|number| format!("?{number}")).collect();
        let insert = connection.prepare(&format!(
            "INSERT INTO {} ({}) VALUES ({})",
            quote(&stored.table),
            list.join(", "),
            marks.join(", ")
        ))?;
        Ok(Self {
            connection,
            hasher: RowHasher::new(&stored.schema),
            insert,
            before: if stored.rows == 0 { Before::Empty } else { Before::Indexed },
            last_fid,
            looked_up: 0,
            by_id: HashMap::new(),
            by_hash: HashMap::new(),
            randomness: Vec::new(),
            bounds: Bounds::EMPTY,
            summary: ChangeSummary::default(),
            rows: Rows::default(),
            at_micros: now_micros(),
            provenance: Arc::new(provenance),
            register,
            stored,
        })
    }

    /// The schema as it will be stored.
    #[must_use]
    pub(in crate::store) fn schema(&self) -> &CollectionSchema {
        &self.stored.schema
    }

    /// Reads every row that was there before into memory, but for those that have come already.
    fn load_known(&mut self) -> Result<(), StoreError> {
        if self.before != Before::Indexed {
            return Ok(());
        }
        self.before = Before::Loaded;
        let met = std::mem::take(&mut self.by_hash);
        let mut statement = self.connection.prepare(&format!(
            "SELECT fid, id, public_id IS NOT NULL, row_hash, owner FROM {} WHERE superseded_at IS NULL AND fid <= ?1",
            quote(&self.stored.table)
        ))?;
        let mut rows = statement.query([self.last_fid])?;
        while let Some(row) = rows.next()? {
            let hash: [u8; 32] = row.get(3)?;
            let hash = row_hash_sum(&hash);
            if row.get::<_, bool>(2)? || self.is_release() {
                let id: [u8; 16] = row.get(1)?;
                let same_owner = row.get_ref(4)?.as_str().is_ok_and(|owner| owner == self.provenance.owner);
                let known = Known { fid: row.get(0)?, hash, same_owner, own_id: true, seen: false };
                self.by_id.entry(u128::from_be_bytes(id)).or_insert(known);
            } else if !met.contains_key(&hash) {
                *self.by_hash.entry(hash).or_insert(0) += 1;
            }
        }
        self.by_hash.extend(met);
        Ok(())
    }

    /// Released rows are known by their ids, which are made and not drawn.
    fn is_release(&self) -> bool {
        self.stored.schema.class == CollectionClass::Release
    }

    /// Counts a lookup in the table; after many of them all rows are read instead.
    fn count_lookup(&mut self) -> Result<(), StoreError> {
        self.looked_up += 1;
        if self.looked_up > LOOKUPS.max(self.stored.rows / LOOKUPS_SHARE) {
            self.load_known()
        } else {
            Ok(())
        }
    }

    /// Makes sure that a row of this id that was there before is in memory. `drawn` is whether the store once drew the
    /// id: such rows are not among those that are read in one go.
    fn find_id(&mut self, id: u128, drawn: bool) -> Result<(), StoreError> {
        if self.before == Before::Indexed && !drawn {
            self.count_lookup()?;
        }
        let look = self.before == Before::Indexed || (self.before == Before::Loaded && drawn);
        if !look || self.by_id.contains_key(&id) {
            return Ok(());
        }
        let release = self.is_release();
        let mut statement = self.connection.prepare_cached(&tables::by_id_sql(&self.stored.table))?;
        let mut rows = statement.query([id.to_be_bytes()])?;
        if let Some(row) = rows.next()? {
            let hash: [u8; 32] = row.get(1)?;
            let same_owner = row.get_ref(2)?.as_str().is_ok_and(|owner| owner == self.provenance.owner);
            let own_id = row.get::<_, bool>(3)? || release;
            let known =
                Known { fid: row.get(0)?, hash: row_hash_sum(&hash), same_owner, own_id, seen: false };
            self.by_id.insert(id, known);
        }
        Ok(())
    }

    /// Makes sure that the number of rows with this hash that were there before, and have no public id, is in memory.
    fn find_hash(&mut self, hash: &[u8; 32]) -> Result<(), StoreError> {
        if self.before == Before::Indexed {
            self.count_lookup()?;
        }
        if self.before != Before::Indexed || self.by_hash.contains_key(&row_hash_sum(hash)) {
            return Ok(());
        }
        // Rows of this import are counted only after their hash was looked up: here are those of before.
        let mut statement = self.connection.prepare_cached(&tables::by_hash_sql(&self.stored.table))?;
        let count: i64 = statement.query_row(params![&hash[..8], hash], |row| row.get(0))?;
        self.by_hash.insert(row_hash_sum(hash), u32::try_from(count).unwrap_or(u32::MAX));
        Ok(())
    }

    /// Adds one row, whose values follow [`Self::schema`].
    ///
    /// # Errors
    /// [`StoreError`]: the whole transaction must then be given up.
    pub(in crate::store) fn append(&mut self, row: &Row) -> Result<Appended, StoreError> {
        let provenance = Arc::clone(&self.provenance);
        self.append_as(row, &provenance)
    }

    /// Adds one row of another provenance than the collection was begun with.
    ///
    /// # Errors
    /// As [`Self::append`], and for a synthetic row in an operational register or the other way round.
    pub(in crate::store) fn append_as(
        &mut self,
        row: &Row,
        provenance: &Provenance,
    ) -> Result<Appended, StoreError> {
        refuse_mixing(self.register, provenance)?;
        let values = &row.values;
        let geometry = row.geometry.as_ref().map(crate::model::Geometry::as_ref);
        let hash = self.hasher.hash(provenance, row.public_id.as_deref(), geometry, |index| {
            values.get(index).map_or(crate::model::ValueRef::Null, Value::as_ref)
        });
        let share = row_hash_sum(&hash);
        let mut outcome = Appended::Added;
        let known = row.public_id.as_deref().map(RowId::from_public).or(row.id);
        let id = if let Some(id) = known {
            self.find_id(id.0, row.public_id.is_none() && !self.is_release())?;
            match self.by_id.entry(id.0) {
                Entry::Vacant(place) => {
                    place.insert(Known { fid: 0, hash: share, same_owner: true, own_id: true, seen: true });
                }
                Entry::Occupied(mut place) => {
                    let known = place.get_mut();
                    if known.seen {
                        return Ok(Appended::DuplicateId);
                    }
                    if !known.same_owner {
                        return Ok(Appended::OtherOwner);
                    }
                    known.seen = true;
                    if known.hash == share {
                        self.summary.unchanged += 1;
                        return Ok(Appended::Unchanged);
                    }
                    outcome = Appended::Changed;
                    let (fid, old) = (known.fid, known.hash);
                    known.hash = share;
                    self.supersede(fid, old)?;
                }
            }
            id
        } else {
            self.find_hash(&hash)?;
            if let Some(left) = self.by_hash.get_mut(&share)
                && *left > 0
            {
                *left -= 1;
                self.summary.unchanged += 1;
                return Ok(Appended::Unchanged);
            }
            self.random_id()?
        };
        self.insert_row(id, row, provenance, &hash)?;
        self.stored.rows += 1;
        self.stored.hash_sum = self.stored.hash_sum.wrapping_add(share);
        match outcome {
            Appended::Changed => self.summary.changed += 1,
            _ => self.summary.added += 1,
        }
        if let Some(geometry) = &row.geometry {
            self.bounds.merge(&geometry.as_ref().bounds());
        }
        Ok(outcome)
    }

    fn supersede(&mut self, fid: i64, old_share: u128) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(&tables::supersede_sql(&self.stored.table))?;
        statement.execute(params![self.at_micros, fid])?;
        self.stored.rows -= 1;
        self.stored.hash_sum = self.stored.hash_sum.wrapping_sub(old_share);
        Ok(())
    }

    /// Takes away the rows with ids of their own that were there before and were not appended again; their versions stay.
    ///
    /// # Errors
    /// [`StoreError`]: the whole transaction must then be given up.
    pub(in crate::store) fn retire_others(&mut self) -> Result<(), StoreError> {
        self.load_known()?;
        let left = |known: &Known| known.own_id && !known.seen;
        let mut retired: Vec<(i64, u128, u128)> = self
            .by_id
            .iter()
            .filter(|(_, known)| left(known))
            .map(|(id, known)| (known.fid, *id, known.hash))
            .collect();
        retired.sort_unstable();
        for (fid, id, hash) in retired {
            self.supersede(fid, hash)?;
            self.rows.retired.push(id);
            self.summary.retired += 1;
        }
        self.by_id.retain(|_, known| !left(known));
        Ok(())
    }

    fn random_id(&mut self) -> Result<RowId, StoreError> {
        if self.randomness.is_empty() {
            self.randomness.resize(16 * 1_024, 0);
            getrandom::fill(&mut self.randomness)
                .map_err(|error| StoreError::Abandoned(error.to_string()))?;
        }
        let mut bytes = [0_u8; 16];
        bytes.copy_from_slice(&self.randomness.split_off(self.randomness.len() - 16));
        Ok(RowId::from_random(bytes))
    }

    fn insert_row(
        &mut self,
        id: RowId,
        row: &Row,
        provenance: &Provenance,
        hash: &[u8; 32],
    ) -> Result<(), StoreError> {
        let geometry = row.geometry.as_ref().map(|geometry| encode_geometry(geometry.as_ref()));
        // What is released has no source but the register.
        let released = self.stored.schema.class == CollectionClass::Release;
        let source_ref: &dyn ToSql = if released { &Null } else { &row.public_id };
        let insert = &mut self.insert;
        let system: [&dyn ToSql; 14] = [
            &geometry,
            &id.0.to_be_bytes(),
            &row.public_id,
            &provenance.owner,
            &provenance.marking,
            &provenance.handling,
            &(provenance.sensitivity as u8),
            &provenance.synthetic,
            &Null,
            &Null,
            &self.at_micros,
            &Null,
            source_ref,
            hash,
        ];
        for (place, value) in system.into_iter().enumerate() {
            insert.raw_bind_parameter(place + 1, value)?;
        }
        for (place, value) in row.values.iter().enumerate() {
            let place = place + system.len() + 1;
            match value {
                Value::Null => insert.raw_bind_parameter(place, Null)?,
                Value::Bool(value) => insert.raw_bind_parameter(place, value)?,
                Value::Int(value) => insert.raw_bind_parameter(place, value)?,
                Value::Float(value) => insert.raw_bind_parameter(place, value)?,
                Value::Text(value) | Value::Json(value) => insert.raw_bind_parameter(place, value)?,
                Value::Date(days) => insert.raw_bind_parameter(place, time::format_date(*days))?,
                Value::Timestamp(micros) => {
                    insert.raw_bind_parameter(place, time::format_instant(*micros))?;
                }
            }
        }
        insert.raw_execute()?;
        let fid = self.connection.last_insert_rowid();
        let (first, last) = self.rows.added.unwrap_or((fid, fid));
        self.rows.added = Some((first.min(fid), last.max(fid)));
        Ok(())
    }

    /// Writes the change and the collection's new state. The caller commits.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(in crate::store) fn finish(mut self, source: &str) -> Result<ChangeSummary, StoreError> {
        tables::create_indexes(self.connection, &self.stored.table)?;
        change::record(self.connection, &mut self.stored, &self.summary, &self.rows, source, self.at_micros)?;
        let bounds = self.bounds;
        let degrees = |units: i32| (!bounds.is_empty()).then(|| f64::from(units) / 1e7);
        self.connection.execute(
            "UPDATE gpkg_contents SET last_change = strftime('%Y-%m-%dT%H:%M:%fZ','now'),
                 min_x = min(coalesce(min_x, ?2), coalesce(?2, min_x)), min_y = min(coalesce(min_y, ?3), coalesce(?3, min_y)),
                 max_x = max(coalesce(max_x, ?4), coalesce(?4, max_x)), max_y = max(coalesce(max_y, ?5), coalesce(?5, max_y))
             WHERE table_name = ?1",
            params![self.stored.table, degrees(bounds.west), degrees(bounds.south), degrees(bounds.east), degrees(bounds.north)],
        )?;
        Ok(self.summary)
    }
}

/// Synthetic and operational rows never meet in one register.
fn refuse_mixing(register: Option<Register>, provenance: &Provenance) -> Result<(), StoreError> {
    let rows = if provenance.synthetic { Register::Synthetic } else { Register::Operational };
    match register {
        Some(register) if register != rows => {
            Err(StoreError::Mixed { store: register.as_str(), rows: rows.as_str() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::model::schema::FieldSchema;
    use crate::store::Store;

    fn schema() -> CollectionSchema {
        let text = "id='t'\nclass='layer'\ngeometry='any'\n[[field]]\nname='n'\ntype='integer'\n";
        CollectionSchema::parse(text).unwrap()
    }

    fn row(public_id: Option<usize>, n: i64) -> Row {
        let public_id = public_id.map(|id| id.to_string());
        Row { id: None, public_id, geometry: None, values: vec![Value::Int(n)] }
    }

    fn append(connection: &Connection, schema: CollectionSchema, rows: &[Row]) -> ChangeSummary {
        let mut appender = FileAppender::begin(connection, schema, Provenance::open("us")).unwrap();
        for row in rows {
            appender.append(row).unwrap();
        }
        appender.finish("test").unwrap()
    }

    fn file() -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gpkg");
        drop(Store::create(&path, Register::Synthetic).unwrap());
        let connection = Connection::open(&path).unwrap();
        (folder, connection)
    }

    /// Adding to a table of 3,000 rows, with and without public ids, and as many old versions, reads a few rows of it.
    #[test]
    fn no_statement_of_a_write_scans_the_table() {
        let (_folder, connection) = file();
        let many = |n: i64| -> Vec<Row> {
            (0..1_500).map(|id| row(Some(id), n)).chain((0..1_500).map(|at| row(None, at + 10))).collect()
        };
        append(&connection, schema(), &many(1));
        append(&connection, schema(), &many(2));
        connection.flush_prepared_statement_cache();
        let rows = [row(Some(7), 3), row(Some(9_999), 3), row(None, 11), row(None, -1)];
        let summary = append(&connection, schema(), &rows);
        let wanted = ChangeSummary { added: 2, changed: 1, unchanged: 1, retired: 0 };
        assert_eq!(summary, wanted);
        let statements = [
            tables::by_id_sql("t"),
            tables::by_hash_sql("t"),
            tables::supersede_sql("t"),
            tables::last_fid_sql("t"),
            tables::owner_sql("t"),
        ];
        for sql in statements {
            let statement = connection.prepare_cached(&sql).unwrap();
            assert!(statement.get_status(StatementStatus::Run) > 0, "it was not run: {sql}");
            let steps = statement.get_status(StatementStatus::FullscanStep);
            assert_eq!(steps, 0, "it scans: {sql}");
            let work = statement.get_status(StatementStatus::VmStep);
            assert!(work < 400, "{work} steps: {sql}");
        }
        // And the change says just these rows.
        let stored = change::collection(&connection, "t").unwrap().unwrap();
        let touched = change::changes_since(&connection, &stored, stored.sequence - 1, 100).unwrap().unwrap();
        assert_eq!((touched.ids.len(), touched.spans.len()), (3, 1));
        assert!(touched.ids.contains(&RowId::from_public("7")));
        assert!(change::changes_since(&connection, &stored, 0, 100).unwrap().is_none(), "too many");
        assert!(change::changes_since(&connection, &stored, 99, 100).unwrap().is_none(), "not of its past");
    }

    /// Few rows are looked up in the table, many are found in memory: what becomes of them is the same.
    #[test]
    fn known_rows_are_found_whether_they_are_few_or_many() {
        let (_folder, connection) = file();
        let all = |n: i64| -> Vec<Row> {
            let equal = [row(None, 5), row(None, 5), row(None, 5)];
            (0..6_000).map(|id| row(Some(id), n + (id % 3) as i64)).chain(equal).collect()
        };
        assert_eq!(append(&connection, schema(), &all(0)).added, 6_003);
        assert_eq!(append(&connection, schema(), &all(0)[5_900..]).unchanged, 103);
        assert_eq!(append(&connection, schema(), &all(0)).unchanged, 6_003);
        let mut other = all(0);
        other[3] = row(Some(3), 77);
        other[5_990] = row(Some(5_990), 77);
        other.push(row(None, 5));
        let wanted = ChangeSummary { added: 1, changed: 2, unchanged: 6_001, retired: 0 };
        assert_eq!(append(&connection, schema(), &other), wanted);
        let mut appender = FileAppender::begin(&connection, schema(), Provenance::open("us")).unwrap();
        assert_eq!(appender.append(&other[3]).unwrap(), Appended::Unchanged);
        assert_eq!(appender.append(&other[3]).unwrap(), Appended::DuplicateId);
        appender.retire_others().unwrap();
        let summary = appender.finish("test").unwrap();
        assert_eq!((summary.unchanged, summary.retired), (1, 5_999), "those without an id of their own stay");
        let stored = change::collection(&connection, "t").unwrap().unwrap();
        assert_eq!(stored.rows, 5);
        let touched =
            change::changes_since(&connection, &stored, stored.sequence - 1, 10_000).unwrap().unwrap();
        assert_eq!((touched.ids.len(), touched.spans.len()), (5_999, 0));
    }

    #[test]
    fn a_layer_keeps_its_owner_and_gets_fields_by_name() {
        let (_folder, connection) = file();
        append(&connection, schema(), &[row(Some(1), 1)]);
        let other = FileAppender::begin(&connection, schema(), Provenance::open("them"));
        assert!(matches!(other, Err(StoreError::OthersLayer { owner, .. }) if owner == "us"));
        let mut wider = schema();
        wider.fields.insert(0, FieldSchema { name: "N".to_owned(), ..wider.fields[0].clone() });
        let values = vec![Value::Int(8), Value::Int(9)];
        append(&connection, wider.clone(), &[Row { values, ..row(Some(2), 0) }]);
        let found: (Option<i64>, i64) = connection
            .query_row("SELECT n_2, n FROM t WHERE public_id = '2'", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!(found, (Some(8), 9));
        let lacking = FileAppender::begin(&connection, schema(), Provenance::open("us"));
        assert!(matches!(lacking, Err(StoreError::FieldsChanged(_))), "a field of its rows is not forgotten");
    }
}
