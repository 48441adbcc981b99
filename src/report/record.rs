//! `run.jsonl`: a run in a file, one event a line, from which every report can be made again.
//!
//! The first line is `run-started` with the schema, the last is `run-finished`; between them stands
//! one `case-finished` a case, in the order in which they ended, with the plan and every input of its
//! `Exec`. That is all a verdict depends on, so [`rejudge`] can judge a run again from its file.
//! `case-started` and `case-slow` are for those who watch; they are not written.

use super::summary::Summary;
use super::{Report, counted_index};
use crate::engine::{CaseEvent, Input, Outcome, Verdict};
use crate::event::{CaseFinished, RunEvent, RunFinished, RunStarted, SCHEMA};
use crate::plan::Plan;
use crate::run::Deny;
use serde::Deserialize;
use std::io::{self, BufRead, Read, Write};
use std::sync::Arc;

/// No line is longer than this: a case holds at most some thousand packets.
const LINE_MAX: u64 = 256 << 20;

/// A whole run, whether it was just made or read from a file. Cases stand in the order of
/// (id, family), so that no report depends on how many lanes there were.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    pub started: RunStarted,
    pub cases: Vec<CaseFinished>,
    pub finished: RunFinished,
}

impl Run {
    pub fn new(started: RunStarted, mut cases: Vec<CaseFinished>, finished: RunFinished) -> Self {
        cases.sort_by(|a, b| (&a.info.id, a.info.family).cmp(&(&b.info.id, b.info.family)));
        Self { started, cases, finished }
    }

    pub fn summary(&self, require_all: bool) -> Summary {
        let mut summary = Summary::new(require_all);
        // Not by way of `events`: a case holds all that it saw, and a run holds thousands.
        summary.started(&self.started);
        self.cases.iter().for_each(|case| summary.case(case));
        summary.finished(&self.finished);
        summary
    }

    /// The stream again, to feed it to a report.
    pub fn events(&self) -> impl Iterator<Item = RunEvent> + '_ {
        let case = |c: &CaseFinished| RunEvent::CaseFinished(Box::new(c.clone()));
        std::iter::once(RunEvent::RunStarted(self.started.clone()))
            .chain(self.cases.iter().map(case))
            .chain(std::iter::once(RunEvent::RunFinished(self.finished.clone())))
    }
}

/// Writes the record while the run goes on: what ended before a power cut is in the file.
pub struct Recorder<W> {
    out: W,
}

impl<W: Write> Recorder<W> {
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write> Report for Recorder<W> {
    fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        match event {
            RunEvent::CaseStarted { .. } | RunEvent::CaseSlow { .. } => return Ok(()),
            RunEvent::RunStarted(_) | RunEvent::CaseFinished(_) | RunEvent::RunFinished(_) => {}
        }
        serde_json::to_writer(&mut self.out, event)?;
        self.out.write_all(b"\n")?;
        match event {
            RunEvent::RunFinished(_) => self.out.flush(),
            RunEvent::RunStarted(_)
            | RunEvent::CaseFinished(_)
            | RunEvent::CaseStarted { .. }
            | RunEvent::CaseSlow { .. } => Ok(()),
        }
    }
}

/// Why a file is no record, and at which line.
#[derive(Debug, thiserror::Error)]
#[error("{name}:{line}: {what}")]
pub struct RecordError {
    pub name: String,
    pub line: usize,
    pub what: String,
}

/// Reads a record whole. A file that ends early is refused: half a run proves nothing.
pub fn read(name: &str, mut from: impl BufRead) -> Result<Run, RecordError> {
    let mut started = None;
    let mut cases = Vec::new();
    let mut finished = None;
    let mut line = 0;
    let mut octets = Vec::new();
    loop {
        let fail = |line, what: String| RecordError { name: name.to_owned(), line, what };
        octets.clear();
        let read = (&mut from).take(LINE_MAX).read_until(b'\n', &mut octets);
        if read.map_err(|e| fail(line + 1, format!("cannot be read: {e}")))? == 0 {
            break;
        }
        line += 1;
        if finished.is_some() {
            return Err(fail(line, "stands behind `run-finished`, which must be the last line".into()));
        }
        match event(&octets, line == 1).map_err(|what| fail(line, what))? {
            RunEvent::RunStarted(_) if started.is_some() => {
                return Err(fail(line, "a second `run-started`: join records with `tcpspec merge`".into()));
            }
            RunEvent::RunStarted(event) => started = Some(event),
            RunEvent::CaseFinished(case) => cases.push(*case),
            RunEvent::RunFinished(event) => finished = Some(event),
            RunEvent::CaseStarted { .. } | RunEvent::CaseSlow { .. } => {}
        }
    }
    match (started, finished) {
        (Some(started), Some(finished)) => Ok(Run::new(started, cases, finished)),
        (None, _) => {
            Err(RecordError { name: name.into(), line: 1, what: "empty: this is no record of a run".into() })
        }
        (Some(_), None) => {
            let what = "the record ends here, without `run-finished`: the run was cut short".into();
            Err(RecordError { name: name.into(), line, what })
        }
    }
}

/// One line. The first one is looked at for its schema before anything else is believed.
fn event(octets: &[u8], first: bool) -> Result<RunEvent, String> {
    #[derive(Deserialize)]
    struct Head {
        event: String,
        schema: Option<u64>,
    }
    let complete = octets.ends_with(b"\n");
    let problem = |e: serde_json::Error| match e.classify() {
        _ if !complete => "cut short in the middle of a line".to_owned(),
        serde_json::error::Category::Data => format!("no event of a run: {}", plain(&e)),
        _ => format!("not JSON: {}", plain(&e)),
    };
    if first {
        let head: Head = serde_json::from_slice(octets).map_err(|e| {
            if complete && e.is_data() {
                "this is no record of a run: the first line must be `run-started`".to_owned()
            } else {
                problem(e)
            }
        })?;
        match (head.event.as_str(), head.schema) {
            ("run-started", Some(schema)) if schema == u64::from(SCHEMA) => {}
            ("run-started", Some(schema)) => {
                return Err(format!("schema {schema} is not known: this tcpspec reads schema {SCHEMA}"));
            }
            _ => return Err("this is no record of a run: the first line must be `run-started`".into()),
        }
    }
    let event = serde_json::from_slice(octets).map_err(problem)?;
    if complete { Ok(event) } else { Err("cut short: the last line has no line end".into()) }
}

/// The message without the line, which is always 1 here and would contradict ours.
fn plain(e: &serde_json::Error) -> String {
    let text = e.to_string();
    let (what, place) = text.rsplit_once(" at line ").unwrap_or((&text, ""));
    match place.split_once(" column ") {
        Some((_, column)) if column != "0" => super::text::clean(&format!("{what} (column {column})")).into(),
        _ => super::text::clean(what).into(),
    }
}

/// Judges every try again. The record's verdict stands where both agree; returns what changed, which
/// can only be if the record was made by another version (or was edited).
pub fn rejudge(
    run: &mut Run,
    replay: impl Fn(&Arc<Plan>, &[Input]) -> (Vec<CaseEvent>, Verdict),
) -> Vec<String> {
    let deny = denied(run);
    let mut changed = Vec::new();
    for case in &mut run.cases {
        let Some(plan) = &case.plan else { continue };
        let counted = counted_index(case);
        for (index, attempt) in case.tries.iter_mut().enumerate() {
            let plan = Arc::new(attempt.tuple.map_or_else(|| (**plan).clone(), |tuple| plan.on(tuple)));
            let (events, verdict) = replay(&plan, &attempt.inputs);
            attempt.events = events;
            if verdict == attempt.verdict || attempt.inputs.is_empty() {
                continue;
            }
            attempt.verdict = verdict;
            if Some(index) == counted {
                let outcome = deny.raise(attempt.verdict.outcome);
                changed.push(format!(
                    "{} {}: was {}, is now {outcome}",
                    case.info.family, case.info.id, case.verdict.outcome
                ));
                case.verdict = Verdict { outcome, ..attempt.verdict.clone() };
            }
        }
    }
    changed
}

/// What `--deny` raised during the run, as its verdicts show.
fn denied(run: &Run) -> Deny {
    let raised = |from, to| {
        run.cases.iter().any(|c| {
            let counted = counted_index(c).map(|i| c.tries[i].verdict.outcome);
            counted == Some(from) && c.verdict.outcome == to
        })
    };
    Deny {
        should: raised(Outcome::Warn, Outcome::Fail),
        inconclusive: raised(Outcome::Inconclusive, Outcome::Error),
    }
}

#[cfg(test)]
mod tests;
