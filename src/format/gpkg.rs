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

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::sync::Arc;

    use serde_json::json;

    use crate::access::Gate;
    use crate::access::Principal;
    use crate::access::View;
    use crate::import::About;
    use crate::import::ImportOptions;
    use crate::import::import;
    use crate::import::unwatched;
    use crate::model::Provenance;
    use crate::store::ForeignGeoPackage;
    use crate::store::Store;

    /// Imports a file into a store of its own; all that its operator sees.
    fn take(file: &Path, into: &str, store: &Path) -> Arc<View> {
        let store = Arc::new(Store::open_or_create(store).unwrap());
        let options = ImportOptions {
            into: into.into(),
            format: None,
            layer: None,
            id: None,
            time: Vec::new(),
            about: About::default(),
            provenance: Provenance { synthetic: true, ..Provenance::open("local") },
            dry_run: false,
            strict: true,
        };
        import(&store, file, &options, &unwatched()).unwrap();
        Gate::open(store).unwrap().view(&Principal::LocalOperator)
    }

    fn rows(view: &View, id: &str) -> Vec<RowRef> {
        let groups = view.collection(id).unwrap().groups().iter().zip(0..);
        groups
            .flat_map(|(group, number)| (0..group.len() as u32).map(move |row| RowRef { group: number, row }))
            .collect()
    }

    /// Every row as text, by its id: geometry, then names and values.
    fn texts(view: &View, id: &str) -> Vec<String> {
        let collection = view.collection(id).unwrap();
        let one = |at: RowRef| {
            let (group, row) = (&collection.groups()[at.group as usize], at.row as usize);
            let names = collection.schema().fields.iter().map(|field| &field.name).enumerate();
            let values: Vec<String> =
                names.map(|(field, name)| format!("{name}={:?}", group.value(field, row))).collect();
            format!(
                "{} {:?} {}",
                public_id(collection, at),
                group.geometry(row).map(|g| g.positions.to_vec()),
                values.join(" ")
            )
        };
        let mut texts: Vec<String> = rows(view, id).into_iter().map(one).collect();
        texts.sort();
        texts
    }

    const FEATURES: &str = r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","id":"a","geometry":{"type":"Point","coordinates":[-1.1234567,52]},"properties":
            {"name":"O'Neill \"x\"","n":9007199254740993,"x":0.1,"ok":true,"day":"2031-03-01","at":"2031-03-01T12:00:00.25Z","tags":["a",1]}},
        {"type":"Feature","id":"b","geometry":{"type":"Polygon","coordinates":[[[0,50],[1,50],[1,51],[0,50]]]},"properties":
            {"name":"","n":-1,"x":-2.5e-300,"ok":false,"day":null,"at":null,"tags":null}},
        {"type":"Feature","id":"c","geometry":null,"properties":
            {"name":null,"n":null,"x":null,"ok":null,"day":"1999-12-31","at":null,"tags":{}}}]}"#;

    #[test]
    fn every_value_and_geometry_comes_back_by_our_import() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("p.geojson"), FEATURES).unwrap();
        let before = take(&at("p.geojson"), "gpkg_odd", &at("one.gpkg"));
        let collection = before.collection("gpkg_odd").unwrap();
        let written =
            write_geopackage(&at("x.gpkg"), collection, rows(&before, "gpkg_odd").into_iter()).unwrap();
        assert_eq!(written, 3);
        let file = ForeignGeoPackage::open(&at("x.gpkg")).unwrap();
        assert_eq!(file.layers().unwrap(), [("layer_gpkg_odd".to_owned(), true)]);
        drop(file);
        let after = take(&at("x.gpkg"), "gpkg_odd", &at("two.gpkg"));
        assert_eq!(texts(&after, "gpkg_odd"), texts(&before, "gpkg_odd"));
        // A file that is there is not written over.
        write_geopackage(&at("x.gpkg"), collection, std::iter::empty()).unwrap_err();
    }

    /// Another program's reading, where it is installed.
    #[test]
    fn gdal_counts_the_rows_and_reads_the_mark() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("p.geojson"), FEATURES).unwrap();
        let view = take(&at("p.geojson"), "p", &at("one.gpkg"));
        write_geopackage(&at("x.gpkg"), view.collection("p").unwrap(), rows(&view, "p").into_iter()).unwrap();
        let Ok(output) = Command::new("ogrinfo").args(["-so", "-al"]).arg(at("x.gpkg")).output() else {
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(said.contains("Feature Count: 3") && said.contains("n: Integer64"), "{said}");
        assert!(said.contains("SYNTHETIC, OFFICIAL"), "{said}");
        assert!(said.contains("Extent: (-1.123457, 50.000000) - (1.000000, 52.000000)"), "{said}");
        assert!(
            said.contains("day: Date")
                && said.contains("at: DateTime")
                && said.contains("ok: Integer(Boolean)"),
            "{said}"
        );
        let json = json!({}).to_string();
        let listed =
            Command::new("ogrinfo").args(["-al", "-where", "n IS NULL"]).arg(at("x.gpkg")).output().unwrap();
        assert!(String::from_utf8_lossy(&listed.stdout).contains(&json), "the object of row c");
    }

    #[test]
    fn names_that_sqlite_and_the_format_use_give_way() {
        for (id, table) in [
            ("p", "p"),
            ("SQLite_x", "layer_SQLite_x"),
            ("gpkg_x", "layer_gpkg_x"),
            ("rtree_x", "layer_rtree_x"),
        ] {
            assert_eq!(table_name(id), table);
        }
    }
}
