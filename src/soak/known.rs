//! What a target is known to do wrong, so that the search goes on behind it.
//!
//! It is named by a word. Of a monitor or of a kind of violation it says what is not looked at; the rest of the episode is
//! judged as ever, as far as the case went on. Of something that an episode does (a lie, a question, an end) it says what the
//! target answers wrong: an episode that fails is played again without it, and what fails then is another violation.

use super::came::ENDLESS;
use super::{Conn, End, Episode, Lie, Question, What};
use crate::engine::{ViolationKind, monitor_rules};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// The words that are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known(BTreeSet<String>);

impl FromIterator<String> for Known {
    fn from_iter<T: IntoIterator<Item = String>>(words: T) -> Self {
        Self(words.into_iter().collect())
    }
}

impl Known {
    pub(super) fn has(&self, word: &str) -> bool {
        self.0.contains(word)
    }

    /// What an episode does that is known to be answered wrong, in the order in which it may be left out.
    pub fn in_episode(&self, episode: &Episode) -> Vec<String> {
        episode.words().into_iter().filter(|word| self.has(word)).collect()
    }
}

/// A copy of octets that have been sent.
const COPY: &str = "copy";

/// Violations that are no monitor's, and not those of a case that waits for nothing.
const KINDS: &[ViolationKind] = &[
    ViolationKind::WrongAnswer,
    ViolationKind::NoAnswer,
    ViolationKind::TooEarly,
    ViolationKind::TooLate,
    ViolationKind::NotSilent,
    ViolationKind::Unexpected,
    ViolationKind::App,
    ViolationKind::Content,
    ViolationKind::Crashed,
    ViolationKind::Hung,
];

static WORDS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut words: BTreeSet<String> = monitor_rules().map(|rule| rule.id.to_owned()).collect();
    words.extend(KINDS.iter().map(kind_word));
    words.extend([ENDLESS.to_owned(), COPY.to_owned()]);
    words.extend(Question::ALL.iter().map(kebab));
    words.extend(Lie::ALL.iter().chain(Lie::LATER).map(kebab));
    words.extend(End::ALL.iter().filter(|end| **end != End::PLAIN).map(kebab));
    words
});

/// All that can be known.
pub fn words() -> Vec<&'static str> {
    WORDS.iter().map(String::as_str).collect()
}

/// The word of a violation.
pub(super) fn kind_word(kind: &ViolationKind) -> String {
    match kind {
        ViolationKind::Monitor(id) => id.clone(),
        // The monitor of that name looks at what the target sends, this is what its application got.
        ViolationKind::Content => "wrong-octets".to_owned(),
        kind => kebab(kind),
    }
}

/// The name of a variant as manifests and command lines write it: `FinAcked` is `fin-acked`.
fn kebab(name: &impl std::fmt::Debug) -> String {
    let mut word = String::new();
    for letter in format!("{name:?}").chars() {
        if letter.is_ascii_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}

impl What {
    fn word(&self) -> Option<String> {
        match self {
            Self::Rule { .. } => None,
            Self::Copy { .. } => Some(COPY.to_owned()),
            Self::Forged(lie) => Some(kebab(lie)),
            Self::Asked(question) => Some(kebab(question)),
        }
    }
}

impl Conn {
    fn word(&self) -> Option<String> {
        (self.end != End::PLAIN).then(|| kebab(&self.end))
    }
}

impl Episode {
    /// What it does besides carrying octets over a bad wire.
    pub fn words(&self) -> BTreeSet<String> {
        let asked = self.impairments.iter().filter_map(|each| each.what.word());
        asked.chain(self.conns.iter().filter_map(Conn::word)).collect()
    }

    /// The same, but for that.
    #[must_use]
    pub fn without(&self, word: &str) -> Self {
        let is = |other: Option<String>| other.as_deref() == Some(word);
        let mut other = self.clone();
        other.impairments.retain(|each| !is(each.what.word()));
        for conn in other.conns.iter_mut().filter(|conn| is(conn.word())) {
            conn.end = End::PLAIN;
        }
        other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_means_two_things() {
        let monitors = monitor_rules().count();
        let doing = Question::ALL.len() + Lie::ALL.len() + Lie::LATER.len() + End::ALL.len() - 1;
        let all = monitors + KINDS.len() + doing + [ENDLESS, COPY].len();
        assert_eq!(words().len(), all);
        assert!(
            ["right-edge", "ancient-ack", "fin-acked", "target-late", "no-answer"]
                .iter()
                .all(|word| words().contains(word))
        );
    }
}
