//! What several tests share: the shipped corpus, planned for the reference.

#![allow(dead_code, reason = "every test takes what it needs")]

use std::path::{Path, PathBuf};
use tcpspec::plan::{Plan, Planned, Reference, plan};
use tcpspec::suite::catalogue::{Catalogue, Requirement};
use tcpspec::suite::corpus::{Context, Corpus, SourceFile, has_errors};
use tcpspec::suite::diagnostic::{Style, render_all};
use tcpspec::suite::disk;
use tcpspec::suite::model::{Case, Family};
use tcpspec::suite::source::SourceMap;
use tcpspec::target::manifest::find::find;
use tcpspec::target::manifest::read;
use tcpspec::target::profile::Profile;
use tcpspec::target::reference::profile;
use tcpspec_reference::Mutant;

pub(crate) const SEED: u64 = 42;

/// A plan for every case and family that the reference can run.
pub(crate) fn plans() -> Vec<Plan> {
    planned(&profile(), &|_, _| true)
}

/// The same for a variant of the reference, by the name of its manifest.
pub(crate) fn plans_of(variant: &str) -> Vec<Plan> {
    let found = find(variant).expect("a manifest");
    let mut sources = SourceMap::default();
    let (manifest, mistakes) = read(&found.name, &found.text, Path::new("/"), &mut sources);
    let manifest = manifest.unwrap_or_else(|| panic!("{}", render_all(&mistakes, &sources, Style::Plain)));
    planned(&manifest.profile, &|_, _| true)
}

/// A plan for every case that a target of this profile can run, and that is asked for.
pub(crate) fn planned(profile: &Profile, wanted: &dyn Fn(&Case, Family) -> bool) -> Vec<Plan> {
    planned_beside(Vec::new(), profile, wanted)
}

/// The same with more suites than those that are shipped.
pub(crate) fn planned_beside(
    more: Vec<SourceFile>,
    profile: &Profile,
    wanted: &dyn Fn(&Case, Family) -> bool,
) -> Vec<Plan> {
    // Relative, so that files are called as in a report.
    let mut sources = disk::read(&[PathBuf::from("suites")]);
    sources.files.extend(more);
    let catalogue = Catalogue::embedded();
    let mutants: Vec<&str> = Mutant::ALL.iter().map(|mutant| mutant.id()).collect();
    let (corpus, diagnostics) = Corpus::load(&sources, Context { catalogue, mutants: &mutants });
    let mistakes = render_all(&diagnostics, corpus.sources(), Style::Plain);
    assert!(!has_errors(&diagnostics), "the corpus has mistakes:\n{mistakes}");
    let cite = |id: &str| {
        let found = catalogue.get(id);
        Reference {
            id: id.to_owned(),
            title: found.map(|r| r.title.clone()).unwrap_or_default(),
            source: found.map(Requirement::citation).unwrap_or_default(),
        }
    };
    let mut plans = Vec::new();
    for case in corpus.instances() {
        for family in &case.families {
            match plan(&case, *family, SEED, profile, &cite).expect("a plan") {
                Planned::Ready(plan) if wanted(&case, *family) => plans.push(*plan),
                Planned::Ready(_) | Planned::Unsupported { .. } => {}
            }
        }
    }
    assert!(!plans.is_empty(), "no case can run");
    plans
}
