//! The structural check: a tree held against the grammar. Reports everything at once.

use crate::suite::diagnostic::{Code, Diagnostic, Sink};
use crate::suite::grammar::{self, Key, Mapping, Shape};
use crate::suite::model::FlagSpec;
use crate::suite::suggest;
use crate::suite::yaml::{Entry, Node};

/// Reports whatever in `node` is not of `shape`. `what` names the place: "`steps`".
pub fn check(node: &Node, shape: &Shape, what: &str, sink: &mut Sink) {
    if matches!(shape, Shape::Any) || node.scalar().is_some_and(|text| whole_template(text).is_some()) {
        return;
    }
    if let Some(found) = flags_alone(node, shape, what) {
        return sink.push(found);
    }
    match shape {
        Shape::Any => {}
        Shape::Text
        | Shape::Id
        | Shape::Name
        | Shape::Expr(_)
        | Shape::Bound
        | Shape::Flags
        | Shape::Octets => {
            if node.scalar().is_none() {
                wrong_shape(node, what, &expected(shape), sink);
            }
        }
        Shape::Bool => word(node, &["true", "false", "yes", "no"], what, sink),
        Shape::Words(words) => word(node, words, what, sink),
        Shape::Count => {
            let number = node.scalar().is_some_and(|text| text.parse::<u32>().is_ok());
            if !number {
                wrong_shape(node, what, &expected(shape), sink);
            }
        }
        Shape::List(item) => match node.items() {
            Some(items) => {
                let what = format!("an item of {what}");
                items.iter().for_each(|node| check(node, item, &what, sink));
            }
            None => wrong_shape(node, what, &expected(shape), sink),
        },
        Shape::Dict(value) => match node.entries() {
            Some(entries) => {
                entries.iter().for_each(|entry| check(&entry.value, value, &tick(&entry.key.value), sink));
            }
            None => wrong_shape(node, what, &expected(shape), sink),
        },
        Shape::Step => check(node, &Shape::Map(&grammar::STEP), what, sink),
        Shape::Map(map) => match node.entries() {
            Some(entries) => mapping(node, entries, map, sink),
            None => wrong_shape(node, what, &expected(shape), sink),
        },
        Shape::Either(shapes) => match shapes.iter().find(|shape| fits(node, shape)) {
            Some(shape) => check(node, shape, what, sink),
            None => {
                let all: Vec<_> = shapes.iter().map(expected).collect();
                wrong_shape(node, what, &all.join(" or "), sink);
            }
        },
    }
}

/// `expect: SYN|ACK`, `send: S.`: what other tools would take for a segment.
fn flags_alone(node: &Node, shape: &Shape, what: &str) -> Option<Diagnostic> {
    let text = node.scalar().filter(|text| !text.contains('{'))?;
    let is_segment =
        |shape: &Shape| matches!(shape, Shape::Map(map) if map.id == "send" || map.id == "expect");
    let shapes = if let Shape::Either(shapes) = shape { *shapes } else { std::slice::from_ref(shape) };
    let takes_segment = shapes.iter().any(is_segment);
    let takes_words = shapes.iter().any(|shape| matches!(shape, Shape::Words(_)));
    let code = if takes_words { Code::UnknownWord } else { Code::WrongShape };
    // `any` and `none` are no flags.
    let flags = FlagSpec::meant(text).filter(|_| takes_segment && !["any", "none"].contains(&text))?;
    let message = format!("{what} takes a mapping, not the flags alone");
    let found = Diagnostic::new(code, node.span, message);
    Some(found.help(format!("a segment is written `{{flags: {flags}}}`, with what else matters of it")))
}

/// `{name}` as the whole of a value: the parameter stands for the value, whatever its shape.
pub fn whole_template(text: &str) -> Option<&str> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (!name.is_empty() && name.chars().all(plain)).then_some(name)
}

/// Whether the kind of the node is that of the shape; its inside is another matter.
fn fits(node: &Node, shape: &Shape) -> bool {
    match shape {
        Shape::List(_) => node.items().is_some(),
        Shape::Map(_) | Shape::Step | Shape::Dict(_) => node.entries().is_some(),
        Shape::Either(shapes) => shapes.iter().any(|shape| fits(node, shape)),
        Shape::Any => true,
        Shape::Text
        | Shape::Id
        | Shape::Name
        | Shape::Words(_)
        | Shape::Bool
        | Shape::Count
        | Shape::Expr(_)
        | Shape::Bound
        | Shape::Flags
        | Shape::Octets => node.scalar().is_some(),
    }
}

/// What belongs there, with its article.
pub fn expected(shape: &Shape) -> String {
    match shape {
        Shape::Text => "a text".into(),
        Shape::Id => "a name".into(),
        Shape::Name => "a label".into(),
        Shape::Words(words) if words.len() <= 6 => suggest::list(words.iter().copied()),
        Shape::Words(_) => "a word".into(),
        Shape::Bool => "`true` or `false`".into(),
        Shape::Count => "a whole number".into(),
        Shape::Expr(what) => (*what).into(),
        Shape::Bound => "a value".into(),
        Shape::Flags => "flags".into(),
        Shape::Octets => "octets in hexadecimal".into(),
        Shape::Any => "a value".into(),
        Shape::List(_) => "a list".into(),
        Shape::Step => "a mapping (a step)".into(),
        Shape::Map(map) => format!("a mapping ({})", map.name),
        Shape::Dict(_) => "a mapping".into(),
        Shape::Either(shapes) => shapes.iter().map(expected).collect::<Vec<_>>().join(" or "),
    }
}

fn tick(text: &str) -> String {
    format!("`{text}`")
}

pub fn wrong_shape(node: &Node, what: &str, expected: &str, sink: &mut Sink) {
    let message = format!("{what} takes {expected}, not {}", node.described());
    let found = Diagnostic::new(Code::WrongShape, node.span, message).label(format!("expected {expected}"));
    sink.push(match node.scalar() {
        Some(text) if expected == "a list" => found.help(format!("a list of one is written `[{text}]`")),
        _ => found,
    });
}

fn word(node: &Node, words: &[&'static str], what: &str, sink: &mut Sink) {
    let Some(text) = node.scalar() else {
        return wrong_shape(node, what, &expected_words(words), sink);
    };
    if words.contains(&text) || text.contains('{') {
        return;
    }
    sink.push(unknown_word(node, text, words, what));
}

fn expected_words(words: &[&'static str]) -> String {
    if words.len() <= 6 { suggest::list(words.iter().copied()) } else { "a word".into() }
}

pub fn unknown_word(node: &Node, text: &str, words: &[&'static str], what: &str) -> Diagnostic {
    let near = suggest::nearest(text, words.iter().copied());
    Diagnostic::new(Code::UnknownWord, node.span, format!("{what} cannot be `{text}`"))
        .suggest(near)
        .help(format!("{what} is {}", suggest::list(words.iter().copied())))
}

fn mapping(node: &Node, entries: &[Entry], map: &'static Mapping, sink: &mut Sink) {
    for entry in entries {
        match map.key(&entry.key.value) {
            Some(key) => check(&entry.value, &key.shape, &tick(key.name), sink),
            None => sink.push(unknown_key(entry, map)),
        }
    }
    for key in map.all_keys().filter(|key| key.required) {
        if !entries.iter().any(|entry| entry.key.value == key.name) {
            let message = format!("{} needs `{}:`", map.name, key.name);
            let span = entries.first().map_or(node.span, |first| first.key.span);
            sink.push(
                Diagnostic::new(Code::MissingKey, span, message).help(format!("`{}`: {}", key.name, key.doc)),
            );
        }
    }
    if map.all_keys().any(|key| key.verb) {
        verbs(node, entries, map, sink);
    }
}

fn verbs(node: &Node, entries: &[Entry], map: &'static Mapping, sink: &mut Sink) {
    let is_verb = |entry: &&Entry| map.key(&entry.key.value).is_some_and(|key| key.verb);
    let mut found = entries.iter().filter(is_verb);
    let Some(first) = found.next() else {
        // A misspelt verb has been reported as an unknown key already.
        if entries.iter().all(|entry| map.key(&entry.key.value).is_some()) {
            let verbs = suggest::list(map.all_keys().filter(|key| key.verb).map(|key| key.name));
            let span = entries.first().map_or(node.span, |first| first.key.span);
            let message = format!("{} needs one of {verbs}", map.name);
            sink.push(Diagnostic::new(Code::NoVerb, span, message).label("these only qualify a verb"));
        }
        return;
    };
    for other in found {
        let message =
            format!("{} has one verb, not `{}` and `{}`", map.name, first.key.value, other.key.value);
        let found =
            Diagnostic::new(Code::SeveralVerbs, other.key.span, message).context(first.key.span, "the first");
        sink.push(found.label("the second").help("write two: each begins with `- `"));
    }
}

fn unknown_key(entry: &Entry, map: &'static Mapping) -> Diagnostic {
    let name = entry.key.value.as_str();
    if map.id == grammar::STEP.id && grammar::LATER.contains(&name) {
        let message = format!("the verb `{name}` is not supported by this version");
        return Diagnostic::new(Code::UnsupportedVerb, entry.key.span, message);
    }
    let known: Vec<_> = map.all_keys().map(|key| key.name).collect();
    let near = suggest::nearest(name, known.iter().copied());
    let what =
        if map.id == grammar::STEP.id && near.is_none_or(|near| map.key(near).is_some_and(|key| key.verb)) {
            "verb or key"
        } else {
            "key"
        };
    let found =
        Diagnostic::new(Code::UnknownKey, entry.key.span, format!("unknown {what} `{name}` in {}", map.name));
    let found = found.suggest(near);
    match misplaced(name, map) {
        Some(help) => found.help(help),
        None => found.help(format!("{} takes {}", map.name, known.join(", "))),
    }
}

/// The key is known, one level up or down.
fn misplaced(name: &str, map: &'static Mapping) -> Option<String> {
    let has = |keys: &[Key]| keys.iter().any(|key| key.name == name);
    let segment = [grammar::SEND.id, grammar::EXPECT.id, grammar::PATTERN.id].contains(&map.id);
    if segment && has(grammar::QUALIFIERS) {
        return Some(format!("`{name}` qualifies the step: write it beside the verb, one level up"));
    }
    if map.id == grammar::STEP.id && has(grammar::SEGMENT) {
        return Some(format!("`{name}` describes a segment: write it inside `send` or `expect`"));
    }
    None
}
