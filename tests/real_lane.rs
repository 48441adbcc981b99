//! The corpus on a real clock agrees with the corpus in virtual time, case by case.
//!
//! The wire is a pair of channels, so this needs no privilege: what is tested is the lane, its clock
//! and the reference as a host, many lanes at once, under the scheduler. So what was late on a busy machine is tried again
//! alone here as it is in a run, and what was late even then says nothing. Cases that take over ten seconds of real time run
//! where `TCPSPEC_SLOW_TESTS` is set.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test on a real clock, which says what it tried again"
)]

mod common;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tcpspec::engine::Outcome;
use tcpspec::event::{CaseFinished, Try};
use tcpspec::lane::real::RealLane;
use tcpspec::lane::{Lane, LaneMaker, SetupError, sim};
use tcpspec::plan::Plan;
use tcpspec::run::{Options, judge};
use tcpspec::target::profile::Net;
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

/// Lanes over channels, with the reference as a host at the other end.
struct Channels;

struct ChannelLane(RealLane<Channel, ReferenceHost>);

impl LaneMaker for Channels {
    type Lane = ChannelLane;

    fn wire(&self) -> &'static str {
        "channels"
    }

    async fn make(&self) -> Result<ChannelLane, SetupError> {
        let (ours, theirs) = pair();
        Ok(ChannelLane(RealLane::new(ours, ReferenceHost::start(theirs, Net::default(), 0, None), 0)))
    }
}

impl Lane for ChannelLane {
    async fn run(&mut self, plan: &Arc<Plan>) -> Try {
        self.0.parts().1.boot(plan).await;
        self.0.run(plan).await
    }
}

/// How long a case takes that is not slow.
const SHORT: Duration = Duration::from_secs(10);

/// Lanes at once: most of them wait most of the time.
const LANES: usize = 256;
/// With fewer nothing is late that would not be alone.
const LANES_LEAST: usize = 8;

#[test]
fn real_and_virtual_time_agree() {
    let slow = std::env::var_os("TCPSPEC_SLOW_TESTS").is_some();
    let is_wanted = |plan: &Plan| slow || sim::run(&Arc::new(plan.clone()), None).verdict.took <= SHORT;
    let judged = run(common::plans().into_iter().filter(is_wanted).collect());
    let mut unknown = Vec::new();
    let mut wrong = Vec::new();
    for case in &judged {
        let plan = Arc::new(*case.plan.clone().expect("it ran"));
        let expected = sim::run(&plan, None).verdict.outcome;
        let (id, real, reason) = (&case.info.id, case.verdict.outcome, &case.verdict.reason);
        let line = format!("{id} {}: sim {expected}, real {real}: {reason}", case.info.family);
        match real {
            Outcome::Inconclusive => unknown.push(line),
            _ if real != expected => wrong.push(line),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
    let again = judged.iter().filter(|case| case.tries.len() > 1).count();
    eprintln!(
        "of {} cases {again} were tried again, {} in vain:\n{}",
        judged.len(),
        unknown.len(),
        unknown.join("\n")
    );
    // A machine on which nothing can be told proves nothing.
    assert!(unknown.len() * 20 <= judged.len(), "{}", unknown.join("\n"));
}

/// As a run does it, on threads that go before others where they may.
fn run(plans: Vec<Plan>) -> Vec<CaseFinished> {
    let number = |n| NonZeroUsize::new(n).expect("not zero");
    let options = Options { lanes: number(LANES), lanes_least: number(LANES_LEAST), ..Options::default() };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().worker_threads(2);
    #[cfg(target_os = "linux")]
    runtime.on_thread_start(|| {
        let _may = tcpspec::lab::priority::go_first();
    });
    let runtime = runtime.build().unwrap();
    runtime.block_on(judge(Channels, plans, options)).unwrap()
}
