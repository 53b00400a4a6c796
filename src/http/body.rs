//! Request bodies: small JSON into memory, uploads into a file of their own, each within its limit and its time.
//!
//! In: the payload of a request whose caller has the right to write. Out: a [`RequestBody`]. A route without a body reads
//! none: what comes all the same is taken and dropped up to a bound, so that the answer arrives.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::http::header::HeaderMap;
use actix_web::rt::time::Instant;
use actix_web::rt::time::timeout;
use actix_web::web;
use actix_web::web::Bytes;
use futures_util::StreamExt;
use tempfile::NamedTempFile;

use crate::http::problem::Problem;
use crate::http::problem::internal;

/// The largest body in bytes that is taken and dropped.
pub const MAX_DRAINED_BYTES: u64 = 1 << 20;
/// A body has this long, and a second more for each 64 kB.
const BODY_SECONDS: u64 = 10;
/// And must bring this many bytes in each second on the whole.
const LEAST_BYTES_A_SECOND: u64 = 1_000;
/// Bytes of an upload that are gathered before they are written to its file.
const WRITTEN_AT_ONCE: usize = 1 << 18;

/// The body that a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepts {
    /// None.
    None,
    /// JSON of at most so many bytes, read into memory.
    Json(u64),
    /// Any bytes, at most so many, written to a file that is readable by this process's user alone.
    Upload(u64),
}

impl Accepts {
    /// The most bytes that are read, or taken and dropped.
    fn most(self) -> u64 {
        match self {
            Self::None => MAX_DRAINED_BYTES,
            Self::Json(most) | Self::Upload(most) => most,
        }
    }
}

/// What a request brought.
#[derive(Debug, Clone, Default)]
pub enum RequestBody {
    /// Nothing that the route reads.
    #[default]
    None,
    /// JSON as text; it has not been parsed.
    Json(Bytes),
    /// A file with all of it.
    Upload(Upload),
}

/// An uploaded file; it is removed when the last who holds it lets it go.
#[derive(Debug, Clone)]
pub struct Upload {
    file: Arc<NamedTempFile>,
    bytes: u64,
}

impl Upload {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Its length in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Refuses a body by its head: one that says it is too long, or is of another type than the route takes.
pub fn check(accepts: Accepts, headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let length = text(CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
    if length.is_some_and(|length| length > accepts.most()) {
        return Err(Problem::BodyTooLarge { limit: accepts.most() });
    }
    if let Accepts::Json(_) = accepts {
        let media_type = text(CONTENT_TYPE).unwrap_or("").split(';').next().unwrap_or("").trim();
        if !media_type.eq_ignore_ascii_case("application/json") {
            return Err(Problem::NotJson { given: media_type.chars().take(100).collect() });
        }
    }
    Ok(())
}

/// Reads the body that the route takes.
pub async fn read(accepts: Accepts, payload: &mut Payload) -> Result<RequestBody, Problem> {
    match accepts {
        Accepts::None => drain(payload).await.map(|()| RequestBody::None),
        Accepts::Json(most) => {
            let mut chunks = ChunkReader::new(payload, most);
            let mut body = Vec::new();
            while let Some(chunk) = chunks.next().await? {
                body.extend_from_slice(&chunk);
            }
            chunks.check_whole()?;
            Ok(RequestBody::Json(body.into()))
        }
        Accepts::Upload(most) => upload(ChunkReader::new(payload, most)).await.map(RequestBody::Upload),
    }
}

/// Takes the body and drops it.
pub async fn drain(payload: &mut Payload) -> Result<(), Problem> {
    if matches!(payload, Payload::None) {
        return Ok(());
    }
    let mut chunks = ChunkReader::new(payload, MAX_DRAINED_BYTES);
    while chunks.next().await?.is_some() {}
    Ok(())
}

async fn upload(mut chunks: ChunkReader<'_>) -> Result<Upload, Problem> {
    // Files of `tempfile` are readable by their owner alone (0600).
    let mut file = blocking(NamedTempFile::new).await?;
    let mut waiting = Vec::with_capacity(WRITTEN_AT_ONCE);
    loop {
        let chunk = chunks.next().await?;
        let is_last = chunk.is_none();
        waiting.extend_from_slice(&chunk.unwrap_or_default());
        if is_last || waiting.len() >= WRITTEN_AT_ONCE {
            (file, waiting) = blocking(move || {
                file.write_all(&waiting)?;
                waiting.clear();
                Ok((file, waiting))
            })
            .await?;
        }
        if is_last {
            chunks.check_whole()?;
            return Ok(Upload { file: Arc::new(file), bytes: chunks.bytes });
        }
    }
}

/// Work on a file, away from the threads that read requests.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    match web::block(work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(internal(&format!("an upload cannot be written: {error}"))),
        Err(_) => Err(internal("the pool has ended")),
    }
}

/// Chunks of a body within its size and time.
struct ChunkReader<'a> {
    payload: &'a mut Payload,
    most: u64,
    start: Instant,
    bytes: u64,
    /// Whether the connection broke off before the end.
    is_broken: bool,
}

impl<'a> ChunkReader<'a> {
    fn new(payload: &'a mut Payload, most: u64) -> Self {
        Self { payload, most, start: Instant::now(), bytes: 0, is_broken: false }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let total = BODY_SECONDS + self.bytes / 65_536;
        let rate = BODY_SECONDS + self.bytes / LEAST_BYTES_A_SECOND;
        let deadline = self.start + Duration::from_secs(total.min(rate));
        let left = deadline.saturating_duration_since(Instant::now());
        match timeout(left, self.payload.next()).await {
            Err(_) => Err(Problem::BodyTooSlow),
            Ok(None) => Ok(None),
            Ok(Some(Err(_))) => {
                self.is_broken = true;
                Ok(None)
            }
            Ok(Some(Ok(chunk))) => {
                self.bytes += chunk.len() as u64;
                if self.bytes > self.most {
                    return Err(Problem::BodyTooLarge { limit: self.most });
                }
                Ok(Some(chunk))
            }
        }
    }

    /// Refuses a body of which only the beginning came.
    fn check_whole(&self) -> Result<(), Problem> {
        if self.is_broken { Err(Problem::BodyBroken) } else { Ok(()) }
    }
}
