//! How long a case waits whatever the target does: what a scheduler may know before it has run.

use super::book::Book;
use super::eval::{Scope, Value, eval};
use crate::packet::SeqNum;
use crate::plan::Plan;
use crate::suite::expr::Expr;
use crate::suite::model::{Expect, Step, Verb};
use std::collections::BTreeMap;
use std::time::Duration;

/// The pauses, the silences and the earliest answers of a case. What depends on a value that only the target gives counts
/// nothing.
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
    let span = |expr: &Expr| match eval(expr, &scope) {
        Ok(Value::Span(span)) => span,
        Ok(_) | Err(_) => Duration::ZERO,
    };
    let is_skipped = |step: &Step| {
        let condition = step.when.as_ref().map(|condition| eval(condition, &scope));
        matches!(condition, Some(Ok(Value::Bool(false))))
    };
    let steps = plan.steps.iter().map(|planned| &planned.step).filter(|step| !is_skipped(step));
    let waited = steps.map(|step| match &step.verb {
        Verb::Wait(pause) => span(pause),
        Verb::Expect(Expect::Nothing { span: silence }) => span(silence),
        _ => step.within.as_ref().and_then(|within| within.from.as_ref()).map_or(Duration::ZERO, span),
    });
    waited.fold(plan.profile.timing.settle, Duration::saturating_add)
}
