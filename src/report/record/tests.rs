//! The record survives a round trip, and every kind of broken file is refused in one line.

use super::*;
use crate::engine::io::InputKind;
use crate::report::sample;
use crate::time::Time;
use proptest::prelude::*;
use rstest::rstest;
use std::time::Duration;

fn write(run: &Run) -> String {
    let mut recorder = Recorder::new(Vec::new());
    for event in run.events() {
        recorder.event(&event).unwrap();
    }
    String::from_utf8(recorder.out).unwrap()
}

fn sample_run() -> Run {
    let mut failed = sample::failed();
    failed.tries[0].inputs = vec![
        Input { at: Time::ZERO, what: InputKind::Timeout },
        Input { at: Time::from_micros(3), what: InputKind::Frame { octets: vec![0, 0xff, 0x45] } },
    ];
    sample::run(vec![sample::ended(Outcome::Pass), failed])
}

/// What a reader gets: everything but the events, which follow from plan and inputs.
fn without_events(mut run: Run) -> Run {
    run.cases.iter_mut().flat_map(|c| &mut c.tries).for_each(|t| t.events.clear());
    run
}

#[test]
fn a_record_is_read_back_as_it_was() {
    let run = sample_run();
    let text = write(&run);
    assert_eq!(text.lines().count(), 4);
    assert!(text.starts_with(r#"{"event":"run-started","schema":1,"#), "{text}");
    assert_eq!(read("run.jsonl", text.as_bytes()).unwrap(), without_events(run));
}

#[test]
fn cases_are_sorted_by_id_and_family() {
    let run = sample_run();
    let backwards = Run { cases: run.cases.iter().rev().cloned().collect(), ..run.clone() };
    assert_ne!(write(&run), write(&backwards));
    assert_eq!(read("a", write(&run).as_bytes()).unwrap(), read("b", write(&backwards).as_bytes()).unwrap());
}

#[rstest]
#[case::empty("", "run.jsonl:1: empty: this is no record of a run")]
#[case::no_json("hello\n", "run.jsonl:1: not JSON: expected value (column 1)")]
#[case::other_json(
    "{\"a\":1}\n",
    "run.jsonl:1: this is no record of a run: the first line must be `run-started`"
)]
#[case::array("[1]\n", "run.jsonl:1: this is no record of a run: the first line must be `run-started`")]
#[case::schema(
    "{\"event\":\"run-started\",\"schema\":7,\"new\":1}\n",
    "run.jsonl:1: schema 7 is not known: this tcpspec reads schema 1"
)]
#[case::field(
    "{\"event\":\"run-started\",\"schema\":1}\n",
    "run.jsonl:1: no event of a run: missing field `version`"
)]
#[case::control("\u{1b}[31m\n", "run.jsonl:1: not JSON: expected value (column 1)")]
fn what_is_no_record_is_refused(#[case] text: &str, #[case] message: &str) {
    assert_eq!(read("run.jsonl", text.as_bytes()).unwrap_err().to_string(), message);
}

#[rstest]
#[case::in_a_line(|t: &str| t[..t.len() - 20].to_owned(), "run.jsonl:4: cut short in the middle of a line")]
#[case::before_the_end_of_the_line(
    |t: &str| t.trim_end().to_owned(),
    "run.jsonl:4: cut short: the last line has no line end"
)]
#[case::between_lines(
    |t: &str| t.lines().take(3).map(|l| format!("{l}\n")).collect(),
    "run.jsonl:3: the record ends here, without `run-finished`: the run was cut short"
)]
#[case::twice(
    |t: &str| format!("{t}{t}"),
    "run.jsonl:5: stands behind `run-finished`, which must be the last line"
)]
#[case::second_start(
    |t: &str| format!("{0}\n{0}\n", t.lines().next().unwrap()),
    "run.jsonl:2: a second `run-started`: join records with `tcpspec merge`"
)]
#[case::unknown_event(
    |t: &str| t.replace("case-finished", "case-invented"),
    "run.jsonl:2: no event of a run: unknown variant `case-invented`, expected one of `run-started`, \
     `case-started`, `case-slow`, `case-finished`, `run-finished` (column 24)"
)]
fn a_damaged_record_is_refused_at_its_line(#[case] damage: fn(&str) -> String, #[case] message: &str) {
    let text = damage(&write(&sample_run()));
    assert_eq!(read("run.jsonl", text.as_bytes()).unwrap_err().to_string(), message);
}

#[test]
fn octets_that_are_no_text_are_refused() {
    let error = read("x", &b"{\"event\":\"run-started\xff\"}\n"[..]).unwrap_err().to_string();
    assert!(error.starts_with("x:1: not JSON: invalid unicode"), "{error}");
}

#[test]
fn the_record_stands_where_the_judgement_agrees() {
    let mut run = sample_run();
    let verdict = run.cases[1].verdict.clone();
    let changed = rejudge(&mut run, |_, _| (vec![sample::sent(1, 1, "SYN")], verdict.clone()));
    assert_eq!(changed, Vec::<String>::new());
    assert_eq!(run.cases[1].tries[0].events, [sample::sent(1, 1, "SYN")]);
}

#[test]
fn a_changed_judgement_is_told() {
    let mut run = sample_run();
    let changed = rejudge(&mut run, |_, _| (vec![], sample::verdict(Outcome::Pass, "")));
    assert_eq!(changed, ["v4 handshake/passive/syn-ack-counts-the-syn: was fail, is now pass"]);
    assert_eq!(run.cases[1].verdict.outcome, Outcome::Pass);
}

#[test]
fn a_denied_should_stays_denied() {
    let mut run = sample_run();
    run.cases[1].tries[0].verdict.outcome = Outcome::Warn;
    let replayed = run.cases[1].tries[0].verdict.clone();
    assert_eq!(rejudge(&mut run, |_, _| (vec![], replayed.clone())), Vec::<String>::new());
    assert_eq!(run.cases[1].verdict.outcome, Outcome::Fail);
    let other = Verdict { reason: "another".into(), ..replayed };
    rejudge(&mut run, |_, _| (vec![], other.clone()));
    assert_eq!(
        (run.cases[1].verdict.outcome, run.cases[1].verdict.reason.as_str()),
        (Outcome::Fail, "another")
    );
}

proptest! {
    #[test]
    fn any_inputs_and_texts_survive(
        octets in proptest::collection::vec(any::<u8>(), 0..40),
        at in any::<u64>(),
        text in any::<String>(),
        took in any::<u32>(),
    ) {
        let mut run = sample_run();
        let case = &mut run.cases[1];
        case.info.title.clone_from(&text);
        case.verdict.reason = text;
        case.verdict.took = Duration::from_nanos(u64::from(took));
        case.tries[0].inputs = vec![Input { at: Time::from_nanos(at), what: InputKind::Frame { octets } }];
        prop_assert_eq!(read("x", write(&run).as_bytes()).unwrap(), without_events(run));
    }

    #[test]
    fn no_file_makes_the_reader_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read("x", octets.as_slice());
    }
}
