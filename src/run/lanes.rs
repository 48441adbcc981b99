//! How many lanes a run needs: `-j auto`.
//!
//! A lane is busy while its case waits, so cases that wait for long want many lanes; what bounds a run is its longest case,
//! or the work. More lanes than reach that bound only cost their making. How long cases take is remembered from earlier
//! runs, else read off their steps.

use super::{Job, Work};
use crate::engine::waits;
use crate::suite::model::Family;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
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
