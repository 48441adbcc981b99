//! Header prediction: the short way through RFC 9293 3.10.7.4 for the segment that comes most often, the next text
//! of a connection in ESTABLISHED with nothing else to say.
//!
//! It is the same rules, not others: what [`Connection::predicts`] asks for is what makes each check pass and leaves
//! nothing to do but to take the text. Since text that is taken for sure can be copied at once, its checksum is made
//! while it is copied, and a segment that turns out to be damaged is taken back. A deliberate bug always goes the
//! long way, where it can show.

use super::{Connection, Env};
use crate::config::Config;
use crate::state::{State, synchronized};
use crate::wire::{Flags, IpPacket, Segment};

impl Connection {
    /// Whether the segment, if it is intact, passes all checks and brings text in order and nothing else.
    pub(crate) fn predicts(&self, segment: &Segment<'_>, config: &Config) -> bool {
        let options = &segment.options;
        config.header_prediction
            && config.mutant.is_none()
            // All octets have a reader.
            && self.state == State::Established
            && !self.released
            // Second, fourth, sixth and eighth: no RST, no SYN, no URG, no FIN; and no word on congestion.
            && segment.flags.without(Flags::PSH) == Flags::ACK
            // First: at RCV.NXT, inside the window.
            && self.rcv.is_next(segment.seq, segment.payload.len())
            // RFC 7323 3.2 and 5.3: timestamps just when agreed on, and not older than the last.
            && match options.timestamps {
                Some(theirs) => {
                    self.timestamps
                        && !synchronized::is_older_timestamp(theirs.value, self.rcv.ts_recent)
                }
                None => !self.timestamps,
            }
            && options.sack.is_empty()
            && options.user_timeout.is_none()
            // Fifth: nothing is outstanding, so nothing can be acknowledged, and the open window stays.
            && segment.ack == self.snd.una
            && self.snd.board.is_empty()
            && self.snd.wnd > 0
            && u32::from(segment.window) << self.snd.shift == self.snd.wnd
    }

    /// Takes a segment that was predicted, or drops it if its checksum does not verify (MUST-3).
    pub(crate) fn on_predicted(&mut self, packet: &IpPacket<'_>, segment: &Segment<'_>, env: &mut Env<'_>) {
        let mut sum = packet.pseudo_header();
        sum.add_few(&packet.payload[..packet.payload.len() - segment.payload.len()]);
        let Some(advice) = self.rcv.take_next(segment.payload, sum, env.config) else { return };
        self.hear(env);
        self.note_timestamp(segment, env);
        self.snd.update_window(segment.seq, segment.ack, self.snd.wnd, env.config);
        self.note_ecn(packet.ecn, segment, env);
        self.acknowledge_text(advice, env);
        self.tell_readable(env);
    }
}
