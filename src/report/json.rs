//! The one JSON object that `run --format json` prints: a contract, so every field is written out
//! here, in its order; only what live cases have more is left out of others.

use super::monitors::Row;
use super::record::Run;
use super::summary::{Points, Summary, Totals};
use crate::engine::Direction;
use crate::event::CaseFinished;
use crate::suite::model::{Family, Level};
use serde::Serialize;
use std::time::Duration;

/// Raised when a field changes its meaning or goes; new fields do not raise it.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Object<'a> {
    schema: u32,
    target: &'a str,
    wire: &'a str,
    seed: u64,
    jobs: usize,
    wall_ms: f64,
    longest_case_ms: f64,
    totals: Totals,
    points: Points,
    monitors: Vec<Monitor<'a>>,
    cases: Vec<Case<'a>>,
}

#[derive(Serialize)]
struct Monitor<'a> {
    id: &'a str,
    /// Segments.
    checked: u64,
    violations: u64,
    /// Null where a record tells of a monitor that this version does not have.
    level: Option<Level>,
    rule: &'a str,
    /// Case instances with a segment that it checked.
    cases: usize,
    violated_in: Vec<Instance<'a>>,
}

#[derive(Serialize)]
struct Instance<'a> {
    id: &'a str,
    family: Family,
}

#[derive(Serialize)]
struct Case<'a> {
    id: &'a str,
    family: Family,
    level: Level,
    outcome: &'static str,
    expected: bool,
    duration_ms: f64,
    lateness_us: u64,
    tries: usize,
    /// One sentence; empty for a pass.
    reason: &'a str,
    /// Of live cases only.
    #[serde(skip_serializing_if = "Option::is_none")]
    traffic: Option<Wire<'a>>,
}

/// What went through the wire of a live case.
#[derive(Serialize)]
struct Wire<'a> {
    from_peer: Way<'a>,
    from_target: Way<'a>,
}

#[derive(Serialize)]
struct Way<'a> {
    #[serde(flatten)]
    counts: &'a Direction,
    /// Octets of new data in a second, while data was sent.
    goodput: Option<u64>,
}

/// One line, ended by a line feed.
pub fn render(run: &Run, summary: &Summary) -> String {
    let started = &run.started;
    let object = Object {
        schema: SCHEMA,
        target: &started.target,
        wire: &started.wire,
        seed: started.seed,
        jobs: started.jobs,
        wall_ms: ms(summary.wall),
        longest_case_ms: ms(summary.longest_case),
        totals: summary.totals,
        points: summary.points,
        monitors: summary.monitors.rows().map(|(id, row)| monitor(id, row)).collect(),
        cases: run.cases.iter().map(case).collect(),
    };
    let mut text = serde_json::to_string(&object).expect("plain data with string keys is always JSON");
    text.push('\n');
    text
}

fn monitor<'a>(id: &'a str, row: &'a Row) -> Monitor<'a> {
    let Row { sentence, level, checked, cases, violations, violated_in, known: _, unjudged: _ } = row;
    let violated_in = violated_in.iter().map(|(id, family)| Instance { id, family: *family }).collect();
    Monitor {
        id,
        checked: *checked,
        violations: *violations,
        level: *level,
        rule: sentence,
        cases: *cases,
        violated_in,
    }
}

fn case(case: &CaseFinished) -> Case<'_> {
    Case {
        id: &case.info.id,
        family: case.info.family,
        level: case.info.level,
        outcome: case.verdict.outcome.word(),
        expected: case.expected,
        duration_ms: ms(case.verdict.took),
        lateness_us: u64::try_from(case.verdict.lateness.as_micros()).unwrap_or(u64::MAX),
        tries: case.tries.len(),
        reason: &case.verdict.reason,
        traffic: case.verdict.traffic.as_ref().map(|traffic| Wire {
            from_peer: way(&traffic.from_peer),
            from_target: way(&traffic.from_target),
        }),
    }
}

fn way(counts: &Direction) -> Way<'_> {
    Way { counts, goodput: counts.goodput() }
}

/// Milliseconds with three decimals: microseconds are what a clock is good for here.
fn ms(span: Duration) -> f64 {
    (span.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Outcome;
    use crate::report::sample;

    #[test]
    fn the_object_has_the_fields_of_the_contract_in_their_order() {
        let run = sample::run(vec![sample::ended(Outcome::Pass), sample::failed()]);
        let text = render(&run, &run.summary(false));
        let (head, monitors) = text.split_once(r#""monitors":["#).unwrap();
        let (_, tail) = monitors.split_once("],\"cases\":[{").unwrap();
        insta::assert_snapshot!(format!(r#"{head}"monitors":[..],"cases":[{{{tail}"#), @r#"
        {"schema":1,"target":"my-tcp.yaml","wire":"sim","seed":42,"jobs":2,"wall_ms":7.0,"longest_case_ms":3.2,"totals":{"cases":2,"pass":1,"fail":1,"warn":0,"blocked":0,"unsupported":0,"inconclusive":0,"error":0},"points":{"earned":2,"possible":4},"monitors":[..],"cases":[{"id":"handshake/passive/pass","family":4,"level":"must","outcome":"pass","expected":true,"duration_ms":3.2,"lateness_us":12,"tries":1,"reason":""},{"id":"handshake/passive/syn-ack-counts-the-syn","family":4,"level":"must","outcome":"fail","expected":false,"duration_ms":3.2,"lateness_us":12,"tries":1,"reason":"step 2: ack: expected isn+1 (1001), got isn (1000)"}]}
        "#);
    }

    #[test]
    fn a_monitor_has_the_fields_of_the_contract_in_their_order() {
        let run = sample::run(vec![sample::ended(Outcome::Pass), sample::violating("ack-bit", 2)]);
        let text = render(&run, &run.summary(false));
        let row = |id: &str| {
            let (_, row) = text.split_once(&format!(r#"{{"id":"{id}","checked""#)).unwrap();
            row.split_once("},{").unwrap().0.to_owned()
        };
        insta::assert_snapshot!(row("ack-bit"), @r#":3,"violations":2,"level":"must","rule":"every segment of a synchronized connection has ACK set (RFC 9293 3.1)","cases":1,"violated_in":[{"id":"handshake/passive/fail","family":4}]"#);
        insta::assert_snapshot!(row("checksum"), @r#":3,"violations":0,"level":"must","rule":"every segment has a valid checksum (RFC 9293 3.1, MUST-2)","cases":1,"violated_in":[]"#);
    }
}
