//! From an episode that showed a violation to a case that an author could have written.

use super::{Came, Episode, Finding, Phase, What, shrink};

/// The smallest episode found that still shows this violation, and that a correct TCP passes: what leaves out
/// too much of a forged segment's surroundings says nothing about the target. `reference` tries it on the clean
/// reference. At most `tries` questions are asked of the target.
pub fn reduce(
    episode: &Episode,
    finding: &Finding,
    tries: usize,
    mut target: impl FnMut(&Episode) -> Came,
    mut reference: impl FnMut(&Episode) -> Came,
) -> Episode {
    let mut violated =
        |smaller: &Episode| matches!(target(smaller), Came::Violated(found) if found.is_like(finding));
    let small = shrink(episode, tries, |smaller| {
        violated(smaller) && matches!(reference(smaller), Came::Clean | Came::Idle)
    });
    if reference(&small) == Came::Clean {
        return small;
    }
    // A rule about a segment that a correct TCP never sends makes a case that cannot pass.
    let mut best = small;
    for at in 0..best.impairments.len() {
        if reference(&best) == Came::Clean {
            break;
        }
        for earlier in earlier(&best, at) {
            if violated(&earlier) && matches!(reference(&earlier), Came::Clean | Came::Idle) {
                best = earlier;
                break;
            }
        }
    }
    best
}

/// The same with a rule that picks a segment of the first few.
fn earlier(episode: &Episode, at: usize) -> Vec<Episode> {
    let What::Rule { nth: Some(nth), .. } = &episode.impairments[at].what else { return Vec::new() };
    let few = (1..(*nth).min(16)).flat_map(|nth| [(episode.impairments[at].phase, nth), (Phase::Close, nth)]);
    few.map(|(phase, number)| {
        let mut earlier = episode.clone();
        earlier.impairments[at].phase = phase;
        if let What::Rule { nth, .. } = &mut earlier.impairments[at].what {
            *nth = Some(number);
        }
        earlier
    })
    .collect()
}
