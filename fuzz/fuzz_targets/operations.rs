//! Application calls, segments, ICMP errors and time in any order: no panic, no unbounded growth. The driver is that
//! of the test `operations`.
#![no_main]

#[path = "../../reference/tests/operations/driver.rs"]
mod driver;
#[path = "../../reference/tests/script/mod.rs"]
mod script;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    driver::run(octets, None);
});
