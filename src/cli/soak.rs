//! `tcpspec soak`: random traffic and impairments until something is violated, or time is up.
#![allow(clippy::disallowed_methods, reason = "soaking has a time limit, and writes what it found")]

mod tally;

use self::tally::Tally;
use super::error::{Failure, shown};
use super::stream::Streams;
use super::target::{self, Target, TargetArguments};
use super::{Exit, corpus};
use crate::engine::monitor_rules;
use crate::event::Try;
use crate::lane::{Lane, LaneMaker, sim};
use crate::plan::Plan;
use crate::report::ladder;
use crate::report::text::count;
use crate::soak::{Came, Dice, Episode, Finding, Known, came, plan_of, reduce, words};
use crate::suite::expr::{Expr, parse_expr};
use crate::suite::model::{Family, Level};
use crate::suite::suggest;
use crate::target::profile::Profile;
use crate::target::reference;
use crate::time::span;
use clap::{Args, ValueEnum};
use std::collections::BTreeSet;
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
    /// Go on behind this violation, as behind those that the manifest says are known: a word that `soak` gives at its end
    #[arg(long, value_name = "WHAT", value_parser = known)]
    known: Vec<String>,
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

fn known(word: &str) -> Result<String, String> {
    let words = words();
    if words.contains(&word) {
        return Ok(word.to_owned());
    }
    Err(match suggest::nearest(word, words) {
        Some(near) => format!("`soak` finds nothing of that name; did you mean `{near}`?"),
        None => {
            "`soak` finds nothing of that name; a monitor is one of them, and what it finds it names".into()
        }
    })
}

struct Soak<'a> {
    target: &'a Target,
    known: Known,
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

    /// One run of an episode, what it came to, and which known deviations were seen. What is to be repeated has no time.
    fn judged(
        &mut self,
        until: Option<Instant>,
        episode: &Episode,
        tally: &mut Tally,
    ) -> Result<Option<(Came, BTreeSet<String>)>, Failure> {
        let Some((plan, tried)) = self.run(until, episode)? else { return Ok(None) };
        tally.add(&tried);
        Ok(Some(self.known.judge(&plan, &tried)))
    }

    /// What an episode came to once all is left out of it that is known to be answered wrong, and that made it fail.
    fn searched(
        &mut self,
        until: Option<Instant>,
        episode: &Episode,
        tally: &mut Tally,
    ) -> Result<Option<(Episode, Came)>, Failure> {
        let Some((mut came, mut seen)) = self.judged(until, episode, tally)? else { return Ok(None) };
        let mut left = episode.clone();
        for word in self.known.in_episode(episode) {
            if !matches!(came, Came::Violated(_)) {
                break;
            }
            left = left.without(&word);
            let (next, more) = self.judged(None, &left, tally)?.expect("without a time it ends");
            came = next;
            seen.extend(more);
            if matches!(came, Came::Clean | Came::Idle) {
                seen.insert(word);
            }
        }
        tally.done(episode, &seen);
        Ok(Some((left, came)))
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
    let said = target.in_soak.iter().map(|known| (known.word.clone(), known.because.clone()));
    let here = |word: &String| (word.clone(), "the command line says so.".to_owned());
    let reasons: Vec<_> = said.chain(arguments.known.iter().map(here)).collect();
    let known = reasons.iter().map(|(word, _)| word.clone()).collect();
    let mutant = arguments.mutant;
    let mut soak = Soak { target: &target, known, runtime, lane: None, file, id, family, mutant };
    let mut dice = Dice::new(arguments.seed);
    let mut tally = Tally::new(arguments, reasons.into_iter(), streams);
    while tally.begun.elapsed() < arguments.limit
        && arguments.segments.is_none_or(|most| tally.segments() < most)
    {
        let number = tally.episodes + 1;
        let episode = Episode::next(number, &mut dice, &target.profile);
        soak.family = target.profile.families[number as usize % target.profile.families.len()];
        let end = tally.begun.checked_add(arguments.limit);
        let Some((episode, came)) = soak.searched(end, &episode, &mut tally)? else {
            tally.gave_up = true;
            break;
        };
        match came {
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
    let last = match soak.known.judge(&plan, &tried).0 {
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
    let mut how = String::new();
    if arguments.target.name() != TargetArguments::reference().name() {
        how.push_str(&format!(" -t {}", arguments.target.name()));
    }
    if let Some(mutant) = arguments.mutant {
        how.push_str(&format!(" --mutant {}", mutant.id()));
    }
    page.push_str(&format!(
        "  again: tcpspec run --suites {}{how} --family {}\n",
        soak.file,
        soak.family.number()
    ));
    let behind = arguments.known.iter().cloned().chain(words_of(&last, &small));
    let behind: String = behind.map(|word| format!(" --known {word}")).collect();
    let seed = arguments.seed;
    page.push_str(&format!("  what else there is: tcpspec soak{how} --seed {seed}{behind}\n"));
    page.push_str(&tally.known());
    streams.print(&page)?;
    Ok(Exit::Violated)
}

/// What the search would go on behind: the monitors that were violated, or else what the target was asked.
fn words_of(finding: &Finding, small: &Episode) -> Vec<String> {
    let is_monitors = finding.kinds.iter().all(|kind| monitor_rules().any(|rule| rule.id == kind));
    let asked = small.words().into_iter().take(1);
    let asked: Vec<_> = if is_monitors { Vec::new() } else { asked.collect() };
    if asked.is_empty() { finding.kinds.clone() } else { asked }
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
            let mut soak = soak.borrow_mut();
            match soak.run(Some(begun + SHRINK_MAX), smaller) {
                Ok(Some((plan, tried))) => soak.known.judge(&plan, &tried).0,
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
