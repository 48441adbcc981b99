//! `tcpspec coverage`: which cases and monitors stand behind each requirement.

use super::error::{Failure, shown};
use super::stream::Streams;
use super::{Exit, corpus, outputs};
use crate::coverage::{Coverage, KINDS, Row, Status, Tally};
use crate::engine::Outcome;
use crate::report::record;
use crate::report::style::paint;
use crate::report::text::pad;
use crate::suite::catalogue::Catalogue;
use clap::{Args, ValueEnum};
use std::io::BufReader;
use std::path::PathBuf;

/// Show which cases stand behind each requirement, matrix cell and course item
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Suites to use instead of the shipped ones: files or directories
    #[arg(long, value_name = "PATH")]
    suites: Vec<PathBuf>,
    /// Only what could be tested and is not
    #[arg(long)]
    open: bool,
    /// Add how the cases ended in a run: `reports/out/<target>/run.jsonl`
    #[arg(long, value_name = "RUN.jsonl")]
    run: Option<PathBuf>,
    /// How it is written
    #[arg(long, value_name = "FORMAT", default_value = "text", value_enum)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    // A line a row.
    Text,
    // One object.
    Json,
    // A page.
    Html,
}

pub(super) fn main(arguments: &Arguments, streams: &mut Streams) -> Result<Exit, Failure> {
    let corpus = corpus::load_valid(&arguments.suites, streams)?;
    let mut coverage = Coverage::of(Catalogue::embedded(), corpus.instances());
    let mut title = "What the cases of tcpspec cover".to_owned();
    if let Some(path) = &arguments.run {
        let file = outputs::open(path)?;
        let run =
            record::read(&shown(path), BufReader::new(file)).map_err(|e| Failure::usage(e.to_string()))?;
        coverage.add_verdicts(run.cases.iter());
        title = format!("{title}, and how they ended on {}", run.started.target);
    }
    let summary = summary(&coverage);
    if arguments.open {
        for rows in [&mut coverage.requirements, &mut coverage.matrix, &mut coverage.course] {
            rows.retain(Row::is_open);
        }
    }
    match arguments.format {
        Format::Json => {
            let text = serde_json::to_string(&coverage).expect("plain data with string keys is always JSON");
            streams.print(&format!("{text}\n"))?;
        }
        Format::Html => streams.print(&coverage.html(&title))?,
        Format::Text => {
            for (head, rows) in coverage.parts() {
                table(head, rows, streams)?;
            }
            if !arguments.open {
                grid(&coverage, streams)?;
            }
            streams.print(&summary)?;
        }
    }
    Ok(Exit::Success)
}

fn table(head: &str, rows: &[Row], streams: &Streams) -> Result<(), Failure> {
    let palette = streams.out_look().palette;
    if rows.is_empty() {
        return Ok(());
    }
    streams.print(&format!("{}\n", paint(palette.strong, head)))?;
    let width = rows.iter().map(|row| row.id.len()).max().unwrap_or(0);
    for row in rows {
        let level = row.level.map(|level| level.to_string()).unwrap_or_default();
        let by = match row.status() {
            Status::Open => paint(palette.fail, "open").to_string(),
            Status::Untestable => {
                let why = row.untestable.as_deref().unwrap_or_default();
                paint(palette.skip, format!("not testable: {why}")).to_string()
            }
            Status::Implied => format!("implied by {}", named(&row.implied_by)),
            Status::Monitor => format!("monitor {}", row.monitors.join(", ")),
            Status::Cases => named(&row.cases),
        };
        streams.print(&format!("  {}  {level:6}  {by}{}\n", pad(&row.id, width), verdicts(row)))?;
        if row.is_open() {
            streams.print(&format!("  {}          {}\n", pad("", width), paint(palette.dim, &row.title)))?;
        }
    }
    streams.print("\n")
}

/// The first of several, and how many there are beside it.
fn named(all: &[String]) -> String {
    match all {
        [] => String::new(),
        [one] => one.clone(),
        [one, rest @ ..] => format!("{one} and {} more", rest.len()),
    }
}

/// `  (12 pass, 1 fail)`, where a run was given.
fn verdicts(row: &Row) -> String {
    let counted = |outcome: &Outcome| row.verdicts.get(outcome).map(|count| format!("{count} {outcome}"));
    let all: Vec<String> = Outcome::ALL.iter().filter_map(counted).collect();
    if all.is_empty() { String::new() } else { format!("  ({})", all.join(", ")) }
}

/// What is sent in which state.
fn grid(coverage: &Coverage, streams: &Streams) -> Result<(), Failure> {
    let palette = streams.out_look().palette;
    let mut text = format!("{}\n  {:14}", paint(palette.strong, "segments by state"), "");
    text.extend(KINDS.iter().map(|kind| format!("{kind:>8}")));
    text.push('\n');
    for state in coverage.grid.states() {
        text.push_str(&format!("  {state:14}"));
        text.extend(KINDS.iter().map(|kind| format!("{:>8}", coverage.grid.cell(state, kind))));
        text.push('\n');
    }
    streams.print(&format!("{text}\n"))
}

fn summary(coverage: &Coverage) -> String {
    let line = |(head, rows): (&str, &[Row])| {
        let tally = Tally::of(rows);
        let not = match tally.untestable {
            0 => String::new(),
            n => format!("; {n} cannot be tested from outside"),
        };
        format!("{head:20}{} of {} covered{not}\n", tally.covered(), tally.testable())
    };
    coverage.parts().into_iter().map(line).collect()
}
