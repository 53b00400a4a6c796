//! `GeoPackage` files that are no stores of ours: those that others made, which are read, and exports, which are written.
//! What reads and writes them stays inside the store.

use std::path::Path;
use std::path::PathBuf;

use crate::model::GeometryRef;
use crate::model::ValueRef;
use crate::model::schema::FieldType;
use crate::model::schema::SchemaGeometry;
use crate::store::StoreError;
use crate::store::file;

/// A `GeoPackage` of unknown origin, open to be read.
#[derive(Debug)]
pub struct ForeignGeoPackage(file::ForeignFile);

/// A `GeoPackage` of one layer, being written inside one transaction.
#[derive(Debug)]
pub struct GeoPackageWriter(file::FileWriter);

/// A table of a file, described by the file.
#[derive(Debug)]
pub struct ForeignLayer {
    pub(super) table: String,
    pub(super) key: String,
    pub(super) geometry: Option<String>,
    /// Authority and code of the coordinate system, if it has geometry.
    pub system: Option<(String, i64)>,
    /// The columns that are neither key nor geometry.
    pub columns: Vec<ForeignColumn>,
}

/// A column of a layer.
#[derive(Debug)]
pub struct ForeignColumn {
    /// Its name in the file.
    pub(super) column: String,
    /// The name of the field: the column's, unless one of our exports had to give it another one.
    pub name: String,
    /// Its declared type, in capitals.
    pub kind: String,
    /// Whether the file says that its texts are JSON.
    pub is_json: bool,
    /// Whether one of our exports wrote the features' ids into it.
    pub is_feature_id: bool,
}

/// One row.
#[derive(Debug)]
pub struct ForeignRow {
    /// The integer key.
    pub key: i64,
    /// The geometry's bytes; `Err` if it is no blob.
    pub geometry: Result<Option<Vec<u8>>, ()>,
    /// The values of the layer's columns.
    pub values: Vec<ForeignValue>,
}

/// A value as the file has it.
#[derive(Debug)]
pub enum ForeignValue {
    /// Nothing.
    Null,
    /// A whole number.
    Int(i64),
    /// A number, perhaps not finite.
    Real(f64),
    /// Text.
    Text(String),
    /// Text that is not UTF-8.
    BadText,
    /// Bytes.
    Blob,
}

/// A column of the export.
#[derive(Debug, Clone)]
pub struct ExportField {
    /// The public name.
    pub name: String,
    /// The type.
    pub field_type: FieldType,
}

/// The layer to write.
#[derive(Debug, Clone)]
pub struct ExportLayer {
    /// Table and identifier.
    pub name: String,
    /// Title for people.
    pub description: String,
    /// The kind of geometry, or none.
    pub geometry: SchemaGeometry,
    /// The type of a first column for the features' ids, if no field is the id.
    pub ids: Option<FieldType>,
    /// Its fields.
    pub fields: Vec<ExportField>,
}

impl ForeignGeoPackage {
    /// Opens a file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self(file::ForeignFile::open(path)?))
    }

    /// Names of the layers, each with whether it is one of features and not of attributes.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn layers(&self) -> Result<Vec<(String, bool)>, StoreError> {
        self.0.layers()
    }

    /// Describes a layer; `None` if it is a view, a virtual table or one without row numbers, which are not read.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn layer(&self, table: &str) -> Result<Option<ForeignLayer>, StoreError> {
        self.0.layer(table)
    }

    /// The next rows of a layer by key, after `after`; none at the end.
    ///
    /// # Errors
    /// [`StoreError::Database`]; [`StoreError::Damaged`]; [`StoreError::Changing`] if another program began to write the
    /// file.
    pub fn batch(&self, layer: &ForeignLayer, after: i64) -> Result<Vec<ForeignRow>, StoreError> {
        self.0.batch(layer, after)
    }
}

impl GeoPackageWriter {
    /// Makes the file, which must not be there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn create(path: &Path, layer: ExportLayer) -> Result<Self, StoreError> {
        Ok(Self(file::FileWriter::create(path, layer)?))
    }

    /// Adds a row; values follow the layer's fields, after the id if the layer has one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn add(
        &mut self,
        geometry: Option<GeometryRef<'_>>,
        values: &[ValueRef<'_>],
    ) -> Result<(), StoreError> {
        self.0.add(geometry, values)
    }

    /// Writes extent and triggers, and closes the file; how many rows it has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn finish(self) -> Result<u64, StoreError> {
        self.0.finish()
    }
}

/// What a program keeps beside a database that it has open, or left there; `None` if there is nothing.
#[must_use]
pub fn in_use(path: &Path) -> Option<PathBuf> {
    file::in_use(path)
}
