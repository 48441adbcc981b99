//! The monitors at the end of a run: what was violated on lines of its own, the others in a few.

use super::WORD;
use crate::report::monitors::{Monitors, Row};
use crate::report::style::{Look, paint};
use crate::report::text::{clean, columns, count, wrap};
use crate::suite::model::Level;

/// Cases that a row names; the others are in the list below it, and in the files.
const CASES_MAX: usize = 3;

/// The paragraph, each line ended by a line feed.
pub(super) fn paragraph(monitors: &Monitors, look: Look) -> String {
    let mut out = String::new();
    let (violated, kept): (Vec<_>, Vec<_>) = monitors.rows().partition(|(_, row)| row.violations > 0);
    let (kept, idle): (Vec<_>, Vec<_>) = kept.into_iter().partition(|(_, row)| row.checked > 0);
    let counts =
        [(violated.len(), "violated"), (kept.len(), "kept"), (idle.len(), "with nothing to look at")];
    let counts: Vec<String> =
        counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    let style = match violated.iter().map(|(_, row)| row.level).max() {
        None => look.palette.pass,
        Some(Some(Level::Must) | None) => look.palette.fail,
        Some(Some(Level::Should | Level::May)) => look.palette.warn,
    };
    let word = paint(style, format!("{:>WORD$}", "Monitors"));
    out.push_str(&format!("{word} {}\n", counts.join(", ")));
    for (id, row) in violated {
        violation(id, row, look, &mut out);
    }
    let amount = |(id, row): &(&str, &Row)| format!("{} {}/{}", clean(id), row.checked, row.cases);
    listed("kept (segments/cases):", &kept.iter().map(amount).collect::<Vec<_>>(), look, &mut out);
    let idle: Vec<String> = idle.iter().map(|(id, _)| clean(id).into_owned()).collect();
    listed("nothing to look at:", &idle, look, &mut out);
    out
}

/// What holds, how often it did not, and where.
fn violation(id: &str, row: &Row, look: Look, out: &mut String) {
    let style = if row.level == Some(Level::Should) { look.palette.warn } else { look.palette.fail };
    let mut remarks = vec![];
    if row.known > 0 {
        remarks.push(format!("{} known", row.known));
    }
    if row.unjudged > 0 {
        remarks.push(format!("{} not judged", row.unjudged));
    }
    let remarks = if remarks.is_empty() { String::new() } else { format!(" ({})", remarks.join(", ")) };
    let id = paint(style, clean(id));
    let segments = format!("{} of {}", row.violations, count(row.checked, "segment"));
    let cases = format!("{} of {}", row.violated_in.len(), count(row.cases, "case"));
    out.push_str(&format!("{:WORD$} {id}  {segments} in {cases}{remarks}\n", ""));
    for line in wrap(row.sentence, look.width - WORD - 3) {
        out.push_str(&format!("{:WORD$}   {}\n", "", paint(look.palette.dim, line)));
    }
    let mut ids: Vec<&str> = row.violated_in.iter().map(|(id, _)| id.as_str()).collect();
    ids.dedup();
    for id in ids.iter().take(CASES_MAX) {
        out.push_str(&format!("{:WORD$}   {}\n", "", clean(id)));
    }
    let more = ids.len().saturating_sub(CASES_MAX);
    if more > 0 {
        out.push_str(&format!("{:WORD$}   and {more} more\n", ""));
    }
}

/// A list that goes on below its own beginning.
fn listed(head: &str, items: &[String], look: Look, out: &mut String) {
    let mut line = head.to_owned();
    let mut say = |line: &str| out.push_str(&format!("{:WORD$} {}\n", "", paint(look.palette.dim, line)));
    // A number stays with what it counts.
    for (index, item) in items.iter().enumerate() {
        let comma = if index + 1 < items.len() { "," } else { "" };
        if WORD + 1 + columns(&line) + 1 + columns(item) + comma.len() > look.width {
            say(&line);
            line = " ".to_owned();
        }
        line.push_str(&format!(" {item}{comma}"));
    }
    if !items.is_empty() {
        say(&line);
    }
}
