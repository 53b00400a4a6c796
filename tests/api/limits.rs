//! Bad parameters, large and slow bodies, too many connections: clear answers in bounded time.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;
use std::time::Instant;

use throughline::http::App;

use crate::fixtures::CONNECTIONS;
use crate::fixtures::Reply;
use crate::fixtures::Server;
use crate::fixtures::World;
use crate::fixtures::gate_of;
use crate::fixtures::options;

fn world() -> World {
    let world = World::new();
    world.import("p.csv", "lon,lat,at\n-1,52,2031-03-01T12:00:00Z\n", &options("p")).unwrap();
    world
}

#[test]
fn bad_parameters_are_400_and_named() {
    let world = world();
    let server = world.serve();
    for (query, word) in [
        ("bbox=a,b,c,d", "bbox"),
        ("bbox=1,2,3", "bbox"),
        ("bbox=1,2,3,4,5", "bbox"),
        ("bbox=1,2,3,1", "bbox"),
        ("bbox=1,2,3,nan", "bbox"),
        ("bbox=", "bbox"),
        ("limit=-1", "limit"),
        ("limit=0", "limit"),
        ("limit=1.5", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("datetime=yesterday", "datetime"),
        ("datetime=2031-02-30T00:00:00Z", "datetime"),
        ("datetime=2031-03-01T12:00:00%2B0100", "datetime"),
        ("datetime=2031-03-02/2031-03-01", "datetime"),
        ("datetime=a/b/c", "datetime"),
        ("nearest=1", "nearest"),
        ("nearest=181,0", "nearest"),
        ("nearest=1,2&next=00", "next"),
        ("within=1,2", "within"),
        ("within=1,2,-3", "within"),
        ("within=1,91,3", "within"),
        ("next=xyz", "next"),
        ("crs=EPSG:27700", "crs"),
        ("colour=red", "colour"),
        ("%FF=1", "unknown parameter"),
        ("limit=%FF", "limit"),
    ] {
        server.get(&format!("/ogc/collections/p/items?{query}")).is_problem(400, word);
    }
    for path in [
        "/ogc?x=1",
        "/healthz?x=1",
        "/ogc/collections?limit=5",
        "/tiles/p.json?x=1",
        "/ogc/collections/p/items/1?bbox=1,2,3,4",
    ] {
        server.get(path).is_problem(400, "unknown parameter");
    }
}

#[test]
fn long_addresses_are_414_and_hostile_paths_are_nothing() {
    let world = world();
    let server = world.serve();
    server.get(&format!("/ogc/collections/p/items?bbox={}", "1".repeat(9_000))).is_problem(414, "8192");
    for path in [
        "/ogc/collections/..%2f..%2fetc/items",
        "/ogc/collections/p/items/%00",
        "/ogc/collections/p%27--/items",
        "/tiles/p%2Fq/0/0/0.mvt",
        "/ogc/collections/%FF",
    ] {
        server.get(path).is_problem(404, "nothing");
    }
}

#[test]
fn bodies_of_100_mb_are_refused_at_once() {
    let world = world();
    let server = world.serve();
    let start = Instant::now();
    let refused = server
        .send(b"POST /ogc/collections HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n{");
    refused.is_problem(413, "1048576");
    assert_eq!(refused.header("connection"), Some("close"));
    // Without a length the limit is met while reading.
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(b"POST /ogc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(65_536));
    for _ in 0..1_600 {
        if stream.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    drop(stream);
    assert!(start.elapsed() < Duration::from_secs(30));
    server
        .ask("POST", "/ogc", &[("Content-Encoding", "gzip"), ("Content-Length", "0")])
        .is_problem(415, "compressed");
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn deep_json_and_rubbish_do_no_harm() {
    let world = world();
    let server = world.serve();
    let deep = "[".repeat(100_000);
    let request = format!(
        "POST /ogc HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{deep}",
        deep.len()
    );
    server.send(request.as_bytes()).is_problem(405, "GET");
    for rubbish in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"GET / HTTP/9.9\r\n\r\n", b"\0\0\0\0\r\n\r\n"]
    {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(rubbish).unwrap();
        let mut answer = Vec::new();
        let _ = std::io::Read::read_to_end(&mut stream, &mut answer);
        assert!(!answer.starts_with(b"HTTP/1.1 5"), "{}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn two_hundred_stalled_connections_are_closed_and_others_served() {
    let world = world();
    let server = world.serve();
    let start = Instant::now();
    let mut stalled: Vec<TcpStream> = (0..200)
        .map(|number| {
            let mut stream = TcpStream::connect(server.address).unwrap();
            // Half never finish their head, half never send the body they promise.
            let text: &[u8] = if number % 2 == 0 {
                b"GET /ogc HTTP/1.1\r\nHost: local"
            } else {
                b"POST /ogc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nab"
            };
            stream.write_all(text).unwrap();
            stream
        })
        .collect();
    let honest = Instant::now();
    assert_eq!(server.get("/ogc/collections/p/items").status, 200);
    assert!(honest.elapsed() < Duration::from_secs(5));
    for (number, stream) in stalled.iter_mut().enumerate() {
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut answer = Vec::new();
        let _ = std::io::Read::read_to_end(stream, &mut answer);
        assert!(
            answer.starts_with(b"HTTP/1.1 408") || answer.is_empty(),
            "{number}: {}",
            String::from_utf8_lossy(&answer)
        );
    }
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
}

#[test]
fn one_address_cannot_take_all_connections() {
    let world = world();
    let server = world.serve();
    let held: Vec<TcpStream> =
        (0..CONNECTIONS).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    // The server counts a connection when it has accepted it.
    std::thread::sleep(Duration::from_millis(300));
    let refused = server.get("/ogc");
    refused.is_problem(503, "connections");
    assert_eq!(refused.header("retry-after"), Some("3"));
    drop(held);
    let deadline = Instant::now() + Duration::from_secs(10);
    while server.get("/ogc").status != 200 {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_body_that_drips_is_cut_off() {
    let world = world();
    let server = world.serve();
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(b"POST /ogc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n").unwrap();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        if stream.write_all(b"x").is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(500));
        if start.elapsed() > Duration::from_secs(12) {
            break;
        }
    }
    let answer = Reply::read(&mut stream);
    answer.is_problem(408, "slowly");
    assert!(start.elapsed() < Duration::from_secs(16));
}

#[test]
fn answers_that_are_never_read_do_not_hold_their_connection() {
    let world = World::new();
    let mut csv = String::from("lon,lat,name\n");
    for number in 0..10_000 {
        csv.push_str(&format!("{},52,{}\n", -1.0 - f64::from(number) * 1e-4, "x".repeat(300)));
    }
    world.import("p.csv", csv, &options("p")).unwrap();
    let server = world.serve();
    let request = b"GET /ogc/collections/p/items?limit=10000 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    // Few, for the answers are heavy and give way to the other tests.
    let mut deaf: Vec<TcpStream> = (0..4)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address).unwrap();
            // More than any socket buffer holds: 17 MB.
            for _ in 0..5 {
                stream.write_all(request).unwrap();
            }
            stream
        })
        .collect();
    assert_eq!(server.get("/healthz").status, 200);
    let deadline = Instant::now() + Duration::from_secs(30);
    for stream in &mut deaf {
        // A connection that the server has cut refuses to be written to.
        while stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").is_ok() {
            assert!(Instant::now() < deadline, "still held");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// Each client asks for a page of its own and reads nothing: what is in memory for them stays within the budget, further
/// ones are refused, and when they go it is free again.
#[test]
fn two_hundred_unread_pages_stay_within_their_bytes() {
    const BUDGET: u64 = 24 << 20;
    let world = World::new();
    let mut csv = String::from("lon,lat,name\n");
    for number in 0..4_000 {
        csv.push_str(&format!("{},52,{}\n", -1.0 - f64::from(number) * 1e-4, "x".repeat(1_500)));
    }
    world.import("p.csv", csv, &options("p")).unwrap();
    let store = std::sync::Arc::clone(&world.store);
    // Nothing is kept: every page is one of its own.
    let server =
        Server::with(move || App::new(gate_of(store).with_roles_played(), None, 0).with_unread(BUDGET));
    let page = |number: usize| format!("/ogc/collections/p/items?limit={}", 3_800 - number);
    let mut deaf: Vec<TcpStream> = Vec::new();
    let mut most = 0;
    for number in 0..200 {
        let mut stream = TcpStream::connect(server.address).unwrap();
        // Several at once: those behind the first are not made before it is read.
        for _ in 0..4 {
            let request = format!("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", page(number));
            stream.write_all(request.as_bytes()).unwrap();
        }
        deaf.push(stream);
        most = most.max(server.app.unread.bytes());
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut refused = None;
    while refused.is_none() {
        assert!(Instant::now() < deadline, "nothing is refused: {} bytes", server.app.unread.bytes());
        most = most.max(server.app.unread.bytes());
        let reply = server.ask("GET", &page(500), &[("Origin", "https://elsewhere.example")]);
        refused = (reply.status == 503).then_some(reply);
    }
    for _ in 0..200 {
        most = most.max(server.app.unread.bytes());
        std::thread::sleep(Duration::from_millis(10));
    }
    let refused = refused.unwrap();
    refused.is_problem(503, "ask for less");
    assert_eq!(refused.header("retry-after"), Some("3"));
    assert_eq!(refused.header("access-control-allow-origin"), Some("*"));
    assert!(most > 0 && most <= BUDGET, "{most}");
    assert_eq!(server.get("/ogc/collections/p/items?limit=1").status, 200, "small answers go on");
    drop(deaf);
    let deadline = Instant::now() + Duration::from_secs(60);
    while server.app.unread.bytes() > 0 {
        assert!(Instant::now() < deadline, "{} bytes are still held", server.app.unread.bytes());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(server.get(&page(500)).status, 200);
}
