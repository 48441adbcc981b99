//! The verdict of a case: a fold over its events.
//!
//! A verdict can only worsen. What happens in a fixture does not count against the case that needed
//! it: the case is blocked, and the case that tests the fixture's own steps is named. Our own
//! lateness is never the target's failure, nor is its waiting for a processor.

use super::event::{CaseEvent, CaseEventKind, Outcome, Verdict, Violation, ViolationKind};
use super::exec::NOTHING;
use super::monitor;
use crate::plan::Plan;
use crate::suite::model::Level;
use crate::time::Time;
use std::time::Duration;

pub fn verdict(plan: &Plan, events: &[CaseEvent]) -> Verdict {
    let mut verdict = Verdict {
        outcome: Outcome::Pass,
        reason: String::new(),
        violation: None,
        blamed: None,
        observed: Vec::new(),
        monitors: Vec::new(),
        traffic: None,
        took: events.last().map_or(Time::ZERO, |event| event.at).since_start(),
        lateness: Duration::ZERO,
        excused: None,
        waited: Duration::ZERO,
    };
    for event in events {
        fold(plan, &mut verdict, event);
    }
    if is_sure(events) {
        return verdict;
    }
    if verdict.lateness > LATE_MAX && may_be_ours(&verdict) {
        let late = crate::time::span(verdict.lateness);
        excuse(&mut verdict, &format!("a segment of ours left {late} late"));
    } else if let Some(late) = overtaken(&verdict, events) {
        let late = crate::time::span(late);
        excuse(&mut verdict, &format!("it came while a segment of ours was still to leave, {late} late"));
    } else if let Some(waited) = kept_waiting(&verdict, events) {
        let waited = crate::time::span(waited);
        verdict.excused = Some(Box::new((verdict.outcome, verdict.reason.clone())));
        excuse(&mut verdict, &format!("the target had to wait {waited} for a processor"));
    }
    verdict
}

/// Later than this with a send of our own, and what the target did may be our doing.
const LATE_MAX: Duration = Duration::from_millis(20);

/// The kernel's stamps and our clock may differ by so much.
const SKEW: Duration = Duration::from_micros(100);

/// How long something of ours was overdue when the target did wrong: what is taken for a wrong answer came before the question.
fn overtaken(verdict: &Verdict, events: &[CaseEvent]) -> Option<Duration> {
    let violation = verdict.violation.as_ref().filter(|_| may_be_ours(verdict))?;
    let wrong = violation.at.since_start();
    events.iter().find_map(|event| match event.what {
        CaseEventKind::Late { by, overdue } => {
            let due = event.at.since_start().saturating_sub(by);
            (due <= wrong && wrong + SKEW < due + overdue).then_some(overdue)
        }
        _ => None,
    })
}

/// No lateness of ours breaks a checksum or a process.
fn may_be_ours(verdict: &Verdict) -> bool {
    verdict.violation.as_ref().is_some_and(|violation| {
        !matches!(
            violation.kind,
            ViolationKind::Monitor(_) | ViolationKind::Content | ViolationKind::Crashed | ViolationKind::Hung
        )
    })
}

/// Whether something was violated that no lateness explains, also where what a step expected is shown instead of it.
fn is_sure(events: &[CaseEvent]) -> bool {
    events.iter().any(|event| match &event.what {
        CaseEventKind::Violated(violation) => match &violation.kind {
            ViolationKind::Monitor(id) => monitor::find(id).is_none_or(|found| found.level == Level::Must),
            kind => matches!(kind, ViolationKind::Content | ViolationKind::Crashed),
        },
        _ => false,
    })
}

/// A target that has waited longer than this for a processor, and for longer than a tenth of the time in which it was to do
/// something, may have done it too late for that reason.
const WAITED_MAX: Duration = Duration::from_millis(20);
/// What kept it from an answer may have been just before the question, or that before.
const BEFORE: Duration = Duration::from_millis(100);

/// How long the target was kept from a processor around the violation, where that may be what the violation is about.
fn kept_waiting(verdict: &Verdict, events: &[CaseEvent]) -> Option<Duration> {
    let violation = verdict.violation.as_ref().filter(|violation| {
        let kind = &violation.kind;
        !matches!(kind, ViolationKind::Monitor(_) | ViolationKind::Content | ViolationKind::Crashed)
    })?;
    let before = match violation.kind {
        // That it did not answer is told with how long it had to wait then; one that floods hangs for no want of a processor.
        ViolationKind::Hung => Duration::ZERO,
        _ => violation.after + BEFORE,
    };
    let since = violation.at.since_start().saturating_sub(before);
    let around = events.iter().filter_map(|event| match &event.what {
        CaseEventKind::Waited { time, over } => {
            let ended_after = event.at.since_start() >= since;
            let began_before = event.at.since_start().saturating_sub(*over) <= violation.at.since_start();
            (ended_after && began_before).then_some(*time)
        }
        _ => None,
    });
    let waited = around.sum::<Duration>();
    (waited > WAITED_MAX.max(violation.after / 10)).then_some(waited)
}

/// Two tries, in both of which the target was kept from a processor: what it did wrong in both, in the same step and the
/// same way, it did not do for that reason. Silence says nothing: it may have been kept from its answer twice.
pub(crate) fn confirmed(before: &Verdict, last: &Verdict) -> Option<(Outcome, String)> {
    let (_, Some(excused)) = (before.excused.as_ref()?, &last.excused) else { return None };
    let (one, other) = (before.violation.as_ref()?, last.violation.as_ref()?);
    let is_same = (&one.kind, one.step) == (&other.kind, other.step)
        && one.got.as_deref().map(without_clock) == other.got.as_deref().map(without_clock);
    let is_known = match one.kind {
        ViolationKind::WrongAnswer | ViolationKind::NotSilent | ViolationKind::Unexpected => is_same,
        ViolationKind::App => is_same && one.got.as_deref().is_some_and(|got| got != NOTHING),
        ViolationKind::TooEarly => is_same && one.after.abs_diff(other.after) < one.after / 10,
        _ => false,
    };
    let (outcome, reason) = &**excused;
    is_known.then(|| (*outcome, reason.clone()))
}

/// A segment in one line, without the timestamps, which no two tries have in common.
fn without_clock(line: &str) -> Vec<&str> {
    let mut is_value = false;
    let mut keep = |word: &&str| {
        let keep = !is_value;
        is_value = *word == "ts";
        keep
    };
    line.split_whitespace().filter(|word| keep(word)).collect()
}

/// The one step back that a verdict can take: a violation that the target may not be to blame for.
fn excuse(verdict: &mut Verdict, why: &str) {
    verdict.outcome = Outcome::Inconclusive;
    verdict.reason = format!("{why}; what followed: {}", verdict.reason);
}

fn fold(plan: &Plan, verdict: &mut Verdict, event: &CaseEvent) {
    match &event.what {
        CaseEventKind::StepStarted
        | CaseEventKind::StepSkipped
        | CaseEventKind::StepPassed
        | CaseEventKind::Sent { .. }
        | CaseEventKind::Received { .. }
        | CaseEventKind::AppCalled { .. }
        | CaseEventKind::AppReplied { .. }
        | CaseEventKind::Lost { .. }
        | CaseEventKind::PeerApp { .. }
        | CaseEventKind::Note { .. } => {}
        CaseEventKind::Passed(traffic) => verdict.traffic = Some(traffic.clone()),
        CaseEventKind::Observed { answer } => {
            if let Some(step) = event.step {
                verdict.observed.push((step, answer.clone()));
            }
        }
        CaseEventKind::Waited { time, .. } => verdict.waited = verdict.waited.max(*time),
        CaseEventKind::Late { by, .. } => verdict.lateness = verdict.lateness.max(*by),
        CaseEventKind::Violated(violation) => violated(plan, verdict, violation),
        CaseEventKind::Unsupported { why } => {
            worsen(verdict, Outcome::Unsupported, why);
        }
        CaseEventKind::Inconclusive { why } => {
            worsen(verdict, Outcome::Inconclusive, why);
        }
        CaseEventKind::Broken { how } => {
            worsen(verdict, Outcome::Error, how);
        }
        CaseEventKind::Finished { monitors } => verdict.monitors.clone_from(monitors),
    }
}

fn worsen(verdict: &mut Verdict, outcome: Outcome, reason: &str) -> bool {
    let worse = outcome > verdict.outcome;
    if worse {
        verdict.outcome = outcome;
        verdict.reason = reason.to_owned();
    }
    worse
}

fn violated(plan: &Plan, verdict: &mut Verdict, violation: &Violation) {
    let fixture = violation.step.and_then(|step| plan.steps.get(step)?.fixture);
    let reason = headline(violation);
    // A target that is gone has failed, wherever it was going.
    let is_lost = matches!(violation.kind, ViolationKind::Crashed | ViolationKind::Hung);
    if !is_lost
        && let Some(fixture) = fixture.and_then(|index| plan.fixtures.get(index))
        && fixture.tested_by != plan.case.id
    {
        let reason = format!("the fixture `{}` was not reached: {reason}", fixture.id);
        if worsen(verdict, Outcome::Blocked, &reason) {
            verdict.violation = Some(Box::new(violation.clone()));
            verdict.blamed = Some(fixture.tested_by.clone());
        }
        return;
    }
    let is_monitor = matches!(violation.kind, ViolationKind::Monitor(_));
    let level = match &violation.kind {
        // An invariant has a level of its own, whatever the case is about.
        ViolationKind::Monitor(id) => monitor::find(id).map_or(Level::Must, |monitor| monitor.level),
        ViolationKind::Crashed | ViolationKind::Hung => Level::Must,
        _ => plan.case.level,
    };
    let outcome = match level {
        Level::Must => Outcome::Fail,
        Level::Should => Outcome::Warn,
        // Recorded; an allowed behaviour cannot fail.
        Level::May => {
            verdict.observed.push((violation.step.unwrap_or_default(), reason));
            return;
        }
    };
    let worse = worsen(verdict, outcome, &reason);
    // What a step expected explains more than the invariant that was broken on the way there.
    let explains = outcome == verdict.outcome
        && !is_monitor
        && verdict.violation.as_ref().is_none_or(|shown| matches!(shown.kind, ViolationKind::Monitor(_)));
    // Nor does anything explain more than that the target is gone.
    if worse || explains || is_lost && outcome == verdict.outcome {
        verdict.reason = reason;
        verdict.violation = Some(Box::new(violation.clone()));
    }
}

/// The violation in one sentence.
pub(crate) fn headline(violation: &Violation) -> String {
    let expected = &violation.expected;
    let got = violation.got.as_deref().unwrap_or("nothing");
    let after = crate::time::span(violation.after);
    match &violation.kind {
        ViolationKind::WrongAnswer => format!("expected {expected}, got {got}"),
        ViolationKind::NoAnswer => format!("expected {expected}, nothing came for {after}"),
        ViolationKind::TooEarly => format!("expected {expected}, but it came too early, after {after}"),
        ViolationKind::TooLate => format!("expected {expected}, but it came too late, after {after}"),
        ViolationKind::NotSilent => format!("expected silence, got {got}"),
        ViolationKind::Unexpected => format!("nothing allows {got}"),
        ViolationKind::App => format!("the application expected {expected}, got {got}"),
        ViolationKind::Content => format!("the application got wrong octets: {got}"),
        ViolationKind::Monitor(id) => {
            format!("{id}: {}", violation.means.as_deref().unwrap_or(&violation.expected))
        }
        ViolationKind::Crashed => format!("the target crashed: {got}"),
        ViolationKind::Hung => format!("the target hung: {got}"),
    }
}
