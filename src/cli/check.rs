//! `tcpspec check`: every mistake in the suites, all at once.

use super::error::Failure;
use super::stream::Streams;
use super::{Exit, corpus};
use crate::report::text::count;
use crate::suite::diagnostic::Severity;
use clap::Args;
use std::path::PathBuf;

/// Look for mistakes in suites, without running anything
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Suites, files or directories; without any, the suites that `run` would take
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

pub(super) fn main(arguments: &Arguments, streams: &mut Streams) -> Result<Exit, Failure> {
    let (corpus, found) = corpus::load(&arguments.paths);
    for diagnostic in &found {
        let text = corpus::shown_one(diagnostic, corpus.sources(), streams);
        streams.note(&format!("{text}\n\n"));
    }
    let errors = found.iter().filter(|d| d.severity() == Severity::Error).count();
    let mistakes = match (errors, found.len() - errors) {
        (0, 0) => "no mistakes".to_owned(),
        (0, warnings) => count(warnings, "warning"),
        (errors, 0) => count(errors, "error"),
        (errors, warnings) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    };
    let suites = count(corpus.suites().len(), "suite");
    let cases = count(corpus.cases().count(), "case");
    let instances = count(corpus.cases().map(|case| case.instances).sum(), "instance");
    streams.print(&format!("checked {suites} with {cases} ({instances}): {mistakes}\n"))?;
    Ok(if errors > 0 { Exit::Usage } else { Exit::Success })
}
