//! The executor of a case, sans-IO: frames, application replies and the time go in; frames,
//! application calls, events and the next deadline come out.

mod book;
mod compose;
mod eval;
pub mod event;
mod exec;
pub mod io;
mod live;
mod matching;
mod monitor;
mod noise;
mod numbers;
pub mod pattern;
mod segment;
mod spans;
mod verdict;
mod waits;

pub(crate) use eval::known;
pub use event::{
    CaseEvent, CaseEventKind, Claim, Direction, MonitorCount, Outcome, Stage, Traffic, Verdict, Violation,
    ViolationKind,
};
pub use exec::{Exec, replay};
pub use io::{AppCall, AppEvent, AppOutcome, Input, InputKind, Output};
pub use monitor::{Rule as MonitorRule, rules as monitor_rules};
pub use verdict::verdict;
pub(crate) use verdict::{confirmed, headline};
pub use waits::waits;
