//! Measures what the spine promises, on generated points like those of a country: clustered, eight properties.
//!
//! Prints time to open, bytes a row, and instructions (valgrind's callgrind) of a window, a count, ten nearest,
//! one item and a page of 100 on 10 k and 1 M rows for equal answers. Fails if a promise is broken.
//!
//! `cargo bench --bench spine`, or with `-- quick` for 10 k and 100 k rows only.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a measuring program")]

use std::path::Path;
use std::time::Instant;

use throughline::access::Principal;

mod points;

use points::ANSWER_ROWS;
use points::child;
use points::generate;
use points::instructions;
use points::open;

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
        let view = gate.view(&Principal::LocalOperator);
        let collection = view.collection("points").unwrap();
        let bytes = collection.bytes() as u64 / collection.rows();
        println!("{size:>9} {import_s:>9.2} {open_s:>9.2} {bytes:>9}");
        assert!(open_s <= OPEN_SECONDS || *size < 1_000_000, "opening took {open_s} s");
        assert!(bytes <= BYTES_A_ROW, "{bytes} bytes a row");
        stores.push(path);
    }
    println!("\ninstructions a question, {ANSWER_ROWS} rows found (nearest: 10)");
    println!("{:>9} {:>12} {:>12} {:>7}", "", sizes[0], sizes[sizes.len() - 1], "ratio");
    for question in ["window", "count", "nearest", "item", "page"] {
        let (small, large) =
            (instructions(&stores[0], question), instructions(&stores[stores.len() - 1], question));
        let ratio = large as f64 / small as f64;
        println!("{question:>9} {small:>12} {large:>12} {ratio:>7.2}");
        assert!(ratio <= MOST_RATIO, "{question}: {ratio}");
    }
}
