//! The rows of a table read page by page, past damage: `SQLite` itself gives up at the first page that it cannot read, and
//! with a broken inner page everything under it.
//!
//! In: a file without a log beside it, the root page of a table. Out: the rows of every leaf page that can be read, those
//! included that no sound page leads to any more. Nothing here is trusted: each row is proved by its hash afterwards
//! (`scan`).
//!
//! Source: "Database File Format" of the `SQLite` documentation, sections 1.3 (header), 1.5 (free list), 1.6 (pages,
//! cells, overflow) and 2.1 (records).

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rusqlite::types::ValueRef;

/// First bytes of inner and of leaf pages of a table, and of an index, which a table without row numbers is too.
const INNER: u8 = 0x05;
const LEAF: u8 = 0x0D;
const INDEX_INNER: u8 = 0x02;
const INDEX_LEAF: u8 = 0x0A;
/// Bytes before the first page's own header.
const FILE_HEADER: usize = 100;

/// A database file, opened to read its pages.
#[derive(Debug)]
pub(in crate::store) struct Pages {
    file: File,
    page_bytes: usize,
    /// Bytes of a page that hold content; the rest is reserved.
    usable: usize,
    count: u32,
}

/// The pages of one table.
#[derive(Debug, Default)]
struct Tree {
    leaves: Vec<u32>,
    /// Whether every page that an inner page names could be read as what it should be.
    whole: bool,
}

impl Pages {
    /// Opens a file.
    ///
    /// # Errors
    /// Of the file system; a header that makes no sense is [`std::io::ErrorKind::InvalidData`].
    pub(in crate::store) fn open(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let mut header = [0_u8; FILE_HEADER];
        file.read_exact_at(&mut header, 0)?;
        // A page of 65,536 bytes is written as 1.
        let page_bytes = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65_536,
            bytes if bytes >= 512 && bytes.is_power_of_two() => usize::from(bytes),
            _ => return Err(std::io::ErrorKind::InvalidData.into()),
        };
        let usable = page_bytes - usize::from(header[20]);
        if usable < 480 {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        let count = u32::try_from(file.metadata()?.len() / page_bytes as u64).unwrap_or(u32::MAX);
        Ok(Self { file, page_bytes, usable, count })
    }

    /// Gives every row of the table at `root` to `each`: whether the table leads to its page, its row number, and the
    /// values of its columns in the order of the table's definition. `trees` are the root pages of all tables
    /// and indexes of the file.
    ///
    /// Pages that nothing leads to are taken for this table's only where every other table, and the list of free pages,
    /// can be walked whole: then they can be no other's. They come last.
    pub(in crate::store) fn rows(
        &self,
        root: u32,
        trees: &[u32],
        each: &mut dyn FnMut(bool, i64, &[ValueRef<'_>]),
    ) {
        // The others first: a damaged page of this table may lead to one of theirs, and then it is known to be theirs.
        let mut seen = HashSet::new();
        let mut others = trees.iter().filter(|other| **other != root);
        // Free pages still hold what stood there once.
        let all_whole = others.all(|other| self.tree(*other, &mut seen).whole) && self.mark_free(&mut seen);
        if !all_whole {
            seen.clear();
        }
        let own = self.tree(root, &mut seen);
        let mut lost = Vec::new();
        if !own.whole && all_whole {
            lost.extend((1..=self.count).filter(|page| !seen.contains(page) && self.is_leaf(*page)));
        }
        for (leaf, led_to) in
            own.leaves.into_iter().map(|leaf| (leaf, true)).chain(lost.into_iter().map(|leaf| (leaf, false)))
        {
            self.leaf_rows(leaf, &mut |number, payload| {
                let mut values = Vec::new();
                if read_record(payload, &mut values).is_some() {
                    each(led_to, number, &values);
                }
            });
        }
    }

    fn page(&self, number: u32) -> Option<Vec<u8>> {
        if number == 0 || number > self.count {
            return None;
        }
        let mut bytes = vec![0; self.page_bytes];
        self.file.read_exact_at(&mut bytes, u64::from(number - 1) * self.page_bytes as u64).ok()?;
        Some(bytes)
    }

    fn is_leaf(&self, number: u32) -> bool {
        let mut kind = [0];
        let at = u64::from(number - 1) * self.page_bytes as u64;
        self.file.read_exact_at(&mut kind, at).is_ok() && kind[0] == LEAF
    }

    /// Walks down from a root page. Every page met is put into `seen`.
    fn tree(&self, root: u32, seen: &mut HashSet<u32>) -> Tree {
        let mut tree = Tree { leaves: Vec::new(), whole: true };
        let mut waiting = vec![root];
        while let Some(number) = waiting.pop() {
            if !seen.insert(number) {
                tree.whole = false;
                continue;
            }
            let Some(page) = self.page(number) else {
                tree.whole = false;
                continue;
            };
            let start = header_start(number);
            match page[start] {
                LEAF => tree.leaves.push(number),
                INDEX_LEAF => {}
                INNER | INDEX_INNER => {
                    let children = cells(&page, start, 12)
                        .map(|cell| u32_at(&page, cell))
                        .chain([u32_at(&page, start + 8)]);
                    for child in children {
                        match child {
                            Some(child) => waiting.push(child),
                            None => tree.whole = false,
                        }
                    }
                }
                _ => tree.whole = false,
            }
        }
        tree
    }

    /// Puts the free pages into `seen`; `false` if their list cannot be read whole.
    fn mark_free(&self, seen: &mut HashSet<u32>) -> bool {
        let Some(header) = self.page(1) else { return false };
        let (Some(first), Some(count)) = (u32_at(&header, 32), u32_at(&header, 36)) else { return false };
        let before = seen.len();
        let mut trunk = first;
        while trunk != 0 {
            let Some(page) = self.page(trunk) else { return false };
            let (Some(next), Some(leaves)) = (u32_at(&page, 0), u32_at(&page, 4)) else { return false };
            // A broken list may lead round in a circle.
            if !seen.insert(trunk) || leaves as usize > self.usable / 4 {
                return false;
            }
            seen.extend((0..leaves as usize).filter_map(|at| u32_at(&page, 8 + 4 * at)));
            trunk = next;
        }
        // A page of zeros in the list reads as its end.
        seen.len() - before == count as usize
    }

    /// Gives row number and payload of every cell of a leaf page that can be read.
    fn leaf_rows(&self, number: u32, each: &mut dyn FnMut(i64, &[u8])) {
        let Some(page) = self.page(number) else { return };
        for cell in cells(&page, header_start(number), 8) {
            let Some((length, row, start)) = varint(&page, cell).and_then(|(length, next)| {
                let (row, start) = varint(&page, next)?;
                Some((length, row as i64, start))
            }) else {
                continue;
            };
            if let Some(payload) = self.payload(&page, start, length) {
                each(row, &payload);
            }
        }
    }

    /// The whole payload of a cell, the overflow pages included.
    fn payload<'a>(&self, page: &'a [u8], start: usize, length: u64) -> Option<Cow<'a, [u8]>> {
        let (usable, most) = (self.usable as u64, self.usable as u64 - 35);
        if length <= most {
            return Some(page.get(start..start.checked_add(length as usize)?)?.into());
        }
        // More than the whole file holds is no length.
        if length > u64::from(self.count) * usable {
            return None;
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let wanted = least + (length - least) % (usable - 4);
        let local = if wanted <= most { wanted } else { least } as usize;
        let mut bytes = page.get(start..start.checked_add(local)?)?.to_vec();
        let mut next = u32_at(page, start + local)?;
        let length = length as usize;
        // As many pages as the length takes, and no more than there are: a chain may lead round in a circle.
        for _ in 0..self.count {
            if bytes.len() == length {
                break;
            }
            let page = self.page(next)?;
            let more = (length - bytes.len()).min(self.usable - 4);
            bytes.extend_from_slice(page.get(4..4 + more)?);
            next = u32_at(&page, 0)?;
        }
        (bytes.len() == length).then(|| bytes.into())
    }
}

fn header_start(page: u32) -> usize {
    if page == 1 { FILE_HEADER } else { 0 }
}

/// Where the cells of a page begin, those outside the page left out; `header` is the length of the page's header.
fn cells(page: &[u8], start: usize, header: usize) -> impl Iterator<Item = usize> + '_ {
    let count = u16_at(page, start + 3).unwrap_or(0);
    (0..usize::from(count))
        .map_while(move |cell| u16_at(page, start + header + 2 * cell))
        .map(usize::from)
        .filter(|cell| *cell < page.len())
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// A number of one to nine bytes, and where the next thing begins.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for step in 0..8 {
        let byte = *bytes.get(at + step)?;
        value = value << 7 | u64::from(byte & 0x7F);
        if byte < 0x80 {
            return Some((value, at + step + 1));
        }
    }
    Some((value << 8 | u64::from(*bytes.get(at + 8)?), at + 9))
}

/// The values of a record; `None` if it does not hold together.
fn read_record<'a>(payload: &'a [u8], values: &mut Vec<ValueRef<'a>>) -> Option<()> {
    let (header, mut at) = varint(payload, 0)?;
    let header = usize::try_from(header).ok().filter(|header| *header <= payload.len())?;
    let mut body = header;
    while at < header {
        let (kind, next) = varint(payload, at)?;
        at = next;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind as usize,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => usize::try_from((kind - 12) / 2).ok()?,
        };
        let bytes = payload.get(body..body.checked_add(length)?)?;
        body += length;
        values.push(match kind {
            0 => ValueRef::Null,
            1..=6 => {
                // Big-endian and signed, of any of six widths.
                let first = if bytes[0] & 0x80 == 0 { 0 } else { -1 };
                ValueRef::Integer(bytes.iter().fold(first, |value: i64, byte| value << 8 | i64::from(*byte)))
            }
            7 => ValueRef::Real(f64::from_bits(u64::from_be_bytes(bytes.try_into().ok()?))),
            8 => ValueRef::Integer(0),
            9 => ValueRef::Integer(1),
            kind if kind % 2 == 0 => ValueRef::Blob(bytes),
            _ => ValueRef::Text(bytes),
        });
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rusqlite::Connection;
    use rusqlite::types::Value;

    /// A file with a table `t` of these rows, and what `SQLite` says of its root page.
    fn file(page: u32, rows: &[(i64, Vec<Value>)]) -> (tempfile::TempDir, std::path::PathBuf, u32) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.sqlite");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(&format!("PRAGMA page_size = {page}; CREATE TABLE t (a, b, c)")).unwrap();
        for (number, values) in rows {
            connection
                .execute(
                    "INSERT INTO t (rowid, a, b, c) VALUES (?1, ?2, ?3, ?4)",
                    rusqlite::params![number, values[0], values[1], values[2]],
                )
                .unwrap();
        }
        let root = connection
            .query_row("SELECT rootpage FROM sqlite_master WHERE name = 't'", [], |row| row.get(0))
            .unwrap();
        (folder, path, root)
    }

    fn found(path: &Path, root: u32) -> Vec<(i64, Vec<Value>)> {
        let mut rows = Vec::new();
        Pages::open(path).unwrap().rows(root, &[1, root], &mut |_, number, values| {
            // Text that is none stands for itself.
            let value = |value: &ValueRef<'_>| Value::try_from(*value).unwrap_or(Value::Null);
            rows.push((number, values.iter().map(value).collect()));
        });
        rows.sort_by_key(|(number, _)| *number);
        rows
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::Integer),
            (-70_000_i64..70_000).prop_map(Value::Integer),
            any::<f64>().prop_filter("a number", |value| !value.is_nan()).prop_map(Value::Real),
            "\\PC{0,30}".prop_map(Value::Text),
            proptest::collection::vec(any::<u8>(), 0..3_000).prop_map(Value::Blob),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn a_sound_table_reads_as_sqlite_reads_it(
            rows in proptest::collection::btree_map(any::<i64>(), proptest::collection::vec(value(), 3), 0..60),
            page in prop_oneof![Just(512_u32), Just(4_096), Just(65_536)],
        ) {
            let rows: Vec<(i64, Vec<Value>)> = rows.into_iter().collect();
            let (_folder, path, root) = file(page, &rows);
            prop_assert_eq!(found(&path, root), rows);
        }

        #[test]
        fn bytes_of_any_kind_are_read_without_a_fault(
            noise in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..200),
        ) {
            let rows: Vec<(i64, Vec<Value>)> = (0..200)
                .map(|row| (row, vec![Value::Integer(row), Value::Text("x".repeat(40)), Value::Blob(vec![7; 900])]))
                .collect();
            let (_folder, path, root) = file(512, &rows);
            let mut bytes = std::fs::read(&path).unwrap();
            for (at, byte) in noise {
                // The header of the file says how long a page is; without it there is nothing to read.
                let at = 100 + at.index(bytes.len() - 100);
                bytes[at] = byte;
            }
            std::fs::write(&path, bytes).unwrap();
            prop_assert!(found(&path, root).len() < 2_000);
        }
    }
}
