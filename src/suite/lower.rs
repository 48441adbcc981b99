//! From the tree of a case to [`model::Case`], with one value chosen for every parameter.
//!
//! Lowering reports what it finds and carries on: a field that cannot be understood is left out,
//! so that the next mistake is found too. A case with an error never runs, so what is left out
//! does not matter.

mod case;
mod fields;
mod linux;
mod live;
mod steps;
mod values;

use crate::suite::catalogue::Catalogue;
use crate::suite::decl::{FixtureDecl, Library, List, Suite};
use crate::suite::diagnostic::{Code, Diagnostic, Sink};
use crate::suite::model;
use crate::suite::scope::{Env, Labels};
use crate::suite::source::{SourceMap, Span};
use crate::suite::suggest;
use std::collections::{BTreeMap, BTreeSet};

/// Most steps of one case, with all lists and fixtures in place.
const STEPS_MAX: usize = 2_000;
/// Deepest nesting of lists and fixtures.
const NESTING_MAX: usize = 16;

/// What else a case may refer to.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) mutants: &'a [&'a str],
}

/// A name that nothing stands for so far: a label of that name may still come.
struct Pending {
    head: String,
    found: Diagnostic,
}

pub(super) struct Lower<'a> {
    sources: &'a SourceMap,
    library: &'a Library,
    lists: &'a BTreeMap<String, List>,
    known: Option<Known<'a>>,
    pub(super) sink: Sink,
    /// Declarations of parameters that had an effect.
    pub(super) used: BTreeSet<Span>,
    /// Declarations of lists that were used.
    pub(super) lists_used: BTreeSet<Span>,
    labels: Labels,
    pending: Vec<Pending>,
    /// Where the value of a parameter should be that was not given; that has been reported.
    missing: BTreeSet<Span>,
    /// Lists and fixtures that are being put in place.
    inside: Vec<&'a str>,
    budget: usize,
    /// Who the peer is in the case at hand.
    mode: model::Mode,
    /// What kinds of proof the case's own steps give.
    silences: Vec<Span>,
    proofs: usize,
}

impl<'a> Lower<'a> {
    pub(super) fn new(
        sources: &'a SourceMap,
        library: &'a Library,
        suite: Option<&'a Suite>,
        known: Option<Known<'a>>,
    ) -> Self {
        Self {
            sources,
            library,
            lists: suite.map_or(&library.lists, |suite| &suite.lists),
            known,
            sink: Sink::default(),
            used: BTreeSet::new(),
            lists_used: BTreeSet::new(),
            labels: Labels::default(),
            pending: Vec::new(),
            missing: BTreeSet::new(),
            inside: Vec::new(),
            budget: STEPS_MAX,
            mode: model::Mode::Scripted,
            silences: Vec::new(),
            proofs: 0,
        }
    }

    /// Forgets what belonged to one instance.
    fn restart(&mut self) {
        self.labels = Labels::default();
        self.pending.clear();
        self.inside.clear();
        self.budget = STEPS_MAX;
        self.silences.clear();
        self.proofs = 0;
    }

    fn push(&mut self, found: Diagnostic) {
        self.sink.push(found);
    }

    /// At the end of a case: which of the unknown names are labels that come too late.
    fn settle(&mut self) {
        for Pending { head, found } in std::mem::take(&mut self.pending) {
            let Some(label) = self.labels.known.get(&head) else {
                self.sink.push(found);
                continue;
            };
            let Some(span) = found.span else { continue };
            let message = format!("the label `{head}` is used before its step");
            let found = Diagnostic::new(Code::LabelTooEarly, span, message).label("used here");
            self.sink.push(found.context(label.span, "the step that it names"));
        }
    }

    /// Lowers a fixture by itself, with its defaults: one that no case uses is checked too.
    pub(super) fn fixture_alone(&mut self, fixture: &'a FixtureDecl) {
        for mode in [model::Mode::Scripted, model::Mode::Live] {
            let ways = &fixture.ways;
            if mode == model::Mode::Live && !ways.iter().any(|way| way.mode == Some(mode)) {
                continue;
            }
            self.restart();
            self.mode = mode;
            self.fixture(fixture, fixture.id.span, None, &Env::default());
            self.settle();
        }
    }

    fn list_named(&self, name: &str) -> Option<&'a List> {
        self.lists.get(name).or_else(|| self.library.lists.get(name))
    }

    fn enter(&mut self, name: &'a str, span: Span) -> bool {
        if self.inside.len() >= NESTING_MAX {
            let message = format!("lists or fixtures are nested more than {NESTING_MAX} deep");
            self.push(Diagnostic::new(Code::TooMany, span, message));
            return false;
        }
        if !self.inside.contains(&name) {
            self.inside.push(name);
            return true;
        }
        let path: Vec<_> = self.inside.iter().copied().chain([name]).collect();
        self.push(
            Diagnostic::new(Code::Recursion, span, format!("`{name}` uses itself")).note(path.join(" uses ")),
        );
        false
    }

    /// One step or call fewer to go; says so once when there are none left.
    fn spend(&mut self, span: Span) -> bool {
        match self.budget {
            0 => false,
            1 => {
                self.budget = 0;
                let message = format!("the case has more than {STEPS_MAX} steps with its lists in place");
                self.push(Diagnostic::new(Code::TooMany, span, message));
                false
            }
            _ => {
                self.budget -= 1;
                true
            }
        }
    }

    fn unknown_word(&mut self, code: Code, span: Span, what: &str, word: &str, known: &[&str]) {
        let near = self.nearest(word, known.iter().copied());
        let found = Diagnostic::new(code, span, format!("unknown {what} `{word}`")).suggest(near);
        let few: Vec<_> = known.iter().copied().take(24).collect();
        let more = if known.len() > few.len() { ", ..." } else { "" };
        let help = match few.is_empty() {
            true => format!("there is no {what} here"),
            false => format!("there is {}{more}", few.join(", ")),
        };
        self.push(found.help(help));
    }

    /// What was perhaps meant. Not asked once there are so many mistakes that nobody reads the answers.
    fn nearest<'k>(&self, word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
        if self.sink.is_crowded() { None } else { suggest::nearest(word, known) }
    }

    fn place(&self, span: Span) -> model::Place {
        self.sources.place(span)
    }
}
