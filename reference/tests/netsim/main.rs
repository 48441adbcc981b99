//! Two endpoints over a simulated path, in virtual time, from a seed.
//!
//! A seed decides the weather in each direction (loss, repetition, reordering, delay, damage, a slow line with a
//! short queue, ECN marks, a small path MTU, outages), the configuration of both hosts, who opens how many
//! connections, and what the applications do with them. What must hold whatever the seed: the stream arrives whole
//! and in order, or the error is told; both ends come to rest and nothing is left; no rule that can be seen on the
//! wire is broken ([`monitor`]); memory stays bounded.
//!
//! `TCPSPEC_NETSIM_SEEDS` says how many seeds, `TCPSPEC_NETSIM_SEED` which is the first, and
//! `TCPSPEC_NETSIM_TRACE=1` shows everything that happens. The path is independent of the endpoints' own code, but
//! the monitor reads packets with the crate's parser, which has its own tests.
#![allow(clippy::disallowed_methods)] // how many seeds to run comes from the environment
#![allow(clippy::print_stderr)] // and a trace was asked for

mod account;
mod app;
mod dice;
mod monitor;
mod path;
mod ranges;
mod scenario;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use tcpspec_reference::Mutant;

use crate::monitor::Marks;
use crate::world::{Failure, Report};

#[global_allocator]
static ALLOCATOR: account::Metered = account::Metered;

/// Seeds in a run of the test suite.
const SEEDS: u64 = 10_000;

/// Seeds that have failed, and why. What a seed means changes with the generator, so a bug that is found also gets
/// a test of its own beside the code that is mended.
const REGRESSIONS: &[(u64, &str)] = &[
    (29, "the window of a retransmission with a later acknowledgement was refused, so the edge moved"),
    (292, "a SYN cookie remembered 64 octets for an MSS of 60"),
    (745, "two ends that probed each other answered each other for ever"),
    (892, "D-SACK for octets of an earlier incarnation"),
    (
        10836,
        "a second keep-alive went out while text was outstanding, with its octet in the place of the text",
    ),
];

fn environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs one seed; a panic is a failure like any other.
fn check(seed: u64, mutant: Option<Mutant>, traced: bool) -> Result<Report, Failure> {
    catch_unwind(AssertUnwindSafe(|| world::run(seed, mutant, traced))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("?");
        Err(Failure { what: format!("panic: {text}"), trace: Vec::new() })
    })
}

/// Fails the test with the end of the trace and the way to see it again.
fn insist(seed: u64, why: &str) -> Report {
    let traced = environment("TCPSPEC_NETSIM_TRACE").is_some_and(|on| on > 0);
    let failure = match check(seed, None, traced) {
        Ok(report) => return report,
        Err(failure) if traced => failure,
        Err(failure) => {
            let again = check(seed, None, true).err();
            Failure { trace: again.map(|again| again.trace).unwrap_or_default(), ..failure }
        }
    };
    let shown = if traced { failure.trace.len() } else { failure.trace.len().min(40) };
    let tail = failure.trace[failure.trace.len() - shown..].join("\n");
    panic!(
        "seed {seed}{why}: {}\n{tail}\nagain: TCPSPEC_NETSIM_SEED={seed} TCPSPEC_NETSIM_SEEDS=1 \
         TCPSPEC_NETSIM_TRACE=1 cargo test -p tcpspec-reference --test netsim seeds -- --nocapture",
        failure.what
    );
}

/// Runs `seeds` on all processors and adds up what was seen.
fn sweep(seeds: core::ops::Range<u64>) -> Report {
    let workers = thread::available_parallelism().map_or(1, usize::from) as u64;
    thread::scope(|scope| {
        let seeds = &seeds;
        let handles: Vec<_> = (0..workers)
            .map(|worker| {
                scope.spawn(move || {
                    let mut sum = Report::default();
                    for seed in seeds.clone().skip(worker as usize).step_by(workers as usize) {
                        let Report { marks, digest, segments, octets } = insist(seed, "");
                        add(&mut sum.marks, &marks);
                        sum.digest ^= digest;
                        sum.segments += segments;
                        sum.octets += octets;
                    }
                    sum
                })
            })
            .collect();
        let mut total = Report::default();
        for handle in handles {
            let sum = handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            add(&mut total.marks, &sum.marks);
            total.digest ^= sum.digest;
            total.segments += sum.segments;
            total.octets += sum.octets;
        }
        total
    })
}

fn add(sum: &mut Marks, marks: &Marks) {
    for (&what, count) in &marks.0 {
        *sum.0.entry(what).or_insert(0) += count;
    }
}

#[test]
fn seeds() {
    let first = environment("TCPSPEC_NETSIM_SEED").unwrap_or(0);
    let count = environment("TCPSPEC_NETSIM_SEEDS").unwrap_or(SEEDS);
    let total = sweep(first..first + count);
    if count >= 1000 {
        // Or the properties would be true of nothing.
        let unseen: Vec<_> = REACHED.iter().filter(|what| !total.marks.0.contains_key(**what)).collect();
        assert!(unseen.is_empty(), "never seen: {unseen:?}");
    }
    eprintln!(
        "{count} seeds, {} segments, {} octets read: {:#?}",
        total.segments, total.octets, total.marks.0
    );
}

/// What a thousand seeds are sure to show.
const REACHED: &[&str] = &[
    "D-SACK",
    "SACK",
    "SYN again",
    "closed window",
    "congestion mark",
    "damaged packet",
    "duplicate delivered",
    "error told",
    "four-tuple used again",
    "packet too big",
    "reset",
    "retransmission",
    "simultaneous open",
    "whole and graceful",
    "window probe",
];

#[test]
fn regressions() {
    for (seed, why) in REGRESSIONS {
        insist(*seed, &format!(" ({why})"));
    }
}

#[test]
fn the_same_seed_gives_the_same_octets() {
    for seed in 0..50 {
        assert_eq!(insist(seed, "").digest, insist(seed, "").digest, "seed {seed}");
    }
}

/// Header prediction is a short way through the same rules, so it changes no octet that is sent.
#[test]
fn prediction_changes_nothing() {
    for seed in 0..300 {
        let long_way =
            world::run_unpredicted(seed).unwrap_or_else(|failure| panic!("{seed}: {}", failure.what));
        assert_eq!(insist(seed, "").digest, long_way.digest, "seed {seed}");
    }
}

/// All failing seeds, one line each: `cargo test ... survey -- --ignored --nocapture`.
#[test]
#[ignore = "a tool"]
fn survey() {
    let first = environment("TCPSPEC_NETSIM_SEED").unwrap_or(0);
    let count = environment("TCPSPEC_NETSIM_SEEDS").unwrap_or(SEEDS);
    for seed in first..first + count {
        if let Err(failure) = check(seed, None, false) {
            eprintln!("seed {seed}: {}", failure.what);
        }
    }
}

/// The first seed below `limit` at which a mutant is noticed, and how.
fn noticed(mutant: Mutant, limit: u64) -> Option<(u64, String)> {
    (0..limit).find_map(|seed| check(seed, Some(mutant), false).err().map(|failure| (seed, failure.what)))
}

/// The simulator can fail: bugs of the data path, the handshake and the close that it has to notice.
#[test]
fn mutants_are_noticed() {
    let missed: Vec<_> = NOTICED.iter().filter(|mutant| noticed(**mutant, 400).is_none()).collect();
    assert!(missed.is_empty(), "not noticed: {missed:?}");
}

const NOTICED: &[Mutant] = &[
    Mutant::SynNotCounted,
    Mutant::BadChecksumAccepted,
    Mutant::ChecksumOddLengthWrong,
    Mutant::RstAnsweredWithRst,
    Mutant::AckBeyondOoo,
    Mutant::AckCountsSegments,
    Mutant::AckOffByOne,
    Mutant::AckOfPureAck,
    Mutant::HoleIgnored,
    Mutant::FinBeforeHoleProcessed,
    Mutant::EofNotTold,
    Mutant::HalfCloseDropsInbound,
    Mutant::WindowIgnored,
    Mutant::WindowOffByOne,
    Mutant::WindowNotReducedByFlight,
    Mutant::WindowNeverReopens,
    Mutant::StaleWindowAccepted,
    Mutant::NoWindowProbe,
    Mutant::NagleDeadlock,
    Mutant::OptionsNotCounted,
    Mutant::MssIgnored,
    Mutant::TimestampBackwards,
    Mutant::SackNotNegotiated,
    Mutant::SequenceUnchecked,
    Mutant::UnacceptableSilent,
    Mutant::RetransmitNever,
    Mutant::RetransmissionDiffers,
    Mutant::NewestRetransmittedFirst,
    Mutant::CloseLosesUnsentData,
    Mutant::FinNeverSent,
    Mutant::FinIgnoresWindow,
    Mutant::FinWait1Stuck,
    Mutant::LastAckStuck,
    Mutant::TimeWaitForever,
    Mutant::EcnNotNegotiated,
    Mutant::EcnRetransmissionCapable,
];

/// Which mutants the simulator notices, and at which seed.
#[test]
#[ignore = "a tool"]
fn census() {
    std::panic::set_hook(Box::new(|_| {}));
    let limit = environment("TCPSPEC_NETSIM_SEEDS").unwrap_or(500);
    let mut count = 0;
    for &mutant in Mutant::ALL {
        let found = noticed(mutant, limit);
        count += usize::from(found.is_some());
        match found {
            Some((seed, what)) => eprintln!("{:40} seed {seed}: {what}", mutant.id()),
            None => eprintln!("{:40} -", mutant.id()),
        }
    }
    eprintln!("{count} of {}", Mutant::ALL.len());
}
