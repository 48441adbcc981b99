//! Live results, as cargo-nextest shows them: one line a case when it is done, the explanation below a
//! case that failed, and at the end a summary with the failures again.
//!
//! Results go to one stream, what passes by (the bar, the start, slow cases) to another, so that
//! `tcpspec run > file` keeps results only. Live lines come in the order in which cases end; the list
//! at the end is sorted.

mod monitors;

use super::explain::{self, Again};
use super::style::{Look, paint};
use super::summary::{Conclusion, Summary};
use super::text::{clean, count};
use super::{Report, flaky};
use crate::engine::{Outcome, Stage};
use crate::event::{CaseFinished, RunEvent, RunStarted};
use crate::suite::model::Family;
use crate::time;
use indicatif::ProgressBar;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

/// Columns of the word in front of each line: `INCONCLUSIVE` is the longest.
const WORD: usize = 12;
/// Failures that are explained while the run goes on; the others are in the list and in the files.
const EXPLAINED_MAX: usize = 50;

pub struct Terminal<R, P> {
    results: R,
    progress: P,
    bar: ProgressBar,
    look: Look,
    again: Again,
    summary: Summary,
    running: BTreeMap<(String, Family), Running>,
    bad: Vec<Bad>,
    /// What blocks cases, and how many: one broken handshake blocks a hundred.
    blocked: BTreeMap<String, usize>,
    explained: usize,
}

/// A case that has not ended.
#[derive(Debug, Default, Clone, Copy)]
struct Running {
    /// How long it has been running when that was told last, and how far it had come.
    elapsed: Duration,
    stage: Option<Stage>,
    /// The seconds after which it got a line.
    told: u64,
}

/// A case for the list at the end.
struct Bad {
    id: String,
    family: Family,
    line: String,
    reason: String,
}

impl<R: Write, P: Write> Terminal<R, P> {
    /// `bar` may be hidden; lines are written around it.
    pub fn new(results: R, progress: P, bar: ProgressBar, look: Look, summary: Summary) -> Self {
        let again = Again::default();
        let running = BTreeMap::new();
        Self {
            results,
            progress,
            bar,
            look,
            again,
            summary,
            running,
            bad: vec![],
            blocked: BTreeMap::new(),
            explained: 0,
        }
    }

    /// Writes results; a bar on the same terminal steps aside.
    fn say(&mut self, text: &str) -> io::Result<()> {
        let results = &mut self.results;
        self.bar.suspend(|| results.write_all(text.as_bytes()))
    }

    /// Writes what only matters while one watches.
    fn mention(&mut self, text: &str) -> io::Result<()> {
        let progress = &mut self.progress;
        self.bar.suspend(|| progress.write_all(text.as_bytes()))
    }

    fn started(&mut self, started: &RunStarted) -> io::Result<()> {
        self.again = Again::of(started);
        self.bar.set_length(started.cases as u64);
        self.bar.reset_elapsed();
        let (cases, lanes) = (count(started.cases, "case"), count(started.jobs, "lane"));
        let word = paint(self.look.palette.pass, format!("{:>WORD$}", "Starting"));
        let (target, wire) = (clean(&started.target), clean(&started.wire));
        self.mention(&format!("{word} {cases} on {target} over {wire}, {lanes}, seed {}\n", started.seed))
    }

    fn finished(&mut self, case: &CaseFinished) -> io::Result<()> {
        let line = result_line(case, self.look);
        let mut text = line.clone();
        text.push('\n');
        let screen = match case.verdict.outcome {
            Outcome::Fail | Outcome::Warn | Outcome::Error => true,
            // One broken handshake blocks a hundred cases: the case that tests it explains it.
            Outcome::Pass | Outcome::Unsupported | Outcome::Blocked | Outcome::Inconclusive => false,
        };
        let known = case.expected;
        if screen && !known && self.explained < EXPLAINED_MAX {
            self.explained += 1;
            text.push('\n');
            text.push_str(&explain::failure(case, &self.again, self.look));
            text.push('\n');
        }
        let listed = match case.verdict.outcome {
            Outcome::Pass => flaky(case) || case.deviation.is_some() && !known,
            Outcome::Unsupported => false,
            Outcome::Fail | Outcome::Warn | Outcome::Error | Outcome::Blocked | Outcome::Inconclusive => true,
        };
        let blamed = case.verdict.blamed.as_ref().filter(|_| case.verdict.outcome == Outcome::Blocked);
        if let Some(blamed) = blamed {
            *self.blocked.entry(blamed.clone()).or_default() += 1;
        } else if listed {
            let (id, family) = (case.info.id.clone(), case.info.family);
            self.bad.push(Bad { id, family, line, reason: clean(&case.verdict.reason).into() });
        }
        self.say(&text)
    }

    /// A line when a case becomes slow, and when it has taken twice as long; the bar follows the one that has taken longest.
    fn slow(&mut self, id: &str, family: Family, elapsed: Duration, stage: Option<Stage>) -> io::Result<()> {
        let case = self.running.entry((id.to_owned(), family)).or_default();
        (case.elapsed, case.stage) = (elapsed, stage);
        let is_news = elapsed.as_secs() >= 2 * case.told;
        if is_news {
            case.told = elapsed.as_secs();
        }
        self.bar.set_message(self.progress_message());
        if !is_news {
            return Ok(());
        }
        let word = paint(self.look.palette.warn, format!("{:>WORD$}", "SLOW"));
        let stage = stage.map(|stage| format!(": {}", stands_at(stage))).unwrap_or_default();
        self.mention(&format!("{word} [> {} s] {family} {}{stage}\n", elapsed.as_secs(), clean(id)))
    }

    /// What the bar says beside the counts.
    fn progress_message(&self) -> String {
        let totals = &self.summary.totals;
        let mut parts = vec![format!("{} running", self.running.len())];
        let palette = &self.look.palette;
        for (n, word, style) in [
            (totals.fail, "failed", palette.fail),
            (totals.error, "broken", palette.fail),
            (totals.blocked, "blocked", palette.skip),
            (totals.warn, "warned", palette.warn),
        ] {
            if n > 0 {
                parts.push(paint(style, format!("{n} {word}")));
            }
        }
        let slow = self.running.iter().filter(|(_, case)| !case.elapsed.is_zero());
        if let Some(((id, family), case)) = slow.max_by_key(|(_, case)| case.elapsed) {
            // The name last: a narrow terminal cuts it.
            let seconds = case.elapsed.as_secs();
            let stage = case.stage.map(|stage| format!("{}, ", stands_at(stage))).unwrap_or_default();
            parts.push(format!("{stage}{seconds} s: {family} {}", clean(id)));
        }
        parts.join(", ")
    }

    fn ended(&mut self) -> io::Result<()> {
        self.bar.finish_and_clear();
        let mut text = format!("{}\n", paint(self.look.palette.dim, "-".repeat(WORD)));
        text.push_str(&summary_line(&self.summary, self.look));
        self.bad.sort_by(|a, b| (&a.id, a.family).cmp(&(&b.id, b.family)));
        for (blamed, cases) in &self.blocked {
            let word = paint(self.look.palette.skip, format!("{:>WORD$}", "BLOCKED"));
            text.push_str(&format!("{word} {} by {}\n", count(*cases, "case"), clean(blamed)));
        }
        for bad in &self.bad {
            text.push_str(&bad.line);
            text.push('\n');
            if !bad.reason.is_empty() {
                let reason = paint(self.look.palette.dim, &bad.reason);
                text.push_str(&format!("{:WORD$} {reason}\n", ""));
            }
        }
        for stale in &self.summary.stale {
            text.push_str(&format!(
                "{} {}\n",
                paint(self.look.palette.warn, format!("{:>WORD$}", "STALE")),
                clean(stale)
            ));
        }
        self.say(&text)?;
        self.results.flush()
    }
}

impl<R: Write, P: Write> Report for Terminal<R, P> {
    fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        self.summary.event(event);
        match event {
            RunEvent::RunStarted(started) => self.started(started),
            RunEvent::CaseStarted { id, family, attempt: _ } => {
                self.running.insert((id.clone(), *family), Running::default());
                self.bar.set_message(self.progress_message());
                Ok(())
            }
            RunEvent::CaseSlow { id, family, elapsed, stage } => self.slow(id, *family, *elapsed, *stage),
            RunEvent::CaseFinished(case) => {
                self.running.remove(&(case.info.id.clone(), case.info.family));
                self.bar.set_message(self.progress_message());
                self.bar.inc(1);
                self.finished(case)
            }
            RunEvent::RunFinished(_) => self.ended(),
        }
    }
}

fn seconds(span: Duration) -> String {
    format!("{:.3}s", span.as_secs_f64())
}

/// `        FAIL [0.003s] v4 handshake/passive/x`, and what is special about it.
fn result_line(case: &CaseFinished, look: Look) -> String {
    let verdict = &case.verdict;
    let flaky = flaky(case);
    let word = if flaky { "FLAKY".to_owned() } else { verdict.outcome.word().to_uppercase() };
    let style = if flaky { look.palette.warn } else { look.palette.of(verdict.outcome) };
    let id = clean(&case.info.id);
    let mut line = format!(
        "{} [{}] {} {}",
        paint(style, format!("{word:>WORD$}")),
        seconds(verdict.took),
        case.info.family,
        paint(look.palette.strong, id)
    );
    let mut remarks = Vec::new();
    if flaky {
        let passed = case.tries.iter().filter(|t| t.verdict.outcome == Outcome::Pass).count();
        remarks.push(format!("{passed} of {} tries passed", case.tries.len()));
    }
    if case.deviation.is_some() && case.expected {
        remarks.push("known deviation".to_owned());
    }
    match verdict.outcome {
        Outcome::Unsupported => remarks.push(clean(&verdict.reason).into()),
        Outcome::Blocked => {
            remarks.extend(verdict.blamed.iter().map(|blamed| format!("by {}", clean(blamed))));
        }
        Outcome::Pass | Outcome::Inconclusive | Outcome::Warn | Outcome::Fail | Outcome::Error => {}
    }
    if !remarks.is_empty() {
        line.push_str(&paint(look.palette.dim, format!("  ({})", remarks.join(", "))));
    }
    line
}

fn summary_line(summary: &Summary, look: Look) -> String {
    let palette = look.palette;
    let totals = &summary.totals;
    let mut parts = vec![paint(palette.pass, format!("{} passed", totals.pass))];
    for (n, word, style) in [
        (totals.fail, "failed", palette.fail),
        (totals.error, "broken", palette.fail),
        (totals.warn, "warned", palette.warn),
        (totals.blocked, "blocked", palette.skip),
        (totals.inconclusive, "inconclusive", palette.skip),
        (totals.unsupported, "unsupported", palette.skip),
        (summary.flaky, "flaky", palette.warn),
        (summary.known, "known", palette.dim),
    ] {
        if n > 0 {
            parts.push(paint(style, format!("{n} {word}")));
        }
    }
    let style = match summary.conclusion() {
        Conclusion::Conformant => palette.pass,
        Conclusion::Violated => palette.fail,
        Conclusion::HarnessFailed | Conclusion::Interrupted => palette.warn,
    };
    let word = paint(style, format!("{:>WORD$}", "Summary"));
    let wall = time::span(summary.wall);
    let cases = count(totals.cases, "case");
    let mut text = format!("{word} {cases} in {wall}: {}\n", parts.join(", "));
    let points = summary.points;
    if points.possible > 0 {
        text.push_str(&format!("{:WORD$} {} of {} points\n", "", points.earned, points.possible));
    }
    if summary.not_run() > 0 {
        let why = if summary.interrupted { "interrupted" } else { "stopped early" };
        let text_ = format!("{why}: {} did not run", count(summary.not_run(), "case"));
        text.push_str(&format!("{:WORD$} {}\n", "", paint(palette.warn, text_)));
    }
    text.push_str(&monitors::paragraph(&summary.monitors, look));
    text
}

/// How far a case has come, as a person reads it.
fn stands_at(stage: Stage) -> String {
    let Stage { step, steps, octets } = stage;
    let place = match step {
        0 => "in its fixture".to_owned(),
        step => format!("step {step} of {steps}"),
    };
    match octets {
        0 => place,
        octets if octets < 1 << 20 => format!("{place}, {} KiB carried", octets >> 10),
        octets => format!("{place}, {:.1} MiB carried", octets as f64 / f64::from(1 << 20)),
    }
}

#[cfg(test)]
mod tests;
