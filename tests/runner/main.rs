//! Whole runs on a real wire: the reference in real time, and what a run does when something goes wrong.
//!
//! Without privilege a test runs itself again in a user namespace, or the program does. Where that is forbidden tests are
//! skipped loudly, unless `CI` is set: there they must run.
#![cfg(target_os = "linux")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "tests against the real world"
)]

mod agree;
#[path = "../common/mod.rs"]
mod common;
mod faults;
mod foresight;
#[path = "../common/host.rs"]
mod host;
mod identity;
mod program;
mod trouble;

/// Tests that need privilege.
macro_rules! lab_tests {
    ($($(#[$attribute:meta])* async fn $name:ident() $body:block)*) => {
        $(#[test] $(#[$attribute])* fn $name() {
            let module = module_path!().split_once("::").expect("a module of this binary").1;
            crate::host::with_privilege(&format!("{module}::{}", stringify!($name)), async $body);
        })*
    };
}
pub(crate) use lab_tests;
