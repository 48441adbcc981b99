//! Plans in, verdicts out: a whole run for whoever has no use for its events.

use super::{Job, Options, Work, run};
use crate::event::{CaseFinished, RunEvent, RunStarted, SCHEMA};
use crate::lane::{LaneMaker, SetupError};
use crate::plan::Plan;
use tokio::sync::watch;

/// Runs plans as a run does, lanes, tries and all, and gives what came of each, in the order of (id, family).
///
/// # Errors
/// Where no lane can be made.
pub async fn judge<M: LaneMaker>(
    maker: M,
    plans: Vec<Plan>,
    options: Options,
) -> Result<Vec<CaseFinished>, SetupError> {
    let job = |plan: Plan| {
        let info = plan.case.clone();
        Job { info, work: Work::Run(Box::new(plan)), fresh: false, deviation: None }
    };
    let started = RunStarted {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        target: plans.first().map(|plan| plan.profile.name.clone()).unwrap_or_default(),
        wire: maker.wire().to_owned(),
        seed: plans.first().map_or(0, |plan| plan.seed),
        jobs: options.lanes.get(),
        cases: plans.len(),
        started_unix_ms: 0,
    };
    let (_stop, stopped) = watch::channel(false);
    let mut cases = Vec::new();
    let jobs = plans.into_iter().map(job).collect();
    let ended = run(started, jobs, maker, options, stopped, |event| {
        if let RunEvent::CaseFinished(case) = event {
            cases.push(*case);
        }
    })
    .await;
    if let Some(error) = ended.setup_error() {
        return Err(error.clone());
    }
    cases.sort_by(|a, b| (&a.info.id, a.info.family).cmp(&(&b.info.id, b.info.family)));
    Ok(cases)
}
