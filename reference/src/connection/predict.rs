//! Header prediction: the short way through RFC 9293 3.10.7.4 for the segment that comes most often, the next text
//! of a connection in ESTABLISHED with nothing else to say.
//!
//! It is the same rules, not others: what [`Connection::predicts`] asks for is what makes each check pass and leaves
//! nothing to do but to take the text. Since text that is taken for sure can be copied at once, its checksum is made
//! while it is copied, and a segment that turns out to be damaged is taken back. A deliberate bug always goes the
//! long way, where it can show.

use super::{Connection, Env};
use crate::config::Config;
use crate::seq::SeqNum;
use crate::state::{State, synchronized};
use crate::wire::checksum::Sum;
use crate::wire::{Ecn, Flags, Segment, Timestamps};

/// What a segment that brings nothing but text says besides its sequence number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain {
    ack: SeqNum,
    window: u16,
    timestamps: Option<Timestamps>,
    ecn: Ecn,
}

impl Plain {
    pub(crate) fn of(segment: &Segment<'_>, ecn: Ecn) -> Option<Self> {
        let options = &segment.options;
        // Second, fourth, sixth and eighth: no RST, no SYN, no URG, no FIN; and no word on congestion.
        let plain = segment.flags.without(Flags::PSH) == Flags::ACK
            && options.sack.is_empty()
            && options.user_timeout.is_none();
        let (ack, window, timestamps) = (segment.ack, segment.window, options.timestamps);
        plain.then_some(Self { ack, window, timestamps, ecn })
    }
}

impl Connection {
    /// Whether the segment, if it is intact, passes all checks and brings text in order and nothing else.
    #[inline]
    pub(crate) fn predicts(&self, plain: &Plain, seq: SeqNum, len: usize, config: &Config) -> bool {
        config.header_prediction
            && config.mutant.is_none()
            // All octets have a reader.
            && self.state == State::Established
            && !self.released
            // First: at RCV.NXT, inside the window.
            && self.rcv.is_next(seq, len)
            // RFC 7323 3.2 and 5.3: timestamps just when agreed on, and not older than the last.
            && match plain.timestamps {
                Some(theirs) => {
                    self.timestamps
                        && !synchronized::is_older_timestamp(theirs.value, self.rcv.ts_recent)
                }
                None => !self.timestamps,
            }
            // Fifth: nothing is outstanding, so nothing can be acknowledged, and the open window stays.
            && plain.ack == self.snd.una
            && self.snd.board.is_empty()
            && self.snd.wnd > 0
            && u32::from(plain.window) << self.snd.shift == self.snd.wnd
    }

    /// Takes the text of a segment that was predicted, or drops it if its sum, added to that of what precedes it in
    /// the segment, does not make a valid checksum (MUST-3).
    pub(crate) fn on_predicted(
        &mut self,
        plain: &Plain,
        seq: SeqNum,
        text: &[u8],
        sum: Sum,
        env: &mut Env<'_>,
    ) {
        self.rcv.buffer.lend(env.spare);
        let Some(advice) = self.rcv.take_next(text, sum, env.config) else { return };
        self.hear(env);
        self.note_timestamp(seq, plain.timestamps, env);
        self.snd.update_window(seq, plain.ack, self.snd.wnd, env.config);
        self.note_mark(plain.ecn, env);
        self.acknowledge_text(advice, env);
        self.tell_readable(env);
    }
}
