//! The corpus against the seeded bugs of the reference: would we notice?
//!
//! Every case on a freshly booted host of the `sim` lane, so a mutant can neither hide behind another
//! nor behind what an earlier case left. The cases that say they kill a mutant go first.

use crate::engine::Outcome;
use crate::lane::sim;
use crate::plan::Plan;
use crate::suite::model::Level;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tcpspec_reference::Mutant;

/// What the corpus made of one mutant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hunted {
    pub id: &'static str,
    /// What it breaks.
    pub requirement: &'static str,
    /// What it does wrong.
    pub sentence: &'static str,
    /// Where such a bug was seen.
    pub source: &'static str,
    pub killed: bool,
    /// The cases that failed, those first that say so in `kills:`.
    pub killed_by: Vec<String>,
    /// A case that names the mutant in `kills:` is among them.
    pub named: bool,
    /// The monitors that saw it.
    pub monitors: Vec<String>,
}

impl Hunted {
    /// Caught on purpose: by a case that names it, or by what is watched at all times. A case that catches a
    /// mutant by the way may stop doing so, and nobody would know.
    pub fn on_purpose(&self) -> bool {
        self.named || !self.monitors.is_empty()
    }
}

/// What came of all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunt {
    pub mutants: Vec<Hunted>,
    /// How many case instances were run against each, if need be.
    pub instances: usize,
    /// Cases of level must or should that notice nothing.
    pub idle: Vec<String>,
    /// Cases that the reference never runs, so that they meet no mutant, by the reason.
    pub beyond: BTreeMap<String, BTreeSet<String>>,
}

impl Hunt {
    pub fn killed(&self) -> usize {
        self.mutants.iter().filter(|hunted| hunted.killed).count()
    }

    pub fn survivors(&self) -> impl Iterator<Item = &Hunted> {
        self.mutants.iter().filter(|hunted| !hunted.killed)
    }

    /// Those that a case noticed which does not name them.
    pub fn by_chance(&self) -> impl Iterator<Item = &Hunted> {
        self.mutants.iter().filter(|hunted| hunted.killed && !hunted.on_purpose())
    }

    /// Whether the corpus has proved itself.
    pub fn is_proof(&self) -> bool {
        self.survivors().chain(self.by_chance()).next().is_none() && self.idle.is_empty()
    }
}

/// How far the hunt goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Until the first case that kills it.
    First,
    /// All cases that kill it.
    All,
}

/// Cases of level must or should that catch nothing: they name no mutant, or, if all cases were run against all
/// mutants, they failed on none.
fn idle(mutants: &[Hunted], plans: &[Arc<Plan>], depth: Depth) -> Vec<String> {
    let everything = depth == Depth::All && mutants.len() == Mutant::ALL.len();
    let killers: BTreeSet<&str> =
        mutants.iter().flat_map(|hunted| &hunted.killed_by).map(String::as_str).collect();
    let sleeps = |plan: &&Arc<Plan>| {
        plan.case.level != Level::May
            && (plan.case.kills.is_empty() || (everything && !killers.contains(plan.case.id.as_str())))
    };
    let idle: BTreeSet<String> = plans.iter().filter(sleeps).map(|plan| plan.case.id.clone()).collect();
    idle.into_iter().collect()
}

/// Runs the plans against each mutant, on as many threads as `jobs`. `done` hears of each as it ends.
pub fn hunt(
    mutants: &[Mutant],
    plans: &[Arc<Plan>],
    depth: Depth,
    jobs: usize,
    done: &(dyn Fn(&Hunted) + Sync),
) -> Hunt {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut mine = Vec::new();
        while let Some((index, mutant)) = take(&next, mutants) {
            let hunted = one(mutant, plans, depth);
            done(&hunted);
            mine.push((index, hunted));
        }
        mine
    };
    let mut all: Vec<(usize, Hunted)> = std::thread::scope(|scope| {
        let hunters: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        hunters
            .into_iter()
            .flat_map(|hunter| hunter.join().expect("a case that crashes is a verdict"))
            .collect()
    });
    all.sort_by_key(|(index, _)| *index);
    let mutants: Vec<Hunted> = all.into_iter().map(|(_, hunted)| hunted).collect();
    Hunt { idle: idle(&mutants, plans, depth), instances: plans.len(), mutants, beyond: BTreeMap::new() }
}

fn take(next: &AtomicUsize, mutants: &[Mutant]) -> Option<(usize, Mutant)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    mutants.get(index).map(|mutant| (index, *mutant))
}

fn one(mutant: Mutant, plans: &[Arc<Plan>], depth: Depth) -> Hunted {
    let names = |plan: &Arc<Plan>| plan.case.kills.iter().any(|id| id == mutant.id());
    let mut order: Vec<&Arc<Plan>> = plans.iter().collect();
    order.sort_by_key(|plan| !names(plan));
    let mut hunted = Hunted {
        id: mutant.id(),
        requirement: mutant.requirement(),
        sentence: mutant.sentence(),
        source: mutant.source(),
        killed: false,
        killed_by: Vec::new(),
        named: false,
        monitors: Vec::new(),
    };
    for plan in order {
        let verdict = sim::run(plan, Some(mutant)).verdict;
        if matches!(verdict.outcome, Outcome::Fail | Outcome::Warn) {
            hunted.killed = true;
            hunted.named |= names(plan);
            once(&mut hunted.killed_by, &plan.case.id);
            let violated = verdict.monitors.iter().filter(|row| row.violations > 0);
            violated.for_each(|row| once(&mut hunted.monitors, &row.id));
            if depth == Depth::First {
                break;
            }
        }
    }
    hunted
}

fn once(list: &mut Vec<String>, id: &str) {
    if !list.iter().any(|listed| listed == id) {
        list.push(id.to_owned());
    }
}
