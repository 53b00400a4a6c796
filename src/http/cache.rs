//! Finished answers, kept by what they were made of.
//!
//! The key names the row groups an answer was made from: callers who see the same groups share it, and an edit makes
//! new groups and so new keys. Nothing is ever invalidated by hand; what is not used any more falls out.

use actix_web::web::Bytes;

use crate::http::encode::Encoding;
use crate::http::encode::Packed;
use crate::http::encode::pack;

/// What an answer is made of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Layers, tile and parameters.
    pub address: String,
    /// Serial numbers of the row groups that the view gives to the area, or of all that it shows of a collection.
    pub groups: Vec<u64>,
    /// How the answer is encoded.
    pub encoding: Encoding,
}

/// Answers up to a number of bytes; the least used go first. Equal questions asked at once are answered once.
#[derive(Debug)]
pub struct Cache {
    kept: Option<moka::sync::Cache<Key, Packed>>,
}

impl Cache {
    /// Room for `bytes`; 0 keeps nothing.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let kept = (bytes > 0).then(|| {
            moka::sync::Cache::builder()
                .max_capacity(bytes)
                .weigher(|key: &Key, packed: &Packed| {
                    let own = size_of::<(Key, Packed)>() + key.address.len() + key.groups.len() * 8;
                    u32::try_from(own + packed.tag.len() + packed.body.len()).unwrap_or(u32::MAX)
                })
                .build()
        });
        Self { kept }
    }

    /// Whether anything is kept.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.kept.is_some()
    }

    /// The answer, if it is kept.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Packed> {
        self.kept.as_ref()?.get(key)
    }

    /// The answer: kept, or made from the identity body and kept.
    pub fn get_with(&self, key: Key, make: impl FnOnce() -> Vec<u8>) -> Packed {
        let encoding = key.encoding;
        let Some(kept) = &self.kept else { return pack(snug(make()), encoding) };
        if encoding == Encoding::Identity {
            return kept.get_with(key, || pack(snug(make()), Encoding::Identity));
        }
        let plain = Key { encoding: Encoding::Identity, ..key.clone() };
        kept.get_with(key, || {
            let plain = kept.get_with(plain, || pack(snug(make()), Encoding::Identity));
            pack(plain.body, encoding)
        })
    }

    /// Answers and bytes in it.
    #[must_use]
    pub fn size(&self) -> (u64, u64) {
        let Some(kept) = &self.kept else { return (0, 0) };
        // moka counts in batches.
        kept.run_pending_tasks();
        (kept.entry_count(), kept.weighted_size())
    }
}

/// The bytes, without much room that they do not need: they may stay for long, and are counted by their length.
fn snug(mut body: Vec<u8>) -> Bytes {
    if body.capacity() - body.len() > body.len() / 8 {
        body.shrink_to_fit();
    }
    body.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;

    fn key(address: &str, groups: &[u64]) -> Key {
        Key { address: address.to_owned(), groups: groups.to_vec(), encoding: Encoding::Identity }
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
                    cache.get_with(Key { encoding, ..key("a", &[1]) }, || {
                        made.fetch_add(1, Ordering::SeqCst);
                        std::thread::sleep(std::time::Duration::from_millis(20));
                        vec![7; 5_000]
                    })
                });
            }
        });
        assert_eq!(made.load(Ordering::SeqCst), 1);
        let gzip = Key { encoding: Encoding::Gzip, ..key("a", &[1]) };
        assert_eq!(cache.get(&gzip).unwrap().encoding, Encoding::Gzip);
    }

    #[test]
    fn other_row_groups_are_another_answer() {
        let cache = Cache::new(1 << 20);
        cache.get_with(key("a", &[1, 2]), || b"old".to_vec());
        assert!(cache.get(&key("a", &[1, 3])).is_none());
        let new = cache.get_with(key("a", &[1, 3]), || b"new".to_vec());
        assert_eq!(&new.body[..], b"new");
    }

    #[test]
    fn it_stays_within_its_bytes_and_zero_keeps_nothing() {
        let cache = Cache::new(100_000);
        for number in 0..200 {
            cache.get_with(key(&number.to_string(), &[1]), || vec![0; 10_000]);
        }
        let (entries, bytes) = cache.size();
        assert!(bytes <= 100_000 && (1..10).contains(&entries), "{entries} {bytes}");
        let none = Cache::new(0);
        none.get_with(key("a", &[1]), || vec![1]);
        assert_eq!((none.get(&key("a", &[1])), none.size()), (None, (0, 0)));
    }
}
