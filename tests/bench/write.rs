//! Measures one write to a large collection: from its commit until it is readable over HTTP, how many row groups are
//! built anew for it, how long an import of as many rows takes, and what waiting for changes costs a server that is idle.
//!
//! `cargo bench --bench write`, or with `-- quick` for 100 k rows.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a measuring program")]

use std::collections::BTreeSet;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use throughline::access::Gate;
use throughline::access::Principal;
use throughline::model::Position;
use throughline::model::Provenance;
use throughline::model::Row;
use throughline::model::Value;
use throughline::model::geometry::Geometry;
use throughline::store::Store;

#[expect(dead_code, reason = "only the points are wanted")]
mod points;

/// The promise, and how often it is measured.
const READABLE: Duration = Duration::from_millis(50);
const WRITES: usize = 15;

fn main() {
    let quick = std::env::args().any(|word| word == "quick");
    let size = if quick { 100_000 } else { 1_000_000 };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.gpkg");
    let start = Instant::now();
    points::generate(&path, size);
    println!("{size} rows imported in {:.2} s", start.elapsed().as_secs_f64());
    groups(&path);
    served(&path);
}

/// One row with another text, written as an edit is: one appender, one row.
fn write(store: &Store, text: &str) -> Instant {
    let schema = store.reader().unwrap().collection("points").unwrap().unwrap().schema;
    let text = text.to_owned();
    store
        .write(move |transaction| {
            let mut values = vec![Value::Null; schema.fields.len()];
            values[schema.position("street").unwrap()] = Value::Text(text);
            let mut appender = transaction.appender(schema, Provenance::open("bench"))?;
            let geometry = Some(Geometry::point(Position::from_degrees(-1.5, 52.5).unwrap()));
            appender.append(&Row { id: None, public_id: Some("7".to_owned()), geometry, values })?;
            appender.finish("edit").map(|_| ())
        })
        .unwrap();
    Instant::now()
}

/// How long a refresh takes, and how many row groups it builds.
fn groups(path: &Path) {
    let store = Arc::new(Store::open(path).unwrap());
    let gate = Gate::open(Arc::clone(&store)).unwrap();
    let serials = || -> BTreeSet<u64> {
        let view = gate.view(&Principal::LocalOperator);
        view.collection("points").unwrap().groups().iter().map(|group| group.serial()).collect()
    };
    for round in 0..3 {
        let before = serials();
        let start = Instant::now();
        let committed = write(&store, &format!("in one process {round}"));
        assert!(gate.refresh().unwrap());
        let after = serials();
        println!(
            "write {:.1} ms, refresh and view {:.1} ms, {} of {} row groups built anew",
            (committed - start).as_secs_f64() * 1e3,
            committed.elapsed().as_secs_f64() * 1e3,
            after.difference(&before).count(),
            after.len()
        );
        // The first write may move the row, and then two groups change.
        assert!(round == 0 || after.difference(&before).count() == 1);
    }
}

struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// From the commit of another process until the row is in an answer.
fn served(path: &Path) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_throughline"))
        .arg("serve")
        .arg(path)
        .args(["--listen", "127.0.0.1:0", "--log", "warn"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let pid = child.id();
    let _served = Served(child);
    let line = lines.next().unwrap().unwrap();
    let address = line.split("http://").nth(1).unwrap().trim_end_matches('/').to_owned();
    let ask = || {
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(
            stream,
            "GET /ogc/collections/points/items/7 HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(ask().contains("\"street\""));
    let cpu = || -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let idle = Duration::from_secs(10);
    let before = cpu();
    std::thread::sleep(idle);
    // Ticks are hundredths of a second.
    println!("idle: {:.2} % of a core", (cpu() - before) as f64 / idle.as_secs_f64());
    let store = Store::open(path).unwrap();
    let mut took: Vec<Duration> = (0..WRITES)
        .map(|round| {
            let text = format!("over HTTP {round}");
            let committed = write(&store, &text);
            while !ask().contains(&text) {
                std::thread::sleep(Duration::from_micros(200));
                assert!(committed.elapsed() < Duration::from_secs(20), "the row is never served");
            }
            let took = committed.elapsed();
            // So that writes do not fall into the steps of what looks for them.
            std::thread::sleep(Duration::from_millis(37 + 7 * round as u64));
            took
        })
        .collect();
    took.sort();
    let ms = |took: Duration| took.as_secs_f64() * 1e3;
    println!(
        "readable over HTTP after a commit of another process: median {:.1} ms, slowest {:.1} ms of {WRITES}",
        ms(took[WRITES / 2]),
        ms(took[WRITES - 1])
    );
    assert!(took[WRITES / 2] <= READABLE, "{:?}", took[WRITES / 2]);
}
