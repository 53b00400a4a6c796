//! Speed cannot rot unseen: instructions of the questions every room answers, against figures that are committed.
//!
//! Counted by valgrind's callgrind on 10,000 generated points, where the clock of a shared machine says nothing. A
//! count that is more than 3 % above the committed one fails. One that is as much below is reported and passes: another
//! compiler may be better, and the figures are written anew with the next change.
//! `THROUGHLINE_NEW_FIGURES=1 cargo test --profile ci --test instructions` writes them.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a measuring program")]

use std::collections::BTreeMap;
use std::path::Path;

mod points;

/// Each with what it is about.
const QUESTIONS: [(&str, &str); 6] = [
    ("window", "places of 1,000 rows in a box"),
    ("count", "how many rows are in a box"),
    ("nearest", "the ten nearest rows"),
    ("item", "one row by its id"),
    ("page", "100 rows of a box as GeoJSON"),
    ("tile", "a tile with its properties"),
];
/// A filter of two comparisons may take so many times as many instructions as summing one such column.
const MOST_SCAN: u64 = 10;
/// How far a count may be above the committed one.
const SLACK: f64 = 0.03;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(place) = arguments.iter().position(|word| word == "--child") {
        return points::child(Path::new(&arguments[place + 1]), &arguments[place + 2]);
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/instructions.json");
    let known: BTreeMap<String, u64> =
        std::fs::read_to_string(&file).map(|text| serde_json::from_str(&text).unwrap()).unwrap_or_default();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("points.gpkg");
    points::generate(&store, 10_000);
    let (mut found, mut faults) = (BTreeMap::new(), Vec::new());
    println!(
        "{:>10} {:>12} {:>12} {:>6}  instructions a question, {} rows in a box",
        "",
        "committed",
        "now",
        "ratio",
        points::ANSWER_ROWS
    );
    for (question, about) in QUESTIONS {
        let now = points::instructions(&store, question);
        let before = known.get(question).copied().unwrap_or(0);
        let ratio = now as f64 / before as f64;
        println!("{question:>10} {before:>12} {now:>12} {ratio:>6.2}  {about}");
        // A question without a committed count has no ratio and fails too.
        if ratio.is_nan() || ratio > 1.0 + SLACK {
            faults.push(question);
        } else if ratio < 1.0 - SLACK {
            println!("{question} takes fewer instructions: write the figures anew");
        }
        found.insert(question, now);
    }
    let [scan, sum] = ["scan", "sum"].map(|question| points::instructions(&store, question));
    println!(
        "{:>10} {:>12} {scan:>12} {:>6.2}  two comparisons of every row; the ratio is to summing a column",
        "scan",
        "",
        scan as f64 / sum as f64
    );
    assert!(
        scan <= sum * MOST_SCAN,
        "a filter of two comparisons takes {scan} instructions, summing a column {sum}"
    );
    if std::env::var_os("THROUGHLINE_NEW_FIGURES").is_some() {
        let text = serde_json::to_string_pretty(&found).unwrap();
        std::fs::write(&file, text + "\n").unwrap();
    } else if !faults.is_empty() {
        panic!("instructions of {} are more than 3 % above the committed figures", faults.join(", "));
    }
}
