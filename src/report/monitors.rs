//! What the monitors saw in a run: a row for each, also for those that had nothing to look at, so that a reader can tell
//! "never violated" from "never asked".

use crate::engine::{MonitorRule, Outcome, monitor_rules};
use crate::event::CaseFinished;
use crate::suite::model::{Family, Level};
use std::collections::{BTreeMap, BTreeSet};

/// The rows of a run, by the monitors' ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Monitors(BTreeMap<String, Row>);

/// What became of one monitor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// What holds, in a sentence. Empty where a record tells of a monitor that this version does not have.
    pub sentence: &'static str,
    pub level: Option<Level>,
    /// Segments that it had something to say about.
    pub checked: u64,
    /// Case instances with such a segment.
    pub cases: usize,
    pub violations: u64,
    /// The case instances in which it was violated.
    pub violated_in: BTreeSet<(String, Family)>,
    /// How many of these ended as a known deviation says.
    pub known: usize,
    /// How many of these could not be judged: then it may be us.
    pub unjudged: usize,
}

impl Default for Monitors {
    fn default() -> Self {
        let row = |MonitorRule { id, level, sentence, proves: _ }| {
            (id.to_owned(), Row { sentence, level: Some(level), ..Row::default() })
        };
        Self(monitor_rules().map(row).collect())
    }
}

impl Monitors {
    pub(super) fn case(&mut self, case: &CaseFinished) {
        for count in &case.verdict.monitors {
            let row = self.0.entry(count.id.clone()).or_default();
            row.checked += count.checked;
            row.cases += usize::from(count.checked > 0);
            row.violations += count.violations;
            if count.violations > 0 {
                row.violated_in.insert((case.info.id.clone(), case.info.family));
                row.known += usize::from(case.deviation.is_some() && case.expected);
                let unjudged = matches!(case.verdict.outcome, Outcome::Inconclusive | Outcome::Error);
                row.unjudged += usize::from(unjudged);
            }
        }
    }

    /// In the order of their ids.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &Row)> {
        self.0.iter().map(|(id, row)| (id.as_str(), row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Verdict;
    use crate::report::sample;

    #[test]
    fn every_monitor_has_a_row_from_the_beginning() {
        let monitors = Monitors::default();
        let ids: BTreeSet<&str> = monitors.rows().map(|(id, _)| id).collect();
        assert_eq!(ids, monitor_rules().map(|rule| rule.id).collect());
        for (id, row) in monitors.rows() {
            assert!(row.sentence.contains("RFC ") && row.level.is_some(), "{id}: {row:?}");
            assert_eq!((row.checked, row.cases, row.violations), (0, 0, 0), "{id}");
        }
    }

    #[test]
    fn a_row_says_in_which_cases_it_was_violated() {
        let mut monitors = Monitors::default();
        monitors.case(&sample::ended(Outcome::Pass));
        let mut known = sample::violating("checksum", 2);
        known.deviation = Some(sample::deviation());
        known.expected = true;
        monitors.case(&known);
        let mut idle = sample::ended(Outcome::Pass);
        idle.verdict.monitors[0].checked = 0;
        monitors.case(&idle);
        let (_, row) = monitors.rows().find(|(id, _)| *id == "checksum").expect("its row");
        assert_eq!((row.checked, row.cases, row.violations, row.known), (6, 2, 2, 1));
        assert_eq!(row.unjudged, 0);
        assert_eq!(row.violated_in, BTreeSet::from([("handshake/passive/fail".to_owned(), Family::V4)]));
    }

    #[test]
    fn what_was_not_judged_is_told_apart() {
        let mut monitors = Monitors::default();
        let late = sample::violating("mss", 1);
        let verdict = Verdict { outcome: Outcome::Inconclusive, ..late.verdict };
        monitors.case(&CaseFinished { verdict, ..late });
        let (_, row) = monitors.rows().find(|(id, _)| *id == "mss").expect("its row");
        assert_eq!((row.violations, row.unjudged), (1, 1));
    }

    #[test]
    fn a_monitor_of_another_version_keeps_its_counts() {
        let mut monitors = Monitors::default();
        monitors.case(&sample::violating("gone", 1));
        let (_, row) = monitors.rows().find(|(id, _)| *id == "gone").expect("its row");
        assert_eq!((row.sentence, row.level, row.violations), ("", None, 1));
    }
}
