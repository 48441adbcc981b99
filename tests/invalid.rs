//! What an author is shown for each kind of mistake: one broken file for each code, one snapshot
//! for each file.

#![allow(clippy::disallowed_methods, reason = "a test reads its data")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use tcpspec::suite::catalogue::Catalogue;
use tcpspec::suite::corpus::{Context, Corpus, SourceFile, Sources};
use tcpspec::suite::diagnostic::{Code, Style, render_all};
use tcpspec::suite::select::Selection;
use tcpspec::suite::{disk, yaml};

const MUTANTS: &[&str] = &["syn-not-counted"];
/// Codes that have no text to show: their tests are below.
const WITHOUT_FILE: &[Code] = &[Code::TooLarge, Code::CannotRead, Code::NoSuites];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("suites/_invalid")
}

fn context() -> Context<'static> {
    Context { catalogue: Catalogue::embedded(), mutants: MUTANTS }
}

fn names() -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.as_bytes()[1].is_ascii_digit()).collect();
    names.sort();
    names
}

/// What `tcpspec check` or `-E` shows for a file, and the codes in it.
fn shown(name: &str) -> (String, Vec<Code>) {
    let octets = fs::read(folder().join(name)).unwrap();
    let (sources, found) = if name.ends_with(".filter") {
        let text = String::from_utf8(octets).unwrap();
        let rejected = Selection::parse(&[], Some(&text)).unwrap_err();
        (rejected.sources, rejected.diagnostics)
    } else {
        let fixtures = String::from_utf8_lossy(&octets).contains("\nfixtures:");
        let id = if fixtures { "fixtures" } else { name.strip_suffix(".yaml").unwrap() };
        let mut files = vec![SourceFile::new(format!("suites/_invalid/{name}"), id, octets.clone())];
        if !fixtures {
            let text = fs::read(folder().join("fixtures.yaml")).unwrap();
            files.push(SourceFile::new("suites/_invalid/fixtures.yaml", "fixtures", text));
        }
        let sources = Sources { files, partial: !fixtures, ..Sources::default() };
        let (corpus, found) = Corpus::load(&sources, context());
        (corpus.sources().clone(), found)
    };
    let codes = found.iter().map(|found| found.code).collect();
    (render_all(&found, &sources, Style::Plain), codes)
}

#[test]
fn every_mistake_is_shown_as_it_should_be() {
    for name in names() {
        let (text, codes) = shown(&name);
        let (stem, _) = name.rsplit_once('.').unwrap();
        let code = Code::parse(&stem[..4]).unwrap_or_else(|| panic!("{name}: no such code"));
        insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!(stem, text);
        });
        assert!(codes.contains(&code), "{name} does not show {code}:\n{text}");
    }
}

#[test]
fn every_code_has_a_file() {
    let have: BTreeSet<_> = names().iter().filter_map(|name| Code::parse(&name[..4])).collect();
    let missing = Code::ALL.iter().filter(|code| !have.contains(code) && !WITHOUT_FILE.contains(code));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&Code>::new());
}

#[test]
fn colour_changes_nothing_but_colour() {
    let file = SourceFile::new("a.yaml", "a", "titel: x\n");
    let (corpus, found) = Corpus::load(&Sources { files: vec![file], ..Sources::default() }, context());
    let colour = render_all(&found, corpus.sources(), Style::Colour);
    let plain = render_all(&found, corpus.sources(), Style::Plain);
    assert!(colour.contains("\u{1b}["));
    assert_eq!(anstream::adapter::strip_str(&colour).to_string(), plain);
}

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The messages for what is read from a path, without the path.
fn messages(path: &Path, scratch: &Scratch) -> Vec<String> {
    let (_, found) = Corpus::load(&disk::read(&[path.to_path_buf()]), context());
    let root = scratch.0.display().to_string();
    found.iter().map(|found| format!("{} {}", found.code, found.message.replace(&root, "."))).collect()
}

#[test]
fn what_cannot_be_read_is_one_line() {
    let scratch = Scratch::new("cannot-read");
    let missing = scratch.0.join("nowhere.yaml");
    assert_eq!(
        messages(&missing, &scratch),
        ["E060 cannot read ./nowhere.yaml: there is no such file or directory"]
    );
    assert_eq!(messages(&scratch.0, &scratch), ["E061 no suites in ."]);
    fs::write(scratch.0.join("notes.txt"), "x").unwrap();
    assert_eq!(
        messages(&scratch.0.join("notes.txt"), &scratch),
        ["E060 ./notes.txt is not a suite: suites end in .yaml"]
    );
}

#[test]
fn a_huge_file_is_refused_before_it_is_read() {
    let scratch = Scratch::new("huge");
    let path = scratch.0.join("huge.yaml");
    // Sparse: 100 MB that take no room.
    fs::File::create(&path).unwrap().set_len(100 * 1024 * 1024).unwrap();
    let started = std::time::Instant::now();
    let found = messages(&path, &scratch);
    assert!(started.elapsed().as_millis() < 500, "{:?}", started.elapsed());
    assert_eq!(found, [format!("E003 the file is too large: 104857600 octets, at most {}", yaml::TEXT_MAX)]);
}

#[test]
fn a_text_over_the_limit_is_refused_without_a_file_too() {
    let text = " ".repeat(yaml::TEXT_MAX + 1);
    let sources = Sources { files: vec![SourceFile::new("big.yaml", "big", text)], ..Sources::default() };
    let (_, found) = Corpus::load(&sources, context());
    assert_eq!(found[0].code, Code::TooLarge);
}

#[test]
fn a_file_of_the_corpus_keeps_its_id_and_fixtures() {
    let scratch = Scratch::new("nested");
    let deep = scratch.0.join("suites/close/active");
    fs::create_dir_all(&deep).unwrap();
    fs::create_dir_all(scratch.0.join("suites/_invalid")).unwrap();
    fs::write(scratch.0.join("suites/fixtures.yaml"), fs::read(folder().join("fixtures.yaml")).unwrap())
        .unwrap();
    fs::write(scratch.0.join("suites/_invalid/broken.yaml"), "{").unwrap();
    let suite = "title: T\nlevel: must\ncases:\n  - id: one\n    title: One\n    refs: [C12]\n    kills: [syn-not-counted]\n    \
                 given: listening\n    steps:\n      - send: {flags: SYN}\n      - expect: {flags: ACK}\n";
    fs::write(deep.join("fin.yaml"), suite).unwrap();
    for path in [deep.join("fin.yaml"), deep.clone(), scratch.0.join("suites")] {
        let (corpus, found) = Corpus::load(&disk::read(std::slice::from_ref(&path)), context());
        let ids: Vec<_> = corpus.instances().map(|case| case.id).collect();
        assert_eq!(ids, ["close/active/fin/one"], "{}: {found:?}", path.display());
        // Only the whole corpus can say that the case which tests the fixture is missing.
        assert_eq!(found.len(), usize::from(path.ends_with("suites")), "{found:?}");
    }
}

#[test]
fn a_long_line_and_many_mistakes_are_shown_in_time() {
    let keys: String = (0..60_000).map(|i| format!("key{i}: value, ")).collect();
    let file = SourceFile::new("long.yaml", "long", format!("{{{keys}title: x}}\n"));
    let started = std::time::Instant::now();
    let (corpus, found) = Corpus::load(&Sources { files: vec![file], ..Sources::default() }, context());
    assert!(found.len() > 50_000);
    let shown = render_all(&found, corpus.sources(), Style::Plain);
    assert!(shown.contains("... and "), "{shown}");
    assert!(shown.len() < 200_000, "{}", shown.len());
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}
