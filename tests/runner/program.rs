//! The built program on a real wire: signals, other runs beside it, and no privilege.

use crate::host::{self, NOBODY, handles, host_devices, is_root, namespaces_in_use};
use rstest::rstest;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tcpspec::lab::user;

const PATIENCE: Duration = Duration::from_secs(20);
/// Quick ones.
const QUICK: &str = "handshake/passive/**";
/// Many that wait, again and again.
const LONG: &str = "data/** close/** window/** states/** --repeat 20 -j 64 --color never";

/// A directory of a test's own, gone when it is over. Anybody may write there.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("runner").join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tcpspec"));
        command.current_dir(&self.0).args(line.split_whitespace()).stdin(Stdio::null());
        command
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// False, loudly, where no real wire can be had.
pub(crate) fn has_wires(test: &str) -> bool {
    if user::missing_capabilities().is_empty() {
        return true;
    }
    match user::try_user_namespace() {
        Ok(()) => true,
        Err(refusal) if std::env::var_os("CI").is_none() => {
            eprintln!("SKIPPED {test}: {refusal}");
            false
        }
        Err(refusal) => panic!("no privilege in CI: {refusal}"),
    }
}

/// What every case came to, without what differs from run to run.
pub(crate) fn outcomes(out: &[u8]) -> Vec<String> {
    let run: Value = serde_json::from_slice(out).unwrap();
    let text = |case: &Value| format!("{} {} {}", case["id"], case["family"], case["outcome"]);
    run["cases"].as_array().unwrap().iter().map(text).collect()
}

fn texts(output: &Output) -> (String, String) {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// A run in the middle of its cases, on 64 lanes.
fn under_way(scratch: &Scratch) -> Child {
    let line = format!("run -t linux {LONG} --out out");
    let mut child = scratch.command(&line).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..20 {
        lines.next().expect("results come").unwrap();
    }
    // Somebody has to read on.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

/// Handles of the namespaces of a run once it has all its lanes. `None` where the kernel has no such handles.
fn namespaces_of(child: &Child) -> Option<Vec<(String, handles::Handle)>> {
    let start = Instant::now();
    loop {
        match handles::of(child.id()) {
            // One a lane, and the tester's.
            Some(held) if held.len() > 64 => return Some(held),
            // One that went while it was looked at, or no such thing at all.
            None if start.elapsed() > PATIENCE => return None,
            Some(held) => assert!(start.elapsed() < PATIENCE, "{} lanes only", held.len()),
            None => {}
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Nothing of a run that has ended keeps a namespace. Where connections were cut off with it, the kernel tries to end
/// them for a while as it does for any program, which is seen in no other namespace.
fn assert_gone(held: Option<Vec<(String, handles::Handle)>>, leaves_connections: bool) {
    let Some(held) = held else {
        eprintln!("SKIPPED: this kernel has no handles of namespaces");
        return;
    };
    let start = Instant::now();
    loop {
        let in_use = namespaces_in_use();
        let left: Vec<_> = held.iter().filter(|(_, handle)| !handle.is_stale()).collect();
        // A number that is still this namespace's is nobody else's.
        let kept = left.iter().filter(|(shown, _)| in_use.contains(shown)).count();
        if left.is_empty() || kept == 0 && leaves_connections {
            println!("{} of {} namespaces still end connections", left.len(), held.len());
            return;
        }
        let left = left.len();
        assert!(start.elapsed() < PATIENCE, "{left} namespaces are left, and processes keep {kept} of them");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[rstest]
#[case("INT")]
#[case("TERM")]
fn a_signal_in_the_middle_of_64_lanes_leaves_reports_and_nothing_else(#[case] name: &str) {
    if !has_wires("a signal") {
        return;
    }
    let devices = host_devices();
    let scratch = Scratch::new(name);
    let mut child = under_way(&scratch);
    let held = is_root().then(|| namespaces_of(&child));
    signal(&child, name);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(scratch.read("out/junit.xml").contains("<testsuites"));
    let told = scratch.command("report out/run.jsonl --color never").output().unwrap();
    let (out, err) = texts(&told);
    assert!(out.contains("interrupted: "), "{out}{err}");
    assert_eq!(host_devices(), devices);
    if let Some(held) = held {
        assert_gone(held, false);
    }
}

/// No handler runs, so it is the kernel that cleans up, and there is nothing that it would not.
#[test]
fn nothing_is_left_after_sigkill_in_the_middle_of_64_lanes() {
    if !has_wires("SIGKILL") {
        return;
    }
    let devices = host_devices();
    let scratch = Scratch::new("KILL");
    let mut child = under_way(&scratch);
    let held = is_root().then(|| namespaces_of(&child));
    signal(&child, "KILL");
    child.wait().unwrap();
    assert_eq!(host_devices(), devices);
    if let Some(held) = held {
        assert_gone(held, true);
    }
    // What was recorded until then is a record.
    let told = scratch.command("report out/run.jsonl --color never").output().unwrap();
    let (out, err) = texts(&told);
    assert!(told.status.code().is_some_and(|code| code != 101), "{out}{err}");
}

/// A machine may stand still, and all that is due then is due at once when it goes on: the ACK that was delayed, and the
/// end of our waiting for it.
#[test]
fn who_stands_still_blames_nobody() {
    if !has_wires("standing still") {
        return;
    }
    let scratch = Scratch::new("still");
    // In each a second ACK is delayed, and to be there within 500 ms.
    let cases = "data/receive/old-data-is-acknowledged-again close/time-wait/old-data-does-not-enter-the-next-connection";
    let line = format!("run -t reference --wire veth {cases} --format json --out out");
    let child = scratch.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !scratch.0.join("out/run.jsonl").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    // So few that they are over before a case is tried again.
    for _ in 0..3 {
        signal(&child, "STOP");
        std::thread::sleep(Duration::from_millis(600));
        signal(&child, "CONT");
        std::thread::sleep(Duration::from_millis(130));
    }
    let output = child.wait_with_output().unwrap();
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    let record = scratch.read("out/run.jsonl");
    assert!(record.contains("had to wait"), "no case was kept from its ACK");
}

#[test]
fn two_runs_at_once_do_not_hear_each_other() {
    if !has_wires("two runs") {
        return;
    }
    let scratch = Scratch::new("two");
    let start = |out: &str| {
        let line = format!("run -t linux {QUICK} -j 8 --format json --out {out}");
        scratch.command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let both = [start("a"), start("b")].map(|child| child.wait_with_output().unwrap());
    let alone = start("c").wait_with_output().unwrap();
    let (_, err) = texts(&alone);
    assert!(matches!(alone.status.code(), Some(0 | 1)), "{err}");
    for output in &both {
        assert_eq!(output.status.code(), alone.status.code(), "{}", texts(output).1);
        assert_eq!(outcomes(&output.stdout), outcomes(&alone.stdout));
    }
}

#[test]
fn what_cases_took_is_remembered_beside_the_record() {
    if !has_wires("durations") {
        return;
    }
    let scratch = Scratch::new("durations");
    let line = format!("run -t linux {QUICK} --format json --out out");
    let first = scratch.command(&line).output().unwrap();
    let known: Value = serde_json::from_str(&scratch.read("out/durations.json")).unwrap();
    let ran = outcomes(&first.stdout).iter().filter(|case| !case.contains("unsupported")).count();
    let cases = known["cases"].as_object().unwrap().values();
    assert_eq!(cases.map(|families| families.as_object().unwrap().len()).sum::<usize>(), ran);
    // It is a memory, no input: a broken one changes no verdict.
    fs::write(scratch.0.join("out/durations.json"), "{").unwrap();
    let second = scratch.command(&line).output().unwrap();
    assert_eq!(outcomes(&first.stdout), outcomes(&second.stdout));
}

/// Nor is it said to be stale that a part of the suites holds no case of a known deviation.
#[test]
fn what_would_take_hours_is_said_and_not_begun() {
    if !has_wires("hours") {
        return;
    }
    let scratch = Scratch::new("hours");
    let case = "keepalive/probes/the-default-is-two-hours";
    let listed = scratch.command(&format!("list -t linux --slow {case}")).output().unwrap();
    let (out, err) = texts(&listed);
    assert!(out.contains("needs about 2 h of real time: `--case-timeout 3h`"), "{out}{err}");
    assert!(!err.contains("stale"), "{err}");
    let ran =
        scratch.command(&format!("run -t linux --slow {case} --format json --out out")).output().unwrap();
    assert_eq!(ran.status.code(), Some(0), "{}", texts(&ran).1);
    assert!(outcomes(&ran.stdout).iter().all(|case| case.ends_with("\"unsupported\"")), "{}", texts(&ran).0);
}

/// As root the other tests run as root; this one runs the program as nobody.
#[test]
fn an_ordinary_user_tests_the_kernel() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new("nobody");
    for target in ["linux", "reference --wire veth"] {
        let line = format!("run -t {target} {QUICK} --format json --out {}", target.len());
        let output = scratch.command(&line).uid(NOBODY).gid(NOBODY).output();
        let output = match output {
            Ok(output) => output,
            Err(e) => {
                assert!(std::env::var_os("CI").is_none(), "{e}");
                eprintln!("SKIPPED: nobody may not start the program: {e}");
                return;
            }
        };
        let (_, err) = texts(&output);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{target}: {err}");
        assert!(outcomes(&output.stdout).len() > 10);
    }
}

#[test]
fn without_any_privilege_there_is_one_error_that_names_the_alternative() {
    if let Err(refusal) = user::try_user_namespace() {
        eprintln!("SKIPPED: {refusal}");
        return;
    }
    // The limit is that of the new user namespace: nobody else is forbidden anything.
    let mut child = host::this_test("program::confined");
    assert!(user::enter_on_exec(&mut child).status().unwrap().success());
}

#[test]
#[ignore = "gives up its privilege, for `without_any_privilege_there_is_one_error_that_names_the_alternative`"]
fn confined() {
    fs::write("/proc/sys/user/max_user_namespaces", "0").unwrap();
    // Else the root of a user namespace has it all again with the next program.
    for capability in 0..64 {
        // SAFETY: no pointers. The kernel refuses the capabilities that it does not know.
        unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) };
    }
    host::drop_capabilities();
    let scratch = Scratch::new("confined");
    for target in ["linux", "reference --wire veth"] {
        let output = scratch.command(&format!("run -t {target} {QUICK} --out out")).output().unwrap();
        let (out, err) = texts(&output);
        assert_eq!(output.status.code(), Some(3), "{out}{err}");
        assert_eq!(out, "");
        assert_eq!(err.matches("error:").count(), 1, "{err}");
        let error = "error: cannot get the privilege to make network namespaces: ";
        assert!(err.contains(error) && err.contains("a user namespace"), "{err}");
        assert!(err.contains("hint:") && err.contains("`sim` wire"), "{err}");
    }
    // Which works, as it says.
    let output = scratch.command(&format!("run {QUICK} --out out")).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", texts(&output).1);
    let doctor = scratch.command("doctor").output().unwrap();
    let (out, _) = texts(&doctor);
    assert_eq!(doctor.status.code(), Some(3), "{out}");
    assert!(out.contains("sudo sysctl user.max_user_namespaces"), "{out}");
}
