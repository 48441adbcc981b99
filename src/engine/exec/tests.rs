//! `Exec` as a dialogue: what it is told, what it says, what the verdict is.

use super::*;
use crate::engine::event::{Claim, Outcome};
use crate::engine::io::{AppCall, AppOutcome};
use crate::packet::{Body, Checksum, Flags, Ip, Packet, Tcp, TcpOption, Window};
use crate::plan::{CaseInfo, FixtureInfo, PlanStep};
use crate::suite::expr::{parse_bound, parse_expr};
use crate::suite::model::{
    App, Expect, Family, FieldName, Fields, FlagSpec, Level, Origin, Otherwise, Pattern, Place, Within,
};
use rstest::rstest;

mod linux;

const ISN: u32 = 1000;
const IRS: u32 = 5000;

fn place() -> Place {
    Place { file: "t.yaml".into(), line: 1, column: 1 }
}

fn step(verb: Verb) -> Step {
    Step {
        place: place(),
        verb,
        label: None,
        within: None,
        after: None,
        when: None,
        otherwise: Vec::new(),
        tolerate: Vec::new(),
        strict: false,
        or_error: false,
        why: None,
        on: None,
        from: Origin::Target,
    }
}

fn fields(flags: Flags, values: &[(FieldName, &str)]) -> Fields {
    Fields {
        flags: Some(FlagSpec { core: Some(flags.bits()), plus: 0, minus: 0 }),
        values: values.iter().map(|(name, text)| (*name, parse_bound(text).expect("a bound"))).collect(),
        ..Fields::default()
    }
}

fn send(flags: Flags, values: &[(FieldName, &str)]) -> Step {
    step(Verb::Send(Box::new(Send::Segment(fields(flags, values)))))
}

fn expect(flags: Flags, values: &[(FieldName, &str)]) -> Step {
    step(Verb::Expect(Expect::One(Pattern::Segment(fields(flags, values)))))
}

fn silence(span: &str) -> Step {
    step(Verb::Expect(Expect::Nothing { span: parse_expr(span).expect("a span") }))
}

fn plan(steps: Vec<Step>) -> Plan {
    let mut plan = Plan {
        mode: Mode::Scripted,
        case: CaseInfo {
            id: "t/case".into(),
            family: Family::V4,
            level: Level::Must,
            title: "a case".into(),
            refs: Vec::new(),
            tags: Vec::new(),
            lesson: None,
            kills: Vec::new(),
            points: 1,
            slow: false,
            place: place(),
        },
        seed: 0,
        tuple: Tuple {
            peer: "192.0.2.1".parse().expect("an address"),
            peer_port: 40_000,
            target: "192.0.2.2".parse().expect("an address"),
            target_port: 7,
        },
        isn: ISN,
        profile: crate::target::reference::profile(),
        fixtures: Vec::new(),
        strict: false,
        tolerate: Vec::new(),
        steps: Vec::new(),
    };
    plan.steps = (1u32..).zip(steps).map(|(number, step)| PlanStep { fixture: None, number, step }).collect();
    plan
}

/// The target, played by hand.
struct Stage {
    exec: Exec,
    plan: Arc<Plan>,
    inputs: Vec<Input>,
    now: Time,
}

impl Stage {
    fn new(plan: Plan) -> Self {
        let plan = Arc::new(plan);
        Self { exec: Exec::new(Arc::clone(&plan)), plan, inputs: Vec::new(), now: Time::ZERO }
    }

    fn of(steps: Vec<Step>) -> Self {
        Self::new(plan(steps))
    }

    /// The next packet of the injector.
    fn sent(&mut self) -> Tcp {
        match self.exec.poll_output() {
            Some(Output::Frame(octets)) => Packet::parse_ip(&octets).tcp().expect("a segment").clone(),
            other => panic!("expected a frame, got {other:?}"),
        }
    }

    fn input(&mut self, what: InputKind) {
        let input = Input { at: self.now, what };
        self.exec.handle(&input);
        self.inputs.push(input);
    }

    fn target(&mut self, tcp: Tcp) {
        let tcp = Tcp { sport: tcp.sport.or(Some(7)), dport: Some(40_000), ..tcp };
        let ip = Ip::between(self.plan.tuple.target, self.plan.tuple.peer).expect("one family");
        self.input(InputKind::Frame { octets: Packet::of(ip, Body::Tcp(tcp)).build() });
    }

    fn wait(&mut self, ms: u64) {
        self.now = self.now + Duration::from_millis(ms);
        self.input(InputKind::Timeout);
    }

    fn end(mut self) -> (Vec<CaseEvent>, Verdict) {
        for _ in 0..10 {
            if let Some(at) = self.exec.poll_timeout() {
                self.now = self.now.max(at);
                self.input(InputKind::Timeout);
            }
        }
        assert!(self.exec.is_done(), "the case does not end");
        let (events, verdict) = replay(&self.plan, &self.inputs);
        assert_eq!(events, self.exec.into_events(), "a replay is the same, event for event");
        (events, verdict)
    }

    fn outcome(self) -> Outcome {
        self.end().1.outcome
    }
}

#[test]
fn it_tells_its_step_as_the_author_counts() {
    let mut fixed = plan(vec![silence("10ms"), silence("10ms"), silence("10ms")]);
    fixed.fixtures = vec![FixtureInfo { id: "f".into(), tested_by: "t/f".into() }];
    let (of_fixture, own) = fixed.steps.split_at_mut(1);
    of_fixture[0].fixture = Some(0);
    own.iter_mut().zip(1..).for_each(|(step, number)| step.number = number);
    let mut stage = Stage::new(fixed);
    let mut told = vec![];
    while !stage.exec.is_done() {
        let at = stage.exec.stage();
        told.push((at.step, at.steps));
        stage.now = stage.exec.poll_timeout().expect("it waits");
        stage.input(InputKind::Timeout);
    }
    assert_eq!(told, [(0, 2), (1, 2), (2, 2), (2, 2)], "the last is what may still come behind it");
}

fn tcp(flags: Flags, seq: u32, ack: u32) -> Tcp {
    Tcp { seq: Some(SeqNum(seq)), ack: Some(SeqNum(ack)), window: Some(Window(8000)), ..Tcp::with(flags) }
}

fn syn_ack() -> Tcp {
    tcp(Flags::SYN | Flags::ACK, IRS, ISN + 1)
}

fn handshake() -> Vec<Step> {
    vec![
        send(Flags::SYN, &[(FieldName::Mss, "1460")]),
        expect(Flags::SYN | Flags::ACK, &[(FieldName::Ack, "isn + 1")]),
        send(Flags::ACK, &[]),
    ]
}

/// A stage on which the handshake of `handshake` has been played.
fn established(more: Vec<Step>) -> Stage {
    let mut stage = Stage::of(handshake().into_iter().chain(more).collect());
    stage.sent();
    stage.target(syn_ack());
    stage.sent();
    stage
}

#[test]
fn what_is_left_out_is_filled_in_as_a_correct_peer_would() {
    let mut stage = Stage::of(handshake());
    let syn = stage.sent();
    assert_eq!((syn.seq(), syn.flags(), syn.options.mss()), (SeqNum(ISN), Flags::SYN, Some(1460)));
    stage.target(syn_ack());
    let ack = stage.sent();
    assert_eq!((ack.seq(), ack.ack(), ack.flags()), (SeqNum(ISN + 1), SeqNum(IRS + 1), Flags::ACK));
    assert_eq!(stage.outcome(), Outcome::Pass);
}

#[test]
fn a_wrong_number_is_shown_in_the_names_of_the_case() {
    let mut steps = handshake();
    steps[1].otherwise = vec![Otherwise {
        seen: Some(Pattern::Segment(fields(Flags::SYN | Flags::ACK, &[(FieldName::Ack, "isn")]))),
        means: "The SYN was not counted on port {target.port}.".into(),
    }];
    let mut stage = Stage::of(steps);
    stage.sent();
    stage.target(tcp(Flags::SYN | Flags::ACK, IRS, ISN));
    let (_, verdict) = stage.end();
    let violation = verdict.violation.expect("a violation");
    assert_eq!(verdict.outcome, Outcome::Fail);
    assert_eq!(violation.kind, ViolationKind::WrongAnswer);
    assert_eq!(violation.means.as_deref(), Some("The SYN was not counted on port 7."));
    let ack = violation.cells.iter().find(|cell| cell.field == "ack").expect("a cell");
    assert_eq!((ack.expected.as_str(), ack.got.as_str()), ("isn+1 (1001)", "isn (1000)"));
    assert!(ack.differs);
}

#[test]
fn nothing_in_time_is_a_failure() {
    let mut stage = Stage::of(handshake());
    stage.sent();
    let (_, verdict) = stage.end();
    assert_eq!(verdict.violation.expect("a violation").kind, ViolationKind::NoAnswer);
}

#[test]
fn an_answer_that_came_before_its_step_is_claimed_by_it() {
    let mut stage = established(vec![
        step(Verb::Wait(parse_expr("100ms").expect("a span"))),
        expect(Flags::FIN | Flags::ACK, &[]),
    ]);
    stage.target(tcp(Flags::FIN | Flags::ACK, IRS + 1, ISN + 1));
    stage.wait(100);
    assert_eq!(stage.outcome(), Outcome::Pass);
}

#[test]
fn names_mean_what_the_script_has_seen_not_what_has_arrived() {
    // Both segments arrive before the first is claimed: `rcv.nxt` is still the first one's number.
    let mut stage = established(vec![
        step(Verb::Wait(parse_expr("10ms").expect("a span"))),
        expect(Flags::ACK, &[(FieldName::Seq, "rcv.nxt"), (FieldName::Len, "any")]),
        send(Flags::ACK, &[]),
    ]);
    stage.exec.app.written = 20;
    for (seq, offset) in [(IRS + 1, 0), (IRS + 11, 10)] {
        let payload = crate::engine::pattern::octets(offset, 10);
        stage.target(Tcp { payload, ..tcp(Flags::ACK, seq, ISN + 1) });
    }
    stage.now = stage.now + Duration::from_millis(10);
    stage.exec.handle(&Input { at: stage.now, what: InputKind::Timeout });
    assert_eq!(stage.sent().ack(), SeqNum(IRS + 11));
}

#[rstest]
#[case::retransmission(syn_ack(), Outcome::Fail)]
#[case::a_new_fin(tcp(Flags::FIN | Flags::ACK, IRS + 1, ISN + 1), Outcome::Fail)]
#[case::a_reset(tcp(Flags::RST, IRS + 1, 0), Outcome::Fail)]
#[case::an_ack_that_says_nothing_new(Tcp { window: Some(Window(9000)), ..tcp(Flags::ACK, IRS + 1, ISN + 1) }, Outcome::Pass)]
#[case::an_ack_of_what_was_never_sent(tcp(Flags::ACK, IRS + 1, ISN + 2), Outcome::Fail)]
#[case::an_ack_from_the_past(tcp(Flags::ACK, IRS + 1, ISN), Outcome::Fail)]
fn what_no_step_claims_is_judged(#[case] segment: Tcp, #[case] outcome: Outcome) {
    let stage = established(Vec::new());
    // Beyond the time in which our ACK and a retransmission may cross.
    let done = stage.exec.poll_timeout().expect("the settling time");
    assert!(!stage.exec.is_done() && done > stage.now);
    let mut late = established(vec![step(Verb::Wait(parse_expr("1s").expect("a span")))]);
    late.now = late.now + Duration::from_millis(500);
    late.target(segment);
    assert_eq!(late.outcome(), outcome);
}

#[test]
fn a_retransmission_of_what_was_not_acknowledged_is_noise() {
    let steps = handshake().into_iter().take(2).chain([silence("2s")]).collect();
    let mut stage = Stage::of(steps);
    stage.sent();
    stage.target(syn_ack());
    stage.now = stage.now + Duration::from_secs(1);
    stage.target(syn_ack());
    let (events, verdict) = stage.end();
    assert_eq!(verdict.outcome, Outcome::Pass);
    assert!(
        events
            .iter()
            .any(|event| matches!(&event.what, CaseEventKind::Received { claim: Claim::Noise(_), .. }))
    );
}

/// The SYN-ACK was sent again before the ACK was there, which left 19 ms late.
#[test]
fn what_crosses_an_ack_that_left_late_is_noise() {
    for (ms, outcome) in [(30, Outcome::Pass), (45, Outcome::Fail)] {
        let mut stage = established(vec![step(Verb::Wait(parse_expr("1s").expect("a span")))]);
        stage.now = stage.now + Duration::from_millis(19);
        stage.input(InputKind::Sent { late_ns: 19_000_000, overdue_ns: 19_000_000 });
        stage.now = Time::ZERO + Duration::from_millis(ms);
        stage.target(syn_ack());
        assert_eq!(stage.outcome(), outcome, "at {ms} ms");
    }
}

/// A silence of 100 ms ends; before the next segment has left something comes, which cannot be the answer to it.
#[rstest]
#[case::late(104, 104, Outcome::Inconclusive)]
#[case::not_very_late(15, 14, Outcome::Inconclusive)]
#[case::before_it_came(2, 2, Outcome::Fail)]
#[case::while_it_left(4, 2, Outcome::Fail)]
fn what_comes_while_a_segment_is_still_to_leave_is_no_wrong_answer(
    #[case] late: u64,
    #[case] overdue: u64,
    #[case] outcome: Outcome,
) {
    let data = send(Flags::ACK, &[(FieldName::Len, "1")]);
    let mut stage =
        established(vec![silence("100ms"), data, expect(Flags::ACK, &[(FieldName::Ack, "snd.nxt")])]);
    stage.now = stage.now + Duration::from_millis(100 + 3);
    stage.target(syn_ack());
    stage.now = Time::ZERO + Duration::from_millis(100 + late);
    stage.input(InputKind::Sent { late_ns: late * 1_000_000, overdue_ns: overdue * 1_000_000 });
    assert_eq!(stage.outcome(), outcome);
}

#[test]
fn in_silence_a_repeated_ack_is_an_answer() {
    let mut stage = established(vec![silence("100ms")]);
    stage.target(Tcp { window: Some(Window(8000)), ..tcp(Flags::ACK, IRS + 1, ISN + 1) });
    let (_, verdict) = stage.end();
    assert_eq!(verdict.violation.expect("a violation").kind, ViolationKind::NotSilent);
}

#[test]
fn one_of_several_answers_is_recorded_and_silence_may_be_one() {
    let one_of = |silence: bool| {
        let mut list = vec![("reset".to_owned(), Some(Pattern::Segment(fields(Flags::RST, &[]))))];
        if silence {
            list.push(("silence".to_owned(), None));
        }
        step(Verb::Expect(Expect::OneOf(list)))
    };
    let mut stage = established(vec![one_of(true)]);
    stage.target(tcp(Flags::RST, IRS + 1, 0));
    assert_eq!(stage.end().1.observed, [(3, "reset".to_owned())]);
    let (_, verdict) = established(vec![one_of(true)]).end();
    assert_eq!((verdict.outcome, verdict.observed), (Outcome::Pass, vec![(3, "silence".to_owned())]));
    assert_eq!(established(vec![one_of(false)]).outcome(), Outcome::Fail);
}

#[test]
fn an_answer_before_its_time_is_too_early() {
    let mut wait = expect(Flags::SYN | Flags::ACK, &[(FieldName::Seq, "irs")]);
    wait.within = Some(Within {
        from: Some(parse_expr("target.rto.min").expect("a span")),
        to: parse_expr("3s").expect("a span"),
    });
    for (ms, outcome) in [(500, Outcome::Fail), (1000, Outcome::Pass), (2990, Outcome::Pass)] {
        let mut stage = Stage::of(handshake().into_iter().take(2).chain([wait.clone()]).collect());
        stage.sent();
        stage.target(syn_ack());
        stage.now = stage.now + Duration::from_millis(ms);
        stage.target(syn_ack());
        assert_eq!(stage.outcome(), outcome, "after {ms} ms");
    }
}

#[test]
fn a_fixture_that_fails_blocks_the_case_and_blames_another() {
    let mut plan = plan(handshake());
    plan.fixtures = vec![FixtureInfo { id: "established".into(), tested_by: "t/other".into() }];
    plan.steps.iter_mut().for_each(|step| step.fixture = Some(0));
    let mut stage = Stage::new(plan);
    stage.sent();
    stage.target(tcp(Flags::SYN | Flags::ACK, IRS, ISN));
    let (_, verdict) = stage.end();
    assert_eq!((verdict.outcome, verdict.blamed.as_deref()), (Outcome::Blocked, Some("t/other")));
}

#[rstest]
#[case(Level::Must, Outcome::Fail)]
#[case(Level::Should, Outcome::Warn)]
#[case(Level::May, Outcome::Pass)]
fn the_level_decides_what_a_missed_expectation_is(#[case] level: Level, #[case] outcome: Outcome) {
    let mut plan = plan(handshake());
    plan.case.level = level;
    assert_eq!(Stage::new(plan).outcome(), outcome);
}

#[rstest]
#[case::checksum(Tcp { checksum: Checksum::Bad, ..syn_ack() }, "checksum")]
#[case::port(Tcp { sport: Some(8), ..syn_ack() }, "tuple")]
#[case::option(
    Tcp { options: crate::packet::Options::encode(&[TcpOption::WindowScale(2)]), ..syn_ack() },
    "options-negotiated"
)]
fn monitors_watch_every_segment(#[case] segment: Tcp, #[case] id: &str) {
    let mut stage = Stage::of(handshake());
    stage.sent();
    stage.target(segment);
    stage.target(syn_ack());
    let (_, verdict) = stage.end();
    assert_eq!(verdict.outcome, Outcome::Fail);
    let count = verdict.monitors.iter().find(|m| m.id == id).expect("the monitor");
    assert_eq!(count.violations, 1, "{id}");
}

#[test]
fn our_trouble_is_not_the_targets_failure() {
    for (input, outcome) in [
        (InputKind::CaptureLost { count: 3 }, Outcome::Inconclusive),
        (InputKind::Broken { how: "the wire is gone".into() }, Outcome::Error),
        (InputKind::TargetDied { how: "signal 11".into() }, Outcome::Fail),
    ] {
        let mut stage = Stage::of(handshake());
        stage.input(input);
        assert_eq!(stage.outcome(), outcome);
    }
}

/// Silence for 1 s, of which the target was kept from a processor for a part.
#[rstest]
#[case::hardly(50, 1000, Outcome::Fail)]
#[case::for_long(300, 1000, Outcome::Inconclusive)]
#[case::a_little_over_a_tenth(101, 1000, Outcome::Inconclusive)]
fn a_target_that_waits_for_a_processor_cannot_answer(
    #[case] waited_ms: u64,
    #[case] over_ms: u64,
    #[case] outcome: Outcome,
) {
    let mut stage = Stage::of(handshake());
    stage.sent();
    stage.now = stage.exec.poll_timeout().expect("a deadline");
    let [for_ns, over_ns] = [waited_ms, over_ms].map(|ms| ms * 1_000_000);
    stage.input(InputKind::Waited { for_ns, over_ns });
    let (_, verdict) = stage.end();
    assert_eq!((verdict.outcome, verdict.violation.is_some()), (outcome, true), "{}", verdict.reason);
    let says = verdict.reason.starts_with("the target had to wait");
    assert_eq!(says, outcome == Outcome::Inconclusive, "{}", verdict.reason);
}

/// What was over long before says nothing, and nothing excuses wrong octets or an end.
#[test]
fn waiting_excuses_what_it_explains_only() {
    let waited = InputKind::Waited { for_ns: 800_000_000, over_ns: 900_000_000 };
    let mut stage =
        Stage::of([vec![step(Verb::Wait(parse_expr("2s").expect("a span")))], handshake()].concat());
    stage.input(waited.clone());
    assert_eq!(stage.end().1.outcome, Outcome::Fail, "two seconds before");
    for (input, outcome) in [
        (InputKind::TargetDied { how: "signal 11".into() }, Outcome::Fail),
        (InputKind::TargetHung { how: "no answer".into() }, Outcome::Inconclusive),
    ] {
        let mut stage = Stage::of(handshake());
        stage.input(waited.clone());
        stage.input(input);
        assert_eq!(stage.outcome(), outcome);
    }
}

#[test]
fn what_the_application_cannot_do_makes_the_case_unsupported() {
    let mut stage = Stage::of(vec![step(Verb::App(App::Listen))]);
    assert!(matches!(
        stage.exec.poll_output(),
        Some(Output::App { call: 0, what: AppCall::Listen { port: 7 } })
    ));
    stage.input(InputKind::App { call: 0, outcome: AppOutcome::Unsupported });
    assert_eq!(stage.outcome(), Outcome::Unsupported);
}

#[test]
fn wrong_octets_are_found_by_their_place() {
    let mut stage = Stage::of(vec![
        step(Verb::App(App::Accept)),
        step(Verb::App(App::Recv(parse_expr("100").expect("a number")))),
    ]);
    let from = "192.0.2.1:40000".parse().expect("an address");
    stage.input(InputKind::App { call: 0, outcome: AppOutcome::Accepted { conn: 1, from } });
    stage.input(InputKind::App {
        call: 1,
        outcome: AppOutcome::Received { count: 100, mismatch: Some(42), eof: false },
    });
    assert_eq!(stage.end().1.violation.expect("a violation").kind, ViolationKind::Content);
}
