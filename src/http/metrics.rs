//! Counters of requests by operation and status class, and of their time.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::http::routes::Route;

/// One set of counters for each route, and one for everything that met none.
#[derive(Debug)]
pub struct Metrics {
    routes: &'static [Route],
    counted: Vec<RouteMetrics>,
}

#[derive(Debug, Default)]
struct RouteMetrics {
    by_class: [AtomicU64; 5],
    micros: AtomicU64,
}

impl Metrics {
    /// Of a list of routes.
    #[must_use]
    pub fn new(routes: &'static [Route]) -> Self {
        Self { routes, counted: (0..=routes.len()).map(|_| RouteMetrics::default()).collect() }
    }

    /// Counts an answer of the route at a place in the list, `None` for no route.
    pub fn count(&self, route: Option<usize>, status: u16, micros: u64) {
        let metrics = &self.counted[route.unwrap_or(self.routes.len())];
        let class = usize::from((status / 100).clamp(1, 5)) - 1;
        metrics.by_class[class].fetch_add(1, Ordering::Relaxed);
        metrics.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// In the Prometheus text format.
    pub fn to_text(&self) -> String {
        let mut out = String::from(
            "# HELP throughline_requests_total Requests by operation and status class.\n# TYPE throughline_requests_total counter\n",
        );
        let names = self.routes.iter().map(|route| route.operation).chain(["none"]);
        for (name, metrics) in names.clone().zip(&self.counted) {
            for (class, count) in metrics.by_class.iter().enumerate() {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let class = class + 1;
                    out.push_str(&format!(
                        "throughline_requests_total{{operation=\"{name}\",status=\"{class}xx\"}} {count}\n"
                    ));
                }
            }
        }
        out.push_str(
            "# HELP throughline_request_seconds_total Time spent answering.\n# TYPE throughline_request_seconds_total counter\n",
        );
        for (name, metrics) in names.zip(&self.counted) {
            let micros = metrics.micros.load(Ordering::Relaxed);
            if micros > 0 {
                let seconds = micros as f64 / 1e6;
                out.push_str(&format!(
                    "throughline_request_seconds_total{{operation=\"{name}\"}} {seconds}\n"
                ));
            }
        }
        out
    }
}
