//! Every mutant does something that can be seen: a battery of scripts is played against the clean stack and
//! against each mutant, and the records must differ.
//!
//! This says that a mutant is alive, not that a suite catches it; that is for the suites to show.

mod companions;
mod extensions;
mod lifetime;
mod proofs;
mod receiving;
#[path = "../script/mod.rs"]
mod script;
mod sending;

use std::time::Duration;

use script::{ACK, Got, Script};
use tcpspec_reference::wire::{Options, SackBlock, SackBlocks, Timestamps};
use tcpspec_reference::{Config, Mutant, SeqNum};

type Scenario = (&'static str, fn(Option<Mutant>) -> Script);

fn start(mutant: Option<Mutant>) -> Script {
    Script::mutated(mutant, Config::default())
}

fn with(mutant: Option<Mutant>, config: Config) -> Script {
    Script::mutated(mutant, config)
}

const SEC: u64 = 1000;

fn blocks(list: &[(u32, u32)]) -> SackBlocks {
    let mut blocks = SackBlocks::default();
    for &(start, end) in list {
        blocks.push(SackBlock { start: SeqNum(start), end: SeqNum(end) });
    }
    blocks
}

/// Acknowledges everything as it comes, for `rounds` rounds.
fn absorb(s: &mut Script, rounds: usize, first: Vec<Got>) {
    let mut pending = first;
    for _ in 0..rounds {
        let Some(end) = pending.iter().map(|got| got.seq + got.payload.len() as u32).max() else { return };
        s.now = s.now + Duration::from_millis(50);
        pending.clear();
        pending.extend(s.tx(ACK, 1, end, b""));
    }
}

fn with_options(mutant: Option<Mutant>, config: Config) -> Script {
    let mut s = with(mutant, config);
    s.syn_options = Options {
        mss: Some(1000),
        window_scale: Some(2),
        sack_permitted: true,
        timestamps: Some(Timestamps { value: 100, echo: 0 }),
        ..Options::default()
    };
    s.options.timestamps = Some(Timestamps { value: 101, echo: 0 });
    s
}

fn sacking(mutant: Option<Mutant>, config: Config) -> Script {
    let mut s = with(mutant, config);
    s.syn_options.sack_permitted = true;
    s
}

fn scenarios() -> impl Iterator<Item = &'static Scenario> {
    let parts = [
        lifetime::SCENARIOS,
        receiving::SCENARIOS,
        sending::SCENARIOS,
        extensions::SCENARIOS,
        companions::SCENARIOS,
    ];
    parts.into_iter().flatten()
}

fn differs(mutant: Mutant, clean: &[String]) -> Option<&'static str> {
    scenarios()
        .zip(clean)
        .find(|((_, run), clean)| run(Some(mutant)).log != **clean)
        .map(|((name, _), _)| *name)
}

#[test]
fn every_mutant_shows() {
    let clean: Vec<String> = scenarios().map(|(_, run)| run(None).log).collect();
    let dead: Vec<&str> = Mutant::ALL
        .iter()
        .copied()
        .filter(|&mutant| differs(mutant, &clean).is_none())
        .map(Mutant::id)
        .collect();
    assert!(dead.is_empty(), "{} of {} mutants change nothing: {dead:#?}", dead.len(), Mutant::ALL.len());
}

#[test]
fn the_same_script_gives_the_same_record() {
    for (name, run) in scenarios() {
        assert_eq!(run(None).log, run(None).log, "{name}");
    }
}
