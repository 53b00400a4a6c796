//! Bodies handed to the connection a slice at a time: a large one never holds up what else its thread has to do.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use actix_web::body::BodySize;
use actix_web::body::MessageBody;
use actix_web::web::Bytes;

/// As much as a connection gathers before it sends: more makes it grow its buffer first.
const SLICE: usize = 1 << 16;

/// Bytes of known length, a slice at a time.
#[derive(Debug)]
pub struct Slices(Bytes);

impl Slices {
    /// Of a body; `None` for one that is no longer than a slice.
    pub fn of(body: &Bytes) -> Option<Self> {
        (body.len() > SLICE).then(|| Self(body.clone()))
    }
}

impl MessageBody for Slices {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0.len() as u64)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let rest = &mut self.get_mut().0;
        let slice = rest.split_to(rest.len().min(SLICE));
        Poll::Ready((!slice.is_empty()).then_some(Ok(slice)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_the_whole() {
        for length in [SLICE + 1, 2 * SLICE, 3 * SLICE + 7] {
            let body: Bytes = (0..length).map(|at| at as u8).collect::<Vec<u8>>().into();
            let mut slices = Slices::of(&body).unwrap();
            assert_eq!(slices.size(), BodySize::Sized(length as u64));
            let (mut found, mut context) = (Vec::new(), Context::from_waker(std::task::Waker::noop()));
            while let Poll::Ready(Some(Ok(slice))) = Pin::new(&mut slices).poll_next(&mut context) {
                assert!(slice.len() <= SLICE);
                found.extend_from_slice(&slice);
            }
            assert_eq!(found, body);
        }
        assert!(Slices::of(&Bytes::from(vec![0; SLICE])).is_none());
    }
}
