//! The failure screen: all that a reader needs to understand a verdict, on one page.
//!
//! ```text
//! FAIL  id  v4  must                                   time        headline
//!   title                              requirement, section
//!   step 2 of 4 · file:line                                        where
//!       expected  ...                                              comparison, field by field
//!       got       ...
//!   what it means, in words
//!
//!       the ladder of the exchange
//!   again: the command that repeats it
//! ```
//! A pure function of a `CaseFinished`, so the same page is in the terminal, in JUnit and in files.

mod compare;

use super::style::{Look, paint};
use super::text::{clean, columns, count, shell_word, wrap};
use super::{counted, ladder};
use crate::engine::event::CaseEventKind;
use crate::engine::{Outcome, Violation, ViolationKind};
use crate::event::{CaseFinished, RunStarted};
use crate::plan::Plan;
use crate::target::deviation::Deviation;
use std::fmt::Write;

/// How a run is repeated: what stands behind `tcpspec run <case>`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Again {
    target: Vec<String>,
    seed: u64,
}

impl Again {
    /// The reference is what `run` takes unless told otherwise; `reference+<bug>` is the reference
    /// with a bug on purpose.
    pub fn of(started: &RunStarted) -> Self {
        let target = match started.target.split_once('+') {
            None if started.target == "reference" => vec![],
            Some(("reference", mutant)) => vec!["--mutant".into(), mutant.to_owned()],
            None | Some(_) => vec!["-t".into(), started.target.clone()],
        };
        Self { target, seed: started.seed }
    }

    fn command(&self, case: &CaseFinished) -> String {
        let id = clean(&case.info.id);
        let mut line = format!("tcpspec run {}", shell_word(&id));
        for word in &self.target {
            let _ = write!(line, " {}", shell_word(&clean(word)));
        }
        // Cases that are not the shipped ones are in the file that the user named.
        let file = &case.info.place.file;
        if !file.starts_with("suites/") {
            let _ = write!(line, " --suites {}", shell_word(&clean(file)));
        }
        if let Some(scale) = case.plan.as_ref().map(|p| p.profile.timing.scale).filter(|s| *s != 1.0) {
            let _ = write!(line, " --timeout-scale {scale}");
        }
        let _ = write!(line, " --family {} --seed {}", case.info.family.number(), self.seed);
        line
    }
}

/// The page, each line ended by a line feed.
pub fn failure(case: &CaseFinished, again: &Again, look: Look) -> String {
    let mut page = Page { out: String::new(), look };
    page.headline(case);
    page.requirement(case);
    if let Some(violation) = case.verdict.violation.as_deref() {
        page.place(case, violation);
        for line in compare::lines(violation, look) {
            page.line(&line);
        }
        page.words(case, Some(violation));
        page.more(case);
    } else {
        page.paragraph(&case.verdict.reason);
        page.words(case, None);
    }
    page.blame(case);
    page.ladder(case);
    page.output(case);
    let command = again.command(case);
    page.line(&format!("  {}{command}", paint(look.palette.dim, "again: ")));
    page.out
}

/// The number of a plan's step as the author counts.
pub(crate) fn step_number(case: &CaseFinished, index: usize) -> usize {
    let step = case.plan.as_ref().and_then(|plan| plan.steps.get(index));
    step.map_or(index + 1, |s| s.number as usize)
}

/// A stable word for the kind of a violation, for machines.
pub(crate) fn kind_word(kind: &ViolationKind) -> &str {
    match kind {
        ViolationKind::WrongAnswer => "wrong-answer",
        ViolationKind::NoAnswer => "no-answer",
        ViolationKind::TooEarly => "too-early",
        ViolationKind::TooLate => "too-late",
        ViolationKind::NotSilent => "not-silent",
        ViolationKind::Unexpected => "unexpected",
        ViolationKind::App => "app",
        ViolationKind::Content => "content",
        ViolationKind::Monitor(_) => "monitor",
        ViolationKind::Crashed => "crashed",
        ViolationKind::Hung => "hung",
    }
}

struct Page {
    out: String,
    look: Look,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    /// Two texts, the second at the right edge of the page, or below where there is no room.
    fn spread(&mut self, left: (String, usize), right: (String, usize)) {
        let ((left, left_width), (right, right_width)) = (left, right);
        let width = self.look.width;
        if left_width + 2 + right_width <= width {
            let space = " ".repeat(width - left_width - right_width);
            self.line(&format!("{left}{space}{right}"));
        } else {
            self.line(&left);
            let space = " ".repeat(width.saturating_sub(right_width).max(4));
            self.line(&format!("{space}{right}"));
        }
    }

    fn headline(&mut self, case: &CaseFinished) {
        let palette = self.look.palette;
        let outcome = case.verdict.outcome;
        let word = outcome.word().to_uppercase();
        let id = clean(&case.info.id);
        let (family, level) = (case.info.family, case.info.level);
        let left = columns(&format!("{word}  {id}  {family}  {level}"));
        let text = format!(
            "{}  {}  {family}  {level}",
            paint(palette.of(outcome), &word),
            paint(palette.strong, &id)
        );
        let time = format!("{:.3} s", case.verdict.took.as_secs_f64());
        // A long id is no reason for a second line.
        let space = self.look.width.saturating_sub(left + columns(&time)).max(2);
        self.line(&format!("{text}{}{}", " ".repeat(space), paint(palette.dim, time)));
    }

    fn requirement(&mut self, case: &CaseFinished) {
        const SHOWN: usize = 3;
        let refs = &case.info.refs;
        let mut parts: Vec<String> = Vec::new();
        for reference in refs.iter().take(SHOWN) {
            for part in [&reference.source, &reference.id] {
                let part = clean(part).into_owned();
                if !part.is_empty() && !parts.contains(&part) && (parts.is_empty() || *part == reference.id) {
                    parts.push(part);
                }
            }
        }
        let mut right = parts.join(" · ");
        if refs.len() > SHOWN {
            let _ = write!(right, " +{}", refs.len() - SHOWN);
        }
        let title = clean(&case.info.title);
        let left = format!("  {title}");
        let width = columns(&left);
        self.spread((left, width), (paint(self.look.palette.dim, &right), columns(&right)));
    }

    fn place(&mut self, case: &CaseFinished, violation: &Violation) {
        let mut line = match located(case.plan.as_deref(), violation) {
            Some((what, place)) => format!("  {what} · {}", clean(&place)),
            None => format!("  {}", clean(&case.info.place.to_string())),
        };
        match &violation.kind {
            ViolationKind::Monitor(id) => {
                let _ = write!(line, " · monitor {}", clean(id));
            }
            ViolationKind::Crashed => line.push_str(" · the target crashed"),
            ViolationKind::Hung => line.push_str(" · the target hangs"),
            ViolationKind::WrongAnswer
            | ViolationKind::NoAnswer
            | ViolationKind::TooEarly
            | ViolationKind::TooLate
            | ViolationKind::NotSilent
            | ViolationKind::Unexpected
            | ViolationKind::App
            | ViolationKind::Content => {}
        }
        self.line(&line);
    }

    fn paragraph(&mut self, text: &str) {
        for line in wrap(&clean(text), self.look.width - 2) {
            self.line(&format!("  {line}"));
        }
    }

    /// What it means: the known mistake, or the step's own sentence, and then the lesson.
    fn words(&mut self, case: &CaseFinished, violation: Option<&Violation>) {
        let said = violation.and_then(|v| v.means.as_deref().or(v.why.as_deref()));
        let lesson = match case.verdict.outcome {
            Outcome::Fail | Outcome::Warn => case.info.lesson.as_deref(),
            Outcome::Pass
            | Outcome::Unsupported
            | Outcome::Inconclusive
            | Outcome::Blocked
            | Outcome::Error => None,
        };
        let lesson = lesson.filter(|lesson| said.is_none_or(|said| !said.contains(lesson)));
        let text: Vec<&str> = [said, lesson].into_iter().flatten().collect();
        self.paragraph(&text.join(" "));
    }

    fn more(&mut self, case: &CaseFinished) {
        let violated = |e: &&crate::engine::CaseEvent| matches!(e.what, CaseEventKind::Violated(_));
        let n = counted(case).map_or(0, |t| t.events.iter().filter(violated).count());
        if n > 1 {
            let text = format!("({} more in this case)", count(n - 1, "violation"));
            self.line(&format!("  {}", paint(self.look.palette.dim, text)));
        }
    }

    /// Where a blocked case sends its reader; and what was tried.
    fn blame(&mut self, case: &CaseFinished) {
        if let Some(blamed) = &case.verdict.blamed {
            self.paragraph(&format!("Fix this first: `tcpspec run {}` tests these steps.", clean(blamed)));
        }
        if let Some(known) = &case.deviation {
            self.paragraph(&deviation(known, case.expected));
        }
        if case.tries.len() > 1 {
            let words: Vec<&str> = case.tries.iter().map(|t| t.verdict.outcome.word()).collect();
            self.paragraph(&format!("Tried {} times: {}.", words.len(), words.join(", ")));
        }
    }

    /// The last that the target's program wrote meanwhile.
    fn output(&mut self, case: &CaseFinished) {
        const LINES_MAX: usize = 10;
        let Some(attempt) = counted(case).filter(|attempt| !attempt.output.is_empty()) else { return };
        self.line("");
        self.line(&format!("  {}", paint(self.look.palette.dim, "the target wrote:")));
        let lines: Vec<&str> = attempt.output.lines().collect();
        for line in lines.iter().skip(lines.len().saturating_sub(LINES_MAX)) {
            self.line(&format!("      {}", clean(line)));
        }
    }

    fn ladder(&mut self, case: &CaseFinished) {
        let Some(attempt) = counted(case) else { return };
        let lines = ladder::draw(&attempt.events, case.plan.as_deref(), ladder::ROWS_MAX, self.look);
        if !lines.is_empty() {
            self.line("");
        }
        for line in lines {
            self.line(&line);
        }
    }
}

/// That a case is known to deviate, and why.
fn deviation(known: &Deviation, is_expected: bool) -> String {
    let outcome = known.outcome;
    if !is_expected {
        return format!("The target's manifest says that this case is known to be {outcome}.");
    }
    let text = format!("This is a known deviation of the target ({outcome}). {}", clean(&known.because));
    match &known.link {
        Some(link) => format!("{} ({})", text.trim_end(), clean(link)),
        None => text.trim_end().to_owned(),
    }
}

/// `step 2 of 4` and its place in the suites.
fn located(plan: Option<&Plan>, violation: &Violation) -> Option<(String, String)> {
    let plan = plan?;
    let index = violation.step?;
    let step = plan.steps.get(index)?;
    let all = plan.steps.iter().filter(|s| s.fixture == step.fixture).map(|s| s.number).max()?;
    let mut what = format!("step {} of {all}", step.number);
    if let Some(fixture) = step.fixture.and_then(|f| plan.fixtures.get(f)) {
        let _ = write!(what, " of the fixture `{}`", clean(&fixture.id));
    }
    Some((what, step.step.place.to_string()))
}

#[cfg(test)]
mod tests;
