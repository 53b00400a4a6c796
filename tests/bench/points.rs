//! What the benchmark and the instruction guards share: generated points like those of a country (clustered, eight
//! properties), questions asked of them, and callgrind round the asking alone.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;

use throughline::access::CollectionView;
use throughline::access::Column;
use throughline::access::Gate;
use throughline::access::Ints;
use throughline::access::Policy;
use throughline::access::Principal;
use throughline::access::View;
use throughline::filter::Bbox;
use throughline::filter::Bound;
use throughline::filter::Comparison;
use throughline::filter::Expr;
use throughline::filter::Scalar;
use throughline::format::FeatureWriter;
use throughline::format::JsonWriter;
use throughline::import::ImportOptions;
use throughline::import::import;
use throughline::import::unwatched;
use throughline::model::Position;
use throughline::model::Provenance;
use throughline::model::Value;
use throughline::model::crs::Crs;
use throughline::model::crs::mercator_grid;
use throughline::ops::open_gate;
use throughline::query::ItemsRequest;
use throughline::query::count;
use throughline::query::item;
use throughline::query::items;
use throughline::query::nearest;
use throughline::store::Store;
use throughline::tile::FeatureDropping;
use throughline::tile::Layer;
use throughline::tile::TileCoord;
use throughline::tile::tile;

/// Rows that a window and a count are to find, and places each question is asked at.
pub const ANSWER_ROWS: u64 = 1_000;
const PLACES: usize = 20;
/// Zoom of the tiles asked for.
const ZOOM: u8 = 10;

/// A store's gate.
pub fn open(path: &Path) -> Gate {
    open_gate(Arc::new(Store::open(path).unwrap()), Policy::built_in().unwrap()).unwrap()
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

/// Imports this many points into a new store.
pub fn generate(path: &Path, rows: usize) {
    let csv = path.with_extension("csv");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&csv).unwrap());
    writeln!(file, "n,lon,lat,kind,force,code,weight,visits,open,seen,street").unwrap();
    let (mut numbers, towns) = (Numbers(2), towns());
    for row in 0..rows {
        let (lon, lat, size) = towns[(numbers.next() % 400) as usize];
        // The sum of three is near enough to a bell.
        let mut spread = || (numbers.share() + numbers.share() + numbers.share() - 1.5) * size;
        let (lon, lat) = (lon + spread() * 1.6, lat + spread());
        let n = numbers.next();
        writeln!(
            file,
            "{row},{lon:.6},{lat:.6},kind {},force {},C{row:07},{},{},{},2031-{:02}-{:02}T{:02}:{:02}:00Z,Street {}",
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
    import_file(path, &csv, "points");
    std::fs::remove_file(&csv).unwrap();
}

/// Imports a file, whose field `n` is the id, into a store, which is made if it is not there.
pub fn import_file(path: &Path, file: &Path, into: &str) {
    let store = Store::open_or_create(path).unwrap();
    let options = ImportOptions {
        into: into.into(),
        format: None,
        layer: None,
        id: Some("n".into()),
        time: Vec::new(),
        about: throughline::import::About { open: true, ..throughline::import::About::default() },
        provenance: Provenance::open("bench"),
        dry_run: false,
        strict: true,
    };
    import(&store, file, &options, &unwatched()).unwrap();
    store.checkpoint().unwrap();
}

/// Asks one kind of question at twenty places when told to, so that only the asking is counted.
pub fn child(path: &Path, question: &str) {
    let gate = open(path);
    let view = gate.view(&Principal::LocalOperator);
    let collection = view.collection("points").unwrap();
    let places: Vec<(f64, f64)> =
        towns().iter().step_by(400 / PLACES).map(|(lon, lat, _)| (*lon, *lat)).collect();
    let scan = scan().bind(&view, collection).unwrap();
    let boxes: Vec<Bound> = places.iter().map(|place| box_with(&view, collection, *place)).collect();
    let boxes = if question == "scan" { vec![scan; places.len()] } else { boxes };
    // Indexes and ready pieces are made when they are first wanted.
    let everything = Bound::everything();
    ask(collection, question, (0.0, 51.0), everything, everything);
    for (place, filter) in places.iter().zip(&boxes) {
        ask(collection, question, *place, filter, everything);
    }
    let mut lines = std::io::stdin().lines();
    println!("ready");
    std::io::stdout().flush().unwrap();
    lines.next().unwrap().unwrap();
    let mut found = 0;
    for (place, filter) in places.iter().zip(&boxes) {
        found += ask(collection, question, *place, filter, everything);
    }
    println!("{found}");
    std::io::stdout().flush().unwrap();
    lines.next();
}

/// One question at a place; how much was found.
fn ask(
    collection: &CollectionView,
    question: &str,
    (lon, lat): (f64, f64),
    filter: &Bound,
    everything: &Bound,
) -> u64 {
    let page = |limit| items(collection, &ItemsRequest { filter: filter.clone(), limit, after: None }).rows;
    match question {
        "window" => page(10_000).len() as u64,
        "count" | "scan" => count(collection, filter),
        "sum" => sum(collection, collection.schema().position("visits").unwrap()).unsigned_abs(),
        "nearest" => nearest(collection, lon, lat, 10, everything).unwrap().len() as u64,
        "item" => {
            // Ids are the row numbers of the file: any will do, the same for every size of store.
            let id = ((lon.abs() * 1e6 + lat * 1e6) as u64 % 10_000).to_string();
            u64::from(item(collection, &id).is_some())
        }
        "page" => {
            let mut writer = FeatureWriter::new(collection, Crs::Crs84);
            // Room for the whole page: whether a buffer can grow where it is depends on all that was allocated before.
            let mut out = Vec::with_capacity(1 << 16);
            let mut json = JsonWriter::new(&mut out);
            for at in page(100) {
                writer.feature(&mut json, at, None);
            }
            drop(json);
            out.len() as u64
        }
        "tile" => {
            let (x, y) = mercator_grid(Position::from_degrees(lon, lat).unwrap()).unwrap();
            let shift = u32::BITS - u32::from(ZOOM);
            let at = TileCoord::new(ZOOM, x >> shift, y >> shift).unwrap();
            tile(&[Layer::whole(collection)], at, None, FeatureDropping::None).len() as u64
        }
        other => panic!("no question {other}"),
    }
}

/// Two comparisons, of a whole number and of a text.
fn scan() -> Expr {
    let compare = |name: &str, comparison, value| {
        Expr::Compare(comparison, Scalar::Property(name.to_owned()), Scalar::Literal(value))
    };
    Expr::And(vec![
        compare("visits", Comparison::Greater, Value::Int(100)),
        compare("kind", Comparison::NotEqual, Value::Text("kind 3".to_owned())),
    ])
}

/// The sum of a numeric column, as a loop over its own width.
pub fn sum(collection: &CollectionView, place: usize) -> i64 {
    let whole = |values: &Ints| match values {
        Ints::I8(values) => values.iter().map(|value| i64::from(*value)).sum(),
        Ints::I16(values) => values.iter().map(|value| i64::from(*value)).sum(),
        Ints::I32(values) => values.iter().map(|value| i64::from(*value)).sum(),
        Ints::I64(values) => values.iter().sum::<i64>(),
    };
    let of = |column: &Column| match column {
        Column::Int(_, values, _) | Column::Thousandths(values, _) => whole(values),
        Column::F32(values, _) => values.iter().sum::<f32>() as i64,
        Column::F64(values, _) => values.iter().sum::<f64>() as i64,
        Column::Null | Column::Text(..) => 0,
    };
    collection.groups().iter().filter_map(|group| group.column(place)).map(of).sum()
}

/// A box around a place that holds [`ANSWER_ROWS`] rows, within one in a hundred.
fn box_with(view: &View, collection: &CollectionView, (lon, lat): (f64, f64)) -> Bound {
    let (mut low, mut high) = (0.0, 8.0);
    loop {
        let half = f64::midpoint(low, high);
        let bbox = Bbox::new(lon - half, lat - half, lon + half, lat + half).unwrap();
        let filter = Expr::bbox(bbox).bind(view, collection).unwrap();
        let found = count(collection, &filter);
        if found.abs_diff(ANSWER_ROWS) <= ANSWER_ROWS / 100 || high - low < 1e-7 {
            return filter;
        }
        if found > ANSWER_ROWS { high = half } else { low = half }
    }
}

/// Instructions of one question by callgrind, switched on for the asking alone.
pub fn instructions(store: &Path, question: &str) -> u64 {
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
