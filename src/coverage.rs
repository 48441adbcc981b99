//! Coverage: which cases and monitors stand behind each requirement, matrix cell and course item.
//!
//! A pure table over the catalogue and the cases. A requirement is covered by a case that cites it, by a monitor that watches
//! over it, or by the rows that it is made of; what no black box can see says why in the catalogue. The grid counts what
//! is sent to a target in which state.

mod grid;
mod html;
mod mutants;

use crate::engine::{Outcome, monitor_rules};
use crate::event::CaseFinished;
use crate::suite::catalogue::{Catalogue, Requirement, Source};
use crate::suite::model::{Case, Level};
pub use grid::{Grid, KINDS};
pub use mutants::page as mutants_page;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coverage {
    pub schema: u32,
    pub requirements: Vec<Row>,
    pub matrix: Vec<Row>,
    pub course: Vec<Row>,
    /// What the Linux kernel documents of its own TCP.
    pub linux: Vec<Row>,
    /// What is sent to a target in which state: how many instances of cases.
    pub grid: Grid,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub id: String,
    /// `null` where the source has no word for it.
    pub level: Option<Level>,
    /// Whether anything outside the target can show it.
    pub testable: bool,
    /// Cases as written, without their parameters, in order.
    pub cases: Vec<String>,
    /// Monitors that check it on every segment.
    pub monitors: Vec<&'static str>,
    /// Covered rows that say the same or are parts of it, where no case and no monitor is about it alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub implied_by: Vec<String>,
    /// Why no test can exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub untestable: Option<String>,
    /// How its cases ended in a run.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub verdicts: BTreeMap<Outcome, u32>,
    #[serde(skip)]
    pub title: String,
    #[serde(skip)]
    pub citation: String,
}

/// What stands behind a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Cases,
    Monitor,
    Implied,
    Untestable,
    Open,
}

impl Row {
    pub fn status(&self) -> Status {
        if !self.cases.is_empty() {
            Status::Cases
        } else if !self.monitors.is_empty() {
            Status::Monitor
        } else if !self.implied_by.is_empty() {
            Status::Implied
        } else if self.testable {
            Status::Open
        } else {
            Status::Untestable
        }
    }

    /// Something could test it, and nothing does.
    pub fn is_open(&self) -> bool {
        self.status() == Status::Open
    }
}

/// How many rows there are of each status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub cases: usize,
    pub monitor: usize,
    pub implied: usize,
    pub untestable: usize,
    pub open: usize,
}

impl Tally {
    pub fn of(rows: &[Row]) -> Self {
        let mut tally = Self::default();
        for row in rows {
            *match row.status() {
                Status::Cases => &mut tally.cases,
                Status::Monitor => &mut tally.monitor,
                Status::Implied => &mut tally.implied,
                Status::Untestable => &mut tally.untestable,
                Status::Open => &mut tally.open,
            } += 1;
        }
        tally
    }

    pub fn covered(self) -> usize {
        self.cases + self.monitor + self.implied
    }

    pub fn testable(self) -> usize {
        self.covered() + self.open
    }
}

impl Coverage {
    pub fn of(catalogue: &Catalogue, cases: impl Iterator<Item = Case>) -> Self {
        let mut cited: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut grid = Grid::default();
        for case in cases {
            grid.count(&case);
            let written = written(&case.id).to_owned();
            for id in case.refs {
                let ids = cited.entry(id).or_default();
                if !ids.contains(&written) {
                    ids.push(written.clone());
                }
            }
        }
        let implied = implied(catalogue, &cited);
        let rows = |wanted: &[Source]| {
            let rows = catalogue.rows().iter().filter(|row| wanted.contains(&row.source));
            rows.map(|row| self::row(row, &cited, &implied)).collect()
        };
        Self {
            schema: 1,
            requirements: rows(&[Source::Rfc, Source::Problem]),
            matrix: rows(&[Source::Matrix]),
            course: rows(&[Source::Course]),
            linux: rows(&[Source::Linux]),
            grid,
        }
    }

    /// All rows, under the heads of the reports.
    pub fn parts(&self) -> [(&'static str, &[Row]); 4] {
        [
            ("requirements", &self.requirements),
            ("state/event matrix", &self.matrix),
            ("course", &self.course),
            ("linux", &self.linux),
        ]
    }

    /// Adds how the cases ended in a run, both families together.
    pub fn add_verdicts<'a>(&mut self, run: impl Iterator<Item = &'a CaseFinished>) {
        let mut ended: BTreeMap<&str, BTreeMap<Outcome, u32>> = BTreeMap::new();
        for case in run {
            let counts = ended.entry(written(&case.info.id)).or_default();
            *counts.entry(case.verdict.outcome).or_default() += 1;
        }
        for row in [&mut self.requirements, &mut self.matrix, &mut self.course, &mut self.linux]
            .into_iter()
            .flatten()
        {
            for counts in row.cases.iter().filter_map(|case| ended.get(case.as_str())) {
                for (outcome, count) in counts {
                    *row.verdicts.entry(*outcome).or_default() += count;
                }
            }
        }
    }

    /// The whole table as a page that needs nothing beside it.
    pub fn html(&self, title: &str) -> String {
        html::page(self, title)
    }
}

/// The id of a case as it is written, without the parameters that it does not name.
fn written(id: &str) -> &str {
    id.split('[').next().unwrap_or_default()
}

fn watches(id: &str) -> impl Iterator<Item = &'static str> {
    monitor_rules().filter(move |rule| rule.proves.contains(&id)).map(|rule| rule.id)
}

/// For each row the covered ones that say the same, or are a part of it.
fn implied(catalogue: &Catalogue, cited: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    let covered = |id: &str| cited.contains_key(id) || watches(id).next().is_some();
    let direct: BTreeSet<&str> = catalogue.ids().filter(|id| covered(id)).collect();
    let mut implied: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in catalogue.rows() {
        match row.source {
            // Its parts prove the whole only together.
            Source::Rfc
                if !row.related.is_empty() && row.related.iter().all(|id| direct.contains(id.as_str())) =>
            {
                implied.entry(row.id.clone()).or_default().extend(row.related.iter().cloned());
            }
            Source::Matrix if direct.contains(row.id.as_str()) => {
                for whole in &row.related {
                    implied.entry(whole.clone()).or_default().push(row.id.clone());
                }
            }
            Source::Rfc | Source::Matrix | Source::Problem | Source::Course | Source::Linux => {}
        }
    }
    implied
}

fn row(
    requirement: &Requirement,
    cited: &BTreeMap<String, Vec<String>>,
    implied: &BTreeMap<String, Vec<String>>,
) -> Row {
    let cases = cited.get(&requirement.id).cloned().unwrap_or_default();
    let monitors: Vec<_> = watches(&requirement.id).collect();
    let alone = cases.is_empty() && monitors.is_empty();
    let implied = implied.get(&requirement.id).filter(|_| alone && requirement.testable);
    let hidden = || "Only the inside of the target knows.".to_owned();
    let reason = || requirement.more.get("untestable").cloned().unwrap_or_else(hidden);
    Row {
        id: requirement.id.clone(),
        level: requirement.level,
        testable: requirement.testable,
        cases,
        monitors,
        implied_by: implied.cloned().unwrap_or_default(),
        untestable: (!requirement.testable && alone).then(reason),
        verdicts: BTreeMap::new(),
        title: requirement.title.clone(),
        citation: requirement.citation(),
    }
}

#[cfg(test)]
mod tests;
