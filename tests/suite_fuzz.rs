//! Whatever is done to the text of a suite, reading it ends in cases or in diagnostics, never in a
//! panic.

#![allow(clippy::disallowed_methods, reason = "a test reads its data")]

use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use tcpspec::suite::catalogue::Catalogue;
use tcpspec::suite::corpus::{Context, Corpus, SourceFile, Sources, has_errors};
use tcpspec::suite::diagnostic::{Style, render_all};
use tcpspec::suite::model::Case;
use tcpspec::suite::select::Selection;

/// Real texts: the shipped suites, and those that are broken on purpose.
fn texts() -> &'static [Vec<u8>] {
    static TEXTS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    TEXTS.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut texts = Vec::new();
        collect(&root.join("tests/data"), &mut texts);
        collect(&root.join("suites"), &mut texts);
        texts
    })
}

fn collect(folder: &Path, texts: &mut Vec<Vec<u8>>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.ends_with("catalog") {
            collect(&path, texts);
        } else if path.extension().is_some_and(|kind| kind == "yaml") {
            texts.push(fs::read(path).unwrap());
        }
    }
}

const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ": ",
    "- ",
    "\n",
    "  ",
    "\t",
    "\"",
    "'",
    "|",
    ">",
    "#",
    "&a ",
    "*a",
    "!t ",
    "<<: ",
    "---\n",
    "?",
    "é",
    "\u{1F980}",
    "\0",
    "\r\n",
    "{n}",
    "{state}",
    "isn",
    "fin.seq",
    "target.rto.min",
    "1..5",
    "..",
    ">= ",
    "+",
    "(",
    ")",
    "-",
    "99999999999999999999",
    "1.5s",
    "any",
    "none",
    "steps:",
    "cases:",
    "for: ",
    "use: ",
    "given: ",
    "send: ",
    "expect: ",
    "as: fin",
    "lists:\n",
    "params: ",
    "repeat: ",
    "not ",
    "SYN|ACK",
    "0x",
    "~",
    "null",
    "true",
];

#[derive(Debug, Clone)]
enum Edit {
    Insert(usize, usize),
    Delete(usize, usize),
    Copy(usize, usize, usize),
    Octet(usize, u8),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let at = any::<usize>();
    let edit = prop_oneof![
        4 => (at, 0..TOKENS.len()).prop_map(|(at, token)| Edit::Insert(at, token)),
        3 => (at, 1..40_usize).prop_map(|(at, len)| Edit::Delete(at, len)),
        2 => (at, at, 1..200_usize).prop_map(|(from, to, len)| Edit::Copy(from, to, len)),
        1 => (at, any::<u8>()).prop_map(|(at, octet)| Edit::Octet(at, octet)),
    ];
    prop::collection::vec(edit, 1..6)
}

fn apply(text: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut text = text.to_vec();
    for edit in edits {
        let len = text.len();
        match *edit {
            Edit::Insert(at, token) => {
                let at = at % (len + 1);
                text.splice(at..at, TOKENS[token].bytes());
            }
            Edit::Delete(at, count) => {
                let at = at % (len + 1);
                text.drain(at..(at + count).min(len));
            }
            Edit::Copy(from, to, count) => {
                let from = from % (len + 1);
                let piece = text[from..(from + count).min(len)].to_vec();
                let to = to % (len + 1);
                text.splice(to..to, piece);
            }
            Edit::Octet(at, octet) => {
                if let Some(slot) = text.get_mut(at % len.max(1)) {
                    *slot = octet;
                }
            }
        }
    }
    text
}

fn read(text: Vec<u8>) -> Result<(), TestCaseError> {
    let fixtures = text.windows(10).any(|window| window == b"\nfixtures:");
    let mut files = vec![SourceFile::new("suites/a.yaml", if fixtures { "fixtures" } else { "a" }, text)];
    if !fixtures {
        files.push(SourceFile::new(
            "suites/fixtures.yaml",
            "fixtures",
            include_bytes!("data/fixtures.yaml").to_vec(),
        ));
    }
    let context =
        Context { catalogue: Catalogue::embedded(), mutants: &["syn-not-counted", "rst-not-checked"] };
    let (corpus, found) = Corpus::load(&Sources { files, partial: true, ..Sources::default() }, context);
    for found in &found {
        if let Some(span) = found.span {
            prop_assert!(
                span.start <= span.end && span.end <= corpus.sources().whole(span.file).end,
                "{found:?}"
            );
        }
    }
    let shown = render_all(&found, corpus.sources(), Style::Plain);
    prop_assert!(found.is_empty() || !shown.is_empty());
    if !has_errors(&found) {
        for case in corpus.instances().take(50) {
            let json = serde_json::to_string(&case).unwrap();
            prop_assert_eq!(serde_json::from_str::<Case>(&json).unwrap(), case);
        }
    }
    Ok(())
}

#[test]
fn the_texts_as_they_are_include_good_ones() {
    let good = texts().iter().filter(|text| {
        let files = vec![
            SourceFile::new("suites/a.yaml", "a", (*text).clone()),
            SourceFile::new(
                "suites/fixtures.yaml",
                "fixtures",
                include_bytes!("data/fixtures.yaml").to_vec(),
            ),
        ];
        let context =
            Context { catalogue: Catalogue::embedded(), mutants: &["syn-not-counted", "rst-not-checked"] };
        !has_errors(&Corpus::load(&Sources { files, partial: true, ..Sources::default() }, context).1)
    });
    assert!(good.count() >= 3);
}

proptest! {
    #[test]
    fn an_edited_suite_is_read_or_refused(which in any::<prop::sample::Index>(), edits in edits()) {
        read(apply(which.get::<Vec<u8>>(texts()), &edits))?;
    }

    #[test]
    fn tokens_in_any_order_are_read_or_refused(tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..60)) {
        read(tokens.concat().into_bytes())?;
    }

    #[test]
    fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        read(octets)?;
    }

    #[test]
    fn any_selection_is_read_or_refused(pattern in "\\PC{0,20}", filter in "[a-z()&|!, *\\[\\]-]{0,30}") {
        let _ = Selection::parse(&[pattern], Some(&filter));
    }
}
