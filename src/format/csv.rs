//! CSV: the id, longitude and latitude of points, then the fields under their public names.
//!
//! UTF-8, comma, a heading line, RFC 4180 quoting. Lines and areas have no columns of their own and are refused by
//! the caller. Values are written as they would be read back.

use std::io::Write;

use csv::Writer;

use crate::access::CollectionView;
use crate::model::CollectionClass;
use crate::model::CollectionSchema;
use crate::model::ShapeKind;
use crate::query::RowRef;
use crate::query::public_id;

/// Writes rows of one collection.
pub struct CsvWriter<W: Write> {
    writer: Writer<W>,
    fields: usize,
    with_id: bool,
}

impl<W: Write> CsvWriter<W> {
    /// Writes the heading. The id column is left out where a field of the schema already is the id.
    ///
    /// # Errors
    /// Of the output.
    pub fn new(output: W, schema: &CollectionSchema) -> Result<Self, csv::Error> {
        let mut writer = Writer::from_writer(output);
        let with_id = schema.identifier.is_none()
            && (schema.feature_ids
                || matches!(schema.class, CollectionClass::Register | CollectionClass::Release));
        let taken = |name: &str| schema.fields.iter().any(|field| field.name.eq_ignore_ascii_case(name));
        let free = |name: &str| if taken(name) { format!("feature_{name}") } else { name.to_owned() };
        let mut heading = Vec::new();
        if with_id {
            heading.push(free("id"));
        }
        heading.push(free("lon"));
        heading.push(free("lat"));
        heading.extend(schema.fields.iter().map(|field| field.name.clone()));
        writer.write_record(&heading)?;
        Ok(Self { writer, fields: schema.fields.len(), with_id })
    }

    /// Writes a row.
    ///
    /// # Errors
    /// Of the output.
    pub fn row(&mut self, collection: &CollectionView, at: RowRef) -> Result<(), csv::Error> {
        let group = &collection.groups()[at.group as usize];
        let row = at.row as usize;
        if self.with_id {
            self.writer.write_field(public_id(collection, at))?;
        }
        let place =
            group.shape(row).filter(|shape| shape.kind == ShapeKind::Point).map(|shape| shape.positions[0]);
        self.writer.write_field(place.map_or_else(String::new, |place| place.lon_degrees().to_string()))?;
        self.writer.write_field(place.map_or_else(String::new, |place| place.lat_degrees().to_string()))?;
        for field in 0..self.fields {
            self.writer.write_field(group.value(field, row).to_text())?;
        }
        self.writer.write_record(None::<&[u8]>)
    }

    /// Hands the last bytes on.
    ///
    /// # Errors
    /// Of the output.
    pub fn finish(mut self) -> std::io::Result<()> {
        self.writer.flush()
    }
}
