//! Whole pages, looked at.

use super::*;
use crate::engine::event::{Cell, Claim};
use crate::report::sample;
use crate::report::style::Palette;
use crate::time::Time;
use rstest::rstest;
use std::time::Duration;

fn again() -> Again {
    Again::of(&sample::started())
}

fn page(case: &CaseFinished, width: usize) -> String {
    failure(case, &again(), Look { width, ..Look::PLAIN })
}

#[test]
fn the_example_of_the_design() {
    insta::assert_snapshot!(page(&sample::failed(), 110));
}

#[test]
fn the_same_on_eighty_columns() {
    insta::assert_snapshot!(page(&sample::failed(), 80));
}

#[test]
fn colours_change_nothing_but_colours() {
    let look = Look { width: 110, palette: Palette::COLOR };
    let coloured = failure(&sample::failed(), &again(), look);
    assert!(coloured.contains('\u{1b}'));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), page(&sample::failed(), 110));
}

#[test]
fn silence_where_an_answer_was_due() {
    let violation = Violation {
        kind: ViolationKind::NoAnswer,
        at: Time::from_micros(1_000_000),
        cells: vec![],
        expected: "SYN|ACK  ack = isn+1 (1001)  mss any".into(),
        got: None,
        after: Duration::from_secs(1),
        means: None,
        why: Some("A listening TCP answers a SYN at once.".into()),
        ..sample::violation()
    };
    let case = sample::with_violation(violation, vec![sample::sent(0, 1, "SYN  seq=isn  mss 1460")]);
    insta::assert_snapshot!(page(&case, 100));
}

#[test]
fn many_fields_become_a_table() {
    let mut violation = sample::violation();
    let cell = |field: &str, expected: &str, got: &str| Cell {
        field: field.into(),
        expected: expected.into(),
        got: got.into(),
        differs: expected != got,
    };
    violation.cells.extend([
        cell("window", "1..65535", "0"),
        cell("ts_ecr", "peer.tsval (123456)", "0"),
        cell("wscale", "none", "none"),
    ]);
    violation.cells[1] = cell("sack_permitted", "any", "");
    let case = sample::with_violation(violation, vec![]);
    insta::assert_snapshot!(page(&case, 80));
}

#[test]
fn a_blocked_case_names_what_to_fix_first() {
    let violation = Violation { step: Some(0), ..sample::violation() };
    let mut case = sample::with_violation(
        violation,
        vec![
            sample::sent(0, 0, "SYN  seq=isn  mss 1460"),
            sample::received(200, 0, "SYN ACK  seq=irs ack=isn  mss 1460", Claim::Wrong),
        ],
    );
    case.verdict.outcome = Outcome::Blocked;
    case.verdict.blamed = Some("handshake/passive/listens".into());
    insta::assert_snapshot!(page(&case, 100));
}

#[test]
fn a_broken_harness_says_how() {
    let mut case = sample::ended(Outcome::Error);
    case.verdict.reason = "the control channel closed: \u{1b}[2Jbroken pipe".into();
    insta::assert_snapshot!(page(&case, 100));
}

#[rstest]
#[case("reference", "tcpspec run handshake/passive/fail --family 4 --seed 42")]
#[case(
    "reference+syn-not-counted",
    "tcpspec run handshake/passive/fail --mutant syn-not-counted --family 4 --seed 42"
)]
#[case("my tcp.yaml", "tcpspec run handshake/passive/fail -t 'my tcp.yaml' --family 4 --seed 42")]
fn the_command_repeats_the_case(#[case] target: &str, #[case] command: &str) {
    let again = Again::of(&RunStarted { target: target.into(), ..sample::started() });
    assert_eq!(again.command(&sample::ended(Outcome::Fail)), command);
}

#[rstest]
fn no_line_is_wider_than_the_page(#[values(70, 80, 100, 120)] width: usize) {
    for line in page(&sample::failed(), width).lines().filter(|l| !l.contains("again:")) {
        assert!(columns(line) <= width, "{width}: {line}");
    }
}
