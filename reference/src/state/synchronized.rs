//! The checks that all synchronized states share, in the order of RFC 9293 3.10.7.4: sequence number, RST, SYN,
//! ACK. Text, URG and FIN are seen to by the connection.

use crate::config::Config;
use crate::mutant::Mutant;
use crate::seq::SeqNum;
use crate::wire::Segment;

/// First check: the four cases of RFC 9293 3.4 (table 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Acceptability {
    Acceptable,
    /// RCV.WND is zero and the segment begins at RCV.NXT: its text is not taken, its ACK, URG and RST are
    /// (MUST-66).
    ControlOnly,
    Unacceptable,
}

/// RFC 9293 3.10.7.4, first.
pub(crate) fn acceptability(
    rcv_nxt: SeqNum,
    rcv_wnd: u32,
    segment: &Segment<'_>,
    config: &Config,
) -> Acceptability {
    let (seq, len) = (segment.seq, segment.len());
    let last = segment.end() - 1;
    let fits = match config.mutant {
        Some(Mutant::SequenceCheckStartOnly) => seq.within(rcv_nxt, rcv_wnd.max(1)),
        Some(Mutant::SequenceCheckOffByOne) => seq.within(rcv_nxt - 1, rcv_wnd + 1),
        Some(Mutant::SequenceUnchecked) => true,
        Some(Mutant::SequenceComparedUnwrapped) => {
            // RFC 9293 3.4, U-2: plain numbers in place of the circle.
            let edge = rcv_nxt.0.saturating_add(rcv_wnd);
            (rcv_nxt.0..edge.max(rcv_nxt.0 + u32::from(rcv_nxt.0 < u32::MAX))).contains(&seq.0)
                || (len > 0 && (rcv_nxt.0..edge).contains(&last.0))
        }
        _ => match (len, rcv_wnd) {
            (0, 0) => seq == rcv_nxt,
            (0, _) => seq.within(rcv_nxt, rcv_wnd),
            (_, 0) => false,
            (_, _) => seq.within(rcv_nxt, rcv_wnd) || last.within(rcv_nxt, rcv_wnd),
        },
    };
    if fits {
        Acceptability::Acceptable
    } else if rcv_wnd == 0 && seq == rcv_nxt && !config.is(Mutant::ZeroWindowDropsAll) {
        Acceptability::ControlOnly
    } else {
        Acceptability::Unacceptable
    }
}

/// Second check: a reset inside the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum ResetDisposition {
    Reset,
    /// RFC 5961 3.2: not exactly at RCV.NXT.
    Challenge,
    Ignore,
}

/// RFC 9293 3.10.7.4, second; the segment has passed the first check. Text does not matter (SHLD-2).
pub(crate) fn on_reset(rcv_nxt: SeqNum, segment: &Segment<'_>, config: &Config) -> ResetDisposition {
    match config.mutant {
        Some(Mutant::RstIgnored) => return ResetDisposition::Ignore,
        Some(Mutant::RstWithDataIgnored) if !segment.payload.is_empty() => return ResetDisposition::Ignore,
        Some(Mutant::RstInWindowAccepted) => return ResetDisposition::Reset,
        Some(Mutant::RstInWindowSilentlyDropped) if segment.seq != rcv_nxt => {
            return ResetDisposition::Ignore;
        }
        Some(Mutant::RstExactChallenged) => return ResetDisposition::Challenge,
        _ => {}
    }
    if segment.seq == rcv_nxt || !config.rfc5961 {
        ResetDisposition::Reset
    } else {
        ResetDisposition::Challenge
    }
}

/// Fifth check: the acknowledgment field in ESTABLISHED and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum AckDisposition {
    /// SND.UNA =< SEG.ACK =< SND.NXT: new or duplicate.
    Process,
    /// Old: its text may be used, its number not.
    Old,
    /// It acknowledges what was not sent: answer with an ACK and drop it.
    NotYetSent,
    /// RFC 5961 5.2: too old to be from this connection.
    TooOld,
}

/// RFC 9293 3.10.7.4, fifth, with the range of RFC 5961 5.2 (MAY-12).
pub(crate) fn on_ack(
    una: SeqNum,
    nxt: SeqNum,
    max_wnd: u32,
    segment: &Segment<'_>,
    config: &Config,
) -> AckDisposition {
    if segment.ack.after(nxt) {
        return match config.mutant {
            Some(Mutant::FutureAckAccepted) => AckDisposition::Process,
            Some(Mutant::FutureAckDataTaken) => AckDisposition::Old,
            _ => AckDisposition::NotYetSent,
        };
    }
    if segment.ack.at_or_after(una) {
        return AckDisposition::Process;
    }
    let age = una.distance_from(segment.ack);
    let limit = if config.is(Mutant::OldestAckOffByOne) { max_wnd.saturating_sub(1) } else { max_wnd };
    if config.rfc5961 && age > limit && !config.is(Mutant::AncientAckAccepted) {
        return AckDisposition::TooOld;
    }
    AckDisposition::Old
}

/// RFC 7323 5.3 R1: the timestamp is older than what was seen last.
pub(crate) const fn is_older_timestamp(value: u32, recent: u32) -> bool {
    (value.wrapping_sub(recent) as i32) < 0
}

#[cfg(test)]
mod tests {
    use super::super::closed::tests::segment;
    use super::*;
    use crate::wire::Flags;

    const NXT: SeqNum = SeqNum(u32::MAX - 10);

    fn check(offset: i32, len: usize, wnd: u32) -> Acceptability {
        let seq = NXT.0.wrapping_add_signed(offset);
        let text = vec![0; len];
        acceptability(NXT, wnd, &segment(Flags::ACK, seq, 0, &text), &Config::default())
    }

    #[test]
    fn the_four_cases_of_the_sequence_check() {
        use Acceptability::{Acceptable, ControlOnly, Unacceptable};
        let table = [
            // no length, no window
            (0, 0, 0, Acceptable),
            (-1, 0, 0, Unacceptable),
            (1, 0, 0, Unacceptable),
            // no length, a window
            (0, 0, 20, Acceptable),
            (19, 0, 20, Acceptable),
            (20, 0, 20, Unacceptable),
            (-1, 0, 20, Unacceptable),
            // length, no window
            (0, 1, 0, ControlOnly),
            (-1, 5, 0, Unacceptable),
            // length and a window
            (0, 5, 20, Acceptable),
            (-4, 5, 20, Acceptable),
            (-5, 5, 20, Unacceptable),
            (19, 5, 20, Acceptable),
            (20, 5, 20, Unacceptable),
        ];
        for (offset, len, wnd, expected) in table {
            assert_eq!(check(offset, len, wnd), expected, "offset {offset} len {len} wnd {wnd}");
        }
    }

    #[test]
    fn only_an_exact_reset_resets_unless_the_old_rules_are_chosen() {
        let new = Config::default();
        let old = Config { rfc5961: false, ..Config::default() };
        let exact = segment(Flags::RST, NXT.0, 0, b"");
        let near = segment(Flags::RST, NXT.0.wrapping_add(1), 0, b"");
        assert_eq!(on_reset(NXT, &exact, &new), ResetDisposition::Reset);
        assert_eq!(on_reset(NXT, &near, &new), ResetDisposition::Challenge);
        assert_eq!(on_reset(NXT, &near, &old), ResetDisposition::Reset);
    }

    #[test]
    fn acknowledgments_fall_into_four_ranges() {
        let config = Config::default();
        let on =
            |ack: u32| on_ack(SeqNum(1000), SeqNum(1100), 500, &segment(Flags::ACK, 0, ack, b""), &config);
        assert_eq!(on(1000), AckDisposition::Process);
        assert_eq!(on(1100), AckDisposition::Process);
        assert_eq!(on(1101), AckDisposition::NotYetSent);
        assert_eq!(on(999), AckDisposition::Old);
        assert_eq!(on(500), AckDisposition::Old);
        assert_eq!(on(499), AckDisposition::TooOld);
    }
}
