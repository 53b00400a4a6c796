//! Bodies handed to the connection a slice at a time: a large one never holds up what else its thread has to do.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use actix_web::body::BodySize;
use actix_web::body::MessageBody;
use actix_web::web::Bytes;

use crate::http::unread::BudgetShare;

/// As much as a connection gathers before it sends: more makes it grow its buffer first.
const SLICE: usize = 1 << 16;

/// Whether a body takes more than one slice.
#[must_use]
pub fn is_large(body: &Bytes) -> bool {
    body.len() > SLICE
}

/// Bytes of known length, a slice at a time.
#[derive(Debug)]
pub struct Slices {
    rest: Bytes,
    /// They count among those under way as long as any is left.
    _share: BudgetShare,
}

impl Slices {
    /// Of a body and its share of the bytes under way.
    #[must_use]
    pub fn of(body: Bytes, share: BudgetShare) -> Self {
        Self { rest: body, _share: share }
    }
}

/// The next slice, if any is left.
pub fn next_slice(slices: &mut Slices) -> Option<Bytes> {
    let slice = slices.rest.split_to(slices.rest.len().min(SLICE));
    (!slice.is_empty()).then_some(slice)
}

impl MessageBody for Slices {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.rest.len() as u64)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(next_slice(self.get_mut()).map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::unread::Unread;

    #[test]
    fn slices_are_the_whole() {
        let unread = Unread::new(1 << 20);
        for length in [SLICE + 1, 2 * SLICE, 3 * SLICE + 7] {
            let body: Bytes = (0..length).map(|at| at as u8).collect::<Vec<u8>>().into();
            let mut slices = Slices::of(body.clone(), unread.hold(&body).unwrap());
            assert_eq!(slices.size(), BodySize::Sized(length as u64));
            let (mut found, mut context) = (Vec::new(), Context::from_waker(std::task::Waker::noop()));
            while let Poll::Ready(Some(Ok(slice))) = Pin::new(&mut slices).poll_next(&mut context) {
                assert!(slice.len() <= SLICE);
                found.extend_from_slice(&slice);
            }
            assert_eq!(found, body);
            assert_eq!(unread.bytes(), length as u64);
            drop(slices);
            assert_eq!(unread.bytes(), 0);
        }
        assert!(!is_large(&Bytes::from(vec![0; SLICE])));
    }
}
