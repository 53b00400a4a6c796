//! Bodies that are made a chunk at a time, as the client takes them: what is in memory of a large answer is bounded.
//!
//! In: a source that appends about [`CHUNK`] bytes whenever it is asked. It runs in the pool, holds what it reads (its view)
//! until the body ends, and is dropped when the client goes away. Chunks count among the bytes that clients have not taken;
//! a further one is not made while those are too many.

use std::future::Future;
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use actix_web::body::BodySize;
use actix_web::body::MessageBody;
use actix_web::rt::time::sleep;
use actix_web::web::Bytes;

use crate::http::App;
use crate::http::encode::Encoding;
use crate::http::encode::GZIP_LEVEL;
use crate::http::encode::ZSTD_LEVEL;
use crate::http::pipeline;
use crate::http::slices::Slices;
use crate::http::slices::next_slice;

/// About how many bytes are made at once, before they are encoded.
pub const CHUNK: usize = 1 << 18;
/// How long a stream waits before it looks again whether clients have taken enough.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Appends about [`CHUNK`] bytes; whether there are more.
type Source = Box<dyn FnMut(&mut Vec<u8>) -> bool + Send>;

/// What gives the chunks of a body.
pub struct Chunks {
    source: Source,
    writer: Writer,
}

/// Encodes what is written; what comes of it is taken out after each chunk.
enum Writer {
    Identity,
    Gzip(Box<flate2::write::GzEncoder<Vec<u8>>>),
    Zstd(Box<zstd::stream::write::Encoder<'static, Vec<u8>>>),
}

impl Chunks {
    /// Chunks of `source`, which appends about [`CHUNK`] bytes and says whether there are more.
    ///
    /// # Errors
    /// If the encoder cannot be made.
    pub fn new(
        encoding: Encoding,
        source: impl FnMut(&mut Vec<u8>) -> bool + Send + 'static,
    ) -> std::io::Result<Self> {
        let writer = match encoding {
            Encoding::Gzip => Writer::Gzip(Box::new(flate2::write::GzEncoder::new(
                Vec::new(),
                flate2::Compression::new(GZIP_LEVEL),
            ))),
            Encoding::Zstd => {
                Writer::Zstd(Box::new(zstd::stream::write::Encoder::new(Vec::new(), ZSTD_LEVEL)?))
            }
            Encoding::Identity | Encoding::Brotli => Writer::Identity,
        };
        Ok(Self { source: Box::new(source), writer })
    }

    /// How the body is encoded.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        match self.writer {
            Writer::Identity => Encoding::Identity,
            Writer::Gzip(_) => Encoding::Gzip,
            Writer::Zstd(_) => Encoding::Zstd,
        }
    }

    /// The next bytes, and what gives those after them, `None` at the end.
    fn next(mut self) -> std::io::Result<(Bytes, Option<Self>)> {
        let mut plain = Vec::with_capacity(CHUNK + CHUNK / 8);
        loop {
            plain.clear();
            let more = (self.source)(&mut plain);
            let (out, rest) = match (self.writer, more) {
                (Writer::Identity, true) => (std::mem::take(&mut plain), Some(Writer::Identity)),
                (Writer::Identity, false) => (std::mem::take(&mut plain), None),
                (Writer::Gzip(mut encoder), true) => {
                    encoder.write_all(&plain)?;
                    (std::mem::take(encoder.get_mut()), Some(Writer::Gzip(encoder)))
                }
                (Writer::Gzip(mut encoder), false) => {
                    encoder.write_all(&plain)?;
                    (encoder.finish()?, None)
                }
                (Writer::Zstd(mut encoder), true) => {
                    encoder.write_all(&plain)?;
                    (std::mem::take(encoder.get_mut()), Some(Writer::Zstd(encoder)))
                }
                (Writer::Zstd(mut encoder), false) => {
                    encoder.write_all(&plain)?;
                    (encoder.finish()?, None)
                }
            };
            let Some(writer) = rest else { return Ok((out.into(), None)) };
            self.writer = writer;
            // An encoder may have gathered a chunk without giving anything.
            if !out.is_empty() {
                return Ok((out.into(), Some(self)));
            }
        }
    }
}

impl std::fmt::Debug for Chunks {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Chunks").field("encoding", &self.encoding()).finish_non_exhaustive()
    }
}

type Next = std::io::Result<(Bytes, Option<Chunks>)>;

/// The body that sends them, a slice at a time.
pub struct ChunkBody {
    app: Arc<App>,
    state: State,
}

enum State {
    /// Slices of a chunk are sent; then come those of the chunks that follow.
    Sending(Slices, Option<Chunks>),
    /// The next chunk is made.
    Making(Pin<Box<dyn Future<Output = Next>>>),
    /// All is sent, or cannot be.
    Ended,
}

impl ChunkBody {
    /// Of what gives the chunks.
    pub fn of(app: Arc<App>, chunks: Chunks) -> Self {
        let state = State::Making(Box::pin(make(Arc::clone(&app), chunks)));
        Self { app, state }
    }
}

async fn make(app: Arc<App>, chunks: Chunks) -> Next {
    while app.unread.is_full() {
        sleep(LOOK_EVERY).await;
    }
    pipeline::in_pool(&app, move || chunks.next()).await.map_err(std::io::Error::other)?
}

impl MessageBody for ChunkBody {
    type Error = std::io::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let body = self.get_mut();
        loop {
            match std::mem::replace(&mut body.state, State::Ended) {
                State::Sending(mut slices, rest) => {
                    if let Some(slice) = next_slice(&mut slices) {
                        body.state = State::Sending(slices, rest);
                        return Poll::Ready(Some(Ok(slice)));
                    }
                    drop(slices);
                    let Some(chunks) = rest else { return Poll::Ready(None) };
                    body.state = State::Making(Box::pin(make(Arc::clone(&body.app), chunks)));
                }
                State::Making(mut making) => match making.as_mut().poll(context) {
                    Poll::Pending => {
                        body.state = State::Making(making);
                        return Poll::Pending;
                    }
                    Poll::Ready(Err(error)) => {
                        // The client sees that the body is cut off: there is no last chunk.
                        tracing::error!(%error, "a stream was cut off");
                        return Poll::Ready(Some(Err(error)));
                    }
                    Poll::Ready(Ok((bytes, rest))) => {
                        let share = body.app.unread.count(&bytes);
                        body.state = State::Sending(Slices::of(bytes, share), rest);
                    }
                },
                State::Ended => return Poll::Ready(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// A source of `chunks` chunks of which each is another byte.
    fn source(chunks: u8) -> impl FnMut(&mut Vec<u8>) -> bool + Send + 'static {
        let mut made = 0;
        move |out| {
            out.resize(out.len() + CHUNK, made);
            made += 1;
            made < chunks
        }
    }

    fn all(encoding: Encoding, chunks: u8) -> (Vec<u8>, usize) {
        let (mut out, mut number) = (Vec::new(), 0);
        let mut rest = Some(Chunks::new(encoding, source(chunks)).unwrap());
        while let Some(chunks) = rest {
            let (bytes, next) = chunks.next().unwrap();
            (rest, number) = (next, number + 1);
            out.extend_from_slice(&bytes);
        }
        (out, number)
    }

    #[test]
    fn chunks_are_the_whole_in_every_encoding() {
        let plain: Vec<u8> = (0..9).flat_map(|byte| std::iter::repeat_n(byte, CHUNK)).collect();
        assert_eq!(all(Encoding::Identity, 9), (plain.clone(), 9));
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&all(Encoding::Gzip, 9).0[..]).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain);
        assert_eq!(zstd::decode_all(&all(Encoding::Zstd, 9).0[..]).unwrap(), plain);
    }
}
