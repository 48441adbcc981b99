//! What was expected and what came, field by field, with carets below what differs.

use crate::engine::event::Cell;
use crate::engine::{Violation, ViolationKind};
use crate::report::style::{Look, paint};
use crate::report::text::{clean, columns, pad, wrap};
use crate::time;
use std::borrow::Cow;

const INDENT: &str = "      ";
const EXPECTED: &str = "expected  ";
const GOT: &str = "got       ";

/// The lines of the comparison, without line ends.
pub(super) fn lines(violation: &Violation, look: Look) -> Vec<String> {
    let limit = violation.limit.as_deref().map(clean).unwrap_or_default();
    let after = after(violation);
    if violation.cells.is_empty() {
        let expected = clean(&violation.expected);
        let got = violation.got.as_deref().map_or(Cow::Borrowed("nothing"), clean);
        return texts(&expected, &got, &limit, &after, look);
    }
    let cells: Vec<Column> = violation.cells.iter().map(Column::new).collect();
    let row: usize = cells.iter().map(|c| c.width + 2).sum();
    let tail = columns(&limit).max(columns(&after));
    if INDENT.len() + EXPECTED.len() + row + 2 + tail > look.width {
        return table(&cells, &limit, &after, look);
    }
    let line = |text: fn(&Column) -> &str| {
        let cell = |c: &Column| {
            let text = pad(text(c), c.width);
            if c.differs { paint(look.palette.strong, text) } else { text }
        };
        cells.iter().map(cell).collect::<Vec<_>>().join("  ")
    };
    let mut out = vec![
        format!("{INDENT}{EXPECTED}{}    {limit}", line(|c| &c.expected)),
        format!("{INDENT}{GOT}{}    {after}", line(|c| &c.got)),
    ];
    if cells.iter().any(|c| c.differs) {
        let carets = cells.iter().map(|c| if c.differs { "^" } else { " " }.repeat(c.width));
        let carets = carets.collect::<Vec<_>>().join("  ");
        let blank = " ".repeat(INDENT.len() + GOT.len());
        out.push(format!("{blank}{}", paint(look.palette.fail, carets.trim_end())));
    }
    out
}

/// When it came, or how long was waited.
fn after(violation: &Violation) -> String {
    let timeless = matches!(&violation.kind, ViolationKind::Monitor(_) | ViolationKind::Crashed);
    if timeless && violation.after.is_zero() {
        String::new()
    } else {
        format!("after {}", time::span(violation.after))
    }
}

/// Two sentences instead of cells.
fn texts(expected: &str, got: &str, limit: &str, after: &str, look: Look) -> Vec<String> {
    let head = INDENT.len() + EXPECTED.len();
    let both = columns(expected).max(columns(got));
    let tail = columns(limit).max(columns(after));
    if head + both + 4 + tail <= look.width {
        return vec![
            format!("{INDENT}{EXPECTED}{}    {limit}", pad(expected, both)),
            format!("{INDENT}{GOT}{}    {after}", paint(look.palette.strong, pad(got, both))),
        ];
    }
    let mut out = Vec::new();
    for (head, text, tail) in [(EXPECTED, expected, limit), (GOT, got, after)] {
        let width = look.width - INDENT.len() - head.len();
        let mut lines = wrap(text, width);
        match lines.last_mut() {
            Some(_) if tail.is_empty() => {}
            Some(last) if columns(last) + 4 + columns(tail) <= width => last.push_str(&format!("    {tail}")),
            Some(_) | None => lines.push(tail.to_owned()),
        }
        for (n, line) in lines.iter().enumerate() {
            let head = if n == 0 { head.to_owned() } else { " ".repeat(head.len()) };
            out.push(format!("{INDENT}{head}{line}"));
        }
    }
    out
}

/// One line a field, where the fields do not fit side by side.
fn table(cells: &[Column], limit: &str, after: &str, look: Look) -> Vec<String> {
    let width = cells.iter().map(|c| columns(&c.expected)).max().unwrap_or(0).max(EXPECTED.trim_end().len());
    let palette = look.palette;
    let note = |text: &str| if text.is_empty() { String::new() } else { format!(" ({text})") };
    let head = format!("expected{}", note(limit));
    let width = width.max(columns(&head));
    let mut out = vec![paint(palette.dim, format!("{INDENT}  {}  got{}", pad(&head, width), note(after)))];
    for cell in cells {
        let line = format!("{}  {}", pad(&cell.expected, width), cell.got);
        out.push(if cell.differs {
            format!("{INDENT}{}", paint(palette.fail, format!("x {}", line.trim_end())))
        } else {
            format!("{INDENT}  {line}")
        });
    }
    out
}

struct Column {
    expected: String,
    got: String,
    width: usize,
    differs: bool,
}

impl Column {
    fn new(cell: &Cell) -> Self {
        let field = clean(&cell.field);
        let value = |text: &str| clean(text).trim_start_matches("= ").to_owned();
        let (expected, got) = aligned(&value(&cell.expected), &value(&cell.got));
        let loose = |v: &str| {
            v.starts_with(['<', '>', '!', '[']) || v.contains("..") || matches!(v, "any" | "none" | "not set")
        };
        let joint = if loose(expected.trim()) { " " } else { " = " };
        let say = |value: &str| match (field.as_ref(), value.trim_end()) {
            ("flags" | "", "") => "-".to_owned(),
            ("flags" | "", value) => value.to_owned(),
            (field, "" | "none") => format!("no {field}"),
            (field, value) => format!("{field}{joint}{value}"),
        };
        let (expected, got) = (say(&expected), say(&got));
        let width = columns(&expected).max(columns(&got));
        Self { expected, got, width, differs: cell.differs }
    }
}

/// Two values of the form `isn+1 (1001)` get their brackets below each other.
fn aligned(expected: &str, got: &str) -> (String, String) {
    let parts = |v: &str| {
        let (name, number) = v.strip_suffix(')')?.rsplit_once(" (")?;
        Some((name.to_owned(), number.to_owned()))
    };
    match (parts(expected), parts(got)) {
        (Some((a, m)), Some((b, n))) => {
            let width = columns(&a).max(columns(&b));
            (format!("{} ({m})", pad(&a, width)), format!("{} ({n})", pad(&b, width)))
        }
        _ => (expected.to_owned(), got.to_owned()),
    }
}
