//! Soak: random traffic over a wire that misbehaves at random, with the monitors and the streams as the oracle.
//!
//! An *episode* is a case like any other, made by dice instead of by an author: connections that open, carry data
//! both ways and end in some order, on a wire with single impairments. Because it is written in the case language,
//! whatever it finds can be repeated by anybody from a file; and because every impairment is one rule about one
//! segment, it can be made smaller by leaving rules out ([`shrink`]).

mod shrink;
#[cfg(test)]
mod tests;
mod text;

pub use shrink::shrink;

use crate::engine::{Outcome, Verdict, ViolationKind};
use crate::plan::{Plan, Planned, Reference, plan};
use crate::suite::catalogue::Catalogue;
use crate::suite::corpus::{Context, Corpus, SourceFile, Sources};
use crate::suite::model::Family;
use crate::target::profile::Profile;

/// What one episode does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    /// Counts from 1; part of the case's id.
    pub number: u64,
    /// Settings of the peer's host, as `reboot:` takes them.
    pub settings: Vec<(&'static str, String)>,
    pub conns: Vec<Conn>,
    pub impairments: Vec<Impairment>,
}

/// One connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conn {
    /// The target connects.
    pub active: bool,
    /// Octets from the target, and to it.
    pub gives: u32,
    pub takes: u32,
    pub end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    PeerFirst,
    TargetFirst,
    PeerAborts,
    TargetAborts,
}

/// One thing that the wire does to one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impairment {
    pub verb: &'static str,
    pub from: &'static str,
    /// Only segments with data count.
    pub data: bool,
    /// Which of them, from 1.
    pub nth: u32,
    /// What else the rule says: `by: 20ms`.
    pub how: String,
}

/// Chance from a seed: splitmix64.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut n = self.0;
        n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^ (n >> 31)
    }

    /// From `low` to `high`, both included.
    fn between(&mut self, low: u32, high: u32) -> u32 {
        let span = u64::from(high.saturating_sub(low)) + 1;
        low + u32::try_from(self.roll() % span).unwrap_or_default()
    }

    fn percent(&mut self, share: u32) -> bool {
        self.between(1, 100) <= share
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        let at = self.between(0, u32::try_from(of.len()).unwrap_or(1).saturating_sub(1));
        of[at as usize]
    }
}

/// Sizes of data: a few octets, around a segment, several windows.
const SIZES: &[(u32, u32)] = &[(0, 0), (1, 20), (1400, 3000), (10_000, 100_000), (100_000, 400_000)];

impl Episode {
    /// The next episode that the dice give for a target of this profile.
    pub fn next(number: u64, dice: &mut Dice, profile: &Profile) -> Self {
        let can = |ability: &str| profile.abilities.contains(ability);
        let many = if can("many-connections") && dice.percent(40) { dice.between(2, 5) } else { 1 };
        let conns: Vec<Conn> = (0..many)
            .map(|_| {
                let mut size = || {
                    let (low, high) = dice.pick(SIZES);
                    dice.between(low, high)
                };
                let (gives, takes) = (size(), size());
                let end = match dice.between(1, 10) {
                    1 => End::PeerAborts,
                    2 if can("abort") => End::TargetAborts,
                    3..=6 => End::TargetFirst,
                    _ => End::PeerFirst,
                };
                Conn { active: can("active-open") && dice.percent(30), gives, takes, end }
            })
            .collect();
        let settings = settings(dice);
        let mut impairments = Vec::new();
        for from in ["peer", "target"] {
            let data: u32 = conns.iter().map(|c| if from == "peer" { c.takes } else { c.gives }).sum();
            let other: u32 = conns.iter().map(|c| if from == "peer" { c.gives } else { c.takes }).sum();
            // So many segments at least: some data, an ACK for every second segment of the other side, and the ends.
            let segments = data / 1460 + other / 2920 + 3 * many;
            for _ in 0..dice.between(0, (segments / 4).clamp(1, 20)) {
                impairments.push(Impairment::any(dice, from, segments.min(200)));
            }
        }
        Self { number, settings, conns, impairments }
    }

    /// The case that this is, for a file of this name; `Err` is what the checker says, which is a fault of ours.
    pub fn plan(
        &self,
        file: &str,
        id: &str,
        (family, seed): (Family, u64),
        profile: &Profile,
        cite: &dyn Fn(&str) -> Reference,
    ) -> Result<Plan, String> {
        let source = SourceFile::new(file, id, self.text());
        let sources = Sources { files: vec![source], partial: true, problems: Vec::new() };
        let context = Context { catalogue: Catalogue::embedded(), mutants: &[] };
        let (corpus, found) = Corpus::load(&sources, context);
        if let Some(found) =
            found.iter().find(|found| found.severity() == crate::suite::diagnostic::Severity::Error)
        {
            return Err(found.message.clone());
        }
        let case = corpus.instances().next().ok_or_else(|| "the episode is no case".to_owned())?;
        match plan(&case, family, seed, profile, cite) {
            Ok(Planned::Ready(plan)) => Ok(*plan),
            Ok(Planned::Unsupported { reason, .. }) => Err(reason),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn settings(dice: &mut Dice) -> Vec<(&'static str, String)> {
    let mut settings = Vec::new();
    for (key, share) in [("sack", 50), ("timestamps", 30), ("wscale", 30)] {
        if dice.percent(share) {
            settings.push((key, "no".to_owned()));
        }
    }
    if dice.percent(20) {
        settings.push(("mss", dice.pick(&[100, 536, 1000]).to_string()));
    }
    if dice.percent(30) {
        settings.push(("buffer", dice.between(2_000, 60_000).to_string()));
    }
    if dice.percent(20) {
        settings.push(("delayed_ack", "0ms".to_owned()));
    }
    settings
}

impl Impairment {
    fn any(dice: &mut Dice, from: &'static str, segments: u32) -> Self {
        let verb = dice.pick(&["drop", "drop", "drop", "duplicate", "reorder", "corrupt", "delay"]);
        let how = match verb {
            "duplicate" => format!("times: {}", dice.between(1, 3)),
            "reorder" => format!("behind: {}", dice.between(1, 6)),
            "delay" => format!("by: {}ms", dice.between(1, 300)),
            _ => String::new(),
        };
        Self { verb, from, data: dice.percent(40), nth: dice.between(1, segments.max(1)), how }
    }
}

/// What an episode came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    Clean,
    /// The kind of the violation: what a smaller episode has to show too.
    Violated(String),
    /// We were late.
    Inconclusive,
    Broken(String),
}

/// An impairment that found no segment is none of the target's business.
pub fn came(verdict: &Verdict) -> Came {
    match verdict.outcome {
        Outcome::Fail | Outcome::Blocked => {
            let kind = verdict.violation.as_ref().map(|violation| match &violation.kind {
                ViolationKind::Monitor(id) => id.clone(),
                kind => format!("{kind:?}"),
            });
            Came::Violated(kind.unwrap_or_default())
        }
        Outcome::Error if verdict.reason.contains("never fired") => Came::Clean,
        Outcome::Error => Came::Broken(verdict.reason.clone()),
        Outcome::Unsupported => Came::Broken(verdict.reason.clone()),
        Outcome::Inconclusive => Came::Inconclusive,
        Outcome::Pass | Outcome::Warn => Came::Clean,
    }
}
