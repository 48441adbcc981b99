//! What Linux can do and how fast it is, as `targets/linux.yaml` says it, corrected by the sysctls of
//! the namespace where these decide.

use super::namespace::Namespace;
use crate::lane::SetupError;
use crate::suite::model::Family;
use crate::target::profile::{Limits, Net, Profile, Timing};
use std::collections::BTreeSet;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// What no sysctl takes away.
const ABILITIES: &[&str] = &[
    "abort",
    "accept",
    "active-open",
    "closed-port-rst",
    "control",
    "delays-acks",
    "fast-retransmit",
    "half-close",
    "icmp",
    "ip-fragments",
    "ipv4",
    "keepalive",
    "limited-transmit",
    "linux",
    "listen",
    "many-connections",
    "mss-option",
    "nodelay",
    "out-of-order",
    "reuse",
    "rfc5961",
    "simultaneous-open",
    "status",
    "urgent",
];

/// An ability, the sysctl that decides it, and whether a value grants it.
type Decided = (&'static str, &'static str, fn(i64) -> bool);

const DECIDED: &[Decided] = &[
    // The limit for the host is off by default; the one for a connection is this.
    ("challenge-ack-limit", "net.ipv4.tcp_invalid_ratelimit", |ms| ms != 0),
    ("ecn", "net.ipv4.tcp_ecn", |mode| mode != 0),
    // For clients and for listeners; the application asks as well.
    ("fast-open", "net.ipv4.tcp_fastopen", |bits| bits & 3 == 3),
    ("pmtud", "net.ipv4.ip_no_pmtu_disc", |mode| mode == 0),
    ("rfc1337", "net.ipv4.tcp_rfc1337", |on| on != 0),
    ("rfc6191", "net.ipv4.tcp_timestamps", |on| on != 0),
    ("sack", "net.ipv4.tcp_sack", |on| on != 0),
    ("syn-cookies", "net.ipv4.tcp_syncookies", |mode| mode != 0),
    ("timestamps", "net.ipv4.tcp_timestamps", |on| on != 0),
    ("wscale", "net.ipv4.tcp_window_scaling", |on| on != 0),
];

/// The whole second that retransmission begins with, before anything is measured (RFC 6298 2.1).
const RTO_INITIAL: Duration = Duration::from_secs(1);
/// `TCP_TIMEWAIT_LEN` is 60 s, and twice this.
const MSL: Duration = Duration::from_secs(30);
/// `TCP_DELACK_MAX`; ACKs wait 40 ms at least, once the connection is no longer new.
const DELAYED_ACK: Duration = Duration::from_millis(200);

/// As many as there are descriptors; more than a case asks for.
const CONNECTIONS: u32 = 1 << 20;

/// Reads what the kernel of this namespace is set to.
pub fn profile(namespace: BorrowedFd<'_>, net: &Net) -> Result<Profile, SetupError> {
    let read = || {
        let namespace = Namespace::new(namespace)?;
        namespace.enter(|| Ok(Settings::read()))
    };
    let settings = read().map_err(|e| SetupError {
        operation: "read the settings of the target's namespace".to_owned(),
        cause: e.to_string(),
        hint: Some("needs CAP_SYS_ADMIN over the namespace".to_owned()),
    })?;
    Ok(settings.profile(net))
}

/// What was read below `/proc/sys`.
struct Settings {
    abilities: BTreeSet<String>,
    ipv6: bool,
    timing: Timing,
    limits: Limits,
}

impl Settings {
    fn read() -> Self {
        let mut abilities: BTreeSet<String> = ABILITIES.iter().map(|id| (*id).to_owned()).collect();
        let granted =
            DECIDED.iter().filter(|(_, sysctl, grants)| sysctl_value(sysctl, 0).is_some_and(*grants));
        abilities.extend(granted.map(|(id, ..)| (*id).to_owned()));
        let ipv6 = sysctl_value("net.ipv6.conf.all.disable_ipv6", 0) == Some(0);
        if ipv6 {
            abilities.insert("ipv6".to_owned());
        }
        let (timing, limits) = (timing(), limits());
        Self { abilities, ipv6, timing, limits }
    }

    fn profile(self, net: &Net) -> Profile {
        Profile {
            name: "linux".to_owned(),
            about: "the TCP of the Linux kernel this runs on".to_owned(),
            abilities: self.abilities,
            families: if self.ipv6 { Family::BOTH.to_vec() } else { vec![Family::V4] },
            net: net.clone(),
            mss_v4: 1460,
            mss_v6: 1440,
            timing: self.timing,
            limits: self.limits,
            reading: "rfc5961".to_owned(),
        }
    }
}

fn timing() -> Timing {
    let seconds = |name: &str, default: u64| Duration::from_secs(number(name, default));
    // Both are new in 6.x; before, they were these constants.
    let rto_min = Duration::from_micros(number("net.ipv4.tcp_rto_min_us", 200_000));
    let rto_max = Duration::from_millis(number("net.ipv4.tcp_rto_max_ms", 120_000));
    let retries = u32::try_from(number("net.ipv4.tcp_retries2", 15)).unwrap_or(15);
    Timing {
        scale: 1.0,
        msl: MSL,
        rto_initial: RTO_INITIAL,
        rto_min,
        rto_max,
        delayed_ack: DELAYED_ACK,
        persist_min: rto_min,
        persist_max: rto_max,
        keepalive_idle: seconds("net.ipv4.tcp_keepalive_time", 7200),
        keepalive_interval: seconds("net.ipv4.tcp_keepalive_intvl", 75),
        keepalive_count: u32::try_from(number("net.ipv4.tcp_keepalive_probes", 9)).unwrap_or(9),
        user_timeout: gives_up_after(retries, rto_min, rto_max),
        fin_wait_2: seconds("net.ipv4.tcp_fin_timeout", 60),
        reply: Duration::from_secs(1),
        settle: Duration::from_millis(5),
    }
}

/// How long a connection whose RTO is the least goes on without an answer: `tcp_model_timeout`.
fn gives_up_after(retries: u32, rto_min: Duration, rto_max: Duration) -> Duration {
    (0..=retries.min(64)).map(|n| rto_min.saturating_mul(1 << n.min(30)).min(rto_max)).sum()
}

fn limits() -> Limits {
    let small = |name: &str, default: u64| u32::try_from(number(name, default)).unwrap_or(u32::MAX);
    // Half of the receive buffer is window (`tcp_adv_win_scale`); the rest is for the packets' own weight.
    let rcvbuf = sysctl_value("net.ipv4.tcp_rmem", 1).and_then(|n| u32::try_from(n).ok()).unwrap_or(131_072);
    Limits {
        buffer: rcvbuf / 2,
        backlog: super::BACKLOG.min(small("net.core.somaxconn", 4096)),
        connections: CONNECTIONS,
        syn_retries: small("net.ipv4.tcp_syn_retries", 6),
    }
}

fn number(name: &str, default: u64) -> u64 {
    sysctl_value(name, 0).and_then(|value| u64::try_from(value).ok()).unwrap_or(default)
}

/// A number of a sysctl of the namespace that this thread is in.
fn sysctl_value(name: &str, index: usize) -> Option<i64> {
    let text = std::fs::read_to_string(format!("/proc/sys/{}", name.replace('.', "/"))).ok()?;
    text.split_ascii_whitespace().nth(index)?.parse().ok()
}
