//! Arbitrary operations and segments on one endpoint: it never panics, never sends without end, and never holds
//! more than its limits allow. `TCPSPEC_SEEDS=N` runs N seeds; `fuzz/` feeds the same driver from a corpus.
#![allow(clippy::disallowed_methods)] // a test reads how long it shall run from the environment

mod driver;
#[path = "../script/mod.rs"]
mod script;

#[path = "../netsim/account.rs"]
mod account;

use std::panic::catch_unwind;

use tcpspec_reference::Mutant;

#[global_allocator]
static ALLOCATOR: account::Metered = account::Metered;

/// What an endpoint may hold after any of these runs: 50 connections of the configurations that the driver
/// chooses, each with its buffers, which double when they grow, and half-open ones besides.
const LIVE_MAX: isize = 64 << 20;

/// Octets that follow from a seed.
fn octets(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    core::iter::repeat_with(next).take(8000).collect()
}

fn seeds(default: u64) -> u64 {
    std::env::var("TCPSPEC_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn no_sequence_of_operations_does_harm() {
    let mut most = 0;
    for seed in 0..seeds(2000) {
        let input = octets(seed);
        let mut live = 0;
        let result = catch_unwind(core::panic::AssertUnwindSafe(|| {
            account::metered(&mut live, || driver::run(&input, None))
        }));
        let Ok(tcp) = result else { panic!("seed {seed}: see above") };
        assert!(live < LIVE_MAX, "seed {seed}: {live} octets are held");
        most = most.max(live);
        account::metered(&mut live, || drop(tcp));
        assert_eq!(live, 0, "seed {seed}: octets are left behind");
    }
    assert!(most > 0);
}

#[test]
fn no_mutant_panics() {
    for (seed, &mutant) in Mutant::ALL.iter().enumerate() {
        for round in 0..5 {
            let seed = seed as u64 * 1000 + round;
            let result = catch_unwind(|| driver::run(&octets(seed), Some(mutant)).connection_count());
            assert!(result.is_ok(), "{} seed {seed}", mutant.id());
        }
    }
}
