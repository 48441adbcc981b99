//! `tcpspec mutants`: would the suites notice? The corpus against every seeded bug of the reference.
#![allow(clippy::disallowed_methods, reason = "the hunt is timed for the one who waits")]

use super::error::Failure;
use super::stream::Streams;
use super::target;
use super::{Exit, corpus};
use crate::coverage::mutants_page;
use crate::report::style::{Palette, paint};
use crate::report::text::{columns, count, pad};
use crate::run::Work;
use crate::run::mutants::{Depth, Hunt, Hunted, hunt};
use crate::suite::catalogue::Catalogue;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Instant;
use tcpspec_reference::Mutant;

/// Run the corpus against every seeded bug of the reference: what survives
///
/// Each bug is switched on alone, and the cases are run against it in virtual time, those first that name it in `kills:`, until one fails.
/// Exit code 1 if a bug survives, if it was noticed only by a case that does not name it, or if a case of level must or should catches
/// nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
A page of what is noticed by which cases:   tcpspec mutants --all --format html > mutants.html
One bug, as a student would see it:         tcpspec run --mutant syn-not-counted")]
pub(super) struct Arguments {
    /// Only these
    #[arg(value_name = "MUTANT", value_parser = target::mutant)]
    mutants: Vec<Mutant>,
    /// Find all cases that kill a mutant, not only the first
    #[arg(long)]
    all: bool,
    /// Threads; as many as there are cores unless given
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
    /// What the run varies by
    #[arg(long, value_name = "SEED", default_value_t = target::SEED)]
    seed: u64,
    /// Suites to use instead of the shipped ones: files or directories
    #[arg(long, value_name = "PATH")]
    suites: Vec<PathBuf>,
    /// How the result is written
    #[arg(long, value_name = "FORMAT", default_value = "text", value_enum)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    // What is wrong, a line each.
    Text,
    // One object.
    Json,
    // A page.
    Html,
}

#[derive(Serialize)]
struct Object<'a> {
    schema: u32,
    mutants: &'a [Hunted],
    killed: usize,
    survived: usize,
    /// Cases of level must or should that catch nothing.
    idle: &'a [String],
    /// Cases that meet no mutant, by the reason.
    beyond: &'a BTreeMap<String, BTreeSet<String>>,
}

pub(super) fn main(arguments: &Arguments, streams: &mut Streams) -> Result<Exit, Failure> {
    let started = Instant::now();
    let jobs = corpus::every(&arguments.suites, arguments.seed, streams)?;
    let (mut plans, mut beyond) = (Vec::new(), BTreeMap::<_, BTreeSet<_>>::new());
    for job in jobs {
        match job.work {
            Work::Run(plan) => plans.push(Arc::from(plan)),
            Work::Unsupported(why) => drop(beyond.entry(why).or_default().insert(job.info.id)),
        }
    }
    let mutants = if arguments.mutants.is_empty() { Mutant::ALL } else { &arguments.mutants };
    let depth = if arguments.all { Depth::All } else { Depth::First };
    let threads =
        arguments.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let width = mutants.iter().map(|mutant| columns(mutant.id())).max().unwrap_or(0);
    let live = |hunted: &Hunted| line(hunted, width, streams.err_look().palette, arguments.all);
    let (sender, lines) = mpsc::channel();
    let mut found = std::thread::scope(|scope| {
        let hunting = scope.spawn(|| {
            // Whoever listens is in this scope; the channel outlives the hunt.
            hunt(mutants, &plans, depth, threads, &move |hunted| drop(sender.send(hunted.clone())))
        });
        for hunted in lines {
            streams.note(&live(&hunted));
        }
        hunting.join().expect("the hunt catches what its cases do")
    });
    found.beyond = beyond;
    match arguments.format {
        Format::Json => {
            let (killed, survived) = (found.killed(), found.survivors().count());
            let (mutants, idle, beyond) = (&found.mutants, &found.idle, &found.beyond);
            let object = Object { schema: 1, mutants, killed, survived, idle, beyond };
            let text = serde_json::to_string(&object).expect("plain data with string keys is always JSON");
            streams.print(&format!("{text}\n"))?;
        }
        Format::Html => streams.print(&mutants_page(&found, Catalogue::embedded()))?,
        Format::Text => text(&found, width, &crate::time::span(started.elapsed()), streams)?,
    }
    Ok(if found.is_proof() { Exit::Success } else { Exit::Violated })
}

fn text(found: &Hunt, width: usize, took: &str, streams: &Streams) -> Result<(), Failure> {
    let survivors = match found.survivors().count() {
        0 => "none survives".into(),
        survived => format!("{survived} survive"),
    };
    streams.print(&format!(
        "{} by {}: {} killed, {survivors}; {took}\n",
        count(found.mutants.len(), "mutant"),
        count(found.instances, "case instance"),
        found.killed(),
    ))?;
    for hunted in found.survivors() {
        streams.print(&format!("  survives   {}  {}\n", pad(hunted.id, width), hunted.sentence))?;
    }
    for hunted in found.by_chance() {
        let by = hunted.killed_by.first().map_or("", String::as_str);
        streams.print(&format!("  by chance  {}  {by} does not name it\n", pad(hunted.id, width)))?;
    }
    for case in &found.idle {
        streams.print(&format!("  idle       {case}  catches no bug\n"))?;
    }
    for (why, cases) in &found.beyond {
        streams.print(&format!("  beyond     {} meet no mutant: {why}\n", count(cases.len(), "case")))?;
    }
    Ok(())
}

/// A line of the live table.
fn line(hunted: &Hunted, width: usize, palette: Palette, all: bool) -> String {
    let id = pad(hunted.id, width);
    let by = match hunted.killed_by.as_slice() {
        [] => String::new(),
        [first, rest @ ..] if all && !rest.is_empty() => {
            format!("{first} and {}", count(rest.len(), "other case"))
        }
        [first, ..] => first.clone(),
    };
    if !hunted.killed {
        format!("  {}  {id}\n", paint(palette.fail, "SURVIVES"))
    } else if hunted.on_purpose() {
        format!("  {}    {id}  {by}\n", paint(palette.pass, "KILLED"))
    } else {
        format!("  {}    {id}  {by} (which does not name it)\n", paint(palette.warn, "KILLED"))
    }
}
