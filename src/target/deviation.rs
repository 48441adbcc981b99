//! Known deviations: where a target does not do what a requirement says, and what it does instead.

use crate::engine::Outcome;
use serde::{Deserialize, Deserializer, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deviation {
    /// A case, or a pattern.
    pub cases: String,
    pub outcome: Outcome,
    pub because: String,
    /// Where it is discussed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The wires on which it is seen; empty where that is every one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wires: Vec<String>,
}

impl Deviation {
    /// Names more than one case.
    pub fn is_glob(&self) -> bool {
        self.cases.contains(['*', '?', '['])
    }

    /// Whether it is seen on a wire.
    pub fn is_on(&self, wire: &str) -> bool {
        self.wires.is_empty() || self.wires.iter().any(|one| one == wire)
    }
}

/// Records of earlier versions hold the outcome and no more.
pub(crate) fn recorded<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Deviation>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Said {
        Whole(Deviation),
        Outcome(Outcome),
    }
    let said = Option::<Said>::deserialize(from)?;
    Ok(said.map(|said| match said {
        Said::Whole(deviation) => deviation,
        Said::Outcome(outcome) => {
            let (cases, because) = (String::new(), String::new());
            Deviation { cases, outcome, because, link: None, wires: Vec::new() }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("null", None)]
    #[case("\"fail\"", Some((Outcome::Fail, "")))]
    #[case("{\"cases\": \"a/*\", \"outcome\": \"warn\", \"because\": \"it is old\"}", Some((Outcome::Warn, "it is old")))]
    fn earlier_records_are_read(#[case] text: &str, #[case] says: Option<(Outcome, &str)>) {
        let mut from = serde_json::Deserializer::from_str(text);
        let read = recorded(&mut from).unwrap();
        assert_eq!(read.as_ref().map(|known| (known.outcome, known.because.as_str())), says);
    }

    #[test]
    fn without_wires_it_is_seen_on_all() {
        let mut known = Deviation {
            cases: "a/b".into(),
            outcome: Outcome::Fail,
            because: "so it is".into(),
            link: None,
            wires: Vec::new(),
        };
        assert!(known.is_on("tap"));
        known.wires = vec!["fd".into(), "udp".into()];
        assert!(known.is_on("udp") && !known.is_on("tap"));
    }
}
