//! Server-sent events: what happens while a client waits, one after the other (WHATWG HTML, "Server-sent events").
//!
//! In: a channel of bounded length that the one who reports writes to. Out: a body that ends when the channel does, when
//! the client goes away or when the server stops. A sender sees by its closed channel that the client has gone.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use actix_web::body::BodySize;
use actix_web::body::MessageBody;
use actix_web::rt::time::Interval;
use actix_web::rt::time::interval;
use actix_web::web::Bytes;
use tokio::sync::mpsc;

use crate::http::App;

/// So many events may wait for a client to take them; a sender then waits, or drops what is older than the next.
const WAITING: usize = 16;
/// How often it is looked whether the server stops.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A comment is sent after so many looks without an event (5 seconds): a proxy would take a silent connection for a dead one,
/// and only by sending is it noticed that a client has gone, at the second comment at the latest.
const SILENT_LOOKS: u32 = 10;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What kind of event it is: letters and dashes.
    pub name: &'static str,
    /// What it says, mostly JSON.
    pub data: String,
}

/// Events to a client.
#[derive(Debug)]
pub struct Events(mpsc::Receiver<Event>);

impl Events {
    /// A channel: what is sent on one end arrives as events at the client that gets the other.
    #[must_use]
    pub fn channel() -> (mpsc::Sender<Event>, Self) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (sender, Self(receiver))
    }
}

impl Event {
    fn to_bytes(&self) -> Bytes {
        let mut text = format!("event: {}\n", self.name);
        // A line break in what is said is the beginning of a further line of data: of any of the three kinds.
        for line in self.data.replace("\r\n", "\n").split(['\n', '\r']) {
            text.push_str("data: ");
            text.push_str(line);
            text.push('\n');
        }
        text.push('\n');
        text.into()
    }
}

/// The body that sends them.
#[derive(Debug)]
pub struct EventBody {
    app: Arc<App>,
    events: Events,
    looks: Interval,
    silent: u32,
}

impl EventBody {
    /// Of events.
    pub fn of(app: Arc<App>, events: Events) -> Self {
        Self { app, events, looks: interval(LOOK_EVERY), silent: 0 }
    }
}

impl MessageBody for EventBody {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let body = self.get_mut();
        if let Poll::Ready(event) = body.events.0.poll_recv(context) {
            body.silent = 0;
            return Poll::Ready(event.map(|event| Ok(event.to_bytes())));
        }
        while body.looks.poll_tick(context).is_ready() {
            if !body.app.ready.load(std::sync::atomic::Ordering::Acquire) {
                return Poll::Ready(None);
            }
            body.silent += 1;
            if body.silent >= SILENT_LOOKS {
                body.silent = 0;
                return Poll::Ready(Some(Ok(Bytes::from_static(b":\n\n"))));
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_what_is_said_is_a_line_of_data() {
        let event = |data: &str| Event { name: "progress", data: data.to_owned() }.to_bytes();
        assert_eq!(event("{\"done\":3}"), "event: progress\ndata: {\"done\":3}\n\n");
        assert_eq!(event(""), "event: progress\ndata: \n\n");
        assert_eq!(
            event("a\r\nb\rc\nevent: x"),
            "event: progress\ndata: a\ndata: b\ndata: c\ndata: event: x\n\n"
        );
    }
}
