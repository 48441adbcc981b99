//! JUnit XML, as CI systems read it.
//!
//! Names are stable: `name` is the case's id and its address family, `classname` its directory; no
//! time, port or host is in them, so a CI system can follow a case over years. The explanation is the
//! *content* of the element, where all readers look. `file` and `line` are attributes that some
//! readers use and the others ignore.

use super::explain::{self, Again};
use super::monitors::{Monitors, Row};
use super::record::Run;
use super::style::Look;
use super::text::{clean, count};
use super::{counted_index, flaky};
use crate::engine::Outcome;
use crate::event::CaseFinished;
use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestRerun, TestSuite, XmlString};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The whole document.
pub fn render(run: &Run) -> String {
    let started = &run.started;
    let mut report = quick_junit::Report::new("tcpspec");
    report.set_time(run.finished.wall);
    let again = Again::of(started);
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for case in &run.cases {
        let name = case.info.id.rsplit_once('/').map_or("cases", |(file, _)| file);
        let suite = suites.entry(name).or_insert_with(|| {
            let mut suite = TestSuite::new(clean(name).as_ref());
            for (key, value) in [
                ("tcpspec", started.version.clone()),
                ("target", clean(&started.target).into()),
                ("wire", clean(&started.wire).into()),
                ("seed", started.seed.to_string()),
            ] {
                suite.add_property(Property::new(key, value));
            }
            suite
        });
        suite.add_test_case(testcase(case, &again));
    }
    for (_, mut suite) in suites {
        suite.set_time(suite.test_cases.iter().filter_map(|c| c.time).sum());
        report.add_test_suite(suite);
    }
    report.add_test_suite(monitors(&run.summary(false).monitors));
    report.to_string().expect("writing XML to memory does not fail")
}

/// A property for each monitor, in a suite without testcases: a violation has failed its case already, and whoever counts
/// testcases counts cases.
fn monitors(monitors: &Monitors) -> TestSuite {
    let mut suite = TestSuite::new("monitors");
    for (id, row) in monitors.rows() {
        let Row { sentence, level, checked, cases, violations, violated_in, known: _, unjudged: _ } = row;
        let (segments, cases) = (count(*checked, "segment"), count(*cases, "case"));
        let mut value = match violations {
            0 if *checked == 0 => "nothing to look at".to_owned(),
            0 => format!("{segments} in {cases}, none violates it"),
            n => format!("{n} of {segments} in {} of {cases} violate it", violated_in.len()),
        };
        for (index, (id, family)) in violated_in.iter().enumerate() {
            let _ = write!(value, "{}{id} {family}", if index == 0 { ": " } else { ", " });
        }
        let level = level.map_or_else(String::new, |level| format!("{level}: "));
        let value = format!("{level}{sentence}; {value}");
        suite.add_property(Property::new(clean(id).as_ref(), clean(&value).as_ref()));
    }
    suite
}

fn testcase(case: &CaseFinished, again: &Again) -> TestCase {
    let info = &case.info;
    let mut out = TestCase::new(format!("{} {}", clean(&info.id), info.family), status(case, again));
    out.set_classname(classname(&info.id)).set_time(case.verdict.took);
    out.extra.insert("file".into(), clean(&info.place.file).as_ref().into());
    out.extra.insert("line".into(), info.place.line.to_string().into());
    let mut property = |name: &str, value: &str| {
        out.add_property(Property::new(name, clean(value).as_ref()));
    };
    property("level", &info.level.to_string());
    for reference in &info.refs {
        property("ref", &reference.id);
    }
    property("outcome", case.verdict.outcome.word());
    if flaky(case) {
        property("flaky", "true");
    }
    if let Some(known) = &case.deviation {
        property("known-deviation", known.outcome.word());
        property("known-because", &known.because);
    }
    for (step, answer) in &case.verdict.observed {
        property("observed", &format!("step {}: {answer}", explain::step_number(case, *step)));
    }
    for monitor in case.verdict.monitors.iter().filter(|monitor| monitor.violations > 0) {
        property("monitor", &monitor.id);
    }
    if case.verdict.outcome == Outcome::Warn {
        property("warn", &case.verdict.reason);
        out.set_system_out(explain::failure(case, again, Look::PLAIN));
    }
    out
}

/// The outcome in the words of JUnit, with the screen that explains it.
fn status(case: &CaseFinished, again: &Again) -> TestCaseStatus {
    let outcome = case.verdict.outcome;
    let reason = clean(&case.verdict.reason);
    let mut status = match outcome {
        Outcome::Pass | Outcome::Warn => TestCaseStatus::success(),
        Outcome::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
        Outcome::Unsupported | Outcome::Blocked | Outcome::Inconclusive => TestCaseStatus::skipped(),
    };
    let text = match outcome {
        Outcome::Unsupported => format!("unsupported: {reason}"),
        Outcome::Pass
        | Outcome::Warn
        | Outcome::Fail
        | Outcome::Error
        | Outcome::Blocked
        | Outcome::Inconclusive => format!("\n{}", explain::failure(case, again, Look::PLAIN)),
    };
    let kind =
        case.verdict.violation.as_ref().map_or_else(|| outcome.word(), |v| explain::kind_word(&v.kind));
    status.set_message(reason.as_ref()).set_type(kind).set_description(text);
    let counted = counted_index(case);
    let others = case.tries.iter().enumerate().filter(|(index, _)| Some(*index) != counted);
    for (_, attempt) in others {
        let kind = match attempt.verdict.outcome {
            Outcome::Pass | Outcome::Warn | Outcome::Unsupported => continue,
            Outcome::Fail => NonSuccessKind::Failure,
            Outcome::Error | Outcome::Blocked | Outcome::Inconclusive => NonSuccessKind::Error,
        };
        let mut rerun = TestRerun::new(kind);
        rerun.set_type(attempt.verdict.outcome.word()).set_time(attempt.verdict.took);
        rerun.set_message(clean(&attempt.verdict.reason).as_ref());
        status.add_rerun(rerun);
    }
    status
}

/// `tcpspec.<directory>`. A dot would split the name in some readers, so those of section numbers go.
fn classname(id: &str) -> XmlString {
    let mut parts: Vec<&str> = id.split('/').collect();
    parts.truncate(parts.len().saturating_sub(2));
    let parts = parts.iter().map(|part| clean(part).replace('.', "-"));
    std::iter::once("tcpspec".to_owned()).chain(parts).collect::<Vec<_>>().join(".").into()
}

#[cfg(test)]
mod tests;
