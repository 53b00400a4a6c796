//! The reference facts that come with the program.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use anyhow::Context;

use crate::import::About;
use crate::import::Format;
use crate::import::ImportOptions;
use crate::import::import;
use crate::model::Provenance;
use crate::store::Store;

/// Collection, format and text; sources and licences are in `data/README.md`.
const REFERENCE: [(&str, Format, &str); 4] = [
    ("regions", Format::GeoJson, include_str!("../../data/reference/regions.geojson")),
    ("forces", Format::GeoJson, include_str!("../../data/reference/forces.geojson")),
    ("stations", Format::Csv, include_str!("../../data/reference/stations.csv")),
    ("places", Format::Csv, include_str!("../../data/reference/places.csv")),
];

/// Imports those reference collections that the store lacks: one made by an import, or by an earlier version, gets
/// what the map is labelled with. A layer that somebody has given such a name is left alone.
///
/// # Errors
/// If a file or the store is refused.
pub fn add_missing_reference(store: &Store) -> anyhow::Result<()> {
    let known = store.reader()?.collections()?;
    import_some(store, |id| known.iter().all(|stored| stored.schema.id != id))
}

/// Imports the reference facts; rows that are there already stay as they are.
///
/// # Errors
/// If a file or the store is refused.
pub fn import_reference(store: &Store) -> anyhow::Result<()> {
    import_some(store, |_| true)
}

fn import_some(store: &Store, wanted: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    let folder = tempfile::tempdir().context("a temporary folder")?;
    for (collection, format, text) in REFERENCE.into_iter().filter(|(id, ..)| wanted(id)) {
        let file = folder.path().join(collection);
        std::fs::write(&file, text).with_context(|| file.display().to_string())?;
        let options = ImportOptions {
            into: collection.to_owned(),
            format: Some(format),
            layer: None,
            id: None,
            time: Vec::new(),
            about: About::default(),
            provenance: Provenance::open("reference"),
            dry_run: false,
            strict: true,
        };
        import(store, &file, &options, &Arc::new(AtomicU64::new(0)))
            .with_context(|| format!("the reference facts of {collection}"))?;
    }
    Ok(())
}
