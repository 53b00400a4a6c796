//! Opening files: finds the format by the file's ending, unpacks gzip with any number of members, skips the byte-order
//! mark, counts bytes for progress, and refuses files that are not the wanted kind of text.

use std::fs::File;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Cursor;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use flate2::bufread::MultiGzDecoder;

use crate::import::ImportError;
use crate::import::kind::Wanted;
use crate::import::kind::not_wanted;

/// A file format that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// GeoJSON (RFC 7946).
    GeoJson,
    /// GeoJSON text sequences (RFC 8142) and newline-delimited features.
    GeoJsonSeq,
    /// Text separated by commas, semicolons, tabs or bars, with a heading line.
    Csv,
    /// OGC `GeoPackage`.
    GeoPackage,
}

impl Format {
    /// The format with this word; `None` if there is none.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "geojson" | "json" => Self::GeoJson,
            "geojsonl" | "geojsonseq" | "geojsons" | "ndjson" | "jsonl" => Self::GeoJsonSeq,
            "csv" | "tsv" | "txt" => Self::Csv,
            "gpkg" => Self::GeoPackage,
            _ => return None,
        })
    }

    /// The format that a file's ending names, in any case and before `.gz`. The rest of the name need not be UTF-8.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        Self::parse(name.rsplit_once('.')?.1)
    }
}

/// Counts the bytes read from a file.
struct Counting {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// The content of a file, unpacked and without byte-order mark. `read` counts the bytes read from the disk.
///
/// # Errors
/// [`ImportError::Io`] if the file cannot be read; [`ImportError::Malformed`] if it is UTF-16.
pub(crate) fn open(path: &Path, read: &Arc<AtomicU64>) -> Result<Box<dyn BufRead + Send>, ImportError> {
    let io = |source| ImportError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    let mut reader = BufReader::with_capacity(1 << 16, Counting { file, read: Arc::clone(read) });
    let packed = reader.fill_buf().map_err(io)?.starts_with(&[0x1F, 0x8B]);
    let mut content: Box<dyn BufRead + Send> = if packed {
        Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(reader)))
    } else {
        Box::new(reader)
    };
    let start = content.fill_buf().map_err(io)?;
    if start.starts_with(&[0xFF, 0xFE]) || start.starts_with(&[0xFE, 0xFF]) {
        return Err(ImportError::Malformed {
            place: path.display().to_string(),
            message: "the file is UTF-16: save it as UTF-8".to_owned(),
        });
    }
    if start.starts_with(b"\xEF\xBB\xBF") {
        content.consume(3);
    }
    Ok(content)
}

/// The first bytes of a text, from which its kind is recognised.
const HEAD_BYTES: u64 = 1 << 16;

/// The content of a text file, as [`open`] returns it.
///
/// # Errors
/// As [`open`]; [`ImportError::Malformed`] with a sentence that names the kind of file if it is not the wanted one.
pub(crate) fn open_text(
    path: &Path,
    wanted: Wanted,
    read: &Arc<AtomicU64>,
) -> Result<Box<dyn BufRead + Send>, ImportError> {
    let mut content = open(path, read)?;
    let mut head = Vec::new();
    content.by_ref().take(HEAD_BYTES).read_to_end(&mut head).map_err(|error| read_fault(path, &error))?;
    if let Some(message) = not_wanted(&head, wanted) {
        return Err(ImportError::Malformed { place: path.display().to_string(), message });
    }
    Ok(Box::new(Cursor::new(head).chain(content)))
}

/// The error for a failed read of unpacked content.
pub(crate) fn read_fault(path: &Path, error: &std::io::Error) -> ImportError {
    let message = match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "the gzip file ends early: copy it again".to_owned(),
        std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData => {
            format!("the gzip file is damaged ({error})")
        }
        _ => error.to_string(),
    };
    ImportError::Malformed { place: path.display().to_string(), message }
}
