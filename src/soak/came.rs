//! What an episode came to.

use super::known::{Known, kind_word};
use crate::engine::{
    CaseEvent, CaseEventKind, Outcome, Verdict, Violation, ViolationKind, headline, monitor_rules, verdict,
};
use crate::event::Try;
use crate::plan::Plan;
use crate::suite::model::Level;
use std::collections::BTreeSet;

/// What an episode came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    Clean,
    /// Clean, but a rule found no segment: as a case it would prove less than it says.
    Idle,
    Violated(Finding),
    /// We were late.
    Inconclusive,
    Broken(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The monitors that were violated; where there is none, the kind of the step's violation. A smaller episode has
    /// to show one of them too.
    pub kinds: Vec<String>,
    pub level: Level,
    pub sentence: String,
}

impl Finding {
    /// It can be the same bug.
    pub fn is_like(&self, other: &Self) -> bool {
        self.level == other.level && self.kinds.iter().any(|kind| other.kinds.contains(kind))
    }
}

/// The kind of what no step and no monitor sees.
pub(super) const ENDLESS: &str = "endless";

impl Known {
    /// What an episode came to, and which of the known violations were seen in it. The verdict is that of all else: what is
    /// known neither hides another violation nor takes away that we were late for it.
    pub fn judge(&self, plan: &Plan, tried: &Try) -> (Came, BTreeSet<String>) {
        let mut seen = BTreeSet::new();
        let mut rest: Vec<CaseEvent> = Vec::new();
        for event in &tried.events {
            match &event.what {
                CaseEventKind::Violated(violation) if self.has(&kind_word(&violation.kind)) => {
                    seen.insert(kind_word(&violation.kind));
                }
                _ => rest.push(event.clone()),
            }
        }
        let mut came = if seen.is_empty() {
            came(&tried.verdict)
        } else {
            let mut rest = verdict(plan, &rest);
            rest.monitors.retain(|monitor| !seen.contains(&monitor.id));
            came(&rest)
        };
        if matches!(&came, Came::Violated(found) if self.has(ENDLESS) && found.kinds == [ENDLESS]) {
            seen.insert(ENDLESS.to_owned());
            came = Came::Clean;
        }
        (came, seen)
    }
}

/// An impairment that found no segment is none of the target's business, and hides none of its violations.
pub fn came(verdict: &Verdict) -> Came {
    if verdict.outcome == Outcome::Inconclusive {
        return Came::Inconclusive;
    }
    if verdict.outcome == Outcome::Error && verdict.reason.contains("does not end") {
        // No two correct TCPs do that.
        let sentence = "the two sides never stop talking".to_owned();
        return Came::Violated(Finding { kinds: vec![ENDLESS.to_owned()], level: Level::Must, sentence });
    }
    if let Some(violation) = &verdict.violation {
        return Came::Violated(finding(verdict, violation));
    }
    match verdict.outcome {
        Outcome::Error if verdict.reason.contains("never fired") => Came::Idle,
        Outcome::Error | Outcome::Unsupported => Came::Broken(verdict.reason.clone()),
        Outcome::Pass | Outcome::Warn | Outcome::Fail | Outcome::Blocked | Outcome::Inconclusive => {
            Came::Clean
        }
    }
}

fn finding(verdict: &Verdict, violation: &Violation) -> Finding {
    let should = |id: &str| monitor_rules().any(|rule| rule.id == id && rule.level != Level::Must);
    let broken = || verdict.monitors.iter().filter(|monitor| monitor.violations > 0);
    let level = match &violation.kind {
        ViolationKind::Monitor(id) if should(id) => Level::Should,
        // No episode asks which octets are taken, so the stream is whole (RFC 9293 3.8) whatever else is only a SHOULD.
        ViolationKind::Monitor(_) | ViolationKind::Content => Level::Must,
        _ if verdict.outcome == Outcome::Warn => Level::Should,
        _ => Level::Must,
    };
    let mut kinds: Vec<String> = broken()
        .filter(|monitor| should(&monitor.id) == (level == Level::Should))
        .map(|monitor| monitor.id.clone())
        .collect();
    if kinds.is_empty() {
        kinds.push(kind_word(&violation.kind));
    }
    Finding { kinds, level, sentence: headline(violation) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    /// What urgent data is in the stream is a SHOULD (RFC 6093 5), so a case may ask for octets and only warn. An episode never does.
    #[test]
    fn wrong_octets_have_the_level_of_their_case_and_in_an_episode_that_of_the_stream() {
        let mut plan = sample::plan(&sample::info("urgent/pointer/in-its-place"));
        plan.case.level = Level::Should;
        let wrong = Violation { kind: ViolationKind::Content, ..sample::violation() };
        let (at, step) = (wrong.at, Some(2));
        let events = [CaseEvent { at, step, what: CaseEventKind::Violated(Box::new(wrong)) }];
        let verdict = verdict(&plan, &events);
        assert_eq!(verdict.outcome, Outcome::Warn);
        let Came::Violated(finding) = came(&verdict) else { panic!("a violation") };
        assert_eq!((finding.level, finding.kinds), (Level::Must, vec!["wrong-octets".to_owned()]));
    }
}
