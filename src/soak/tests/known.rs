//! The search goes on behind what is known, and hides nothing else.

use super::*;
use crate::event::Try;

/// The first small episode of a seed that a bug fails in this way.
fn failing(mutant: Mutant, fails: impl Fn(&Finding) -> bool) -> Episode {
    let profile = reference::profile();
    let mut dice = Dice::new(1);
    let mut episodes = (1..4_000).map(|number| Episode::next(number, &mut dice, &profile));
    let fails = |episode: &Episode| match tried(episode, Some(mutant)) {
        Came::Violated(finding) => fails(&finding),
        _ => false,
    };
    let small = |episode: &Episode| episode.conns.iter().all(|conn| conn.gives + conn.takes < 100_000);
    episodes.find(|episode| small(episode) && fails(episode)).expect("a bug that soak finds")
}

fn judged(episode: &Episode, mutant: Mutant, words: &[&str]) -> (Came, Vec<String>) {
    let known: Known = words.iter().map(|word| (*word).to_owned()).collect();
    let (text, at) = (episode.text(&reference::profile()), ("soak.yaml", "soak"));
    let plan = plan_of(&text, at, (Family::V4, 42), &reference::profile(), &cite).expect("a case");
    let plan = Arc::new(plan);
    let run = sim::run(&plan, Some(mutant));
    let (inputs, verdict, output, events) = (run.inputs, run.verdict, run.output, run.events);
    let tried = Try { tuple: None, inputs, verdict, output, events };
    let (came, seen) = known.judge(&plan, &tried);
    (came, seen.into_iter().collect())
}

#[test]
fn a_known_monitor_is_counted_and_ends_nothing() {
    let mutant = Mutant::FinIgnoresWindow;
    let mut episode = failing(mutant, |finding| finding.kinds == ["right-edge"]);
    episode.number = 2;
    assert!(matches!(judged(&episode, mutant, &["mss"]), (Came::Violated(_), seen) if seen.is_empty()));
    let (came, seen) = judged(&episode, mutant, &["right-edge", "mss"]);
    assert!(matches!(came, Came::Clean | Came::Idle), "{came:?}");
    assert_eq!(seen, ["right-edge"]);
}

/// To skip a hole is seen on the wire, and by the application.
#[test]
fn behind_a_known_violation_another_is_seen() {
    let mutant = Mutant::HoleIgnored;
    let episode = failing(mutant, |finding| finding.kinds == ["ack-of-unsent"]);
    let (Came::Violated(rest), seen) = judged(&episode, mutant, &["ack-of-unsent"]) else {
        panic!("what is known has hidden what is not")
    };
    // Octets that are in the wrong place, or do not come.
    assert!(["wrong-octets", "no-answer", "app"].contains(&rest.kinds[0].as_str()), "{rest:?}");
    assert_eq!(seen, ["ack-of-unsent"]);
}

/// What the target was asked is left out by the word that the search names it by, and nothing else is.
#[test]
fn without_a_word_an_episode_asks_the_rest() {
    let profile = reference::profile();
    let mut dice = Dice::new(5);
    let mut met = std::collections::BTreeSet::new();
    for number in 1..2_000 {
        let episode = Episode::next(number, &mut dice, &profile);
        for word in episode.words() {
            let less = episode.without(&word);
            let expected: Vec<String> = episode.words().into_iter().filter(|other| *other != word).collect();
            assert_eq!(less.words().into_iter().collect::<Vec<_>>(), expected);
            assert_eq!(less.conns.len(), episode.conns.len());
            let known: Known = std::iter::once(word.clone()).collect();
            assert_eq!(known.in_episode(&episode), [word.as_str()]);
            assert!(words().contains(&word.as_str()), "{word}");
            met.insert(word);
        }
    }
    assert!(met.len() > 40, "{met:?}");
}
