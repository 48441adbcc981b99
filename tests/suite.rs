//! Suites as their authors write them: what loads, and what it becomes.

#![allow(clippy::disallowed_methods, reason = "a test reads its data")]

use std::fs;
use std::path::Path;
use tcpspec::suite::catalogue::Catalogue;
use tcpspec::suite::corpus::{Context, Corpus, SourceFile, Sources};
use tcpspec::suite::diagnostic::{Diagnostic, Sink, Style, render_all};
use tcpspec::suite::grammar;
use tcpspec::suite::model::{App, Case, Expect, Family, FieldName, Pattern, Send, Verb};
use tcpspec::suite::source::SourceMap;
use tcpspec::suite::yaml;

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

/// A list that doubles its argument, and is used by a list that doubles its argument, and so on.
#[test]
fn arguments_cannot_grow_without_end() {
    let mut lists = String::new();
    for i in 0..14 {
        let next = match i {
            13 => "        - send: {flags: ACK, seq: x}\n        - note: \"{t}\"\n".to_owned(),
            i => format!("        - use: {{l{}: {{x: x + x - x, t: \"{{t}}{{t}}{{t}}\"}}}}\n", i + 1),
        };
        lists.push_str(&format!("  l{i}:\n    params: {{x: ~, t: ~}}\n    steps:\n{next}"));
    }
    let suite = format!(
        "title: T\nlevel: must\nlists:\n{lists}cases:\n  - id: one\n    title: One\n    refs: [C01]\n    \
         kills: [syn-not-counted]\n    steps:\n      - use: {{l0: {{x: isn, t: word}}}}\n      - expect: {{flags: ACK}}\n"
    );
    let (_, problems) = load(&[("one", &suite)]);
    let codes: Vec<_> = problems.iter().map(|found| found.code.id()).collect();
    assert!(codes.contains(&"E017"), "{codes:?}");
}

#[test]
fn nesting_has_a_limit() {
    let lists: String = (0..3000).map(|i| format!("  l{i}:\n    - use: l{}\n", i + 1)).collect();
    let suite = format!(
        "title: T\nlevel: must\nlists:\n{lists}  l3000:\n    - note: The end\ncases:\n  - id: one\n    title: One\n    \
         refs: [C01]\n    kills: [syn-not-counted]\n    steps:\n      - use: l0\n"
    );
    let (_, problems) = load(&[("one", &suite)]);
    assert!(problems.iter().any(|found| found.message.contains("nested more than 16 deep")), "{problems:?}");
}

/// Another reader of YAML must see the same texts and the same structure, so that nothing hangs on
/// what one parser makes of YAML 1.1.
#[test]
fn a_second_yaml_reader_agrees() {
    let mut paths = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("suites")];
    let mut read = 0;
    while let Some(path) = paths.pop() {
        if path.is_dir() && !path.ends_with("_invalid") {
            paths.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|kind| kind == "yaml") {
            let text = fs::read_to_string(&path).unwrap();
            let mut sources = SourceMap::default();
            let mut sink = Sink::default();
            let file = sources.add(&path.display().to_string(), &text);
            let ours = yaml::parse(file, &sources, &mut sink).unwrap();
            let theirs: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
            agree(&ours, &theirs, &path);
            read += 1;
        }
    }
    assert!(read >= 5);
}

fn agree(ours: &yaml::Node, theirs: &serde_yaml::Value, path: &Path) {
    match (&ours.kind, theirs) {
        (yaml::Kind::Null, serde_yaml::Value::Null) => {}
        (yaml::Kind::Scalar(a), serde_yaml::Value::String(b)) => assert_eq!(a, b, "{}", path.display()),
        (yaml::Kind::Scalar(_), serde_yaml::Value::Number(_) | serde_yaml::Value::Bool(_)) => {}
        (yaml::Kind::Seq(a), serde_yaml::Value::Sequence(b)) => {
            assert_eq!(a.len(), b.len(), "{}", path.display());
            a.iter().zip(b).for_each(|(a, b)| agree(a, b, path));
        }
        (yaml::Kind::Map(a), serde_yaml::Value::Mapping(b)) => {
            assert_eq!(a.len(), b.len(), "{}", path.display());
            a.iter().for_each(|entry| agree(&entry.value, &b[entry.key.value.as_str()], path));
        }
        (a, b) => panic!("{}: {a:?} and {b:?}", path.display()),
    }
}

#[test]
fn every_key_of_the_language_loads() {
    let everything = include_str!("data/everything.yaml");
    let cases = load_clean(&[
        ("fixtures", FIXTURES),
        ("handshake/passive", PASSIVE),
        ("everything", everything),
        ("reset/blind", BLIND),
    ]);
    let ids: Vec<_> =
        cases.iter().map(|case| case.id.as_str()).filter(|id| id.starts_with("every")).collect();
    assert_eq!(
        ids,
        [
            "everything/segments[window=1,shift=small]",
            "everything/segments[window=1,shift=large]",
            "everything/segments[window=65535,shift=small]",
            "everything/segments[window=65535,shift=large]",
            "everything/calls",
            "everything/peers",
        ]
    );
    let case = &cases[0];
    assert_eq!(case.tags, ["example", "course"]);
    assert_eq!(case.needs, ["control", "sack"]);
    assert!(case.fresh && case.slow && case.strict && case.points == 3 && case.families == [Family::V4]);
    assert_eq!(
        case.steps[0].why.as_deref(),
        Some("It is a SYN with window 1, small, from port {peer.port}.")
    );
    insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => false}, {
        let last: Vec<_> = cases.iter().filter(|case| case.id.starts_with("every")).skip(3).collect();
        insta::assert_snapshot!("everything", serde_json::to_string_pretty(&last).unwrap());
    });
    let texts = [FIXTURES, everything].concat();
    let maps =
        [&grammar::SUITE, &grammar::CASE, &grammar::STEP, &grammar::SEND, &grammar::EXPECT, &grammar::APP];
    // What only Linux has is tried by the file below.
    let rules = grammar::STEP.all_keys().filter_map(|key| match key.shape {
        grammar::Shape::Map(map) => Some(map),
        _ => None,
    });
    for map in maps.into_iter().chain([&grammar::LIVE]).chain(rules) {
        for key in map.all_keys() {
            let is_tried = key.name == "linux" || texts.contains(&format!("{}:", key.name));
            assert!(is_tried, "{} of {} is not tried", key.name, map.name);
        }
    }
}

#[test]
fn every_key_of_the_linux_step_loads() {
    let text = include_str!("data/linux.yaml");
    let cases = load_clean(&[
        ("fixtures", FIXTURES),
        ("handshake/passive", PASSIVE),
        ("linux", text),
        ("reset/blind", BLIND),
    ]);
    let case = cases.iter().find(|case| case.id == "linux/system-calls").unwrap();
    assert_eq!(case.needs, ["linux"]);
    assert!(case.kills.is_empty());
    for key in grammar::LINUX.all_keys() {
        assert!(text.contains(&format!("{}:", key.name)), "{} is not tried", key.name);
    }
    let record = serde_json::to_string(case).unwrap();
    assert_eq!(serde_json::from_str::<Case>(&record).unwrap(), *case);
}

#[test]
fn what_is_given_in_braces_can_leave_a_field_out_too() {
    let suite = "title: T\nlevel: must\ncases:\n  - id: one\n    title: One\n    refs: [C01]\n    kills: [syn-not-counted]\n    \
                 for: {mss: [none, 536], seen: [none, any]}\n    given: {needy: {window: 5}}\n    steps:\n      \
                 - send: {flags: SYN, mss: \"{mss}\"}\n      - expect: {flags: ACK}\n        otherwise:\n          \
                 - {seen: \"{seen}\", means: It came}\n";
    let fixtures = format!(
        "{FIXTURES}  - id: needy\n    title: Needs an argument\n    tested-by: one/one[mss=none,seen=none]\n    \
         params: {{window: ~}}\n    steps:\n      - send: {{flags: SYN, window: window}}\n"
    );
    let cases = load_clean(&[
        ("fixtures", &fixtures),
        ("one", suite),
        ("handshake/passive", PASSIVE),
        ("reset/blind", BLIND),
    ]);
    let ones: Vec<_> = cases.iter().filter(|case| case.id.starts_with("one/")).collect();
    let values = |case: &Case| format!("{:?} {:?}", case.steps[0].verb, case.steps[1].otherwise);
    assert!(
        !values(ones[0]).contains("Mss") && values(ones[0]).contains("seen: None"),
        "{}",
        values(ones[0])
    );
    assert!(values(ones[3]).contains("(Mss, Is(Int(536)))") && values(ones[3]).contains("seen: Some(Any)"));
}
