//! Reports: folds over the ordered stream of `RunEvent`s.
//!
//! Two of them follow a run while it goes on, [`terminal`] and [`record`]; the others render a whole
//! [`record::Run`], and a run that is read back from its file is the same value, so that every report
//! can be made again later, octet for octet. Nobody asks a report for control flow, and no report
//! knows where its text goes: `cli/` owns files and streams.

pub mod explain;
pub mod json;
pub mod junit;
pub mod ladder;
pub mod monitors;
pub mod record;
pub mod style;
pub mod summary;
pub mod terminal;
pub mod text;

#[cfg(test)]
pub(crate) mod sample;

use crate::engine::Outcome;
use crate::event::{CaseFinished, RunEvent, Try};
use std::io;

/// A fold over the events of a run. What it writes may fail; what it thinks steers nothing.
pub trait Report {
    fn event(&mut self, event: &RunEvent) -> io::Result<()>;
}

/// The try that decided the verdict of the case: the last one that says what the verdict says. It is
/// the last of all, except where a case is run several times and the worst outcome counts.
pub fn counted(case: &CaseFinished) -> Option<&Try> {
    let index = counted_index(case)?;
    case.tries.get(index)
}

pub(crate) fn counted_index(case: &CaseFinished) -> Option<usize> {
    let same = |t: &Try| t.verdict.reason == case.verdict.reason && t.verdict.took == case.verdict.took;
    case.tries.iter().rposition(same).or_else(|| case.tries.len().checked_sub(1))
}

/// True where the tries of a case did not agree. One that we could not judge says nothing.
pub fn flaky(case: &CaseFinished) -> bool {
    let outcomes = case.tries.iter().map(|t| t.verdict.outcome);
    let mut judged = outcomes.filter(|outcome| *outcome != Outcome::Inconclusive);
    judged.next().is_some_and(|first| judged.any(|outcome| outcome != first))
}
