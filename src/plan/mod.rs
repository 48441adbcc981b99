//! Case x target profile x family x seed -> `Plan`: all that one execution needs to know. Pure.
//!
//! A plan is self-contained: it is written to `run.jsonl`, and a fresh `Exec` can re-judge a
//! recorded run from it without the suites, the target or a network.

mod build;
mod unroll;

pub(crate) use build::mix;
pub use build::{PlanError, Planned, plan};

use crate::suite::model::{Family, Level, Mode, Place, Step, Tolerate};
use crate::target::profile::Profile;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub case: CaseInfo,
    #[serde(default, skip_serializing_if = "Mode::is_scripted")]
    pub mode: Mode,
    pub seed: u64,
    pub tuple: Tuple,
    /// The injector's initial sequence number.
    pub isn: u32,
    pub profile: Profile,
    pub fixtures: Vec<FixtureInfo>,
    pub strict: bool,
    pub tolerate: Vec<Tolerate>,
    pub steps: Vec<PlanStep>,
}

impl Plan {
    /// The same plan for another four-tuple.
    #[must_use]
    pub fn on(&self, tuple: Tuple) -> Self {
        Self { tuple, ..self.clone() }
    }
}

/// What reports say of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseInfo {
    pub id: String,
    pub family: Family,
    pub level: Level,
    pub title: String,
    pub refs: Vec<Reference>,
    pub tags: Vec<String>,
    pub lesson: Option<String>,
    pub kills: Vec<String>,
    pub points: u32,
    pub slow: bool,
    pub place: Place,
}

/// A requirement of the catalogue, with what a failure screen shows of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    pub id: String,
    pub title: String,
    /// `RFC 9293 3.10.7.2`, or the course item.
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FixtureInfo {
    pub id: String,
    pub tested_by: String,
}

/// The four-tuple of the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tuple {
    pub peer: IpAddr,
    pub peer_port: u16,
    pub target: IpAddr,
    pub target_port: u16,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanStep {
    /// Index into `Plan::fixtures`; `None` for the case's own steps.
    pub fixture: Option<usize>,
    /// Counts from 1 among the case's own (or the fixture's) steps, with lists and rounds written out.
    pub number: u32,
    pub step: Step,
}
