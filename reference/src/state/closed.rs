//! CLOSED: a segment for which there is no connection (RFC 9293 3.10.7.1, 3.5.2 group 1).

use crate::config::Config;
use crate::mutant::Mutant;
use crate::seq::SeqNum;
use crate::wire::{Flags, Segment};

/// The numbers of a reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reset {
    pub(crate) seq: SeqNum,
    /// With the ACK bit if present.
    pub(crate) ack: Option<SeqNum>,
}

/// `<SEQ=SEG.ACK><CTL=RST>`, the answer to an ACK that is not acceptable.
pub(crate) const fn reset_at_ack(segment: &Segment<'_>) -> Reset {
    Reset { seq: segment.ack, ack: None }
}

/// RFC 9293 3.10.7.1, U-4: everything but a reset is answered with a reset.
pub(crate) fn decide(segment: &Segment<'_>, config: &Config) -> Option<Reset> {
    if segment.has(Flags::RST) && !config.is(Mutant::RstAnsweredWithRst) {
        return None;
    }
    if config.is(Mutant::ClosedPortSilent) {
        return None;
    }
    if segment.has(Flags::ACK) {
        return Some(match config.mutant {
            Some(Mutant::RstFromClosedPortWrongSeq) => Reset { seq: SeqNum(0), ack: None },
            Some(Mutant::RstFromClosedPortAlwaysAck) => Reset { seq: segment.ack, ack: Some(segment.end()) },
            _ => reset_at_ack(segment),
        });
    }
    // <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>
    let ack = match config.mutant {
        Some(Mutant::RstFromClosedPortWithoutAck) => None,
        Some(Mutant::RstAckIgnoresLength) => Some(segment.seq),
        Some(Mutant::RstAckCountsSynOnly) => Some(segment.seq + 1),
        _ => Some(segment.end()),
    };
    Some(Reset { seq: SeqNum(0), ack })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::wire::Options;

    pub(crate) fn segment(flags: Flags, seq: u32, ack: u32, payload: &[u8]) -> Segment<'_> {
        Segment {
            source_port: 4000,
            destination_port: 80,
            seq: SeqNum(seq),
            ack: SeqNum(ack),
            flags,
            window: 1000,
            urgent: 0,
            options: Options::default(),
            payload,
        }
    }

    #[test]
    fn every_segment_but_a_reset_is_answered_with_the_right_numbers() {
        let config = Config::default();
        let with_ack = Some(Reset { seq: SeqNum(77), ack: None });
        for flags in [Flags::ACK, Flags::ACK | Flags::SYN, Flags::ACK | Flags::FIN] {
            assert_eq!(decide(&segment(flags, 5, 77, b"abc"), &config), with_ack);
        }
        for (flags, len) in [
            (Flags::SYN, 4),
            (Flags::FIN, 4),
            (Flags::SYN | Flags::FIN, 5),
            (Flags::default(), 3),
            (Flags::URG, 3),
        ] {
            let reset = decide(&segment(flags, 5, 0, b"abc"), &config).unwrap();
            assert_eq!(reset, Reset { seq: SeqNum(0), ack: Some(SeqNum(5 + len)) });
        }
        for flags in [Flags::RST, Flags::RST | Flags::ACK, Flags::RST | Flags::SYN] {
            assert_eq!(decide(&segment(flags, 5, 77, b""), &config), None);
        }
    }
}
