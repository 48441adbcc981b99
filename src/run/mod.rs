//! The scheduler: many lanes pull cases from one queue; everything that happens leaves as one ordered
//! stream of `RunEvent`s.
//!
//! ```text
//! jobs -> queue (longest first) -> lane task 1..N --mpsc--> dispatcher -> emit(RunEvent)
//!                                    a case: tries, time limit, slow notice
//! ```
//! Cases that were inconclusive run again alone when all others are done. It knows nothing of reports,
//! files, signals or exit codes; an interrupt comes in as a watched flag.

mod attempt;
mod finish;
pub mod mutants;
mod partition;
mod queue;

pub use finish::Deny;
pub use partition::{Partition, PartitionError};

use crate::event::{CaseFinished, RunEvent, RunFinished, RunStarted};
use crate::lane::{LaneMaker, SetupError};
use crate::plan::{CaseInfo, Plan};
use crate::suite::model::Family;
use crate::target::profile::Deviation;
use attempt::{Pending, Worker};
use queue::Queue;
use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Events that may wait for the reports before the lanes do.
const EVENTS_WAITING_MAX: usize = 256;

/// One case instance to run.
#[derive(Debug, Clone)]
pub struct Job {
    pub info: CaseInfo,
    pub work: Work,
    /// `isolation: fresh`: a lane that no other case has used.
    pub fresh: bool,
    /// The known deviation of the target that names this case.
    pub deviation: Option<Deviation>,
}

#[derive(Debug, Clone)]
pub enum Work {
    Run(Box<Plan>),
    /// The target lacks what the case needs, and what that is.
    Unsupported(String),
}

#[derive(Debug, Clone)]
pub struct Options {
    /// How many lanes.
    pub lanes: NonZeroUsize,
    /// How often a case that did not pass is tried again.
    pub retries: u32,
    /// How often each case is run; the worst outcome counts.
    pub repeat: NonZeroU32,
    /// Take no more cases once one has not passed.
    pub fail_fast: bool,
    pub deny: Deny,
    /// A case that runs for longer than this is mentioned, and again each time as long.
    pub slow_after: Duration,
    /// A case that runs for longer than this is given up: the harness hangs, not the target.
    pub case_limit: Duration,
    /// How long cases took in an earlier run.
    pub durations: BTreeMap<(String, Family), Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lanes: NonZeroUsize::MIN,
            retries: 0,
            repeat: NonZeroU32::MIN,
            fail_fast: false,
            deny: Deny::default(),
            slow_after: Duration::from_secs(10),
            case_limit: Duration::from_secs(15 * 60),
            durations: BTreeMap::new(),
        }
    }
}

/// How a run ended, apart from what its cases say.
#[derive(Debug)]
pub struct Ended {
    pub interrupted: bool,
    /// Cases that were not run: after an interrupt, a failure with `fail_fast`, or for want of lanes.
    pub left: usize,
    /// Lanes that could not be made. The run goes on while there is one.
    pub lanes_lost: Vec<SetupError>,
}

impl Ended {
    /// The reason why cases were left, if it is that no lane could be made.
    pub fn setup_error(&self) -> Option<&SetupError> {
        self.lanes_lost.first().filter(|_| self.left > 0 && !self.interrupted)
    }
}

/// Runs the cases. The stream begins with `started` and always ends with `RunFinished`.
///
/// When `stop` becomes true no more cases are taken; those that run are waited for.
pub async fn run<M: LaneMaker>(
    started: RunStarted,
    jobs: Vec<Job>,
    maker: M,
    options: Options,
    mut stop: watch::Receiver<bool>,
    mut emit: impl FnMut(RunEvent),
) -> Ended {
    let clock = Instant::now();
    emit(RunEvent::RunStarted(started));
    let mut pending = Vec::new();
    for job in jobs {
        match job.work {
            Work::Run(plan) => pending.push(Pending::new(job.info, (*plan).into(), job.fresh, job.deviation)),
            Work::Unsupported(why) => {
                let case = finish::unsupported(job.info, job.deviation.as_ref(), why);
                emit(RunEvent::CaseFinished(Box::new(case)));
            }
        }
    }
    queue::sort(&mut pending, &options.durations);
    let lanes = options.lanes.get().min(pending.len());
    let shared = Arc::new(Shared { queue: Queue::new(pending), maker, options });
    let mut run = Dispatch { shared, lanes_lost: vec![], spare: None };
    run.phase(lanes, &mut stop, &mut emit).await;
    // What we were late for is tried again with nothing beside it.
    let mut left = run.shared.queue.len();
    if run.shared.queue.rewind() > 0 {
        run.phase(1, &mut stop, &mut emit).await;
        for case in run.shared.queue.drain() {
            left += usize::from(case.tries.is_empty());
            if !case.tries.is_empty() {
                emit(RunEvent::CaseFinished(Box::new(case.finish(&run.shared.options))));
            }
        }
    }
    let interrupted = *stop.borrow();
    emit(RunEvent::RunFinished(RunFinished { wall: clock.elapsed(), interrupted }));
    Ended { interrupted, left, lanes_lost: run.lanes_lost }
}

/// What the lane tasks share.
struct Shared<M> {
    queue: Queue,
    maker: M,
    options: Options,
}

struct Dispatch<M: LaneMaker> {
    shared: Arc<Shared<M>>,
    lanes_lost: Vec<SetupError>,
    /// A lane of the first phase, for the second.
    spare: Option<M::Lane>,
}

impl<M: LaneMaker> Dispatch<M> {
    /// Runs the queue dry with so many lanes, and puts what happens in one order.
    async fn phase(
        &mut self,
        lanes: usize,
        stop: &mut watch::Receiver<bool>,
        emit: &mut impl FnMut(RunEvent),
    ) {
        let (events, mut inbox) = mpsc::channel(EVENTS_WAITING_MAX);
        let mut tasks = JoinSet::new();
        for _ in 0..lanes {
            let worker = Worker::new(Arc::clone(&self.shared), events.clone(), self.spare.take());
            tasks.spawn(worker.work());
        }
        drop(events);
        let mut watching = true;
        if *stop.borrow_and_update() {
            self.shared.queue.close();
        }
        loop {
            tokio::select! {
                event = inbox.recv() => match event {
                    Some(event) => {
                        if self.shared.options.fail_fast && failed(&event) {
                            self.shared.queue.close();
                        }
                        emit(event);
                    }
                    None => break,
                },
                changed = stop.changed(), if watching => {
                    // An error means that nobody can interrupt any more.
                    watching = changed.is_ok();
                    if *stop.borrow_and_update() {
                        self.shared.queue.close();
                    }
                }
            }
        }
        while let Some(ended) = tasks.join_next().await {
            match ended {
                Ok(Ok(lane)) => self.spare = lane.or_else(|| self.spare.take()),
                Ok(Err(error)) => self.lanes_lost.push(error),
                Err(died) => self.lanes_lost.push(SetupError {
                    operation: "keep a lane running".into(),
                    cause: died.to_string(),
                    hint: None,
                }),
            }
        }
    }
}

/// True for a case after which `--fail-fast` stops.
fn failed(event: &RunEvent) -> bool {
    use crate::engine::Outcome::{Blocked, Error, Fail, Inconclusive, Pass, Unsupported, Warn};
    let of = |case: &CaseFinished| match case.verdict.outcome {
        Fail | Blocked | Error => !case.expected,
        Pass | Unsupported | Warn | Inconclusive => false,
    };
    match event {
        RunEvent::CaseFinished(case) => of(case),
        RunEvent::RunStarted(_)
        | RunEvent::CaseStarted { .. }
        | RunEvent::CaseSlow { .. }
        | RunEvent::RunFinished(_) => false,
    }
}

#[cfg(test)]
mod tests;
