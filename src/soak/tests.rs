use super::*;
use crate::lane::sim;
use crate::target::reference;
use std::sync::Arc;
use tcpspec_reference::Mutant;

fn cite(id: &str) -> Reference {
    Reference { id: id.to_owned(), title: String::new(), source: String::new() }
}

fn tried(episode: &Episode, mutant: Option<Mutant>) -> Came {
    let profile = reference::profile();
    let at = if episode.number.is_multiple_of(2) { Family::V4 } else { Family::V6 };
    let text = episode.text(&profile);
    let plan = plan_of(&text, ("soak.yaml", "soak"), (at, 42), &profile, &cite).expect("a case");
    came(&sim::run(&Arc::new(plan), mutant).verdict)
}

#[test]
fn the_reference_stands_a_few_episodes() {
    let mut dice = Dice::new(1);
    for number in 1..=30 {
        let episode = Episode::next(number, &mut dice, &reference::profile());
        let came = tried(&episode, None);
        assert!(matches!(came, Came::Clean | Came::Idle), "{came:?}\n{}", episode.text(&reference::profile()));
    }
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
