//! Wiring: routes to actix, limits before any work, orderly stop.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::HttpServer;
use actix_web::dev::Server;
use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::http::header::HeaderValue;
use actix_web::http::header::X_CONTENT_TYPE_OPTIONS;
use actix_web::web;
use actix_web::web::Bytes;

use crate::http::Answer;
use crate::http::App;
use crate::http::body::Slices;
use crate::http::encode::Conditions;
use crate::http::encode::finish;
use crate::http::guard;
use crate::http::guard::Connection;
use crate::http::guard::Connections;
use crate::http::log::Line;
use crate::http::pipeline;
use crate::http::pipeline::Asked;
use crate::http::router;
use crate::http::routes::ROUTES;

/// What the server needs to know.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Address and port; port 0 takes a free one.
    pub listen: String,
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
            listen: "127.0.0.1:8080".to_owned(),
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

/// Whether every address that `listen` means is a loopback address.
///
/// # Errors
/// If it means none.
pub fn is_loopback(listen: &str) -> std::io::Result<bool> {
    let addresses: Vec<SocketAddr> = listen.to_socket_addrs()?.collect();
    Ok(!addresses.is_empty() && addresses.iter().all(|address| address.ip().is_loopback()))
}

/// Binds the address and prepares to serve.
///
/// # Errors
/// If the address cannot be bound.
pub fn bind(app: Arc<App>, settings: &ServerSettings) -> std::io::Result<Bound> {
    let connections = Connections::new(settings.max_connections_per_address, settings.unread);
    let workers = match settings.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    };
    let server = HttpServer::new(move || {
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
    .disable_signals()
    .bind(settings.listen.as_str())?;
    let addresses = server.addrs();
    let server = server.run();
    Ok(Bound { handle: server.handle(), server, addresses })
}

/// One request through the whole pipeline.
async fn serve(app: Arc<App>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let start = Instant::now();
    let over = request.conn_data::<Connection>().is_some_and(|connection| connection.over);
    let mut payload = payload.into_inner();
    let checked = match guard::check_head(request.uri(), request.headers(), over) {
        Ok(()) => guard::drain_body(&mut payload).await,
        refused => refused,
    };
    let mut route = None;
    let (answer, close) = if let Err(problem) = checked {
        // After a refused body the connection cannot be used again: the rest of the body would be read as a request.
        (finish(problem.answer(), &Conditions::default()), true)
    } else {
        let found = router::find(request.match_info().as_str());
        route = found.as_ref().map(|(place, _)| *place);
        (pipeline::dispatch(&app, found, Asked::from(&request)).await, false)
    };
    let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
    app.metrics.count(route, answer.status, micros);
    if let Some(log) = &app.request_log {
        let operation = route.map_or("none", |place| ROUTES[place].operation);
        let (status, bytes) = (answer.status, answer.body.len());
        log.push(Line { at: SystemTime::now(), operation, status, micros, bytes });
    }
    to_response(answer, close)
}

fn to_response(answer: Answer, close: bool) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    for (name, value) in answer.headers {
        let value = match value {
            Cow::Borrowed(text) => HeaderValue::from_static(text),
            // A value that is no header value never gets this far: they are ours or checked.
            Cow::Owned(text) => match HeaderValue::from_maybe_shared(Bytes::from(text)) {
                Ok(value) => value,
                Err(_) => continue,
            },
        };
        response.insert_header((name, value));
    }
    response.insert_header((X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")));
    if close {
        response.force_close();
    }
    if matches!(answer.status, 204 | 304) {
        return response.finish();
    }
    response.insert_header((CONTENT_TYPE, HeaderValue::from_static(answer.content_type)));
    match Slices::of(&answer.body) {
        Some(slices) => response.body(slices),
        None => response.body(answer.body),
    }
}

/// Stops the server: no new work, then what is under way is finished, within 25 seconds.
pub async fn stop(app: &App, handle: &ServerHandle, drain: Duration) {
    app.ready.store(false, Ordering::Release);
    actix_web::rt::time::sleep(drain).await;
    handle.stop(true).await;
}
