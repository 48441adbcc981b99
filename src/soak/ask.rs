//! Questions: what a target is asked while nothing else is under way, so that a time or the size of a segment says
//! something.
//!
//! Random traffic shows what happens to octets. When they come, and in what segments, is explained by losses as well as by a
//! bug, unless the wire is quiet; so an episode ends its traffic, waits, and asks.

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
    Variance,
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
        Self::Variance,
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
            // RFC 6298 2.3. The peer's delayed ACKs are what varies.
            Self::Variance => of(false, true, &[], &["delayed_ack"]),
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
        }
    }

    pub(super) fn is_should(self) -> bool {
        self.sort().should
    }

    /// It ends the connection.
    pub(super) fn is_last(self) -> bool {
        matches!(self, Self::UserTimeout | Self::Vanished | Self::FinAcked)
    }

    /// It is asked of the SYN or SYN,ACK, before there is any traffic.
    pub(super) fn is_first(self) -> bool {
        self == Self::FirstTimeout
    }

    /// Whether it can be asked of this target, with a peer of these settings.
    pub(super) fn suits(self, profile: &Profile, settings: &[(&'static str, String)], chops: bool) -> bool {
        let Sort { virtual_time, needs, without, .. } = self.sort();
        let nagle = matches!(self, Self::Nagle | Self::OneSegmentAfterTimeout | Self::AckInAProbe);
        (!virtual_time || profile.abilities.contains("virtual-time"))
            && profile.abilities.contains("control")
            && needs.iter().all(|need| profile.abilities.contains(*need))
            && !settings.iter().any(|(key, _)| without.contains(key))
            && !(nagle && chops)
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
    /// A few octets arrive, and are acknowledged in time (MUST-40). What passed before that is no answer any more.
    fn ping() -> Self {
        let mut steps = Self(Vec::new());
        steps
            .all(&["heal: all", "send: {flags: ACK}"])
            .with("as: mark@")
            .all(&[&format!("live: {{send: {PING}}}"), "expect: {flags: ACK, ack: mark@.seq + 40}"])
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

    /// Each wait is twice the one before, and a new sample ends that. A tail may be probed for first, which is no timeout.
    fn back_off(&mut self) -> &mut Self {
        self.all(&[
            "drop: {from: target, seq: mark@.ack, len: \"> 0\", count: 6}",
            "app: {send: 10}",
            "expect: {seq: mark@.ack, len: 10}",
        ]);
        for (label, limits) in [
            ("one@", "target.rto.max"),
            ("two@", "target.rto.max"),
            ("three@", "[(two@.time - one@.time) * 7 / 4, (two@.time - one@.time) * 5 / 2]"),
            ("four@", "[(three@.time - two@.time) * 7 / 4, (three@.time - two@.time) * 5 / 2]"),
            ("five@", "[(four@.time - three@.time) * 7 / 4, (four@.time - three@.time) * 5 / 2]"),
        ] {
            self.all(&["expect: {seq: mark@.ack, len: 10}"])
                .with(&format!("as: {label}"))
                .with(&format!("within: {limits}"));
        }
        self.all(&["live: {recv: 10}"])
            .with("within: target.rto.max * 2")
            .all(&["app: {send: 10}", "live: {recv: 10}", "wait: 1s"])
            .all(&[
                "drop: {from: target, seq: mark@.ack + 20, len: \"> 0\", count: 2}",
                "app: {send: 10}",
                "expect: {seq: mark@.ack + 20, len: 10}",
            ])
            .all(&["expect: {seq: mark@.ack + 20, len: 10}"])
            .with("within: target.rto.initial * 2")
            .all(&["live: {recv: 10}"])
            .with("within: target.rto.initial * 6")
    }

    /// The peer acknowledges late what was always acknowledged at once before: the timeout is above that time.
    fn variance(&mut self) -> &mut Self {
        for _ in 0..4 {
            self.all(&["app: {send: 10}", "live: {recv: 10}", "wait: 500ms"]);
        }
        self.all(&[
            "drop: {from: target, seq: mark@.ack + 40, count: 1}",
            "app: {send: 10}",
            "expect: {seq: mark@.ack + 40, len: 10}",
            "expect: {seq: mark@.ack + 40, len: 10}",
        ])
        .with("within: [250ms, target.rto.max]")
        .all(&["live: {recv: 10}"])
    }

    /// The answers to three probes: each comes later after the one before.
    fn probes(&mut self, buffer: u32) -> &mut Self {
        let octets = 2 * buffer + 20_000;
        self.all(&["live: {reads: none}", &format!("app: {{send: {octets}}}")]);
        self.all(&["expect: {from: peer, window: 0}", "expect: {from: peer, window: 0}"])
            .with("as: one@")
            .with("within: [50ms, target.persist.max]")
            .all(&["expect: {from: peer, window: 0}"])
            .with("as: two@")
            .with("within: target.persist.max")
            .all(&["expect: {from: peer, window: 0}"])
            .with("as: three@")
            .with("within: [(two@.time - one@.time) * 3 / 2, target.persist.max]")
            .all(&["live: {reads: all}", &format!("live: {{recv: {octets}}}")])
            .with("within: target.persist.max * 2")
    }

    /// The peer is gone: the application hears of it at R1, and again at R2, and nothing more is said.
    fn vanished(&mut self) -> &mut Self {
        self.all(&["drop: {from: target}", "app: {send: 10}", "app: {expect: soft-error}"])
            .with("within: target.rto.initial * 60")
            .all(&["app: {expect: nothing}"])
            .with("within: target.user_timeout / 2")
            .all(&["app: {expect: timed-out}"])
            .with("within: target.user_timeout * 2")
            .all(&["expect: none"])
            .with("for: 1s")
    }
}

impl Steps {
    fn every_second_segment(&mut self) -> &mut Self {
        self.all(&["live: {send: 14600}", "expect: {flags: ACK, ack: mark@.seq + 41..mark@.seq + 2960}"])
            .with("within: 500ms")
            .all(&["app: {recv: 14600}"])
    }

    fn duplicate_at_once(&mut self) -> &mut Self {
        self.all(&[
            "drop: {from: peer, seq: mark@.seq + 40, count: 1}",
            "live: {send: 8000}",
            "expect: {flags: ACK, ack: mark@.seq + 40}",
        ])
        .with("within: 100ms")
        .all(&["app: {recv: 8000}"])
    }

    fn hole_filled_at_once(&mut self) -> &mut Self {
        self.all(&[
            "drop: {from: peer, seq: mark@.seq + 40, count: 1}",
            "live: {send: 8000}",
            "expect: {from: peer, seq: mark@.seq + 40, len: \"> 0\"}",
            "expect: {from: peer, seq: mark@.seq + 40, len: \"> 0\"}",
        ])
        .with("as: again@")
        .all(&["expect: {flags: ACK, ack: \">= again@.end\"}"])
        .with("after: again@")
        .with("within: 100ms")
        .all(&["app: {recv: 8000}"])
    }

    /// What is read makes room, and that may be told.
    fn one_segment_is_delayed(&mut self) -> &mut Self {
        self.all(&["live: {send: target.mss - 12}", "expect: none"])
            .with("for: target.delayed_ack / 2")
            .all(&["app: {recv: target.mss - 12}"])
    }

    fn old_and_new_text(&mut self) -> &mut Self {
        self.all(&[
            "drop: {from: peer, len: \"> 0\", count: 1}",
            "live: {send: 20}",
            "send: {flags: ACK, seq: mark@.seq + 32, len: 28}",
            "expect: {flags: ACK, ack: mark@.seq + 60}",
        ])
        .with("within: 500ms")
        .all(&["app: {recv: 20}"])
    }

    fn future_ack_answered(&mut self) -> &mut Self {
        self.all(&[
            "send: {flags: ACK, seq: mark@.seq + 40, ack: target.snd.nxt + 100000000}",
            "expect: {flags: ACK, ack: mark@.seq + 40}",
        ])
        .with("within: 500ms")
    }

    fn fin_acked(&mut self) -> &mut Self {
        self.all(&["live: {shutdown: write}", "expect: {flags: ACK, ack: mark@.seq + 41}"])
            .with("within: 100ms")
            .all(&["app: {expect: eof}", "app: close", "live: {expect: eof}", "app: {expect: closed}"])
    }

    fn acked_once(&mut self) -> &mut Self {
        self.all(&["live: {send: 40}", "app: {recv: 40}", "app: {send: 10}"])
            .all(&["expect: {seq: mark@.ack, ack: mark@.seq + 80, len: 10}", "live: {recv: 10}"])
            .all(&["expect: none"])
            .with("for: target.delayed_ack * 3 / 2")
    }

    fn full_segments(&mut self) -> &mut Self {
        self.all(&["app: {send: 14600}", "expect: {seq: mark@.ack, len: \"> 1000\"}"])
            .with("within: 90ms")
            .all(&["live: {recv: 14600}"])
    }

    fn shrunk_window(&mut self) -> &mut Self {
        self.all(&["drop: {from: target, len: \"> 0\", count: 1}", "app: {send: 1000}"])
            .all(&["expect: {seq: mark@.ack, len: \"> 0\"}", "send: {flags: ACK, window: 1}"])
            .all(&["live: {recv: 1000}"])
            .with("within: target.rto.max")
    }

    fn pushed(&mut self) -> &mut Self {
        self.all(&[
            "app: {send: 10}",
            "expect: {flags: ACK|+PSH, seq: mark@.ack, len: 10}",
            "live: {recv: 10}",
        ])
    }

    fn small_at_once(&mut self) -> &mut Self {
        self.all(&["app: {send: 10}", "expect: {flags: ACK, seq: mark@.ack, len: 10}"])
            .with("within: 90ms")
            .all(&["live: {recv: 10}"])
    }

    fn nagle(&mut self) -> &mut Self {
        self.all(&["delay: {from: peer, by: 100ms}"])
            .with("as: slow@")
            .all(&[
                "app: {send: 10}",
                "app: {send: 10}",
                "expect: {flags: ACK, seq: mark@.ack, len: 10}",
                "expect: none",
            ])
            .with("for: 50ms")
            .all(&["live: {recv: 20}", "heal: slow@", SETTLED])
    }

    fn no_delay(&mut self) -> &mut Self {
        self.all(&["app: {option: {nodelay: true}}", "delay: {from: peer, by: 200ms}"])
            .with("as: slow@")
            .all(&[
                "app: {send: 10}",
                "app: {send: 10}",
                "expect: {flags: ACK, seq: mark@.ack, len: 10}",
                "expect: {flags: ACK, seq: mark@.ack + 10, len: 10}",
            ])
            .with("within: 100ms")
            .all(&["live: {recv: 20}", "heal: slow@", SETTLED])
    }

    fn small_window(&mut self) -> &mut Self {
        self.all(&["send: {flags: ACK, window: 1}", "app: {send: 2000}", "expect: none"])
            .with("for: 90ms")
            .all(&["live: {recv: 2000}"])
            .with("within: target.persist.max")
    }

    fn least_timeout(&mut self) -> &mut Self {
        self.all(&[
            "drop: {from: target, seq: mark@.ack, len: \"> 0\", count: 2}",
            "app: {send: 10}",
            "expect: {seq: mark@.ack, len: 10}",
        ])
        .with("as: first@")
        .all(&["expect: {seq: mark@.ack, len: 10}"])
        .with("as: second@")
        .with("within: target.rto.max")
        .all(&["expect: {seq: mark@.ack, len: 10}"])
        .with("as: third@")
        .with("after: first@")
        .with("within: [target.rto.min, target.rto.max]")
        .all(&["live: {recv: 10}"])
    }

    fn one_segment_after_timeout(&mut self) -> &mut Self {
        self.all(&["drop: {from: target, len: \"> 0\"}"])
            .with("as: dark@")
            .all(&["app: {send: 7300}", "expect: {seq: mark@.ack, len: \"> 0\"}"])
            .with("as: first@")
            .all(&["expect: {seq: mark@.ack, len: \"> 0\"}"])
            .with("as: second@")
            .with("within: target.rto.max")
            .all(&["expect: none"])
            .with("for: 50ms")
            .all(&["heal: dark@", "live: {recv: 7300}"])
            .with("within: target.rto.max")
    }

    fn window_announced(&mut self, room: u32) -> &mut Self {
        let rest = 2 * room + 20_000 - room / 2;
        self.filled(2 * room + 20_000)
            .all(&[&format!("app: {{recv: {}}}", room / 2), "expect: {flags: ACK, window: \"> 0\"}"])
            .with("within: 200ms")
            .all(&[&format!("app: {{recv: {rest}}}")])
    }

    fn silly_room(&mut self, room: u32) -> &mut Self {
        self.filled(2 * room + 20_000)
            .with("as: full@")
            .all(&["app: {recv: 10}", "expect: {from: peer, seq: full@.ack, len: \"> 0\"}"])
            .with("within: 10s")
            // Up to a segment of room may have been held back (SWS), and these ten octets may make it whole.
            .all(&[concat!(
                "expect: {one_of: {shut: {flags: ACK, window: 0, ack: full@.ack}, ",
                "open: {flags: ACK, window: \"> 10\"}}}"
            )])
            .with("within: 100ms")
            .all(&[&format!("app: {{recv: {}}}", 2 * room + 20_000 - 10)])
    }

    fn ack_in_a_probe(&mut self, room: u32) -> &mut Self {
        self.filled(2 * room + 20_000)
            .all(&["drop: {from: peer, len: 0}"])
            .with("as: dark@")
            .all(&["app: {send: 10}", "app: {send: 10}", "live: {recv: 20}"])
            .with("within: 30s")
            .all(&["heal: dark@", &format!("app: {{recv: {}}}", 2 * room + 20_000)])
    }

    fn lost_update(&mut self, buffer: u32) -> &mut Self {
        let octets = 2 * buffer + 20_000;
        self.all(&["live: {reads: none}", &format!("app: {{send: {octets}}}")])
            .all(&["expect: {from: peer, window: 0}", "wait: 50ms"])
            .all(&["drop: {from: peer, window: \"> 0\", count: 1}", "live: {reads: all}"])
            .all(&[&format!("live: {{recv: {octets}}}")])
            .with("within: target.persist.max * 2")
    }

    fn long_pause(&mut self, buffer: u32) -> &mut Self {
        let octets = 2 * buffer + 20_000;
        self.all(&["live: {reads: none}", &format!("app: {{send: {octets}}}")])
            .all(&["wait: target.user_timeout * 3", "live: {reads: all}"])
            .all(&[&format!("live: {{recv: {octets}}}")])
            .with("within: target.persist.max * 2")
    }

    fn user_timeout(&mut self) -> &mut Self {
        self.all(&["app: {option: {user_timeout: 5s}}", "drop: {from: target}", "app: {send: 10}"])
            .all(&["app: {expect: timed-out}"])
            .with("within: 30s")
    }
}
