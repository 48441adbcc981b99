//! Selections: what is picked, and how a mistake in one is shown.

use rstest::rstest;
use tcpspec::suite::model::{Case, Family, Fixture, Level, Mode, Place};
use tcpspec::suite::select::Selection;

fn case() -> Case {
    Case {
        id: "reset/blind/rst-left-in-established".into(),
        title: "A RST left of the window".into(),
        level: Level::Should,
        refs: vec!["RFC5961-3.2-1".into(), "C32".into()],
        tags: vec!["course".into(), "rfc5961".into()],
        needs: vec!["control".into()],
        mode: Mode::Scripted,
        families: Family::BOTH.to_vec(),
        lesson: None,
        kills: vec!["rst-not-checked".into()],
        points: 1,
        slow: false,
        fresh: false,
        strict: false,
        tolerate: Vec::new(),
        place: Place { file: "suites/reset/blind.yaml".into(), line: 1, column: 1 },
        given: vec![Fixture {
            id: "established".into(),
            state: None,
            tested_by: String::new(),
            ways: Vec::new(),
        }],
        steps: Vec::new(),
    }
}

fn selects(patterns: &[&str], filter: Option<&str>) -> bool {
    let patterns: Vec<_> = patterns.iter().map(|text| (*text).to_owned()).collect();
    Selection::parse(&patterns, filter).unwrap().matches(&case(), Family::V4)
}

#[rstest]
#[case(&[], true)]
#[case(&["reset/**"], true)]
#[case(&["reset"], true)]
#[case(&["close/**"], false)]
#[case(&["close/**", "reset/blind"], true)]
fn patterns_select(#[case] patterns: &[&str], #[case] expected: bool) {
    assert_eq!(selects(patterns, None), expected);
}

#[rstest]
#[case("level(should)", true)]
#[case("level(must)", false)]
#[case("level(must, should)", true)]
#[case("tag(course) & !rfc(7323)", true)]
#[case("rfc(5961)", true)]
#[case("ref(RFC5961-3.2-*)", true)]
#[case("ref(C32) & kills(rst-*)", true)]
#[case("not tag(course) or needs(control)", true)]
#[case("!(tag(course) | slow())", false)]
#[case("family(4)", true)]
#[case("family(v6)", false)]
#[case("id(reset/**) and given(established)", true)]
#[case("case(close/**)", false)]
#[case("level(must) | tag(course) & slow()", false)]
#[case("(level(must) | tag(course)) & !slow()", true)]
#[case("tag(course) && level(should)", true)]
fn filters_select(#[case] filter: &str, #[case] expected: bool) {
    assert_eq!(selects(&[], Some(filter)), expected);
}

#[rstest]
#[case("")]
#[case("level")]
#[case("level(")]
#[case("level(must")]
#[case("level(must) &")]
#[case("(level(must)")]
#[case("level(must))")]
#[case("& level(must)")]
#[case("tag()")]
#[case("slow(yes)")]
#[case("rfc(x)")]
#[case("é(x)")]
#[case("id(é[)")]
#[case("ref(RFC9293-MUST-999)")]
fn a_filter_that_is_none_is_refused(#[case] filter: &str) {
    let rejected = Selection::parse(&[], Some(filter)).unwrap_err();
    assert!(!rejected.diagnostics.is_empty());
    assert!(rejected.diagnostics.iter().all(|found| found.span.is_some()));
}

#[test]
fn a_filter_has_limits() {
    for filter in ["!".repeat(5000), "(".repeat(5000), "!".repeat(1000), "(".repeat(1000)] {
        assert!(Selection::parse(&[], Some(&filter)).is_err());
    }
}

#[test]
fn a_pattern_that_matches_nothing_is_told_apart() {
    let patterns = ["reset/blind".to_owned(), "reset/blind/rst-left-in-establishd".to_owned()];
    let selection = Selection::parse(&patterns, None).unwrap();
    let ids = [case().id];
    assert_eq!(selection.unmatched(&ids), [("reset/blind/rst-left-in-establishd", Some(ids[0].as_str()))]);
}
