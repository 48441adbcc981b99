//! The corpus against the seeded bugs of the reference: would we notice?
//!
//! Every case on a freshly booted host of the `sim` lane, so a mutant can neither hide behind another
//! nor behind what an earlier case left. The cases that say they kill a mutant go first.

use crate::engine::Outcome;
use crate::lane::sim;
use crate::plan::Plan;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tcpspec_reference::Mutant;

/// What the corpus made of one mutant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hunted {
    pub id: &'static str,
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

/// How far the hunt goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Until the first case that kills it.
    First,
    /// All cases that kill it.
    All,
}

/// Runs the plans against each mutant, on as many threads as `jobs`. `done` hears of each as it ends.
pub fn hunt(
    mutants: &[Mutant],
    plans: &[Arc<Plan>],
    depth: Depth,
    jobs: usize,
    done: &(dyn Fn(&Hunted) + Sync),
) -> Vec<Hunted> {
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
        hunters.into_iter().flat_map(|hunter| hunter.join().unwrap_or_default()).collect()
    });
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, hunted)| hunted).collect()
}

fn take(next: &AtomicUsize, mutants: &[Mutant]) -> Option<(usize, Mutant)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    mutants.get(index).map(|mutant| (index, *mutant))
}

fn one(mutant: Mutant, plans: &[Arc<Plan>], depth: Depth) -> Hunted {
    let names = |plan: &Arc<Plan>| plan.case.kills.iter().any(|id| id == mutant.id());
    let mut order: Vec<&Arc<Plan>> = plans.iter().collect();
    order.sort_by_key(|plan| !names(plan));
    let mut hunted =
        Hunted { id: mutant.id(), killed: false, killed_by: Vec::new(), named: false, monitors: Vec::new() };
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
