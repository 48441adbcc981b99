//! When the target is asked how long it has waited for a processor, and what is told of its answer.
//!
//! Owns one moment: that of the last question, from which the next answer counts. Time is an argument. It must not know
//! whom it asks, nor how much waiting excuses a verdict.

use crate::engine::InputKind;
use crate::time::Time;
use std::time::Duration;

/// Where a case waits for minutes, it is asked at least so often: what kept it from a processor a minute ago says nothing of its
/// answer now.
const LOOK: Duration = Duration::from_secs(1);

/// Where something happens, it is asked so often at most.
pub(super) const PAUSE: Duration = Duration::from_millis(20);

/// So little is not worth telling.
pub(super) const WAITED_MIN: Duration = Duration::from_millis(1);

/// When it was asked last.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Asking {
    last: Time,
}

impl Asking {
    pub(super) fn last(&self) -> Time {
        self.last
    }

    /// When it is to be asked although nothing happens.
    pub(super) fn look(&self) -> Time {
        self.last + LOOK
    }

    /// Whether it is asked now, or was less than `pause` ago.
    pub(super) fn is_time(&self, pause: Duration, now: Time) -> bool {
        now.since(self.last) >= pause
    }

    /// It was asked, and has waited so long since it was asked before: what there is to tell of that.
    pub(super) fn answered(&mut self, now: Time, waited: Option<Duration>) -> Option<InputKind> {
        let over = now.since(self.last);
        self.last = now;
        let waited = waited.filter(|waited| *waited >= WAITED_MIN)?.min(over);
        let [for_ns, over_ns] = [waited, over].map(|span| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX));
        Some(InputKind::Waited { for_ns, over_ns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::CaseEventKind;
    use crate::engine::{CaseEvent, Outcome, Violation, ViolationKind, verdict};
    use crate::report::sample;
    use rstest::rstest;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    /// When the target does wrong, after minutes in which nothing happened but that it was asked each `LOOK`.
    const WRONG: Duration = Duration::from_millis(175_300);

    /// What is told of a target that was kept from a processor for 32 ms until `stall`.
    fn told(stall: Duration) -> Vec<CaseEvent> {
        let mut asking = Asking::default();
        let mut events = vec![];
        while asking.last() < Time::ZERO + WRONG {
            let (last, now) = (asking.last(), asking.look().min(Time::ZERO + WRONG));
            let within = last < Time::ZERO + stall && Time::ZERO + stall <= now;
            let waited = if within { MS(32) } else { Duration::ZERO };
            if let Some(InputKind::Waited { for_ns, over_ns }) = asking.answered(now, Some(waited)) {
                let [time, over] = [for_ns, over_ns].map(Duration::from_nanos);
                events.push(CaseEvent { at: now, step: None, what: CaseEventKind::Waited { time, over } });
            }
        }
        events
    }

    #[rstest]
    #[case::at_once(MS(400), Outcome::Fail)]
    #[case::in_the_middle(MS(90_000), Outcome::Fail)]
    #[case::three_seconds_before(MS(172_300), Outcome::Fail)]
    #[case::just_before(MS(175_250), Outcome::Inconclusive)]
    fn what_was_long_before_an_answer_excuses_nothing(#[case] stall: Duration, #[case] outcome: Outcome) {
        let mut events = told(stall);
        assert_eq!(events.len(), 1, "it is told once, and no second without it");
        let at = Time::ZERO + WRONG;
        let wrong = Violation { kind: ViolationKind::WrongAnswer, at, after: MS(60), ..sample::violation() };
        events.push(CaseEvent { at, step: Some(2), what: CaseEventKind::Violated(Box::new(wrong)) });
        let plan = sample::plan(&sample::info("timeout/give-up/slow"));
        let verdict = verdict(&plan, &events);
        assert_eq!((verdict.outcome, verdict.waited), (outcome, MS(32)), "{}", verdict.reason);
    }

    #[test]
    fn an_answer_counts_from_the_question_before() {
        let at = |ms| Time::ZERO + MS(ms);
        let mut asking = Asking::default();
        let waited = |for_ms: u64, over_ms: u64| {
            Some(InputKind::Waited { for_ns: for_ms * 1_000_000, over_ns: over_ms * 1_000_000 })
        };
        assert_eq!(asking.answered(at(50), Some(MS(7))), waited(7, 50));
        assert!(!asking.is_time(PAUSE, at(69)) && asking.is_time(PAUSE, at(70)));
        assert_eq!(asking.look(), at(1050));
        assert_eq!(asking.answered(at(60), Some(MS(25))), waited(10, 10), "no longer than there was time");
        assert_eq!(asking.answered(at(90), Some(Duration::from_micros(999))), None, "too little");
        assert_eq!(asking.answered(at(120), None), None, "nobody knows");
        assert_eq!(asking.answered(at(130), Some(MS(1))), waited(1, 10));
    }
}
