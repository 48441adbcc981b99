//! **tcpspec**: TCP conformance cases in YAML, run against any TCP, with a requirement behind every
//! verdict.
//!
//! ```text
//! suites/**.yaml --parse--> Case --plan(target profile, family, seed)--> Plan                pure
//!                 |  diagnostics: all at once, with file:line:col and a snippet  |
//!                 v                                                              v
//!               tcpspec check                              scheduler: many lanes, tokio
//!                                                                                |
//!         +--------------------- lane: owns the clock and the only wait ---------v-----------+
//!         |  Exec (pure, sans-IO)  <-- frame / app reply / timeout --  drive  --> wire, target |
//!         |      real: a wire + tokio       sim: memory wire + reference stack, virtual time   |
//!         +------|-----------------------------------------------------------------------------+
//!                | CaseEvent
//!                v
//!          one ordered stream of RunEvents --> recorder (run.jsonl) --> report::*
//! ```

pub mod cli;
pub mod coverage;
pub mod engine;
pub mod event;
#[cfg(target_os = "linux")]
pub mod lab;
pub mod lane;
pub mod packet;
pub mod plan;
pub mod report;
pub mod run;
pub mod soak;
pub mod suite;
pub mod target;
pub mod time;
pub mod wire;
