//! Prints the OpenAPI document of the program's routes: the map's types are generated from it (`make types`).

#![expect(clippy::print_stdout, reason = "it prints")]

use throughline::http::openapi_document;
use throughline::http::routes::ROUTES;

fn main() {
    println!("{:#}", openapi_document("http://localhost:8080", ROUTES));
}
