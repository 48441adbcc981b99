//! From the tries of a case to what is said of it. Pure.

use crate::engine::{Outcome, Verdict, confirmed};
use crate::event::{CaseFinished, Try};
use crate::plan::{CaseInfo, Plan};
use crate::target::deviation::Deviation;
use std::time::Duration;

/// What `--deny` makes worse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deny {
    /// A violated SHOULD is a failure.
    pub should: bool,
    /// A case that could not be judged is an error.
    pub inconclusive: bool,
}

impl Deny {
    pub fn raise(self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Warn if self.should => Outcome::Fail,
            Outcome::Inconclusive if self.inconclusive => Outcome::Error,
            other @ (Outcome::Pass
            | Outcome::Unsupported
            | Outcome::Inconclusive
            | Outcome::Blocked
            | Outcome::Warn
            | Outcome::Fail
            | Outcome::Error) => other,
        }
    }
}

/// What to do after a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Done,
    Again,
    /// Again, when nothing else runs.
    Alone,
}

/// `alone` is true if nothing else runs already.
pub(super) fn next(tries: &[Try], retries: u32, repeat: u32, deny: Deny, alone: bool) -> Next {
    let bad = |outcome| match deny.raise(outcome) {
        Outcome::Fail | Outcome::Blocked | Outcome::Error => true,
        Outcome::Pass | Outcome::Unsupported | Outcome::Inconclusive | Outcome::Warn => false,
    };
    let Some(last) = tries.last().map(|t| t.verdict.outcome) else { return Next::Again };
    let failed = tries.iter().filter(|t| bad(t.verdict.outcome)).count();
    if last == Outcome::Inconclusive {
        return if alone { Next::Done } else { Next::Alone };
    }
    let more = (tries.len() as u64) < u64::from(repeat) || (bad(last) && failed as u64 <= u64::from(retries));
    if more && last != Outcome::Unsupported { Next::Again } else { Next::Done }
}

/// The verdict of several tries: the last one, or the worst where the case was to be repeated; a try
/// that was inconclusive counts only if no other one follows it.
fn decide(tries: &[Try], repeat: u32) -> &Verdict {
    let last = tries.last().expect("a case that ran was tried");
    if repeat <= 1 || last.verdict.outcome == Outcome::Inconclusive {
        return &last.verdict;
    }
    let counts = |t: &&Try| t.verdict.outcome != Outcome::Inconclusive;
    let worst = tries.iter().filter(counts).max_by_key(|t| t.verdict.outcome).unwrap_or(last);
    &worst.verdict
}

pub(super) fn tried(
    info: CaseInfo,
    plan: Box<Plan>,
    tries: Vec<Try>,
    deviation: Option<&Deviation>,
    repeat: u32,
    deny: Deny,
) -> CaseFinished {
    let mut verdict = decide(&tries, repeat).clone();
    if let (Outcome::Inconclusive, [.., before, last]) = (verdict.outcome, &tries[..])
        && let Some((outcome, reason)) = confirmed(&before.verdict, &last.verdict)
    {
        verdict = Verdict { outcome, reason, excused: None, ..verdict };
    }
    let (deviation, expected) = expected(deviation, verdict.outcome);
    verdict.outcome = deny.raise(verdict.outcome);
    CaseFinished { info, plan: Some(plan), tries, verdict, deviation, expected }
}

pub(super) fn unsupported(info: CaseInfo, deviation: Option<&Deviation>, why: String) -> CaseFinished {
    let verdict = empty(Outcome::Unsupported, why);
    let (deviation, expected) = expected(deviation, verdict.outcome);
    CaseFinished { info, plan: None, tries: vec![], verdict, deviation, expected }
}

/// A try that the harness had to give up; it has no inputs, so it is never judged again.
pub(super) fn broken(why: String) -> Try {
    Try {
        tuple: None,
        inputs: vec![],
        verdict: empty(Outcome::Error, why),
        output: String::new(),
        events: vec![],
    }
}

fn empty(outcome: Outcome, reason: String) -> Verdict {
    Verdict {
        outcome,
        reason,
        violation: None,
        blamed: None,
        observed: vec![],
        monitors: vec![],
        traffic: None,
        took: Duration::ZERO,
        lateness: Duration::ZERO,
        excused: None,
        waited: Duration::ZERO,
    }
}

/// Without a known deviation, the RFC is what is expected; and no target must do what is optional.
fn expected(deviation: Option<&Deviation>, outcome: Outcome) -> (Option<Deviation>, bool) {
    match deviation {
        // A glob says where a target deviates, not that it does so in every case of it.
        Some(known) if known.is_glob() && matches!(outcome, Outcome::Pass | Outcome::Unsupported) => {
            (None, true)
        }
        // What could not be judged says nothing of what is known.
        Some(_) if outcome == Outcome::Inconclusive => (None, false),
        Some(known) => (Some(known.clone()), known.outcome == outcome),
        None => (None, matches!(outcome, Outcome::Pass | Outcome::Unsupported)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Violation, ViolationKind};
    use crate::report::sample;
    use rstest::rstest;

    use Outcome::{Blocked, Error, Fail, Inconclusive, Pass, Unsupported, Warn};

    fn tries(outcomes: &[Outcome]) -> Vec<Try> {
        let one = |&outcome: &Outcome| Try {
            tuple: None,
            inputs: vec![],
            verdict: empty(outcome, String::new()),
            output: String::new(),
            events: vec![],
        };
        outcomes.iter().map(one).collect()
    }

    #[rstest]
    #[case::pass(&[Pass], 0, 1, false, Next::Done)]
    #[case::fail(&[Fail], 0, 1, false, Next::Done)]
    #[case::retry(&[Fail], 1, 1, false, Next::Again)]
    #[case::retried(&[Fail, Fail], 1, 1, false, Next::Done)]
    #[case::retry_helped(&[Fail, Pass], 5, 1, false, Next::Done)]
    #[case::a_warning_is_no_failure(&[Warn], 5, 1, false, Next::Done)]
    #[case::repeat(&[Pass, Fail], 0, 3, false, Next::Again)]
    #[case::repeated(&[Pass, Fail, Pass], 0, 3, false, Next::Done)]
    #[case::late(&[Inconclusive], 0, 1, false, Next::Alone)]
    #[case::late_alone(&[Inconclusive, Inconclusive], 0, 1, true, Next::Done)]
    #[case::no_use_in_repeating(&[Unsupported], 3, 3, false, Next::Done)]
    #[case::broken(&[Error], 1, 1, false, Next::Again)]
    #[case::blocked(&[Blocked], 1, 1, false, Next::Again)]
    fn what_comes_next(
        #[case] outcomes: &[Outcome],
        #[case] retries: u32,
        #[case] repeat: u32,
        #[case] alone: bool,
        #[case] says: Next,
    ) {
        assert_eq!(next(&tries(outcomes), retries, repeat, Deny::default(), alone), says);
    }

    #[rstest]
    #[case::the_last(&[Fail, Pass], 1, Pass)]
    #[case::the_worst(&[Pass, Fail, Pass], 3, Fail)]
    #[case::late_once(&[Inconclusive, Pass], 1, Pass)]
    #[case::late_once_of_many(&[Pass, Inconclusive, Pass], 3, Pass)]
    #[case::late_at_last(&[Fail, Inconclusive], 3, Inconclusive)]
    fn what_counts(#[case] outcomes: &[Outcome], #[case] repeat: u32, #[case] says: Outcome) {
        assert_eq!(decide(&tries(outcomes), repeat).outcome, says);
    }

    /// A try that was inconclusive because the target had to wait.
    fn excused(kind: ViolationKind, step: usize, got: Option<&str>) -> Try {
        let violation =
            Violation { kind, step: Some(step), got: got.map(str::to_owned), ..sample::violation() };
        let mut tried = tries(&[Inconclusive]).remove(0);
        tried.verdict.violation = Some(Box::new(violation));
        tried.verdict.excused = Some(Box::new((Fail, "it is wrong".to_owned())));
        tried
    }

    #[rstest]
    #[case::the_same(ViolationKind::WrongAnswer, 2, Some("RST seq=isn"), Fail)]
    #[case::with_an_option_and_without(
        ViolationKind::WrongAnswer,
        2,
        Some("RST seq=isn ts 7/9"),
        Inconclusive
    )]
    #[case::another_step(ViolationKind::WrongAnswer, 3, Some("RST seq=isn"), Inconclusive)]
    #[case::another_answer(ViolationKind::WrongAnswer, 2, Some("RST seq=isn+1"), Inconclusive)]
    #[case::another_way(ViolationKind::Unexpected, 2, Some("RST seq=isn"), Inconclusive)]
    fn what_was_wrong_twice_in_the_same_way_is_wrong(
        #[case] kind: ViolationKind,
        #[case] step: usize,
        #[case] got: Option<&str>,
        #[case] says: Outcome,
    ) {
        let before = excused(ViolationKind::WrongAnswer, 2, Some("RST seq=isn"));
        let last = excused(kind, step, got);
        let info = sample::info("close/one");
        let plan = Box::new(sample::plan(&info));
        let case = tried(info, plan, vec![before, last], None, 1, Deny::default());
        assert_eq!(case.verdict.outcome, says);
    }

    /// A clock shows another time in each try; silence may have been waiting both times.
    #[test]
    fn no_clock_makes_a_difference_and_silence_is_no_answer() {
        let both = |kind: &ViolationKind, one: Option<&str>, other: Option<&str>| {
            confirmed(&excused(kind.clone(), 1, one).verdict, &excused(kind.clone(), 1, other).verdict)
                .is_some()
        };
        assert!(both(&ViolationKind::NotSilent, Some("ACK win 8 ts 3/4"), Some("ACK win 8 ts 5/6")));
        assert!(!both(&ViolationKind::NotSilent, Some("ACK win 8 ts 3/4"), Some("ACK win 9 ts 5/6")));
        assert!(!both(&ViolationKind::NoAnswer, None, None));
        assert!(!both(&ViolationKind::App, Some("nothing"), Some("nothing")));
        assert!(both(&ViolationKind::App, Some("reset"), Some("reset")));
    }

    #[test]
    fn deny_raises_what_it_names() {
        let deny = Deny { should: true, inconclusive: false };
        assert_eq!(
            Outcome::ALL.map(|o| deny.raise(o)),
            [Pass, Fail, Fail, Blocked, Unsupported, Inconclusive, Error]
        );
        let deny = Deny { should: false, inconclusive: true };
        assert_eq!(
            Outcome::ALL.map(|o| deny.raise(o)),
            [Pass, Fail, Warn, Blocked, Unsupported, Error, Error]
        );
    }

    #[rstest]
    #[case::none(None, Pass, true)]
    #[case::none(None, Unsupported, true)]
    #[case::none(None, Warn, false)]
    #[case::by_id(Some(("a/b", Fail)), Fail, true)]
    #[case::by_id(Some(("a/b", Fail)), Pass, false)]
    #[case::by_glob(Some(("a/*", Fail)), Fail, true)]
    #[case::by_glob(Some(("a/*", Fail)), Pass, true)]
    #[case::by_glob(Some(("a/*", Fail)), Warn, false)]
    fn a_known_deviation_is_what_is_expected(
        #[case] known: Option<(&str, Outcome)>,
        #[case] outcome: Outcome,
        #[case] says: bool,
    ) {
        let known = known.map(|(cases, outcome)| Deviation {
            cases: cases.into(),
            outcome,
            because: "it is old".into(),
            link: None,
            wires: vec![],
        });
        assert_eq!(expected(known.as_ref(), outcome).1, says);
    }
}
