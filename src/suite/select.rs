//! Which cases are meant: ids, globs, and the filter language of `-E`.

mod filter;
mod glob;

pub use glob::Glob;

use crate::suite::diagnostic::{Diagnostic, Sink};
use crate::suite::model::{Case, Family};
use crate::suite::source::SourceMap;
use crate::suite::suggest;
use filter::Filter;

/// What was asked for on the command line.
#[derive(Debug, Default)]
pub struct Selection {
    patterns: Vec<Glob>,
    filter: Option<Filter>,
}

/// Why a selection cannot be understood, with the text to show it in.
#[derive(Debug)]
pub struct Rejected {
    pub sources: SourceMap,
    pub diagnostics: Vec<Diagnostic>,
}

impl Selection {
    /// No pattern selects everything; with patterns, what any of them matches. The filter applies
    /// on top.
    pub fn parse(patterns: &[String], filter: Option<&str>) -> Result<Self, Box<Rejected>> {
        let mut sources = SourceMap::default();
        let mut sink = Sink::default();
        let mut selection = Self::default();
        for pattern in patterns {
            let file = sources.add("<select>", pattern);
            selection.patterns.extend(Glob::parse(pattern, sources.whole(file), &mut sink));
        }
        if let Some(text) = filter {
            let file = sources.add("<filter>", text);
            selection.filter = filter::parse(text, sources.whole(file), &mut sink);
        }
        let diagnostics = sink.finish();
        if diagnostics.is_empty() { Ok(selection) } else { Err(Box::new(Rejected { sources, diagnostics })) }
    }

    pub fn matches(&self, case: &Case, family: Family) -> bool {
        let named = self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.selects(&case.id));
        named && self.filter.as_ref().is_none_or(|filter| filter.matches(case, family))
    }

    /// The patterns that match none of these ids, each with the id that was perhaps meant.
    pub fn unmatched<'a>(&'a self, ids: &'a [String]) -> Vec<(&'a str, Option<&'a str>)> {
        let missed = self.patterns.iter().filter(|pattern| !ids.iter().any(|id| pattern.selects(id)));
        let near = |pattern: &'a Glob| suggest::nearest(pattern.text(), ids.iter().map(String::as_str));
        missed.map(|pattern| (pattern.text(), near(pattern))).collect()
    }
}
