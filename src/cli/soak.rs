//! `tcpspec soak`: random traffic and impairments until something is violated, or time is up.
#![allow(clippy::disallowed_methods, reason = "soaking has a time limit, and writes what it found")]

use super::error::{Failure, shown};
use super::stream::Streams;
use super::target::{self, Target, TargetArguments};
use super::{Exit, corpus};
use crate::event::Try;
use crate::lane::{Lane, LaneMaker};
use crate::plan::Plan;
use crate::report::ladder;
use crate::report::text::count;
use crate::soak::{Came, Dice, Episode, came, shrink};
use crate::suite::expr::{Expr, parse_expr};
use crate::suite::model::Family;
use crate::time::span;
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tcpspec_reference::Mutant;
use tokio::runtime::Runtime;

/// Questions that making an episode smaller may ask, and how long it may take.
const TRIES_MAX: usize = 2_000;
const SHRINK_MAX: Duration = Duration::from_secs(120);
/// Rows of the exchange that are shown.
const ROWS_MAX: usize = 30;

/// Soak a target in random traffic over a wire that misbehaves, until something is violated
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: TargetArguments,
    /// For how long
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = duration)]
    limit: Duration,
    /// Stop after so many segments, if that is sooner
    #[arg(long, value_name = "N")]
    segments: Option<u64>,
    /// What the traffic and the impairments come from
    #[arg(long, value_name = "N", default_value_t = target::SEED)]
    seed: u64,
    /// Break the reference on purpose: the bug of that name
    #[arg(long, value_name = "MUTANT", value_parser = target::mutant)]
    mutant: Option<Mutant>,
    /// Where the case that repeats a violation is written
    #[arg(long, value_name = "FILE", default_value = "reports/out/soak.yaml")]
    out: PathBuf,
}

fn duration(text: &str) -> Result<Duration, String> {
    match parse_expr(text) {
        Ok(Expr::Duration(span)) => Ok(span),
        Ok(_) | Err(_) => Err("a time has a unit: 500ms, 60s, 10min".into()),
    }
}

struct Soak<'a> {
    target: &'a Target,
    runtime: Runtime,
    lane: Option<<crate::lane::any::AnyMaker as LaneMaker>::Lane>,
    file: String,
    id: String,
    family: Family,
}

impl Soak<'_> {
    fn run(&mut self, episode: &Episode) -> Result<(Arc<Plan>, Try), Failure> {
        let at = (self.family, target::SEED);
        let plan = episode
            .plan(&self.file, &self.id, at, &self.target.profile, &corpus::cite)
            .map_err(|error| Failure::harness(format!("an episode is no case: {error}")))?;
        let plan = Arc::new(plan);
        let lane = match &mut self.lane {
            Some(lane) => lane,
            none => {
                let made = self.runtime.block_on(self.target.maker.make()).map_err(|e| Failure::from(&e))?;
                none.insert(made)
            }
        };
        let tried = self.runtime.block_on(lane.run(&plan));
        if matches!(came(&tried.verdict), Came::Broken(_)) {
            self.lane = None;
        }
        Ok((plan, tried))
    }
}

pub(super) fn main(arguments: &Arguments, streams: &mut Streams) -> Result<Exit, Failure> {
    let target = target::resolve(&arguments.target, arguments.mutant, streams)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::harness(format!("cannot start threads: {error}")))?;
    let id = arguments
        .out
        .file_stem()
        .map_or_else(|| "soak".to_owned(), |stem| stem.to_string_lossy().into_owned());
    let family = target.profile.families.first().copied().unwrap_or(Family::V4);
    let file = shown(&arguments.out);
    let mut soak = Soak { target: &target, runtime, lane: None, file, id, family };
    let begun = Instant::now();
    let mut dice = Dice::new(arguments.seed);
    let (mut segments, mut inconclusive, mut number) = (0, 0, 0);
    let mut told = begun;
    while begun.elapsed() < arguments.limit && arguments.segments.is_none_or(|most| segments < most) {
        number += 1;
        let episode = Episode::next(number, &mut dice, &target.profile);
        soak.family = target.profile.families[number as usize % target.profile.families.len()];
        let (_, tried) = soak.run(&episode)?;
        let passed = tried.verdict.traffic.as_ref();
        segments += passed.map_or(0, |traffic| traffic.from_peer.segments + traffic.from_target.segments);
        match came(&tried.verdict) {
            Came::Clean => {}
            Came::Inconclusive => inconclusive += 1,
            Came::Broken(how) => return Err(Failure::harness(format!("episode {number}: {how}"))),
            Came::Violated(kind) => {
                let took = span(begun.elapsed());
                streams.note(&format!(
                    "   Violated episode {number} after {} in {took}: {}\n",
                    count(usize::try_from(segments).unwrap_or(usize::MAX), "segment"),
                    tried.verdict.reason
                ));
                return found(&mut soak, &episode, &kind, arguments, streams);
            }
        }
        if told.elapsed() > Duration::from_secs(5) {
            told = Instant::now();
            streams.note(&format!(
                "    Soaking {number} episodes, {segments} segments, {}\n",
                span(begun.elapsed())
            ));
        }
    }
    let late = if inconclusive == 0 { String::new() } else { format!(", {inconclusive} inconclusive") };
    streams.print(&format!(
        "{}: {}, {segments} segments in {}{late}: no violation (seed {})\n",
        target.name,
        count(usize::try_from(number).unwrap_or(usize::MAX), "episode"),
        span(begun.elapsed()),
        arguments.seed,
    ))?;
    Ok(Exit::Success)
}

/// Makes the episode small, writes it as a case, and shows what happens.
fn found(
    soak: &mut Soak<'_>,
    episode: &Episode,
    kind: &str,
    arguments: &Arguments,
    streams: &mut Streams,
) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let mut broken = None;
    let small = shrink(episode, TRIES_MAX, |smaller| {
        if begun.elapsed() > SHRINK_MAX || broken.is_some() {
            return false;
        }
        match soak.run(smaller) {
            Ok((_, tried)) => came(&tried.verdict) == Came::Violated(kind.to_owned()),
            Err(failure) => {
                broken = Some(failure);
                false
            }
        }
    });
    if let Some(failure) = broken {
        return Err(failure);
    }
    let (plan, tried) = soak.run(&small)?;
    if let Some(folder) = arguments.out.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Failure::write(folder.display(), &error))?;
    }
    std::fs::write(&arguments.out, small.text()).map_err(|error| Failure::write(&soak.file, &error))?;
    let look = streams.out_look();
    let mut page = format!(
        "{}: {kind} with {} of {} impairments, {} (shrunk in {})\n  {}\n\n",
        soak.target.name,
        small.impairments.len(),
        episode.impairments.len(),
        count(small.conns.len(), "connection"),
        span(begun.elapsed()),
        tried.verdict.reason,
    );
    for line in ladder::draw(&tried.events, Some(&plan), ROWS_MAX, look) {
        page.push_str(&line);
        page.push('\n');
    }
    let how = match arguments.mutant {
        Some(mutant) => format!(" --mutant {}", mutant.id()),
        None if soak.target.is_virtual() => String::new(),
        None => format!(" -t {}", soak.target.name),
    };
    page.push_str(&format!(
        "  again: tcpspec run --suites {}{how} --family {}\n",
        soak.file,
        soak.family.number()
    ));
    streams.print(&page)?;
    Ok(Exit::Violated)
}
