//! Diagnostics as text, in the shape that Rust's compiler has made familiar.

use crate::suite::diagnostic::{Diagnostic, Severity};
use crate::suite::source::{SourceMap, Span};
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::ops::Range;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Colour,
}

/// One diagnostic, ending without a line break.
pub fn render(diagnostic: &Diagnostic, sources: &SourceMap, style: Style) -> String {
    let level = match diagnostic.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(visible(&diagnostic.message)).id(diagnostic.code.id());
    let mut group = Group::with_title(title);
    if let Some(span) = diagnostic.span.filter(|span| too_long(diagnostic, *span, sources)) {
        let place = sources.place(span);
        let origin = Origin::path(sources.file(span.file).name.as_str());
        group = group.element(origin.line(place.line as usize).char_column(place.column as usize));
    } else if let Some(span) = diagnostic.span {
        let elsewhere = diagnostic.context.iter().filter(|(other, _)| other.file != span.file);
        group = group.element(snippet(diagnostic, span, sources));
        for (other, label) in elsewhere {
            group = group.element(context_snippet(*other, label, sources));
        }
    } else if let Some(file) = &diagnostic.file {
        group = group.element(Origin::path(file.as_str()));
    }
    let notes = diagnostic.notes.iter().map(|note| Level::NOTE.message(visible(note)));
    let help = diagnostic.help.iter().map(|help| Level::HELP.message(visible(help)));
    let group = group.elements(notes).elements(help);
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Colour => Renderer::styled(),
    };
    renderer.render(&[group])
}

/// Most diagnostics that are shown at once: who has more has one mistake, many times.
const SHOWN_MAX: usize = 100;

/// The diagnostics, a blank line between two, and a last line that counts them.
pub fn render_all(diagnostics: &[Diagnostic], sources: &SourceMap, style: Style) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics.iter().take(SHOWN_MAX) {
        text.push_str(&render(diagnostic, sources, style));
        text.push_str("\n\n");
    }
    if diagnostics.len() > SHOWN_MAX {
        text.push_str(&format!("... and {} more\n\n", diagnostics.len() - SHOWN_MAX));
    }
    let errors = diagnostics.iter().filter(|found| found.severity() == Severity::Error).count();
    let warnings = diagnostics.len() - errors;
    let count = |n: usize, word: &str| match n {
        0 => None,
        1 => Some(format!("1 {word}")),
        n => Some(format!("{n} {word}s")),
    };
    let counts: Vec<_> = [count(errors, "error"), count(warnings, "warning")].into_iter().flatten().collect();
    text.push_str(&counts.join(", "));
    if !counts.is_empty() {
        text.push('\n');
    }
    text
}

/// Longest piece of a file that is shown.
const SNIPPET_MAX: usize = 16 * 1024;

/// Whether the lines to show are no lines that anybody could read.
fn too_long(found: &Diagnostic, span: Span, sources: &SourceMap) -> bool {
    let mut spans = found.context.iter().map(|(span, _)| *span).chain([span]);
    spans.any(|span| sources.lines(span.file, span.start, span.end).0.len() > SNIPPET_MAX)
}

fn snippet<'a>(
    found: &'a Diagnostic,
    span: Span,
    sources: &'a SourceMap,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let here = found.context.iter().filter(|(other, _)| other.file == span.file);
    let near: Vec<_> = here.collect();
    let start = near.iter().map(|(other, _)| other.start).min().unwrap_or(span.start).min(span.start);
    let end = near.iter().map(|(other, _)| other.end).max().unwrap_or(span.end).max(span.end);
    let (lines, first) = sources.lines(span.file, start, end);
    let file = sources.file(span.file);
    let text = &file.text[lines.clone()];
    let primary = AnnotationKind::Primary.span(within(span, &lines, text)).label(some(&found.label));
    let context = near
        .into_iter()
        .map(|(other, label)| AnnotationKind::Context.span(within(*other, &lines, text)).label(some(label)));
    Snippet::source(text).line_start(first).path(file.name.as_str()).annotation(primary).annotations(context)
}

fn context_snippet<'a>(
    span: Span,
    label: &'a str,
    sources: &'a SourceMap,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let (lines, first) = sources.lines(span.file, span.start, span.end);
    let file = sources.file(span.file);
    let text = &file.text[lines.clone()];
    let annotation = AnnotationKind::Context.span(within(span, &lines, text)).label(some(label));
    Snippet::source(text).line_start(first).path(file.name.as_str()).annotation(annotation)
}

fn some(label: &str) -> Option<&str> {
    (!label.is_empty()).then_some(label)
}

/// A span counted from the start of the lines shown, on character boundaries and without the line
/// break behind it.
fn within(span: Span, lines: &Range<usize>, text: &str) -> Range<usize> {
    let clamp = |offset: u32| {
        let mut at = (offset as usize).clamp(lines.start, lines.end) - lines.start;
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = clamp(span.start);
    let end = clamp(span.end).max(start);
    let end = start + text[start..end].trim_end().len();
    start..end
}

/// Text from files is not trusted to leave the terminal alone.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}
