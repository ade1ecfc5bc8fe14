//! The loop of one target, which the variable `HOLDLINE_FUZZ_TARGET` names. libFuzzer gives the
//! target bytes, and keeps those that reach something new. `fuzz/run` builds and starts it.

#![no_main]

use std::sync::LazyLock;

use holdline_fuzz::{TARGETS, Target};

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("HOLDLINE_FUZZ_TARGET").unwrap_or_default();
    let named = TARGETS.into_iter().find(|target| target.name == name);
    named.unwrap_or_else(|| panic!("HOLDLINE_FUZZ_TARGET must name a target, not {name:?}"))
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| (TARGET.run)(bytes));
