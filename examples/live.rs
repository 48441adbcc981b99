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

mod common;

use common::{Report, columns, ended, outcomes, table};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use tcpspec::engine::{Direction, Outcome, Traffic};
use tcpspec::event::CaseFinished;
use tcpspec::report::record::Run;
use tcpspec::suite::model::Family;

/// Everything below this line is made.
const MARK: &str = "<!-- From here on made by `cargo run --example live`. -->";
const TRANSFERS: &str = "live/transfer/";

fn main() -> Result<(), Box<dyn Error>> {
    let report = Report::from_arguments(MARK)?;
    let runs = &report.runs;
    let tables = [totals(runs), transfers(runs), others(runs), deviations(runs)];
    report.print(tables.join("\n").trim_end());
    Ok(())
}

fn live(run: &Run) -> impl Iterator<Item = &CaseFinished> + Clone {
    run.cases.iter().filter(|case| case.info.id.starts_with("live/"))
}

fn name(run: &Run) -> String {
    format!("{} `{}`", run.started.target, run.started.wire)
}

fn totals(runs: &[Run]) -> String {
    let row = |run: &Run| {
        let mut all = Traffic::default();
        live(run).filter_map(|case| case.verdict.traffic.as_ref()).for_each(|traffic| all.add(traffic));
        let segments = all.from_peer.segments + all.from_target.segments;
        let lost = all.from_peer.lost + all.from_target.lost;
        let traffic = vec![segments.to_string(), lost.to_string(), again(&all.from_target)];
        [vec![name(run)], ended(&live(run)), traffic].concat()
    };
    let traffic = ["segments", "lost on the wire", "octets sent again"];
    let heads = columns([&["target"], &outcomes()[..], &traffic].concat());
    format!("## In sum\n\n{}", table(&heads, runs.iter().map(row)))
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
    let row = |(id, cells): (&&str, &BTreeMap<usize, &CaseFinished>)| {
        let name = format!("`{}`", id.trim_start_matches(TRANSFERS));
        let cells = (0..runs.len()).map(|column| cell(cells.get(&column).copied()));
        std::iter::once(name).chain(cells).collect()
    };
    format!(
        "## Transfers\n\nWhether every octet arrived in both directions as it was written; the goodput of what the target sent and of what it was \
         sent;\nthe share of its octets that the target sent again. Over IPv4.\n\n{}",
        table(&a_column_each("direction, octets, wire", runs), rows.iter().map(row))
    )
}

fn a_column_each(first: &str, runs: &[Run]) -> Vec<String> {
    std::iter::once(first.to_owned()).chain(runs.iter().map(name)).collect()
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
    let row = |of: &String| {
        let passed = |run| {
            let own = || live(run).filter(|case| suite(case).as_ref() == Some(of) && case.plan.is_some());
            let passed = own().filter(|case| case.verdict.outcome == Outcome::Pass).count();
            format!("{passed} of {}", own().count())
        };
        std::iter::once(format!("`{of}`")).chain(runs.iter().map(passed)).collect()
    };
    let table = table(&a_column_each("suite", runs), suites.iter().map(row));
    format!("## Suites\n\nCases that passed, of those that were run.\n\n{table}")
}

/// Whatever did not pass: what was seen, and what the target's manifest says of it.
fn deviations(runs: &[Run]) -> String {
    let mut rows = Vec::new();
    for run in runs {
        for case in live(run).filter(|case| case.plan.is_some() && case.verdict.outcome != Outcome::Pass) {
            // What cannot be asked says so itself.
            let unsaid = if case.verdict.outcome == Outcome::Unsupported { "-" } else { "unexplained" };
            let because = case.deviation.as_ref().map_or(unsaid, |known| &known.because);
            let (info, verdict) = (&case.info, &case.verdict);
            rows.push(vec![
                name(run),
                format!("`{}` {}", info.id, info.family),
                verdict.outcome.to_string(),
                common::cell(&verdict.reason),
                because.to_owned(),
            ]);
        }
    }
    if rows.is_empty() {
        return "## What did not pass\n\nNothing.\n".to_owned();
    }
    let heads = columns(["target", "case", "outcome", "what was seen", "why"]);
    format!("## What did not pass\n\n{}", table(&heads, rows))
}
