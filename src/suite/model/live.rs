//! What `mode: live` adds to a case: calls above the live peer, and rules for the wire.

use super::{App, Fields};
use crate::suite::expr::Expr;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who the peer of the target is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The script: it sends exactly what the steps say.
    #[default]
    Scripted,
    /// The reference stack: the steps interfere with the wire.
    Live,
}

impl Mode {
    pub fn is_scripted(&self) -> bool {
        *self == Self::Scripted
    }
}

/// Where a segment comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    Peer,
    #[default]
    Target,
}

impl Origin {
    pub fn is_target(&self) -> bool {
        *self == Self::Target
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Peer => "peer",
            Self::Target => "target",
        })
    }
}

/// What the application above the live peer does, or what befalls its host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Live {
    Call(App),
    /// The host forgets everything and starts again, with these settings.
    Reboot(Vec<(Setting, Expr)>),
    Reads(Reads),
}

/// How the application above the live peer reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reads {
    /// At once, all that comes: as long as nothing is said.
    All,
    Nothing,
    /// So many octets at a time, and a pause between.
    Slowly {
        octets: Expr,
        every: Expr,
    },
}

/// What can be chosen of the live peer's host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// The MSS that it announces.
    Mss,
    /// Its receive buffer, in octets.
    Buffer,
    Sack,
    Timestamps,
    Wscale,
    Ecn,
    /// Zero acknowledges at once.
    DelayedAck,
    RtoMin,
    RtoInitial,
    /// Where its sequence numbers begin.
    Isn,
}

impl Setting {
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("mss", Self::Mss),
        ("buffer", Self::Buffer),
        ("sack", Self::Sack),
        ("timestamps", Self::Timestamps),
        ("wscale", Self::Wscale),
        ("ecn", Self::Ecn),
        ("delayed_ack", Self::DelayedAck),
        ("rto_min", Self::RtoMin),
        ("rto_initial", Self::RtoInitial),
        ("isn", Self::Isn),
    ];

    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, setting)| *setting == self).map_or("", |(word, _)| word)
    }
}

/// What the wire does from here on, until `heal`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Impairment {
    pub action: Action,
    /// `None` for both directions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Origin>,
    /// Which segments; all packets if it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Fields>,
    #[serde(default)]
    pub pick: Pick,
}

/// Which of the segments that match.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pick {
    /// At most so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<Expr>,
    /// Every n-th.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<Expr>,
    /// Only the n-th.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth: Option<Expr>,
    /// By chance: in millionths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    Drop,
    Delay(Delay),
    /// So many further copies; one unless said.
    Duplicate {
        times: Option<Expr>,
    },
    /// Held back until so many later segments have passed, or for so long.
    Reorder {
        behind: Option<Expr>,
        hold: Option<Expr>,
    },
    /// Flips one bit of an octet of the segment, by chance unless said; the checksum stays as it is.
    Corrupt {
        octet: Option<Expr>,
    },
    /// Changes fields; the checksum is made to fit.
    Rewrite {
        set: Box<Fields>,
    },
}

impl Action {
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Delay(_) => "delay",
            Self::Duplicate { .. } => "duplicate",
            Self::Reorder { .. } => "reorder",
            Self::Corrupt { .. } => "corrupt",
            Self::Rewrite { .. } => "rewrite",
        }
    }
}

/// How long the wire takes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Delay {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Expr>,
    /// Up to so much more, by chance; the order stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Expr>,
    /// Octets in a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Expr>,
    /// Octets that may wait for their turn; what comes then is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<Expr>,
}
