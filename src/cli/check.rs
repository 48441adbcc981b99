//! `tcpspec check`: every mistake in suites and manifests, all at once.

use super::error::Failure;
use super::stream::Streams;
use super::{Exit, corpus};
use crate::report::text::count;
use crate::suite::corpus::{Corpus, FIXTURES_ID, SourceFile};
use crate::suite::diagnostic::{Diagnostic, Severity};
use crate::suite::model::Proof;
use crate::suite::source::SourceMap;
use crate::target::manifest;
use clap::Args;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Look for mistakes in suites and in the manifests of targets, without running anything
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Suites and manifests, files or directories; without any, the suites that `run` would take
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

pub(super) fn main(arguments: &Arguments, streams: &mut Streams) -> Result<Exit, Failure> {
    let mut sources = corpus::sources(&arguments.paths);
    let manifests: Vec<SourceFile> = sources.files.extract_if(.., |file| is_manifest(file)).collect();
    let is_of_suites = manifests.is_empty() || sources.files.iter().any(|file| file.id != FIXTURES_ID);
    let (corpus, found) = corpus::checked(&sources);
    let mut tally = Tally::default();
    tally.tell(&found, corpus.sources(), streams);
    for file in &manifests {
        let mut sources = SourceMap::default();
        let directory = Path::new(&file.name).parent().unwrap_or_else(|| Path::new("."));
        let (_, found) = manifest::read(&file.name, &file.octets, directory, &mut sources);
        tally.tell(&found, &sources, streams);
    }
    let mut checked = Vec::new();
    let mut proofs = String::new();
    if is_of_suites {
        let cases = count(corpus.cases().count(), "case");
        let instances = count(corpus.cases().map(|case| case.instances).sum::<usize>(), "instance");
        checked.push(format!("{} with {cases} ({instances})", count(corpus.suites().len(), "suite")));
        if tally.errors == 0 {
            proofs = proved(&corpus);
        }
    }
    if !manifests.is_empty() {
        checked.push(count(manifests.len(), "manifest"));
    }
    streams.print(&format!("checked {}: {}\n{proofs}", checked.join(", "), tally.said()))?;
    Ok(if tally.errors > 0 { Exit::Usage } else { Exit::Success })
}

/// What stands behind the cases: a line, or nothing where there are none.
fn proved(corpus: &Corpus) -> String {
    // Instances of a case that differ in this are told once each.
    let cases: BTreeSet<_> =
        corpus.instances().map(|case| (case.proof(), case.place.file, case.place.line)).collect();
    let said = |(proof, what): (Proof, &str)| {
        let cases = cases.iter().filter(|(of, ..)| *of == proof).count();
        (cases > 0).then(|| format!("{} {what}", count(cases, "case")))
    };
    let proofs = [
        (Proof::Mutant, "with a mutant to kill"),
        (Proof::Kernel, "for the Linux kernel, where mutants do not reach"),
        (Proof::Never, "of level may, which cannot fail"),
        (Proof::Nothing, "without"),
    ];
    let said: Vec<String> = proofs.into_iter().filter_map(said).collect();
    if said.is_empty() { String::new() } else { format!("proof: {}\n", said.join("; ")) }
}

/// Suites and manifests are told apart by what stands at the left edge: both forms have keys that the other never has.
fn is_manifest(file: &SourceFile) -> bool {
    let has = |keys: &[&str]| {
        let mut lines = file.octets.split(|octet| *octet == b'\n');
        lines.any(|line| keys.iter().any(|key| line.starts_with(key.as_bytes())))
    };
    has(&["name:", "run:", "link:"]) && !has(&["title:", "cases:", "fixtures:"])
}

#[derive(Default)]
struct Tally {
    errors: usize,
    warnings: usize,
}

impl Tally {
    fn tell(&mut self, found: &[Diagnostic], sources: &SourceMap, streams: &Streams) {
        for diagnostic in found {
            streams.note(&format!("{}\n\n", corpus::shown_one(diagnostic, sources, streams)));
        }
        let errors = found.iter().filter(|d| d.severity() == Severity::Error).count();
        self.errors += errors;
        self.warnings += found.len() - errors;
    }

    fn said(&self) -> String {
        match (self.errors, self.warnings) {
            (0, 0) => "no mistakes".to_owned(),
            (0, warnings) => count(warnings, "warning"),
            (errors, 0) => count(errors, "error"),
            (errors, warnings) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
        }
    }
}
