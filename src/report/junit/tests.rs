//! The document is read back with quick-junit's own reader, and looked at.

use super::*;
use crate::event::Try;
use crate::report::sample;
use rstest::rstest;

fn parsed(cases: Vec<CaseFinished>) -> quick_junit::Report {
    let text = render(&sample::run(cases));
    quick_junit::Report::deserialize_from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn only(case: CaseFinished) -> TestCase {
    parsed(vec![case]).test_suites.remove(0).test_cases.remove(0)
}

#[test]
fn the_document_reads_well() {
    let cases = vec![sample::failed(), sample::ended(Outcome::Pass), sample::ended(Outcome::Unsupported)];
    insta::assert_snapshot!(render(&sample::run(cases)));
}

#[test]
fn every_outcome_is_counted_as_the_contract_says() {
    let report = parsed(Outcome::ALL.map(sample::ended).to_vec());
    assert_eq!((report.tests, report.failures, report.errors, report.skipped), (7, 1, 1, 3));
}

#[test]
fn a_violated_monitor_is_a_property_and_no_testcase() {
    let report = parsed(vec![sample::ended(Outcome::Pass), sample::violating("checksum", 2)]);
    assert_eq!((report.tests, report.failures), (2, 1));
    let suite = report.test_suites.last().unwrap();
    assert_eq!((suite.name.as_str(), suite.test_cases.len()), ("monitors", 0));
    let ids: Vec<&str> = suite.properties.iter().map(|p| p.name.as_str()).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    let row = suite.properties.iter().find(|p| p.name == *"checksum").unwrap();
    insta::assert_snapshot!(row.value.as_str(), @r#"must: every segment has a valid checksum (RFC 9293 3.1, MUST-2); 2 of 6 segments in 1 of 2 cases violate it: handshake/passive/fail v4"#);
    let failed = report.test_suites[0].test_cases.iter().find(|case| case.name.as_str().contains("fail"));
    let of = |p: &Property| (p.name.to_string(), p.value.to_string());
    assert!(failed.unwrap().properties.iter().map(of).any(|p| p == ("monitor".into(), "checksum".into())));
}

#[test]
fn a_warning_is_a_success_with_property_and_text() {
    let case = only(sample::ended(Outcome::Warn));
    assert_eq!(case.status, TestCaseStatus::success());
    let warn = case.properties.iter().find(|p| p.name == *"warn").unwrap();
    assert_eq!(warn.value.as_str(), "because of the sample");
    assert!(case.system_out.unwrap().as_str().contains("WARN  handshake/passive/warn"));
}

#[test]
fn the_explanation_is_the_content_of_the_element() {
    let TestCaseStatus::NonSuccess { description, message, .. } = only(sample::failed()).status else {
        panic!("a failure")
    };
    assert!(description.unwrap().as_str().contains("The SYN was not counted."));
    assert_eq!(message.unwrap().as_str(), "step 2: ack: expected isn+1 (1001), got isn (1000)");
}

#[test]
fn texts_that_xml_cannot_hold_are_harmless() {
    let mut case = sample::failed();
    case.info.title = "a ]]> b \u{0} c \u{1b}[31m d \u{ffff} & <e> \u{9b}".into();
    case.verdict.reason = case.info.title.clone();
    case.info.id = "dir/file/na\u{7}me[\"x\"]".into();
    let text = render(&sample::run(vec![case.clone()]));
    assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{ffff}'), "{text}");
    let case = only(case);
    assert_eq!(case.name.as_str(), "dir/file/na\\u{7}me[\"x\"] v4");
}

#[rstest]
#[case("handshake/passive/x", "tcpspec.handshake")]
#[case("rfc/3.10.7/passive/x[n=7]", "tcpspec.rfc.3-10-7")]
#[case("file/x", "tcpspec")]
#[case("x", "tcpspec")]
fn the_classname_is_the_directory(#[case] id: &str, #[case] name: &str) {
    assert_eq!(classname(id).as_str(), name);
}

#[test]
fn earlier_tries_of_a_pass_are_flaky_failures() {
    let mut case = sample::ended(Outcome::Pass);
    let verdict = sample::verdict(Outcome::Fail, "the first time");
    case.tries.insert(0, Try { tuple: None, inputs: vec![], verdict, output: String::new(), events: vec![] });
    let TestCaseStatus::Success { flaky_runs } = only(case).status else { panic!("a pass") };
    assert_eq!(flaky_runs.len(), 1);
    assert_eq!(flaky_runs[0].message.as_ref().unwrap().as_str(), "the first time");
}
