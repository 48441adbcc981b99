//! Makes the tables of `reports/stacks.md` from records of runs: totals, and deviations with what was seen of each. What
//! people wrote stays: the text above the mark, and the last column of the deviations.
//!
//! ```text
//! cargo run --example stacks -- reports/stacks.md RUN.jsonl... > new.md
//! ```
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a small tool of its own: it reads files and prints"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::fs::{File, read_to_string};
use std::io::BufReader;
use tcpspec::engine::Outcome;
use tcpspec::event::CaseFinished;
use tcpspec::report::record::{Run, read};
use tcpspec::target::deviation::Deviation;

/// Everything below this line is made.
const MARK: &str = "<!-- From here on made by `cargo run --example stacks`; the last column is kept. -->";
/// What is shown of a reason.
const REASON_MAX: usize = 160;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let report = arguments.next().ok_or("the report that is to be made anew, and records of runs")?;
    let old = read_to_string(&report)?;
    let mut runs = Vec::new();
    for name in arguments {
        runs.push(read(&name, BufReader::new(File::open(&name)?))?);
    }
    let head = old.split_once(MARK).map_or(old.as_str(), |(head, _)| head).trim_end();
    println!("{head}\n\n{MARK}\n\n{}\n{}", totals(&runs), deviations(&runs, &checked(&old)));
    Ok(())
}

fn totals(runs: &[Run]) -> String {
    let mut text = String::from("## Totals\n\n| target | wire | cases |");
    text += &Outcome::ALL.map(|outcome| format!(" {outcome} |")).concat();
    text += " unexpected | wall |\n|---|---|";
    text += &"---|".repeat(Outcome::ALL.len() + 3);
    text.push('\n');
    for run in runs {
        let of = |outcome| run.cases.iter().filter(|case| case.verdict.outcome == outcome).count();
        let counts: String = Outcome::ALL.iter().map(|outcome| format!(" {} |", of(*outcome))).collect();
        let unexpected = run.cases.iter().filter(|case| !case.expected).count();
        let (target, wire, cases) = (&run.started.target, &run.started.wire, run.cases.len());
        let wall = run.finished.wall.as_secs();
        let _ = writeln!(text, "| {target} | `{wire}` | {cases} |{counts} {unexpected} | {wall} s |");
    }
    text
}

/// What people have said of each deviation, by its reason.
fn checked(report: &str) -> BTreeMap<String, String> {
    let rows = report.lines().filter(|line| line.starts_with("| ") && line.ends_with(" |"));
    let cells = rows.filter_map(|row| {
        let row = row.trim_start_matches("| ").trim_end_matches(" |");
        let (first, last) = (row.split_once(" | ")?.0, row.rsplit_once(" | ")?.1);
        matches!(last, "yes" | "alike" | "no").then(|| (first.to_owned(), last.to_owned()))
    });
    cells.collect()
}

/// What was seen of a deviation.
#[derive(Default)]
struct Seen<'a> {
    globs: BTreeSet<&'a str>,
    refs: Vec<&'a str>,
    ids: BTreeSet<&'a str>,
    wires: BTreeSet<&'a str>,
    outcomes: BTreeSet<&'static str>,
    example: Option<&'a CaseFinished>,
}

fn deviations(runs: &[Run], checked: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    let targets: BTreeSet<&str> = runs.iter().map(|run| run.started.target.as_str()).collect();
    for target in targets {
        let mut found: Vec<(&str, Seen<'_>)> = Vec::new();
        for run in runs.iter().filter(|run| run.started.target == target) {
            for case in run.cases.iter().filter(|case| case.expected) {
                let Some(known) = &case.deviation else { continue };
                let at = found.iter().position(|(because, _)| *because == known.because);
                let at = at.unwrap_or_else(|| {
                    found.push((&known.because, Seen::default()));
                    found.len() - 1
                });
                see(&mut found[at].1, case, known, &run.started.wire);
            }
        }
        if found.is_empty() {
            continue;
        }
        let _ = writeln!(text, "## {target}: what it does otherwise\n");
        text += "| what it does instead | where | requirements | cases | seen, for example | read |\n";
        text += "|---|---|---|---|---|---|\n";
        let all: BTreeSet<&str> = runs
            .iter()
            .filter(|run| run.started.target == target)
            .map(|run| run.started.wire.as_str())
            .collect();
        found.iter().for_each(|(because, seen)| text += &row(because, seen, &all, checked));
        text.push('\n');
    }
    text
}

fn see<'a>(seen: &mut Seen<'a>, case: &'a CaseFinished, known: &'a Deviation, wire: &'a str) {
    seen.globs.insert(&known.cases);
    seen.ids.insert(&case.info.id);
    seen.wires.insert(wire);
    seen.outcomes.insert(case.verdict.outcome.word());
    for reference in &case.info.refs {
        if !seen.refs.contains(&reference.id.as_str()) {
            seen.refs.push(&reference.id);
        }
    }
    seen.example.get_or_insert(case);
}

fn row(because: &str, seen: &Seen<'_>, all: &BTreeSet<&str>, checked: &BTreeMap<String, String>) -> String {
    let globs: Vec<String> = seen.globs.iter().map(|glob| format!("`{glob}`")).collect();
    let refs = seen.refs.iter().take(3).copied().collect::<Vec<_>>().join(" ");
    let outcomes = seen.outcomes.iter().copied().collect::<Vec<_>>().join(", ");
    let wires = match seen.wires == *all {
        true => String::new(),
        false => format!(" on {}", seen.wires.iter().copied().collect::<Vec<_>>().join(", ")),
    };
    let (id, reason) = seen.example.map_or(("", ""), |case| (&case.info.id, &case.verdict.reason));
    let reason = without_numbers(reason);
    let short: String = reason.chars().take(REASON_MAX).collect();
    let dots = if short.len() < reason.len() { "..." } else { "" };
    let said = checked.get(because).map_or("no", String::as_str);
    let where_ = globs.join(", ");
    let cases = seen.ids.len();
    format!(
        "| {because} | {where_} | {refs} | {cases} ({outcomes}{wires}) | `{id}`: {}{dots} | {said} |\n",
        short.replace('|', "\\|")
    )
}

/// The numbers in brackets are of one run.
fn without_numbers(reason: &str) -> String {
    let mut rest = reason;
    let mut text = String::new();
    while let Some((before, after)) = rest.split_once(" (") {
        text += before;
        rest = match after.split_once(')') {
            Some((number, behind)) if number.bytes().all(|octet| octet.is_ascii_digit()) => behind,
            _ => {
                text += " (";
                after
            }
        };
    }
    text + rest
}
