//! What is known of a case before it runs: how long it takes at least, and how long it will take.

use crate::common;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tcpspec::engine::waits;
use tcpspec::lane::sim;
use tcpspec::run::{CASE_LIMIT, Durations, Job, Work, foresee, too_long};
use tcpspec::suite::model::Family;
use tcpspec::target::profile::Profile;
use tcpspec::target::reference;

const HOUR: Duration = Duration::from_secs(3600);

/// By id.
fn plans_for(profile: &Profile, ids: &[&str]) -> Vec<tcpspec::plan::Plan> {
    let wanted =
        |case: &tcpspec::suite::model::Case, family| family == Family::V4 && ids.contains(&case.id.as_str());
    let plans = common::planned(profile, &wanted);
    assert_eq!(plans.len(), ids.len());
    plans
}

/// Else a case would not be run that has the time.
#[test]
fn no_case_takes_less_than_its_steps_say() {
    let plans = common::planned(&reference::profile(), &|case, family| case.slow || family == Family::V4);
    let settle = reference::profile().timing.settle;
    let wrong: BTreeMap<_, _> = plans
        .into_iter()
        .filter_map(|plan| {
            let plan = Arc::new(plan);
            let (says, took) = (waits(&plan), sim::run(&plan, None).verdict.took);
            (says > took + settle).then(|| (plan.case.id.clone(), (says, took)))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_case_that_must_take_too_long_says_what_it_needs() {
    let mut profile = reference::profile();
    profile.timing.user_timeout = Duration::from_millis(924_600);
    profile.timing.keepalive_idle = 2 * HOUR;
    let why = |id: &str, limit| too_long(&plans_for(&profile, &[id])[0], limit);
    let needs = |text: &str| Some(format!("needs about {text} of real time: `--case-timeout "));
    let starts = |why: Option<String>, needs: Option<String>| why.unwrap().starts_with(&needs.unwrap());
    let two_hours = "keepalive/probes/the-default-is-two-hours";
    assert!(starts(why(two_hours, CASE_LIMIT), needs("2 h")));
    assert!(why(two_hours, CASE_LIMIT).unwrap().ends_with("`--case-timeout 3h`"));
    assert_eq!(why(two_hours, 3 * HOUR), None);
    assert!(starts(why("timeout/give-up/a-connection-is-given-up-at-last", CASE_LIMIT), needs("15 min")));
    // A closed window must last longer than this target's patience, else nothing is proved.
    let closed = "window/sender/what-lies-beyond-the-edge-does-not-end-the-connection";
    assert!(starts(why(closed, CASE_LIMIT), needs("15 min")));
    assert!(starts(why("window/persist/a-closed-window-may-stay-closed", CASE_LIMIT), needs("15 min")));
    // It is told after how long to give up.
    assert_eq!(why("timeout/give-up/the-application-sets-the-user-timeout", CASE_LIMIT), None);
    assert_eq!(why("timeout/give-up/a-syn-is-tried-for-three-minutes", CASE_LIMIT), None);
}

/// As long as the reference takes in virtual time; what is remembered is not asked again.
#[test]
fn what_nobody_remembers_is_foreseen() {
    let [lossy, remembered] =
        ["live/transfer/from-target-with-20-percent-lost-sack", "close/time-wait/time-wait-lasts-two-msl"];
    let plans = plans_for(&reference::profile(), &[lossy, remembered]);
    let jobs: Vec<_> = plans
        .iter()
        .map(|plan| Job {
            info: plan.case.clone(),
            work: Work::Run(Box::new(plan.clone())),
            fresh: false,
            deviation: None,
        })
        .collect();
    let key = |id: &str| (id.to_owned(), Family::V4);
    let known = Durations::from([(key(remembered), Duration::from_secs(1))]);
    let all = foresee(&jobs, &known, NonZeroUsize::new(3).unwrap());
    assert_eq!(all[&key(remembered)], Duration::from_secs(1));
    let plan = Arc::new(plans.into_iter().find(|plan| plan.case.id == lossy).unwrap());
    assert_eq!(all[&key(lossy)], sim::run(&plan, None).verdict.took);
    assert!(all[&key(lossy)] > waits(&plan), "{all:?}");
}
