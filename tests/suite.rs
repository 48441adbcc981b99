//! Suites as their authors write them: what loads, and what it becomes.

use tcpspec::suite::catalogue::Catalogue;
use tcpspec::suite::corpus::{Context, Corpus, SourceFile, Sources};
use tcpspec::suite::diagnostic::{Diagnostic, Style, render_all};
use tcpspec::suite::model::{App, Case, Expect, FieldName, Pattern, Send, Verb};

const MUTANTS: &[&str] = &["syn-not-counted", "rst-not-checked"];

const FIXTURES: &str = include_str!("data/fixtures.yaml");

const PASSIVE: &str = include_str!("data/passive.yaml");

const BLIND: &str = include_str!("data/blind.yaml");

fn load(files: &[(&str, &str)]) -> (Corpus, Vec<Diagnostic>) {
    let file =
        |(id, text): &(&str, &str)| SourceFile::new(format!("suites/{id}.yaml"), *id, (*text).to_owned());
    let sources = Sources { files: files.iter().map(file).collect(), ..Sources::default() };
    Corpus::load(&sources, Context { catalogue: Catalogue::embedded(), mutants: MUTANTS })
}

fn load_clean(files: &[(&str, &str)]) -> Vec<Case> {
    let (corpus, problems) = load(files);
    assert!(problems.is_empty(), "{}", render_all(&problems, corpus.sources(), Style::Plain));
    corpus.instances().collect()
}

fn sample() -> Vec<Case> {
    load_clean(&[("fixtures", FIXTURES), ("handshake/passive", PASSIVE), ("reset/blind", BLIND)])
}

#[test]
fn ids_come_from_the_file_the_case_and_its_parameters() {
    let ids: Vec<_> = sample().into_iter().map(|case| case.id).collect();
    assert_eq!(
        ids,
        [
            "handshake/passive/syn-ack-counts-the-syn",
            "reset/blind/rst-left-in-established",
            "reset/blind/rst-exact-in-established",
            "reset/blind/rst-inside-in-established",
            "reset/blind/rst-edge-in-established",
            "reset/blind/rst-right-in-established",
            "reset/blind/many[n=1]",
            "reset/blind/many[n=2]",
            "reset/blind/many[n=3]",
        ]
    );
}

#[test]
fn a_case_becomes_typed_steps() {
    let case = &sample()[0];
    assert_eq!(case.tags, ["course", "handshake"]);
    assert_eq!((case.place.line, case.place.column), (7, 9));
    let Verb::Send(send) = &case.steps[0].verb else { panic!("{:?}", case.steps[0]) };
    let Send::Segment(fields) = &**send else { panic!("{send:?}") };
    assert_eq!(fields.flags.unwrap().to_string(), "SYN");
    let shown: Vec<_> = fields.values.iter().map(|(name, bound)| (*name, bound.to_string())).collect();
    assert_eq!(shown, [(FieldName::Seq, "isn".into()), (FieldName::Mss, "1460".into())]);
    let expect = &case.steps[1];
    assert_eq!(expect.within.as_ref().unwrap().to.to_string(), "1s");
    assert_eq!(expect.otherwise[1].means, "Nothing is listening on port {target.port}.");
    assert!(matches!(case.steps[3].verb, Verb::App(App::Accept)));
    assert_eq!(case.given[0].ways[0].needs, ["control"]);
}

#[test]
fn parameters_reach_fixtures_lists_and_expressions() {
    let cases = sample();
    let edge = &cases[4];
    assert_eq!(edge.title, "A RST edge the window in established");
    assert_eq!(
        edge.given.iter().map(|fixture| fixture.id.as_str()).collect::<Vec<_>>(),
        ["listening", "established"]
    );
    let seq = |case: &Case, step: usize| match &case.steps[step].verb {
        Verb::Send(send) => match &**send {
            Send::Segment(fields) => fields.values[0].1.to_string(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(seq(edge, 0), "target.rcv.nxt + target.rcv.wnd - 1");
    assert_eq!(seq(&cases[7], 0), "snd.nxt + 2 * 10");
    let syn = |case: &Case| format!("{:?}", case.given[1].ways[0].steps[0].verb);
    assert!(!syn(edge).contains("Mss"), "the default `none` leaves the option out: {}", syn(edge));
    assert!(syn(&cases[7]).contains("(Mss, Is(Int(536)))"), "{}", syn(&cases[7]));
    let Verb::Expect(Expect::One(Pattern::Segment(_))) = &edge.steps[1].verb else {
        panic!("{:?}", edge.steps[1])
    };
    assert_eq!(edge.steps[1].within.as_ref().unwrap().to.to_string(), "1s");
}

#[test]
fn a_case_survives_the_record() {
    for case in sample() {
        let json = serde_json::to_string(&case).unwrap();
        assert_eq!(serde_json::from_str::<Case>(&json).unwrap(), case, "{json}");
    }
}
