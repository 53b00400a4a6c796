//! Routes with bodies, streams and events, from a list of routes that the test gives: the product has none with a body yet.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use serde_json::json;
use throughline::access::Gate;
use throughline::access::Principal;
use throughline::access::Role;
use throughline::http::Accepts;
use throughline::http::App;
use throughline::http::CHUNK;
use throughline::http::Chunks;
use throughline::http::Cost;
use throughline::http::Ctx;
use throughline::http::Encoding;
use throughline::http::Event;
use throughline::http::Events;
use throughline::http::Reads;
use throughline::http::Response;
use throughline::http::Work;
use throughline::http::problem::Problem;
use throughline::http::routes::Method;
use throughline::http::routes::Route;

use crate::fixtures::CACHE_BYTES;
use crate::fixtures::Reply;
use crate::fixtures::Server;
use crate::fixtures::World;
use crate::fixtures::options;

const MOST_JSON: u64 = 1_000;
const MOST_UPLOAD: u64 = 3 << 20;
/// Chunks of the long stream: far more than a socket's buffers and the budget hold.
const LONG: usize = 2_000;

const ROUTES: &[Route] = &[
    Route::get("/things", "getThings", "Things", "application/json", things),
    Route {
        method: Method::Post,
        body: Accepts::Json(MOST_JSON),
        may: writes,
        reads: Reads::Caller,
        ..Route::get("/things", "addThing", "Adds a thing", "application/json", add)
    },
    Route {
        method: Method::Put,
        body: Accepts::Upload(MOST_UPLOAD),
        may: writes,
        reads: Reads::Caller,
        ..Route::get("/files/{name}", "putFile", "Puts a file", "application/json", put)
    },
    Route::get("/stream", "getStream", "Chunks", "text/plain", stream),
    Route::get("/long", "getLong", "More chunks than anyone takes", "text/plain", long),
    Route {
        reads: Reads::Caller,
        ..Route::get("/events", "getEvents", "Events", "text/event-stream", events)
    },
];

fn writes(principal: &Principal) -> bool {
    principal.role() == Some(Role::NationalAnalyst)
}

fn things(_ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    Ok(Work::new(Cost::NONE, || Ok(Response::json(&json!([])))))
}

fn add(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    let thing: serde_json::Map<String, serde_json::Value> = ctx.json()?;
    let said = json!({"by": ctx.principal.role().map(Role::as_str), "thing": thing});
    Ok(Work::new(Cost::NONE, move || Ok(Response::json(&said).with_status(201))))
}

/// Says what the file is like while it is there.
fn put(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    let upload = ctx.upload()?;
    // Too much for the thread that read the request.
    Ok(Work::new(Cost::rows_looked_at(Cost::ROWS_ENOUGH), move || {
        let content = std::fs::read(upload.path()).unwrap();
        let mode = std::fs::metadata(upload.path()).unwrap().permissions().mode();
        let hash = blake3::hash(&content).to_hex().to_string();
        let path = upload.path().display().to_string();
        let thread = std::thread::current().name().unwrap_or("").to_owned();
        Ok(Response::json(&json!({
            "bytes": upload.bytes(), "hash": hash, "mode": mode & 0o777, "path": path, "thread": thread,
        })))
    }))
}

fn chunks(number: usize) -> impl FnMut(&mut Vec<u8>) -> bool + Send + 'static {
    let mut made = 0;
    move |out| {
        out.resize(out.len() + CHUNK, b'a' + (made % 26) as u8);
        made += 1;
        made < number
    }
}

fn stream(_ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    Ok(Work::new(Cost::NONE, || {
        Ok(Response::stream("text/plain", Chunks::new(Encoding::Identity, chunks(7)).unwrap()))
    }))
}

/// Chunks of the long stream that were made, and sources that were dropped.
static MADE: AtomicUsize = AtomicUsize::new(0);
static DROPPED: AtomicUsize = AtomicUsize::new(0);

struct Dropped;

impl Drop for Dropped {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::SeqCst);
    }
}

fn long(_ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    let (held, mut next) = (Dropped, chunks(LONG));
    Ok(Work::new(Cost::NONE, move || {
        let source = move |out: &mut Vec<u8>| {
            let _held = &held;
            MADE.fetch_add(1, Ordering::SeqCst);
            next(out)
        };
        Ok(Response::stream("text/plain", Chunks::new(Encoding::Identity, source).unwrap()))
    }))
}

/// Where the test sends events from.
static SENDER: Mutex<Option<tokio::sync::mpsc::Sender<Event>>> = Mutex::new(None);

fn events(_ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    Ok(Work::new(Cost::NONE, || {
        let (sender, events) = Events::channel();
        *SENDER.lock().unwrap() = Some(sender);
        Ok(Response::events(events))
    }))
}

fn server(world: &World) -> Server {
    let store = Arc::clone(&world.store);
    Server::with(move || {
        App::new(Gate::open(store).unwrap().with_roles_played(), None, CACHE_BYTES).with_routes(ROUTES)
    })
}

/// A request with a body that is sent whole.
fn send(server: &Server, line: &str, headers: &str, body: &[u8]) -> Reply {
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    server.send(&[head.as_bytes(), body].concat())
}

const JSON: &str = "Content-Type: application/json; charset=utf-8\r\n";
const PUBLIC: &str = "Cookie: throughline-role=public\r\n";

#[test]
fn json_is_read_within_its_limit_and_faults_are_named() {
    let world = World::new();
    let server = server(&world);
    let made = send(&server, "POST /things", JSON, br#"{"a": [1, "x"]}"#);
    assert_eq!(
        (made.status, made.json()),
        (201, json!({"by": "national-analyst", "thing": {"a": [1, "x"]}}))
    );
    assert_eq!((made.header("etag"), made.header("cache-control")), (None, Some("no-store")));
    send(&server, "POST /things", JSON, b"{\"a\": }").is_problem(400, "line 1 column 7");
    send(&server, "POST /things", JSON, b"[1]").is_problem(400, "map");
    send(&server, "POST /things", JSON, b"").is_problem(400, "body");
    send(&server, "POST /things", "Content-Type: text/csv\r\n", b"a,b").is_problem(415, "application/json");
    let long = format!("{{\"a\": \"{}\"}}", "x".repeat(MOST_JSON as usize));
    send(&server, "POST /things", JSON, long.as_bytes()).is_problem(413, "1000");
    // Without a length the limit is met while reading.
    let chunked = format!(
        "POST /things HTTP/1.1\r\nHost: localhost\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{long}\r\n0\r\n\r\n",
        long.len()
    );
    server.send(chunked.as_bytes()).is_problem(413, "1000");
    send(&server, "POST /things?x=1", JSON, b"{}").is_problem(400, "unknown parameter");
}

#[test]
fn the_right_to_write_is_settled_before_a_body_is_read() {
    let world = World::new();
    let server = server(&world);
    for (line, headers) in [("POST /things", [JSON, PUBLIC].concat()), ("PUT /files/x", PUBLIC.to_owned())] {
        // Nothing of the body is sent, and the answer comes all the same.
        let head = format!("{line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n{headers}\r\n");
        let start = Instant::now();
        let refused = server.send(head.as_bytes());
        refused.is_problem(403, "may not");
        assert_eq!(refused.header("connection"), Some("close"));
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
}

#[test]
fn an_upload_is_a_file_of_this_user_alone_and_goes_with_its_request() {
    let world = World::new();
    let server = server(&world);
    let content: Vec<u8> = (0..2_000_003_u32).map(|at| (at * 7 % 251) as u8).collect();
    let put = send(&server, "PUT /files/x", "", &content).json();
    assert_eq!((&put["bytes"], &put["mode"]), (&json!(content.len()), &json!(0o600)));
    assert_eq!(put["hash"], blake3::hash(&content).to_hex().to_string());
    assert!(!put["thread"].as_str().unwrap().contains("actix-server"), "in the pool: {put}");
    assert!(!std::path::Path::new(put["path"].as_str().unwrap()).exists(), "it is removed");
    assert_eq!(send(&server, "PUT /files/x", "", b"").json()["bytes"], 0);
    let long = vec![b'x'; MOST_UPLOAD as usize + 1];
    let head = format!("PUT /files/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", long.len());
    server.send(head.as_bytes()).is_problem(413, &MOST_UPLOAD.to_string());
    let mut chunked =
        b"PUT /files/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    chunked.extend_from_slice(format!("{:x}\r\n", long.len()).as_bytes());
    chunked.extend_from_slice(&long);
    server.send(&chunked).is_problem(413, &MOST_UPLOAD.to_string());
}

#[test]
fn a_path_answers_the_methods_it_has_and_lists_them() {
    let world = World::new();
    let server = server(&world);
    for (path, allow) in [("/things", "GET, HEAD, POST, OPTIONS"), ("/files/x", "PUT, OPTIONS")] {
        let options = server.ask("OPTIONS", path, &[("Origin", "https://elsewhere.example")]);
        assert_eq!((options.status, options.header("allow")), (204, Some(allow)));
        assert_eq!(options.header("access-control-allow-methods"), Some(allow));
        let refused = server.ask("DELETE", path, &[]);
        refused.is_problem(405, allow);
        assert_eq!(refused.header("allow"), Some(allow));
    }
    assert_eq!(server.get("/things").json(), json!([]));
    assert_eq!(server.ask("HEAD", "/things", &[]).status, 200);
    server.get("/files/x").is_problem(405, "PUT");
    server.get("/ogc").is_problem(404, "nothing");
    // A body that a route does not read is dropped, and the connection goes on.
    let two = "POST /stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabcGET /things HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let both = server.send(two.as_bytes());
    assert_eq!(both.status, 405);
    assert!(String::from_utf8_lossy(&both.body).contains("HTTP/1.1 200 OK"), "{both:?}");
}

#[test]
fn a_stream_is_the_whole_has_no_tag_and_its_head_makes_nothing() {
    let world = World::new();
    let server = server(&world);
    let reply = server.get("/stream");
    let expected: Vec<u8> = (0..7).flat_map(|chunk| std::iter::repeat_n(b'a' + chunk, CHUNK)).collect();
    assert_eq!((reply.status, reply.header("etag")), (200, None));
    assert!(reply.body == expected);
    let head = server.ask("HEAD", "/stream", &[]);
    assert_eq!((&head.headers, head.body.len()), (&reply.headers, 0));
    assert_eq!(server.app.unread.bytes(), 0);
}

/// The client reads nothing: what is made for it stays within a few chunks; and when it goes, so does what makes them.
#[test]
fn a_stream_is_made_as_it_is_taken_and_ends_with_its_client() {
    let world = World::new();
    let server = server(&world);
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(b"GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut first = vec![0; 100_000];
    stream.read_exact(&mut first).unwrap();
    let mut before = 0;
    let deadline = Instant::now() + Duration::from_secs(30);
    // It stands still once the buffers between the two are full.
    loop {
        std::thread::sleep(Duration::from_millis(300));
        let made = MADE.load(Ordering::SeqCst);
        if made == before {
            break;
        }
        before = made;
        assert!(Instant::now() < deadline);
    }
    assert!(before < LONG / 4, "{before} chunks were made for a client that took none");
    assert!(server.app.unread.bytes() <= 2 * CHUNK as u64, "{}", server.app.unread.bytes());
    assert_eq!(DROPPED.load(Ordering::SeqCst), 0);
    drop(stream);
    while DROPPED.load(Ordering::SeqCst) == 0 || server.app.unread.bytes() > 0 {
        assert!(Instant::now() < deadline, "what makes the chunks is still held");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(MADE.load(Ordering::SeqCst) < LONG / 4);
}

#[test]
fn events_arrive_as_they_happen_and_end_with_their_sender_or_client() {
    let world = World::new();
    let server = server(&world);
    let open = || {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut lines = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            lines.read_line(&mut head).unwrap();
        }
        (lines, head.to_ascii_lowercase())
    };
    let sender = || SENDER.lock().unwrap().take().unwrap();
    let (mut lines, head) = open();
    for part in ["content-type: text/event-stream", "cache-control: no-store", "transfer-encoding: chunked"] {
        assert!(head.contains(part), "{part}: {head}");
    }
    assert!(!head.contains("etag") && !head.contains("content-encoding"));
    let sending = sender();
    for (number, text) in [(1, "one"), (2, "two\nlines")] {
        sending.blocking_send(Event { name: "progress", data: text.to_owned() }).unwrap();
        let mut got = String::new();
        while !got.contains("\n\n") {
            lines.read_line(&mut got).unwrap();
        }
        let said = text.replace('\n', "\ndata: ");
        assert!(got.ends_with(&format!("event: progress\ndata: {said}\n\n")), "{number}: {got:?}");
    }
    drop(sending);
    let mut rest = Vec::new();
    lines.read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "the end of the events is the end of the answer");
    // A client that goes closes the channel.
    let (lines, _) = open();
    let sending = sender();
    drop(lines);
    let deadline = Instant::now() + Duration::from_secs(20);
    while !sending.is_closed() {
        assert!(Instant::now() < deadline, "the client has gone, and the sender does not see it");
        std::thread::sleep(Duration::from_millis(50));
    }
    let open = open();
    let sending = sender();
    // A server that stops does not wait for events that never end.
    let deadline = Instant::now() + Duration::from_secs(10);
    server.app.ready.store(false, Ordering::Release);
    while !sending.is_closed() {
        assert!(Instant::now() < deadline, "the stopping server still holds its events");
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(open);
}

#[test]
fn a_page_above_eight_megabytes_is_streamed_and_loses_nothing() {
    let world = World::new();
    let mut csv = String::from("id,lon,lat,name\n");
    for number in 0..9_000 {
        csv.push_str(&format!("r{number},{},52,{}\n", -1.0 - f64::from(number) * 1e-4, "x".repeat(1_000)));
    }
    let mut by_id = options("p");
    by_id.id = Some("id".into());
    world.import("p.csv", csv, &by_id).unwrap();
    let server = world.serve();
    let path = "/ogc/collections/p/items?limit=9000";
    let streamed = server.get(path);
    assert_eq!((streamed.status, streamed.header("etag")), (200, None));
    assert_eq!(streamed.header("transfer-encoding"), Some("chunked"));
    assert!(streamed.body.len() > 8 << 20, "{}", streamed.body.len());
    assert_eq!(streamed.json()["numberReturned"], 9_000);
    // The same features as on pages that are made as a whole.
    let (mut ids, mut next) = (Vec::new(), Some("/ogc/collections/p/items?limit=3000".to_owned()));
    while let Some(page) = next {
        let page = server.get(&page);
        assert!(page.header("etag").is_some() && page.header("transfer-encoding").is_none());
        ids.extend(page.ids());
        next = page.next();
    }
    assert_eq!((ids.len(), ids), (9_000, streamed.ids()));
    // Encoded as a stream; the same bytes each time.
    for name in ["gzip", "zstd"] {
        let packed = server.ask("GET", path, &[("Accept-Encoding", name)]);
        assert_eq!((packed.header("content-encoding"), packed.header("etag")), (Some(name), None));
        let mut body = Vec::new();
        match name {
            "gzip" => drop(flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut body).unwrap()),
            _ => body = zstd::decode_all(&packed.body[..]).unwrap(),
        }
        assert!(body == streamed.body, "{name}");
    }
    let head = server.ask("HEAD", path, &[]);
    assert_eq!((&head.headers, head.body.len()), (&streamed.headers, 0));
    assert_eq!(server.app.unread.bytes(), 0);
}
