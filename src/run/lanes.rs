//! How many lanes a run needs: `-j auto`.
//!
//! A lane is busy while its case waits, so cases that wait for long want many lanes; what bounds a run is its longest case,
//! or the work. More lanes than reach that bound only cost their making. How long cases take is remembered from earlier
//! runs, else found out in virtual time, and is never less than what is written in their steps. A guess is good enough for
//! the sum of all cases and for their order. It is not for the longest: one case that is guessed to take a minute, and takes
//! a second, would make room for waiting that nobody needs.

use super::{Job, Work};
use crate::engine::waits;
use crate::lane::sim;
use crate::plan::Plan;
use crate::suite::model::Family;
use crate::time;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// How long cases took in an earlier run.
pub type Durations = BTreeMap<(String, Family), Duration>;

/// What a case marked `slow` is taken to need where nothing else tells.
const SLOW_GUESS: Duration = Duration::from_secs(10);
/// What our side of a case takes of a processor: about a millisecond.
const WORK: Duration = Duration::from_millis(1);
/// What making a lane takes; the kernel makes one after the other.
const MAKING: Duration = Duration::from_millis(3);
/// Lanes for each processor that cost next to nothing where the run is long anyway, so whatever was guessed.
pub const LEAST_EACH: NonZeroUsize = NonZeroUsize::new(16).expect("not zero");
/// Cases end at other times than was thought, so that lanes are not all busy to the end: for how much more there is room.
const ROOM: f64 = 2.0;

/// How long a case will take.
pub(super) fn estimate(job: &Job, durations: &Durations) -> Duration {
    let Work::Run(plan) = &job.work else { return Duration::ZERO };
    let key = (job.info.id.clone(), job.info.family);
    if let Some(known) = durations.get(&key) {
        return *known;
    }
    let guess = if job.info.slow { SLOW_GUESS } else { Duration::ZERO };
    waits(plan).max(guess)
}

/// Adds what nobody remembers: how long the reference takes for the same plan in virtual time. It is a guess, for another
/// TCP has other timers, and costs a fraction of the run that it puts in order.
pub fn foresee(jobs: &[Job], known: &Durations, threads: NonZeroUsize) -> Durations {
    let key = |plan: &Plan| (plan.case.id.clone(), plan.case.family);
    let unknown: Vec<&Plan> = jobs
        .iter()
        .filter_map(|job| match &job.work {
            Work::Run(plan) => Some(&**plan),
            Work::Unsupported(_) => None,
        })
        .filter(|plan| !known.contains_key(&key(plan)))
        .collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let take = || unknown.get(next.fetch_add(1, Ordering::Relaxed));
        std::iter::from_fn(take).map(|plan| (key(plan), tried(plan).max(waits(plan)))).collect::<Vec<_>>()
    };
    let mut all = known.clone();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.get()).map(|_| scope.spawn(work)).collect();
        // No thread panics: what a case may do is caught.
        all.extend(threads.into_iter().filter_map(|thread| thread.join().ok()).flatten());
    });
    all
}

/// How long a case takes in virtual time. If it makes the harness panic, that is told when it is its turn.
fn tried(plan: &Plan) -> Duration {
    let plan = Arc::new(plan.clone());
    let run = AssertUnwindSafe(|| sim::run(&plan, None).verdict.took);
    catch_unwind(run).unwrap_or_default()
}

/// Why a case cannot be run on a real clock with this much time for each, if so.
pub fn too_long(plan: &Plan, limit: Duration) -> Option<String> {
    let needs = waits(plan);
    (needs > limit).then(|| {
        // It also takes what the target takes.
        let (needs, enough) = (time::about(needs), time::at_least(needs + needs / 8));
        format!("needs about {needs} of real time: `--case-timeout {enough}`")
    })
}

/// The least number of lanes with which the longest case, or the work, is what the run takes; never more than `most`.
/// `known` is what is remembered, `foreseen` what is guessed besides.
pub fn enough(
    jobs: &[Job],
    known: &Durations,
    foreseen: &Durations,
    repeat: u32,
    cpus: NonZeroUsize,
    most: NonZeroUsize,
) -> NonZeroUsize {
    let jobs: Vec<&Job> = jobs.iter().filter(|job| matches!(job.work, Work::Run(_))).collect();
    let repeat = f64::from(repeat);
    let span = |span: Duration| (span + WORK).as_secs_f64() * repeat;
    let all: f64 = jobs.iter().map(|job| span(estimate(job, foreseen))).sum();
    let longest = jobs.iter().map(|job| span(sure(job, known))).fold(0.0, f64::max);
    let work = WORK.as_secs_f64() * repeat * jobs.len() as f64 / cpus.get() as f64;
    let bound = longest.max(work);
    let making = MAKING.as_secs_f64() / 2.0;
    let takes = |lanes: usize| bound.max(ROOM * all / lanes as f64) + making * lanes as f64;
    let most = most.get().min(jobs.len()).max(1);
    let enough = (1..=most).min_by(|a, b| takes(*a).total_cmp(&takes(*b))).unwrap_or(1);
    // A twentieth of the run, at most, is spent on these.
    let least = ((bound / 20.0 / making) as usize).min(LEAST_EACH.saturating_mul(cpus).get()).min(most);
    NonZeroUsize::new(enough.max(least)).unwrap_or(NonZeroUsize::MIN)
}

/// How long a case will take at least, without guessing.
fn sure(job: &Job, known: &Durations) -> Duration {
    let Work::Run(plan) = &job.work else { return Duration::ZERO };
    let key = (job.info.id.clone(), job.info.family);
    known.get(&key).copied().unwrap_or_else(|| waits(plan))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use rstest::rstest;

    fn number(n: usize) -> NonZeroUsize {
        NonZeroUsize::new(n).unwrap()
    }

    #[rstest]
    #[case::waiting(&[(1.0, 1000), (4.0, 1)], 1000, 400..=700)]
    #[case::one_long_case(&[(10.0, 1), (0.01, 100)], 1000, 32..=32)]
    #[case::one_that_is_not_that_long(&[(0.2, 1), (0.01, 100)], 1000, 6..=14)]
    #[case::nothing_waits(&[(0.005, 1000)], 1000, 4..=100)]
    #[case::no_more_than_there_may_be(&[(1.0, 1000)], 64, 64..=64)]
    #[case::no_more_than_cases(&[(1.0, 3)], 1000, 3..=3)]
    #[case::none(&[], 1000, 1..=1)]
    fn lanes_suffice_for_the_longest_case(
        #[case] cases: &[(f64, usize)],
        #[case] most: usize,
        #[case] says: std::ops::RangeInclusive<usize>,
    ) {
        let mut durations = Durations::new();
        let mut jobs = Vec::new();
        for (seconds, count) in cases {
            for n in 0..*count {
                let id = format!("case/{seconds}/{n}");
                durations.insert((id.clone(), Family::V4), Duration::from_secs_f64(*seconds));
                let info = sample::info(&id);
                let work = Work::Run(Box::new(sample::plan(&info)));
                jobs.push(Job { info, work, fresh: false, deviation: None });
            }
        }
        let lanes = enough(&jobs, &durations, &durations, 1, number(2), number(most)).get();
        assert!(says.contains(&lanes), "{lanes} lanes");
    }

    /// It adds to the sum; that everything else may take as long is not concluded from it.
    #[test]
    fn a_long_guess_is_no_room_for_waiting() {
        let named = |n: usize| {
            let info = sample::info(&format!("case/{n}"));
            let work = Work::Run(Box::new(sample::plan(&info)));
            Job { info, work, fresh: false, deviation: None }
        };
        let jobs: Vec<_> = (0..1000).map(named).collect();
        let key = |n: usize| (format!("case/{n}"), Family::V4);
        let known: Durations = (1..1000).map(|n| (key(n), Duration::from_secs(1))).collect();
        let lanes = |guess| {
            let foreseen =
                known.iter().map(|(key, span)| (key.clone(), *span)).chain([(key(0), guess)]).collect();
            enough(&jobs, &known, &foreseen, 1, number(2), number(200)).get()
        };
        assert_eq!(lanes(Duration::from_secs(1)), 200);
        assert_eq!(lanes(Duration::from_secs(100)), 200);
    }
}
