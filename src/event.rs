//! `RunEvent`: the versioned contract between the run, the recorder and the reports.
//!
//! One ordered stream. Nobody asks a reporter for control flow. Adding a variant: give it a
//! `kebab-case` name that will not change, teach the recorder to write it (`report/record.rs`) and
//! each fold in `report/` what to do with it; the compiler lists them, for nobody uses `_ =>`.

use crate::engine::{CaseEvent, Input, Stage, Verdict};
use crate::plan::{CaseInfo, Plan, Tuple};
use crate::target::deviation::{Deviation, recorded};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The version of `run.jsonl`; readers refuse what they do not know.
pub const SCHEMA: u32 = 1;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum RunEvent {
    RunStarted(RunStarted),
    /// A case instance begins on a lane.
    CaseStarted {
        id: String,
        family: crate::suite::model::Family,
        attempt: u32,
    },
    /// It has been running for long. Comes again and again while it does.
    CaseSlow {
        id: String,
        family: crate::suite::model::Family,
        elapsed: Duration,
        /// How far it has come, where its lane tells.
        stage: Option<Stage>,
    },
    CaseFinished(Box<CaseFinished>),
    RunFinished(RunFinished),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    pub schema: u32,
    /// The version of tcpspec.
    pub version: String,
    pub target: String,
    pub wire: String,
    pub seed: u64,
    pub jobs: usize,
    /// Case instances selected.
    pub cases: usize,
    /// Unix time in ms; the recorder's only wall-clock time.
    pub started_unix_ms: u64,
}

/// All there is to know about one case instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseFinished {
    pub info: CaseInfo,
    /// `None` where the case was not run (unsupported).
    pub plan: Option<Box<Plan>>,
    /// One for each time it was run; the last one counts. Empty if it was not run.
    pub tries: Vec<Try>,
    pub verdict: Verdict,
    /// The known deviation of the target that names this case.
    #[serde(default, deserialize_with = "recorded")]
    pub deviation: Option<Deviation>,
    /// True where the outcome is what the target's known deviations (or, without one, the RFC) say.
    pub expected: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Try {
    /// The four-tuple of this try, where its lane chose a fresh one: the plan's otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuple: Option<Tuple>,
    pub inputs: Vec<Input>,
    pub verdict: Verdict,
    /// The last that the target's program wrote while a case ran that did not pass.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
    /// Derived from plan and inputs, so never written: reading a record runs `Exec` again.
    #[serde(skip)]
    pub events: Vec<CaseEvent>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFinished {
    pub wall: Duration,
    pub interrupted: bool,
}
