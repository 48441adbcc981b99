//! `tcpspec soak`: random traffic and impairments until something is violated, or time is up.
#![allow(clippy::disallowed_methods, reason = "soaking has a time limit, and writes what it found")]

use super::error::{Failure, shown};
use super::stream::Streams;
use super::target::{self, Target, TargetArguments};
use super::{Exit, corpus};
use crate::engine::{Traffic, monitor_rules};
use crate::event::Try;
use crate::lane::{Lane, LaneMaker, sim};
use crate::plan::Plan;
use crate::report::ladder;
use crate::report::text::count;
use crate::soak::{Came, Dice, Episode, Finding, came, plan_of, reduce};
use crate::suite::expr::{Expr, parse_expr};
use crate::suite::model::{Family, Level};
use crate::target::profile::Profile;
use crate::target::reference;
use crate::time::span;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tcpspec_reference::Mutant;
use tokio::runtime::Runtime;
use tokio::time::timeout_at;

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
    /// Stop at violations of this kind too
    #[arg(long, value_name = "WHAT", value_enum)]
    deny: Option<DenyWord>,
    /// Break the reference on purpose: the bug of that name
    #[arg(long, value_name = "MUTANT", value_parser = target::mutant)]
    mutant: Option<Mutant>,
    /// Where the case that repeats a violation is written
    #[arg(long, value_name = "FILE", default_value = "reports/out/soak.yaml")]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DenyWord {
    Should,
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
    mutant: Option<Mutant>,
}

impl Soak<'_> {
    fn plan(&self, episode: &Episode, profile: &Profile) -> Result<Arc<Plan>, Failure> {
        let at = (self.family, target::SEED);
        let text = episode.text(&self.target.profile);
        let plan = plan_of(&text, (&self.file, &self.id), at, profile, &corpus::cite);
        plan.map(Arc::new).map_err(|error| Failure::harness(format!("an episode is no case: {error}")))
    }

    /// `None` where the time was over before the episode was: on a real clock one may last for minutes. Without a time it is
    /// run to its end.
    fn run(
        &mut self,
        until: Option<Instant>,
        episode: &Episode,
    ) -> Result<Option<(Arc<Plan>, Try)>, Failure> {
        let plan = self.plan(episode, &self.target.profile)?;
        let lane = match &mut self.lane {
            Some(lane) => lane,
            none => {
                let made = self.runtime.block_on(self.target.maker.make()).map_err(|e| Failure::from(&e))?;
                none.insert(made)
            }
        };
        let running = lane.run(&plan);
        let ran = self.runtime.block_on(async {
            match until {
                Some(until) => timeout_at(until.into(), running).await.ok(),
                None => Some(running.await),
            }
        });
        // What is in the middle of a case is no lane for the next.
        if ran.as_ref().is_none_or(|tried| matches!(came(&tried.verdict), Came::Broken(_))) {
            self.lane = None;
        }
        Ok(ran.map(|tried| (plan, tried)))
    }

    /// The target is a correct TCP by definition: what it does is not compared with itself.
    fn is_reference(&self) -> bool {
        self.target.is_virtual() && self.mutant.is_none()
    }

    /// The same on the clean reference, in virtual time.
    fn on_reference(&self, episode: &Episode) -> Came {
        if self.is_reference() {
            return Came::Clean;
        }
        let profile =
            if self.target.is_virtual() { self.target.profile.clone() } else { reference::profile() };
        match self.plan(episode, &profile) {
            Ok(plan) => came(&sim::run(&plan, None).verdict),
            Err(_) => Came::Broken(String::new()),
        }
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
    let mut soak = Soak { target: &target, runtime, lane: None, file, id, family, mutant: arguments.mutant };
    let mut dice = Dice::new(arguments.seed);
    let mut tally = Tally::new(arguments, streams);
    while tally.begun.elapsed() < arguments.limit
        && arguments.segments.is_none_or(|most| tally.segments() < most)
    {
        let number = tally.episodes + 1;
        let episode = Episode::next(number, &mut dice, &target.profile);
        soak.family = target.profile.families[number as usize % target.profile.families.len()];
        let end = tally.begun.checked_add(arguments.limit);
        let Some((_, tried)) = soak.run(end, &episode)? else { break };
        tally.add(&episode, &tried);
        match came(&tried.verdict) {
            Came::Clean | Came::Idle => {}
            Came::Inconclusive => tally.inconclusive += 1,
            Came::Broken(how) => return Err(Failure::harness(format!("episode {number}: {how}"))),
            Came::Violated(finding) if finding.level != Level::Must && arguments.deny.is_none() => {
                tally.warned(finding);
            }
            Came::Violated(finding) => {
                tally.end();
                return found(&mut soak, &episode, &finding, &tally, arguments, streams);
            }
        }
    }
    tally.end();
    streams.print(&tally.page(&target.name, arguments.seed))?;
    Ok(Exit::Success)
}

/// What has been done so far.
struct Tally {
    begun: Instant,
    bar: ProgressBar,
    limit: Duration,
    most: Option<u64>,
    episodes: u64,
    connections: u64,
    impairments: u64,
    inconclusive: u64,
    checks: u64,
    traffic: Traffic,
    /// Violations of a SHOULD, by their kind: how many episodes, and the first sentence.
    warnings: BTreeMap<String, (u64, String)>,
}

impl Tally {
    fn new(arguments: &Arguments, streams: &Streams) -> Self {
        let bar = if streams.err_is_terminal() { ProgressBar::new(100) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("     Soaking [{wide_bar:.cyan/blue}] {percent}%  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
        Self {
            begun: Instant::now(),
            bar,
            limit: arguments.limit,
            most: arguments.segments,
            episodes: 0,
            connections: 0,
            impairments: 0,
            inconclusive: 0,
            checks: 0,
            traffic: Traffic::default(),
            warnings: BTreeMap::new(),
        }
    }

    fn segments(&self) -> u64 {
        self.traffic.from_peer.segments + self.traffic.from_target.segments
    }

    fn octets(&self) -> u64 {
        self.traffic.from_peer.octets + self.traffic.from_target.octets
    }

    fn add(&mut self, episode: &Episode, tried: &Try) {
        self.episodes += 1;
        self.connections += episode.conns.len() as u64;
        self.impairments += episode.impairments.len() as u64;
        self.checks += tried.verdict.monitors.iter().map(|monitor| monitor.checked).sum::<u64>();
        if let Some(passed) = &tried.verdict.traffic {
            self.traffic.add(passed);
        }
        let time = self.begun.elapsed().as_secs_f64() / self.limit.as_secs_f64();
        let share = self.most.map_or(0.0, |most| self.segments() as f64 / most as f64);
        self.bar.set_position((time.max(share) * 100.0) as u64);
        let (episodes, segments) = (self.episodes, self.segments());
        self.bar.set_message(format!("{episodes} episodes, {segments} segments, {}", mib(self.octets())));
    }

    fn warned(&mut self, finding: Finding) {
        self.warnings.entry(finding.kinds.join(", ")).or_insert((0, finding.sentence)).0 += 1;
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// What went over the wire, in a line.
    fn sum(&self) -> String {
        let (peer, own) = (&self.traffic.from_peer, &self.traffic.from_target);
        let again = peer.retransmitted_segments + own.retransmitted_segments;
        let share = again as f64 * 100.0 / self.segments().max(1) as f64;
        format!(
            "{}, {} segments, {} of data in {}; {} impairments, {} segments lost, {share:.1} % sent again",
            count(self.connections, "connection"),
            self.segments(),
            mib(self.octets()),
            span(self.begun.elapsed()),
            self.impairments,
            peer.lost + own.lost,
        )
    }

    fn page(&self, target: &str, seed: u64) -> String {
        let mut page = format!(
            "{target}: no violation in {} (seed {seed})\n  {}\n  {} checks by {} monitors\n",
            count(self.episodes, "episode"),
            self.sum(),
            self.checks,
            monitor_rules().count(),
        );
        for (kind, (episodes, sentence)) in &self.warnings {
            page.push_str(&format!("  SHOULD {kind}, in {episodes} episodes: {sentence}\n"));
        }
        if !self.warnings.is_empty() {
            page.push_str("  (`--deny should` stops at these, and says how to repeat them)\n");
        }
        if self.inconclusive > 0 {
            page.push_str(&format!(
                "  {} episodes were inconclusive: this machine was late\n",
                self.inconclusive
            ));
        }
        page
    }
}

fn mib(octets: u64) -> String {
    format!("{:.1} MiB", octets as f64 / f64::from(1 << 20))
}

/// Makes the episode small, writes it as a case, and shows what happens.
fn found(
    soak: &mut Soak<'_>,
    episode: &Episode,
    finding: &Finding,
    tally: &Tally,
    arguments: &Arguments,
    streams: &mut Streams,
) -> Result<Exit, Failure> {
    let (begun, took) = (Instant::now(), tally.begun.elapsed());
    streams.note(&format!("   Violated in episode {}: making it smaller\n", episode.number));
    let small = smaller(soak, episode, finding)?;
    // To its end, however long that takes: it is what is shown.
    let (plan, tried) = soak.run(None, &small)?.expect("without a time it ends");
    if let Some(folder) = arguments.out.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Failure::write(folder.display(), &error))?;
    }
    let text = small.text(&soak.target.profile);
    let begin = format!(
        "# Written by `tcpspec soak -t {}`, seed {}, episode {}:\n# {}\n",
        soak.target.name, arguments.seed, episode.number, finding.sentence
    );
    std::fs::write(&arguments.out, begin + &text).map_err(|error| Failure::write(&soak.file, &error))?;
    let last = match came(&tried.verdict) {
        Came::Violated(last) => last,
        // A real target need not do it twice.
        _ => Finding { sentence: format!("{} (not when tried again)", finding.sentence), ..finding.clone() },
    };
    let level = if last.level == Level::Should { " (a SHOULD)" } else { "" };
    let mut page = format!(
        "{}: violated{level} in {}, after {} segments in {} (seed {})\n  {}\n",
        soak.target.name,
        format_args!("episode {}", episode.number),
        tally.segments(),
        span(took),
        arguments.seed,
        last.sentence,
    );
    page.push_str(&format!(
        "  {} of {} are left, {} (made smaller in {}){}\n\n",
        small.impairments.len(),
        count(episode.impairments.len(), "impairment"),
        count(small.conns.len(), "connection"),
        span(begun.elapsed()),
        match soak.on_reference(&small) {
            _ if soak.is_reference() => "",
            Came::Clean => "; the clean reference passes this case",
            _ => "; the clean reference does not pass this case either",
        },
    ));
    for line in ladder::draw(&tried.events, Some(&plan), ROWS_MAX, streams.out_look()) {
        page.push_str(&line);
        page.push('\n');
    }
    let how = match arguments.mutant {
        Some(mutant) => format!(" --mutant {}", mutant.id()),
        None if soak.target.is_virtual() => String::new(),
        None => format!(" -t {}", arguments.target.name()),
    };
    page.push_str(&format!(
        "  again: tcpspec run --suites {}{how} --family {}\n",
        soak.file,
        soak.family.number()
    ));
    streams.print(&page)?;
    Ok(Exit::Violated)
}

fn smaller(soak: &mut Soak<'_>, episode: &Episode, finding: &Finding) -> Result<Episode, Failure> {
    let begun = Instant::now();
    let mut broken = None;
    let soak = std::cell::RefCell::new(soak);
    let small = reduce(
        episode,
        finding,
        TRIES_MAX,
        |smaller| {
            if begun.elapsed() > SHRINK_MAX || broken.is_some() {
                return Came::Inconclusive;
            }
            match soak.borrow_mut().run(Some(begun + SHRINK_MAX), smaller) {
                Ok(Some((_, tried))) => came(&tried.verdict),
                Ok(None) => Came::Inconclusive,
                Err(failure) => {
                    broken = Some(failure);
                    Came::Inconclusive
                }
            }
        },
        |smaller| soak.borrow().on_reference(smaller),
    );
    broken.map_or(Ok(small), Err)
}
