//! What a case tells while it runs, and what follows from it.
//!
//! Events are the only way out of `Exec`: reports are folds over them, and so is the verdict.

use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// The outcome of a case. The order is the lattice: a verdict can only move up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Pass,
    Unsupported,
    Inconclusive,
    Blocked,
    Warn,
    Fail,
    Error,
}

impl Outcome {
    pub const ALL: [Self; 7] = [
        Self::Pass,
        Self::Fail,
        Self::Warn,
        Self::Blocked,
        Self::Unsupported,
        Self::Inconclusive,
        Self::Error,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Unsupported => "unsupported",
            Self::Inconclusive => "inconclusive",
            Self::Blocked => "blocked",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One thing that happened in a case. `step` is an index into `Plan::steps`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseEvent {
    pub at: Time,
    pub step: Option<usize>,
    pub what: CaseEventKind,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseEventKind {
    StepStarted,
    /// `when:` did not hold.
    StepSkipped,
    StepPassed,
    /// The injector sent this packet. `line` is its one-line form, numbers relative.
    Sent {
        #[serde(with = "super::io::hex")]
        octets: Vec<u8>,
        line: String,
    },
    /// The target sent this packet.
    Received {
        #[serde(with = "super::io::hex")]
        octets: Vec<u8>,
        line: String,
        claim: Claim,
    },
    /// A call above the target: `close`, `send 1000`.
    AppCalled {
        line: String,
    },
    /// What the application learned: `accepted`, `received 1000`, `reset`.
    AppReplied {
        line: String,
    },
    /// Which of several allowed answers came.
    Observed {
        answer: String,
    },
    Note {
        text: String,
    },
    /// A segment of the live peer's that never reached the target, and why.
    Lost {
        #[serde(with = "super::io::hex")]
        octets: Vec<u8>,
        line: String,
        how: String,
    },
    /// What the application above the live peer did or learned.
    PeerApp {
        line: String,
    },
    /// What went through the wire of a live case.
    Passed(Traffic),
    Violated(Box<Violation>),
    /// The target said that it cannot do what the case needs.
    Unsupported {
        why: String,
    },
    /// A frame of ours left later than it should, and began to leave so late.
    Late {
        by: Duration,
        #[serde(default)]
        overdue: Duration,
    },
    /// The target has waited so long for a processor, within the time before this.
    Waited {
        #[serde(rename = "for")]
        time: Duration,
        over: Duration,
    },
    /// We were late or lost frames.
    Inconclusive {
        why: String,
    },
    Broken {
        how: String,
    },
    /// The last event.
    Finished {
        monitors: Vec<MonitorCount>,
    },
}

/// Who answers for a received packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// An expectation took it.
    Expected,
    /// Legal noise, and why it is legal.
    Noise(String),
    /// It passes the wire to the live peer; what the wire did to it, if anything.
    Passed(String),
    /// Nothing allows it, or it is wrong: a violation follows.
    Wrong,
    /// The case was over before a step looked at it.
    Unread,
}

/// What went through the wire of a live case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    pub from_peer: Direction,
    pub from_target: Direction,
}

/// One direction of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Direction {
    pub segments: u64,
    /// Of data, each octet once.
    pub octets: u64,
    pub retransmitted_segments: u64,
    pub retransmitted_octets: u64,
    /// Segments that the wire lost.
    pub lost: u64,
    /// When the first and the last data was sent.
    pub first: Option<Time>,
    pub last: Option<Time>,
}

impl Traffic {
    /// Puts what went through another wire, or over another connection, to it.
    pub fn add(&mut self, other: &Self) {
        self.from_peer.add(&other.from_peer);
        self.from_target.add(&other.from_target);
    }
}

impl Direction {
    pub(crate) fn add(&mut self, other: &Self) {
        self.segments += other.segments;
        self.octets += other.octets;
        self.retransmitted_segments += other.retransmitted_segments;
        self.retransmitted_octets += other.retransmitted_octets;
        self.lost += other.lost;
        self.first = match (self.first, other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.last = self.last.max(other.last);
    }

    /// Octets of new data in a second, while data was sent.
    pub fn goodput(&self) -> Option<u64> {
        let span = self.last?.since(self.first?).as_nanos();
        let octets = u128::from(self.octets) * 1_000_000_000;
        u64::try_from(octets.checked_div(span)?).ok()
    }
}

/// Where a case that is running stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// The step of the case that is under way, as its author counts, and how many there are. 0 while a fixture brings the target to
    /// where the case begins.
    pub step: usize,
    pub steps: usize,
    /// Octets that the live peer and the target have sent each other.
    pub octets: u64,
}

/// What the target did wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    pub kind: ViolationKind,
    pub at: Time,
    pub step: Option<usize>,
    /// The cells of the comparison, where there is one to show.
    pub cells: Vec<Cell>,
    /// What was expected, in one line: `SYN|ACK  ack = isn+1 (1001)  mss any`.
    pub expected: String,
    /// What came, in one line; `None` when nothing came.
    pub got: Option<String>,
    /// The time allowed, for the end of the expected line: `within 1 s`.
    pub limit: Option<String>,
    /// When it came (or how long was waited), for the end of the got line.
    pub after: Duration,
    /// The known mistake that fits (`otherwise:`), or the monitor's own sentence.
    pub means: Option<String>,
    /// The step's `why:`.
    pub why: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViolationKind {
    /// A segment came, and it was not what the step expects.
    WrongAnswer,
    /// Nothing came in time.
    NoAnswer,
    TooEarly,
    TooLate,
    /// Silence was expected.
    NotSilent,
    /// A segment that no expectation claims and that is no legal noise.
    Unexpected,
    /// The application was told something else than it must learn, or nothing.
    App,
    /// The application got octets that the peer did not send.
    Content,
    /// An invariant was broken, by monitor id.
    Monitor(String),
    Crashed,
    Hung,
}

/// One column of the expected/got comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    pub field: String,
    pub expected: String,
    pub got: String,
    pub differs: bool,
}

/// A row of the monitor report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonitorCount {
    pub id: String,
    pub checked: u64,
    pub violations: u64,
}

/// What the events of a case amount to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    pub outcome: Outcome,
    /// One sentence; empty for a pass.
    pub reason: String,
    /// The first violation that decided the outcome.
    pub violation: Option<Box<Violation>>,
    /// For `blocked`: the case that tests the fixture's own steps.
    pub blamed: Option<String>,
    /// Names of allowed answers that were seen, with the step.
    pub observed: Vec<(usize, String)>,
    pub monitors: Vec<MonitorCount>,
    /// Of a live case: what went through the wire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
    /// Virtual or real time that the case took.
    pub took: Duration,
    /// The latest of our own sends.
    pub lateness: Duration,
    /// Of a verdict that is inconclusive because the target had to wait for a processor: what it would be without that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excused: Option<Box<(Outcome, String)>>,
    /// The longest that the target was seen to wait for a processor.
    #[serde(default, skip_serializing_if = "Duration::is_zero")]
    pub waited: Duration,
}
