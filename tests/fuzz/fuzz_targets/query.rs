//! Any bytes as part of an address: answered or refused with a reason, never a fault of ours.
#![no_main]

#[path = "../checks.rs"]
#[allow(dead_code, reason = "each target uses some of it")]
mod checks;

use std::sync::LazyLock;

use checks::Asker;
use libfuzzer_sys::fuzz_target;

static ASKER: LazyLock<Asker> = LazyLock::new(Asker::new);

fuzz_target!(|bytes: &[u8]| ASKER.ask(&checks::query_address(bytes)));
