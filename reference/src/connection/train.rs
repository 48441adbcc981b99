//! The short way out, for full segments of new text one behind the other.
//!
//! It is the same rules, not others: what [`Connection::followers`] asks for is what makes each decision come out as it
//! did for the segment before. A deliberate bug always goes the long way, where it can show.

use super::{Connection, Env};
use crate::send::Piece;
use crate::time::Instant;
use crate::wire::template::Template;

/// How many segments may follow one that has just gone out and differ from it in numbers only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Followers(pub(crate) u32);

impl Connection {
    pub(super) fn followers(&self, piece: Piece, env: &Env<'_>) -> Followers {
        let config = env.config;
        let short = config.header_prediction && config.mutant.is_none();
        let plain = !piece.syn && !piece.fin && !piece.again && piece.len == self.mss(config);
        // The timers that a segment starts run already. The first in flight has a probe timer of its own (RFC 8985 7.2).
        let timed = self.snd.flight() > piece.len;
        // RFC 3168 says something else on each segment.
        if short && plain && timed && self.state.is_synchronized() && self.ecn_is_off() {
            Followers(self.snd.full_segments(config))
        } else {
            Followers::default()
        }
    }

    /// Writes the next segment of a train over what `buffer` holds, and returns the length of the packet.
    pub(crate) fn follow(&mut self, now: Instant, template: &Template, buffer: &mut Vec<u8>) -> usize {
        let (seq, text) = (self.snd.nxt, template.text_len() as u32);
        self.identification = self.identification.wrapping_add(1);
        if buffer.len() < template.packet_len() {
            buffer.resize(template.packet_len(), 0);
        }
        let len = template.write(self.identification, seq, self.snd.text(seq, text), buffer);
        self.snd.sent_full(text, now);
        len
    }
}
