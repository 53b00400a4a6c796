//! Making a store, one process at a time, and bringing an older one up to date.
//!
//! In: a path. Out: a whole store file or none. Not here: opening one that is there (`open`).

use std::fs::File;
use std::fs::TryLockError;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::params;

use crate::store::Made;
use crate::store::Register;
use crate::store::Store;
use crate::store::StoreError;
use crate::store::file::connect::absolute;
use crate::store::file::connect::beside;
use crate::store::file::migrate;
use crate::store::file::open::APPLICATION_ID;

/// Rows of `gpkg_spatial_ref_sys` that every `GeoPackage` must have.
pub(in crate::store) const SPATIAL_REFERENCES: &str = r#"
INSERT INTO gpkg_spatial_ref_sys VALUES
 ('WGS 84 geodetic', 4326, 'EPSG', 4326, 'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]', 'longitude/latitude on the WGS 84 ellipsoid'),
 ('Undefined Cartesian SRS', -1, 'NONE', -1, 'undefined', NULL),
 ('Undefined geographic SRS', 0, 'NONE', 0, 'undefined', NULL);
"#;

/// Makes a store where there is none and lets `fill` write into it before anyone sees it: other processes find the whole
/// store or none, and one that wants to make it as well waits.
///
/// # Errors
/// Of the file system and of `fill`; nothing is left behind then.
pub(in crate::store) fn make<T, E: From<StoreError>>(
    path: &Path,
    register: Register,
    fill: impl FnOnce(&Arc<Store>) -> Result<T, E>,
) -> Result<Made<T>, E> {
    if path.exists() {
        return Ok(Made::WasThere(Store::open(path)?));
    }
    let folder = lock(path)?;
    if path.exists() {
        return Ok(Made::WasThere(Store::open(path)?));
    }
    // Made beside its place and moved there, so that a crash leaves no half a store; what a crash left goes now.
    let draft = Draft(beside(path, ".part"));
    draft.remove();
    create(&draft.0, register)?;
    let store = Arc::new(Store::open(&draft.0)?);
    let filled = fill(&store)?;
    store.checkpoint()?;
    drop(store);
    let io = |source| StoreError::Io { path: path.to_owned(), source };
    File::open(&draft.0).and_then(|file| file.sync_all()).map_err(io)?;
    // A log of an earlier store of that name, which is not there any more, would be taken for this one's.
    remove_beside(path);
    std::fs::rename(&draft.0, path).and_then(|()| folder.sync_all()).map_err(io)?;
    Ok(Made::New(Store::open(path)?, filled))
}

/// A store that is not whole yet; removed unless it was moved to its place.
pub(in crate::store) struct Draft(pub(in crate::store) PathBuf);

impl Draft {
    pub(in crate::store) fn remove(&self) {
        // What is not there need not go.
        let _ = std::fs::remove_file(&self.0);
        remove_beside(&self.0);
    }
}

/// Removes what `SQLite` keeps beside a database that is not there.
fn remove_beside(path: &Path) {
    for ending in ["-wal", "-shm", "-journal"] {
        let _ = std::fs::remove_file(beside(path, ending));
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Waits until no other process makes or migrates a store in the same folder. The lock is on the folder, so that no file
/// is left beside the store; it ends with the returned handle, or with the process.
pub(in crate::store) fn lock(path: &Path) -> Result<File, StoreError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let io = |source| StoreError::Io { path: folder.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(io)?;
    let handle = File::open(folder).map_err(io)?;
    match handle.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            tracing::info!("another process is making a store in {}: waiting for it", folder.display());
            handle.lock().map_err(io)?;
        }
        // Some network file systems have no locks: there the first start is not to be had twice at once.
        Err(TryLockError::Error(error)) => tracing::debug!(%error, "the folder cannot be locked"),
    }
    Ok(handle)
}

fn create(path: &Path, register: Register) -> Result<(), StoreError> {
    let connection = Connection::open(absolute(path)?)?;
    connection
        .execute_batch(&format!("PRAGMA page_size = 8192; PRAGMA application_id = {APPLICATION_ID};"))?;
    migrate::first(&connection)?;
    connection.execute_batch(SPATIAL_REFERENCES)?;
    let mut epoch = [0_u8; 16];
    getrandom::fill(&mut epoch).map_err(|error| StoreError::Abandoned(error.to_string()))?;
    connection.execute(
        "INSERT INTO throughline_meta VALUES ('epoch', ?1), ('register', ?2)",
        params![format!("{:032x}", u128::from_be_bytes(epoch)), register.as_str()],
    )?;
    // The file remembers it: later connections find it so and don't race to change it.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_that_cannot_be_filled_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gpkg");
        // What a crash left of an earlier try.
        std::fs::write(folder.path().join("a.gpkg.part"), "half").unwrap();
        let made = make(&path, Register::Synthetic, |_| Err::<(), _>(StoreError::WriterGone));
        assert!(matches!(made, Err(StoreError::WriterGone)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn of_many_who_make_a_store_one_does_and_the_others_open_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("a.gpkg");
        let fill = |_: &Arc<Store>| -> Result<(), StoreError> {
            std::thread::sleep(std::time::Duration::from_millis(50));
            Ok(())
        };
        let new = std::thread::scope(|scope| {
            let all: Vec<_> =
                (0..8).map(|_| scope.spawn(|| make(&path, Register::Synthetic, fill).unwrap())).collect();
            let made = all.into_iter().map(|made| made.join().unwrap());
            made.filter(|made| matches!(made, Made::New(..))).count()
        });
        assert_eq!(new, 1);
        assert_eq!(std::fs::read_dir(folder.path().join("deep")).unwrap().count(), 1);
    }
}
