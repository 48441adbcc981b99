use super::*;
use crate::suite::corpus::{Context, Corpus};
use crate::suite::embedded;
use tcpspec_reference::Mutant;

fn corpus() -> Corpus {
    let mutants: Vec<&str> = Mutant::ALL.iter().map(|mutant| mutant.id()).collect();
    let context = Context { catalogue: Catalogue::embedded(), mutants: &mutants };
    Corpus::load(&embedded::sources(), context).0
}

fn shipped() -> Coverage {
    Coverage::of(Catalogue::embedded(), corpus().instances())
}

#[test]
fn what_can_be_tested_is_tested() {
    for (head, rows) in shipped().parts() {
        let open: Vec<&str> = rows.iter().filter(|row| row.is_open()).map(|row| row.id.as_str()).collect();
        assert!(open.is_empty(), "{head}: no case and no monitor stands behind {open:?} any more");
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

/// The sheets of the first assignment, as `suites/README.md` hands them out.
const SHEETS: [&str; 6] = ["handshake", "data", "close", "loss", "reset", "states"];

#[test]
fn the_course_teaches_every_item_in_six_sheets() {
    let mut taught = BTreeSet::new();
    for case in corpus().instances().filter(|case| case.tags.iter().any(|tag| tag == "course")) {
        let mut sheets: Vec<&str> =
            case.tags.iter().map(String::as_str).filter(|t| SHEETS.contains(t)).collect();
        // What is lost belongs to the sheet about loss, whatever it is a part of.
        if sheets.contains(&"loss") {
            sheets = vec!["loss"];
        }
        assert_eq!(sheets.len(), 1, "{}: {:?}", case.id, case.tags);
        assert!(case.lesson.is_some(), "{} has no lesson", case.id);
        taught.extend(case.refs);
    }
    let items = Catalogue::embedded().rows().iter().filter(|row| row.source == Source::Course);
    let missing: Vec<&str> = items.map(|row| row.id.as_str()).filter(|id| !taught.contains(*id)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}
