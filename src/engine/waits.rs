//! How long a case takes whatever the target does: what a scheduler may know before it has run.

use super::book::Book;
use super::eval::{Scope, Value, eval};
use crate::packet::SeqNum;
use crate::plan::Plan;
use crate::suite::expr::Expr;
use crate::suite::model::{App, AppExpect, Expect, Step, Verb};
use std::collections::BTreeMap;
use std::time::Duration;

/// The pauses, the silences and the earliest answers of a case, and the time after which this target gives a connection
/// up of its own accord. What depends on a value that only the target gives counts nothing.
pub fn waits(plan: &Plan) -> Duration {
    let book = Book::new(SeqNum(plan.isn), u16::MAX);
    let labels = BTreeMap::new();
    let scope = Scope {
        book: &book,
        peer: None,
        labels: &labels,
        profile: &plan.profile,
        tuple: plan.tuple,
        family: plan.case.family,
        level: plan.case.level,
    };
    // Where that depends on what will come, too.
    let may_be_skipped = |step: &Step| {
        let condition = step.when.as_ref().map(|condition| eval(condition, &scope));
        !matches!(condition, None | Some(Ok(Value::Bool(true))))
    };
    // Whoever sets something may have set that time, too.
    let is_set = |step: &Step| matches!(step.verb, Verb::App(App::Option(..)) | Verb::Linux(_));
    let patience = match plan.steps.iter().any(|planned| is_set(&planned.step)) {
        true => Duration::ZERO,
        false => plan.profile.timing.user_timeout,
    };
    let mut now = Duration::ZERO;
    let mut marks = BTreeMap::new();
    for step in plan.steps.iter().map(|planned| &planned.step).filter(|step| !may_be_skipped(step)) {
        let since = step.after.as_ref().and_then(|label| marks.get(label)).copied().unwrap_or(now);
        now = now.max(earliest(step, &scope, patience).saturating_add(since));
        marks.extend(step.label.as_ref().map(|label| (label, now)));
    }
    now.saturating_add(plan.profile.timing.settle)
}

/// How long a step lasts at least, where the target does not give up before it has lost its patience.
fn earliest(step: &Step, scope: &Scope<'_>, patience: Duration) -> Duration {
    let span = |expr: &Expr| match eval(expr, scope) {
        Ok(Value::Span(span)) => span,
        Ok(_) | Err(_) => Duration::ZERO,
    };
    let limit = || step.within.as_ref().map_or(Duration::ZERO, |within| span(&within.to));
    match &step.verb {
        Verb::Wait(pause) => span(pause),
        Verb::Expect(Expect::Nothing { span: silence }) => span(silence),
        Verb::App(App::Expect(AppExpect::Nothing)) => limit(),
        Verb::App(App::Expect(AppExpect::TimedOut)) => limit().min(patience),
        _ => step.within.as_ref().and_then(|within| within.from.as_ref()).map_or(Duration::ZERO, span),
    }
}
