//! Stores of earlier versions. `tests/fixtures/store-of-0.1.gpkg` was written by the program as it was before its own
//! tables had a second schema: lines, legs, hubs, towns, a released collection, two layers, a reference date, a key.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::Connection;
use throughline::access::Gate;
use throughline::access::Principal;
use throughline::access::View;
use throughline::model::Provenance;
use throughline::model::Row;
use throughline::model::Value;
use throughline::model::ValueRef;
use throughline::model::collections::built_in;
use throughline::model::collections::legs;
use throughline::model::collections::lines;
use throughline::store::ReleaseState;
use throughline::store::Store;

use crate::fixtures::World;
use crate::fixtures::options;

/// A copy of the old store in a folder of its own.
fn old_store() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.gpkg");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/store-of-0.1.gpkg");
    std::fs::copy(fixture, &path).unwrap();
    (folder, path)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The values of a field, as text, by the rows' public ids.
fn values(view: &View, collection: &str, field: &str) -> Vec<(String, String)> {
    let part = view.collection(collection).unwrap();
    let place = part.schema().position(field).unwrap();
    let mut found = Vec::new();
    for group in part.groups() {
        for row in 0..group.len() {
            let id = group.public_id(row).unwrap_or_default().to_owned();
            found.push((id, group.value(place, row).to_text()));
        }
    }
    found.sort();
    found
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(id, value)| ((*id).to_owned(), (*value).to_owned())).collect()
}

/// What the old store holds, whatever it is read through.
fn holds_what_it_held(store: &Arc<Store>) {
    let gate = Gate::open(Arc::clone(store)).unwrap();
    assert_eq!(gate.degraded(), []);
    let view = gate.view(&Principal::LocalOperator);
    assert_eq!(view.reference_date(), Some("2024-04-30"));
    let of_lines = |field| values(&view, "lines", field);
    assert_eq!(of_lines("brand"), pairs(&[("line-1", "Ace"), ("line-2", "Scouse"), ("line-3", "Deuce")]));
    let weekly = pairs(&[("line-1", "4.5"), ("line-2", "7"), ("line-3", "1.25")]);
    assert_eq!(of_lines("trips_per_week"), weekly);
    assert_eq!(of_lines("commodities"), pairs(&[("line-1", ""), ("line-2", ""), ("line-3", "")]));
    assert_eq!(of_lines("grade"), pairs(&[("line-1", "2B"), ("line-2", "2B"), ("line-3", "2B")]));
    assert_eq!(values(&view, "old-layer", "a.b"), pairs(&[("7", "dotted"), ("8", "d2")]));
    assert_eq!(values(&view, "old-layer", "a b"), pairs(&[("7", "spaced"), ("8", "")]));
    assert_eq!(values(&view, "old-layer", "ID"), pairs(&[("7", "x1"), ("8", "x2")]));
    assert_eq!(view.collection("no-ids").unwrap().rows(), 3);
    assert_eq!(values(&view, "line-counts", "count"), pairs(&[("E06000001:month:2024-03", "15")]));
    let state = |collection: &str, through: &str, state: &str| ReleaseState {
        collection: collection.to_owned(),
        through: through.to_owned(),
        state: state.to_owned(),
    };
    assert_eq!(
        store.reader().unwrap().releases().unwrap(),
        [state("line-cells", "2024-04-28", ""), state("line-counts", "2024-03-31", r#"["E06000001"]"#)]
    );
    // The third line concerns the force that holds it, those of its leg, and by the leg's mode the railway's.
    let lines = view.collection(lines::COLLECTION).unwrap();
    let id = throughline::model::RowId::from_public("line-3");
    let (group, row) = lines.find(id).unwrap();
    let forces: Vec<&str> = lines.groups()[group as usize].rights(row as usize).forces().collect();
    assert_eq!(forces, ["met", "btp", "north-wales"]);
    assert_eq!(view.collection(legs::COLLECTION).unwrap().rows(), 3);
}

#[test]
fn an_older_store_is_brought_up_to_date_with_a_copy_beside_it() {
    let (folder, path) = old_store();
    let store = Arc::new(Store::open(&path).unwrap());
    assert!(store.migrated()[0].contains("from schema 1"), "{:?}", store.migrated());
    holds_what_it_held(&store);
    assert_eq!(store.write(|transaction| transaction.release_key()).unwrap(), [7; 32]);
    store.checkpoint().unwrap();
    let world = World { folder, store };
    assert!(names(world.folder.path()).contains(&"old.before-2.gpkg".to_owned()));
    let before = Connection::open(world.path("old.before-2.gpkg")).unwrap();
    let keys = |file: &Connection| -> Vec<String> {
        let mut statement = file.prepare("SELECT key FROM throughline_meta ORDER BY key").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(
        keys(&before),
        [
            "as_at",
            "epoch",
            "register",
            "release_key",
            "released:line-cells",
            "released:line-counts",
            "units:line-cells",
            "units:line-counts"
        ]
    );
    assert_eq!(keys(&Connection::open(&path).unwrap()), ["epoch", "register"]);
    // Rows are known again, with an id of their own and without, and a field comes to those that are there.
    let csv = "lon,lat,kind,new\n-1,52,x,\n-1,52,x,\n-1.5,52.5,y,\n-1.7,52.5,y,n\n";
    let report = world.import("c.csv", csv, &options("no-ids")).unwrap();
    assert_eq!((report.accepted, report.unchanged), (4, 3));
    // Opened again there is nothing to do, and no further copy.
    drop(world.store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.migrated(), [] as [String; 0]);
    assert_eq!(
        names(world.folder.path())
            .iter()
            .filter(|name| name.contains("before") && !name.contains("gpkg-"))
            .count(),
        1
    );
}

/// A store as it was when lines had no `commodities`, which stand in the middle of their schema: fields are found by
/// their names, in stores that can be written and in those that cannot.
fn without_commodities(path: &Path) {
    let file = Connection::open(path).unwrap();
    let schema: String = file
        .query_row("SELECT schema FROM throughline_collections WHERE id = 'lines'", [], |row| row.get(0))
        .unwrap();
    let at = schema.find("name = \"commodities\"").unwrap();
    let start = schema[..at].rfind("[[field]]").unwrap();
    let end = at + schema[at..].find("[[field]]").unwrap();
    let without = format!("{}{}", &schema[..start], &schema[end..]);
    file.execute("UPDATE throughline_collections SET schema = ?1 WHERE id = 'lines'", [without]).unwrap();
    file.execute_batch("ALTER TABLE lines DROP COLUMN commodities; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
}

#[test]
fn a_field_that_comes_into_the_middle_of_a_schema_moves_no_other() {
    let (folder, path) = old_store();
    without_commodities(&path);
    let store = Arc::new(Store::open(&path).unwrap());
    let said = store.migrated().join("; ");
    assert!(said.contains("lines has the new fields commodities"), "{said}");
    assert!(names(folder.path()).iter().any(|name| name.starts_with("old.before-fields-")), "a copy first");
    holds_what_it_held(&store);
    // A row is changed under the schema of the program, and another is as it was.
    store
        .write(|transaction| {
            let schema = built_in("lines").unwrap().unwrap().stored();
            let mut values = vec![Value::Null; schema.fields.len()];
            for (name, value) in [
                ("brand", Value::Text("Ace".into())),
                ("commodities", Value::Text("heroin;crack".into())),
                ("trips_per_week", Value::Float(4.5)),
            ] {
                values[schema.position(name).unwrap()] = value;
            }
            let provenance = Provenance { synthetic: true, ..Provenance::open("reference") };
            let mut appender = transaction.appender(schema, provenance)?;
            let row = Row { id: None, public_id: Some("line-9".into()), geometry: None, values };
            appender.append(&row)?;
            appender.finish("test").map(|_| ())
        })
        .unwrap();
    let gate = Gate::open(Arc::clone(&store)).unwrap();
    assert_eq!(gate.degraded(), []);
    let view = gate.view(&Principal::LocalOperator);
    let all = values(&view, "lines", "commodities");
    assert_eq!(all, pairs(&[("line-1", ""), ("line-2", ""), ("line-3", ""), ("line-9", "heroin;crack")]));
    let file = Connection::open(&path).unwrap();
    let last: String = file
        .query_row("SELECT name FROM pragma_table_info('lines') ORDER BY cid DESC LIMIT 1", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(last, "commodities", "in the table it stands last");
}

#[test]
fn a_store_with_a_field_that_this_program_lacks_stays_as_it_is() {
    let (folder, path) = old_store();
    drop(Store::open(&path).unwrap());
    let file = Connection::open(&path).unwrap();
    file.execute_batch(
        "UPDATE throughline_collections SET schema = schema || '
[[field]]
name = \"of a later version\"
type = \"text\"
' WHERE id = 'hubs';
         ALTER TABLE hubs ADD COLUMN later TEXT;
         INSERT INTO throughline_columns VALUES ('hubs', 'of a later version', 'later')",
    )
    .unwrap();
    drop(file);
    let store = Arc::new(Store::open(&path).unwrap());
    assert_eq!(store.migrated(), [] as [String; 0]);
    let view = Gate::open(store).unwrap().view(&Principal::LocalOperator);
    let part = view.collection("hubs").unwrap();
    let place = part.schema().position("of a later version").unwrap();
    assert_eq!(part.groups()[0].value(place, 0), ValueRef::Null);
    assert!(!names(folder.path()).iter().any(|name| name.contains("fields")));
}
