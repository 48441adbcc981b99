//! Hand-made runs for the tests of the reports.

use crate::engine::event::{CaseEventKind, Cell, Claim};
use crate::engine::{CaseEvent, MonitorCount, Outcome, Verdict, Violation, ViolationKind};
use crate::event::{CaseFinished, RunFinished, RunStarted, SCHEMA, Try};
use crate::plan::{CaseInfo, FixtureInfo, Plan, PlanStep, Reference, Tuple};
use crate::report::record::Run;
use crate::suite::model::{Family, Level, Mode, Origin, Place, Step, Verb};
use crate::target::deviation::Deviation;
use crate::target::profile::Profile;
use crate::time::Time;
use std::time::Duration;

pub(crate) fn started() -> RunStarted {
    RunStarted {
        schema: SCHEMA,
        version: "0.1.0".into(),
        target: "my-tcp.yaml".into(),
        wire: "sim".into(),
        seed: 42,
        jobs: 2,
        cases: 2,
        started_unix_ms: 1_700_000_000_000,
    }
}

pub(crate) fn place(line: u32) -> Place {
    Place { file: "suites/handshake/passive.yaml".into(), line, column: 9 }
}

pub(crate) fn info(id: &str) -> CaseInfo {
    CaseInfo {
        id: id.into(),
        family: Family::V4,
        level: Level::Must,
        title: "The SYN-ACK acknowledges isn+1".into(),
        refs: vec![Reference {
            id: "RFC9293-U-4".into(),
            title: "A SYN takes one sequence number".into(),
            source: "RFC 9293 3.10.7.2".into(),
        }],
        tags: vec!["course".into()],
        lesson: Some("A SYN consumes one sequence number, so the next octet expected is isn+1.".into()),
        kills: vec!["syn-not-counted".into()],
        points: 2,
        slow: false,
        place: place(12),
    }
}

pub(crate) fn verdict(outcome: Outcome, reason: &str) -> Verdict {
    Verdict {
        outcome,
        reason: reason.into(),
        violation: None,
        blamed: None,
        observed: vec![],
        traffic: None,
        monitors: vec![MonitorCount { id: "checksum".into(), checked: 3, violations: 0 }],
        took: Duration::from_micros(3_200),
        lateness: Duration::from_micros(12),
        excused: None,
        waited: Duration::ZERO,
    }
}

/// A case that ended so, without any detail.
pub(crate) fn ended(outcome: Outcome) -> CaseFinished {
    let reason = if outcome == Outcome::Pass { "" } else { "because of the sample" };
    let verdict = verdict(outcome, reason);
    let tries = match outcome {
        Outcome::Unsupported => vec![],
        Outcome::Pass
        | Outcome::Fail
        | Outcome::Warn
        | Outcome::Blocked
        | Outcome::Inconclusive
        | Outcome::Error => {
            vec![Try {
                tuple: None,
                inputs: vec![],
                verdict: verdict.clone(),
                output: String::new(),
                events: vec![],
            }]
        }
    };
    CaseFinished {
        info: info(&format!("handshake/passive/{outcome}")),
        plan: None,
        tries,
        expected: matches!(outcome, Outcome::Pass | Outcome::Unsupported),
        deviation: None,
        verdict,
    }
}

pub(crate) fn deviation() -> Deviation {
    Deviation {
        cases: "handshake/passive/*".into(),
        outcome: Outcome::Fail,
        because: "It counts no SYN.".into(),
        link: None,
        wires: vec![],
        sometimes: false,
    }
}

fn step(fixture: Option<usize>, number: u32, line: u32) -> PlanStep {
    let verb = Verb::Note("a step".into());
    let step = Step {
        place: place(line),
        verb,
        label: None,
        within: None,
        after: None,
        when: None,
        otherwise: vec![],
        tolerate: vec![],
        strict: false,
        or_error: false,
        why: None,
        on: None,
        from: Origin::Target,
    };
    PlanStep { fixture, number, step }
}

fn profile() -> Profile {
    Profile { name: "my-tcp".into(), ..crate::target::reference::profile() }
}

pub(crate) fn tuple() -> Tuple {
    Tuple {
        peer: "192.0.2.1".parse().unwrap(),
        peer_port: 40_000,
        target: "192.0.2.2".parse().unwrap(),
        target_port: 7,
    }
}

/// A plan with a fixture of one step and four steps of its own.
pub(crate) fn plan(info: &CaseInfo) -> Plan {
    Plan {
        mode: Mode::Scripted,
        case: info.clone(),
        seed: 42,
        tuple: tuple(),
        isn: 1000,
        profile: profile(),
        fixtures: vec![FixtureInfo { id: "listening".into(), tested_by: "handshake/passive/listens".into() }],
        strict: false,
        tolerate: vec![],
        steps: vec![
            step(Some(0), 1, 7),
            step(None, 1, 17),
            step(None, 2, 18),
            step(None, 3, 25),
            step(None, 4, 26),
        ],
    }
}

pub(crate) fn event(us: u64, step: usize, what: CaseEventKind) -> CaseEvent {
    CaseEvent { at: Time::from_micros(us), step: Some(step), what }
}

pub(crate) fn sent(us: u64, step: usize, line: &str) -> CaseEvent {
    event(us, step, CaseEventKind::Sent { octets: vec![0x45], line: line.into() })
}

pub(crate) fn received(us: u64, step: usize, line: &str, claim: Claim) -> CaseEvent {
    event(us, step, CaseEventKind::Received { octets: vec![0x45], line: line.into(), claim })
}

fn cell(field: &str, expected: &str, got: &str) -> Cell {
    Cell { field: field.into(), expected: expected.into(), got: got.into(), differs: false }
}

/// The violation of the design's example.
pub(crate) fn violation() -> Violation {
    let ack = Cell { differs: true, ..cell("ack", "isn+1 (1001)", "isn (1000)") };
    Violation {
        kind: ViolationKind::WrongAnswer,
        at: Time::from_micros(200),
        step: Some(2),
        cells: vec![cell("flags", "SYN|ACK", "SYN|ACK"), ack, cell("mss", "any", "1460")],
        expected: "SYN|ACK  ack = isn+1 (1001)  mss any".into(),
        got: Some("SYN|ACK  ack = isn (1000)  mss 1460".into()),
        limit: Some("within 1 s".into()),
        after: Duration::from_micros(200),
        means: Some("The SYN was not counted. Acknowledge isn+1.".into()),
        why: None,
    }
}

/// A case that failed where this monitor was violated so often, on three segments.
pub(crate) fn violating(monitor: &str, violations: u64) -> CaseFinished {
    let mut case = ended(Outcome::Fail);
    case.verdict.monitors = vec![MonitorCount { id: monitor.into(), checked: 3, violations }];
    case
}

/// The failure of the design's example.
pub(crate) fn failed() -> CaseFinished {
    with_violation(
        violation(),
        vec![
            event(0, 0, CaseEventKind::StepStarted),
            event(0, 0, CaseEventKind::AppCalled { line: "listen".into() }),
            sent(0, 1, "SYN  seq=isn  mss 1460"),
            received(200, 2, "SYN ACK  seq=irs ack=isn  mss 1460", Claim::Wrong),
        ],
    )
}

/// A failed case with these events, and the violation as the last.
pub(crate) fn with_violation(violation: Violation, mut events: Vec<CaseEvent>) -> CaseFinished {
    let info = info("handshake/passive/syn-ack-counts-the-syn");
    let reason = "step 2: ack: expected isn+1 (1001), got isn (1000)";
    let at = violation.at;
    let verdict = Verdict { violation: Some(Box::new(violation.clone())), ..verdict(Outcome::Fail, reason) };
    events.push(CaseEvent { at, step: violation.step, what: CaseEventKind::Violated(Box::new(violation)) });
    CaseFinished {
        plan: Some(Box::new(plan(&info))),
        info,
        tries: vec![Try {
            tuple: None,
            inputs: vec![],
            verdict: verdict.clone(),
            output: String::new(),
            events,
        }],
        verdict,
        deviation: None,
        expected: false,
    }
}

pub(crate) fn run(cases: Vec<CaseFinished>) -> Run {
    let started = RunStarted { cases: cases.len(), ..started() };
    let finished = RunFinished { wall: Duration::from_millis(7), interrupted: false };
    Run { started, cases, finished }
}
