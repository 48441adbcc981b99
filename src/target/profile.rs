//! The target profile: what a target can do and how fast it is, as far as verdicts depend on it.
//!
//! It is the part of a target's manifest that planning and execution see. Pure data: it knows
//! nothing of processes or wires.

use crate::suite::model::Family;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    pub name: String,
    pub about: String,
    /// What the target can do, by the ability names of the case language (`active-open`, `sack`, ...).
    pub abilities: BTreeSet<String>,
    /// Address families it speaks.
    pub families: Vec<Family>,
    pub net: Net,
    pub mss_v4: u16,
    pub mss_v6: u16,
    pub timing: Timing,
    pub limits: Limits,
    /// Which reading of optional rules: `rfc9293`, `rfc5961` or `rfc793`.
    pub reading: String,
}

impl Profile {
    /// Its application does what a case says; otherwise it is a server of one habit, or nothing.
    pub fn takes_orders(&self) -> bool {
        self.abilities.contains("control")
    }

    /// What the target can receive in one segment: MTU less the headers.
    pub fn mss(&self, family: Family) -> u16 {
        match family {
            Family::V4 => self.mss_v4,
            Family::V6 => self.mss_v6,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Every wait of a case is stretched by this.
    pub scale: f64,
    pub msl: Duration,
    pub rto_initial: Duration,
    pub rto_min: Duration,
    pub rto_max: Duration,
    pub delayed_ack: Duration,
    pub persist_min: Duration,
    pub persist_max: Duration,
    pub keepalive_idle: Duration,
    pub keepalive_interval: Duration,
    pub keepalive_count: u32,
    pub user_timeout: Duration,
    pub fin_wait_2: Duration,
    /// How long a prompt answer may take: what `within` is when a step says nothing.
    pub reply: Duration,
    /// How long after the last step a late segment is waited for.
    pub settle: Duration,
}

/// Where the target and its peer are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Net {
    pub port: u16,
    pub target_v4: Ipv4Addr,
    pub peer_v4: Ipv4Addr,
    pub target_v6: Ipv6Addr,
    pub peer_v6: Ipv6Addr,
}

/// Addresses set aside for documentation (RFC 5737, RFC 3849): no kernel owns them.
impl Default for Net {
    fn default() -> Self {
        Self {
            port: 7,
            target_v4: Ipv4Addr::new(192, 0, 2, 2),
            peer_v4: Ipv4Addr::new(192, 0, 2, 1),
            target_v6: Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2),
            peer_v6: Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
        }
    }
}

/// How much the target can hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Octets held for an application that does not read.
    pub buffer: u32,
    pub backlog: u32,
    pub connections: u32,
    pub syn_retries: u32,
}
