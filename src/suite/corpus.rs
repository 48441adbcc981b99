//! All suites together: loading and checking them, and the instances of their cases.

use crate::suite::catalogue::Catalogue;
use crate::suite::check;
use crate::suite::decl::{self, CaseDecl, Library, List, Suite};
use crate::suite::diagnostic::{Code, Diagnostic, Severity, Sink};
use crate::suite::grammar::{self, Shape};
use crate::suite::lower::{Known, Lower};
use crate::suite::model::Case;
use crate::suite::source::{SourceMap, Span};
use crate::suite::suggest;
use crate::suite::yaml;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// One text to load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// As messages show it: `suites/handshake/passive.yaml`.
    pub name: String,
    /// What ids begin with: `handshake/passive`. `fixtures` holds the fixtures.
    pub id: String,
    /// Should be UTF-8.
    pub octets: Cow<'static, [u8]>,
}

impl SourceFile {
    pub fn new(name: impl Into<String>, id: impl Into<String>, octets: impl IntoOctets) -> Self {
        Self { name: name.into(), id: id.into(), octets: octets.into_octets() }
    }
}

/// What a source can be made of.
pub trait IntoOctets {
    fn into_octets(self) -> Cow<'static, [u8]>;
}

impl IntoOctets for &'static str {
    fn into_octets(self) -> Cow<'static, [u8]> {
        Cow::Borrowed(self.as_bytes())
    }
}

impl IntoOctets for String {
    fn into_octets(self) -> Cow<'static, [u8]> {
        Cow::Owned(self.into_bytes())
    }
}

impl IntoOctets for Vec<u8> {
    fn into_octets(self) -> Cow<'static, [u8]> {
        Cow::Owned(self)
    }
}

/// What is to be loaded, and whether it is the whole corpus or a part of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sources {
    pub files: Vec<SourceFile>,
    /// Only of a part: cases that fixtures name may be elsewhere, and lists used elsewhere.
    pub partial: bool,
    /// What could not be read.
    pub problems: Vec<Diagnostic>,
}

/// What cases refer to beyond the suites.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub catalogue: &'a Catalogue,
    /// The ids of the reference's mutants.
    pub mutants: &'a [&'a str],
}

/// What was loaded. Whether it may be used is for the diagnostics to say.
#[derive(Debug, Default)]
pub struct Corpus {
    sources: SourceMap,
    suites: Vec<Suite>,
    library: Library,
}

/// A case as it is written, before its parameters are chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// With the parameters as written: `reset/blind/rst-{place}-in-{state}`.
    pub id: String,
    pub title: String,
    pub instances: usize,
    pub span: Span,
}

/// A fixture, for lists and documentation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ListedFixture<'a> {
    pub id: &'a str,
    pub title: &'a str,
    /// The state the target is in afterwards, as RFC 9293 writes it.
    pub state: Option<&'a str>,
    pub tested_by: &'a str,
}

/// Most instances of all cases together.
const INSTANCES_MAX: usize = 100_000;

/// Reads a file of this id as the fixtures.
pub const FIXTURES_ID: &str = "fixtures";

impl Corpus {
    /// Loads and checks everything. All mistakes are reported at once; with an error among them
    /// the corpus must not be run.
    pub fn load(sources: &Sources, context: Context<'_>) -> (Self, Vec<Diagnostic>) {
        let mut corpus = Self::default();
        let mut sink = Sink::default();
        sources.problems.iter().for_each(|found| sink.push(found.clone()));
        let mut files: Vec<_> = sources.files.iter().collect();
        files.sort_by(|a, b| a.id.cmp(&b.id));
        for file in files {
            corpus.read(file, &mut sink);
        }
        corpus.check(sources.partial, context, &mut sink);
        (corpus, sink.finish())
    }

    /// The texts that diagnostics point into.
    pub fn sources(&self) -> &SourceMap {
        &self.sources
    }

    pub fn suites(&self) -> &[Suite] {
        &self.suites
    }

    /// Every case as it is written.
    pub fn cases(&self) -> impl Iterator<Item = Listed> + '_ {
        self.suites.iter().flat_map(|suite| {
            suite.cases.iter().map(|case| Listed {
                id: format!("{}/{}", suite.id, case.id.value),
                title: case.node.get("title").and_then(yaml::Node::scalar).unwrap_or_default().to_owned(),
                instances: case.instances(),
                span: case.id.span,
            })
        })
    }

    /// Every instance of every case, in the order of files, cases and parameters as written.
    pub fn instances(&self) -> impl Iterator<Item = Case> + '_ {
        self.suites.iter().flat_map(move |suite| {
            let mut lower = Lower::new(&self.sources, &self.library, Some(suite), None);
            let all = suite.cases.iter().flat_map(|case| choices(case).map(move |choice| (case, choice)));
            all.filter_map(move |(case, choice)| lower.case(suite, case, &choice))
        })
    }

    /// The fixtures: what `given:` can name.
    pub fn fixtures(&self) -> impl Iterator<Item = ListedFixture<'_>> + '_ {
        self.library.fixtures.values().map(|fixture| ListedFixture {
            id: &fixture.id.value,
            title: &fixture.title,
            state: fixture.state.as_deref(),
            tested_by: &fixture.tested_by.value,
        })
    }

    fn read(&mut self, file: &SourceFile, sink: &mut Sink) {
        let text = match yaml::decode(&file.name, &file.octets, &mut self.sources) {
            Ok(text) => text,
            Err(found) => return sink.push(*found),
        };
        let at = self.sources.add(&file.name, text);
        let before = sink.errors();
        let Some(root) = yaml::parse(at, &self.sources, sink) else {
            if sink.errors() == before {
                let found =
                    Diagnostic::new(Code::Empty, self.sources.whole(at).slice(0, 0), "the file is empty");
                sink.push(
                    found.help("a suite has a `title:` and `cases:`; `tcpspec new case` writes a first one"),
                );
            }
            return;
        };
        let fixtures = file.id == FIXTURES_ID;
        let shape = if fixtures { Shape::Map(&grammar::FIXTURES) } else { Shape::Map(&grammar::SUITE) };
        check::check(&root, &shape, "the file", sink);
        if fixtures {
            decl::library(&root, &mut self.library, sink);
            return;
        }
        let suite = decl::suite(&file.id, root, sink);
        for part in file.id.split('/').filter(|part| !decl::is_word_name(part)) {
            let message = format!("`{part}` cannot be part of an id: {}", file.name);
            let found = Diagnostic::new(Code::BadId, self.sources.whole(at).slice(0, 0), message);
            sink.push(
                found.help("directories and files of suites are lower-case words, digits and single hyphens"),
            );
        }
        self.suites.push(suite);
    }

    fn check(&self, partial: bool, context: Context<'_>, sink: &mut Sink) {
        let known = Known { catalogue: context.catalogue, mutants: context.mutants };
        let mut ids: BTreeMap<String, Span> = BTreeMap::new();
        let mut shared_used = BTreeSet::new();
        for suite in &self.suites {
            let mut lower = Lower::new(&self.sources, &self.library, Some(suite), Some(known));
            for case in &suite.cases {
                for choice in samples(case) {
                    lower.case(suite, case, &choice);
                }
                lower.unused_axes(case);
                if ids.len() + case.instances() > INSTANCES_MAX {
                    let message = format!("the corpus has more than {INSTANCES_MAX} instances of cases");
                    lower.sink.push(Diagnostic::new(Code::TooMany, case.id.span, message));
                    continue;
                }
                for choice in choices(case) {
                    let Some(id) = lower.full_id(suite, case, &choice) else { continue };
                    if let Some(earlier) = ids.insert(id.clone(), case.id.span) {
                        let found = Diagnostic::new(
                            Code::DuplicateId,
                            case.id.span,
                            format!("the id `{id}` is used twice"),
                        );
                        lower.sink.push(if earlier == case.id.span {
                            found.label("several combinations of its parameters give this id")
                        } else {
                            found.label("again here").context(earlier, "first here")
                        });
                    }
                }
            }
            unused_lists(suite.lists.values(), &lower.lists_used, &mut lower.sink);
            unused_params(suite.lists.values(), &lower.used, &lower.lists_used, &mut lower.sink);
            shared_used.extend(lower.lists_used.iter().copied());
            shared_used.extend(lower.used.iter().copied());
            lower.sink.finish().into_iter().for_each(|found| sink.push(found));
        }
        self.check_library(partial, &ids, shared_used, known, sink);
    }

    fn check_library(
        &self,
        partial: bool,
        ids: &BTreeMap<String, Span>,
        used: BTreeSet<Span>,
        known: Known<'_>,
        sink: &mut Sink,
    ) {
        let mut lower = Lower::new(&self.sources, &self.library, None, Some(known));
        lower.used.clone_from(&used);
        for fixture in self.library.fixtures.values() {
            lower.fixture_alone(fixture);
            for param in &fixture.params {
                if !lower.used.contains(&param.name.span) {
                    lower.sink.push(unused(&param.name));
                }
            }
            let by = &fixture.tested_by;
            if !partial && !ids.contains_key(&by.value) {
                let near = suggest::nearest(&by.value, ids.keys().map(String::as_str));
                let found =
                    Diagnostic::new(Code::UnknownCase, by.span, format!("unknown case `{}`", by.value));
                lower.sink.push(found.suggest(near).help("the full id of a case: directory/file/id"));
            }
        }
        lower.lists_used.extend(used);
        unused_params(self.library.lists.values(), &lower.used, &lower.lists_used, &mut lower.sink);
        if !partial {
            unused_lists(self.library.lists.values(), &lower.lists_used, &mut lower.sink);
        }
        lower.sink.finish().into_iter().for_each(|found| sink.push(found));
    }
}

/// Whether any of them is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|found| found.severity() == Severity::Error)
}

fn unused(name: &crate::suite::source::Loc<String>) -> Diagnostic {
    let found =
        Diagnostic::new(Code::UnusedParameter, name.span, format!("unused parameter `{}`", name.value));
    found.help(format!("use it in an expression, or as `{{{}}}` in a text", name.value))
}

fn unused_lists<'a>(lists: impl Iterator<Item = &'a List>, used: &BTreeSet<Span>, sink: &mut Sink) {
    for list in lists.filter(|list| !used.contains(&list.name.span)) {
        sink.push(Diagnostic::new(
            Code::UnusedList,
            list.name.span,
            format!("the list `{}` is not used", list.name.value),
        ));
    }
}

/// Parameters without effect, of the lists that were looked into.
fn unused_params<'a>(
    lists: impl Iterator<Item = &'a List>,
    used: &BTreeSet<Span>,
    looked: &BTreeSet<Span>,
    sink: &mut Sink,
) {
    for list in lists.filter(|list| looked.contains(&list.name.span)) {
        list.params
            .iter()
            .filter(|param| !used.contains(&param.name.span))
            .for_each(|param| sink.push(unused(&param.name)));
    }
}

/// Every combination of values, the last parameter changing fastest.
fn choices(case: &CaseDecl) -> impl Iterator<Item = Vec<usize>> + use<> {
    let sizes: Vec<usize> = case.axes.iter().map(|axis| axis.values.len()).collect();
    (0..case.instances()).map(move |mut at| {
        let mut choice = vec![0; sizes.len()];
        for (slot, size) in choice.iter_mut().zip(&sizes).rev() {
            *slot = at % size;
            at /= size;
        }
        choice
    })
}

/// The instances that are checked: every value once, with the others at their first. The work
/// grows with the sum of the parameters' values, not with their product.
fn samples(case: &CaseDecl) -> Vec<Vec<usize>> {
    let first = vec![0; case.axes.len()];
    let mut all = vec![first.clone()];
    for (i, axis) in case.axes.iter().enumerate() {
        let last = axis.values.len() - 1;
        let values = if axis.range { last.max(1)..last + 1 } else { 1..last + 1 };
        for value in values {
            let mut choice = first.clone();
            choice[i] = value;
            all.push(choice);
        }
    }
    all
}
