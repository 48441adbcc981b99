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

mod common;

use common::{Report, cell, columns, ended, outcomes, table};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use tcpspec::event::CaseFinished;
use tcpspec::report::record::Run;
use tcpspec::target::deviation::Deviation;

/// Everything below this line is made.
const MARK: &str = "<!-- From here on made by `cargo run --example stacks`; the last column is kept. -->";
/// What is shown of a reason.
const REASON_MAX: usize = 160;

fn main() -> Result<(), Box<dyn Error>> {
    let report = Report::from_arguments(MARK)?;
    let runs = &report.runs;
    report.print(&format!("{}\n{}", totals(runs), deviations(runs, &checked(&report.old))));
    Ok(())
}

fn totals(runs: &[Run]) -> String {
    let row = |run: &Run| {
        let of = vec![run.started.target.clone(), format!("`{}`", run.started.wire)];
        [of, ended(&run.cases.iter()), vec![format!("{} s", run.finished.wall.as_secs())]].concat()
    };
    let heads = columns([&["target", "wire"], &outcomes()[..], &["wall"]].concat());
    format!("## Totals\n\n{}", table(&heads, runs.iter().map(row)))
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
        let heads = ["what it does instead", "where", "requirements", "cases", "seen, for example", "read"];
        let all: BTreeSet<&str> = runs
            .iter()
            .filter(|run| run.started.target == target)
            .map(|run| run.started.wire.as_str())
            .collect();
        let rows = found.iter().map(|(because, seen)| row(because, seen, &all, checked));
        let table = table(&columns(heads), rows);
        let _ = writeln!(text, "## {target}: what it does otherwise\n\n{table}");
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

fn row(
    because: &str,
    seen: &Seen<'_>,
    all: &BTreeSet<&str>,
    checked: &BTreeMap<String, String>,
) -> Vec<String> {
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
    vec![
        because.to_owned(),
        globs.join(", "),
        refs,
        format!("{} ({outcomes}{wires})", seen.ids.len()),
        format!("`{id}`: {}{dots}", cell(&short)),
        said.to_owned(),
    ]
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
