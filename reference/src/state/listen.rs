//! LISTEN (RFC 9293 3.10.7.2).

use super::closed::{Reset, reset_at_ack};
use crate::config::Config;
use crate::mutant::Mutant;
use crate::wire::{Flags, Segment};

/// What a listener does with a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum ListenDisposition {
    Ignore,
    Reset(Reset),
    /// Make a connection in SYN-RECEIVED and answer with SYN,ACK.
    Synchronize,
}

/// RFC 9293 3.10.7.2, in the order of the text. A valid SYN cookie is recognised before this.
pub(crate) fn decide(segment: &Segment<'_>, config: &Config) -> ListenDisposition {
    // First: an incoming RST should be ignored.
    if segment.has(Flags::RST) {
        return ListenDisposition::Ignore;
    }
    // Second: any acknowledgment is bad if it arrives in LISTEN.
    if segment.has(Flags::ACK) {
        return match config.mutant {
            Some(Mutant::ListenIgnoresAck) => ListenDisposition::Ignore,
            Some(Mutant::ListenTakesSynAck) if segment.has(Flags::SYN) => ListenDisposition::Synchronize,
            _ => ListenDisposition::Reset(reset_at_ack(segment)),
        };
    }
    // Third: a SYN opens a connection; a FIN with it is ignored until the handshake is done.
    if segment.has(Flags::SYN) {
        return ListenDisposition::Synchronize;
    }
    // Fourth: anything else is dropped; it should not come.
    if config.is(Mutant::ListenResetsOther) {
        return ListenDisposition::Reset(Reset { seq: segment.ack, ack: Some(segment.end()) });
    }
    ListenDisposition::Ignore
}

#[cfg(test)]
mod tests {
    use super::super::closed::tests::segment;
    use super::*;
    use crate::seq::SeqNum;

    #[test]
    fn rst_before_ack_before_syn_before_the_rest() {
        let config = Config::default();
        let reset = ListenDisposition::Reset(Reset { seq: SeqNum(9), ack: None });
        let table = [
            (Flags::RST, ListenDisposition::Ignore),
            (Flags::RST | Flags::SYN | Flags::ACK, ListenDisposition::Ignore),
            (Flags::ACK, reset),
            (Flags::ACK | Flags::SYN, reset),
            (Flags::ACK | Flags::FIN, reset),
            (Flags::SYN, ListenDisposition::Synchronize),
            (Flags::SYN | Flags::FIN, ListenDisposition::Synchronize),
            (Flags::FIN, ListenDisposition::Ignore),
            (Flags::URG, ListenDisposition::Ignore),
            (Flags::default(), ListenDisposition::Ignore),
        ];
        for (flags, expected) in table {
            assert_eq!(decide(&segment(flags, 1, 9, b""), &config), expected, "{flags:?}");
        }
    }
}
