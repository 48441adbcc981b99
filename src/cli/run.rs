//! `tcpspec run`: cases against a target, and the reports of that.

use super::error::{Failure, shown};
use super::faded::Faded;
use super::outputs::{self, Kind, Wanted};
use super::select::{SelectArguments, Share};
use super::stream::Streams;
use super::target::{self, Target, TargetArguments};
use super::{Exit, RunFormat, corpus, durations, interrupt};
use crate::event::{CaseFinished, RunEvent, RunFinished, RunStarted, SCHEMA};
use crate::report::Report;
use crate::report::record::{Recorder, Run};
use crate::report::style::paint;
use crate::report::summary::{Conclusion, Summary};
use crate::report::terminal::Terminal;
use crate::report::text::count;
use crate::run::{self, CASE_LIMIT, Deny, Durations, Ended, Job, Options};
use crate::suite::expr::{Expr, parse_expr};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tcpspec_reference::Mutant;
use tokio::sync::watch;

/// Run cases against a target
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    select: SelectArguments,
    #[command(flatten)]
    target: TargetArguments,
    /// Break the reference on purpose: the bug of that name, as the `kills:` of cases name them
    #[arg(long, value_name = "MUTANT", value_parser = target::mutant)]
    mutant: Option<Mutant>,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    verdicts: Verdicts,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "How cases run")]
struct How {
    /// How many cases run side by side. `auto`: the number of CPUs where time is virtual; on a real clock, where cases
    /// wait most of the time, as many as it takes for the longest case to decide how long the run takes, and fewer
    /// while what we send leaves late
    #[arg(short, long, value_name = "N", default_value = "auto")]
    jobs: Jobs,
    /// The seed of all that a case may choose: ports, sequence numbers
    #[arg(long, value_name = "N", default_value_t = target::SEED)]
    seed: u64,
    /// Run each case N times; the worst outcome counts
    #[arg(long, value_name = "N", default_value = "1", conflicts_with = "retries")]
    repeat: NonZeroU32,
    /// Try a case that does not pass up to N more times; the last outcome counts
    #[arg(long, value_name = "N", default_value_t = 0)]
    retries: u32,
    /// Stretch every wait of every case
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = scale)]
    timeout_scale: f64,
    /// Run one share of the cases: `hash:i/n`, `slice:i/n`, or `auto` in a CI job
    #[arg(long, value_name = "SHARE")]
    partition: Option<Share>,
    /// Stop at the first case that does not pass
    #[arg(long)]
    fail_fast: bool,
    /// Give the run up after this long, as in `90s`: its reports are written, and the exit code is 3
    #[arg(long, value_name = "SPAN", value_parser = span)]
    timeout: Option<Duration>,
    /// Give a case up after this long: an error, for it is the harness that hangs, never the target. A case that must
    /// take longer on a real clock is not begun [default: 7min]
    #[arg(long, value_name = "SPAN", value_parser = span)]
    case_timeout: Option<Duration>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Verdicts")]
struct Verdicts {
    /// What makes a run fail although it need not: a violated SHOULD, a case that we could not judge
    #[arg(long, value_name = "WHAT", value_enum, value_delimiter = ',')]
    deny: Vec<DenyWord>,
    /// Count the points of unsupported cases as possible
    #[arg(long)]
    require_all: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
struct Output {
    /// `junit`, `json` or `human`, into the directory of the run or to a file; `-` is stdout
    #[arg(long = "report", value_name = "KIND[=PATH]")]
    reports: Vec<Wanted>,
    /// Where run.jsonl, junit.xml and further reports go [default: reports/out/<target>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// What is written to stdout
    #[arg(long, value_name = "FORMAT", default_value = "human", value_enum)]
    format: RunFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DenyWord {
    Should,
    Inconclusive,
}

fn scale(text: &str) -> Result<f64, String> {
    let scale: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if scale.is_finite() && (0.01..=1000.0).contains(&scale) {
        Ok(scale)
    } else {
        Err("must be between 0.01 and 1000".into())
    }
}

/// `-j`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Jobs {
    Auto,
    Fixed(NonZeroUsize),
}

impl FromStr for Jobs {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        text.parse().map(Self::Fixed).map_err(|_| "a number from 1, or `auto`")
    }
}

/// A span as cases write it: `500ms`, `2s`, `1min`.
fn span(text: &str) -> Result<Duration, String> {
    match parse_expr(text) {
        Ok(Expr::Duration(span)) if !span.is_zero() => Ok(span),
        _ => Err("a span is a number and a unit: `500ms`, `90s`, `5min`".into()),
    }
}

pub(super) fn main(arguments: &Arguments, streams: &mut Streams) -> Result<Exit, Failure> {
    let mut target = target::resolve(&arguments.target, arguments.mutant, streams)?;
    let directory = match &arguments.output.out {
        Some(directory) => directory.clone(),
        None => PathBuf::from("reports/out").join(&target.name),
    };
    target.prepare(&directory.join("build.log"), streams)?;
    target.profile.timing.scale *= arguments.how.timeout_scale;
    let limit = arguments.how.case_timeout.unwrap_or(CASE_LIMIT);
    let selected = corpus::jobs(&arguments.select, &target, arguments.how.seed, limit, streams)?;
    let faded = Faded::new(&selected);
    let (mut jobs, name) = (selected.jobs, target.name.clone());
    if let Some(share) = arguments.how.partition {
        let partition = share.resolve(variable)?;
        jobs = partition.keep(jobs, |job| (&job.info.id, job.info.family));
        if jobs.is_empty() {
            return Err(Failure::nothing_selected("this share of the run holds no case"));
        }
    }
    // Not before: what runs nothing leaves nothing.
    outputs::directory(&directory)?;
    let durations = if target.is_virtual() { Durations::new() } else { durations::read(&directory) };
    let is_timed = !target.is_virtual();
    let record = directory.join("run.jsonl");
    let sinks = Sinks::new(arguments, streams, outputs::create(&record)?, jobs.len());
    let (run, ended, failures) = execute(arguments, target, jobs, &durations, sinks)?;
    if is_timed {
        durations::write(&directory, durations, &run.cases)?;
    }
    let require_all = arguments.verdicts.require_all;
    let summary = run.summary(require_all);
    let junit = Wanted::usual(Kind::Junit);
    for report in std::iter::once(&junit).chain(&arguments.output.reports) {
        report.write(&run, require_all, Some(&directory), streams)?;
    }
    if arguments.output.format == RunFormat::Json {
        streams.print(&Kind::Json.render(&run, require_all, streams.out_look()))?;
    }
    for (glob, cases) in faded.of(&run.cases) {
        let cases = count(cases, "case");
        streams.note(&format!(
            "warning: `deviations` of {name} is stale: of {cases} none deviates in `{glob}` any more\n"
        ));
    }
    let palette = streams.err_look().palette;
    let line = format!("{:>12} {}", "Reports", shown(&directory));
    streams.note(&format!("{}\n", paint(palette.dim, line)));
    // Told last: what could be written has been.
    if let Some(failure) = failures.first() {
        return Err(Failure::harness(failure));
    }
    conclude(&summary, &ended, run.started.jobs, streams)
}

#[allow(clippy::disallowed_methods, reason = "the command line owns the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// From what the run says to the exit code.
fn conclude(summary: &Summary, ended: &Ended, lanes: usize, streams: &Streams) -> Result<Exit, Failure> {
    if let Some(error) = ended.setup_error() {
        return Err(Failure::from(error));
    }
    for error in &ended.lanes_lost {
        streams.note(&format!("warning: went on with fewer lanes: {error}\n"));
    }
    if let Some(low) = ended.lanes_low {
        streams
            .note(&format!("     Lanes   {low} of {lanes} at times: this machine was too busy for more\n"));
    }
    if ended.timed_out {
        let left = count(ended.left, "case");
        return Err(Failure::harness(format!(
            "the run took longer than `--timeout` allows; {left} did not run"
        ))
        .hint("the reports tell of those that did; `-j` and `--partition` make a run shorter"));
    }
    Ok(exit_of(summary.conclusion()))
}

pub(super) fn exit_of(conclusion: Conclusion) -> Exit {
    match conclusion {
        Conclusion::Conformant => Exit::Success,
        Conclusion::Violated => Exit::Violated,
        Conclusion::HarnessFailed => Exit::Harness,
        Conclusion::Interrupted => Exit::Interrupted,
    }
}

/// Runs the jobs on a runtime of its own and collects what came of it.
fn execute(
    arguments: &Arguments,
    target: Target,
    jobs: Vec<Job>,
    durations: &Durations,
    mut sinks: Sinks,
) -> Result<(Run, Ended, Vec<String>), Failure> {
    let how = &arguments.how;
    let known = durations;
    let durations = if target.is_virtual() { Durations::new() } else { run::foresee(&jobs, known, cpus()) };
    let most = if target.is_virtual() { cpus() } else { target.lanes_most(cpus()) };
    let (lanes, lanes_least) = match how.jobs {
        Jobs::Fixed(lanes) => (lanes, lanes),
        Jobs::Auto if target.is_virtual() => (most, most),
        Jobs::Auto => {
            let lanes = run::enough_lanes(&jobs, known, &durations, how.repeat.get(), cpus(), most);
            // However late they are: so few cost next to nothing, so it is others who do.
            (lanes, run::LEAST_EACH.saturating_mul(cpus()).min(lanes))
        }
    };
    let deny = |word| arguments.verdicts.deny.contains(&word);
    let options = Options {
        lanes,
        lanes_least,
        retries: how.retries,
        repeat: how.repeat,
        fail_fast: how.fail_fast,
        case_limit: how.case_timeout.unwrap_or(CASE_LIMIT),
        run_limit: how.timeout,
        durations,
        deny: Deny { should: deny(DenyWord::Should), inconclusive: deny(DenyWord::Inconclusive) },
        ..Options::default()
    };
    let started = RunStarted {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        target: target.name.clone(),
        wire: target.wire.to_owned(),
        seed: arguments.how.seed,
        jobs: lanes.get(),
        cases: jobs.len(),
        started_unix_ms: unix_ms(),
    };
    let is_timed = !target.is_virtual();
    let keeps_order = !target.is_on_veth() || crate::lab::steering::is_known();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(lanes.min(cpus()).get())
        .on_thread_start(move || {
            if is_timed {
                // Where it may not, what is late is tried again.
                let _may = crate::lab::priority::go_first();
            }
            if !keeps_order {
                crate::lab::steering::keep_to_one_processor();
            }
        })
        .build()
        .map_err(|error| Failure::harness(format!("cannot start threads: {error}")))?;
    let ended = runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        interrupt::watch(stop, sinks.bar.clone());
        run::run(started.clone(), jobs, target.maker, options, stopped, |event| sinks.event(event)).await
    });
    // A lane that hangs must not keep the process.
    runtime.shutdown_background();
    let Sinks { cases, finished, failures, .. } = sinks;
    let finished = finished.expect("a run always ends with `RunFinished`");
    Ok((Run::new(started, cases, finished), ended, failures))
}

fn cpus() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

#[allow(clippy::disallowed_methods, reason = "when a run began is the record's only wall-clock time")]
fn unix_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// Where events go: the two reports that follow the run, and the memory of the others.
struct Sinks {
    terminal: Box<dyn Report>,
    recorder: Recorder<BufWriter<File>>,
    bar: ProgressBar,
    cases: Vec<CaseFinished>,
    finished: Option<RunFinished>,
    /// What could not be written; told once.
    failures: Vec<String>,
}

impl Sinks {
    fn new(arguments: &Arguments, streams: &Streams, record: BufWriter<File>, cases: usize) -> Self {
        let bar = if streams.err_is_terminal() { progress_bar(cases) } else { ProgressBar::hidden() };
        let summary = Summary::new(arguments.verdicts.require_all);
        let (err, shown_bar) = (streams.err(), bar.clone());
        // With JSON on stdout, what a person reads goes to stderr.
        let (results, look): (Box<dyn Write>, _) = match arguments.output.format {
            RunFormat::Human => (Box::new(streams.out()), streams.out_look()),
            RunFormat::Json => (Box::new(streams.err()), streams.err_look()),
        };
        let terminal = Box::new(Terminal::new(results, err, shown_bar, look, summary));
        let recorder = Recorder::new(record);
        Self { terminal, recorder, bar, cases: vec![], finished: None, failures: vec![] }
    }

    fn event(&mut self, event: RunEvent) {
        let shown = self.terminal.event(&event);
        self.remember("the results", shown);
        let recorded = self.recorder.event(&event);
        self.remember("run.jsonl", recorded);
        match event {
            RunEvent::CaseFinished(case) => self.cases.push(*case),
            RunEvent::RunFinished(finished) => self.finished = Some(finished),
            RunEvent::RunStarted(_) | RunEvent::CaseStarted { .. } | RunEvent::CaseSlow { .. } => {}
        }
    }

    fn remember(&mut self, what: &str, done: io::Result<()>) {
        if let Err(error) = done {
            let text = format!("cannot write {what}: {}", super::error::plain(&error));
            if !self.failures.contains(&text) {
                self.failures.push(text);
            }
        }
    }
}

/// How often the bar is drawn anew where nothing happens.
const TICK: Duration = Duration::from_millis(250);

fn progress_bar(cases: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{elapsed:>12} [{bar:16}] {pos}/{len}: {wide_msg}")
        .expect("the template is a constant")
        .progress_chars("=> ");
    let bar =
        ProgressBar::with_draw_target(Some(cases as u64), ProgressDrawTarget::stderr()).with_style(style);
    // Where all cases wait, the clock says that we do not hang.
    bar.enable_steady_tick(TICK);
    bar
}
