//! Making the plan: abilities decide what is unsupported, a way is chosen for each fixture, `repeat`
//! is written out, and the numbers that a run may vary come from the seed.

use super::unroll::{STEPS_MAX, rounds};
use super::{CaseInfo, FixtureInfo, Plan, PlanStep, Reference, Tuple};
use crate::engine::known;
use crate::suite::model::{App, AppExpect, Case, Family, Fixture, Step, Verb};
use crate::target::profile::Profile;
use std::net::IpAddr;

/// What planning comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Planned {
    Ready(Box<Plan>),
    /// The target lacks what the case needs.
    Unsupported {
        info: Box<CaseInfo>,
        reason: String,
    },
}

/// A case that cannot be planned for any target: the checker should have said so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("{case}: `times: {times}` is not a number that is known before the case starts")]
    Times { case: String, times: String },
    #[error("{case}: more than {STEPS_MAX} steps")]
    TooLong { case: String },
}

/// `cite` looks a requirement up in the catalogue.
pub fn plan(
    case: &Case,
    family: Family,
    seed: u64,
    profile: &Profile,
    cite: &dyn Fn(&str) -> Reference,
) -> Result<Planned, PlanError> {
    let info = info(case, family, cite);
    if !profile.families.contains(&family) {
        let reason = format!("{} does not speak IP{family}", profile.name);
        return Ok(Planned::Unsupported { info: Box::new(info), reason });
    }
    let mut missing: Vec<&str> = lacking(&case.needs, profile).collect();
    missing.extend(case.steps.iter().filter_map(|step| unable(step, profile)));
    let mut ways = Vec::new();
    for fixture in &case.given {
        match choose(fixture, profile) {
            Ok(steps) => ways.push(steps),
            Err(mut lacks) => missing.append(&mut lacks),
        }
    }
    if !missing.is_empty() {
        missing.sort_unstable();
        missing.dedup();
        let reason = format!("{} lacks: {}", profile.name, missing.join(", "));
        return Ok(Planned::Unsupported { info: Box::new(info), reason });
    }
    let mut steps = Vec::new();
    for (index, way) in ways.into_iter().enumerate() {
        number(case, way, Some(index), profile, family, &mut steps)?;
    }
    number(case, &case.steps, None, profile, family, &mut steps)?;
    let salt = mix(seed, &format!("{} {family}", case.id));
    Ok(Planned::Ready(Box::new(Plan {
        case: info,
        mode: case.mode,
        seed,
        tuple: Tuple { target_port: port(case, profile), ..tuple(family, profile, salt) },
        isn: low(mix(salt, "isn")),
        profile: profile.clone(),
        fixtures: case
            .given
            .iter()
            .map(|fixture| FixtureInfo { id: fixture.id.clone(), tested_by: fixture.tested_by.clone() })
            .collect(),
        strict: case.strict,
        tolerate: case.tolerate.clone(),
        steps,
    })))
}

fn info(case: &Case, family: Family, cite: &dyn Fn(&str) -> Reference) -> CaseInfo {
    CaseInfo {
        id: case.id.clone(),
        family,
        level: case.level,
        title: case.title.clone(),
        refs: case.refs.iter().map(|id| cite(id)).collect(),
        tags: case.tags.clone(),
        lesson: case.lesson.clone(),
        kills: case.kills.clone(),
        points: case.points,
        slow: case.slow,
        place: case.place.clone(),
    }
}

fn lacking<'a>(needs: &'a [String], profile: &'a Profile) -> impl Iterator<Item = &'a str> {
    needs.iter().map(String::as_str).filter(|need| !profile.abilities.contains(*need))
}

/// The first way that the target can go.
fn choose<'a>(fixture: &'a Fixture, profile: &'a Profile) -> Result<&'a [Step], Vec<&'a str>> {
    let mut nearest: Option<Vec<&str>> = None;
    for way in &fixture.ways {
        let mut lacks: Vec<&str> = lacking(&way.needs, profile).collect();
        lacks.extend(way.steps.iter().filter_map(|step| unable(step, profile)));
        if lacks.is_empty() {
            return Ok(&way.steps);
        }
        if nearest.as_ref().is_none_or(|before| lacks.len() < before.len()) {
            nearest = Some(lacks);
        }
    }
    Err(nearest.unwrap_or_default())
}

/// The ability that a step asks for by its verb, where the target lacks it.
fn unable(step: &Step, profile: &Profile) -> Option<&'static str> {
    // What a condition guards is not needed of every target.
    if step.when.is_some() {
        return None;
    }
    let orders = profile.takes_orders();
    let echoes = profile.abilities.contains("echo");
    let need = match &step.verb {
        Verb::App(app) => match app {
            App::Listen => "listen",
            App::Accept => "accept",
            App::Connect | App::ConnectTo(_) | App::ConnectFrom(_) => "active-open",
            App::Abort => "abort",
            App::Shutdown => "half-close",
            App::Status(_) => "status",
            App::SendUrgent(_) | App::UrgentLeft(_) => "urgent",
            // An echo shows what was read, and is written by writing; a handshake shows itself.
            App::Send(_) | App::Recv(_) | App::Expect(AppExpect::Data(_)) if echoes && !orders => "echo",
            App::Expect(AppExpect::Connected) => return None,
            App::Send(_)
            | App::Recv(_)
            | App::BeginRecv(_)
            | App::Close
            | App::Option(..)
            | App::Expect(_) => "control",
        },
        Verb::Linux(_) => "linux",
        Verb::Repeat(repeat) => return repeat.steps.iter().find_map(|step| unable(step, profile)),
        Verb::Send(_)
        | Verb::Expect(_)
        | Verb::Wait(_)
        | Verb::Note(_)
        | Verb::Live(_)
        | Verb::Impair(_)
        | Verb::Heal(_) => return None,
    };
    (!profile.abilities.contains(need)).then_some(need)
}

fn number(
    case: &Case,
    steps: &[Step],
    fixture: Option<usize>,
    profile: &Profile,
    family: Family,
    out: &mut Vec<PlanStep>,
) -> Result<(), PlanError> {
    let first = out.len();
    let mut pending: Vec<Step> = steps.iter().rev().cloned().collect();
    while let Some(step) = pending.pop() {
        if let Verb::Repeat(repeat) = &step.verb {
            let times = known(&repeat.times, profile, family)
                .ok_or_else(|| PlanError::Times { case: case.id.clone(), times: repeat.times.to_string() })?;
            pending.extend(rounds(repeat, times).into_iter().rev());
        } else {
            let number = u32::try_from(out.len() - first + 1).unwrap_or(u32::MAX);
            out.push(PlanStep { fixture, number, step });
        }
        if out.len() + pending.len() > STEPS_MAX {
            return Err(PlanError::TooLong { case: case.id.clone() });
        }
    }
    Ok(())
}

fn tuple(family: Family, profile: &Profile, salt: u64) -> Tuple {
    let net = &profile.net;
    let (peer, target) = match family {
        Family::V4 => (IpAddr::V4(net.peer_v4), IpAddr::V4(net.target_v4)),
        Family::V6 => (IpAddr::V6(net.peer_v6), IpAddr::V6(net.target_v6)),
    };
    // The dynamic ports of RFC 6335, so that no well-known service is meant.
    let peer_port = 49_152 + u16::try_from(mix(salt, "port") % 16_384).unwrap_or_default();
    Tuple { peer, peer_port, target, target_port: net.port }
}

/// A server listens from its start on: that nobody does is so at another port only.
fn port(case: &Case, profile: &Profile) -> u16 {
    let port = profile.net.port;
    let closed = case.given.first().is_some_and(|fixture| fixture.id == "closed");
    match closed && !profile.takes_orders() {
        true => port.checked_add(1).unwrap_or(port - 1),
        false => port,
    }
}

/// A number for `text` under `seed`: FNV-1a, stirred by the finalizer of splitmix64.
pub(crate) fn mix(seed: u64, text: &str) -> u64 {
    let mut hash = text.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

fn low(n: u64) -> u32 {
    u32::try_from(n & 0xffff_ffff).unwrap_or_default()
}
