//! Known deviations that are given as globs and in which nothing deviates any more. A single case that does better than
//! its manifest says is told by the summary; of a glob nobody would hear.

use super::corpus::Selected;
use crate::engine::Outcome;
use crate::event::CaseFinished;
use crate::suite::model::Family;
use std::collections::{BTreeMap, BTreeSet};

/// The known deviations of which every case was run, and none deviated.
pub(super) struct Faded {
    /// By case instance: what it was expected to be part of.
    parts: BTreeMap<(String, Family), String>,
    in_part: BTreeSet<String>,
}

impl Faded {
    pub(super) fn new(selected: &Selected) -> Self {
        let globs = selected.jobs.iter().filter_map(|job| {
            let known = job.deviation.as_ref().filter(|known| known.is_glob())?;
            Some(((job.info.id.clone(), job.info.family), known.cases.clone()))
        });
        Self { parts: globs.collect(), in_part: selected.in_part.clone() }
    }

    /// In the order of their names, each with the number of its cases.
    pub(super) fn of<'a>(&self, cases: impl IntoIterator<Item = &'a CaseFinished>) -> BTreeMap<&str, usize> {
        let mut asked: BTreeMap<&str, usize> = BTreeMap::new();
        let mut alive = BTreeSet::new();
        for case in cases {
            let Some(glob) = self.parts.get(&(case.info.id.clone(), case.info.family)) else { continue };
            *asked.entry(glob).or_default() += 1;
            if case.verdict.outcome == Outcome::Inconclusive || case.deviation.is_some() && case.expected {
                alive.insert(glob.as_str());
            }
        }
        let mut all: BTreeMap<&str, usize> = BTreeMap::new();
        self.parts.values().for_each(|glob| *all.entry(glob).or_default() += 1);
        let is_faded = |glob: &str, count: usize| {
            !alive.contains(glob) && !self.in_part.contains(glob) && all.get(glob) == Some(&count)
        };
        asked.retain(|glob, count| is_faded(glob, *count));
        asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::run::{Job, Work};
    use crate::target::deviation::Deviation;
    use rstest::rstest;

    fn job(id: &str, cases: &str) -> Job {
        let deviation = Deviation { cases: cases.into(), ..sample::deviation() };
        let work = Work::Unsupported(String::new());
        Job { info: sample::info(id), work, fresh: false, deviation: Some(deviation) }
    }

    fn ended(id: &str, outcome: Outcome) -> CaseFinished {
        let mut case = sample::ended(outcome);
        case.info = sample::info(id);
        let is_known = outcome == Outcome::Fail;
        (case.deviation, case.expected) = (is_known.then(sample::deviation), true);
        case
    }

    #[rstest]
    #[case::none_deviates(&[Outcome::Pass, Outcome::Unsupported], 2, &[], &[("close/*", 2)])]
    #[case::one_does(&[Outcome::Pass, Outcome::Fail], 2, &[], &[])]
    #[case::nobody_knows(&[Outcome::Pass, Outcome::Inconclusive], 2, &[], &[])]
    #[case::not_all_were_run(&[Outcome::Pass], 2, &[], &[])]
    #[case::not_all_were_asked(&[Outcome::Pass, Outcome::Pass], 2, &["close/*"], &[])]
    fn a_glob_in_which_nothing_deviates_is_told(
        #[case] outcomes: &[Outcome],
        #[case] selected: usize,
        #[case] in_part: &[&str],
        #[case] faded: &[(&str, usize)],
    ) {
        let id = |number: usize| format!("close/{number}");
        let mut jobs: Vec<Job> = (0..selected).map(|number| job(&id(number), "close/*")).collect();
        jobs.push(job("open/1", "open/1"));
        let in_part = in_part.iter().map(|glob| (*glob).to_owned()).collect();
        let cases: Vec<CaseFinished> =
            outcomes.iter().enumerate().map(|(number, outcome)| ended(&id(number), *outcome)).collect();
        let found = Faded::new(&Selected { jobs, in_part });
        assert_eq!(found.of(&cases), faded.iter().copied().collect());
    }
}
