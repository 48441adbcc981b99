//! From paths and a selection to jobs: everything that stands between the command line and the suites.

use super::error::Failure;
use super::select::SelectArguments;
use super::stream::Streams;
use super::target::{self, Target, TargetArguments};
use crate::lane::oracle::Oracle;
use crate::plan::{CaseInfo, PlanError, Planned, Reference, plan};
use crate::run::{Job, Work, too_long};
use crate::suite::catalogue::{Catalogue, Requirement};
use crate::suite::corpus::{Context, Corpus, Sources, has_errors};
use crate::suite::diagnostic::{self, Diagnostic, render_all};
use crate::suite::model::{Case, Family};
use crate::suite::select::Selection;
use crate::suite::source::SourceMap;
use crate::suite::{disk, embedded};
use crate::target::deviation::Deviation;
use crate::target::manifest::Waiver;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tcpspec_reference::Mutant;

/// In a checkout the suites are read from here.
const CHECKOUT: &str = "suites";

/// Loads and checks the suites: these, or those of the checkout, or those in the program.
pub(super) fn load(paths: &[PathBuf]) -> (Corpus, Vec<Diagnostic>) {
    let mutants: Vec<&str> = Mutant::ALL.iter().map(|mutant| mutant.id()).collect();
    let context = Context { catalogue: Catalogue::embedded(), mutants: &mutants };
    Corpus::load(&sources(paths), context)
}

fn sources(paths: &[PathBuf]) -> Sources {
    if !paths.is_empty() {
        disk::read(paths)
    } else if Path::new(CHECKOUT).join("fixtures.yaml").is_file() {
        disk::read(&[CHECKOUT.into()])
    } else {
        embedded::sources()
    }
}

/// Like [`load`], for commands that need a corpus without errors. Warnings are for `check`.
pub(super) fn load_valid(paths: &[PathBuf], streams: &Streams) -> Result<Corpus, Failure> {
    let (corpus, mut found) = load(paths);
    if !has_errors(&found) {
        return Ok(corpus);
    }
    found.retain(|diagnostic| diagnostic.severity() == diagnostic::Severity::Error);
    streams.note(&shown(&found, corpus.sources(), streams));
    Err(Failure::said())
}

/// One diagnostic as text, for stderr.
pub(super) fn shown_one(found: &Diagnostic, sources: &SourceMap, streams: &Streams) -> String {
    diagnostic::render(found, sources, style(streams))
}

fn style(streams: &Streams) -> diagnostic::Style {
    if streams.err_look().is_color() { diagnostic::Style::Colour } else { diagnostic::Style::Plain }
}

/// Diagnostics as text, and a line that counts them.
pub(super) fn shown(found: &[Diagnostic], sources: &SourceMap, streams: &Streams) -> String {
    render_all(found, sources, style(streams))
}

/// The requirement behind an id, as a failure shows it.
pub(super) fn cite(id: &str) -> Reference {
    let found = Catalogue::embedded().get(id);
    Reference {
        id: id.to_owned(),
        title: found.map(|row| row.title.clone()).unwrap_or_default(),
        source: found.map(Requirement::citation).unwrap_or_default(),
    }
}

/// What the patterns and the filter mean; mistakes in them are shown like those in suites.
pub(super) fn selection(
    patterns: &[String],
    filter: Option<&str>,
    streams: &Streams,
) -> Result<Selection, Failure> {
    Selection::parse(patterns, filter).map_err(|rejected| {
        streams.note(&shown(&rejected.diagnostics, &rejected.sources, streams));
        Failure::said()
    })
}

/// What is selected.
pub(super) struct Selected {
    /// The case instances, planned for the target, in the order of (id, family).
    pub(super) jobs: Vec<Job>,
    /// The known deviations of the target that are asked in part only, by the cases that they name.
    pub(super) in_part: BTreeSet<String>,
}

/// The case instances that are selected, planned for the target, in the order of (id, family). On a real clock none may
/// take longer than `limit`.
pub(super) fn jobs(
    arguments: &SelectArguments,
    target: &Target,
    seed: u64,
    limit: Duration,
    streams: &Streams,
) -> Result<Selected, Failure> {
    let selection = selection(&arguments.select, arguments.filter.as_deref(), streams)?;
    let corpus = load_valid(&arguments.suites, streams)?;
    let known = deviations(target);
    let oracle = Oracle::new(&target.profile);
    let limit = (!target.is_virtual()).then_some(limit);
    let mut jobs = Vec::new();
    let mut slow = 0;
    let mut ids = Vec::new();
    let mut in_part = BTreeSet::new();
    for case in corpus.instances() {
        for family in case.families.iter().copied() {
            let is_selected = arguments.families().contains(&family)
                && selection.matches(&case, family)
                && case.level >= arguments.level();
            let is_too_slow = case.slow && !arguments.slow && !target.is_virtual();
            if is_selected && !is_too_slow {
                jobs.push(job(&case, family, seed, target, &known, &oracle, limit)?);
                continue;
            }
            slow += usize::from(is_selected);
            in_part.extend(deviation(&case, family, &known).map(|known| known.cases.clone()));
        }
        ids.push(case.id);
    }
    jobs.sort_by(|a, b| (&a.info.id, a.info.family).cmp(&(&b.info.id, b.info.family)));
    if arguments.suites.is_empty() {
        stale(target, &ids, streams);
    }
    let unmatched = selection.unmatched(&ids);
    if jobs.is_empty() {
        return Err(nothing(arguments, &unmatched, ids.len(), slow));
    }
    for (pattern, near) in unmatched {
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        streams.note(&format!("warning: no case matches `{pattern}`{near}\n"));
    }
    Ok(Selected { jobs, in_part })
}

/// Every case for every family on the reference, in order: for commands that are about the suites.
pub(super) fn every(suites: &[PathBuf], seed: u64, streams: &Streams) -> Result<Vec<Job>, Failure> {
    let corpus = load_valid(suites, streams)?;
    let target = target::resolve(&TargetArguments::reference(), None, streams)?;
    let oracle = Oracle::new(&target.profile);
    let mut jobs = Vec::new();
    for case in corpus.instances() {
        for family in &case.families {
            jobs.push(job(&case, *family, seed, &target, &[], &oracle, None)?);
        }
    }
    if jobs.is_empty() { Err(Failure::nothing_selected("the suites hold no cases")) } else { Ok(jobs) }
}

fn job(
    case: &Case,
    family: Family,
    seed: u64,
    target: &Target,
    known: &[(Selection, Deviation)],
    oracle: &Oracle,
    limit: Option<Duration>,
) -> Result<Job, Failure> {
    let failed = |error: PlanError| Failure::usage(error.to_string()).hint(format!("see {}", case.place));
    let planned = plan(case, family, seed, &target.profile, &cite).map_err(failed)?;
    let (info, work): (CaseInfo, Work) = match planned {
        Planned::Ready(plan) => {
            let unfair = oracle.unfair(case, family, seed).map_err(failed)?;
            let why_not = unfair.or_else(|| too_long(&plan, limit?));
            (plan.case.clone(), why_not.map_or(Work::Run(plan), Work::Unsupported))
        }
        Planned::Unsupported { info, reason } => (*info, Work::Unsupported(reason)),
    };
    let work = match (waived(case, family, target), &target.absent) {
        (Some(because), _) => Work::Unsupported(format!("waived: {because}")),
        (None, Some(why)) => Work::Unsupported(format!("{} cannot be had here: {why}", target.name)),
        (None, None) => work,
    };
    let deviation = deviation(case, family, known).cloned();
    Ok(Job { info, work, fresh: case.fresh, deviation })
}

/// The first that names the case counts.
fn deviation<'a>(case: &Case, family: Family, known: &'a [(Selection, Deviation)]) -> Option<&'a Deviation> {
    known.iter().find(|(cases, _)| cases.matches(case, family)).map(|(_, known)| known)
}

/// Says which rules of the target's manifest name no case: they were written for another corpus, or are mistyped.
fn stale(target: &Target, ids: &[String], streams: &Streams) {
    let waivers = target.waivers.iter().map(|waiver| ("waive", &waiver.cases));
    let deviations = target.deviations.iter().map(|known| ("deviations", &known.cases));
    for (key, cases) in waivers.chain(deviations) {
        let Ok(selection) = Selection::parse(std::slice::from_ref(cases), None) else { continue };
        if !selection.unmatched(ids).is_empty() {
            let name = &target.name;
            streams.note(&format!("warning: `{key}` of {name} is stale: no case matches `{cases}`\n"));
        }
    }
}

/// Why the target's manifest does not ask this case of it.
fn waived<'a>(case: &Case, family: Family, target: &'a Target) -> Option<&'a str> {
    let names = |waiver: &&Waiver| {
        let cases = Selection::parse(std::slice::from_ref(&waiver.cases), None);
        cases.is_ok_and(|cases| cases.matches(case, family))
    };
    target.waivers.iter().find(names).map(|waiver| waiver.because.as_str())
}

/// The known deviations of the target, each with the cases that it names.
fn deviations(target: &Target) -> Vec<(Selection, Deviation)> {
    let known = target.deviations.iter();
    let cases = |known: &Deviation| Selection::parse(std::slice::from_ref(&known.cases), None).ok();
    known.filter_map(|known| Some((cases(known)?, known.clone()))).collect()
}

fn nothing(
    arguments: &SelectArguments,
    unmatched: &[(&str, Option<&str>)],
    all: usize,
    slow: usize,
) -> Failure {
    let failure = Failure::nothing_selected("no case is selected");
    if let [(pattern, near), ..] = unmatched {
        let failure = Failure::nothing_selected(format!("no case matches `{pattern}`"));
        if Path::new(pattern).exists() {
            return failure.hint(format!("for the cases of a file or directory: `--suites {pattern}`"));
        }
        return match near {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint("`tcpspec list` shows what can be selected"),
        };
    }
    if slow > 0 {
        failure.hint("all that is selected takes over 10 s: add `--slow`")
    } else if all == 0 {
        failure.hint("the suites hold no cases")
    } else if arguments.filter.is_some() {
        failure.hint("the filter leaves nothing: `tcpspec list` shows what it could match")
    } else {
        failure.hint("`--level`, `--family` and `--partition` leave nothing")
    }
}

/// Why a job would not run.
pub(super) fn why_not(job: &Job) -> Option<&str> {
    match &job.work {
        Work::Run(_) => None,
        Work::Unsupported(reason) => Some(reason),
    }
}
