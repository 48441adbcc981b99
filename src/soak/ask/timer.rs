//! What a target does when time passes: timeouts, probes, giving up.

use super::{SETTLED, Steps};

impl Steps {
    /// Each wait is twice the one before, and a new sample ends that. A tail may be probed for first, which is no timeout.
    pub(super) fn back_off(&mut self) -> &mut Self {
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

    /// Round trips of nearly nothing, until nothing else counts any more; then so many of 0.9 s. What is lost behind
    /// them is sent again within these limits.
    fn slow_round_trips(&mut self, slow: u32, limits: &str) -> &mut Self {
        self.all(&["repeat: {times: 10, steps: [{app: {send: 10}}, {live: {recv: 10}}, {wait: 20ms}]}"])
            .all(&["delay: {from: peer, by: 900ms}"])
            .with("as: slow@")
            .all(&[
                &format!("repeat: {{times: {slow}, steps: [{{app: {{send: 10}}}}, {{wait: 1s}}]}}"),
                "heal: slow@",
            ])
            .loses_one(100 + 10 * slow)
            .with(&format!("within: {limits}"))
            .all(&[&format!("live: {{recv: {}}}", 10 * slow + 10)])
            .sampled()
    }

    /// A timeout that was doubled is not any more, or what gets lost at the end would take longer than anybody waits.
    fn sampled(&mut self) -> &mut Self {
        self.all(&["app: {send: 10}", "live: {recv: 10}", "wait: 1s"])
    }

    /// Ten octets are written so far behind the mark, get lost, and come again: that is the last step.
    fn loses_one(&mut self, behind: u32) -> &mut Self {
        self.all(&[
            &format!("drop: {{from: target, seq: mark@.ack + {behind}, count: 1}}"),
            "app: {send: 10}",
            &format!("expect: {{seq: mark@.ack + {behind}, len: 10}}"),
        ])
        .with("as: lost@")
        .all(&[&format!("expect: {{seq: mark@.ack + {behind}, len: 10}}")])
        .with("after: lost@")
    }

    /// After three of them SRTT is 0.3 s and RTTVAR 0.45 s. Without either of them the timeout is at its least.
    pub(super) fn variance(&mut self) -> &mut Self {
        self.slow_round_trips(3, "[target.rto.min * 5 / 4, target.rto.max]")
    }

    /// After two, SRTT is 0.21 s and RTTVAR 0.37 s with the weights of RFC 6298 2.3: the timeout is 1.67 s.
    pub(super) fn weights(&mut self) -> &mut Self {
        self.slow_round_trips(2, "[1450ms, 2100ms]")
    }

    /// The ACK of what was sent three times is no sample, so that the timeout stays at four times what it was.
    pub(super) fn karn(&mut self) -> &mut Self {
        self.all(&["drop: {from: target, seq: mark@.ack, len: \"> 0\", count: 2}", "app: {send: 10}"])
            .all(&["expect: {seq: mark@.ack, len: 10}", "expect: {seq: mark@.ack, len: 10}"])
            .with("as: second@")
            .with("within: target.rto.max")
            .all(&["expect: {seq: mark@.ack, len: 10}"])
            .with("as: third@")
            .with("within: target.rto.max")
            .all(&["live: {recv: 10}", SETTLED])
            .loses_one(10)
            .with("within: [(third@.time - second@.time) * 7 / 4, (third@.time - second@.time) * 5 / 2]")
            .all(&["live: {recv: 10}"])
            .sampled()
    }

    /// Text that comes after a long time echoes a timestamp of before it, and acknowledges nothing new.
    pub(super) fn idle_is_no_round_trip(&mut self) -> &mut Self {
        self.all(&["wait: target.rto.initial * 10", "live: {send: 10}", "app: {recv: 10}", "wait: 500ms"])
            .loses_one(0)
            .with("within: target.rto.initial * 2")
            .all(&["live: {recv: 10}"])
    }

    /// Two segments are sent one after the other; when the first is acknowledged the timer begins anew for the second.
    pub(super) fn restarted_by_ack(&mut self) -> &mut Self {
        self.all(&["app: {option: {nodelay: true}}", "drop: {from: peer}"])
            .with("as: mute@")
            .all(&["drop: {from: target, seq: mark@.ack + 10, count: 1}", "app: {send: 10}"])
            .all(&["expect: {seq: mark@.ack, len: 10}", "wait: target.rto.min / 2", "app: {send: 10}"])
            .all(&["expect: {seq: mark@.ack + 10, len: 10}", "wait: target.rto.min * 3 / 10"])
            .all(&["send: {flags: ACK, ack: mark@.ack + 10}"])
            .with("as: acked@")
            .all(&["expect: {seq: mark@.ack + 10, len: 10}"])
            .with("after: acked@")
            .with("within: [target.rto.min, target.rto.max]")
            .all(&["heal: mute@", "live: {recv: 20}"])
    }

    /// A duplicate ACK says nothing of when the segment was sent.
    pub(super) fn not_restarted(&mut self) -> &mut Self {
        self.all(&["drop: {from: target, seq: mark@.ack, count: 1}", "app: {send: 10}"])
            .all(&["expect: {seq: mark@.ack, len: 10}"])
            .with("as: lost@")
            .all(&["wait: target.rto.min * 3 / 5", "send: {flags: ACK, ack: mark@.ack}"])
            .all(&["expect: {seq: mark@.ack, len: 10}"])
            .with("after: lost@")
            .with("within: [target.rto.min, target.rto.min * 3 / 2]")
            .all(&["live: {recv: 10}"])
    }

    /// The first three of seven segments are lost, and the last, so that no rescue is about the third. The second comes late
    /// when it is sent again, and the third is lost again: its timeout counts from the ACK that the second has drawn.
    pub(super) fn each_partial_ack(&mut self) -> &mut Self {
        self.all(&["drop: {from: target, seq: mark@.ack, count: 1}"])
            .all(&["drop: {from: target, seq: mark@.ack + 1000, count: 1}"])
            .all(&["delay: {from: target, seq: mark@.ack + 1000, by: target.rto.min * 5 / 8}"])
            .all(&["drop: {from: target, seq: mark@.ack + 2000, count: 2}"])
            .all(&["drop: {from: target, seq: mark@.ack + 6000}"])
            .with("as: tail@")
            .all(&["app: {send: 7000}"])
            .all(&[
                "expect: {seq: mark@.ack + 2000, len: 1000}",
                "expect: {seq: mark@.ack + 2000, len: 1000}",
            ])
            .all(&["expect: {from: peer, flags: ACK, ack: mark@.ack + 2000}"])
            .with("as: partial@")
            .with("within: target.rto.min")
            .all(&["expect: {seq: mark@.ack + 2000, len: 1000}"])
            .with("after: partial@")
            .with("within: [target.rto.min, target.rto.max]")
            .all(&["heal: tail@", "live: {recv: 7000}"])
            .with("within: target.rto.max * 2")
    }

    /// When all is acknowledged no timer runs, and what is sent then has the whole of its own.
    pub(super) fn stopped(&mut self) -> &mut Self {
        self.all(&["app: {send: 10}", "live: {recv: 10}", "wait: target.rto.min * 3 / 5"])
            .loses_one(10)
            .with("within: [target.rto.min, target.rto.max]")
            .all(&["live: {recv: 10}"])
    }

    pub(super) fn least_timeout(&mut self) -> &mut Self {
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

    pub(super) fn one_segment_after_timeout(&mut self) -> &mut Self {
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

    /// The answers to three probes: each comes later after the one before.
    pub(super) fn probes(&mut self, buffer: u32) -> &mut Self {
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

    pub(super) fn lost_update(&mut self, buffer: u32) -> &mut Self {
        let octets = 2 * buffer + 20_000;
        self.all(&["live: {reads: none}", &format!("app: {{send: {octets}}}")])
            .all(&["expect: {from: peer, window: 0}", "wait: 50ms"])
            .all(&["drop: {from: peer, window: \"> 0\", count: 1}", "live: {reads: all}"])
            .all(&[&format!("live: {{recv: {octets}}}")])
            .with("within: target.persist.max * 2")
    }

    pub(super) fn long_pause(&mut self, buffer: u32) -> &mut Self {
        let octets = 2 * buffer + 20_000;
        self.all(&["live: {reads: none}", &format!("app: {{send: {octets}}}")])
            .all(&["wait: target.user_timeout * 3", "live: {reads: all}"])
            .all(&[&format!("live: {{recv: {octets}}}")])
            .with("within: target.persist.max * 2")
    }

    pub(super) fn user_timeout(&mut self) -> &mut Self {
        self.all(&["app: {option: {user_timeout: 5s}}", "drop: {from: target}", "app: {send: 10}"])
            .all(&["app: {expect: timed-out}"])
            .with("within: 30s")
    }

    /// The peer is gone: the application hears of it at R1, and again at R2, and nothing more is said.
    pub(super) fn vanished(&mut self) -> &mut Self {
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
