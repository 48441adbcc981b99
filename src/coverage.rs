//! Coverage: which cases and monitors stand behind each requirement, matrix cell and course item.
//!
//! A pure table over the catalogue and the cases. A requirement is covered by a case that cites it or by
//! a monitor that watches over it; what no black box can see says so in the catalogue.

use crate::engine::monitor_rules;
use crate::suite::catalogue::{Catalogue, Requirement, Source};
use crate::suite::model::{Case, Level};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Coverage {
    pub schema: u32,
    pub requirements: Vec<Row>,
    pub matrix: Vec<Row>,
    pub course: Vec<Row>,
    /// What the Linux kernel documents of its own TCP.
    pub linux: Vec<Row>,
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
    #[serde(skip)]
    pub title: String,
    #[serde(skip)]
    pub citation: String,
}

impl Row {
    pub fn is_covered(&self) -> bool {
        !self.cases.is_empty() || !self.monitors.is_empty()
    }

    /// Something could test it, and nothing does.
    pub fn is_open(&self) -> bool {
        self.testable && !self.is_covered()
    }
}

impl Coverage {
    pub fn of(catalogue: &Catalogue, cases: impl Iterator<Item = Case>) -> Self {
        let mut cited: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for case in cases {
            let written = case.id.split('[').next().unwrap_or_default().to_owned();
            for id in case.refs {
                let ids = cited.entry(id).or_default();
                if !ids.contains(&written) {
                    ids.push(written.clone());
                }
            }
        }
        let rows = |wanted: &[Source]| {
            let rows = catalogue.rows().iter().filter(|row| wanted.contains(&row.source));
            rows.map(|row| self::row(row, &cited)).collect()
        };
        Self {
            schema: 1,
            requirements: rows(&[Source::Rfc, Source::Problem]),
            matrix: rows(&[Source::Matrix]),
            course: rows(&[Source::Course]),
            linux: rows(&[Source::Linux]),
        }
    }
}

fn row(requirement: &Requirement, cited: &BTreeMap<String, Vec<String>>) -> Row {
    let watched = |rule: &crate::engine::MonitorRule| rule.proves.contains(&requirement.id.as_str());
    Row {
        id: requirement.id.clone(),
        level: requirement.level,
        testable: requirement.testable,
        cases: cited.get(&requirement.id).cloned().unwrap_or_default(),
        monitors: monitor_rules().filter(watched).map(|rule| rule.id).collect(),
        title: requirement.title.clone(),
        citation: requirement.citation(),
    }
}
