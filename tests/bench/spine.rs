//! Measures what the spine promises, on generated points like those of a country: clustered, eight properties.
//!
//! Prints time to open, bytes a row, and instructions (valgrind's callgrind) of a window, a count and ten nearest
//! on 10 k and 1 M rows for equal answers. Fails if a promise is broken.
//!
//! `cargo bench --bench spine`, or with `-- quick` for 10 k and 100 k rows only.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a measuring program")]

use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use throughline::access::CollectionView;
use throughline::access::Gate;
use throughline::access::Principal;
use throughline::import::ImportOptions;
use throughline::import::import;
use throughline::model::Provenance;
use throughline::query::Bbox;
use throughline::query::Filter;
use throughline::query::ItemsRequest;
use throughline::query::count;
use throughline::query::items;
use throughline::query::nearest;
use throughline::store::Store;

/// Rows that a window and a count are to find, and places each question is asked at.
const ANSWER_ROWS: u64 = 1_000;
const PLACES: usize = 20;
/// The promises.
const OPEN_SECONDS: f64 = 3.0;
const BYTES_A_ROW: u64 = 150;
const MOST_RATIO: f64 = 1.5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(place) = arguments.iter().position(|word| word == "--child") {
        return child(Path::new(&arguments[place + 1]), &arguments[place + 2]);
    }
    let quick = arguments.iter().any(|word| word == "quick");
    let sizes: &[usize] = if quick { &[10_000, 100_000] } else { &[10_000, 100_000, 1_000_000] };
    let folder = tempfile::tempdir().unwrap();
    let mut stores = Vec::new();
    println!("{:>9} {:>9} {:>9} {:>9}", "rows", "import s", "open s", "bytes/row");
    for size in sizes {
        let path = folder.path().join(format!("{size}.gpkg"));
        let start = Instant::now();
        generate(&path, *size);
        let import_s = start.elapsed().as_secs_f64();
        // The machine may be shared: the best of three is what the work takes.
        let open_s = (0..3)
            .map(|_| {
                let start = Instant::now();
                drop(open(&path));
                start.elapsed().as_secs_f64()
            })
            .fold(f64::INFINITY, f64::min);
        let gate = open(&path);
        let view = gate.view(Principal::LocalOperator);
        let collection = view.collection("points").unwrap();
        let bytes = collection.bytes() as u64 / collection.rows();
        println!("{size:>9} {import_s:>9.2} {open_s:>9.2} {bytes:>9}");
        assert!(open_s <= OPEN_SECONDS || *size < 1_000_000, "opening took {open_s} s");
        assert!(bytes <= BYTES_A_ROW, "{bytes} bytes a row");
        stores.push(path);
    }
    println!("\ninstructions a question, {ANSWER_ROWS} rows found (nearest: 10)");
    println!("{:>9} {:>12} {:>12} {:>7}", "", sizes[0], sizes[sizes.len() - 1], "ratio");
    for question in ["window", "count", "nearest"] {
        let (small, large) =
            (instructions(&stores[0], question), instructions(&stores[stores.len() - 1], question));
        let ratio = large as f64 / small as f64;
        println!("{question:>9} {small:>12} {large:>12} {ratio:>7.2}");
        assert!(ratio <= MOST_RATIO, "{question}: {ratio}");
    }
}

fn open(path: &Path) -> Gate {
    Gate::open(Arc::new(Store::open(path).unwrap())).unwrap()
}

/// Numbers that look random and are the same every time (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Towns, each with its size in degrees; the same for every number of rows.
fn towns() -> Vec<(f64, f64, f64)> {
    let mut numbers = Numbers(1);
    (0..400)
        .map(|_| (numbers.share() * 6.0 - 5.0, numbers.share() * 7.0 + 50.5, 0.01 + numbers.share() * 0.08))
        .collect()
}

fn generate(path: &Path, rows: usize) {
    let csv = path.with_extension("csv");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&csv).unwrap());
    writeln!(file, "lon,lat,kind,force,code,weight,visits,open,seen,street").unwrap();
    let (mut numbers, towns) = (Numbers(2), towns());
    for row in 0..rows {
        let (lon, lat, size) = towns[(numbers.next() % 400) as usize];
        // The sum of three is near enough to a bell.
        let mut spread = || (numbers.share() + numbers.share() + numbers.share() - 1.5) * size;
        let (lon, lat) = (lon + spread() * 1.6, lat + spread());
        let n = numbers.next();
        writeln!(
            file,
            "{lon:.6},{lat:.6},kind {},force {},C{row:07},{},{},{},2031-{:02}-{:02}T{:02}:{:02}:00Z,Street {}",
            n % 12,
            (n >> 8) % 43,
            ((n >> 16) % 1_000) as f64 / 4.0,
            (n >> 24) % 500,
            n % 3 == 0,
            (n >> 32) % 12 + 1,
            (n >> 36) % 28 + 1,
            (n >> 42) % 24,
            (n >> 48) % 60,
            (n >> 20) % 5_000,
        )
        .unwrap();
    }
    file.flush().unwrap();
    drop(file);
    let store = Store::open_or_create(path).unwrap();
    let options = ImportOptions {
        into: "points".into(),
        format: None,
        layer: None,
        id: None,
        time: Vec::new(),
        about: throughline::import::About::default(),
        provenance: Provenance::open("bench"),
        dry_run: false,
        strict: true,
    };
    import(&store, &csv, &options, &Arc::new(AtomicU64::new(0))).unwrap();
    store.checkpoint().unwrap();
    std::fs::remove_file(&csv).unwrap();
}

/// Asks one kind of question when told to, so that only the asking is counted.
fn child(path: &Path, question: &str) {
    let gate = open(path);
    let view = gate.view(Principal::LocalOperator);
    let collection = view.collection("points").unwrap();
    let places: Vec<(f64, f64)> =
        towns().iter().step_by(400 / PLACES).map(|(lon, lat, _)| (*lon, *lat)).collect();
    let boxes: Vec<Filter> = places.iter().map(|place| box_with(collection, *place)).collect();
    // The R-tree is made when it is first wanted.
    let everything = Filter::All(Vec::new());
    nearest(collection, 0.0, 51.0, 1, &everything).unwrap();
    let mut lines = std::io::stdin().lines();
    println!("ready");
    std::io::stdout().flush().unwrap();
    lines.next().unwrap().unwrap();
    let mut found = 0;
    for ((lon, lat), filter) in places.iter().zip(boxes) {
        found += match question {
            "window" => {
                items(collection, &ItemsRequest { filter, limit: 10_000, after: None }).rows.len() as u64
            }
            "count" => count(collection, &filter),
            "nearest" => nearest(collection, *lon, *lat, 10, &everything).unwrap().len() as u64,
            other => panic!("no question {other}"),
        };
    }
    println!("{found}");
    std::io::stdout().flush().unwrap();
    lines.next();
}

/// A box around a place that holds [`ANSWER_ROWS`] rows, within one in a hundred.
fn box_with(collection: &CollectionView, (lon, lat): (f64, f64)) -> Filter {
    let (mut low, mut high) = (0.0, 8.0);
    loop {
        let half = f64::midpoint(low, high);
        let filter = Filter::Bbox(Bbox::new(lon - half, lat - half, lon + half, lat + half).unwrap());
        let found = count(collection, &filter);
        if found.abs_diff(ANSWER_ROWS) <= ANSWER_ROWS / 100 || high - low < 1e-7 {
            return filter;
        }
        if found > ANSWER_ROWS { high = half } else { low = half }
    }
}

/// Instructions of one question by callgrind, switched on for the asking alone.
fn instructions(store: &Path, question: &str) -> u64 {
    let out = store.with_extension(format!("{question}.callgrind"));
    let mut valgrind = Command::new("valgrind")
        .args(["-q", "--tool=callgrind", "--instr-atstart=no"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe().unwrap())
        .args(["--child".as_ref(), store.as_os_str(), question.as_ref()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answers = BufReader::new(valgrind.stdout.take().unwrap()).lines();
    let mut orders = valgrind.stdin.take().unwrap();
    assert_eq!(answers.next().unwrap().unwrap(), "ready");
    let switch = |on: &str| {
        let done = Command::new("callgrind_control")
            .arg(format!("--instr={on}"))
            .arg(valgrind.id().to_string())
            .output();
        assert!(done.unwrap().status.success());
    };
    switch("on");
    writeln!(orders, "go").unwrap();
    answers.next().unwrap().unwrap();
    switch("off");
    drop(orders);
    assert!(valgrind.wait().unwrap().success());
    let text = std::fs::read_to_string(&out).unwrap();
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    total.unwrap().trim().parse::<u64>().unwrap() / PLACES as u64
}
