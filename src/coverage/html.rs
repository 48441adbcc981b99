//! Coverage as one page: no scripts, nothing fetched, readable on paper and in the dark.

use super::{Coverage, Grid, KINDS, Row, Status, Tally};
use crate::engine::Outcome;
use std::fmt::Write as _;

const STYLE: &str = include_str!("page.css");

pub(super) fn page(coverage: &Coverage, title: &str) -> String {
    let mut out = head(title);
    summary(coverage, &mut out);
    grid(&coverage.grid, &mut out);
    for (head, rows) in coverage.parts() {
        section(head, rows, &mut out);
    }
    out.push_str("</body>\n</html>\n");
    out
}

/// What every page begins with.
pub(super) fn head(title: &str) -> String {
    let mut out = String::with_capacity(1 << 20);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n",
        title = escaped(title),
    );
    out
}

fn summary(coverage: &Coverage, out: &mut String) {
    out.push_str("<table class=\"summary\">\n<thead><tr><th>");
    for head in ["testable", "by cases", "by a monitor", "implied", "open", "not testable"] {
        let _ = write!(out, "<th class=\"n\">{head}");
    }
    out.push_str("<th></thead>\n<tbody>\n");
    for (head, rows) in coverage.parts() {
        let tally = Tally::of(rows);
        let _ = write!(out, "<tr><th><a href=\"#{}\">{head}</a>", anchor(head));
        for n in [tally.testable(), tally.cases, tally.monitor, tally.implied, tally.open, tally.untestable] {
            let _ = write!(out, "<td class=\"n\">{n}");
        }
        let (done, all) = (tally.covered(), tally.testable().max(1));
        let _ = writeln!(out, "<td><progress max=\"{all}\" value=\"{done}\">{done} of {all}</progress>");
    }
    out.push_str("</tbody>\n</table>\n");
}

/// What is sent in which state.
fn grid(grid: &Grid, out: &mut String) {
    out.push_str(
        "<h2 id=\"grid\">What is sent in which state</h2>\n<p>Instances of cases, by the state of the target and the first \
         segment that it gets there.</p>\n<div class=\"wide\"><table class=\"grid\">\n<thead><tr><th>",
    );
    for kind in KINDS {
        let _ = write!(out, "<th class=\"n\">{kind}");
    }
    out.push_str("</thead>\n<tbody>\n");
    for state in grid.states() {
        let _ = write!(out, "<tr><th>{state}");
        for kind in KINDS {
            match grid.cell(state, kind) {
                0 => out.push_str("<td class=\"n open\">0"),
                n => drop(write!(out, "<td class=\"n\">{n}")),
            }
        }
        out.push('\n');
    }
    out.push_str("</tbody>\n</table></div>\n");
}

fn section(head: &str, rows: &[Row], out: &mut String) {
    let _ = writeln!(out, "<h2 id=\"{}\">{}</h2>", anchor(head), escaped(head));
    out.push_str(
        "<table class=\"rows\">\n<thead><tr><th>id<th>level<th>what must be so<th>what stands behind it</thead>\n<tbody>\n",
    );
    for row in rows {
        let level = row.level.map(|level| level.to_string()).unwrap_or_default();
        let _ = write!(
            out,
            "<tr id=\"{id}\" class=\"{class}\"><td class=\"id\">{id}<td>{level}<td>{title} <small>{cite}</small><td>",
            id = escaped(&row.id),
            class = class(row.status()),
            title = escaped(&row.title),
            cite = escaped(&row.citation),
        );
        behind(row, out);
        out.push('\n');
    }
    out.push_str("</tbody>\n</table>\n");
}

/// What stands behind a row.
fn behind(row: &Row, out: &mut String) {
    verdicts(row, out);
    match row.status() {
        Status::Cases => cases(&row.cases, out),
        Status::Monitor => drop(write!(out, "monitor {}", escaped(&row.monitors.join(", ")))),
        Status::Implied => {
            out.push_str("implied by ");
            for (index, id) in row.implied_by.iter().enumerate() {
                let comma = if index > 0 { ", " } else { "" };
                let _ = write!(out, "{comma}<a href=\"#{id}\">{id}</a>", id = escaped(id));
            }
        }
        Status::Untestable => {
            let why = row.untestable.as_deref().unwrap_or_default();
            let _ = write!(out, "not testable: {}", escaped(why));
        }
        Status::Open => out.push_str("open"),
    }
}

/// The names of cases, folded away where there are several.
pub(super) fn cases(names: &[String], out: &mut String) {
    match names {
        [case] => drop(write!(out, "<code>{}</code>", escaped(case))),
        cases => {
            let _ = write!(out, "<details><summary>{} cases</summary><ul>", cases.len());
            for case in cases {
                let _ = write!(out, "<li><code>{}</code>", escaped(case));
            }
            out.push_str("</ul></details>");
        }
    }
}

fn verdicts(row: &Row, out: &mut String) {
    for outcome in Outcome::ALL {
        if let Some(count) = row.verdicts.get(&outcome) {
            let _ = write!(out, "<span class=\"v {outcome}\">{count} {outcome}</span> ");
        }
    }
}

fn class(status: Status) -> &'static str {
    match status {
        Status::Cases | Status::Monitor => "done",
        Status::Implied => "implied",
        Status::Untestable => "not",
        Status::Open => "open",
    }
}

fn anchor(head: &str) -> String {
    head.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
