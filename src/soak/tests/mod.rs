mod bar;
mod known;

use super::*;
use crate::lane::sim;
use crate::suite::model::Level;
use crate::target::reference;
use std::sync::Arc;
use tcpspec_reference::Mutant;

fn cite(id: &str) -> Reference {
    Reference { id: id.to_owned(), title: String::new(), source: String::new() }
}

fn tried(episode: &Episode, mutant: Option<Mutant>) -> Came {
    let profile = reference::profile();
    let family = if episode.number.is_multiple_of(2) { Family::V4 } else { Family::V6 };
    let text = episode.text(&profile);
    let plan = plan_of(&text, ("soak.yaml", "soak"), (family, 42), &profile, &cite).expect("a case");
    came(&sim::run(&Arc::new(plan), mutant).verdict)
}

#[test]
fn the_reference_stands_a_few_episodes() {
    let profile = reference::profile();
    let mut dice = Dice::new(1);
    for number in 1..=30 {
        let episode = Episode::next(number, &mut dice, &profile);
        let came = tried(&episode, None);
        assert!(matches!(came, Came::Clean | Came::Idle), "{came:?}\n{}", episode.text(&profile));
    }
}

/// Each question is asked, and answered by a correct TCP, whatever the peer's settings are.
#[test]
fn the_reference_answers_every_question() {
    let profile = reference::profile();
    let mut dice = Dice::new(7);
    let mut asked = Vec::new();
    for number in 1..4_000 {
        let mut episode = Episode::next(number, &mut dice, &profile);
        let new: Vec<Question> = episode.questions().filter(|each| !asked.contains(each)).collect();
        if new.is_empty() || episode.conns[0].gives + episode.conns[0].takes > 50_000 {
            continue;
        }
        asked.extend(new);
        let came = tried(&episode, None);
        assert!(matches!(came, Came::Clean | Came::Idle), "{came:?}\n{}", episode.text(&profile));
        // Without the rest each is a case of its own.
        episode.impairments.retain(|each| each.phase == Phase::Asked);
        let came = tried(&episode, None);
        assert_eq!(came, Came::Clean, "{}", episode.text(&profile));
    }
    let never: Vec<_> = Question::ALL.iter().filter(|question| !asked.contains(question)).collect();
    assert!(never.is_empty(), "{never:?}");
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

#[test]
fn patience_follows_from_what_gets_lost() {
    let profile = reference::profile();
    let mut episode = Episode::next(1, &mut Dice::new(1), &profile);
    episode.impairments.clear();
    let few = episode.patience(&profile);
    let lost = What::Rule { verb: "drop", from: "peer", data: true, nth: Some(1), how: String::new() };
    episode.impairments = vec![Impairment { phase: Phase::Open, what: lost }; 3];
    // One, two and four seconds after the first, on either side.
    assert_eq!(episode.patience(&profile) - few, Duration::from_secs(2 * (2 + 4 + 8)));
    episode.impairments = vec![episode.impairments[0].clone(); 20];
    assert_eq!(episode.patience(&profile), Duration::from_secs(170));
}

/// What a bug of the reference answers for ever, while no time passes.
fn endless() -> String {
    let mut text = "\
title: Without end
level: must
mode: live
cases:
  - id: episode
    title: The window closes over the last segment
    refs: [RFC9293-U-20]
    steps:
      - app: listen
      - live: connect
      - app: accept
      - live: {expect: connected}
      - app: {option: {nodelay: true}}
"
    .to_owned();
    for line in text::lines(text::SQUEEZED) {
        text += &format!("      {line}\n");
    }
    text + "      - live: {recv: 20}\n        within: 8s\n"
}

#[test]
fn who_sends_without_end_hangs() {
    let at = ("soak.yaml", "soak");
    let plan = plan_of(&endless(), at, (Family::V4, 42), &reference::profile(), &cite).expect("a case");
    let plan = Arc::new(plan);
    assert_eq!(came(&sim::run(&plan, None).verdict), Came::Clean);
    let Came::Violated(finding) = came(&sim::run(&plan, Some(Mutant::WindowUpdateIgnored)).verdict) else {
        panic!("a violation")
    };
    assert_eq!((finding.kinds, finding.level), (vec!["hung".to_owned()], Level::Must));
}
