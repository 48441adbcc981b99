//! The same verdicts, whatever the number of lanes and whoever keeps the machine busy.
//!
//! What the kernel's whole corpus says takes an hour to find out in all ways: `TCPSPEC_AGREE=full`. Without it a few cases
//! are run in two ways. `TCPSPEC_PROGRAM` names another build of the program, `TCPSPEC_AGREE_DIR` a place for the records.

use crate::host::{NOBODY, is_root};
use crate::program::{Scratch, has_wires};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// Cases of many kinds that do not wait for long.
const FEW: &str = "handshake/passive/**";

const UNEXPECTED: &str = ", unexpected";

/// How a run differs from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    lanes: u32,
    /// Programs beside it that do nothing but spin.
    hogs: u32,
    is_nobody: bool,
    times: u32,
}

const fn lanes(lanes: u32, times: u32) -> Way {
    Way { lanes, hogs: 0, is_nobody: false, times }
}

const FULL: &[Way] = &[
    lanes(64, 3),
    lanes(16, 3),
    Way { hogs: 2, ..lanes(64, 3) },
    Way { is_nobody: true, ..lanes(64, 1) },
    lanes(1, 3),
];

const BRIEF: &[Way] = &[lanes(64, 1), lanes(16, 1)];

#[test]
fn verdicts_do_not_depend_on_what_runs_beside() {
    if !has_wires("the same verdicts") {
        return;
    }
    let is_full = std::env::var("TCPSPEC_AGREE").is_ok_and(|how| how == "full");
    let (ways, cases) = if is_full { (FULL, "") } else { (BRIEF, FEW) };
    // Of each case: what it came to, and in which ways.
    let mut seen: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for way in ways {
        for time in 0..way.times {
            for (case, outcome) in run(*way, time, cases) {
                let ways = seen.entry(case).or_default().entry(outcome).or_default();
                ways.insert(format!("{way:?}, time {time}"));
            }
        }
    }
    assert!(seen.len() > 20, "{} cases", seen.len());
    // What the target's manifest expects now one way, now the other (`sometimes:`) is expected both ways.
    seen.retain(|_, outcomes| {
        outcomes.len() > 1 && outcomes.keys().any(|outcome| outcome.ends_with(UNEXPECTED))
    });
    assert!(seen.is_empty(), "{} cases differ: {seen:#?}", seen.len());
}

/// What every case comes to, by case and family.
fn run(way: Way, time: u32, cases: &str) -> Vec<(String, String)> {
    let name = format!("j{}-hogs{}-nobody{}-{time}", way.lanes, way.hogs, way.is_nobody);
    let scratch = Scratch::new(&name);
    let program = std::env::var("TCPSPEC_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_tcpspec").into());
    let out = std::env::var("TCPSPEC_AGREE_DIR").map_or_else(|_| "out".into(), |dir| format!("{dir}/{name}"));
    let mut command = Command::new(program);
    command.current_dir(scratch.path()).args(["run", "-t", "linux", "--format", "json"]);
    command.args(["-j", &way.lanes.to_string(), "--out", &out]).args(cases.split_whitespace());
    if way.is_nobody && is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let hogs: Vec<_> = (0..way.hogs).map(|_| Hog::start()).collect();
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().unwrap();
    drop(hogs);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{way:?}: {:?}", output.status);
    let run: Value = serde_json::from_slice(&output.stdout).unwrap();
    let outcome = |case: &Value| {
        let expected = if case["expected"].as_bool().unwrap() { "" } else { UNEXPECTED };
        (format!("{} {}", case["id"], case["family"]), format!("{}{expected}", case["outcome"]))
    };
    run["cases"].as_array().unwrap().iter().map(outcome).collect()
}

/// An ordinary program that spins until it is dropped.
struct Hog(std::process::Child);

impl Hog {
    fn start() -> Self {
        Self(Command::new("sh").args(["-c", "while :; do :; done"]).stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}
