//! `tcpspec explain`: a case as a story, a diagnostic code, a requirement or a bug, in words.

mod live;
mod sentence;
mod story;

use super::error::Failure;
use super::stream::Streams;
use super::target::{self, TargetArguments};
use super::{Exit, corpus};
use crate::plan::{Planned, plan};
use crate::report::style::{Look, paint};
use crate::report::text::{clean, count, wrap};
use crate::suite::catalogue::{Catalogue, Requirement};
use crate::suite::corpus::Corpus;
use crate::suite::diagnostic::Code;
use crate::suite::model::{Case, Family};
use clap::Args;
use std::fmt::Write;
use std::path::PathBuf;
use tcpspec_reference::Mutant;

/// How many other cases a list names.
const LISTED_MAX: usize = 10;

/// Explain a case, a requirement, a bug of the reference or a diagnostic code
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The id of a case, or a code as `E031`
    #[arg(value_name = "CASE|CODE")]
    what: String,
    /// Suites to take the case from, instead of the shipped ones
    #[arg(long, value_name = "PATH")]
    suites: Vec<PathBuf>,
    /// The address family of the exchange that is shown
    #[arg(long, value_name = "FAMILY", default_value = "4", value_parser = ["4", "6"])]
    family: String,
}

pub(super) fn main(arguments: &Arguments, streams: &mut Streams) -> Result<Exit, Failure> {
    let what = arguments.what.trim();
    let look = streams.out_look();
    if let Some(code) = Code::parse(what) {
        streams.print(&code_text(code, look))?;
        return Ok(Exit::Success);
    }
    let corpus = corpus::load_valid(&arguments.suites, streams)?;
    if let Some(row) = Catalogue::embedded().get(what) {
        streams.print(&requirement_text(row, &corpus, look))?;
        return Ok(Exit::Success);
    }
    if let Some(mutant) = Mutant::from_id(what) {
        streams.print(&mutant_text(mutant, &corpus, look))?;
        return Ok(Exit::Success);
    }
    let selection = corpus::selection(&[what.to_owned()], None, streams)?;
    let all: Vec<Case> = corpus.instances().collect();
    let found: Vec<&Case> = all.iter().filter(|case| selection.matches(case, Family::V4)).collect();
    let Some(case) = found.first() else {
        let ids: Vec<String> = all.iter().map(|case| case.id.clone()).collect();
        let failure = Failure::nothing_selected(format!("nothing is called `{what}`"));
        return Err(match selection.unmatched(&ids).first() {
            Some((_, Some(near))) => failure.hint(format!("did you mean `{near}`?")),
            _ => failure.hint("say the id of a case (`tcpspec list`), of a requirement, or a code as `E031`"),
        });
    };
    let wanted = if arguments.family == "6" { Family::V6 } else { Family::V4 };
    let family = if case.families.contains(&wanted) { wanted } else { case.families[0] };
    streams.print(&case_text(case, family, look, streams)?)?;
    if found.len() > 1 {
        streams.note(&format!("\n{} that `{what}` names too:\n", count(found.len() - 1, "case")));
        for other in found.iter().skip(1).take(LISTED_MAX) {
            streams.note(&format!("  {}\n", clean(&other.id)));
        }
        if found.len() - 1 > LISTED_MAX {
            streams.note(&format!("  ... and {} more\n", found.len() - 1 - LISTED_MAX));
        }
    }
    Ok(Exit::Success)
}

/// The story, and what came of it when the reference was asked.
fn case_text(case: &Case, family: Family, look: Look, streams: &Streams) -> Result<String, Failure> {
    let target = target::resolve(&TargetArguments::reference(), None, streams)?;
    let planned = plan(case, family, target::SEED, &target.profile, &corpus::cite)
        .map_err(|error| Failure::usage(error.to_string()))?;
    Ok(match planned {
        Planned::Ready(plan) => {
            let plan = (*plan).into();
            let tried = crate::lane::sim::run(&plan, None);
            story::tell(case, &plan.case, Some((&plan, &tried)), look)
        }
        Planned::Unsupported { info, reason } => {
            let mut text = story::tell(case, &info, None, look);
            let _ = writeln!(text, "\nThe reference does not run it: {}.", clean(&reason));
            text
        }
    })
}

fn code_text(code: Code, look: Look) -> String {
    let head = paint(look.palette.strong, format!("{code}: {}", code.title()));
    format!("{head}\n\n{}\n", code.explain())
}

fn requirement_text(row: &Requirement, corpus: &Corpus, look: Look) -> String {
    let mut text = paint(look.palette.strong, &row.id);
    for part in [row.citation(), row.word.clone().unwrap_or_default()] {
        if !part.is_empty() {
            let _ = write!(text, "  {part}");
        }
    }
    text.push_str("\n\n");
    for line in wrap(&clean(&row.title), look.width - 2) {
        let _ = writeln!(text, "  {line}");
    }
    if !row.testable {
        text.push_str("\n  Nothing outside of a target can show whether it does this.\n");
    }
    cases(&mut text, "Cases that cite it", corpus, |case| case.refs.contains(&row.id));
    text
}

fn mutant_text(mutant: Mutant, corpus: &Corpus, look: Look) -> String {
    let mut text = format!("{}\n\n", paint(look.palette.strong, mutant.id()));
    for line in wrap(mutant.sentence(), look.width - 2) {
        let _ = writeln!(text, "  {line}");
    }
    let _ = writeln!(text, "\n  Breaks {}. Seen: {}.", mutant.requirement(), mutant.source());
    let _ = writeln!(text, "  Try it: tcpspec run --mutant {}", mutant.id());
    cases(&mut text, "Cases that must catch it", corpus, |case| {
        case.kills.iter().any(|id| id == mutant.id())
    });
    text
}

fn cases(text: &mut String, title: &str, corpus: &Corpus, wanted: impl Fn(&Case) -> bool) {
    let ids: Vec<String> = corpus.instances().filter(wanted).map(|case| case.id).collect();
    let _ = writeln!(text, "\n{title}:{}", if ids.is_empty() { " none" } else { "" });
    for id in &ids {
        let _ = writeln!(text, "  {}", clean(id));
    }
}
