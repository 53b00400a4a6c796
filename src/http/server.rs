//! Wiring: routes to actix, limits before any work, orderly stop.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::HttpServer;
use actix_web::body::BodyStream;
use actix_web::dev::Server;
use actix_web::dev::ServerHandle;
use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::http::header::HeaderValue;
use actix_web::http::header::X_CONTENT_TYPE_OPTIONS;
use actix_web::web;
use actix_web::web::Bytes;
use socket2::Domain;
use socket2::Socket;
use socket2::Type;

use crate::http::App;
use crate::http::cors;
use crate::http::encode::Conditions;
use crate::http::encode::finish;
use crate::http::events::EventBody;
use crate::http::guard::Connection;
use crate::http::guard::Connections;
use crate::http::log::LogLine;
use crate::http::operator;
use crate::http::pipeline;
use crate::http::pipeline::Answered;
use crate::http::problem::Problem;
use crate::http::response::Body;
use crate::http::response::Response;
use crate::http::slices::Slices;
use crate::http::slices::is_large;
use crate::http::stream::ChunkBody;
use crate::http::unread::BudgetShare;

/// What the server needs to know.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Connections of one address, and of all together.
    pub max_connections_per_address: usize,
    /// Connections of one worker.
    pub max_connections: usize,
    /// Threads; 0 for one a core.
    pub workers: usize,
    /// How long a client may leave an answer unread before its connection is cut.
    pub unread: Duration,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            max_connections_per_address: 200,
            max_connections: 4_096,
            workers: 0,
            unread: Duration::from_secs(30),
        }
    }
}

/// A server that listens; await `server` to serve.
pub struct Bound {
    /// Resolves when it has stopped.
    pub server: Server,
    /// Stops it.
    pub handle: ServerHandle,
    /// Where it listens.
    pub addresses: Vec<SocketAddr>,
}

/// Addresses that belong to this process, before anything is served on them. Who connects meanwhile waits.
#[derive(Debug)]
pub struct Sockets {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
}

/// So many connections may wait to be accepted.
const BACKLOG: i32 = 1_024;

impl Sockets {
    /// Takes every address that `listen` means, an address or a name with a port; port 0 takes a free one.
    ///
    /// # Errors
    /// If one of them is in use, or none can be taken.
    pub fn take(listen: &str) -> std::io::Result<Self> {
        let (mut listeners, mut failure) = (Vec::new(), None);
        for address in listen.to_socket_addrs()? {
            match listener(address) {
                Ok(listener) => listeners.push(listener),
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => return Err(error),
                // A name may stand for addresses of a kind that this machine has not.
                Err(error) => failure = Some(error),
            }
        }
        if listeners.is_empty() {
            return Err(
                failure.unwrap_or_else(|| std::io::Error::other("that is no address of this machine"))
            );
        }
        let addresses = listeners.iter().map(TcpListener::local_addr).collect::<std::io::Result<_>>()?;
        Ok(Self { listeners, addresses })
    }

    /// The addresses, with the ports that were taken.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Whether all of them are loopback addresses.
    #[must_use]
    pub fn are_loopback(&self) -> bool {
        self.addresses.iter().all(|address| address.ip().to_canonical().is_loopback())
    }
}

fn listener(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // A server that was just stopped leaves its connections behind; its port is free all the same.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Prepares to serve on what was taken.
///
/// # Errors
/// If it cannot be listened on.
pub fn bind(app: Arc<App>, settings: &ServerSettings, sockets: Sockets) -> std::io::Result<Bound> {
    let connections = Connections::new(settings.max_connections_per_address, settings.unread);
    let workers = match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let mut server = HttpServer::new(move || {
        let app = Arc::clone(&app);
        // Routes are found by our own table, not by the library's list of patterns.
        actix_web::App::new()
            .default_service(web::to(move |request, payload| serve(Arc::clone(&app), request, payload)))
    })
    .on_connect(move |stream, data| connections.count(stream, data))
    .workers(workers)
    .max_connections(settings.max_connections)
    .client_request_timeout(Duration::from_secs(5))
    .client_disconnect_timeout(Duration::from_secs(2))
    .keep_alive(Duration::from_secs(15))
    .shutdown_timeout(25)
    .disable_signals();
    for listener in sockets.listeners {
        server = server.listen(listener)?;
    }
    let server = server.run();
    Ok(Bound { handle: server.handle(), server, addresses: sockets.addresses })
}

/// Prepares the operator's listener: `/metrics`, `/readyz` and `/healthz`.
///
/// # Errors
/// If it cannot be listened on.
pub fn serve_operator(app: Arc<App>, sockets: Sockets) -> std::io::Result<Bound> {
    let mut server = HttpServer::new(move || {
        let app = Arc::clone(&app);
        actix_web::App::new().default_service(web::to(move |request, payload| {
            operator::serve(Arc::clone(&app), request, payload)
        }))
    })
    .workers(1)
    .max_connections(64)
    .client_request_timeout(Duration::from_secs(5))
    .shutdown_timeout(1)
    .disable_signals();
    for listener in sockets.listeners {
        server = server.listen(listener)?;
    }
    let server = server.run();
    Ok(Bound { handle: server.handle(), server, addresses: sockets.addresses })
}

/// One request through the whole pipeline.
async fn serve(app: Arc<App>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let start = Instant::now();
    let over = request.conn_data::<Connection>().is_some_and(|connection| connection.over);
    let mut payload = payload.into_inner();
    let Answered { response, place, close } = pipeline::answer(&app, &request, &mut payload, over).await;
    let (response, share) = hold(&app, response);
    let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
    app.metrics.count(place, response.status, micros);
    if let Some(log) = &app.request_log {
        let operation = place.map_or("none", |place| app.router.routes()[place].operation);
        let (status, bytes) = (response.status, response.body.len());
        log.push(LogLine { at: SystemTime::now(), operation, status, micros, bytes });
    }
    to_response(&app, response, share, request.method(), close)
}

/// Counts a large body among those under way; where that is too much, the answer is that it is.
fn hold(app: &App, response: Response) -> (Response, Option<BudgetShare>) {
    let Body::Bytes(body) = &response.body else { return (response, None) };
    if !is_large(body) {
        return (response, None);
    }
    if let Some(share) = app.unread.hold(body) {
        return (response, Some(share));
    }
    let mut refused = finish(Problem::Unread.response(), &Conditions::default());
    if response.headers.iter().any(|(name, _)| *name == ACCESS_CONTROL_ALLOW_ORIGIN) {
        cors::allow(&mut refused);
    }
    (refused, None)
}

/// What is sent of a finished response, with its share of the bytes under way.
pub fn to_response(
    app: &Arc<App>,
    response: Response,
    share: Option<BudgetShare>,
    method: &Method,
    close: bool,
) -> HttpResponse {
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut out = HttpResponse::build(status);
    for (name, value) in response.headers {
        let value = match value {
            Cow::Borrowed(text) => HeaderValue::from_static(text),
            // A value that is no header value never gets this far: they are ours or checked.
            Cow::Owned(text) => match HeaderValue::from_maybe_shared(Bytes::from(text)) {
                Ok(value) => value,
                Err(_) => continue,
            },
        };
        out.insert_header((name, value));
    }
    out.insert_header((X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")));
    if close {
        out.force_close();
    }
    if matches!(response.status, 204 | 304) {
        return out.finish();
    }
    out.insert_header((CONTENT_TYPE, HeaderValue::from_static(response.content_type)));
    match (response.body, share) {
        (Body::Bytes(body), Some(share)) => out.body(Slices::of(body, share)),
        (Body::Bytes(body), None) => out.body(body),
        (Body::Packed(packed), _) => out.body(packed.body),
        // The head alone: nothing of the body is made.
        (Body::Stream(_) | Body::Events(_), _) if method == Method::HEAD => out
            .body(BodyStream::new(futures_util::stream::empty::<Result<Bytes, std::convert::Infallible>>())),
        (Body::Stream(chunks), _) => out.body(ChunkBody::of(Arc::clone(app), chunks)),
        (Body::Events(events), _) => out.body(EventBody::of(Arc::clone(app), events)),
    }
}

/// Stops the server: no new work, then what is under way is finished, within 25 seconds.
pub async fn stop(app: &App, handle: &ServerHandle, drain: Duration) {
    app.ready.store(false, Ordering::Release);
    actix_web::rt::time::sleep(drain).await;
    handle.stop(true).await;
}
