//! `tcpspec coverage`: which cases and monitors stand behind each requirement.

use super::error::Failure;
use super::stream::Streams;
use super::{Exit, ListFormat, corpus};
use crate::coverage::{Coverage, Row};
use crate::report::style::paint;
use crate::report::text::pad;
use crate::suite::catalogue::Catalogue;
use clap::Args;
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
    /// How it is written
    #[arg(long, value_name = "FORMAT", default_value = "text", value_enum)]
    format: ListFormat,
}

pub(super) fn main(arguments: &Arguments, streams: &mut Streams) -> Result<Exit, Failure> {
    let corpus = corpus::load_valid(&arguments.suites, streams)?;
    let mut coverage = Coverage::of(Catalogue::embedded(), corpus.instances());
    let summary = summary(&coverage);
    if arguments.open {
        for rows in
            [&mut coverage.requirements, &mut coverage.matrix, &mut coverage.course, &mut coverage.linux]
        {
            rows.retain(Row::is_open);
        }
    }
    match arguments.format {
        ListFormat::Json => {
            let text = serde_json::to_string(&coverage).expect("plain data with string keys is always JSON");
            streams.print(&format!("{text}\n"))?;
        }
        ListFormat::Text => {
            for (head, rows) in [
                ("requirements", &coverage.requirements),
                ("state/event matrix", &coverage.matrix),
                ("course", &coverage.course),
                ("linux", &coverage.linux),
            ] {
                table(head, rows, streams)?;
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
        let by = match (row.cases.as_slice(), row.monitors.as_slice()) {
            ([], []) if row.testable => paint(palette.fail, "open"),
            ([], []) => paint(palette.skip, "not testable from outside"),
            ([], monitors) => format!("monitor {}", monitors.join(", ")),
            ([case], _) => case.clone(),
            ([case, rest @ ..], _) => format!("{case} and {} more", rest.len()),
        };
        streams.print(&format!("  {}  {level:6}  {by}\n", pad(&row.id, width)))?;
        if row.is_open() {
            streams.print(&format!("  {}          {}\n", pad("", width), paint(palette.dim, &row.title)))?;
        }
    }
    streams.print("\n")
}

fn summary(coverage: &Coverage) -> String {
    let line = |head: &str, rows: &[Row]| {
        let testable: Vec<&Row> = rows.iter().filter(|row| row.testable || row.is_covered()).collect();
        let covered = testable.iter().filter(|row| row.is_covered()).count();
        let not = rows.len() - testable.len();
        let not = if not > 0 { format!("; {not} cannot be tested from outside") } else { String::new() };
        format!("{head:20}{covered} of {} covered{not}\n", testable.len())
    };
    line("requirements", &coverage.requirements)
        + &line("state/event matrix", &coverage.matrix)
        + &line("course", &coverage.course)
        + &line("linux", &coverage.linux)
}
