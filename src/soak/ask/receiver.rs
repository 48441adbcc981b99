//! What a target makes of what it is given: ACKs, windows, the end.

use super::Steps;

impl Steps {
    pub(super) fn every_second_segment(&mut self) -> &mut Self {
        self.all(&["live: {send: 14600}", "expect: {flags: ACK, ack: mark@.seq + 41..mark@.seq + 2960}"])
            .with("within: 500ms")
            .all(&["app: {recv: 14600}"])
    }

    pub(super) fn duplicate_at_once(&mut self) -> &mut Self {
        self.all(&[
            "drop: {from: peer, seq: mark@.seq + 40, count: 1}",
            "live: {send: 8000}",
            "expect: {flags: ACK, ack: mark@.seq + 40}",
        ])
        .with("within: 100ms")
        .all(&["app: {recv: 8000}"])
    }

    pub(super) fn hole_filled_at_once(&mut self) -> &mut Self {
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
    pub(super) fn one_segment_is_delayed(&mut self) -> &mut Self {
        self.all(&["live: {send: target.mss - 12}", "expect: none"])
            .with("for: target.delayed_ack / 2")
            .all(&["app: {recv: target.mss - 12}"])
    }

    pub(super) fn old_and_new_text(&mut self) -> &mut Self {
        self.all(&[
            "drop: {from: peer, len: \"> 0\", count: 1}",
            "live: {send: 20}",
            "send: {flags: ACK, seq: mark@.seq + 32, len: 28}",
            "expect: {flags: ACK, ack: mark@.seq + 60}",
        ])
        .with("within: 500ms")
        .all(&["app: {recv: 20}"])
    }

    /// A lie before it may have drawn an ACK of the kind that is given a few times in a second only (RFC 5961 7).
    pub(super) fn future_ack_answered(&mut self) -> &mut Self {
        self.all(&[
            "wait: 1100ms",
            "send: {flags: ACK, seq: mark@.seq + 40, ack: target.snd.nxt + 100000000}",
            "expect: {flags: ACK, ack: mark@.seq + 40}",
        ])
        .with("within: 500ms")
    }

    pub(super) fn fin_acked(&mut self) -> &mut Self {
        self.all(&["live: {shutdown: write}", "expect: {flags: ACK, ack: mark@.seq + 41}"])
            .with("within: 100ms")
            .all(&["app: {expect: eof}", "app: close", "live: {expect: eof}", "app: {expect: closed}"])
    }

    pub(super) fn acked_once(&mut self) -> &mut Self {
        self.all(&["live: {send: 40}", "app: {recv: 40}", "app: {send: 10}"])
            .all(&["expect: {seq: mark@.ack, ack: mark@.seq + 80, len: 10}", "live: {recv: 10}"])
            .all(&["expect: none"])
            .with("for: target.delayed_ack * 3 / 2")
    }

    pub(super) fn window_announced(&mut self, room: u32) -> &mut Self {
        let rest = 2 * room + 20_000 - room / 2;
        self.filled(2 * room + 20_000)
            .all(&[&format!("app: {{recv: {}}}", room / 2), "expect: {flags: ACK, window: \"> 0\"}"])
            .with("within: 200ms")
            .all(&[&format!("app: {{recv: {rest}}}")])
    }

    pub(super) fn silly_room(&mut self, room: u32) -> &mut Self {
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

    pub(super) fn ack_in_a_probe(&mut self, room: u32) -> &mut Self {
        self.filled(2 * room + 20_000)
            .all(&["drop: {from: peer, len: 0}"])
            .with("as: dark@")
            .all(&["app: {send: 10}", "app: {send: 10}", "live: {recv: 20}"])
            .with("within: 30s")
            .all(&["heal: dark@", &format!("app: {{recv: {}}}", 2 * room + 20_000)])
    }

    /// What is held above a hole lies inside the window already: when all before it is read, the window is whole.
    pub(super) fn held_takes_no_room(&mut self) -> &mut Self {
        self.all(&["live: {send: 20000}", "expect: {flags: ACK, ack: mark@.seq + 20040}"])
            .all(&["drop: {from: peer, seq: mark@.seq + 20040}"])
            .with("as: hole@")
            .all(&["live: {send: 20000}", "wait: 20ms", "app: {recv: 20000}"])
            .all(&["expect: {flags: ACK, ack: mark@.seq + 20040, window: \">= pong@.window * 19 / 20\"}"])
            .with("within: 200ms")
            .all(&["heal: hole@", "app: {recv: 20000}"])
    }

    /// Each octet that nobody reads takes less than a unit of the scaled window, which the right edge does not pay for.
    pub(super) fn units_rounded_up(&mut self) -> &mut Self {
        for octets in [41, 42] {
            self.all(&[
                "live: {send: 1}",
                &format!("expect: {{flags: ACK, ack: mark@.seq + {octets}, window: \">= pong@.window\"}}"),
            ])
            .with("within: 500ms");
        }
        self.all(&["app: {recv: 2}"])
    }

    /// Somebody puts the last octets of the window and those behind them into one segment.
    pub(super) fn nothing_beyond_the_edge(&mut self) -> &mut Self {
        // Room for less than a segment may not have been told before.
        self.all(&["live: {send: target.rcv.wnd - 1000}", "wait: 500ms"])
            .all(&["live: {send: target.rcv.wnd - 990}", "wait: 1s"])
            .all(&["drop: {from: peer, len: \"> 0\"}"])
            .with("as: dark@")
            .all(&["send: {flags: ACK}"])
            .with("as: edge@")
            // What is less than a segment waits for the override timer.
            .all(&["live: {send: 5000}", "wait: 500ms"])
            .all(&["send: {flags: ACK, seq: edge@.seq, len: target.rcv.wnd + 100, counts: false}"])
            .with("as: long@")
            .all(&["expect: {flags: ACK, ack: \"< long@.end - 90\"}"])
            .with("after: long@")
            .with("within: 500ms")
            .all(&["heal: dark@", "app: {recv: edge@.seq - mark@.seq - 40 + 5000}"])
    }

    /// An octet for which there is no room, with an ACK of what was never sent, draws one answer.
    pub(super) fn two_wrongs(&mut self, room: u32) -> &mut Self {
        self.filled(2 * room + 20_000)
            .all(&["send: {flags: ACK, seq: target.rcv.nxt, ack: target.snd.nxt + 1, len: 1, counts: false}"])
            .all(&["expect: {flags: ACK, window: 0}", "expect: none"])
            .with("for: 150ms")
            .all(&[&format!("app: {{recv: {}}}", 2 * room + 20_000)])
    }

    /// What is read makes less room than two segments, also with up to one that has not been told, so that the peer need
    /// not hear of it.
    pub(super) fn reads_are_silent(&mut self) -> &mut Self {
        self.all(&["live: {send: target.mss - 40}", "wait: 500ms", "app: {recv: target.mss - 40}"])
            .all(&["expect: none"])
            .with("for: 300ms")
    }

    /// The wire takes the FIN off a segment with text: that its text is acknowledged says nothing of the FIN.
    pub(super) fn fin_alone(&mut self) -> &mut Self {
        self.all(&["rewrite: {from: target, flags: FIN|ACK, len: \"> 0\", count: 1, set: {flags: ACK}}"])
            .all(&["delay: {from: peer, by: 200ms}"])
            .with("as: slow@")
            .all(&["app: {send: 10}", "app: {send: 10}", "app: close", "live: {recv: 20}"])
            .all(&["live: {expect: eof}"])
            .with("within: target.rto.initial * 4")
    }
}
