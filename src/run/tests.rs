//! The scheduler with lanes whose cases end as their id says.

use super::*;
use crate::engine::{Outcome, Verdict};
use crate::event::Try;
use crate::lane::Lane;
use crate::report::sample;
use crate::suite::model::Family;
use rstest::rstest;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A case's id is `name=outcome,outcome...`: one for each try, the last one for all that follow.
#[derive(Clone, Default)]
struct Fake {
    made: Arc<AtomicUsize>,
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    tries: Arc<std::sync::Mutex<BTreeMap<String, usize>>>,
    /// Lanes that were taken down, and how many of them before the last case began.
    gone: Arc<AtomicUsize>,
    gone_before: Arc<AtomicUsize>,
    /// Lanes that can be made.
    lanes_max: Option<usize>,
}

struct FakeLane(Fake);

impl Drop for FakeLane {
    fn drop(&mut self) {
        self.0.gone.fetch_add(1, Ordering::SeqCst);
    }
}

impl LaneMaker for Fake {
    type Lane = FakeLane;

    fn wire(&self) -> &'static str {
        "sim"
    }

    async fn make(&self) -> Result<FakeLane, SetupError> {
        let made = self.made.fetch_add(1, Ordering::SeqCst);
        if self.lanes_max.is_some_and(|max| made >= max) {
            let (operation, cause) = ("make a veth pair".into(), "not permitted".into());
            return Err(SetupError { operation, cause, hint: None });
        }
        Ok(FakeLane(self.clone()))
    }
}

impl Lane for FakeLane {
    async fn run(&mut self, plan: &Arc<Plan>) -> Try {
        let fake = &self.0;
        let now = fake.running.fetch_add(1, Ordering::SeqCst) + 1;
        fake.most.fetch_max(now, Ordering::SeqCst);
        fake.gone_before.store(fake.gone.load(Ordering::SeqCst), Ordering::SeqCst);
        let id = &plan.case.id;
        let n = {
            let mut tries = fake.tries.lock().unwrap();
            let n = tries.entry(id.clone()).or_default();
            *n += 1;
            *n - 1
        };
        let words: Vec<&str> = id.split_once('=').unwrap().1.split(',').collect();
        let word = words[n.min(words.len() - 1)];
        match word {
            "panic" => panic!("on purpose"),
            "hang" => std::future::pending().await,
            "slow" => tokio::time::sleep(Duration::from_millis(60)).await,
            _ => tokio::task::yield_now().await,
        }
        fake.running.fetch_sub(1, Ordering::SeqCst);
        let outcome = Outcome::ALL.into_iter().find(|o| o.word() == word).unwrap_or(Outcome::Pass);
        let mut verdict = verdict(outcome, n);
        if word == "late" {
            verdict.lateness = Duration::from_millis(15);
        }
        Try { tuple: None, inputs: vec![], verdict, output: String::new(), events: vec![] }
    }
}

fn verdict(outcome: Outcome, n: usize) -> Verdict {
    sample::verdict(outcome, &format!("try {n}"))
}

fn job(id: &str) -> Job {
    let info = sample::info(id);
    let work = Work::Run(Box::new(sample::plan(&info)));
    Job { info, work, fresh: false, deviation: None }
}

struct Seen {
    events: Vec<RunEvent>,
    ended: Ended,
}

impl Seen {
    /// `id outcome tries`, sorted.
    fn cases(&self) -> Vec<String> {
        let case = |event: &RunEvent| match event {
            RunEvent::CaseFinished(c) => {
                let name = c.info.id.split('=').next().unwrap();
                Some(format!("{name} {} {}", c.verdict.outcome, c.tries.len()))
            }
            _ => None,
        };
        let mut cases: Vec<String> = self.events.iter().filter_map(case).collect();
        cases.sort();
        cases
    }
}

async fn go(ids: &[&str], fake: Fake, options: Options) -> Seen {
    let (_stop, stopped) = watch::channel(false);
    let mut events = Vec::new();
    let jobs = ids.iter().map(|id| job(id)).collect();
    let ended = run(sample::started(), jobs, fake, options, stopped, |e| events.push(e)).await;
    assert!(matches!(events.first(), Some(RunEvent::RunStarted(_))));
    assert!(matches!(events.last(), Some(RunEvent::RunFinished(_))));
    Seen { events, ended }
}

fn lanes(n: usize) -> Options {
    Options { lanes: NonZeroUsize::new(n).unwrap(), ..Options::default() }
}

/// What the kernel does to take a lane down would run beside the case that is to run alone.
#[tokio::test]
async fn no_lane_is_taken_down_before_the_last_case() {
    let fake = Fake::default();
    let ids = ["a=slow", "b=slow", "c=slow", "d=inconclusive,pass", "e=inconclusive,pass"];
    let seen = go(&ids, fake.clone(), lanes(4)).await;
    assert_eq!(seen.cases().last().unwrap(), "e pass 2");
    assert!(fake.made.load(Ordering::SeqCst) > 1);
    assert_eq!(fake.gone_before.load(Ordering::SeqCst), 0);
    assert_eq!(fake.gone.load(Ordering::SeqCst), fake.made.load(Ordering::SeqCst), "all in the end");
}

#[rstest]
#[tokio::test]
async fn every_case_ends_once_whatever_the_number_of_lanes(#[values(1, 3, 64)] n: usize) {
    let ids: Vec<String> = (0..40).map(|n| format!("{n:02}=pass")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let fake = Fake::default();
    let seen = go(&ids, fake.clone(), lanes(n)).await;
    assert_eq!(seen.cases().len(), 40);
    assert!(fake.made.load(Ordering::SeqCst) <= n);
    assert!(fake.most.load(Ordering::SeqCst) <= n);
    assert_eq!(seen.ended.left, 0);
}

#[tokio::test]
async fn lanes_run_side_by_side() {
    let fake = Fake::default();
    go(&["a=slow", "b=slow", "c=slow"], fake.clone(), lanes(3)).await;
    assert_eq!(fake.most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn an_inconclusive_case_is_tried_again_alone() {
    let fake = Fake::default();
    let seen = go(&["a=inconclusive,pass", "b=inconclusive", "c=pass"], fake, lanes(2)).await;
    assert_eq!(seen.cases(), ["a pass 2", "b inconclusive 2", "c pass 1"]);
    let last = |name: &str| {
        seen.events
            .iter()
            .rposition(|e| matches!(e, RunEvent::CaseStarted { id, .. } if id.starts_with(name)))
    };
    assert!(last("c") < last("a") && last("a") < last("b"));
}

/// A stall makes many late at once: they need not all wait for each other.
#[tokio::test]
async fn many_inconclusive_cases_are_tried_again_a_few_at_a_time_and_then_alone() {
    let ids: Vec<String> = (0..20).map(|n| format!("{n:02}=inconclusive,slow")).collect();
    let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    ids.push("late=inconclusive");
    let fake = Fake::default();
    let seen = go(&ids, fake.clone(), lanes(20)).await;
    let cases = seen.cases();
    assert_eq!(
        (cases.len(), cases[0].as_str(), cases[20].as_str()),
        (21, "00 pass 2", "late inconclusive 3")
    );
    assert!((2..=20).contains(&fake.most.load(Ordering::SeqCst)));
}

#[tokio::test]
async fn retries_and_repeats() {
    let ids = ["a=fail,pass", "b=fail", "c=pass"];
    let seen = go(&ids, Fake::default(), Options { retries: 2, ..lanes(1) }).await;
    assert_eq!(seen.cases(), ["a pass 2", "b fail 3", "c pass 1"]);
    let repeat = NonZeroU32::new(3).unwrap();
    let seen = go(&ids, Fake::default(), Options { repeat, ..lanes(1) }).await;
    assert_eq!(seen.cases(), ["a fail 3", "b fail 3", "c pass 3"]);
}

#[tokio::test]
async fn fail_fast_takes_no_more() {
    let options = Options { fail_fast: true, ..lanes(1) };
    let seen = go(&["a=pass", "b=fail", "c=pass", "d=pass", "e=pass"], Fake::default(), options).await;
    let cases = seen.cases();
    // The lane may have taken one more before the dispatcher saw the failure.
    assert!(cases.len() < 5, "{cases:?}");
    assert_eq!(cases.len() + seen.ended.left, 5);
    assert!(seen.ended.setup_error().is_none());
}

#[tokio::test]
async fn a_panic_breaks_one_case_and_its_lane_only() {
    let fake = Fake::default();
    let seen = go(&["a=panic", "b=pass"], fake.clone(), lanes(1)).await;
    assert_eq!(seen.cases(), ["a error 1", "b pass 1"]);
    assert_eq!(fake.made.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_case_that_hangs_is_given_up_and_mentioned() {
    let options =
        Options { case_limit: Duration::from_millis(50), slow_after: Duration::from_millis(20), ..lanes(1) };
    let seen = go(&["a=hang", "b=pass"], Fake::default(), options).await;
    assert_eq!(seen.cases(), ["a error 1", "b pass 1"]);
    assert!(seen.events.iter().any(|e| matches!(e, RunEvent::CaseSlow { .. })));
}

#[tokio::test]
async fn a_run_that_takes_too_long_is_given_up_and_says_so() {
    let options = Options { run_limit: Some(Duration::from_millis(50)), ..lanes(2) };
    let seen = go(&["a=hang", "b=pass", "c=hang", "d=pass", "e=pass"], Fake::default(), options).await;
    assert_eq!(seen.cases(), ["a error 1", "b pass 1", "c error 1"]);
    assert!(seen.ended.timed_out);
    assert_eq!(seen.ended.left, 2);
    assert!(seen.ended.setup_error().is_none());
}

#[tokio::test]
async fn late_lanes_are_lowered_and_every_case_still_ends() {
    let ids: Vec<String> = (0..200).map(|n| format!("{n:03}=late")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let fake = Fake::default();
    let options = Options { lanes_least: NonZeroUsize::new(3).unwrap(), ..lanes(64) };
    let seen = go(&ids, fake.clone(), options).await;
    assert_eq!(seen.cases().len(), 200);
    assert!(matches!(seen.ended.lanes_low, Some(3..=32)), "{:?} lanes", seen.ended.lanes_low);
    let fixed = go(&ids, fake, Options { lanes_least: NonZeroUsize::new(64).unwrap(), ..lanes(64) }).await;
    assert_eq!((fixed.cases().len(), fixed.ended.lanes_low), (200, None));
}

#[tokio::test]
async fn a_fresh_case_has_a_lane_of_its_own() {
    let fake = Fake::default();
    let (_stop, stopped) = watch::channel(false);
    let jobs = vec![job("a=pass"), Job { fresh: true, ..job("b=pass") }, job("c=pass")];
    run(sample::started(), jobs, fake.clone(), lanes(1), stopped, |_| {}).await;
    assert_eq!(fake.made.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn without_any_lane_the_run_says_why() {
    let fake = Fake { lanes_max: Some(0), ..Fake::default() };
    let seen = go(&["a=pass", "b=pass"], fake, lanes(2)).await;
    assert_eq!(seen.cases(), Vec::<String>::new());
    assert_eq!(seen.ended.left, 2);
    assert_eq!(seen.ended.setup_error().unwrap().to_string(), "cannot make a veth pair: not permitted");
}

#[tokio::test]
async fn one_lane_is_enough_to_go_on() {
    let fake = Fake { lanes_max: Some(1), ..Fake::default() };
    let seen = go(&["a=slow", "b=slow", "c=slow"], fake, lanes(3)).await;
    assert_eq!(seen.cases().len(), 3);
    assert!(seen.ended.setup_error().is_none());
}

#[tokio::test]
async fn an_interrupt_waits_for_what_runs_and_takes_no_more() {
    let (stop, stopped) = watch::channel(false);
    let mut events = Vec::new();
    let jobs = vec![job("a=slow"), job("b=pass"), job("c=pass")];
    let ended = run(sample::started(), jobs, Fake::default(), lanes(1), stopped, |event| {
        if matches!(event, RunEvent::CaseStarted { .. }) {
            stop.send_replace(true);
        }
        events.push(event);
    })
    .await;
    assert!(ended.interrupted);
    assert_eq!(ended.left, 2);
    assert!(matches!(&events[2], RunEvent::CaseFinished(case) if case.info.id == "a=slow"));
    assert!(matches!(events.last(), Some(RunEvent::RunFinished(r)) if r.interrupted));
}

#[tokio::test]
async fn an_inconclusive_case_is_reported_after_an_interrupt() {
    let (stop, stopped) = watch::channel(false);
    let mut cases = Vec::new();
    run(sample::started(), vec![job("a=inconclusive")], Fake::default(), lanes(1), stopped, |event| {
        match event {
            RunEvent::CaseStarted { .. } => drop(stop.send_replace(true)),
            RunEvent::CaseFinished(case) => cases.push(case.verdict.outcome),
            _ => {}
        }
    })
    .await;
    assert_eq!(cases, [Outcome::Inconclusive]);
}

#[tokio::test]
async fn what_the_target_lacks_is_told_without_a_lane() {
    let (_stop, stopped) = watch::channel(false);
    let fake = Fake::default();
    let mut cases = Vec::new();
    let job = Job { work: Work::Unsupported("it lacks sack".into()), ..job("a=pass") };
    run(sample::started(), vec![job], fake.clone(), lanes(4), stopped, |event| {
        if let RunEvent::CaseFinished(case) = event {
            cases.push((case.verdict.outcome, case.verdict.reason, case.tries.len()));
        }
    })
    .await;
    assert_eq!(cases, [(Outcome::Unsupported, "it lacks sack".to_owned(), 0)]);
    assert_eq!(fake.made.load(Ordering::SeqCst), 0);
}

#[test]
fn the_longest_case_begins_first() {
    let known = Durations::from([(("m".to_owned(), Family::V4), Duration::from_secs(60))]);
    let pending = |id: &str, slow: bool| {
        let mut info = sample::info(id);
        info.slow = slow;
        let work = Work::Run(Box::new(sample::plan(&info)));
        let job = Job { info: info.clone(), work, fresh: false, deviation: None };
        let takes = lanes::estimate(&job, &known);
        Pending::new(info.clone(), Arc::new(sample::plan(&info)), false, None, takes)
    };
    let mut cases = vec![pending("c", false), pending("a", false), pending("s", true), pending("m", false)];
    queue::sort(&mut cases);
    let order: Vec<&str> = cases.iter().map(|c| c.info.id.as_str()).collect();
    assert_eq!(order, ["m", "s", "a", "c"]);
}
