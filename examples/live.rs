//! Makes the tables of `reports/live.md` from records of runs: what each target carried over a wire that misbehaves, and
//! what it did otherwise. The text above the mark is people's, and stays.
//!
//! ```text
//! cargo run --example live -- reports/live.md RUN.jsonl... > new.md
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
use tcpspec::engine::{Direction, Outcome, Traffic};
use tcpspec::event::CaseFinished;
use tcpspec::report::record::{Run, read};
use tcpspec::suite::model::Family;

/// Everything below this line is made.
const MARK: &str = "<!-- From here on made by `cargo run --example live`. -->";
const TRANSFERS: &str = "live/transfer/";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let report = arguments.next().ok_or("the report that is to be made anew, and records of runs")?;
    let old = read_to_string(&report)?;
    let mut runs = Vec::new();
    for name in arguments {
        runs.push(read(&name, BufReader::new(File::open(&name)?))?);
    }
    let head = old.split_once(MARK).map_or(old.as_str(), |(head, _)| head).trim_end();
    let tables = [totals(&runs), transfers(&runs), others(&runs), deviations(&runs)];
    println!("{head}\n\n{MARK}\n\n{}", tables.join("\n").trim_end());
    Ok(())
}

fn live(run: &Run) -> impl Iterator<Item = &CaseFinished> {
    run.cases.iter().filter(|case| case.info.id.starts_with("live/"))
}

fn name(run: &Run) -> String {
    format!("{} `{}`", run.started.target, run.started.wire)
}

fn totals(runs: &[Run]) -> String {
    let mut text = String::from("## In sum\n\n| target | cases |");
    text += &Outcome::ALL.map(|outcome| format!(" {outcome} |")).concat();
    text += " unexpected | segments | lost on the wire | octets sent again |\n|---|---|";
    text += &"---|".repeat(Outcome::ALL.len() + 4);
    text.push('\n');
    for run in runs {
        let mut all = Traffic::default();
        live(run).filter_map(|case| case.verdict.traffic.as_ref()).for_each(|traffic| all.add(traffic));
        let of = |outcome| live(run).filter(|case| case.verdict.outcome == outcome).count();
        let counts: String = Outcome::ALL.iter().map(|outcome| format!(" {} |", of(*outcome))).collect();
        let unexpected = live(run).filter(|case| !case.expected).count();
        let segments = all.from_peer.segments + all.from_target.segments;
        let lost = all.from_peer.lost + all.from_target.lost;
        let (name, cases, again) = (name(run), live(run).count(), again(&all.from_target));
        let _ = writeln!(text, "| {name} | {cases} |{counts} {unexpected} | {segments} | {lost} | {again} |");
    }
    text
}

/// What was asked to carry octets, by what the wire did to them: a column for each run.
fn transfers(runs: &[Run]) -> String {
    let mut rows: BTreeMap<&str, BTreeMap<usize, &CaseFinished>> = BTreeMap::new();
    for (column, run) in runs.iter().enumerate() {
        let carried = |case: &&CaseFinished| {
            case.info.id.starts_with(TRANSFERS) && case.info.family == Family::V4 && case.plan.is_some()
        };
        for case in live(run).filter(carried) {
            rows.entry(&case.info.id).or_default().insert(column, case);
        }
    }
    let mut text = String::from(
        "## Transfers\n\nWhether every octet arrived in both directions as it was written; the goodput of what the target sent and of what it was \
         sent;\nthe share of its octets that the target sent again. Over IPv4.\n\n| direction, octets, wire |",
    );
    text.extend(runs.iter().map(|run| format!(" {} |", name(run))));
    let _ = writeln!(text, "\n|---|{}", "---|".repeat(runs.len()));
    for (id, cells) in &rows {
        let _ = write!(text, "| `{}` |", id.trim_start_matches(TRANSFERS));
        text.extend((0..runs.len()).map(|column| format!(" {} |", cell(cells.get(&column).copied()))));
        text.push('\n');
    }
    text
}

fn cell(case: Option<&CaseFinished>) -> String {
    let Some((case, traffic)) = case.and_then(|case| Some((case, case.verdict.traffic.as_ref()?))) else {
        return "-".to_owned();
    };
    let whole = match case.verdict.outcome {
        Outcome::Pass => "intact".to_owned(),
        other => other.to_string(),
    };
    let known = if case.deviation.is_some() { " (known)" } else { "" };
    let rates = [rate(&traffic.from_target, "out"), rate(&traffic.from_peer, "in")];
    let rates: String = rates.into_iter().flatten().collect();
    format!("{whole}{known}{rates}, {} again", again(&traffic.from_target))
}

fn again(direction: &Direction) -> String {
    match direction.octets + direction.retransmitted_octets {
        0 => "nothing".to_owned(),
        all => format!("{} %", (direction.retransmitted_octets * 100 + all / 2) / all),
    }
}

fn rate(direction: &Direction, word: &str) -> Option<String> {
    Some(match direction.goodput()? {
        rate @ ..10_000 => format!(", {rate} B/s {word}"),
        rate @ ..10_000_000 => format!(", {} kB/s {word}", rate / 1000),
        rate => format!(", {} MB/s {word}", rate / 1_000_000),
    })
}

/// Of the other live cases, how many passed in each suite.
fn others(runs: &[Run]) -> String {
    let suite = |case: &CaseFinished| case.info.id.rsplit_once('/').map(|(suite, _)| suite.to_owned());
    let suites: BTreeSet<String> = runs.iter().flat_map(live).filter_map(suite).collect();
    let mut text = String::from("## Suites\n\nCases that passed, of those that were run.\n\n| suite |");
    text.extend(runs.iter().map(|run| format!(" {} |", name(run))));
    let _ = writeln!(text, "\n|---|{}", "---|".repeat(runs.len()));
    for of in &suites {
        let _ = write!(text, "| `{of}` |");
        for run in runs {
            let own = || live(run).filter(|case| suite(case).as_ref() == Some(of) && case.plan.is_some());
            let passed = own().filter(|case| case.verdict.outcome == Outcome::Pass).count();
            let _ = write!(text, " {passed} of {} |", own().count());
        }
        text.push('\n');
    }
    text
}

/// Whatever did not pass: what was seen, and what the target's manifest says of it.
fn deviations(runs: &[Run]) -> String {
    let mut rows = String::new();
    for run in runs {
        for case in live(run).filter(|case| case.plan.is_some() && case.verdict.outcome != Outcome::Pass) {
            let because = case.deviation.as_ref().map_or("unexplained", |known| &known.because);
            let info = &case.info;
            let seen = case.verdict.reason.replace('|', "\\|");
            let _ = writeln!(
                rows,
                "| {} | `{}` {} | {} | {seen} | {because} |",
                name(run),
                info.id,
                info.family,
                case.verdict.outcome
            );
        }
    }
    if rows.is_empty() {
        return "## What did not pass\n\nNothing.\n".to_owned();
    }
    format!(
        "## What did not pass\n\n| target | case | outcome | what was seen | why |\n|---|---|---|---|---|\n{rows}"
    )
}
