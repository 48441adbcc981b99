//! Programs as targets: a poor student stack whose bugs are found over every wire, and programs that behave badly, of
//! which none may take the harness with it or leave anything behind.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test starts the program and writes manifests"
)]
#![cfg(target_os = "linux")]

use rstest::rstest;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use std::{env, fs, process};

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("tcpspec-attach-{}-{name}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// A manifest whose program is a line of shell.
    fn shell(&self, program: &str, more: &str) -> PathBuf {
        let path = self.0.join("target.yaml");
        let program = program.replace('\'', "''");
        fs::write(&path, format!("name: bad\nrun: [sh, -c, '{program}']\n{more}\n")).unwrap();
        path
    }

    fn run(&self, line: &[&str]) -> Ran {
        let out = self.0.join("out");
        let output = Command::new(env!("CARGO_BIN_EXE_tcpspec"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("NO_COLOR", "1")
            .arg("run")
            .args(line)
            .args(["--out", out.to_str().unwrap()])
            .output()
            .unwrap();
        Ran::of(&output)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

const CASE: &str = "handshake/passive/syn-ack-counts-the-syn";
const CONTROL: &str = "app: control\nready: {by: control, within: 600ms}";

/// Where it stopped is said in one line, and how to go on in another.
#[rstest]
#[case::exits_at_once("echo boom >&2; exit 7", CONTROL, "ended with exit code 7; it said: boom")]
#[case::killed("kill -SEGV $$", CONTROL, "killed by SIGSEGV")]
#[case::says_nothing("sleep 60", CONTROL, "it said nothing on the control channel")]
#[case::answers_no_syn("sleep 60", "ready: {by: syn, within: 600ms}", "it answered no SYN to port 7")]
#[case::never_writes("sleep 60", "ready: {by: text, text: up, within: 300ms}", "it never wrote `up`")]
#[case::nonsense("echo listening on port 7; sleep 60", CONTROL, "`listening on port 7`: a line begins with")]
#[case::a_line_without_end("yes x | tr -d '\\n'", CONTROL, "nonsense on the control channel: `xxxx")]
#[case::floods_its_output("yes >&2", CONTROL, "it said nothing on the control channel")]
#[case::beside_it_one_fails(
    "sleep 60",
    "app: control\nready: {by: control, within: 5s}\nalso: [[sh, -c, 'echo no bridge >&2; exit 4']]",
    "`sh`, which runs beside it: its process ended with exit code 4; it said: no bridge"
)]
#[case::closes_its_wire(
    "exec python3 -c \"import os, time; os.close(int(os.environ['TCPSPEC_FD'])); time.sleep(60)\"",
    "ready: {by: syn, within: 600ms}",
    "it answered no SYN"
)]
#[case::not_there("x", "build: [/nowhere/at-all]", "cannot build bad")]
#[case::build_fails("x", "build: [sh, -c, 'echo line 3 is wrong >&2; exit 2']", "line 3 is wrong")]
fn a_bad_program_is_told_before_any_verdict(
    #[case] program: &str,
    #[case] more: &str,
    #[case] message: &str,
) {
    let scratch =
        Scratch::new(&message.chars().filter(char::is_ascii_alphanumeric).take(20).collect::<String>());
    let manifest = scratch.shell(program, more);
    let ran = scratch.run(&["-t", manifest.to_str().unwrap(), CASE]);
    assert_eq!(ran.code, Some(3), "{}{}", ran.out, ran.err);
    assert!(ran.err.contains(message), "{}", ran.err);
}

/// A program that is not to be had here says so with exit code 127: nothing is red.
#[test]
fn what_cannot_be_had_here_is_unsupported() {
    let scratch = Scratch::new("absent");
    let manifest = scratch.shell("echo no such library >&2; exit 127", CONTROL);
    let ran = scratch.run(&["-t", manifest.to_str().unwrap(), CASE, "--family", "4"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("1 unsupported"), "{}", ran.out);
    assert!(ran.out.contains("cannot be had here") && ran.out.contains("no such library"), "{}", ran.out);
}

/// Every process whose command line holds `mark`.
fn alive(mark: &str) -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(mark)).count()
}

#[rstest]
#[case::ignores_sigterm("trap '' TERM; sleep 98711 & while :; do sleep 98711; done", "98711")]
#[case::daemonizes("setsid sh -c 'sleep 98712' & sleep 98712", "98712")]
fn nothing_is_left_behind(#[case] program: &str, #[case] mark: &str) {
    let scratch = Scratch::new(mark);
    let manifest = scratch.shell(program, CONTROL);
    let ran = scratch.run(&["-t", manifest.to_str().unwrap(), CASE]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    // Killed is not gone at once.
    let until = Instant::now() + Duration::from_secs(5);
    while alive(&format!("sleep\0{mark}")) > 0 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(alive(&format!("sleep\0{mark}")), 0);
}

/// A stack that dies while a case runs has crashed: that is the target's failure, with its last words.
#[test]
fn death_in_a_case_is_a_crash() {
    let scratch = Scratch::new("crash");
    let stack = Path::new(env!("CARGO_MANIFEST_DIR")).join("targets/examples/student/stack.py");
    let text = fs::read_to_string(&stack).unwrap();
    let deadly = text.replace(
        "        if flags & FIN:\n",
        "        if flags & FIN:\n            raise RuntimeError(\"cannot happen\")\n",
    );
    assert_ne!(text, deadly);
    fs::write(scratch.0.join("stack.py"), deadly).unwrap();
    let kit = Path::new(env!("CARGO_MANIFEST_DIR")).join("targets/kit/tcpspec.py");
    fs::copy(kit, scratch.0.join("tcpspec.py")).unwrap();
    let manifest = scratch.0.join("target.yaml");
    fs::write(&manifest, "name: mortal\nrun: [python3, stack.py]\napp: control\n").unwrap();
    let ran = scratch.run(&[
        "-t",
        manifest.to_str().unwrap(),
        "close/passive/a-fin-is-acknowledged-and-told",
        "--family",
        "4",
    ]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("the target crashed: its process ended with exit code 1"), "{}", ran.out);
    assert!(ran.out.contains("RuntimeError: cannot happen"), "{}", ran.out);
}

/// The bugs that its README lists, by the cases that it names.
fn bugs() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("targets/examples/student/README.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && line.matches('|').count() == 4);
    rows.filter_map(|row| row.split('`').nth_back(1).map(str::to_owned)).collect()
}

#[rstest]
#[case("fd")]
#[case("udp")]
#[case("tun")]
#[case("tap")]
#[case::by_a_packet_socket("veth")]
fn the_student_s_bugs_are_found(#[case] wire: &str) {
    if matches!(wire, "tun" | "tap") && !Path::new("/dev/net/tun").exists() {
        eprintln!("SKIPPED: there is no /dev/net/tun");
        return;
    }
    let bugs = bugs();
    assert!(bugs.len() >= 12, "{bugs:?}");
    let scratch = Scratch::new(wire);
    let missed = |cases: &[String]| {
        // All wait at the same time, so that it takes as long as the longest.
        let mut line = vec!["-t", "student", "--wire", wire, "--family", "4", "--format", "json", "-j", "16"];
        line.extend(cases.iter().map(String::as_str));
        let ran = scratch.run(&line);
        let report: serde_json::Value =
            serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}", ran.err));
        let asked = report["cases"].as_array().unwrap();
        assert_eq!(asked.len(), cases.len(), "{}", ran.err);
        let is_found = |case: &&serde_json::Value| case["outcome"] == "fail" || case["outcome"] == "warn";
        let missed = asked.iter().filter(|case| !is_found(case));
        missed.map(|case| (case["id"].as_str().unwrap().to_owned(), case.to_string())).unzip()
    };
    let (again, _): (Vec<String>, Vec<String>) = missed(&bugs);
    if again.is_empty() {
        return;
    }
    // A program that is kept from a processor may wait as long as it should have: once more, with less beside it.
    let (still, told): (Vec<String>, Vec<String>) = missed(&again);
    assert!(still.is_empty(), "{} on {wire}", told.join("\n"));
}

#[test]
fn a_mistake_in_a_manifest_is_shown_at_its_place() {
    let scratch = Scratch::new("mistake");
    let manifest = scratch.shell("x", "lnik: {kind: fd}");
    let ran = scratch.run(&["-t", manifest.to_str().unwrap()]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("did you mean `link`?") && ran.err.contains("target.yaml:3:1"), "{}", ran.err);
}

/// What is known of one wire says nothing of the others.
#[rstest]
#[case::elsewhere("fd", false)]
#[case::there("udp", true)]
fn a_deviation_is_of_the_wires_that_it_names(#[case] wire: &str, #[case] is_known: bool) {
    let scratch = Scratch::new(&format!("wire-{wire}"));
    let manifest = scratch.0.join("target.yaml");
    let stack = Path::new(env!("CARGO_MANIFEST_DIR")).join("targets/examples/student/stack.py");
    let text = format!(
        "name: known\nlink: [{{kind: fd}}, {{kind: udp}}]\nrun: [python3, {}]\napp: control\n\
         deviations:\n  - {{cases: {CASE}, outcome: fail, because: it is not so, wire: udp}}\n\
         \x20 - {{cases: 'handshake/passive/syn-ack-c*', outcome: fail, because: nor is it, wire: [udp]}}\n\
         \x20 - {{cases: no/such/case, outcome: fail, because: it is gone, wire: udp}}\n",
        stack.display()
    );
    fs::write(&manifest, text).unwrap();
    let ran = scratch.run(&["-t", manifest.to_str().unwrap(), "--wire", wire, CASE, "--family", "4"]);
    assert!(ran.out.contains("1 passed"), "{}{}", ran.out, ran.err);
    assert_eq!(ran.out.contains("known to be fail, was pass"), is_known, "{}", ran.out);
    assert_eq!(ran.err.contains("is stale: no case matches `no/such/case`"), is_known, "{}", ran.err);
}

#[test]
fn waived_cases_are_shown_and_not_run() {
    let scratch = Scratch::new("waive");
    let manifest = scratch.0.join("target.yaml");
    let stack = Path::new(env!("CARGO_MANIFEST_DIR")).join("targets/examples/student/stack.py");
    let text = format!(
        "name: waived\nrun: [python3, {}]\napp: control\n\
         waive: [{{cases: 'handshake/**', because: week 4}}, {{cases: 'no/such/case', because: gone}}]\n",
        stack.display()
    );
    fs::write(&manifest, text).unwrap();
    let ran = scratch.run(&["-t", manifest.to_str().unwrap(), CASE, "--family", "4"]);
    assert!(
        ran.out.contains("waived: week 4") && ran.out.contains("1 unsupported"),
        "{}{}",
        ran.out,
        ran.err
    );
    assert!(ran.err.contains("is stale: no case matches `no/such/case`"), "{}", ran.err);
}

/// Data that a server echoes, and a case that comes after it.
const DATA: &str = "data/receive/data-in-order-is-acknowledged-and-delivered*";

fn misbehaving(scratch: &Scratch, mode: &str, link: &str, more: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/targets/misbehave.py");
    let path = scratch.0.join("target.yaml");
    let mark = scratch.0.display();
    let text = format!(
        "name: bad-{mode}\nlink: {link}\ntarget: {{ipv4: 10.0.0.2/24}}\nrun: [python3, {}, {mode}, tap0, {mark}]\n\
         app: echo\nlimits: {{connections: 1}}\n{more}\n",
        program.display()
    );
    fs::write(&path, text).unwrap();
    path
}

const TAP: &str = "{kind: tap, device: tap0}";
const FD: &str = "{kind: fd}";
const RUN: &str = "lifetime: run\nready: {by: syn, within: 20s}";

/// What a program does in one case is that case's failure, told in its own words; the next case gets a fresh program.
#[rstest]
#[case::crashes("crash", FD, RUN, "the target crashed: its process was killed by SIGABRT", 1)]
#[case::its_words_are_evidence("crash", FD, RUN, "about to abort", 1)]
#[case::hangs("hang", FD, RUN, "the target hung: after the case a SYN to port 7 was not answered", 1)]
#[case::hangs_holding_the_tap("hang", TAP, RUN, "the target hung: after the case", 1)]
#[case::closes_its_device(
    "close-device",
    "{kind: tap, device: tap0, create: target}",
    RUN,
    "the target crashed: the network device is",
    1
)]
#[case::floods("flood", FD, "ready: {by: syn, within: 20s}", "1 failed", 1)]
#[case::floods_a_tap("flood", TAP, "ready: {by: syn, within: 20s}", "1 failed", 1)]
#[case::garbage_and_jumbo_frames("garbage", TAP, RUN, "2 passed", 0)]
#[case::writes_a_gigabyte("shout", FD, RUN, "2 passed", 0)]
#[case::spins("spin", TAP, RUN, "2 passed", 0)]
fn a_bad_program_spoils_its_own_case_only(
    #[case] mode: &str,
    #[case] link: &str,
    #[case] more: &str,
    #[case] message: &str,
    #[case] code: i32,
) {
    if link != FD && !Path::new("/dev/net/tun").exists() {
        eprintln!("SKIPPED: there is no /dev/net/tun");
        return;
    }
    let scratch = Scratch::new(&format!("{mode}-{}-{}", link.len(), message.len()));
    let manifest = misbehaving(&scratch, mode, link, more);
    let ran = scratch.run(&["-t", manifest.to_str().unwrap(), DATA, CASE, "-j", "1", "--timeout-scale", "3"]);
    assert_eq!(ran.code, Some(code), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains(message), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("PASS [") && ran.out.contains(CASE), "{}", ran.out);
    assert_eq!(alive(&format!("\0tap0\0{}", scratch.0.display())), 0);
}

/// A target goes down with what it needs beside it; what has done its work, and says so with 0, was not needed any more.
#[test]
fn death_beside_it_is_a_crash() {
    let scratch = Scratch::new("beside");
    let gone = scratch.0.join("gone").display().to_string();
    let beside =
        format!("while [ ! -e {gone} ]; do sleep 0.02; done; rm {gone}; echo no proxy any more >&2; exit 3");
    let more = format!("also: [[sh, -c, 'exit 0'], [sh, -c, '{beside}']]\n{RUN}");
    let manifest = misbehaving(&scratch, "leave", FD, &more);
    let ran = scratch.run(&["-t", manifest.to_str().unwrap(), DATA, CASE, "-j", "1", "--timeout-scale", "3"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    let words = "the target crashed: `sh`, which runs beside it: its process ended with exit code 3; it said: no proxy any more";
    assert!(ran.out.contains(words), "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("1 failed") && ran.out.contains("PASS [") && ran.out.contains(CASE),
        "{}",
        ran.out
    );
    assert_eq!(alive(&gone), 0);
}

/// On a TAP it is said how far the target came, and what is there instead.
#[rstest]
#[case::another_device("{kind: tap, device: tap9}", "ok", "tap7", &["it stopped at the link", "nobody opened tap9", "but there is tap7"])]
#[case::no_arp(TAP, "no-arp", "tap0", &["it stopped at ARP", "nobody answered ARP for 10.0.0.2 on tap0"])]
#[case::never_makes_it("{kind: tap, device: tap9, create: target}", "ok", "tap7", &["it stopped at the link", "there was no device tap9"])]
fn a_target_that_is_not_there_is_told_by_how_far_it_came(
    #[case] link: &str,
    #[case] mode: &str,
    #[case] device: &str,
    #[case] messages: &[&str],
) {
    if !Path::new("/dev/net/tun").exists() {
        eprintln!("SKIPPED: there is no /dev/net/tun");
        return;
    }
    let scratch = Scratch::new(&format!("far-{mode}-{}", link.len()));
    let manifest = misbehaving(&scratch, mode, link, "ready: {by: syn, within: 6s}");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace(", tap0, ", &format!(", {device}, "))).unwrap();
    let ran = scratch.run(&["-t", manifest.to_str().unwrap(), CASE]);
    assert_eq!(ran.code, Some(3), "{}{}", ran.out, ran.err);
    for message in messages {
        assert!(ran.err.contains(message), "{message}: {}", ran.err);
    }
    assert!(ran.err.contains("hint:"), "{}", ran.err);
}

/// Names and addresses are constants in the source of a target: many of the same run side by side all the same.
#[test]
fn eight_targets_run_side_by_side() {
    if !Path::new("/dev/net/tun").exists() {
        eprintln!("SKIPPED: there is no /dev/net/tun");
        return;
    }
    let scratch = Scratch::new("eight");
    let manifest = misbehaving(&scratch, "ok", TAP, "ready: {by: syn, within: 20s}");
    let start = |number: usize| {
        Command::new(env!("CARGO_BIN_EXE_tcpspec"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["run", "-t", manifest.to_str().unwrap(), DATA, CASE, "-j", "2", "--timeout-scale", "5"])
            .args(["--out", scratch.0.join(format!("out-{number}")).to_str().unwrap()])
            .stdout(process::Stdio::piped())
            .stderr(process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    let running: Vec<_> = (0..8).map(start).collect();
    for one in running {
        let ran = Ran::of(&one.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        assert!(ran.out.contains("2 passed"), "{}", ran.out);
    }
}

/// The way of a new user: a manifest by `new target`, what it can do by `doctor`, and a run.
#[test]
fn a_new_target_is_examined_and_run() {
    let scratch = Scratch::new("new");
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("targets/examples/student/stack.py");
    let tcpspec = |line: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_tcpspec"))
            .current_dir(&scratch.0)
            .stdin(process::Stdio::null())
            .args(line)
            .output()
            .unwrap();
        Ran::of(&output)
    };
    let run = format!("python3 {} echo", program.display());
    assert_eq!(tcpspec(&["new", "target", "my-tcp", "--run", &run]).code, Some(0));
    assert_eq!(tcpspec(&["new", "target", "my-tcp"]).code, Some(2), "it is there already");
    let ran = tcpspec(&["doctor", "./my-tcp.yaml"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let text = fs::read_to_string(scratch.0.join("my-tcp.yaml")).unwrap();
    assert!(text.contains("lacks: [out-of-order]") && text.contains("closes-at-eof"), "{text}");
    assert!(text.contains("rto-initial: ") && text.contains("closed-port-rst: true"), "{text}");
    let ran = tcpspec(&["run", "-t", "./my-tcp.yaml", CASE, "--out", "out", "--timeout-scale", "3"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert_eq!(tcpspec(&["new", "case", "mine/first.yaml"]).code, Some(0));
    assert_eq!(tcpspec(&["run", "--suites", "mine", "--out", "out"]).code, Some(0));
}

/// A program that connects, in the place of one that is told to.
#[test]
fn a_client_is_started_to_connect() {
    let scratch = Scratch::new("client");
    let stack = Path::new(env!("CARGO_MANIFEST_DIR")).join("targets/examples/student");
    let client = format!(
        "import os, sys\nsys.path.insert(0, {stack:?})\nimport stack\ntcp = stack.Stack('sink')\n\
         conn = tcp.open(stack.packed(sys.argv[1]), int(sys.argv[2]), 40000, 'SYN-SENT')\n\
         conn.queue(stack.SYN, options=bytes([2, 4, 5, 180]))\ntcp.run()\n",
    );
    fs::write(scratch.0.join("client.py"), client).unwrap();
    let manifest = scratch.0.join("target.yaml");
    let text = "name: client\ntarget: {ipv4: 10.0.0.2/24}\nconnect: [python3, client.py, \"{peer.ip}\", \"{peer.port}\"]\n";
    fs::write(&manifest, text).unwrap();
    let cases = ["handshake/active/connect-sends-a-syn", "handshake/active/the-syn-ack-is-acknowledged"];
    let mut line = vec!["-t", manifest.to_str().unwrap(), "--timeout-scale", "5", "-j", "1"];
    line.extend(cases);
    let ran = scratch.run(&line);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("2 passed"), "{}", ran.out);
}
