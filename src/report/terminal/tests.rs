//! What a whole run looks like, without a terminal.

use super::*;
use crate::engine::{Outcome, Stage, Verdict};
use crate::event::{RunFinished, Try};
use crate::report::record::Run;
use crate::report::sample;

fn shown(run: &Run) -> (String, String) {
    let mut terminal =
        Terminal::new(Vec::new(), Vec::new(), ProgressBar::hidden(), Look::PLAIN, Summary::new(false));
    for event in run.events() {
        terminal.event(&event).unwrap();
    }
    let text = |octets| String::from_utf8(octets).unwrap();
    (text(terminal.results), text(terminal.progress))
}

#[test]
fn a_run_with_every_outcome() {
    let mut cases: Vec<CaseFinished> = Outcome::ALL.map(sample::ended).into();
    cases[3].verdict.blamed = Some("handshake/passive/listens".into());
    let (results, progress) = shown(&Run::new(
        RunStarted { cases: 9, ..sample::started() },
        cases,
        RunFinished { wall: Duration::from_millis(7), interrupted: true },
    ));
    insta::assert_snapshot!(results);
    insta::assert_snapshot!(progress, @r#"
        Starting 9 cases on my-tcp.yaml over sim, 2 lanes, seed 42
    "#);
}

#[test]
fn the_failure_is_explained_and_listed_again() {
    let (results, _) = shown(&sample::run(vec![sample::ended(Outcome::Pass), sample::failed()]));
    insta::assert_snapshot!(results);
}

#[test]
fn a_case_whose_tries_disagree_is_flaky() {
    let mut case = sample::ended(Outcome::Pass);
    let verdict = sample::verdict(Outcome::Fail, "the first time");
    case.tries.insert(0, Try { tuple: None, inputs: vec![], verdict, output: String::new(), events: vec![] });
    let (results, _) = shown(&sample::run(vec![case]));
    insta::assert_snapshot!(results, @r#"
           FLAKY [0.003s] v4 handshake/passive/pass  (1 of 2 tries passed)
    ------------
         Summary 1 case in 7 ms: 1 passed, 1 flaky
                 2 of 2 points
        Monitors 1 kept, 20 with nothing to look at
                 kept (segments/cases): checksum 3/1
                 nothing to look at: ack-bit, ack-monotone, ack-of-ack, ack-of-unsent, beyond-fin,
                   content, ecn, header, held-text, mss, options, options-negotiated,
                   retransmitted-bytes, right-edge, rst-for-rst, rst-numbers, sack-blocks, timestamps,
                   tuple, window-retracted
           FLAKY [0.003s] v4 handshake/passive/pass  (1 of 2 tries passed)
    "#);
}

#[test]
fn a_try_that_was_not_judged_makes_nothing_flaky() {
    let mut case = sample::failed();
    let verdict = sample::verdict(Outcome::Inconclusive, "a segment of ours left late");
    case.tries.insert(0, Try { tuple: None, inputs: vec![], verdict, output: String::new(), events: vec![] });
    assert!(shown(&sample::run(vec![case])).0.contains("        FAIL ["));
}

#[test]
fn known_and_stale_deviations_are_told_apart() {
    let mut known = sample::failed();
    known.deviation = Some(sample::deviation());
    known.expected = true;
    let mut stale = sample::ended(Outcome::Pass);
    stale.deviation = Some(sample::deviation());
    stale.expected = false;
    let (results, _) = shown(&sample::run(vec![known, stale]));
    insta::assert_snapshot!(results, @r#"
            FAIL [0.003s] v4 handshake/passive/syn-ack-counts-the-syn  (known deviation)
            PASS [0.003s] v4 handshake/passive/pass
    ------------
         Summary 2 cases in 7 ms: 1 passed, 1 failed, 1 known
                 2 of 4 points
        Monitors 1 kept, 20 with nothing to look at
                 kept (segments/cases): checksum 6/2
                 nothing to look at: ack-bit, ack-monotone, ack-of-ack, ack-of-unsent, beyond-fin,
                   content, ecn, header, held-text, mss, options, options-negotiated,
                   retransmitted-bytes, right-edge, rst-for-rst, rst-numbers, sack-blocks, timestamps,
                   tuple, window-retracted
            PASS [0.003s] v4 handshake/passive/pass
            FAIL [0.003s] v4 handshake/passive/syn-ack-counts-the-syn  (known deviation)
                 step 2: ack: expected isn+1 (1001), got isn (1000)
           STALE v4 handshake/passive/pass: known to be fail, was pass
    "#);
}

#[test]
fn violated_monitors_have_lines_of_their_own() {
    let mut known = sample::violating("right-edge", 2);
    known.deviation = Some(sample::deviation());
    known.expected = true;
    let late = sample::violating("window-retracted", 1);
    let late = CaseFinished { verdict: Verdict { outcome: Outcome::Inconclusive, ..late.verdict }, ..late };
    let many = (0..5).map(|n| {
        let mut case = sample::violating("right-edge", 1);
        case.info.id = format!("window/sender/{n}");
        case
    });
    let run = sample::run([known, late, sample::ended(Outcome::Pass)].into_iter().chain(many).collect());
    insta::assert_snapshot!(monitors::paragraph(&run.summary(false).monitors, Look::PLAIN), @r#"
    Monitors 2 violated, 1 kept, 18 with nothing to look at
             right-edge  7 of 18 segments in 6 of 6 cases (1 known)
               no octet lies beyond the right edge of our window, window probes aside (RFC 9293
               3.8.6)
               handshake/passive/fail
               window/sender/0
               window/sender/1
               and 3 more
             window-retracted  1 of 3 segments in 1 of 1 case (1 not judged)
               the right edge of the window is not moved back (RFC 9293 3.8.6, SHLD-14)
               handshake/passive/fail
             kept (segments/cases): checksum 3/1
             nothing to look at: ack-bit, ack-monotone, ack-of-ack, ack-of-unsent, beyond-fin,
               content, ecn, header, held-text, mss, options, options-negotiated,
               retransmitted-bytes, rst-for-rst, rst-numbers, sack-blocks, timestamps, tuple
    "#);
}

#[test]
fn slow_cases_are_mentioned_apart_from_the_results() {
    let mut terminal =
        Terminal::new(Vec::new(), Vec::new(), ProgressBar::hidden(), Look::PLAIN, Summary::new(false));
    let (id, family) = ("timer/slow\u{7}".to_owned(), Family::V6);
    let stages = [(10, 0, 0), (11, 1, 0), (19, 2, 9), (20, 3, 3 << 19), (21, 4, 3 << 20), (39, 4, 3 << 20)];
    for (seconds, step, octets) in stages {
        let (elapsed, stage) = (Duration::from_millis(seconds * 1000 + 3), Stage { step, steps: 9, octets });
        terminal.event(&RunEvent::CaseSlow { id: id.clone(), family, elapsed, stage: Some(stage) }).unwrap();
    }
    let message = terminal.progress_message();
    assert_eq!(message, "1 running, step 4 of 9, 3.0 MiB carried, 39 s: v6 timer/slow\\u{7}");
    let elapsed = Duration::from_secs(41);
    terminal.event(&RunEvent::CaseSlow { id: id.clone(), family, elapsed, stage: None }).unwrap();
    // One that began later says nothing where another has taken longer.
    let other = RunEvent::CaseStarted { id: "a/later/one".into(), family, attempt: 1 };
    terminal.event(&other).unwrap();
    assert_eq!(terminal.progress_message(), "2 running, 41 s: v6 timer/slow\\u{7}");
    assert_eq!(terminal.results, b"");
    assert_eq!(
        String::from_utf8(terminal.progress).unwrap(),
        concat!(
            "        SLOW [> 10 s] v6 timer/slow\\u{7}: in its fixture\n",
            "        SLOW [> 20 s] v6 timer/slow\\u{7}: step 3 of 9, 1.5 MiB carried\n",
            "        SLOW [> 41 s] v6 timer/slow\\u{7}\n",
        )
    );
}

#[test]
fn a_long_list_of_failures_is_not_explained_to_the_end() {
    let case = |n: usize| {
        let mut case = sample::failed();
        case.info.id = format!("a/b/{n:03}");
        case.verdict = Verdict { reason: format!("reason {n}"), ..case.verdict };
        case
    };
    let (results, _) = shown(&sample::run((0..EXPLAINED_MAX + 7).map(case).collect()));
    assert_eq!(results.matches("again:").count(), EXPLAINED_MAX);
    assert_eq!(results.matches("FAIL [").count(), 2 * (EXPLAINED_MAX + 7));
}
