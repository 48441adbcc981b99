//! Variants of the reference: what it can do, and how it is made to do without.
//!
//! A manifest with `app: reference` takes abilities away or adds some. The reference is then configured to
//! be such a TCP, so that what the cases say about older or smaller stacks is tried as well.

use crate::target::profile::{Limits, Profile};
use std::collections::BTreeSet;
use tcpspec_reference::Config;

/// What the reference does unless a manifest says otherwise, by the words of the case language.
pub(super) const ABILITIES: &[&str] = &[
    "abort",
    "accept",
    "active-open",
    "challenge-ack-limit",
    "closed-port-rst",
    "control",
    "delays-acks",
    "ecn",
    "fast-open",
    "fast-retransmit",
    "half-close",
    "icmp",
    "ip-fragments",
    "ipv4",
    "ipv6",
    "keepalive",
    "limited-transmit",
    "listen",
    "many-connections",
    "mss-option",
    "nodelay",
    "out-of-order",
    "pmtud",
    "push",
    "rack",
    "reuse",
    "rfc5961",
    "rfc6191",
    "sack",
    "simultaneous-open",
    "soft-errors",
    "status",
    "syn-cookies",
    "timestamps",
    "urgent",
    "user-timeout-option",
    "virtual-time",
    "wscale",
];

/// More than the window field of a SYN can say, so that a scale is chosen and its use can be seen.
const RECV_BUFFER: u32 = 1 << 17;

/// An ability that can be switched, and how.
type Switch = (&'static str, fn(&mut Config, bool));

const SWITCHES: &[Switch] = &[
    ("delays-acks", |config, on| {
        if !on {
            config.delayed_ack = None;
        }
    }),
    ("ecn", |config, on| config.ecn = on),
    ("fast-open", |config, on| config.fast_open = on),
    ("rack", |config, on| config.rack = on),
    ("reuse", |config, on| config.time_wait_reuse = on),
    ("rfc1337", |config, on| config.rfc1337 = on),
    ("rfc5961", |config, on| {
        config.rfc5961 = on;
        // A TCP by the letter goes the long way with every segment, so that what the short ways hide is tried as well.
        config.header_prediction = on;
    }),
    ("sack", |config, on| config.sack = on),
    ("syn-cookies", |config, on| config.syn_cookies = on),
    ("timestamps", |config, on| config.timestamps = on),
    ("user-timeout-option", |config, on| config.user_timeout_option = on),
    ("wscale", |config, on| {
        config.window_scale = on;
        if on {
            config.recv_buffer = RECV_BUFFER;
        }
    }),
];

/// What follows from others, and so cannot be switched by itself.
const CONSEQUENCES: &[(&str, &[&str])] = &[
    ("rack", &["sack"]),
    // The reference always looks at timestamps where it lets TIME-WAIT give way.
    ("rfc6191", &["reuse", "timestamps"]),
];

/// The settings of a reference that has exactly these abilities.
pub(super) fn config(abilities: &BTreeSet<String>) -> Config {
    // The application of a case says what it wants of these.
    let mut config =
        Config { fast_open_wanted: false, user_timeout_option_wanted: false, ..Config::default() };
    for (ability, set) in SWITCHES {
        set(&mut config, abilities.contains(*ability));
    }
    config
}

/// The profile of a reference with these abilities, or a sentence about what it cannot be.
///
/// # Errors
/// Where an ability cannot be added or taken away.
pub fn variant(abilities: &BTreeSet<String>) -> Result<Profile, String> {
    let base = super::profile();
    for ability in base.abilities.symmetric_difference(abilities) {
        let switched = SWITCHES.iter().any(|(name, _)| name == ability);
        let follows = CONSEQUENCES.iter().any(|(name, _)| name == ability);
        if !switched && !follows {
            let what = if abilities.contains(ability) { "be given" } else { "do without" };
            return Err(format!("the reference cannot {what} `{ability}`"));
        }
    }
    for (ability, causes) in CONSEQUENCES {
        let has = abilities.contains(*ability);
        if let Some(cause) = causes.iter().find(|cause| has && !abilities.contains(**cause)) {
            return Err(format!("the reference has `{ability}` only where it has `{cause}`"));
        }
        let must = *ability == "rfc6191" && causes.iter().all(|cause| abilities.contains(*cause));
        if must && !has {
            return Err(format!("the reference has `{ability}` where it has {}", causes.join(" and ")));
        }
    }
    let limits = Limits { buffer: config(abilities).recv_buffer, ..base.limits };
    Ok(Profile { abilities: abilities.clone(), limits, ..base })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn with(adds: &[&str], lacks: &[&str]) -> BTreeSet<String> {
        let all = super::super::profile().abilities;
        let kept = all.into_iter().filter(|ability| !lacks.contains(&ability.as_str()));
        kept.chain(adds.iter().map(|ability| (*ability).to_owned())).collect()
    }

    #[test]
    fn every_switch_moves_a_setting() {
        for (ability, _) in SWITCHES {
            let (with, without) = (config(&with(&[ability], &[])), config(&with(&[], &[ability])));
            assert_ne!(format!("{with:?}"), format!("{without:?}"), "{ability}");
        }
    }

    #[rstest]
    #[case(&["rfc1337"], &["reuse", "rfc6191"], Ok(()))]
    #[case(&[], &["rfc5961"], Ok(()))]
    #[case(&["echo"], &[], Err("the reference cannot be given `echo`"))]
    #[case(&[], &["urgent"], Err("the reference cannot do without `urgent`"))]
    #[case(&[], &["sack"], Err("the reference has `rack` only where it has `sack`"))]
    #[case(&[], &["rfc6191"], Err("the reference has `rfc6191` where it has reuse and timestamps"))]
    fn what_cannot_be_is_said(
        #[case] adds: &[&str],
        #[case] lacks: &[&str],
        #[case] expected: Result<(), &str>,
    ) {
        let made = variant(&with(adds, lacks)).map(|_| ());
        assert_eq!(made, expected.map_err(str::to_owned));
    }
}
