//! Lanes: one isolated wire, target and clock, where one case runs at a time.
//!
//! The lane is the only thing that waits. It drives `Exec`: it carries frames, application calls
//! and replies between `Exec`, the wire and the target, tells it the time, and records every input
//! so that the case can be judged again from a file.

pub mod any;
mod asking;
pub mod attached;
mod due;
pub mod oracle;
pub mod real;
pub mod sim;
mod stall;
#[cfg(target_os = "linux")]
pub mod veth;

use crate::engine::Stage;
use crate::event::Try;
use crate::plan::Plan;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

/// Where cases run. Kept and reused from case to case.
pub trait Lane: Send {
    /// Runs one case to its end. Never fails: what breaks is part of the verdict.
    fn run(&mut self, plan: &Arc<Plan>) -> impl Future<Output = Try> + Send;

    /// Where to write how far the cases to come have come. Virtual time has nothing to tell.
    fn tell(&mut self, _progress: Arc<Progress>) {}
}

/// How far a case has come, for whoever waits for it.
#[derive(Debug, Default)]
pub struct Progress(Mutex<Option<Stage>>);

impl Progress {
    pub fn note(&self, stage: Stage) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(stage);
    }

    pub fn stage(&self) -> Option<Stage> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes lanes for one target on one kind of wire.
pub trait LaneMaker: Send + Sync + 'static {
    type Lane: Lane + 'static;

    /// `sim`, `veth`, `tap` ...
    fn wire(&self) -> &'static str;

    fn make(&self) -> impl Future<Output = Result<Self::Lane, SetupError>> + Send;
}

/// The harness or its environment is not able to run cases: what was tried, why it failed, what to do.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot {operation}: {cause}")]
pub struct SetupError {
    pub operation: String,
    pub cause: String,
    pub hint: Option<String>,
}
