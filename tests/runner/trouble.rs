//! What happens to the wire in the middle of a case: the case says so, is never the target's failure, and the next lane
//! is as good as new.

use crate::common;
use crate::lab_tests;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;
use tcpspec::engine::{InputKind, Outcome};
use tcpspec::event::Try;
use tcpspec::lab::Pair;
use tcpspec::lane::veth::KernelMaker;
use tcpspec::lane::{Lane, LaneMaker};
use tcpspec::plan::Plan;
use tcpspec::suite::model::{Expect, Verb};
use tcpspec::target::profile::Net;

/// Long enough for the case to be under way.
const SOON: Duration = Duration::from_millis(100);

/// A case that waits for a while with the connection open, and the kernel passes it.
fn waiting() -> Arc<Plan> {
    let plans = common::plans();
    let plan = plans.into_iter().find(|plan| plan.case.id == "data/send/acknowledged-data-is-not-sent-again");
    let plan = plan.expect("the shipped suites have it");
    let is_silence = |verb: &Verb| matches!(verb, Verb::Expect(Expect::Nothing { .. }));
    assert!(plan.steps.iter().any(|planned| is_silence(&planned.step.verb)), "it waits no more");
    Arc::new(plan)
}

/// Runs the case on the kernel while `disturb` happens to its world.
async fn disturbed(disturb: impl AsyncFnOnce(Pair)) -> Try {
    let maker = KernelMaker::new(Net::default());
    let mut lane = maker.make().await.unwrap();
    let pair = lane.pair().clone();
    let plan = waiting();
    let (tried, ()) = tokio::join!(lane.run(&plan), async {
        tokio::time::sleep(SOON).await;
        disturb(pair).await;
    });
    drop(lane);
    // The trouble was that lane's alone.
    let mut other = maker.make().await.unwrap();
    let again = other.run(&plan).await;
    assert!(
        matches!(again.verdict.outcome, Outcome::Pass | Outcome::Inconclusive),
        "{}",
        again.verdict.reason
    );
    tried
}

lab_tests! {
    async fn an_interface_that_goes_down_is_the_harness_s_trouble() {
        let tried = disturbed(async |pair| pair.unplug().await.unwrap()).await;
        assert_eq!(tried.verdict.outcome, Outcome::Error);
        assert!(tried.verdict.reason.contains("the network device is down"), "{}", tried.verdict.reason);
    }

    async fn a_namespace_that_loses_its_device_is_the_harness_s_trouble() {
        let tried = disturbed(async |pair| pair.cut().await.unwrap()).await;
        assert_eq!(tried.verdict.outcome, Outcome::Error);
        // A device goes down before it goes.
        assert!(tried.verdict.reason.contains("the network device is "), "{}", tried.verdict.reason);
    }

    /// Frames that we had no room for: whatever silence there was proves nothing.
    async fn a_full_receive_buffer_makes_a_case_inconclusive() {
        let to = (Net::default().peer_v4, 9);
        let tried = disturbed(async |pair| {
            // Both wait: the thread that reads is kept busy here.
            let flood = move || {
                let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
                (0..30_000).for_each(|_| drop(socket.send_to(&[0; 1000], to)));
            };
            let namespace = pair.target().clone();
            tokio::task::block_in_place(|| std::thread::spawn(move || namespace.run_blocking(flood)).join())
                .unwrap();
        })
        .await;
        assert_eq!(tried.verdict.outcome, Outcome::Inconclusive, "{}", tried.verdict.reason);
        assert!(tried.verdict.reason.contains("frames were lost on our side"), "{}", tried.verdict.reason);
        assert!(tried.inputs.iter().any(|input| matches!(input.what, InputKind::CaptureLost { .. })));
    }
}
