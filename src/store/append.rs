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
use crate::store::StoreError;
use crate::store::blob::encode_geometry;
use crate::store::change;
use crate::store::change::ChangeSummary;
use crate::store::change::StoredCollection;
use crate::store::names;
use crate::store::names::quote;
use crate::store::open::Register;
use crate::store::open::now_micros;
use crate::store::tables::prepare_table;
use crate::store::tables::refuse_other_owner;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is new.
    Added,
    /// It has a known id and other content: a new version.
    Changed,
    /// It was there already.
    Unchanged,
    /// Its id came earlier in this import: refused.
    DuplicateId,
    /// Its id belongs to a row of another owner: refused.
    OtherOwner,
}

/// One row that the store had before this import, or got during it.
struct Known {
    fid: i64,
    hash: u128,
    same_owner: bool,
    seen: bool,
}

/// Adds rows to one collection. Nothing counts until [`Appender::finish`] and the commit around it.
pub struct Appender<'c> {
    connection: &'c Connection,
    stored: StoredCollection,
    provenance: Arc<Provenance>,
    register: Option<Register>,
    hasher: RowHasher,
    insert: Statement<'c>,
    by_id: HashMap<u128, Known>,
    by_hash: HashMap<u128, u32>,
    randomness: Vec<u8>,
    bounds: Bounds,
    summary: ChangeSummary,
    at_micros: i64,
}

impl<'c> Appender<'c> {
    /// Prepares a collection for rows of `schema`: makes its table, or adds the columns it lacks.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn begin(
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
            Some(if word == Register::Operational.as_str() {
                Register::Operational
            } else {
                Register::Synthetic
            })
        } else {
            None
        };
        refuse_mixing(register, &provenance)?;
        let stored = prepare_table(connection, schema)?;
        refuse_other_owner(connection, &stored, &provenance.owner)?;
        let columns = names::columns(&stored.schema);
        let list: Vec<String> = names::SYSTEM_COLUMNS
            .iter()
            .skip(1)
            .map(|name| quote(name))
            .chain(columns.iter().map(|name| quote(name)))
            .collect();
        let marks: Vec<String> = (1..=list.len()).map(|number| format!("?{number}")).collect();
        let insert = connection.prepare(&format!(
            "INSERT INTO {} ({}) VALUES ({})",
            quote(&stored.table),
            list.join(", "),
            marks.join(", ")
        ))?;
        let mut appender = Self {
            connection,
            hasher: RowHasher::new(&stored.schema),
            insert,
            by_id: HashMap::new(),
            by_hash: HashMap::new(),
            randomness: Vec::new(),
            bounds: Bounds::EMPTY,
            summary: ChangeSummary::default(),
            at_micros: now_micros(),
            provenance: Arc::new(provenance),
            register,
            stored,
        };
        appender.load_known()?;
        Ok(appender)
    }

    /// The schema as it will be stored.
    #[must_use]
    pub fn schema(&self) -> &CollectionSchema {
        &self.stored.schema
    }

    fn load_known(&mut self) -> Result<(), StoreError> {
        if self.stored.rows == 0 {
            return Ok(());
        }
        let mut statement = self.connection.prepare(&format!(
            "SELECT fid, id, public_id IS NOT NULL, row_hash, owner FROM {} WHERE superseded_at IS NULL",
            quote(&self.stored.table)
        ))?;
        // Released rows are known by their ids, which are made and not drawn.
        let released = self.stored.schema.class == CollectionClass::Release;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let hash: [u8; 32] = row.get(3)?;
            let hash = row_hash_sum(&hash);
            if row.get::<_, bool>(2)? || released {
                let id: [u8; 16] = row.get(1)?;
                let same_owner = row.get_ref(4)?.as_str().is_ok_and(|owner| owner == self.provenance.owner);
                let known = Known { fid: row.get(0)?, hash, same_owner, seen: false };
                self.by_id.insert(u128::from_be_bytes(id), known);
            } else {
                *self.by_hash.entry(hash).or_insert(0) += 1;
            }
        }
        Ok(())
    }

    /// Adds one row, whose values follow [`Self::schema`].
    ///
    /// # Errors
    /// [`StoreError`]: the whole transaction must then be given up.
    pub fn append(&mut self, row: &Row) -> Result<Appended, StoreError> {
        let provenance = Arc::clone(&self.provenance);
        self.append_as(row, &provenance)
    }

    /// Adds one row of another provenance than the collection was begun with.
    ///
    /// # Errors
    /// As [`Self::append`], and for a synthetic row in an operational register or the other way round.
    pub fn append_as(&mut self, row: &Row, provenance: &Provenance) -> Result<Appended, StoreError> {
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
            match self.by_id.entry(id.0) {
                Entry::Vacant(place) => {
                    place.insert(Known { fid: 0, hash: share, same_owner: true, seen: true });
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
        self.connection
            .prepare_cached(&format!(
                "UPDATE {} SET superseded_at = ?1 WHERE fid = ?2",
                quote(&self.stored.table)
            ))?
            .execute(params![self.at_micros, fid])?;
        self.stored.rows -= 1;
        self.stored.hash_sum = self.stored.hash_sum.wrapping_sub(old_share);
        Ok(())
    }

    /// Takes away the rows with ids of their own that were there before and were not appended again; their versions stay.
    ///
    /// # Errors
    /// [`StoreError`]: the whole transaction must then be given up.
    pub fn retire_others(&mut self) -> Result<(), StoreError> {
        let mut gone: Vec<(i64, u128)> =
            self.by_id.values().filter(|known| !known.seen).map(|known| (known.fid, known.hash)).collect();
        gone.sort_unstable();
        for (fid, hash) in gone {
            self.supersede(fid, hash)?;
            self.summary.retired += 1;
        }
        self.by_id.retain(|_, known| known.seen);
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
        Ok(())
    }

    /// Writes the change and the collection's new state. The caller commits.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn finish(mut self, source: &str) -> Result<ChangeSummary, StoreError> {
        change::record(self.connection, &mut self.stored, &self.summary, source, self.at_micros)?;
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
