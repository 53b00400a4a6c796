//! Rows put together field by field through the typed handles of the schema files.

use crate::demo::Record;
use crate::model::Geometry;
use crate::model::Position;
use crate::model::Provenance;
use crate::model::Row;
use crate::model::RowId;
use crate::model::Sensitivity;
use crate::model::Value;
use crate::model::collections::Field;

/// A row on its way.
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

    /// A geometry.
    pub fn geometry(mut self, geometry: Option<Geometry>) -> Self {
        self.geometry = geometry;
        self
    }

    /// A point.
    pub fn at(self, position: Position) -> Self {
        self.geometry(Some(Geometry::point(position)))
    }

    /// A text.
    pub fn text(self, field: &Field<str>, text: impl Into<String>) -> Self {
        self.set(field, Value::Text(text.into()))
    }

    /// A text, or none.
    pub fn maybe_text(self, field: &Field<str>, text: Option<impl Into<String>>) -> Self {
        match text {
            Some(text) => self.text(field, text),
            None => self,
        }
    }

    /// The id of a row of another collection.
    pub fn row(self, field: &Field<str>, id: RowId) -> Self {
        self.text(field, id.to_string())
    }

    /// A whole number.
    pub fn whole(self, field: &Field<i64>, number: i64) -> Self {
        self.set(field, Value::Int(number))
    }

    /// A number.
    pub fn number(self, field: &Field<f64>, number: f64) -> Self {
        self.set(field, Value::Float(number))
    }

    /// A day.
    pub fn day(self, field: &Field<i64>, day: i32) -> Self {
        self.set(field, Value::Date(day))
    }

    /// A day, or none.
    pub fn maybe_day(self, field: &Field<i64>, day: Option<i32>) -> Self {
        match day {
            Some(day) => self.day(field, day),
            None => self,
        }
    }

    /// An instant in microseconds.
    pub fn instant(self, field: &Field<i64>, micros: i64) -> Self {
        self.set(field, Value::Timestamp(micros))
    }

    /// The finished row: invented, and held by a force.
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

/// Rounded to so many decimals, so that answers stay short.
pub fn rounded(number: f64, decimals: i32) -> f64 {
    let factor = libm::pow(10.0, f64::from(decimals));
    libm::round(number * factor) / factor
}
