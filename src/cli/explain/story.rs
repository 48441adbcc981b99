//! A case as a story: what is required, why, what happens step by step, and how it looks on the wire.

use super::sentence;
use crate::event::Try;
use crate::plan::{CaseInfo, Plan};
use crate::report::ladder;
use crate::report::style::{Look, paint};
use crate::report::text::{clean, wrap};
use crate::suite::model::{Case, Step};
use std::fmt::Write;
use tcpspec_reference::Mutant;

/// Rows of the ladder: a story may be longer than one screen.
const ROWS_MAX: usize = 60;

pub(super) fn tell(case: &Case, info: &CaseInfo, tried: Option<(&Plan, &Try)>, look: Look) -> String {
    let mut page = Page { out: String::new(), look };
    let (family, level) = (info.family, info.level);
    let head = paint(look.palette.strong, clean(&info.id));
    let _ = writeln!(
        page.out,
        "{head}  {family}  {level}  {}",
        paint(look.palette.dim, clean(&info.place.to_string()))
    );
    page.paragraph(&info.title, 2);
    page.requirements(info);
    if let Some(lesson) = &info.lesson {
        page.heading("Lesson");
        page.paragraph(lesson, 2);
    }
    page.kills(info);
    page.heading("Steps");
    for (index, fixture) in case.given.iter().enumerate() {
        page.paragraph(&format!("First the fixture `{}` (tested by {}):", fixture.id, fixture.tested_by), 2);
        let taken = tried.map(|(plan, _)| plan.steps.iter().filter(|s| s.fixture == Some(index)));
        match taken {
            Some(steps) => steps.for_each(|s| page.step(s.number, &s.step, 4)),
            None => page.steps(fixture.ways.first().map_or(&[], |way| &way.steps), 4),
        }
    }
    match tried {
        Some((plan, _)) => {
            let own = plan.steps.iter().filter(|s| s.fixture.is_none());
            own.for_each(|s| page.step(s.number, &s.step, 2));
        }
        None => page.steps(&case.steps, 2),
    }
    if let Some((plan, attempt)) = tried {
        page.heading(&format!("On the reference: {}", attempt.verdict.outcome));
        for line in ladder::draw(&attempt.events, Some(plan), ROWS_MAX, look) {
            let _ = writeln!(page.out, "{line}");
        }
    }
    page.out
}

struct Page {
    out: String,
    look: Look,
}

impl Page {
    fn heading(&mut self, text: &str) {
        let _ = writeln!(self.out, "\n{}", paint(self.look.palette.strong, text));
    }

    fn paragraph(&mut self, text: &str, indent: usize) {
        self.hanging("", text, indent);
    }

    /// A paragraph whose further lines stand below the first word behind `mark`.
    fn hanging(&mut self, mark: &str, text: &str, indent: usize) {
        let hang = indent + mark.chars().count();
        for (n, line) in wrap(&clean(text), self.look.width.saturating_sub(hang).max(20)).iter().enumerate() {
            let mark = if n == 0 { mark } else { "" };
            let _ = writeln!(self.out, "{:indent$}{mark:width$}{line}", "", width = hang - indent);
        }
    }

    fn requirements(&mut self, info: &CaseInfo) {
        if info.refs.is_empty() {
            return;
        }
        self.heading(if info.refs.len() == 1 { "Requirement" } else { "Requirements" });
        for reference in &info.refs {
            let source =
                if reference.source.is_empty() { String::new() } else { format!(" ({})", reference.source) };
            self.paragraph(&format!("{}{source}: {}", reference.id, reference.title), 2);
        }
    }

    fn kills(&mut self, info: &CaseInfo) {
        if info.kills.is_empty() {
            return;
        }
        self.heading("Catches");
        for id in &info.kills {
            let sentence = Mutant::from_id(id).map_or("", |mutant| mutant.sentence());
            self.paragraph(&format!("{id}: {sentence}"), 2);
        }
    }

    fn steps(&mut self, steps: &[Step], indent: usize) {
        for (number, step) in (1..).zip(steps) {
            self.step(number, step, indent);
        }
    }

    fn step(&mut self, number: u32, step: &Step, indent: usize) {
        let mark = format!("{number:>2}. ");
        self.hanging(&mark, &sentence::of(step), indent);
        let inner = indent + mark.len();
        for otherwise in &step.otherwise {
            let seen = match &otherwise.seen {
                Some(seen) => format!("If it answers {}", sentence::pattern(seen)),
                None => "If it stays silent".to_owned(),
            };
            self.hanging("- ", &format!("{seen}: {}", otherwise.means), inner);
        }
        if let Some(why) = &step.why {
            self.paragraph(why, inner);
        }
    }
}
