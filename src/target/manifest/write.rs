//! Writing manifests: a new one from a few answers, and what was learned of a target into one that is there. Pure.

use crate::suite::diagnostic::Sink;
use crate::suite::source::SourceMap;
use crate::suite::yaml::{self, Node};
use std::fmt::Write;
use std::time::Duration;

/// What a new manifest needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub name: String,
    pub link: String,
    pub device: Option<String>,
    /// The program makes the device itself.
    pub makes_device: bool,
    /// Address and prefix.
    pub ipv4: String,
    pub port: u16,
    pub run: Vec<String>,
    pub app: String,
}

impl Draft {
    /// The text of the manifest.
    pub fn text(&self) -> String {
        let device = self.device.as_ref().map(|device| format!(", device: {device}")).unwrap_or_default();
        let create = if self.makes_device { ", create: target" } else { "" };
        let run: Vec<String> = self.run.iter().map(|word| scalar(word)).collect();
        format!(
            "name: {}\nlink: {{kind: {}{device}{create}}}\ntarget: {{ipv4: {}, port: {}}}\nrun: [{}]\napp: {}\n",
            self.name,
            self.link,
            self.ipv4,
            self.port,
            run.join(", "),
            self.app
        )
    }
}

/// A word as YAML writes it.
fn scalar(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=+".contains(c);
    let starts_plain = word.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.' || c == '/');
    if starts_plain && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// One section of a manifest, as learned: entries that replace or join those that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Section {
    List(&'static str, Vec<String>),
    Map(&'static str, Vec<(String, String)>),
}

/// The manifest with the sections written into it. Lines that belong to none of them stay as they are; what a section
/// said and was not learned anew stays too.
pub fn with(text: &str, sections: &[Section]) -> String {
    let mut text = text.to_owned();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    for section in sections {
        text = with_one(&text, section);
    }
    text
}

fn with_one(text: &str, section: &Section) -> String {
    let key = match section {
        Section::List(key, _) | Section::Map(key, _) => *key,
    };
    let mut sources = SourceMap::default();
    let file = sources.add("manifest", text);
    let root = yaml::parse(file, &sources, &mut Sink::default());
    let line = match section {
        Section::List(_, items) if items.is_empty() => String::new(),
        Section::List(_, items) => format!("{key}: [{}]\n", items.join(", ")),
        Section::Map(_, learned) => {
            let before =
                root.as_ref().and_then(|root| root.get(key)).and_then(Node::entries).unwrap_or_default();
            let mut entries: Vec<(String, String)> = before
                .iter()
                .filter_map(|entry| Some((entry.key.value.clone(), entry.value.scalar()?.to_owned())))
                .filter(|(known, _)| learned.iter().all(|(new, _)| new != known))
                .collect();
            entries.extend(learned.iter().cloned());
            let shown = entries.iter().fold(String::new(), |mut shown, (name, value)| {
                let comma = if shown.is_empty() { "" } else { ", " };
                let _ = write!(shown, "{comma}{name}: {value}");
                shown
            });
            if entries.is_empty() { String::new() } else { format!("{key}: {{{shown}}}\n") }
        }
    };
    let (before, after) = around(text, key);
    format!("{before}{line}{after}")
}

/// What stands before and behind a top-level key and all that belongs to it; its end, where there is no such key.
fn around<'a>(text: &'a str, key: &str) -> (&'a str, &'a str) {
    let starts = |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':'));
    let mut at = 0;
    let mut from = None;
    for line in text.split_inclusive('\n') {
        let is_inside = line.starts_with([' ', '\t', '-', '}', ']']);
        match from {
            None if starts(line) => from = Some(at),
            Some(from) if !is_inside => return (&text[..from], &text[at..]),
            None | Some(_) => {}
        }
        at += line.len();
    }
    let from = from.unwrap_or(text.len());
    (&text[..from], "")
}

/// A span as manifests write it.
pub fn span(span: Duration) -> String {
    let ms = span.as_millis();
    if ms >= 1000 && ms.is_multiple_of(1000) { format!("{}s", ms / 1000) } else { format!("{ms}ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn what_was_learned_replaces_what_stood_there_and_nothing_else() {
        let text = "name: a   # mine\ntiming:\n  msl: 1s\n  rto-min: 9s\nrun: [x]\n";
        let timing = Section::Map("timing", vec![entry("rto-min", "200ms")]);
        let lacks = Section::List("lacks", vec!["abort".to_owned()]);
        assert_eq!(
            with(text, &[timing, lacks]),
            "name: a   # mine\ntiming: {msl: 1s, rto-min: 200ms}\nrun: [x]\nlacks: [abort]\n"
        );
    }

    #[test]
    fn writing_twice_changes_nothing() {
        let sections =
            [Section::Map("limits", vec![entry("connections", "1")]), Section::List("lacks", Vec::new())];
        let once = with("name: a\nlacks: [abort]\nrun: [x]", &sections);
        assert_eq!(once, "name: a\nrun: [x]\nlimits: {connections: 1}\n");
        assert_eq!(with(&once, &sections), once);
    }

    #[test]
    fn a_draft_is_a_manifest() {
        let draft = Draft {
            name: "my-tcp".to_owned(),
            link: "tap".to_owned(),
            device: Some("tap0".to_owned()),
            makes_device: false,
            ipv4: "10.0.0.2/24".to_owned(),
            port: 7,
            run: vec!["./my-tcp".to_owned(), "{target.port}".to_owned()],
            app: "echo".to_owned(),
        };
        let mut sources = SourceMap::default();
        let (manifest, found) =
            super::super::read("t", draft.text().as_bytes(), std::path::Path::new("/"), &mut sources);
        assert_eq!((manifest.map(|m| m.profile.name), found.len()), (Some("my-tcp".to_owned()), 0));
        assert!(draft.text().lines().count() < 10);
    }
}
