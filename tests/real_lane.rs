//! The corpus on a real clock agrees with the corpus in virtual time, case by case.
//!
//! The wire is a pair of channels, so this needs no privilege: what is tested is the lane, its clock
//! and the reference as a host, many lanes at once. Cases that take over ten seconds of real time run
//! where `TCPSPEC_SLOW_TESTS` is set.
#![allow(clippy::disallowed_methods, reason = "a test on a real clock")]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};
use tcpspec::engine::{Outcome, Verdict};
use tcpspec::lane::real::RealLane;
use tcpspec::lane::{Lane, sim};
use tcpspec::plan::Plan;
use tcpspec::target::reference::host::ReferenceHost;
use tcpspec::wire::{Received, Wire, WireError};
use tokio::sync::mpsc;

/// One end of a wire made of channels.
struct Channel {
    to: mpsc::UnboundedSender<Received>,
    from: mpsc::UnboundedReceiver<Received>,
}

fn pair() -> (Channel, Channel) {
    let (there, here) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
    (Channel { to: there.0, from: here.1 }, Channel { to: here.0, from: there.1 })
}

impl Wire for Channel {
    async fn recv(&mut self) -> Result<Received, WireError> {
        let gone = || WireError { operation: "receive", cause: "the other end is gone".into() };
        self.from.recv().await.ok_or_else(gone)
    }

    async fn send(&mut self, packet: &[u8]) -> Result<Instant, WireError> {
        let at = Instant::now();
        // What an unplugged cable does.
        let _lost = self.to.send(Received { at, packet: packet.to_vec() });
        Ok(at)
    }

    fn lost(&mut self) -> u64 {
        0
    }
}

/// How long a case takes that is not slow.
const SHORT: Duration = Duration::from_secs(10);

/// Lanes at once: most of them wait most of the time.
const LANES: usize = 256;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_and_virtual_time_agree() {
    let slow = std::env::var_os("TCPSPEC_SLOW_TESTS").is_some();
    let lanes = Arc::new(tokio::sync::Semaphore::new(LANES));
    let mut running = tokio::task::JoinSet::new();
    for plan in common::plans() {
        let plan = Arc::new(plan);
        if !slow && sim::run(&plan, None).verdict.took > SHORT {
            continue;
        }
        let lanes = Arc::clone(&lanes);
        running.spawn(async move {
            let _lane = lanes.acquire_owned().await.expect("a semaphore that stays open");
            let verdict = real(&plan).await;
            (plan, verdict)
        });
    }
    let mut judged = Vec::new();
    while let Some(result) = running.join_next().await {
        judged.push(result.expect("a lane that does not panic"));
    }
    let mut wrong = Vec::new();
    for (plan, mut verdict) in judged {
        // As the scheduler does: what we were too late for is tried again, alone.
        if verdict.outcome == Outcome::Inconclusive {
            verdict = real(&plan).await;
        }
        let expected = sim::run(&plan, None).verdict.outcome;
        if verdict.outcome != expected {
            let case = &plan.case;
            let (real, reason) = (verdict.outcome, verdict.reason);
            wrong.push(format!("{} {}: sim {expected}, real {real}: {reason}", case.id, case.family));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

async fn real(plan: &Arc<Plan>) -> Verdict {
    let (ours, theirs) = pair();
    let host = ReferenceHost::start(theirs, plan.profile.net.clone(), plan.seed, None);
    RealLane::new(ours, host, 0).run(plan).await.verdict
}
