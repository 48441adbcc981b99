use super::*;
use crate::lane::sim;
use crate::target::reference;
use std::sync::Arc;
use tcpspec_reference::Mutant;

fn cite(id: &str) -> Reference {
    Reference { id: id.to_owned(), title: String::new(), source: String::new() }
}

fn tried(episode: &Episode, mutant: Option<Mutant>) -> Came {
    let plan =
        episode.plan("soak.yaml", "soak", (Family::V4, 42), &reference::profile(), &cite).expect("a case");
    came(&sim::run(&Arc::new(plan), mutant).verdict)
}

#[test]
fn the_reference_stands_a_few_episodes() {
    let mut dice = Dice::new(1);
    for number in 1..=8 {
        let episode = Episode::next(number, &mut dice, &reference::profile());
        assert_eq!(tried(&episode, None), Came::Clean, "{}", episode.text());
    }
}

#[test]
fn a_bug_is_found_and_its_episode_made_small() {
    let mutant = Mutant::from_id("bad-checksum-accepted");
    let mut dice = Dice::new(7);
    let found =
        (1..100).map(|number| Episode::next(number, &mut dice, &reference::profile())).find_map(|episode| {
            match tried(&episode, mutant) {
                Came::Violated(kind) => Some((episode, kind)),
                _ => None,
            }
        });
    let (episode, kind) = found.expect("the bug is found");
    let small = shrink(&episode, 300, |smaller| tried(smaller, mutant) == Came::Violated(kind.clone()));
    assert!(small.impairments.len() <= 5, "{}", small.text());
    assert_eq!(tried(&small, mutant), Came::Violated(kind));
    assert_eq!(tried(&small, None), Came::Clean);
}

#[test]
fn the_same_seed_gives_the_same_episodes() {
    let some = |seed| {
        let mut dice = Dice::new(seed);
        (1..20).map(|number| Episode::next(number, &mut dice, &reference::profile())).collect::<Vec<_>>()
    };
    assert_eq!(some(3), some(3));
    assert_ne!(some(3), some(4));
}
