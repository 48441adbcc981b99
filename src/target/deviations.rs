//! Known deviations: where a target does not do what a requirement says, by cases, outcome and reason.
//!
//! They are data beside the suites, so no case is ever bent for a target; and an entry that no longer
//! fits is shown as stale. Pure: the text comes in.

use super::profile::Deviation;
use crate::engine::Outcome;
use crate::suite::diagnostic::{Code, Diagnostic, Sink};
use crate::suite::source::SourceMap;
use crate::suite::yaml::{self, Node};

/// Reads the `deviations:` of a manifest. Mistakes are diagnostics into `sources`.
pub fn read(name: &str, text: &str, sources: &mut SourceMap) -> (Vec<Deviation>, Vec<Diagnostic>) {
    let mut sink = Sink::default();
    let file = sources.add(name, text);
    let mut found = Vec::new();
    if let Some(root) = yaml::parse(file, sources, &mut sink) {
        let list = root.get("deviations").and_then(Node::items).unwrap_or_default();
        for node in list {
            match one(node) {
                Ok(several) => found.extend(several),
                Err(diagnostic) => sink.push(*diagnostic),
            }
        }
    }
    (found, sink.finish())
}

/// One entry; `cases` may be a list of globs that share outcome and reason.
fn one(node: &Node) -> Result<Vec<Deviation>, Box<Diagnostic>> {
    let missing =
        |key: &str| Diagnostic::new(Code::MissingKey, node.span, format!("a deviation needs `{key}`"));
    let text = |key: &str| node.get(key).and_then(Node::scalar).map(str::to_owned);
    let cases = node.get("cases").ok_or_else(|| missing("cases"))?;
    let globs: Vec<String> = match cases.items() {
        Some(items) => items.iter().filter_map(Node::scalar).map(str::to_owned).collect(),
        None => cases.scalar().map(str::to_owned).into_iter().collect(),
    };
    let outcome = match text("outcome").ok_or_else(|| missing("outcome"))?.as_str() {
        "fail" => Outcome::Fail,
        "warn" => Outcome::Warn,
        "blocked" => Outcome::Blocked,
        "unsupported" => Outcome::Unsupported,
        other => {
            let span = node.get("outcome").map_or(node.span, |outcome| outcome.span);
            let message = format!("`{other}` is no outcome that a deviation can have");
            let known = Diagnostic::new(Code::UnknownWord, span, message);
            return Err(Box::new(known.help("fail, warn, blocked or unsupported")));
        }
    };
    let because = text("because").ok_or_else(|| missing("because"))?;
    let link = text("link");
    Ok(globs
        .into_iter()
        .map(|cases| Deviation { cases, outcome, because: because.clone(), link: link.clone() })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_globs_shares_a_reason() {
        let mut sources = SourceMap::default();
        let text = "deviations:\n  - cases: [a/*, b]\n    outcome: fail\n    because: it is so\n";
        let (found, mistakes) = read("t.yaml", text, &mut sources);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(found.iter().map(|d| d.cases.as_str()).collect::<Vec<_>>(), ["a/*", "b"]);
    }

    #[test]
    fn mistakes_are_told() {
        for text in ["deviations:\n  - cases: a\n", "deviations:\n  - {cases: a, outcome: bad, because: b}\n"]
        {
            let (found, mistakes) = read("t.yaml", text, &mut SourceMap::default());
            assert_eq!((found.len(), mistakes.len()), (0, 1), "{text}");
        }
    }
}
