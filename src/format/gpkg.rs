//! Writes a collection as a `GeoPackage` file for GIS programs, with the store's writer.

use std::path::Path;

use crate::access::CollectionView;
use crate::model::FieldType;
use crate::model::ValueRef;
use crate::query::RowRef;
use crate::query::public_id;
use crate::store::ExportField;
use crate::store::ExportLayer;
use crate::store::GeoPackageWriter;
use crate::store::StoreError;

/// Writes rows into a new file and returns their number. If no field is the identifier, the public id is a column too.
///
/// # Errors
/// [`StoreError`] if the file cannot be written.
pub fn write_geopackage(
    path: &Path,
    collection: &CollectionView,
    rows: impl Iterator<Item = RowRef>,
) -> Result<u64, StoreError> {
    let schema = collection.schema();
    let with_id = schema.identifier.is_none();
    let id_type = if schema.numeric_ids { FieldType::Integer } else { FieldType::Text };
    let fields = schema.fields.iter();
    let fields = fields.map(|field| ExportField { name: field.name.clone(), field_type: field.field_type });
    let layer = ExportLayer {
        name: table_name(&schema.id),
        description: if collection.is_synthetic() {
            format!("SYNTHETIC, {}: {}", collection.marking(), schema.description)
        } else {
            schema.description.clone()
        },
        geometry: schema.geometry,
        ids: with_id.then_some(id_type),
        fields: fields.collect(),
    };
    let mut writer = GeoPackageWriter::create(path, layer)?;
    for at in rows {
        let group = &collection.groups()[at.group as usize];
        let row = at.row as usize;
        let id = public_id(collection, at);
        let mut values = Vec::with_capacity(schema.fields.len() + 1);
        if with_id {
            let number = if schema.numeric_ids { id.parse().ok() } else { None };
            values.push(number.map_or(ValueRef::Text(&id), ValueRef::Int));
        }
        values.extend((0..schema.fields.len()).map(|field| group.value(field, row)));
        writer.add(group.geometry(row), &values)?;
    }
    writer.finish()
}

/// The name of the layer's table: the collection's id, with a prefix if SQLite or the format reserves such names.
fn table_name(id: &str) -> String {
    let lower = id.to_ascii_lowercase();
    let is_reserved = ["sqlite_", "gpkg_", "rtree_"].iter().any(|prefix| lower.starts_with(prefix));
    if is_reserved { format!("layer_{id}") } else { id.to_owned() }
}
