//! `tcpspec list`: what would run, and why not for what would not.

use super::error::Failure;
use super::select::SelectArguments;
use super::stream::Streams;
use super::target::{self, TargetArguments};
use super::{Exit, ListFormat, corpus};
use crate::report::style::paint;
use crate::report::text::{clean, columns, count, pad};
use crate::run::Job;
use crate::suite::model::{Family, Level};
use clap::Args;
use serde::Serialize;

/// List what would run, and why not for what would not
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How the list is written
    #[arg(long, value_name = "FORMAT", default_value = "text", value_enum)]
    format: ListFormat,
    #[command(flatten)]
    select: SelectArguments,
    #[command(flatten)]
    target: TargetArguments,
}

#[derive(Serialize)]
struct Object<'a> {
    schema: u32,
    target: &'a str,
    wire: &'a str,
    cases: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    family: Family,
    level: Level,
    title: &'a str,
    refs: Vec<&'a str>,
    tags: &'a [String],
    kills: &'a [String],
    points: u32,
    slow: bool,
    file: &'a str,
    line: u32,
    run: bool,
    /// Why it would not run; empty if it would.
    reason: &'a str,
}

pub(super) fn main(arguments: &Arguments, streams: &mut Streams) -> Result<Exit, Failure> {
    let target = target::resolve(&arguments.target, None, streams)?;
    let jobs = corpus::jobs(&arguments.select, &target, target::SEED, streams)?.jobs;
    match arguments.format {
        ListFormat::Text => text(&jobs, streams)?,
        ListFormat::Json => {
            let cases = jobs.iter().map(row).collect();
            let object = Object { schema: 1, target: &target.name, wire: target.wire, cases };
            let text = serde_json::to_string(&object).expect("plain data with string keys is always JSON");
            streams.print(&format!("{text}\n"))?;
        }
    }
    Ok(Exit::Success)
}

fn row(job: &Job) -> Row<'_> {
    let info = &job.info;
    let why_not = corpus::why_not(job);
    Row {
        id: &info.id,
        family: info.family,
        level: info.level,
        title: &info.title,
        refs: info.refs.iter().map(|reference| reference.id.as_str()).collect(),
        tags: &info.tags,
        kills: &info.kills,
        points: info.points,
        slow: info.slow,
        file: &info.place.file,
        line: info.place.line,
        run: why_not.is_none(),
        reason: why_not.unwrap_or_default(),
    }
}

/// A line a case, with the families that share its fate.
fn text(jobs: &[Job], streams: &Streams) -> Result<(), Failure> {
    let palette = streams.out_look().palette;
    let width = jobs.iter().map(|job| columns(&clean(&job.info.id))).max().unwrap_or(0);
    let same = |a: &Job, b: &Job| a.info.id == b.info.id && corpus::why_not(a) == corpus::why_not(b);
    let mut skipped = 0;
    for group in jobs.chunk_by(same) {
        let Some(job) = group.first() else { continue };
        let families: Vec<String> = group.iter().map(|job| job.info.family.to_string()).collect();
        let id = pad(&clean(&job.info.id), width);
        let head = format!(
            "{}  {:5}  {:6}",
            paint(palette.strong, id),
            families.join(" "),
            job.info.level.to_string()
        );
        let line = match corpus::why_not(job) {
            None => format!("{head}  {}\n", clean(&job.info.title)),
            Some(why) => {
                skipped += group.len();
                format!("{head}  {}\n", paint(palette.skip, format!("would not run: {}", clean(why))))
            }
        };
        streams.print(&line)?;
    }
    let not = if skipped > 0 { format!("; {skipped} would not run") } else { String::new() };
    streams.note(&format!("{} selected{not}\n", count(jobs.len(), "case instance")));
    Ok(())
}
