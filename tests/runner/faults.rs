//! The cases for the Linux kernel are seen to fail. The reference never meets them, so no mutant of it can be killed; but the
//! kernel can be made to do otherwise beneath a case, by another sysctl, another option, another segment on the wire. What is
//! done for which case stands in `tests/data/faults.yaml`.

use crate::common;
use crate::lab_tests;
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use tcpspec::engine::{Outcome, Verdict};
use tcpspec::lane::veth::KernelMaker;
use tcpspec::plan::{Plan, PlanStep};
use tcpspec::run::{Options, judge};
use tcpspec::suite::corpus::SourceFile;
use tcpspec::suite::model::{App, Family, LinuxCall, Verb};
use tcpspec::target::profile::{Net, Profile};

const LANES: NonZeroUsize = NonZeroUsize::new(48).unwrap();
/// The suite that the steps of the faults are read as, a case for each.
const SUITE: &str = "linux/faults";
/// Where others keep the machine busy we are late; what is so is so again.
const TRIES: usize = 3;
const LANES_AGAIN: NonZeroUsize = NonZeroUsize::new(8).unwrap();

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    case: String,
    /// In words.
    fault: String,
    /// The steps go in before this one of the case's own.
    before: Option<u32>,
    /// The step takes the place of this one.
    instead: Option<u32>,
    steps: Vec<serde_json::Value>,
    /// Part of what the verdict must say, and does not say without the fault.
    seen: String,
}

/// A case with a fault beneath it.
struct Spoilt<'a> {
    fault: &'a Fault,
    plan: Plan,
}

fn faults() -> Vec<Fault> {
    serde_yaml::from_str(include_str!("../data/faults.yaml")).unwrap()
}

/// The faults as a suite, so that their steps are read as those of any case.
fn suite(faults: &[Fault]) -> SourceFile {
    let case = |(n, fault): (usize, &Fault)| json!({"id": format!("fault-{n}"), "title": fault.fault, "refs": ["LINUX-TCP_INFO"], "steps": fault.steps});
    let cases: Vec<_> = faults.iter().enumerate().map(case).collect();
    let suite =
        json!({"title": "Faults", "level": "must", "tags": ["linux"], "needs": ["linux"], "cases": cases});
    SourceFile::new("tests/data/faults.yaml", SUITE, suite.to_string().into_bytes())
}

/// The plans of the cases for Linux, as they are and with each of their faults.
fn plans<'a>(profile: &Profile, faults: &'a [Fault]) -> (Vec<Plan>, Vec<Spoilt<'a>>) {
    let all = common::planned_beside(vec![suite(faults)], profile, &|case, _| {
        case.needs.iter().any(|id| id == "linux")
    });
    let (of_faults, clean): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|plan| plan.case.id.starts_with(SUITE));
    let steps: BTreeMap<(String, Family), Vec<PlanStep>> =
        of_faults.into_iter().map(|plan| (name(&plan), plan.steps)).collect();
    let mut spoilt = Vec::new();
    for (n, fault) in faults.iter().enumerate() {
        let of_case: Vec<_> = clean.iter().filter(|plan| plan.case.id == fault.case).collect();
        assert!(!of_case.is_empty(), "there is no case `{}`", fault.case);
        for plan in of_case {
            let steps = &steps[&(format!("{SUITE}/fault-{n}"), plan.case.family)];
            spoilt.push(Spoilt { fault, plan: spoil(plan, fault, steps) });
        }
    }
    (clean, spoilt)
}

fn name(plan: &Plan) -> (String, Family) {
    (plan.case.id.clone(), plan.case.family)
}

/// Puts the steps of a fault into a case, which goes on expecting what it expects.
fn spoil(plan: &Plan, fault: &Fault, steps: &[PlanStep]) -> Plan {
    let number = fault.before.xor(fault.instead).expect("one of `before` and `instead`");
    let is_there = |step: &PlanStep| step.fixture.is_none() && step.number == number;
    let at = plan.steps.iter().position(is_there);
    let at = at.unwrap_or_else(|| panic!("{} has no step {number}", fault.case));
    let acts = steps.iter().all(|step| acts(&step.step.verb));
    assert!(acts, "a fault asks nothing: {}", fault.case);
    let mut plan = plan.clone();
    let end = if fault.instead.is_some() {
        let (old, new) = (&plan.steps[at].step.verb, &steps[0].step.verb);
        assert!(steps.len() == 1 && same_result(old, new), "another expectation is no fault: {}", fault.case);
        at + 1
    } else {
        at
    };
    plan.steps.splice(at..end, steps.iter().cloned());
    plan.case.id = format!("{}: {}", fault.case, fault.fault);
    plan
}

/// Does something, instead of asking what is so.
fn acts(verb: &Verb) -> bool {
    match verb {
        Verb::Send(_) | Verb::Wait(_) => true,
        Verb::App(app) => !matches!(app, App::Expect(_) | App::Status(_)),
        Verb::Linux(linux) => matches!(
            linux.call,
            LinuxCall::Sysctl(_)
                | LinuxCall::SetSockOpt { .. }
                | LinuxCall::Listen { .. }
                | LinuxCall::Shutdown { .. }
                | LinuxCall::Send { .. }
                | LinuxCall::Recv { .. }
        ),
        _ => false,
    }
}

/// What is expected of the step stays as it is.
fn same_result(old: &Verb, new: &Verb) -> bool {
    match (old, new) {
        (Verb::Linux(old), Verb::Linux(new)) => old.result == new.result && old.on == new.on,
        (Verb::Send(_), Verb::Send(_)) => true,
        _ => false,
    }
}

/// What each plan came to, by its name.
async fn judged(plans: Vec<Plan>, lanes: NonZeroUsize) -> BTreeMap<(String, Family), Verdict> {
    let options = Options { lanes, ..Options::default() };
    let cases = judge(KernelMaker::new(Net::default()), plans, options).await.unwrap();
    cases.into_iter().map(|case| ((case.info.id, case.info.family), case.verdict)).collect()
}

/// All that a verdict says.
fn told(verdict: &Verdict) -> String {
    let means = verdict.violation.as_ref().and_then(|violation| violation.means.as_deref());
    format!("{}: {} {}", verdict.outcome, verdict.reason, means.unwrap_or_default())
}

/// Why a fault was not seen for what it is, if so.
fn unseen(spoilt: &Spoilt<'_>, clean: &Verdict, verdict: &Verdict) -> Option<String> {
    let (said, without) = (told(verdict), told(clean));
    let failed = matches!(verdict.outcome, Outcome::Fail | Outcome::Warn);
    let is_seen = failed && said.contains(&spoilt.fault.seen) && !without.contains(&spoilt.fault.seen);
    let (case, fault, seen) = (&spoilt.plan.case, &spoilt.fault.fault, &spoilt.fault.seen);
    let what =
        || format!("{} {}: {fault}: not `{seen}` but `{said}`; without it `{without}`", case.id, case.family);
    (!is_seen).then(what)
}

lab_tests! {
    async fn every_fault_of_the_kernel_is_seen() {
        let profile = KernelMaker::new(Net::default()).profile().await.unwrap();
        let faults = faults();
        let (clean, mut left) = plans(&profile, &faults);
        let mut lanes = LANES;
        let mut wrong = Vec::new();
        for _ in 0..TRIES {
            let all = left.iter().map(|spoilt| &spoilt.plan).chain(&clean).cloned().collect();
            let verdicts = judged(all, lanes).await;
            let mut again = Vec::new();
            wrong.clear();
            for spoilt in left {
                let without = &verdicts[&(spoilt.fault.case.clone(), spoilt.plan.case.family)];
                if let Some(what) = unseen(&spoilt, without, &verdicts[&name(&spoilt.plan)]) {
                    wrong.push(what);
                    again.push(spoilt);
                }
            }
            left = again;
            lanes = LANES_AGAIN;
            if left.is_empty() {
                break;
            }
        }
        assert!(wrong.is_empty(), "{} faults are not seen:\n{}", wrong.len(), wrong.join("\n"));
    }
}

#[test]
fn every_case_for_linux_has_a_fault() {
    let mut linux = tcpspec::target::reference::profile();
    linux.abilities.insert("linux".to_owned());
    let faults = faults();
    let proven: BTreeSet<&str> = faults.iter().map(|fault| fault.case.as_str()).collect();
    let (clean, _) = plans(&linux, &faults);
    let never: BTreeSet<&str> =
        clean.iter().map(|plan| plan.case.id.as_str()).filter(|id| !proven.contains(id)).collect();
    assert!(never.is_empty(), "nothing in tests/data/faults.yaml makes these fail: {never:#?}");
}
