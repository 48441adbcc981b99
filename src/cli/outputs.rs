//! `--report KIND[=PATH]` and the files of a run.
#![allow(clippy::disallowed_methods, reason = "reports are written to files here")]

use super::error::{Failure, plain, shown};
use super::stream::Streams;
use crate::report::record::Run;
use crate::report::style::Look;
use crate::report::summary::Summary;
use crate::report::terminal::Terminal;
use crate::report::{Report, json, junit};
use indicatif::ProgressBar;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What a finished run can be rendered as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Junit,
    Json,
    Human,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Junit, Self::Json, Self::Human];

    fn word(self) -> &'static str {
        match self {
            Self::Junit => "junit",
            Self::Json => "json",
            Self::Human => "human",
        }
    }

    /// Its name in the directory of the run.
    fn file(self) -> &'static str {
        match self {
            Self::Junit => "junit.xml",
            Self::Json => "report.json",
            Self::Human => "report.txt",
        }
    }

    /// The report as text.
    pub(super) fn render(self, run: &Run, require_all: bool, look: Look) -> String {
        match self {
            Self::Junit => junit::render(run),
            Self::Json => json::render(run, &run.summary(require_all)),
            Self::Human => human(run, require_all, look),
        }
    }
}

/// The live report again, from the whole run.
fn human(run: &Run, require_all: bool, look: Look) -> String {
    let mut text = Vec::new();
    let summary = Summary::new(require_all);
    let mut terminal = Terminal::new(&mut text, io::sink(), ProgressBar::hidden(), look, summary);
    for event in run.events() {
        terminal.event(&event).expect("writing to memory does not fail");
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// `KIND[=PATH]`; `-` is stdout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    kind: Kind,
    path: Option<PathBuf>,
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, path) = match text.split_once('=') {
            Some((_, "")) => return Err("the path behind `=` is missing".into()),
            Some((word, path)) => (word, Some(PathBuf::from(path))),
            None => (text, None),
        };
        let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word).ok_or_else(|| {
            let words = Kind::ALL.map(Kind::word).join(", ");
            format!("there is no report `{word}`; there are: {words}")
        })?;
        Ok(Self { kind, path })
    }
}

impl Wanted {
    /// Where this kind goes unless a path is given.
    pub(super) fn usual(kind: Kind) -> Self {
        Self { kind, path: None }
    }

    /// Writes the report: to its path, or in the directory, or to stdout where there is none.
    pub(super) fn write(
        &self,
        run: &Run,
        require_all: bool,
        directory: Option<&Path>,
        streams: &Streams,
    ) -> Result<(), Failure> {
        let path = match (&self.path, directory) {
            (Some(path), _) => (path != Path::new("-")).then(|| path.clone()),
            (None, Some(directory)) => Some(directory.join(self.kind.file())),
            (None, None) => None,
        };
        let look = if path.is_some() { Look::PLAIN } else { streams.out_look() };
        let text = self.kind.render(run, require_all, look);
        match path {
            Some(path) => write(&path, &text),
            None => streams.print(&text),
        }
    }
}

/// The directory of a run, made if need be.
pub(super) fn directory(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|error| {
        Failure::harness(format!("cannot make {}: {}", shown(path), plain(&error)))
            .hint("`--out DIR` names another directory for the reports")
    })
}

pub(super) fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    let file = File::create(path).map_err(|error| Failure::write(shown(path), &error))?;
    Ok(BufWriter::with_capacity(1 << 20, file))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::write(shown(path), &error);
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        directory(parent)?;
    }
    let mut file = File::create(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

pub(super) fn open(path: &Path) -> Result<File, Failure> {
    let failed = |error: io::Error| Failure::usage(format!("cannot read {}: {}", shown(path), plain(&error)));
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        let inside = path.join("run.jsonl");
        let failure = Failure::usage(format!("cannot read {}: it is a directory", shown(path)));
        return Err(if inside.is_file() {
            failure.hint(format!("did you mean {}?", shown(&inside)))
        } else {
            failure
        });
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Outcome, monitor_rules};
    use crate::report::sample;
    use rstest::rstest;
    use serde_json::Value;
    use std::collections::BTreeSet;

    /// The monitors that a report has a row for. A new kind of report says here where its rows are.
    fn rows(kind: Kind, text: &str) -> BTreeSet<String> {
        match kind {
            Kind::Json => {
                let object: Value = serde_json::from_str(text).unwrap();
                let rows = object["monitors"].as_array().unwrap();
                rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
            }
            Kind::Junit => {
                let report = quick_junit::Report::deserialize_from_str(text).unwrap();
                let suite = report.test_suites.iter().find(|suite| suite.name == *"monitors").unwrap();
                suite.properties.iter().map(|row| row.name.to_string()).collect()
            }
            Kind::Human => {
                let (_, rows) = text.rsplit_once(" Monitors ").unwrap();
                let words = rows.split(|c: char| c.is_whitespace() || c == ',');
                let known: BTreeSet<&str> = monitor_rules().map(|rule| rule.id).collect();
                words.filter(|word| known.contains(word)).map(str::to_owned).collect()
            }
        }
    }

    #[rstest]
    #[case::nothing(vec![])]
    #[case::unasked(vec![sample::ended(Outcome::Unsupported)])]
    #[case::kept(vec![sample::ended(Outcome::Pass)])]
    #[case::violated(vec![sample::ended(Outcome::Pass), sample::violating("mss", 1)])]
    fn every_monitor_has_a_row_in_every_report(#[case] cases: Vec<crate::event::CaseFinished>) {
        let run = sample::run(cases);
        let all: BTreeSet<String> = monitor_rules().map(|rule| rule.id.to_owned()).collect();
        for kind in Kind::ALL {
            let text = kind.render(&run, false, Look::PLAIN);
            assert_eq!(rows(kind, &text), all, "{}:\n{text}", kind.word());
        }
    }
}
