//! The catalogue: every requirement, matrix cell, known problem and course item that a case can cite.
//!
//! The rows are YAML in `suites/catalog/`, compiled into the program: an id means the same in a
//! checkout and in an installed binary.

use crate::suite::diagnostic::{Code, Diagnostic, Sink};
use crate::suite::model::Level;
use crate::suite::source::{SourceMap, Span};
use crate::suite::yaml::{self, Node};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The files of the catalogue, with the RFC of rows that name none.
const FILES: &[(&str, Source, Option<u16>, &str)] = &[
    (
        "suites/catalog/rfc9293.yaml",
        Source::Rfc,
        Some(9293),
        include_str!("../../suites/catalog/rfc9293.yaml"),
    ),
    (
        "suites/catalog/other-rfcs.yaml",
        Source::Rfc,
        None,
        include_str!("../../suites/catalog/other-rfcs.yaml"),
    ),
    (
        "suites/catalog/state-event-matrix.yaml",
        Source::Matrix,
        Some(9293),
        include_str!("../../suites/catalog/state-event-matrix.yaml"),
    ),
    (
        "suites/catalog/known-problems.yaml",
        Source::Problem,
        Some(2525),
        include_str!("../../suites/catalog/known-problems.yaml"),
    ),
    ("suites/catalog/linux.yaml", Source::Linux, None, include_str!("../../suites/catalog/linux.yaml")),
    ("suites/catalog/course.yaml", Source::Course, None, include_str!("../../suites/catalog/course.yaml")),
];

/// What kind of row it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A requirement of an RFC.
    Rfc,
    /// A cell of the state/event matrix.
    Matrix,
    /// A known problem of RFC 2525.
    Problem,
    /// An item of a course.
    Course,
    /// What the Linux kernel documents of its own TCP.
    Linux,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirement {
    pub id: String,
    pub source: Source,
    /// The requirement in a sentence.
    pub title: String,
    /// `None` where the source has no word for it: a descriptive statement, a course item.
    pub level: Option<Level>,
    /// The source's own word: `MUST NOT`, `descriptive`, `required`.
    pub word: Option<String>,
    pub rfc: Option<u16>,
    pub section: Option<String>,
    /// Whether anything outside the target can show it. What cannot be tested says why, in `more`: `untestable`.
    pub testable: bool,
    /// Rows that say the same for less (`see:`), or that this row is a part of (`refs:` of the matrix).
    pub related: Vec<String>,
    /// Every other field, by its name, where it is a single value: `how_to_test`, `note`, `state`,
    /// `event_class`, `next_state`, `must_see` ...
    pub more: BTreeMap<String, String>,
}

impl Requirement {
    /// `RFC 9293 3.10.7.2`, or `tcp(7) TCP_CORK`, as a failure cites it; empty for a course item.
    pub fn citation(&self) -> String {
        if let (Some(document), Some(section)) = (self.more.get("document"), &self.section) {
            return format!("{document} {section}");
        }
        match (self.rfc, &self.section) {
            (Some(rfc), Some(section)) => format!("RFC {rfc} {section}"),
            (Some(rfc), None) => format!("RFC {rfc}"),
            (None, _) => String::new(),
        }
    }
}

#[derive(Debug, Default)]
pub struct Catalogue {
    rows: Vec<Requirement>,
    by_id: BTreeMap<String, usize>,
}

impl Catalogue {
    /// The catalogue that the program was built with.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: OnceLock<Catalogue> = OnceLock::new();
        EMBEDDED.get_or_init(|| {
            let (catalogue, _, problems) = Self::load_embedded();
            debug_assert!(problems.is_empty(), "{problems:?}");
            catalogue
        })
    }

    fn load_embedded() -> (Self, SourceMap, Vec<Diagnostic>) {
        let mut sources = SourceMap::default();
        let mut sink = Sink::default();
        let mut catalogue = Self::default();
        for (name, source, rfc, text) in FILES {
            let file = sources.add(name, text);
            let Some(root) = yaml::parse(file, &sources, &mut sink) else { continue };
            let rows = root.get("rows").unwrap_or(&root).items().unwrap_or_default();
            for row in rows {
                catalogue.add(row, *source, *rfc, &mut sink);
            }
        }
        (catalogue, sources, sink.finish())
    }

    fn add(&mut self, node: &Node, source: Source, rfc: Option<u16>, sink: &mut Sink) {
        let mut more: BTreeMap<String, String> = BTreeMap::new();
        for entry in node.entries().unwrap_or_default() {
            if let Some(text) = entry.value.scalar() {
                more.insert(entry.key.value.clone(), text.to_owned());
            }
        }
        let list = |key| node.get(key).and_then(Node::items).unwrap_or_default();
        let related: Vec<&Node> = list("see").iter().chain(list("refs")).collect();
        let related = related.into_iter().filter_map(|node| node.scalar().map(str::to_owned)).collect();
        let Some(id) = more.remove("id") else { return missing(node.span, "id", sink) };
        let title = match source {
            Source::Rfc | Source::Course | Source::Linux => more.remove("title"),
            Source::Problem => more.remove("name"),
            Source::Matrix => matrix_title(&more),
        };
        let Some(title) = title else { return missing(node.span, "title", sink) };
        let word = more.remove(if source == Source::Matrix { "strength" } else { "level" });
        let rfc = more.remove("rfc").and_then(|rfc| rfc.parse().ok()).or(rfc);
        // A cell of the matrix is a test wherever something of it shows; a requirement is, unless it says why not.
        let hidden = source == Source::Matrix && more.get("observable").is_some_and(|o| o == "internal");
        let testable = !hidden && !more.contains_key("untestable");
        let level = word.as_deref().and_then(level);
        let section = more.remove("section");
        if self.by_id.insert(id.clone(), self.rows.len()).is_some() {
            sink.push(Diagnostic::new(
                Code::DuplicateId,
                node.span,
                format!("the row `{id}` is there already"),
            ));
        }
        self.rows.push(Requirement { id, source, title, level, word, rfc, section, testable, related, more });
    }

    pub fn get(&self, id: &str) -> Option<&Requirement> {
        self.by_id.get(id).and_then(|at| self.rows.get(*at))
    }

    /// Every row, in the order of the files.
    pub fn rows(&self) -> &[Requirement] {
        &self.rows
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().map(|row| row.id.as_str())
    }
}

fn missing(span: Span, key: &str, sink: &mut Sink) {
    sink.push(Diagnostic::new(Code::MissingKey, span, format!("a row of the catalogue needs `{key}:`")));
}

/// "ESTABLISHED: RST at RCV.NXT -> CLOSED".
fn matrix_title(row: &BTreeMap<String, String>) -> Option<String> {
    let (state, stimulus, next) = (row.get("state")?, row.get("stimulus")?, row.get("next_state")?);
    Some(format!("{state}: {stimulus} -> {next}"))
}

fn level(word: &str) -> Option<Level> {
    let word = word.split(" (").next().unwrap_or(word);
    match word {
        "MUST" | "MUST NOT" | "required" => Some(Level::Must),
        "SHOULD" | "SHOULD NOT" | "RECOMMENDED" | "recommended" => Some(Level::Should),
        "MAY" | "optional" => Some(Level::May),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_whole() {
        let (catalogue, _, problems) = Catalogue::load_embedded();
        assert_eq!(problems, []);
        let count = |source| catalogue.rows.iter().filter(|row| row.source == source).count();
        assert_eq!(count(Source::Rfc), 140 + 215);
        assert_eq!(count(Source::Matrix), 373);
        assert_eq!(count(Source::Problem), 18);
        assert_eq!(count(Source::Course), 36);
        assert!(count(Source::Linux) > 0);
        let words = [
            "MUST",
            "SHOULD",
            "MAY",
            "RECOMMENDED",
            "required",
            "recommended",
            "optional",
            "unspecified",
            "descriptive",
        ];
        for row in catalogue.rows() {
            assert!(!row.title.is_empty(), "{}", row.id);
            assert!(row.source == Source::Course || row.section.is_some(), "{} has no section", row.id);
            if let Some(word) = &row.word {
                assert!(words.contains(&word.split(' ').next().unwrap()), "{}: {word}", row.id);
            }
        }
    }

    #[test]
    fn a_row_is_found_by_id() {
        let catalogue = Catalogue::embedded();
        let row = catalogue.get("RFC9293-MUST-12").unwrap();
        assert_eq!((row.level, row.rfc), (Some(Level::Must), Some(9293)));
        assert_eq!(catalogue.get("SEM-CLO-01").unwrap().citation(), "RFC 9293 3.10.7.1");
        assert_eq!(catalogue.get("RFC2525-2.4").unwrap().title, "Inconsistent retransmission");
        assert_eq!(catalogue.get("C18").unwrap().level, None);
        let kernel = catalogue.get("LINUX-TCP_CORK").unwrap();
        assert_eq!((kernel.level, kernel.citation().as_str()), (None, "tcp(7) TCP_CORK"));
        assert_eq!(catalogue.get("RFC9293-MUST-999"), None);
    }
}
