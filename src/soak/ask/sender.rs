//! In what segments a target sends, and when.

use super::{SETTLED, Steps};

impl Steps {
    pub(super) fn full_segments(&mut self) -> &mut Self {
        self.all(&["app: {send: 14600}", "expect: {seq: mark@.ack, len: \"> 1000\"}"])
            .with("within: 90ms")
            .all(&["live: {recv: 14600}"])
    }

    pub(super) fn shrunk_window(&mut self) -> &mut Self {
        self.all(&["drop: {from: target, len: \"> 0\", count: 1}", "app: {send: 1000}"])
            .all(&["expect: {seq: mark@.ack, len: \"> 0\"}", "send: {flags: ACK, window: 1}"])
            .all(&["live: {recv: 1000}"])
            .with("within: target.rto.max")
    }

    pub(super) fn pushed(&mut self) -> &mut Self {
        self.all(&[
            "app: {send: 10}",
            "expect: {flags: ACK|+PSH, seq: mark@.ack, len: 10}",
            "live: {recv: 10}",
        ])
    }

    pub(super) fn small_at_once(&mut self) -> &mut Self {
        self.all(&["app: {send: 10}", "expect: {flags: ACK, seq: mark@.ack, len: 10}"])
            .with("within: 90ms")
            .all(&["live: {recv: 10}"])
    }

    pub(super) fn nagle(&mut self) -> &mut Self {
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

    pub(super) fn no_delay(&mut self) -> &mut Self {
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

    /// The second ACK has the numbers of the first, and its window counts all the same (RFC 9293 3.10.7.4).
    pub(super) fn small_window(&mut self) -> &mut Self {
        self.all(&[
            "send: {flags: ACK}",
            "send: {flags: ACK, window: 1}",
            "app: {send: 2000}",
            "expect: none",
        ])
        .with("for: 90ms")
        .all(&["live: {recv: 2000}"])
        .with("within: target.persist.max")
    }

    /// Half of the largest window that the peer has ever offered is worth a segment.
    pub(super) fn half_window(&mut self) -> &mut Self {
        self.all(&["app: {send: 2000}", "expect: {seq: mark@.ack, len: \"> 440\"}"])
            .with("within: 90ms")
            .all(&["live: {recv: 2000}"])
    }
}
