//! Limits before any work: connections of one address, addresses of any length, hosts of any name.

use std::any::Any;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::http::Uri;
use actix_web::http::header::CONTENT_ENCODING;
use actix_web::http::header::HOST;
use actix_web::http::header::HeaderMap;
use actix_web::rt::net::TcpStream;
use socket2::SockRef;

use crate::http::host::PublicUrl;
use crate::http::problem::Problem;

/// The longest address in bytes.
pub const MAX_ADDRESS_BYTES: usize = 8_192;

/// Counts connections of each address.
#[derive(Debug, Clone)]
pub struct Connections {
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
    limit: usize,
    unread: Duration,
}

/// One connection; counted until it is dropped.
#[derive(Debug)]
pub struct Connection {
    connections: Connections,
    peer: IpAddr,
    /// Whether its address had too many.
    pub over: bool,
}

impl Connections {
    /// At most `limit` from one address, each cut off once it leaves an answer unread for `unread`.
    pub fn new(limit: usize, unread: Duration) -> Self {
        Self { open: Arc::default(), limit, unread }
    }

    /// Counts a new connection, from actix's `on_connect`.
    pub fn count(&self, stream: &dyn Any, data: &mut Extensions) {
        let stream = stream.downcast_ref::<TcpStream>();
        if let Some(stream) = stream {
            // The last slice of a large body would wait for the client's delayed acknowledgement: up to 40 ms for nothing.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::warn!(%error, "slices of answers cannot be sent at once");
            }
            // actix waits for ever for a client that does not read; this option limits it.
            let limited = SockRef::from(stream).set_tcp_user_timeout(Some(self.unread));
            if let Err(error) = limited {
                tracing::warn!(%error, "the time to read answers cannot be limited");
            }
        }
        let peer = stream.and_then(|stream| stream.peer_addr().ok());
        let Some(peer) = peer.map(|peer| peer.ip()) else { return };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(peer).or_insert(0);
        *count += 1;
        data.insert(Connection { connections: self.clone(), peer, over: *count > self.limit });
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.peer);
            }
        }
    }
}

/// Refuses addresses and headers before the body is looked at.
pub fn check_head(address: &Uri, headers: &HeaderMap, over: bool) -> Result<(), Problem> {
    if over {
        return Err(Problem::Busy);
    }
    // A scheme and host in the request line, which proxies send, count with it.
    let host = address.authority().map_or(0, |host| host.as_str().len() + "https://".len());
    let path = address.path_and_query().map_or(0, |path| path.as_str().len());
    if host + path > MAX_ADDRESS_BYTES {
        return Err(Problem::AddressTooLong { limit: MAX_ADDRESS_BYTES });
    }
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(Problem::EncodedBody);
    }
    Ok(())
}

/// Refuses requests for another server: a page elsewhere whose name resolves to this machine asks under that name.
pub fn check_host(address: &Uri, headers: &HeaderMap, public_url: &PublicUrl) -> Result<(), Problem> {
    let host = headers.get(HOST);
    // HTTP/1.0 needs no Host: then no name was asked for, and no browser asks so.
    let named = host.is_none_or(|host| host.to_str().is_ok_and(|host| public_url.answers(host)));
    let absolute = address.authority().is_none_or(|authority| public_url.answers(authority.as_str()));
    if named && absolute { Ok(()) } else { Err(Problem::Misdirected) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_sends_at_once_and_does_not_wait_for_ever() {
        actix_web::rt::System::new().block_on(async {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (stream, _) = listener.accept().unwrap();
            stream.set_nonblocking(true).unwrap();
            let stream = TcpStream::from_std(stream).unwrap();
            assert!(!stream.nodelay().unwrap());
            Connections::new(1, Duration::from_secs(7)).count(&stream, &mut Extensions::new());
            assert!(stream.nodelay().unwrap());
            let unread = SockRef::from(&stream).tcp_user_timeout().unwrap();
            assert_eq!(unread, Some(Duration::from_secs(7)));
        });
    }
}
