//! Soak: random traffic over a wire that misbehaves at random, with the monitors and the streams as the oracle.
//!
//! An *episode* is a case like any other, made by dice instead of by an author: connections that open, carry data
//! both ways and end in some order, on a wire with single impairments, beside segments that somebody else has made.
//! Because it is written in the case language, whatever it finds can be repeated by anybody from a file; and because
//! every impairment is one step about one segment, it can be made smaller by leaving steps out ([`shrink`]).
//!
//! What an episode holds the target to: every octet arrives once, in order, and unchanged, in a time that the
//! losses explain ([`Episode::patience`]); every connection ends on both sides as its applications asked; and the
//! monitors, on every segment.
//!
//! What a target is known to do wrong ends no search ([`Known`]): it is counted, and what it hides is looked for behind it.

mod ask;
mod came;
mod dice;
mod known;
mod reduce;
mod shrink;
#[cfg(test)]
mod tests;
mod text;

pub use ask::Question;
pub use came::{Came, Finding, came};
pub use dice::Dice;
pub use known::{Known, words};
pub use reduce::reduce;
pub use shrink::shrink;

use crate::plan::{Plan, Planned, Reference, plan};
use crate::suite::catalogue::Catalogue;
use crate::suite::corpus::{Context, Corpus, SourceFile, Sources};
use crate::suite::diagnostic::Severity;
use crate::suite::model::Family;
use crate::target::profile::Profile;
use std::time::Duration;

/// What one episode does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    /// Counts from 1; part of the case's id.
    pub number: u64,
    /// Settings of the peer's host, as `reboot:` takes them.
    pub settings: Vec<(&'static str, String)>,
    /// Octets that the target's sockets have room for, where its default is not wanted.
    pub room: Option<u32>,
    pub conns: Vec<Conn>,
    pub impairments: Vec<Impairment>,
}

/// One connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conn {
    /// The target connects.
    pub active: bool,
    /// Octets from the target, and to it.
    pub gives: u32,
    pub takes: u32,
    /// Both sides write pieces of so many octets first, without waiting for each other (Nagle's algorithm is off).
    pub chops: Option<u32>,
    /// How the peer reads until the pause is over.
    pub reads: Reads,
    /// Milliseconds until both sides read.
    pub pause: u32,
    /// The target's application reads only when the peer's has got everything.
    pub late: bool,
    pub end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    All,
    Nothing,
    /// So many octets, every so many milliseconds.
    Crumbs {
        octets: u32,
        every: u32,
    },
}

/// Who ends a connection, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    PeerFirst,
    TargetFirst,
    /// The end of the stream is said before it has arrived.
    PeerEarly,
    TargetEarly,
    /// The other side has more to say.
    PeerHalf,
    TargetHalf,
    Together,
    /// The target's last words are small, and its FIN need not wait for anything.
    TargetAtOnce,
    /// The window closes over the target's last segment, which is lost.
    TargetSqueezed,
    /// The target's FIN is lost, and the window closes before it is sent again: nothing but the FIN is left to probe with.
    TargetProbes,
    PeerAborts,
    TargetAborts,
    /// The target closes while text waits to be read.
    TargetUnread,
    /// Text arrives when the target has closed.
    TargetLate,
}

impl End {
    /// The one of which there is nothing to say.
    const PLAIN: Self = Self::PeerFirst;

    const ALL: &'static [Self] = &[
        Self::PeerFirst,
        Self::TargetFirst,
        Self::PeerEarly,
        Self::TargetEarly,
        Self::PeerHalf,
        Self::TargetHalf,
        Self::Together,
        Self::TargetAtOnce,
        Self::TargetSqueezed,
        Self::TargetProbes,
        Self::PeerAborts,
        Self::TargetAborts,
        Self::TargetUnread,
        Self::TargetLate,
    ];

    /// Nothing of it is said before all data has arrived.
    fn comes_last(self) -> bool {
        !matches!(self, Self::PeerEarly | Self::TargetEarly)
    }

    fn is_abort(self) -> bool {
        matches!(self, Self::PeerAborts | Self::TargetAborts | Self::TargetUnread | Self::TargetLate)
    }

    /// It is about what passes the wire, so there is no other connection.
    fn is_alone(self) -> bool {
        matches!(self, Self::TargetAtOnce | Self::TargetSqueezed | Self::TargetProbes)
    }

    /// RFC 9293 3.6.1 (SHLD-3); that a FIN is sent as soon as it can be no RFC demands.
    fn is_should(self) -> bool {
        matches!(self, Self::TargetUnread | Self::TargetLate | Self::TargetAtOnce)
    }
}

/// When in an episode something goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// From the first SYN on.
    Open,
    /// As soon as the peer has sent its first data.
    Flight,
    /// As soon as the peer has sent its FIN behind that.
    Fin,
    /// From the end of the pause on.
    Pause,
    /// When all data has arrived.
    Quiet,
    /// When all rules are over.
    Asked,
    /// From the first FIN on.
    Close,
    /// In TIME-WAIT of the target.
    TimeWait,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impairment {
    pub phase: Phase,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The wire does something to one segment, or to all.
    Rule {
        verb: &'static str,
        from: &'static str,
        /// Only segments with data count.
        data: bool,
        /// Which of them, from 1.
        nth: Option<u32>,
        /// What else the rule says: `by: 20ms`.
        how: String,
    },
    /// Octets of the peer's stream arrive in a segment of their own: the wire has cut them otherwise.
    Copy { at: u32, len: u32 },
    /// A third party's segment, which must change nothing.
    Forged(Lie),
    /// The target has to do something in time, or in segments of some size.
    Asked(Question),
}

/// A segment that no correct target takes for its peer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// Octets that were delivered before, and others in their place.
    OldText,
    OldGarbage,
    OldFin,
    BeyondTheWindow,
    BehindTheEnd,
    FutureAck,
    AncientAck,
    NoAck,
    BadChecksum,
    RstInside,
    RstBelow,
    SynInside,
    /// In TIME-WAIT: the peer's FIN again, and a SYN from before its end.
    FinAgain,
    OldSyn,
    /// This one is no lie: it begins another connection.
    NewSyn,
}

impl Lie {
    const ALL: &'static [Self] = &[
        Self::OldText,
        Self::OldGarbage,
        Self::OldFin,
        Self::BeyondTheWindow,
        Self::FutureAck,
        Self::AncientAck,
        Self::NoAck,
        Self::BadChecksum,
        Self::RstInside,
        Self::RstBelow,
        Self::SynInside,
    ];

    /// What has a place of its own.
    const LATER: &'static [Self] = &[Self::BehindTheEnd, Self::FinAgain, Self::OldSyn, Self::NewSyn];

    /// Before RFC 5961 some of these did what they say.
    fn suits(self, profile: &Profile) -> bool {
        let later = matches!(self, Self::AncientAck | Self::RstInside | Self::SynInside);
        !later || profile.abilities.contains("rfc5961")
    }
}

impl Episode {
    /// How long a step may take: what the timeouts of so many losses of the same segment take, on both sides, each
    /// twice as long as the one before; and the pause, with the probes that it has drawn out.
    pub fn patience(&self, profile: &Profile) -> Duration {
        const MOST: Duration = Duration::from_secs(170);
        const GRACE: Duration = Duration::from_secs(5);
        let timing = &profile.timing;
        let lossy = self.impairments.iter().filter(|impairment| impairment.is_loss()).count();
        let mut timeout = timing.rto_initial.max(timing.persist_min);
        let mut sum = timeout;
        for _ in 0..lossy {
            timeout = (timeout * 2).min(timing.rto_max.max(timing.persist_max));
            sum += timeout;
        }
        let pause = self.conns.iter().map(|conn| u64::from(conn.pause)).max().unwrap_or_default();
        (GRACE + sum * 2 + Duration::from_millis(pause * 4)).min(MOST)
    }
}

/// The one case of a suite that an episode has written, for a file of this name; `Err` is what the checker says, which
/// is a fault of ours.
pub fn plan_of(
    text: &str,
    (file, id): (&str, &str),
    (family, seed): (Family, u64),
    profile: &Profile,
    cite: &dyn Fn(&str) -> Reference,
) -> Result<Plan, String> {
    let source = SourceFile::new(file, id, text.to_owned());
    let sources = Sources { files: vec![source], partial: true, problems: Vec::new() };
    let context = Context { catalogue: Catalogue::embedded(), mutants: &[] };
    let (corpus, found) = Corpus::load(&sources, context);
    if let Some(found) = found.iter().find(|found| found.severity() == Severity::Error) {
        return Err(found.message.clone());
    }
    let case = corpus.instances().next().ok_or_else(|| "the episode is no case".to_owned())?;
    match plan(&case, family, seed, profile, cite) {
        Ok(Planned::Ready(plan)) => Ok(*plan),
        Ok(Planned::Unsupported { reason, .. }) => Err(reason),
        Err(error) => Err(error.to_string()),
    }
}

/// No segment of the peer is larger, whatever it was told.
const LARGEST: u32 = 1460;

impl Episode {
    /// The peer has sent whatever a copy repeats: who takes octets that it has not sent acknowledges them for ever.
    fn is_sound(&self) -> bool {
        // A rest that is no whole segment waits for the ACK of what went before (Nagle, RFC 9293 section 3.7.4).
        let at_once = self.conns.first().map_or(0, |conn| conn.takes.saturating_sub(LARGEST - 1));
        self.impairments.iter().all(|each| match each.what {
            What::Copy { at, len } => at + len <= at_once,
            What::Rule { .. } | What::Forged(_) | What::Asked(_) => true,
        })
    }

    fn questions(&self) -> impl Iterator<Item = Question> {
        self.impairments.iter().filter_map(|each| match each.what {
            What::Asked(question) => Some(question),
            What::Rule { .. } | What::Copy { .. } | What::Forged(_) => None,
        })
    }

    /// It holds the target to something that is only a SHOULD.
    fn is_should(&self) -> bool {
        // RFC 6191 (SHLD-4). What lies behind the end RFC 9293 3.10.7.4 ignores, and says that it "should not occur".
        let is_should =
            |each: &Impairment| matches!(each.what, What::Forged(Lie::NewSyn | Lie::BehindTheEnd));
        self.questions().any(Question::is_should)
            || self.conns.iter().any(|conn| conn.end.is_should())
            || self.impairments.iter().any(is_should)
    }

    /// Something got lost, so that timers may run for a while after all has arrived.
    fn is_lossy(&self) -> bool {
        self.impairments.iter().any(Impairment::is_loss)
    }

    /// Something gets lost before the connections end.
    fn is_lossy_before_its_end(&self) -> bool {
        let late = |phase| matches!(phase, Phase::Close | Phase::TimeWait);
        self.impairments.iter().any(|each| each.is_loss() && !late(each.phase))
    }

    /// Nothing arrives so late that its connection has ended before. What does draws a RST, and that ends TIME-WAIT
    /// (RFC 1337).
    fn keeps_order(&self) -> bool {
        let steady = |each: &Impairment| match &each.what {
            What::Rule { verb, .. } => matches!(*verb, "drop" | "corrupt") || each.is_crossing(),
            What::Copy { .. } | What::Forged(_) | What::Asked(_) => true,
        };
        self.impairments.iter().all(steady)
    }

    /// Both FINs are under way at the same time.
    fn crosses(&self) -> bool {
        self.impairments.iter().filter(|each| each.is_crossing()).count() == 2
    }
}

impl Impairment {
    /// All that follows takes its time, so that what one side ends meets what the other does.
    fn is_crossing(&self) -> bool {
        self.phase == Phase::Close && matches!(&self.what, What::Rule { verb: "delay", nth: None, .. })
    }

    /// Others come before it, and its sender may think it lost: of text that its own ACKs overtake so does a receiver that
    /// finds an ACK of long ago in it (RFC 5961 5.2).
    fn is_overtaken(&self) -> bool {
        match &self.what {
            What::Rule { verb: "delay", nth, data, .. } => nth.is_some() || *data,
            What::Rule { verb, .. } => *verb == "reorder",
            What::Copy { .. } | What::Forged(_) | What::Asked(_) => false,
        }
    }

    fn is_loss(&self) -> bool {
        match &self.what {
            What::Rule { verb, .. } => matches!(*verb, "drop" | "corrupt"),
            What::Copy { .. } | What::Forged(_) | What::Asked(_) => false,
        }
    }
}
