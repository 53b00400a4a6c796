//! What must hold for any input, shared by the fuzz targets and by the test that tries the seeds: readers take or refuse,
//! addresses are answered or refused with a reason.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what does not hold stops the target or test")]

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;
use throughline::access::Policy;
use throughline::demo::SEED;
use throughline::demo::Settings;
use throughline::http::App;
use throughline::http::ServerSettings;
use throughline::http::Sockets;
use throughline::http::bind;
use throughline::http::routes::ROUTES;
use throughline::import::About;
use throughline::import::ImportOptions;
use throughline::import::import;
use throughline::import::unwatched;
use throughline::model::Provenance;
use throughline::ops::Progress;
use throughline::ops::open_gate;
use throughline::store::Store;

/// A folder in memory where there is one: files come and go by the thousand.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// A store that files are tried on and that keeps nothing of them.
pub struct Importer {
    folder: TempDir,
    store: Store,
}

impl Importer {
    pub fn new() -> Self {
        let folder = folder();
        let store = Store::open_or_create(&folder.path().join("store.gpkg")).unwrap();
        Self { folder, store }
    }

    /// Reads bytes as a file of this name, whose ending says the format.
    pub fn take(&self, name: &str, bytes: &[u8]) {
        let file = self.folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let options = ImportOptions {
            into: "layer".to_owned(),
            format: None,
            layer: None,
            id: None,
            time: Vec::new(),
            about: About::default(),
            provenance: Provenance::open("us"),
            dry_run: true,
            strict: false,
        };
        match import(&self.store, &file, &options, &unwatched()) {
            Ok(report) => {
                let _: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
                let rejected = report.rows.iter().filter(|note| note.rejected).count() as u64;
                assert!(rejected <= report.rejected && report.omitted + rejected >= report.rejected);
                assert!(report.unchanged <= report.accepted);
            }
            Err(error) => {
                let text = error.to_string();
                // A write that panicked, or a loss of the writer, would be a fault of ours.
                assert!(!text.contains("inside the program") && !text.contains("writer"), "{text}");
            }
        }
    }
}

/// A server over a small synthetic set, and a connection to it.
pub struct Asker {
    _folder: TempDir,
    address: SocketAddr,
    connection: Mutex<Option<BufReader<TcpStream>>>,
}

impl Asker {
    pub fn new() -> Self {
        let folder = folder();
        let path = folder.path().join("store.gpkg");
        let settings = Settings { seed: SEED, scale: 0.1 };
        throughline::ops::demo::run(&path, settings, &Progress::silent()).unwrap();
        let store = Arc::new(Store::open(&path).unwrap());
        let (ready, started) = mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let gate = open_gate(store, Policy::built_in().unwrap()).unwrap().with_roles_played();
                let app = Arc::new(App::new(gate, None, 1 << 20));
                let settings = ServerSettings { workers: 1, ..ServerSettings::default() };
                let bound = bind(app, &settings, Sockets::take("127.0.0.1:0").unwrap()).unwrap();
                ready.send(bound.addresses[0]).unwrap();
                bound.server.await.unwrap();
            });
        });
        let address = started.recv().unwrap();
        Self { _folder: folder, address, connection: Mutex::new(None) }
    }

    /// Asks for an address; the answer is no fault of the server's, and a refusal says what is wrong.
    pub fn ask(&self, address: &str) {
        let mut connection = self.connection.lock().unwrap();
        // The server may have closed a connection that waited, or that it refused.
        let answer = connection.take().and_then(|open| exchange(open, address).ok());
        let (status, body, open) = answer.unwrap_or_else(|| {
            let stream = TcpStream::connect(self.address).unwrap();
            stream.set_nodelay(true).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            exchange(BufReader::new(stream), address).unwrap_or_else(|error| panic!("{address:?}: {error}"))
        });
        *connection = open;
        assert!(status < 500, "{address:?}: {status} {}", String::from_utf8_lossy(&body));
        if status >= 400 {
            let problem: serde_json::Value =
                serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{address:?}: {status} {error}"));
            assert!(problem["type"].is_string() && problem["title"].is_string(), "{address:?}: {problem}");
        }
    }
}

type Exchanged = (u16, Vec<u8>, Option<BufReader<TcpStream>>);

fn exchange(mut stream: BufReader<TcpStream>, address: &str) -> std::io::Result<Exchanged> {
    stream.get_mut().write_all(format!("GET {address} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())?;
    let early = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok()).ok_or_else(early)?;
    let (mut length, mut close) = (0, false);
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Err(early());
        }
        let lower = line.trim().to_ascii_lowercase();
        if lower.is_empty() {
            break;
        }
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(std::io::Error::other)?;
        }
        close |= lower == "connection: close";
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((status, body, (!close).then_some(stream)))
}

/// Bytes as they may stand in the first line of a request: those that no address may have are written as numbers, for
/// such a line is refused before anything of ours sees it.
fn plain(bytes: &[u8]) -> String {
    let escape = |byte: &u8| {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(byte) {
            char::from(*byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    bytes.iter().take(4_000).map(escape).collect()
}

/// What stands behind `/tiles/`.
pub fn tile_address(bytes: &[u8]) -> String {
    format!("/tiles/{}", plain(bytes))
}

/// The first byte picks a route and what it is about, the others are the query.
pub fn query_address(bytes: &[u8]) -> String {
    let (first, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let route = &ROUTES[usize::from(*first) % ROUTES.len()];
    let collection =
        ["lines", "legs", "towns", "stations", "addresses"][usize::from(*first) / ROUTES.len() % 5];
    let path = route
        .path
        .replace("{collectionId}", collection)
        .replace("{layers}", collection)
        .replace("{featureId}", "EUS")
        .replace("{tileId}", "1")
        .replace("{file}", "x")
        .replace("{z}", "6")
        .replace("{x}", "31")
        .replace("{y}", "20");
    format!("{path}?{}", plain(rest))
}
