//! What is wrong with a text of the language, said so that its author can fix it.
//!
//! A [`Diagnostic`] is plain data: a code with a long explanation, a place, a sentence, and what
//! would help. [`Sink`] gathers all of them (one mistake is reported once, however many instances
//! of a case it is met in); [`render`] shows them as the Rust compiler would.

mod codes;
mod render;

pub use codes::Code;
pub use render::{Style, render, render_all};

use crate::suite::source::Span;
use std::collections::BTreeSet;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    pub code: Code,
    /// `None` where there is no text to show: a file that is missing.
    pub span: Option<Span>,
    /// The file, where there is no span.
    pub file: Option<String>,
    /// One sentence without a full stop: "unknown name `isnn`".
    pub message: String,
    /// What is said at the carets.
    pub label: String,
    /// Other places that matter, each with its own label.
    pub context: Vec<(Span, String)>,
    pub notes: Vec<String>,
    pub help: Vec<String>,
    /// What to write instead at `span`, for editors.
    pub suggestion: Option<String>,
}

impl Diagnostic {
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { span: Some(span), ..Self::bare(code, message) }
    }

    /// About something that has no text: a file that cannot be read.
    pub fn bare(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            span: None,
            file: None,
            message: message.into(),
            label: String::new(),
            context: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
            suggestion: None,
        }
    }

    #[must_use]
    pub fn file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    #[must_use]
    pub fn context(mut self, span: Span, label: impl Into<String>) -> Self {
        self.context.push((span, label.into()));
        self
    }

    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Says "did you mean" at the carets, if there is something to say.
    #[must_use]
    pub fn suggest(mut self, instead: Option<&str>) -> Self {
        if let Some(instead) = instead {
            self.label = format!("did you mean `{instead}`?");
            self.suggestion = Some(instead.to_owned());
        }
        self
    }

    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// Gathers diagnostics. The same code at the same place is said once: a case is looked at in
/// several instances, and a named list wherever it is used.
#[derive(Debug, Default)]
pub struct Sink {
    found: Vec<Diagnostic>,
    seen: BTreeSet<(Code, Option<Span>, String)>,
}

impl Sink {
    pub fn push(&mut self, diagnostic: Diagnostic) {
        // With a place, the place tells two of them apart; without one, only the words can.
        let words = match diagnostic.span {
            Some(_) => String::new(),
            None => format!("{:?}{}", diagnostic.file, diagnostic.message),
        };
        if self.seen.insert((diagnostic.code, diagnostic.span, words)) {
            self.found.push(diagnostic);
        }
    }

    pub fn errors(&self) -> usize {
        self.found.iter().filter(|found| found.severity() == Severity::Error).count()
    }

    /// So many that each single one matters little.
    pub fn is_crowded(&self) -> bool {
        self.found.len() > 500
    }

    /// All of them in the order of the text.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|found| (found.span.is_none(), found.span));
        self.found
    }
}
