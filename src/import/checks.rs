//! Checks of a row's values: numbers below the minimum, times that end before they begin, legs with unknown ends.
//!
//! In: the values of a row and its schema. Out: the reason to reject the row, or a warning. Not here: types (`convert`).

use std::collections::HashSet;

use crate::import::report::Fault;
use crate::model::CollectionSchema;
use crate::model::FieldSchema;
use crate::model::RowId;
use crate::model::Value;
use crate::model::collections::hubs;
use crate::model::collections::legs;
use crate::model::collections::towns;
use crate::model::feature::format_number;
use crate::model::reference::Reference;
use crate::model::time;
use crate::model::time::Interval;
use crate::store::Reader;
use crate::store::StoreError;

/// The fault of a value that is below its field's minimum; `None` if it is not.
pub(super) fn below_minimum(field: &FieldSchema, value: &Value) -> Option<Fault> {
    let minimum = field.minimum?;
    let (below, shown) = match value {
        Value::Int(value) => ((*value as f64) < minimum, value.to_string()),
        Value::Float(value) => (*value < minimum, format_number(*value)),
        _ => return None,
    };
    below.then(|| {
        let message = format!("{}: {shown} is below the minimum, {}", field.name, format_number(minimum));
        Fault::new(
            "below-minimum",
            message,
            "give a number that is not below the minimum, or nothing if it is not known",
        )
    })
}

/// The fault of a row with a time that ends before it begins; `None` if it does not. A day ends with its last instant.
pub(super) fn reversed_time(schema: &CollectionSchema, values: &[Value]) -> Option<Fault> {
    let [first, last] = schema.time.as_slice() else { return None };
    let value = |name: &str| values.get(schema.position(name)?);
    let (begins, ends) = (value(first)?, value(last)?);
    if moment(begins)?.start <= moment(ends)?.end {
        return None;
    }
    let (begins, ends) = (begins.as_ref().to_text(), ends.as_ref().to_text());
    let message = format!("the row ends before it begins: {last} is {ends}, {first} is {begins}");
    Some(Fault::new(
        "ends-before-it-begins",
        message,
        "give an end that is not before the beginning, or no end",
    ))
}

fn moment(value: &Value) -> Option<Interval> {
    match value {
        Value::Timestamp(at) => Some(Interval { start: *at, end: *at }),
        Value::Date(days) => {
            let start = i64::from(*days) * time::DAY_MICROS;
            Some(Interval { start, end: start + time::DAY_MICROS - 1 })
        }
        Value::Text(text) => time::parse_column_moment(text),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Json(_) => None,
    }
}

/// The hubs and towns in the store at the start of an import of legs.
#[derive(Debug)]
pub(super) struct KnownEnds([(&'static str, HashSet<RowId>); 2]);

impl KnownEnds {
    /// Reads the hubs and towns if the collection is `legs`; else `None`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn read(reader: &Reader, collection: &str) -> Result<Option<Self>, StoreError> {
        if collection != legs::COLLECTION {
            return Ok(None);
        }
        let rows = |id: &str| -> Result<HashSet<RowId>, StoreError> {
            let mut rows = HashSet::new();
            if let Some(stored) = reader.collection(id)? {
                reader.scan(&stored, i64::MIN, i64::MAX, &mut |row| {
                    rows.insert(row.id);
                })?;
            }
            Ok(rows)
        };
        let ends =
            [(legs::HUB.name(), rows(hubs::COLLECTION)?), (legs::TOWN.name(), rows(towns::COLLECTION)?)];
        Ok(Some(Self(ends)))
    }

    /// The warning about a leg with a hub or town that is not in the store; `None` if both are there.
    pub(super) fn missing(&self, schema: &CollectionSchema, values: &[Value]) -> Option<Fault> {
        let missing: Vec<String> = self
            .0
            .iter()
            .filter_map(|(field, rows)| match values.get(schema.position(field)?)? {
                Value::Text(text) if Reference::of(text).among(|id| rows.contains(&id)).is_some() => None,
                Value::Text(text) => {
                    let shown: String = text.chars().take(60).collect();
                    Some(format!("there is no {field} {shown:?} in the store at this time"))
                }
                _ => Some(format!("the leg names no {field}")),
            })
            .collect();
        (!missing.is_empty()).then(|| {
            let message = format!("{}: until that changes, no flow contains the leg", missing.join(", "));
            Fault::new(
                "unknown-end",
                message,
                "import hubs and towns too, before or after the legs, or correct the id",
            )
        })
    }
}
