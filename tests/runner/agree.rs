//! The reference over veth in real time does what it does in virtual time, case by case, with and without its bugs.
//!
//! Cases that wait for longer than half a second run where `TCPSPEC_SLOW_TESTS` is set.

use crate::common;
use crate::lab_tests;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tcpspec::engine::Outcome;
use tcpspec::lane::sim;
use tcpspec::lane::veth::ReferenceMaker;
use tcpspec::plan::Plan;
use tcpspec::run::{Options, judge};
use tcpspec::target::profile::Net;
use tcpspec_reference::Mutant;

/// Virtual time that a case may take to be run in real time.
const SHORT: Duration = Duration::from_millis(500);
const LANES: NonZeroUsize = NonZeroUsize::new(48).unwrap();
/// Bugs that are looked for on the wire, and cases for each.
const MUTANTS: usize = 20;
const CASES: usize = 3;

fn is_short(plan: &Plan) -> bool {
    sim::run(&Arc::new(plan.clone()), None).verdict.took <= SHORT
}

fn options() -> Options {
    let least = NonZeroUsize::new(4).expect("not zero");
    Options { lanes: LANES, lanes_least: least, ..Options::default() }
}

/// `id family: sim says, veth says` for every case on which they differ.
async fn differences(plans: Vec<Plan>, mutant: Option<Mutant>) -> Vec<String> {
    let maker = ReferenceMaker::new(Net::default(), mutant);
    let judged = judge(maker, plans, options()).await.unwrap();
    let differs = judged.into_iter().filter_map(|case| {
        let plan = Arc::new(*case.plan.expect("a case that ran has a plan"));
        let says = sim::run(&plan, mutant).verdict.outcome;
        let (outcome, reason) = (case.verdict.outcome, case.verdict.reason);
        let name = format!("{} {}", case.info.id, case.info.family);
        (outcome != says).then(|| format!("{name}: sim says {says}, veth says {outcome}: {reason}"))
    });
    differs.collect()
}

lab_tests! {
    async fn the_reference_over_veth_agrees_with_virtual_time() {
        let all = std::env::var_os("TCPSPEC_SLOW_TESTS").is_some();
        let plans: Vec<_> = common::plans().into_iter().filter(|plan| all || is_short(plan)).collect();
        assert!(plans.len() > 500, "{} cases", plans.len());
        let wrong = differences(plans, None).await;
        assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
    }

    /// A bug is a bug on any wire. Cases that kill it in virtual time kill it here, and the others pass.
    async fn bugs_of_the_reference_are_seen_over_veth() {
        let plans = common::plans();
        let sample: Vec<_> = spread(Mutant::ALL).filter_map(|mutant| killers(&plans, mutant)).take(MUTANTS).collect();
        assert_eq!(sample.len(), MUTANTS, "so many bugs have short cases");
        let mut wrong = Vec::new();
        for (mutant, plans) in sample {
            let mut differ = differences(plans.clone(), Some(mutant)).await;
            if !differ.is_empty() {
                // Where others keep the machine busy we are late; what is so is so again.
                differ = differences(plans, Some(mutant)).await;
            }
            wrong.extend((!differ.is_empty()).then(|| format!("{}:\n{}", mutant.id(), differ.join("\n"))));
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// The short cases that name the bug and kill it in virtual time; `None` if there are none.
fn killers(plans: &[Plan], mutant: Mutant) -> Option<(Mutant, Vec<Plan>)> {
    let names = |plan: &&Plan| plan.case.kills.iter().any(|id| id == mutant.id());
    let kills = |plan: &&Plan| {
        let outcome = sim::run(&Arc::new((*plan).clone()), Some(mutant)).verdict.outcome;
        matches!(outcome, Outcome::Fail | Outcome::Warn) && is_short(plan)
    };
    let named: Vec<_> = plans.iter().filter(names).filter(kills).take(CASES).cloned().collect();
    (!named.is_empty()).then_some((mutant, named))
}

/// From all parts of the list first.
fn spread(all: &[Mutant]) -> impl Iterator<Item = Mutant> {
    let stride = all.len().div_ceil(MUTANTS);
    (0..stride).flat_map(move |first| all.iter().copied().skip(first).step_by(stride))
}
