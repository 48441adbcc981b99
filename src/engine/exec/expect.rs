//! `expect`: waiting for the segment that a step wants, or for silence.

use super::super::eval::Mark;
use super::super::event::{CaseEventKind, Claim, Violation, ViolationKind};
use super::super::matching::Resolved;
use super::arrive::Arrival;
use super::{Exec, State, report};
use crate::suite::model::{Expect, Pattern, Step, Verb};
use crate::time::{Time, span};
use std::sync::Arc;
use std::time::Duration;

/// How far a time may be off that a bound names: the larger of an absolute slack and a share of it.
const SLACK: Duration = Duration::from_millis(5);
const SHARE: u32 = 50;

pub(super) fn tolerance(interval: Duration) -> Duration {
    SLACK.max(interval / SHARE)
}

/// An answer that would do: its name (of `one_of`), and what it looks like.
pub(super) type Candidate<'a> = (Option<&'a str>, &'a Pattern);

pub(super) fn candidates(expect: &Expect) -> Vec<Candidate<'_>> {
    match expect {
        Expect::One(pattern) => vec![(None, pattern)],
        Expect::OneOf(list) => {
            list.iter().filter_map(|(name, p)| Some((Some(name.as_str()), p.as_ref()?))).collect()
        }
        Expect::Nothing { .. } => Vec::new(),
    }
}

/// The name under which silence is one of the allowed answers.
pub(super) fn silence(expect: &Expect) -> Option<&str> {
    match expect {
        Expect::OneOf(list) => list.iter().find(|(_, p)| p.is_none()).map(|(name, _)| name.as_str()),
        Expect::One(_) | Expect::Nothing { .. } => None,
    }
}

impl Exec {
    pub(super) fn begin_expect(&mut self, expect: &Expect, step: &Step) -> bool {
        self.skipped.clear();
        let since = match self.since(step) {
            Ok(since) => since,
            Err(e) => return self.broken(&e.to_string()),
        };
        let deadline = match expect {
            // Silence is counted from the step before too, so that it does not depend on our haste.
            Expect::Nothing { span } => self.eval_span(span).map(|span| since + span),
            Expect::One(_) | Expect::OneOf(_) => self.deadline(step, since),
        };
        match deadline {
            Ok(deadline) => self.state = State::Frame { since, deadline },
            Err(e) => return self.broken(&e.to_string()),
        }
        true
    }

    pub(super) fn await_frame(&mut self, since: Time, deadline: Time) -> bool {
        let plan = Arc::clone(&self.plan);
        let Some(planned) = plan.steps.get(self.pc) else { return false };
        let Verb::Expect(expect) = &planned.step.verb else { return false };
        let step = &planned.step;
        // What came after the deadline belongs to the next step.
        while self.inbox.front().is_some_and(|arrival| arrival.at <= deadline) {
            let Some(mut arrival) = self.inbox.pop_front() else { break };
            match self.answer(&arrival, expect) {
                Err(e) => return self.broken(&e),
                Ok(Some(name)) => return self.accept_answer(&arrival, name.as_deref(), step, since),
                Ok(None) => {}
            }
            let quiet = matches!(expect, Expect::Nothing { .. }) || silence(expect).is_some();
            let noise = if quiet {
                self.take_silent_noise(&arrival, step)
            } else {
                self.take_noise(&arrival, Some(step))
            };
            if !noise {
                self.reject_answer(&arrival, expect, step, since);
                return false;
            }
            arrival.claimed = true;
            self.skipped.push(arrival);
        }
        if self.now < deadline && self.inbox.is_empty() {
            return false;
        }
        self.nothing_came(expect, step, since, deadline)
    }

    /// `Some(name)` where the arrival is an answer that the step allows.
    #[allow(clippy::type_complexity, reason = "two questions, each with a plain answer")]
    fn answer(&self, arrival: &Arrival, expect: &Expect) -> Result<Option<Option<String>>, String> {
        let scope = self.scope();
        for (name, pattern) in candidates(expect) {
            let wanted = Resolved::of(pattern, &scope).map_err(|e| e.to_string())?;
            if wanted.matches(&arrival.packet) && (!arrival.aside || wanted.names_port()) {
                return Ok(Some(name.map(str::to_owned)));
            }
        }
        Ok(None)
    }

    fn accept_answer(&mut self, arrival: &Arrival, name: Option<&str>, step: &Step, since: Time) -> bool {
        let early = match step.within.as_ref().and_then(|within| within.from.as_ref()) {
            None => None,
            Some(from) => match self.eval_span(from) {
                Ok(from) => (arrival.at + tolerance(from) < since + from).then_some(from),
                Err(e) => return self.broken(&e.to_string()),
            },
        };
        if let Some(from) = early {
            self.claim(arrival, Claim::Wrong);
            let line = self.line(&arrival.packet, report::From::Target);
            let mut violation = self.violation(ViolationKind::TooEarly, &line, Some(line.clone()));
            violation.at = arrival.at;
            violation.after = arrival.at.since(since);
            violation.limit = Some(format!("not before {}", span(from)));
            violation.means = self.known_mistake(step, Some(&arrival.packet));
            self.violate(violation);
            self.finish();
            return false;
        }
        self.claim(arrival, Claim::Expected);
        if let Some(name) = name {
            self.emit_at(arrival.at, CaseEventKind::Observed { answer: name.to_owned() });
        }
        self.mark(
            step,
            Mark {
                at: arrival.at,
                packet: Some(arrival.packet.clone()),
                answer: name.map(str::to_owned),
                ..Mark::default()
            },
        );
        self.pass(arrival.at)
    }

    pub(super) fn nothing_came(&mut self, expect: &Expect, step: &Step, since: Time, deadline: Time) -> bool {
        if let Expect::Nothing { .. } = expect {
            return self.pass(deadline);
        }
        if let Some(name) = silence(expect) {
            self.emit_at(deadline, CaseEventKind::Observed { answer: name.to_owned() });
            self.mark(step, Mark { at: deadline, answer: Some(name.to_owned()), ..Mark::default() });
            return self.pass(deadline);
        }
        if let Some(arrival) = self.nearest_skipped(expect, step) {
            self.reject_answer(&arrival, expect, step, since);
            return false;
        }
        let mut expected = self.expected_line(expect);
        if self.live.is_some() {
            expected.push_str(&format!(" from the {}", step.from));
        }
        let mut violation = self.violation(ViolationKind::NoAnswer, &expected, None);
        violation.at = deadline;
        violation.after = deadline.since(since);
        violation.limit = Some(format!("within {}", span(deadline.since(since))));
        violation.means = self.known_mistake(step, None);
        self.end_violated(violation);
        false
    }

    /// Of what was skipped as legal noise, the segment that explains most why the answer is missing: a
    /// known mistake, or an acknowledgment that says something else than was expected.
    fn nearest_skipped(&mut self, expect: &Expect, step: &Step) -> Option<Arrival> {
        let scope = self.scope();
        let differing = |arrival: &Arrival| {
            candidates(expect)
                .into_iter()
                .filter_map(|(_, pattern)| Resolved::of(pattern, &scope).ok())
                .map(|wanted| wanted.cells(&arrival.packet, &self.script))
                .filter(|cells| !cells.is_empty())
                .map(|cells| cells.iter().filter(|cell| cell.differs).count())
                .min()
        };
        let known = self.skipped.iter().position(|a| self.known_mistake(step, Some(&a.packet)).is_some());
        let nearest = || {
            let all = self.skipped.iter().enumerate().filter(|(_, arrival)| arrival.is_answer());
            all.filter_map(|(index, arrival)| Some((differing(arrival)?, index)))
                .min()
                .map(|(_, index)| index)
        };
        let index = known.or_else(nearest)?;
        Some(self.skipped.swap_remove(index))
    }

    fn reject_answer(&mut self, arrival: &Arrival, expect: &Expect, step: &Step, since: Time) {
        // Worded before it is claimed: the names must mean what they meant when it came.
        let got = self.line(&arrival.packet, report::From::Target);
        let mut violation = match expect {
            Expect::Nothing { .. } => self.violation(ViolationKind::NotSilent, "silence", Some(got)),
            Expect::One(_) | Expect::OneOf(_) => {
                let mut violation =
                    self.violation(ViolationKind::WrongAnswer, &self.expected_line(expect), Some(got));
                self.fill_cells(&mut violation, arrival, expect);
                violation
            }
        };
        violation.at = arrival.at;
        violation.after = arrival.at.since(since);
        violation.limit = step
            .within
            .as_ref()
            .and_then(|within| self.eval_span(&within.to).ok())
            .map(|limit| format!("within {}", span(limit)));
        violation.means = self.known_mistake(step, Some(&arrival.packet));
        if !arrival.claimed {
            self.claim(arrival, Claim::Wrong);
        }
        self.violate(violation);
        self.finish();
    }

    /// The comparison with the allowed answer that comes nearest.
    fn fill_cells(&self, violation: &mut Violation, arrival: &Arrival, expect: &Expect) {
        let scope = self.scope();
        let nearest = candidates(expect)
            .into_iter()
            .filter_map(|(_, pattern)| Resolved::of(pattern, &scope).ok())
            .map(|wanted| (wanted.cells(&arrival.packet, &self.script), wanted.line()))
            .min_by_key(|(cells, _)| (cells.is_empty(), cells.iter().filter(|cell| cell.differs).count()));
        if let Some((cells, line)) = nearest {
            violation.cells = cells;
            if matches!(expect, Expect::One(_)) {
                violation.expected = line;
            }
        }
    }

    pub(super) fn expected_line(&self, expect: &Expect) -> String {
        let scope = self.scope();
        let line = |pattern: &Pattern| {
            Resolved::of(pattern, &scope).map_or_else(|e| e.to_string(), |wanted| wanted.line())
        };
        match expect {
            Expect::One(pattern) => line(pattern),
            Expect::OneOf(list) => list
                .iter()
                .map(|(name, p)| p.as_ref().map_or_else(|| name.clone(), |p| format!("{name}: {}", line(p))))
                .collect::<Vec<_>>()
                .join(", or "),
            Expect::Nothing { .. } => "silence".to_owned(),
        }
    }
}
