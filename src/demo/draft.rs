//! Builds rows field by field with the typed handles of the built-in schemas.

use crate::demo::Record;
use crate::model::Geometry;
use crate::model::Position;
use crate::model::Provenance;
use crate::model::Row;
use crate::model::RowId;
use crate::model::Sensitivity;
use crate::model::Value;
use crate::model::collections::Field;

/// A row that is being built.
#[derive(Debug)]
pub struct Draft {
    collection: &'static str,
    fields: &'static [&'static str],
    id: RowId,
    geometry: Option<Geometry>,
    values: Vec<Value>,
}

impl Draft {
    /// An empty row of a collection with these fields.
    pub fn new(collection: &'static str, fields: &'static [&'static str], id: RowId) -> Self {
        Self { collection, fields, id, geometry: None, values: vec![Value::Null; fields.len()] }
    }

    fn set<T: ?Sized>(mut self, field: &Field<T>, value: Value) -> Self {
        if let Some(place) = self.fields.iter().position(|name| *name == field.name()) {
            self.values[place] = value;
        }
        self
    }

    /// Sets the geometry.
    pub fn geometry(mut self, geometry: Option<Geometry>) -> Self {
        self.geometry = geometry;
        self
    }

    /// Sets the geometry to a point.
    pub fn at(self, position: Position) -> Self {
        self.geometry(Some(Geometry::point(position)))
    }

    /// Sets a text field.
    pub fn text(self, field: &Field<str>, text: impl Into<String>) -> Self {
        self.set(field, Value::Text(text.into()))
    }

    /// Sets a text field, if there is a text.
    pub fn maybe_text(self, field: &Field<str>, text: Option<impl Into<String>>) -> Self {
        match text {
            Some(text) => self.text(field, text),
            None => self,
        }
    }

    /// Sets a reference to a row of another collection.
    pub fn row(self, field: &Field<str>, id: RowId) -> Self {
        self.text(field, id.to_string())
    }

    /// Sets a field of whole numbers.
    pub fn whole(self, field: &Field<i64>, number: i64) -> Self {
        self.set(field, Value::Int(number))
    }

    /// Sets a field of numbers.
    pub fn number(self, field: &Field<f64>, number: f64) -> Self {
        self.set(field, Value::Float(number))
    }

    /// Sets a date; `day` counts from 1970-01-01.
    pub fn day(self, field: &Field<i64>, day: i32) -> Self {
        self.set(field, Value::Date(day))
    }

    /// Sets a date, if there is one.
    pub fn maybe_day(self, field: &Field<i64>, day: Option<i32>) -> Self {
        match day {
            Some(day) => self.day(field, day),
            None => self,
        }
    }

    /// Sets an instant, in microseconds since 1970-01-01T00:00:00Z.
    pub fn instant(self, field: &Field<i64>, micros: i64) -> Self {
        self.set(field, Value::Timestamp(micros))
    }

    /// The finished row: synthetic, and owned by a force.
    pub fn done(
        self,
        synthetic: &Field<bool>,
        owner: &str,
        handling: &'static str,
        sensitivity: Sensitivity,
    ) -> Record {
        let finished = self.set(synthetic, Value::Bool(true));
        let provenance = Provenance {
            owner: owner.to_owned(),
            marking: "OFFICIAL-SENSITIVE".to_owned(),
            handling: handling.to_owned(),
            sensitivity,
            synthetic: true,
        };
        Record {
            collection: finished.collection,
            fields: finished.fields,
            row: Row {
                id: Some(finished.id),
                public_id: None,
                geometry: finished.geometry,
                values: finished.values,
            },
            provenance,
        }
    }
}

/// Rounds to `decimals` decimal places, so that answers are short.
pub fn rounded(number: f64, decimals: i32) -> f64 {
    let factor = libm::pow(10.0, f64::from(decimals));
    libm::round(number * factor) / factor
}
