//! YAML as a tree in which everything knows where it was written.
//!
//! The only file that names the YAML parser. It reads events rather than deserialising, because a
//! mistake should cost its author one round, not one round each: with a tree in hand every check
//! can run and report at once, and spans are exact. What suites do not need of YAML is refused.

use crate::suite::diagnostic::{Code, Diagnostic, Sink};
use crate::suite::source::{FileId, Loc, SourceMap, Span};
use granit_parser::{Event, Marker, Parser, ScalarStyle};
use std::collections::BTreeMap;

/// Longest text that is parsed.
pub const TEXT_MAX: usize = 4 * 1024 * 1024;
/// Deepest nesting.
const DEPTH_MAX: usize = 32;
/// Most values a file may expand to, counting an alias as all it repeats.
const NODES_MAX: usize = 400_000;

#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub span: Span,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Nothing, `~` or `null`.
    Null,
    Scalar(String),
    Seq(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: Loc<String>,
    pub value: Node,
}

impl Node {
    /// "a list", "a mapping": for messages.
    pub fn described(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Scalar(_) => "a single value",
            Kind::Seq(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }

    pub fn scalar(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(text) => Some(text),
            Kind::Null | Kind::Seq(_) | Kind::Map(_) => None,
        }
    }

    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            Kind::Null | Kind::Scalar(_) | Kind::Seq(_) => None,
        }
    }

    pub fn items(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::Seq(items) => Some(items),
            Kind::Null | Kind::Scalar(_) | Kind::Map(_) => None,
        }
    }

    /// The value of a key, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries()?.iter().find(|entry| entry.key.value == key).map(|entry| &entry.value)
    }
}

/// Octets as text, or the place of the first that is not UTF-8. A byte order mark is dropped.
pub fn decode<'a>(name: &str, octets: &'a [u8], sources: &mut SourceMap) -> Result<&'a str, Box<Diagnostic>> {
    let error = match std::str::from_utf8(octets) {
        Ok(text) => return Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => error,
    };
    let valid = error.valid_up_to();
    let octet = octets.get(valid).copied().unwrap_or_default();
    // What is shown ends behind the offending octet: what follows may not be text at all.
    let shown = String::from_utf8_lossy(&octets[..(valid + 1).min(octets.len())]).into_owned();
    let file = sources.add(name, &shown);
    let start = u32::try_from(valid).unwrap_or(u32::MAX);
    let span = Span { file, start, end: sources.whole(file).end };
    let message = format!("octet 0x{octet:02x} at offset {valid} is not UTF-8");
    Err(Box::new(Diagnostic::new(Code::NotUtf8, span, message).help("save the file as UTF-8")))
}

/// The tree of a file, or `None` when there is none to speak of; mistakes go to `sink`.
pub fn parse(file: FileId, sources: &SourceMap, sink: &mut Sink) -> Option<Node> {
    let text = &sources.file(file).text;
    if text.len() > TEXT_MAX {
        sink.push(too_large(&sources.file(file).name, text.len() as u64));
        return None;
    }
    let mut builder =
        Builder { file, text, sink, anchors: BTreeMap::new(), stack: Vec::new(), nodes: 0, root: None };
    let options = granit_parser::options! {
        flow_nesting_limit: DEPTH_MAX * 2, block_nesting_limit: DEPTH_MAX * 2, emit_unresolved_aliases: true,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let done = match event {
            Ok((event, at)) => builder.event(event, at),
            Err(error) => {
                builder.syntax(&error);
                Err(Stop)
            }
        };
        if done.is_err() {
            return None;
        }
    }
    builder.root
}

/// A file that is refused for its size, before it is read.
pub fn too_large(name: &str, octets: u64) -> Diagnostic {
    let message = format!("the file is too large: {octets} octets, at most {TEXT_MAX}");
    Diagnostic::bare(Code::TooLarge, message).file(name)
}

/// The rest of the file cannot be read sensibly; the reason has been reported.
struct Stop;

struct Open {
    node: Node,
    anchor: usize,
    /// The key that waits for its value, in a mapping.
    key: Option<Loc<String>>,
    /// The value that comes belongs to a key that was refused.
    skip: bool,
    /// The keys of a large mapping: looking through its entries each time would take for ever.
    seen: BTreeMap<String, Span>,
}

/// From so many keys on a mapping is large.
const LARGE: usize = 32;

struct Builder<'a> {
    file: FileId,
    text: &'a str,
    sink: &'a mut Sink,
    anchors: BTreeMap<usize, (Node, usize)>,
    stack: Vec<Open>,
    nodes: usize,
    root: Option<Node>,
}

impl Builder<'_> {
    fn span(&self, at: granit_parser::Span) -> Span {
        let range = at.byte_range().unwrap_or(0..0);
        let offset = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span { file: self.file, start: offset(range.start), end: offset(range.end) }
    }

    fn syntax(&mut self, error: &granit_parser::ScanError) {
        let marker: &Marker = error.marker();
        let start = marker.byte_offset().unwrap_or(0).min(self.text.len());
        let width = self.text[start..].chars().next().map_or(0, char::len_utf8);
        let offset = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let span = Span { file: self.file, start: offset(start), end: offset(start + width) };
        let deep = error.info().contains("nesting") || error.info().contains("recursion");
        let found = if deep {
            Diagnostic::new(Code::TooDeep, span, format!("nested more than {DEPTH_MAX} levels deep"))
        } else {
            Diagnostic::new(Code::YamlSyntax, span, format!("this is not YAML: {}", error.info()))
        };
        let line = self.text[..start].rsplit('\n').next().unwrap_or("");
        let found = if error.info().contains("mapping values") && line.contains(": ") {
            found.help("a text that holds `: ` stands in quotes")
        } else if line.starts_with('\t') || self.text[start..].starts_with('\t') {
            found.help("indent with spaces: YAML does not allow tabs there")
        } else {
            found
        };
        self.sink.push(found);
    }

    fn refuse(&mut self, span: Span, message: impl Into<String>, help: &str) {
        let found = Diagnostic::new(Code::YamlFeature, span, message);
        self.sink.push(if help.is_empty() { found } else { found.help(help) });
    }

    fn event(&mut self, event: Event<'_>, at: granit_parser::Span) -> Result<(), Stop> {
        let span = self.span(at);
        if let (true, Some(tag)) = (event.tag().is_some(), at.tag_span()) {
            let tag = self.span(tag);
            self.refuse(tag, "tags are not used in suites", "remove the tag");
        }
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let kind = match (&*text, style) {
                    ("" | "~" | "null", ScalarStyle::Plain) => Kind::Null,
                    _ => Kind::Scalar(text.into_owned()),
                };
                self.finish(Node { span, kind }, anchor, 1)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.open(Node { span, kind: Kind::Seq(Vec::new()) }, anchor)
            }
            Event::MappingStart(_, anchor, _) => {
                self.open(Node { span, kind: Kind::Map(Vec::new()) }, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(id) => match self.anchors.get(&id) {
                Some((node, size)) => {
                    let (node, size) = (node.clone(), *size);
                    self.finish(node, 0, size)
                }
                None => {
                    self.refuse(span, "this alias stands inside what its anchor marks", "");
                    Err(Stop)
                }
            },
            Event::UnresolvedAlias(name) => {
                let help = format!("if this is text, quote it: \"*{name}\"");
                self.refuse(span, format!("no anchor `&{name}` stands before this alias"), &help);
                self.finish(Node { span, kind: Kind::Null }, 0, 1)
            }
            Event::DocumentStart(..) if self.root.is_some() => {
                self.refuse(span, "a second document in one file", "write a file for each suite");
                Err(Stop)
            }
            Event::DocumentStart(..) | Event::DocumentEnd | Event::StreamStart | Event::StreamEnd => Ok(()),
            _ => Ok(()),
        }
    }

    fn open(&mut self, node: Node, anchor: usize) -> Result<(), Stop> {
        if self.stack.len() >= DEPTH_MAX {
            let message = format!("nested more than {DEPTH_MAX} levels deep");
            self.sink.push(Diagnostic::new(Code::TooDeep, node.span, message));
            return Err(Stop);
        }
        self.stack.push(Open { node, anchor, key: None, skip: false, seen: BTreeMap::new() });
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result<(), Stop> {
        let Some(mut open) = self.stack.pop() else { return Ok(()) };
        // A block collection ends where its last value does, not where the next line starts.
        let last = match &open.node.kind {
            Kind::Seq(items) => items.last().map(|item| item.span.end),
            Kind::Map(entries) => entries.last().map(|entry| entry.value.span.end.max(entry.key.span.end)),
            Kind::Null | Kind::Scalar(_) => None,
        };
        let flow = end.end > end.start;
        open.node.span.end = if flow { end.end } else { last.unwrap_or(open.node.span.end) };
        open.node.span.end = open.node.span.end.max(open.node.span.start);
        let size = if open.anchor > 0 { count(&open.node) } else { 1 };
        self.finish(open.node, open.anchor, size)
    }

    /// Puts a finished value where it belongs.
    fn finish(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), Stop> {
        self.nodes += size;
        if self.nodes > NODES_MAX {
            let message = format!("the file expands to more than {NODES_MAX} values");
            self.sink.push(
                Diagnostic::new(Code::AliasBomb, node.span, message).help("aliases of aliases multiply"),
            );
            return Err(Stop);
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Open { node: Node { kind: Kind::Seq(items), .. }, .. }) => items.push(node),
            Some(Open { node: Node { kind: Kind::Map(entries), .. }, key, skip, .. }) => {
                if let Some(key) = key.take() {
                    entries.push(Entry { key, value: node });
                } else if std::mem::take(skip) {
                    // The value of a key that was refused.
                } else {
                    self.key(&node);
                }
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn key(&mut self, node: &Node) {
        let Some(Open { node: Node { kind: Kind::Map(entries), .. }, key, skip, seen, .. }) =
            self.stack.last_mut()
        else {
            return;
        };
        if entries.len() == LARGE && seen.is_empty() {
            seen.extend(entries.iter().map(|entry| (entry.key.value.clone(), entry.key.span)));
        }
        let earlier = node.scalar().and_then(|text| match entries.len() < LARGE {
            true => entries.iter().find(|entry| entry.key.value == text).map(|entry| entry.key.span),
            false => seen.get(text).copied(),
        });
        let problem = match (&node.kind, earlier) {
            (Kind::Scalar(text), _) if text == "<<" => {
                let found =
                    Diagnostic::new(Code::YamlFeature, node.span, "merge keys are not used in suites");
                Some(found.help("write the keys out, or make a named list"))
            }
            (Kind::Scalar(text), Some(earlier)) => {
                let found = Diagnostic::new(
                    Code::DuplicateKey,
                    node.span,
                    format!("the key `{text}` is given twice"),
                );
                Some(found.label("again here").context(earlier, "first here"))
            }
            (Kind::Scalar(text), None) => {
                *key = Some(Loc::new(text.clone(), node.span));
                if entries.len() >= LARGE {
                    seen.insert(text.clone(), node.span);
                }
                None
            }
            (Kind::Null | Kind::Seq(_) | Kind::Map(_), _) => {
                let message = format!("a key is text, this is {}", node.described());
                let found = Diagnostic::new(Code::YamlFeature, node.span, message);
                Some(found.help("quote it if it is text: a `{` or `[` begins a mapping or list"))
            }
        };
        if let Some(problem) = problem {
            *skip = true;
            self.sink.push(problem);
        }
    }
}

fn count(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::Null | Kind::Scalar(_) => 0,
        Kind::Seq(items) => items.iter().map(count).sum(),
        Kind::Map(entries) => entries.iter().map(|entry| 1 + count(&entry.value)).sum(),
    }
}
