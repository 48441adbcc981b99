//! SYN-SENT (RFC 9293 3.10.7.3).

use super::closed::{Reset, reset_at_ack};
use crate::config::Config;
use crate::mutant::Mutant;
use crate::seq::SeqNum;
use crate::wire::{Flags, Segment};

/// What a connection in SYN-SENT does with a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum SynSentDisposition {
    Ignore,
    /// Our SYN was not acknowledged by this; say so and stay.
    Reset(Reset),
    /// "connection reset", to CLOSED.
    Refused,
    /// SYN,ACK: to ESTABLISHED.
    Establish,
    /// SYN alone: simultaneous open, to SYN-RECEIVED (MUST-10).
    Simultaneous,
}

/// RFC 9293 3.10.7.3, in the order of the text.
pub(crate) fn decide(
    iss: SeqNum,
    snd_nxt: SeqNum,
    segment: &Segment<'_>,
    config: &Config,
) -> SynSentDisposition {
    // First, the ACK bit: SEG.ACK =< ISS or SEG.ACK > SND.NXT is answered with a reset, unless RST is set.
    let acks = segment.has(Flags::ACK);
    if acks && (segment.ack.at_or_before(iss) || segment.ack.after(snd_nxt)) {
        if segment.has(Flags::RST) {
            return if config.is(Mutant::SynSentRstUnchecked) {
                SynSentDisposition::Refused
            } else {
                SynSentDisposition::Ignore
            };
        }
        match config.mutant {
            Some(Mutant::SynSentBadAckIgnored) => return SynSentDisposition::Ignore,
            Some(Mutant::SynSentBadAckAccepted) => {}
            _ => return SynSentDisposition::Reset(reset_at_ack(segment)),
        }
    }
    // Second, the RST bit: without an acceptable ACK it could be from anyone.
    if segment.has(Flags::RST) {
        return match config.mutant {
            Some(Mutant::SynSentRstIgnored) => SynSentDisposition::Ignore,
            Some(Mutant::SynSentRstUnchecked) => SynSentDisposition::Refused,
            _ if acks => SynSentDisposition::Refused,
            _ => SynSentDisposition::Ignore,
        };
    }
    // Fourth, the SYN bit.
    match (segment.has(Flags::SYN), acks) {
        (true, true) => SynSentDisposition::Establish,
        (true, false) if config.is(Mutant::NoSimultaneousOpen) => SynSentDisposition::Ignore,
        (true, false) => SynSentDisposition::Simultaneous,
        (false, true) if config.is(Mutant::SynSentAckEstablishes) => SynSentDisposition::Establish,
        // Fifth: neither SYN nor RST.
        (false, _) => SynSentDisposition::Ignore,
    }
}

#[cfg(test)]
mod tests {
    use super::super::closed::tests::segment;
    use super::*;

    fn on(flags: Flags, ack: u32) -> SynSentDisposition {
        decide(SeqNum(100), SeqNum(101), &segment(flags, 7, ack, b""), &Config::default())
    }

    #[test]
    fn only_an_ack_of_the_syn_is_acceptable() {
        for ack in [99, 100, 102, 0x8000_0100] {
            let reset = SynSentDisposition::Reset(Reset { seq: SeqNum(ack), ack: None });
            assert_eq!(on(Flags::ACK, ack), reset);
            assert_eq!(on(Flags::ACK | Flags::SYN, ack), reset);
            assert_eq!(on(Flags::ACK | Flags::RST, ack), SynSentDisposition::Ignore);
        }
        assert_eq!(on(Flags::ACK, 101), SynSentDisposition::Ignore);
    }

    #[test]
    fn the_arrows_out_of_syn_sent() {
        assert_eq!(on(Flags::ACK | Flags::SYN, 101), SynSentDisposition::Establish);
        assert_eq!(on(Flags::SYN, 0), SynSentDisposition::Simultaneous);
        assert_eq!(on(Flags::ACK | Flags::RST, 101), SynSentDisposition::Refused);
        assert_eq!(on(Flags::RST, 0), SynSentDisposition::Ignore);
        assert_eq!(on(Flags::FIN, 0), SynSentDisposition::Ignore);
        assert_eq!(on(Flags::default(), 0), SynSentDisposition::Ignore);
    }
}
