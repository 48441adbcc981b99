//! The built program, as a user and a CI job meet it: exit codes, streams, files, bad input.
#![allow(clippy::disallowed_methods, reason = "a test runs the program and reads what it wrote")]

use rstest::rstest;
use serde_json::Value;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A case that passes on the reference, and the bug that it catches.
const CASE: &str = "handshake/passive/syn-ack-counts-the-syn";
const MUTANT: &str = "syn-not-counted";

/// A directory of a test's own, gone when it is over.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The program in this directory, with the shipped suites.
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tcpspec"));
        command.current_dir(&self.0).args(line.split_whitespace());
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").stdin(Stdio::null());
        command
    }

    fn run(&self, line: &str) -> Ran {
        Ran::new(&self.command(line).output().unwrap())
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
    fn new(output: &Output) -> Self {
        let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    #[track_caller]
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }
}

#[test]
fn a_clean_run_is_conformant_and_leaves_its_reports() {
    let scratch = Scratch::new("clean");
    let ran = scratch.run(&format!("run {CASE}")).exits(0);
    assert!(ran.out.contains(&format!("] v4 {CASE}")), "{}", ran.out);
    assert!(ran.out.contains("Summary 2 cases"), "{}", ran.out);
    assert!(ran.err.contains("Starting 2 cases on reference over sim"), "{}", ran.err);
    let first = scratch.read("reports/out/reference/run.jsonl");
    assert!(first.starts_with(r#"{"event":"run-started","schema":1,"#));
    assert!(scratch.read("reports/out/reference/junit.xml").starts_with("<?xml"));
}

#[rstest]
#[case(1)]
#[case(2)]
#[case(42)]
fn the_whole_corpus_passes_on_the_reference(#[case] seed: u64) {
    let scratch = Scratch::new(&format!("corpus-{seed}"));
    let ran = scratch.run(&format!("run --format json --seed {seed}")).exits(0);
    assert_eq!(ran.out.lines().count(), 1);
    let object: Value = serde_json::from_str(&ran.out).unwrap();
    let keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    for key in [
        "schema",
        "target",
        "wire",
        "seed",
        "jobs",
        "wall_ms",
        "longest_case_ms",
        "totals",
        "points",
        "monitors",
        "cases",
    ] {
        assert!(keys.contains(&key), "{key}");
    }
    assert_eq!(object["seed"], seed);
    let totals = |key: &str| object["totals"][key].as_u64().unwrap();
    assert_eq!(totals("pass") + totals("unsupported"), totals("cases"));
    let cases = object["cases"].as_array().unwrap();
    for case in cases {
        // What is the kernel's own and no TCP's.
        let lacks = if case["id"].as_str().unwrap().starts_with("linux/") { "unsupported" } else { "pass" };
        assert_eq!(case["outcome"], lacks, "{case}");
        assert!(lacks == "pass" || case["reason"] == "reference lacks: linux", "{case}");
        assert_eq!(case["expected"], true, "{case}");
    }
    let ids: Vec<(&str, u64)> =
        cases.iter().map(|c| (c["id"].as_str().unwrap(), c["family"].as_u64().unwrap())).collect();
    assert!(ids.is_sorted());
}

#[test]
fn a_violation_is_explained_on_one_screen() {
    let scratch = Scratch::new("violation");
    let ran = scratch.run(&format!("run {CASE} --family 4 --mutant {MUTANT}")).exits(1);
    assert!(ran.out.contains(&format!("FAIL  {CASE}  v4  must")), "{}", ran.out);
    assert!(ran.out.contains("The SYN was not counted."), "{}", ran.out);
    let again = format!("again: tcpspec run {CASE} --mutant {MUTANT} --family 4 --seed 42");
    assert!(ran.out.contains(&again), "{}", ran.out);
    let screen = ran.out.lines().skip_while(|l| !l.starts_with("FAIL")).take_while(|l| !l.contains("again:"));
    assert!(screen.count() < 24);
    assert!(scratch.path("reports/out/reference+syn-not-counted/junit.xml").is_file());
}

#[test]
fn the_number_of_lanes_changes_nothing() {
    let scratch = Scratch::new("lanes");
    let cases = |lanes: u32| {
        let ran =
            scratch.run(&format!("run handshake/** --format json -j {lanes} --mutant {MUTANT}")).exits(1);
        serde_json::from_str::<Value>(&ran.out).unwrap()["cases"].clone()
    };
    let one = cases(1);
    assert_eq!(one, cases(2));
    assert_eq!(one, cases(16));
}

#[test]
fn a_recorded_run_renders_the_same_again() {
    let scratch = Scratch::new("again");
    scratch
        .run(&format!("run handshake/** --mutant {MUTANT} --out out --report json --report human=out/h.txt"))
        .exits(1);
    let same = |kind: &str, file: &str| {
        let ran = scratch.run(&format!("report out/run.jsonl --report {kind}")).exits(0);
        assert_eq!(ran.err, "", "the verdicts are the same");
        assert_eq!(ran.out, scratch.read(file));
    };
    same("junit", "out/junit.xml");
    same("json", "out/report.json");
    same("human", "out/h.txt");
    scratch.run("report out/run.jsonl --report junit=new/junit.xml").exits(0);
    assert_eq!(scratch.read("new/junit.xml"), scratch.read("out/junit.xml"));
}

#[rstest]
#[case::truncated(|t: &str| t[..t.len() / 2].to_owned(), "cut short in the middle of a line")]
#[case::schema(|t: &str| t.replacen("\"schema\":1", "\"schema\":9", 1), "schema 9 is not known")]
#[case::garbage(|_: &str| "nonsense\n".to_owned(), "not JSON")]
#[case::empty(|_: &str| String::new(), "this is no record of a run")]
fn a_damaged_record_is_one_line_and_exit_2(#[case] damage: fn(&str) -> String, #[case] message: &str) {
    let scratch = Scratch::new(&format!("damaged-{}", message.len()));
    scratch.run(&format!("run {CASE} --out out")).exits(0);
    fs::write(scratch.path("bad.jsonl"), damage(&scratch.read("out/run.jsonl"))).unwrap();
    let ran = scratch.run("report bad.jsonl").exits(2);
    assert!(ran.err.starts_with("error: bad.jsonl:") && ran.err.contains(message), "{}", ran.err);
    assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    assert_eq!(ran.out, "");
}

#[rstest]
#[case("run nothing/like/this", 4, "error: no case matches `nothing/like/this`\n")]
#[case(
    "run handshake/passive/syn-ack-counts-the-synn",
    4,
    "hint: did you mean `handshake/passive/syn-ack-counts-the-syn`?"
)]
#[case("run .", 4, "hint: for the cases of a file or directory: `--suites .`")]
#[case("run -E tag(nosuchtag)", 4, "hint: the filter leaves nothing")]
#[case("run -E levle(must)", 2, "error[E051]")]
#[case("run -E (", 2, "error[E050]")]
#[case("run [", 2, "error[E053]")]
#[case("run -t nosuch", 2, "error: there is no target `nosuch`\n")]
#[case(
    "run --wire tap",
    2,
    "error: the target `reference` has no wire `tap`\nhint: wires of `reference`: sim, veth\n"
)]
#[case("run --mutant syn-not-countd", 2, "did you mean `syn-not-counted`?")]
#[case("soak --known right-egde", 2, "did you mean `right-edge`?")]
#[case("run --suites missing.yaml", 2, "error[E060]")]
#[case("check missing.yaml", 2, "error[E060]")]
#[case("report missing.jsonl", 2, "error: cannot read missing.jsonl: there is no such file or directory\n")]
#[case("report .", 2, "error: cannot read .: it is a directory\n")]
#[case("explain nothing/like/this", 4, "error: nothing is called `nothing/like/this`\n")]
#[case("frobnicate", 2, "unrecognized subcommand 'frobnicate'")]
fn mistakes_of_the_user(#[case] line: &str, #[case] code: i32, #[case] message: &str) {
    let scratch =
        Scratch::new(&format!("mistake-{}", line.replace(|c: char| !c.is_ascii_alphanumeric(), "-")));
    let ran = scratch.run(line).exits(code);
    assert!(ran.err.contains(message), "{}", ran.err);
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    assert!(!scratch.path("reports").exists(), "nothing ran, so nothing is written");
}

/// What is known ends no search, and is listed whether it was seen or not; what the manifest says counts like an option.
#[test]
fn soak_goes_on_behind_what_is_known() {
    let scratch = Scratch::new("soak");
    let line = "soak --mutant options-not-counted --for 10min --segments 3000 --out found.yaml";
    let found = scratch.run(line);
    assert_eq!(found.code, Some(1), "{}", found.err);
    assert!(found.out.contains("--mutant options-not-counted --seed 42 --known mss\n"), "{}", found.out);
    assert!(scratch.read("found.yaml").contains("mss: "));
    let known = "deviations: [{cases: \"nagle/**\", outcome: fail, because: so it is, soak: mss}]\n";
    fs::write(scratch.path("t.yaml"), format!("name: mine\napp: reference\n{known}")).unwrap();
    for more in ["--known mss --known no-ack", "-t t.yaml --known no-ack"] {
        let behind = scratch.run(&format!("{line} {more}"));
        assert_eq!(behind.code, Some(0), "{}", behind.err);
        for part in [": no other violation in ", "\n  known mss, in ", "\n  known no-ack, not seen: "] {
            assert!(behind.out.contains(part), "{}", behind.out);
        }
    }
}

#[test]
fn a_broken_suite_runs_nothing() {
    let scratch = Scratch::new("broken-suite");
    fs::write(scratch.path("bad.yaml"), "title: T\ncases:\n  - id: a\n    titel: x\n").unwrap();
    let ran = scratch.run("run --suites bad.yaml").exits(2);
    assert!(ran.err.contains("bad.yaml:4:5") && ran.out.is_empty(), "{}", ran.err);
    assert!(!scratch.path("reports").exists());
    let ran = scratch.run("check bad.yaml").exits(2);
    assert!(ran.err.contains("error[E010]"), "{}", ran.err);
    assert!(ran.out.starts_with("checked ") && ran.out.contains("error"), "{}", ran.out);
}

#[test]
fn the_shipped_suites_have_no_mistakes() {
    let scratch = Scratch::new("check");
    let ran = scratch.run("check").exits(0);
    assert!(ran.out.starts_with("checked ") && ran.out.lines().count() == 2, "{}", ran.out);
    // Nothing counts as proved that is not, and every case must or should is.
    assert!(ran.out.contains("\nproof: ") && ran.out.contains(" for the Linux kernel, where"), "{}", ran.out);
    assert!(!ran.out.contains(" without"), "{}", ran.out);
}

#[test]
fn check_says_what_stands_behind_the_cases() {
    let scratch = Scratch::new("check-proof");
    let case = |id: &str, more: &str| {
        format!(
            "  - {{id: \"{id}\", title: T, refs: [RFC9293-MUST-8], {more}, given: listening, steps: [{{send: {{flags: SYN}}}}, \
             {{expect: {{flags: SYN|ACK}}}}]}}\n"
        )
    };
    let cases = [
        case("names", "level: must, kills: [syn-not-counted]"),
        case("other-{n}", "level: must, kills: [syn-not-counted], for: {n: [1, 2]}, tags: [\"n{n}\"]"),
        case("may", "level: may"),
        case("kernel", "level: must, needs: [linux]"),
        case("nothing", "level: must"),
    ];
    fs::write(scratch.path("s.yaml"), format!("title: T\ncases:\n{}", cases.concat())).unwrap();
    let ran = scratch.run("check s.yaml").exits(0);
    let says = "proof: 2 cases with a mutant to kill; 1 case for the Linux kernel, where mutants do not reach; 1 case of level may, \
                which cannot fail; 1 case without\n";
    assert!(ran.out.ends_with(says), "{}\n{}", ran.out, ran.err);
}

#[test]
fn manifests_are_checked_like_suites() {
    let scratch = Scratch::new("check-manifests");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("targets").display().to_string();
    let ran = scratch.run(&format!("check {shipped}")).exits(0);
    assert!(ran.out.starts_with("checked ") && ran.out.ends_with(" manifests: no mistakes\n"), "{}", ran.out);
    let mistaken = "name: mine\nrun: [./tcp]\nlnik: {kind: fd}\n";
    fs::write(scratch.path("mine.yaml"), mistaken).unwrap();
    let suite = "title: T\ncases:\n  - id: a\n    titel: x\n";
    fs::write(scratch.path("suite.yaml"), suite).unwrap();
    let ran = scratch.run("check .").exits(2);
    assert!(ran.err.contains("mine.yaml:3:1") && ran.err.contains("did you mean `link`?"), "{}", ran.err);
    assert!(ran.err.contains("suite.yaml:4:5"), "{}", ran.err);
    assert!(ran.out.contains("1 manifest: ") && ran.out.contains("errors"), "{}", ran.out);
}

#[test]
fn a_directory_that_cannot_be_made_is_the_machine_s_fault() {
    let scratch = Scratch::new("no-directory");
    fs::write(scratch.path("file"), "").unwrap();
    let ran = scratch.run(&format!("run {CASE} --out file/inside")).exits(3);
    assert!(ran.err.contains("error: cannot make file/inside: "), "{}", ran.err);
    assert!(ran.err.contains("hint: `--out DIR`"), "{}", ran.err);
}

#[test]
fn list_says_what_would_run() {
    let scratch = Scratch::new("list");
    let ran = scratch.run(&format!("list {CASE}")).exits(0);
    assert!(ran.out.starts_with(&format!("{CASE}  v4 v6  must    ")), "{}", ran.out);
    assert_eq!(ran.err, "2 case instances selected\n");
    let ran = scratch.run(&format!("list {CASE} --format json --family 6")).exits(0);
    let object: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(object["cases"][0]["id"], CASE);
    assert_eq!(object["cases"][0]["family"], 6);
    assert_eq!(object["cases"][0]["run"], true);
    assert!(!scratch.path("reports").exists());
}

#[test]
fn shares_cover_the_run_once() {
    let scratch = Scratch::new("shares");
    let ids = |line: &str| -> Vec<String> {
        let ran = scratch.run(&format!("run handshake/** --format json {line}")).exits(0);
        let object: Value = serde_json::from_str(&ran.out).unwrap();
        object["cases"].as_array().unwrap().iter().map(|c| format!("{} {}", c["id"], c["family"])).collect()
    };
    let all = ids("");
    for kind in ["hash", "slice"] {
        let mut shares: Vec<String> =
            (1..=3).flat_map(|n| ids(&format!("--partition {kind}:{n}/3"))).collect();
        shares.sort();
        let mut all = all.clone();
        all.sort();
        assert_eq!(shares, all, "{kind}");
    }
}

#[rstest]
#[case(CASE, "The SYN-ACK acknowledges isn+1")]
#[case("e031", "E031: unknown name")]
#[case("RFC9293-MUST-8", "Cases that cite it:")]
#[case("syn-not-counted", "Cases that must catch it:")]
fn explain_tells_what_things_are(#[case] what: &str, #[case] text: &str) {
    let scratch = Scratch::new(&format!("explain-{}", what.len()));
    let ran = scratch.run(&format!("explain {what}")).exits(0);
    assert!(ran.out.contains(text), "{}", ran.out);
}

#[test]
fn the_schema_is_the_checked_in_one() {
    let scratch = Scratch::new("schema");
    let checked_in =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("suites/schema.json")).unwrap();
    assert_eq!(scratch.run("schema").exits(0).out, checked_in);
}

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let scratch = Scratch::new("colour");
    let line = format!("run {CASE}");
    assert!(!scratch.run(&line).out.contains('\u{1b}'));
    assert!(scratch.run(&format!("{line} --color always")).out.contains('\u{1b}'));
    let mut command = scratch.command(&format!("{line} --color never"));
    let ran = Ran::new(&command.env("CLICOLOR_FORCE", "1").output().unwrap());
    assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'));
}

#[rstest]
#[case("list")]
#[case("run")]
#[case("schema")]
fn a_reader_that_goes_away_is_no_error(#[case] line: &str) {
    let scratch = Scratch::new(&format!("pipe-{line}"));
    let mut child = scratch.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{err}");
    assert!(!err.contains("panicked") && !err.contains("error"), "{err}");
    if line == "run" {
        let ran = scratch.run("report reports/out/reference/run.jsonl --report junit").exits(0);
        assert_eq!(ran.out, scratch.read("reports/out/reference/junit.xml"), "the reports are whole");
    }
}

#[test]
fn a_run_that_takes_longer_than_it_may_is_given_up_with_its_reports() {
    let scratch = Scratch::new("timeout");
    let ran = scratch.run("run --repeat 2000 -j 1 --timeout 300ms --out out").exits(3);
    assert!(ran.err.contains("error: the run took longer than `--timeout` allows; "), "{}", ran.err);
    assert!(ran.err.contains(" did not run"), "{}", ran.err);
    assert!(scratch.read("out/junit.xml").contains("<testsuites"));
    let again = scratch.run("report out/run.jsonl");
    assert!(again.out.contains("stopped early: "), "{}", again.out);
}

#[cfg(unix)]
#[test]
fn an_interrupt_writes_the_reports_of_what_ran() {
    let scratch = Scratch::new("interrupt");
    // Enough work to be interrupted in.
    let mut child = scratch
        .command("run --repeat 300 -j 1 --out out")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The first result: it runs.
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 20]).unwrap();
    let reader = std::thread::spawn(move || out.read_to_end(&mut Vec::new()));
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    reader.join().unwrap().unwrap();
    let ran = scratch.run("report out/run.jsonl").exits(0);
    assert!(ran.out.contains("interrupted: "), "{}", ran.out);
    assert!(scratch.read("out/junit.xml").contains("<testsuites"));
}
