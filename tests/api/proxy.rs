//! Behind a proxy under a path of its own (`public_url`): pages, files and every link work, whether the proxy takes the
//! path away or leaves it.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use serde_json::Value;
use throughline::http::App;

use crate::fixtures::CACHE_BYTES;
use crate::fixtures::Reply;
use crate::fixtures::Server;
use crate::fixtures::World;
use crate::fixtures::gate_of;
use crate::fixtures::options;

const PREFIX: &str = "/throughline";

/// A small reverse proxy: one connection a request, to wherever it is told.
struct Proxy {
    address: SocketAddr,
    to: Arc<Mutex<Option<SocketAddr>>>,
    over: Arc<AtomicBool>,
}

impl Proxy {
    fn start(strips: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            to: Arc::default(),
            over: Arc::new(AtomicBool::new(false)),
        };
        let (to, over) = (Arc::clone(&proxy.to), Arc::clone(&proxy.over));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                pass(stream.unwrap(), to.lock().unwrap().unwrap(), strips);
            }
        });
        proxy
    }

    fn get(&self, path: &str) -> Reply {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).unwrap();
        Reply::read(&mut stream)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// Hands one request on, and its answer back. Addresses outside the path are not the proxy's to answer.
fn pass(mut client: TcpStream, to: SocketAddr, strips: bool) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let (line, rest) = head.split_once("\r\n").unwrap();
    let path = line.split(' ').nth(1).unwrap();
    let Some(inner) = path.strip_prefix(PREFIX) else {
        client
            .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .unwrap();
        return;
    };
    let asked = match (strips, inner) {
        (true, "") => "/",
        (true, inner) => inner,
        (false, _) => path,
    };
    // As nginx does by itself: the name of the machine behind, and none of what the client asked for.
    let rest: String =
        rest.split_inclusive("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("host:")).collect();
    let mut server = TcpStream::connect(to).unwrap();
    server.write_all(format!("GET {asked} HTTP/1.1\r\nHost: localhost\r\n{rest}").as_bytes()).unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    let _ = client.write_all(&answer);
}

/// Every address in an answer.
fn links(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if matches!(name.as_str(), "href" | "url" | "$id") => {
                        found.push(text.clone());
                    }
                    _ => links(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| links(value, found)),
        _ => {}
    }
}

#[test]
fn pages_files_and_links_work_under_a_path() {
    let world = World::new();
    let rows: String =
        (0..30).map(|number| format!("{},52,name {number}\n", f64::from(number) / -10.0)).collect();
    world.import("p.csv", format!("lon,lat,name\n{rows}"), &options("p")).unwrap();
    for strips in [true, false] {
        let proxy = Proxy::start(strips);
        let public_url = format!("http://{}{PREFIX}", proxy.address);
        let (store, url) = (Arc::clone(&world.store), public_url.clone());
        let server = Server::with(move || App::new(gate_of(store), Some(&url), CACHE_BYTES));
        *proxy.to.lock().unwrap() = Some(server.address);
        // The pages, asked for with a slash and without, and everything that they name.
        let pages = ["", "/", "/help", "/help/", "/help/analyst", "/help/analyst/"]
            .map(|page| format!("{PREFIX}{page}"));
        for page in &pages {
            let html = proxy.get(page);
            assert_eq!((html.status, html.header("content-type")), (200, Some("text/html; charset=utf-8")));
            let html = String::from_utf8(html.body).unwrap();
            for relative in ["\"/assets", "\"./", "\"../"] {
                assert!(!html.contains(relative), "{page}: {html}");
            }
            for file in html.split("\"/throughline/").skip(1) {
                let file = format!("{PREFIX}/{}", file.split(['"', '#']).next().unwrap());
                assert_eq!(proxy.get(&file).status, 200, "{file}");
            }
        }
        // Every link leads through the proxy, and somewhere.
        let mut wanted = vec![format!("{public_url}/ogc"), format!("{public_url}/tiles/p.json")];
        let mut seen: Vec<String> = Vec::new();
        while let Some(url) = wanted.pop() {
            if seen.contains(&url) {
                continue;
            }
            assert!(seen.len() < 100, "{url}");
            let path = &url[url.find(PREFIX).unwrap()..];
            let reply = proxy.get(path);
            assert_eq!(reply.status, 200, "{url}");
            let mut found = Vec::new();
            links(&reply.json(), &mut found);
            // What lies elsewhere, and the page itself, which is no JSON.
            found
                .retain(|url| !url.contains("spdx.org") && !url.contains("apache.org") && *url != public_url);
            assert!(found.iter().all(|url| url.starts_with(&public_url)), "{found:?}");
            wanted.extend(found);
            seen.push(url);
        }
        assert!(seen.len() > 8, "{seen:?}");
        assert!(seen.iter().any(|url| url.contains("next=")), "pages follow one another: {seen:?}");
        let template = proxy.get("/throughline/tiles/p.json").json()["tiles"][0].as_str().unwrap().to_owned();
        let tile = template.replace("{z}", "0").replace("{x}", "0").replace("{y}", "0");
        assert_eq!(proxy.get(&tile[tile.find(PREFIX).unwrap()..]).status, 200, "{template}");
    }
}
