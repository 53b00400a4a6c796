//! Writing a `GeoPackage` for GIS programs: public names, standard types, an R-tree with its triggers.
//!
//! Source: OGC `GeoPackage` 1.3, annexes F.3 (`gpkg_rtree_index`) and F.9 (`gpkg_schema`).

use std::path::Path;

use rusqlite::Connection;
use rusqlite::params;
use rusqlite::types::Null;

use crate::model::GeometryRef;
use crate::model::ValueRef;
use crate::model::geometry::Bounds;
use crate::model::schema::FieldType;
use crate::model::schema::SchemaGeometry;
use crate::model::time;
use crate::store::ExportLayer;
use crate::store::StoreError;
use crate::store::blob::encode_geometry;
use crate::store::file::connect::absolute;
use crate::store::file::make::SPATIAL_REFERENCES;
use crate::store::file::names::quote;
use crate::store::file::names::sql_type;

/// What the import knows an export's column with feature ids by (`gpkg_data_columns.description`).
pub(in crate::store) const FEATURE_ID_NOTE: &str =
    "Throughline: the feature's id, which its import takes as such";
/// What the import knows a column by whose name another one had, with its own name beside it.
pub(in crate::store) const PUBLIC_NAME_NOTE: &str =
    "Throughline: another column has this name, its import gives it back";
/// What the standard has for columns whose texts are JSON (`gpkg_data_columns.mime_type`).
pub(in crate::store) const JSON_MIME: &str = "application/json";

/// A `GeoPackage` of one layer, being written inside one transaction.
#[derive(Debug)]
pub(in crate::store) struct FileWriter {
    connection: Connection,
    layer: ExportLayer,
    key: String,
    geometry: String,
    insert: String,
    index: String,
    bounds: Bounds,
    rows: i64,
}

impl FileWriter {
    /// Makes the file, which must not be there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(in crate::store) fn create(path: &Path, layer: ExportLayer) -> Result<Self, StoreError> {
        let connection = Connection::open(absolute(path)?)?;
        connection.execute_batch(
            "PRAGMA application_id = 0x47504B47; PRAGMA user_version = 10300; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;",
        )?;
        connection.execute_batch("BEGIN")?;
        connection.execute_batch(BASE_TABLES)?;
        connection.execute_batch(SPATIAL_REFERENCES)?;
        let mut taken = Vec::new();
        let mut columns: Vec<String> =
            layer.fields.iter().map(|field| public_column(&field.name, &mut taken)).collect();
        // Fields keep their names; ours give way.
        let id_name = if taken.iter().any(|name| name == "id") { "feature_id" } else { "id" };
        let id = layer.ids.map(|field_type| (public_column(id_name, &mut taken), field_type));
        let key = public_column("fid", &mut taken);
        let geometry = public_column("geom", &mut taken);
        let located = layer.geometry != SchemaGeometry::None;
        let table = quote(&layer.name);
        let mut create =
            format!("CREATE TABLE {table} ({} INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL", quote(&key));
        if located {
            create.push_str(&format!(", {} {}", quote(&geometry), geometry_type(layer.geometry)));
        }
        if let Some((column, field_type)) = &id {
            create.push_str(&format!(", {} {}", quote(column), sql_type(*field_type)));
        }
        for (field, column) in layer.fields.iter().zip(&columns) {
            create.push_str(&format!(", {} {}", quote(column), sql_type(field.field_type)));
        }
        connection.execute_batch(&format!("{create})"))?;
        describe_columns(&connection, &layer, id.as_ref().map(|(column, _)| column.as_str()), &columns)?;
        columns.splice(..0, id.map(|(column, _)| column));
        connection.execute(
            "INSERT INTO gpkg_contents(table_name, data_type, identifier, description, srs_id) VALUES (?1, ?2, ?1, ?3, ?4)",
            params![
                layer.name,
                if located { "features" } else { "attributes" },
                layer.description,
                located.then_some(4326)
            ],
        )?;
        if located {
            connection.execute(
                "INSERT INTO gpkg_geometry_columns VALUES (?1, ?2, ?3, 4326, 0, 0)",
                params![layer.name, geometry, geometry_type(layer.geometry)],
            )?;
        }
        let mut names: Vec<String> = vec![quote(&key)];
        if located {
            names.push(quote(&geometry));
        }
        names.extend(columns.iter().map(|column| quote(column)));
        let marks: Vec<String> = (1..=names.len()).map(|number| format!("?{number}")).collect();
        let insert = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), marks.join(", "));
        let rtree = format!("rtree_{}_{geometry}", layer.name);
        if located {
            connection.execute_batch(&format!(
                "CREATE VIRTUAL TABLE {} USING rtree(id, minx, maxx, miny, maxy)",
                quote(&rtree)
            ))?;
        }
        let index = format!("INSERT INTO {} VALUES (?1, ?2, ?3, ?4, ?5)", quote(&rtree));
        Ok(Self { connection, layer, key, geometry, insert, index, bounds: Bounds::EMPTY, rows: 0 })
    }

    /// Adds a row; values follow the layer's fields, after the id if the layer has one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(in crate::store) fn add(
        &mut self,
        geometry: Option<GeometryRef<'_>>,
        values: &[ValueRef<'_>],
    ) -> Result<(), StoreError> {
        self.rows += 1;
        let located = self.layer.geometry != SchemaGeometry::None;
        let mut statement = self.connection.prepare_cached(&self.insert)?;
        statement.raw_bind_parameter(1, self.rows)?;
        let mut place = 2;
        if located {
            statement.raw_bind_parameter(place, geometry.map(encode_geometry))?;
            place += 1;
        }
        for value in values {
            match *value {
                ValueRef::Null => statement.raw_bind_parameter(place, Null)?,
                ValueRef::Bool(value) => statement.raw_bind_parameter(place, value)?,
                ValueRef::Int(value) => statement.raw_bind_parameter(place, value)?,
                ValueRef::Float(value) => statement.raw_bind_parameter(place, value)?,
                ValueRef::Text(value) | ValueRef::Json(value) => {
                    statement.raw_bind_parameter(place, value)?;
                }
                ValueRef::Date(days) => statement.raw_bind_parameter(place, time::format_date(days))?,
                ValueRef::Timestamp(micros) => {
                    statement.raw_bind_parameter(place, time::format_instant(micros))?;
                }
            }
            place += 1;
        }
        statement.raw_execute()?;
        if let Some(geometry) = geometry.filter(|_| located) {
            let bounds = geometry.bounds();
            self.bounds.merge(&bounds);
            // R-trees hold 32-bit floats and round outwards by themselves.
            self.connection.prepare_cached(&self.index)?.execute(params![
                self.rows,
                f64::from(bounds.west) / 1e7,
                f64::from(bounds.east) / 1e7,
                f64::from(bounds.south) / 1e7,
                f64::from(bounds.north) / 1e7
            ])?;
        }
        Ok(())
    }

    /// Writes extent and triggers, and closes the file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(in crate::store) fn finish(self) -> Result<u64, StoreError> {
        if !self.bounds.is_empty() {
            self.connection.execute(
                "UPDATE gpkg_contents SET min_x = ?2, min_y = ?3, max_x = ?4, max_y = ?5 WHERE table_name = ?1",
                params![
                    self.layer.name,
                    f64::from(self.bounds.west) / 1e7,
                    f64::from(self.bounds.south) / 1e7,
                    f64::from(self.bounds.east) / 1e7,
                    f64::from(self.bounds.north) / 1e7
                ],
            )?;
        }
        if self.layer.geometry != SchemaGeometry::None {
            self.connection.execute_batch(&triggers(&self.layer.name, &self.geometry, &self.key))?;
            self.connection.execute(
                "INSERT INTO gpkg_extensions VALUES (?1, ?2, 'gpkg_rtree_index',
                     'http://www.geopackage.org/spec120/#extension_rtree', 'write-only')",
                params![self.layer.name, self.geometry],
            )?;
        }
        self.connection.execute_batch("COMMIT")?;
        self.connection.close().map_err(|(_, error)| error)?;
        Ok(self.rows.unsigned_abs())
    }
}

/// Says of columns what the import must know to read them back whole, in the tables of the schema extension.
fn describe_columns(
    connection: &Connection,
    layer: &ExportLayer,
    id: Option<&str>,
    columns: &[String],
) -> Result<(), StoreError> {
    let mut insert = connection.prepare(
        "INSERT INTO gpkg_data_columns(table_name, column_name, name, description, mime_type) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    if let Some(id) = id {
        insert.execute(params![layer.name, id, Null, FEATURE_ID_NOTE, Null])?;
    }
    for (field, column) in layer.fields.iter().zip(columns) {
        let renamed = field.name != *column;
        let json = matches!(field.field_type, FieldType::Json | FieldType::List);
        if renamed || json {
            let (name, note) =
                if renamed { (Some(&field.name), Some(PUBLIC_NAME_NOTE)) } else { (None, None) };
            insert.execute(params![layer.name, column, name, note, json.then_some(JSON_MIME)])?;
        }
    }
    Ok(())
}

/// The public name, or that name with a number if another column has it (SQL compares without case).
fn public_column(name: &str, taken: &mut Vec<String>) -> String {
    let mut column = name.to_owned();
    let mut number = 2;
    while taken.contains(&column.to_lowercase()) {
        column = format!("{name}_{number}");
        number += 1;
    }
    taken.push(column.to_lowercase());
    column
}

fn geometry_type(geometry: SchemaGeometry) -> &'static str {
    // Collections hold single and multi geometries side by side, which only GEOMETRY allows.
    match geometry {
        SchemaGeometry::Point => "POINT",
        SchemaGeometry::None | SchemaGeometry::Line | SchemaGeometry::Polygon | SchemaGeometry::Any => {
            "GEOMETRY"
        }
    }
}

const BASE_TABLES: &str = "
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
    organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
    description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
    min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
    CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
    srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
    CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name), CONSTRAINT uk_gc_table_name UNIQUE (table_name));
CREATE TABLE gpkg_extensions (table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL,
    scope TEXT NOT NULL, CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
CREATE TABLE gpkg_data_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT,
    mime_type TEXT, constraint_name TEXT, CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
    CONSTRAINT gdc_tn UNIQUE (table_name, name));
CREATE TABLE gpkg_data_column_constraints (constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT,
    min NUMERIC, min_is_inclusive BOOLEAN, max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
    CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));
INSERT INTO gpkg_extensions VALUES
    ('gpkg_data_columns', NULL, 'gpkg_schema', 'http://www.geopackage.org/spec121/#extension_schema', 'read-write'),
    ('gpkg_data_column_constraints', NULL, 'gpkg_schema', 'http://www.geopackage.org/spec121/#extension_schema', 'read-write');
";

/// The triggers of annex F.3 as of version 1.4 (`update6` and `update7` replace the faulty `update1`).
fn triggers(table: &str, column: &str, key: &str) -> String {
    let name = |event: &str| quote(&format!("rtree_{table}_{column}_{event}"));
    let rtree = quote(&format!("rtree_{table}_{column}"));
    let (table, column, key) = (quote(table), quote(column), quote(key));
    let filled = format!("(NEW.{column} NOTNULL AND NOT ST_IsEmpty(NEW.{column}))");
    let hollow = format!("(NEW.{column} ISNULL OR ST_IsEmpty(NEW.{column}))");
    let was_filled = format!("(OLD.{column} NOTNULL AND NOT ST_IsEmpty(OLD.{column}))");
    let was_hollow = format!("(OLD.{column} ISNULL OR ST_IsEmpty(OLD.{column}))");
    let bounds = format!(
        "NEW.{key}, ST_MinX(NEW.{column}), ST_MaxX(NEW.{column}), ST_MinY(NEW.{column}), ST_MaxY(NEW.{column})"
    );
    format!(
        "CREATE TRIGGER {insert} AFTER INSERT ON {table} WHEN {filled}
         BEGIN INSERT OR REPLACE INTO {rtree} VALUES ({bounds}); END;
         CREATE TRIGGER {update2} AFTER UPDATE OF {column} ON {table} WHEN OLD.{key} = NEW.{key} AND {hollow}
         BEGIN DELETE FROM {rtree} WHERE id = OLD.{key}; END;
         CREATE TRIGGER {update4} AFTER UPDATE ON {table} WHEN OLD.{key} != NEW.{key} AND {hollow}
         BEGIN DELETE FROM {rtree} WHERE id IN (OLD.{key}, NEW.{key}); END;
         CREATE TRIGGER {update5} AFTER UPDATE ON {table} WHEN OLD.{key} != NEW.{key} AND {filled}
         BEGIN DELETE FROM {rtree} WHERE id = OLD.{key}; INSERT OR REPLACE INTO {rtree} VALUES ({bounds}); END;
         CREATE TRIGGER {update6} AFTER UPDATE OF {column} ON {table} WHEN OLD.{key} = NEW.{key} AND {filled} AND {was_filled}
         BEGIN UPDATE {rtree} SET minx = ST_MinX(NEW.{column}), maxx = ST_MaxX(NEW.{column}),
             miny = ST_MinY(NEW.{column}), maxy = ST_MaxY(NEW.{column}) WHERE id = NEW.{key}; END;
         CREATE TRIGGER {update7} AFTER UPDATE OF {column} ON {table} WHEN OLD.{key} = NEW.{key} AND {filled} AND {was_hollow}
         BEGIN INSERT INTO {rtree} VALUES ({bounds}); END;
         CREATE TRIGGER {delete} AFTER DELETE ON {table} WHEN OLD.{column} NOT NULL
         BEGIN DELETE FROM {rtree} WHERE id = OLD.{key}; END;",
        insert = name("insert"),
        update2 = name("update2"),
        update4 = name("update4"),
        update5 = name("update5"),
        update6 = name("update6"),
        update7 = name("update7"),
        delete = name("delete"),
    )
}
