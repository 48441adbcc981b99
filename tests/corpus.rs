//! Every case of `suites/` as a test of its own, against the reference in virtual time.
//!
//! Four promises of the corpus, by name: `pass/…` each case passes on the clean reference, and `VARIANT/…` on its variants
//! (`classic/…` is a TCP of 1989); `kill/MUTANT/…` each case fails on the mutants that it says it kills; `same/…` the same seed gives the same events, and judging
//! the recorded inputs again gives the same verdict.

mod common;

use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tcpspec::engine::{Outcome, Verdict, monitor_rules, replay};
use tcpspec::lane::oracle::Oracle;
use tcpspec::lane::sim;
use tcpspec::plan::Plan;
use tcpspec::suite::model::{Case, Mode};
use tcpspec::target::reference::{self, Habit};
use tcpspec_reference::Mutant;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    let mut proving = Vec::new();
    for planned in common::plans() {
        let id = format!("{} {}", planned.case.id, planned.case.family);
        let planned = Arc::new(planned);
        proving.push(Arc::clone(&planned));
        for mutant in &planned.case.kills {
            let (mutant, case) = (mutant.clone(), Arc::clone(&planned));
            trials.push(Trial::test(format!("kill/{mutant}/{id}"), move || kills(&case, &mutant)));
        }
        let case = Arc::clone(&planned);
        trials.push(Trial::test(format!("same/{id}"), move || repeats(&case)));
        trials.push(Trial::test(format!("pass/{id}"), move || passes(&planned)));
    }
    for service in ["echo", "sink"] {
        trials.push(Trial::test(format!("serve/{service}"), move || serves(service)));
    }
    for variant in ["classic", "careful"] {
        for planned in common::plans_of(&format!("reference-{variant}")) {
            let id = format!("{} {}", planned.case.id, planned.case.family);
            trials.push(Trial::test(format!("{variant}/{id}"), move || passes(&Arc::new(planned))));
        }
    }
    for (monitor, mutant, scripted, live) in PROOFS {
        for (mode, pattern) in [(Mode::Scripted, scripted), (Mode::Live, live)] {
            let wanted = |plan: &&Arc<Plan>| plan.mode == mode && plan.case.id.contains(pattern);
            let cases: Vec<_> = proving.iter().filter(wanted).cloned().collect();
            let name = format!("monitor/{monitor}/{mutant}/{pattern}");
            trials.push(Trial::test(name, move || proves(monitor, mutant, &cases)));
        }
    }
    trials.push(Trial::test("monitor/every-one", every_monitor_is_proved));
    libtest_mimic::run(&arguments, trials).exit();
}

/// A monitor is proved by a bug that it sees, in both modes: monitor, mutant, scripted cases, live cases.
const PROOFS: &[(&str, &str, &str, &str)] = &[
    ("checksum", "checksum-without-options", "data/reassembly/", "live/recovery/three"),
    ("header", "reserved-bits-set", "data/receive/", "live/closing/fin-is"),
    ("ack-bit", "data-without-ack", "data/send/", "live/recovery/three"),
    ("options-negotiated", "mss-on-every-segment", "application/errors/", "live/attack/a-rst-inside"),
    ("timestamps", "timestamp-backwards", "timestamps/echo/", "live/recovery/three"),
    ("sack-blocks", "sack-block-reversed", "sack/receiver/", "live/transfer/both-of-100000"),
    ("right-edge", "window-ignored", "close/active/", "live/window/a-reader-of-crumbs"),
    ("ack-of-unsent", "hole-ignored", "data/reassembly/", "live/transfer/to-target-with-20"),
    ("ack-monotone", "ack-zero-on-data", "close/active/", "live/recovery/three"),
    ("retransmitted-bytes", "retransmission-differs", "data/send/", "live/recovery/three"),
    ("mss", "mss-ignored", "ecn/marks/", "live/window/tiny-segments"),
    ("content", "data-seq-off-by-one", "data/send/", "live/recovery/three"),
    ("rst-numbers", "rst-from-closed-port-wrong-seq", "reset/", "live/vanish/a-late-rst"),
    ("tuple", "rst-ports-not-swapped", "reset/generation/", "live/vanish/data-for"),
    ("options", "window-scale-length-wrong", "options/window-scale/", "live/transfer/both-of-100000"),
    ("beyond-fin", "fin-moves-when-resent", "close/active/", "live/closing/fin-is"),
    ("held-text", "out-of-order-dropped", "data/reassembly/", "live/transfer/to-target-with-20"),
    ("window-retracted", "window-shrinks", "window/receiver/", "live/window/a-slow-reader"),
    ("ecn", "ecn-not-negotiated", "application/errors/", "live/attack/a-rst-inside"),
    ("rst-for-rst", "rst-answered-with-rst", "reset/", "live/vanish/a-late-rst"),
    ("ack-of-ack", "ack-of-pure-ack", "application/errors/", "live/closing/simultaneous"),
];

fn every_monitor_is_proved() -> Result<(), Failed> {
    let all: BTreeSet<&str> = monitor_rules().map(|rule| rule.id).collect();
    let proved: BTreeSet<&str> = PROOFS.iter().map(|(monitor, ..)| *monitor).collect();
    match all.symmetric_difference(&proved).collect::<Vec<_>>().as_slice() {
        [] => Ok(()),
        differ => Err(format!("no bug shows, or there is no monitor: {differ:?}").into()),
    }
}

/// The monitor speaks in one of the cases at least.
fn proves(monitor: &str, mutant: &str, plans: &[Arc<Plan>]) -> Result<(), Failed> {
    let mutant = Mutant::from_id(mutant).ok_or_else(|| format!("no mutant `{mutant}`"))?;
    let speaks = |plan: &Arc<Plan>| {
        let verdict = sim::run(plan, Some(mutant)).verdict;
        verdict.monitors.iter().any(|count| count.id == monitor && count.violations > 0)
    };
    if plans.iter().any(speaks) { Ok(()) } else { Err("the monitor saw nothing".into()) }
}

fn passes(plan: &Arc<Plan>) -> Result<(), Failed> {
    let verdict = sim::run(plan, None).verdict;
    if verdict.outcome == Outcome::Pass { Ok(()) } else { Err(described(&verdict).into()) }
}

/// A case that says it catches a bug must fail with it, by its own expectation or by a monitor.
fn kills(plan: &Arc<Plan>, mutant: &str) -> Result<(), Failed> {
    let mutant = Mutant::from_id(mutant).ok_or_else(|| format!("no mutant `{mutant}`"))?;
    let verdict = sim::run(plan, Some(mutant)).verdict;
    match verdict.outcome {
        Outcome::Fail | Outcome::Warn => Ok(()),
        other => Err(format!("the mutant lives: {other}: {}", described(&verdict)).into()),
    }
}

fn repeats(plan: &Arc<Plan>) -> Result<(), Failed> {
    let (first, second) = (sim::run(plan, None), sim::run(plan, None));
    let log = |events| serde_json::to_string(events).map_err(|e| e.to_string());
    if log(&first.events)? != log(&second.events)? {
        return Err("two runs with one seed differ".into());
    }
    // What goes to `run.jsonl` must be enough to judge again.
    let plan: Plan = serde_json::from_str(&serde_json::to_string(&**plan).map_err(|e| e.to_string())?)
        .map_err(|e| format!("the plan does not survive its record: {e}"))?;
    let (events, verdict) = replay(&Arc::new(plan), &first.inputs);
    if (events, verdict) != (first.events, first.verdict) {
        return Err("judged again from its record, the case comes out differently".into());
    }
    Ok(())
}

/// What is asked of a server that takes no orders, a correct TCP under such a server does: whatever its delay, also one
/// that was not tried when the question was found to be fair.
fn serves(service: &str) -> Result<(), Failed> {
    let mut target = reference::profile();
    target.abilities.remove("control");
    target.abilities.extend(["accept", "closes-at-eof", service].map(str::to_owned));
    let oracle = Oracle::new(&target);
    let profile = oracle.profile().ok_or("a server takes no orders")?;
    let fair = |case: &Case, family| matches!(oracle.unfair(case, family, common::SEED), Ok(None));
    let plans = common::planned(profile, &fair);
    if plans.len() < 500 {
        return Err(format!("only {} case instances are asked of a server", plans.len()).into());
    }
    let mut wrong = Vec::new();
    for plan in plans {
        let plan = Arc::new(plan);
        for delay in [3, 17, 170] {
            let habit =
                Habit { echoes: service == "echo", delay: Duration::from_millis(delay), closes: true };
            let verdict = sim::run_serving(&plan, habit).verdict;
            if verdict.outcome != Outcome::Pass {
                wrong.push(format!("{} after {delay} ms: {}", plan.case.id, described(&verdict)));
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

fn described(verdict: &Verdict) -> String {
    format!("{}: {}\n{:#?}", verdict.outcome, verdict.reason, verdict.violation)
}
