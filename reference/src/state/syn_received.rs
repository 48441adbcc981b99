//! SYN-RECEIVED: what differs there from the synchronized states (RFC 9293 3.10.7.4).

use super::Origin;
use super::closed::{Reset, reset_at_ack};
use crate::config::Config;
use crate::mutant::Mutant;
use crate::seq::SeqNum;
use crate::wire::Segment;

/// Where a reset or a stray SYN leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Abandon {
    /// A passive open: the listener listens on, nobody is told.
    ToListen,
    /// An active open: "connection refused".
    Refused,
}

/// Second check, the RST bit (MUST-11).
pub(crate) fn on_reset(origin: Origin, config: &Config) -> Abandon {
    match origin {
        Origin::Passive(_) => Abandon::ToListen,
        Origin::Active if config.is(Mutant::OriginForgotten) => Abandon::ToListen,
        Origin::Active => Abandon::Refused,
    }
}

/// Fifth check, the ACK field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum AckDisposition {
    Establish,
    Reset(Reset),
    Ignore,
}

/// SND.UNA < SEG.ACK =< SND.NXT establishes; anything else draws a reset.
pub(crate) fn on_ack(una: SeqNum, nxt: SeqNum, segment: &Segment<'_>, config: &Config) -> AckDisposition {
    if segment.ack.after(una) && segment.ack.at_or_before(nxt) {
        return AckDisposition::Establish;
    }
    match config.mutant {
        Some(Mutant::SynReceivedAnyAckEstablishes) => AckDisposition::Establish,
        Some(Mutant::SynReceivedBadAckIgnored) => AckDisposition::Ignore,
        _ => AckDisposition::Reset(reset_at_ack(segment)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::closed::tests::segment;
    use super::*;
    use crate::event::ListenerId;
    use crate::wire::Flags;

    #[test]
    fn the_origin_decides_what_a_reset_means() {
        let config = Config::default();
        assert_eq!(on_reset(Origin::Passive(ListenerId(1)), &config), Abandon::ToListen);
        assert_eq!(on_reset(Origin::Active, &config), Abandon::Refused);
    }

    #[test]
    fn only_the_ack_of_our_syn_establishes() {
        let config = Config::default();
        for (ack, establishes) in [(99, false), (100, false), (101, true), (102, false)] {
            let got = on_ack(SeqNum(100), SeqNum(101), &segment(Flags::ACK, 1, ack, b""), &config);
            assert_eq!(got == AckDisposition::Establish, establishes, "{ack}");
        }
    }
}
