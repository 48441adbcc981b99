//! How many lanes a run needs: `-j auto`.
//!
//! A lane is busy while its case waits, so cases that wait for long want many lanes; what bounds a run is its longest case,
//! or the work. More lanes than reach that bound only cost their making. How long cases take is remembered from earlier
//! runs, else found out in virtual time, and is never less than what is written in their steps.

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
pub fn enough(
    jobs: &[Job],
    durations: &Durations,
    repeat: u32,
    cpus: NonZeroUsize,
    most: NonZeroUsize,
) -> NonZeroUsize {
    let spans: Vec<f64> = jobs
        .iter()
        .filter(|job| matches!(job.work, Work::Run(_)))
        .map(|job| (estimate(job, durations) + WORK).as_secs_f64() * f64::from(repeat))
        .collect();
    let all: f64 = spans.iter().sum();
    let longest = spans.iter().copied().fold(0.0, f64::max);
    let work = WORK.as_secs_f64() * f64::from(repeat) * spans.len() as f64 / cpus.get() as f64;
    let bound = longest.max(work);
    let takes = |lanes: usize| all / lanes as f64 + MAKING.as_secs_f64() * lanes as f64 / 2.0;
    let most = most.get().min(spans.len()).max(1);
    let reaches = (1..=most).find(|lanes| takes(*lanes) <= bound);
    let best = || (1..=most).min_by(|a, b| takes(*a).total_cmp(&takes(*b)));
    reaches.or_else(best).and_then(NonZeroUsize::new).unwrap_or(NonZeroUsize::MIN)
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
    #[case::waiting(&[(1.0, 1000), (4.0, 1)], 1000, 250..=600)]
    #[case::one_long_case(&[(10.0, 1), (0.01, 100)], 1000, 2..=3)]
    #[case::nothing_waits(&[(0.005, 1000)], 1000, 4..=64)]
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
        let lanes = enough(&jobs, &durations, 1, number(2), number(most)).get();
        assert!(says.contains(&lanes), "{lanes} lanes");
    }
}
