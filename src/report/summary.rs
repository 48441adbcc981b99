//! What a run amounts to: totals, points, monitors, and the conclusion that `cli/` turns into an
//! exit code.

use super::monitors::Monitors;
use crate::engine::Outcome;
use crate::event::{CaseFinished, RunEvent, RunFinished, RunStarted};
use serde::Serialize;
use std::time::Duration;

/// How many cases ended how. The order of the fields is that of the JSON report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    pub cases: usize,
    pub pass: usize,
    pub fail: usize,
    pub warn: usize,
    pub blocked: usize,
    pub unsupported: usize,
    pub inconclusive: usize,
    pub error: usize,
}

impl Totals {
    fn add(&mut self, outcome: Outcome) {
        self.cases += 1;
        *match outcome {
            Outcome::Pass => &mut self.pass,
            Outcome::Fail => &mut self.fail,
            Outcome::Warn => &mut self.warn,
            Outcome::Blocked => &mut self.blocked,
            Outcome::Unsupported => &mut self.unsupported,
            Outcome::Inconclusive => &mut self.inconclusive,
            Outcome::Error => &mut self.error,
        } += 1;
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Points {
    pub earned: u64,
    pub possible: u64,
}

/// What the run says of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// Every case that could be judged met its requirement.
    Conformant,
    /// Some requirement was violated, or a case could not reach its state through the target's fault.
    Violated,
    /// Nothing was violated, but the harness or the machine could not judge every case.
    HarnessFailed,
    Interrupted,
}

/// The fold.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    pub totals: Totals,
    pub points: Points,
    pub monitors: Monitors,
    /// Cases whose tries did not agree.
    pub flaky: usize,
    /// Cases that ended as a known deviation of the target says.
    pub known: usize,
    /// Known deviations that did not occur: `id v4`, what was said and what was seen.
    pub stale: Vec<String>,
    /// Cases selected.
    pub selected: usize,
    pub longest_case: Duration,
    pub wall: Duration,
    pub interrupted: bool,
    require_all: bool,
}

impl Summary {
    /// With `require_all`, what the target does not support counts as possible points.
    pub fn new(require_all: bool) -> Self {
        Self { require_all, ..Self::default() }
    }

    pub fn event(&mut self, event: &RunEvent) {
        match event {
            RunEvent::RunStarted(started) => self.started(started),
            RunEvent::CaseStarted { .. } | RunEvent::CaseSlow { .. } => {}
            RunEvent::CaseFinished(case) => self.case(case),
            RunEvent::RunFinished(finished) => self.finished(finished),
        }
    }

    pub fn started(&mut self, started: &RunStarted) {
        self.selected = started.cases;
    }

    pub fn finished(&mut self, finished: &RunFinished) {
        self.wall = finished.wall;
        self.interrupted = finished.interrupted;
    }

    pub fn case(&mut self, case: &CaseFinished) {
        let verdict = &case.verdict;
        self.totals.add(verdict.outcome);
        let points = u64::from(case.info.points);
        match verdict.outcome {
            Outcome::Pass => {
                self.points.earned += points;
                self.points.possible += points;
            }
            Outcome::Unsupported if !self.require_all => {}
            Outcome::Unsupported
            | Outcome::Inconclusive
            | Outcome::Blocked
            | Outcome::Warn
            | Outcome::Fail
            | Outcome::Error => self.points.possible += points,
        }
        self.monitors.case(case);
        self.flaky += usize::from(super::flaky(case));
        self.longest_case = self.longest_case.max(verdict.took);
        if let Some(known) = &case.deviation {
            if case.expected {
                self.known += 1;
            } else {
                let (id, family) = (&case.info.id, case.info.family);
                self.stale
                    .push(format!("{family} {id}: known to be {}, was {}", known.outcome, verdict.outcome));
            }
        }
    }

    /// Cases that were selected and not run: after an interrupt or with `--fail-fast`.
    pub fn not_run(&self) -> usize {
        self.selected.saturating_sub(self.totals.cases)
    }

    /// A proven violation outranks what could not be judged: it stays true whatever else broke.
    pub fn conclusion(&self) -> Conclusion {
        let Totals { cases: _, pass: _, fail, warn: _, blocked, unsupported: _, inconclusive, error } =
            self.totals;
        if self.interrupted {
            Conclusion::Interrupted
        } else if fail + blocked > 0 {
            Conclusion::Violated
        } else if inconclusive + error > 0 {
            Conclusion::HarnessFailed
        } else {
            Conclusion::Conformant
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use rstest::rstest;

    use Outcome::{Blocked, Error, Fail, Inconclusive, Pass, Unsupported, Warn};

    fn fold(outcomes: &[Outcome], interrupted: bool) -> Summary {
        let mut summary = Summary::default();
        for &outcome in outcomes {
            summary.event(&RunEvent::CaseFinished(Box::new(sample::ended(outcome))));
        }
        let wall = Duration::from_millis(7);
        summary.event(&RunEvent::RunFinished(RunFinished { wall, interrupted }));
        summary
    }

    #[rstest]
    #[case(&[Pass, Pass], Conclusion::Conformant)]
    #[case(&[Pass, Warn, Unsupported], Conclusion::Conformant)]
    #[case(&[], Conclusion::Conformant)]
    #[case(&[Pass, Fail], Conclusion::Violated)]
    #[case(&[Pass, Blocked], Conclusion::Violated)]
    #[case(&[Pass, Inconclusive], Conclusion::HarnessFailed)]
    #[case(&[Pass, Error], Conclusion::HarnessFailed)]
    #[case(&[Fail, Error, Inconclusive], Conclusion::Violated)]
    fn the_conclusion_follows_from_the_outcomes(#[case] outcomes: &[Outcome], #[case] says: Conclusion) {
        assert_eq!(fold(outcomes, false).conclusion(), says);
        assert_eq!(fold(outcomes, true).conclusion(), Conclusion::Interrupted);
    }

    #[test]
    fn totals_and_points_count_every_outcome() {
        let summary = fold(&Outcome::ALL, false);
        let Totals { cases, pass, fail, warn, blocked, unsupported, inconclusive, error } = summary.totals;
        assert_eq!([pass, fail, warn, blocked, unsupported, inconclusive, error], [1; 7]);
        assert_eq!(cases, 7);
        // Each sample is worth 2; what is unsupported does not count unless all is required.
        assert_eq!(summary.points, Points { earned: 2, possible: 12 });
        let mut strict = Summary::new(true);
        strict.event(&RunEvent::CaseFinished(Box::new(sample::ended(Unsupported))));
        assert_eq!(strict.points, Points { earned: 0, possible: 2 });
    }

    #[test]
    fn a_known_deviation_that_does_not_occur_is_stale() {
        let mut case = sample::ended(Pass);
        case.deviation = Some(sample::deviation());
        case.expected = false;
        let mut summary = Summary::default();
        summary.event(&RunEvent::CaseFinished(Box::new(case)));
        assert_eq!(summary.stale, ["v4 handshake/passive/pass: known to be fail, was pass"]);
    }

    #[test]
    fn what_did_not_run_is_counted() {
        let mut summary = Summary::default();
        summary.event(&RunEvent::RunStarted(RunStarted { cases: 3, ..sample::started() }));
        summary.event(&RunEvent::CaseFinished(Box::new(sample::ended(Pass))));
        assert_eq!(summary.not_run(), 2);
    }
}
