//! Any bytes as a file of this format: taken or refused, never a fault of ours.
#![no_main]

#[path = "../checks.rs"]
#[allow(dead_code, reason = "each target uses some of it")]
mod checks;

use std::sync::LazyLock;

use checks::Importer;
use libfuzzer_sys::fuzz_target;

static IMPORTER: LazyLock<Importer> = LazyLock::new(Importer::new);

// Made before the first input, which would otherwise be charged for it.
fuzz_target!(init: { LazyLock::force(&IMPORTER); }, |bytes: &[u8]| IMPORTER.take("d.gpkg", bytes));
