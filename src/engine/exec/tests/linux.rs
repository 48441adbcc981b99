//! The `linux` step, against a kernel that is played by hand.

use super::*;
use crate::engine::io::linux::{LinuxCall, LinuxReply, LinuxSocket, OptionValue, QueuedError};
use crate::suite::catalogue::Catalogue;
use crate::suite::corpus::{Context, Corpus, SourceFile, Sources, has_errors};
use crate::suite::diagnostic::{Style, render_all};
use std::collections::BTreeMap;

const PORT: LinuxSocket = LinuxSocket::Listener { port: 7, v6: false };

/// The steps of a case, as a suite writes them.
fn steps(text: &str) -> Vec<Step> {
    let head = "title: T\nlevel: must\ncases:\n  - id: one\n    title: One\n    refs: [C01]\n    needs: [linux]\n    steps:\n";
    let lines: Vec<String> = text.lines().map(|line| format!("      {}\n", line)).collect();
    let files = vec![SourceFile::new("t.yaml", "t", format!("{head}{}", lines.concat()))];
    let sources = Sources { files, partial: true, ..Sources::default() };
    let context = Context { catalogue: Catalogue::embedded(), mutants: &[] };
    let (corpus, found) = Corpus::load(&sources, context);
    assert!(!has_errors(&found), "{}", render_all(&found, corpus.sources(), Style::Plain));
    corpus.instances().next().expect("a case").steps
}

/// After `accept`, which gave the handle 3.
fn accepted(text: &str) -> Stage {
    let mut all = vec![step(Verb::App(App::Accept))];
    all.extend(steps(text));
    let mut stage = Stage::of(all);
    let call = stage.app_call().0;
    let from = "192.0.2.1:40000".parse().expect("an address");
    stage.answer(call, AppOutcome::Accepted { conn: 3, from });
    stage
}

impl Stage {
    fn app_call(&mut self) -> (u32, AppCall) {
        match self.exec.poll_output() {
            Some(Output::App { call, what }) => (call, what),
            other => panic!("expected a call, got {other:?}"),
        }
    }

    fn answer(&mut self, call: u32, outcome: AppOutcome) {
        self.input(InputKind::App { call, outcome });
    }

    fn system_call(&mut self) -> (u32, LinuxSocket, LinuxCall) {
        match self.app_call() {
            (call, AppCall::Linux { socket, what }) => (call, socket, what),
            other => panic!("expected a system call, got {other:?}"),
        }
    }

    /// Answers the next system call.
    fn replies(&mut self, reply: LinuxReply) {
        let (call, ..) = self.system_call();
        self.answer(call, AppOutcome::Linux(reply));
    }

    fn violation(self) -> Violation {
        let (_, verdict) = self.end();
        assert_eq!(verdict.outcome, Outcome::Fail, "{}", verdict.reason);
        *verdict.violation.expect("a violation")
    }
}

fn returned(value: i64) -> LinuxReply {
    LinuxReply::Returned { value }
}

fn refused(errno: &str) -> LinuxReply {
    LinuxReply::Refused { errno: errno.to_owned(), what: None }
}

fn info(fields: &[(&str, u64)]) -> LinuxReply {
    LinuxReply::Info { fields: fields.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect() }
}

fn int(number: i64) -> LinuxReply {
    LinuxReply::Option { errno: None, number: Some(number), ints: vec![number], octets: Vec::new() }
}

fn row(violation: &Violation, field: &str) -> (String, String, bool) {
    let cell = violation.cells.iter().find(|cell| cell.field == field).expect("a row");
    (cell.expected.clone(), cell.got.clone(), cell.differs)
}

#[test]
fn calls_go_to_the_connection_and_before_it_to_the_listener() {
    let mut stage = Stage::of(steps("- linux: {setsockopt: [SOL_TCP, TCP_DEFER_ACCEPT, 2 + 3]}"));
    let value = OptionValue::Ints(vec![5]);
    let wanted =
        LinuxCall::SetOption { level: "SOL_TCP".to_owned(), name: "TCP_DEFER_ACCEPT".to_owned(), value };
    let (call, socket, what) = stage.system_call();
    assert_eq!((socket, what), (PORT, wanted));
    stage.answer(call, AppOutcome::Linux(returned(0)));
    assert_eq!(stage.outcome(), Outcome::Pass);

    let mut stage = accepted("- linux: {poll: POLLOUT}\n- linux: {poll: none, on: listener}");
    let (call, socket, _) = stage.system_call();
    assert_eq!(socket, LinuxSocket::Conn(3));
    stage.answer(call, AppOutcome::Linux(LinuxReply::Poll { flags: vec!["POLLOUT".to_owned()] }));
    assert_eq!(stage.system_call().1, PORT);
}

#[test]
fn a_wrong_field_is_shown_beside_the_others() {
    let mut stage = accepted(
        "- linux: {info: {snd_cwnd: \">= 10\", state: established, options: +sack|-ecn, rto: 200ms..1s, rtt: any}}",
    );
    let fields = [("snd_cwnd", 4), ("state", 8), ("options", 2), ("rto", 204_000), ("rtt", 40)];
    stage.replies(info(&fields));
    stage.now = stage.now + Duration::from_secs(5);
    stage.input(InputKind::Timeout);
    stage.replies(info(&fields));
    let violation = stage.violation();
    assert_eq!(row(&violation, "snd_cwnd"), (">= 10".to_owned(), "4".to_owned(), true));
    assert_eq!(row(&violation, "state"), ("ESTABLISHED".to_owned(), "CLOSE-WAIT".to_owned(), true));
    assert_eq!(row(&violation, "options"), ("+sack|-ecn".to_owned(), "sack".to_owned(), false));
    assert_eq!(row(&violation, "rto"), ("200ms..1s".to_owned(), "204 ms".to_owned(), false));
    assert_eq!(violation.expected, "snd_cwnd >= 10  state ESTABLISHED");
}

#[test]
fn a_state_is_asked_for_again_until_it_holds() {
    let mut stage = accepted("- linux: {info: {unacked: 0}}");
    stage.replies(info(&[("unacked", 2)]));
    assert!(stage.exec.poll_timeout().is_some() && !stage.exec.is_done());
    stage.wait(2);
    stage.replies(info(&[("unacked", 0)]));
    assert_eq!(stage.outcome(), Outcome::Pass);
}

#[test]
fn what_was_told_can_be_used_later() {
    let mut stage = accepted(
        "- linux: {info: {snd_cwnd: any}}\n  as: before\n- linux: {info: {snd_cwnd: before.snd_cwnd + 2}}\n  within: 0s",
    );
    stage.replies(info(&[("snd_cwnd", 10)]));
    stage.replies(info(&[("snd_cwnd", 11)]));
    let violation = stage.violation();
    assert_eq!(row(&violation, "snd_cwnd"), ("before.snd_cwnd + 2 (12)".to_owned(), "11".to_owned(), true));
}

#[rstest]
#[case::as_wanted(
    "- linux: {setsockopt: [SOL_TCP, TCP_MAXSEG, 5], errno: EINVAL}",
    refused("EINVAL"),
    Outcome::Pass
)]
#[case::another(
    "- linux: {setsockopt: [SOL_TCP, TCP_MAXSEG, 5], errno: EINVAL}",
    refused("EPERM"),
    Outcome::Fail
)]
#[case::none("- linux: {setsockopt: [SOL_TCP, TCP_MAXSEG, 5], errno: EINVAL}", returned(0), Outcome::Fail)]
#[case::unwanted("- linux: {setsockopt: [SOL_TCP, TCP_MAXSEG, 5]}", refused("EINVAL"), Outcome::Fail)]
#[case::no_option(
    "- linux: {setsockopt: [SOL_TCP, TCP_TX_DELAY, 5]}",
    refused("ENOPROTOOPT"),
    Outcome::Unsupported
)]
#[case::no_sysctl("- linux: {sysctl: {net.ipv4.tcp_sack: 0}}", refused("ENOENT"), Outcome::Unsupported)]
#[case::not_allowed("- linux: {sysctl: {net.ipv4.tcp_sack: 0}}", refused("EACCES"), Outcome::Unsupported)]
#[case::bad_value("- linux: {sysctl: {net.ipv4.tcp_sack: 0}}", refused("EINVAL"), Outcome::Fail)]
#[case::returns("- linux: {send: 10, returns: 10}", returned(10), Outcome::Pass)]
#[case::returns_less("- linux: {send: 10, returns: 10}", returned(9), Outcome::Fail)]
#[case::value("- linux: {getsockopt: [SOL_TCP, TCP_MAXSEG, 500..600]}", int(536), Outcome::Pass)]
#[case::empty_queue("- linux: {errqueue: none}", refused("EAGAIN"), Outcome::Pass)]
#[case::content(
    "- linux: {recv: 10, returns: 10}",
    LinuxReply::Received { count: 10, mismatch: Some(3) },
    Outcome::Fail
)]
#[case::lacking("- linux: {poll: none}", LinuxReply::Lacking { why: "it has none".to_owned() }, Outcome::Unsupported)]
#[case::nonsense("- linux: {poll: none}", int(1), Outcome::Error)]
fn results_are_held_to(#[case] text: &str, #[case] reply: LinuxReply, #[case] outcome: Outcome) {
    let mut stage = accepted(text);
    stage.replies(reply);
    assert_eq!(stage.outcome(), outcome);
}

#[test]
fn the_error_queue_is_compared_field_by_field() {
    let entry =
        QueuedError { errno: "EHOSTUNREACH".to_owned(), origin: 2, kind: 3, code: 1, info: 0, data: 0 };
    let mut stage = accepted("- linux: {errqueue: {errno: EHOSTUNREACH, origin: icmp, type: 3, code: 4}}");
    // It may still be on its way.
    stage.replies(refused("EAGAIN"));
    stage.wait(2);
    stage.replies(LinuxReply::Queued(entry.clone()));
    let violation = stage.violation();
    assert_eq!(row(&violation, "code"), ("4".to_owned(), "1".to_owned(), true));
    assert_eq!(row(&violation, "origin"), ("icmp".to_owned(), "icmp".to_owned(), false));

    let mut stage = accepted("- linux: {errqueue: none}");
    stage.replies(LinuxReply::Queued(entry));
    assert_eq!(stage.outcome(), Outcome::Fail);
}

#[test]
fn a_pending_error_is_known_by_its_name() {
    let error = |name: &str| LinuxReply::Option {
        errno: Some(name.to_owned()),
        number: Some(0),
        ints: vec![0],
        octets: Vec::new(),
    };
    let mut stage = accepted("- linux: {getsockopt: [SOL_SOCKET, SO_ERROR, ETIMEDOUT]}");
    stage.replies(error("none"));
    stage.wait(2);
    stage.replies(error("ECONNRESET"));
    // Reading it has taken it away, so it is not asked for again.
    let violation = stage.violation();
    assert_eq!(row(&violation, "SO_ERROR"), ("ETIMEDOUT".to_owned(), "ECONNRESET".to_owned(), true));
}

#[test]
fn what_a_call_reads_and_writes_moves_the_streams() {
    let mut stage = accepted(
        "- linux: {send: 100}\n- linux: {send: 50}\n- linux: {recv: 30, flags: MSG_PEEK}\n- linux: {recv: 30}\n- linux: {recv: 30}",
    );
    stage.replies(returned(60));
    let (call, _, what) = stage.system_call();
    assert_eq!(what, LinuxCall::Send { offset: 60, count: 50, flags: Vec::new() });
    stage.answer(call, AppOutcome::Linux(returned(50)));
    let received = |count| LinuxReply::Received { count, mismatch: None };
    stage.replies(received(30));
    stage.replies(received(30));
    let (_, _, what) = stage.system_call();
    assert_eq!(what, LinuxCall::Recv { offset: 30, count: 30, flags: Vec::new() });
}

#[test]
fn the_record_is_judged_again_alike() {
    let mut stage = accepted("- linux: {ioctl: {SIOCINQ: 10}}\n- linux: accept");
    let lengths = |n| LinuxReply::Queues { lengths: BTreeMap::from([("SIOCINQ".to_owned(), n)]) };
    stage.replies(lengths(4));
    stage.wait(2);
    stage.replies(lengths(10));
    let (call, socket, what) = stage.system_call();
    assert_eq!((socket, what), (PORT, LinuxCall::Accept));
    stage.answer(call, AppOutcome::Linux(refused("EAGAIN")));
    let inputs: Vec<Input> = stage
        .inputs
        .iter()
        .map(|input| serde_json::from_str(&serde_json::to_string(input).expect("JSON")).expect("an input"))
        .collect();
    let text = serde_json::to_string(&*stage.plan).expect("JSON");
    let plan: Plan = serde_json::from_str(&text).expect("a plan");
    assert_eq!(plan, *stage.plan);
    let (events, verdict) = replay(&Arc::new(plan), &inputs);
    assert_eq!((events, verdict.clone()), stage.end());
    assert_eq!(verdict.outcome, Outcome::Fail);
}
