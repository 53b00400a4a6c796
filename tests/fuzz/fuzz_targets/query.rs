//! Any bytes as part of an address: answered or refused with a reason, never a fault of ours.
#![no_main]

#[path = "../checks.rs"]
#[allow(dead_code, reason = "each target uses some of it")]
mod checks;

use std::sync::LazyLock;

use checks::Asker;
use libfuzzer_sys::fuzz_target;

static ASKER: LazyLock<Asker> = LazyLock::new(Asker::new);

// Made before the first input, which would otherwise be charged for it.
fuzz_target!(init: { LazyLock::force(&ASKER); }, |bytes: &[u8]| ASKER.ask(&checks::query_address(bytes)));
