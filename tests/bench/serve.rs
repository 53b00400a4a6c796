//! Measures the server whole, beside a bare one: answers a second as a share of those of an actix server that sends as
//! many bytes from memory, and how long a light tile waits while heavy ones are made.
//!
//! And how long the slowest hundredth of larger answers takes over several kept connections: a last slice that waits for
//! an acknowledgement shows there, at 40 ms, and in no median.
//!
//! Nothing is cached (`cache_mb = 0`), but for that. Server and callers have a core each where there are two. Ratios count: both are
//! measured in turn, in one run. `cargo bench --bench serve`.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a measuring program")]

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use actix_web::App;
use actix_web::HttpResponse;
use actix_web::HttpServer;
use actix_web::web;
use throughline::model::Position;
use throughline::model::crs::mercator_grid;

#[expect(dead_code, reason = "only the points are wanted")]
mod points;

/// Callers at once, rounds, and how long each takes.
const CALLERS: usize = 8;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(500);
/// Rows of pages of about 64 kB to 300 kB.
const SLOWEST_ROWS: [usize; 4] = [220, 350, 700, 1_000];
/// Towns of the generated points are between these degrees.
const WEST: f64 = -5.0;
const SOUTH: f64 = 50.5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|word| word == "--floor") {
        return floor();
    }
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("points.gpkg");
    points::generate(&store, 1_000_000);
    let rates = [
        ("page of 100", addresses(|lon, lat| format!("{}&limit=100", bbox(lon, lat, 0.1)))),
        ("page of 1,000", addresses(|lon, lat| format!("{}&limit=1000", bbox(lon, lat, 0.3)))),
        (
            "ten nearest",
            addresses(|lon, lat| format!("/ogc/collections/points/items?nearest={lon:.5},{lat:.5}&limit=10")),
        ),
        (
            "item by its id",
            (0..500).map(|n| format!("/ogc/collections/points/items/{}", n * 1_999)).collect(),
        ),
    ];
    let floor = Server::floor();
    {
        let ours = Server::ours(folder.path(), &store, "0", 0);
        println!("{:>16} {:>9} {:>9} {:>9} {:>7}", "a second", "bytes", "ours", "bare", "ratio");
        for (name, addresses) in &rates {
            let sizes: Vec<usize> =
                addresses.iter().map(|address| Caller::new(ours.port).ask(address)).collect();
            let bare: Vec<String> = sizes.iter().map(|size| format!("/{size}")).collect();
            let rounds = (0..ROUNDS).map(|_| (rate(ours.port, addresses), rate(floor.port, &bare)));
            let (ours, bare) = rounds.unzip::<f64, f64, Vec<f64>, Vec<f64>>();
            let mean = sizes.iter().sum::<usize>() / sizes.len();
            let (ours, bare) = (median(ours), median(bare));
            println!("{name:>16} {mean:>9} {ours:>9.0} {bare:>9.0} {:>7.2}", ours / bare);
        }
    }
    {
        let ours = Server::ours(folder.path(), &store, "0", 256);
        println!(
            "\n{:>16} {:>9} {:>9} {:>12} {:>9} {:>12}",
            "cached, ms", "bytes", "p50", "slowest 1 %", "bare p50", "slowest 1 %"
        );
        for rows in SLOWEST_ROWS {
            let page = addresses(|lon, lat| format!("{}&limit={rows}", bbox(lon, lat, 1.0)));
            // Once, so that all of them are in the cache.
            let sizes: Vec<usize> = page.iter().map(|address| Caller::new(ours.port).ask(address)).collect();
            let bare: Vec<String> = sizes.iter().map(|size| format!("/{size}")).collect();
            let mean = sizes.iter().sum::<usize>() / sizes.len();
            let [half, most] = waits(ours.port, &page);
            let [bare_half, bare_most] = waits(floor.port, &bare);
            let name = format!("page of {rows}");
            println!("{name:>16} {mean:>9} {half:>9.2} {most:>12.2} {bare_half:>9.2} {bare_most:>12.2}");
        }
    }
    println!("\n{:>16} {:>12} {:>12} {:>12}", "a light tile, ms", "p50 alone", "p50 beside", "p99 beside");
    for (name, cores) in [("one core", "0"), ("two cores", "0,1")] {
        let ours = Server::ours(folder.path(), &store, cores, 0);
        let [alone, _] = light_tile(ours.port, false);
        let [half, most] = light_tile(ours.port, true);
        println!("{name:>16} {alone:>12.2} {half:>12.2} {most:>12.2}");
    }
}

/// The same places for every kind of question.
fn addresses(of: impl Fn(f64, f64) -> String) -> Vec<String> {
    // Steps of the golden section fill the land evenly.
    let share = |place: usize, step: f64| (place as f64 * step).fract();
    (0..200)
        .map(|place| of(WEST + 6.0 * share(place, 0.618_034), SOUTH + 7.0 * share(place, 0.414_214)))
        .collect()
}

fn bbox(lon: f64, lat: f64, half: f64) -> String {
    let (west, south, east, north) = (lon - half, lat - half, lon + half, lat + half);
    format!("/ogc/collections/points/items?bbox={west:.5},{south:.5},{east:.5},{north:.5}")
}

/// Milliseconds that half and 99 of 100 answers of a light tile take, with or without heavy ones being made.
fn light_tile(port: u16, beside_heavy: bool) -> [f64; 2] {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for number in 0..if beside_heavy { 4 } else { 0 } {
            let done = &done;
            scope.spawn(move || {
                let mut caller = Caller::new(port);
                while !done.load(Ordering::Relaxed) {
                    // A quarter of the country each: some 200,000 points.
                    caller.ask(&format!("/tiles/points/6/{}/{}.mvt", 31 + number % 2, 20 + number / 2));
                }
            });
        }
        let mut caller = Caller::new(port);
        let light = light_address(&mut caller);
        let mut waits: Vec<f64> = Vec::new();
        let start = Instant::now();
        while waits.len() < 200 || start.elapsed() < Duration::from_secs(4) {
            let asked = Instant::now();
            caller.ask(&light);
            waits.push(asked.elapsed().as_secs_f64() * 1e3);
            // Not one after the other: a map asks now and then.
            std::thread::sleep(Duration::from_millis(5));
        }
        done.store(true, Ordering::Relaxed);
        waits.sort_by(f64::total_cmp);
        [waits[waits.len() / 2], waits[waits.len() * 99 / 100]]
    })
}

/// A tile of zoom 14 with a point on it, of few.
fn light_address(caller: &mut Caller) -> String {
    caller.ask("/ogc/collections/points/items?limit=1");
    let page: serde_json::Value = serde_json::from_slice(&caller.body).unwrap();
    let degrees = |axis: usize| page["features"][0]["geometry"]["coordinates"][axis].as_f64().unwrap();
    let (x, y) = mercator_grid(Position::from_degrees(degrees(0), degrees(1)).unwrap()).unwrap();
    format!("/tiles/points/14/{}/{}.mvt", x >> 18, y >> 18)
}

/// Answers a second over one round.
fn rate(port: u16, addresses: &[String]) -> f64 {
    let start = Instant::now();
    let answers: usize = std::thread::scope(|scope| {
        let callers = (0..CALLERS).map(|number| {
            scope.spawn(move || {
                let mut caller = Caller::new(port);
                let from = number * addresses.len() / CALLERS;
                let mut count = 0;
                for address in addresses.iter().cycle().skip(from) {
                    if start.elapsed() >= ROUND {
                        break;
                    }
                    caller.ask(address);
                    count += 1;
                }
                count
            })
        });
        callers.collect::<Vec<_>>().into_iter().map(|caller| caller.join().unwrap()).sum()
    });
    answers as f64 / start.elapsed().as_secs_f64()
}

/// Milliseconds that half and 99 of 100 answers take, over kept connections that all ask at once.
fn waits(port: u16, addresses: &[String]) -> [f64; 2] {
    let mut waits: Vec<f64> = std::thread::scope(|scope| {
        let callers = (0..CALLERS).map(|number| {
            scope.spawn(move || {
                let mut caller = Caller::new(port);
                let from = number * addresses.len() / CALLERS;
                let all = addresses.iter().cycle().skip(from).take(2 * addresses.len());
                let times = all.map(|address| {
                    let asked = Instant::now();
                    caller.ask(address);
                    asked.elapsed().as_secs_f64() * 1e3
                });
                times.collect::<Vec<f64>>()
            })
        });
        callers.collect::<Vec<_>>().into_iter().flat_map(|caller| caller.join().unwrap()).collect()
    });
    waits.sort_by(f64::total_cmp);
    [waits[waits.len() / 2], waits[waits.len() * 99 / 100]]
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// One kept connection.
struct Caller {
    stream: BufReader<TcpStream>,
    line: String,
    body: Vec<u8>,
}

impl Caller {
    fn new(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::with_capacity(1 << 16, stream), line: String::new(), body: Vec::new() }
    }

    /// Bytes of the answer, which must be 200.
    fn ask(&mut self, address: &str) -> usize {
        write!(self.stream.get_mut(), "GET {address} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
        let mut length = 0;
        for number in 0.. {
            self.line.clear();
            self.stream.read_line(&mut self.line).unwrap();
            assert!(number > 0 || self.line.starts_with("HTTP/1.1 200"), "{address}: {}", self.line);
            if self.line == "\r\n" {
                break;
            }
            if let Some(value) = self.line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).unwrap();
        length
    }
}

/// A server in a process of its own, on some cores.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn ours(folder: &Path, store: &Path, cores: &str, cache_mb: u32) -> Self {
        let settings = folder.join("settings.toml");
        let text = format!("cache_mb = {cache_mb}\nthin_tiles = false\nlog = \"error\"\n");
        std::fs::write(&settings, text).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new("taskset")
            .args(["-c", cores, env!("CARGO_BIN_EXE_throughline"), "serve"])
            .arg(store)
            .arg("--config")
            .arg(&settings)
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, port };
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "the server did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        // Tables are made when they are first wanted; the check of the file goes on beside the first answers.
        for address in
            ["/tiles/points/6/31/20.mvt", "/ogc/collections/points/items/1", &bbox(-2.0, 53.0, 3.0)]
        {
            Caller::new(port).ask(address);
        }
        std::thread::sleep(Duration::from_secs(2));
        server
    }

    fn floor() -> Self {
        let own = std::env::current_exe().unwrap();
        let mut process = Command::new("taskset")
            .args(["-c", "0"])
            .arg(own)
            .arg("--floor")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut port).unwrap();
        Self { process, port: port.trim().parse().unwrap() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A bare server: `/n` is answered with n bytes from memory.
fn floor() {
    actix_web::rt::System::new().block_on(async {
        let bytes = web::Bytes::from(vec![b'x'; 16 << 20]);
        let answer = move |size: web::Path<usize>, bytes: web::Data<web::Bytes>| async move {
            HttpResponse::Ok().content_type("application/geo+json").body(bytes.slice(..size.into_inner()))
        };
        let server = HttpServer::new(move || {
            App::new().app_data(web::Data::new(bytes.clone())).route("/{size}", web::get().to(answer))
        })
        .workers(1)
        .bind(("127.0.0.1", 0))
        .unwrap();
        println!("{}", server.addrs()[0].port());
        server.run().await.unwrap();
    });
}
