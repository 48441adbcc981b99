//! Which cases can be asked of a server that takes no orders.
//!
//! An echo server answers data with octets of its own, and it closes when it likes to. What a case can still expect is
//! not written down but found out: the case is tried, in virtual time, against the reference with such a server above
//! it, prompt, a little late and late. What a correct TCP does not pass under each of them is no fair question. Pure.

use super::sim;
use crate::engine::Outcome;
use crate::plan::{PlanError, Planned, Reference, plan};
use crate::suite::model::{Case, Family};
use crate::target::profile::Profile;
use crate::target::reference::{self, Habit};
use std::sync::Arc;
use std::time::Duration;

/// At once, so that an echo rides on the ACK; behind the ACK; behind a delayed ACK; behind what a case waits for.
const DELAYS: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(1), Duration::from_millis(40), Duration::from_millis(300)];

/// What only an application can do that takes orders.
const ORDERS: &[&str] = &[
    "abort",
    "active-open",
    "control",
    "half-close",
    "keepalive",
    "listen",
    "nodelay",
    "push",
    "soft-errors",
    "status",
    "urgent",
    "user-timeout-option",
];

const WHY: &str = "needs `app: control`: what a server does of itself would come between";

/// What a server can be, and a client that only connects.
const HABITS: &[&str] = &["accept", "active-open", "closes-at-eof", "echo", "sink"];

/// Who knows what can be asked of one target.
#[derive(Debug)]
pub struct Oracle {
    /// The reference in its place; `None` where the target takes orders, so that everything can be asked.
    profile: Option<Profile>,
    habits: Vec<Habit>,
}

impl Oracle {
    pub fn new(target: &Profile) -> Self {
        let profile = (!target.takes_orders()).then(|| serving(target));
        Self { profile, habits: habits(target) }
    }

    /// The reference as a target of the same habits.
    pub fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    /// Why the case is no fair question to the server above this target, if it is none.
    ///
    /// # Errors
    /// Where the case cannot be planned.
    pub fn unfair(&self, case: &Case, family: Family, seed: u64) -> Result<Option<String>, PlanError> {
        let Some(profile) = &self.profile else { return Ok(None) };
        let cite = |id: &str| Reference { id: id.to_owned(), title: String::new(), source: String::new() };
        let plan = match plan(case, family, seed, profile, &cite)? {
            Planned::Ready(plan) => Arc::from(plan),
            // The reference would need more than it has, so nothing can be found out.
            Planned::Unsupported { reason, .. } => return Ok(Some(reason)),
        };
        let passes = |habit: &Habit| sim::run_serving(&plan, *habit).verdict.outcome == Outcome::Pass;
        Ok((!self.habits.iter().all(passes)).then(|| WHY.to_owned()))
    }
}

/// The reference as a target of the same habits, and where it can do without, without what the target lacks.
fn serving(target: &Profile) -> Profile {
    let mut profile = reference::profile();
    for ability in reference::profile().abilities {
        let mut fewer = profile.abilities.clone();
        fewer.remove(&ability);
        if !target.abilities.contains(&ability)
            && !ORDERS.contains(&ability.as_str())
            && let Ok(variant) = reference::variant(&fewer)
        {
            profile = variant;
        }
    }
    profile.abilities.retain(|ability| !ORDERS.contains(&ability.as_str()));
    let habits = target.abilities.iter().filter(|ability| HABITS.contains(&ability.as_str()));
    profile.abilities.extend(habits.cloned());
    profile
}

fn habits(target: &Profile) -> Vec<Habit> {
    let echoes = target.abilities.contains("echo");
    // Where it is not known that it closes, it may, or not.
    let keeps = (!target.abilities.contains("closes-at-eof")).then_some(false);
    let closes = std::iter::once(true).chain(keeps);
    closes.flat_map(move |closes| DELAYS.map(|delay| Habit { echoes, delay, closes })).collect()
}
