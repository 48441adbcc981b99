//! The bar: every mutant of the data path is found, and shown by a case with five impairments at most.
//!
//! *Data path* is what the table of mutants has in these sections: whatever an octet, an acknowledgment, a window or
//! a FIN meets between two applications. None of it is excused: a bug that shows itself in times or sizes only is asked
//! for (`soak::ask`).
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a long measurement is asked for, and shown"
)]

use super::*;
use std::collections::BTreeSet;
use std::time::Instant;

use tcpspec_reference::Section;

const SECTIONS: &[Section] = &[
    Section::Acceptance,
    Section::Receiving,
    Section::ReceiveWindow,
    Section::Sending,
    Section::Retransmission,
    Section::Closing,
];

/// Mutants of other sections that do the same to data.
const BESIDES: &[&str] = &[
    "same-start-held-dropped",
    "large-read-corrupts",
    "window-kept-in-16-bits",
    "mss-ignored",
    "options-not-counted",
    "syn-not-counted",
    "rst-without-seq-check",
    "rst-in-window-accepted",
    "rst-ignored",
    "rst-exact-challenged",
    "errors-not-reported",
    "abort-sends-no-rst",
    "syn-in-window-resets",
];

/// Segments after which a bug counts as not found; in release that is four seconds.
const SEGMENTS_MAX: u64 = 400_000;
const TRIES_MAX: usize = 400;

/// The mutants of the data path, in the order of the table.
fn data_path() -> Vec<Mutant> {
    let listed = |mutant: &Mutant| SECTIONS.contains(&mutant.section()) || BESIDES.contains(&mutant.id());
    Mutant::ALL.iter().copied().filter(listed).collect()
}

/// A bug that was met.
struct Found {
    took: Duration,
    segments: u64,
    small: Episode,
}

/// The smallest episode of a seed that shows the bug, after how many segments it was met.
fn hunted(mutant: Mutant, seed: u64) -> Result<Found, String> {
    let begun = Instant::now();
    let profile = reference::profile();
    let mut dice = Dice::new(seed);
    let (mut segments, mut number, mut large) = (0, 0, None);
    while segments < SEGMENTS_MAX {
        number += 1;
        let episode = Episode::next(number, &mut dice, &profile);
        let family = if number.is_multiple_of(2) { Family::V4 } else { Family::V6 };
        let plan = plan_of(&episode.text(&profile), ("soak.yaml", "soak"), (family, 42), &profile, &cite)?;
        let verdict = sim::run(&Arc::new(plan), Some(mutant)).verdict;
        segments +=
            verdict.traffic.as_ref().map_or(0, |all| all.from_peer.segments + all.from_target.segments);
        let Came::Violated(finding) = came(&verdict) else { continue };
        let took = begun.elapsed();
        let small = reduce(
            &episode,
            &finding,
            TRIES_MAX,
            |smaller| tried(smaller, Some(mutant)),
            |smaller| tried(smaller, None),
        );
        let shows = matches!(tried(&small, Some(mutant)), Came::Violated(again) if again.is_like(&finding));
        if shows && small.impairments.len() <= 5 && tried(&small, None) == Came::Clean {
            return Ok(Found { took, segments, small });
        }
        large = Some(small.impairments.len());
    }
    Err(match large {
        Some(impairments) => format!("found, and shown by no case with fewer than {impairments} impairments"),
        None => format!("not found in {segments} segments"),
    })
}

/// Seeds of a measurement; the first is that of the usual test.
const SEEDS: [u64; 3] = [42, 1, 2];

fn are_all_asked() -> bool {
    std::env::var_os("TCPSPEC_SOAK").is_some_and(|asked| asked == "all")
}

/// What came of a hunt with each seed, in two threads.
fn hunt_all(hunts: &[(Mutant, u64)]) -> Vec<(Mutant, u64, Result<Found, String>)> {
    let hunt = |part: &[(Mutant, u64)]| -> Vec<_> {
        let one = |&(mutant, seed): &(Mutant, u64)| {
            let came = hunted(mutant, seed);
            match &came {
                Ok(Found { took, segments, small }) => println!(
                    "{} seed {seed}: {segments} segments, {} ms, {} impairments",
                    mutant.id(),
                    took.as_millis(),
                    small.impairments.len()
                ),
                Err(how) => println!("{} seed {seed}: {how}", mutant.id()),
            }
            (mutant, seed, came)
        };
        part.iter().map(one).collect()
    };
    let (evens, odds): (Vec<_>, Vec<_>) = hunts.iter().copied().enumerate().partition(|(at, _)| at % 2 == 0);
    let part = |of: Vec<(usize, (Mutant, u64))>| of.into_iter().map(|(_, hunt)| hunt).collect::<Vec<_>>();
    let (evens, odds) = (part(evens), part(odds));
    std::thread::scope(|scope| {
        let other = scope.spawn(|| hunt(&odds));
        let mut all = hunt(&evens);
        all.extend(other.join().expect("no panic"));
        all
    })
}

fn middle_and_most<T: Ord + Copy>(mut of: Vec<T>) -> Option<(T, T)> {
    of.sort_unstable();
    Some((*of.get(of.len() / 2)?, *of.last()?))
}

/// All of them with three seeds take minutes, in release: `TCPSPEC_SOAK=all`. Otherwise every twenty-fourth with one.
#[test]
fn every_bug_of_the_data_path_is_found_and_made_small() {
    let all = are_all_asked();
    let of = data_path().into_iter().enumerate();
    let chosen = of.filter(|(at, _)| all || at % 24 == 7).map(|(_, mutant)| mutant);
    let seeds = if all { &SEEDS[..] } else { &SEEDS[..1] };
    let hunts: Vec<_> = chosen.flat_map(|mutant| seeds.iter().map(move |seed| (mutant, *seed))).collect();
    assert!(hunts.len() >= 5);
    let came = hunt_all(&hunts);
    let found: Vec<&Found> = came.iter().filter_map(|(.., came)| came.as_ref().ok()).collect();
    let times = middle_and_most(found.iter().map(|found| found.took.as_millis()).collect());
    let segments = middle_and_most(found.iter().map(|found| found.segments).collect());
    let left = middle_and_most(found.iter().map(|found| found.small.impairments.len()).collect());
    println!("{} of {} hunts", found.len(), hunts.len());
    println!("median and most: {times:?} ms to find, after {segments:?} segments, {left:?} impairments left");
    let missed = came.iter().filter_map(|(mutant, seed, came)| {
        came.as_ref().err().map(|how| format!("{} seed {seed}: {how}", mutant.id()))
    });
    let missed: Vec<String> = missed.collect();
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn what_is_hunted_besides_is_in_the_table() {
    let path: BTreeSet<&str> = data_path().iter().map(|mutant| mutant.id()).collect();
    let unknown: Vec<&&str> = BESIDES.iter().filter(|id| !path.contains(*id)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
