//! The store as the rest of the program sees it: structs round a private enum of the stores there are. Today that is one
//! file; a second kind is one more variant, and every `match` here then says what is missing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::model::Provenance;
use crate::model::Row;
use crate::model::schema::CollectionSchema;
use crate::store::Appended;
use crate::store::ChangeSummary;
use crate::store::Register;
use crate::store::ReleaseState;
use crate::store::Scan;
use crate::store::StoreError;
use crate::store::StoredCollection;
use crate::store::StoredRow;
use crate::store::Touched;
use crate::store::file;

/// An open store.
#[derive(Debug)]
pub struct Store(StoreKind);

#[derive(Debug)]
enum StoreKind {
    File(file::FileStore),
}

/// One state of the store; readers do not wait for the writer.
#[derive(Debug)]
pub struct Reader(ReaderKind);

#[derive(Debug)]
enum ReaderKind {
    File(file::FileReader),
}

/// What may be done inside one write: all of it counts or none of it.
#[derive(Debug)]
pub struct Transaction<'t>(TransactionKind<'t>);

#[derive(Debug)]
enum TransactionKind<'t> {
    File(file::FileTransaction<'t>),
}

/// Adds rows to one collection. Nothing counts until [`Appender::finish`] and the commit around it.
#[derive(Debug)]
pub struct Appender<'t>(AppenderKind<'t>);

#[derive(Debug)]
enum AppenderKind<'t> {
    File(Box<file::FileAppender<'t>>),
}

/// Waits for changes of a store, by whatever process they are made.
#[derive(Debug)]
pub struct Watch(WatchKind);

#[derive(Debug)]
enum WatchKind {
    File(file::FileWatch),
}

/// What became of a wish for a store.
#[derive(Debug)]
pub enum Made<T> {
    /// It was there already, or another process made it meanwhile; nothing was done.
    WasThere(Store),
    /// It was made, and this is what filling it gave.
    New(Store, T),
}

/// Makes a store where there is none and lets `fill` write into it before anyone sees it: other processes find the whole
/// store or none, and one that wants to make it as well waits.
///
/// # Errors
/// Of the file system and of `fill`; nothing is left behind then.
pub fn make<T, E: From<StoreError>>(
    path: &Path,
    register: Register,
    fill: impl FnOnce(&Arc<Store>) -> Result<T, E>,
) -> Result<Made<T>, E> {
    file::make(path, register, fill)
}

/// Whether a file is a store of ours, sound or not, of this version or a newer one; nothing of it is changed.
#[must_use]
pub fn is_store(path: &Path) -> bool {
    file::is_store(path)
}

impl Store {
    /// Opens a store, applying migrations it lacks (a copy of the file is made first). One that cannot be written, the
    /// file or its folder, is opened to be read; see [`Self::why_read_only`].
    ///
    /// # Errors
    /// [`StoreError`] that says what to do; nothing is changed then.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self(StoreKind::File(file::FileStore::open(path)?)))
    }

    /// Makes an empty store where there is none.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if there is one; nothing is left behind after another error.
    pub fn create(path: &Path, register: Register) -> Result<Self, StoreError> {
        match make(path, register, |_| Ok::<(), StoreError>(()))? {
            Made::New(store, ()) => Ok(store),
            Made::WasThere(_) => Err(StoreError::Exists(path.to_owned())),
        }
    }

    /// Opens the store, or makes a synthetic one where there is none. Several processes may do so at once.
    ///
    /// # Errors
    /// As [`Self::open`] and [`make`].
    pub fn open_or_create(path: &Path) -> Result<Self, StoreError> {
        match make(path, Register::Synthetic, |_| Ok::<(), StoreError>(()))? {
            Made::New(store, ()) | Made::WasThere(store) => Ok(store),
        }
    }

    /// Why the store can only be read, in words; `None` if it can be written.
    #[must_use]
    pub fn why_read_only(&self) -> Option<&'static str> {
        let StoreKind::File(store) = &self.0;
        store.why_read_only()
    }

    /// What opening it changed to bring it to this version, a sentence each.
    #[must_use]
    pub fn migrated(&self) -> &[String] {
        let StoreKind::File(store) = &self.0;
        store.migrated()
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        let StoreKind::File(store) = &self.0;
        store.path()
    }

    /// What the register holds.
    #[must_use]
    pub fn register(&self) -> Register {
        let StoreKind::File(store) = &self.0;
        store.register()
    }

    /// A reader that sees one state of the store until it is dropped.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reader(&self) -> Result<Reader, StoreError> {
        let StoreKind::File(store) = &self.0;
        Ok(Reader(ReaderKind::File(store.reader()?)))
    }

    /// Runs `work` on the writer thread inside a transaction, with whatever else is waiting, and returns after
    /// the commit is on the disk.
    ///
    /// # Errors
    /// Of `work`, which is then rolled back alone; of the commit, which takes everything back; [`StoreError::ReadOnly`];
    /// [`StoreError::Replaced`] if another store took its place meanwhile.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let StoreKind::File(store) = &self.0;
        store.write(|transaction| work(&mut Transaction(TransactionKind::File(transaction))))
    }

    /// One who waits for changes, see [`Watch::wait`].
    #[must_use]
    pub fn watch(&self) -> Watch {
        let StoreKind::File(_) = &self.0;
        Watch(WatchKind::File(file::FileWatch::default()))
    }

    /// The database's own check of everything it holds: the faults found, none if it is sound.
    ///
    /// # Errors
    /// [`StoreError::Database`] if the check cannot run.
    pub fn quick_check(&self) -> Result<Vec<String>, StoreError> {
        let StoreKind::File(store) = &self.0;
        store.quick_check()
    }

    /// Moves the write-ahead log into the file, so that the file alone is the store, unless another process reads or
    /// writes it just now.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        let StoreKind::File(store) = &self.0;
        store.checkpoint()
    }
}

impl Reader {
    /// The store's identity: another epoch means that another store stands in its place, and sequences cannot be compared.
    #[must_use]
    pub fn epoch(&self) -> &str {
        let ReaderKind::File(reader) = &self.0;
        reader.epoch()
    }

    /// All collections, by id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn collections(&self) -> Result<Vec<StoredCollection>, StoreError> {
        let ReaderKind::File(reader) = &self.0;
        reader.collections()
    }

    /// Every collection's id and last change, by id: what says which ones must be read again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sequences(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let ReaderKind::File(reader) = &self.0;
        reader.sequences()
    }

    /// The rows of a collection that changes after `sequence` touched, found by index and without reading the table.
    /// `None` if that cannot be said, because the store is older than these records, `sequence` is not of its past, or
    /// more than `most` rows were touched: then the collection must be read whole. Sequences of another epoch must not
    /// be given.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn changes_since(
        &self,
        stored: &StoredCollection,
        sequence: i64,
        most: u64,
    ) -> Result<Option<Touched>, StoreError> {
        let ReaderKind::File(reader) = &self.0;
        reader.changes_since(stored, sequence, most)
    }

    /// One collection.
    ///
    /// # Errors
    /// [`StoreError`], not if there is none.
    pub fn collection(&self, id: &str) -> Result<Option<StoredCollection>, StoreError> {
        let ReaderKind::File(reader) = &self.0;
        reader.collection(id)
    }

    /// The last change of all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn sequence(&self) -> Result<i64, StoreError> {
        let ReaderKind::File(reader) = &self.0;
        reader.sequence()
    }

    /// The day for which the store's picture is drawn, where it is not today: the present of a synthetic set.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reference_date(&self) -> Result<Option<String>, StoreError> {
        let ReaderKind::File(reader) = &self.0;
        reader.reference_date()
    }

    /// How far each collection was released, by collection.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn releases(&self) -> Result<Vec<ReleaseState>, StoreError> {
        let ReaderKind::File(reader) = &self.0;
        reader.releases()
    }

    /// About the greatest row number of a collection's table, by which it can be read in parts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn last_fid(&self, stored: &StoredCollection) -> Result<i64, StoreError> {
        let ReaderKind::File(reader) = &self.0;
        reader.last_fid(stored)
    }

    /// Gives every sound current row with `first <= fid <= last` to `each`, up to the first page that cannot be read:
    /// who finds rows missing goes on with [`Self::scan_pages`].
    ///
    /// # Errors
    /// [`StoreError`] for anything but damage.
    pub fn scan(
        &self,
        stored: &StoredCollection,
        first: i64,
        last: i64,
        each: &mut dyn FnMut(&StoredRow<'_>),
    ) -> Result<Scan, StoreError> {
        let ReaderKind::File(reader) = &self.0;
        reader.scan(stored, first, last, each)
    }

    /// Gives every sound current row of a damaged collection to `each`, read page by page.
    ///
    /// # Errors
    /// [`StoreError`] for anything but damage, which is counted and passed over.
    pub fn scan_pages(
        &self,
        stored: &StoredCollection,
        each: &mut dyn FnMut(&StoredRow<'_>),
    ) -> Result<Scan, StoreError> {
        let ReaderKind::File(reader) = &self.0;
        reader.scan_pages(stored, each)
    }
}

impl Watch {
    /// Waits until the store may have changed since the last call, for so long at most, and says whether it may. Commits
    /// of this process are noticed at once, others within some 15 ms, and that another file stands in its place as well.
    /// The first call returns at once with `true`.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be looked at; the next call then says that it has changed.
    pub fn wait(&mut self, store: &Store, longest: Duration) -> Result<bool, StoreError> {
        let (WatchKind::File(watch), StoreKind::File(store)) = (&mut self.0, &store.0);
        watch.wait(store, longest)
    }
}

impl<'t> Transaction<'t> {
    /// Prepares a collection for rows of `schema`: makes its table, or adds the columns it lacks. Several collections
    /// can be added to at once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn appender(
        &self,
        schema: CollectionSchema,
        provenance: Provenance,
    ) -> Result<Appender<'t>, StoreError> {
        let TransactionKind::File(transaction) = &self.0;
        Ok(Appender(AppenderKind::File(Box::new(transaction.appender(schema, provenance)?))))
    }

    /// Checks that a collection was not changed since its sequence was `before`; `None` for one that did not exist.
    ///
    /// # Errors
    /// [`StoreError::FieldsChanged`] if it was changed; of the database.
    pub fn unchanged_since(&self, collection: &str, before: Option<i64>) -> Result<(), StoreError> {
        let TransactionKind::File(transaction) = &self.0;
        transaction.unchanged_since(collection, before)
    }

    /// Says for which day the store's picture is drawn (`2024-04-30`).
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn set_reference_date(&self, day: &str) -> Result<(), StoreError> {
        let TransactionKind::File(transaction) = &self.0;
        transaction.set_reference_date(day)
    }

    /// How far each collection was released, by collection.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn releases(&self) -> Result<Vec<ReleaseState>, StoreError> {
        let TransactionKind::File(transaction) = &self.0;
        transaction.releases()
    }

    /// Says how far a collection was released, and what the next release must know of it.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn set_released(&self, release: &ReleaseState) -> Result<(), StoreError> {
        let TransactionKind::File(transaction) = &self.0;
        transaction.set_released(release)
    }

    /// The key that ids of released rows are made with: drawn the first time that it is read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn release_key(&self) -> Result<[u8; 32], StoreError> {
        let TransactionKind::File(transaction) = &self.0;
        transaction.release_key()
    }

    /// Sets that key: for sets that must come out alike.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn set_release_key(&self, key: [u8; 32]) -> Result<(), StoreError> {
        let TransactionKind::File(transaction) = &self.0;
        transaction.set_release_key(key)
    }
}

impl Appender<'_> {
    /// The schema as it will be stored; the values of rows follow it.
    #[must_use]
    pub fn schema(&self) -> &CollectionSchema {
        let AppenderKind::File(appender) = &self.0;
        appender.schema()
    }

    /// Adds one row, whose values follow [`Self::schema`].
    ///
    /// # Errors
    /// [`StoreError`]: the whole transaction must then be given up.
    pub fn append(&mut self, row: &Row) -> Result<Appended, StoreError> {
        let AppenderKind::File(appender) = &mut self.0;
        appender.append(row)
    }

    /// Adds one row of another provenance than the collection was begun with.
    ///
    /// # Errors
    /// As [`Self::append`], and for a synthetic row in an operational register or the other way round.
    pub fn append_as(&mut self, row: &Row, provenance: &Provenance) -> Result<Appended, StoreError> {
        let AppenderKind::File(appender) = &mut self.0;
        appender.append_as(row, provenance)
    }

    /// Takes away the rows with ids of their own that were there before and were not appended again; their versions stay.
    ///
    /// # Errors
    /// [`StoreError`]: the whole transaction must then be given up.
    pub fn retire_others(&mut self) -> Result<(), StoreError> {
        let AppenderKind::File(appender) = &mut self.0;
        appender.retire_others()
    }

    /// Writes the change and the collection's new state. It counts with the commit of the transaction.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn finish(self, source: &str) -> Result<ChangeSummary, StoreError> {
        let AppenderKind::File(appender) = self.0;
        appender.finish(source)
    }
}
