//! `tcpspec report`: a run again, from its record.

use super::Exit;
use super::error::{Failure, shown};
use super::outputs::{self, Kind, Wanted};
use super::stream::Streams;
use crate::engine::replay;
use crate::report::record;
use crate::report::text::{clean, count};
use clap::Args;
use std::io::BufReader;
use std::path::PathBuf;

/// Judge a recorded run again and render its reports
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The record of a run: `reports/out/<target>/run.jsonl`
    #[arg(value_name = "RUN.jsonl")]
    record: PathBuf,
    /// `junit`, `json` or `human`, to stdout or to a file
    #[arg(long = "report", value_name = "KIND[=PATH]")]
    reports: Vec<Wanted>,
    /// Count the points of unsupported cases as possible
    #[arg(long)]
    require_all: bool,
}

pub(super) fn main(arguments: &Arguments, streams: &mut Streams) -> Result<Exit, Failure> {
    let file = outputs::open(&arguments.record)?;
    let name = shown(&arguments.record);
    let mut run = record::read(&name, BufReader::new(file)).map_err(|e| Failure::usage(e.to_string()))?;
    let changed = record::rejudge(&mut run, replay);
    if !changed.is_empty() {
        let verdicts = count(changed.len(), "verdict");
        streams.note(&format!(
            "warning: {verdicts} of the record (made by {}) changed\n",
            clean(&run.started.version)
        ));
        for change in &changed {
            streams.note(&format!("  {}\n", clean(change)));
        }
    }
    let human = [Wanted::usual(Kind::Human)];
    let wanted = if arguments.reports.is_empty() { &human[..] } else { &arguments.reports };
    for report in wanted {
        report.write(&run, arguments.require_all, None, streams)?;
    }
    Ok(Exit::Success)
}
