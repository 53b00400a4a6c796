//! What fuzzing began with and what it found: tried again on every run (`tests/fuzz`, `make fuzz`).

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../fuzz/checks.rs"]
mod checks;

use std::path::Path;

use checks::Asker;
use checks::Importer;

/// Gives every seed of a target to `each`, and its name where it fails.
fn for_each(target: &str, each: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds").join(target);
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        eprintln!("{}", path.display());
        each(&std::fs::read(path).unwrap());
        seen += 1;
    }
    assert!(seen > 1, "{target} has no seeds");
}

#[test]
fn files_of_any_bytes_are_taken_or_refused() {
    let importer = Importer::new();
    for (target, name) in [("csv", "d.csv"), ("geojson", "d.geojson"), ("geopackage", "d.gpkg")] {
        for_each(target, |bytes| importer.take(name, bytes));
    }
}

#[test]
fn addresses_of_any_bytes_are_answered_or_refused_with_a_reason() {
    let asker = Asker::new();
    for_each("tile", |bytes| asker.ask(&checks::tile_address(bytes)));
    for_each("query", |bytes| asker.ask(&checks::query_address(bytes)));
}
