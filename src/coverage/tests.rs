use super::*;
use crate::suite::corpus::{Context, Corpus};
use crate::suite::embedded;
use tcpspec_reference::Mutant;

fn shipped() -> Coverage {
    let catalogue = Catalogue::embedded();
    let mutants: Vec<&str> = Mutant::ALL.iter().map(|mutant| mutant.id()).collect();
    let (corpus, _) = Corpus::load(&embedded::sources(), Context { catalogue, mutants: &mutants });
    Coverage::of(catalogue, corpus.instances())
}

/// Requirements that wait for their first case. A requirement that loses its last one is not to be added here.
const OPEN: &str = include_str!("open.txt");

#[test]
fn what_can_be_tested_is_tested() {
    let coverage = shipped();
    let known: BTreeSet<&str> = OPEN.lines().filter(|line| !line.starts_with('#')).collect();
    for (head, rows) in coverage.parts() {
        let open: Vec<&str> = rows.iter().filter(|row| row.is_open()).map(|row| row.id.as_str()).collect();
        let lost: Vec<_> = open.iter().filter(|id| !known.contains(**id)).collect();
        assert!(lost.is_empty(), "{head}: no case and no monitor stands behind {lost:?} any more");
    }
}

#[test]
fn what_cannot_be_tested_says_why() {
    for (head, rows) in shipped().parts() {
        for row in rows.iter().filter(|row| row.status() == Status::Untestable) {
            let why = row.untestable.as_deref().unwrap_or_default();
            assert!(why.ends_with('.') && why.len() > 20, "{head}: {} has no sentence: {why}", row.id);
        }
    }
}

#[test]
fn every_kind_of_segment_is_sent_in_every_state() {
    assert_eq!(shipped().grid.empty(), []);
}

#[test]
fn parts_imply_the_whole_only_together() {
    let catalogue = Catalogue::embedded();
    let with_both = catalogue.get("RFC9293-MUST-18").unwrap();
    assert_eq!(with_both.related, ["RFC6298-2.3", "RFC6298-3-1"]);
    let cite = |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), vec!["a/b/c".to_owned()])).collect();
    assert!(implied(catalogue, &cite(&["RFC6298-2.3", "RFC6298-3-1"])).contains_key("RFC9293-MUST-18"));
    assert!(!implied(catalogue, &cite(&["RFC6298-2.3"])).contains_key("RFC9293-MUST-18"));
}

#[test]
fn the_page_is_whole_and_needs_nothing() {
    let page = shipped().html("A <title>");
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    assert!(page.contains("<h1>A &lt;title&gt;</h1>"));
    for outside in ["<script", "http:", "https:", "url(", "src="] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("<tr id=").count(), Catalogue::embedded().rows().len());
    assert_eq!(page.matches("<table").count(), page.matches("</table>").count());
}
