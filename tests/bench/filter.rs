//! Milliseconds of a filter of two comparisons over a million rows on one thread, beside summing one such column in the
//! same run. The best of some rounds.
//!
//! `cargo bench --bench filter`, or with `-- quick` for 100 k rows.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a measuring program")]

use std::hint::black_box;
use std::time::Instant;

use throughline::access::CollectionView;
use throughline::access::Principal;
use throughline::filter::Comparison;
use throughline::filter::Expr;
use throughline::filter::Scalar;
use throughline::model::Value;
use throughline::query::count;

#[expect(dead_code, reason = "only some of the points are wanted")]
mod points;

/// Rounds of which the best counts.
const ROUNDS: usize = 15;

fn main() {
    let quick = std::env::args().any(|word| word == "quick");
    let rows = if quick { 100_000 } else { 1_000_000 };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("points.gpkg");
    points::generate(&path, rows);
    let gate = points::open(&path);
    let view = gate.view(&Principal::LocalOperator);
    let collection = view.collection("points").unwrap();
    println!("{:>44} {:>9} {:>9} {:>7}", format!("{rows} rows"), "ms", "sum ms", "ratio");
    for (about, column, expr) in questions() {
        let bound = expr.bind(&view, collection).unwrap();
        let (scan, found) = best(|| count(collection, &bound));
        let (sum, _) = best(|| sum_of(collection, column));
        println!("{about:>44} {scan:>9.3} {sum:>9.3} {:>7.2}  {found} rows", scan / sum);
    }
}

/// What is asked, the column that is summed beside it, and the filter.
fn questions() -> Vec<(&'static str, &'static str, Expr)> {
    let compare = |name: &str, comparison: Comparison, value: Value| {
        Expr::Compare(comparison, Scalar::Property(name.to_owned()), Scalar::Literal(value))
    };
    let text = |text: &str| Value::Text(text.to_owned());
    let visits = || compare("visits", Comparison::Greater, Value::Int(100));
    let weight = || compare("weight", Comparison::Less, Value::Float(200.5));
    let kind = || compare("kind", Comparison::NotEqual, text("kind 3"));
    let force = || compare("force", Comparison::GreaterOrEqual, text("force 2"));
    let street = || compare("street", Comparison::GreaterOrEqual, text("Street 2"));
    let both = |one: Expr, other: Expr| Expr::And(vec![one, other]);
    vec![
        ("whole number and decimal number", "visits", both(visits(), weight())),
        (
            "decimal number twice",
            "weight",
            both(weight(), compare("weight", Comparison::Greater, Value::Int(3))),
        ),
        ("whole number and text of 12", "visits", both(visits(), kind())),
        ("text of 12 and text of 43, in order", "visits", both(kind(), force())),
        ("text of 43 and text of 5,000, in order", "visits", both(force(), street())),
    ]
}

/// The least milliseconds, and the result.
fn best<T>(ask: impl Fn() -> T) -> (f64, T) {
    let mut least = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        black_box(ask());
        least = least.min(start.elapsed().as_secs_f64() * 1e3);
    }
    (least, ask())
}

/// The sum of a numeric column, as its own loop over its own width.
fn sum_of(collection: &CollectionView, name: &str) -> i64 {
    points::sum(collection, collection.schema().position(name).unwrap())
}
