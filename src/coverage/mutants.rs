//! What the corpus made of the seeded bugs, as one page in the manner of the coverage.

use super::html::{cases, escaped, head};
use crate::engine::monitor_rules;
use crate::report::text::count;
use crate::run::mutants::{Hunt, Hunted};
use crate::suite::catalogue::{Catalogue, Requirement};
use std::fmt::Write as _;

/// How a bug ended, and the class of its row.
const ENDS: [(End, &str, &str); 4] = [
    (End::Named, "killed by a case that names it", "done"),
    (End::Monitor, "seen by a monitor", "done"),
    (End::Chance, "killed by chance", "implied"),
    (End::Survived, "survived", "open"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Named,
    Monitor,
    Chance,
    Survived,
}

impl End {
    fn of(hunted: &Hunted) -> Self {
        match (hunted.killed, hunted.named, hunted.monitors.is_empty()) {
            (false, ..) => Self::Survived,
            (true, true, _) => Self::Named,
            (true, false, false) => Self::Monitor,
            (true, false, true) => Self::Chance,
        }
    }
}

/// The hunt as a page that needs nothing beside it. A requirement is told as in the catalogue.
pub fn page(hunt: &Hunt, catalogue: &Catalogue) -> String {
    let mut out = head("Would the cases of tcpspec notice?");
    summary(hunt, &mut out);
    table(hunt, catalogue, &mut out);
    monitors(hunt, &mut out);
    idle(hunt, &mut out);
    beyond(hunt, &mut out);
    out.push_str("</body>\n</html>\n");
    out
}

fn summary(hunt: &Hunt, out: &mut String) {
    let _ = writeln!(
        out,
        "<p>Each bug was switched on alone in the built-in reference, and {} case instances were run against it in virtual time. One that \
         no case could see would have no place in the table.</p>",
        hunt.instances,
    );
    out.push_str("<table class=\"summary\">\n<thead><tr><th>");
    for (_, title, _) in ENDS {
        let _ = write!(out, "<th class=\"n\">{title}");
    }
    out.push_str("<th></thead>\n<tbody>\n<tr><th><a href=\"#mutants\">seeded bugs</a>");
    for (end, ..) in ENDS {
        let count = hunt.mutants.iter().filter(|hunted| End::of(hunted) == end).count();
        let _ = write!(out, "<td class=\"n\">{count}");
    }
    let (done, all) = (hunt.killed(), hunt.mutants.len());
    let _ = writeln!(
        out,
        "<td><progress max=\"{}\" value=\"{done}\">{done} of {all}</progress>\n</tbody>\n</table>",
        all.max(1),
    );
}

fn table(hunt: &Hunt, catalogue: &Catalogue, out: &mut String) {
    out.push_str(
        "<h2 id=\"mutants\">Seeded bugs</h2>\n<table class=\"rows mutants\">\n<thead><tr><th>bug<th>what it does wrong<th>what it \
         breaks<th>what noticed</thead>\n<tbody>\n",
    );
    for hunted in &hunt.mutants {
        let end = End::of(hunted);
        let class = ENDS.iter().find(|(this, ..)| *this == end).map_or("", |(.., class)| class);
        let _ = write!(
            out,
            "<tr id=\"{id}\" class=\"{class}\"><td class=\"id\">{id}<td>{sentence} <small>{source}</small><td>",
            id = escaped(hunted.id),
            sentence = escaped(hunted.sentence),
            source = escaped(hunted.source),
        );
        requirement(hunted.requirement, catalogue.get(hunted.requirement), out);
        out.push_str("<td>");
        noticed(hunted, end, out);
        out.push('\n');
    }
    out.push_str("</tbody>\n</table>\n");
}

fn requirement(id: &str, row: Option<&Requirement>, out: &mut String) {
    let _ = write!(out, "{}", escaped(id));
    if let Some(row) = row {
        let _ = write!(out, " {} <small>{}</small>", escaped(&row.title), escaped(&row.citation()));
    }
}

fn noticed(hunted: &Hunted, end: End, out: &mut String) {
    match end {
        End::Survived => return out.push_str("nothing"),
        End::Chance => out.push_str("by chance, as no case names it: "),
        End::Named | End::Monitor => {}
    }
    cases(&hunted.killed_by, out);
    if !hunted.monitors.is_empty() {
        let _ = write!(out, " monitor {}", escaped(&hunted.monitors.join(", ")));
    }
}

/// What is watched on every segment, and the bugs that were seen by it.
fn monitors(hunt: &Hunt, out: &mut String) {
    out.push_str(
        "<h2 id=\"monitors\">Monitors</h2>\n<table class=\"rows\">\n<thead><tr><th>monitor<th>level<th>what holds<th>bugs that it \
         saw</thead>\n<tbody>\n",
    );
    for rule in monitor_rules() {
        let saw: Vec<&str> = (hunt.mutants.iter())
            .filter(|hunted| hunted.monitors.iter().any(|id| id == rule.id))
            .map(|hunted| hunted.id)
            .collect();
        // Not "open": only the whole hunt, with `--all`, would show that there is none.
        let class = if saw.is_empty() { "implied" } else { "done" };
        let _ = write!(
            out,
            "<tr class=\"{class}\"><td class=\"id\">{}<td>{}<td>{}<td>",
            escaped(rule.id),
            rule.level,
            escaped(rule.sentence),
        );
        match saw.as_slice() {
            [] => out.push_str("none in the cases that were run"),
            saw => out.push_str(&escaped(&saw.join(", "))),
        }
        out.push('\n');
    }
    out.push_str("</tbody>\n</table>\n");
}

/// Cases that prove nothing about themselves.
fn idle(hunt: &Hunt, out: &mut String) {
    out.push_str("<h2 id=\"idle\">Cases that notice no bug</h2>\n");
    if hunt.idle.is_empty() {
        return out
            .push_str("<p>None: each case of level must or should has failed on a bug that it names.</p>\n");
    }
    out.push_str("<ul>\n");
    for case in &hunt.idle {
        let _ = writeln!(out, "<li><code>{}</code>", escaped(case));
    }
    out.push_str("</ul>\n");
}

/// Cases that no bug of the reference can reach.
fn beyond(hunt: &Hunt, out: &mut String) {
    for (why, cases) in &hunt.beyond {
        let (count, why) = (count(cases.len(), "case"), escaped(why));
        let _ = writeln!(out, "<h2>Cases that meet no bug</h2>\n<p>{count}: {why}.</p>\n<ul>");
        for case in cases {
            let _ = writeln!(out, "<li><code>{}</code>", escaped(case));
        }
        out.push_str("</ul>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn hunted(id: &'static str, killed_by: &[&str], named: bool, monitors: &[&str]) -> Hunted {
        Hunted {
            id,
            requirement: "RFC9293-MUST-13",
            sentence: "It is <wrong>.",
            source: "a test",
            killed: !killed_by.is_empty(),
            killed_by: killed_by.iter().map(ToString::to_string).collect(),
            named,
            monitors: monitors.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn every_bug_has_a_row_that_says_how_it_ended() {
        let hunt = Hunt {
            mutants: vec![
                hunted("one", &["a/b/c", "a/b/d"], true, &[]),
                hunted("two", &["a/b/c"], false, &["checksum"]),
                hunted("three", &["a/b/c"], false, &[]),
                hunted("four", &[], false, &[]),
            ],
            instances: 7,
            idle: vec!["a/b/idle".into()],
            beyond: BTreeMap::from([("lacks: <x>".into(), BTreeSet::from(["a/b/kernel".into()]))]),
        };
        let page = page(&hunt, Catalogue::embedded());
        assert_eq!(page.matches("<tr id=").count(), 4);
        assert!(page.contains("It is &lt;wrong&gt;.") && page.contains("<summary>2 cases</summary>"));
        assert!(page.contains("monitor checksum") && page.contains("by chance, as no case names it"));
        assert!(page.contains("<tr id=\"four\" class=\"open\">") && page.contains("<code>a/b/idle</code>"));
        assert!(page.contains("1 case: lacks: &lt;x&gt;.") && page.contains("<code>a/b/kernel</code>"));
        for rule in monitor_rules() {
            let saw = if rule.id == "checksum" { "two" } else { "none in the cases that were run" };
            let row = format!(
                "<td class=\"id\">{}<td>{}<td>{}<td>{saw}\n",
                rule.id,
                rule.level,
                escaped(rule.sentence)
            );
            assert!(page.contains(&row), "{row}");
        }
        assert_eq!(page.matches("<table").count(), page.matches("</table>").count());
        for outside in ["<script", "http:", "https:", "url(", "src="] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
