//! What a file declares, before any parameter is chosen: cases, named lists, fixtures.

use crate::suite::diagnostic::{Code, Diagnostic, Sink};
use crate::suite::model::Mode;
use crate::suite::names;
use crate::suite::source::{Loc, Span};
use crate::suite::suggest;
use crate::suite::yaml::{Entry, Kind, Node};
use std::collections::BTreeMap;

/// Most values of one parameter of `for:`.
const VALUES_MAX: i64 = 10_000;
/// Most instances of one case.
const INSTANCES_MAX: usize = 20_000;

/// A file of cases.
#[derive(Debug)]
pub struct Suite {
    /// `handshake/passive`: what the ids of its cases begin with.
    pub id: String,
    pub title: String,
    pub about: Option<String>,
    /// The whole file, for what cases inherit.
    pub(super) root: Node,
    pub(super) lists: BTreeMap<String, List>,
    pub(super) cases: Vec<CaseDecl>,
}

#[derive(Debug)]
pub(super) struct CaseDecl {
    pub(super) id: Loc<String>,
    pub(super) node: Node,
    pub(super) axes: Vec<Axis>,
}

/// One parameter of `for:` and its values.
#[derive(Debug)]
pub(super) struct Axis {
    pub(super) name: Loc<String>,
    pub(super) values: Vec<AxisValue>,
    /// Written `a..b`: its ends stand for all when a case is checked.
    pub(super) range: bool,
}

#[derive(Debug)]
pub(super) struct AxisValue {
    /// As it appears in ids.
    pub(super) text: String,
    /// The parameter itself and, for a named mapping, the names inside it.
    pub(super) bindings: Vec<(Loc<String>, Node)>,
}

#[derive(Debug)]
pub(super) struct List {
    pub(super) name: Loc<String>,
    pub(super) params: Vec<Param>,
    /// A list of steps.
    pub(super) steps: Node,
}

#[derive(Debug)]
pub(super) struct Param {
    pub(super) name: Loc<String>,
    /// `Null` where there is none.
    pub(super) default: Node,
}

#[derive(Debug)]
pub(super) struct FixtureDecl {
    pub(super) id: Loc<String>,
    pub(super) title: String,
    pub(super) state: Option<String>,
    pub(super) tested_by: Loc<String>,
    pub(super) params: Vec<Param>,
    pub(super) given: Option<Node>,
    pub(super) ways: Vec<WayDecl>,
}

#[derive(Debug)]
pub(super) struct WayDecl {
    /// `None` for both, unless another way of the fixture says one.
    pub(super) mode: Option<Mode>,
    pub(super) needs: Vec<Loc<String>>,
    pub(super) steps: Node,
}

/// Fixtures and lists that every suite can use.
#[derive(Debug, Default)]
pub(super) struct Library {
    pub(super) lists: BTreeMap<String, List>,
    pub(super) fixtures: BTreeMap<String, FixtureDecl>,
}

impl FixtureDecl {
    /// The ways that a case of this mode can go.
    pub(super) fn ways_of(&self, mode: Mode) -> impl Iterator<Item = &WayDecl> {
        let own = self.ways.iter().any(|way| way.mode == Some(Mode::Live));
        self.ways.iter().filter(move |way| match way.mode {
            Some(said) => said == mode,
            None => !own || mode == Mode::Scripted,
        })
    }
}

impl CaseDecl {
    pub(super) fn instances(&self) -> usize {
        self.axes.iter().map(|axis| axis.values.len()).product()
    }
}

/// Reads a file of cases; what is missing has been reported by the structural check.
pub(super) fn suite(id: &str, mut root: Node, sink: &mut Sink) -> Suite {
    let cases = take(&mut root, "cases");
    let items = match cases.map(|node| node.kind) {
        Some(Kind::Seq(items)) => items,
        _ => Vec::new(),
    };
    if items.is_empty() && root.entries().is_some() {
        sink.push(Diagnostic::new(Code::Empty, head(&root), "a suite without cases tests nothing"));
    }
    let cases = items.into_iter().filter_map(|node| case(node, sink)).collect();
    let text = |key: &str| root.get(key).and_then(Node::scalar).map(str::to_owned);
    Suite {
        id: id.to_owned(),
        title: text("title").unwrap_or_default(),
        about: text("about"),
        lists: lists(&root, sink),
        root,
        cases,
    }
}

pub(super) fn library(root: &Node, library: &mut Library, sink: &mut Sink) {
    for (name, list) in lists(root, sink) {
        library.lists.insert(name, list);
    }
    for node in root.get("fixtures").and_then(Node::items).unwrap_or_default() {
        let Some(fixture) = fixture(node, sink) else { continue };
        if let Some(earlier) = library.fixtures.get(&fixture.id.value) {
            let message = format!("the fixture `{}` is there already", fixture.id.value);
            let found = Diagnostic::new(Code::DuplicateId, fixture.id.span, message);
            sink.push(found.context(earlier.id.span, "first here"));
            continue;
        }
        library.fixtures.insert(fixture.id.value.clone(), fixture);
    }
}

/// Where to point when something is missing from a mapping.
pub(super) fn head(node: &Node) -> Span {
    node.entries().and_then(<[_]>::first).map_or(node.span, |entry| entry.key.span)
}

fn take(node: &mut Node, key: &str) -> Option<Node> {
    let Kind::Map(entries) = &mut node.kind else { return None };
    let at = entries.iter().position(|entry| entry.key.value == key)?;
    Some(entries.remove(at).value)
}

pub(super) fn loc(node: &Node) -> Option<Loc<String>> {
    Some(Loc::new(node.scalar()?.to_owned(), node.span))
}

fn case(node: Node, sink: &mut Sink) -> Option<CaseDecl> {
    let id = loc(node.get("id")?)?;
    let axes = match node.get("for") {
        Some(axes) => {
            axes.entries().unwrap_or_default().iter().filter_map(|entry| axis(entry, sink)).collect()
        }
        None => Vec::new(),
    };
    let case = CaseDecl { id, node, axes };
    let instances = case.axes.iter().try_fold(1_usize, |all, axis| all.checked_mul(axis.values.len()));
    if instances.is_none_or(|instances| instances > INSTANCES_MAX) {
        let span = case.node.get("for").map_or(case.id.span, |node| node.span);
        let message = format!("the parameters make more than {INSTANCES_MAX} instances of this case");
        sink.push(Diagnostic::new(Code::TooMany, span, message));
        return None;
    }
    Some(case)
}

/// A name that can stand in expressions, and that nothing else has.
pub(super) fn fresh_name(name: &Loc<String>, what: &str, sink: &mut Sink) -> bool {
    let text = name.value.as_str();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let shaped = text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(plain);
    if !shaped || text.len() > 40 {
        let found = Diagnostic::new(Code::BadId, name.span, format!("`{text}` cannot name {what}"));
        let instead: String = text.chars().map(|c| if plain(c) { c } else { '_' }).collect();
        let help = "names in expressions are lower-case letters, digits and `_`, a letter first";
        sink.push(
            found.suggest(Some(&instead).filter(|_| text.contains('-')).map(String::as_str)).help(help),
        );
        return false;
    }
    let word = ["and", "or", "not", "any", "none", "yes", "no", "true", "false", "bad", "good", "request"];
    let heads = ["snd", "rcv", "target", "peer"];
    if names::global(text).is_some() || word.contains(&text) || heads.contains(&text) {
        let message = format!("`{text}` cannot name {what}: it means something already");
        sink.push(Diagnostic::new(Code::ReservedName, name.span, message));
        return false;
    }
    true
}

fn axis(entry: &Entry, sink: &mut Sink) -> Option<Axis> {
    if !fresh_name(&entry.key, "a parameter", sink) {
        return None;
    }
    let name = entry.key.clone();
    let (values, range) = match &entry.value.kind {
        Kind::Scalar(text) => (range(&entry.value, text, &name, sink)?, true),
        Kind::Seq(items) => {
            let value = |node: &Node| {
                let text = node.scalar()?.to_owned();
                Some(AxisValue { text, bindings: vec![(name.clone(), node.clone())] })
            };
            (items.iter().filter_map(value).collect(), false)
        }
        Kind::Map(entries) => {
            (entries.iter().filter_map(|value| named_value(&name, value, sink)).collect(), false)
        }
        Kind::Null => return None,
    };
    if values.is_empty() {
        let message = format!("the parameter `{}` has no values", name.value);
        sink.push(Diagnostic::new(Code::Empty, name.span, message));
        return None;
    }
    Some(Axis { name, values, range })
}

/// `left: {at: .., then: silence}`: the parameter is `left`, and `at` and `then` come with it.
fn named_value(name: &Loc<String>, entry: &Entry, sink: &mut Sink) -> Option<AxisValue> {
    let itself = Node { span: entry.key.span, kind: Kind::Scalar(entry.key.value.clone()) };
    let mut bindings = vec![(name.clone(), itself)];
    for inner in entry.value.entries()? {
        if inner.key.value == name.value {
            let message = format!("`{}` is the name of the parameter itself", inner.key.value);
            sink.push(Diagnostic::new(Code::ReservedName, inner.key.span, message));
        } else if fresh_name(&inner.key, "a parameter", sink) {
            bindings.push((inner.key.clone(), inner.value.clone()));
        }
    }
    Some(AxisValue { text: entry.key.value.clone(), bindings })
}

fn range(node: &Node, text: &str, name: &Loc<String>, sink: &mut Sink) -> Option<Vec<AxisValue>> {
    let number = |text: &str| text.trim().replace('_', "").parse::<i64>().ok();
    let ends = text.split_once("..").and_then(|(low, high)| Some((number(low)?, number(high)?)));
    let Some((low, high)) = ends else {
        let message = format!("`{text}` gives the parameter `{}` no values", name.value);
        let help = "values are a list `[a, b]`, a range of numbers `1..10`, or a mapping of named values";
        sink.push(Diagnostic::new(Code::WrongShape, node.span, message).help(help));
        return None;
    };
    let problem = if high < low {
        Some((Code::EmptyRange, format!("the range `{text}` is empty")))
    } else if high.checked_sub(low).is_none_or(|width| width >= VALUES_MAX) {
        Some((Code::TooMany, format!("the range `{text}` has more than {VALUES_MAX} values")))
    } else {
        None
    };
    let (low, high) = match problem {
        Some((code, message)) => {
            sink.push(Diagnostic::new(code, node.span, message));
            // One value, so that the parameter is known to what uses it.
            (low, low)
        }
        None => (low, high),
    };
    let value = |n: i64| {
        let node = Node { span: node.span, kind: Kind::Scalar(n.to_string()) };
        AxisValue { text: n.to_string(), bindings: vec![(name.clone(), node)] }
    };
    Some((low..=high).map(value).collect())
}

fn lists(root: &Node, sink: &mut Sink) -> BTreeMap<String, List> {
    let mut lists = BTreeMap::new();
    for entry in root.get("lists").and_then(Node::entries).unwrap_or_default() {
        let (params, steps) = match &entry.value.kind {
            Kind::Seq(_) => (Vec::new(), Some(entry.value.clone())),
            Kind::Map(_) => (params(&entry.value, sink), entry.value.get("steps").cloned()),
            Kind::Null | Kind::Scalar(_) => (Vec::new(), None),
        };
        word_name(&entry.key, "a named list", sink);
        let Some(steps) = steps else { continue };
        if steps.items().is_some_and(<[_]>::is_empty) {
            let message = format!("the list `{}` has no steps", entry.key.value);
            sink.push(Diagnostic::new(Code::Empty, entry.key.span, message));
        }
        let list = List { name: entry.key.clone(), params, steps };
        lists.insert(entry.key.value.clone(), list);
    }
    lists
}

fn params(node: &Node, sink: &mut Sink) -> Vec<Param> {
    let entries = node.get("params").and_then(Node::entries).unwrap_or_default();
    let mut params = Vec::new();
    for entry in entries {
        if fresh_name(&entry.key, "a parameter", sink) {
            params.push(Param { name: entry.key.clone(), default: entry.value.clone() });
        }
    }
    params
}

fn fixture(node: &Node, sink: &mut Sink) -> Option<FixtureDecl> {
    let id = loc(node.get("id")?)?;
    word_name(&id, "a fixture", sink);
    let mut ways = Vec::new();
    for way in node.get("ways").and_then(Node::items).unwrap_or_default() {
        let needs = way.get("needs").and_then(Node::items).unwrap_or_default();
        let needs: Vec<_> = needs.iter().filter_map(loc).collect();
        abilities(&needs, sink);
        let mode = match way.get("mode").and_then(Node::scalar) {
            Some("live") => Some(Mode::Live),
            Some("scripted") => Some(Mode::Scripted),
            Some(_) | None => None,
        };
        ways.extend(way.get("steps").map(|steps| WayDecl { mode, needs, steps: steps.clone() }));
    }
    if let Some(steps) = node.get("steps") {
        if let Some(way) = node.get("ways") {
            let found = Diagnostic::new(
                Code::SeveralVerbs,
                steps.span,
                "a fixture has `ways:` or `steps:`, not both",
            );
            sink.push(found.context(way.span, "the ways"));
        }
        ways.push(WayDecl { mode: None, needs: Vec::new(), steps: steps.clone() });
    }
    if ways.is_empty() && node.get("given").is_none() {
        sink.push(Diagnostic::new(Code::MissingKey, id.span, "a fixture needs `steps:` or `ways:`"));
    }
    let text = |key: &str| node.get(key).and_then(Node::scalar).map(str::to_owned);
    Some(FixtureDecl {
        title: text("title").unwrap_or_default(),
        state: text("state"),
        tested_by: loc(node.get("tested-by")?)?,
        params: params(node, sink),
        given: node.get("given").cloned(),
        ways,
        id,
    })
}

pub(super) fn abilities(needs: &[Loc<String>], sink: &mut Sink) {
    for need in needs.iter().filter(|need| !names::is_ability(&need.value)) {
        let near = suggest::nearest(&need.value, names::ABILITIES.iter().map(|ability| ability.id));
        let found =
            Diagnostic::new(Code::UnknownAbility, need.span, format!("unknown ability `{}`", need.value));
        let all: Vec<_> = names::ABILITIES.iter().map(|ability| ability.id).collect();
        sink.push(found.suggest(near).help(format!("abilities are {}", all.join(", "))));
    }
}

/// Lower-case words joined by single hyphens.
pub(super) fn is_word_name(text: &str) -> bool {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= 120 && text.split('-').all(word)
}

pub(super) fn word_name(id: &Loc<String>, what: &str, sink: &mut Sink) {
    if !is_word_name(&id.value) {
        let found = Diagnostic::new(Code::BadId, id.span, format!("`{}` cannot name {what}", id.value));
        sink.push(
            found
                .suggest(slug(&id.value).as_deref())
                .help("ids are lower-case words, digits and single hyphens"),
        );
    }
}

/// The nearest id that would do.
pub(super) fn slug(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric();
    let words = text.split(|c| !plain(c)).filter(|word| !word.is_empty());
    let slug = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-");
    is_word_name(&slug).then_some(slug)
}
