//! The page at several widths, and what is left out of long exchanges.

use super::*;
use crate::engine::Outcome;
use crate::event::CaseFinished;
use crate::report::sample;
use rstest::rstest;

fn drawn(case: &CaseFinished, width: usize) -> String {
    let look = Look { width, ..Look::PLAIN };
    let lines = draw(&case.tries[0].events, case.plan.as_deref(), ROWS_MAX, look);
    assert!(lines.iter().all(|l| *l == l.trim_end()), "{lines:#?}");
    lines.join("\n")
}

fn long(rows: u64, wrong: u64) -> Vec<Row> {
    (0..rows)
        .map(|n| Row {
            at: Time::from_micros(n * 100),
            side: if n % 2 == 0 { Side::Sent } else { Side::Received },
            text: format!("segment {n}"),
            remark: String::new(),
            open: false,
            tone: if n == wrong { Tone::Wrong } else { Tone::Plain },
        })
        .collect()
}

fn shape(rungs: &[Rung<'_>]) -> String {
    let word = |rung: &Rung<'_>| match rung {
        Rung::Row(row) if row.tone == Tone::Wrong => format!("[{}]", row.text.replace("segment ", "")),
        Rung::Row(row) => row.text.replace("segment ", ""),
        Rung::Gap(n) => format!("..{n}.."),
    };
    rungs.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn it_fits_a_wide_page() {
    insta::assert_snapshot!(drawn(&sample::failed(), 100), @r#"
    0.0000                                           app: listen
    0.0000  SYN  seq=isn  mss 1460  -------------->
    0.0002                          <--------------  SYN ACK  seq=irs ack=isn  mss 1460   x step 2
    "#);
}

#[test]
fn a_narrow_page_has_short_arrows() {
    insta::assert_snapshot!(drawn(&sample::failed(), 70), @r#"
    0.0000       app: listen
    0.0000  -->  SYN  seq=isn  mss 1460
    0.0002  <--  SYN ACK  seq=irs ack=isn  mss 1460   x step 2
    "#);
}

#[rstest]
#[case(16, 15, "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 [15]")]
#[case(40, 39, "0 1 2 3 4 ..26.. 31 32 33 34 35 36 37 38 [39]")]
#[case(40, 20, "0 1 2 3 4 ..9.. 14 15 16 17 18 19 [20] 21 22 ..17..")]
#[case(40, 2, "0 1 [2] 3 4 5 6 7 8 9 10 11 12 13 14 ..25..")]
#[case(40, 99, "0 1 2 3 4 ..26.. 31 32 33 34 35 36 37 38 39")]
fn the_middle_of_a_long_exchange_is_left_out(#[case] rows: u64, #[case] wrong: u64, #[case] says: &str) {
    let rows = long(rows, wrong);
    let rungs = elide(&rows, ROWS_MAX);
    assert!(rungs.len() <= ROWS_MAX);
    assert_eq!(shape(&rungs), says);
    let gaps: usize = rungs.iter().map(|r| if let Rung::Gap(n) = r { *n } else { 1 }).sum();
    assert_eq!(gaps, rows.len());
}

#[rstest]
fn no_bound_loses_the_mark_or_the_count(
    #[values(1, 2, 3, 5, 17)] max: usize,
    #[values(18, 19, 100)] n: u64,
    #[values(0, 9, 17)] wrong: u64,
) {
    let rows = long(n, wrong);
    let rungs = elide(&rows, max.max(8));
    let total: usize = rungs.iter().map(|r| if let Rung::Gap(n) = r { *n } else { 1 }).sum();
    assert_eq!(total, rows.len());
    assert!(shape(&rungs).contains('['), "{}", shape(&rungs));
}

#[test]
fn what_never_came_gets_a_row_and_noise_its_reason() {
    let violation = Violation {
        kind: ViolationKind::NoAnswer,
        at: Time::from_micros(1_000_200),
        got: None,
        cells: vec![],
        ..sample::violation()
    };
    let noise = Claim::Noise("it says nothing new".into());
    let case = sample::with_violation(
        violation,
        vec![
            sample::sent(0, 1, "SYN  seq=isn"),
            sample::received(150, 2, "ACK  seq=irs ack=isn", noise),
            sample::event(160, 2, CaseEventKind::AppReplied { line: "accepted\u{1b}[2J".into() }),
        ],
    );
    insta::assert_snapshot!(drawn(&case, 110), @r#"
    0.0000  SYN  seq=isn  ------------------->
    0.0001                <-------------------  ACK  seq=irs ack=isn        legal: it says nothing new
    0.0002                                      app: -> accepted\u{1b}[2J
    1.0002                                      (nothing)                   x step 2
    "#);
}

#[test]
fn a_violated_monitor_marks_its_segment() {
    let violation =
        Violation { kind: ViolationKind::Monitor("right-edge".into()), step: None, ..sample::violation() };
    let case = sample::with_violation(
        violation,
        vec![sample::received(200, 2, "ACK  seq=irs len 100", Claim::Expected)],
    );
    assert_eq!(case.verdict.outcome, Outcome::Fail);
    insta::assert_snapshot!(drawn(&case, 100), @"      0.0002    <-------------------  ACK  seq=irs len 100   x right-edge");
}
