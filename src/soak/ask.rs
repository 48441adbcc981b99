//! Questions: what a target is asked while nothing else is under way, so that a time or the size of a segment says
//! something.
//!
//! Random traffic shows what happens to octets. When they come, and in what segments, is explained by losses as well as by a
//! bug, unless the wire is quiet; so an episode ends its traffic, waits, and asks.

mod receiver;
mod sender;
mod timer;

use crate::target::profile::Profile;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Nothing beyond what each of them begins with.
    AckInTime,
    EverySecondSegment,
    DuplicateAtOnce,
    HoleFilledAtOnce,
    OneSegmentIsDelayed,
    OldAndNewText,
    FutureAckAnswered,
    FinAcked,
    AckedOnce,
    FullSegments,
    ShrunkWindow,
    Pushed,
    SmallAtOnce,
    Nagle,
    NoDelay,
    SmallWindow,
    BackOff,
    LeastTimeout,
    FirstTimeout,
    OneSegmentAfterTimeout,
    WindowAnnounced,
    SillyRoom,
    AckInAProbe,
    LostUpdate,
    Probes,
    LongPause,
    UserTimeout,
    Vanished,
    Variance,
    HeldTakesNoRoom,
    UnitsRoundedUp,
    NothingBeyondTheEdge,
    TwoWrongs,
    ReadsAreSilent,
    FinAlone,
    HalfWindow,
    Weights,
    Karn,
    IdleIsNoRoundTrip,
    RestartedByAck,
    NotRestarted,
    Stopped,
    EachPartialAck,
}

/// What a question takes and weighs.
struct Sort {
    /// The requirement behind it is a SHOULD.
    should: bool,
    /// It waits for many seconds, or fills a buffer whose size it has to know.
    virtual_time: bool,
    /// Abilities of the target.
    needs: &'static [&'static str],
    /// Settings of the peer that it does not stand.
    without: &'static [&'static str],
}

/// Octets of the word that begins each question, and of its answer.
const PING: u32 = 40;

/// What was delayed arrives, or an ACK from long ago would meet TIME-WAIT.
const SETTLED: &str = "wait: 300ms";

impl Question {
    pub(super) const ALL: &'static [Self] = &[
        Self::AckInTime,
        Self::EverySecondSegment,
        Self::DuplicateAtOnce,
        Self::HoleFilledAtOnce,
        Self::OneSegmentIsDelayed,
        Self::OldAndNewText,
        Self::FutureAckAnswered,
        Self::FinAcked,
        Self::AckedOnce,
        Self::FullSegments,
        Self::ShrunkWindow,
        Self::Pushed,
        Self::SmallAtOnce,
        Self::Nagle,
        Self::NoDelay,
        Self::SmallWindow,
        Self::BackOff,
        Self::LeastTimeout,
        Self::FirstTimeout,
        Self::OneSegmentAfterTimeout,
        Self::WindowAnnounced,
        Self::SillyRoom,
        Self::AckInAProbe,
        Self::LostUpdate,
        Self::Probes,
        Self::LongPause,
        Self::UserTimeout,
        Self::Vanished,
        Self::Variance,
        Self::HeldTakesNoRoom,
        Self::UnitsRoundedUp,
        Self::NothingBeyondTheEdge,
        Self::TwoWrongs,
        Self::ReadsAreSilent,
        Self::FinAlone,
        Self::HalfWindow,
        Self::Weights,
        Self::Karn,
        Self::IdleIsNoRoundTrip,
        Self::RestartedByAck,
        Self::NotRestarted,
        Self::Stopped,
        Self::EachPartialAck,
    ];

    fn sort(self) -> Sort {
        let of = |should, virtual_time, needs, without| Sort { should, virtual_time, needs, without };
        match self {
            // RFC 9293 3.8.6.3 (MUST-40), 3.10.7.4, 3.9.1.2 (MUST-61), RFC 5961 5.2.
            Self::AckInTime | Self::OldAndNewText | Self::FutureAckAnswered => of(false, false, &[], &[]),
            // RFC 9293 3.10.7.4, eighth; that it happens at once is no demand.
            Self::FinAcked => of(true, false, &[], &[]),
            // RFC 9293 3.8.6.3 (MUST-58): what has been acknowledged is not acknowledged again.
            Self::AckedOnce => of(true, true, &["delays-acks"], &[]),
            // RFC 9293 3.8.6.2.1 (SHLD-28), 3.8.6 (SHLD-16).
            Self::FullSegments => of(true, false, &[], &["mss", "buffer"]),
            Self::ShrunkWindow => of(true, true, &[], &["mss", "buffer"]),
            Self::Pushed => of(false, false, &["push"], &[]),
            // RFC 9293 3.8.6.3 (SHLD-19), RFC 5681 4.2.
            Self::EverySecondSegment => of(true, true, &[], &["mss"]),
            Self::DuplicateAtOnce | Self::HoleFilledAtOnce => of(true, false, &["out-of-order"], &[]),
            Self::OneSegmentIsDelayed => of(true, true, &["delays-acks"], &["mss"]),
            // RFC 9293 3.7.4 (SHLD-7, MUST-17).
            Self::SmallAtOnce | Self::Nagle => of(true, false, &[], &[]),
            Self::NoDelay => of(false, false, &["nodelay"], &["buffer"]),
            // RFC 9293 3.8.6.2.1 (MUST-38).
            Self::SmallWindow => of(false, true, &[], &["mss", "buffer"]),
            // RFC 6298 5.5; 2.4 is a SHOULD, and the manifest says what the target makes of it.
            Self::BackOff | Self::LeastTimeout | Self::FirstTimeout => of(false, true, &[], &[]),
            // RFC 5681 3.1: after a timeout the window is one segment.
            Self::OneSegmentAfterTimeout => of(false, true, &[], &["mss", "buffer"]),
            // RFC 9293 3.8.6.2.2 (MUST-39), which takes for granted that an update is sent.
            Self::WindowAnnounced => of(true, true, &[], &[]),
            Self::SillyRoom => of(false, true, &[], &["mss"]),
            // RFC 9293 3.10.7.4 (MUST-66), 3.8.6.1 (MUST-36, MUST-37, SHLD-30).
            Self::AckInAProbe | Self::LostUpdate | Self::LongPause => of(false, true, &[], &[]),
            Self::Probes => of(true, true, &[], &[]),
            // RFC 9293 3.8.3 (MUST-20, MUST-21, SHLD-9, SHLD-11), 3.10.8.
            Self::UserTimeout => of(false, true, &[], &[]),
            Self::Vanished => of(true, true, &["soft-errors"], &[]),
            // RFC 6298 2.3, where the weights are a SHOULD; 3 (MUST-18) and RFC 7323 4.1.
            Self::Variance | Self::Karn => of(false, true, &[], &[]),
            Self::Weights => of(true, true, &[], &[]),
            Self::IdleIsNoRoundTrip => of(false, true, &[], &["timestamps"]),
            // RFC 6298 5.2 and 5.3 are recommended.
            Self::RestartedByAck => of(true, true, &["nodelay"], &[]),
            Self::NotRestarted | Self::Stopped => of(true, true, &[], &[]),
            Self::EachPartialAck => of(true, true, &["fast-retransmit", "sack"], &["buffer"]),
            // RFC 9293 3.8.6.2.1, what a sender does with half of the largest window.
            Self::HalfWindow => of(true, true, &[], &["mss"]),
            // RFC 9293 3.8.6.2.2: RCV.BUFF - RCV.USER is room (SHLD-14 with RFC 7323 2.4), and the rest is not.
            Self::HeldTakesNoRoom => of(true, true, &["out-of-order"], &["mss"]),
            Self::UnitsRoundedUp => of(true, true, &["wscale"], &["wscale"]),
            // Without a scale the room may be larger than any window.
            Self::NothingBeyondTheEdge => of(true, true, &["wscale"], &["mss", "wscale"]),
            Self::ReadsAreSilent => of(true, true, &[], &["mss"]),
            // RFC 5681 4.2.
            Self::TwoWrongs => of(false, true, &[], &[]),
            // RFC 9293 3.10.7.4, fifth: FIN-WAIT-1.
            Self::FinAlone => of(true, true, &[], &[]),
        }
    }

    pub(super) fn is_should(self) -> bool {
        self.sort().should
    }

    /// It ends the connection.
    pub(super) fn is_last(self) -> bool {
        matches!(self, Self::UserTimeout | Self::Vanished | Self::FinAcked | Self::FinAlone)
    }

    /// It is asked of the SYN or SYN,ACK, before there is any traffic.
    pub(super) fn is_first(self) -> bool {
        self == Self::FirstTimeout
    }

    /// Settings of the peer that it takes, whatever the episode says. A peer that takes a delayed ACK for a loss has no
    /// window left to ask with; without SACK no probe for a tail comes before a timeout.
    pub(super) fn settings(self) -> &'static [(&'static str, &'static str)] {
        const PATIENT: (&str, &str) = ("rto_min", "1s");
        const NO_PROBE: (&str, &str) = ("sack", "no");
        match self {
            Self::FirstTimeout
            | Self::Probes
            | Self::IdleIsNoRoundTrip
            | Self::RestartedByAck
            | Self::NotRestarted
            | Self::Stopped => &[PATIENT, NO_PROBE],
            Self::Karn => &[PATIENT, NO_PROBE, ("timestamps", "no")],
            // Segments of 1000 octets.
            Self::EachPartialAck => &[PATIENT, ("sack", "yes"), ("mss", "1000"), ("timestamps", "no")],
            Self::Variance | Self::Weights => &[PATIENT, NO_PROBE, ("delayed_ack", "0ms")],
            // Less than a segment.
            Self::HalfWindow => &[PATIENT, ("buffer", "900")],
            _ => &[PATIENT],
        }
    }

    /// Whether it can be asked of this target, with a peer of these settings.
    pub(super) fn suits(self, profile: &Profile, settings: &[(&'static str, String)], chops: bool) -> bool {
        let Sort { virtual_time, needs, without, .. } = self.sort();
        let nagle =
            matches!(self, Self::Nagle | Self::OneSegmentAfterTimeout | Self::AckInAProbe | Self::FinAlone);
        // A window that needs a scale.
        let scaled = self != Self::UnitsRoundedUp || profile.limits.buffer > 0xffff;
        (!virtual_time || profile.abilities.contains("virtual-time"))
            && profile.abilities.contains("control")
            && needs.iter().all(|need| profile.abilities.contains(*need))
            && !settings.iter().any(|(key, _)| without.contains(key))
            && !(nagle && chops)
            && scaled
    }

    /// The steps, each with its qualifiers behind it. `buffer` is what the peer has room for. Behind each label stands `@`.
    pub(super) fn steps(self, profile: &Profile, buffer: u32, active: bool) -> Vec<String> {
        let mut steps = Steps::ping();
        let room = profile.limits.buffer;
        match self {
            Self::AckInTime => &mut steps,
            Self::EverySecondSegment => steps.every_second_segment(),
            Self::DuplicateAtOnce => steps.duplicate_at_once(),
            Self::HoleFilledAtOnce => steps.hole_filled_at_once(),
            Self::OneSegmentIsDelayed => steps.one_segment_is_delayed(),
            Self::OldAndNewText => steps.old_and_new_text(),
            Self::FutureAckAnswered => steps.future_ack_answered(),
            Self::FinAcked => steps.fin_acked(),
            Self::AckedOnce => steps.acked_once(),
            Self::FullSegments => steps.full_segments(),
            Self::ShrunkWindow => steps.shrunk_window(),
            Self::Variance => steps.variance(),
            Self::Pushed => steps.pushed(),
            Self::SmallAtOnce => steps.small_at_once(),
            Self::Nagle => steps.nagle(),
            Self::NoDelay => steps.no_delay(),
            Self::SmallWindow => steps.small_window(),
            Self::BackOff => steps.back_off(),
            Self::FirstTimeout => return first_timeout(active),
            Self::LeastTimeout => steps.least_timeout(),
            Self::OneSegmentAfterTimeout => steps.one_segment_after_timeout(),
            Self::WindowAnnounced => steps.window_announced(room),
            Self::SillyRoom => steps.silly_room(room),
            Self::AckInAProbe => steps.ack_in_a_probe(room),
            Self::LostUpdate => steps.lost_update(buffer),
            Self::Probes => steps.probes(buffer),
            Self::LongPause => steps.long_pause(buffer),
            Self::UserTimeout => steps.user_timeout(),
            Self::Vanished => steps.vanished(),
            Self::HeldTakesNoRoom => steps.held_takes_no_room(),
            Self::UnitsRoundedUp => steps.units_rounded_up(),
            Self::NothingBeyondTheEdge => steps.nothing_beyond_the_edge(),
            Self::TwoWrongs => steps.two_wrongs(room),
            Self::ReadsAreSilent => steps.reads_are_silent(),
            Self::FinAlone => steps.fin_alone(),
            Self::HalfWindow => steps.half_window(),
            Self::Weights => steps.weights(),
            Self::Karn => steps.karn(),
            Self::IdleIsNoRoundTrip => steps.idle_is_no_round_trip(),
            Self::RestartedByAck => steps.restarted_by_ack(),
            Self::NotRestarted => steps.not_restarted(),
            Self::Stopped => steps.stopped(),
            Self::EachPartialAck => steps.each_partial_ack(),
        };
        steps.0
    }
}

/// The first SYN or SYN,ACK is lost: the next one comes after the initial timeout (RFC 6298 2.1), and the first text that is
/// lost waits for three seconds then (5.7). Without SACK there is no probe for a tail before that.
fn first_timeout(active: bool) -> Vec<String> {
    let syn = if active { "SYN" } else { "SYN|ACK" };
    let mut steps = Steps(Vec::new());
    steps.all(&[&format!("drop: {{from: target, flags: {syn}, count: 1}}")]);
    let (opens, opened) = if active {
        (["live: listen", "app: connect"], ["app: {expect: connected}", "live: accept"])
    } else {
        (["app: listen", "live: connect"], ["app: accept", "live: {expect: connected}"])
    };
    steps
        .all(&opens)
        .all(&[&format!("expect: {{flags: {syn}}}"), &format!("expect: {{flags: {syn}}}")])
        .with("within: [target.rto.initial * 9 / 10, target.rto.initial * 3]")
        .all(&opened)
        .all(&["drop: {from: target, len: \"> 0\", count: 1}", "app: {send: 10}"])
        .all(&["expect: {seq: irs + 1, len: 10}", "expect: {seq: irs + 1, len: 10}"])
        .with("within: [2500ms, target.rto.max]")
        .all(&["live: {recv: 10}", "wait: 1s"]);
    steps.0
}

struct Steps(Vec<String>);

impl Steps {
    /// A few octets arrive, and are acknowledged in time (MUST-40). What passed before that, in either direction, is no
    /// answer any more.
    fn ping() -> Self {
        let mut steps = Self(Vec::new());
        steps
            .all(&["heal: all", "send: {flags: ACK}"])
            .with("as: mark@")
            .all(&[&format!("live: {{send: {PING}}}"), "expect: {from: peer, seq: mark@.seq, len: 40}"])
            .all(&["expect: {flags: ACK, ack: mark@.seq + 40}"])
            .with("as: pong@")
            .with("within: 500ms")
            .all(&[&format!("app: {{recv: {PING}}}")]);
        steps
    }

    fn all(&mut self, steps: &[&str]) -> &mut Self {
        self.0.extend(steps.iter().map(|step| format!("- {step}")));
        self
    }

    /// Qualifies the last step.
    fn with(&mut self, qualifier: &str) -> &mut Self {
        self.0.push(format!("  {qualifier}"));
        self
    }

    /// The target's buffer is full to the brim, and the peer has been told.
    fn filled(&mut self, octets: u32) -> &mut Self {
        self.all(&[&format!("live: {{send: {octets}}}"), "expect: {flags: ACK, window: 0}"])
    }
}
