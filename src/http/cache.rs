//! Finished answers, kept by what they were made of.
//!
//! The key names the row groups an answer was made from: an edit makes new groups and so new keys. Nothing is ever
//! invalidated by hand; what is not used any more falls out. Answers that have rows which not everyone may see carry the
//! class of their callers in the key: how quickly an answer comes says nothing of what callers of another class looked at.

use std::sync::Arc;

use actix_web::web::Bytes;

use crate::http::encode::Encoding;
use crate::http::encode::Packed;
use crate::http::encode::pack;
use crate::http::problem::Problem;
use crate::http::response::Body;
use crate::http::response::Headers;
use crate::http::response::Response;

/// What an answer is made of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Layers, tile and parameters.
    pub address: String,
    /// Serial numbers of the row groups that the view gives to the area, or of all that it shows of a collection.
    pub groups: Vec<u64>,
    /// The class of callers; 0 where everyone may see all of the rows.
    pub class: u64,
    /// How the answer is encoded.
    pub encoding: Encoding,
}

/// A finished answer.
#[derive(Debug)]
struct Finished {
    status: u16,
    content_type: &'static str,
    headers: Headers,
    packed: Packed,
}

/// Why an answer is not in the cache.
enum NotCached {
    Refused(Problem),
    /// It is a stream, which goes to the one who made it: others who waited make their own.
    Streamed,
}

/// Answers up to a number of bytes; the least used go first. Equal questions asked at once are answered once.
#[derive(Debug)]
pub struct Cache {
    finished: Option<moka::sync::Cache<Key, Arc<Finished>>>,
}

impl Cache {
    /// Room for `bytes`; 0 keeps nothing.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let finished = (bytes > 0).then(|| {
            moka::sync::Cache::builder()
                .max_capacity(bytes)
                .weigher(|key: &Key, answer: &Arc<Finished>| {
                    u32::try_from(key.bytes() + answer.bytes()).unwrap_or(u32::MAX)
                })
                .build()
        });
        Self { finished }
    }

    /// The answer, if it is there.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Response> {
        Some(Response::from(&*self.finished.as_ref()?.get(key)?))
    }

    /// The answer: from the cache, or made and put there. Its body is encoded as the key says. A stream is handed on as it
    /// is.
    ///
    /// # Errors
    /// What `make` refuses.
    pub fn answer(
        &self,
        key: Key,
        make: impl FnOnce() -> Result<Response, Problem>,
    ) -> Result<Response, Problem> {
        let encoding = key.encoding;
        let mut make = Some(make);
        let Some(finished) = &self.finished else {
            return Ok(match make.take().map_or(Err(Problem::NotFound), |make| make())? {
                Response { body: Body::Bytes(body), status, content_type, headers } => {
                    let body = Body::Packed(pack(snug(body), encoding));
                    Response { status, content_type, headers, body }
                }
                other => other,
            });
        };
        let mut stream = None;
        let mut plain = || match make.take().map(|make| make()) {
            Some(Ok(response)) => Finished::of(response).map_err(|response| {
                stream = Some(response);
                NotCached::Streamed
            }),
            Some(Err(problem)) => Err(NotCached::Refused(problem)),
            // It is called once at most.
            None => Err(NotCached::Streamed),
        };
        let found = if encoding == Encoding::Identity {
            finished.try_get_with(key, &mut plain)
        } else {
            let identity = Key { encoding: Encoding::Identity, ..key.clone() };
            let packed = || {
                let plain = finished.try_get_with(identity, &mut plain)?;
                Ok(Arc::new(plain.encoded(encoding)))
            };
            finished.try_get_with(key, packed).map_err(|nested: Arc<Arc<NotCached>>| (*nested).clone())
        };
        match found {
            Ok(answer) => Ok(Response::from(&*answer)),
            Err(other) => match &*other {
                NotCached::Refused(problem) => Err(problem.clone()),
                NotCached::Streamed => match (stream, make) {
                    (Some(response), _) => Ok(*response),
                    (None, Some(make)) => make(),
                    (None, None) => Err(Problem::Busy),
                },
            },
        }
    }

    /// Answers and bytes in it.
    #[must_use]
    pub fn size(&self) -> (u64, u64) {
        let Some(finished) = &self.finished else { return (0, 0) };
        // moka counts in batches.
        finished.run_pending_tasks();
        (finished.entry_count(), finished.weighted_size())
    }
}

impl Key {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.address.len() + self.groups.len() * 8
    }
}

impl Finished {
    /// Of an answer that is whole; another is given back.
    fn of(response: Response) -> Result<Arc<Self>, Box<Response>> {
        let Response { status, content_type, headers, body } = response;
        let packed = match body {
            Body::Bytes(body) => pack(snug(body), Encoding::Identity),
            Body::Packed(packed) => packed,
            body @ (Body::Stream(_) | Body::Events(_)) => {
                return Err(Box::new(Response { status, content_type, headers, body }));
            }
        };
        Ok(Arc::new(Self { status, content_type, headers, packed }))
    }

    fn encoded(&self, encoding: Encoding) -> Self {
        let packed = pack(self.packed.body.clone(), encoding);
        Self { status: self.status, content_type: self.content_type, headers: self.headers.clone(), packed }
    }

    fn bytes(&self) -> usize {
        let headers = self.headers.iter().map(|(_, value)| size_of_val(value) + value.len()).sum::<usize>();
        size_of::<Self>() + headers + self.packed.tag.len() + self.packed.body.len()
    }
}

impl From<&Finished> for Response {
    fn from(answer: &Finished) -> Self {
        let mut response = Self::packed(answer.content_type, answer.packed.clone());
        response.status = answer.status;
        response.headers.extend_from_slice(&answer.headers);
        response
    }
}

/// The bytes, without much room that they do not need: they may stay for long, and are counted by their length.
fn snug(body: Bytes) -> Bytes {
    match Vec::from(body) {
        mut body if body.capacity() - body.len() > body.len() / 8 => {
            body.shrink_to_fit();
            body.into()
        }
        body => body.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::stream::Chunks;
    use std::sync::Barrier;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;

    fn key(address: &str, groups: &[u64]) -> Key {
        let encoding = Encoding::Identity;
        Key { address: address.to_owned(), groups: groups.to_vec(), class: 0, encoding }
    }

    fn whole(body: impl Into<Bytes>) -> Result<Response, Problem> {
        Ok(Response::ok("text/plain", body))
    }

    fn packed(response: Response) -> Packed {
        match response.body {
            Body::Packed(packed) => packed,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn equal_questions_at_once_are_answered_once() {
        let cache = Cache::new(1 << 20);
        let (made, barrier) = (AtomicUsize::new(0), Barrier::new(8));
        std::thread::scope(|scope| {
            for number in 0..8 {
                let (cache, made, barrier) = (&cache, &made, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    let encoding = if number % 2 == 0 { Encoding::Gzip } else { Encoding::Zstd };
                    cache.answer(Key { encoding, ..key("a", &[1]) }, || {
                        made.fetch_add(1, Ordering::SeqCst);
                        std::thread::sleep(std::time::Duration::from_millis(20));
                        whole(vec![7; 5_000])
                    })
                });
            }
        });
        assert_eq!(made.load(Ordering::SeqCst), 1);
        let gzip = Key { encoding: Encoding::Gzip, ..key("a", &[1]) };
        assert_eq!(packed(cache.get(&gzip).unwrap()).encoding, Encoding::Gzip);
    }

    #[test]
    fn other_row_groups_are_another_answer() {
        let cache = Cache::new(1 << 20);
        cache.answer(key("a", &[1, 2]), || whole("old")).unwrap();
        assert!(cache.get(&key("a", &[1, 3])).is_none());
        let new = cache.answer(key("a", &[1, 3]), || whole("new")).unwrap();
        assert_eq!(&packed(new).body[..], b"new");
        let other_class = Key { class: 7, ..key("a", &[1, 3]) };
        assert!(cache.get(&other_class).is_none(), "nor is one of another class");
    }

    #[test]
    fn status_and_headers_come_back_and_refusals_and_streams_are_not_kept() {
        use actix_web::http::header::CONTENT_DISPOSITION;
        let cache = Cache::new(1 << 20);
        let make = || {
            let mut response = Response { status: 204, ..Response::ok("x/y", "") };
            response.headers.push((CONTENT_DISPOSITION, "inline".into()));
            Ok(response)
        };
        for encoding in [Encoding::Identity, Encoding::Zstd] {
            let key = Key { encoding, ..key("a", &[1]) };
            let made = cache.answer(key.clone(), make).unwrap();
            for response in [made, cache.get(&key).unwrap()] {
                assert_eq!((response.status, response.content_type), (204, "x/y"));
                assert_eq!(response.headers, [(CONTENT_DISPOSITION, "inline".into())]);
            }
            let key = Key { address: encoding.name().to_owned(), ..key };
            let refused = cache.answer(key.clone(), || Err(Problem::NotFound));
            assert_eq!(refused.map(|_| ()), Err(Problem::NotFound));
            let chunks = || Chunks::new(encoding, |_: &mut Vec<u8>| false).unwrap();
            for _ in 0..2 {
                let stream = cache.answer(key.clone(), || Ok(Response::stream("x/y", chunks()))).unwrap();
                assert!(matches!(stream.body, Body::Stream(_)) && cache.get(&key).is_none());
            }
            assert_eq!(packed(cache.answer(key.clone(), || whole("now")).unwrap()).body, "now");
        }
    }

    #[test]
    fn each_of_those_who_wait_for_a_stream_gets_one_of_its_own() {
        let cache = Cache::new(1 << 20);
        let barrier = Barrier::new(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    let make = || {
                        std::thread::sleep(std::time::Duration::from_millis(20));
                        let chunks = Chunks::new(Encoding::Identity, |_: &mut Vec<u8>| false).unwrap();
                        Ok(Response::stream("x/y", chunks))
                    };
                    let response = cache.answer(key("a", &[1]), make).unwrap();
                    assert!(matches!(response.body, Body::Stream(_)));
                });
            }
        });
    }

    #[test]
    fn it_stays_within_its_bytes_and_zero_keeps_nothing() {
        let cache = Cache::new(100_000);
        for number in 0..200 {
            cache.answer(key(&number.to_string(), &[1]), || whole(vec![0; 10_000])).unwrap();
        }
        let (entries, bytes) = cache.size();
        assert!(bytes <= 100_000 && (1..10).contains(&entries), "{entries} {bytes}");
        let none = Cache::new(0);
        none.answer(key("a", &[1]), || whole("1")).unwrap();
        assert!(none.get(&key("a", &[1])).is_none() && none.size() == (0, 0));
    }
}
