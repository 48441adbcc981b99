//! A lane task: takes cases from the queue and tries each as often as it takes.

use super::finish::{self, Next};
use super::throttle::Turn;
use super::{Options, Shared};
use crate::engine::Outcome;
use crate::event::{CaseFinished, RunEvent, Try};
use crate::lane::{Lane, LaneMaker, Progress, SetupError};
use crate::plan::{CaseInfo, Plan};
use crate::suite::model::Family;
use crate::target::deviation::Deviation;
use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at, sleep};

/// How often a slow case is mentioned in the time after which it is slow.
const SLOW_PARTS: u32 = 10;

/// A case on its way through the queue, with the tries it has had.
pub(super) struct Pending {
    pub(super) info: CaseInfo,
    plan: Arc<Plan>,
    fresh: bool,
    deviation: Option<Deviation>,
    /// How long it is expected to take.
    pub(super) takes: Duration,
    pub(super) tries: Vec<Try>,
}

impl Pending {
    pub(super) fn new(
        info: CaseInfo,
        plan: Arc<Plan>,
        fresh: bool,
        deviation: Option<Deviation>,
        takes: Duration,
    ) -> Self {
        Self { info, plan, fresh, deviation, takes, tries: vec![] }
    }

    pub(super) fn key(&self) -> (&str, Family) {
        (&self.info.id, self.info.family)
    }

    pub(super) fn finish(self, options: &Options) -> CaseFinished {
        let Self { info, plan, fresh: _, deviation, takes: _, tries } = self;
        // The lane is done with it, so this rarely copies.
        let plan = Box::new(Arc::unwrap_or_clone(plan));
        finish::tried(info, plan, tries, deviation.as_ref(), options.repeat.get(), options.deny)
    }
}

/// One lane and what it needs to run cases.
pub(super) struct Worker<M: LaneMaker> {
    link: Link<M>,
    /// Made when the first case needs it.
    lane: Option<M::Lane>,
    used: bool,
}

/// What a worker shares with the others; apart from the lane, so that a try can borrow both.
struct Link<M> {
    shared: Arc<Shared<M>>,
    events: mpsc::Sender<RunEvent>,
}

impl<M: LaneMaker> Worker<M> {
    pub(super) fn new(shared: Arc<Shared<M>>, events: mpsc::Sender<RunEvent>, lane: Option<M::Lane>) -> Self {
        let used = lane.is_some();
        Self { link: Link { shared, events }, lane, used }
    }

    /// Until there is nothing to take; gives the lane back for later use.
    pub(super) async fn work(mut self) -> Result<Option<M::Lane>, SetupError> {
        let shared = Arc::clone(&self.link.shared);
        loop {
            let turn = shared.throttle.turn().await;
            let Some(case) = shared.queue.take() else { break };
            self.case(case, &turn).await?;
            // A lane in virtual time never waits: let the dispatcher have its turn.
            tokio::task::yield_now().await;
        }
        Ok(self.lane)
    }

    async fn case(&mut self, mut case: Pending, turn: &Turn<'_>) -> Result<(), SetupError> {
        let alone = self.link.shared.is_alone.load(Ordering::Relaxed);
        loop {
            let lane = match self.ready(case.fresh).await {
                Ok(lane) => lane,
                Err(error) => {
                    self.link.shared.queue.put_back(case);
                    return Err(error);
                }
            };
            let attempt = u32::try_from(case.tries.len() + 1).unwrap_or(u32::MAX);
            self.link
                .tell(RunEvent::CaseStarted { id: case.info.id.clone(), family: case.info.family, attempt })
                .await;
            let (tried, lane) = self.link.attempt(&case, lane).await;
            self.lane = lane;
            // Too many lanes make targets wait, too.
            turn.ended(tried.verdict.lateness.max(tried.verdict.waited));
            case.tries.push(tried);
            let options = &self.link.shared.options;
            let (retries, repeat) = (options.retries, options.repeat.get());
            match finish::next(&case.tries, retries, repeat, options.deny, alone) {
                Next::Again if !self.link.shared.queue.is_closed() => {}
                Next::Alone => {
                    self.link.shared.queue.alone(case);
                    return Ok(());
                }
                Next::Done | Next::Again => {
                    let finished = case.finish(options);
                    self.link.tell(RunEvent::CaseFinished(Box::new(finished))).await;
                    return Ok(());
                }
            }
        }
    }

    /// A lane, new where there is none or the case wants its own.
    async fn ready(&mut self, fresh: bool) -> Result<M::Lane, SetupError> {
        let lane = match self.lane.take() {
            Some(lane) if !(fresh && self.used) => lane,
            Some(_) | None => {
                let _permit = self.link.shared.making.acquire().await;
                self.link.shared.maker.make().await?
            }
        };
        self.used = true;
        Ok(lane)
    }
}

impl<M: LaneMaker> Link<M> {
    /// One try. The lane comes back unless it may be broken.
    async fn attempt(&self, case: &Pending, mut lane: M::Lane) -> (Try, Option<M::Lane>) {
        let options = &self.shared.options;
        let begun = Instant::now();
        let progress = Arc::new(Progress::default());
        lane.tell(Arc::clone(&progress));
        let limit = sleep(options.case_limit);
        let given_up = async {
            // The sender lives as long as `shared`.
            let _true = self.shared.given_up.subscribe().wait_for(|given_up| *given_up).await.map(|_| ());
        };
        let mut slow = interval_at(begun + options.slow_after, options.slow_after / SLOW_PARTS);
        let tried = {
            let mut running = CatchPanic(Box::pin(lane.run(&case.plan)));
            tokio::pin!(limit, given_up);
            loop {
                tokio::select! {
                    biased;
                    tried = &mut running => break tried,
                    () = &mut limit => {
                        let span = crate::time::span(options.case_limit);
                        break Err(format!("the case was still running after {span}; it was given up"));
                    }
                    () = &mut given_up => {
                        break Err("the whole run took too long; the case was given up".to_owned());
                    }
                    _ = slow.tick() => {
                        let (id, family) = (case.info.id.clone(), case.info.family);
                        let (elapsed, stage) = (begun.elapsed(), progress.stage());
                        self.tell(RunEvent::CaseSlow { id, family, elapsed, stage }).await;
                    }
                }
            }
        };
        match tried {
            Ok(tried) if tried.verdict.outcome == Outcome::Error => (tried, None),
            Ok(tried) if case.fresh => (tried, None),
            Ok(tried) => (tried, Some(lane)),
            Err(why) => (finish::broken(why), None),
        }
    }

    async fn tell(&self, event: RunEvent) {
        // The dispatcher reads until all lanes are gone; if it is gone itself, nobody listens.
        let _ = self.events.send(event).await;
    }
}

/// A case that panics is a fault of the harness in that case, not the end of the run.
struct CatchPanic<F>(Pin<Box<F>>);

impl<F: Future> Future for CatchPanic<F> {
    type Output = Result<F::Output, String>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(format!("the harness panicked: {}", message(&*panic)))),
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}
