//! What a student reads: the failure screen of each bug that students really make.
//!
//! The mutants of the student catalogue, each on a case that says it kills it. The screens are kept in
//! `tests/screens/`, so that a change of a sentence is seen and read; and none may fail without a sentence that
//! names the mistake.

mod common;

use std::sync::Arc;
use tcpspec::engine::ViolationKind;
use tcpspec::event::{CaseFinished, RunStarted, Try};
use tcpspec::lane::sim;
use tcpspec::plan::Plan;
use tcpspec::report::explain::{Again, failure};
use tcpspec::report::style::Look;
use tcpspec::suite::model::Family;
use tcpspec_reference::Mutant;

const SOURCE: &str = "student catalogue";

/// The first case that names the bug, has a sentence for it and is about what the bug breaks; or else one of less.
fn shown(plans: &[Arc<Plan>], mutant: Mutant) -> Option<CaseFinished> {
    let named = plans.iter().filter(|plan| plan.case.kills.iter().any(|id| id == mutant.id()));
    let mut screens: Vec<_> = named.map(|plan| finished(plan, mutant)).collect();
    let about = |case: &CaseFinished| case.info.refs.iter().any(|row| row.id == mutant.requirement());
    let best = screens.iter().position(|case| explained(case) && about(case));
    let best = best.or_else(|| screens.iter().position(explained)).unwrap_or(0);
    (best < screens.len()).then(|| screens.swap_remove(best))
}

/// By a known mistake of the case, by the step's own reason, or by the words of a monitor.
fn explained(case: &CaseFinished) -> bool {
    case.verdict.violation.as_ref().is_some_and(|violation| match violation.kind {
        ViolationKind::Monitor(_) => true,
        ViolationKind::App => violation.means.is_some() || violation.why.is_some(),
        _ => violation.means.is_some(),
    })
}

fn finished(plan: &Arc<Plan>, mutant: Mutant) -> CaseFinished {
    let run = sim::run(plan, Some(mutant));
    let only = Try {
        tuple: None,
        inputs: run.inputs,
        verdict: run.verdict.clone(),
        output: run.output,
        events: run.events,
    };
    CaseFinished {
        info: plan.case.clone(),
        plan: Some(Box::new((**plan).clone())),
        tries: vec![only],
        verdict: run.verdict,
        deviation: None,
        expected: false,
    }
}

fn screen(case: &CaseFinished, mutant: Mutant) -> String {
    let started = RunStarted {
        schema: 1,
        version: String::new(),
        target: format!("reference+{}", mutant.id()),
        wire: "sim".into(),
        seed: common::SEED,
        jobs: 1,
        cases: 1,
        started_unix_ms: 0,
    };
    let head = format!("# {}: {}\n\n", mutant.id(), mutant.sentence());
    head + &without_line(&failure(case, &Again::of(&started), Look::PLAIN))
}

/// The line of the step moves with every case above it.
fn without_line(screen: &str) -> String {
    let cut = |line: &str| match line.split_once(".yaml:") {
        Some((path, _)) if line.trim_start().starts_with("step ") => format!("{path}.yaml\n"),
        _ => format!("{line}\n"),
    };
    screen.lines().map(cut).collect()
}

#[test]
fn each_mistake_of_a_student_is_named() {
    let mut plans: Vec<_> = common::plans().into_iter().map(Arc::new).collect();
    // IPv6 only where a case has nothing else.
    plans.sort_by_key(|plan| plan.case.family != Family::V4);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("screens");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut nameless = Vec::new();
    for mutant in Mutant::ALL.iter().copied().filter(|mutant| mutant.source() == SOURCE) {
        let Some(case) = shown(&plans, mutant) else {
            nameless.push(format!("{}: no case names it", mutant.id()));
            continue;
        };
        if !explained(&case) {
            nameless.push(format!("{} by {}", mutant.id(), case.info.id));
        }
        settings.bind(|| insta::assert_snapshot!(mutant.id(), screen(&case, mutant)));
    }
    assert!(nameless.is_empty(), "these fail without a sentence for the mistake: {nameless:#?}");
}
