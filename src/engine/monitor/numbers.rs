//! Monitors of sequence numbers, acknowledgments, windows and the stream itself.

use super::super::pattern;
use super::{Judgement, Sighting};
use crate::packet::{Flags, SeqNum};

pub(super) fn right_edge(seen: &Sighting<'_>) -> Judgement {
    let (segment, book) = (seen.segment, seen.book);
    let Some(edge) = book.our_edge else { return Judgement::Idle };
    if segment.len() == 0 || segment.has(Flags::RST) || segment.has(Flags::SYN) {
        return Judgement::Idle;
    }
    // The FIN is an octet like any other (RFC 9293 section 3.4).
    let end = segment.end();
    let probe = segment.len() == 1 && book.rcv_wnd == 0;
    Judgement::of(probe || end.le(edge), || {
        format!("The segment ends {} octets beyond the window that we offered.", end.diff(edge))
    })
}

pub(super) fn ack_of_unsent(seen: &Sighting<'_>) -> Judgement {
    let (segment, book) = (seen.segment, seen.book);
    // A RST from no connection acknowledges whatever the segment it answers carried.
    if !segment.has(Flags::ACK) || segment.has(Flags::RST) || !book.ours.syn {
        return Judgement::Idle;
    }
    Judgement::of(segment.ack.le(book.ackable_at_all()), || {
        let lied = segment.ack.diff(book.snd_max());
        if lied <= 0 {
            "It acknowledges octets behind a hole: what is missing was never received.".to_owned()
        } else if book.recently(|sent| sent.end.ge(segment.ack)) {
            format!("It acknowledges {lied} octets of what it had to discard.")
        } else {
            format!("It acknowledges {lied} octets that were never sent.")
        }
    })
}

/// RFC 9293 section 3.10.7.4: what begins above RCV.NXT should be held. So an ACK that reaches the end of what filled
/// a hole reaches the end of what was waiting there.
pub(super) fn held_text(seen: &Sighting<'_>) -> Judgement {
    let (segment, book) = (seen.segment, seen.book);
    if !segment.has(Flags::ACK) || segment.has(Flags::RST) || book.joined.is_empty() {
        return Judgement::Idle;
    }
    let lost = book.joined.iter().find(|(from, to)| segment.ack.ge(*from) && segment.ack.before(*to));
    Judgement::of(lost.is_none(), || {
        let octets = lost.map_or(0, |(_, to)| to.diff(segment.ack));
        format!(
            "{octets} octets came above a hole and inside the window, and were not kept: the ACK of what filled the hole stops before them."
        )
    })
}

pub(super) fn ack_monotone(seen: &Sighting<'_>) -> Judgement {
    let (segment, book) = (seen.segment, seen.book);
    if !segment.has(Flags::ACK) || segment.has(Flags::RST) || book.irs.is_none() {
        return Judgement::Idle;
    }
    Judgement::of(segment.ack.ge(book.snd_una), || {
        format!("The acknowledgment moved back by {} octets.", book.snd_una.diff(segment.ack))
    })
}

pub(super) fn retransmitted_bytes(seen: &Sighting<'_>) -> Judgement {
    let (segment, book) = (seen.segment, seen.book);
    if segment.payload.is_empty() || segment.has(Flags::RST) {
        return Judgement::Idle;
    }
    let Some(offset) = book.their_offset(segment.data_start()) else { return Judgement::Idle };
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let mut repeated = false;
    for (before, now) in seen.stream.iter().skip(start).zip(&segment.payload) {
        match before {
            Some(before) if before != now => {
                return Judgement::Broken(
                    "Retransmitted octets differ from the first transmission.".to_owned(),
                );
            }
            Some(_) => repeated = true,
            None => {}
        }
    }
    if repeated { Judgement::Fine } else { Judgement::Idle }
}

pub(super) fn beyond_fin(seen: &Sighting<'_>) -> Judgement {
    let (segment, book) = (seen.segment, seen.book);
    let Some(fin_end) = book.fin_seen else { return Judgement::Idle };
    if segment.has(Flags::RST) || segment.has(Flags::SYN) || segment.len() == 0 {
        return Judgement::Idle;
    }
    if segment.has(Flags::FIN) && segment.end() != fin_end {
        return Judgement::Broken("The FIN moved to another sequence number.".to_owned());
    }
    Judgement::of(segment.end().le(fin_end), || "Data follows the FIN.".to_owned())
}

/// RFC 9293 section 3.7.1: SendMSS is what the peer announced, or 536 (IPv4) and 1220 (IPv6), and
/// options take from it.
pub(super) fn mss(seen: &Sighting<'_>) -> Judgement {
    if seen.segment.payload.is_empty() {
        return Judgement::Idle;
    }
    let size = seen.segment.payload.len() + seen.segment.options.octets;
    Judgement::of(size <= usize::from(seen.mss), || {
        format!(
            "{} octets of data and {} of options exceed our MSS of {}.",
            seen.segment.payload.len(),
            seen.segment.options.octets,
            seen.mss
        )
    })
}

pub(super) fn content(seen: &Sighting<'_>) -> Judgement {
    let (segment, book) = (seen.segment, seen.book);
    if segment.payload.is_empty() || segment.has(Flags::RST) {
        return Judgement::Idle;
    }
    let Some(offset) = book.their_offset(segment.data_start()) else { return Judgement::Idle };
    if let Some(at) = pattern::mismatch(offset, &segment.payload) {
        return Judgement::Broken(format!(
            "Octet {at} of the stream is not the one that the application wrote."
        ));
    }
    let end = offset + u64::try_from(segment.payload.len()).unwrap_or(u64::MAX);
    Judgement::of(end <= seen.written, || {
        format!("{} octets were sent that the application never wrote.", end - seen.written)
    })
}

/// RFC 9293 section 3.5.2: a RST for a segment with ACK has that number as its own; for one without it is 0, with an ACK
/// of the segment. Section 3.10.5: a RST that ends a connection has SND.NXT.
pub(super) fn rst_numbers(seen: &Sighting<'_>) -> Judgement {
    let (segment, book) = (seen.segment, seen.book);
    if !segment.has(Flags::RST) || !book.ours.syn {
        return Judgement::Idle;
    }
    let within = |low: SeqNum, number: SeqNum, high: SeqNum| number.ge(low) && number.le(high);
    let own = book.irs.is_some_and(|irs| {
        let una = book.acked.map_or(irs, |(acked, _)| acked);
        within(una, segment.seq, book.target_max) || within(irs, segment.seq, book.target_max)
    });
    let answered = book.recently(|sent| sent.ack == Some(segment.seq));
    let none = segment.seq == SeqNum(0) && segment.has(Flags::ACK);
    if !(own || answered || none) {
        return Judgement::Broken(
            "The sequence number of the RST is nobody's: no peer would believe it.".to_owned(),
        );
    }
    let acks = book.recently(|sent| sent.end == segment.ack) || within(book.isn, segment.ack, book.snd_max());
    Judgement::of(!segment.has(Flags::ACK) || acks, || {
        "The RST acknowledges something that no segment of ours ended with.".to_owned()
    })
}

pub(super) fn rst_for_rst(seen: &Sighting<'_>) -> Judgement {
    let Some((last, _)) = &seen.book.last_sent else { return Judgement::Idle };
    if !last.has(Flags::RST) {
        return Judgement::Idle;
    }
    Judgement::of(!seen.segment.has(Flags::RST), || "A RST was answered with a RST.".to_owned())
}

/// The last thing we sent was an acceptable acknowledgment without data, and nothing was open: the
/// target has no reason to repeat itself.
pub(super) fn ack_of_ack(seen: &Sighting<'_>) -> Judgement {
    let (segment, book) = (seen.segment, seen.book);
    let (Some((last, _)), Some((before, _))) = (&book.last_sent, &book.last_seen) else {
        return Judgement::Idle;
    };
    // One that announces a user timeout says something new (RFC 5482 section 3).
    let news = seen.packet.tcp().is_some_and(|tcp| tcp.options.user_timeout().is_some());
    let acceptable = !news
        && book.answers_due == 0
        && last.is_pure_ack()
        && last.options.sack.is_empty()
        && last.seq == book.target_rcv_nxt()
        && last.ack == book.rcv_nxt()
        && last.ack == book.target_max;
    if !acceptable || !segment.is_pure_ack() {
        return Judgement::Idle;
    }
    // A pure ACK that says exactly what the last segment said already. A user timeout is news (RFC 5482 3).
    let repeats = segment.seq == book.target_max
        && !segment.options.user_timeout
        && segment.ack == before.ack
        && segment.window == before.window
        && before.has(Flags::ACK)
        && segment.ack == book.target_rcv_nxt()
        && SeqNum::ge(book.snd_una, segment.ack);
    Judgement::of(!repeats, || {
        "An acknowledgment was acknowledged: two such stacks would never stop talking.".to_owned()
    })
}

pub(super) fn window_retracted(seen: &Sighting<'_>) -> Judgement {
    let (segment, book) = (seen.segment, seen.book);
    let Some(before) = book.target_edge else { return Judgement::Idle };
    if !segment.has(Flags::ACK) || segment.has(Flags::RST) || segment.has(Flags::SYN) {
        return Judgement::Idle;
    }
    let edge = segment.ack + book.offered(segment);
    // Scaled windows are rounded down (RFC 7323 section 2.4).
    let rounding = 1u32 << book.theirs.wscale.unwrap_or(0).min(14);
    Judgement::of((edge + rounding).after(before) || edge == before, || {
        format!("The right edge of the window moved back by {} octets.", before.diff(edge))
    })
}
