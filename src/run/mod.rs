//! The scheduler: many lanes pull cases from one queue; everything that happens leaves as one ordered
//! stream of `RunEvent`s.
//!
//! ```text
//! jobs -> queue (longest first) -> lane task 1..N --mpsc--> dispatcher -> emit(RunEvent)
//!                                    a case: tries, time limit, slow notice
//! ```
//! Cases that were inconclusive run again alone when all others are done; fewer lanes run at once while what they send
//! leaves late. It knows nothing of reports,
//! files, signals or exit codes; an interrupt comes in as a watched flag.

mod attempt;
mod finish;
mod judge;
mod lanes;
pub mod mutants;
mod partition;
mod queue;
mod throttle;

pub use finish::Deny;
pub use judge::judge;
pub use lanes::{Durations, LEAST_EACH, enough as enough_lanes, foresee, too_long};
pub use partition::{Partition, PartitionError};

use crate::event::{CaseFinished, RunEvent, RunFinished, RunStarted};
use crate::lane::{LaneMaker, SetupError};
use crate::plan::{CaseInfo, Plan};
use crate::target::deviation::Deviation;
use attempt::{Pending, Worker};
use queue::Queue;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use throttle::{Bounds, Throttle};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long a case may take where nothing else is said: a run of all, slow ones too, is over within eight minutes.
pub const CASE_LIMIT: Duration = Duration::from_secs(7 * 60);

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
    /// How many lanes, at most.
    pub lanes: NonZeroUsize,
    /// Fewer lanes run while what they send leaves late, but never fewer than this.
    pub lanes_least: NonZeroUsize,
    /// How often a case that did not pass is tried again.
    pub retries: u32,
    /// How often each case is run; the worst outcome counts.
    pub repeat: NonZeroU32,
    /// Take no more cases once one has not passed.
    pub fail_fast: bool,
    pub deny: Deny,
    /// A case that runs for longer than this is mentioned, and from then on each time a tenth of it has passed: whoever watches
    /// sees that it moves.
    pub slow_after: Duration,
    /// A case that runs for longer than this is given up: the harness hangs, not the target.
    pub case_limit: Duration,
    /// A run that takes longer than this is given up, with the cases that are running.
    pub run_limit: Option<Duration>,
    /// The longest cases go first.
    pub durations: Durations,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lanes: NonZeroUsize::MIN,
            lanes_least: NonZeroUsize::MIN,
            retries: 0,
            repeat: NonZeroU32::MIN,
            fail_fast: false,
            deny: Deny::default(),
            slow_after: Duration::from_secs(10),
            case_limit: CASE_LIMIT,
            run_limit: None,
            durations: Durations::new(),
        }
    }
}

/// How a run ended, apart from what its cases say.
#[derive(Debug)]
pub struct Ended {
    pub interrupted: bool,
    /// Cases that were not run: after an interrupt, a failure with `fail_fast`, or for want of lanes.
    pub left: usize,
    /// The run took longer than it may.
    pub timed_out: bool,
    /// Lanes that could not be made. The run goes on while there is one.
    pub lanes_lost: Vec<SetupError>,
    /// How many lanes ran at once when it was fewest, where the machine was too busy for all of them.
    pub lanes_low: Option<usize>,
}

impl Ended {
    /// The reason why cases were left, if it is that no lane could be made.
    pub fn setup_error(&self) -> Option<&SetupError> {
        self.lanes_lost.first().filter(|_| self.left > 0 && !self.interrupted && !self.timed_out)
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
        let takes = lanes::estimate(&job, &options.durations);
        match job.work {
            Work::Run(plan) => {
                pending.push(Pending::new(job.info, (*plan).into(), job.fresh, job.deviation, takes));
            }
            Work::Unsupported(why) => {
                let case = finish::unsupported(job.info, job.deviation.as_ref(), why);
                emit(RunEvent::CaseFinished(Box::new(case)));
            }
        }
    }
    queue::sort(&mut pending);
    let lanes = options.lanes.get().min(pending.len());
    let bounds = Bounds { least: options.lanes_least.get().min(lanes), most: lanes.max(1) };
    let end = options.run_limit.and_then(|limit| clock.checked_add(limit));
    let shared = Arc::new(Shared {
        queue: Queue::new(pending),
        throttle: Throttle::new(bounds),
        making: Semaphore::new(MADE_AT_ONCE),
        is_alone: AtomicBool::new(false),
        given_up: watch::Sender::new(false),
        maker,
        options,
    });
    let mut run = Dispatch { shared, end, timed_out: false, lanes_lost: vec![], spare: vec![] };
    run.phase(lanes, &mut stop, &mut emit).await;
    // What we were late for is tried again with nothing beside it; if that is much, with little beside it before.
    let mut left = run.shared.queue.abandon();
    if run.shared.queue.to_try_again() > ALONE_MAX {
        run.shared.queue.rewind();
        run.phase(QUIET, &mut stop, &mut emit).await;
    }
    if run.shared.queue.rewind() > 0 {
        run.shared.is_alone.store(true, Ordering::Relaxed);
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
    let lanes_low = run.shared.throttle.low();
    Ended { interrupted, left, timed_out: run.timed_out, lanes_lost: run.lanes_lost, lanes_low }
}

/// So many cases are tried again alone, one after the other, without further ado.
const ALONE_MAX: usize = 3;

/// Lanes for many cases that are tried again. A stall of the machine makes all late that wait in it, and what takes seconds
/// each would take minutes alone.
const QUIET: usize = 8;

/// Lanes that are being made at a time: the first cases need not wait until there is one for the last.
const MADE_AT_ONCE: usize = 8;

/// What the lane tasks share.
struct Shared<M> {
    queue: Queue,
    throttle: Throttle,
    making: Semaphore,
    /// True once nothing runs beside a case.
    is_alone: AtomicBool,
    /// True once the run has taken too long.
    given_up: watch::Sender<bool>,
    maker: M,
    options: Options,
}

struct Dispatch<M: LaneMaker> {
    shared: Arc<Shared<M>>,
    /// When the run is given up.
    end: Option<Instant>,
    timed_out: bool,
    lanes_lost: Vec<SetupError>,
    /// The lanes of earlier phases. They are kept until the end, also those that no later phase needs: what the kernel does to
    /// take hundreds of them down would run beside the case that is to run alone.
    spare: Vec<M::Lane>,
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
            let worker = Worker::new(Arc::clone(&self.shared), events.clone(), self.spare.pop());
            tasks.spawn(worker.work());
        }
        drop(events);
        let mut watching = true;
        if *stop.borrow_and_update() {
            self.shared.queue.close();
        }
        loop {
            tokio::select! {
                () = until(self.end), if !self.timed_out => {
                    self.timed_out = true;
                    self.shared.queue.close();
                    self.shared.given_up.send_replace(true);
                }
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
                Ok(Ok(lane)) => self.spare.extend(lane),
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

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
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
